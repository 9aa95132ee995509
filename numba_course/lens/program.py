"""Run a program in this process as ``python`` would, and go on when it has ended."""

from __future__ import annotations

import io
import os
import runpy
import sys
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from typing import Any

from numba_course.lens.recording import calls

RECORDER = calls.__file__  # has a frame between those of the program and of what Numba compiled
HERE = (__file__, "<frozen runpy>", runpy.__file__)
NOT_FOUND = 2  # as python says it


@dataclass(frozen=True)
class Program:
    """A program and its arguments.

    Attributes
    ----------
    target : str
        Path of a script, or of a folder or an archive with a ``__main__.py``; or the name of a module.
    arguments : tuple of str
    is_module : bool
        Whether `target` is what follows ``-m``.
    """

    target: str
    arguments: tuple[str, ...] = ()
    is_module: bool = False

    def run(self) -> int:
        """Run it, and return the code with which it would have ended.

        `sys.argv`, `sys.path` and the module ``__main__`` are the program's, and stay so. What it raises is shown as
        Python shows it, and its threads are waited for. What it does when Python ends (`atexit`) comes later.
        """
        main = types.ModuleType("__main__")
        vars(main).update(__builtins__=__builtins__, __annotations__={})
        sys.modules["__main__"] = main
        sys.argv = [self.target, *self.arguments]
        code = _ended(self._module if self.is_module else self._script)
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
        return code

    def _module(self):
        _first_on_path(os.getcwd())
        sys.argv[0] = "-m"
        runpy._run_module_as_main(self.target)  # type: ignore[attr-defined]  # what python -m itself does

    def _script(self):
        if os.path.isdir(self.target) or self.target.endswith((".pyz", ".zip")):
            _first_on_path(os.path.abspath(self.target))
            runpy._run_module_as_main("__main__", False)  # type: ignore[attr-defined]
            return
        path = os.path.abspath(self.target)
        try:
            with io.open_code(path) as file:
                text = file.read()
        except OSError as error:
            said = f"can't open file {path!r}: [Errno {error.errno}] {error.strerror}"
            print(f"{sys.executable}: {said}", file=sys.stderr)
            sys.exit(NOT_FOUND)
        _first_on_path(os.path.dirname(os.path.realpath(path)))
        namespace = vars(sys.modules["__main__"])
        loader = SourceFileLoader("__main__", path)
        namespace.update(__file__=path, __loader__=loader, __spec__=None, __package__=None, __cached__=None)
        exec(compile(text, path, "exec", dont_inherit=True), namespace)


def _first_on_path(folder):
    """Put it where Python puts the folder of a program, in place of the one that came with this command."""
    if not sys.flags.safe_path:
        sys.path[0] = folder


def _ended(work: Callable[[], Any]) -> int:
    """The exit code of a piece of work, of which errors are shown as Python shows them."""
    try:
        work()
        return 0
    except SystemExit as leaving:
        return _exit_code(leaving.code)
    except BaseException as error:
        _hide_ours(error, set())
        inner = error.__traceback__
        while inner is not None and inner.tb_frame.f_code.co_filename in HERE:
            inner = inner.tb_next
        sys.excepthook(type(error), error.with_traceback(inner), inner)
        return 130 if isinstance(error, KeyboardInterrupt) else 1


def _hide_ours(error: BaseException | None, seen: set[int]) -> None:
    """Take the frames of the recorder out of the traceback of an exception, and of those that led to it."""
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    entry = error.__traceback__
    while entry is not None:
        while entry.tb_next is not None and entry.tb_next.tb_frame.f_code.co_filename == RECORDER:
            entry.tb_next = entry.tb_next.tb_next
        entry = entry.tb_next
    for other in (error.__cause__, error.__context__, *getattr(error, "exceptions", ())):
        _hide_ours(other, seen)


@contextmanager
def in_folder(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Have it be the current folder meanwhile, as far as it and the present one are still there."""
    there = None
    with suppress(OSError):
        there = os.getcwd()
    with suppress(OSError):
        os.chdir(folder)
    try:
        yield
    finally:
        if there is not None:
            with suppress(OSError):
                os.chdir(there)


def _exit_code(code):
    """What `sys.exit` was given as a number; anything else is printed, and means 1."""
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    print(code, file=sys.stderr)
    return 1


def understood(arguments: Sequence[str]) -> Program | None:
    """The program in the rest of a command line: a path, or ``-m`` and the name of a module; None if there is none."""
    if not arguments:
        return None
    if arguments[0] == "-m":
        return Program(arguments[1], tuple(arguments[2:]), is_module=True) if arguments[1:] else None
    return Program(arguments[0], tuple(arguments[1:]))
