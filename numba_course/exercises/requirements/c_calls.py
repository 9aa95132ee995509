"""Requirements on compiled code that calls C: a stand-in takes the place of the C function, and Python looks on."""

from __future__ import annotations

import ctypes
import functools
import re
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

import llvmlite.binding
import numba
import numpy as np
from numba import types
from numba.core import cgutils
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError

from numba_course.exercises.requirements import Requirement
from numba_course.exercises.requirements.calls import told
from numba_course.exercises.requirements.kernels import compiled_called_by
from numba_course.exercises.requirements.results import difference
from numba_course.exercises.requirements.structure import Compiled
from numba_course.exercises.requirements.ufuncs import COMPILED, Checked

if TYPE_CHECKING:
    from numba_course.exercises.examination.trial import Trial
    from numba_course.exercises.examination.verdict import Finding


def c_function(name: str, result: Any, *arguments: Any) -> Any:
    """A function of C's standard library, as ctypes finds it."""
    library = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments
    return function


class Watch:
    """A function that compiled code calls in the place of a C function, so that Python sees with what.

    The C function may be bound by its address, by its name, or be called by name in the LLVM IR of an intrinsic.

    Parameters
    ----------
    real : ctypes function
        Whose place it takes; it must say its `argtypes` and `restype`.
    stand_in : callable
        Of the same arguments; gives the result.
    """

    def __init__(self, real: Any, stand_in: Callable) -> None:
        self.name, self.address = real.__name__, _address(real)
        self.callback = ctypes.CFUNCTYPE(real.restype, *real.argtypes)(stand_in)
        self.symbol = f"watched.{self.name}"
        llvmlite.binding.add_symbol(self.symbol, _address(self.callback))
        self.named = re.compile(rf'@"?{re.escape(self.name)}"?(?=\()')  # in LLVM IR, before it is optimised
        self.twins = {}

    def replace(self, value: Any) -> Any:
        """The stand-in for the C function, however it was bound; anything else as it is."""
        kind = value if isinstance(value, types.ExternalFunction) else _typeof(value)
        by_name = isinstance(kind, types.ExternalFunction) and kind.symbol == self.name
        is_pointer = isinstance(kind, types.ExternalFunctionPointer)
        by_address = is_pointer and kind.get_pointer(value) == self.address
        return types.ExternalFunction(self.symbol, kind.sig) if by_name or by_address else value

    def call(self, kernel: Any, *args: Any, **named: Any) -> Any:
        """Call a copy of a compiled function in which C is replaced and every index is looked at."""
        with self._renamed():  # an eager one compiles as it is copied
            if id(kernel) not in self.twins:  # keep the kernel too: only then is its id its own
                self.twins[id(kernel)] = Checked(kernel, self.replace), kernel
            return self.twins[id(kernel)][0](*args, **named)

    @contextmanager
    def _renamed(self):
        """Have what is compiled meanwhile call the stand-in where its LLVM IR calls C by name.

        Of a loop LLVM may make a call of memcpy, too; but not yet in this text.
        """
        normalised = cgutils.normalize_ir_text
        with mock.patch.object(
            cgutils, "normalize_ir_text", lambda text: self.named.sub(f'@"{self.symbol}"', normalised(text))
        ):
            yield


def _address(function):
    return ctypes.cast(function, ctypes.c_void_p).value


def _typeof(value):
    try:
        return numba.typeof(value)
    except ValueError:  # of what compiled code cannot use
        return None


@dataclass(frozen=True)
class Seen:
    """A call of the answer with C's memcpy replaced by a function that copies nothing.

    Attributes
    ----------
    args : tuple
        Destination and source after the call.
    calls : tuple of (int, int, int)
        What memcpy was given: two addresses and a number of bytes.
    compiled : bool
        Whether a compiled function was called.
    error : BaseException or None
        What it raised.
    outside : IndexError or None
        What a compiled function raised, of an index outside its array.
    """

    args: tuple
    calls: tuple
    compiled: bool
    error: BaseException | None
    outside: IndexError | None


class _Observer:
    """Calls an answer on arguments and watches memcpy."""

    def __init__(self, trial):
        self.trial, self.calls = trial, []
        kinds = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t
        self.watch = Watch(c_function("memcpy", *kinds), self._note)

    def _note(self, to, by, size):
        self.calls.append((to or 0, by or 0, size))
        return to

    def seen(self, args):
        kernels, outside, error = [], [], None

        def call(kernel, *arguments, **named):
            kernels.append(kernel)
            try:
                return self.watch.call(kernel, *arguments, **named)
            except IndexError as raised:
                outside.append(raised)
                raise

        self.calls.clear()
        args = self.trial.copies(args)
        try:
            with compiled_called_by(call):
                self.trial.answer(*args)
        except BaseException as raised:  # sys.exit in an answer is an answer that raised
            error = raised
        return Seen(args, tuple(self.calls), bool(kernels), error, next(iter(outside), None))


@functools.cache
def _observer(trial):
    return _Observer(trial)


@functools.cache
def _examples_seen(trial):
    """The examples and what was seen of each; called before anything is copied for good."""
    return [(args, _observer(trial).seen(args)) for args in trial.exercise.examples()]


@dataclass(frozen=True)
class CompiledOrCalls(Requirement):
    """The answer is compiled, or plain Python that calls a compiled function."""

    name = "compiled"
    status = "not compiled"
    early = True

    def of_code(self, trial: Trial) -> Finding | None:
        if isinstance(trial.answer, Dispatcher):
            return Compiled().of_code(trial)
        _, seen = _examples_seen(trial)[0]
        if seen.compiled or seen.error:  # a call that raises does so again when its result is looked at
            return None
        return self.finding("it calls no compiled function; write a kernel, decorated with @njit")


@dataclass(frozen=True)
class MemcpyInBounds(Requirement):
    """Nothing outside the arrays is reached: not by memcpy, and not by an index. Known before it happens."""

    name = "in bounds"
    status = "wrong"
    early = True

    def of_code(self, trial: Trial) -> Finding | None:
        for args, seen in _examples_seen(trial):
            if seen.outside:
                return self.finding(f"it reaches outside an array: {seen.outside}", trial.show(args))
            destination, source = seen.args
            for to, by, size in seen.calls:
                asked = f"memcpy was told to copy {size} bytes"
                for address, array, name in ((to, destination, "destination"), (by, source, "source")):
                    start = array.__array_interface__["data"][0]
                    if size and not start <= address < start + array.nbytes:
                        where = f"{asked} with an address that is not inside {name}"
                        return self.finding(where, trial.show(args))
                    if address + size > start + array.nbytes:
                        return self.finding(f"{asked}; {name} has {array.nbytes}", trial.show(args))
        return None


@dataclass(frozen=True)
class CallsMemcpy(Requirement):
    """What is copied is copied by C's memcpy, called from compiled code: with another in its place, nothing is."""

    name = "calls C's memcpy"

    def of_code(self, trial: Trial) -> Finding | None:
        for args, seen in _examples_seen(trial):
            if not args[1].nbytes:
                continue
            if seen.error:
                text = f"with another function in the place of memcpy it failed: {told(seen.error)}"
                return self.finding(text, trial.show(args))
            if not seen.calls:
                return self.finding("no call of memcpy by compiled code was seen", trial.show(args))
            if difference(seen.args[0], args[0], 0.0, "destination"):
                text = "it copies by itself: with a function that does nothing in the place of memcpy, it still copied"
                return self.finding(text, trial.show(args))
        return None


@dataclass(frozen=True)
class Refuses(Requirement):
    """What memcpy must not be given raises a ValueError or TypeError with a message, before anything is copied.

    Attributes
    ----------
    calls : callable
        () -> iterable of pairs: what is wrong, and arguments.
    """

    calls: Callable

    name = "refuses what it must"
    status = "wrong"

    def of_code(self, trial: Trial) -> Finding | None:
        if not _examples_seen(trial)[0][1].calls:
            return None  # `CallsMemcpy` says so, and to compile for all these types takes its time
        for what, args in self.calls():
            seen = _observer(trial).seen(args)
            if text := self._fault(seen):
                return self.finding(f"{what}: {text}", trial.show(args))
        return None

    def _fault(self, seen):
        if seen.calls:
            return f"memcpy was told to copy {seen.calls[0][2]} bytes"
        if seen.error is None:
            return "it was not refused"
        kind = type(seen.error).__name__
        if isinstance(seen.error, NumbaError) or not isinstance(seen.error, ValueError | TypeError):
            return f"{kind}, where a ValueError or a TypeError is asked"
        return "" if told(seen.error).startswith(f"{kind}: ") else f"the {kind} has no message"


@dataclass(frozen=True)
class CallsJ0(Requirement):
    """The values are those of C's j0, called from compiled code: with another in its place, they are the other's.

    Attributes
    ----------
    j0 : callable
        () -> the C function, as ctypes finds it.
    """

    j0: Callable

    name = "calls C's j0"

    def of_code(self, trial: Trial) -> Finding | None:
        if not isinstance(trial.answer, COMPILED):
            return None  # `Compiled` has said so
        given = []

        def stand_in(value):
            given.append(value)
            return 100.0 + value

        values = np.array([1.0, 4.0, -2.0])
        try:
            result = Watch(self.j0(), stand_in).call(trial.answer, values.copy())
        except BaseException as error:
            return self.finding(f"with another function in the place of j0 it failed: {told(error)}")
        if not given:
            return self.finding("no call of j0 by compiled code was seen")
        seen = difference(np.asarray(result), 100.0 + values, 0.0, "the result")
        return self.finding(seen and f"with 100 + x in the place of j0, {seen}", trial.show((values,)))
