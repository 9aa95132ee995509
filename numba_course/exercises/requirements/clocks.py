"""Requirements on time: how the work grows, and what an answer that times a call is told by a clock of ours."""

from __future__ import annotations

import time
import timeit
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
from numba import njit, objmode
from numba.core import event

from numba_course.exercises.examination.answer import python_function
from numba_course.exercises.requirements import Requirement
from numba_course.process.sandbox import describe

if TYPE_CHECKING:
    from numba_course.exercises.examination.trial import Trial
    from numba_course.exercises.examination.verdict import Finding

CLOCKS = ("time", "perf_counter", "monotonic", "process_time", "thread_time")


class ScriptedClock(event.Listener):
    """All clocks of `time`, in nanoseconds: they move when the compiler has worked, and when they are told.

    Attributes
    ----------
    now, reads : int
        What they show, and how often they were read by someone else than the compiler.
    """

    COMPILING = 100 * 10**9  # nanoseconds that each work of the compiler takes

    def __init__(self) -> None:
        self.now = self.reads = self._compilers = 0

    def on_start(self, event: event.Event) -> None:
        self._compilers += 1

    def on_end(self, event: event.Event) -> None:
        self._compilers -= 1
        self.now += self.COMPILING

    def nanoseconds(self) -> int:
        """Read the clock."""
        self.reads += not self._compilers
        return self.now

    def seconds(self) -> float:
        """Read the clock in seconds."""
        return self.nanoseconds() / 10**9

    @contextmanager
    def replacing_all(self, function: object) -> Iterator[None]:
        """Stand in for the real clocks in `time`, `timeit` and the globals of `function`."""
        fakes = {getattr(time, name): self.seconds for name in CLOCKS}
        fakes |= {getattr(time, f"{name}_ns"): self.nanoseconds for name in CLOCKS}

        def stand_in(value):
            return fakes.get(value, value) if isinstance(value, types.BuiltinFunctionType) else value

        with ExitStack() as stack:
            for names in (vars(time), vars(timeit), getattr(function, "__globals__", {})):
                new = {name: stand_in(value) for name, value in names.items()}
                stack.enter_context(mock.patch.dict(names, new))
            for timer in (timeit.Timer.__init__, timeit.timeit, timeit.repeat):  # their clock is a default
                defaults = tuple(map(stand_in, timer.__defaults__ or ()))
                stack.enter_context(mock.patch.object(timer, "__defaults__", defaults))
            stack.enter_context(event.install_listener("numba:compile", self))
            yield


@dataclass(frozen=True)
class TimesASteadyCall(Requirement):
    """The answer returns the time of a call in which nothing is compiled.

    It gets a function that is not compiled yet and, instead of the clocks, a `ScriptedClock`: each call of the
    function takes the same time, known to us, and the compiler a hundred seconds. So nothing depends on luck.
    """

    name = "time of a steady call"
    status = "wrong"

    def of_code(self, trial: Trial) -> Finding | None:
        for steady, args in ((2**20, (np.arange(3.0),)), (5 * 2**17, (2, 0.5))):  # about 1.0 and 0.7 ms
            clock, received = ScriptedClock(), []
            function = _ticking(clock, steady, received)
            with clock.replacing_all(python_function(trial.answer)):
                try:
                    result = trial.answer(function, *args)
                except Exception as error:
                    return self.finding(f"with a compiled function it raised {type(error).__name__}: {error}")
            if seen := _fault(result, steady / 10**9, clock.reads, received, args):
                return self.finding(seen)
        return None


def _ticking(clock, steady, received):
    """A compiled function whose calls take `steady` nanoseconds of the clock; the first ones note what they receive."""

    def tick(args):
        if len(received) < 100:  # of a million calls, those are enough
            received.append(args)
        clock.now += steady

    @njit
    def function(*args):
        with objmode():
            tick(args)

    return function


def _fault(result, steady, reads, received, args):
    """What is wrong with a measured time, in a sentence; empty if nothing is."""
    if not received:
        return "it never called the function"
    if any(repr(other) != repr(args) for other in received):
        return f"it called the function with other arguments than {args!r}"
    if not reads:
        return "it did not read a clock: use one of `time`, or `timeit`"
    if not isinstance(result, (int, float)):
        return f"it returned {type(result).__name__} where seconds are asked"
    if abs(result - steady) <= 0.01 * steady:
        return ""
    seen = f"it returned {result:.6g} where a steady call takes {steady:.6g} seconds"
    times = result / steady
    if times < 1:
        return seen
    if abs(times - round(times)) < 1e-3:
        return f"{seen}: that is {times:.6g} times as long"
    return f"{seen}: the compiler's time is in it"


@dataclass(frozen=True)
class WorkStays(Requirement):
    """A call that must not be much more work than another one is not.

    The fastest of several calls each are compared, and only a difference far beyond any noise counts.

    Attributes
    ----------
    calls : callable
        () -> two argument tuples; the second may take at most `factor` times as long as the first.
    what : str
        What grows from the first to the second, such as ``the window``.
    factor : float
    """

    calls: Callable
    what: str
    factor: float = 30.0

    name = "amount of work"

    def of_code(self, trial: Trial) -> Finding | None:
        few, many = ([], [])
        for _ in range(3):
            for times, args in zip((few, many), self.calls(), strict=True):
                start = time.perf_counter()
                try:
                    trial.answer(*args)
                except Exception as error:
                    return self.finding(f"a large call raised {describe(error).kind}: {error}")
                times.append(time.perf_counter() - start)
        if min(many) <= self.factor * min(few):
            return None
        return self.finding(f"its work grows with {self.what}: far more than {self.factor:.0f} times as long")
