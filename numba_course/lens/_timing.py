"""Measure functions in turn, in a child process: compile time apart, equal inputs, equal results."""

from __future__ import annotations

import functools
import gc
import itertools
import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass

import cloudpickle
import numba
import numpy as np
from numba.core import event
from numba.core.errors import NumbaError

from numba_course.lens._arguments import pack, unpack
from numba_course.lens.dispatchers import reason

RUN = 2e-3  # seconds that a run lasts at least: a shorter call is repeated within the run
MEASURE = 1.5  # seconds that all rounds together take, about
ROUNDS = (5, 21)  # fewest and most
COPIES = 8 << 20  # bytes of arguments that are copied ahead for one run
CLOCK = 200  # ticks of the clock that a run must last
COMPILER = "numba:compiler_lock"  # "numba:compile" says nothing of what @vectorize compiles


@dataclass(frozen=True)
class Entry:
    """One function's part in a comparison.

    Attributes
    ----------
    name : str
    seconds : tuple of float
        Time of one call, one value for each round.
    calls : int
        Calls in each run; their total was timed.
    compile_seconds : float or None
        Time the compiler took before the first result; None if nothing was compiled.
    compiled_inside : bool
        Whether the compiler worked inside a timed run.
    too_short : bool
        Whether a run was too short for the clock.
    difference : str
        How the result differs from the first function's; empty if it is equal.
    error : str
        What the function raised, or how it ended; empty if all went well.
    """

    name: str
    seconds: tuple[float, ...] = ()
    calls: int = 0
    compile_seconds: float | None = None
    compiled_inside: bool = False
    too_short: bool = False
    difference: str = ""
    error: str = ""


def measure(jobs, payloads, folder):
    """Measure each function on each set of arguments; for `sandbox.run`.

    Parameters
    ----------
    jobs : list of (str, bytes, int or None)
        Name, pickled function, number of Numba threads.
    payloads : list of bytes
        Packed arguments.
    folder : str
        An empty folder.

    Yields
    ------
    str
        The name of the function at work.

    Returns
    -------
    list of (tuple of Entry, bool)
        For each set of arguments: the entries, and whether each call had its own copy of the arguments.
    """
    numba.config.CACHE_DIR = folder  # what has a disk cache compiles afresh and leaves the user's files alone
    gc.disable()  # as timeit does: a collection would be charged to whoever is running
    loaders = {
        name: functools.cache(functools.partial(cloudpickle.loads, packed)) for name, packed, _ in jobs
    }
    found = []
    for payload in payloads:
        runners = [_Runner(name, loaders[name], threads, payload) for name, _, threads in jobs]
        found.append((yield from _in_turn(runners)))
    return found


def _in_turn(runners):
    """All steps of one comparison, for every function that still works."""
    for runner in runners:
        yield runner.name
        runner.attempt(runner.first)
    copied = any(runner.changes for runner in runners)
    expected = next((runner for runner in runners if not runner.error), None)
    for runner in runners:
        runner.attempt(runner.agree, expected)
    for runner in runners:
        yield runner.name
        runner.attempt(runner.again, copied)
    running = [runner for runner in runners if not runner.error]
    rounds = int(MEASURE / sum(runner.estimate for runner in running)) if running else 0
    for turn in range(min(max(rounds, ROUNDS[0]), ROUNDS[1])):
        start = turn % max(len(running), 1)
        for runner in running[start:] + running[:start]:
            yield runner.name
            runner.attempt(runner.round)
    return tuple(runner.entry() for runner in runners), copied


class _Runner:
    """One function on one set of arguments."""

    def __init__(self, name, load, threads, arguments):
        self.name, self.load, self.threads, self.arguments = name, load, threads, arguments
        self.seconds, self.calls, self.compile_seconds = [], 1, None
        self.changes = self.compiled_inside = False
        self.difference = self.error = ""

    def attempt(self, step, *args):
        """Take a step unless an earlier one failed; note it if this one does."""
        if self.error:
            return
        try:
            with _threads(self.threads):
                step(*args)
        except (Exception, SystemExit) as error:
            fails = "does not compile" if isinstance(error, NumbaError) else "raised"
            self.error = f"{fails}: {reason(error)}"

    def first(self):
        """Load and compile; keep the result and what became of the arguments."""
        self.after = unpack(self.arguments)
        with event.install_recorder(COMPILER) as recorder:
            self.function = self.load()  # an eager dispatcher compiles as it arrives
            self.result = self.function(*self.after)
        self.compile_seconds = _busy(recorder.buffer)
        self.changes = pack(self.after) != pack(unpack(self.arguments))

    def agree(self, expected):
        """Compare the first result, and what became of the arguments, with the expected ones."""
        magnitude = _magnitude(unpack(self.arguments))
        if unlike := difference(expected.result, self.result, magnitude):
            self.difference = f"gives another result than {expected.name!r}: {unlike}"
        elif self.changes != expected.changes:
            does, other = ("changes", "does not") if self.changes else ("does not change", "does")
            self.difference = f"{does} its arguments, {expected.name!r} {other}"
        elif self.changes and (unlike := difference(expected.after, self.after)):
            self.difference = f"leaves other arguments than {expected.name!r}: {unlike}"

    def again(self, copied):
        """A second call must repeat the first; then find how many calls make a run."""
        args = unpack(self.arguments)
        start = time.perf_counter()
        result = self.function(*args)
        self.estimate = time.perf_counter() - start
        if unlike := difference(self.result, result, _magnitude(args)):
            self.difference = f"gives another result at the second call: {unlike}"
        self.result = self.after = None
        self.shared = None if copied else args
        limit = max(1, min(1_000, COPIES // len(self.arguments))) if copied else 10_000
        if self.estimate < 10 * RUN:
            while self.calls < limit and min(self.run(), self.run()) < RUN:
                self.calls = min(limit, 4 * self.calls)
            self.estimate = self.run()

    def round(self):
        """One timed run."""
        with event.install_recorder(COMPILER) as recorder:
            seconds = self.run()
        self.compiled_inside |= bool(recorder.buffer)
        self.seconds.append(seconds / self.calls)

    def run(self):
        """Seconds that the calls of one run take."""
        if self.shared is not None:
            inputs = [self.shared] * self.calls
        else:
            inputs = [unpack(self.arguments) for _ in range(self.calls)]
        function = self.function
        start = time.perf_counter()
        for args in inputs:
            function(*args)
        return time.perf_counter() - start

    def entry(self):
        """What was found."""
        run = statistics.median(self.seconds) * self.calls if self.seconds else 0.0
        return Entry(
            self.name,
            tuple(self.seconds),
            self.calls,
            self.compile_seconds,
            self.compiled_inside,
            bool(self.seconds) and run < CLOCK * _tick(),
            self.difference,
            self.error,
        )


@contextmanager
def _threads(count):
    """Run on `count` threads, if a number is given, and restore the number after."""
    if count is None:
        yield
        return
    before = numba.get_num_threads()
    numba.set_num_threads(count)
    try:
        yield
    finally:
        numba.set_num_threads(before)


def _busy(buffer):
    """Seconds between the outermost starts and ends of recorded events; None if there are none."""
    total, depth, start = 0.0, 0, 0.0
    for moment, what in buffer:
        if what.is_start:
            start = start if depth else moment
            depth += 1
        else:
            depth -= 1
            total += 0.0 if depth else moment - start
    return total if buffer else None


def _tick():
    """The smallest step of the clock that can be seen from here, in seconds."""
    moments = [time.perf_counter() for _ in range(1_000)]
    return statistics.median(b - a for a, b in itertools.pairwise(moments) if b > a)


def _magnitude(args):
    """Sum of the magnitudes of all floats in the arguments: the rounding error of a sum is relative to it."""
    arrays = [np.asarray(arg) for arg in args if isinstance(arg, (float, np.ndarray, np.inexact))]
    return float(sum(np.abs(a[np.isfinite(a)]).sum() for a in arrays if a.dtype.kind in "fc"))


def difference(expected, found, magnitude=0.0):
    """What is different in `found`, in a phrase; empty if the two agree."""
    expected, found = _plain(expected), _plain(found)
    if isinstance(expected, tuple) and isinstance(found, tuple) and len(expected) == len(found):
        texts = (difference(*pair, magnitude) for pair in zip(expected, found, strict=True))
        return next((f"item {i}: {text}" for i, text in enumerate(texts) if text), "")
    a, b = (np.asarray(x, dtype=object if isinstance(x, tuple) else None) for x in (expected, found))
    if a.shape != b.shape or a.dtype.kind != b.dtype.kind:
        return f"{_kind(found)}, not {_kind(expected)}"
    equal = _agree(a, b, magnitude)
    if np.all(equal):
        return ""
    where = np.unravel_index(np.argmin(equal), a.shape) if a.ndim else ()
    place = f" at [{', '.join(map(str, where))}]" if where else ""
    return f"⟨{b[where]}{place}, not {a[where]}⟩"


def _plain(value):
    """A tuple for what has parts of different kinds or shapes, else an array."""
    if value is None or isinstance(value, tuple):
        return value
    try:
        return np.asarray(value)
    except ValueError:
        return tuple(value)


def _kind(value):
    """In words, what sort of result this is."""
    if value is None:
        return "None"
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    return f"{value.dtype} of shape {value.shape}" if value.ndim else f"one {value.dtype}"


def _agree(a, b, magnitude):
    """Where two arrays of one shape and kind agree."""
    if a.dtype.kind not in "fc":
        return np.asarray((a == b) | ((a != a) & (b != b)), dtype=bool)
    eps = max(np.finfo(a.dtype).eps, np.finfo(b.dtype).eps)
    finite = np.abs(a[np.isfinite(a)])
    reach = np.sqrt(eps) * finite.max(initial=0.0) + (8 * eps * magnitude if a.ndim == 0 else 0.0)
    return np.isclose(b, a, rtol=np.sqrt(eps), atol=reach, equal_nan=True)
