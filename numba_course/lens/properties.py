"""What can be asked of a call of a compiled function: race-free, packed, so many allocations, the GIL, its cache.

Each answer is a `Finding`: it holds, it is broken, it was not checked, or it does not concern this function. The
assertions, the pytest plugin and the command ask here, so that all mean the same by a word.
"""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from typing import Any

from numba.core.caching import NullCache
from numba.core.dispatcher import Dispatcher
from numba.np.ufunc.ufuncbuilder import UFuncDispatcher

from numba_course.lens.compiled.dispatchers import is_seen_to_be_serial
from numba_course.lens.compiled.machine_code import GROWS, MachineCode, machine_code
from numba_course.lens.disk_cache import Cache, cache
from numba_course.lens.interpreter_lock import Gil, gil
from numba_course.lens.race.detector import Conflict, Races, races

HOLDS, BROKEN, NOT_CHECKED, NOT_CONCERNED = "holds", "broken", "not checked", "does not concern it"
LESS = ("scalar", "partly packed")  # than packed: states of a loop, the worst first
KINDS = ("two writes", "read and write", "same value")  # of conflicts, as allowances name them


@dataclass(frozen=True)
class Finding:
    """What became of a property of a call.

    Attributes
    ----------
    verdict : str
        ``holds``, ``broken``, ``not checked`` or ``does not concern it``.
    sentence : str
        What was seen, or why it was not checked, after the name of the function.
    card : object
        What the instrument returned; its text and its card say more. None if there is none.
    """

    verdict: str
    sentence: str
    card: Any = None


class NotChecked(Exception):
    """That a property could not be checked; its message says why."""


class Call:
    """A function and the arguments of a call, and what the instruments see of it, each of which is asked once.

    Parameters
    ----------
    fn : object
        Whatever the instruments take.
    args : tuple
    named : dict, optional
        Keyword arguments.
    """

    def __init__(self, fn: Any, args: tuple[Any, ...] = (), named: Mapping[str, Any] | None = None) -> None:
        self.fn = fn
        self.args, self.named = by_position(fn, args, named or {})
        self._answers: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """The name of the function, as its instruments say it."""
        return getattr(self.fn, "__name__", type(self.fn).__name__)

    @property
    def races(self) -> Races:
        """What `lens.races` says of it."""
        return self._once("lens.races", lambda: races(self.fn, *self.args, **self.named))

    @property
    def machine_code(self) -> MachineCode:
        """What `lens.machine_code` says of it."""
        return self._once("lens.machine_code", lambda: machine_code(self.fn, *self.args, **self.named))

    @property
    def gil(self) -> Gil:
        """What `lens.gil` says of it."""
        fn = partial(self.fn, **self.named) if self.named else self.fn
        return self._once("gil", lambda: gil(fn, *self.args))

    @property
    def cache(self) -> Cache:
        """What `lens.cache` says of the function."""
        return self._once("cache", lambda: cache(self.fn))

    @property
    def cards(self) -> tuple[Any, ...]:
        """What the instruments that were asked have answered, but that it is not parallel."""
        answers = [one for one in self._answers.values() if not isinstance(one, NotChecked)]
        return tuple(one for one in answers if not getattr(one, "nothing_parallel", False))

    def with_machine_code(self, found: MachineCode) -> Call:
        """The same, of which the machine code was looked at elsewhere."""
        self._answers["lens.machine_code"] = found
        return self

    def _once(self, instrument, ask):
        """Ask an instrument, or say again what it said; a refusal that it documents is why nothing was checked."""
        if instrument not in self._answers:
            try:
                self._answers[instrument] = ask()
            except (TypeError, ValueError, RuntimeError) as error:
                self._answers[instrument] = NotChecked(str(error).removeprefix(f"{instrument}: "))
        if isinstance(self._answers[instrument], NotChecked):
            raise self._answers[instrument]
        return self._answers[instrument]


def by_position(
    fn: Any, args: tuple[Any, ...], named: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The same call, with its keyword arguments by position as far as no default that is omitted comes before them.

    Numba compiles both for the same types. An omitted default stays omitted: with it goes another specialisation.
    """
    if not named or not isinstance(fn, Dispatcher):
        return args, dict(named)
    try:
        bound = inspect.signature(fn.py_func).bind(*args, **named)
    except TypeError:  # the instrument says so
        return args, dict(named)
    return bound.args, bound.kwargs


def race_free(call: Call, allow: Iterable[str | int] = ()) -> Finding:
    """Whether no two iterations of a parallel loop collide, but for the conflicts that are allowed.

    Parameters
    ----------
    call : Call
    allow : iterable of str or int
        Names of arrays and variables, as the card has them; numbers of lines, where both accesses must be on
        allowed ones; kinds of conflicts: ``two writes``, ``read and write``, ``same value``; and ``not checked``.
        Each must allow something.
    """
    allowed = tuple(allow)
    try:
        found = call.races
    except NotChecked:
        if not allowed and (is_seen_to_be_serial(call.fn) or _is_serial_ufunc(call)):
            return Finding(NOT_CONCERNED, "nothing of it is parallel")
        raise
    is_unchecked = found.verdict == "not checked"
    if is_unchecked and NOT_CHECKED not in allowed:
        return Finding(NOT_CONCERNED if _is_serial(call) else NOT_CHECKED, found.reason, found)
    if left := [conflict for conflict in found.places if not any(_allows(allowed, conflict))]:
        return Finding(BROKEN, "has a race", replace(found, conflicts=_each_once(left), total=0))
    why = f"beyond what is allowed it was not looked at to the end: {found.reason}" if found.reason else ""
    if why and NOT_CHECKED not in allowed:
        return Finding(NOT_CHECKED, why, found)
    used = needed(call, allowed)
    if idle := [entry for entry in allowed if entry not in used]:
        return Finding(BROKEN, f"needs no allowance: {unneeded(idle)}", found)
    if is_unchecked:
        return Finding(HOLDS, f"not checked, which is allowed: {found.reason}", found)
    said = "has no race" if not found.places else "has no race but those that are allowed"
    return Finding(HOLDS, why or said, found)


def allowances(allow: Any) -> tuple[str | int, ...]:
    """One or several allowances of races, as `race_free` takes them.

    Raises
    ------
    TypeError
        If one is neither a text nor a whole number.
    """
    entries = allow if isinstance(allow, Iterable) and not isinstance(allow, str) else (allow,)
    found = tuple(entries)
    if not all(isinstance(entry, str | Integral) and not isinstance(entry, bool) for entry in found):
        raise TypeError(
            f"allow takes names of arrays, numbers of lines and kinds of conflicts, not {allow!r}"
        )
    return tuple(entry if isinstance(entry, str) else int(entry) for entry in found)


def needed(call: Call, allow: Iterable[str | int]) -> list[str | int]:
    """Those allowances that allow something in this call."""
    allowed = tuple(allow)
    if not allowed:
        return []
    try:
        found = call.races
    except NotChecked:
        return [entry for entry in allowed if entry == NOT_CHECKED]
    partly = found.verdict == "not checked" or found.reason
    return [
        entry
        for entry in allowed
        if (entry == NOT_CHECKED and partly) or any(_uses(allowed, entry, place) for place in found.places)
    ]


def unneeded(idle: Iterable[object]) -> str:
    """What to say of allowances that allow nothing."""
    names = ", ".join(f"line {entry}" if isinstance(entry, int) else repr(entry) for entry in idle)
    return f"no conflict that was found is one of {names}. An allowance that allows nothing must go"


def _is_serial(call):
    """Whether nothing of it is parallel, whatever the input."""
    return call.races.nothing_parallel and not call.machine_code.parallel


def _is_serial_ufunc(call):
    """Whether it is one of which the kernel starts nothing parallel."""
    try:
        return hasattr(call.fn, "_dispatcher") and not call.machine_code.parallel
    except NotChecked:
        return False


def _allows(allowed, conflict):
    """Whether each way to allow a conflict is taken: its array, its kind, its lines."""
    yield any(_is_named(entry, conflict) for entry in allowed)
    yield any(entry in _kinds(conflict) for entry in allowed)
    yield all(line in allowed for line in conflict.lines)


def _uses(allowed, entry, conflict):
    """Whether an allowance has a part in allowing a conflict."""
    return (
        _is_named(entry, conflict)
        or entry in _kinds(conflict)
        or (entry in conflict.lines and all(line in allowed for line in conflict.lines))
    )


def _is_named(entry, conflict):
    """Whether an allowance names the array of a conflict, or that of which it is a field or an item."""
    rest = conflict.array.removeprefix(str(entry))
    return isinstance(entry, str) and (
        conflict.array == entry or (rest != conflict.array and rest[0] in "[.")
    )


def _kinds(conflict):
    """What kinds a conflict is of, as allowances name them."""
    yield KINDS[0] if conflict.kinds[0] == conflict.kinds[1] else KINDS[1]
    if conflict.same_value:
        yield KINDS[2]


def _each_once(conflicts: list[Conflict]) -> tuple[Conflict, ...]:
    """One conflict of each array and pair of lines, two writes before a write and a read."""
    first: dict[Any, Conflict] = {}
    for conflict in sorted(conflicts, key=lambda one: one.kinds[0] != one.kinds[1]):
        first.setdefault((conflict.array, frozenset(conflict.lines)), conflict)
    return tuple(first.values())


def packed(call: Call, line: int | str | None = None) -> Finding:
    """Whether the loops of the function compute or move several elements at once.

    Parameters
    ----------
    call : Call
    line : int or str, optional
        Of the loop that is meant: the number of the line where it begins, or a part of that line's text. Without
        it all loops that hold no other must be packed, and not only partly, but for those that are gone.
    """
    code = call.machine_code
    text = partial(_text_of_line, call.fn)
    meant = [
        loop for loop in code.loops if line is None or line == loop.line or _is_in(line, text(loop.line))
    ]
    if not meant and line is not None:
        begin = ", ".join(str(loop.line) for loop in code.loops)
        known = f"loops begin on line {begin}" if begin else "its machine code has no loop"
        where = f"line {line}" if isinstance(line, int) else f"a line with {line!r}"
        return Finding(NOT_CHECKED, f"no loop begins on {where}; {known}", code)
    if not meant:
        return Finding(NOT_CONCERNED, "its machine code has no loop", code)
    if unknown := [loop.line for loop in meant if loop.state == "not known"]:
        return Finding(NOT_CHECKED, f"what became of the loop on line {unknown[0]} is not known", code)
    states = {loop.state for loop in meant}
    if "packed" not in states or not states.isdisjoint(LESS):
        worst = min(meant, key=lambda loop: LESS.index(loop.state) if loop.state in LESS else len(LESS))
        because = f": {worst.reason}" if worst.reason else ""
        fate = {"outer": "only holds other loops"}.get(worst.state, f"is {worst.state}")
        return Finding(BROKEN, f"is not vectorised: the loop on line {worst.line} {fate}{because}", code)
    return Finding(HOLDS, "is vectorised", code)


def _is_in(line, text):
    return isinstance(line, str) and line in text


def _text_of_line(fn, line):
    code = getattr(getattr(fn, "py_func", None), "__code__", None)
    return linecache.getline(code.co_filename, line) if code else ""


def allocations(call: Call, at_most: int = 0) -> Finding:
    """Whether one call takes at most so many blocks of memory from Numba's runtime."""
    code = call.machine_code
    if code.allocations is None:
        return Finding(NOT_CHECKED, next(note for note in code.notes if "allocations" in note), code)
    if code.allocations > at_most:
        return Finding(BROKEN, f"allocates {code.allocations} times a call, and may {at_most} times", code)
    if GROWS in code.notes:
        return Finding(NOT_CHECKED, GROWS, code)
    return Finding(HOLDS, f"allocates {code.allocations or 'nothing'} a call", code)


def specialisations(call: Call, at_most: int = 1) -> Finding:
    """Whether this process has the function for at most so many combinations of types."""
    fn = getattr(call.fn, "_dispatcher", call.fn)  # of a ufunc: its kernel
    if not isinstance(fn, Dispatcher | UFuncDispatcher):
        return Finding(NOT_CHECKED, f"it is no function that Numba compiles, but a {type(fn).__name__}")
    all_kinds = (getattr(key, "args", key) for key in fn.overloads)  # those of a ufunc are whole signatures
    signatures = [f"({', '.join(map(str, kinds))})" for kinds in all_kinds]
    if not signatures:
        return Finding(NOT_CHECKED, "it is compiled for nothing yet; call it before")
    listed = "\n".join(f"  {fn.py_func.__name__}{signature}" for signature in signatures)
    sentence = f"is compiled for {len(signatures)} combinations of types"
    if len(signatures) > at_most:
        return Finding(BROKEN, f"{sentence}, and may be for {at_most}:\n{listed}")
    return Finding(HOLDS, sentence.replace("1 combinations", "1 combination"))


def cache_fresh(call: Call) -> Finding:
    """Whether the function has a disk cache which another process can load, and nothing in it is seen to be stale."""
    if _is_made_without_cache(call.fn):
        return Finding(NOT_CONCERNED, "it was made without cache=True")
    found = call.cache
    if found.index is None:
        return Finding(NOT_CONCERNED, "it was made without cache=True", found)
    if found.stale:
        return Finding(BROKEN, f"has a stale disk cache: {', '.join(found.stale)}", found)
    if found.problem:
        return Finding(BROKEN, f"has a disk cache that is of no use: {found.problem}", found)
    if not any(entry.usable for entry in found.entries):
        return Finding(NOT_CHECKED, "its disk cache has nothing that this process would load; call it", found)
    return Finding(HOLDS, "has a fresh disk cache", found)


def _is_made_without_cache(fn):
    """Whether Numba was not asked to keep it, a kernel of a ufunc and a function in object mode included."""
    kernel = getattr(fn, "_dispatcher", fn)
    kept = [getattr(kernel, name) for name in ("_cache", "cache") if hasattr(kernel, name)]
    return hasattr(kernel, "py_func") and bool(kept) and all(isinstance(one, NullCache) for one in kept)


def releases_gil(call: Call) -> Finding:
    """Whether other Python threads get on while it runs.

    Of a function under ``@njit`` its machine code tells. Of a ufunc, and of what Numba has not compiled, other threads
    must: they are counted.
    """
    try:
        code = call.machine_code
    except NotChecked:
        return _counted(call)
    if code.gil.startswith("up to"):
        return _counted(call)
    sentence = {"held": "holds the GIL", "taken back": "takes the GIL back, to call Python"}.get(code.gil)
    return Finding(BROKEN, sentence, code) if sentence else Finding(HOLDS, "releases the GIL", code)


def _counted(call):
    found = call.gil
    if found.released is None:
        return Finding(NOT_CHECKED, f"whether it releases the GIL is not known: {found.reason}", found)
    return Finding(
        HOLDS if found.released else BROKEN, "releases the GIL" if found.released else "holds the GIL", found
    )


def asked(check: Callable[..., Finding], call: Call, *wanted: Any, **options: Any) -> Finding:
    """What a function of this module finds; what could not be checked is a `Finding`, too."""
    try:
        return check(call, *wanted, **options)
    except NotChecked as why:
        return Finding(NOT_CHECKED, str(why))
