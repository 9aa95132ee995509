"""Samples: the handler does nothing that is forbidden in a signal, and leaves nothing behind."""

import ctypes
import errno
import re
import signal
import sys
import threading
import time

import cloudpickle
import numba
import numpy as np
import pytest
from numba import njit

from numba_course.lens.profiling import _sampling
from numba_course.process import sandbox

pytestmark = [
    pytest.mark.load,
    pytest.mark.skipif(bool(_sampling.refusal()), reason="samples are taken on x86-64 Linux only"),
]
for pickling in (cloudpickle, numba.cloudpickle):
    pickling.register_pickle_by_value(sys.modules[__name__])  # a child cannot import a test module
ALLOWED = {
    "process_vm_readv",
    "getpid",
    "__errno_location",
}  # system calls, and where a thread's `errno` lies


def test_the_handler_calls_nothing_but_the_kernel(tmp_path):
    (tmp_path / "samples").touch()
    handler = _sampling.handler_for(_sampling.Samples(str(tmp_path / "samples")).address)
    functions = re.findall(r"^define [^\n]*@([^(]*)\([^{]*\{\n(.*?)^\}", handler.inspect_llvm(), re.M | re.S)
    text = next(body for name, body in functions if name.startswith("_ZN12numba_course"))
    called = set(re.findall(r"call [^@\n]*@([\w.]+)", text))
    assert {name for name in called if not name.startswith("llvm.")} == ALLOWED
    assert set(re.findall(r"^  ret (.*)$", text, re.M)) == {
        "i32 0"
    }  # its wrapper would tell Python of anything else


def _sampled(path):
    """Allocate, fail in system calls, and run to the last bytes of stacks of threads, while samples are taken."""

    @njit(nogil=True)
    def allocate(n):
        total = 0.0
        for i in range(n):
            total += np.empty(i % 1000).size
        return total

    samples = _sampling.Samples(path)
    handler = _sampling.handler_for(samples.address)
    libc = ctypes.CDLL(None, use_errno=True)
    before = signal.getitimer(signal.ITIMER_PROF), _action()
    kept = []
    with _sampling.sampled(samples, handler):
        samples.let_in(True)
        threads = [threading.Thread(target=allocate, args=(200_000,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        until = time.process_time() + 0.5
        while time.process_time() < until or any(thread.is_alive() for thread in threads):
            ctypes.set_errno(0)
            libc.close(-1)
            kept.append(ctypes.get_errno())
        samples.let_in(False)
    count = len(samples.rows)
    until = time.process_time() + 0.1
    while time.process_time() < until:
        pass
    return {
        "samples": count,
        "later": len(samples.rows) - count,
        "errors": set(kept),
        "restored": before == (signal.getitimer(signal.ITIMER_PROF), _action()),
    }


def _action():
    """The address of the handler of SIGPROF, as C sees it."""
    found = _sampling._Action()
    ctypes.CDLL(None).sigaction(signal.SIGPROF, None, ctypes.byref(found))
    return found.handler


def test_samples_in_the_middle_of_anything(tmp_path):
    (tmp_path / "samples").touch()
    outcome = sandbox.run(_sampled, str(tmp_path / "samples"), seconds=30)
    assert outcome.ended == "returned", outcome
    assert outcome.value["samples"] > 20 and outcome.value["later"] == 0
    assert outcome.value["errors"] == {errno.EBADF}
    assert outcome.value["restored"]
    rows = _sampling.Samples(str(tmp_path / "samples")).rows  # seen from another process
    assert len(rows) == outcome.value["samples"] and (rows[:, 0] != 0).all()
    assert (rows[:, 1] % 8 == 0).all()


def test_what_finds_no_room_is_counted(tmp_path, monkeypatch):
    (tmp_path / "samples").touch()
    samples = _sampling.Samples(str(tmp_path / "samples"))
    samples._memory[0] = _sampling.ROOM + 5
    assert samples.lost == 5 and len(samples.rows) == _sampling.ROOM


def test_spans_that_are_close_become_one(tmp_path):
    (tmp_path / "samples").touch()
    samples = _sampling.Samples(str(tmp_path / "samples"))
    spans = [(1000 * i, 1000 * i + 10) for i in range(_sampling.SPANS)]
    samples.look_for([*spans, (20, 30)])
    head = samples._memory[: _sampling.HEAD].tolist()
    assert head[2] == _sampling.SPANS and head[3:7] == [0, 30, 1000, 1010]
