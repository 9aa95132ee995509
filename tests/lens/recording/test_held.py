"""What markers of pytest ask for together, in which calls it is looked for, and whom it concerns."""

import numba
import numpy as np
import pytest
from numba import guvectorize, njit, prange, vectorize
from numba.experimental import jitclass

from numba_course.lens.recording.calls import ALIKE, Recorder
from numba_course.lens.recording.held import MOST, hold, wanted_by


@njit(parallel=True)
def histogram(indices, counts):
    for i in prange(indices.size):
        counts[indices[i]] += 1


@njit
def maybe(n):
    return np.zeros(n).sum() if n > 100 else 0.0


@vectorize
def squared(x):
    return x * x


@guvectorize(["float64[:], float64[:]"], "(n)->(n)")
def turned(values, out):
    for i in range(values.size):
        out[i] = values[-1 - i]


@jitclass([("value", numba.float64)])
class Scale:
    def __init__(self, value):
        self.value = value

    def by(self, factor):
        return self.value * factor


@numba.jit(forceobj=True)
def in_python(x):
    return x


@njit(cache=True)
def cached(x):
    return x + 1


def held(work, **named):
    with Recorder(ALIKE).recording() as recorder:
        work()
    return hold(recorder.called, *wanted_by([((), named)]))


def test_each_call_is_looked_at_the_largest_and_others_of_the_same_size_too():
    def collides_later():
        histogram(np.arange(4), np.zeros(4))
        histogram(np.zeros(4, np.int64), np.zeros(4))

    broken, told = held(collides_later, race_free=True)
    assert "histogram has a race" in broken[0] and not told
    broken, told = held(lambda: (maybe(2), maybe(200)), allocations=0)
    assert "maybe allocates 1 times a call" in broken[0] and not told


def test_calls_that_are_not_looked_at_are_told_and_equal_ones_are_none():
    def many():
        for n in range(60):
            maybe(n)

    broken, told = held(many, allocations=0)
    assert not broken and len(told) == 1
    assert told[0].endswith(
        f"maybe(int64): held to what the marker says with the arguments of {MOST} of its 60 calls"
    )
    assert held(lambda: [maybe(7) for _ in range(60)], allocations=0) == ([], [])
    assert held(many, specialisations=1) == ([], [])  # which does not depend on the arguments


def test_properties_concern_no_function_that_cannot_have_them():
    def beside(fn, *args):
        fn(*args), squared(np.ones(4)), turned(np.ones(3)), Scale(2.0).by(3.0), in_python(3)

    assert held(lambda: beside(histogram, np.arange(4), np.zeros(4)), race_free=True) == ([], [])
    assert held(lambda: beside(cached, 3), cache_fresh=True) == ([], [])
    (said,), _ = held(lambda: beside(maybe, 3), race_free=True)
    assert said.startswith("race_free was not checked: it concerns none of ")


@pytest.mark.parametrize(
    "args, named, said",
    [
        ((), {}, "and there is nothing in its parentheses"),
        (("race_free",), {}, "not 'race_free'"),
        ((), {"racefree": True}, "knows race_free, packed, .* not racefree"),
        ((), {"allocations": 0, "allow": "counts"}, "only where it asks for race_free=True"),
        *[
            ((), {"race_free": True, name: value}, f"{name} .*, not {value!r}")
            for name, value in (
                ("allow", None),
                ("allow", 1.5),
                ("allow", True),
                ("packed", "for i"),
                ("packed", 0),
                ("allocations", "none"),
                ("allocations", False),
                ("allocations", -1),
                ("specialisations", "one"),
            )
        ],
    ],
)
def test_a_marker_that_does_not_ask_for_what_it_says_is_refused(args, named, said):
    with pytest.raises(ValueError, match=f"the marker numba .*{said}"):
        wanted_by([(args, named)])


def test_of_several_markers_each_counts_and_of_a_property_what_the_nearest_says():
    of_class = ((), {"race_free": True, "allow": ["counts"], "allocations": 3})
    assert wanted_by([((), {"allocations": 0, "packed": None}), of_class]) == (
        {"allocations": 0, "race_free": True},
        ("counts",),
    )
    assert wanted_by([((), {"allow": 7}), of_class])[1] == (7,)
    assert wanted_by([((), {"race_free": False}), of_class]) == ({"allocations": 3}, ())
