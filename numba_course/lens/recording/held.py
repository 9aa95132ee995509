"""Hold all functions that a test called to the properties that its markers name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numba_course.lens import properties
from numba_course.lens.assertions import failure
from numba_course.lens.compiled.dispatchers import is_seen_to_be_serial
from numba_course.lens.errors import reason_after_kind
from numba_course.lens.properties import BROKEN, HOLDS, NOT_CHECKED, NOT_CONCERNED, Call, Finding, asked
from numba_course.lens.recording.calls import Called, Sample, Signature
from numba_course.lens.recording.looking import TRIES, name_of
from numba_course.process.arguments import unpack

CHECKS: dict[str, Callable[..., Finding]] = {  # what the marker can name
    "race_free": lambda call, wanted, allow: properties.race_free(call, properties.needed(call, allow)),
    "packed": lambda call, wanted, allow: properties.packed(call),
    "allocations": lambda call, wanted, allow: properties.allocations(call, wanted),
    "specialisations": lambda call, wanted, allow: properties.specialisations(call, wanted),
    "releases_gil": lambda call, wanted, allow: properties.releases_gil(call),
    "cache_fresh": lambda call, wanted, allow: properties.cache_fresh(call),
}
OF_THE_FUNCTION = ("specialisations", "cache_fresh")  # whatever it is called with
OF_EACH_CALL = (
    "race_free",
    "allocations",
)  # which depend on what is in the arguments, not on their types alone
NUMBERS = ("allocations", "specialisations")  # of which the marker says how many there may be
MOST = 6  # calls with arguments of the same types that are looked at: the smallest, and the largest
LARGE = 10_000  # elements and items of a call that is not looked at if there is a smaller one


@dataclass(frozen=True)
class Tried:
    """A call that is looked at, and whether it must tell something: it returned, and its arrays are not empty."""

    call: Call
    must_tell: bool


def wanted_by(
    markers: Iterable[tuple[Sequence[Any], Mapping[str, Any]]],
) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """What the markers of a test ask for together, and the races that they allow.

    Parameters
    ----------
    markers : iterable of (sequence, mapping)
        Positional and keyword arguments of each marker, that of the function before those of its class and module:
        what a nearer one says of a property, or allows, is what counts.

    Raises
    ------
    ValueError
        If one of them asks for nothing, for what is not known, or in a form that is not known; or if races are
        allowed that are not looked for.
    """
    together: dict[str, Any] = {}
    for args, named in markers:
        _refuse(args, named)
        ended = together.get("race_free", True) in (False, None)  # then allowances farther away are not meant
        together = {
            **{name: value for name, value in named.items() if name != "allow" or not ended},
            **together,
        }
    allowed = properties.allowances(together.pop("allow", ()))
    if allowed and not together.get("race_free"):
        raise ValueError("the marker numba allows races only where it asks for race_free=True")
    return {
        name: value for name, value in together.items() if value is not None and value is not False
    }, allowed


def _refuse(args, named):
    """Refuse a marker that would ask for nothing, or for something else than it says."""
    if args or not named:
        found = f"not {', '.join(map(repr, args))}" if args else "and there is nothing in its parentheses"
        raise ValueError(f"the marker numba takes properties by name, such as race_free=True, {found}")
    if unknown := sorted(set(named) - {*CHECKS, "allow"}):
        raise ValueError(f"the marker numba knows {', '.join(CHECKS)} and allow, not {', '.join(unknown)}")
    for name, value in named.items():
        if name == "allow":
            try:
                properties.allowances(value)
            except TypeError as error:
                raise ValueError(f"of the marker numba {error}") from None
            continue
        if name in NUMBERS:
            is_known = value is None or (
                isinstance(value, int) and not isinstance(value, bool) and value >= 0
            )
            form = "a number, or None, which asks nothing"
        else:
            is_known = value is None or isinstance(value, bool)
            form = "True, or False or None, which ask nothing"
        if not is_known:
            raise ValueError(f"the marker numba takes for {name} {form}, not {value!r}")


def hold(
    called: Sequence[Called], wanted: Mapping[str, Any], allowed: Sequence[str | int] = ()
) -> tuple[list[str], list[str]]:
    """What is broken or could not be checked, and what else is to be told, which is no fault of the functions.

    Parameters
    ----------
    called : sequence of Called
    wanted : mapping
        Names of `CHECKS`, and what is wanted of each, as `wanted_by` gives them.
    allowed : sequence of str or int
        Races that are meant, see `properties.race_free`; each must allow something in one of the functions.
    """
    broken, trouble = [], []
    calls = [
        (one, signature, _calls(one, signature)) for one in called for signature in one.signatures.values()
    ]
    for name in wanted:
        once = list({id(one): (one, of, calls) for one, of, calls in calls}.values())
        concerned = 0
        for one, _, tries in once if name in OF_THE_FUNCTION else calls:
            try:
                finding = _finding(one.fn, tries, name, wanted[name], allowed)
            except Exception as error:
                trouble.append(
                    f"{name} of {name_of(one.fn)} was not checked, our bug: {reason_after_kind(error)}"
                )
                continue
            concerned += finding.verdict != NOT_CONCERNED
            if finding.verdict not in (HOLDS, NOT_CONCERNED):
                broken.append(f"{name}: {failure(name_of(one.fn), finding)}")
        if not concerned and not trouble:
            broken.append(f"{name} was not checked: {_nobody(called)}")
    if wanted.get("race_free") and not broken and not trouble:
        broken += _idle(calls, allowed)
    if any(name in OF_EACH_CALL for name in wanted):
        trouble += [text for one, signature, tries in calls if (text := _left_out(one, signature, tries))]
    return broken, trouble


def _nobody(called):
    names = ", ".join(dict.fromkeys(name_of(one.fn) for one in called))
    return (
        f"it concerns none of {names}" if names else "no compiled function was seen to be called from Python"
    )


def _calls(called: Called, signature: Signature) -> list[Tried] | str:
    """The calls of a signature that are looked at, or why there are none.

    Of those that returned the smallest and the largest; if none did, a few that raised.
    """
    copies = [sample for sample in signature.samples if sample.packed is not None]
    returned = [sample for sample in copies if not sample.raised] or copies[:TRIES]
    few = [sample for sample in returned if sample.size <= LARGE] or returned[:1]
    rich = sorted((sample for sample in few if not sample.poor), key=lambda sample: sample.size)
    if len(rich) > MOST:
        rich = rich[: MOST // 2] + rich[-MOST // 2 :]
    chosen: list[Sample] = [*rich, *[sample for sample in few if sample.poor][:1]]
    if not chosen:
        return signature.samples[0].why
    return [
        Tried(Call(called.fn, *unpack(one.packed)), not (one.poor or one.raised))
        for one in chosen
        if one.packed is not None
    ]


def _left_out(called, signature, tries):
    """A sentence if a call returned whose arguments, or their like, were not looked at."""
    if isinstance(tries, str) or not signature.returned:
        return ""
    returned = sum(not sample.raised for sample in signature.samples)
    later = called.calls - sum(one.calls for one in called.signatures.values())
    if returned <= len(tries) and not signature.left_out and not later:
        return ""
    return (
        f"{name_of(called.fn)}{signature.kinds}: held to what the marker says with the arguments of "
        f"{len(tries)} of its {signature.calls + later:,} calls"
    )


def _finding(fn, tries, name, wanted, allowed):
    """What was found in the calls: what is broken in one of them, or could not be checked where it should."""
    if isinstance(tries, str):
        if name in OF_THE_FUNCTION:
            return asked(CHECKS[name], Call(fn), wanted, allowed)
        if name == "race_free" and is_seen_to_be_serial(fn):
            return Finding(NOT_CONCERNED, "nothing of it is parallel")
        return _unless_allowed(Finding(NOT_CHECKED, tries), name, allowed)
    found, unknown = [], []
    for tried in tries:
        finding = _unless_allowed(asked(CHECKS[name], tried.call, wanted, allowed), name, allowed)
        if finding.verdict == BROKEN or (finding.verdict != NOT_CHECKED and name not in OF_EACH_CALL):
            return finding
        (unknown if finding.verdict == NOT_CHECKED else found).append((tried, finding))
    unknown = [finding for tried, finding in unknown if tried.must_tell or not found]
    return (unknown or [finding for _, finding in found])[0]


def _unless_allowed(finding, name, allowed):
    """What was found, or that it may be unknown."""
    if name == "race_free" and finding.verdict == NOT_CHECKED and NOT_CHECKED in allowed:
        return Finding(HOLDS, f"not checked, which is allowed: {finding.sentence}", finding.card)
    return finding


def _idle(calls, allowed):
    """A sentence on allowances that allow nothing in any call."""
    used = set()
    for *_, tries in calls:
        if isinstance(tries, str):
            used.add(NOT_CHECKED)
        else:
            used.update(entry for tried in tries for entry in properties.needed(tried.call, allowed))
    idle = [entry for entry in allowed if entry not in used]
    return [f"race_free needs no allowance: {properties.unneeded(idle)}"] if idle else []
