"""Real calls of a parallel function beside the verdict on its races: do they fail, crash, hang or differ?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from numba_course.lens import html
from numba_course.lens.compiled.dispatchers import options_of_call
from numba_course.lens.race import _calling
from numba_course.lens.race._calling import DIFFERS, FAILS, KINDS, ROUNDS, Tally, call_often
from numba_course.lens.race._instances import taken_apart
from numba_course.lens.race.detector import Races, checked, examined
from numba_course.process import sandbox
from numba_course.process.arguments import pack

CRASHES, HANGS, OUT_OF_MEMORY = "crashes", "hangs", "runs out of memory"
ENDS = {"crashed": CRASHES, "timed out": HANGS, "out of memory": OUT_OF_MEMORY}
SAME, NOT_COMPARED, NOT_TRIED = "the same", "not compared", "not tried"
TONES = {SAME: "good", ROUNDS: "info", NOT_COMPARED: "info", NOT_TRIED: "warn"}  # the others are "bad"


@dataclass(frozen=True)
class Calls:
    """What came of the calls on one number of threads.

    Attributes
    ----------
    threads, calls : int
    counts : dict of str to int
        How many of the calls did what the serial function does not: ``fails`` (raised another exception, or none),
        ``differs`` (gave another result, or left other arguments), ``differs by rounding`` (no more than the order of
        a sum may change).
    results : int
        How many different results they gave.
    example : str
        The first call of the worst kind, in words.
    ended : str
        ``crashes``, ``hangs`` or ``runs out of memory`` if the last call did not end; else empty.
    compared : bool
        Whether results were compared.
    """

    threads: int
    calls: int
    counts: dict[str, int]
    results: int
    example: str = ""
    ended: str = ""
    compared: bool = True

    @property
    def outcome(self) -> str:
        """The worst of them; see `Runs.outcome`."""
        well = SAME if self.compared else NOT_COMPARED
        return self.ended or next((kind for kind in KINDS if self.counts.get(kind)), well)

    def sentence(self) -> str:
        """What was seen, in one line."""
        on = f"on {self.threads} thread{'s' if self.threads > 1 else ''}"
        if self.ended:
            limit = f"did not end within {_calling.ONE_CALL:.0f} s" if self.ended == HANGS else self.ended
            return f"{on}: call ⟨{self.calls}⟩ {limit}"
        if self.outcome in (SAME, NOT_COMPARED):
            return f"{on}: ⟨{self.calls}⟩ calls, {'no difference' if self.compared else 'none failed'}"
        verb = "fail" if self.outcome == FAILS else "differ"
        more = " by no more than rounding may" if self.outcome == ROUNDS else ""
        if self.outcome == DIFFERS and self.results > 1:
            more = f", in ⟨{self.results}⟩ different results"
        return f"{on}: ⟨{self.counts[self.outcome]} of {self.calls}⟩ calls {verb}{more}: {self.example}"


@dataclass(frozen=True, repr=False)
class Runs(html.Shown):
    """What `runs` found.

    Attributes
    ----------
    races : Races
        What `races` finds: it looks at every order, and does not depend on these calls.
    calls : tuple of Calls
        One for each number of threads that was tried.
    reason : str
        Why nothing was called; else empty.
    remarks : tuple of str
        What was not tried, or not compared.
    """

    races: Races
    calls: tuple[Calls, ...] = ()
    reason: str = ""
    remarks: tuple[str, ...] = ()

    _title = "real calls beside the verdict on races"

    @property
    def outcome(self) -> str:
        """The worst of all calls.

        ``crashes``, ``hangs``, ``runs out of memory``, ``fails``, ``differs``, ``differs by rounding``, ``the same``,
        ``not compared`` or ``not tried``.
        """
        found = {calls.outcome for calls in self.calls}
        return next(
            (kind for kind in (*ENDS.values(), *KINDS, SAME, NOT_COMPARED) if kind in found), NOT_TRIED
        )

    def _lines(self):
        verdict, *more = repr(self.races).splitlines()
        tones = {"race": "bad", "none found": "good"}
        yield tones.get(self.races.verdict, "warn"), f"races: {verdict}"
        yield from (("warn", line) for line in more if line.startswith("remark: "))
        for calls in self.calls:
            yield TONES.get(calls.outcome, "bad"), calls.sentence()
        if self.reason:
            yield "warn", f"not tried: {self.reason}"
        yield from (("info", remark) for remark in (*self.remarks, *self._compared()))

    def _compared(self):
        """What the verdict on races and the calls have to do with each other, where they seem not to agree."""
        if self.races.verdict == "race" and self.outcome in (SAME, ROUNDS):
            yield "these calls do not show the race; the verdict, which looks at every order, stands"
        if self.races.verdict == "none found" and self.outcome not in TONES:
            yield "no race was found for this input: the cause may be another one"


def runs(fn: Any, /, *args: object, **named: object) -> Runs:
    """Look for races, then call the function for real, in parallel, and hold each call against serial ones.

    The serial function is the same Python function, compiled with the same options but ``parallel=False``. Each call
    is made in a child process and gets copies of the arguments of its own. Some calls are made on one thread and the
    others on as many as Numba has there, and on two if it has more: 30 at most, and none begins later than 10 s after
    the first. A call that fails, crashes, hangs, or differs is reported beside the verdict on races, which it does not
    change: that all calls come out well proves nothing about races.

    Parameters
    ----------
    fn : callable
        As for `races`.
    *args, **named
        Positional and keyword arguments of a call; of a small one, threads may be done before others begin.

    Returns
    -------
    Runs

    Raises
    ------
    TypeError
        As `races`.

    Notes
    -----
    Takes as long as `races`, compiling twice, and the calls. Results, and the arguments as a call leaves them, are
    compared as numbers, text and containers of these. They differ by rounding if floats are off by no more than the
    largest one beside them times the machine epsilon times 16 plus the number of elements of the arguments.
    """
    fn, args, named = checked(fn, args, named, "lens.runs")
    races = examined(fn, args, named)
    if races.nothing_parallel:
        return Runs(races, reason="nothing of it runs in parallel for this input")
    try:
        kinds: list[Any] = []
        taken_apart((args, named), kinds)
        if kinds:
            return Runs(races, reason="instances of jitclasses and structrefs cannot be copied for each call")
        options = options_of_call(fn, args, named)
        outcome = sandbox.run(call_often, fn, options, pack((args, named)), seconds=_calling.COMPILING)
    except TypeError as error:  # it, or an argument, cannot be sent
        return Runs(races, reason=str(error))
    return _with_calls(races, outcome)


def _with_calls(races, outcome):
    """The verdict, and what came of the calls."""
    if outcome.ended == "returned" and isinstance(outcome.value, dict):
        found = outcome.value
        return Runs(
            races,
            tuple(map(_calls, found["tallies"])),
            found["reason"],
            (*found["remarks"], *_uncompared(found["tallies"])),
        )
    if outcome.step.startswith("["):  # in the middle of a parallel call
        tallies = [Tally(**tally) for tally in json.loads(outcome.step)]
        last = _calls(tallies[-1], ENDS.get(outcome.ended, CRASHES))
        return Runs(races, (*map(_calls, tallies[:-1]), last), remarks=_uncompared(tallies))
    what = f"raised {outcome.error.kind}" if outcome.error else outcome.ended
    return Runs(races, reason=f"the child process {what} while {outcome.step or 'starting'}")


def _calls(tally, ended=""):
    worst = next((tally.examples[kind] for kind in KINDS if kind in tally.examples), "")
    return Calls(tally.threads, tally.calls, tally.counts, len(tally.results), worst, ended, tally.compared)


def _uncompared(tallies):
    """A remark, where no results could be compared."""
    if all(tally.compared for tally in tallies):
        return ()
    return ("results were not compared: the serial function gave another one at its second call",)
