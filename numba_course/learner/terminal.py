"""What the commands show in a terminal: tables and bars, in colour where there is any, and never by colour alone.

Words have the terminal's own colour: which others can be read on its ground, only its owner knows.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from rich import box
from rich.console import Console
from rich.progress import track
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from numba_course.exercises.examination.statuses import STATUSES
from numba_course.host import as_called
from numba_course.learner.cell_dependencies import ALL_BEFORE
from numba_course.learner.doctor import plain

if TYPE_CHECKING:
    from numba_course.exercises.examination.verdict import Verdict
    from numba_course.exercises.records import Progress
    from numba_course.learner.doctor import Diagnosis

Item = TypeVar("Item")
COLOURS = {"good": "green", "bad": "red", "warn": "yellow", "info": "blue", "plain": "magenta"}


class Terminal(Console):
    """Where commands show something; of a reader who has gone the command line hears."""

    def on_broken_pipe(self) -> None:
        """Called where Rich has caught a BrokenPipeError."""
        raise


def console() -> Console:
    """The terminal, which shows texts as they are, and breaks no line of ours where none is.

    One that knows fewer signs gets them written out; where there is none, nothing is shown.
    """
    if sys.stdout is None:
        return Terminal(file=open(os.devnull, "w", encoding="utf-8"))  # until the command ends
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    return Terminal(markup=False, highlight=False, soft_wrap=not sys.stdout.isatty())


def progress(console: Console, found: Progress) -> None:
    """Show a `records.Progress`, chapter by chapter."""
    table = Table(box=box.SIMPLE_HEAD, title=found.title, title_justify="left")
    for header in ("chapter", "", "solved", "exercises"):
        table.add_column(header)
    for chapter, rows in found.chapters().items():
        solved = sum(standing.status == "correct" for _, standing in rows)
        names = [_status(name, standing.status, standing.tries) for name, standing in rows]
        if said := found.predicted(chapter):
            names.append(Text(f"predictions: {said}"))
        bar = (ProgressBar(len(rows), solved, width=10), f"{solved} of {len(rows)}") if rows else ("", "")
        table.add_row(chapter, *bar, Text("\n").join(names))
    console.print(table)
    console.print(found.outlook)


def _status(text, status, tries=0):
    """A text with the icon and the colour of a status, and the number of tries where it took more than one."""
    icon, _, tone = STATUSES.get(status, STATUSES["wrong"])
    return _marked(icon, text + (f" ({tries} tries)" if tries > 1 else ""), tone)


def _marked(icon, text, tone):
    """A text after its icon, which has the colour of the tone."""
    return Text.assemble((icon, f"bold {COLOURS[tone]}"), f" {text}")


def verdict(console: Console, found: Verdict) -> None:
    """Show a `Verdict` in full."""
    title, _, rest = found.text().partition("\n")
    icon, _, tone = STATUSES[found.status]
    console.print(_marked(icon, title.removeprefix(f"{icon} "), tone), style="bold")
    if rest:
        console.print(Text(rest))


def verdicts(console: Console, found: Collection[tuple[str, Verdict]]) -> None:
    """Show pairs of chapter and `Verdict`, without those that were not attempted: each with its first finding."""
    attempted = [(chapter, each) for chapter, each in found if each.status != "not attempted"]
    for chapter, each in attempted:
        icon, word, tone = STATUSES[each.status]
        place = f"chapter {chapter}, {ALL_BEFORE}" if ALL_BEFORE in each.checked else f"chapter {chapter}"
        console.print(_marked(icon, f"{each.exercise}: {word} ({place})", tone))
        for finding in each.findings[:1]:
            console.print(Text(f"  {finding.sentence()}"))
    right, given = sum(each.passed for _, each in attempted), len(attempted)
    console.print(
        f"{right} of {given} answers are correct; {len(found) - given} exercises are not answered yet."
    )


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """The exit code of a command that checked answers.

    0, 1 for one that is not correct, 3 for a fault of ours, 130 where it was stopped.
    """
    statuses = {verdict.status for verdict in verdicts} - {"not attempted"}
    if "stopped" in statuses:
        return 130
    return 3 if "our bug" in statuses else 1 if statuses - {"correct"} else 0


def watched(console: Console, items: Sequence[Item]) -> Iterable[Item]:
    """The items one after the other, with a bar in the terminal meanwhile."""
    return track(items, "checking", console=console, transient=True, disable=not console.is_terminal)


def diagnosis(console: Console, found: Diagnosis) -> None:
    """Show a `doctor.Diagnosis`."""
    for line in found.lines:
        icon, _, _ = next(entry for entry in STATUSES.values() if entry[2] == line.tone)
        console.print(_marked(icon, f"{line.topic:10} {plain(line.seen)}", line.tone))
        for cure in line.cures:
            console.print(f"  {'':10} → {as_called(cure)}")
    if not found.healthy:
        console.print(
            "Some of this must be mended first. For help, send the text that doctor --report prints."
        )
