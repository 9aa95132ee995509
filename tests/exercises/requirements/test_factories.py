"""A factory that remembers: what it makes is told as data, and thousands of functions need no compiler."""

import functools

import numba
import pytest
from numba import njit
from numba.core import event

from numba_course.exercises.requirements.factories import hardly_made, made_and_used


def used(made):
    return made_and_used(lambda factor: made, 0.5)


WAYS = {
    "njit": lambda f: njit(f),
    "njit with a signature": lambda f: njit("float64(float64)")(f),
    "jit with options": lambda f: numba.jit(nopython=True, nogil=True)(f),
    "vectorize": lambda f: numba.vectorize(f),
    "vectorize with a signature": lambda f: numba.vectorize(["float64(float64)"])(f),
}


@pytest.mark.parametrize("way", WAYS)
def test_meanwhile_nothing_is_made_and_each_is_another(way):
    with event.install_recorder("numba:run_pass") as passes, hardly_made():
        one, other = WAYS[way](lambda x: 2.0 * x), WAYS[way](lambda x: 3.0 * x)
        one(1.0)
    assert one is not other and not passes.buffer
    assert WAYS[way](lambda x: 2.0 * x)(1.0) == 2.0


@pytest.mark.parametrize(
    "made, kind",
    [
        (njit(lambda x: x * 0.5), ""),
        (lambda x: x * 0.5, "plain Python function"),
        (numba.jit(lambda x: x * 0.5, forceobj=True), "function in object mode"),
        (functools.partial(njit(lambda f, x: f * x), 0.5), "plain Python function"),
        (0.5, "float"),
        (None, "NoneType"),
    ],
)
def test_what_is_made_is_told_in_words(made, kind):
    told = used(made)
    assert (told["kind"], len(told["results"])) == (kind, 0 if kind else 5)
    assert not any(told["faults"])


def test_what_happens_to_an_argument_is_told():
    def in_place(x):
        x *= 0.5
        return x

    changing, returning = njit(in_place), njit(lambda x: x)
    for made, words in ((changing, "it changed its argument `x`"), (returning, "it returned its argument")):
        assert used(made)["faults"][1].startswith(words)
