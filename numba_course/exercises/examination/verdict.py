"""What a check found, as data, as one plain line, as text and as a static card."""

from __future__ import annotations

from dataclasses import dataclass, replace

from numba_course.exercises.examination.statuses import STATUSES
from numba_course.lens import html


@dataclass(frozen=True)
class Finding:
    """One thing that is not as the exercise asks.

    Attributes
    ----------
    requirement : str
        The requirement that is not met, such as ``race-free``.
    seen : str
        What was seen, in a sentence.
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
        """The finding in one line."""
        where = f" (line {self.line}{': ' + self.source if self.source else ''})" if self.line else ""
        example = f" for {self.example}" if self.example else ""
        return f"{self.requirement}: {self.seen}{example}{where}"


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
        The first characters that the answer printed.
    """

    exercise: str
    status: str
    findings: tuple[Finding, ...] = ()
    checked: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()
    output: str = ""

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status must be one of {', '.join(STATUSES)}, not {self.status!r}")

    @property
    def passed(self) -> bool:
        """Whether the answer is correct."""
        return self.status == "correct"

    def __repr__(self) -> str:
        icon, word, _ = STATUSES[self.status]
        tail = f". {self.findings[0].sentence()}" if self.findings else ""
        return f"{icon} {self.exercise}: {word}{tail}"

    def text(self) -> str:
        """All of it in plain lines, for a terminal."""
        lines = [repr(replace(self, findings=()))]
        lines += [f"  {finding.sentence()}" for finding in self.findings]
        if self.checked and not self.findings:
            lines.append(f"  checked: {'; '.join(self.checked)}")
        if self.not_checked:
            lines.append(f"  not checked: {'; '.join(self.not_checked)}")
        if self.output:
            lines.append("  it printed:")
            lines += [f"    {line}" for line in self.output.splitlines()]
        return "\n".join(lines)

    def full(self) -> str:
        """The last failure in full: every finding with its traceback or report."""
        parts = [self.text()]
        parts += [f"{finding.requirement}\n{finding.full}" for finding in self.findings if finding.full]
        return "\n\n".join(parts)

    def _repr_html_(self):
        _, word, tone = STATUSES[self.status]
        body = "".join(_paragraph(finding) for finding in self.findings)
        if self.checked and not self.findings:
            body += _list("Checked", self.checked)
        if self.not_checked:
            body += _list("Not checked", self.not_checked)
        if self.output:
            body += f"<p>It printed:</p>{html.code(self.output)}"
        return html.card(f"{self.exercise}: {word}", tone, body)


def _paragraph(finding):
    """One finding as HTML."""
    text = f"<strong>{html.escape(finding.requirement)}</strong>: {html.escape(finding.seen)}"
    if finding.example:
        text += f"<br>Input: {html.code(finding.example)}"
    if finding.line:
        text += f"<br>Line {finding.line}: {html.code(finding.source)}"
    return f"<p>{text}</p>"


def _list(title, items):
    """A titled list as HTML."""
    return f"<p>{title}:</p><ul>{''.join(f'<li>{html.escape(item)}</li>' for item in items)}</ul>"
