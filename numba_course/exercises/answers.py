"""A learner's answer on its way to the child: was it attempted, what travels with it, where is its source."""

from __future__ import annotations

import dis
import linecache
import sys
import types
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


def python_function(answer):
    """The Python function behind a dispatcher or a compiled ufunc, or the function itself; None for anything else."""
    answer = getattr(answer, "_dispatcher", answer) if not hasattr(answer, "py_func") else answer
    answer = getattr(answer, "py_func", answer)
    return answer if isinstance(answer, types.FunctionType) else None


def functions(answer):
    """The Python functions that an answer consists of: one, the methods of a class, or none that is known."""
    if isinstance(answer, type):
        return [value for value in vars(answer).values() if isinstance(value, types.FunctionType)]
    function = python_function(answer)
    return [function] if function else []


def is_stub(answer):
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

    def load(self):
        """The function, its lines on record so that errors can show them."""
        for name, lines in self.sources.items():
            linecache.cache[name] = (sum(map(len, lines)), None, lines, name)
        return self.function


@dataclass(frozen=True)
class Saved:
    """An answer in a file; the file is executed in the child process only."""

    path: str
    name: str

    def load(self):
        """Run the file; return the function of the exercise's name, or None if it defines none."""
        text = Path(self.path).read_text(encoding="utf-8")
        # Numba resolves a recursive call only in a module that can be imported.
        module = sys.modules["answer"] = types.ModuleType("answer")
        module.__file__ = self.path
        exec(compile(text, self.path, "exec"), vars(module))
        return vars(module).get(self.name)


def live(answer):
    """Pack an answer of this session for the journey."""
    sources = {}
    for function in _without_file(functions(answer)):
        name = function.__code__.co_filename
        sources[name] = linecache.getlines(name, function.__globals__)
    return Live(answer, sources)


def _without_file(functions):
    """Of the functions and all that they can call, those whose source the child cannot read from a file."""
    found, waiting = {}, list(functions)
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in found or Path(current.__code__.co_filename).exists():
            continue
        found[id(current)] = current
        names = (current.__globals__.get(name) for name in current.__code__.co_names)
        waiting += [python_function(value) for value in (*names, *_contents(current.__closure__))]
    return found.values()


def _contents(closure):
    """Values of a closure's cells, without those that are not filled yet."""
    for cell in closure or ():
        with suppress(ValueError):
            yield cell.cell_contents


def line_in(answer, frames):
    """The innermost of `frames` that lies in the answer's own file: its line number and text."""
    names = {function.__code__.co_filename for function in functions(answer)}
    for filename, number, _ in reversed(frames):
        if filename in names:
            return number, linecache.getline(filename, number).strip()
    return None, ""


def source_line(answer, line):
    """Text of a line of the answer's file."""
    function = python_function(answer)
    return linecache.getline(function.__code__.co_filename, line).strip() if function and line else ""
