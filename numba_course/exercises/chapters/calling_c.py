"""Chapter 10, calling C: memcpy and a Bessel function from compiled code, watched where C is called."""

import ctypes
import functools
import sys
from dataclasses import dataclass
from typing import ClassVar

import llvmlite.binding
import numba
import numpy as np
from numba import njit, types
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError

from numba_course.exercises.code_requirements import CachedOnDisk
from numba_course.exercises.exercise import Exercise
from numba_course.exercises.kernel_requirements import CALL, kernels_called_by
from numba_course.exercises.requirements import (
    Compiled,
    InBounds,
    LeavesInputsAlone,
    Matches,
    Requirement,
    Returns,
    difference,
)
from numba_course.exercises.verdict import Finding
from numba_course.kernels.memory import memcpy_spec
from numba_course.lens.dispatchers import reason, rebuilt


def c_function(name, result, *arguments):
    """A function of C's standard library, as ctypes finds it."""
    library = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments
    return function


# A stand-in for C


class Watch:
    """A function that compiled code calls in the place of a C function, so that Python sees with what.

    Parameters
    ----------
    real : ctypes function
        Whose place it takes; it must say its `argtypes` and `restype`.
    stand_in : callable
        Of the same arguments; gives the result.
    """

    def __init__(self, real, stand_in):
        self.name, self.address = real.__name__, _address(real)
        self.callback = ctypes.CFUNCTYPE(real.restype, *real.argtypes)(stand_in)
        self.symbol = f"watched.{self.name}"
        llvmlite.binding.add_symbol(self.symbol, _address(self.callback))
        self.twins = {}

    def replace(self, value):
        """The stand-in for the C function, however it was bound; anything else as it is."""
        kind = value if isinstance(value, types.ExternalFunction) else _typeof(value)
        by_name = isinstance(kind, types.ExternalFunction) and kind.symbol == self.name
        is_pointer = isinstance(kind, types.ExternalFunctionPointer)
        by_address = is_pointer and kind.get_pointer(value) == self.address
        return types.ExternalFunction(self.symbol, kind.sig) if by_name or by_address else value

    def call(self, kernel, *args, **named):
        """Call a copy of a compiled function in which C is replaced and every index is looked at."""
        if id(kernel) not in self.twins:  # keep the kernel too: only then is its id its own
            changed = {"replace": self.replace, "boundscheck": True, "parallel": False}
            self.twins[id(kernel)] = rebuilt(kernel, signatures=kernel._can_compile, **changed), kernel
        return CALL(self.twins[id(kernel)][0], *args, **named)


def _address(function):
    return ctypes.cast(function, ctypes.c_void_p).value


def _typeof(value):
    try:
        return numba.typeof(value)
    except ValueError:  # of what compiled code cannot use
        return None


# memcpy

c_memcpy = types.ExternalFunction("memcpy", types.intp(types.intp, types.intp, types.uintp))


def refuse(destination, source):
    """Raise for arrays that C's memcpy must not be given."""
    for name, array in (("destination", destination), ("source", source)):
        if not array.flags.c_contiguous:
            raise ValueError(f"{name} must be C-contiguous, not strided by {array.strides} bytes")
    if not destination.flags.writeable:
        raise ValueError("destination must be writeable, not read-only")
    if destination.nbytes != source.nbytes:
        raise ValueError(f"destination must have {source.nbytes} bytes, not {destination.nbytes}")
    if np.may_share_memory(destination, source):
        raise ValueError("destination must not overlap source")


@njit
def copy_memory(destination, source):
    """Have C copy all bytes."""
    c_memcpy(destination.ctypes.data, source.ctypes.data, source.nbytes)


def memcpy_bytes(destination, source):
    """Copy the bytes of `source` into `destination` with C's memcpy."""
    refuse(destination, source)
    copy_memory(destination, source)


@njit(cache=True)
def copy_memory_cached(destination, source):
    """Have C copy all bytes."""
    c_memcpy(destination.ctypes.data, source.ctypes.data, source.nbytes)


def cached_memcpy(destination, source):
    """Copy the bytes of `source` with C's memcpy; compiled once, for all processes."""
    refuse(destination, source)
    copy_memory_cached(destination, source)


def memcpy_examples():
    """One element; several; other dtypes of as many bytes; a read-only source; a photograph's shape; many; none."""
    yield np.zeros(1), np.array([1.5])
    yield np.zeros(3), np.array([1.0, np.nan, -np.inf])
    yield np.zeros(4, np.int32), np.array([1.0, 2.0])
    yield np.zeros(2), _read_only(np.array([3.0, 4.0]))
    yield np.zeros((2, 2, 3), np.uint8), np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    yield np.zeros(5000), np.arange(5000.0)
    yield np.zeros(0), np.zeros(0)


def memcpy_inputs():
    """Copies of up to eight numbers, of types that the examples have as well."""
    from hypothesis import strategies as st

    @st.composite
    def inputs(draw):
        source = np.array(draw(st.lists(st.floats(), max_size=8)), np.float64)
        as_integers = draw(st.booleans())
        return np.zeros(2 * source.size, np.int32) if as_integers else np.zeros(source.size), source

    return inputs()


def memcpy_refused():
    """(what is wrong, arguments) of calls that must be refused."""
    row = np.arange(8.0)
    yield "a source of fewer bytes", (np.zeros(4), np.ones(3))
    yield "a source of more bytes", (np.zeros(3), np.ones(4))
    yield "as many elements, but fewer bytes", (np.zeros(4), np.ones(4, np.float32))
    yield "as many rows, but more bytes", (np.zeros((2, 2)), np.ones((2, 3)))
    yield "a destination with gaps", (np.zeros(8)[::2], np.ones(4))
    yield "a source with gaps", (np.zeros(4), np.ones(8)[::2])
    yield "a destination backwards", (np.zeros(4)[::-1], np.ones(4))
    yield "a read-only destination", (_read_only(np.zeros(3)), np.ones(3))
    yield "a destination that begins inside the source", (row[3:], row[:5])
    yield "a source that begins inside the destination", (row[:5], row[3:])


def _read_only(array):
    array.flags.writeable = False
    return array


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
    error : Exception or None
    """

    args: tuple
    calls: tuple
    compiled: bool
    error: Exception | None


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
        kernels, error = [], None

        def call(kernel, *arguments, **named):
            kernels.append(kernel)
            return self.watch.call(kernel, *arguments, **named)

        self.calls.clear()
        args = self.trial.copies(args)
        try:
            with kernels_called_by(call):
                self.trial.answer(*args)
        except Exception as raised:
            error = raised
        return Seen(args, tuple(self.calls), bool(kernels), error)


@functools.cache
def _observer(trial):
    return _Observer(trial)


@functools.cache
def _examples_seen(trial):
    """The examples and what was seen of each; called before anything is copied for good."""
    return [(args, _observer(trial).seen(args)) for args in trial.exercise.examples()]


@dataclass(frozen=True)
class CallsCompiled(Requirement):
    """The answer is compiled, or plain Python that calls a compiled function."""

    name: ClassVar[str] = "compiled"
    status: ClassVar[str] = "not compiled"
    early: ClassVar[bool] = True

    def of_code(self, trial):
        if isinstance(trial.answer, Dispatcher):
            return Compiled().of_code(trial)
        args, seen = _examples_seen(trial)[0]
        if seen.compiled:
            return None
        if seen.error:
            text = f"it raised {reason(seen.error)} before it called anything"
            return Finding(self.name, text, trial.show(args))
        return Finding(self.name, "it calls no compiled function; write a kernel, decorated with @njit")


@dataclass(frozen=True)
class MemcpyInBounds(Requirement):
    """Nothing outside the arrays is reached: not by memcpy, and not by an index. Known before it happens."""

    name: ClassVar[str] = "in bounds"
    status: ClassVar[str] = "wrong"
    early: ClassVar[bool] = True

    def of_code(self, trial):
        for args, seen in _examples_seen(trial):
            if isinstance(seen.error, IndexError):
                return Finding(self.name, f"it reaches outside an array: {seen.error}", trial.show(args))
            destination, source = seen.args
            for to, by, size in seen.calls:
                told = f"memcpy was told to copy {size} bytes"
                for address, array, name in ((to, destination, "destination"), (by, source, "source")):
                    start = array.__array_interface__["data"][0]
                    if size and not start <= address < start + array.nbytes:
                        where = f"{told} with an address that is not inside {name}"
                        return Finding(self.name, where, trial.show(args))
                    if address + size > start + array.nbytes:
                        return Finding(self.name, f"{told}; {name} has {array.nbytes}", trial.show(args))
        return None


@dataclass(frozen=True)
class CallsMemcpy(Requirement):
    """What is copied is copied by C's memcpy, called from compiled code: with another in its place, nothing is."""

    name: ClassVar[str] = "calls C's memcpy"

    def of_code(self, trial):
        for args, seen in _examples_seen(trial):
            if not args[1].nbytes:
                continue
            if seen.error:
                text = f"with another function in the place of memcpy it failed: {reason(seen.error)}"
                return Finding(self.name, text, trial.show(args))
            if not seen.calls:
                return Finding(self.name, "no call of memcpy by compiled code was seen", trial.show(args))
            if difference(seen.args[0], args[0], 0.0, "destination"):
                text = "it copies by itself: with a function that does nothing in the place of memcpy, it still copied"
                return Finding(self.name, text, trial.show(args))
        return None


@dataclass(frozen=True)
class Refuses(Requirement):
    """What memcpy must not be given raises a ValueError or TypeError with a message, before anything is copied."""

    name: ClassVar[str] = "refuses what it must"
    status: ClassVar[str] = "wrong"

    def of_code(self, trial):
        if not _examples_seen(trial)[0][1].calls:
            return None  # `CallsMemcpy` says so, and to compile for all these types takes its time
        for what, args in memcpy_refused():
            seen = _observer(trial).seen(args)
            if text := self._fault(seen):
                return Finding(self.name, f"{what}: {text}", trial.show(args))
        return None

    def _fault(self, seen):
        if seen.calls:
            return f"memcpy was told to copy {seen.calls[0][2]} bytes"
        if seen.error is None:
            return "it was not refused"
        kind = type(seen.error).__name__
        if isinstance(seen.error, NumbaError) or not isinstance(seen.error, ValueError | TypeError):
            return f"{kind}, where a ValueError or a TypeError is asked"
        return "" if str(seen.error).strip() else f"the {kind} has no message"


@dataclass(frozen=True)
class CachedCopy(CachedOnDisk):
    """A second process compiles nothing; not asked where memcpy is not called."""

    def of_code(self, trial):
        return super().of_code(trial) if _examples_seen(trial)[0][1].calls else None


# j0

c_j0 = types.ExternalFunction("_j0" if sys.platform == "win32" else "j0", types.float64(types.float64))


@njit
def bessel_j0(values):
    """Return the Bessel function J0 of each element, by C's j0."""
    out = np.empty_like(values)
    for i in range(values.size):
        out[i] = c_j0(values[i])
    return out


def _c_j0():
    """C's own j0, by ctypes."""
    return c_function(c_j0.symbol, ctypes.c_double, ctypes.c_double)


def bessel_j0_spec(values):
    """The same, one call from Python for each element."""
    j0 = _c_j0()
    return np.array([j0(float(value)) for value in values], np.float64)


def bessel_j0_examples():
    """No element; the middle; both signs; NaN and infinities; a large one; a wave."""
    yield (np.array([]),)
    yield (np.array([0.0]),)
    yield (np.array([1.0, -2.5]),)
    yield (np.array([np.nan, np.inf, -np.inf, -0.0]),)
    yield (np.array([1e8, 5e-324, 2.404825557695773]),)
    yield (np.linspace(-20.0, 20.0, 101),)


def bessel_j0_inputs():
    """Any floats."""
    from hypothesis import strategies as st

    return st.lists(st.floats(), max_size=8).map(lambda values: (np.array(values, np.float64),))


@dataclass(frozen=True)
class CallsJ0(Requirement):
    """The values are those of C's j0, called from compiled code: with another in its place, they are the other's."""

    name: ClassVar[str] = "calls C's j0"

    def of_code(self, trial):
        if not isinstance(trial.answer, Dispatcher):
            return None
        given = []

        def stand_in(value):
            given.append(value)
            return 100.0 + value

        values = np.array([1.0, 4.0, -2.0])
        try:
            result = Watch(_c_j0(), stand_in).call(trial.answer, values.copy())
        except Exception as error:
            return Finding(self.name, f"with another function in the place of j0 it failed: {reason(error)}")
        if not given:
            return Finding(self.name, "no call of j0 by compiled code was seen")
        text = "with 100 + x in the place of j0, "
        text += difference(np.asarray(result), 100.0 + values, 0.0, "the result")
        return None if text.endswith(", ") else Finding(self.name, text, trial.show((values,)))


SECONDS = 30.0  # for a step that compiles: a kernel as it meets a new type
COPIES = (
    CallsCompiled(),
    MemcpyInBounds(),
    Matches(of="destination"),
    LeavesInputsAlone(except_=("destination",)),
    CallsMemcpy(),
    Refuses(),
)

EXERCISES = (
    Exercise(
        name="memcpy_bytes",
        reference=memcpy_bytes,
        helpers=("c_memcpy", refuse, copy_memory),
        spec=memcpy_spec,
        examples=memcpy_examples,
        inputs=memcpy_inputs,
        seconds=SECONDS,
        requirements=COPIES,
        hints=(
            "Two functions: plain Python looks at the arrays and refuses; a compiled one, of two lines, calls C. What "
            "can plain Python ask an array that compiled code cannot?",
            "array.flags.c_contiguous, array.flags.writeable, array.nbytes, np.may_share_memory(destination, source).",
            "In the compiled function: memcpy(destination.ctypes.data, source.ctypes.data, source.nbytes).",
        ),
        explanation=(
            "Plain Python refuses, because only there an array says whether it may be written to, and because the "
            "message can say what was wrong. The kernel trusts its arguments and is one line; nbytes counts bytes "
            "whatever the dtype. A memcpy bound by ctypes or by cffi is as right."
        ),
    ),
    Exercise(
        name="cached_memcpy",
        reference=cached_memcpy,
        helpers=("c_memcpy", refuse, copy_memory_cached),
        spec=memcpy_spec,
        examples=memcpy_examples,
        seconds=SECONDS,
        requirements=(
            *COPIES,
            CachedCopy(lambda: (np.zeros(3), np.arange(3.0))),
        ),
        hints=(
            "Which of the ways to reach C leaves a name in the machine code, and which an address?",
            'types.ExternalFunction("memcpy", types.intp(types.intp, types.intp, types.uintp)) is a name.',
            "With it, the kernel of memcpy_bytes needs nothing but cache=True.",
        ),
        explanation=(
            "The address of a C function is another one in every process, so machine code that contains it is good "
            "for one process only, and Numba does not save it. A name is looked up again when the code is loaded. "
            "The wrapper is plain Python: there is nothing to cache."
        ),
    ),
    Exercise(
        name="bessel_j0",
        reference=bessel_j0,
        helpers=("c_j0",),
        spec=bessel_j0_spec,
        examples=bessel_j0_examples,
        inputs=bessel_j0_inputs,
        requirements=(
            Compiled(),
            Matches(),
            Returns("float64", ndim=1),
            LeavesInputsAlone(),
            InBounds(),
            CallsJ0(),
        ),
        hints=(
            "C declares it as double j0(double). What is that in Numba's types?",
            'types.ExternalFunction("j0", types.float64(types.float64)), outside the function; on Windows "_j0".',
            "Then a loop: out[i] = c_j0(values[i]), with out = np.empty_like(values).",
        ),
        explanation=(
            "A number goes to C as it is, without an address, so there is nothing to get wrong but the types. C's own "
            "answers for NaN and infinity come for free. With ctypes it is as right: c_function of this chapter, with "
            "c_double twice."
        ),
    ),
)
