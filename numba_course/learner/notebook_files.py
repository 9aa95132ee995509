"""A learner's notebooks as plain data: how they are read and written, and where their exercises are.

Standard library alone, so that a command that only looks at a folder answers at once.
"""

import errno
import json
import os
import re
import uuid
from importlib import resources
from pathlib import Path
from typing import Any

from numba_course.host import ROOT, Trouble
from numba_course.learner.global_names import bound

LARGEST = 256 << 20  # bytes of a notebook
PREDICTED = re.compile(r"^[^#\n]*\bpredict\.(\w+)\(", re.MULTILINE)
OUTCOME = re.compile(r"^[^#\n]*\bpredict\.(\w+)\.outcome\(", re.MULTILINE)
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
    """The notebook in a file, which anybody may have written.

    Raises
    ------
    OSError
        If the file cannot be read, is no file at all, or is larger than any notebook.
    ValueError
        If it holds no notebook: it was cut off, or is something else. The message says what is wrong, in words that
        follow the name of the file.
    """
    try:
        notebook = json.loads(content(path, LARGEST).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 (byte {error.start + 1})") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON (line {error.lineno}: {error.msg})") from None
    except (RecursionError, ValueError):  # nested too deeply, or a number of thousands of digits
        raise ValueError("is no notebook") from None
    if not _has(notebook, cells=list, metadata=dict):
        raise ValueError("is no notebook: it has no cells, or nothing about itself")
    broken = [number for number, cell in enumerate(notebook["cells"], 1) if not _is_cell(cell)]
    if broken:
        raise ValueError(f"is no notebook: what stands in place {broken[0]} is no cell")
    return notebook


def content(path: Path, largest: int) -> bytes:
    """What is in a file that anybody may have put there: a pipe would keep us waiting, and a device never ends.

    Raises
    ------
    OSError
        If it cannot be read, is no file, or is larger than so many bytes.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "This is no file", str(path))
    with open(path, "rb") as file:
        found = file.read(largest + 1)
    if len(found) > largest:
        raise OSError(errno.EFBIG, f"This is larger than {largest >> 20} MB", str(path))
    return found


def _is_cell(cell):
    return (
        _has(cell, cell_type=str, source=(str, list), metadata=dict)
        and all(isinstance(line, str) for line in cell["source"])
        and isinstance(cell.get("id", ""), str)
        and isinstance(cell["metadata"].get("tags", []), list)
    )


def _has(value, **fields):
    return isinstance(value, dict) and all(isinstance(value.get(key), kind) for key, kind in fields.items())


def write_notebook(path: Path, notebook: dict[str, Any]) -> None:
    """Write a notebook, whole or not at all, and wait until it is on the disk."""
    write_text(path, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all, and wait until it is on the disk.

    Half of a pair of surrogates, which JSON can hold and UTF-8 cannot, becomes a question mark. A link stays one.
    """
    path = path.resolve()
    part = part_of(path)
    try:
        with open(part, "w", encoding="utf-8", errors="replace", newline="\n") as file:
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


def exercises(notebook: dict[str, Any]) -> dict[str, int]:
    """The exercises of one of the course's own notebooks: from the name to the index of the stub's cell."""
    stubs = ((bound(text(cell))[-1:], n) for n, cell in enumerate(notebook["cells"]) if is_exercise(cell))
    return {name: index for names, index in stubs for name in names}


def predictions(chapters: dict[str, dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """What the chapters ask before they show it: from stem and name to ``question`` and ``choices``, as texts."""
    return {
        stem: {asked["name"]: asked for asked in notebook["metadata"]["numba_course"].get("predictions", [])}
        for stem, notebook in chapters.items()
    }


def check_cell(notebook: dict[str, Any], exercise: str) -> int | None:
    """The index of the first cell that checks an exercise; None if there is none."""
    cells = enumerate(notebook["cells"])
    return next(
        (n for n, c in cells if c["cell_type"] == "code" and exercise in CHECK.findall(text(c))), None
    )
