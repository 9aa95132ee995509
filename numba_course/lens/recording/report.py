"""What was found out about all functions that a program called: as a table, a page, JSON, and as what fails."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numba_course.lens import html
from numba_course.lens.properties import BROKEN, HOLDS, NOT_CHECKED, unneeded
from numba_course.lens.recording.looking import PROPERTIES, UNREACHED, Looked, is_meant, shortened

HEADERS = ("function", "calls", "types", "race", "loops", "allocations", "gil", "cache")
FAILURES = {  # what --numba-fail-on can name: the property, and the verdict that fails
    "race": ("race", BROKEN),
    "cache": ("cache", BROKEN),
    "scalar": ("loops", BROKEN),
    "gil": ("gil", BROKEN),
    "unchecked": ("race", NOT_CHECKED),
}
LONGEST = 60  # characters of a signature in a table
SHORTHAND: tuple[tuple[str, Any], ...] = (
    (r"[Aa]rray\((?P<kind>\w+), (?P<axes>\d)d?, '?(?P<layout>[ACF])[^)]*\)", lambda found: _array(found)),
    (r"omitted\(default=(.*?)\)", r"=\1"),
)
TONES = {HOLDS: "good", BROKEN: "bad", NOT_CHECKED: "warn"}
LOUD = ("race", "cache")  # what is told in words beside the table, where it is broken
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ background: Canvas; color: CanvasText; font-family: sans-serif; margin: 2em auto; max-width: 75em; }}
body {{ padding: 0 1em; }}
.wide {{ overflow-x: auto; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


@dataclass(frozen=True)
class Report:
    """The functions that were looked at.

    Attributes
    ----------
    looked : tuple of Looked
    notes : tuple of str
        What was not seen, and what went wrong in looking.
    idle : tuple of str
        A sentence for each function whose races are allowed without need.
    """

    looked: tuple[Looked, ...]
    notes: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The table and what there is to say, as lines of text."""
        if not self.looked:
            return ["no compiled function was seen to be called from Python", *self.notes]
        rows = [HEADERS, *map(_row, self.looked)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        for one in self.looked:
            lines += _said(one)
        unreached = ", ".join(one.name for one in self.looked if one.seen["loops"].said == UNREACHED)
        lines += [f"{unreached}: not looked at: {UNREACHED}"] if unreached else []
        lines += [self._late()] if self._late() else []
        return [*lines, *self.idle, *(f"note: {note}" for note in self.notes)]

    def _late(self, names=PROPERTIES):
        """What was not looked at any more, but should have been for some properties; or nothing."""
        late = [one for one in self.looked if one.is_late]
        missing = [one for one in late if any(one.seen[name].verdict == NOT_CHECKED for name in names)]
        listed = ", ".join(dict.fromkeys(one.name for one in missing))
        return f"{listed}: not looked at: {missing[0].seen['loops'].said}" if missing else ""

    def page(self, title: str) -> str:
        """The same as a page of HTML, with the cards of the instruments; static, for light and dark screens."""
        rows = ([html.mark(*cell) for cell in _toned(one)] for one in self.looked)
        body = f'<div class="wide">{html.table(HEADERS, rows)}</div>' if self.looked else ""
        notes = (f"<p>{html.escape(note)}</p>" for note in self._page_notes())
        body += "".join(notes) + "".join(map(_details, self.looked))
        return PAGE.format(title=html.escape(title), body=body)

    def _page_notes(self):
        return (
            self.notes
            if self.looked
            else ("no compiled function was seen to be called from Python", *self.notes)
        )

    def as_json(self) -> str:
        """All of it but the cards, for other programs."""
        functions = [{**one.as_data(), "file": shortened(one.file)} for one in self.looked]
        for one in functions:
            del one["cards"]
        data = {"functions": functions, "notes": list(self.notes), "idle": list(self.idle)}
        return json.dumps(data, indent=2)

    def properties(self) -> list[tuple[str, str]]:
        """Pairs of a name and a value, of each property of each function, for JUnit's XML."""
        return [
            (f"numba:{one.name}{one.signature}:{name}", one.seen[name].short)
            for one in self.looked
            for name in PROPERTIES
        ]

    def failures(self, wanted: Iterable[str]) -> list[str]:
        """One sentence for each function that is not as it is wanted to be, see `FAILURES`, and one for all others.

        That one is of those that were not looked at since the time was over: they may be anything. With ``race``
        allowances that allow nothing fail, too.
        """
        words = list(wanted)
        asked = [FAILURES[word] for word in words]
        late = self._late([name for name, _ in asked])
        broken = [
            f"{one.name}{one.signature}: {one.seen[name].said.splitlines()[0] if one.seen[name].said else verdict}"
            for one in self.looked
            for name, verdict in asked
            if one.seen[name].verdict == verdict and not one.is_late
        ]
        return [*broken, *(self.idle if "race" in words else ()), *([late] if late else [])]


def unwritten(path: Path, text: str) -> str:
    """Write a text to a file, and make its folder if there is none; why it could not be written, or nothing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        return f"{path} could not be written: {error.strerror or error}"
    return ""


def merged(reports: Sequence[Report]) -> Report:
    """One report of several processes, which may have looked at the same functions."""
    found: dict[Any, Looked] = {}
    for one in (one for report in reports for one in report.looked):
        known = found.get(one.key)
        calls = one.calls + (known.calls if known else 0)
        better = one if known is None or _checked(one) > _checked(known) else known
        used = tuple(dict.fromkeys([*(known.used if known else ()), *one.used]))
        more = one.more_calls or bool(known and known.more_calls)
        found[one.key] = replace(better, calls=calls, used=used, more_calls=more)
    notes = dict.fromkeys(note for report in reports for note in report.notes)
    return Report(tuple(found.values()), tuple(notes))


def with_allowances(report: Report, allow: Mapping[str, Sequence[str | int]]) -> Report:
    """The same with what there is to say of allowances that allow nothing; see `looking.look`.

    Of a function that could not be checked nothing is said: it may need them.
    """
    idle, notes = [], list(report.notes)
    for key, races in allow.items():
        meant = [one for one in report.looked if one.calls and is_meant(key, one.name)]
        used = {entry for one in meant for entry in one.used}
        left = [race for race in races if str(race) not in used]
        if not meant:
            notes.append(
                f"numba_allow names {key}, and no compiled function of that name was seen to be called"
            )
        elif left and all(one.seen["race"].verdict != NOT_CHECKED for one in meant):
            idle.append(f"{key} needs no allowance: {unneeded(left)}")
    return replace(report, idle=tuple(idle), notes=tuple(notes))


def _checked(one):
    """How many properties are told."""
    return sum(seen.verdict != NOT_CHECKED for seen in one.seen.values())


def _row(one):
    """The cells of a function."""
    cells = (one.seen[name].short for name in PROPERTIES)
    race, *others = cells
    calls = f"{one.calls}{'+' * one.more_calls}" if one.calls else "inside"
    return f"{one.name}{_brief(one.signature)}", calls, str(one.specialisations), race, *others


def _toned(one):
    """(tone, text) of each cell: colour is for what is right, wrong or not known; the rest is a fact."""
    for position, text in enumerate(_row(one)):
        name = ("", "", "", *PROPERTIES)[position]
        verdict = one.seen[name].verdict if name else ""
        told = name in LOUD or verdict == NOT_CHECKED
        yield TONES.get(verdict, "plain") if told else "plain", text


def _brief(signature):
    """A signature that fits into a table: arrays as Numba's own shorthand has them, ``=1`` for an omitted default."""
    for pattern, made in SHORTHAND:
        signature = re.sub(pattern, made, signature)
    return signature if len(signature) <= LONGEST else f"{signature[: LONGEST - 3]} …)"


def _array(found):
    """``float64[:, ::1]`` for ``array(float64, 2d, C)``."""
    axes = [":"] * int(found["axes"])
    if found["layout"] in "CF":
        axes[-1 if found["layout"] == "C" else 0] = "::1"
    return f"{found['kind']}[{', '.join(axes)}]"


def _said(one):
    """The sentences about a function: what is broken of what is loud, and why something was not checked, each once."""
    place = f"{shortened(one.file)}:{one.line}" if one.file else one.name
    for name in PROPERTIES:
        seen = one.seen[name]
        if seen.verdict == BROKEN and name in LOUD:
            yield from (f"{place}: {one.name}: {text}" for text in seen.said.splitlines())
    unchecked = {}
    for name in PROPERTIES:
        if one.seen[name].verdict == NOT_CHECKED and one.seen[name].said != UNREACHED and not one.is_late:
            unchecked.setdefault(one.seen[name].said, []).append(name)
    for why, names in unchecked.items():
        yield f"{place}: {one.name}: {', '.join(names)} not checked: {why}"


def _details(one):
    """What opens below the table: the sentences and the cards of a function."""
    said = "".join(f"<p>{html.escape(text)}</p>" for text in _said(one))
    called = f"<p>{html.escape(f'called by {one.where}')}</p>" if one.where else ""
    return html.folded(f"{one.name}{one.signature}", called + said + "".join(one.cards))
