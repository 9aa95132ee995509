"""The session's side of a check: it starts the judge and the workers, carries what they say, and keeps the limits."""

from __future__ import annotations

import errno
import shutil
import sys
import tempfile
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numba_course.exercises.examination.answer import CannotTravel, Live, Saved, is_stub, live
from numba_course.exercises.examination.currency import outdated
from numba_course.exercises.examination.verdict import Finding, Verdict
from numba_course.process import channel, sandbox, wire
from numba_course.process.child import Error, describe

if TYPE_CHECKING:
    from numba_course.exercises.question import Exercise

MEMORY = 512 << 20  # bytes for what a worker does
LOADING_MEMORY = 3 * MEMORY  # for what it loads: an answer may hold a large table
JUDGE_MEMORY = 1 << 30
JUDGING = 60.0  # seconds that the judge may take for one step of its own
CALLS, FILES = 1000, 48  # in one another, and open at a time, that a check may need
AHEAD = 4  # things that a worker is given before it has done the first
TURN = 0.02  # seconds after which limits are looked at again

Report = Callable[[str, int, int], object]  # what is done, how far it is, and of how many


class Stopped(Exception):
    """The user has interrupted the examination."""


def examine(exercise: Exercise, answer: object, report: Report = lambda *_: None) -> Verdict:
    """Examine an answer of this session; see `Exercise.examine`."""
    return _guarded(exercise, lambda stopped: _of_session(exercise, answer, _Watch(stopped, report)))


def examine_file(exercise: Exercise, path: str | Path, report: Report = lambda *_: None) -> Verdict | None:
    """Examine the function of the exercise's name in a Python file; None if it defines none.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    if Path(path).is_fifo():  # it would keep us waiting
        raise OSError(errno.EINVAL, "it is a pipe", str(path))
    with open(path, "rb"):
        pass
    saved = Saved(str(path), exercise.name)
    return _guarded(exercise, lambda stopped: _heard(exercise, saved, _Watch(stopped, report)))


@dataclass(frozen=True)
class _Watch:
    """What an examination looks at and tells while it lasts."""

    stopped: Callable[[], bool]
    report: Report


def _guarded(exercise, examination):
    """Call `examination`; a fault of ours is a verdict, not a traceback, and so is an interrupt."""
    try:
        with sandbox.interrupts() as stopped, _room():
            return examination(stopped)
    except Stopped:
        return Verdict(exercise.name, "stopped")
    except Exception as error:
        report = describe(error)
        return _our_bug(exercise, f"{report.kind}: {report.message}", report.full)


@contextmanager
def _room():
    """Room for calls in one another and for open files, however few a session has left."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + CALLS)
    sandbox.make_room(FILES)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


@contextmanager
def _folder():
    """A folder for the time of a check, in one of the usual places where a session has broken what `tempfile` knows."""
    for place in (None, "/tmp", "/var/tmp", "."):
        try:
            made = tempfile.mkdtemp(dir=place)
            break
        except OSError:
            if place == ".":
                raise
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _of_session(exercise, answer, watch):
    if older := outdated(exercise.name, answer):
        return Verdict(exercise.name, "raised", (older,))
    if is_stub(answer):
        return Verdict(exercise.name, "not attempted")
    if not callable(answer):
        seen = f"{wire.opaque(answer).kind} was given; pass the function itself: check({exercise.name})"
        return Verdict(exercise.name, "wrong", (Finding("a function", seen),))
    try:
        packed = live(answer)
    except CannotTravel as error:
        finding = Finding("runs in a process of its own", f"the answer {error}")
        return Verdict(exercise.name, "raised", (finding,))
    return _heard(exercise, packed, watch)


def _heard(exercise, answer, watch):
    """The verdict on an answer; where it is text, it is written to a folder first."""
    with _folder() as folder:
        return _Hearing(exercise, answer, folder, watch).verdict()


def _judge(line, exercise, folder):
    """What the judge's process runs; the import is here so that the notebook does not pay for it."""
    from numba_course.exercises.examination.judge import judge

    return judge(line, exercise, folder)


def _work(line, answer, written, exercise, folder, *content):
    """What a worker's process runs."""
    from numba_course.exercises.examination.modules import Module
    from numba_course.exercises.examination.trial import work

    if written:
        answer = Module(folder, exercise.modules.module, exercise.modules.function)
    elif content:
        answer = replace(answer, content=content[0])
    return work(line, answer, exercise)


@dataclass
class _Worker:
    """A worker, and what it is to do, one thing after the other; it has the next ones before it has done the first."""

    child: sandbox.Child
    tasks: deque[tuple[bytes, float, str]] = field(default_factory=deque)
    given: deque[tuple[float, str]] = field(default_factory=deque)
    over: bool = False
    has_loaded: bool = False

    @property
    def busy(self) -> bool:
        """Whether it is to say something."""
        return bool(self.given)

    def give(self, *task: Any) -> None:
        """Have it do one thing more: a message, its seconds, and what it is doing."""
        self.tasks.append(task)
        self._send()
        if len(self.given) == 1:
            self.child.expect(*self.given[0])

    def has_done_one(self) -> None:
        """It has said what came of the first thing; the time of the next one begins."""
        self.given.popleft()
        self._send()
        if self.given:
            self.child.expect(*self.given[0])
        else:
            self.child.rest()

    def _send(self):
        while self.tasks and len(self.given) < AHEAD:
            message, *limit = self.tasks.popleft()
            self.given.append(tuple(limit))
            self.child.post(message)


class _Hearing:
    """One examination: a judge, and workers as he asks for them."""

    def __init__(self, exercise: Exercise, answer: Live | Saved, folder: str, watch: _Watch) -> None:
        self.exercise, self.folder, self.watch = exercise, folder, watch
        # Its bytes travel beside it, so that many of them are not copied for each worker.
        self.content = (answer.content,) if isinstance(answer, Live) else ()
        self.answer = replace(answer, content=b"") if isinstance(answer, Live) else answer
        self.workers: dict[int, _Worker] = {}
        self.stack = ExitStack()
        self.judge_waits = False  # for a worker
        self.far = (0, 0)  # how many inputs are done, and of how many

    def verdict(self) -> Verdict | None:
        """Have it judged; when the verdict is there, all processes are gone."""
        with self.stack:
            self.judge = self._child(_judge, (self.exercise.without_help(), self.folder), JUDGE_MEMORY)
            self.judge.expect(JUDGING, "starting the judge")
            self._hire(0, False)  # the judge always begins with one; so both start at the same time
            outcome = self._carry()
            for worker in self.workers.values():
                worker.child.begin_to_end()
        if isinstance(outcome, sandbox.Outcome):
            return self._without_judge(outcome)
        status, findings = outcome
        return self._verdict(status, findings)

    def _child(self, function, args, memory, attached=()):
        return self.stack.enter_context(sandbox.Child(function, args, memory, talks=True, attached=attached))

    def _carry(self):
        """Carry messages until the judge has judged; his verdict, or how he ended without one."""
        while True:
            if self.watch.stopped():
                raise Stopped
            said = self.judge.poll()
            if isinstance(said, sandbox.Outcome):
                return said
            news = said is not None
            if news:
                word, content = wire.decode(said)
                if word == "returned":
                    return content
                if word == "raised":
                    return sandbox.Outcome("raised", error=content)
                self._do(*content)
            news = any([self._hear(number, worker) for number, worker in self.workers.items()]) or news
            if not news:
                self._watch_the_judge()
                ends = [self.judge, *(worker.child for worker in self.workers.values() if not worker.over)]
                channel.wait([end for child in ends for end in child.channels], TURN)

    def _watch_the_judge(self):
        """He has a limit for his own work, and none while he waits for somebody else's."""
        if any(worker.busy for worker in self.workers.values()):
            self.judge.rest()
            self.judge_waits = True
        elif self.judge_waits:
            self.judge_waits = False
            self.judge.expect(JUDGING, "judging")

    def _do(self, what, *content):
        """What the judge asks for."""
        if what == "hire":
            self._hire(*content)
        elif what == "ask":
            number, *task = content
            self.watch.report(task[-1], *self.far)
            if not self.workers[number].over:
                self.workers[number].give(*task)
        elif what == "dismiss":
            worker = self.workers[content[0]]
            worker.over = True
            worker.child.end()
        elif what == "at":
            self.far = content

    def _hire(self, number, written):
        if number not in self.workers:
            args = self.answer, written, self.exercise.without_answer(), self.folder
            self.workers[number] = _Worker(self._child(_work, args, LOADING_MEMORY, self.content))
            self.workers[number].child.rest()

    def _hear(self, number, worker):
        """Carry what a worker says, or how it ended, to the judge; whether there was something."""
        if worker.over:
            return False
        said = worker.child.poll()
        if said is None:
            return False
        if not isinstance(said, sandbox.Outcome) and not worker.busy:  # it talks unasked, and may never end
            said = worker.child.ended("crashed")
        if isinstance(said, sandbox.Outcome):
            worker.over = True
            worker.given.clear()
            self.judge.tell(wire.encode((number, "ended", said)), JUDGING, "judging")
            return True
        worker.has_done_one()
        if not worker.has_loaded:  # what an answer holds from the beginning is not what its calls need
            worker.has_loaded = True
            worker.child.allow(MEMORY)
        self.judge.tell(wire.encode((number, "said", said)), JUDGING, "judging")
        return True

    def _verdict(self, status, findings):
        """The verdict of the judge; None where there is no such function."""
        if status == "missing" and isinstance(self.answer, Saved):
            return None
        if status in ("missing", "not attempted"):
            return Verdict(self.exercise.name, "not attempted")
        checked = tuple(dict.fromkeys(requirement.name for requirement in self.exercise.requirements))
        printed = next(filter(None, (worker.child.output for worker in self.workers.values())), "")
        not_checked = self.exercise.not_checked
        return Verdict(self.exercise.name, status, tuple(findings), checked, not_checked, printed)

    def _without_judge(self, outcome):
        """No answer runs where the judge does, so that he fails is our fault."""
        if outcome.ended == "raised" and isinstance(outcome.error, Error):
            error = outcome.error
            return _our_bug(self.exercise, f"{error.kind}: {error.message}", error.full)
        if outcome.ended == "crashed" and self.judge.is_ready and (outcome.exit_code or -1) < 0:
            seen = "the process that judges it was killed while it ran, by the answer or by the system"
            return Verdict(self.exercise.name, "crashed", (Finding("leaves other processes alone", seen),))
        return _our_bug(self.exercise, f"the judge {outcome.ended} while {outcome.step or 'starting'}", "")


def _our_bug(exercise, message, full):
    finding = Finding("our bug", f"the checker failed, not your answer: {message}", full=full)
    return Verdict(exercise.name, "our bug", (finding,))
