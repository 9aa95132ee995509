"""Instances of jitclasses and structrefs as arguments: their fields are looked at, or it is said which one is not."""

import numpy as np
import pytest
from numba import float64, int64, njit, prange, types
from numba.experimental import jitclass, structref
from numba.extending import overload_method
from numba.typed import List

from numba_course import lens
from numba_course.lens.race._instances import NotTakenApart, taken_apart
from numba_course.lens.race.detector import detect


@jitclass([("count", int64), ("sums", float64[:]), ("__hidden", float64[:])])
class Sums:
    def __init__(self, size):
        self.count = 0
        self.sums = np.zeros(size)
        self.__hidden = np.zeros(size)

    @property
    def half(self):
        return len(self.sums) // 2

    def add(self, k, value):
        self.sums[k] += value

    def hide(self, k):
        self.__hidden[k] += 1


@structref.register
class PointType(types.StructRef):
    def preprocess_fields(self, fields):
        return tuple((name, types.unliteral(kind)) for name, kind in fields)


class Point(structref.StructRefProxy):
    def __new__(cls, x, out):
        return structref.StructRefProxy.__new__(cls, x, out)


structref.define_proxy(Point, PointType, ["x", "out"])


@overload_method(PointType, "bump")
def _bump(self, k):
    def bump(self, k):
        self.out[k] += self.x

    return bump


@njit(parallel=True)
def each_its_own(sums, n):
    for i in prange(n):
        sums.add(i, 1.0)


@njit(parallel=True)
def beyond_half(sums, n):
    for i in prange(n):
        sums.add(i % sums.half, 1.0)


@njit(parallel=True)
def hidden(sums, n):
    for i in prange(n):
        sums.hide(i // 2)


@njit(parallel=True)
def counted(sums, n):
    for _ in prange(n):
        sums.count += 1


@njit(parallel=True)
def reading_another(sums, values):
    for i in prange(len(values)):
        sums.sums[i] = values[0]


@njit(parallel=True)
def bumped(point, n, divisor):
    for i in prange(n):
        point.bump(i // divisor)


@njit(parallel=True)
def one_for_each(n):
    out = np.zeros(n)
    for i in prange(n):
        point = Point(1.0, out)
        point.bump(i)
    return out


SUMS, POINT = Sums(8), Point(1.0, np.zeros(8))


@pytest.mark.parametrize(
    ("fn", "args", "says"),
    [
        (each_its_own, (SUMS, 4), "none found"),
        (beyond_half, (SUMS, 8), "iterations 0 and 4 both write sums.sums[0]"),
        (hidden, (SUMS, 4), "iterations 0 and 1 both write sums._Sums__hidden[0]"),
        (counted, (SUMS, 2), "iterations 0 and 1 both write sums.count"),
        (reading_another, (SUMS, SUMS.sums[1:]), "iteration 0 reads sums.sums[1]"),
        (reading_another, (SUMS, np.ones(3)), "none found"),
        (bumped, (POINT, 4, 1), "none found"),
        (bumped, (POINT, 4, 2), "iterations 0 and 1 both write point.out[0]"),
        (one_for_each, (4,), "none found"),
    ],
    ids="own half hidden field shared apart structref structref_race constructed".split(),
)
def test_the_fields_of_an_instance_are_looked_at(fn, args, says):
    assert says in repr(detect(fn, args))


def test_an_instance_reaches_the_child_and_is_not_changed():
    @jitclass([("values", float64[:])])
    class Own:  # made here, so that the child need not import this module
        def __init__(self):
            self.values = np.zeros(3)

    @njit(parallel=True)
    def write(own, other):
        for i in prange(3):
            own.values[i] = i
            other.values[2 - i] = i

    own = Own()
    assert "own.values[2]" in repr(lens.races(write, own, own))
    assert lens.races(write, own, Own()).verdict == "none found"
    assert own.values.sum() == 0
    assert "cannot be copied for each call" in lens.runs(write, own, Own()).reason


def test_a_field_that_is_not_looked_into_is_named():
    @njit(parallel=True)
    def summed(point):
        total = 0.0
        for _ in prange(3):
            total += point.x
        return total

    point = Point(1.0, List([1.0]))
    with pytest.raises(NotTakenApart, match="the field out of Point, an argument, is of type ListType"):
        taken_apart((point,), [])
    found = detect(summed, (point,))
    assert found.verdict == "not checked" and "which is not looked into" in found.reason
