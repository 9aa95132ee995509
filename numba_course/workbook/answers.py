"""A learner's answers in their notebooks: all of them checked, or one exercise made new and its answer kept."""

import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

from numba_course.exercises import unknown
from numba_course.exercises.records import record
from numba_course.exercises.verdict import Finding, Verdict
from numba_course.workbook import notebooks, running
from numba_course.workbook.environment import Trouble, reason
from numba_course.workbook.notebooks import text
from numba_course.workbook.program import program, without_magics

KEPT = "answers"  # folder for what `reset` takes out


@dataclass(frozen=True)
class Answer:
    """What a learner's notebook has for an exercise: the cells up to the answer, or none if it is still the stub."""

    chapter: str
    exercise: str
    cells: tuple[str, ...] = ()


def collect(chapters, folder):
    """The answers in a learner's folder, one for each exercise of the course, in its order.

    A notebook that is not there, or cannot be read, has none.
    """
    found = []
    for stem, course in chapters.items():
        try:
            mine = notebooks.read(folder / f"{stem}.ipynb")
        except (OSError, ValueError):
            mine = {"cells": []}
        for name, index in notebooks.exercises(course).items():
            stub = course["cells"][index]
            place = notebooks.answer_cell(mine, name, stub)
            cells = [
                without_magics(text(c)) for c in mine["cells"][: (place or 0) + 1] if c["cell_type"] == "code"
            ]
            answered = place is not None and cells[-1].strip() != text(stub).strip()
            found.append(Answer(stem, name, tuple(cells) if answered else ()))
    return found


def verify(answer, question, folder):
    """Check one answer in a fresh process, and keep the verdict in the folder's record.

    Parameters
    ----------
    answer : Answer
    question : Exercise
    folder : Path
        The learner's.

    Returns
    -------
    Verdict
    """
    if not answer.cells:
        return Verdict(answer.exercise, "not attempted")
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / f"{answer.exercise}.py"
        file.write_text(program(answer.cells), encoding="utf-8")
        try:
            verdict = question.examine_file(file)
        except LookupError:
            seen = f"the cell runs, but leaves no function {answer.exercise}"
            verdict = Verdict(answer.exercise, "raised", (Finding("a function", seen),))
    record(verdict, folder)
    return verdict


def reset(chapters, folder, exercise):
    """Put the stub of an exercise back into the learner's notebook; keep the answer that was there.

    Returns
    -------
    notebook : Path
    kept : Path or None
        File with the answer; None where there was none.

    Raises
    ------
    LookupError
        If the course has no such exercise.
    Trouble
        If the notebook cannot be read or written, or is open in JupyterLab.
    """
    stem, index = _find(chapters, exercise)
    stub, path = notebooks.empty(chapters[stem]["cells"][index]), folder / f"{stem}.ipynb"
    if path.resolve() in running.opened():
        raise Trouble(f"{path.name} is open in JupyterLab: {running.CLOSE}, and run this again.")
    try:
        mine = notebooks.read(path)
        cells, place = mine["cells"], notebooks.answer_cell(mine, exercise, stub)
        if place is None:
            check = notebooks.check_cell(mine, exercise)
            cells.insert(len(cells) if check is None else check, {**stub, "id": uuid.uuid4().hex[:8]})
            kept = None
        elif text(cells[place]).strip() == text(stub).strip():
            return path, None
        else:
            kept = _keep(folder, exercise, text(cells[place]))
            cells[place] = {**notebooks.empty(cells[place]), "source": stub["source"]}
        notebooks.write(path, mine)
    except ValueError:
        raise Trouble(f"{path} cannot be read; python3 -m numba_course start puts that right.") from None
    except OSError as error:
        raise Trouble(reason(error)) from error
    return path, kept


def _find(chapters, exercise):
    """Chapter and cell of an exercise of the course."""
    places = {
        name: (stem, index)
        for stem, notebook in chapters.items()
        for name, index in notebooks.exercises(notebook).items()
    }
    if exercise not in places:
        raise LookupError(unknown(exercise, places))
    return places[exercise]


def _keep(folder, exercise, answer):
    """Write an answer to a file that does not exist yet; return its path."""
    (folder / KEPT).mkdir(exist_ok=True)
    path = notebooks.free(folder / KEPT / f"{exercise}.py")
    notebooks.write_text(path, answer.rstrip() + "\n")
    return path
