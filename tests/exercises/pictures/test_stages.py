"""What the picture of FFCV's stages says of the graph that it is drawn from."""

import numpy as np
import pytest

from numba_course.exercises.pictures import stages as pictures
from numba_course.pipeline.batchwise import Graph, State
from tests.pipeline.test_batchwise import in_modes


def graph_of(*outputs):
    state = State(True, (2, 3, 3), np.dtype(np.uint8))
    return Graph({f"output {n}": in_modes(*modes) for n, modes in enumerate(outputs)}, state)


def test_each_stage_says_what_it_calls_and_how():
    alt = pictures.cut_into_stages(graph_of("ccp", "p")).alt
    assert "stage_code_0 calls Step, Step: compiled operations" in alt
    assert "stage_code_1 calls Step, Step: left to Python" in alt
    assert "stage_code_2" not in alt


def test_a_stage_in_which_nothing_is_compiled_says_so():
    assert "stage_code_0 calls nothing. stage_code_1" in pictures.cut_into_stages(graph_of("p")).alt


def test_without_operations_there_is_nothing_to_draw():
    with pytest.raises(ValueError, match="graph must have an operation"):
        pictures.cut_into_stages(graph_of(""))
