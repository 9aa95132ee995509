"""A learner's answer on its way to the child: was it attempted, what travels with it, where is its source."""

from __future__ import annotations

import dis
import linecache
import sys
import types
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from numba_course.exercises.examination.verdict import Finding
from numba_course.process.sandbox import describe


def python_function(answer: object) -> types.FunctionType | None:
    """The Python function behind a dispatcher or a compiled ufunc, or the function itself; None for anything else."""
    answer = getattr(answer, "_dispatcher", answer) if not hasattr(answer, "py_func") else answer
    answer = getattr(answer, "py_func", answer)
    return answer if isinstance(answer, types.FunctionType) else None


def functions(answer: object) -> list[types.FunctionType]:
    """The Python functions that an answer consists of: one, the methods of a class, or none that is known."""
    if isinstance(answer, type):
        return [value for value in vars(answer).values() if isinstance(value, types.FunctionType)]
    function = python_function(answer)
    return [function] if function else []


def is_stub(answer: object) -> bool:
    """Whether the answer is still empty: a docstring, ``...``, ``pass`` or ``raise NotImplementedError``.

    Of a class, ``__init__`` may be there.
    """
    if answer is None or answer is ...:
        return True
    if isinstance(answer, type):
        return all(_is_empty(method) for method in functions(answer) if method.__name__ != "__init__")
    return any(_is_empty(function) for function in functions(answer))


def _is_empty(function):
    return function.__code__.co_names == ("NotImplementedError",) or _steps(function) == _steps(_empty)


def _empty():
    pass


def _steps(function):
    """What the function does, instruction by instruction, without the ones that do nothing."""
    quiet = {"RESUME", "NOP", "CACHE", "POP_TOP"}
    return [(i.opname, i.argval) for i in dis.get_instructions(function) if i.opname not in quiet]


@dataclass(frozen=True)
class Live:
    """An answer defined in this session, with the source text of everything it calls."""

    function: object
    sources: dict[str, list[str]]
    cached: tuple = ()  # what it calls that was made with cache=True, which a dispatcher forgets on the way

    def load(self, caching: bool = False) -> Any:
        """The function, its lines on record so that errors can show them; `caching` as it is in the session."""
        for name, lines in self.sources.items():
            linecache.cache[name] = (sum(map(len, lines)), None, lines, name)
        for dispatcher in self.cached if caching else ():
            dispatcher.enable_caching()
        return self.function


@dataclass(frozen=True)
class Saved:
    """An answer in a file; the file is executed in the child process only."""

    path: str
    name: str

    def load(self, caching: bool = False) -> Any:
        """Run the file; return the function of the exercise's name, or None if it defines none.

        Without `caching` nothing is written to a disk cache, and nothing comes from one.
        """
        from numba.core.dispatcher import Dispatcher

        text = Path(self.path).read_text(encoding="utf-8")
        # Numba resolves a recursive call only in a module that can be imported.
        module = sys.modules["answer"] = types.ModuleType("answer")
        module.__file__ = self.path
        uncached = mock.patch.object(Dispatcher, "enable_caching", lambda self: None)
        with nullcontext() if caching else uncached:
            exec(compile(text, self.path, "exec", dont_inherit=True), vars(module))
        return vars(module).get(self.name)


def live(answer: object) -> Live:
    """Pack an answer of this session for the journey."""
    sources, found = {}, _without_file(functions(answer) if isinstance(answer, type) else [answer])
    for function in found:
        name = function.__code__.co_filename
        sources[name] = linecache.getlines(name, function.__globals__)
    return Live(answer, sources, tuple(value for value in found.values() if _is_cached(value)))


def _without_file(values):
    """Of these values and all that they can call, those whose source the child cannot read from a file.

    Returns
    -------
    dict of function to object
        From each Python function to what it is the function of, such as a dispatcher.
    """
    found, waiting = {}, list(values)
    while waiting:
        value = waiting.pop()
        current = python_function(value)
        if current is None or current in found or Path(current.__code__.co_filename).exists():
            continue
        found[current] = value
        names = (current.__globals__.get(name) for name in current.__code__.co_names)
        waiting += [*names, *_contents(current.__closure__)]
    return found


def _is_cached(value):
    """Whether it is a dispatcher with a disk cache; Numba need not be loaded to know."""
    return type(getattr(value, "_cache", None)).__name__ == "FunctionCache"


def _contents(closure):
    """Values of a closure's cells, without those that are not filled yet."""
    for cell in closure or ():
        with suppress(ValueError):
            yield cell.cell_contents


def line_in(answer: object, frames: Sequence[tuple[str, int | None, str]]) -> tuple[int | None, str]:
    """The innermost of `frames` that lies in the answer's own file: its line number and text."""
    names = {function.__code__.co_filename for function in functions(answer)}
    for filename, number, _ in reversed(frames):
        if filename in names and number:
            return number, linecache.getline(filename, number).strip()
    return None, ""


def source_line(answer: object, line: int | None) -> str:
    """Text of a line of the answer's file."""
    function = python_function(answer)
    return linecache.getline(function.__code__.co_filename, line).strip() if function and line else ""


def loading_failed(answer: object, error: BaseException) -> Finding:
    """The finding for an answer that cannot even be loaded."""
    report = describe(error)
    line = error.lineno if isinstance(error, SyntaxError) else None
    path = getattr(answer, "path", None)
    lines = [number for name, number, _ in report.frames if name == path]
    return Finding(
        "runs without an error",
        f"{report.kind}: {report.message}",
        line=line or (lines or [None])[-1],
        full=report.full,
    )
