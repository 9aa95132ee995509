"""How a class stands, from the records that its learners hand in: who is stuck where, and what was believed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from numba_course.exercises import records
from numba_course.exercises.examination.statuses import STATUSES
from numba_course.host import Trouble
from numba_course.learner import notebook_files
from numba_course.teaching.pages import page

STUCK = 3  # tries without success
COMMON = 3  # wrong answers that are shown for each exercise
LARGEST = 16 << 20  # bytes of a record
LONGEST = records.LONGEST  # characters that are shown of any text in one


@dataclass(frozen=True)
class Learner:
    """One record: how its learner is called, the standing with each exercise tried, and what was predicted."""

    name: str
    events: tuple[records.Event, ...]
    standings: dict[str, records.Standing]
    beliefs: dict[str, records.Belief]

    @property
    def solved(self) -> set[str]:
        """Names of the exercises that are solved."""
        return {name for name, standing in self.standings.items() if standing.status == "correct"}


def page_of(folder: Path, names: bool = True) -> str:
    """The class whose records are in a folder or in folders of it, as a page.

    Parameters
    ----------
    folder : Path
        Any files ``*.jsonl`` in it or below it, and any older ``progress.json``, one for each learner.
    names : bool
        Whether the page may say who is who.

    Raises
    ------
    Trouble
        If there is no record.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and _is_record(path))
    if not files:
        raise Trouble(
            f"{folder} has no records: collect each learner's {records.FILE}, in folders or renamed."
        )
    learners, broken = [], []
    for number, path in enumerate(files, 1):
        events, complaint = _read(path)
        name = records.learner(events) if names else ""
        if complaint:
            broken.append(
                f"{_text(str(path.relative_to(folder))) if names else f'File {number}'}: {complaint}"
            )
        if events:
            name = name or f"Learner {number}"
            learners.append(Learner(name, tuple(events), records.standings(events), records.beliefs(events)))
    books = notebook_files.chapters()
    course = {stem: list(notebook_files.exercises(book)) for stem, book in books.items()}
    known = [name for names in course.values() for name in names]
    tried = dict.fromkeys(name for learner in learners for name in learner.standings)
    return page(
        "class",
        learners=learners,
        broken=broken,
        exercises=[
            _exercise(name, learners)
            for name in [*known, *(n for n in tried if n not in known)]
            if name in tried
        ],
        predictions=list(_predictions(notebook_files.predictions(books), learners)),
        stuck=sorted(_stuck(learners), key=lambda row: -row[2].tries),
        chapters={stem: names for stem, names in course.items() if names},
    )


def _is_record(path):
    """Whether a file is a learner's; an older one beside a newer one is read with it."""
    return path.suffix == ".jsonl" or (
        path.name == records.OLD_FILE and not path.with_name(records.FILE).is_file()
    )


def _read(path):
    """The events of a file, and what is wrong with it."""
    own = path.name in (records.FILE, records.OLD_FILE)
    for each in map(path.with_name, (records.FILE, records.OLD_FILE) if own else (path.name,)):
        if complaint := _unfit(each):
            return [], complaint
    try:
        lines = records.parse(path.read_bytes()) if path.suffix == ".jsonl" else []
    except OSError as error:
        return [], f"cannot be read: {error.strerror}"
    events = records.read(path.parent) if own else [event for event in lines if event]
    lost = lines.count(None)
    if not events:
        return [], "has nothing in it that is of a record"
    return list(map(_shown, events)), f"{lost} of its {len(lines)} lines cannot be read" if lost else ""


def _unfit(path):
    """Why a file is not to be read: a pipe would keep us waiting, and a device never ends. Empty if it may be."""
    if path.exists() and not path.is_file():
        return f"{path.name} is no file"
    if path.exists() and path.stat().st_size > LARGEST:
        return f"is larger than {LARGEST >> 20} MB, as no record is"
    return ""


def _shown(event):
    """An event with texts that a page can show: JSON can hold what UTF-8 cannot, and as much as there is room for."""
    return replace(event, **{name: _text(value) for name, value in vars(event).items() if type(value) is str})


def _text(value):
    return value[:LONGEST].encode("utf-8", "replace").decode("utf-8")


def _stuck(learners):
    """Rows of learner, exercise, standing and the last finding."""
    for learner in learners:
        for exercise, standing in learner.standings.items():
            if standing.tries >= STUCK and standing.status != "correct":
                last = [event for event in learner.events if event.exercise == exercise and event.status][-1]
                yield learner.name, exercise, standing, _finding(last)


def _exercise(name, learners):
    """What the class did with one exercise."""
    standings = [learner.standings[name] for learner in learners if name in learner.standings]
    solved = [standing.tries for standing in standings if standing.status == "correct"]
    wrong = Counter(
        finding
        for learner in learners
        for finding in {
            _finding(e) for e in learner.events if e.exercise == name and e.status not in ("", "correct")
        }
    )
    return {
        "name": name,
        "tried": len(standings),
        "solved": len(solved),
        "tries": median(solved) if solved else None,
        "hints": sum(standing.hints > 0 for standing in standings),
        "wrong": wrong.most_common(COMMON),
    }


def _predictions(course, learners):
    """What the class believed, prediction by prediction, those that this version of the course lacks at the end."""
    asked = {name: question for questions in course.values() for name, question in questions.items()}
    made = dict.fromkeys(name for learner in learners for name in learner.beliefs)
    for name in (*(n for n in asked if n in made), *(n for n in made if n not in asked)):
        question = asked.get(name, {"question": "", "choices": []})
        found = [learner.beliefs[name] for learner in learners if name in learner.beliefs]
        yield {
            "name": name,
            "question": question["question"],
            "made": len(found),
            "said": _counted(question["choices"], [belief.said for belief in found]),
            "came": _counted((), [belief.came for belief in found]),
            "right": sum(belief.right for belief in found),
            "afterwards": _counted((), [belief.afterwards for belief in found]),
        }


def _counted(choices, said):
    """How many said what: first the choices, in their order and also where nobody did, then the most common."""
    count = Counter(filter(None, said))
    others = [each for each in count.most_common() if each[0] not in choices]
    return [*((choice, count[choice]) for choice in choices), *others]


def _finding(event):
    """What a check found, in words."""
    status = STATUSES.get(event.status, ("", event.status))[1]
    return ": ".join(part for part in (event.finding or status, event.seen) if part)
