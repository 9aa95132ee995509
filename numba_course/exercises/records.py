"""What the learner has done, kept in the learner's folder as ``progress.jsonl``: one JSON object a line, oldest first.

There are five kinds of line. Fields may come in any order, and fields that a reader does not know are ignored::

    {"time": "2026-11-28T16:05:47Z", "exercise": "double", "status": "wrong", "finding": "result", "seen": "..."}
    {"time": "2026-11-28T16:07:10Z", "exercise": "double", "hint": 1}
    {"time": "2026-11-28T16:00:00Z", "learner": "Zoë Ōta"}
    {"time": "2026-11-28T16:01:12Z", "prediction": "speedup", "said": "20"}
    {"time": "2026-11-28T16:01:30Z", "prediction": "speedup", "came": "1000", "seen": "1,246"}

- A check: `status` is one of `statuses.STATUSES`, but never one of `NOT_RECORDED`; `finding` is the name
  of its first finding's requirement, such as ``race-free``, and `seen` is what that finding says. Both are empty
  where the answer is correct.
- A hint that was shown, counted from 1.
- How the learner wishes to be called; the last one counts, and there need not be any.
- A prediction: which of its choices the learner says, as a text. The last one before anything came out counts as the
  prediction, a later one as what is said afterwards.
- What came out: the choice that it amounts to, and in `seen` the figure itself.

`time` is UTC, to the second. An older folder has ``progress.json`` instead or as well: one object, from exercise
to status, without times. It is read as the oldest lines and never written.

The ``start`` command makes the file. Where there is none, as in a checkout, a record lasts as long as the session.
A line is appended in one write, so that two kernels lose nothing to each other; a line that a power cut left in
pieces is skipped when reading, kept in the file, and costs no other line. `read` gives the lines as `Event`,
`standings` and `beliefs` what they amount to, exercise by exercise and prediction by prediction.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from numba_course.exercises.examination.statuses import STATUSES

if TYPE_CHECKING:
    from numba_course.exercises.examination.verdict import Verdict

FILE = "progress.jsonl"
OLD_FILE = "progress.json"
LONGEST = 300  # characters of `seen`
NOT_RECORDED = ("not attempted", "our bug", "stopped")  # these say nothing about the learner


@dataclass(frozen=True)
class Event:
    """One line of the file; fields that it lacks are empty, `time` too in an older file."""

    time: str = ""
    exercise: str = ""
    status: str = ""
    finding: str = ""
    seen: str = ""
    hint: int = 0
    learner: str = ""
    prediction: str = ""
    said: str = ""
    came: str = ""


@dataclass(frozen=True)
class Standing:
    """Where a learner stands with one exercise.

    Attributes
    ----------
    status : str
        ``correct`` once it was solved, otherwise the status of the last check; ``not attempted`` without any.
    tries : int
        Checks up to the first that was correct.
    hints : int
        The highest number of a hint that was shown.
    findings : tuple of (str, int)
        How often each requirement was the first finding of a try.
    first, last, solved : str
        Times of the first and the last line, and of the first correct check; empty where not known.
    """

    status: str = "not attempted"
    tries: int = 0
    hints: int = 0
    findings: tuple[tuple[str, int], ...] = ()
    first: str = ""
    last: str = ""
    solved: str = ""


@dataclass(frozen=True)
class Belief:
    """What a learner said of one prediction, and what came out; choices as texts, empty where there is none.

    Attributes
    ----------
    said : str
        The last choice before anything came out.
    came : str
        The choice that came out last.
    afterwards : str
        The last choice of those said after it; empty also where it is the same as `said`.
    """

    said: str = ""
    came: str = ""
    afterwards: str = ""

    @property
    def right(self) -> bool:
        """Whether it came out as the learner said."""
        return bool(self.said) and self.said == self.came


_session: list[Event] = []  # what has no file to be kept in


def record(verdict: Verdict, folder: str | Path = ".") -> None:
    """Keep the verdict of a check. A file that cannot be written is no error."""
    if verdict.status in NOT_RECORDED:
        return
    first = verdict.findings[0] if verdict.findings else None
    seen = first.seen[:LONGEST] if first else ""
    finding = first.requirement if first else ""
    _keep(folder, exercise=verdict.exercise, status=verdict.status, finding=finding, seen=seen)


def record_hint(exercise: str, number: int) -> None:
    """Keep that a hint was shown."""
    _keep(exercise=exercise, hint=number)


def record_prediction(prediction: str, said: str) -> None:
    """Keep what was said of a prediction."""
    _keep(prediction=prediction, said=said)


def record_outcome(prediction: str, came: str, seen: str) -> None:
    """Keep what came out of it: the choice, and the figure in words."""
    _keep(prediction=prediction, came=came, seen=seen[:LONGEST])


def record_learner(name: str, folder: str | Path = ".") -> None:
    """Keep how the learner wishes to be called."""
    _keep(folder, learner=name)


def _keep(folder=".", **fields):
    """Append a line, where the folder has a record that can be written; remember it otherwise."""
    known = {name: _encodable(value) if isinstance(value, str) else value for name, value in fields.items()}
    line = {"time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), **known}
    with suppress(OSError, ValueError):  # ValueError: a path with a null character
        if is_kept(folder):
            _append(Path(folder) / FILE, line)
            return
    _session.append(_event(line))


def _encodable(text):
    """The text without halves of characters, which no file can take: they are written out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _append(path, line):
    """Append a line in one write, and wait until it is on the disk."""
    text = json.dumps(line, ensure_ascii=False) + "\n"
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
    try:
        end = os.lseek(handle, 0, os.SEEK_END)
        if end:
            os.lseek(handle, end - 1, os.SEEK_SET)
            if os.read(handle, 1) != b"\n":  # the last line was cut off: it must not swallow this one
                text = "\n" + text
        os.write(handle, text.encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def is_kept(folder: str | Path = ".") -> bool:
    """Whether the folder has a record."""
    return (Path(folder) / FILE).is_file() or (Path(folder) / OLD_FILE).is_file()


def read(folder: str | Path = ".") -> list[Event]:
    """All that can be read of the record of a learner's folder, oldest first, as a list of `Event`."""
    events = []
    with suppress(OSError, ValueError, RecursionError):
        old = json.loads(_bytes(Path(folder) / OLD_FILE))
        if isinstance(old, dict):
            events += [_event({"exercise": name, "status": status}) for name, status in old.items()]
    with suppress(OSError):
        events += parse(_bytes(Path(folder) / FILE))
    return [event for event in events if event is not None]


def _bytes(path):
    """What is in a file; nothing is waited for, as at a pipe."""
    if not path.is_file():
        raise FileNotFoundError(path)
    return path.read_bytes()


def parse(data: bytes) -> list[Event | None]:
    """The lines of a record, from its bytes, as a list of `Event`; None for each line that is none."""
    found = []
    for line in data.splitlines():
        if line.strip():
            try:
                found.append(_event(json.loads(line)))
            except (ValueError, RecursionError):
                found.append(None)
    return found


def _event(fields):
    """The event of a line's fields; None where they are not of the right types."""
    if not isinstance(fields, dict):
        return None
    known = {name: fields[name] for name in Event.__dataclass_fields__ if name in fields}
    good = all(type(value) is type(Event.__dataclass_fields__[name].default) for name, value in known.items())
    return Event(**known) if good and known else None


def standings(events: Sequence[Event]) -> dict[str, Standing]:
    """What the events amount to: from each exercise to its `Standing`."""
    found = {}
    for name in dict.fromkeys(event.exercise for event in events if event.exercise):
        own = [event for event in events if event.exercise == name]
        checks = [event for event in own if event.status]
        solved = next((n for n, event in enumerate(checks, 1) if event.status == "correct"), None)
        tries = checks[:solved]
        found[name] = Standing(
            status=tries[-1].status if tries else "not attempted",
            tries=len(tries),
            hints=max(event.hint for event in own),
            findings=tuple(Counter(event.finding for event in tries if event.finding).items()),
            first=own[0].time,
            last=own[-1].time,
            solved=tries[-1].time if solved else "",
        )
    return found


def beliefs(events: Sequence[Event]) -> dict[str, Belief]:
    """What the events amount to: from each prediction that was made to its `Belief`."""
    found: dict[str, Belief] = {}
    for event in (event for event in events if event.prediction):
        before = found.get(event.prediction, Belief())
        if event.said and not before.came:
            found[event.prediction] = Belief(event.said)
        elif event.said:
            other = event.said if event.said != before.said else ""
            found[event.prediction] = replace(before, afterwards=other)
        elif event.came and before.said:
            found[event.prediction] = replace(before, came=event.came)
    return found


def belief(prediction: str, folder: str | Path = ".") -> Belief:
    """The `Belief` of a learner's folder about one prediction."""
    return beliefs([*read(folder), *_session]).get(prediction, Belief())


def hints(exercise: str, folder: str | Path = ".") -> int:
    """The highest number of a hint for this exercise that was shown; 0 if none was."""
    return max((event.hint for event in [*read(folder), *_session] if event.exercise == exercise), default=0)


def learner(events: Sequence[Event]) -> str:
    """How the learner wishes to be called; empty where not known."""
    return next((event.learner for event in reversed(events) if event.learner), "")


@dataclass(frozen=True)
class Progress:
    """What is done, chapter by chapter.

    Attributes
    ----------
    rows : tuple of (str, str, Standing)
        Chapter, such as ``07_prange``, exercise and standing, in the order of the course.
    recent : str
        The exercise last worked on; empty if none was.
    predictions : tuple of (str, str, Belief)
        Chapter, prediction and what is known of it, in the order of the course.
    """

    rows: tuple[tuple[str, str, Standing], ...]
    recent: str = ""
    predictions: tuple[tuple[str, str, Belief], ...] = ()

    @property
    def done(self) -> int:
        """How many exercises are solved."""
        return sum(standing.status == "correct" for _, _, standing in self.rows)

    @property
    def next(self) -> tuple[str, str] | None:
        """Chapter and exercise to go on with: not solved, in the chapter last worked on or the nearest after it.

        None where all are solved.
        """
        unsolved = [(chapter, name) for chapter, name, standing in self.rows if standing.status != "correct"]
        here = next((chapter for chapter, name, _ in self.rows if name == self.recent), "")
        return next((row for row in unsolved if row[0] >= here), unsolved[0] if unsolved else None)

    def chapters(self) -> dict[str, list[tuple[str, Standing]]]:
        """From each chapter to its names and standings."""
        found = {chapter: [] for chapter in sorted({row[0] for row in (*self.rows, *self.predictions)})}
        for chapter, name, standing in self.rows:
            found[chapter].append((name, standing))
        return found

    def predicted(self, chapter: str) -> str:
        """How many of a chapter's predictions were made, and came out as said, in words; empty if it has none."""
        found = [belief for stem, _, belief in self.predictions if stem == chapter]
        made, right = sum(bool(belief.said) for belief in found), sum(belief.right for belief in found)
        return f"{made} of {len(found)} made, {right} as it turned out" if found else ""

    @property
    def title(self) -> str:
        """How many are solved, in words."""
        return f"{self.done} of {len(self.rows)} exercises solved"

    @property
    def outlook(self) -> str:
        """What is next, in words."""
        return "Next: {1}, in chapter {0}".format(*self.next) if self.next else "All of them are solved."

    def __repr__(self) -> str:
        lines = []
        for chapter, found in self.chapters().items():
            lines += [f"  {mark(s)} {chapter}: {name} ({s.status})" for name, s in found]
            lines += [f"    {chapter}: predictions: {said}"] if (said := self.predicted(chapter)) else []
        return "\n".join([self.title, *lines, self.outlook])

    def _repr_html_(self):
        from numba_course.lens import html  # and Numba with it, which a terminal need not wait for

        rows = [
            (
                html.escape(chapter),
                "<br>".join(html.mark(tone(s), f"{name}: {s.status}") for name, s in found),
                html.escape(self.predicted(chapter)),
            )
            for chapter, found in self.chapters().items()
        ]
        table = html.table(("Chapter", "Exercises", "Predictions"), rows)
        return html.card(self.title, "info", f"{table}<p>{html.escape(self.outlook)}</p>")


def tone(standing: Standing) -> str:
    """The tone of `statuses.STATUSES` for a standing; a status that it does not know is like a wrong answer."""
    return STATUSES.get(standing.status, STATUSES["wrong"])[2]


def mark(standing: Standing) -> str:
    """The icon of `statuses.STATUSES` for a standing."""
    return STATUSES.get(standing.status, STATUSES["wrong"])[0]


def summary(
    exercises: Mapping[str, Iterable[str]],
    folder: str | Path = ".",
    predictions: Mapping[str, Iterable[str]] | None = None,
) -> Progress:
    """The progress over `exercises` and `predictions`, mappings from chapter to names.

    Parameters
    ----------
    exercises : mapping of str to iterable of str
    folder : str or Path
        The learner's; what this session could not write to it counts as well.
    predictions : mapping of str to iterable of str, optional

    Returns
    -------
    Progress
    """
    events = [*read(folder), *_session]
    known, believed = standings(events), beliefs(events)
    rows = [(chapter, name, known.get(name, Standing())) for chapter, name in _pairs(exercises)]
    said = [(chapter, name, believed.get(name, Belief())) for chapter, name in _pairs(predictions or {})]
    recent = next((event.exercise for event in reversed(events) if event.exercise), "")
    return Progress(tuple(rows), recent, tuple(said))


def _pairs(names):
    """Each name of a mapping from chapter to names, with its chapter."""
    return [(chapter, name) for chapter, own in names.items() for name in own]
