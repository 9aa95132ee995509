"""A learner's answers in their notebooks: all of them checked, or one exercise made new and its answer kept."""

from __future__ import annotations

import tempfile
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numba_course.exercises import unknown
from numba_course.exercises.examination.verdict import Finding, Verdict
from numba_course.exercises.records import record
from numba_course.host import Trouble, reason
from numba_course.learner import jupyter_servers, notebook_files
from numba_course.learner.cell_dependencies import (
    ALL_BEFORE,
    after_future_imports,
    call_of_run_cells,
    needed,
    without_magics,
)
from numba_course.learner.notebook_files import text

if TYPE_CHECKING:
    from numba_course.exercises.question import Exercise

ALL_SECONDS = 300.0  # that all cells before an answer may take
KEPT = "answers"  # folder for what `reset` takes out


@dataclass(frozen=True)
class Answer:
    """What a learner's notebook has for an exercise: the cells up to the answer, or none if it is still the stub."""

    chapter: str
    exercise: str
    cells: tuple[str, ...] = ()


def collect(chapters: dict[str, dict[str, Any]], folder: Path) -> list[Answer]:
    """The answers in a learner's folder, one for each exercise of the course, in its order.

    A notebook that is not there, or cannot be read, has none.
    """
    found = []
    for stem, course in chapters.items():
        try:
            mine = notebook_files.read_notebook(folder / f"{stem}.ipynb")
        except (OSError, ValueError):
            mine = {"cells": []}
        for name, index in notebook_files.exercises(course).items():
            stub = course["cells"][index]
            place = notebook_files.answer_cell(mine, name, stub)
            cells = [
                without_magics(text(c)) for c in mine["cells"][: (place or 0) + 1] if c["cell_type"] == "code"
            ]
            answered = place is not None and cells[-1].strip() != text(stub).strip()
            found.append(Answer(stem, name, tuple(cells) if answered else ()))
    return found


def verify(answer: Answer, question: Exercise | None, folder: Path) -> Verdict:
    """Check one answer in a fresh process, and keep the verdict in the folder's record.

    First with what it seems to need of the cells before it, which takes seconds. If it is not correct so, that may be
    for want of something: then with all of them, and the verdict says so among what was checked.

    Parameters
    ----------
    answer : Answer
    question : Exercise or None
        None where nothing is answered: its chapter need not be loaded.
    folder : Path
        The learner's.

    Returns
    -------
    Verdict
    """
    if question is None or not answer.cells:
        return Verdict(answer.exercise, "not attempted")
    before = answer.cells[:-1]
    verdict, _ = _examined(answer, [needed(answer.cells)], question, folder)
    if before and verdict.status not in ("correct", "not attempted"):
        patient = replace(question, compiling=ALL_SECONDS)
        other, ended = _examined(answer, before, patient, folder)
        verdict = replace(other, checked=(*other.checked, ALL_BEFORE)) if ended else _in_doubt(verdict)
    record(verdict, folder)
    return verdict


def _examined(answer, before, question, folder):
    """The verdict on an answer's cell after other cells, and whether these came to an end."""
    with tempfile.TemporaryDirectory() as place:
        done, file = Path(place) / "done", Path(place) / f"{answer.exercise}.py"
        files = [Path(place) / f"cell_{number}.py" for number in range(len(before))]
        for path, cell in zip(files, before, strict=True):
            path.write_text(cell, encoding="utf-8")
        call = call_of_run_cells(files, folder.resolve(), done)
        first, rest = after_future_imports(answer.cells[-1])
        file.write_text(f"{first}{call}{rest}\n", encoding="utf-8")
        try:
            verdict = question.examine_file(file)
        except LookupError:
            seen = f"the cell runs, but leaves no function {answer.exercise}"
            verdict = Verdict(answer.exercise, "raised", (Finding("a function", seen),))
        ended = done.exists()
    findings = tuple(_of_the_cell(finding, call.count("\n")) for finding in verdict.findings)
    return replace(verdict, findings=findings), ended


def _of_the_cell(finding, above):
    """The finding with its line counted from the cell's first; without a line that stands above it."""
    if (finding.line or 0) <= above:
        return replace(finding, line=None, source="")
    return replace(finding, line=finding.line - above)


def _in_doubt(verdict):
    """The verdict with a remark that it might be another one after all cells."""
    first, *others = verdict.findings
    first = replace(first, seen=f"{first.seen}; not checked {ALL_BEFORE}: they did not come to their end")
    return replace(verdict, findings=(first, *others))


def reset(chapters: dict[str, dict[str, Any]], folder: Path, exercise: str) -> tuple[Path, Path | None]:
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
    stub, path = notebook_files.empty(chapters[stem]["cells"][index]), folder / f"{stem}.ipynb"
    if path.resolve() in jupyter_servers.opened():
        raise Trouble(f"{path.name} is open in JupyterLab: {jupyter_servers.CLOSE}, and run this again.")
    try:
        mine = notebook_files.read_notebook(path)
        cells, place = mine["cells"], notebook_files.answer_cell(mine, exercise, stub)
        if place is None:
            check = notebook_files.check_cell(mine, exercise)
            cells.insert(len(cells) if check is None else check, {**stub, "id": uuid.uuid4().hex[:8]})
            kept = None
        elif text(cells[place]).strip() == text(stub).strip():
            return path, None
        else:
            kept = _keep(folder, exercise, text(cells[place]))
            cells[place] = {**notebook_files.empty(cells[place]), "source": stub["source"]}
        notebook_files.write_notebook(path, mine)
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
        for name, index in notebook_files.exercises(notebook).items()
    }
    if exercise not in places:
        raise LookupError(unknown(exercise, places))
    return places[exercise]


def _keep(folder, exercise, answer):
    """Write an answer to a file that does not exist yet; return its path."""
    (folder / KEPT).mkdir(exist_ok=True)
    path = notebook_files.free(folder / KEPT / f"{exercise}.py")
    notebook_files.write_text(path, answer.rstrip() + "\n")
    return path
