"""FFCV's contract in small: what is compiled, what cuts stages, and which memory a batch gets."""

from dataclasses import replace

import numpy as np
import pytest
from numba import prange

from numba_course.pipeline import AllocationQuery, Operation
from numba_course.pipeline.batchwise import UNWRITTEN, Compiler, Epoch, Graph, State

IMAGES = State(True, (2, 3, 3), np.dtype(np.uint8))


@pytest.fixture(autouse=True)
def compiler_as_it_was():
    """Nothing that a test sets is left to the next one."""
    yield
    Compiler.set_enabled(True)
    Compiler.set_num_threads(1)


class Step(Operation):
    """Hands over this function, and declares this mode, and memory of the given state if it is to have some."""

    def __init__(self, code, jit_mode=True, memory=False):
        self.code, self.jit_mode, self.memory = code, jit_mode, memory

    def declare_state_and_memory(self, state):
        query = AllocationQuery(state.shape, state.dtype) if self.memory else None
        return replace(state, jit_mode=self.jit_mode), query

    def generate_code(self):
        return self.code


def unchanged(images, dst):
    return images


def in_modes(*modes):
    """A step for each of these letters: c is compiled, p left to Python."""
    return [Step(unchanged, jit_mode=mode == "c") for mode in modes]


@pytest.mark.parametrize(
    ("outputs", "stages"),
    [
        (["ccpp"], [[1, 2], [3, 4]]),
        (["c", "p"], [[1], [2]]),
        (["cp", "ccp"], [[1, 3, 4], [2, 5]]),
        (["p"], [[], [1]]),
        (["cpc"], [[1], [2], [3]]),
        ([""], []),
    ],
)
def test_stages_are_cut_where_the_mode_changes(outputs, stages):
    graph = Graph({f"output {n}": in_modes(*modes) for n, modes in enumerate(outputs)}, IMAGES)
    assert [[node.number for node in stage] for stage in graph.stages()] == stages


def test_memory_cuts_nothing():
    graph = Graph({"image": [Step(unchanged, memory=memory) for memory in (True, False, True)]}, IMAGES)
    assert [len(stage) for stage in graph.stages()] == [3]


def test_an_operation_makes_its_function_after_it_has_declared_and_before_the_next_one_does():
    asked = []

    class Noted(Step):
        def declare_state_and_memory(self, state):
            asked.append("declare")
            return super().declare_state_and_memory(state)

        def generate_code(self):
            asked.append("generate")
            return super().generate_code()

    Graph({"image": [Noted(unchanged), Noted(unchanged)]}, IMAGES)
    assert asked == ["declare", "generate"] * 2


def test_parents_are_of_the_same_output():
    graph = Graph({"image": in_modes("c", "c"), "label": in_modes("c", "p")}, IMAGES)
    assert [(node.number, node.parent) for node in graph.nodes] == [(1, 0), (2, 1), (3, -1), (4, 3)]


def test_the_compiler_has_the_options_of_ffcv():
    options = Compiler.compile(unchanged).targetoptions
    assert options["fastmath"] and options["nogil"] and options["error_model"] == "numpy"
    assert not options["parallel"] and Compiler.get_iterator() is range
    assert not Compiler.compile(marked()).targetoptions["parallel"]  # for one thread


def test_a_marked_function_is_compiled_for_threads():
    Compiler.set_num_threads(2)
    assert Compiler.get_iterator() is prange
    assert Compiler.compile(marked()).targetoptions["parallel"]
    assert not Compiler.compile(unchanged).targetoptions["parallel"]


def marked():
    def function(images, dst):
        return images

    function.is_parallel = True
    return function


def test_a_number_of_threads_that_is_refused_changes_nothing():
    with pytest.raises(ValueError, match="number of threads"):
        Compiler.set_num_threads(0)
    assert Compiler.num_threads == 1


def test_an_epoch_is_of_one_output():
    graph = Graph({"image": in_modes("c"), "label": in_modes("p")}, IMAGES)
    with pytest.raises(ValueError, match="one output, and has 2"):
        Epoch(graph, all_images().take, np.arange(3), 2)


def test_a_compiler_that_is_switched_off_leaves_functions_alone():
    Compiler.set_enabled(False)
    assert Compiler.compile(unchanged) is unchanged


def test_a_batch_gets_its_slot_in_turn_and_as_many_rows_as_it_has_images():
    Compiler.set_enabled(False)
    seen = []

    def note(images, dst):
        seen.append(dst)
        return dst

    epoch = Epoch(Graph({"image": [Step(note, memory=True)]}, IMAGES), all_images().take, np.arange(14), 4)
    assert [len(batch) for batch in epoch] == [4, 4, 4, 2]
    assert epoch.memory[1].shape == (3, 4, 2, 3, 3)
    assert np.shares_memory(seen[0], seen[3]) and not np.shares_memory(seen[0], seen[1])
    assert (epoch.memory[1] == UNWRITTEN).all()


def all_images():
    return np.zeros(14)


def test_a_function_with_the_mark_gets_the_numbers_of_its_images():
    Compiler.set_enabled(False)
    seen = []

    def note(images, dst, indices):
        seen.extend(indices.tolist())
        return images

    note.with_indices = True
    order = np.array([4, 0, 3, 1, 2])
    assert len([*Epoch(Graph({"image": [Step(note)]}, IMAGES), all_images().take, order, 2)]) == 3
    assert seen == order.tolist()


def test_what_is_left_to_python_is_not_compiled():
    epoch = Epoch(Graph({"image": in_modes("c", "p")}, IMAGES), all_images().take, np.arange(3), 2)
    assert hasattr(epoch.code[1], "py_func") and epoch.code[2] is unchanged
