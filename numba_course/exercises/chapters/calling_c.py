"""Chapter 10, calling C: memcpy and a Bessel function from compiled code, watched where C is called."""

import ctypes
import sys

import numpy as np
from numba import njit, types

from numba_course.exercises.question import Exercise
from numba_course.exercises.requirements.accesses import InAnyOrder, InBounds
from numba_course.exercises.requirements.c_calls import (
    CallsJ0,
    CallsMemcpy,
    CompiledOrCalls,
    MemcpyInBounds,
    Refuses,
    c_function,
)
from numba_course.exercises.requirements.processes import SecondProcessCompilesNothing
from numba_course.exercises.requirements.results import LeavesInputsAlone, Matches, Returns
from numba_course.exercises.requirements.structure import Compiled, StaysCompiled
from numba_course.kernels.memory import memcpy_spec

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
    """One element; several; of other dtypes; a read-only source; bytes, a photograph of them; neighbours in one
    array; many; none.
    """
    yield np.zeros(1), np.array([1.5])
    yield np.zeros(3), np.array([1.0, np.nan, -np.inf])
    yield np.zeros(4, np.int32), np.array([1.0, 2.0])
    yield np.zeros(2), _read_only(np.array([3.0, 4.0]))
    yield np.zeros((2, 2, 3), np.uint8), np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    yield np.zeros(7, np.uint8), np.arange(1, 8, dtype=np.uint8)
    yield np.zeros(12)[2:7], np.arange(9.0)[3:8]
    yield np.zeros(2, np.complex128), np.arange(4.0)
    row = np.arange(8.0)
    yield row[:4], row[4:]
    for many in (5000, 70_001):
        yield np.zeros(many), np.arange(float(many))
    yield np.zeros(0), np.zeros(0)


def memcpy_inputs(st):
    """Copies of up to eight numbers, of types that the examples have as well."""

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
    yield "a source in Fortran's order", (np.zeros((2, 3)), np.ones((2, 3), order="F"))
    yield "a read-only destination", (_read_only(np.zeros(3)), np.ones(3))
    yield "a destination that begins inside the source", (row[3:], row[:5])
    yield "a source that begins inside the destination", (row[:5], row[3:])
    yield "a source that is the destination", (row, row)


def _read_only(array):
    array.flags.writeable = False
    return array


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
    """No element; the middle; both signs; NaN and infinities; a large one; with gaps; a wave; many."""
    yield (np.array([]),)
    yield (np.array([0.0]),)
    yield (np.array([1.0, -2.5]),)
    yield (np.array([np.nan, np.inf, -np.inf, -0.0]),)
    yield (np.array([1e8, 5e-324, 2.404825557695773]),)
    yield (np.arange(12.0)[::-2],)
    yield (np.linspace(-20.0, 20.0, 101),)
    yield (np.linspace(-300.0, 300.0, 20_001),)


def bessel_j0_inputs(st):
    """Any floats, and rows of more."""
    few = st.lists(st.floats(), max_size=8).map(lambda values: np.array(values, np.float64))
    many = st.integers(9, 1000).map(lambda size: np.linspace(-9.0, 9.0, size))
    return st.tuples(few | many)


SECONDS = 30.0  # for a step that compiles: a kernel as it meets a new type
COPIES = (
    CompiledOrCalls(),
    MemcpyInBounds(),
    Matches(of="destination"),
    LeavesInputsAlone(except_=("destination",)),
    CallsMemcpy(),
    Refuses(memcpy_refused),
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
            "`array.flags.c_contiguous`, `array.flags.writeable`, `array.nbytes`, "
            "`np.may_share_memory(destination, source)`.",
            "In the compiled function: `memcpy(destination.ctypes.data, source.ctypes.data, source.nbytes)`.",
        ),
        explanation=(
            "Plain Python refuses: there flags and `np.may_share_memory` tell what is wrong, and a message "
            "can say it. The kernel trusts its arguments and is one line; `nbytes` counts bytes whatever "
            "the dtype. A memcpy bound by ctypes or by cffi is as right."
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
            SecondProcessCompilesNothing("a second process compiles nothing"),
        ),
        hints=(
            "Which of the ways to reach C leaves a name in the machine code, and which an address?",
            '`types.ExternalFunction("memcpy", types.intp(types.intp, types.intp, types.uintp))` is a name.',
            "With it, the kernel of memcpy_bytes needs nothing but `cache=True`.",
        ),
        explanation=(
            "The address of a C function may be another one in the next process, so Numba does not save machine code "
            "that contains it. A name is looked up again when the code is loaded. "
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
            InAnyOrder(),
            CallsJ0(_c_j0),
            StaysCompiled(),
        ),
        hints=(
            "C declares it as `double j0(double)`. What is that in Numba's types?",
            '`types.ExternalFunction("j0", types.float64(types.float64))`, outside the function; on Windows '
            '`"_j0"`.',
            "Then a loop: `out[i] = c_j0(values[i])`, with `out = np.empty_like(values)`.",
        ),
        explanation=(
            "A number goes to C as it is, without an address, so there is nothing to get wrong but the types. C's own "
            "answers for NaN and infinity come for free. With ctypes it is as right: c_function of this chapter, with "
            "c_double twice."
        ),
    ),
)
