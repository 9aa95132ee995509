"""A learner's answer on its way to the child: was it attempted, what travels with it, where is its source."""

from __future__ import annotations

import dis
import functools
import io
import linecache
import os
import pickle
import sys
import types
from collections.abc import Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from numba_course.exercises.examination.verdict import Finding
from numba_course.process.child import describe
from numba_course.process.pickling import CachingPickler, can_be_sent
from numba_course.process.sandbox import is_apart

UNWRAPPED = {  # where what Python itself makes of a function has that function
    functools.partial: "func",
    functools._lru_cache_wrapper: "__wrapped__",
    functools.cached_property: "func",
    property: "fget",
    staticmethod: "__func__",
    classmethod: "__func__",
    types.MethodType: "__func__",
}
MOST = 1_000_000_000  # bytes of an answer with all that it refers to


class CannotTravel(Exception):
    """An answer that cannot be sent to another process; the message says why."""


def python_function(answer: object) -> types.FunctionType | None:
    """The Python function behind what decorators of Numba and of Python make of one; None for anything else.

    Nothing of the learner's is run: of other objects no attribute is asked for.
    """
    while name := _inside(answer):
        answer = getattr(answer, name, None)
    return answer if type(answer) is types.FunctionType else None


def _inside(answer):
    """The attribute that holds what was decorated; None where nothing was."""
    kind = type(answer)
    if str(_own_names(kind).get("__module__")).startswith("numba."):
        return next((name for name in ("_dispatcher", "py_func", "_pyfunc") if hasattr(answer, name)), None)
    return UNWRAPPED.get(kind)


def _own_names(kind):
    """What a class has of its own; not even its metaclass is asked."""
    return type.__dict__["__dict__"].__get__(kind)


def functions(answer: object) -> list[types.FunctionType]:
    """The Python functions that an answer consists of: one, the methods of a class, or none that is known."""
    values = _own_names(answer).values() if issubclass(type(answer), type) else [answer]
    return [function for value in values if (function := python_function(value))]


def is_stub(answer: object) -> bool:
    """Whether the answer is still empty: a docstring, ``...``, ``pass`` or ``raise NotImplementedError``.

    A class is empty where all of its methods are, `__init__` aside, if there are any.
    """
    if answer is None or answer is ...:
        return True
    bodies = functions(answer)
    if issubclass(type(answer), type):
        bodies = [method for method in bodies if method.__name__ != "__init__"]
    return bool(bodies) and all(_is_empty(body) for body in bodies)


def _is_empty(function):
    """Whether it does nothing, or nothing but raise NotImplementedError, whatever that says."""
    steps = _steps(function)
    if steps == _steps(_empty):
        return True
    names, kinds = function.__code__.co_names, [kind for kind, _ in steps]
    only_raises = kinds.count("RAISE_VARARGS") == 1 and kinds[-1] == "RAISE_VARARGS"
    return names == ("NotImplementedError",) and only_raises and not any("JUMP" in kind for kind in kinds)


def _empty():
    pass


def _steps(function):
    """What the function does, instruction by instruction, without the ones that do nothing."""
    quiet = {"RESUME", "NOP", "CACHE", "POP_TOP"}
    return [(i.opname, i.argval) for i in dis.get_instructions(function) if i.opname not in quiet]


@dataclass(frozen=True)
class Live:
    """An answer defined in this session, as bytes, with the source text of all code in it that stands in no file."""

    content: bytes
    sources: dict[str, list[str]]

    def load(self, caching: bool = False) -> Any:
        """Make the function again, its lines on record so that errors can show them; `caching` as in `Saved.load`."""
        for name, lines in self.sources.items():
            linecache.cache[name] = (sum(map(len, lines)), None, lines, name)
        with _disk_cache(caching):
            return pickle.loads(self.content)


@dataclass(frozen=True)
class Saved:
    """An answer in a file; the file is executed in the child process only."""

    path: str
    name: str

    def load(self, caching: bool = False) -> Any:
        """Run the file; return the function of the exercise's name, or None if it defines none.

        Without `caching` nothing is written to a disk cache, and nothing comes from one: in a child neither later,
        when the answer is called and decorates something.
        """
        text = Path(self.path).read_bytes()  # in the encoding that it declares
        # Numba resolves a recursive call only in a module that can be imported.
        module = sys.modules["answer"] = types.ModuleType("answer")
        module.__file__ = self.path
        with _disk_cache(caching):
            exec(compile(text, self.path, "exec", dont_inherit=True), vars(module))
        return vars(module).get(self.name)


@contextmanager
def _disk_cache(wanted):
    """Where it is not wanted, nothing of the learner's that is made from here on has one; in a child for good."""
    from numba.core.caching import NullCache
    from numba.core.ccallback import CFunc
    from numba.core.dispatcher import Dispatcher
    from numba.np.ufunc import wrappers
    from numba.np.ufunc.ufuncbuilder import UFuncDispatcher

    with ExitStack() as restored:
        if not wanted:
            for kind in (Dispatcher, UFuncDispatcher, CFunc):
                ours_alone = _for_ours_alone(kind.enable_caching)
                restored.enter_context(mock.patch.object(kind, "enable_caching", ours_alone))
            restored.enter_context(mock.patch.object(wrappers, "GufWrapperCache", lambda **_: NullCache()))
        yield
        if is_apart():
            restored.pop_all()


def _for_ours_alone(enable):
    """`enable_caching` that leaves what is not the course's as it is: the modules of pipelines live by their cache."""

    def enable_caching(made):
        if (python_function(made).__module__ or "").startswith("numba_course"):
            enable(made)

    return enable_caching


def live(answer: object) -> Live:
    """Pack an answer of this session for the journey.

    Raises
    ------
    CannotTravel
        If a part of it cannot be sent, or there is too much of it.
    """
    pickler = CachingPickler(_File())
    try:
        pickler.dump(answer)
    except KeyboardInterrupt:  # the learner's
        raise
    except BaseException as error:  # a method of an object of the learner's may do anything, such as exit
        said = str(error) if isinstance(error, CannotTravel) else f"{_culprit(answer)}: {_words(error)}"
        raise CannotTravel(f"cannot be sent to the process that checks it{said}") from None
    names = (name for name in pickler.code_files if not os.path.exists(name))
    return Live(pickler.file.getvalue(), {name: linecache.getlines(name) for name in names})


class _File(io.BytesIO):
    """The bytes of an answer; too many are refused before they fill the session's memory."""

    def write(self, data):
        if self.tell() + memoryview(data).nbytes > MOST:
            seen = f", since with all that it refers to it has more than {MOST // 10**6} MB"
            raise CannotTravel(f"{seen}; make a large array an argument instead of a global name")
        return super().write(data)


def _culprit(answer):
    """Which of the names that the answer looks up cannot be sent, in words; empty if none can be named."""
    for function in functions(answer):
        for name in function.__code__.co_names:
            if name in function.__globals__ and not can_be_sent(function.__globals__[name]):
                return f" with what it finds as `{name}`"
    return ""


def _words(error):
    """Kind and message of an error, whose `__str__` may be the learner's as well."""
    try:
        return f"{type(error).__name__}: {error}"
    except KeyboardInterrupt:
        raise
    except BaseException:
        return type(error).__name__


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
    path = getattr(answer, "path", None)
    lines = [number for name, number, _ in report.frames if name == path]
    if isinstance(error, SyntaxError) and error.filename == path:
        lines.append(error.lineno)
    line = (lines or [None])[-1]
    source = linecache.getline(path, line).strip() if path and line else ""
    # The text of a signature is compiled apart: its place is none of the file's.
    said = error.msg if isinstance(error, SyntaxError) and error.filename != path else report.message
    return Finding(
        "runs without an error", f"{report.kind}: {said}", line=line, source=source, full=report.full
    )
