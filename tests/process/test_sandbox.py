"""The sandbox: every way a child can end is told, and the parent lives on."""

import ctypes
import functools
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import psutil
import pytest
from numba import njit, prange

from numba_course.process import sandbox
from tests.under_load import Setting, surroundings

pytestmark = pytest.mark.load


def call(function, *args):
    return function(*args)


@njit
def total(values):
    result = 0.0
    for value in values:
        result += value
    return result


@njit(parallel=True)
def parallel_total(values):
    result = 0.0
    for i in prange(values.size):
        result += values[i]
    return result


@njit
def spin(values):
    while values[0] >= 0:
        values[0] += 1
    return 0


@njit
def scribble(values):
    for i in range(10**9):
        values[i * 1000] = 1


def test_a_result_comes_back():
    outcome = sandbox.run(call, total, np.arange(4.0))
    assert (outcome.ended, outcome.value) == ("returned", 6.0)


def test_parallel_code_runs_after_the_parent_ran_parallel_code():
    assert parallel_total(np.ones(3)) == 3.0
    assert sandbox.run(call, parallel_total, np.ones(5)).value == 5.0


def test_an_endless_compiled_loop_is_stopped():
    outcome = sandbox.run(call, spin, np.zeros(1), seconds=0.5)
    assert outcome.ended == "timed out"


def test_a_crash_is_told_with_its_signal():
    outcome = sandbox.run(call, scribble, np.zeros(3))
    assert outcome.ended == "crashed"
    assert outcome.exit_code == -signal.SIGSEGV


def leave(code):
    os._exit(code)


def test_a_child_that_ends_itself_without_an_answer_crashed():
    outcome = sandbox.run(leave, 0)
    assert (outcome.ended, outcome.exit_code) == ("crashed", 0)


def test_sys_exit_is_an_exception_like_any_other():
    outcome = sandbox.run(sys.exit, 0)
    assert (outcome.ended, outcome.error.kind) == ("raised", "SystemExit")


def stumble():
    raise ValueError("this is why")


def test_an_exception_comes_back_as_data():
    error = sandbox.run(stumble).error
    assert (error.kind, error.message) == ("ValueError", "this is why")
    assert error.frames[-1][2] == "stumble"
    assert "this is why" in error.full


def hoard():
    kept = []
    while True:
        kept.append(np.ones(1 << 20))


def test_runaway_memory_is_stopped():
    assert sandbox.run(hoard, seconds=60, memory=64 << 20).ended == "out of memory"


def chatter(lines):
    for i in range(lines):
        print("line", i)
    os.write(2, b"from C")
    return lines


def test_a_flood_of_output_neither_blocks_nor_piles_up():
    outcome = sandbox.run(chatter, 200_000, seconds=60)
    assert outcome.value == 200_000
    assert outcome.output.startswith("line 0\nline 1\n")
    assert len(outcome.output) <= sandbox.KEPT_OUTPUT + 1


def test_what_c_code_prints_is_kept_too():
    assert "from C" in sandbox.run(chatter, 1).output


def file_of(function):
    return function.__code__.co_filename


def test_code_keeps_the_name_of_its_file():
    names = {}
    exec(compile("def f(): pass", "cell.py", "exec"), names)
    assert sandbox.run(file_of, names["f"]).value == "cell.py"


def compute(seconds):
    """Use so much processor time, which takes as long as the machine likes."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def two_steps(seconds):
    yield "first"
    compute(seconds)
    yield "second"
    compute(seconds)
    return "done"


def test_each_step_restarts_the_clock():
    outcome = sandbox.run(two_steps, 0.6, seconds=1)
    assert (outcome.ended, outcome.value, outcome.step) == ("returned", "done", "second")


def sleep_in_the_second_step():
    yield "first", 60
    yield "second"
    time.sleep(60)


def test_a_time_out_names_the_last_step_and_its_limit():
    outcome = sandbox.run(sleep_in_the_second_step, seconds=1)
    assert (outcome.ended, outcome.step, outcome.limit) == ("timed out", "second", 1)


def compute_on(core, seconds):
    os.sched_setaffinity(0, core)
    compute(seconds)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not choose cores")
def test_a_child_that_waits_for_its_turn_is_not_timed_out():
    sandbox.prepare()  # the fork server keeps all cores
    with surroundings(
        Setting(cores=1, programs=3)
    ):  # it gets a quarter of a core, or less where others run as well
        outcome = sandbox.run(compute_on, os.sched_getaffinity(0), 0.7, seconds=2)
    assert outcome.ended == "returned"


@pytest.mark.parametrize(
    ("seconds", "computed", "over"),
    [
        (1.9, 1.9, False),
        (2.1, 2.1, True),
        (2.1, 4.2, True),  # in two threads
        (2.1, 0.7, False),  # a third of a processor
        (5.9, 1.9, False),
        (6.1, 2.1, True),
        (2.1, 0.01, True),  # asleep
        (100.0, 1.9, True),  # now and then awake
    ],
)
def test_the_time_is_over_for_who_computes_or_sleeps_and_not_for_who_waits(seconds, computed, over):
    now, used = [100.0], [7.0]
    clock = sandbox._Clock(1, lambda: now[0], lambda pid: used[0])
    now[0] += seconds
    used[0] += computed
    assert clock.is_over(2.0) is over


def start_a_process_and_wait():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield str(child.pid), 0.5
    child.wait()


def test_what_the_child_started_ends_with_it():
    outcome = sandbox.run(start_a_process_and_wait, seconds=60)
    assert outcome.ended == "timed out"
    assert not psutil.pid_exists(int(outcome.step)) or psutil.Process(int(outcome.step)).status() == "zombie"


def reported_pid():
    return os.getpid()


def test_every_call_gets_a_child_of_its_own():
    assert sandbox.run(reported_pid).value != sandbox.run(reported_pid).value


def histogram_function():
    return np.histogram.__module__


def test_a_patched_numpy_stays_outside(monkeypatch):
    monkeypatch.setattr(np, "histogram", lambda *args: "patched")
    assert sandbox.run(histogram_function).value == "numpy"


def test_an_argument_that_cannot_travel_is_an_error_before_anything_runs():
    with pytest.raises(TypeError, match="cannot be sent"):
        sandbox.run(call, sys.stdout.buffer)


def test_a_script_without_a_main_guard_is_not_run_again(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
            import math
            from numba_course import sandbox
            print("once", sandbox.run(math.sqrt, 9.0).value)
        """)
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert done.stdout == "once 3.0\n", done.stderr


LIBC = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
c_abs = LIBC.labs
c_abs.argtypes, c_abs.restype = [ctypes.c_long], ctypes.c_long


@njit
def magnitude(value):
    return c_abs(value)


def test_a_c_function_travels_by_name_and_keeps_its_types():
    """Sent by value, as from a notebook: there its globals, the C function with them, travel along."""

    def apart(value):
        return (
            magnitude(value),
            LIBC.labs(value),
            c_abs.argtypes == [ctypes.c_long],
            c_abs.restype is ctypes.c_long,
        )

    apart.__module__ = magnitude.py_func.__module__ = "__main__"
    try:
        outcome = sandbox.run(call, apart, -3)
    finally:
        magnitude.py_func.__module__ = __name__
    assert outcome.value == (3, 3, True, True), outcome


@pytest.mark.skipif(sys.platform != "linux", reason="only here a library says where it was loaded to")
@pytest.mark.parametrize("name, args", [("labs", (-3,)), ("memcpy", None)])
def test_a_c_function_made_of_its_address_is_found_again_in_its_library(name, args):
    """C has several memcpy, and chooses one for the processor: the one in question has no name that could be asked."""
    kind = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_long)
    if name == "memcpy":
        kind = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t)

    def three(function):
        if args:
            return function(*args)
        copy = ctypes.create_string_buffer(4)
        function(copy, b"abc", 3)
        return copy.value

    function = kind(ctypes.cast(getattr(LIBC, name), ctypes.c_void_p).value)
    assert sandbox.run(three, function).value == (3 if args else b"abc")


def test_a_c_function_that_is_in_no_library_is_refused():
    function = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_long)(abs)
    with pytest.raises(TypeError, match="by its address alone; take it from its library by name"):
        sandbox.run(call, function, -3)


@functools.cache
def _fibonacci(n):
    return n if n < 2 else _fibonacci(n - 1) + _fibonacci(n - 2)


def test_a_function_that_remembers_travels_like_any_other(monkeypatch):
    """As in a notebook, where it cannot be imported by its name."""
    monkeypatch.setattr(_fibonacci, "__module__", "__main__")
    monkeypatch.setattr(_fibonacci.__wrapped__, "__module__", "__main__")
    assert sandbox.run(lambda f: (f(60), f.cache_parameters()), _fibonacci).value == (
        1548008755920,
        {"maxsize": None, "typed": False},
    )


def test_children_have_of_the_course_what_was_asked_for_and_nothing_else(monkeypatch):
    server = sandbox._Server()
    monkeypatch.setattr(sandbox, "_server", server)
    assert sandbox.run(_of_the_course).value == (True, [])
    sandbox.preload(["numba_course.exercises.records"])
    sandbox.prepare_more()  # of which there is nothing
    assert "numba_course.exercises.records" in sandbox.run(_of_the_course).value[1]
    process = server._process
    sandbox.preload(["numba_course.exercises.records"])
    assert server._process is process
    server.close()


def _of_the_course():
    rooms = ("exercises", "kernels", "learner", "pipeline", "teaching")
    names = [name for name in sys.modules if name.startswith(tuple(f"numba_course.{room}" for room in rooms))]
    return "numba" in sys.modules, names


def test_a_session_whose_path_is_gone_has_its_children(monkeypatch):
    server = sandbox._Server()  # no child was there before, so none knows the path
    monkeypatch.setattr(sandbox, "_server", server)
    with monkeypatch.context() as changed:
        changed.setattr(sys, "path", [])
        outcome = sandbox.run(lambda: __import__("numba").njit(lambda x: x + 1)(2))
    server.close()
    assert outcome.value == 3, outcome
