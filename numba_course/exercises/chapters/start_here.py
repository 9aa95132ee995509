"""Chapter 00, start here: the one exercise on which check, hint and solution are tried, and two predictions."""

import numpy as np
from numba import njit

from numba_course.exercises.arrays import BLOCKS, LARGE, layouts
from numba_course.exercises.predictions import Prediction
from numba_course.exercises.question import Exercise
from numba_course.exercises.requirements.accesses import InAnyOrder, InBounds
from numba_course.exercises.requirements.results import LeavesInputsAlone, Matches, Returns
from numba_course.exercises.requirements.structure import Compiled, StaysCompiled


@njit
def double(values):
    """Return a new array with twice each value."""
    out = np.empty_like(values)
    for i in range(values.size):
        out[i] = 2 * values[i]
    return out


def double_spec(values):
    """Twice the values; what is too large becomes infinite."""
    with np.errstate(over="ignore"):
        return values * 2


def double_examples():
    """No value, one, several, not finite, too large to be doubled; more, and many, each without and with gaps."""
    yield (np.array([]),)
    yield (np.array([1.5]),)
    yield (np.array([1.0, -2.0, 0.0]),)
    yield (np.array([np.nan, np.inf, -np.inf]),)
    yield (np.array([1.5e308, -1.5e308]),)
    for size in (9, 1000, BLOCKS, LARGE):
        for values in layouts(np.arange(1.0, size + 1)):
            yield (values,)


def double_inputs(st):
    """Short arrays of finite values that can be doubled."""
    return st.tuples(st.arrays(np.float64, st.integers(0, 24), elements=st.floats(-1e100, 1e100)))


EXERCISES = (
    Exercise(
        name="double",
        reference=double,
        spec=double_spec,
        examples=double_examples,
        inputs=double_inputs,
        requirements=(
            Compiled(),
            Matches(),
            Returns("float64", ndim=1),
            LeavesInputsAlone(),
            InBounds(),
            InAnyOrder(),
            StaysCompiled(),
        ),
        hints=(
            "Which NumPy function makes a new array as long as `values`?",
            "Fill the new array in a loop: `for i in range(values.size)`, or write one array expression.",
            "`out = np.empty_like(values)`; then, in the loop, `out[i] = 2 * values[i]`; `return out` at "
            "the end.",
        ),
        explanation=(
            "The loop writes into an array of its own, so `values` stays as it was. "
            "`return 2 * values` is as good: Numba compiles the array expression to the same loop."
        ),
    ),
)

PREDICTIONS = (
    Prediction(
        name="speedup",
        question="How many times as fast as plain Python on lists is the compiled loop over the photograph?",
        choices=(2, 20, 200),
        answer=200,
        why={
            2: (
                "As if a compiler made the same work faster. It leaves most of that work out: no objects are made, "
                "and nothing is looked up by its type while the loop runs."
            ),
            20: "It sounds bold. But an addition in plain Python is many instructions, and compiled it is one at most.",
        },
    ),
    Prediction(
        name="light",
        question=(
            "Threads share out the rows of the photograph, and all add to the same sums. What can come of it: all of "
            "the light each time, less in some runs, or an error?"
        ),
        choices=("all", "less", "error"),
        answer="less",
        why={
            "all": (
                "With `total += x` all of it would: Numba sees that one number is summed up, and gives each thread its "
                "own. It does not do that for an element of an array, as in `sums[j] += x`."
            ),
            "error": (
                "A compiler could refuse a loop whose iterations write to the same elements. Numba does not look: with "
                "`prange`, you promise that they do not."
            ),
        },
    ),
)
