"""What the pictures of chapter 01 say of the objects and times that they are drawn from."""

import sys

import numpy as np
import pytest

from numba_course import lens
from numba_course.exercises.pictures import execution_model as pictures
from numba_course.lens.comparison import Comparison, Sweep
from numba_course.lens.relations import Claim, Relation
from numba_course.lens.timing import Candidate


@pytest.mark.parametrize("number", [0, 1, -1, 2**30, 10**40])
def test_the_parts_of_an_int_are_all_of_its_bytes(number):
    parts = pictures.parts_of(number)
    assert sum(parts.values()) == sys.getsizeof(number) and all(size >= 0 for size in parts.values())


def test_an_int_and_an_element_are_told_in_bytes():
    figure = pictures.boxed(1_000_000, np.zeros(1, np.int16))
    assert f"has {sys.getsizeof(1_000_000)} bytes: " in figure.alt
    assert (
        figure.alt.endswith("One int16 in an array has 2 bytes, all of them for the number.") and figure.png
    )


@pytest.mark.parametrize("other", [1.0, True, np.int64(1)])
def test_another_object_than_an_int_is_refused(other):
    with pytest.raises(TypeError, match=f"must be an int, not {type(other).__name__}"):
        pictures.boxed(other, np.zeros(1))


def test_costs_are_told_in_brackets_with_the_relation():
    relation = lens.timed(lambda: {"loop": 2e-8, "names": 4e-8}).faster("loop", than="names")
    assert pictures.costs(relation).alt == (
        "One iteration in nanoseconds: loop ⟨20.0⟩, names ⟨40.0⟩. "
        "As measured: loop is faster than names: ⟨yes: 2 times⟩."
    )


def relation_of(compiling):
    """Of a sweep whose times are known."""

    def comparison(n):
        compiled = Candidate("Numba", (1e-9 * n,), compile_seconds=compiling)
        return Comparison((Candidate("Python", (1e-7 * n,)), compiled))

    sizes = (10, 1000)
    swept = Sweep(sizes, tuple(map(comparison, sizes)))
    return Relation((Claim("Numba", "Python", at=10),), (100.0,), swept)


def test_a_first_call_is_the_compiler_and_the_call():
    figure = pictures.per_element(relation_of(1e-3), compiled="Numba", unit="price")
    assert figure.alt.startswith(
        "Time for each price against their number. Of 1,000, each takes Python ⟨100⟩ ns, Numba ⟨1⟩ ns; "
        "the first call of Numba ⟨1e+03⟩ ns. As measured: Numba is faster than Python at size 10"
    )


def test_an_entry_that_is_not_compiled_is_refused():
    with pytest.raises(ValueError, match="unlike 'Numba'"):
        pictures.per_element(relation_of(None), compiled="Numba", unit="price")
