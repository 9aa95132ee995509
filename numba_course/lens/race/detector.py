"""Find the races of parallel loops: elements that two iterations touch, at least one of them writing.

A racy program often gives the right result, and most often on the machine at hand. So nothing is timed or run in
parallel here: the function is interpreted, one iteration after the other, and what the iterations touch is
compared. The verdict is the same on any number of cores.
"""

from __future__ import annotations

import inspect
import linecache
import os
import warnings
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numba
from numba import types
from numba.core.dispatcher import Dispatcher

from numba_course.lens import figures, html
from numba_course.lens.compiled.callables import unwrapped
from numba_course.lens.compiled.changes import changes
from numba_course.lens.compiled.dispatchers import check_dispatcher, is_parallel, options_of_call, rebuilt
from numba_course.lens.errors import reason, reason_after_kind
from numba_course.lens.race._instances import for_compiling, for_interpreting, taken_apart
from numba_course.lens.race._interpreter import Run
from numba_course.lens.race._memory import PLACES, READ, WRITE, parting
from numba_course.lens.race._parfors import STENCIL
from numba_course.lens.race._reductions import Facts, settle
from numba_course.lens.race._regions import iterations_of
from numba_course.process import sandbox
from numba_course.process.arguments import pack, unpack

THREADS = 4  # simulated
SHOWN = 8  # conflicts that are kept
DRAWN = 16  # elements, and iterations, that fit into a figure
SECONDS = 60.0
DATA = types.Number, types.Boolean, types.Array  # types of arguments that are compiled for once
Settled: TypeAlias = dict[tuple[types.Type, ...], tuple[Dispatcher, Facts]]
OUR_BUG = (
    "our bug: the race detector failed on line {line} with {error}. "
    "Please report that sentence with the function and the types of its arguments to the makers of numba_course"
)


@dataclass(frozen=True)
class Conflict:
    """Two accesses that nothing orders.

    Attributes
    ----------
    array : str
        The array, container or variable, as the source calls it.
    element : tuple or None
        Index of the element; None for a variable, or for a container as a whole.
    iterations : tuple
        Value of the loop's index in the first and in the second iteration. The second is None if the access
        comes after the loop.
    kinds : tuple of str
        What each did: ``write`` or ``read``.
    lines : tuple of int
        Line of each access.
    files : tuple of str
        File of each access.
    statement : bool
        Whether the loop is one that Numba made of a statement on whole arrays. Its iterations are the elements.
    same_value : bool
        Whether all that was written there is one and the same value, which nobody else read meanwhile.
    home : str
        File of the function that was looked at: lines of other files are told with the file.
    """

    array: str
    element: tuple[Any, ...] | None
    iterations: tuple[Any, ...]
    kinds: tuple[str, str]
    lines: tuple[int, int]
    files: tuple[str, str] = field(repr=False, compare=False)
    statement: bool = False
    same_value: bool = False
    home: str = field(default="", repr=False, compare=False)

    @property
    def sources(self) -> tuple[str, ...]:
        """Text of each line; empty where the source is not at hand."""
        return tuple(linecache.getline(f, n).strip() for f, n in zip(self.files, self.lines, strict=True))

    @property
    def line(self) -> int:
        """Line of the write."""
        return self.lines[self.kinds.index(WRITE)]

    @property
    def source(self) -> str:
        """Text of that line."""
        return self.sources[self.kinds.index(WRITE)]

    @property
    def what(self) -> str:
        """The element as the source would write it, such as ``counts[3]``."""
        return self.array + (f"[{', '.join(map(repr, self.element))}]" if self.element else "")

    def sentence(self) -> str:
        """What was seen, in one line."""
        made = ": Numba runs the elements of this statement in parallel" if self.statement else ""
        same = ": the same value for this input, so none is lost, but it is a race" if self.same_value else ""
        return self._accesses() + same + made

    def _accesses(self):
        what, (i, j) = self.what, self.iterations
        writer = self.kinds.index(WRITE)
        write, other = self._where(writer), self._where(1 - writer)
        if j is None:
            return (
                f"{what} is read after the loop {other}, but each iteration has its own {what}: "
                f"the value that iteration {i} writes {write} may be lost"
            )
        if self.kinds == (WRITE, WRITE):
            if write == other:
                return f"iterations {i} and {j} both write {what} {write}"
            return f"iteration {i} writes {what} {write}, and iteration {j} writes it, too {other}"
        seen = "" if write == other else f" {other}"
        reader = self.iterations[1 - writer]
        return (
            f"iteration {reader} reads {what}{seen}, which iteration {self.iterations[writer]} writes {write}"
        )

    def _where(self, n):
        file, text = self.files[n], self.sources[n]
        is_elsewhere = (
            self.home and file != self.home and os.path.exists(file)
        )  # cells of a notebook are no files
        place = (
            f"line {self.lines[n]} of {os.path.basename(file)}" if is_elsewhere else f"line {self.lines[n]}"
        )
        return f"({place}: {text})" if text else f"({place})"


@dataclass(frozen=True)
class Touch:
    """That an iteration touched an element, which may be in conflict.

    The `kind` is ``read``, ``write`` or ``read and write``.
    """

    array: str
    element: tuple[Any, ...] | None
    iteration: Any
    kind: str
    conflict: bool = False


@dataclass(frozen=True)
class Races:
    """What `races` found.

    Attributes
    ----------
    verdict : str
        ``race``, ``none found`` (for this input) or ``not checked``.
    conflicts : tuple of Conflict
        The clearest ones: two writes first, then the earliest iterations.
    total : int
        Number of elements and variables in conflict.
    places : tuple of Conflict
        All pairs of lines that are in conflict over an array or variable, the first conflict of each.
    reason : str
        Why it was not checked; beside a race, why it was not looked at to the end.
    nothing_parallel : bool
        Whether it was not checked because no loop ran two iterations in parallel.
    loops : tuple of (int, int)
        Line and number of iterations of each parallel loop that ran.
    serial : tuple of int
        Lines of prange loops that ran and that Numba did not make parallel.
    harmless : tuple of (str, int)
        What else Numba runs in parallel, and its line (0 if Numba does not note it): it writes new memory only.
    remarks : tuple of str
        What is no race, but makes results differ from run to run; and which globals have another value now than in
        what the process had compiled: what is looked at has the values of now.
    touches : tuple of Touch
        Who touched what, for the figure.
    """

    verdict: str
    conflicts: tuple[Conflict, ...] = ()
    total: int = 0
    places: tuple[Conflict, ...] = field(default=(), repr=False)
    reason: str = ""
    nothing_parallel: bool = False
    loops: tuple[tuple[int, int], ...] = ()
    serial: tuple[int, ...] = ()
    harmless: tuple[tuple[str, int], ...] = ()
    remarks: tuple[str, ...] = ()
    touches: tuple[Touch, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        if self.verdict != "race":
            lines = [f"{self.verdict}{': ' if self.reason else ' '}{self._explanation()}"]
        else:
            lines = [f"race: {conflict.sentence()}" for conflict in self.conflicts]
            lines += [f"and {self.total - len(lines)} more"] if self.total > len(lines) else []
        return "\n".join(lines + [f"remark: {remark}" for remark in self.remarks])

    def _repr_html_(self):
        remarks = "".join(f"<p>Remark: {html.escape(remark)}</p>" for remark in self.remarks)
        if self.verdict != "race":
            tone = "good" if self.verdict == "none found" and not remarks else "warn"
            return html.card(self.verdict, tone, f"<p>{html.escape(self._explanation())}</p>{remarks}")
        rows = [
            [
                html.code(c.what),
                html.escape(str(i)) if i is not None else "after the loop",
                kind,
                str(line),
                html.code(source),
            ]
            for c in self.conflicts
            for i, kind, line, source in zip(c.iterations, c.kinds, c.lines, c.sources, strict=True)
        ]
        body = html.table(("element", "iteration", "access", "line", "source"), rows)
        more = (
            f"<p>and {self.total - len(self.conflicts)} more</p>" if self.total > len(self.conflicts) else ""
        )
        first = f"<p>{html.escape(self.conflicts[0].sentence())}</p>"
        return html.card("race", "bad", first + body + more + remarks)

    def _explanation(self):
        if self.reason:
            return self.reason
        seen = [iterations_of(line, count) for line, count in self.loops]
        found = f"in {' and '.join(seen)}, none touches what another one writes" if seen else ""
        places = [f"{what}{f' of line {line}' if line else ''}" for what, line in self.harmless]
        may_have_out = any(what == STENCIL for what, _ in self.harmless)
        written = "no array there that it reads" if may_have_out else "nothing but new arrays there"
        alone = f"Numba runs {' and '.join(places)} in parallel, and writes {written}"
        serial = (
            f"Numba did not make the prange loop on line {self.serial[0]} parallel" if self.serial else ""
        )
        parts = found or (alone if places else ""), serial
        return f"for this input: {'; '.join(part for part in parts if part)}"

    def figure(self) -> figures.Figure:
        """Draw which iteration touches which element of one array: the one in conflict, or the one most touched.

        Elements in conflict come first, and are shaded.

        Returns
        -------
        figures.Figure

        Raises
        ------
        ValueError
            If nothing was touched in a parallel loop.
        """
        if not self.touches:
            raise ValueError("there is nothing to draw: no element was touched in a parallel loop")
        elements = list(dict.fromkeys(touch.element for touch in self.touches))
        iterations = sorted({touch.iteration for touch in self.touches})
        name = self.touches[0].array
        clash = next((c for c in self.conflicts if c.array == name and c.element in elements), None)
        conflicting = {touch.element for touch in self.touches if touch.conflict}
        alt = f"Who touches what in {name}: {len(iterations)} iterations across, {len(elements)} elements down. "
        alt += f"In conflict: {clash.sentence()}." if clash else "No element is in conflict."

        def draw(ax):
            for touch in self.touches:
                x, y = iterations.index(touch.iteration), elements.index(touch.element)
                if WRITE in touch.kind:
                    ax.plot(x, y, "s", color="#c23b50", markersize=7)
                if READ in touch.kind:
                    ax.plot(x, y, "o", color="#2d70b3", markersize=12, fillstyle="none", markeredgewidth=1.5)
            for element in conflicting:
                y = elements.index(element)
                ax.axhspan(y - 0.45, y + 0.45, color="#946600", alpha=0.25)
            ax.set_xticks(range(len(iterations)), [str(i) for i in iterations])
            ax.set_yticks(range(len(elements)), [_row(name, e, e in conflicting) for e in elements])
            ax.set_ylim(len(elements) - 0.4, -0.6)
            ax.set_xlim(-0.6, len(iterations) - 0.4)
            ax.set_xlabel("iteration")
            ax.set_title("filled square: writes    open circle: reads", fontsize=9)

        return figures.show(draw, alt, size=(6.4, 1.4 + 0.28 * len(elements)))


def _row(name, element, in_conflict):
    """Label of an element's row; one in conflict is marked."""
    label = f"{name}[{', '.join(map(repr, element))}]" if element else name
    return f"conflict → {label}" if in_conflict else label


def races(fn: Any, /, *args: object, **named: object) -> Races:
    """Find elements that two iterations of a parallel loop touch, at least one of them writing.

    The function is interpreted in a child process, one iteration at a time, for these arguments: a "race" is
    certain, "none found" holds for this input. Parallel is what Numba made so: loops over `prange`, and statements
    on whole arrays, whose iterations are the elements. Where something parallel is not looked into, or an
    instruction is not understood, the verdict is "not checked", with the reason.

    Parameters
    ----------
    fn : callable
        A function decorated with ``@njit(parallel=True)``, a `functools.partial` of one, or a bound method. It is
        not altered.
    *args, **named
        Positional and keyword arguments of a small call that uses every part of `fn`: some thousand elements at
        most. They are not changed.

    Returns
    -------
    Races

    Raises
    ------
    TypeError
        If `fn` is not compiled in nopython mode, or the arguments are none that it can be compiled for.

    Notes
    -----
    Takes about as long as compiling `fn`, and a microsecond or so for each instruction of Numba's IR. Elements are
    told apart by their address, so views and overlapping arguments are seen through. Reductions that Numba
    recognises are no conflict. Of loops that Numba merged into one, no barrier lies between the parts.
    """
    return examined(*checked(fn, args, named))


def examined(fn: Dispatcher, args: tuple[Any, ...], named: dict[str, Any]) -> Races:
    """The same as `races`, for what `checked` returned.

    Raises
    ------
    TypeError
        As `races`.
    """
    kinds: list[Any] = []
    try:
        packed = pack(taken_apart((args, named), kinds))
        options = options_of_call(fn, args, named)
        outcome = sandbox.run(_examine, fn, kinds, packed, options, {}, seconds=SECONDS)
    except TypeError as error:
        return _not_checked(str(error))
    if outcome.ended == "returned" and isinstance(outcome.value, Races):
        return replace(outcome.value, remarks=outcome.value.remarks + changes(fn))
    if outcome.ended == "raised" and outcome.error.kind == "TypeError":
        raise TypeError(outcome.error.message)
    what = f"raised {outcome.error.kind}" if outcome.error else outcome.ended.replace("returned", "lied")
    return _not_checked(f"the child process {what} while {outcome.step or 'starting'}")


def detect(
    fn: Any, args: tuple[Any, ...], named: dict[str, Any] | None = None, settled: Settled | None = None
) -> Races:
    """The same as `races`, in this process, which may be a child already.

    Parameters
    ----------
    fn : callable
        It is not altered, but dispatchers among `args` are compiled.
    args : tuple
    named : dict, optional
        Keyword arguments.
    settled : dict, optional
        What earlier calls of the same function compiled, by the types of their arguments; it gains what this one
        compiles.

    Returns
    -------
    Races

    Raises
    ------
    TypeError
        As `races`.
    """
    fn, args, named = checked(fn, args, named or {})
    kinds: list[Any] = []
    try:
        packed = pack(taken_apart((args, named), kinds))
        options = options_of_call(fn, args, named)
        steps = _examine(fn, kinds, packed, options, {} if settled is None else settled)
    except TypeError as error:
        return _not_checked(str(error))
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return replace(stop.value, remarks=stop.value.remarks + changes(fn))


def checked(
    fn: Any, args: tuple[Any, ...], named: dict[str, Any], instrument: str = "lens.races"
) -> tuple[Dispatcher, tuple[Any, ...], dict[str, Any]]:
    """The compiled function in `fn` and what it is called with.

    Raises
    ------
    TypeError
        If it is not a call of a compiled function.
    """
    fn, args, named = unwrapped(fn, args, named)
    check_dispatcher(fn, instrument)
    try:
        inspect.signature(fn.py_func).bind(*args, **named)
    except TypeError as error:
        raise TypeError(f"{instrument}: the arguments do not fit {fn.__name__}: {error}") from None
    for name, arg in [*enumerate(args, start=1), *named.items()]:
        try:
            numba.typeof(arg)
        except ValueError:
            known = f"argument {name} is of type {type(arg).__name__!r}, which Numba does not know"
            raise TypeError(f"{instrument}: {known}") from None
    return fn, args, named


def _examine(fn, kinds, packed, options, settled):
    """Compile and interpret; yields what it is doing, returns `Races`.

    The kinds are those of `taken_apart`, the options those of `options_of_call`.
    """
    yield "compiling"
    with warnings.catch_warnings(action="ignore"):
        args, named = for_compiling(unpack(packed), kinds)
        alike = None if named or kinds else tuple(map(numba.typeof, args))
        copy, facts = settled.get(alike) or (rebuilt(fn, **options), None)
        try:
            facts = facts or settle(copy, args, named)
        except Exception as error:
            if isinstance(error, TypeError) and not fn._can_compile:
                raise  # it was compiled for other types, for good
            return _not_checked(f"Numba does not compile it: {reason(error)}")
    if facts.kinds == alike and all(isinstance(kind, DATA) for kind in alike):
        settled[alike] = copy, facts
    runs, threads = [], THREADS
    while True:
        yield "interpreting"
        run = Run(threads, len(runs), {copy: facts if is_parallel(copy) else None})
        try:
            why = run.attempt(copy, *for_interpreting(unpack(packed, as_plain=True), kinds))
        except Exception as error:  # nothing that the function does: that is told in words
            return _not_checked(OUR_BUG.format(error=reason_after_kind(error), line=run.memory.place.line))
        most = max((region.count for region in run.regions), default=0)
        if why and run.asked and threads > numba.get_num_threads():
            runs, threads = [], numba.get_num_threads()  # the caller may have sized a buffer for so many
            continue
        runs.append(run)
        if why or not run.asked or threads == 1 or threads ** len(runs) >= most:
            break
    if run.asked and threads == 1 and not why:
        why = "it asks for the number of its thread, and there is only one"
    return _judged(fn, runs, why)


def _judged(fn, runs, why):
    """The verdict on all runs of a function; `why` is what stopped the last one, if anything."""
    found = {}
    for run in runs:
        for (store, key), collision in run.memory.collisions.items():
            known = found.get((store.number, key))
            if known is None or collision.order() < known[0].order():
                found[store.number, key] = collision, run, store, key
    clearest = sorted(found.values(), key=lambda entry: entry[0].order())[:SHOWN]
    run = clearest[0][1] if clearest else runs[-1]
    common = {
        "loops": tuple(dict.fromkeys((region.place.line, region.count) for region in run.regions)),
        "serial": tuple(dict.fromkeys(run.serial)),
        "harmless": tuple(dict.fromkeys(run.harmless)),
        "remarks": tuple(dict.fromkeys(run.remarks)),
        "touches": _touches(run, clearest),
    }
    if clearest:
        total = len(set().union(*(r.memory.hits for r in runs)))
        home = fn.py_func.__code__.co_filename
        shown = tuple(replace(_conflict(*entry), home=home) for entry in clearest)
        places = tuple(replace(place, home=home) for place in _places(runs))
        return Races("race", shown, total, places, _unfinished(why, runs), **common)
    if why or run.unseen:
        return _not_checked(why or run.unseen[0])
    most = max((count for _, count in common["loops"]), default=0)
    if most > 1 or (common["harmless"] and not common["loops"]):
        return Races("none found", **common)
    if common["loops"]:
        why = "no parallel loop ran more than one iteration for this input"
    elif run.serial:
        why = f"Numba did not make the prange loop on line {run.serial[0]} parallel"
        why += "; break, return, raise, assert, try and literal_unroll in a loop do that, "
        why += "and so does parallel={'prange': False}"
    elif not is_parallel(fn):
        why = "it is compiled without parallel=True, so prange is range"
    else:
        why = "nothing of it runs in parallel for this input"
    return Races("not checked", reason=why, nothing_parallel=True)


def _not_checked(why):
    return Races("not checked", reason=why)


def _unfinished(why, runs):
    """Why there may be more conflicts, on other lines than those that are known; empty if there are none."""
    if any(len(run.memory.places) > PLACES for run in runs):
        why = why or f"there are more than {PLACES} pairs of lines in conflict"
    return why or next((unseen for run in runs for unseen in run.unseen), "")


def _places(runs):
    """One conflict of each pair of lines over the same array or variable; of the same value, if all there are."""
    found = {}
    for run in runs:
        for place in run.memory.places.values():
            conflict = replace(_conflict(place.first[0], run, *place.first[1:]), same_value=not place.differs)
            key = conflict.array, conflict.files, conflict.lines, conflict.kinds
            if key not in found or (found[key].same_value and not conflict.same_value):
                found[key] = conflict
    return tuple(found.values())


def _conflict(collision, run, store, key):
    accesses = [run.memory.accesses[number] for number in collision[:2]]
    steps = parting(accesses[0].path, accesses[1].path)
    if steps is None or steps[0].loop != steps[1].loop:
        iterations = accesses[0].path[-1].iteration, None
    else:
        iterations = steps[0].iteration, steps[1].iteration
    name, element = store.describe(key)
    lines, files = zip(*((access.line, access.file) for access in accesses), strict=True)
    statement = bool(steps) and steps[0].loop in run.statements
    same = collision.kinds == (WRITE, WRITE) and (store.number, key) not in run.memory.differing
    return Conflict(name, element, iterations, collision.kinds, lines, files, statement, same)


def _touches(run, clearest):
    """Who touched the array of the clearest conflict, or else the one most written, in one run of a loop."""
    seen = run.memory.seen
    clearest = [entry for entry in clearest if entry[2].describe(entry[3])[1] is not None]
    if clearest:
        collision, _, store, _ = clearest[0]
        steps = parting(*(run.memory.accesses[number].path for number in collision[:2]))
        loop, least = steps[0].loop, [step.iteration for step in steps]
    else:
        places = Counter((s, loop) for (s, _, loop, _), kinds in seen.items() if WRITE in kinds and s.names)
        if not places:
            return ()
        (store, loop), least = places.most_common(1)[0][0], []
    here = {(key, i): kinds for (s, key, run_of, i), kinds in seen.items() if (s, run_of) == (store, loop)}
    clash = {k for number, k in run.memory.hits if number == store.number}
    elements = sorted({k for k, _ in here}, key=lambda k: (k not in clash, k is not None, k))[:DRAWN]
    iterations = sorted({i for _, i in here}, key=lambda i: (i not in least, i))[:DRAWN]
    drawn = [(key, i, kinds) for (key, i), kinds in here.items() if key in elements and i in iterations]
    drawn.sort(key=lambda entry: (entry[0] is not None, *entry[:2]))
    return tuple(
        Touch(*store.describe(key), i, " and ".join(sorted(kinds)), key in clash) for key, i, kinds in drawn
    )
