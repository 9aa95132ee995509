"""Measure functions in turn: how turns are taken and what a run is; `measure` does so in a child process."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any

import cloudpickle
import numba
import numpy as np
from numba.core import event

from numba_course.lens.results import Incomparable, disagreement
from numba_course.process.arguments import Copies, pack, unpack

RUN = 3e-4  # seconds that a run lasts at least: a shorter call is repeated within the run. Not longer than needed:
# beside other work a process has the processor for a few milliseconds at a time, and no longer run is undisturbed
SHORT = 2e-5  # seconds: a run below that is too short; the coarsest clock, that of Windows, steps by 1e-7
MEASURE = 1.5  # seconds that all rounds together take, about
ROUNDS = (5, 101)  # fewest and most
COPIES = 8 << 20  # bytes of arguments that are copied ahead for one run
COMPILER = "numba:compiler_lock"  # "numba:compile" says nothing of what @vectorize compiles


@dataclass(frozen=True)
class Candidate:
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
    difference : str
        How the result differs from the first function's, or why it cannot be compared; empty if it is equal.
    rounding : str
        What is taken as equal only because a sum of the arguments may be rounded by as much; empty if nothing is.
    """

    name: str
    seconds: tuple[float, ...]
    calls: int = 1
    compile_seconds: float | None = None
    compiled_inside: bool = False
    difference: str = ""
    rounding: str = ""

    @property
    def too_short(self) -> bool:
        """Whether the runs were too short for the clock."""
        return float(np.median(self.seconds)) * self.calls < SHORT


def rotated(items: list[Any], turn: int) -> list[Any]:
    """The items of a list, in each turn beginning with another one."""
    start = turn % len(items)
    return items[start:] + items[:start]


def calls_for(seconds: float, run: Callable[[int], float], most: int = sys.maxsize) -> int:
    """How many calls, at most `most`, make a run of so many seconds; ``run(calls)`` tells what so many take."""
    calls = 1
    while calls < most and min(run(calls), run(calls)) < seconds:
        calls = min(most, 4 * calls)
    return calls


def measure(
    jobs: Iterable[tuple[str, bytes, int | None]], cases: Iterable[bytes], folder: str, effort: int = 1
) -> Generator[str, None, list[tuple[tuple[Candidate, ...], bool]]]:
    """For each of the cases, the entries and whether each call had its own copy of it; for `sandbox.run`.

    A case is a packed pair of arguments and keyword arguments. A job is a name, a pickled function and a number
    of Numba threads or None. With more `effort` there are that many times as many rounds.
    """
    numba.config.CACHE_DIR = folder  # what has a disk cache compiles afresh and leaves the user's files alone
    gc.disable()  # as timeit does: a collection would be charged to whoever is running
    runners = [_Runner(*job) for job in jobs]
    found = []
    for case in cases:
        found.append((yield from _in_turn(runners, case, effort)))
    return found


def _in_turn(runners, case, effort):
    """First calls, second calls, then the rounds, each starting with another function."""
    for runner in runners:
        yield runner.begin()
        runner.first(case)
    copied = any(runner.changes for runner in runners)
    for runner in runners:
        yield runner.begin()
        runner.agree(runners[0])
    for runner in runners:
        yield runner.begin()
        runner.again(copied)
    rounds = int(MEASURE / sum(runner.estimate for runner in runners))
    for turn in range(effort * min(max(rounds, ROUNDS[0]), ROUNDS[1])):
        for runner in rotated(runners, turn):
            yield runner.begin()
            runner.round()
    return tuple(runner.entry() for runner in runners), copied


class _Runner:
    """One function, on one set of arguments after the other."""

    def __init__(self, name, pickled, threads):
        self.name, self.pickled, self.threads, self.function = name, pickled, threads, None

    def begin(self):
        """Set the number of threads it is to run on; its name, to be reported as progress."""
        if self.threads:
            numba.set_num_threads(self.threads)
        return self.name

    def first(self, case):
        """Load and compile; keep the result and what became of the arguments."""
        self.case, self.copies = case, Copies(case)
        args, named = self.after = self.copies()
        self.seconds, self.calls, self.compiled_inside = [], 1, False
        self.difference = self.rounding = ""
        with event.install_listener(COMPILER, event.TimingListener()) as compiler:
            if self.function is None:
                self.function = cloudpickle.loads(self.pickled)  # an eager dispatcher compiles as it arrives
            self.result = self.function(*args, **named)
        self.compile_seconds = compiler.duration if compiler.done else None
        self.changes = pack(self.after) != pack(unpack(case))

    def agree(self, first):
        """Compare the result, and the arguments if they were changed, with the first function's."""
        self._compare(f"gives another result than {first.name!r}", self.result, first.result)
        if not self.difference and (self.changes or first.changes):
            self._compare(
                f"leaves other arguments than {first.name!r}", self.after, first.after, _left_otherwise
            )

    def _compare(self, unlike, found, expected, by=disagreement):
        """Keep how what was found differs, if it does, after the words for that; by less than rounding, or more."""
        try:
            if apart := by(found, expected):
                if more := by(found, expected, _terms(unpack(self.case))):
                    self.difference = f"{unlike}: {more}"
                else:
                    self.rounding = f"{unlike}: {apart}"
        except Incomparable as error:
            self.difference = f"gives a result that cannot be compared: {error}"

    def again(self, copied):
        """A second call must repeat the first; then find how many calls make a run."""
        args, named = case = self.copies()
        start = time.perf_counter()
        result = self.function(*args, **named)
        self.estimate = time.perf_counter() - start
        if not self.difference:
            self._compare("gives another result at the second call", result, self.result)
        self.result = self.after = None
        self.shared = None if copied else case
        most = max(1, min(1_000, COPIES // len(self.case))) if copied else 10_000
        if self.estimate < 10 * RUN:
            self.calls = calls_for(RUN, self.run, most)
            self.estimate = self.run(self.calls)

    def round(self):
        """One timed run."""
        with event.install_listener(COMPILER, event.TimingListener()) as compiler:
            self.seconds.append(self.run(self.calls) / self.calls)
        self.compiled_inside |= compiler.done

    def run(self, calls):
        """Seconds that so many calls take."""
        inputs = [self.copies() if self.shared is None else self.shared for _ in range(calls)]
        function, positional = self.function, [args for args, named in inputs if not named]
        start = time.perf_counter()
        for args in positional:
            function(*args)
        if not positional:  # apart, as empty keyword arguments take time, too
            for args, named in inputs:
                function(*args, **named)
        return time.perf_counter() - start

    def entry(self):
        measured = self.calls, self.compile_seconds, self.compiled_inside, self.difference, self.rounding
        return Candidate(self.name, tuple(self.seconds), *measured)


def _left_otherwise(after, expected, terms=0.0):
    """Where arguments or keyword arguments differ from others; empty if nowhere."""
    (args, named), (others, others_named) = after, expected
    phrases = ((f"{name}: ", disagreement(named[name], others_named[name], terms)) for name in named)
    return next(
        (name + unlike for name, unlike in (("", disagreement(args, others, terms)), *phrases) if unlike), ""
    )


def _terms(case):
    """Sum of the magnitudes of all floats in the arguments."""
    args, named = case
    arrays = [
        np.asarray(arg)
        for arg in (*args, *named.values())
        if isinstance(arg, (float, np.ndarray, np.inexact))
    ]
    return float(sum(np.abs(a[np.isfinite(a)]).sum() for a in arrays if a.dtype.kind in "fc"))
