"""A timetable for so many hours, from the minutes that the chapters give; what does not fit is listed as home work."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from numba_course.host import WrongUse
from numba_course.learner import notebook_files

# What the first two hours are best spent on, and what four, eight and sixteen hours have time for as well.
WISHES = "00 01 07 | 02 04 | 05 08 03 06 09 10 | 11 12 13"
GRID = 5  # minutes of an exercise are a multiple of it
LONGEST_SITTING, BREAK, LUNCH, LUNCH_AFTER, DAY = 90, 10, 60, 180, 480  # minutes
MOST_HOURS = 1000  # more than all chapters take
KINDS = {"teach": "teaching", "exercise": "exercises", "pause": "breaks", "spare": "questions"}


@dataclass(frozen=True)
class ChapterMinutes:
    """What a timetable needs of a chapter; `exercises` are pairs of a name and minutes."""

    number: str
    title: str
    teach: int
    exercises: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Row:
    """One line of the timetable: `begin` is in minutes since midnight, `kind` is one of `KINDS`."""

    day: int
    begin: int
    minutes: int
    kind: str
    what: str

    @property
    def time(self) -> str:
        """From when to when, as on a clock."""
        return "–".join(f"{m // 60 % 24:02}:{m % 60:02}" for m in (self.begin, self.begin + self.minutes))


@dataclass(frozen=True)
class Agenda:
    """The rows of a timetable, without a gap in a day; and for home, chapters to read and exercises by chapter."""

    rows: tuple[Row, ...]
    reading: tuple[str, ...]
    home: dict[str, tuple[str, ...]]

    def by_day(self) -> list[tuple[str, list[Row]]]:
        """The heading and the rows of each day; no heading if there is one day only."""
        days = [list(rows) for _, rows in itertools.groupby(self.rows, lambda row: row.day)]
        return [(f"Day {rows[0].day}" if len(days) > 1 else "", rows) for rows in days]

    @property
    def title(self) -> str:
        """The title of the timetable."""
        hours, minutes = divmod(sum(row.minutes for row in self.rows), 60)
        return f"Numba course: {hours} h" + (f" {minutes} min" if minutes else "")

    def remarks(self) -> Iterator[str]:
        """What the minutes are for, and what is left for home, in sentences."""
        totals = {kind: sum(row.minutes for row in self.rows if row.kind == kind) for kind in KINDS}
        yield f"Minutes: {', '.join(f'{total} of {KINDS[kind]}' for kind, total in totals.items() if total)}."
        if self.reading:
            yield f"To read at home: {'; '.join(self.reading)}."
        if self.home:
            listed = "; ".join(f"{number}: {', '.join(names)}" for number, names in self.home.items())
            yield f"Exercises for home, by chapter: {listed}."


def chapters() -> list[ChapterMinutes]:
    """The `ChapterMinutes` of this copy of the course, in its order."""
    found = []
    for stem, notebook in notebook_files.chapters().items():
        about, names = notebook["metadata"]["numba_course"], list(notebook_files.exercises(notebook))
        share = about["minutes_exercise"] / max(len(names), 1)
        ends = [GRID * round(share * n / GRID) for n in range(len(names) + 1)]
        minutes = (after - before for before, after in itertools.pairwise(ends))
        exercises = tuple(zip(names, minutes, strict=True))
        found.append(ChapterMinutes(stem[:2], about["title"], about["minutes_teach"], exercises))
    return found


def plan(chapters: Sequence[ChapterMinutes], hours: float, start: int) -> Agenda:
    """The timetable of the chapters, which are in the order of the course, for so many hours.

    Parameters
    ----------
    chapters : sequence of ChapterMinutes
    hours : float
        Above 0, breaks included: days of at most eight hours, and no more of them than there is something to do.
    start : int
        When each day begins, in minutes since midnight.

    Raises
    ------
    WrongUse
        If `hours` is no number above 0.
    """
    if not hours > 0:
        raise WrongUse(f"hours must be a number above 0, not {hours:g}.")
    minutes = max(1, int(min(hours, MOST_HOURS) * 60))
    days = -(-minutes // DAY)
    wanted = sorted((c.number for c in chapters), key=lambda n: (n not in WISHES, WISHES.find(n)))
    most = max((len(c.exercises) for c in chapters), default=0)
    done, rows = {}, _laid_out([], days, minutes // days, start)
    # A chapter with its first exercise, then second exercises, and so on; at last chapters without any.
    for count, number in itertools.product((1, *range(2, most + 1), 0), wanted):
        if (number in done) == (count > 1):
            more = done | {number: count}
            if found := _laid_out(_sessions(chapters, more), days, minutes // days, start):
                done, rows = more, found
    reading = tuple(f"{c.number} {c.title}" for c in chapters if c.number not in done)
    home = {c.number: tuple(name for name, _ in c.exercises[done.get(c.number, 0) :]) for c in chapters}
    return Agenda(tuple(rows), reading, {number: names for number, names in home.items() if names})


def _sessions(chapters, done):
    """Kind, minutes and text of what is done in class; `done` is how many exercises of which chapters."""
    for chapter in (chapter for chapter in chapters if chapter.number in done):
        yield "teach", chapter.teach, f"{chapter.number} {chapter.title}"
        if chosen := chapter.exercises[: done[chapter.number]]:
            names = ", ".join(name for name, _ in chosen)
            yield "exercise", sum(m for _, m in chosen), f"Exercise{'s' * (len(chosen) > 1)}: {names}"


def _laid_out(sessions, days, length, start):
    """The rows of these sessions, with breaks between them and all days filled; None if they do not fit."""
    rows, day, now, sitting, eaten = [], 1, 0, 0, length < 2 * LUNCH_AFTER
    for kind, minutes, what in sessions:
        lunch = not eaten and now >= LUNCH_AFTER
        pause = LUNCH if lunch else BREAK if sitting and sitting + minutes > LONGEST_SITTING else 0
        if now + pause + minutes > length:
            if day == days or minutes > length:
                return None
            rows.append(Row(day, start + now, length - now, "spare", "Questions"))
            day, now, sitting, eaten, pause = day + 1, 0, 0, length < 2 * LUNCH_AFTER, 0
        if pause:
            rows.append(Row(day, start + now, pause, "pause", "Lunch" if lunch else "Break"))
            now, sitting, eaten = now + pause, 0, eaten or lunch
        rows.append(Row(day, start + now, minutes, kind, what))
        now, sitting = now + minutes, sitting + minutes
    rows.append(Row(day, start + now, length - now, "spare", "Questions"))
    return [row for row in rows if row.minutes or row.kind != "spare"]


def as_text(agenda: Agenda) -> str:
    """The timetable for a terminal."""
    lines = [agenda.title]
    for day, rows in agenda.by_day():
        lines += ["", *([day] if day else [])]
        lines += [f"{r.time}  {r.minutes:3} min  {'   ' * (r.kind == 'exercise')}{r.what}" for r in rows]
    return "\n".join([*lines, "", *agenda.remarks()]) + "\n"


def as_markdown(agenda: Agenda) -> str:
    """The timetable as Markdown."""
    lines = [f"# {agenda.title}"]
    for day, rows in agenda.by_day():
        lines += ["", *([f"## {day}", ""] if day else []), "| Time | Minutes | |", "|---|---|---|"]
        lines += [f"| {row.time} | {row.minutes} | {row.what.replace('|', chr(92) + '|')} |" for row in rows]
    return "\n".join([*lines, *(f"\n{remark}" for remark in agenda.remarks())]) + "\n"


def as_html(agenda: Agenda) -> str:
    """The timetable as a page to print."""
    from numba_course.teaching.pages import page

    return page("agenda", agenda=agenda)


FORMATS = {"text": as_text, "markdown": as_markdown, "html": as_html}
