"""Arrays between pages that nobody may touch: who reads or writes beside one crashes, in a process of its own."""

import ctypes
import faulthandler
import mmap
import multiprocessing
import signal
import sys

import numpy as np
import pytest

CRASHED = (-signal.SIGSEGV, -getattr(signal, "SIGBUS", signal.SIGSEGV))


def needs_guards(test):
    """Mark a test that forks and protects pages."""
    test = pytest.mark.skipif(sys.platform == "win32", reason="needs mprotect")(test)
    # no thread is used in the child
    return pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")(test)


def exit_code(function, *args):
    """How a copy of this process ends that calls the function: it has all that is compiled here already."""
    child = multiprocessing.get_context("fork").Process(target=_quietly, args=(function, *args), daemon=True)
    child.start()
    child.join()
    return child.exitcode


def _quietly(function, *args):
    faulthandler.disable()  # which would write of the crash as if it were that of the tests
    function(*args)


def guarded(shape, dtype, at_end):
    """A zero array whose last byte, or first one, is beside a page that cannot be read."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    page = mmap.PAGESIZE
    room = -(-size // page) * page
    memory = np.frombuffer(mmap.mmap(-1, room + 2 * page), np.uint8)
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    for guard in (memory[:page], memory[page + room :]):
        assert protect(ctypes.c_void_p(guard.ctypes.data), ctypes.c_size_t(page), 0) == 0
    inside = memory[page : page + room]
    return (inside[room - size :] if at_end else inside[:size]).view(dtype).reshape(shape)


def copy_beside_guards(values, at_end, beyond=0):
    """The values there; with `beyond`, an array that says to have so many more along its first axis."""
    copy = guarded(values.shape, values.dtype, at_end)
    copy[...] = values
    return np.lib.stride_tricks.as_strided(copy, (len(copy) + beyond, *copy.shape[1:]), copy.strides)
