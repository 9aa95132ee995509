"""What a check found, as data, as one plain line, as text and as a static card.

A card asks for about a screen: whatever an answer printed or raised is cut there, and `Verdict.left_out` has the rest,
which is cut, too, but much later. What was not met is told in two parts, what was asked and what was seen, so that
neither reads as if it were the other.
"""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from importlib import metadata
from typing import NamedTuple

from numba_course import __version__
from numba_course.exercises.examination.show import cut, one_line
from numba_course.exercises.examination.statuses import STATUSES
from numba_course.lens import html


class Room(NamedTuple):
    """How much of a text is shown."""

    characters: int
    lines: int


# A card has 40 rows at most, and 2,000 characters for a finding. A matrix of six rows fits, or two of four.
SEEN, INPUT, PRINTED = Room(1_100, 12), Room(600, 9), Room(800, 8)
CARD_ROWS = 24  # of all findings of a card
FULL = Room(20_000, 500)
NAME = Room(120, 1)  # and of a line of source
WIDTH = 100  # characters of a row on a screen, where a long line goes on in the next
WARNED, WARNING_TEXT = 3, Room(200, 1)  # warnings of Numba that are said


@dataclass(frozen=True)
class Finding:
    """One thing that is not as the exercise asks.

    Attributes
    ----------
    requirement : str
        The requirement that is not met, such as ``race-free``: what was asked.
    seen : str
        What was seen instead, in a sentence; code in backticks.
    example : str
        The smallest input that showed it, as a call's arguments; empty where no input is needed.
    line : int or None
        Line of the answer's cell or file, where known.
    source : str
        The text of that line.
    full : str
        The whole story, such as a traceback; shown by ``why()``.
    """

    requirement: str
    seen: str
    example: str = ""
    line: int | None = None
    source: str = ""
    full: str = ""

    def sentence(self) -> str:
        """The finding in one line, cut to what a card shows of it."""
        parts = [f"{label}: {one_line(text)}" for label, text, _ in _parts(self)]
        return " ".join(
            part if part.endswith((".", "?", "!", "…")) else f"{part}." for part in parts
        ).removesuffix(".")


@dataclass(frozen=True)
class Lead:
    """What a card leads on to.

    Attributes
    ----------
    text : str
        A sentence, or its beginning; code in backticks.
    link, target : str
        Text and address of a link after it; empty for none.
    folded : str
        Paragraphs that a click on the sentence opens; empty for nothing.
    """

    text: str
    link: str = ""
    target: str = ""
    folded: str = ""

    def as_html(self) -> str:
        """The lead as HTML."""
        if self.folded:
            return html.folded(self.text, html.paragraphs(self.folded))
        link = f" {html.link(self.link, self.target)}" if self.link else ""
        return f"<div>{html.prose(self.text)}{link}</div>"


@dataclass(frozen=True)
class Verdict:
    """The result of examining an answer.

    Attributes
    ----------
    exercise : str
    status : str
        One of `STATUSES`.
    findings : tuple of Finding
        Worst first; empty where the answer is correct or was not attempted.
    checked, not_checked : tuple of str
        What was looked at, and what was not or could not be.
    output : str
        The first characters that the answer printed; what Numba warned of is among them.
    leads : tuple of Lead
        Where the card leads on to.
    """

    exercise: str
    status: str
    findings: tuple[Finding, ...] = ()
    checked: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()
    output: str = ""
    leads: tuple[Lead, ...] = ()

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status must be one of {', '.join(STATUSES)}, not {self.status!r}")

    @property
    def passed(self) -> bool:
        """Whether the answer is correct."""
        return self.status == "correct"

    def __repr__(self) -> str:
        tail = f". {self.findings[0].sentence()}" if self.findings else ""
        return f"{self._title()}{tail}"

    def text(self) -> str:
        """What the card says, in plain lines for a terminal."""
        lines = [self._title()]
        for finding in self._on_card():
            lines += _lines(finding)
        lines += self._remarks()
        if self.passed and self.checked:
            lines.append(self._scope())
        if self._printed():
            lines += ["It printed:", *_indented(cut(self._printed(), *PRINTED))]
        if self.status == "our bug":
            lines += [HOW_TO_REPORT.format(where=tracker()), *_indented(self.report())]
        return "\n  ".join(lines)

    def full(self) -> str:
        """All of it: what the card says and what it leaves out."""
        return "\n\n".join(part for part in (self.text(), self.left_out()) if part)

    def left_out(self) -> str:
        """What the card leaves out; empty if nothing.

        That is what it cuts, tracebacks and reports, and for an answer that is not correct all that is asked.
        """
        shown, parts = self._on_card(), []
        for finding in self.findings:
            if finding not in shown or _parts(finding) != _parts(finding, FULL, FULL):
                parts.append("\n".join(_lines(finding, FULL, FULL)))
            if finding.full.strip():
                parts.append(f"{finding.requirement}, the whole story:\n{cut(finding.full, *FULL)}")
        printed = self._printed()
        if numba_warnings(self.output)[0] or cut(printed, *PRINTED) != cut(printed, *FULL):
            parts.append(f"All that was kept of what it printed:\n{cut(self.output, *FULL)}")
        if self.checked and not self.passed:
            parts.append(self._scope())
        return cut("\n\n".join(parts), *FULL)

    def report(self) -> str:
        """For a fault of ours: the text that whoever reports it copies. The answer itself is not in it."""
        versions = [f"numba_course {__version__}"]
        versions += [f"{name} {_version(name)}" for name in ("numba", "numpy")]
        machine = f"Python {platform.python_version()}, {platform.platform()}"
        said = [cut(finding.seen, *SEEN) for finding in self.findings]
        places = [f"at {', '.join(found)}" for f in self.findings if (found := _own_frames(f.full))]
        return "\n".join([", ".join([*versions, machine]), f"exercise {self.exercise}", *said, *places])

    def _title(self) -> str:
        icon, word, _ = STATUSES[self.status]
        return f"{icon} {self.exercise}: {word}"

    def _on_card(self):
        """The findings that the card has room for."""
        rows, shown = 0, []
        for finding in self.findings:
            rows += sum(map(_height, _lines(finding)))
            if shown and rows > CARD_ROWS:
                break
            shown.append(finding)
        return tuple(shown)

    def _remarks(self):
        """Sentences on the check, and what Numba warned of."""
        more = len(self.findings) - len(self._on_card())
        if more:
            yield f"And {more} more, which `exercises.{self.exercise}.why()` tells."
        if self.status == "stopped" and not self.findings:
            yield "You stopped the check; nothing of it is left running."
        warned, _ = numba_warnings(self.output)
        yield from (f"Numba warned: {cut(said, *WARNING_TEXT)}" for said in warned[:WARNED])
        if len(warned) > WARNED:
            yield f"Numba warned of {len(warned) - WARNED} more."

    def _printed(self):
        """What the answer itself printed."""
        return numba_warnings(self.output)[1].strip("\n")

    def _scope(self):
        """What was looked at and what was not, in a line; where something is not met, the rest may not have been."""
        done = "Looked at" if self.passed else "All that is asked"
        texts = [(done, self.checked), ("Not looked at", self.not_checked)]
        return " ".join(f"{label}: {'; '.join(items)}." for label, items in texts if items)

    def _repr_html_(self):
        _, word, tone = STATUSES[self.status]
        body = "".join(_as_html(finding) for finding in self._on_card())
        body += html.paragraphs("\n\n".join(self._remarks()))
        if self._printed():
            body += html.paragraphs("It printed:") + html.code(cut(self._printed(), *PRINTED))
        if self.status == "our bug":
            body += html.paragraphs(HOW_TO_REPORT.format(where=tracker())) + html.code(self.report())
        body += "".join(lead.as_html() for lead in self.leads)
        if self.passed and self.checked:
            body += html.folded("What was looked at, and what was not", html.paragraphs(self._scope()))
        return html.card(f"{self.exercise}: {word}", tone, body)


# ---- a finding in parts


def _parts(finding, seen=SEEN, example=INPUT):
    """What a finding tells, cut to the room for what was seen and for the input.

    Triples of a label, a text, and whether that is code.
    """
    parts = [] if finding.requirement == "our bug" else [("Asked", cut(finding.requirement, *NAME), False)]
    parts.append(("Seen", cut(finding.seen, *seen), False))
    if finding.example:
        parts.append(("Input", cut(finding.example, *example), True))
    if finding.line and finding.source.strip():
        parts.append((f"Line {finding.line}", cut(finding.source.strip(), *NAME), True))
    return parts


def _lines(finding, *rooms):
    """A finding as plain lines, of which the texts begin one below the other."""
    parts = _parts(finding, *rooms)
    widest = max(len(label) for label, _, _ in parts) + 2
    for label, text, _ in parts:
        first, *others = text.split("\n")
        yield f"{f'{label}:'.ljust(widest)}{first}".rstrip()
        yield from (" " * widest + other for other in others)


def _as_html(finding):
    """A finding as HTML."""
    return html.fields(
        (label, html.code(text) if is_code else html.prose(text)) for label, text, is_code in _parts(finding)
    )


def _indented(text):
    """The lines of a text, further in."""
    return [f"  {line}" for line in text.split("\n")]


def _height(line):
    """Rows of a screen that a line fills."""
    return 1 + len(line) // WIDTH


# ---- what Numba warns of

# A warning as Python prints it: place, kind and message, sometimes with advice and a piece of the source, and at last
# the line that is about to be run.
WARNING = re.compile(
    r"""
    ^(?P<path>.*):(?P<line>\d+):\ Numba\w*Warning:\s*
    (?P<said>\S.*)\n?
    (?:
        (?:(?!.*:\d+:\ \w*Warning:).*\n){0,8}?
        File\ "(?P<file>[^"]+)",\ line\ (?P<inside>\d+):\n
        (?:.*\n){0,12}?
        (?:[ ]*\^\n|<source\ missing.*\n|\Z)\n?
    )?
    (?:[ ]{2}.*(?:\n|\Z))?
    """,
    re.MULTILINE | re.VERBOSE,
)


def numba_warnings(output: str) -> tuple[list[str], str]:
    """What Numba warned of in an answer's output, a sentence each and each once; and the output without that."""
    beginning, rest = output[: FULL.characters], output[FULL.characters :]
    found = [_warned(match) for match in WARNING.finditer(beginning)]
    return list(dict.fromkeys(found)), WARNING.sub("", beginning) + rest


def _warned(match):
    """A warning as a sentence, with the line of the answer where it is about one."""
    path, line = (match["file"], match["inside"]) if match["inside"] else (match["path"], match["line"])
    where = "" if "site-packages" in path else f" (line {line})"
    return f"{match['said'].strip().removesuffix('.')}{where}."


# ---- a fault of ours

OWN_FRAMES = 4  # that a report names
OWN_FRAME = re.compile(r'File ".*[/\\]numba_course[/\\](?P<file>[^"]+)", line (?P<line>\d+)')
HOW_TO_REPORT = "This is a fault of the course, not of your answer. Please send this text to {where}:"


def tracker() -> str:
    """Where faults of the course are reported: its issue tracker, if the installed package names one."""
    try:
        entries = metadata.metadata("numba-course").get_all("Project-URL") or ()
    except metadata.PackageNotFoundError:
        entries = ()
    links = (entry.partition(", ") for entry in entries)
    found = [url for label, _, url in links if re.search(r"(?i)issue|bug|tracker", label)]
    return found[0] if found else "your instructor, or to whoever gave you the course"


def _version(name):
    """The version of an installed package."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "of unknown version"


def _own_frames(traceback):
    """The innermost places of ours that a traceback names."""
    found = [f"{match['file']}:{match['line']}" for match in OWN_FRAME.finditer(traceback)]
    return found[-OWN_FRAMES:]
