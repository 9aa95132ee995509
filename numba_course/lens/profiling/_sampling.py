"""Sample where a process computes: a timer interrupts whichever thread runs, and a handler notes its state.

The handler is compiled by Numba. It does what is allowed in the middle of anything, `malloc` included: it reads
registers and a piece of the stack, and writes to memory that is there already. It calls no Python, takes no lock
and allocates nothing. The kernel's timer counts the processor time of all threads together and interrupts the one
that uses it up, so that those of parallel loops have their turn, and threads that sleep are left alone.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from llvmlite import ir
from numba import carray, cfunc, types
from numba.extending import intrinsic

PERIOD = 1000  # microseconds of processor time between two samples; the kernel's clock may tick less often
WORDS = 256  # of the stack that are kept with each sample
ROW = 3 + WORDS  # program counter, stack pointer, frame pointer, stack
HEAD = 3  # samples that came, samples that have room, whether to sample now
ROOM = 20_000  # samples
FRAME_POINTER, STACK_POINTER, PROGRAM_COUNTER = 15, 20, 21  # words in the context of a signal, x86-64 Linux
WITH_CONTEXT, RESTARTING, ON_OTHER_STACK = 4, 0x10000000, 0x08000000  # flags of `sigaction`
PROCESSOR_TIME = 2  # ITIMER_PROF


class _Action(ctypes.Structure):
    """``struct sigaction`` of glibc."""

    _fields_ = (
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_ulong * 16),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


def refusal() -> str:
    """Why there can be no samples here; empty if there can."""
    if sys.platform != "linux" or platform.machine() != "x86_64" or sys.maxsize < 1 << 32:
        return f"it works on Linux with an x86-64 processor only, and this is {sys.platform} on {platform.machine()}"
    if platform.libc_ver()[0] != "glibc":
        return "it needs the C library of GNU"
    return ""


class Samples:
    """Memory for samples, shared with whoever opens the same file.

    Parameters
    ----------
    path : str
        The file. It is made if it is empty, and takes as much of the disk as there are samples.
    """

    def __init__(self, path: str) -> None:
        size = 8 * (HEAD + ROW * ROOM)
        with open(path, "r+b") as file:
            file.truncate(size)
            self._memory = np.frombuffer(mmap.mmap(file.fileno(), size), np.int64)

    @property
    def address(self) -> int:
        """Where the memory begins in this process."""
        return self._memory.ctypes.data

    @property
    def rows(self) -> np.ndarray:
        """One row for each sample: program counter, stack pointer, and what lies on the stack from there on."""
        count = min(int(self._memory[0]), ROOM)
        return self._memory[HEAD : HEAD + ROW * count].reshape(count, ROW).copy()

    @property
    def lost(self) -> int:
        """How many samples found no room."""
        return max(0, int(self._memory[0]) - ROOM)

    def let_in(self, now: bool) -> None:
        """Whether samples are to be kept from now on."""
        self._memory[2] = now


@intrinsic
def _claimed(context, address):
    """Add one to the number at an address, also while other threads do, and give what it was."""

    def build(_, builder, signature, args):
        number = builder.inttoptr(args[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", number, ir.IntType(64)(1), "monotonic")

    return types.int64(types.int64), build


@intrinsic
def _at(context, address):
    """The memory at an address."""

    def build(_, builder, signature, args):
        return builder.inttoptr(args[0], ir.IntType(64).as_pointer())

    return types.CPointer(types.int64)(types.int64), build


def handler_for(address: int) -> object:
    """A handler of signals that keeps samples in the memory at an address, as a callback for C."""

    @cfunc(types.void(types.int32, types.voidptr, types.CPointer(types.int64)))
    def handler(number, information, context):
        memory = carray(_at(address), HEAD + ROW * ROOM)
        if memory[2] == 0:
            return
        row = _claimed(address)
        if row >= ROOM:
            return
        registers = carray(context, PROGRAM_COUNTER + 1)
        stack = carray(_at(registers[STACK_POINTER]), WORDS)
        start = HEAD + ROW * row
        memory[start] = registers[PROGRAM_COUNTER]
        memory[start + 1] = registers[STACK_POINTER]
        memory[start + 2] = registers[FRAME_POINTER]
        for i in range(WORDS):
            memory[start + 3 + i] = stack[i]

    return handler


@contextmanager
def sampled(samples: Samples, handler: object) -> Iterator[None]:
    """Have this process sampled meanwhile; afterwards handler and timer are what they were.

    Raises
    ------
    OSError
        If the system refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    ours, deaf, before = _Action(), _Action(), _Action()
    ours.handler = handler.address  # type: ignore[attr-defined]
    ours.flags = WITH_CONTEXT | RESTARTING | ON_OTHER_STACK
    _checked(libc.sigaction(signal.SIGPROF, ctypes.byref(ours), ctypes.byref(before)))
    timer = signal.getitimer(PROCESSOR_TIME)
    signal.setitimer(PROCESSOR_TIME, PERIOD / 1e6, PERIOD / 1e6)
    try:
        yield
    finally:
        signal.setitimer(PROCESSOR_TIME, 0)
        deaf.handler = int(
            signal.SIG_IGN
        )  # a signal that is still on its way is dropped: it could end the process
        _checked(libc.sigaction(signal.SIGPROF, ctypes.byref(deaf), None))
        _checked(libc.sigaction(signal.SIGPROF, ctypes.byref(before), None))
        signal.setitimer(PROCESSOR_TIME, *timer)


def _checked(failed):
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, "this process cannot be sampled")
