"""Which lines of compiled code take the time: a card, with what each line calls and the libraries that are at work.

A child process makes the calls: the signals that take samples would be a risk for a session. To show another fact,
count it in `_tally.tally`, and name it in `Profile`.
"""

from __future__ import annotations

import inspect
import linecache
import math
import os
import tempfile
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path
from types import GeneratorType
from typing import Any

import cloudpickle
from numba import _dynfunc
from numba.core.ccallback import CFunc
from numba.core.dispatcher import Dispatcher

from numba_course.lens import figures, html
from numba_course.lens.compiled.callables import looked_into
from numba_course.lens.compiled.dispatchers import compiled_for
from numba_course.lens.errors import reason, reason_after_kind
from numba_course.lens.profiling import _image, _sampling
from numba_course.lens.profiling._line_tables import lines_kept
from numba_course.lens.profiling._tally import OWN_CODE, tally
from numba_course.process import pickling, sandbox
from numba_course.process.arguments import Copies, pack

GENERATORS = GeneratorType, _dynfunc._Generator  # of Python and of Numba
COMPILING = 120.0  # seconds
LIMIT = 10.0  # seconds that a call may take beyond those that were asked for
PATIENCE = 4  # times these seconds that it takes, where calls sleep or their arguments are copied
BUSY = 3  # times that, where other programs take the processor
ENOUGH = 100  # samples
ASLEEP = 0.02  # of a processor: calls that use less sleep
MEMORY = 3 << 30  # bytes that the child process may use
DISTURBED = "set a handler of SIGPROF, or its timer, itself, so samples are missing"
COPYING = (
    "changes its arguments, and copying them for each call took most of the time: give smaller ones, or profile a "
    "function that makes them and calls it in a loop"
)
FEW = 30  # samples below which next to nothing can be said
SHOWN, LEAST = 25, 0.01  # lines of a card, and the share of the least of them
DRAWN = 12  # lines of a figure
MENTIONED = 0.1  # share of a line's samples from which on it is said what was at work


@dataclass(frozen=True)
class Line:
    """A line of the source and the samples that lay there.

    Attributes
    ----------
    file : str
    line : int
    function : str
        The function that it stands in.
    own : int
        Samples in the line itself: in its machine code, or in code of Numba, NumPy or another library that it called.
    total : int
        Those in lines that it called, too.
    inside : tuple of (str, int)
        What was at work in its own samples: a library such as ``libm.so.6``, a function of Numba, or the empty text
        for the machine code of the line itself; and in how many of them.
    depth : int
        By how many calls it was reached, for a line of `Profile.tree`.
    """

    file: str
    line: int
    function: str
    own: int
    total: int
    inside: tuple[tuple[str, int], ...] = ()
    depth: int = 0

    @property
    def source(self) -> str:
        """Its text; empty where that is not at hand."""
        return linecache.getline(self.file, self.line).strip()


@dataclass(frozen=True, repr=False)
class Profile(html.Shown):
    """What `profile` saw. What varies from run to run is printed inside ``⟨ ⟩``.

    Attributes
    ----------
    name : str
    lines : tuple of Line
        Each line once; that with the most samples of its own first.
    tree : tuple of Line
        The same below the lines that called them: those at the same `Line.depth` by their total.
    samples : int
        How often a thread was found at work on behalf of a line; shares are shares of it.
    waiting : int
        How often one was found in a pool of threads: waiting for others, or fetching its part of a loop.
    elsewhere : int
        How often one was found outside compiled code: in Python, or where arguments are converted.
    threads : int
        How many threads were found at work.
    calls : int
        How many calls were looked at; 0 for a program.
    ended : str
        Empty if the calls returned; else what they did.
    notes : tuple of str
        What is not known, and why.
    """

    name: str
    lines: tuple[Line, ...]
    tree: tuple[Line, ...]
    samples: int
    waiting: int
    elsewhere: int
    threads: int
    calls: int
    ended: str = ""
    notes: tuple[str, ...] = ()
    _title = "profile"

    def share(self, line: int, file: str = "") -> float:
        """The share of the samples that lay in a line itself, from 0 to 1; of any file whose name ends so."""
        own = sum(found.own for found in self.lines if found.line == line and found.file.endswith(file))
        return own / self.samples if self.samples else 0.0

    def _rows(self):
        shown = [found for found in self.tree if found.total >= LEAST * self.samples][:SHOWN]
        if not shown:
            return
        yield "share", "itself", "line", "function", "source", "at work"
        for found in shown:
            yield (
                self._percent(found.total),
                self._percent(found.own),
                str(found.line),
                found.function,
                "\u00a0\u00a0" * found.depth + found.source,
                self._at_work(found),
            )

    def _percent(self, count):
        return f"⟨{100 * count / self.samples:3.0f} %⟩"

    def _at_work(self, found):
        """What else than the line's own machine code was at work, if it was often enough."""
        parts = [
            f"⟨{100 * count / found.own:.0f} %⟩ {what}"
            for what, count in found.inside
            if what != OWN_CODE and count >= MENTIONED * found.own
        ]
        return ", ".join(parts)

    def _lines(self):
        if self.ended:
            yield "warn", f"{self.name} {self.ended}"
        if self.samples:
            calls = f", in ⟨{self.calls}⟩ calls" if self.calls else ""
            margin = 100 / math.sqrt(self.samples)
            yield (
                "plain",
                f"{self.name}: ⟨{self.samples}⟩ samples at work in compiled code{calls}; "
                f"a share is right to about ⟨{margin:.0f}⟩ percent points",
            )
        else:
            yield "info", f"no sample of {self.name} lay in compiled code"
        yield (
            "plain",
            f"not counted: ⟨{self.waiting}⟩ in pools of threads, ⟨{self.elsewhere}⟩ outside compiled code",
        )
        yield from (("info", note) for note in self.notes)

    def figure(self) -> figures.Figure:
        """Draw the share of each of the lines that took the most time themselves.

        Raises
        ------
        ValueError
            If there was no sample in compiled code.
        """
        if not self.lines:
            raise ValueError("there is nothing to draw: no sample lay in compiled code")
        drawn = [found for found in self.lines[:DRAWN] if found.own]
        shares = [100 * found.own / self.samples for found in drawn]
        labels = [f"{found.line}: {found.source[:40]}" for found in drawn]

        def draw(ax):
            ax.barh(range(len(drawn)), shares, color=figures.COLOURS[0])
            ax.set_yticks(range(len(drawn)), labels, family="monospace", fontsize=8)
            ax.set(xlabel="percent of the samples, each line itself", ylim=(len(drawn) - 0.4, -0.6))

        alt = f"Share of the time of the lines of {self.name}, the largest first. "
        alt += f"First: ⟨line {drawn[0].line}, {shares[0]:.0f} %⟩."
        return figures.show(draw, alt, size=(6.4, 1.2 + 0.3 * len(drawn)))


def profile(fn: Callable[..., object], *args: object, seconds: float = 2.0, **named: object) -> Profile:
    """Find the lines of compiled code that take the time of ``fn(*args, **named)``.

    The function is compiled anew and called again and again in a child process. There a timer interrupts whichever
    thread uses up processor time, some 250 times for each second of it where the kernel's clock ticks at 250 Hz. A
    handler notes where the thread is, and the line tables of the machine code tell the line.

    Parameters
    ----------
    fn : callable
        Whatever Numba compiles, or a function in Python that calls it. It is not altered.
    *args, **named
        Of the call. A function that changes its arguments is given copies anew for each call.
    seconds : float
        Of processor time that the calls take together, those of all threads. One call is made at least.

    Returns
    -------
    Profile

    Raises
    ------
    TypeError
        If `fn` is not callable, cannot be sent to another process, does not take `args`, or does not compile for them.
    ValueError
        If `seconds` is not a number above 0.
    RuntimeError
        If there can be no samples on this system, or the call crashed or took too much memory.

    Notes
    -----
    The machine code is compiled with tables of lines, and without any of the other changes of ``debug=True``. What
    was inlined counts for the line in which it stands, and is shown below the line that called it. A call that does
    not end within 10 seconds more is stopped, and what was seen until then is shown.
    """
    if not callable(fn):
        raise TypeError(
            f"lens.profile: fn must be a function, not {type(fn).__name__}; was it called already?"
        )
    if not isinstance(seconds, Real) or not 0 < seconds < math.inf:
        raise ValueError(f"lens.profile: seconds must be a number above 0, not {seconds!r}")
    if why := _sampling.refusal():
        raise RuntimeError(f"lens.profile: {why}")
    fn, args = _called(fn, args, named)
    name = getattr(fn, "__name__", type(fn).__name__)
    if why := _misfit(fn, args, named):
        raise TypeError(f"lens.profile: the arguments do not fit {name}: {why}")
    try:
        sent = pickling.dumps(fn), pack((args, named))
    except Exception as error:
        raise TypeError(f"lens.profile: {name} or its arguments cannot be sent: {error}") from error
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, _image.SAMPLES).touch()
        limit = seconds * PATIENCE + LIMIT
        outcome = sandbox.run(_observe, *sent, folder, seconds, limit, seconds=COMPILING, memory=MEMORY)
        if outcome.ended == "timed out" and outcome.step == "calling":
            ended = f"did not end within {limit:.0f} s and was stopped"
            outcome = sandbox.run(tally, folder)
            if outcome.ended == "returned":
                return profile_of(name, outcome.value, calls=1, ended=ended)
    if outcome.error and outcome.step == "compiling":
        raise TypeError(f"lens.profile: {name} does not compile: {reason(outcome.error)}")
    if outcome.ended != "returned":
        how = reason_after_kind(outcome.error) if outcome.error else outcome.ended
        raise RuntimeError(f"lens.profile: {name} failed in {outcome.step or 'starting'}: {how}")
    seen = outcome.value
    return profile_of(name, seen["tally"], seen["calls"], seen["ended"])


def _called(fn, args, named):
    """What is called, and with what, where that is not `fn` itself: C callbacks, and methods of jitclasses."""
    if isinstance(fn, CFunc) or (inspect.ismethod(fn) and hasattr(fn.__self__, "_numba_type_")):
        into = looked_into(fn, args, named, "lens.profile")
        return into.fn, into.args
    return fn, args


def profile_of(name: str, found: dict[str, Any], calls: int, ended: str = "") -> Profile:
    """The `Profile` of what `tally` has counted."""
    return Profile(
        name=name,
        lines=tuple(Line(*row) for row in found["lines"]),
        tree=tuple(replace(Line(*row[1:]), depth=row[0]) for row in found["tree"]),
        samples=found["computing"],
        waiting=found["waiting"],
        elsewhere=found["elsewhere"],
        threads=found["threads"],
        calls=calls,
        ended=ended,
        notes=tuple(_notes(found)),
    )


def _notes(found):
    samples = found["computing"]
    if 0 < samples < FEW:
        yield "so few samples tell little: give more seconds, or larger arguments"
    if found["unplaced"] > LEAST * samples:
        share = f"⟨{100 * found['unplaced'] / samples:.0f} %⟩"
        yield f"{share} of the samples lay at instructions that LLVM gives no line; they count for one near by"
    if found["broken"] > LEAST * samples:
        share = f"⟨{100 * found['broken'] / samples:.0f} %⟩"
        yield f"of {share} of the samples not all callers are known: they may stand at the top, not below a line"
    for library, count in found["outside"]:
        if count > LEAST * samples:
            yield f"⟨{count}⟩ samples lay in {library}, which has threads of its own: for which line is not known"
    if found["lost"]:
        yield f"⟨{found['lost']}⟩ samples found no room"


# What follows runs in the child process.


def _misfit(fn, args, named):
    """Why the arguments do not fit the parameters; nothing if they do, or it is not known."""
    try:
        signature = inspect.signature(getattr(fn, "py_func", fn))
    except (TypeError, ValueError):  # of what C has made
        return ""
    try:
        signature.bind(*args, **named)
    except TypeError as error:
        return str(error)
    return ""


def _observe(pickled, packed, folder, seconds, limit):
    """Compile, call and sample; yields what it is doing, returns what was seen, as data."""
    yield "preparing", COMPILING
    samples = _sampling.Samples(os.path.join(folder, _image.SAMPLES))
    handler = _sampling.handler_for(samples.address)
    with lines_kept() as compiled:
        yield "compiling", COMPILING
        function = cloudpickle.loads(pickled)
        copies = Copies(packed)
        args, named = copies()
        if isinstance(function, Dispatcher):
            compiled_for(function, args, named)
        run = _Run(function, packed, copies, samples, _image.Record(folder, compiled.objects))
        run.look_again()
        yield "calling", limit
        with _sampling.sampled(samples, handler):
            run.repeat(seconds, args, named)
            was_disturbed = not _sampling.is_in_place(handler)
    yield "reading", COMPILING
    run.look_again()
    return {"tally": tally(folder), "calls": run.calls, "ended": run.ended or DISTURBED * was_disturbed}


class _Run:
    """Calls of a function, of which samples are kept while they run."""

    def __init__(
        self,
        function: Callable[..., Any],
        packed: bytes,
        copies: Copies,
        samples: _sampling.Samples,
        record: _image.Record,
    ) -> None:
        self.function, self.packed, self.copies = function, packed, copies
        self.samples, self.record = samples, record
        self.calls, self.ended = 0, ""

    def look_again(self) -> bool:
        """Have the handler know what was compiled since the last time; whether anything was."""
        is_renewed = self.record.is_renewed()
        self.samples.look_for(self.record.spans)
        return is_renewed

    def repeat(self, seconds: float, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Call it until the calls have taken so much processor time, or one waits for more in vain."""
        start, used = time.monotonic(), self._call(args, named)
        if self.look_again():  # it compiled meanwhile, so it does not count
            start, used = time.monotonic(), 0.0
        is_changed, copying = not _same(self.packed, args, named), 0.0
        while used < self._needed(seconds):
            waited = time.monotonic() - start
            if _in_vain(used, waited, seconds):
                self.ended = self.ended or COPYING * (copying > waited / 2)
                break
            if is_changed:
                before = time.monotonic()
                args, named = self.copies()
                copying += time.monotonic() - before
            used += self._call(args, named)

    def _needed(self, seconds):
        """How much processor time is needed; more where the kernel's clock seldom meets the threads at work."""
        return seconds if self.samples.count >= ENOUGH else BUSY * seconds

    def _call(self, args, named):
        """One call, and the processor time that it took."""
        before = time.process_time()
        self.samples.let_in(True)
        try:
            result = self.function(*args, **named)
            if isinstance(result, GENERATORS):
                deque(result, maxlen=0)
        except Exception as error:
            self.ended = f"raised {reason_after_kind(error)}"
        finally:
            self.samples.let_in(False)
        self.calls += 1
        return time.process_time() - before


def _in_vain(used, waited, seconds):
    """Whether so much processor time must do: it comes slowly, and the machine is not just busy."""
    few = PATIENCE * seconds
    return waited > few and (used < ASLEEP * waited or waited > BUSY * few)


def _same(packed, args, named):
    """Whether a call has left its arguments as they were."""
    try:
        return pack((args, named)) == packed
    except TypeError:
        return False
