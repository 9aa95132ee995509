"""Chapter 08, nogil: a part of a sum that lets go of the GIL, and threads that share the sum."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from numba import njit
from numba.core.dispatcher import Dispatcher

from numba_course.exercises.answers import is_stub, python_function
from numba_course.exercises.code_requirements import ReleasesGIL
from numba_course.exercises.exercise import Exercise
from numba_course.exercises.kernel_requirements import CALL, KernelInBounds, kernels_called_by, kernels_of
from numba_course.exercises.requirements import (
    Compiled,
    InBounds,
    LeavesInputsAlone,
    Matches,
    Requirement,
    Returns,
)
from numba_course.exercises.verdict import Finding
from numba_course.lens.dispatchers import compiled_for, reason
from numba_course.lens.gil import others_get_on

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
    """No value; an empty part; one value; the first, a middle and the last part; many values."""
    yield np.array([]), 0, 0, np.full(1, np.nan), 0
    yield np.array([1.0, 2.0]), 1, 1, np.full(2, np.nan), 1
    yield np.array([3.5]), 0, 1, np.full(1, np.nan), 0
    for start, stop in ((0, 2), (1, 3), (2, 4), (0, 4)):
        yield np.array([1.0, 20.0, 300.0, 4000.0]), start, stop, np.full(3, np.nan), 1
    yield np.arange(1000.0), 250, 750, np.full(4, np.nan), 3


def partial_sum_inputs():
    """Quarters, whose sums float64 holds exactly in any order; any part, any place for its sum."""
    from hypothesis import strategies as st

    @st.composite
    def inputs(draw):
        values = draw(st.lists(st.integers(-4000, 4000).map(lambda k: k / 4), max_size=10))
        start = draw(st.integers(0, len(values)))
        stop = draw(st.integers(start, len(values)))
        size = draw(st.integers(1, 4))
        return (
            np.array(values, np.float64),
            start,
            stop,
            np.full(size, np.nan),
            draw(st.integers(0, size - 1)),
        )

    return inputs()


def partial_sum_calls():
    """One call: all of them have the same types."""
    yield np.arange(8.0), 0, 8, np.zeros(1), 0


@dataclass(frozen=True)
class RunsWithoutGIL(ReleasesGIL):
    """The GIL is released during the call, and not taken back inside to call Python."""

    def of_machine_code(self, code):
        if not code.releases_gil:
            return "it holds the GIL: without nogil=True, other Python threads stand still meanwhile", None
        if code.python_calls:
            return "it releases the GIL, and takes it back inside, to call Python", None
        return None


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
    """No value; one; as many as workers; one worker; more workers than values; parts of unlike size; many values."""
    yield np.array([]), 1
    yield np.array([]), 3
    yield np.array([1.5]), 1
    yield np.array([1.0, 20.0]), 2
    yield np.array([1.0, 20.0, 300.0]), 1
    yield np.array([1.0, 20.0, 300.0]), 8
    yield np.array([1.0, 20.0, 300.0, 4000.0, 50000.0]), 2
    yield np.arange(1000.0), 3


def threaded_sum_inputs():
    """Quarters, whose sums float64 holds exactly in any order, and a few workers."""
    from hypothesis import strategies as st

    quarters = st.lists(st.integers(-4000, 4000).map(lambda k: k / 4), max_size=10)
    return st.tuples(quarters.map(lambda values: np.array(values, np.float64)), st.integers(1, 6))


def _partial_sum_of(trial):
    """What the answer finds under the name ``partial_sum``; None if there is nothing."""
    function = python_function(trial.answer)
    return function and function.__globals__.get("partial_sum")


@dataclass(frozen=True)
class CallsCompiled(Requirement):
    """The answer is plain Python, and the `partial_sum` that it calls is compiled."""

    name: ClassVar[str] = "compiled"
    status: ClassVar[str] = "not compiled"

    def of_code(self, trial):
        if isinstance(trial.answer, Dispatcher):
            advice = "leave the decorator to `partial_sum`, and start threads in plain Python"
            return Finding(self.name, f"threaded_sum itself is compiled; {advice}")
        kernel = _partial_sum_of(trial)
        if kernel is None:
            return Finding(self.name, "there is no `partial_sum`: write it first, it is the exercise before")
        if is_stub(kernel):
            return Finding(self.name, "its `partial_sum` is still empty: write it first")
        if not isinstance(kernel, Dispatcher):
            return Finding(self.name, "its `partial_sum` is plain Python; decorate it with @njit(nogil=True)")
        try:
            compiled_for(kernel, next(partial_sum_calls()))
        except Exception as error:
            return Finding(self.name, f"its `partial_sum` cannot be compiled: {reason(error)}")
        return None


TURN = 0.01  # seconds of sleep; on a busy machine, where other threads begin late, one wakes up late as well
PATIENCE = 300  # turns that a call waits for one from another thread; spent only where none comes
LINGER = 5  # turns that the calls stay together, so that an answer that does not wait for them is seen
MARK = 2.0**30  # added to each part of the sum, to see whether the result is made of them


@dataclass(frozen=True, eq=False)
class Call:
    """A call ``partial_sum(values, start, stop, out, index)``; `out` is kept, so its memory is not used again."""

    thread: int
    summed: np.ndarray
    out: np.ndarray
    index: int

    @property
    def element(self):
        """The address that it writes to."""
        return self.out.ctypes.data + self.index * self.out.strides[0]


class Meeting:
    """Makes calls of `partial_sum` from `wanted` threads wait for each other, and notes what each of them does.

    So it is no matter of luck whether parts are summed at the same time: a call goes on when enough others are
    there, or when none has come for some seconds. Small calls of the thread that made the meeting go through
    unnoticed: they may be there to have `partial_sum` compiled.
    """

    def __init__(self, size, wanted):
        self.small, self.wanted, self.owner = size // (2 * wanted), wanted, threading.get_ident()
        self.calls, self.running, self.most = [], [], 0
        self.alone, self.clash, self.strange = False, False, ""
        self.changed = threading.Condition()

    def call(self, kernel, *args, **named):
        """Make the call ``kernel(*args, **named)``, in company."""
        try:
            values, start, stop, out, index = kernel._compiler.pysig.bind(*args, **named).args
            noted = Call(threading.get_ident(), np.array(values[start:stop]), out.view(), int(index))
        except (TypeError, ValueError, AttributeError):  # also where `out` is a list
            self.strange = self.strange or kernel.__name__
            return CALL(kernel, *args, **named)
        if noted.thread == self.owner and noted.summed.size < self.small:
            return CALL(kernel, *args, **named)
        with self._together(noted):
            result = CALL(kernel, *args, **named)
            out[index] += MARK
            return result

    @contextmanager
    def _together(self, noted):
        """Wait until enough calls are there; count this one for as long as it lasts."""
        with self.changed:
            self.clash = self.clash or any(noted.element == other.element for other in self.running)
            self.calls.append(noted)
            self.running.append(noted)
            self.most = max(self.most, len(self.running))
            self.changed.notify_all()
            self.alone = self.alone or not self._met()
            early = len(self.calls) <= self.wanted
        try:
            for _ in range(LINGER * early):
                time.sleep(TURN)
            yield
        finally:
            with self.changed:
                self.running.remove(noted)

    def _met(self):
        """Wait until enough calls are there, or one of them has lost its patience; whether that was another one."""
        return any(
            self.changed.wait_for(lambda: self.alone or self.most >= self.wanted, TURN)
            for _ in range(PATIENCE)
        )


@dataclass(frozen=True)
class InThreads(Requirement):
    """So many threads sum parts at the same time: each value once, each part a fair one with a place of its own."""

    size: int = 3000
    workers: int = 3

    name: ClassVar[str] = "in threads"

    def of_code(self, trial):
        kernel = _partial_sum_of(trial)
        if isinstance(kernel, Dispatcher) and kernel.targetoptions.get("parallel"):
            seen = "`partial_sum` has parallel=True, and two calls at once end the process on the workqueue layer"
            return Finding(self.name, seen)
        values = np.random.default_rng(0).permutation(self.size) + 1.0
        meeting = Meeting(self.size, self.workers)
        try:
            with kernels_called_by(meeting.call):
                result = trial.answer(values, self.workers)
                left = len(meeting.running)
        except Exception as error:
            seen = f"where its threads run at the same time it raised {type(error).__name__}: {error}"
            return Finding(self.name, seen)
        seen = self._fault(meeting, left) or _not_made_of_parts(result, meeting.calls, values)
        return Finding(self.name, seen, f"{self.size} values, workers={self.workers}") if seen else None

    def _fault(self, meeting, left):
        """What is wrong with the calls, in a sentence; empty if nothing is."""
        calls, fair = meeting.calls, self.size // self.workers
        if meeting.strange:
            return (
                f"it calls `{meeting.strange}` otherwise than as partial_sum(values, start, stop, out, index)"
            )
        if meeting.most < self.workers:
            return f"at most {meeting.most} at a time called `partial_sum`, where {self.workers} threads are asked"
        if left:
            return "it returned before its threads had ended"
        if meeting.clash:
            return "two threads write their parts of the sum to the same element of `out`"
        summed = np.concatenate([call.summed for call in calls])
        if summed.size != self.size or np.unique(summed).size != self.size:
            times = summed.size / self.size
            return f"each value must be summed once: the calls of `partial_sum` sum {times:.3g} times as many"
        largest = max(call.summed.size for call in calls)
        if largest > 2 * fair:
            return f"one call sums {largest} of the {self.size} values, where a fair share is {fair}"
        if len(calls) > self.size / 10:
            return f"it makes {len(calls)} calls, each of which needs the GIL: give a call more values"
        return ""


def _not_made_of_parts(result, calls, values):
    """Whether the result is something else than the sum of what `partial_sum` wrote, in a sentence."""
    if result == values.sum() + MARK * len(calls):
        return ""
    return "the result is not the sum of what `partial_sum` wrote"


@dataclass(frozen=True)
class LetsOthersGetOn(Requirement):
    """Another Python thread makes progress while the compiled function runs that the answer calls; it is counted."""

    size: int = 1 << 16

    name: ClassVar[str] = "other threads get on"

    def of_code(self, trial):
        values, out = np.ones(self.size), np.zeros(1)
        for kernel in kernels_of(trial, [(np.ones(3), 1)]):
            try:
                kernel(values, 0, 1, out, 0)
            except Exception:  # a function of another kind; `InThreads` has said so
                continue
            found = others_get_on(partial(kernel, values, 0, values.size, out, 0))
            if found is None:
                seen = f"whether other Python threads get on while `{kernel.__name__}` runs could not be found out"
                return Finding(self.name, f"{seen}; does it call Python inside?")
            if not found:
                seen = f"other Python threads stand still while `{kernel.__name__}` runs: it holds the GIL"
                return Finding(self.name, f"{seen}; nogil=True releases it")
        return None


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
            RunsWithoutGIL(partial_sum_calls),
        ),
        hints=(
            "The body is a plain loop from start to stop. What in the decorator lets other threads run?",
            "@njit(nogil=True). Add up in a variable, and write to out[index] once, at the end.",
            "total = 0.0; for i in range(start, stop): total += values[i]; then out[index] = total.",
        ),
        explanation=(
            "nogil=True releases the GIL when the call begins and takes it back when it ends; between the two the "
            "function touches only memory that it was given. The sum is kept in a variable, so that `out`, which "
            "other threads write to as well, is written to once. out[index] = values[start:stop].sum() is as right."
        ),
    ),
    Exercise(
        name="threaded_sum",
        reference=threaded_sum,
        spec=threaded_sum_spec,
        examples=threaded_sum_examples,
        inputs=threaded_sum_inputs,
        requirements=(
            CallsCompiled(),
            Matches(rtol=1e-12),
            Returns("float64", ndim=0),
            LeavesInputsAlone(),
            KernelInBounds(),
            InThreads(),
            LetsOthersGetOn(),
        ),
        hints=(
            "Which values does worker number k sum, and where does it write? Answer for 10 values and 4 workers.",
            "Worker k sums from k * n // workers to (k + 1) * n // workers, and writes to parts[k]. No value is lost, "
            "and some parts may be empty.",
            "with ThreadPoolExecutor(workers) as pool: list(pool.map(work, range(workers))), where work(k) calls "
            "partial_sum. Leaving the `with` waits for all threads.",
            "Before the pool, partial_sum(values, 0, 0, parts, 0) has it compiled; after it, return parts.sum().",
        ),
        explanation=(
            "Each worker has a part of the values and an element of `parts` of its own, so no thread waits for "
            "another, and none overwrites another's result. The bounds k * n // workers lose no value, and are right "
            "for more workers than values, too. list() around pool.map raises here what was raised in a thread. "
            "The empty call before it is the warm-up."
        ),
    ),
)
