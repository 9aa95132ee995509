"""What was found out about all functions that a program called: as a table, a page, JSON, and as what fails."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numba_course.lens import html
from numba_course.lens.properties import BROKEN, HOLDS, NOT_CHECKED
from numba_course.lens.recording.looking import PROPERTIES, UNREACHED, Looked, shortened

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
    """

    looked: tuple[Looked, ...]
    notes: tuple[str, ...] = ()

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
        return lines + [f"note: {note}" for note in self.notes]

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
        return json.dumps({"functions": functions, "notes": list(self.notes)}, indent=2)

    def properties(self) -> list[tuple[str, str]]:
        """Pairs of a name and a value, of each property of each function, for JUnit's XML."""
        return [
            (f"numba:{one.name}{one.signature}:{name}", one.seen[name].short)
            for one in self.looked
            for name in PROPERTIES
        ]

    def failures(self, wanted: Iterable[str]) -> list[str]:
        """One sentence for each function that is not as it is wanted to be; see `FAILURES`."""
        asked = [FAILURES[word] for word in wanted]
        return [
            f"{one.name}{one.signature}: {one.seen[name].said.splitlines()[0] if one.seen[name].said else verdict}"
            for one in self.looked
            for name, verdict in asked
            if one.seen[name].verdict == verdict
        ]


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
        found[one.key] = Looked(**{**vars(better), "calls": calls})
    notes = dict.fromkeys(note for report in reports for note in report.notes)
    return Report(tuple(found.values()), tuple(notes))


def _checked(one):
    """How many properties are told."""
    return sum(seen.verdict != NOT_CHECKED for seen in one.seen.values())


def _row(one):
    """The cells of a function."""
    cells = (one.seen[name].short for name in PROPERTIES)
    race, *others = cells
    calls = str(one.calls) if one.calls else "inside"
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
        if one.seen[name].verdict == NOT_CHECKED and one.seen[name].said != UNREACHED:
            unchecked.setdefault(one.seen[name].said, []).append(name)
    for why, names in unchecked.items():
        yield f"{place}: {one.name}: {', '.join(names)} not checked: {why}"


def _details(one):
    """What opens below the table: the sentences and the cards of a function."""
    said = "".join(f"<p>{html.escape(text)}</p>" for text in _said(one))
    called = f"<p>{html.escape(f'called by {one.where}')}</p>" if one.where else ""
    return html.folded(f"{one.name}{one.signature}", called + said + "".join(one.cards))
