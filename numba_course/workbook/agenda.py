"""A timetable for so many hours, from the minutes that the chapters themselves give.

What does not fit is not squeezed in silently. Exercises go home first, the last of each chapter before the
first; where the hours are still too short, the teaching is cut, and the timetable says by how much.
"""

import itertools
from dataclasses import dataclass

from numba_course.workbook import notebooks
from numba_course.workbook.environment import Trouble

CUTS = {2: "00 01 02 07", 4: "00 01 02 04 05 07 08", 8: "00 01 02 03 04 05 06 07 08 09 10"}
CUTS[16] = CUTS[8] + " 11 12 13"
GRID = 5  # everything begins at a full five minutes
LONGEST_SITTING, BREAK, LUNCH, LUNCH_AFTER, DAY = 90, 10, 60, 195, 480  # minutes


@dataclass(frozen=True)
class Chapter:
    """What a timetable needs of a chapter; `exercises` are pairs of a name and minutes."""

    number: str
    title: str
    teach: int
    exercises: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Row:
    """One line of the timetable; times are minutes since midnight."""

    day: int
    begin: int
    minutes: int
    kind: str  # teach, exercise, pause or spare
    what: str

    @property
    def time(self):
        """From when to when, as on a clock."""
        return f"{clock(self.begin)}–{clock(self.begin + self.minutes)}"


@dataclass(frozen=True)
class Agenda:
    """A timetable and what must be said about it.

    Attributes
    ----------
    hours, days : int
    rows : tuple of Row
    share : int
        Percent of the chapters' teaching minutes that there is time for.
    home : dict of str to tuple of str
        From the number of a chapter to its exercises that are to be taken home.
    missing : tuple of str
        Numbers of chapters that belong to the cut, but not to this copy of the course.
    """

    hours: int
    days: int
    rows: tuple[Row, ...]
    share: int
    home: dict[str, tuple[str, ...]]
    missing: tuple[str, ...]

    @property
    def title(self):
        """The title of the timetable."""
        return f"Numba course: {self.hours} hours" + (f" on {self.days} days" if self.days > 1 else "")

    def remarks(self):
        """What does not fit, in sentences."""
        if self.share < 100:
            yield (
                f"The hours are short: there is time for {self.share} % of the chapters' teaching. What each chapter "
                "can do without is in its notes (numba-course notes CHAPTER)."
            )
        if home := "; ".join(f"{number}: {', '.join(names)}" for number, names in self.home.items()):
            yield f"To take home, by chapter: {home}."
        if self.missing:
            yield f"Left out, because this copy of the course does not have them: chapters {', '.join(self.missing)}."


def clock(minutes):
    """Minutes since midnight as on a clock."""
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def chapters():
    """The chapters of this copy of the course, by number."""
    found = {}
    for stem, notebook in notebooks.chapters().items():
        about, names = notebook["metadata"]["numba_course"], list(notebooks.exercises(notebook))
        ends = (
            [rounded(about["minutes_exercise"] * n / len(names)) for n in range(len(names) + 1)]
            if names
            else []
        )
        shares = tuple(
            zip(names, (after - before for before, after in itertools.pairwise(ends)), strict=True)
        )
        found[stem[:2]] = Chapter(stem[:2], about["title"], about["minutes_teach"], shares)
    return found


def rounded(minutes):
    """Minutes to the full five."""
    return GRID * round(minutes / GRID)


def plan(known, hours, start):
    """The best timetable that fits.

    Parameters
    ----------
    known : dict of str to Chapter
        The chapters there are, by number.
    hours : int
        One of `CUTS`; breaks included.
    start : int
        When each day begins, in minutes since midnight.

    Raises
    ------
    Trouble
        If not even half of the teaching fits.
    """
    wanted = CUTS[hours].split()
    cut = [known[number] for number in wanted if number in known]
    missing = tuple(number for number in wanted if number not in known)
    days = -(-hours * 60 // DAY)
    for share, count in _attempts(cut):
        rows = _lay_out(_blocks(cut, share, count), days, hours * 60 // days, start)
        if rows:
            home = {c.number: tuple(name for name, _ in c.exercises[count[c.number] :]) for c in cut}
            home = {number: names for number, names in home.items() if names}
            taught = sum(row.minutes for row in rows if row.kind == "teach")
            share = round(100 * taught / sum(chapter.teach for chapter in cut))
            return Agenda(hours, days, tuple(rows), share, home, missing)
    raise Trouble(f"the chapters of this copy do not fit into {hours} hours.")


def _attempts(cut):
    """Percent of the teaching, and how many exercises of each chapter, the most wanted first."""
    turns = [(turn, c.number) for c in cut for turn in range(len(c.exercises))]
    order = [number for _, number in sorted(turns)]
    first = sum(turn == 0 for turn, _ in turns)
    for taken in range(len(order), first - 1, -1):
        yield 100, {c.number: order[:taken].count(c.number) for c in cut}
    for share in range(95, 45, -5):
        yield share, {c.number: min(1, len(c.exercises)) for c in cut}


def _blocks(cut, share, count):
    """What is done in class, as (kind, minutes, text)."""
    for chapter in cut:
        minutes = max(GRID, rounded(chapter.teach * share / 100))
        yield "teach", minutes, f"{chapter.number} {chapter.title}"
        taken = chapter.exercises[: count[chapter.number]]
        if taken:
            names = ", ".join(name for name, _ in taken)
            yield "exercise", sum(m for _, m in taken), f"Exercise{'s' if len(taken) > 1 else ''}: {names}"


def _lay_out(blocks, days, length, start):
    """The rows of all days; None if the blocks do not fit."""
    rows, day, now, sitting, eaten = [], 1, start, 0, length < 2 * LUNCH_AFTER
    for kind, minutes, what in blocks:
        lunch = not eaten and now - start >= LUNCH_AFTER
        if sitting and (lunch or sitting + minutes > LONGEST_SITTING):
            pause = LUNCH if lunch else BREAK
            if now + pause + minutes <= start + length:
                rows.append(Row(day, now, pause, "pause", _pause(now, lunch)))
            eaten, now, sitting = eaten or lunch, now + pause, 0
        if now + minutes > start + length:
            day, now, sitting, eaten = day + 1, start, 0, length < 2 * LUNCH_AFTER
        if day > days:
            return None
        rows.append(Row(day, now, minutes, kind, what))
        now, sitting = now + minutes, sitting + minutes
    if left := start + length - now:
        rows.append(Row(day, now, left, "spare", "Questions, and what is left of the exercises"))
    return rows


def _pause(now, long):
    if not long:
        return "Break"
    return "Lunch" if 11 * 60 <= now % (24 * 60) <= 14 * 60 else "Long break"


def as_text(agenda):
    """The timetable for a terminal."""
    lines = [agenda.title]
    for day, rows in _by_day(agenda):
        lines += ["", *([f"Day {day}"] if agenda.days > 1 else [])]
        lines += [
            f"{row.time}  {row.minutes:3} min  {'   ' * (row.kind == 'exercise')}{row.what}" for row in rows
        ]
    return "\n".join([*lines, "", *agenda.remarks()]).rstrip() + "\n"


def as_markdown(agenda):
    """The timetable as Markdown."""
    lines = [f"# {agenda.title}"]
    for day, rows in _by_day(agenda):
        lines += ["", *([f"## Day {day}", ""] if agenda.days > 1 else [])]
        lines += ["| Time | Minutes | |", "|---|---|---|"]
        lines += [f"| {row.time} | {row.minutes} | {row.what.replace('|', chr(92) + '|')} |" for row in rows]
    return "\n".join([*lines, *(f"\n{remark}" for remark in agenda.remarks())]) + "\n"


def as_html(agenda):
    """The timetable as a page to print."""
    from numba_course.workbook.pages import page

    return page("agenda", agenda=agenda, days=list(_by_day(agenda)))


FORMATS = {"text": as_text, "markdown": as_markdown, "html": as_html}


def _by_day(agenda):
    return [(day, list(rows)) for day, rows in itertools.groupby(agenda.rows, lambda row: row.day)]
