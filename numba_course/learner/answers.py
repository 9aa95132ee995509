"""A learner's answers in their notebooks: all of them checked, or one exercise made new and its answer kept."""

from __future__ import annotations

import re
import tempfile
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numba_course.exercises import unknown
from numba_course.exercises.examination.verdict import Finding, Verdict
from numba_course.exercises.records import record
from numba_course.host import PROGRAM, Trouble, reason
from numba_course.learner import ipython_syntax, jupyter_servers, notebook_files
from numba_course.learner.cell_dependencies import ALL_BEFORE, Cell, is_certain, needed
from numba_course.learner.cell_runs import Plan
from numba_course.learner.global_names import bound
from numba_course.learner.notebook_files import text

if TYPE_CHECKING:
    from numba_course.exercises.question import Exercise

ALL_SECONDS = 300.0  # that all cells before an answer may take
PLACE = re.compile(r'File "([^"\n]*)", line (\d+)(, in)?')  # in a traceback, or in a compiler's message
KEPT = "answers"  # folder for what `reset` takes out


@dataclass(frozen=True)
class Answer:
    """What a learner's notebook has for an exercise: the cells up to the answer, or none if it is still the stub."""

    chapter: str
    exercise: str
    cells: tuple[Cell, ...] = ()


def collect(chapters: dict[str, dict[str, Any]], folder: Path) -> list[Answer]:
    """The answers in a learner's folder, one for each exercise of the course, in its order.

    A notebook that is not there has none.

    Raises
    ------
    Trouble
        If a notebook cannot be read.
    """
    return [
        answer
        for stem, course in chapters.items()
        for answer in _answers(stem, course, folder / f"{stem}.ipynb")
    ]


def _answers(stem, course, path):
    """The answers to the exercises of a chapter."""
    cells = _code(_read(path), course, path.name) if path.exists() else []
    for name, index in notebook_files.exercises(course).items():
        given = _binding(cells, name, course["cells"][index])
        yield Answer(stem, name, tuple(cells[: cells.index(given[-1]) + 1]) if given else ())


def _read(path):
    """The learner's notebook in a file."""
    try:
        return notebook_files.read_notebook(path)
    except ValueError as error:
        raise Trouble(f"{path} {error}; {PROGRAM} start puts that right.") from None
    except OSError as error:
        raise Trouble(reason(error)) from error


def _code(mine, course, file):
    """The cells of code in a learner's notebook, as far as they are in use."""
    delivered = {text(cell).strip() for cell in course["cells"]}
    return [
        Cell(index, file, ipython_syntax.as_python(text(cell)), text(cell).strip() not in delivered)
        for index, cell in enumerate(mine["cells"])
        if cell["cell_type"] == "code"
    ]


def _binding(cells, exercise, stub):
    """Of some cells those that bind the name of an exercise, however they do, and are not its stub: the last counts."""
    empty = text(stub).strip()
    return [cell for cell in cells if exercise in bound(cell.text) and cell.text.strip() != empty]


def verify(answer: Answer, question: Exercise | None, folder: Path) -> Verdict:
    """Check one answer in a fresh process, and keep the verdict in the folder's record.

    First with what it seems to need of the cells before it, which takes seconds. If it is not correct so, that may be
    for want of something, and if the text of a cell does not tell all that it binds, a correct one may be so by chance:
    then with all of them, and the verdict says so among what was checked.

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
    *before, last = answer.cells
    verdict, reached = _examined(answer, needed(before, last), question, folder)
    sure = verdict.status == "correct" and is_certain(answer.cells)
    if before and not sure and verdict.status != "not attempted":
        verdict = _with_all(answer, verdict, reached, question, folder)
    record(verdict, folder)
    return verdict


def _with_all(answer, first, reached, question, folder):
    """The verdict with all cells before the answer, if they come to an end; otherwise the first one, but for doubt."""
    patient = replace(question, compiling=ALL_SECONDS)
    verdict, all_reached = _examined(answer, [None] * (len(answer.cells) - 1), patient, folder)
    cells = {cell.file: cell for cell in answer.cells}
    if not all_reached.running:
        return _explained(replace(verdict, checked=(*verdict.checked, ALL_BEFORE)), cells, all_reached)
    stopped = cells[all_reached.running]
    how = f"{stopped.name} ({stopped.first_line}) did not come to its end: {verdict.findings[0].seen}"
    if first.status == "correct" and not stopped.own:
        return first  # it is the course's cell that asks for too much
    if first.status == "correct" or reached.running:
        return replace(verdict, findings=(replace(verdict.findings[0], seen=how), *verdict.findings[1:]))
    return _remarked(first, f"not checked {ALL_BEFORE}: {how}")


def _explained(verdict, cells, reached):
    """The verdict; if it is not correct, with what may be the cause: a cell that raised, a command that is not done."""
    remarks = [
        f"{cells[file].name} ({cells[file].first_line}) runs before it and ended with {error}"
        for file, error in reached.raised
        if cells[file].own
    ]
    remarks += [
        f"{command} in {cell.name} does nothing here, so what it made is missing"
        for cell in cells.values()
        for command in ipython_syntax.undone(cell.text)
    ]
    return _remarked(verdict, remarks[-1]) if remarks and verdict.status != "correct" else verdict


def _remarked(verdict, remark):
    """The verdict with a remark on its first finding."""
    first, *others = verdict.findings
    example = f" for {first.example}" if first.example else ""
    return replace(
        verdict, findings=(replace(first, seen=f"{first.seen}{example}; {remark}", example=""), *others)
    )


def _examined(answer, numbers, question, folder):
    """The verdict on an answer's cell after statements of the cells before it, and how far these came."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        files = [str(Path(place) / cell.file) for cell in answer.cells]
        for path, cell in zip(files, answer.cells, strict=True):
            Path(path).write_text(cell.text, encoding="utf-8")
        *before, last = files
        cells = list(zip(before, numbers, strict=True))
        plan = Plan(answer.exercise, str(folder.resolve()), cells, last, str(Path(place) / "reached.json"))
        program = Path(place) / f"{answer.exercise}.py"
        program.write_text(plan.program(Path(place) / "plan.json"), encoding="utf-8")
        try:
            verdict = question.examine_file(program)
        except LookupError:
            seen = f"{answer.cells[-1].name} runs, but leaves no function {answer.exercise}"
            verdict = Verdict(answer.exercise, "raised", (Finding("a function", seen),))
        reached = plan.state
    if verdict.status == "stopped":  # and so is the command
        raise KeyboardInterrupt
    findings = tuple(_placed(finding, answer.cells) for finding in verdict.findings)
    return replace(verdict, findings=findings), reached


def _placed(finding, cells):
    """The finding with the cells called by their places, and with the line of the one that it is about."""
    *_, last = by_file = {cell.file: cell for cell in cells}
    found = [
        (re.split(r"[/\\]", path)[-1], int(line), frame) for path, line, frame in PLACE.findall(finding.full)
    ]
    places = [(file, line, frame) for file, line, frame in found if file in by_file]
    finding = replace(finding, seen=_with_names(finding.seen, cells))
    if not finding.line:
        return finding
    named = [(file, line) for file, line, frame in places if not frame and line == finding.line]
    passed = [(file, line) for file, line, frame in places if file == last or not frame]
    file, line = (
        named or [each for each in passed if each == (last, finding.line)] or passed[::-1] or [(None, 0)]
    )[0]
    if file is None:
        return replace(finding, line=None, source="")
    source = _line(by_file[file], line)
    if file == last:
        return replace(finding, line=line, source=source)
    seen = f"{finding.seen} (line {line} of {by_file[file].name}: {source})"
    return replace(finding, seen=seen, line=None, source="")


def _with_names(seen, cells):
    """A sentence with the cells called by their places; a line that it ends with is said by itself."""
    for cell in cells:
        file = re.escape(cell.file)
        seen = re.sub(rf" \({file}, line \d+\)", "", seen)
        seen = re.sub(rf"(?<![^\s'\"])[^\s'\"]*{file}", lambda _, name=cell.name: name, seen)
    return seen


def _line(cell, number):
    lines = cell.text.split("\n")
    return lines[number - 1].strip() if number <= len(lines) else ""


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
    mine = _read(path)
    given = _given(mine, chapters[stem], path.name, exercise, stub)
    answer = [text(mine["cells"][place]) for place in given if text(mine["cells"][place]).strip()]
    cells = _with_stub(mine, given, exercise, stub)
    try:
        kept = _keep(folder, exercise, answer) if answer else None
        if cells != mine["cells"]:
            notebook_files.write_notebook(path, {**mine, "cells": cells})
    except OSError as error:
        raise Trouble(reason(error)) from error
    return path, kept


def _given(mine, course, file, exercise, stub):
    """Where the cells stand that an answer consists of: those that bind the name, and the stub's own if it was edited.

    A learner may have answered in a new cell below the stub, or in both.
    """
    cells, empty = _code(mine, course, file), text(stub).strip()
    own = {
        c.index for c in cells if mine["cells"][c.index].get("id") == stub["id"] and c.text.strip() != empty
    }
    return sorted(own | {cell.index for cell in _binding(cells, exercise, stub)})


def _with_stub(mine, given, exercise, stub):
    """The cells of a notebook with the stub in the place of a given answer, or before its check if there is none."""
    cells, empty = list(mine["cells"]), text(stub).strip()
    if not any(cell["cell_type"] == "code" and text(cell).strip() == empty for cell in cells):
        own = [place for place in given if cells[place].get("id") == stub["id"]]
        if given:
            place = (own or given)[0]
            cells[place] = {**cells[place], "source": stub["source"], "outputs": [], "execution_count": None}
            given = [each for each in given if each != place]
        else:
            check = notebook_files.check_cell(mine, exercise)
            cells.insert(len(cells) if check is None else check, {**stub, "id": uuid.uuid4().hex[:8]})
    return [cell for place, cell in enumerate(cells) if place not in given]


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


def _keep(folder, exercise, cells):
    """Write the cells of an answer to a file that does not exist yet; return its path."""
    (folder / KEPT).mkdir(exist_ok=True)
    path = notebook_files.free(folder / KEPT / f"{exercise}.py")
    notebook_files.write_text(path, "\n\n".join(cell.rstrip() for cell in cells) + "\n")
    return path
