"""Requirements on what the compiler made of an answer: vectors, allocations, the GIL, and how work grows."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError

from numba_course.exercises.answers import source_line
from numba_course.exercises.fresh import calls
from numba_course.exercises.requirements import Requirement
from numba_course.exercises.verdict import Finding
from numba_course.lens._arguments import pack
from numba_course.lens.dispatchers import reason
from numba_course.lens.machine_code import report
from numba_course.sandbox import describe

NEARLY_ALL = 0.75  # of the operations; those on elements that are left over may be done one at a time


@dataclass(frozen=True)
class CompilationRequirement(Requirement):
    """What must be true of the compilation for each of some calls.

    Attributes
    ----------
    examples : callable
        () -> iterable of argument tuples, one for each combination of types that matters.
    """

    examples: Callable

    def of_code(self, trial):
        if not isinstance(trial.answer, Dispatcher):
            return None  # `Compiled` has said so
        for args in self.examples():
            try:
                compilation = trial.compilation(args)
            except (NumbaError, TypeError) as error:
                return Finding(self.name, f"it cannot be compiled: {reason(error)}", trial.show(args))
            if seen := self.of_compilation(compilation):
                text, line, full = seen
                source = source_line(trial.answer, line)
                return Finding(self.name, text, trial.show(args), line, source, full)
        return None

    def of_compilation(self, compilation):
        """What is wrong with a `Compilation`, its line or None, and all that was seen; None if nothing is."""
        raise NotImplementedError


@dataclass(frozen=True)
class CodeRequirement(CompilationRequirement):
    """What must be true of the machine code for each of some calls."""

    def of_compilation(self, compilation):
        code = report(compilation)
        seen = self.of_machine_code(code)
        return seen and (*seen, repr(code))

    def of_machine_code(self, code):
        """What is wrong with a `MachineCode`, and its line or None; None if nothing is."""
        raise NotImplementedError


@dataclass(frozen=True)
class Vectorised(CodeRequirement):
    """A call does nearly all of the work on several elements at a time, in a loop of the function itself.

    What the machine code could do is not enough: a packed loop may never run, or only prepare what a scalar one does.
    So the operations that a call does are counted. How many elements go together depends on the processor, and so
    does how many are left over: the examples must be large.

    Attributes
    ----------
    work : tuple of str
        LLVM's names of the operations in question, such as ``fadd``.
    called : str
        What they are called, such as ``additions``.
    """

    work: tuple
    called: str

    name: ClassVar[str] = "vectorised"

    def of_machine_code(self, code):
        if code.executed is None:
            return "whether it is could not be found out: " + "; ".join(code.notes), None
        done = [counts for name, *counts in code.executed if name in self.work]
        packed, scalar = sum(packed for packed, _ in done), sum(scalar for _, scalar in done)
        nearly_all = packed > NEARLY_ALL * (packed + scalar)
        if nearly_all and any(loop.state == "packed" for loop in code.loops):
            return None
        for loop in code.loops:
            if loop.state == "scalar":
                because = f": {loop.reason}" if loop.reason else ""
                return f"the loop works on one element at a time{because}", loop.line
        if nearly_all:
            return "the packed loop is not in the function itself, but in one that it calls", None
        if scalar:
            return f"most of the {self.called} are done one at a time", None
        return "its machine code has no arithmetic on several elements at a time", None


@dataclass(frozen=True)
class AllocatesNothing(CodeRequirement):
    """A call takes no memory, beyond what its arguments need to be passed."""

    name: ClassVar[str] = "allocates nothing"

    def of_machine_code(self, code):
        if code.allocations == 0:
            return None
        if code.allocations is None:
            return "whether it allocates could not be found out: " + "; ".join(code.notes), None
        return f"one call allocates memory {code.allocations} times", None


@dataclass(frozen=True)
class ReleasesGIL(CodeRequirement):
    """Other Python threads can run during a call."""

    name: ClassVar[str] = "releases the GIL"

    def of_machine_code(self, code):
        return None if code.releases_gil else ("it holds the GIL during the whole call", None)


@dataclass(frozen=True)
class WorkStays(Requirement):
    """A call that must not be much more work than another one is not.

    The fastest of several calls each are compared, and only a difference far beyond any noise counts.

    Attributes
    ----------
    calls : callable
        () -> two argument tuples; the second may take at most `factor` times as long as the first.
    what : str
        What grows from the first to the second, such as ``the window``.
    factor : float
    """

    calls: Callable
    what: str
    factor: float = 30.0

    name: ClassVar[str] = "amount of work"

    def of_code(self, trial):
        few, many = ([], [])
        for _ in range(3):
            for times, args in zip((few, many), self.calls(), strict=True):
                start = time.perf_counter()
                try:
                    trial.answer(*args)
                except Exception as error:
                    return Finding(self.name, f"a large call raised {describe(error).kind}: {error}")
                times.append(time.perf_counter() - start)
        if min(many) <= self.factor * min(few):
            return None
        return Finding(
            self.name, f"its work grows with {self.what}: far more than {self.factor:.0f} times as long"
        )


@dataclass(frozen=True)
class CachedOnDisk(Requirement):
    """A second process compiles nothing for a call that a first one has made."""

    call: Callable  # () -> the arguments of the call

    name: ClassVar[str] = "a second process compiles nothing"

    def of_code(self, trial):
        first, second = calls(trial.origin, pack(self.call()))
        if error := first.error or second.error:
            return Finding(self.name, f"in a fresh process the call failed: {error}", trial.show(self.call()))
        if not first.compiled:
            return Finding(self.name, "nothing is compiled, not even by the first process")
        if second.compiled:
            names = ", ".join(f"`{name}`" for name in dict.fromkeys(second.compiled))
            because = f": {second.warnings[0]}" if second.warnings else "; is it made with cache=True?"
            return Finding(self.name, f"it compiled {names} again{because}")
        return None
