"""Requirements on what the compiler made of an answer: types, promises, vectors, allocations, the GIL."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
from numba.core.codegen import CPUCodeLibrary, JITCPUCodegen
from numba.core.dispatcher import Dispatcher
from numba.np.ufunc.dufunc import DUFunc

from numba_course.exercises.examination.answer import source_line
from numba_course.exercises.requirements import Requirement
from numba_course.exercises.requirements.counters import Counted
from numba_course.exercises.requirements.ufuncs import COMPILED, UFUNCS, Checked
from numba_course.lens.compiled.callables import inside
from numba_course.lens.compiled.compilation import compiled_here
from numba_course.lens.compiled.dispatchers import hardly_optimised
from numba_course.lens.compiled.machine_code import UNREACHED, MachineCode, report
from numba_course.lens.errors import reason
from numba_course.lens.properties import LESS

if TYPE_CHECKING:
    from numba_course.exercises.examination.trial import Trial
    from numba_course.exercises.examination.verdict import Finding
    from numba_course.lens.compiled.compilation import Compilation

CONVERTS_OBJECTS = re.compile(r'^define [^\n]*@"?(?:_ZN7cpython|cfunc\.).*?^}', re.MULTILINE | re.DOTALL)
NEARLY_ALL = 0.75  # of the elements; those that are left over may be worked on one at a time
SIDE_BY_SIDE = (
    "packed only for elements side by side, which the signature does not promise: "
    "float64[::1] does, float64[:] does not"
)


@dataclass(frozen=True)
class CompilationRequirement(Requirement):
    """What must be true of the compilation for each of some calls.

    Attributes
    ----------
    examples : callable
        () -> iterable of argument tuples, one for each combination of types that matters.
    """

    examples: Callable

    apart = True

    def of_code(self, trial: Trial) -> Finding | None:
        if not isinstance(trial.answer, COMPILED):
            return None  # `Compiled` has said so
        for args in self.examples():
            try:
                compilation, looked_at = _compilation(trial, args)
            except LookupError as error:
                return self.finding(str(error), trial.show(args))
            except Exception as error:  # each part of the compiler has its own
                return self.finding(f"it cannot be compiled: {reason(error)}", trial.show(args))
            if found := self.of_compilation(compilation, looked_at):
                return replace(found, example=trial.show(args), source=source_line(trial.answer, found.line))
        return None

    def of_compilation(self, compilation: Compilation, args: tuple[Any, ...]) -> Finding | None:
        """Look at the `Compilation` for a call with `args`; the answer's call and the text of the line are added."""
        raise NotImplementedError


def _compilation(trial, args):
    """The compilation for a call, and the arguments; of a ufunc, those of the first call of its kernel.

    The kernel of a ufunc made by ``@vectorize`` is for one element, and then the arguments are the ufunc's.
    """
    if isinstance(trial.answer, Dispatcher):
        return trial.compilation(args), args
    function, arguments = function_in(trial, args)
    is_for_one = isinstance(trial.answer, DUFunc)
    return compiled_here(function, arguments, call=True), args if is_for_one else arguments


def function_in(trial: Trial, args: tuple[Any, ...]) -> tuple[Dispatcher, tuple[Any, ...]]:
    """The function whose code is looked at, and arguments for it: the answer, or the kernel in a ufunc."""
    if isinstance(trial.answer, Dispatcher):
        return trial.answer, trial.copies(args)
    trial.answer(*trial.copies(args))  # one that is lazy is compiled by its calls
    return inside(trial.answer, trial.copies(args))


@dataclass(frozen=True)
class CodeRequirement(CompilationRequirement):
    """What must be true of the machine code for each of some calls."""

    def of_compilation(self, compilation: Compilation, args: tuple[Any, ...]) -> Finding | None:
        code = report(compilation)
        found = self.of_machine_code(code, args)
        return found and replace(found, full=repr(code))

    def of_machine_code(self, code: MachineCode, args: tuple[Any, ...]) -> Finding | None:
        """Look at the `MachineCode` for a call; it is added to the finding."""
        raise NotImplementedError


@dataclass(frozen=True)
class Vectorised(CodeRequirement):
    """A call does nearly all of the work on several elements at a time, in a loop of the function itself.

    What the machine code could do is not enough: a packed loop may never run, or only prepare what a scalar one does.
    So the operations that a call does are counted, and held against one for each element of the largest argument, so
    that useless ones hide nothing. How many elements go together depends on the processor, and so does how many are
    left over: the examples must be large.

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

    def of_machine_code(self, code: MachineCode, args: tuple[Any, ...]) -> Finding | None:
        if code.executed is None:
            return self.finding("whether it is could not be found out: " + "; ".join(code.notes))
        done = [counts for name, *counts in code.executed if name in self.work]
        packed, scalar = sum(packed for packed, _ in done), sum(scalar for _, scalar in done)
        elements = max(map(np.size, args))
        few_scalar = scalar <= (1 - NEARLY_ALL) * elements
        nearly_all = few_scalar and packed >= NEARLY_ALL * elements
        states = {loop.state for loop in code.loops}
        if nearly_all and "packed" in states and "partly packed" not in states:
            return None
        for loop in code.loops:
            if loop.state == "scalar":
                any_layout = loop.reason == UNREACHED and ", A)" in code.signature
                because = f": {SIDE_BY_SIDE if any_layout else loop.reason}" if loop.reason else ""
                return self.finding(f"the loop works on one element at a time{because}", line=loop.line)
            if loop.state == "partly packed":
                return self.finding(f"the loop is only partly packed: {loop.reason}", line=loop.line)
        if nearly_all:
            return self.finding("the packed loop is not in the function itself, but in one that it calls")
        if not few_scalar:
            most = "most" if scalar > packed else f"{scalar}"
            return self.finding(f"{most} of the {self.called} are done one at a time")
        if code.packed:
            seen = f"only {packed} {self.called} of floats are seen in it, for {elements} elements"
            return self.finding(f"{seen}: the others are done by a library, or in another way")
        return self.finding("its machine code has no arithmetic on several elements at a time")


@dataclass(frozen=True)
class ComparesPacked(Vectorised):
    """The same of comparisons, and nothing that they give is gone through one by one.

    That shows in what is read, in all that is called, too: nearly all of it must be read several elements at a time.
    The comparisons may as well be of the floats' bits, as whole numbers.
    """

    work: tuple = ("fcmp",)
    called: str = "comparisons"

    def of_code(self, trial: Trial) -> Finding | None:
        if not isinstance(trial.answer, COMPILED):
            return None  # `Compiled` has said so
        return super().of_code(trial) or next(
            filter(None, (self._of_reads(trial, a) for a in self.examples())), None
        )

    def of_machine_code(self, code: MachineCode, args: tuple[Any, ...]) -> Finding | None:
        floats = sum(packed + scalar for name, packed, scalar in code.executed or () if name in self.work)
        few = floats < (1 - NEARLY_ALL) * max(map(np.size, args))
        states = {loop.state for loop in code.loops}
        if code.executed is not None and few and "packed" in states and states.isdisjoint(LESS):
            return None
        return super().of_machine_code(code, args)

    def _of_reads(self, trial, args):
        """The finding where too many elements are read one by one."""
        try:
            function, arguments = function_in(trial, args)
            elements = max(map(np.size, arguments))
            alone = Counted(function).counts(arguments).read_one_by_one
        except BaseException as error:
            return self.finding(f"what it reads could not be counted: {reason(error)}", trial.show(args))
        if alone <= (1 - NEARLY_ALL) * elements:
            return None
        seen = f"the comparisons are packed, but {alone} elements are read one at a time"
        return self.finding(f"{seen}, to be picked out or counted", trial.show(args))


@dataclass(frozen=True)
class AllocatesNothing(CodeRequirement):
    """A call takes no memory, beyond what its arguments need to be passed."""

    name = "allocates nothing"

    def of_machine_code(self, code: MachineCode, args: tuple[Any, ...]) -> Finding | None:
        if code.allocations == 0:
            return None
        if code.allocations is None:
            return self.finding("whether it allocates could not be found out: " + "; ".join(code.notes))
        times = "once" if code.allocations == 1 else f"{code.allocations} times"
        return self.finding(f"one call allocates memory {times}")


@dataclass(frozen=True)
class ReleasesGIL(CodeRequirement):
    """The GIL is released during the call, and not taken back inside to call Python."""

    name = "releases the GIL"

    def of_code(self, trial: Trial) -> Finding | None:
        if isinstance(trial.answer, UFUNCS):
            return self.finding(
                "when a ufunc releases it is up to NumPy; write a function, under @njit(nogil=True)"
            )
        return super().of_code(trial)

    def of_machine_code(self, code: MachineCode, args: tuple[Any, ...]) -> Finding | None:
        if code.gil == "held":
            return self.finding(
                "it holds the GIL: without nogil=True, other Python threads stand still meanwhile"
            )
        if code.gil == "taken back" or code.python_calls:
            takes = "takes it back inside" if code.python_calls else "what it calls takes it back"
            return self.finding(f"it releases the GIL, and {takes}, to call Python")
        return None


@dataclass(frozen=True)
class StaysFloat32(CompilationRequirement):
    """No value but the arguments is float64, in the typed IR; and no float32 is widened, in what it calls."""

    name = "float32 throughout"

    def of_compilation(self, compilation: Compilation, args: tuple[Any, ...]) -> Finding | None:
        for line, row in compilation.typed_ir:
            value, _, kind = row.partition("  :: ")
            if "= arg(" not in value and re.match(r"float64|array\(float64|UniTuple\(float64", kind):
                notes = [note for own, note in compilation.conversions if own == line]
                seen = notes[0] if notes else f"a value of type {kind.partition('<')[0]} arises"
                return self.finding(seen, line=line, full=row)
        bodies = CONVERTS_OBJECTS.sub(
            "", compilation.optimised_llvm
        )  # a float32 that Python gets is a float64
        if widened := re.search(r".*\bfpext\b.*", bodies):
            return self.finding("a function that it calls computes in float64", full=widened[0])
        return None


@dataclass(frozen=True)
class KeepsNaN(Requirement):
    """The compiler was not told that there are no NaN or infinities, neither here nor in what is called.

    The results alone do not show it: what LLVM does with such a promise depends on the processor. So the LLVM IR is
    looked at as Numba writes it, before LLVM has made use of the promise.

    Attributes
    ----------
    examples : callable
        () -> iterable of argument tuples, one for each combination of types that matters.
    """

    examples: Callable

    name = "keeps NaN and infinities"
    apart = True

    def of_code(self, trial: Trial) -> Finding | None:
        if not isinstance(trial.answer, COMPILED):
            return None
        for args in self.examples():
            try:
                with hardly_optimised(), _noted_llvm() as texts:
                    Checked(trial.answer)(*trial.copies(args))  # a copy, of all that it calls as well
            except BaseException as error:
                return self.finding(f"what it promises could not be found out: {reason(error)}")
            if flags := {flag for text in texts for flag in _promises(text)}:
                says = f"its LLVM IR says {', '.join(sorted(flags))}"
                return self.finding(f"fastmath promises that there are none: {says}", trial.show(args))
        return None


@contextmanager
def _noted_llvm():
    """The texts of all modules that Numba writes for LLVM meanwhile, and of those with what it had compiled before."""
    texts, add, finish = [], CPUCodeLibrary.add_ir_module, JITCPUCodegen._add_module

    def add_ir_module(library, module):
        texts.append(str(module))
        return add(library, module)

    def add_module(codegen, module):
        texts.append(str(module))
        return finish(codegen, module)

    with (
        mock.patch.object(CPUCodeLibrary, "add_ir_module", add_ir_module),
        mock.patch.object(JITCPUCodegen, "_add_module", add_module),
    ):
        yield texts


def _promises(text):
    """Flags of floating-point instructions that exclude NaN or infinities."""
    for row in text.splitlines():
        if operation := re.search(r"= (?:f\w+|call|tail call|select|phi)((?: (?:fast|[a-z]{3,8}))+) ", row):
            yield from {"fast", "nnan", "ninf"}.intersection(operation[1].split())
