"""Cells run again in a child process as they did in a notebook, but for what they show, record or ask of the system."""

from __future__ import annotations
import __future__

import ast
import asyncio
import inspect
import json
import multiprocessing
import os
import re
import shlex
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any
from unittest import mock

from numba_course.learner.global_names import AWAIT
from numba_course.learner.ipython_syntax import as_python
from numba_course.learner.notebook_files import content
from numba_course.syntax import parse

FUTURE = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
LARGEST = 1 << 20  # bytes of what cells tell of themselves
LONGEST = 200  # characters of what a cell's error says
TIMEIT_OPTIONS = re.compile(r"\s*(?:-[tcqo]+(?:\s+|$)|-[nrp]\s*\d+(?:\s+|$)|-v\s*\w+(?:\s+|$))*")


@dataclass
class Reached:
    """How far the cells before an answer came: the file of the one that runs, and pairs of a file and its error."""

    running: str = ""
    raised: list[tuple[str, str]] = field(default_factory=list)

    def keep(self, file: str) -> None:
        """Keep it in a file, for whoever looks when this process is gone."""
        Path(file).write_text(json.dumps(vars(self)), encoding="utf-8")


@dataclass(frozen=True)
class Plan:
    """What runs, and where it is kept how far that came.

    Attributes
    ----------
    name : str
        What the answer must bind.
    folder : str
        The learner's, in which everything runs.
    cells : list of (str, list of int or None)
        For each cell before the answer its file, and the numbers of the statements that run; None for all.
    answer : str
        File with the answer's cell.
    reached : str
        File for how far it came, see `Reached`.
    """

    name: str
    folder: str
    cells: list[tuple[str, list[int] | None]]
    answer: str
    reached: str

    @property
    def state(self) -> Reached:
        """How far the cells before the answer came, as far as they let us know; files without their folder."""
        known = {file: Path(file).name for file, _ in self.cells}
        try:
            told = json.loads(content(Path(self.reached), LARGEST))
            raised = [(known[file], str(error)) for file, error in told["raised"]]
            return Reached(known.get(told["running"], ""), raised)
        except (
            OSError,
            ValueError,
            TypeError,
            KeyError,
            RecursionError,
        ):  # whoever runs there can write there, too
            return Reached()

    def program(self, file: Path) -> str:
        """Keep the plan in a file; the text of a program that follows it, in whose names the answer will be."""
        file.write_text(json.dumps(vars(self)), encoding="utf-8")
        return f"__import__({__name__!r}, fromlist=['follow']).follow({str(file)!r}, globals())\n"


def follow(plan: str, names: dict[str, Any]) -> None:
    """Run the cells of a plan in their order as a notebook's kernel does; for a child process.

    A cell that raises ends there, and the next one runs: so it was in the session, where the learner came as far as the
    answer. So it is with the answer's own cell, if it has bound the name by then. From here on checks and hints do
    nothing, and the learner's record stays as it is.

    Parameters
    ----------
    plan : str
        File with a `Plan`.
    names : dict
        Of the module in which they run. It becomes ``__main__``, as in a notebook.

    Raises
    ------
    BaseException
        What the answer's cell raises before it binds its name.
    """
    todo = Plan(**json.loads(Path(plan).read_text(encoding="utf-8")))
    kernel = _Kernel(names, Path(todo.folder))
    reached = Reached()
    with _unseen():
        for file, numbers in todo.cells:
            reached.running = file
            reached.keep(todo.reached)
            try:
                kernel.run(file, numbers)
            except BaseException as error:
                reached.raised.append((file, _in_words(error)))
    reached.running = ""
    reached.keep(todo.reached)
    missing = object()
    before = names.get(todo.name, missing)
    try:
        kernel.run(todo.answer)
    except BaseException:
        if names.get(todo.name, missing) is before:
            raise


class _Kernel:
    """Runs cells in a module's names, in the learner's folder."""

    def __init__(self, names, folder):
        from numba_course.exercises import records
        from numba_course.exercises.question import Exercise

        self.names, self.future, self.loop = names, 0, asyncio.Runner()
        sys.modules["__main__"] = sys.modules[names["__name__"]]
        names["__name__"] = "__main__"
        names.pop("__file__", None)  # a process that a cell starts must not run this program again
        shell = Shell(names, folder)
        names.update(display=_nothing, get_ipython=lambda: shell, In=[""], Out={})
        os.environ["MPLBACKEND"] = "agg"
        os.chdir(folder)
        sys.path.insert(0, "")
        mock.patch.multiple(Exercise, check=_nothing, hint=_nothing).start()
        mock.patch.object(records, "is_kept", return_value=False).start()

    def run(self, file, numbers=None):
        """Run the cell in a file, or the statements of these numbers; each keeps its line."""
        tree = _compiled(Path(file).read_text(encoding="utf-8"), file, flags=ast.PyCF_ONLY_AST | AWAIT)
        if numbers is not None:
            tree.body = [tree.body[number] for number in numbers]
        code = _compiled(tree, file, flags=AWAIT | self.future)
        self.future |= code.co_flags & FUTURE  # it holds for the cells after it as well
        waiting = eval(code, self.names)
        if code.co_flags & inspect.CO_COROUTINE:
            self.loop.run(waiting)


def _in_words(error):
    """An exception in a line; its text may be anything, or raise in turn."""
    with suppress(BaseException):
        return f"{type(error).__name__}: {str(error)[:LONGEST]}".rstrip(": ")
    return type(error).__name__


@contextmanager
def _unseen() -> Iterator[None]:
    """Nothing is shown, and what the compiler is seen to do is not of the answer's making.

    Processes start as they do in a notebook: where they cannot be forked, they cannot know a function of a cell, and
    a pool of them would try for ever.
    """
    from numba.core import event

    nowhere = open(os.devnull, "w", encoding="utf-8")  # never closed: a cell may have kept it
    ours = multiprocessing.get_start_method()
    multiprocessing.set_start_method(multiprocessing.get_all_start_methods()[0], force=True)
    with (
        redirect_stdout(nowhere),
        redirect_stderr(nowhere),
        warnings.catch_warnings(action="ignore"),
        mock.patch.dict(event._registered, clear=True),
    ):
        yield
    multiprocessing.set_start_method(ours, force=True)


def _compiled(source, file, mode="exec", flags=0):
    """Code of a program that is not part of this one."""
    return compile(source, file, mode, flags, dont_inherit=True)


def _nothing(*args, **kwargs):
    """Stands for what only shows or records."""


class Shell:
    """Stands for what `get_ipython` gives: it does what binds names or takes effect in Python, and nothing else.

    Commands of the system and cells in other languages do nothing: nobody asked for them to run again.
    """

    def __init__(self, names: dict[str, Any], folder: Path) -> None:
        self.user_ns, self.folder = names, folder
        self._commands: Mapping[str, Callable[[str], Any]] = {
            "time": self._result,
            "timeit": self._timed,
            "run": self._run_file,
            "cd": self._change_folder,
            "env": self._set_variable,
            "set_env": self._set_variable,
        }

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _nothing

    def run_line_magic(self, name: str, line: str = "", *others: object) -> Any:
        """Do a command of one line."""
        return self._commands.get(name, _nothing)(line)

    def run_cell_magic(self, name: str, line: str = "", cell: str = "") -> Any:
        """Do the command at the head of a cell."""
        if name == "timeit":
            return self._timed(line, cell)
        return Captured() if name == "capture" else None

    def getoutput(self, command: str, *others: object, **settings: object) -> Lines:
        """What a command of the system has printed: nothing, since it does not run."""
        return Lines()

    def _result(self, text):
        """Run a statement; the value of an expression."""
        found = parse(as_python(text)).body
        last = found.pop() if found and isinstance(found[-1], ast.Expr) else None
        exec(_compiled(ast.Module(found, []), "<time>"), self.user_ns)
        return eval(_compiled(ast.Expression(last.value), "<time>", "eval"), self.user_ns) if last else None

    def _timed(self, line, cell=None):
        """Run once what %timeit runs often, in a function as it does: this binds no names."""
        options = TIMEIT_OPTIONS.match(line)[0]
        setup, text = line[len(options) :], cell or ""
        timed = parse("def timed():\n    pass")
        timed.body[0].body += [*parse(as_python(setup)).body, *parse(as_python(text)).body]
        scope = {}
        exec(_compiled(timed, "<timeit>"), self.user_ns, scope)
        start = time.perf_counter()
        scope["timed"]()
        result = Timed([time.perf_counter() - start])
        if name := re.search(r"-v\s*(\w+)", options):
            self.user_ns[name[1]] = result
        return result if re.search(r"-[tcq]*o", options) else None

    def _run_file(self, line):
        """Run a Python file of the learner's folder, and bind the names that it leaves."""
        options = [word for word in shlex.split(line) if word.startswith("-")]
        file, *arguments = [word for word in shlex.split(line) if word not in options]
        path = Path(file if Path(file).suffix else f"{file}.py").resolve()
        if path.suffix != ".py" or not path.is_relative_to(self.folder):
            raise FileNotFoundError(
                f"%run {file}: of other files than Python's in the folder nothing runs here"
            )
        names = self.user_ns if "-i" in options else {"__name__": "__main__", "__file__": str(path)}
        try:
            with suppress(SystemExit), mock.patch.object(sys, "argv", [file, *arguments]):
                exec(_compiled(path.read_bytes(), str(path)), names)
        finally:
            self.user_ns.update({name: value for name, value in names.items() if not name.startswith("__")})

    def _change_folder(self, line):
        target = Path(line.strip() or ".").resolve()
        if target.is_relative_to(self.folder):
            os.chdir(target)

    def _set_variable(self, line):
        name, _, value = line.replace("=", " ", 1).strip().partition(" ")
        if value:
            os.environ[name] = value.strip()
        return os.environ.get(name, "") if name else dict(os.environ)


class Lines(list):
    """The lines that a command of the system has printed, as IPython gives them: none."""

    l = p = property(list)  # noqa: E741  # IPython's names
    n = s = ""

    def grep(self, *others: object, **settings: object) -> Lines:
        """Lines that match."""
        return Lines()

    fields = grep


class Captured:
    """What ``%%capture`` has kept: nothing."""

    stdout = stderr = ""
    outputs: tuple[()] = ()
    show = _nothing


@dataclass(frozen=True)
class Timed:
    """The result of ``%timeit -o``, of one run."""

    all_runs: list[float]
    loops: int = 1
    repeat: int = 1
    compile_time: float = 0.0

    @property
    def timings(self) -> list[float]:
        """Seconds of each run."""
        return self.all_runs

    @property
    def best(self) -> float:
        """Seconds of the fastest run."""
        return min(self.all_runs)

    @property
    def worst(self) -> float:
        """Seconds of the slowest run."""
        return max(self.all_runs)

    @property
    def average(self) -> float:
        """Mean of the seconds."""
        return fmean(self.all_runs)

    @property
    def stdev(self) -> float:
        """Standard deviation of the seconds."""
        return pstdev(self.all_runs)
