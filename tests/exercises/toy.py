"""The exercise that the tests of the engine ask. Its children load this module, and so nothing of pytest."""

import numpy as np
from numba import njit

from numba_course.exercises.examination.office import Lost
from numba_course.exercises.examination.trial import Desk
from numba_course.exercises.question import Exercise
from numba_course.exercises.requirements.accesses import InBounds
from numba_course.exercises.requirements.results import LeavesInputsAlone, Matches, Returns
from numba_course.exercises.requirements.structure import Compiled
from numba_course.process import sandbox

NUMBER = 3


@njit
def triple(values):
    return 3.0 * values


def triple_spec(values):
    return np.array([3.0 * value for value in values])


def triple_examples():
    yield (np.zeros(0),)
    yield (np.array([1.0]),)
    yield (np.array([1.0, -2.0, np.nan]),)
    yield (np.arange(20.0)[::2],)


def triple_inputs(st):
    return st.tuples(st.arrays(np.float64, st.integers(0, 30), elements=st.floats(-1e6, 1e6)))


def exercise(*more, **changes):
    fields = {
        "name": "triple",
        "reference": triple,
        "spec": triple_spec,
        "examples": triple_examples,
        "inputs": triple_inputs,
        "requirements": (
            Compiled(),
            Matches(),
            Returns("float64", 1),
            LeavesInputsAlone(),
            InBounds(),
            *more,
        ),
        "hints": ("What is three times a value?", "Multiply."),
        "explanation": "Numba compiles array expressions too.",
        "seconds": 6.0,
    }
    return Exercise(**{**fields, **changes})


def broken_spec(values):
    raise RuntimeError("the checker is broken")


def bare_examples():
    yield np.array([1.0])


def bare_inputs(st):
    return st.arrays(np.float64, 1)


def racy_examples():
    yield (np.arange(6.0),)


# An answer that is a class


class Tripled:
    def __init__(self, factor=3.0):
        self.factor = factor

    def result(self, values):
        return self.factor * values


class Misspelt(Tripled):
    def result(self, values):
        return self.factr * values


class Empty(Tripled):
    """Only words, and what was given."""

    def __init__(self, factor=3.0):
        self.factor = factor

    def result(self, values): ...


# Workers without a session between


def done(answer, asked, task, content):
    """In a child: do a task of a worker."""
    return Desk(answer, asked).do(task, *content)


class Office:
    """Hires workers that have this answer, without a session between."""

    def __init__(self, answer, asked):
        self.answer, self.asked = answer, asked

    def hire(self):
        return self

    def ask(self, task, *content, seconds, step):
        outcome = sandbox.run(done, self.answer, self.asked.without_answer(), task, content, seconds=seconds)
        if outcome.ended != "returned":
            raise Lost(outcome)
        return outcome.value

    def dismiss(self):
        pass
