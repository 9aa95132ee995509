"""The child processes of a check: what one may use, how one ends badly, and fresh ones that use an answer in turn."""

from __future__ import annotations

import os
import signal
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numba
from numba.core import event
from numba.core.dispatcher import Dispatcher

from numba_course.exercises.examination.answer import Live, Saved
from numba_course.exercises.examination.modules import Module
from numba_course.exercises.examination.verdict import Finding
from numba_course.lens.disk_cache import cache
from numba_course.process import sandbox
from numba_course.process.arguments import pack, unpack

if TYPE_CHECKING:
    from numba_course.exercises.question import Exercise

MEMORY = 512 << 20  # bytes
NUMBA = str(Path(numba.__file__).parent)


@dataclass(frozen=True)
class Visit:
    """What a fresh process made of an answer.

    Attributes
    ----------
    failed : Finding or None
    compiled : tuple of str
        Names of the functions that were compiled, in that order.
    why : str
        What Numba said of its cache; empty if nothing.
    results : tuple
        One for each example.
    probed : tuple
        What the probe of modules saw.
    """

    failed: Finding | None = None
    compiled: tuple[str, ...] = ()
    why: str = ""
    results: tuple = ()
    probed: tuple = ()


@dataclass(frozen=True)
class Processes:
    """Fresh processes, one after the other, that use an answer and share a disk cache in a folder of their own."""

    exercise: Exercise
    answer: Live | Saved | Module
    folder: str

    @property
    def filled(self) -> bool:
        """Whether the process that judged the answer has filled the cache: it lies beside the modules."""
        return isinstance(self.answer, Module)

    def visit(self) -> Visit:
        """Load the answer in a process that has seen nothing before, and call it on the examples.

        Returns
        -------
        Visit
        """
        inputs = [pack(args) for args in self.exercise.examples()]
        probe = self.exercise.modules.probe if self.exercise.modules else tuple
        seconds = self.exercise.seconds
        outcome = sandbox.run(_use, self.answer, inputs, probe, self.folder, seconds=seconds, memory=MEMORY)
        if outcome.ended == "returned":
            return outcome.value
        if outcome.ended == "raised":
            seen = f"in a later process: {outcome.error.kind}: {outcome.error.message}"
            return Visit(Finding("runs without an error", seen, full=outcome.error.full))
        return Visit(violent_end(outcome))


def _use(answer, inputs, probe, folder):
    """In a child: call the answer on packed inputs and listen to the compiler."""
    # Functions of files are cached in the first; those of cells in the second where it is used, or in the third.
    numba.config.CACHE_DIR = os.environ["XDG_CACHE_HOME"] = os.environ["IPYTHONDIR"] = folder
    with warnings.catch_warnings(record=True) as caught, event.install_recorder("numba:run_pass") as passes:
        warnings.simplefilter("always")
        with event.install_recorder("numba:compile") as compiling:
            function = answer.load(caching=True)
            results = tuple(function(*unpack(packed)) for packed in inputs)
    functions = [started.data["dispatcher"].py_func for _, started in compiling.buffer if started.is_start]
    compiled = [f.__name__ for f in functions if not f.__code__.co_filename.startswith(NUMBA)]
    if passes.buffer and not compiled:  # of @vectorize, or of Numba itself: no name that says anything
        compiled = [function.__name__]
    reasons = [str(warning.message) for warning in caught if "Cannot cache" in str(warning.message)]
    reasons += [cache(function).problem] if isinstance(function, Dispatcher) else []
    return Visit(None, tuple(compiled), next(filter(None, reasons), ""), results, probe())


def violent_end(outcome: sandbox.Outcome) -> Finding:
    """The finding for a child that gave no answer."""
    if outcome.ended == "timed out":
        seen = f"it had not ended after {outcome.limit:g} seconds and was stopped"
    elif outcome.ended == "out of memory":
        seen = f"it used more than {MEMORY >> 20} MiB of memory and was stopped"
    else:
        seen = f"the process that ran it died ({_last_words(outcome.exit_code)})"
    return Finding("ends by itself", f"{seen}, while {outcome.step or 'starting'}")


def _last_words(code):
    """An exit code in words."""
    if code is None or code >= 0:
        return f"it ended itself with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"{name}: it touched memory that is not its own" if name in ("SIGSEGV", "SIGBUS") else name
