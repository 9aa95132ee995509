"""The child's side of a check: run an answer on many inputs and hold it against the requirements.

The order makes the verdict the same every time. First come calls with one thread, whose results do not depend
on luck; then the code is looked at (bounds, races); calls with all threads come last, and only for an answer
whose iterations do not race.
"""

from __future__ import annotations

import inspect
import os
import tempfile
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias

import numba
import numpy as np
from hypothesis import HealthCheck, Phase, find, given, settings, strategies
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import Flaky, NoSuchExample
from hypothesis.extra.numpy import array_shapes, arrays
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError

from numba_course.exercises.examination.answer import (
    Live,
    Saved,
    is_stub,
    line_in,
    loading_failed,
    source_line,
)
from numba_course.exercises.examination.show import show
from numba_course.exercises.examination.verdict import Finding
from numba_course.lens import errors
from numba_course.lens.compiled import dispatchers
from numba_course.lens.compiled.compilation import Compilation, compiled_here
from numba_course.process.arguments import pack, unpack
from numba_course.process.sandbox import describe

if TYPE_CHECKING:
    from numba_course.exercises.examination.modules import Module
    from numba_course.exercises.question import Exercise

# What the sandbox hears meanwhile, with or without its seconds; at last a status and the findings.
Judging: TypeAlias = Generator[str | tuple[str, float], None, tuple[str, list[Finding]]]
HYPOTHESIS = Path(tempfile.gettempdir()) / "numba_course-hypothesis"  # not the learner's folder
STRATEGIES = SimpleNamespace(**vars(strategies), arrays=arrays, array_shapes=array_shapes)
DRAWN = 60  # inputs drawn from the strategy
SHRINKING = 400  # calls that are spent on making a failing input smaller
SLOWLY = 4  # times the limit of a single call that all of them may take
STRUCTURE_INPUTS = 25  # inputs used where the code is looked at


@dataclass(frozen=True)
class Run:
    """One call of the answer beside the specification's, arguments by name before and after."""

    before: dict[str, Any]
    after: dict[str, Any]
    result: Any
    expected: Any
    expected_after: dict[str, Any]


class Failure(Exception):
    """A call that did not do what is asked: pairs of a status and a finding."""

    def __init__(self, *found: tuple[str, Finding]) -> None:
        super().__init__(*found)
        self.found = list(found)

    @property
    def status(self) -> str:
        return self.found[0][0]


class _Enough(BaseException):
    """Ends a search of Hypothesis, which would take any other exception for a failure to look into."""


class Trial:
    """An answer, its exercise, and the inputs it is tried on."""

    def __init__(self, answer: Any, exercise: Exercise) -> None:
        self.answer, self.exercise = answer, exercise
        self.names = list(inspect.signature(exercise.spec).parameters)
        self.drawn = []
        self._compilations, self._specified = {}, {}

    def draw(self) -> None:
        """Draw inputs from the exercise's strategy; not worth the time where an example fails already."""
        if self.exercise.inputs and not self.drawn:
            self.drawn = drawn(self.exercise.inputs(STRATEGIES))

    def calls(self) -> Iterator[tuple[tuple[Any, ...], bool]]:
        """All inputs to call the answer with, and for each whether it was drawn."""
        yield from ((_arguments(args), False) for args in self.exercise.examples())
        self.draw()
        yield from ((_arguments(args), True) for args in self.drawn)

    def inputs(self) -> Iterator[tuple[Any, ...]]:
        """A few inputs, smallest first, for requirements that look at the code: drawn ones if there are any yet."""
        yield from self.exercise.examples()
        yield from self.drawn[:STRUCTURE_INPUTS]

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

    def specified(self, packed: bytes) -> tuple[Any, tuple[Any, ...]]:
        """What the specification gives for packed arguments, and these after it; computed once for all calls."""
        if packed not in self._specified:
            args = unpack(packed)
            self._specified[packed] = self.exercise.spec(*args), args
        return self._specified[packed]

    def show(self, args: tuple[Any, ...]) -> str:
        """The arguments as in a call."""
        return ", ".join(f"{name}={show(value)}" for name, value in zip(self.names, args, strict=True))

    def run(self, args: tuple[Any, ...]) -> None:
        """Call specification and answer on the same arguments; raise `Failure` where a requirement is not met."""
        packed = pack(args)
        expected, expected_args = self.specified(packed)
        actual_args = unpack(packed)
        try:
            result = self.exercise.call(self.answer, *actual_args)
        except BaseException as error:  # sys.exit in an answer is an answer that raised
            raise self._raised(args, error) from None
        run = Run(
            before=dict(zip(self.names, args, strict=True)),
            after=dict(zip(self.names, actual_args, strict=True)),
            result=result,
            expected=expected,
            expected_after=dict(zip(self.names, expected_args, strict=True)),
        )
        found = [
            (requirement.status, replace(finding, example=self.show(args)))
            for requirement in self.exercise.requirements
            if (finding := requirement.of_run(run))
        ]
        if found:
            raise Failure(*found)

    def is_new(self, args: tuple[Any, ...]) -> bool:
        """Whether no call with arguments of these types was compiled for yet."""
        function = self.answer
        return (
            isinstance(function, Dispatcher)
            and tuple(map(function.typeof_pyval, args)) not in function.overloads
        )

    def compile(self, args: tuple[Any, ...]) -> tuple[str, Finding] | None:
        """Compile for a call; the status and finding if that fails, or None."""
        try:
            dispatchers.compiled_for(self.answer, self.copies(args))
        except Exception as error:
            return "not compiled", self._not_compiled(args, error)
        return None

    def _not_compiled(self, args, error):
        """The finding for an error of the compiler: its one line, and the learner's."""
        seen, line, full = errors.reason(error), errors.line_of(error), describe(error).full
        source = source_line(self.answer, line)
        return Finding("compiled", f"Numba cannot compile it: {seen}", self.show(args), line, source, full)

    def _raised(self, args, error):
        """The failure for an exception: one of compiling for yet another type, or one of running."""
        report = describe(error)
        if isinstance(error, NumbaError):
            return Failure(("not compiled", self._not_compiled(args, error)))
        line, source = line_in(self.answer, report.frames)
        message = f"{report.kind}: {report.message}" if report.message else report.kind
        finding = Finding("runs without an error", message, self.show(args), line, source, report.full)
        return Failure(("raised", finding))

    def smaller(self, args: tuple[Any, ...], failure: Failure) -> Failure:
        """Look for a smaller input that fails in the same way: in so many calls, if they end in time."""
        best, left = (args, failure), SHRINKING
        assert self.exercise.inputs  # `args` was drawn from it
        deadline = time.monotonic() + SLOWLY / 2 * self.exercise.seconds

        def fails(candidate):
            nonlocal best, left
            if left == 0 or time.monotonic() > deadline:
                raise _Enough
            left -= 1
            try:
                self.run(candidate)
            except Failure as other:
                if other.status == failure.status:
                    if size(candidate) <= size(best[0]):
                        best = candidate, other
                    return True
            return False

        try:
            find(self.exercise.inputs(STRATEGIES), fails, settings=quiet_settings(max_examples=300))
        except (NoSuchExample, Flaky, _Enough):  # none found; or one that does not always fail
            pass
        return best[1]


def judge(answer: Live | Saved | Module, exercise: Exercise) -> Judging:
    """Examine an answer; a generator of progress, for the sandbox.

    Returns
    -------
    tuple
        ``(status, findings)``; status ``missing`` when a file does not define the function.
    """
    settle_in()
    yield "loading the answer", exercise.compiling  # an eager one compiles
    try:
        function = answer.load()
    except BaseException as error:
        return "raised", [loading_failed(answer, error)]
    if function is None:
        return "missing", []
    if is_stub(function):
        return "not attempted", []
    trial = Trial(function, exercise)
    found = yield from _look(trial, lambda requirement: requirement.early)
    if found:
        return _worst(found)
    found = yield from _call_all(trial, "one thread", 1)
    if not any(status in ("not compiled", "raised") for status, _ in found):
        found += yield from _look(trial, lambda requirement: not requirement.early)
        if not found:
            found = yield from _call_all(trial, "all threads", numba.config.NUMBA_NUM_THREADS)
    return _worst(found)


def settle_in() -> None:
    """What must be so before an answer is loaded."""
    set_hypothesis_home_dir(HYPOTHESIS)
    # Between two parallel loops OpenMP's threads would run on the spot, and take time from those that have work.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def bounds_only(answer: Live | Saved | Module, exercise: Exercise) -> Judging:
    """Look only at the bounds: what a crash is explained with."""
    settle_in()
    yield "loading the answer", exercise.compiling  # an eager one compiles
    trial = Trial(answer.load(), exercise)
    yield "drawing inputs"
    trial.draw()
    found = yield from _look(trial, lambda requirement: requirement.name == "in bounds")
    return _worst(found)


def _call_all(trial, how, threads):
    """Call the answer on the examples and on drawn inputs, smallest first; stop at the first failure."""
    numba.set_num_threads(threads)
    for args, was_drawn in trial.calls():
        if trial.is_new(args):
            yield f"compiling it for {trial.show(args)}", trial.exercise.compiling
            if failure := trial.compile(args):
                return [failure]
        yield f"calling it with {how}: {trial.show(args)}"
        try:
            trial.run(args)
        except Failure as failure:
            if not was_drawn:
                return failure.found
            yield f"looking for a smaller input than {trial.show(args)}", SLOWLY * trial.exercise.seconds
            return trial.smaller(args, failure).found
    return []


def _look(trial, which):
    """Hold the code against the requirements that look at it, as far as `which` chooses them."""
    found = []
    for requirement in filter(which, trial.exercise.requirements):
        yield f"looking whether it is {requirement.name}", trial.exercise.compiling
        finding = requirement.of_code(trial)
        if finding:
            found.append((requirement.status, finding))
    return found


def _worst(found):
    """The verdict of several findings: the status of the worst, all findings worst first."""
    order = ["not compiled", "raised", "wrong", "unmet"]
    found = sorted(found, key=lambda pair: order.index(pair[0]))
    return (found[0][0] if found else "correct"), [finding for _, finding in found]


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
