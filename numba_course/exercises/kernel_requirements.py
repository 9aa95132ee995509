"""Requirements on plain Python that calls compiled functions: its kernels are watched as they are called."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar
from unittest import mock

from numba.core.dispatcher import Dispatcher

from numba_course.exercises.requirements import Requirement, hardly_optimised
from numba_course.exercises.verdict import Finding
from numba_course.lens.dispatchers import rebuilt

CALL = Dispatcher.__call__
SEVERAL = 3  # kernels; more come from a wrapper that compiles again and again


@contextmanager
def kernels_called_by(call):
    """Have each call of a compiled function from Python, in any thread, made by ``call(function, *args, **named)``."""
    with mock.patch.object(Dispatcher, "__call__", lambda *args, **named: call(*args, **named), create=True):
        yield


def kernels_of(trial, inputs):
    """The compiled functions that the answer calls on these inputs; what it raises, other checks report."""
    found = {}

    def call(kernel, *args, **named):
        found[id(kernel)] = kernel
        return CALL(kernel, *args, **named)

    for args in inputs:
        try:
            with kernels_called_by(call):
                trial.answer(*trial.copies(args))
        except Exception:
            continue
    return list(found.values())


@dataclass(frozen=True)
class KernelInBounds(Requirement):
    """Every index in a kernel lies inside its array, also where the result is right by luck."""

    name: ClassVar[str] = "in bounds"

    def of_code(self, trial):
        checked, outside = {}, []

        def call(kernel, *args, **named):
            if id(kernel) not in checked:  # keep the kernel too: only then is its id its own
                checked[id(kernel)] = rebuilt(kernel, boundscheck=True, parallel=False), kernel
            try:
                return CALL(checked[id(kernel)][0], *args, **named)
            except IndexError as error:  # the answer may lose it, above all in a thread
                outside.append(error)
                raise

        for args in trial.inputs():
            try:
                with hardly_optimised(), kernels_called_by(call):  # not in `call`, which threads make
                    trial.answer(*trial.copies(args))
            except Exception:  # an error that is not about an index, other checks report
                pass
            if outside:
                return Finding(self.name, f"it reaches outside an array: {outside[0]}", trial.show(args))
            if len(checked) > SEVERAL:  # `OneSpecialisation` says so; to compile them all would take minutes
                return None
        return None
