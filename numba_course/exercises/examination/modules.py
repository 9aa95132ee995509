"""An answer that is the text of modules: they are written to a folder, and a function in them is judged."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba

from numba_course.exercises.examination.verdict import Finding
from numba_course.process.child import describe


@dataclass(frozen=True)
class Modules:
    """What becomes of an answer that returns the text of modules.

    Attributes
    ----------
    module, function : str
        Where in the files the function is that the specification specifies.
    files : callable
        What the answer returned -> dict of file names and texts; ValueError says why it is refused.
    probe : callable
        () -> tuple of further values, looked at in each later process.
    """

    module: str
    function: str
    files: Callable
    probe: Callable = tuple


@dataclass(frozen=True)
class Module:
    """A compiled function in a file, on its way to a child that imports it."""

    folder: str
    module: str
    function: str

    @property
    def path(self) -> str:
        """Its file, which a finding may quote."""
        return str(Path(self.folder) / f"{self.module}.py")

    def load(self, caching: bool = True) -> Any:
        """Import it as any module; None if it has no such function. Its own decorators say whether it is cached."""
        sys.dont_write_bytecode = True  # Python's own cache does not notice an edit within the same second
        numba.config.CACHE_DIR = ""  # beside the file, whatever the user has set
        sys.path.insert(0, self.folder)
        return getattr(importlib.import_module(self.module), self.function, None)


def write(
    function: Callable[[], Any], files: Callable[..., dict[str, str]], folder: str
) -> tuple[str, Finding | None] | None:
    """In a child: write the files whose text the answer returns; the status and finding if that fails, or None."""
    try:
        texts = function()
    except BaseException as error:
        report = describe(error)
        seen = f"{report.kind}: {report.message}"
        return "raised", Finding("runs without an error", seen, full=report.full)
    try:
        for name, text in files(texts).items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
    except (ValueError, OSError) as error:  # such as half a character, or a name that no file can have
        return "wrong", Finding("files", describe(error).message)
    return None
