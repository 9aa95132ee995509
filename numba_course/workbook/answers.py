"""A learner's answers in their notebooks: all of them checked, or one exercise made new and its answer kept."""

import ast
import dis
import re
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

from numba_course.exercises.records import record
from numba_course.exercises.verdict import Finding, Verdict
from numba_course.workbook import notebooks
from numba_course.workbook.environment import Trouble, reason
from numba_course.workbook.notebooks import text

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


def program(cells):
    """The last cell as a program of its own: before it, of the other cells, the statements that it needs.

    These are the imports, functions and assignments that bind a global name which it reads, or which they read in
    turn. What a cell only shows, measures or changes in place does not run.
    """
    *before, last = (statements(cell) for cell in cells)
    candidates = [statement for found in before for statement in found]
    needed, chosen = _names(last, "LOAD"), set()
    while True:
        more = {n for n, s in enumerate(candidates) if n not in chosen and _names([s], "STORE") & needed}
        if not more:
            break
        chosen |= more
        needed |= _names([candidates[n] for n in more], "LOAD")
    lines = [ast.unparse(candidates[n]) for n in sorted(chosen)]
    return "\n".join([*lines, cells[-1]]) + "\n"


def without_magics(cell):
    """A cell's text with nothing done where it had a command for IPython or for the system."""
    return re.sub(r"^(\s*)[%!].*", r"\1pass", cell, flags=re.MULTILINE)


def statements(cell):
    """The statements of a cell's text; none where it is no Python."""
    try:
        return ast.parse(cell).body
    except SyntaxError:
        return []


def _names(found, kind):
    """The global names that statements load or store, in functions as well."""
    waiting, names = [compile(ast.Module(list(found), []), "<cell>", "exec")], set()
    while waiting:
        code = waiting.pop()
        waiting += [constant for constant in code.co_consts if hasattr(constant, "co_code")]
        for step in dis.get_instructions(code):
            if step.opname.startswith(kind) and ("NAME" in step.opname or "GLOBAL" in step.opname):
                names.add(step.argval)
    return names


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
        If the notebook cannot be read or written.
    """
    stem, index = _find(chapters, exercise)
    stub, path = notebooks.empty(chapters[stem]["cells"][index]), folder / f"{stem}.ipynb"
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
    for stem, notebook in chapters.items():
        if exercise in (found := notebooks.exercises(notebook)):
            return stem, found[exercise]
    raise LookupError(f"there is no exercise {exercise}")


def _keep(folder, exercise, answer):
    """Write an answer to a file that does not exist yet; return its path."""
    (folder / KEPT).mkdir(exist_ok=True)
    path = notebooks.free(folder / KEPT / f"{exercise}.py")
    notebooks.write_text(path, answer.rstrip() + "\n")
    return path
