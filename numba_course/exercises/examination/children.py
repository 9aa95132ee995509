"""The child processes of a check: what one may use, how one ends badly, and fresh ones that use an answer in turn."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numba
from numba.core import event
from numba.core.dispatcher import Dispatcher

from numba_course.exercises.examination.answer import Live, Saved
from numba_course.exercises.examination.modules import Module
from numba_course.exercises.examination.office import Lost
from numba_course.exercises.examination.verdict import Finding
from numba_course.lens.disk_cache import cache
from numba_course.process import sandbox
from numba_course.process.arguments import pack, unpack

if TYPE_CHECKING:
    from numba_course.exercises.examination.office import Office
    from numba_course.exercises.question import Exercise

MEMORY = 512 << 20  # bytes
NUMBA = str(Path(numba.__file__).parent) + os.sep


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
    office: Office
    folder: str

    @property
    def filled(self) -> bool:
        """Whether the process that judged the answer has filled the cache: it lies beside the modules."""
        return self.exercise.modules is not None

    def visit(self) -> Visit:
        """Load the answer in a process that has seen nothing before, and call it on the examples.

        Returns
        -------
        Visit
        """
        inputs = [pack(args) for args in self.exercise.examples()]
        worker = self.office.hire()
        seconds = self.exercise.compiling
        try:
            _, made = worker.ask("use", inputs, self.folder, seconds=seconds, step="in a later process")
        except Lost as lost:
            return Visit(violent_end(lost.outcome))
        worker.dismiss()
        if isinstance(made, Visit) and len(made.results) == len(inputs):
            return made
        seen = (
            made.seen if isinstance(made, Finding) else "its process said something that it was not asked for"
        )
        return Visit(Finding("runs without an error", f"in a later process: {seen}"))


def used(
    answer: Live | Saved | Module, inputs: list[bytes], probe: Callable[[], tuple], folder: str
) -> Visit:
    """In a worker: call the answer on packed inputs and listen to the compiler."""
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
        compiled = [getattr(function, "__name__", type(function).__name__)]
    reasons = [str(warning.message) for warning in caught if "Cannot cache" in str(warning.message)]
    reasons += [cache(function).problem] if isinstance(function, Dispatcher) else []
    return Visit(None, tuple(compiled), next(filter(None, reasons), ""), results, probe())


def violent_end(outcome: sandbox.Outcome) -> Finding:
    """The finding for a child that gave no answer."""
    while_ = f", while {outcome.step}" if outcome.step else ", before it was called"
    if outcome.ended == "timed out":
        return Finding(
            "ends by itself", f"it had not ended after {outcome.limit:g} seconds and was stopped{while_}"
        )
    if outcome.ended == "out of memory":
        return Finding(
            "ends by itself", f"it used more than {MEMORY >> 20} MiB of memory and was stopped{while_}"
        )
    return Finding("leaves its process alive", f"{_last_words(outcome)}{while_}")


def _last_words(outcome):
    """How a process has ended, in words."""
    if outcome.error is not None:
        return f"the process that ran it died: {outcome.error.message}"
    code = outcome.exit_code
    if code is None:
        return "the process that ran it died without a word, and it is not known why"
    if code >= 0:
        return (
            f"the process that ran it died: it ended itself with exit code {code}, so that there is no result"
        )
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"the process that ran it died ({name}){SIGNALS.get(name, '')}"


OTHERWISE = ", called itself too often, or called a C function that does not exist"
# What the most common signals mean.
SIGNALS = {
    "SIGSEGV": f": it touched memory that is not its own{OTHERWISE}",
    "SIGBUS": f": it touched memory that is not its own{OTHERWISE}",
    "SIGABRT": ": a library found its own data damaged, as after a write outside an array, and gave up",
    "SIGKILL": ": the system ended it, most often for want of memory, or it did so itself",
}
