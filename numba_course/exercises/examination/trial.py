"""An answer where it runs: it is called, compiled and looked at, and nobody here knows what is right.

All of this happens in a child process, a *worker*, which does what the judge asks, one thing after the other. See
`judge` for the order, and for what is made of it.
"""

from __future__ import annotations

import inspect
import linecache
import os
import re
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError
from numba.np.ufunc.dufunc import DUFunc
from numba.np.ufunc.gufunc import GUFunc

import numba_course
from numba_course.exercises.examination.answer import (
    Live,
    Saved,
    is_stub,
    line_in,
    loading_failed,
    source_line,
)
from numba_course.exercises.examination.children import used
from numba_course.exercises.examination.modules import Module, write
from numba_course.exercises.examination.surroundings import Surroundings
from numba_course.exercises.examination.verdict import Finding
from numba_course.lens import errors
from numba_course.lens.compiled import dispatchers
from numba_course.lens.compiled.compilation import Compilation, compiled_here
from numba_course.process.arguments import pack, plain, unpack
from numba_course.process.child import Line, describe
from numba_course.process.wire import TooMuch

if TYPE_CHECKING:
    from numba_course.exercises.question import Exercise

# Files of those who are not the learner.
OURS = (
    f"{Path(numba_course.__file__).parent}{os.sep}",
    *(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "purelib", "platlib")),
)

MEANT = (  # what Numba says, and what a learner may have done
    (r"from none to ", "; is a `return` missing?"),
    (r"global name '(\w+)': .*UndefinedType", r"; nothing is called `\1` there: is an `import` missing?"),
    (
        r"argument \d+: Cannot determine Numba type of <class 'function'>",
        "; compiled code cannot take a function that is not compiled",
    ),
)


def work(line: Line, answer: Live | Saved | Module, exercise: Exercise) -> None:
    """Do what the judge asks, and say what came of it, until nobody asks any more."""
    desk = Desk(answer, exercise)
    while True:
        task, *content = line.hear()
        done = desk.do(task, *content)
        desk.surroundings.restore()
        try:
            line.say(done)
        except TooMuch as error:
            line.say(
                ("wrong", Finding("a result", f"what it returned is too large to be looked at: {error}"))
            )


class Desk:
    """An answer, and what a worker can do with it; each task gives a status, or "done", and what belongs to it."""

    def __init__(self, answer: Live | Saved | Module, exercise: Exercise) -> None:
        self.answer, self.exercise = answer, exercise
        self.surroundings = Surroundings()
        self.trial = Trial(None, exercise)  # its answer is there once it was loaded

    def do(self, task: str, *content: Any) -> tuple[str, Any]:
        """Do one of the tasks below; what an answer breaks in its own process is an error of the answer."""
        try:
            return getattr(self, task)(*content)
        except BaseException as error:
            if not self._is_theirs(error):
                raise
            self.surroundings.restore()
            return self.trial.raised(error)

    def load(self) -> tuple[str, Any]:
        """Make the answer a function of this process; ``missing`` where a file does not define it."""
        try:
            function = self.answer.load()
        except NumbaError as error:  # of one that compiles where it is decorated
            found = loading_failed(self.answer, error)
            return "not compiled", replace(found, requirement="compiled", seen=_not_compiled(error))
        except BaseException as error:
            return "raised", loading_failed(self.answer, error)
        if function is None:
            return "missing", None
        if is_stub(function):
            return "not attempted", None
        self.trial.answer = function
        return "done", None

    def take(self, packed: list[bytes]) -> tuple[str, Any]:
        """Take the inputs that were drawn."""
        self.trial.drawn = [unpack(one) for one in packed]
        return "done", None

    def compile(self, packed: bytes, quickly: bool) -> tuple[str, Any]:
        """Compile for a call; `quickly` with little optimisation: only what the call gives is of interest.

        LLVM makes a loop of a function that calls itself at its end; without that, its stack may be too small.
        """
        deep = isinstance(self.trial.answer, Dispatcher) and dispatchers.calls_itself(self.trial.answer)
        with dispatchers.hardly_optimised() if quickly and not deep else nullcontext():
            return self.trial.compile(unpack(packed)) or ("done", None)

    def call(self, packed: bytes, threads: int) -> tuple[str, Any]:
        """Call the answer: its result, the arguments afterwards, and which of them share memory with it."""
        numba.set_num_threads(threads or numba.config.NUMBA_NUM_THREADS)
        return self.trial.call(unpack(packed))

    def look(self, number: int) -> tuple[str, Any]:
        """Hold the code against a requirement: what is found, or None."""
        requirement = self.exercise.requirements[number]
        finding = requirement.of_code(self.trial)
        return (requirement.status, finding) if finding else ("done", None)

    def write(self, folder: str) -> tuple[str, Any]:
        """Write the files that the answer returns the text of."""
        assert self.exercise.modules
        return write(self.trial.answer, self.exercise.modules.files, folder) or ("done", None)

    def use(self, packed: list[bytes], folder: str) -> tuple[str, Any]:
        """Load it as a program would that has seen nothing before, call it, and tell what was compiled."""
        probe = self.exercise.modules.probe if self.exercise.modules else tuple
        return "done", used(self.answer, packed, probe, folder)

    def _is_theirs(self, error):
        """Whether an error comes from the learner's code, or from what that has left in this process."""
        if self.surroundings.changed() or isinstance(error, MemoryError):
            return True
        return any(not name.startswith((*OURS, "<frozen")) for name, _, _ in describe(error).frames)


class Trial:
    """An answer, its exercise, and the inputs it is tried on: what a requirement is given to look at.

    Attributes
    ----------
    answer : object
    exercise : Exercise
        Without its reference and its specification.
    names : list of str
        Of the arguments.
    drawn : list of tuple
        Inputs from the exercise's strategy, smallest first.
    """

    def __init__(self, answer: Any, exercise: Exercise) -> None:
        self.answer, self.exercise = answer, exercise
        self.names = list(exercise.parameters)
        self.drawn: list[tuple[Any, ...]] = []
        self._compilations: dict[bytes, Compilation] = {}

    def inputs(self) -> Iterator[tuple[Any, ...]]:
        """A few inputs, smallest first, for requirements that look at the code."""
        yield from self.exercise.examples()
        yield from self.drawn

    def copies(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Fresh arguments of the same layout, so that no call sees what another one changed."""
        return unpack(pack(args))

    def compilation(self, args: tuple[Any, ...]) -> Compilation:
        """The compilation for a call with `args`, which is made once for requirements that look at the same.

        Raises
        ------
        NumbaError, TypeError
            If the answer does not compile for them.
        """
        packed = pack(args)
        if packed not in self._compilations:
            self._compilations[packed] = compiled_here(self.answer, unpack(packed), call=True)
        return self._compilations[packed]

    def show(self, args: tuple[Any, ...]) -> str:
        """The arguments as in a call."""
        return self.exercise.show(args)

    def call(self, args: tuple[Any, ...]) -> tuple[str, Any]:
        """Call the answer: "done" and what came of it as data, or a status and a finding."""
        before, locks = self.copies(args), _read_only(args)
        # NumPy would warn of an infinity or NaN in the name of a ufunc, as it does not where a function makes it.
        silent = np.errstate(all="ignore") if isinstance(self.answer, DUFunc | GUFunc) else nullcontext()
        try:
            try:
                with silent:
                    result = self.exercise.call(self.answer, *args)
            finally:  # whatever is called for each call should not be for ours; so this stands here
                sys.settrace(None)
                sys.setprofile(None)
        except BaseException as error:  # sys.exit in an answer is an answer that raised
            return self.raised(error, before)
        shared = [number for number, value in enumerate(args) if _share_memory(result, value)]
        unlocked = [
            n for n, (was, now) in enumerate(zip(locks, _read_only(args), strict=True)) if was and not now
        ]
        return "done", (_data(result), _data(args), shared, unlocked)

    def compile(self, args: tuple[Any, ...]) -> tuple[str, Finding] | None:
        """Compile for a call; the status and finding if that fails, or None."""
        if (wrong_number := self._wrong_number()) is not None:
            return "not compiled", wrong_number
        if not isinstance(self.answer, Dispatcher) or not self.exercise.is_called_plainly:
            return None  # it compiles as it is called, if it does
        try:
            dispatchers.compiled_for(self.answer, self.copies(args))
        except Exception as error:
            return "not compiled", self._not_compiled(args, error)
        return None

    def _wrong_number(self) -> Finding | None:
        """The finding for a compiled function that cannot be called with so many arguments."""
        if not isinstance(self.answer, Dispatcher):
            return None
        taken = inspect.signature(self.answer.py_func)
        try:
            taken.bind(*self.names)
        except TypeError:
            called = f"{self.exercise.name}({', '.join(self.names)})"
            seen = f"it is written as `{self.exercise.name}{taken}`, and is called as `{called}`"
            return Finding("the arguments that are asked", seen)
        return None

    def raised(self, error: BaseException, args: tuple[Any, ...] | None = None) -> tuple[str, Finding]:
        """Status and finding for an exception: one of compiling for yet another type, or one of running."""
        if isinstance(error, NumbaError) and args is not None:
            return "not compiled", self._not_compiled(args, error)
        report = describe(error)
        line, source = line_in(self.answer, report.frames)
        message = f"{report.kind}: {report.message}" if report.message else report.kind
        shown = self.show(args) if args is not None else ""
        return "raised", Finding("runs without an error", message, shown, line, source, report.full)

    def _not_compiled(self, args, error):
        """The finding for an error of the compiler: its one line, and the learner's."""
        if isinstance(error, dispatchers.NotDeclared):
            return Finding(
                "compiled", f"{error}; leave the signature out, or give one that fits", self.show(args)
            )
        seen, full = _not_compiled(error), describe(error).full
        line, source = self._place_of(error)
        return Finding("compiled", seen, self.show(args), line, source, full)

    def _place_of(self, error):
        """The first line that an error of the compiler names and whose text is at hand."""
        for file, line in errors.places(error):
            for name in (file, os.path.abspath(file)):  # Numba writes where it is from here
                if source := linecache.getline(name, line).strip():
                    return line, source
        line = errors.line_of(error)
        return line, source_line(self.answer, line)


def _not_compiled(error):
    """What the compiler says, and what it may mean."""
    seen = f"Numba cannot compile it: {errors.reason(error)}"
    for said, meant in MEANT:
        if found := re.search(said, seen):
            return seen + found.expand(meant)
    return seen


def _data(value):
    """Values of Numba's containers as Python's; `wire` sees to the rest."""
    try:
        return plain(value)
    except Exception:  # of what is in itself, above all
        return value


def _share_memory(result, value):
    return (
        isinstance(result, np.ndarray) and isinstance(value, np.ndarray) and np.shares_memory(result, value)
    )


def _read_only(args):
    """Of each argument, whether it is an array that is read-only."""
    return [isinstance(value, np.ndarray) and not value.flags.writeable for value in args]


def settle_in() -> None:
    """What must be so before an answer is loaded."""
    # Between two parallel loops OpenMP's threads would run on the spot, and take time from those that have work.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    sys.dont_write_bytecode = True  # nothing beside the learner's files
