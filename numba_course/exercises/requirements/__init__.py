"""What can be asked of an answer: small values, each of which looks at one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from numba_course.exercises.examination.verdict import Finding

if TYPE_CHECKING:
    from numba_course.exercises.examination.children import Processes
    from numba_course.exercises.examination.judge import Run
    from numba_course.exercises.examination.trial import Trial


class Requirement:
    """One thing that is asked of an answer. A subclass overrides the sides that it looks at.

    Every side returns a `Finding` that says what is wrong, or None: see `finding`.

    Attributes
    ----------
    name : str
        What a card calls it.
    status : str
        That of the verdict where it is not met.
    early : bool
        Whether `of_code` is asked before the answer is called on the examples.
    slow : bool
        Whether answers of which it is asked take seconds to compile, so that nobody waits for a first call before he
        looks at the code.
    apart : bool
        Whether `of_code` needs nothing of these calls, so that another process may ask it meanwhile.
    """

    name: str
    status: ClassVar[str] = "unmet"
    early: ClassVar[bool] = False
    slow: ClassVar[bool] = False
    apart: ClassVar[bool] = False

    @property
    def looks_at_code(self) -> bool:
        """Whether it has an `of_code` of its own."""
        return type(self).of_code is not Requirement.of_code

    def of_run(self, run: Run) -> Finding | None:
        """Look at one call of the answer, a `judge.Run`; whoever asks adds the arguments to the finding."""
        return None

    def of_code(self, trial: Trial) -> Finding | None:
        """Look at the answer as a whole, a `trial.Trial`."""
        return None

    def of_processes(self, processes: Processes) -> Finding | None:
        """Look at fresh processes that use the answer, a `children.Processes`; asked where all else is met."""
        return None

    def finding(
        self, seen: str, example: str = "", line: int | None = None, source: str = "", full: str = ""
    ) -> Finding | None:
        """The finding that says what was `seen`, in a sentence; None where that is empty."""
        return Finding(self.name, seen, example, line, source, full) if seen else None
