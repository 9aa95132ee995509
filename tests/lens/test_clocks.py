"""clocks: what three of them say of a first call, and a function's own seconds by the profiler."""

import gc
import sys
import time

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from numba_course.lens import clocks


def double(x):
    return 2 * x


@pytest.fixture
def shell(monkeypatch):
    """A session of IPython that leaves nothing behind."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    session = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    monkeypatch.setattr("IPython.get_ipython", lambda: session)
    return session


def test_the_mean_of_one_run_each_contains_the_compiler_and_a_trial_is_thrown_away(monkeypatch, shell):
    """By a clock on which compiling takes a second and nothing else anything."""
    now, calls = [0.0], []

    def compiled(function):
        seen = []

        def call(*args):
            if not seen:
                seen.append(True)
                now[0] += 1.0
            calls.append(args)
            now[0] += 1e-3
            return function(*args)

        return call

    monkeypatch.setattr(clocks, "njit", compiled)
    monkeypatch.setattr("timeit.default_timer", lambda: now[0])
    monkeypatch.setattr("timeit.Timer.__init__.__defaults__", ("pass", "pass", lambda: now[0], None))
    before = set(shell.user_ns)
    found = clocks.of_a_first_call(double, 3)
    assert list(found) == ["timeit.autorange", "IPython's timeit", "IPython's timeit -n 1"]
    assert found["timeit.autorange"] == pytest.approx(1.001)
    assert found["IPython's timeit"] == pytest.approx(0.001)
    assert found["IPython's timeit -n 1"] == pytest.approx(0.001 + 1 / 7)
    assert set(calls) == {(3,)} and set(shell.user_ns) == before


def test_outside_ipython_it_is_refused(monkeypatch):
    monkeypatch.setattr("IPython.get_ipython", lambda: None)
    with pytest.raises(RuntimeError, match="part of IPython"):
        clocks.of_a_first_call(double, 3)


def test_own_seconds_leave_out_what_a_function_calls():
    def waits():
        time.sleep(0.001)
        for _ in range(20_000):
            pass

    def program():
        waits()
        waits()

    found = clocks.own_seconds(program, program, waits)
    assert list(found) == ["program", "waits"] and 0 < found["program"] < found["waits"]


def test_a_function_that_the_program_does_not_call_is_named():
    with pytest.raises(ValueError, match="unlike double"):
        clocks.own_seconds(lambda: None, double)


def test_no_garbage_is_collected_while_the_profiler_looks():
    seen = []

    def program():
        seen.append(gc.isenabled())

    clocks.own_seconds(program, program)
    assert seen == [False]
    assert gc.isenabled()
