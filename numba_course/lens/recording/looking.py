"""Look at what was recorded: each function, for each signature, with the smallest arguments that show something."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from time import monotonic
from typing import Any

from numba.core.dispatcher import Dispatcher

from numba_course.lens import properties
from numba_course.lens.compiled.dispatchers import reached, wants_threads
from numba_course.lens.compiled.machine_code import MachineCode
from numba_course.lens.errors import reason_after_kind
from numba_course.lens.properties import BROKEN, HOLDS, NOT_CHECKED, NOT_CONCERNED, Call, Finding, asked
from numba_course.lens.recording.calls import (
    LOOKED_AT,
    Called,
    dispatcher_of,
    is_numbas_own,
    python_function,
)
from numba_course.lens.recording.inside import inner_calls, place_of
from numba_course.process.arguments import unpack

TRIES = 3  # copies of arguments that are looked at until one shows something
PROPERTIES = ("race", "loops", "allocations", "gil", "cache")
UNREACHED = "only compiled code can call it, and no caller, run in Python with the same arguments, did"
AN_ADDRESS = re.compile(r"#[0-9a-f]{6,}|( at)? 0x[0-9a-f]+")


@dataclass(frozen=True)
class Seen:
    """One property of one function, as plain data.

    Attributes
    ----------
    verdict : str
        ``holds``, ``broken``, ``not checked`` or ``does not concern it``.
    short : str
        For a cell of a table.
    said : str
        What there is to say about what does not hold; empty if there is nothing.
    """

    verdict: str
    short: str
    said: str = ""


@dataclass(frozen=True)
class Looked:
    """What was found out about a function, called with arguments of some types; plain data.

    Attributes
    ----------
    name : str
        With its module.
    file : str
    line : int
    signature : str
    calls : int
        From Python, with arguments of these types; none of what only compiled code calls.
    where : str
        Who made the call that was looked at.
    specialisations : int
        Of the function, in this process.
    seen : dict
        From each of `PROPERTIES` to a `Seen`.
    cards : tuple of str
        The cards of the instruments, as HTML.
    more_calls : bool
        Whether there were more calls from Python than `calls`: after the first ones of a function that is called
        with several combinations of types it is not known which of these the others had.
    is_late : bool
        Whether it was not looked at, since the time for looking was over.
    used : tuple of str
        The allowances of races that allowed something in the call that was looked at.
    """

    name: str
    file: str
    line: int
    signature: str
    calls: int
    where: str
    specialisations: int
    seen: dict[str, Seen]
    cards: tuple[str, ...] = ()
    more_calls: bool = False
    is_late: bool = False
    used: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What is the same for two processes that looked at the same."""
        return self.name, self.file, self.line, self.signature

    def as_data(self) -> dict[str, Any]:
        """Numbers, text, lists and dicts alone, from which `from_data` makes it anew."""
        return {**asdict(self), "cards": list(self.cards), "used": list(self.used)}


def from_data(data: Mapping[str, Any]) -> Looked:
    """What `Looked.as_data` made plain."""
    seen = {name: Seen(**one) for name, one in data["seen"].items()}
    return Looked(**{**data, "seen": seen, "cards": tuple(data["cards"]), "used": tuple(data["used"])})


def look(
    called: Sequence[Called], seconds: float, allow: Mapping[str, Sequence[str]] | None = None
) -> Iterator[Looked]:
    """Look at each signature of each function that was called, the instruments of the lens one after the other.

    Functions that were made with ``parallel=True``, or call such, come first: time may not be enough for all.

    Parameters
    ----------
    called : sequence of Called
    seconds : float
        After which nothing more is looked at: what is left is listed as not checked.
    allow : mapping, optional
        From names of functions, with or without module, to the races of them that are meant; see
        `properties.race_free`. `Looked.used` has those that allowed something.

    Yields
    ------
    Looked
        Of functions that returned at least once, or were compiled at least.
    """
    until = monotonic() + seconds
    late = f"the time for looking, {seconds:.0f} s, was over"
    for one in sorted(called, key=_is_serial):
        for signature in one.signatures.values():
            if not signature.returned and not _is_compiled(one.fn):
                continue  # the compiler refused it, as a test may want it to
            yield _looked(
                one, signature, late if monotonic() > until else "", _allowances(one.fn, allow or {})
            )
    yield from _looked_inside(called, until, late)


def _is_serial(called):
    """Whether nothing parallel was asked for, as far as is seen at a glance."""
    return python_function(called.fn) is None or not wants_threads(dispatcher_of(called.fn))


def _looked_inside(called, until, late):
    """What was found out about functions that only compiled code calls."""
    callers = [one for one in called if isinstance(one.fn, Dispatcher)]
    outside = {place_of(one.fn) for one in called}
    hidden = {one.fn: _hidden(one.fn, outside) for one in callers}
    found = {}
    for one in callers:
        if any(place not in found for place in hidden[one.fn]) and monotonic() < until:
            for signature in one.signatures.values():
                if signature.samples[0].packed is not None:
                    found = {**inner_calls(one.fn, signature.samples[0].packed), **found}
                    break
    everything = {place: (fn, caller) for caller, inner in hidden.items() for place, fn in inner.items()}
    for place, (fn, caller) in everything.items():
        if place in found:
            yield _inner(fn, caller, *found[place])
        elif monotonic() > until:
            yield replace(_inner(fn, caller, "", late), is_late=True)
        else:
            yield _inner(fn, caller, "", UNREACHED)


def _hidden(fn, outside):
    """The compiled functions that one reaches, and that Python did not call, by place."""
    places = {place_of(one): one for one in reached(fn) if not is_numbas_own(one.py_func)}
    return {place: one for place, one in places.items() if place not in outside}


def _inner(fn, caller, kinds, said):
    """What was found out about a function that only compiled code calls."""
    seen = _all_not_checked(said) if isinstance(said, str) else {}
    if not seen:
        call = Call(fn).with_machine_code(said)
        seen["loops"] = _shown(properties.packed, call, _loops)
        seen["allocations"] = _shown(properties.allocations, call, _allocations)
    seen["race"] = seen["gil"] = Seen(NOT_CONCERNED, "see caller")
    seen["cache"] = _cache(Call(fn))
    cards = () if isinstance(said, str) else (said._repr_html_(),)
    where = f"compiled code alone, such as {name_of(caller)}"
    return Looked(
        **_common(fn), signature=AN_ADDRESS.sub("", kinds), calls=0, where=where, seen=seen, cards=cards
    )


def _is_compiled(fn):
    return bool(_overloads(fn))


def _overloads(fn):
    return getattr(dispatcher_of(fn), "overloads", ())


def name_of(fn: Any) -> str:
    """Module and name of a compiled function, as a message says them."""
    function = python_function(fn)
    name = (function.__qualname__ if function else getattr(fn, "__name__", "?")).replace(".<locals>", "")
    if name == "ctor" and "__numba_cls_" in getattr(function, "__globals__", {}):
        made = function.__globals__["__numba_cls_"]
        return f"{made.__module__}.{made.class_type.class_name}"
    module = getattr(function, "__module__", None) or ""
    return f"{module}.{name}" if module not in ("", "__main__", "builtins") else name


def is_meant(key: str, name: str) -> bool:
    """Whether an allowance names a function, with or without its module."""
    return name == key or name.endswith(f".{key}")


def _allowances(fn, allow):
    name = name_of(fn)
    return [race for key, races in allow.items() if is_meant(key, name) for race in races]


def _calls_of(called, signature):
    """How many calls there were with arguments of these types, and whether there may have been more."""
    later = called.calls - sum(one.calls for one in called.signatures.values())
    if called.calls < LOOKED_AT or later <= 0:
        return {"calls": signature.calls}
    if len(called.signatures) == 1:
        return {"calls": signature.calls + later}
    return {"calls": signature.calls, "more_calls": True}


def _looked(called, signature, late, allow):
    """What was found out about one signature; an exception of ours is told in its place."""
    fn, common = called.fn, {**_common(called.fn), **_calls_of(called, signature)}
    kinds, cards, where = AN_ADDRESS.sub("", signature.kinds), (), signature.samples[0].where
    if late:
        return Looked(**common, signature=kinds, where=where, seen=_all_not_checked(late), is_late=True)
    best = None
    for sample in signature.samples[:TRIES]:
        if best and sample.packed is None:
            break
        seen, cards, used = _sampled(fn, sample, allow)
        best = best or (seen, cards, used, sample.where)
        if seen["race"].verdict in (HOLDS, BROKEN, NOT_CONCERNED):
            best = seen, cards, used, sample.where
            break
    seen, cards, used, where = best
    return Looked(**common, signature=kinds, where=where, seen=seen, cards=cards, used=used)


def _common(fn):
    """What there is to say of a function without looking into it."""
    file, line = place_of(fn)
    return {"name": name_of(fn), "file": file, "line": line, "specialisations": len(_overloads(fn))}


def _sampled(fn, sample, allow):
    """What each property of a call is, the cards, and the allowances that allow something."""
    if sample.packed is None:
        return {**_all_not_checked(sample.why), "cache": _cache(Call(fn))}, (), ()
    call, used = Call(fn, *unpack(sample.packed)), []
    seen = {
        "loops": _shown(properties.packed, call, _loops),
        "allocations": _shown(properties.allocations, call, _allocations),
        "gil": _gil(call),
        "race": _race(call, allow, used),
        "cache": _cache(call),
    }
    return seen, tuple(one._repr_html_() for one in call.cards), tuple(map(str, used))


def _all_not_checked(why):
    return {name: Seen(NOT_CHECKED, NOT_CHECKED, why) for name in PROPERTIES}


def _shown(check, call, short, *wanted):
    """A property as `Seen`; what fails in an instrument is told as a fault of ours, and fails nobody."""
    try:
        finding = asked(check, call, *wanted)
        said = "" if finding.verdict in (HOLDS, NOT_CONCERNED) else finding.sentence
        return Seen(finding.verdict, short(finding), said)
    except Exception as error:
        return Seen(NOT_CHECKED, NOT_CHECKED, f"our bug: {reason_after_kind(error)}")


def _race(call, allow, used):
    """Whether it races; a function of which nothing is parallel needs no interpreter. What is `used` is added there."""
    if not isinstance(call.fn, Dispatcher):
        return Seen(NOT_CONCERNED, "–")
    if any(isinstance(card, MachineCode) and not card.parallel for card in call.cards):
        return Seen(NOT_CONCERNED, "serial")

    def check(call):
        needed = properties.needed(call, allow)
        finding = properties.race_free(call, needed)
        used.extend(needed)
        return finding

    def short(finding):
        words = {HOLDS: "allowed" if used else "none", NOT_CONCERNED: "serial", BROKEN: "RACE"}
        return words.get(finding.verdict, NOT_CHECKED)

    seen = _shown(check, call, short)
    if seen.verdict == BROKEN:
        found = properties.race_free(call, used).card.conflicts
        return Seen(BROKEN, seen.short, "\n".join(f"race: {one.sentence()}" for one in found))
    return seen


def _loops(finding):
    if finding.card is None:
        return NOT_CHECKED
    states = [loop.state for loop in finding.card.loops if loop.state != "outer"]
    counted = [f"{states.count(state)} {state}" for state in dict.fromkeys(states)]
    return ", ".join(counted) or "–"


def _allocations(finding):
    if finding.card is None or finding.card.allocations is None:
        return NOT_CHECKED
    more = "+" if finding.verdict == NOT_CHECKED else ""
    return f"{finding.card.allocations or 'none'}{more}"


def _gil(call):
    """What becomes of the GIL, by the machine code alone: nothing is timed."""

    def check(call):
        said = call.machine_code.gil
        return Finding(
            NOT_CONCERNED if said.startswith("up to") else HOLDS if said == "released" else BROKEN, said
        )

    seen = _shown(
        check, call, lambda finding: finding.sentence if finding.verdict != NOT_CHECKED else NOT_CHECKED
    )
    return Seen(seen.verdict, seen.short, seen.said if seen.verdict == NOT_CHECKED else "")


def _cache(call):
    if not isinstance(call.fn, Dispatcher):
        return Seen(NOT_CONCERNED, "–")

    def short(finding):
        if finding.verdict == BROKEN:
            return "STALE" if "stale" in finding.sentence else "useless"
        return {HOLDS: "fresh", NOT_CONCERNED: "–"}.get(finding.verdict, NOT_CHECKED)

    return _shown(properties.cache_fresh, call, short)


def shortened(file: str) -> str:
    """A path from the current folder on, if it leads into it."""
    relative = os.path.relpath(file) if file and not file.startswith("<") else file
    return file if relative.startswith("..") else relative
