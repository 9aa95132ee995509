"""Look at compiled functions that only compiled code calls: their callers are run in Python, and so show the arguments.

That happens in a child process, for a few seconds. What is said of such a function is said of it compiled on its own:
inlined into a caller, it may be optimised otherwise.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import Any
from unittest import mock

from numba.core.dispatcher import Dispatcher

from numba_course.lens.compiled.compilation import compiled_here
from numba_course.lens.compiled.machine_code import MachineCode, report
from numba_course.lens.errors import reason
from numba_course.lens.recording.calls import Called, Recorder, is_numbas_own, python_function
from numba_course.process import sandbox
from numba_course.process.arguments import unpack

RUNNING = 5.0  # seconds that a caller may run in Python
SECONDS = 120.0  # for one function to be compiled and called

Place = tuple[str, int]  # file and first line of a function


def inner_calls(fn: Dispatcher, packed: bytes) -> dict[Place, tuple[str, MachineCode | str]]:
    """What compiled functions a call leads to, and what their machine code does.

    Parameters
    ----------
    fn : Dispatcher
    packed : bytes
        Positional and keyword arguments, as `process.arguments.pack` packs the pair.

    Returns
    -------
    dict
        From the place of each function that was reached to the types of its arguments, in words, and what
        `lens.machine_code` says, or why it says nothing.
    """
    try:
        outcome = sandbox.run(_observe, fn, packed, seconds=SECONDS)
    except TypeError:  # it cannot be sent
        return {}
    return {tuple(place): (kinds, said) for place, kinds, said in outcome.value or ()}


def place_of(fn: Any) -> Place:
    """Where the Python function was defined that was compiled."""
    function = python_function(fn)
    return (function.__code__.co_filename, function.__code__.co_firstlineno) if function else ("", 0)


# What follows runs in the child process.


class _Enough(BaseException):
    """The caller has run long enough. Not an Exception, so that nothing in it takes it for one of its own."""


def _observe(fn, packed):
    """Run the caller in Python, and compile what it was seen to call."""
    yield "running"
    args, named = unpack(packed)
    with (
        mock.patch.object(Dispatcher, "__call__", _in_python),
        Recorder().recording() as recorder,
        _for_a_while(),
    ):
        try:
            fn.py_func(*args, **named)
        except (_Enough, Exception):  # what was called until then was called
            pass
    found = []
    for called in recorder.called:
        if called.fn is not fn and isinstance(called.fn, Dispatcher):
            yield f"compiling {called.fn.__name__}"
            found.append((place_of(called.fn), *_said(called)))
    return found


def _in_python(fn, /, *args, **named):
    """Call the Python function; what Numba brings along works only as it is compiled."""
    call = super(Dispatcher, fn).__call__ if is_numbas_own(fn.py_func) else fn.py_func
    return call(*args, **named)


@contextmanager
def _for_a_while():
    """End the block after some seconds, where there are signals for it."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number, frame):
        raise _Enough

    usual = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, RUNNING)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, usual)


def _said(called: Called) -> tuple[str, MachineCode | str]:
    """The types of the first signature, and what its machine code does."""
    signature = next(iter(called.signatures.values()))
    sample = signature.samples[0]
    if sample.packed is None:
        return signature.kinds, sample.why
    args, named = unpack(sample.packed)
    try:
        return signature.kinds, report(compiled_here(called.fn, args, True, named))
    except Exception as error:  # of the compiler
        return signature.kinds, f"it does not compile on its own: {reason(error)}"
