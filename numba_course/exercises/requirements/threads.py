"""Requirements on threads that share a sum: that they run at the same time, and what each of them does."""

from __future__ import annotations

import sys
import threading
import time
import types
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit, prange
from numba.core.dispatcher import Dispatcher

from numba_course.exercises.examination.answer import is_stub, python_function
from numba_course.exercises.examination.trial import OURS
from numba_course.exercises.requirements import Requirement
from numba_course.exercises.requirements.accesses import races_of
from numba_course.exercises.requirements.calls import ask, unless_raised
from numba_course.exercises.requirements.kernels import CALL, kernels_called_by, kernels_of
from numba_course.exercises.requirements.results import difference
from numba_course.lens.compiled.dispatchers import compiled_for, is_parallel
from numba_course.lens.errors import reason
from numba_course.lens.interpreter_lock import others_get_on

if TYPE_CHECKING:
    from numba_course.exercises.examination.trial import Trial
    from numba_course.exercises.examination.verdict import Finding


def _partial_sum_of(trial):
    """What the answer finds under the name ``partial_sum``; None if there is nothing."""
    function = python_function(trial.answer)
    return function and function.__globals__.get("partial_sum")


@dataclass(frozen=True)
class CallsPartialSum(Requirement):
    """The answer is plain Python, and the `partial_sum` that it calls is compiled.

    Attributes
    ----------
    calls : callable
        () -> iterable of argument tuples, with the first of which `partial_sum` must compile.
    """

    calls: Callable

    name = "compiled"
    status = "not compiled"

    def of_code(self, trial: Trial) -> Finding | None:
        if isinstance(trial.answer, Dispatcher):
            advice = "leave the decorator to `partial_sum`, and start threads in plain Python"
            return self.finding(f"threaded_sum itself is compiled; {advice}")
        kernel = _partial_sum_of(trial)
        if kernel is None:
            return self.finding("there is no `partial_sum`: write it first, it is the exercise before")
        if is_stub(kernel):
            return self.finding("its `partial_sum` is still empty: write it first")
        if not isinstance(kernel, Dispatcher):
            return self.finding("its `partial_sum` is plain Python; decorate it with @njit(nogil=True)")
        try:
            compiled_for(kernel, next(iter(self.calls())))
        except Exception as error:
            return self.finding(f"its `partial_sum` cannot be compiled: {reason(error)}")
        return None


@dataclass(frozen=True)
class KeepsToItself(Requirement):
    """Calls for different elements of `out` at the same time do not meet: neither writes what the other touches.

    The race detector looks at them as at two iterations of a parallel loop.
    """

    name = "nothing else in out"
    status = "wrong"
    apart = True

    def of_code(self, trial: Trial) -> Finding | None:
        if not isinstance(trial.answer, Dispatcher):
            return None
        part = trial.answer

        @njit(parallel=True)
        def together(values, out):
            for k in prange(out.size):
                part(values, k, k + 1, out, k)

        races = next(races_of(together, [(np.arange(3.0), np.zeros(3))]))
        if races.verdict != "race":
            return None
        conflict = races.conflicts[0]
        seen = f"called for each element of `out` at once, {conflict.sentence()}"
        return self.finding(seen, "", conflict.line, conflict.source, repr(races))


TURN = 0.01  # seconds of sleep; on a busy machine, where other threads begin late, one wakes up late as well
PATIENCE = 300  # turns that a call waits for one from another thread; spent only where none comes
LINGER = 5  # turns that the calls stay together, so that an answer that does not wait for them is seen
STEPS, STEP = 100, 0.001  # of each thread after its call, and seconds that it sleeps before each
PARAMETERS = "(values, start, stop, out, index)"
MARK = 2.0**30  # added to each part of the sum, to see whether the result is made of them


@dataclass(frozen=True, eq=False)
class Call:
    """A call ``partial_sum(values, start, stop, out, index)``; `out` is kept, so its memory is not used again."""

    thread: int
    summed: np.ndarray
    out: np.ndarray
    index: int

    @property
    def element(self) -> int:
        """The address that it writes to."""
        return self.out.ctypes.data + self.index * self.out.strides[0]


class Meeting:
    """Makes calls of `partial_sum` from `wanted` threads wait for each other, and notes what each of them does.

    So it is no matter of luck whether parts are summed at the same time: a call goes on when enough others are
    there, or when none has come for some seconds. Nor is it one whether threads meet in what they do with their
    parts: they come back together, and then take turns after each step. Small calls of the thread that made the
    meeting go through unnoticed: they may be there to have `partial_sum` compiled. So do calls of other functions.
    """

    def __init__(self, partial_sum: Dispatcher, size: int, wanted: int) -> None:
        self.partial_sum = partial_sum
        self.small, self.wanted, self.owner = size // (2 * wanted), wanted, threading.get_ident()
        self.calls, self.running, self.most = [], [], 0
        self.alone, self.clash, self.strange = False, False, ""
        self.changed = threading.Condition()

    def call(self, kernel: Dispatcher, *args: Any, **named: Any) -> Any:
        """Make the call ``kernel(*args, **named)``, in company."""
        if kernel is not self.partial_sum:
            return CALL(kernel, *args, **named)
        try:
            values, start, stop, out, index = kernel._compiler.pysig.bind(*args, **named).args
        except (TypeError, ValueError):
            self.strange = f"it calls `{kernel.__name__}` otherwise than as partial_sum{PARAMETERS}"
            return CALL(kernel, *args, **named)
        try:
            summed = np.array(values[int(start) : int(stop)])  # compiled code takes floats for bounds, too
            noted = Call(threading.get_ident(), summed, out.view(), int(index))
        except (TypeError, ValueError, AttributeError):  # such as of an `out` that is a list
            given = ", ".join(type(value).__name__ for value in (values, start, stop, out, index))
            self.strange = (
                f"it calls `{kernel.__name__}` with ({given}) where {PARAMETERS} are two arrays and int"
            )
            return CALL(kernel, *args, **named)
        if noted.thread == self.owner and noted.summed.size < self.small:
            return CALL(kernel, *args, **named)
        with self._together(noted):
            result = CALL(kernel, *args, **named)
            out[index] += MARK
        if noted.thread != self.owner and len(self.calls) <= 2 * self.wanted:
            self._come_back_together()
            take_turns(sys._getframe(1))
        return result

    def _come_back_together(self):
        with self.changed:
            self.changed.wait_for(lambda: not self.running, LINGER * TURN)

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
                self.changed.notify_all()

    def _met(self):
        """Wait until enough calls are there, or one of them has lost its patience; whether that was another one."""
        return any(
            self.changed.wait_for(lambda: self.alone or self.most >= self.wanted, TURN)
            for _ in range(PATIENCE)
        )


def take_turns(frame: types.FrameType | None) -> None:
    """Have this thread let the others run after each step of its next ones, in Python code that is not ours.

    A read and a write of the same variable are then parted, as they may be in any program with threads.
    """
    left = STEPS

    def step(frame, event, arg):
        nonlocal left
        frame.f_trace_opcodes = True
        left -= 1
        if left < 0:
            sys.settrace(None)
            return None
        time.sleep(STEP)
        return step

    while frame is not None:
        if not frame.f_code.co_filename.startswith(OURS):
            frame.f_trace, frame.f_trace_opcodes = step, True
        frame = frame.f_back
    sys.settrace(lambda frame, event, arg: None if frame.f_code.co_filename.startswith(OURS) else step)


@dataclass(frozen=True)
class InThreads(Requirement):
    """So many threads sum parts at the same time: each value once, each part a fair one with a place of its own.

    Attributes
    ----------
    tries : tuple of (int, int)
        Numbers of values and of workers.
    """

    tries: tuple[tuple[int, int], ...] = ((3000, 3), (20_000, 5))

    name = "in threads"

    @unless_raised
    def of_code(self, trial: Trial) -> Finding | None:
        kernel = _partial_sum_of(trial)
        if isinstance(kernel, Dispatcher) and is_parallel(kernel):
            seen = "`partial_sum` has parallel=True, and two calls at once end the process on the workqueue layer"
            return self.finding(seen)
        for size, workers in self.tries:
            example = f"{size} values, workers={workers}"
            if seen := self._seen(trial, size, workers, example):
                return self.finding(seen, example)
        return None

    def _seen(self, trial, size, workers, example):
        """What is wrong with a call, in a sentence; empty if nothing is."""
        values = np.random.default_rng(0).permutation(size) + 1.0
        meeting = Meeting(_partial_sum_of(trial), size, workers)
        with kernels_called_by(meeting.call):
            where = f"threaded_sum(values, workers) where its threads run at the same time, {example}"
            result = ask(trial, where, trial.answer, values, workers)
            left = len(meeting.running)
        if fault := self._fault(meeting, left, size, workers):
            return fault
        made = values.sum() + MARK * len(meeting.calls)
        is_made = not difference(result, made, 1e-12, "the result")
        return (
            ""
            if is_made
            else "where its threads take turns, the result is not the sum of what `partial_sum` wrote"
        )

    def _fault(self, meeting, left, size, workers):
        """What is wrong with the calls, in a sentence; empty if nothing is."""
        calls, fair = meeting.calls, size // workers
        if meeting.strange:
            return meeting.strange
        if meeting.most < workers:
            return f"at most {meeting.most} at a time called `partial_sum`, where {workers} threads are asked"
        if left:
            return "it returned before its threads had ended"
        if meeting.clash:
            return "two threads write their parts of the sum to the same element of `out`"
        summed = np.concatenate([call.summed for call in calls])
        if summed.size != size or np.unique(summed).size != size:
            times = summed.size / size
            return f"each value must be summed once: the calls of `partial_sum` sum {times:.3g} times as many"
        largest = max(call.summed.size for call in calls)
        if largest > 2 * fair:
            return f"one call sums {largest} of the {size} values, where a fair share is {fair}"
        if len(calls) > size / 10:
            return f"it makes {len(calls)} calls, each of which needs the GIL: give a call more values"
        return ""


@dataclass(frozen=True)
class LetsOthersGetOn(Requirement):
    """Another Python thread makes progress while the compiled function runs that the answer calls; it is counted."""

    size: int = 1 << 16

    name = "other threads get on"

    def of_code(self, trial: Trial) -> Finding | None:
        values, out = np.ones(self.size), np.zeros(1)
        for kernel in kernels_of(trial, [(np.ones(3), 1)]):
            try:
                kernel(values, 0, 1, out, 0)
            except BaseException:  # a function of another kind; `InThreads` has said so
                continue
            found = others_get_on(partial(kernel, values, 0, values.size, out, 0))
            if found is None:
                seen = f"whether other Python threads get on while `{kernel.__name__}` runs could not be found out"
                return self.finding(f"{seen}; does it call Python inside?")
            if not found:
                seen = f"other Python threads stand still while `{kernel.__name__}` runs: it holds the GIL"
                return self.finding(f"{seen}; nogil=True releases it")
        return None
