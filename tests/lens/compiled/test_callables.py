"""callables: whatever Numba compiles as a function is looked at with the types of its call, or refused in one line."""

import functools
import sys

import cloudpickle
import numba
import numpy as np
import pytest
from numba import cfunc, guvectorize, njit, vectorize
from numba.experimental import jitclass

from numba_course.lens.compiled.machine_code import machine_code
from numba_course.lens.compiled.stages import stages
from numba_course.lens.compiled.types import types

for pickling in (cloudpickle, numba.cloudpickle):
    pickling.register_pickle_by_value(sys.modules[__name__])  # a child cannot import a test module

x = np.ones(3)


@jitclass([("total", numba.float64)])
class Sum:
    def __init__(self):
        self.total = 0.0

    def add(self, values):
        for i in range(values.size):
            self.total += values[i]
        return self.total


@vectorize(["float64(float64, float64)"])
def longer(a, b):
    return np.sqrt(a * a + b * b)


@vectorize
def lazy(a):
    return a * 2


@guvectorize(["(float64[:], float64[:])"], "(n)->()")
def row_sum(values, out):
    out[0] = 0.0
    for i in range(values.size):
        out[0] += values[i]


@cfunc("float64(float64)")
def callback(value):
    return value * 2.0


@njit
def line(a, slope=2, offset=3):
    return a * slope + offset


@njit
def by_keyword_only(a, *, slope, offset=3):
    return a * slope + offset


class Plain:
    @njit
    def second(self, value):
        return value


@pytest.mark.parametrize(
    ("call", "signature"),
    [
        (lambda look: look(line, 1.0, offset=5.0), "(float64, omitted(default=2), float64) -> float64"),
        (
            lambda look: look(functools.partial(line, 1.0), 4),
            "(float64, int64, omitted(default=3)) -> float64",
        ),
        (
            lambda look: look(Sum().add, x),
            "(instance.jitclass.Sum<total:float64>, array(float64, 1d, C)) -> float64",
        ),
        (lambda look: look(longer, x, x), "(float64, float64) -> float64"),
        (
            lambda look: look(row_sum, np.ones((2, 3))),
            "(array(float64, 1d, A), array(float64, 1d, A)) -> none",
        ),
        (lambda look: look(callback, 2.0), "(float64) -> float64"),
        (
            lambda look: look(by_keyword_only, 1.0, slope=2.0),
            "(float64, float64, omitted(default=3)) -> float64",
        ),
    ],
    ids=["keywords", "partial", "jitclass", "vectorize", "guvectorize", "cfunc", "keyword-only"],
)
def test_each_kind_is_looked_at_with_its_true_types(call, signature):
    assert call(types).signature == signature


def test_what_is_not_looked_at_is_said_and_the_caller_has_the_gil():
    report = machine_code(longer, x, x)
    assert (report.gil, report.releases_gil) == ("up to NumPy", False)
    assert "the loop around it" in " ".join(report.notes)
    assert machine_code(callback, 2.0).gil == "up to C"
    assert machine_code(functools.partial(line, 1.0), offset=5).allocations == 0


@numba.stencil
def neighbours(a):
    return a[-1] + a[1]


def summed_neighbours(values):
    return neighbours(values)


def test_a_stencil_is_called_by_its_kind_and_not_by_an_address():
    assert [name for _, name in machine_code(njit(summed_neighbours), x).calls] == ["stencil"]


@pytest.mark.parametrize(
    ("fn", "arguments", "words"),
    [
        (lazy, (x,), "lens.stages: lazy is not compiled for these arguments; call it with them once"),
        (Sum, (), "the class 'Sum' made by @jitclass; look at a method of one of its objects"),
        (
            numba.stencil(lambda a: a[0] + a[1]),
            (x,),
            "a stencil made by @stencil; call it in a function under",
        ),
        (Plain().second.__func__.py_func.__get__(x), (), "not the plain Python function 'second'"),
    ],
)
def test_what_cannot_be_looked_at_is_refused_in_one_line(fn, arguments, words):
    with pytest.raises(TypeError) as caught:
        stages(fn, *arguments)
    assert words in str(caught.value) and "\n" not in str(caught.value)
