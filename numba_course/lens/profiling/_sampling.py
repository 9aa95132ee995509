"""Sample where a process computes: a timer interrupts whichever thread runs, and a handler notes its state.

The handler is compiled by Numba. It does what is allowed in the middle of anything, `malloc` included: it reads
registers, has the kernel copy a piece of the stack, which fails where there is no memory instead of ending the
process, and writes to memory that is there already. It calls no Python, takes no lock, allocates nothing and leaves
`errno` as it was. The kernel's timer counts the processor time of all threads together and interrupts the one that
uses it up, so that those of parallel loops have their turn, and threads that sleep are left alone.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, cfunc, njit, types
from numba.extending import intrinsic

PERIOD = 1000  # microseconds of processor time between two samples; the kernel's clock may tick less often
WORDS = 256  # of the stack that are kept with each sample
PIECES = 32  # of so many words that are looked through for compiled code
FIXED = 8  # words of a sample before those of the stack
ROW = FIXED + WORDS
SPANS = 8  # of memory with compiled code
HEAD = 3 + 2 * SPANS  # samples that came, whether to keep them, how many spans; spans, each from and to
ROOM = 20_000  # samples
FRAME_POINTER, STACK_POINTER, PROGRAM_COUNTER = 15, 20, 21  # words in the context of a signal, x86-64 Linux
WITH_CONTEXT, RESTARTING, ON_OTHER_STACK = 4, 0x10000000, 0x08000000  # flags of `sigaction`
PROCESSOR_TIME = 2  # ITIMER_PROF

_WORDS = types.CPointer(types.int64)
_copy_memory = types.ExternalFunction(
    "process_vm_readv", types.int64(types.int32, _WORDS, types.int64, _WORDS, types.int64, types.int64)
)
_process = types.ExternalFunction("getpid", types.int32())
_errno = types.ExternalFunction("__errno_location", types.CPointer(types.int32)())


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
        """One row for each sample: program counter, stack pointer, frame pointer, where what follows lay on the stack.

        Where a thread is not in compiled code it is the first piece of the stack with an address in it that is.
        """
        rows = self._memory[HEAD : HEAD + ROW * self.count].reshape(self.count, ROW)
        return np.concatenate([rows[:, :4], rows[:, FIXED:]], axis=1)

    @property
    def count(self) -> int:
        """How many samples there are."""
        return min(int(self._memory[0]), ROOM)

    @property
    def lost(self) -> int:
        """How many samples found no room."""
        return max(0, int(self._memory[0]) - ROOM)

    def let_in(self, now: bool) -> None:
        """Whether samples are to be kept from now on."""
        self._memory[1] = now

    def copy_to(self, path: Path) -> None:
        """Write what there is to another file, which can be opened as this one was."""
        path.write_bytes(self._memory.tobytes())

    def look_for(self, spans: Sequence[tuple[int, int]]) -> None:
        """Where compiled code lies. Of many spans those that are close to each other become one."""
        spans = sorted(spans)
        while len(spans) > SPANS:
            near = min(range(len(spans) - 1), key=lambda i: spans[i + 1][0] - spans[i][1])
            spans[near : near + 2] = [(spans[near][0], spans[near + 1][1])]
        self._memory[2] = 0
        self._memory[3 : 3 + 2 * len(spans)] = np.array(spans, np.int64).ravel()
        self._memory[2] = len(spans)


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


def handler_for(address: int) -> Any:
    """A handler of signals that keeps samples in the memory at an address, as a callback for C."""

    @njit
    def is_compiled(word):
        """Whether an address lies in compiled code."""
        memory = carray(_at(address), HEAD)
        for span in range(memory[2]):
            if memory[3 + 2 * span] <= word < memory[4 + 2 * span]:
                return True
        return False

    @njit
    def copied(row, start):
        """Copy a piece of the stack into a row; whether there is any."""
        place = address + 8 * row
        memory = carray(_at(address), HEAD + ROW * ROOM)
        memory[row + 3] = start
        memory[row + 4], memory[row + 5] = place + 8 * FIXED, 8 * WORDS
        memory[row + 6], memory[row + 7] = start, 8 * WORDS
        return _copy_memory(_process(), _at(place + 32), 1, _at(place + 48), 1, 0) > 0

    @cfunc(types.void(types.int32, types.voidptr, types.CPointer(types.int64)))
    def handler(number, information, context):
        memory = carray(_at(address), HEAD + ROW * ROOM)
        if memory[1] == 0:
            return
        claimed = _claimed(address)
        if claimed >= ROOM:
            return
        kept = carray(_errno(), 1)[0]
        registers = carray(context, PROGRAM_COUNTER + 1)
        row, stack = HEAD + ROW * claimed, registers[STACK_POINTER]
        memory[row] = registers[PROGRAM_COUNTER]
        memory[row + 1] = stack
        memory[row + 2] = registers[FRAME_POINTER]
        is_there, is_inside = copied(row, stack), is_compiled(registers[PROGRAM_COUNTER])
        for piece in range(1, PIECES):
            for i in range(WORDS):
                is_inside = is_inside or is_compiled(memory[row + FIXED + i])
            if is_inside or not is_there or memory[2] == 0:  # it is not known where compiled code lies
                break
            is_there = copied(row, stack + 8 * WORDS * piece)
        carray(_errno(), 1)[0] = kept

    return handler


@contextmanager
def sampled(samples: Samples, handler: Any) -> Iterator[None]:
    """Have this process sampled meanwhile; afterwards handler and timer are what they were.

    Raises
    ------
    OSError
        If the system refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    ours, deaf, before = _Action(), _Action(), _Action()
    ours.handler = handler.address
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


def is_in_place(handler: Any) -> bool:
    """Whether the handler still takes signals, and the timer sends them: what is called may have set its own."""
    found = _Action()
    _checked(ctypes.CDLL(None, use_errno=True).sigaction(signal.SIGPROF, None, ctypes.byref(found)))
    _, period = signal.getitimer(PROCESSOR_TIME)
    return found.handler == handler.address and abs(period - PERIOD / 1e6) < PERIOD / 2e6


def _checked(failed):
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, "this process cannot be sampled")
