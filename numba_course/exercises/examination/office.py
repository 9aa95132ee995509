"""How the judge works with processes that it must not start itself: it asks the session for them, over its line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from numba_course.process import wire
from numba_course.process.child import Error, Line
from numba_course.process.sandbox import Outcome

LOOKING = ("exercises/requirements", "lens", "pipeline")  # where something of ours fails if it is our fault
ANSWERS = ("done", "missing", "not attempted", "not compiled", "raised", "wrong", "unmet")


class Lost(Exception):
    """A worker has ended without an answer, or with one that is none; `outcome` says how."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.ended)
        self.outcome = outcome


class WorkerError(Exception):
    """Something of ours has failed in a worker."""

    def __init__(self, error: Error, step: str) -> None:
        super().__init__(f"{error.kind}: {error.message}" + (f" (while {step})" if step else ""))
        self.error = error


def _is_error(content):
    """Whether what a worker calls an error is one."""
    return isinstance(content, Error) and all(type(text) is str for text in (content.kind, content.message))


def _is_ours(error):
    """Whether an error that nobody expected was raised where we look at an answer.

    Where a worker only carries what came of a call, whatever fails is broken by the answer.
    """
    names = [str(frame[0]).replace("\\", "/") for frame in error.frames if type(frame) is tuple and frame]
    return any(f"numba_course/{room}/" in name for name in names for room in LOOKING)


class Office:
    """Where workers are hired; one at a time reads what they say."""

    def __init__(self, line: Line) -> None:
        self._line, self._workers = line, []
        self._written = False
        self.heard: Callable[[], object] = lambda: None  # called whenever a worker has said something

    def hire(self) -> Worker:
        """A new worker, in a process that has seen nothing of the answer."""
        worker = Worker(self, len(self._workers))
        self._workers.append(worker)
        self._line.say(("hire", worker.number, self._written))
        return worker

    def answer_is_written(self) -> None:
        """From now on the answer is the function in the files that it returned the text of."""
        self._written = True

    def tell(self, done: int, of: int) -> None:
        """Say how many inputs are done, and of how many, for the learner who waits."""
        self._line.say(("at", done, of))

    def send(self, worker: int, message: bytes, seconds: float, step: str) -> None:
        """Send a message to a worker."""
        self._line.say(("ask", worker, message, seconds, step))

    def dismiss(self, worker: int) -> None:
        """End a worker."""
        self._line.say(("dismiss", worker))

    def listen(self) -> None:
        """Wait for one thing that a worker says, or for how it ended, and give it to him."""
        number, word, content = self._line.hear()
        self._workers[number].heard(word, content)
        self.heard()


class Worker:
    """A process that has the answer; it does one thing after the other."""

    def __init__(self, office: Office, number: int) -> None:
        self.office, self.number = office, number
        self._waiting: list[Ticket] = []
        self._outcome: Outcome | None = None

    def begin(self, task: str, *content: Any, seconds: float, step: str) -> Ticket:
        """Have a task done, in so many seconds, without waiting for it; see `trial.Desk` for the tasks."""
        ticket = Ticket(self, step)
        if self._outcome is None:
            self._waiting.append(ticket)
            self.office.send(self.number, wire.encode((task, *content)), seconds, step)
        else:
            ticket.answer = self._outcome
        return ticket

    def ask(self, task: str, *content: Any, seconds: float, step: str) -> tuple[str, Any]:
        """Have a task done, and wait for what came of it."""
        return self.begin(task, *content, seconds=seconds, step=step).result()

    def dismiss(self) -> None:
        """Nothing more is asked of it."""
        self.office.dismiss(self.number)

    def heard(self, word: str, content: Any) -> None:
        """Take what it said, or how it ended."""
        if word == "ended":
            self._outcome = content
            for ticket in self._waiting:
                ticket.answer = content
            self._waiting.clear()
        elif self._waiting:
            self._waiting.pop(0).answer = content


class Ticket:
    """A task that was given to a worker."""

    def __init__(self, worker: Worker, step: str) -> None:
        self.worker, self.step = worker, step
        self.answer: Any = None

    def result(self) -> tuple[str, Any]:
        """What came of it: a status, or "done", and what belongs to it; waits for it.

        Raises
        ------
        Lost
            If the worker has ended, or said something that is no answer.
        WorkerError
            If our own code failed there.
        """
        while self.answer is None:
            self.worker.office.listen()
        if isinstance(self.answer, Outcome):
            raise Lost(self.answer)
        try:
            word, content = wire.decode(self.answer)
            if word == "raised" and _is_error(content):
                if _is_ours(content):
                    raise WorkerError(content, self.step)
                said = f"it broke its own process, in which then failed: {content.kind}: {content.message}"
                raise Lost(Outcome("crashed", step=self.step, error=replace(content, message=said)))
            status, found = content
            if word == "said" and status in ANSWERS:
                return status, found
        except (ValueError, TypeError):
            pass
        raise Lost(Outcome("crashed", step=self.step))
