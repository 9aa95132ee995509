"""Requirements on what the compiler made of an answer: types, promises, vectors, allocations, the GIL."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError

from numba_course.exercises.examination.answer import source_line
from numba_course.exercises.requirements import Requirement
from numba_course.lens.compiled.machine_code import MachineCode, report
from numba_course.lens.errors import reason

if TYPE_CHECKING:
    from numba_course.exercises.examination.trial import Trial
    from numba_course.exercises.examination.verdict import Finding
    from numba_course.lens.compiled.compilation import Compilation

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

    def of_code(self, trial: Trial) -> Finding | None:
        if not isinstance(trial.answer, Dispatcher):
            return None  # `Compiled` has said so
        for args in self.examples():
            try:
                compilation = trial.compilation(args)
            except (NumbaError, TypeError) as error:
                return self.finding(f"it cannot be compiled: {reason(error)}", trial.show(args))
            if found := self.of_compilation(compilation):
                return replace(found, example=trial.show(args), source=source_line(trial.answer, found.line))
        return None

    def of_compilation(self, compilation: Compilation) -> Finding | None:
        """Look at a `Compilation`; the call and the text of the line are added to the finding."""
        raise NotImplementedError


@dataclass(frozen=True)
class CodeRequirement(CompilationRequirement):
    """What must be true of the machine code for each of some calls."""

    def of_compilation(self, compilation: Compilation) -> Finding | None:
        code = report(compilation)
        found = self.of_machine_code(code)
        return found and replace(found, full=repr(code))

    def of_machine_code(self, code: MachineCode) -> Finding | None:
        """Look at a `MachineCode`, which is added to the finding."""
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

    name = "vectorised"

    def of_machine_code(self, code: MachineCode) -> Finding | None:
        if code.executed is None:
            return self.finding("whether it is could not be found out: " + "; ".join(code.notes))
        done = [counts for name, *counts in code.executed if name in self.work]
        packed, scalar = sum(packed for packed, _ in done), sum(scalar for _, scalar in done)
        nearly_all = packed > NEARLY_ALL * (packed + scalar)
        if nearly_all and any(loop.state == "packed" for loop in code.loops):
            return None
        for loop in code.loops:
            if loop.state == "scalar":
                because = f": {loop.reason}" if loop.reason else ""
                return self.finding(f"the loop works on one element at a time{because}", line=loop.line)
        if nearly_all:
            return self.finding("the packed loop is not in the function itself, but in one that it calls")
        if scalar:
            return self.finding(f"most of the {self.called} are done one at a time")
        return self.finding("its machine code has no arithmetic on several elements at a time")


@dataclass(frozen=True)
class AllocatesNothing(CodeRequirement):
    """A call takes no memory, beyond what its arguments need to be passed."""

    name = "allocates nothing"

    def of_machine_code(self, code: MachineCode) -> Finding | None:
        if code.allocations == 0:
            return None
        if code.allocations is None:
            return self.finding("whether it allocates could not be found out: " + "; ".join(code.notes))
        return self.finding(f"one call allocates memory {code.allocations} times")


@dataclass(frozen=True)
class ReleasesGIL(CodeRequirement):
    """The GIL is released during the call, and not taken back inside to call Python."""

    name = "releases the GIL"

    def of_machine_code(self, code: MachineCode) -> Finding | None:
        if not code.releases_gil:
            return self.finding(
                "it holds the GIL: without nogil=True, other Python threads stand still meanwhile"
            )
        if code.python_calls:
            return self.finding("it releases the GIL, and takes it back inside, to call Python")
        return None


@dataclass(frozen=True)
class StaysFloat32(CompilationRequirement):
    """No value but the arguments is float64, in the typed IR; and no float32 is widened, in what it calls."""

    name = "float32 throughout"

    def of_compilation(self, compilation: Compilation) -> Finding | None:
        for line, row in compilation.typed_ir:
            value, _, kind = row.partition("  :: ")
            if "= arg(" not in value and re.match(r"float64|array\(float64|UniTuple\(float64", kind):
                notes = [note for own, note in compilation.conversions if own == line]
                seen = notes[0] if notes else f"a value of type {kind.partition('<')[0]} arises"
                return self.finding(seen, line=line, full=row)
        if widened := re.search(r".*\bfpext\b.*", compilation.optimised_llvm):
            return self.finding("a function that it calls computes in float64", full=widened[0])
        return None


@dataclass(frozen=True)
class KeepsNaN(CompilationRequirement):
    """The compiler was not told that there are no NaN or infinities.

    The results alone do not show it: what LLVM does with such a promise depends on the processor.
    """

    name = "keeps NaN and infinities"

    def of_compilation(self, compilation: Compilation) -> Finding | None:
        flags = {flag for text in _bodies(compilation) for flag in _promises(text)}
        says = f"its LLVM IR says {', '.join(sorted(flags))}"
        return self.finding(f"fastmath promises that there are none: {says}" if flags else "")


def _bodies(compilation):
    """LLVM IR of the function and its parallel loops, as Numba wrote it and with all that was inlined."""
    own = rf'{re.escape(compilation.symbol)}|[^"(\n]*__numba_parfor_gufunc[^"(\n]*'
    body = re.compile(rf'^define [^\n]*@"?(?:{own})"?\(.*?^}}', re.MULTILINE | re.DOTALL)
    for module in (*compilation.llvm, compilation.optimised_llvm):
        yield from body.findall(module)


def _promises(text):
    """Flags of floating-point instructions that exclude NaN or infinities."""
    for row in text.splitlines():
        if operation := re.search(r"= (?:f\w+|call|tail call|select|phi)((?: (?:fast|[a-z]{3,8}))+) ", row):
            yield from {"fast", "nnan", "ninf"}.intersection(operation[1].split())
