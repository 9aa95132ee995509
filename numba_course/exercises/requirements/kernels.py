"""Requirements on plain Python that calls compiled functions: its kernels are watched as they are called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

from numba.core.dispatcher import Dispatcher

from numba_course.exercises.examination.show import show_kinds, show_some
from numba_course.exercises.requirements import Requirement
from numba_course.exercises.requirements.ufuncs import COMPILED, Checked, called
from numba_course.lens.compiled.dispatchers import hardly_optimised

if TYPE_CHECKING:
    from numba_course.exercises.examination.trial import Trial
    from numba_course.exercises.examination.verdict import Finding

CALL = Dispatcher.__call__
SEVERAL = 8  # kernels; more come from a wrapper that compiles again and again


@contextmanager
def kernels_called_by(call: Callable) -> Iterator[None]:
    """Have each call of a compiled function from Python, in any thread, made by ``call(function, *args, **named)``."""
    with _called_by(Dispatcher, call):
        yield


@contextmanager
def _called_by(kind, call):
    """Have each call of a function of a kind made by ``call(function, *args, **named)``."""
    with mock.patch.object(kind, "__call__", lambda *args, **named: call(*args, **named), create=True):
        yield


@contextmanager
def compiled_called_by(call: Callable) -> Iterator[None]:
    """The same of compiled ufuncs, too."""
    with ExitStack() as stack:
        for kind in COMPILED:
            stack.enter_context(_called_by(kind, call))
        yield


def signatures_of(kernel: Any) -> list[tuple[Any, ...]]:
    """The combinations of types that a kernel was compiled for; of a ufunc, those of its loops."""
    if isinstance(kernel, Dispatcher):
        return list(kernel.signatures)
    return [signature.args for signature in kernel._dispatcher.overloads]


def kernels_of(trial: Trial, inputs: Iterable[tuple[Any, ...]]) -> list[Any]:
    """The compiled functions that the answer calls on these inputs; what it raises, other checks report."""
    found = {}

    def call(kernel, *args, **named):
        found[id(kernel)] = kernel
        return called(kernel, *args, **named)

    for args in inputs:
        try:
            with compiled_called_by(call):
                trial.answer(*trial.copies(args))
        except BaseException:
            continue
    return list(found.values())


@dataclass(frozen=True)
class KernelInBounds(Requirement):
    """Every index in a kernel lies inside its array, also where the result is right by luck."""

    name = "in bounds"
    apart = True

    def of_code(self, trial: Trial) -> Finding | None:
        checked, outside = {}, []

        def call(kernel, *args, **named):
            if id(kernel) not in checked:  # keep the kernel too: only then is its id its own
                checked[id(kernel)] = Checked(kernel), kernel
            try:
                return checked[id(kernel)][0](*args, **named)
            except IndexError as error:  # the answer may lose it, above all in a thread
                outside.append(error)
                raise

        for args in trial.inputs():
            try:
                with hardly_optimised(), compiled_called_by(call):  # not in `call`, which threads make
                    trial.answer(*trial.copies(args))
            except BaseException:  # an error that is not about an index, other checks report
                pass
            if outside:
                return self.finding(f"it reaches outside an array: {outside[0]}", trial.show(args))
            if len(checked) > SEVERAL:  # to compile them all would take minutes
                return self.finding(
                    f"it calls more than {SEVERAL} compiled functions, too many to be looked at"
                )
        return None


@dataclass(frozen=True)
class CallsKernel(Requirement):
    """The answer is plain Python that calls a compiled function."""

    name = "compiled"
    status = "not compiled"
    early = True

    def of_code(self, trial: Trial) -> Finding | None:
        if isinstance(trial.answer, COMPILED):
            advice = "leave the decorator to the kernel, and let plain Python prepare the matrix"
            return self.finding(f"the wrapper itself is compiled; {advice}")
        if not kernels_of(trial, list(trial.exercise.examples())[2:4]):
            advice = (
                "write a kernel, decorated with @njit (a method of a ufunc, such as reduce, does not count)"
            )
            return self.finding(f"it calls no compiled function; {advice}")
        return None


@dataclass(frozen=True)
class OneSpecialisation(Requirement):
    """All that the answer calls was compiled for one combination of types, whatever it is given."""

    name = "one specialisation"

    def of_code(self, trial: Trial) -> Finding | None:
        kernels = kernels_of(trial, trial.exercise.examples())
        compiled = [
            (kernel.__name__, show_kinds(kinds)) for kernel in kernels for kinds in signatures_of(kernel)
        ]
        if len(compiled) <= 1:
            return None
        name = compiled[0][0]
        if len(kernels) == 1:
            listed = show_some(kinds for _, kinds in compiled)
            return self.finding(f"its kernel `{name}` was compiled {len(compiled)} times: for {listed}")
        listed = show_some(f"`{name}` for {kinds}" for name, kinds in compiled)
        return self.finding(f"its {len(kernels)} kernels were compiled {len(compiled)} times: {listed}")
