"""The judge of an answer: what it is tried on, what is right, and in which order it is looked at.

The judge is a child process in which no answer ever runs. It draws the inputs, asks the specification and compares;
the answer runs in *workers*, child processes too, of which it knows only what they say, as data. So an answer
reaches neither what is expected nor what compares. What workers say of the *code* of an answer comes from processes
in which it has run.

The order makes the verdict the same every time. First come calls with one thread, whose results do not depend
on luck. While they last, a second worker looks at the code (bounds, races); calls with all threads come last, and
only for an answer whose iterations do not race.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from hypothesis import HealthCheck, Phase, find, given, settings, strategies
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import Flaky, NoSuchExample
from hypothesis.extra.numpy import array_shapes, arrays

from numba_course.exercises.examination.children import Processes, violent_end
from numba_course.exercises.examination.office import Lost, Office, Ticket, Worker, WorkerError
from numba_course.exercises.examination.verdict import Finding
from numba_course.process import wire
from numba_course.process.arguments import pack, plain, unpack
from numba_course.process.child import Line, keep_to_itself
from numba_course.process.sandbox import Outcome

if TYPE_CHECKING:
    from numba_course.exercises.question import Exercise

HYPOTHESIS = Path(tempfile.gettempdir()) / "numba_course-hypothesis"  # not the learner's folder
STRATEGIES = SimpleNamespace(**vars(strategies), arrays=arrays, array_shapes=array_shapes)
DRAWN = 60  # inputs drawn from the strategy
SHRINKING = 400  # calls that are spent on making a failing input smaller
SHRINKING_SECONDS = 20.0  # which only a slow answer needs: so the input shown does not depend on the machine
AHEAD = 8  # calls that are begun while one is looked at
TOLD = 10  # calls after which the learner is told how far it is
ALL_CALLS = 120.0  # seconds that the calls on all inputs may take together
READING = 5.0  # seconds for an answer that returns the text of modules
STRUCTURE_INPUTS = 25  # inputs used where the code is looked at
ORDER = ["not compiled", "raised", "wrong", "unmet"]  # from bad to less bad


@dataclass(frozen=True)
class Run:
    """One call of the answer beside the specification's, arguments by name before and after, all as plain data.

    Attributes
    ----------
    before, after, expected_after : dict of str to object
    result, expected : object
        Of the answer, and of the specification.
    shared : tuple of str
        Names of the arguments with which the result shares memory.
    unlocked : tuple of str
        Names of the arguments that were read-only before the call, and may be written to after it.
    """

    before: dict[str, Any]
    after: dict[str, Any]
    result: Any
    expected: Any
    expected_after: dict[str, Any]
    shared: tuple[str, ...] = ()
    unlocked: tuple[str, ...] = ()


class Failure(Exception):
    """A call that did not do what is asked: pairs of a status and a finding."""

    def __init__(self, *found: tuple[str, Finding]) -> None:
        super().__init__(*found)
        self.found = list(found)

    @property
    def status(self) -> str:
        return self.found[0][0]


@dataclass(frozen=True)
class Call:
    """A call that was begun: its arguments, whether they were drawn, and the tickets for what was asked for."""

    args: tuple[Any, ...]
    packed: bytes
    was_drawn: bool
    compiling: Ticket | None
    calling: Ticket


class _Enough(BaseException):
    """Ends a search of Hypothesis, which would take any other exception for a failure to look into."""


def judge(line: Line, exercise: Exercise, folder: str) -> tuple[str, list[Finding]]:
    """Judge an answer: its status, and the findings worst first.

    Parameters
    ----------
    line : Line
        To the session, which starts workers.
    exercise : Exercise
    folder : str
        An empty one; where the answer is the text of modules they are written there, and disk caches are.

    Returns
    -------
    tuple
        ``(status, findings)``; status ``missing`` when a file does not define the function.
    """
    keep_to_itself()
    hearing = Hearing(Office(line), exercise, folder)
    try:
        if exercise.modules and (found := hearing.write_modules()):
            return found
        return hearing.verdict()
    except Lost as lost:
        status = "timed out" if lost.outcome.ended == "timed out" else "crashed"
        return status, [violent_end(lost.outcome), *hearing.autopsy(lost)]


class Hearing:
    """One answer before the judge."""

    def __init__(self, office: Office, exercise: Exercise, folder: str) -> None:
        self.office, self.exercise, self.folder = office, exercise, folder
        self.specification = Specification(exercise)
        self.drawn: list[tuple[Any, ...]] = []
        self.kinds: set[Any] = set()  # types of arguments that it was compiled for
        self.looks = Looks(self)
        self.is_slow = any(requirement.slow for requirement in exercise.requirements)

    # The order of things.

    def write_modules(self) -> tuple[str, list[Finding]] | None:
        """Have the files written whose text is the answer; status and findings if that fails."""
        worker = self.office.hire()
        status, found = self._begin_to_load(worker).result()
        if status == "done":
            seconds = min(READING, self.exercise.seconds)
            status, found = worker.ask("write", self.folder, seconds=seconds, step="calling it")
        worker.dismiss()
        if status == "done":
            self.office.answer_is_written()
            return None
        return status, _findings(found)

    def verdict(self) -> tuple[str, list[Finding]]:
        """The status of the worst thing found, and the findings."""
        first = self.office.hire()
        loading = self._begin_to_load(first)
        status, found = loading.result()
        if status != "done":
            return self._not_loaded(status, found)
        early = self._look(first, lambda requirement: requirement.early)
        found = early or self._call_all(first, "calling it", 1) or self._look_closely(first)
        if not found:
            found = self._call_all(first, "calling it with all threads", 0) or self._in_processes()
        if found and found[0][0] == "wrong":
            found += self.outside(first)
        found.sort(key=lambda pair: ORDER.index(pair[0]))
        return (found[0][0] if found else "correct"), [finding for _, finding in found]

    def autopsy(self, lost: Lost) -> list[Finding]:
        """What the bounds tell of a crash; nothing if they do not tell."""
        return [found for _, found in self.outside()] if lost.outcome.ended == "crashed" else []

    def outside(self, worker: Worker | None = None) -> list[tuple[str, Finding]]:
        """Whether the answer reaches outside an array, which may be why it is wrong or crashed; nothing if that is not
        known. Another worker finds out where none is given."""
        numbers = [n for n, r in enumerate(self.exercise.requirements) if r.name == "in bounds"]
        if not numbers:
            return []
        try:
            ticket = self.looks.tickets.get(numbers[0])
            if ticket is None:
                if worker:
                    self.hand_inputs_to(worker)
                ticket = self.begin_to_look(worker or self.another(), numbers[0])
            status, found = ticket.result()
            return [(status, _finding(found))] if status != "done" else []
        except (Lost, WorkerError):
            return []

    def _begin_to_load(self, worker):
        seconds = self.exercise.compiling  # an eager one compiles
        return worker.begin("load", seconds=seconds, step="loading the answer")

    def _not_loaded(self, status, found):
        if self.exercise.modules and status in ("missing", "not attempted"):
            where = (
                f"{self.exercise.modules.module}.py defines no function `{self.exercise.modules.function}`"
            )
            return "wrong", [Finding("files", f"{where}, or an empty one")]
        return status, _findings(found)

    # Calls.

    def draw(self) -> None:
        """Draw inputs from the exercise's strategy."""
        if self.exercise.inputs and not self.drawn:
            self.drawn = drawn(self.exercise.inputs(STRATEGIES))

    def calls(self) -> Iterator[tuple[tuple[Any, ...], bool]]:
        """All inputs to call the answer with, and for each whether it was drawn."""
        yield from ((_arguments(args), False) for args in self.exercise.examples())
        self.draw()  # while the examples are tried
        yield from ((_arguments(args), True) for args in self.drawn)

    def _call_all(self, worker, how, threads):
        """Call the answer on the examples and on drawn inputs, smallest first; stop at the first failure.

        A few calls are begun before the first of them is looked at, so that neither side waits for the other.
        """
        until = monotonic() + ALL_CALLS
        total = sum(1 for _ in self.exercise.examples()) + DRAWN * bool(self.exercise.inputs)
        begun = deque()
        for number, (args, was_drawn) in enumerate(self.calls()):
            if number % TOLD == 0:
                self.office.tell(number, total)
            begun.append(self._begin_to_call(worker, args, was_drawn, how, threads))
            if self.is_slow:  # while it is compiled for the first call
                self.looks.begin()
            if number >= AHEAD and (failed := self._settled(worker, begun.popleft(), threads)):
                return failed
            if monotonic() > until:
                raise Lost(Outcome("timed out", step="calling it on all inputs", limit=ALL_CALLS))
        while begun:
            if failed := self._settled(worker, begun.popleft(), threads):
                return failed
        return []

    def _settled(self, worker, call, threads):
        """What is found of a call that was begun; of a drawn input that fails, what a smaller one shows."""
        try:
            self._hold(call)
            if threads == 1:
                self.looks.begin()
        except Failure as failure:
            return self._smaller(worker, call.args, failure).found if call.was_drawn else failure.found
        return []

    def run(self, worker: Worker, args: tuple[Any, ...]) -> None:
        """Call specification and answer on the same arguments; raise `Failure` where a requirement is not met."""
        self._hold(self._begin_to_call(worker, args, True, "calling it", 1))

    def _begin_to_call(self, worker, args, was_drawn, how, threads):
        """Have the answer called, and compiled before if these are new types."""
        packed, compiling = pack(args), None
        shown = self.exercise.show(args)
        if self._is_new(args):
            step, quickly = f"compiling it for {shown}", len(self.kinds) > 1
            compiling = worker.begin("compile", packed, quickly, seconds=self.exercise.compiling, step=step)
        step = f"{how}: {shown}"
        calling = worker.begin("call", packed, threads, seconds=self.exercise.seconds, step=step)
        return Call(args, packed, was_drawn, compiling, calling)

    def _hold(self, call):
        """Hold what came of a call against the specification."""
        self.specification.of(call.packed)  # meanwhile
        for ticket in filter(None, (call.compiling, call.calling)):
            status, found = ticket.result()
            if status != "done":
                raise Failure((status, _finding(found)))
        if unmet := self.specification.unmet(call.packed, found):
            raise Failure(*unmet)

    def _is_new(self, args):
        """Whether no call with arguments of these types was compiled for yet."""
        try:
            kinds = tuple(map(numba.typeof, args))
        except ValueError:  # of what compiled code cannot use
            return False
        is_new = kinds not in self.kinds
        self.kinds.add(kinds)
        return is_new

    def _smaller(self, worker, args, failure):
        """Look for a smaller input that fails in the same way, in so many calls."""
        best, left, until = (args, failure), SHRINKING, monotonic() + SHRINKING_SECONDS
        self.office.tell(0, 0)  # nobody knows how many there will be

        def fails(candidate):
            nonlocal best, left
            if left == 0 or monotonic() > until:
                raise _Enough
            left -= 1
            try:
                self.run(worker, candidate)
            except Failure as other:
                if other.status == failure.status:
                    if size(candidate) <= size(best[0]):
                        best = candidate, other
                    return True
            except Lost:  # a smaller one that ends otherwise
                raise _Enough from None
            return False

        try:
            find(self.exercise.inputs(STRATEGIES), fails, settings=quiet_settings(max_examples=300))
        except (NoSuchExample, Flaky, _Enough):  # none found; or one that does not always fail
            pass
        return best[1]

    # Looks at the code.

    def _asked_of_code(self):
        """Numbers and requirements that look at the code."""
        return [(n, r) for n, r in enumerate(self.exercise.requirements) if r.looks_at_code]

    def _look(self, worker, which):
        """Hold the code against the requirements that look at it, as far as `which` chooses them."""
        found = []
        for number, requirement in self._asked_of_code():
            if which(requirement):
                ticket = self.looks.tickets.get(number) or self.begin_to_look(worker, number)
                status, finding = ticket.result()
                found += [(status, _finding(finding))] if status != "done" else []
        return found

    def _look_closely(self, worker):
        self.looks.finish(worker)
        return self._look(worker, lambda requirement: not requirement.early)

    def begin_to_look(self, worker: Worker, number: int) -> Ticket:
        """Have a worker hold the code against the requirement of this number."""
        step = f"looking whether it is {self.exercise.requirements[number].name}"
        return worker.begin("look", number, seconds=self.exercise.compiling, step=step)

    def apart(self) -> list[int]:
        """Numbers of the requirements that look at the code and need nothing of the calls."""
        return [number for number, r in self._asked_of_code() if r.apart and not r.early]

    def another(self) -> Worker:
        """One more worker, who loads the answer and has the inputs."""
        worker = self.office.hire()
        self._begin_to_load(worker)
        self.hand_inputs_to(worker)
        return worker

    def hand_inputs_to(self, worker: Worker) -> None:
        """Let a worker have the inputs that were drawn."""
        self.draw()
        packed = [pack(args) for args in self.drawn[:STRUCTURE_INPUTS]]
        worker.begin("take", packed, seconds=self.exercise.seconds, step="taking the inputs")

    def _in_processes(self):
        """Look at further processes, which share a folder."""
        processes = Processes(self.exercise, self.office, self.folder)
        for requirement in self.exercise.requirements:
            if finding := requirement.of_processes(processes):
                return [(requirement.status, finding)]
        return []


class Looks:
    """The looks at the code that need nothing of the calls: another worker does them, and at last whoever has time.

    Attributes
    ----------
    tickets : dict of int to Ticket
        Those that were begun, by the number of the requirement.
    """

    def __init__(self, hearing: Hearing) -> None:
        self.hearing = hearing
        self.tickets: dict[int, Ticket] = {}
        self._left: list[int] = []
        self._begun = False
        self._at_work: dict[Worker, Ticket | None] = {}

    def begin(self) -> None:
        """Hire the other worker, if there is something to look at; again does nothing."""
        if self._begun:
            return
        self._begun = True
        self._left = self.hearing.apart()
        if self._left:
            self._at_work[self.hearing.another()] = None
            self.hearing.office.heard = self.go_on
            self.go_on()

    def go_on(self) -> None:
        """Give the next look to each who has done the last one; waits for nobody."""
        for worker, ticket in self._at_work.items():
            if self._left and (ticket is None or ticket.answer is not None):
                number = self._left.pop(0)
                self._at_work[worker] = self.tickets[number] = self.hearing.begin_to_look(worker, number)

    def finish(self, helper: Worker) -> None:
        """Have all that is left begun, by this worker as well, who has called the answer meanwhile."""
        if self._left:
            self.hearing.hand_inputs_to(helper)
            self._at_work[helper] = None
            self.go_on()
        while self._left:
            self.hearing.office.listen()


class Specification:
    """What is right: the exercise's specification, asked once for each input."""

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise
        self.names = list(exercise.parameters)
        self._known: dict[bytes, tuple[dict[str, Any], Any, dict[str, Any]]] = {}

    def of(self, packed: bytes) -> tuple[dict[str, Any], Any, dict[str, Any]]:
        """For packed arguments: these by name, the result, and these after the call, as plain data."""
        if packed not in self._known:
            before, args = self.named(unpack(packed)), unpack(packed)
            result = self.exercise.spec(*args)
            self._known[packed] = before, data(result), self.named(args)
        return self._known[packed]

    def named(self, args: tuple[Any, ...]) -> dict[str, Any]:
        """Arguments by name, as plain data."""
        return dict(zip(self.names, data(plain(args)), strict=True))

    def unmet(self, packed: bytes, came: Any) -> list[tuple[str, Finding]]:
        """What is not as asked in a call of which a worker says what came of it: pairs of status and finding."""
        before, expected, expected_after = self.of(packed)
        try:
            result, after, shared, unlocked = came
            run = Run(
                before=before,
                after=dict(zip(self.names, after, strict=True)),
                result=result,
                expected=expected,
                expected_after=expected_after,
                shared=tuple(self.names[number] for number in shared),
                unlocked=tuple(self.names[number] for number in unlocked),
            )
        except (TypeError, ValueError, IndexError):
            raise Failure(("raised", _finding(None))) from None
        example, said = self.exercise.show(unpack(packed)), {}
        for requirement in self.exercise.requirements:
            if finding := requirement.of_run(run):  # the same seen twice is said once
                found = requirement.status, replace(finding, example=finding.example or example)
                said.setdefault(finding.seen, found)
        return list(said.values())


def settle_in() -> None:
    """What must be so before anything is drawn."""
    set_hypothesis_home_dir(HYPOTHESIS)


def data(value: Any) -> Any:
    """The value as it would come from a worker."""
    return wire.decode(wire.encode(value))


def _findings(value):
    """What a worker says beside a status: a finding, or nothing."""
    return [_finding(value)] if value is not None else []


def _finding(value: Any) -> Finding:
    """What a worker calls a finding, if it is one."""
    texts = ("requirement", "seen", "example", "source", "full")
    good = isinstance(value, Finding) and all(isinstance(getattr(value, name), str) for name in texts)
    if good and isinstance(value.line, int | None):
        return value
    return Finding(
        "runs without an error", "the process in which it ran said something that it was not asked for"
    )


def _arguments(args):
    """What an exercise gives for a call, which must be a tuple: an array would be taken apart."""
    if isinstance(args, tuple):
        return args
    raise TypeError(
        f"examples and inputs of an exercise must give tuples of arguments, not {type(args).__name__}"
    )


def drawn(strategy: strategies.SearchStrategy[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Inputs drawn from a strategy: the same every time, smallest first."""
    inputs = []

    @quiet_settings(max_examples=DRAWN, phases=(Phase.generate,))
    @given(strategy)
    def collect(args):
        inputs.append(args)

    collect()
    return sorted(inputs, key=size)


def size(args: tuple[Any, ...]) -> int:
    """How large an input is, to put small ones first."""
    return sum(
        value.size if isinstance(value, np.ndarray) else len(value) if hasattr(value, "__len__") else 0
        for value in args
    )


def quiet_settings(**changes: Any) -> settings:
    """Hypothesis without files, deadlines and luck."""
    return settings(
        derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck), **changes
    )
