"""`memcpy` against NumPy's and C's, from Python and from compiled code, and three ways from there to C."""

import ctypes
import os

import numpy as np
from numba import njit

from benchmarks.harness import Case, installed
from numba_course import kernels
from numba_course.kernels.memory import c_memcpy, copy_bytes

PAGE = 4096
UNITS = ((20, "MiB"), (10, "KiB"), (0, "B"))


def cases(toy):
    """One and two threads, sizes from what a cache holds to what none does; then many calls of C."""
    for threads in (1, 2):
        for size in (1, 100) if toy else (1 << 10, 1 << 14, 1 << 18, 1 << 22, 1 << 24, 1 << 26):
            yield copy_case(size, threads)
    for size in (1,) if toy else (1 << 10, 1 << 14):
        yield within_case(size, 10 if toy else 10_000)
    yield calls_case(10 if toy else 10_000)


def place(size, offset):
    """`size` bytes that start `offset` bytes after the start of a page.

    Where the destination starts a little after the source, counted from the starts of their pages, C's memcpy
    is ten times slower on some processors (glibc bug 30994): where arrays happen to be must not decide.
    """
    memory = np.zeros(size + 2 * PAGE, np.uint8)
    start = -memory.ctypes.data % PAGE + offset
    return memory[start : start + size]


def copy_case(size, threads):
    """The copy of `size` bytes, each candidate to its own destination."""
    source, destination = random_bytes(size), place(size, 0)
    to, by = destination.ctypes.data, source.ctypes.data  # looking them up costs more than a short copy

    def memmove():
        ctypes.memmove(to, by, size)
        return destination

    peers = {"np.copyto": filling(np.copyto, source), "ctypes.memmove": memmove}
    if threads == 1:
        peers["copy_bytes, compiled"] = filling(copy_bytes, source)
    ours = filling(lambda destination, source: kernels.memcpy(destination, source, threads), source)
    return Case("memcpy", in_units(size), ours, peers, threads, traffic=2 * size, written=size)


def within_case(size, count):
    """The same short copy many times: checked, from within compiled code, and NumPy's from Python."""

    @njit
    def ours(destination, source):
        for _ in range(count):
            copy_bytes(destination, source)

    @njit
    def slices(destination, source):
        for _ in range(count):
            destination[:] = source

    def copyto(destination, source):
        for _ in range(count):
            np.copyto(destination, source)

    source = random_bytes(size)
    peers = {"np.copyto from Python": filling(copyto, source), "slices, compiled": filling(slices, source)}
    return Case("memcpy", f"{in_units(size)}, compiled caller", filling(ours, source), peers)


def random_bytes(size):
    """A source for copies."""
    source = place(size, PAGE // 2)
    source[:] = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    return source


def filling(copy, source):
    """A callable that copies the source into an array of its own."""
    destination = place(source.size, 0)

    def call():
        copy(destination, source)
        return destination

    return call


def in_units(size):
    """A number of bytes as people say it."""
    return next(f"{size >> shift} {unit}" for shift, unit in UNITS if size >> shift)


def calls_case(count):
    """The same call of C many times: from compiled code by name and by pointers, and from Python."""
    source = np.arange(8, dtype=np.uint8)
    library = ctypes.CDLL("ucrtbase" if os.name == "nt" else None)
    by_ctypes = library.memcpy
    by_ctypes.argtypes, by_ctypes.restype = (
        [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t],
        ctypes.c_void_p,
    )

    def python(to, by, count):
        for _ in range(count):
            by_ctypes(to, by, 8)

    ours, *others = (
        repeated(function, source, count) for function in (compiled(c_memcpy), compiled(by_ctypes), python)
    )
    peers = dict(zip(("ctypes pointer, compiled", "ctypes from Python"), others, strict=True))
    if cffi := installed("cffi"):
        ffi = cffi.FFI()
        ffi.cdef("long long memcpy(long long, long long, long long);")  # as Numba passes addresses
        by_cffi = ffi.dlopen("ucrtbase" if os.name == "nt" else None).memcpy
        peers["cffi pointer, compiled"] = repeated(compiled(by_cffi), source, count)
    return Case("memcpy", f"{count:,} calls", ours, peers)


def compiled(function):
    """A compiled loop that calls a function of C."""

    @njit
    def loop(to, by, count):
        for _ in range(count):
            function(to, by, 8)

    return loop


def repeated(loop, source, count):
    """A callable that copies the source `count` times into an array of its own."""
    destination = np.zeros_like(source)

    def call():
        loop(destination.ctypes.data, source.ctypes.data, count)
        return destination

    return call
