"""A requirement on an answer that times a call: what a clock of ours tells it, wherever it got its clock from."""

from __future__ import annotations

import ctypes
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numba import njit, objmode
from numba.core import event

from numba_course.exercises.examination.show import show, show_type
from numba_course.exercises.requirements import Requirement

if TYPE_CHECKING:
    from numba_course.exercises.examination.judge import Run
    from numba_course.exercises.examination.verdict import Finding

CLOCKS = ("time", "perf_counter", "monotonic", "process_time", "thread_time", "clock_gettime")
POINTER = ctypes.sizeof(ctypes.c_void_p)  # as large as a size_t
BUILTIN = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_void_p)  # PyCFunction


@contextmanager
def standing_in(builtin: Callable, stand_in: Callable[[], object]) -> Iterator[None]:
    """Have a builtin function call `stand_in`, whoever calls it, and whichever way it came by the function.

    A clock may be a default argument, in a closure, in a dict, in a partial: there is no name to be replaced. So the
    C function behind it is, in the PyMethodDef to which the builtin points, after the head that each object has.
    """
    definition = ctypes.c_size_t.from_address(id(builtin) + object.__basicsize__)
    function = ctypes.c_size_t.from_address(definition.value + POINTER)  # after the name
    real, ours = function.value, BUILTIN(lambda module, arguments: stand_in())
    function.value = ctypes.cast(ours, ctypes.c_void_p).value or 0
    try:
        yield
    finally:
        function.value = real


class ScriptedClock(event.Listener):
    """All clocks of `time`, in nanoseconds: they move when the compiler has worked, and when they are told.

    Attributes
    ----------
    now, reads, moves : int
        What they show, how often they were read by someone else than the compiler, and how often they were told to
        move.
    """

    COMPILING = 100 * 10**9  # nanoseconds that each work of the compiler takes

    def __init__(self) -> None:
        self.now = self.reads = self.moves = self._compilers = 0

    def on_start(self, event: event.Event) -> None:
        self._compilers += 1

    def on_end(self, event: event.Event) -> None:
        self._compilers -= 1
        self.now += self.COMPILING

    def move(self, nanoseconds: int) -> None:
        """Let some time pass."""
        self.now += nanoseconds
        self.moves += 1

    def nanoseconds(self) -> int:
        """Read the clock."""
        self.reads += not self._compilers
        return self.now

    def seconds(self) -> float:
        """Read the clock in seconds."""
        return self.nanoseconds() / 10**9

    @contextmanager
    def replacing_all(self) -> Iterator[None]:
        """Stand in for the real clocks, which nobody else is to read: Hypothesis would time each garbage collection."""
        with ExitStack() as stack:
            stack.callback(gc.callbacks.extend, list(gc.callbacks))
            stack.callback(gc.callbacks.clear)
            gc.callbacks.clear()
            for name in CLOCKS:
                for clock, ours in ((name, self.seconds), (f"{name}_ns", self.nanoseconds)):
                    if hasattr(time, clock):  # Windows has not all
                        stack.enter_context(standing_in(getattr(time, clock), ours))
            stack.enter_context(event.install_listener("numba:compile", self))
            yield


@dataclass(frozen=True)
class ReturnsSeconds(Requirement):
    """The answer returns a number. Of an exercise whose `call` is `timed`."""

    name = "type of the result"
    status = "wrong"

    def of_run(self, run: Run) -> Finding | None:
        returned = run.result["returned"]
        seen = f"it returned {show_type(returned)} where seconds are asked"
        if returned is None:
            seen = "it returned None; is a `return` missing?"
        return self.finding("" if _is_number(returned) else seen)


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass(frozen=True)
class TimesASteadyCall(Requirement):
    """The answer returns the time of a call in which nothing is compiled.

    Of an exercise whose `call` is `timed`, which says what to look at.
    """

    name = "time of a steady call"
    status = "wrong"

    def of_run(self, run: Run) -> Finding | None:
        before = run.before
        return self.finding(_fault(before["compiled"], before["seconds"], before["args"], **run.result))


def timed(answer: Callable, compiled: bool, seconds: float, args: tuple[Any, ...]) -> dict[str, Any]:
    """Have the answer time a function of ours by a `ScriptedClock`: nothing depends on luck.

    Parameters
    ----------
    answer : callable
    compiled : bool
        Whether the function is one for Numba, which is not compiled yet: its compiler takes a hundred seconds.
    seconds : float
        What a call of the function takes.
    args : tuple
        What it must be called with.

    Returns
    -------
    dict
        What the answer `returned`; how often it read a clock (`reads`) and called the function (`calls`), and how
        often that was `with_others` than `args`.
    """
    clock, received = ScriptedClock(), []
    function = _ticking(clock, round(seconds * 10**9), received, len(args), compiled)
    with clock.replacing_all():
        returned = answer(function, *args)
    others = sum(repr(other) != repr(args) for other in received)
    if isinstance(returned, float):  # a class of its own may compute as it likes; this is its number
        returned = float.__float__(returned)
    return {"returned": returned, "reads": clock.reads, "calls": clock.moves, "with_others": others}


def timed_function(compiled: bool, seconds: float, args: tuple[Any, ...]) -> str:
    """In words, what `timed` has the answer time."""
    kind = "that its first call compiles" if compiled else "in plain Python"
    return f"a function {kind}, {seconds:.6g} seconds a call, called with args={show(args)}"


def _ticking(clock, steady, received, count, compiled):
    """A function whose calls take `steady` nanoseconds of the clock; the first ones note what they receive."""

    def tick(args):
        if len(received) < 100:  # of a million calls, those are enough
            received.append(args)
        clock.move(steady)

    @njit
    def function(*args):
        with objmode():
            tick(args)

    def plain(*args):
        if len(args) != count:
            raise TypeError(f"function() takes {count} arguments, and got {len(args)}")
        tick(args)

    return function if compiled else plain


def _fault(compiled, steady, args, returned, reads, calls, with_others):
    """What is wrong with a measured time, in a sentence; empty if nothing is."""
    if not calls:
        return "it never called the function"
    if with_others:
        return f"it called the function with other arguments than {args!r}"
    if not reads:
        return "it read no clock of `time` or `timeit`: use one of them"
    if not _is_number(returned):  # `ReturnsSeconds` says so
        return ""
    if abs(returned - steady) <= 0.01 * steady:
        return ""
    seen = f"it returned {returned:.6g} where a steady call takes {steady:.6g} seconds"
    times = returned / steady
    if times < 1:
        return seen
    if abs(times - round(times)) < 1e-3:
        return f"{seen}: that is {times:.6g} times as long"
    compiling = ScriptedClock.COMPILING / 10**9
    return (
        f"{seen}: the compiler's time is in it" if compiled and returned > compiling / (2 * calls) else seen
    )
