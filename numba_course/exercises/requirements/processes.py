"""Requirements on fresh processes that use the answer: what one has compiled, the next one loads, and edits show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from numba_course.exercises.examination.show import show
from numba_course.exercises.requirements import Requirement
from numba_course.exercises.requirements.results import difference

if TYPE_CHECKING:
    from numba_course.exercises.examination.children import Processes
    from numba_course.exercises.examination.verdict import Finding


@dataclass(frozen=True)
class SecondProcessCompilesNothing(Requirement):
    """After one process has used the function, another one gets the same results and compiles nothing."""

    name: str = "second process"

    def of_processes(self, processes: Processes) -> Finding | None:
        if not processes.filled:
            first = processes.visit()
            if first.failed:
                return first.failed
            if not first.compiled:
                return self.finding("nothing is compiled, not even by the first process")
        visit = processes.visit()
        if visit.failed:
            return visit.failed
        if visit.compiled:
            names = ", ".join(f"`{name}`" for name in dict.fromkeys(visit.compiled))
            why = f": {visit.why}" if visit.why else "; is it made with cache=True?"
            return self.finding(f"it compiled {names} once more{why}")
        for args, result in zip(processes.exercise.examples(), visit.results, strict=True):
            expected = processes.exercise.spec(*args)
            if expected is None:  # it fills an argument, and what it returns is free
                continue
            if seen := difference(result, expected, 1e-9, "what it got from the cache"):
                return self.finding(seen, show(args))
        return None


@dataclass(frozen=True)
class EditsShow(Requirement):
    """After each edit of the modules, the next process gives the new answer, and the one after it compiles nothing.

    Attributes
    ----------
    edits : tuple of (str, str)
        Pieces of text, and what becomes of them, one after the other.
    after : callable
        A number of edits and the arguments -> the result.
    units : tuple
        What the probe must see after 0, 1, … edits.
    """

    edits: tuple
    after: Callable
    units: tuple

    name = "never stale"

    def of_processes(self, processes: Processes) -> Finding | None:
        if finding := self._fault(processes, processes.visit(), 0):
            return finding
        for done, edit in enumerate(self.edits, start=1):
            _edit(processes.folder, *edit)
            for _ in range(2):
                visit = processes.visit()
                if finding := self._fault(processes, visit, done):
                    return finding
            if visit.compiled:
                again = "the second process after that compiled it once more, and must load it"
                return self.finding(f"{self._when(done)}{again}")
        return None

    def _fault(self, processes, visit, done):
        """What a process that came after so many edits got wrong."""
        if visit.failed:
            return visit.failed
        if visit.probed != self.units[done]:
            return self.finding(f"units.SCALE and units.step are not what they were: {visit.probed}")
        for args, result in zip(processes.exercise.examples(), visit.results, strict=True):
            if seen := difference(result, self.after(done, *args), 1e-12, "the result"):
                return self.finding(f"{self._when(done)}{seen}", f"heights={show(args[0])}")
        return None

    def _when(self, done):
        """In words, after which edit."""
        return f"after `{self.edits[done - 1][0]}` has become `{self.edits[done - 1][1]}`, " if done else ""


def _edit(folder, old, new):
    """Replace a piece of text in the one file that has it."""
    for path in Path(folder).glob("*.py"):
        text = path.read_text(encoding="utf-8")
        if old in text:
            path.write_text(text.replace(old, new), encoding="utf-8")
            return
