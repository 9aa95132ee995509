"""Copies of memory: C's memcpy called from compiled code, and stores that pass the caches by."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, prange, types
from numba.core.errors import NumbaError, TypingError
from numba.extending import intrinsic, overload
from numpy import ndarray

from numba_course.kernels.checks import check_threads

BYTE = np.dtype(np.uint8)
LINE = 64  # bytes of a cache line
STREAM = 12 << 20  # bytes from which a copy is quicker past the caches; see `memcpy`


def memcpy(destination: np.typing.NDArray[Any], source: np.typing.NDArray[Any], threads: int = 1) -> None:
    """Copy the bytes of one array into another.

    Parameters
    ----------
    destination, source : ndarray, contiguous (C or Fortran)
        As many bytes each, of any dtypes without Python objects; dtypes and shapes may differ, as the bytes are copied
        in the order of the memory.
    threads : int, 1 <= threads <= 4096
        Parts that are copied at the same time. What more than 1 cost on a busy machine, after a fork and where several
        Python threads call: docs/threads.md.

    Raises
    ------
    TypeError
        If an argument is no array, or has a dtype with Python objects, whose references would have to be counted, or
        `threads` is no int.
    ValueError
        If an array is not contiguous, `destination` is read-only, the numbers of bytes differ, the arrays
        overlap, or `threads` is out of range.

    Notes
    -----
    From compiled code call `copy_bytes`. Up to 12 MiB this is C's memcpy; from there on, stores that do not
    load the destination into the caches first, which saves a third of the traffic. The copy is then in no cache:
    whoever reads it next waits for the memory. The boundary suits 32 MiB of last-level cache and more (Intel 64 and
    IA-32 Optimization Reference Manual, "Non-temporal Stores").

    Arrays of other dtypes than uint8, or with another number of axes than one, are seen as bytes first, which takes a
    microsecond or two; so the kernel is compiled for bytes alone, once for a source that is writeable and once for one
    that is not.

    Within compiled code `copy_bytes` copies 1 KiB in less than a tenth of the time that `numpy.copyto` takes when
    Python calls it. Called from Python itself, a short copy cannot beat `copyto`: to call a compiled function of two
    arrays that does nothing takes about as long, and then there are the checks.
    """
    if not (
        type(destination) is type(source) is ndarray
        and destination.dtype is source.dtype is BYTE
        and destination.ndim == source.ndim == 1
    ):
        check_copy(destination, source)
        destination, source = _as_bytes(destination), _as_bytes(source)
    try:
        if type(threads) is int and threads == 1:
            copy_bytes(destination, source)
        else:
            _copy_parts(destination, source, check_threads(threads))
    except (NumbaError, ValueError):
        check_copy(destination, source)  # names the argument and what it was
        raise


def _as_bytes(array):
    """The memory of a contiguous array."""
    return np.asarray(array).ravel(order="K").view(BYTE) if array.nbytes else np.empty(0, BYTE)


def memcpy_spec(destination: np.typing.NDArray[Any], source: np.typing.NDArray[Any]) -> None:
    """The copy, one byte at a time."""
    to, by = (array.ravel(order="K").view(np.uint8).data for array in (destination, source))
    for i in range(len(by)):
        to[i] = by[i]


def check_copy(destination: np.typing.NDArray[Any], source: np.typing.NDArray[Any]) -> None:
    """Refuse what cannot be copied; in compiled code the types are refused by the compiler."""
    for name, array in (("destination", destination), ("source", source)):
        if not isinstance(array, ndarray) or np.ma.isMaskedArray(array):
            raise TypeError(f"{name} must be a NumPy array, not {type(array).__name__}")
        if array.dtype.hasobject:
            raise TypeError(f"{name} must have a dtype without Python objects, not {array.dtype}")
        if not array.flags.forc:
            raise ValueError(f"{name} must be contiguous, not strided by {array.strides} bytes")
    if not destination.flags.writeable:
        raise ValueError("destination must be writeable, not read-only")
    if destination.nbytes != source.nbytes:
        raise ValueError(f"destination must have {source.nbytes} bytes, as source, not {destination.nbytes}")
    if np.may_share_memory(destination, source):
        raise ValueError("destination must not overlap source")


@overload(check_copy)
def _check_copy(destination, source):
    for name, array in (("destination", destination), ("source", source)):
        if not isinstance(array, types.Array) or array.layout not in "CF":
            raise TypingError(f"{name} must be a contiguous array, not {array}")
    if not destination.mutable:
        raise TypingError("destination must be writeable, not read-only")

    def check(destination, source):
        if destination.nbytes != source.nbytes:
            raise ValueError("destination must have as many bytes as source")
        to, by = np.intp(destination.ctypes.data), np.intp(source.ctypes.data)
        if to < by + source.nbytes and by < to + source.nbytes:
            raise ValueError("destination must not overlap source")

    return check


# Kernels


@njit(cache=True, nogil=True)
def copy_bytes(destination, source):
    """Copy as `memcpy` does on one thread; also for compiled callers, whose types the compiler checks."""
    check_copy(destination, source)
    to, by = np.intp(destination.ctypes.data), np.intp(source.ctypes.data)
    _copy(to, by, source.nbytes, source.nbytes >= STREAM)


@njit(parallel=True, cache=True)
def _copy_parts(destination, source, parts):
    check_copy(destination, source)
    to, by, size = np.intp(destination.ctypes.data), np.intp(source.ctypes.data), source.nbytes
    for part in prange(parts):
        start, stop = size * part // parts, size * (part + 1) // parts
        _copy(to + start, by + start, stop - start, size >= STREAM)


@njit(cache=True, nogil=True)
def _copy(to, by, size, stream):
    """Copy `size` bytes between two addresses."""
    lines, head = 0, 0
    if stream:
        head = min(-to % LINE, size)  # the stores need addresses that are multiples of a line
        c_memcpy(to, by, head)
        lines = (size - head) // LINE
        for i in range(lines):
            stream_line(to + head + i * LINE, by + head + i * LINE)
        fence()
    done = head + lines * LINE
    c_memcpy(to + done, by + done, size - done)


# From compiled code to C and to the processor. Each stands for itself where the JIT is switched off.

_memcpy = types.ExternalFunction("memcpy", types.intp(types.intp, types.intp, types.intp))


def c_memcpy(to: int, by: int, size: int) -> None:
    """C's memcpy: by its name, which LLVM finds on every system because its own code needs it."""
    ctypes.memmove(int(to), int(by), int(size))


@overload(c_memcpy)
def _c_memcpy(to, by, size):
    return lambda to, by, size: _memcpy(to, by, size)


def stream_line(to: int, by: int) -> None:
    """Copy a line of the cache to an address that is a multiple of its size, past the caches."""
    ctypes.memmove(int(to), int(by), LINE)


@overload(stream_line)
def _stream_line(to, by):
    return lambda to, by: _stream(to, by)


@intrinsic
def _stream(typing_context, to, by):
    def generate(context, builder, signature, arguments):
        line = ir.VectorType(ir.IntType(64), LINE // 8)
        to, by = (builder.inttoptr(address, line.as_pointer()) for address in arguments)
        store = builder.store(builder.load(by, align=1), to, align=LINE)
        store.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), generate


def fence() -> None:
    """Make streamed lines visible to other threads before any later store."""


@overload(fence)
def _fence():
    return lambda: _fence_all()


@intrinsic
def _fence_all(typing_context):
    def generate(context, builder, signature, arguments):
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), generate
