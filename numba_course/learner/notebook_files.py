"""A learner's notebooks as plain data: how they are read and written, and where their exercises are.

Standard library alone, so that a command that only looks at a folder answers at once.
"""

import ast
import json
import os
import re
import uuid
from importlib import resources
from pathlib import Path
from typing import Any

from numba_course.host import ROOT, Trouble

CHECK = re.compile(r"^[^#\n]*\bexercises\.(\w+)\.check\(\s*\1\s*\)", re.MULTILINE)


def course_folder() -> Path:
    """The folder of the course's notebooks: the installed package's own, otherwise the checkout's.

    Raises
    ------
    Trouble
        If neither has notebooks.
    """
    for folder in (Path(str(resources.files("numba_course"))) / "notebooks", ROOT / "notebooks"):
        if any(folder.glob("*.ipynb")):
            return folder
    raise Trouble("this installation has no notebooks; use a checkout of the course.")


def chapters() -> dict[str, dict[str, Any]]:
    """The course's notebooks in its order: from the stem, such as ``07_prange``, to the notebook."""
    return {path.stem: read_notebook(path) for path in sorted(course_folder().glob("*.ipynb"))}


def read_notebook(path: Path) -> dict[str, Any]:
    """The notebook in a file.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it holds no notebook: it was cut off, or is something else.
    """
    notebook = json.loads(path.read_bytes().decode("utf-8"))
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list) or not all(map(_is_cell, cells)) or not _has(notebook, metadata=dict):
        raise ValueError(f"{path.name} is not a notebook")
    return notebook


def _is_cell(cell):
    return _has(cell, cell_type=str, source=(str, list), metadata=dict) and all(
        isinstance(line, str) for line in cell["source"]
    )


def _has(value, **fields):
    return isinstance(value, dict) and all(isinstance(value.get(key), kind) for key, kind in fields.items())


def write_notebook(path: Path, notebook: dict[str, Any]) -> None:
    """Write a notebook, whole or not at all, and wait until it is on the disk."""
    write_text(path, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all, and wait until it is on the disk."""
    part = part_of(path)
    try:
        with open(part, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def part_of(path: Path) -> Path:
    """Where a file is written before it takes its place: not where another process may write the same file."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")


def free(path: Path) -> Path:
    """The path, or with the first number that makes it one that does not exist."""
    number, candidate = 2, path
    while candidate.exists():
        number, candidate = number + 1, path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def text(cell: dict[str, Any]) -> str:
    """The source text of a cell."""
    return "".join(cell["source"])


def empty(cell: dict[str, Any]) -> dict[str, Any]:
    """A code cell loses its outputs; any other stays."""
    if cell["cell_type"] == "code":
        cell.update(outputs=[], execution_count=None)
    return cell


def is_exercise(cell: dict[str, Any]) -> bool:
    """Whether an exercise is to be answered in this cell."""
    return "exercise" in cell["metadata"].get("tags", [])


def defined(source: str) -> list[str]:
    """The names of the functions and classes that a cell's text defines, in its order; none where it is no Python."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return re.findall(r"^(?:def|class) (\w+)", source, re.MULTILINE)
    return [s.name for s in statements if isinstance(s, ast.FunctionDef | ast.ClassDef)]


def exercises(notebook: dict[str, Any]) -> dict[str, int]:
    """The exercises of one of the course's own notebooks: from the name to the index of the stub's cell."""
    stubs = ((defined(text(cell))[-1:], n) for n, cell in enumerate(notebook["cells"]) if is_exercise(cell))
    return {name: index for names, index in stubs for name in names}


def answer_cell(notebook: dict[str, Any], exercise: str, stub: dict[str, Any]) -> int | None:
    """Where a learner's notebook answers an exercise.

    It is the cell that was delivered with the stub, wherever it stands now, if it defines the function; otherwise
    the last cell that does.

    Parameters
    ----------
    notebook : dict
        The learner's.
    exercise : str
    stub : dict
        The cell of the course's notebook.

    Returns
    -------
    int or None
    """
    code = [(n, cell) for n, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code"]
    defining = [n for n, cell in code if exercise in defined(text(cell))]
    own = [n for n, cell in code if cell.get("id") == stub["id"] and n in defining]
    return next(iter(own or defining[-1:]), None)


def check_cell(notebook: dict[str, Any], exercise: str) -> int | None:
    """The index of the first cell that checks an exercise; None if there is none."""
    cells = enumerate(notebook["cells"])
    return next(
        (n for n, c in cells if c["cell_type"] == "code" and exercise in CHECK.findall(text(c))), None
    )
