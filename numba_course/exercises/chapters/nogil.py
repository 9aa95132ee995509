"""Chapter 08, nogil: a part of a sum that lets go of the GIL, and threads that share the sum."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit

from numba_course.exercises.question import Exercise
from numba_course.exercises.requirements.accesses import InAnyOrder, InBounds
from numba_course.exercises.requirements.calls import RunsEverywhere
from numba_course.exercises.requirements.kernels import KernelInBounds
from numba_course.exercises.requirements.machine_code import ReleasesGIL
from numba_course.exercises.requirements.results import LeavesInputsAlone, Matches, Returns
from numba_course.exercises.requirements.structure import Compiled, StaysCompiled
from numba_course.exercises.requirements.threads import (
    CallsPartialSum,
    InThreads,
    KeepsToItself,
    LetsOthersGetOn,
)

# A part of a sum.


@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    """Set ``out[index]`` to the sum of ``values[start:stop]``."""
    total = 0.0
    for i in range(start, stop):
        total += values[i]
    out[index] = total


def partial_sum_spec(values, start, stop, out, index):
    """The same with Python's own sum."""
    out[index] = sum(values[start:stop].tolist())


def partial_sum_examples():
    """No value; an empty part; one; the first, a middle and the last part; NaN beside a part and in it; many values."""
    yield np.array([]), 0, 0, np.full(1, np.nan), 0
    yield np.array([1.0, 2.0]), 1, 1, np.full(2, np.nan), 1
    yield np.array([3.5]), 0, 1, np.full(1, np.nan), 0
    for start, stop in ((0, 2), (1, 3), (2, 4), (0, 4)):
        yield np.array([1.0, 20.0, 300.0, 4000.0]), start, stop, np.full(3, np.nan), 1
    for start, stop in ((1, 3), (0, 2)):
        yield np.array([np.nan, 1.5, 2.0, np.inf]), start, stop, np.zeros(2), 0
    yield np.arange(1000.0), 250, 750, np.full(4, np.nan), 3
    yield np.arange(100_001.0), 3, 100_000, np.full(9, np.nan), 8


def partial_sum_inputs(st):
    """Quarters, whose sums float64 holds exactly in any order; any part, any place for its sum."""

    @st.composite
    def inputs(draw):
        values = draw(_quarters(st))
        start = draw(st.integers(0, values.size))
        stop = draw(st.integers(start, values.size))
        out = np.full(draw(st.integers(1, 4)), np.nan)
        return values, start, stop, out, draw(st.integers(0, out.size - 1))

    return inputs()


def _quarters(st):
    """A few quarters, and up to some thousands."""
    few = st.lists(st.integers(-4000, 4000).map(lambda k: k / 4), max_size=10)
    many = st.integers(11, 9000).map(lambda size: np.arange(size) % 4001 / 4 - 500)
    return few.map(lambda values: np.array(values, np.float64)) | many


def partial_sum_calls():
    """One call: all of them have the same types."""
    yield np.arange(8.0), 0, 8, np.zeros(1), 0


# Threads that share a sum.


def threaded_sum(values, workers):
    """Return the sum of `values`, shared among `workers` threads."""
    bounds = [worker * values.size // workers for worker in range(workers + 1)]
    parts = np.zeros(workers)
    partial_sum(values, 0, 0, parts, 0)  # compiled here, before there are threads

    def work(worker):
        partial_sum(values, bounds[worker], bounds[worker + 1], parts, worker)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))  # raises what a thread has raised
    return parts.sum()


def threaded_sum_spec(values, workers):
    """Python's own sum."""
    return sum(values.tolist(), 0.0)


def threaded_sum_examples():
    """No value; one; one worker; more workers than values; parts of unlike size; NaN; many values, many workers."""
    yield np.array([]), 1
    yield np.array([]), 3
    yield np.array([1.5]), 1
    yield np.array([1.0, 20.0]), 2
    yield np.array([1.0, 20.0, 300.0]), 1
    yield np.array([1.0, 20.0, 300.0]), 8
    yield np.array([1.0, 20.0, 300.0, 4000.0, 50000.0]), 2
    yield np.array([1.0, np.nan, 2.0]), 2
    yield np.arange(1000.0), 3
    yield np.arange(100_001.0), 5
    yield np.arange(7.0), 20


def threaded_sum_inputs(st):
    """Quarters, whose sums float64 holds exactly in any order, and a few workers."""
    return st.tuples(_quarters(st), st.integers(1, 12))


EXERCISES = (
    Exercise(
        name="partial_sum",
        reference=partial_sum,
        spec=partial_sum_spec,
        examples=partial_sum_examples,
        inputs=partial_sum_inputs,
        requirements=(
            Compiled(),
            Matches(rtol=1e-12, of="out"),
            LeavesInputsAlone(except_=("out",)),
            InBounds(),
            InAnyOrder(),
            KeepsToItself(),
            ReleasesGIL(partial_sum_calls),
            StaysCompiled(),
        ),
        hints=(
            "The body is a plain loop from start to stop. What in the decorator lets other threads run?",
            "`@njit(nogil=True)`. Add up in a variable, and write to out[index] once, at the end.",
            "`total = 0.0`; `for i in range(start, stop): total += values[i]`; then `out[index] = total`.",
        ),
        explanation=(
            "`nogil=True` releases the GIL when the call begins and takes it back when it ends; between the "
            "two the function touches only memory that it was given. The sum is kept in a variable, so that "
            "`out`, which other threads write to as well, is written to once. `out[index] = "
            "values[start:stop].sum()` is as right."
        ),
    ),
    Exercise(
        name="threaded_sum",
        reference=threaded_sum,
        spec=threaded_sum_spec,
        examples=threaded_sum_examples,
        inputs=threaded_sum_inputs,
        requirements=(
            CallsPartialSum(partial_sum_calls),
            Matches(rtol=1e-12),
            Returns("float64", ndim=0),
            LeavesInputsAlone(),
            KernelInBounds(),
            InThreads(),
            LetsOthersGetOn(),
            RunsEverywhere(),
        ),
        hints=(
            "Which values does worker number k sum, and where does it write? Answer for 10 values and 4 workers.",
            "Worker k sums from `k * n // workers` to `(k + 1) * n // workers`, and writes to `parts[k]`. "
            "No value is lost, and some parts may be empty.",
            "`with ThreadPoolExecutor(workers) as pool: list(pool.map(work, range(workers)))`, where "
            "`work(k)` calls partial_sum. Leaving the `with` waits for all threads.",
            "Before the pool, `partial_sum(values, 0, 0, parts, 0)` has it compiled; after it, `return "
            "parts.sum()`.",
        ),
        explanation=(
            "Each worker has a part of the values and an element of `parts` of its own, so no thread waits "
            "for another, and none overwrites another's result. The bounds `k * n // workers` lose no "
            "value, and are right for more workers than values, too. `list()` around `pool.map` raises here "
            "what was raised in a thread. The empty call before it is the warm-up."
        ),
    ),
)
