"""Hold all functions that a test called to the properties that its marker names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from numba_course.lens import properties
from numba_course.lens.assertions import failure
from numba_course.lens.errors import reason_after_kind
from numba_course.lens.properties import HOLDS, NOT_CHECKED, NOT_CONCERNED, Call, Finding, asked
from numba_course.lens.recording.calls import Called
from numba_course.lens.recording.looking import TRIES, name_of
from numba_course.process.arguments import unpack

CHECKS: dict[str, Callable[..., Finding]] = {  # what the marker can name
    "race_free": lambda call, wanted, allow: properties.race_free(call, properties.needed(call, allow)),
    "packed": lambda call, wanted, allow: properties.packed(call),
    "allocations": lambda call, wanted, allow: properties.allocations(call, int(wanted)),
    "specialisations": lambda call, wanted, allow: properties.specialisations(call, int(wanted)),
    "releases_gil": lambda call, wanted, allow: properties.releases_gil(call),
    "cache_fresh": lambda call, wanted, allow: properties.cache_fresh(call),
}
OF_THE_FUNCTION = ("specialisations", "cache_fresh")  # whatever it is called with


def hold(
    called: Sequence[Called], wanted: Mapping[str, Any], allow: Iterable[str | int] = ()
) -> tuple[list[str], list[str]]:
    """What is broken or could not be checked, and what went wrong in checking, which is no fault of the functions.

    Parameters
    ----------
    called : sequence of Called
    wanted : mapping
        Names of `CHECKS`, and what is wanted of each; False and None ask nothing.
    allow : iterable of str or int
        Races that are meant, see `properties.race_free`; each must allow something in one of the functions.

    Raises
    ------
    ValueError
        If `wanted` has a name that is not known, or races are allowed that are not looked for.
    """
    if unknown := sorted(set(wanted) - set(CHECKS)):
        raise ValueError(f"the marker numba knows {', '.join(CHECKS)} and allow, not {', '.join(unknown)}")
    allowed = tuple(allow)
    if allowed and not wanted.get("race_free"):
        raise ValueError("the marker numba allows races only where it asks for race_free=True")
    broken, trouble = [], []
    calls = [
        (one, signature, _calls(one, signature)) for one in called for signature in one.signatures.values()
    ]
    for name in (name for name, value in wanted.items() if value is not None and value is not False):
        once = list({id(one): (one, of, calls) for one, of, calls in calls}.values())
        concerned = 0
        for one, _, tries in once if name in OF_THE_FUNCTION else calls:
            try:
                finding = _finding(tries, CHECKS[name], wanted[name], allowed)
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
    return broken, trouble


def _nobody(called):
    names = ", ".join(dict.fromkeys(name_of(one.fn) for one in called))
    return (
        f"it concerns none of {names}" if names else "no compiled function was seen to be called from Python"
    )


def _calls(one, signature):
    """The calls of a signature that are looked at until one of them tells something."""
    tries = [sample for sample in signature.samples if sample.packed is not None][:TRIES]
    return [Call(one.fn, *unpack(sample.packed)) for sample in tries] or signature.samples[0].why


def _finding(tries, check, wanted, allow):
    """The first finding that tells something, or else the first one."""
    if isinstance(tries, str):
        return Finding(NOT_CHECKED, tries)
    found = []
    for call in tries:
        found.append(asked(check, call, wanted, allow))
        if found[-1].verdict != NOT_CHECKED:
            return found[-1]
    return found[0]


def _idle(calls, allowed):
    """A sentence on allowances that allow nothing in any call."""
    used = {str(e) for *_, tries in calls for call in tries for e in properties.needed(call, allowed)}
    idle = [entry for entry in allowed if str(entry) not in used]
    return [f"race_free needs no allowance: {properties.unneeded(idle)}"] if idle else []
