"""What a child may try: the parent lives on, learns in time how it ended, and nothing of it is left."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest

from numba_course.process import child, family, sandbox, wire

pytestmark = [
    pytest.mark.load,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="a fork is tried"),
]


def fork_and(what):
    """Have a child of the child do something, and then wait."""
    pid = os.fork()
    if pid == 0:
        what()
        time.sleep(60)
        os._exit(0)
    return pid


def leave_the_family():
    """Have a grandchild, whose parent has ended, live in a session of its own; give its number."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        fork_and(lambda: os.write(writing, str(os.getpid()).encode()))
        os._exit(0)
    return int(os.read(reading, 20))


def left(pids):
    """Which of these processes are there, a moment later."""
    family.wait_for_the_end(list(pids), 5)
    return [pid for pid in pids if not family.is_gone(pid)]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans a new parent")
def test_a_process_that_has_left_its_family_ends_with_it():
    outcome = sandbox.run(leave_the_family)
    assert outcome.ended == "returned"
    assert not left([outcome.value])


def signal_the_group(number):
    os.kill(0, number)
    time.sleep(60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_to_its_group_reaches_the_child_alone(number):
    outcome = sandbox.run(signal_the_group, number)
    if number == signal.SIGINT:
        assert (outcome.ended, outcome.error.kind) == ("raised", "KeyboardInterrupt")
    else:
        assert (outcome.ended, outcome.exit_code) == ("crashed", -number)


def test_a_group_that_is_stopped_has_not_ended_in_time():
    assert sandbox.run(signal_the_group, signal.SIGSTOP, seconds=0.5).ended == "timed out"


def end_and_leave_a_copy():
    fork_and(lambda: None)
    os.abort()


def test_a_crash_is_told_though_a_copy_of_the_child_holds_the_line():
    outcome = sandbox.run(end_and_leave_a_copy, seconds=30)
    assert (outcome.ended, outcome.exit_code) == ("crashed", -signal.SIGABRT)


def kill_the_guard():
    os.kill(os.getppid(), signal.SIGKILL)
    print(os.getpid(), flush=True)
    time.sleep(60)


def test_a_child_that_kills_its_guard_is_ended_all_the_same():
    before = set(family.descendants(os.getpid()))
    assert sandbox.run(kill_the_guard, seconds=30).ended == "crashed"
    assert not left(set(family.descendants(os.getpid())) - before)


def kill_the_guard_and_leave():
    os.kill(os.getppid(), signal.SIGKILL)
    return leave_the_family()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans a new parent")
def test_who_kills_its_guard_and_leaves_is_found_by_the_fork_server():
    before = set(family.descendants(os.getpid()))
    assert sandbox.run(kill_the_guard_and_leave, seconds=30).ended in ("returned", "crashed")
    assert not left(set(family.descendants(os.getpid())) - before)


def hoard_elsewhere(mebibytes):
    fork_and(lambda: keep.append(np.ones(mebibytes << 17)))
    time.sleep(60)


keep = []


def test_memory_counts_over_all_that_it_started():
    assert sandbox.run(hoard_elsewhere, 300, seconds=60, memory=100 << 20).ended == "out of memory"


def test_processes_that_share_memory_are_not_counted_twice():
    def four_copies():
        held = np.ones(60 << 17)
        for _ in range(4):
            fork_and(lambda: held[::512].sum())
        time.sleep(0.5)
        return 1

    assert sandbox.run(four_copies, seconds=60, memory=200 << 20).ended == "returned"


def test_what_is_sent_is_not_what_it_uses():
    values = np.ones(150 << 17)
    assert sandbox.run(np.sum, values, seconds=60, memory=100 << 20).value == values.size


def connections():
    """The sockets of this process."""
    found = []
    for number in map(int, os.listdir("/proc/self/fd")):
        try:
            found.append(socket.socket(fileno=os.dup(number)))
        except OSError:
            continue
    return found


def say(message):
    """Write to whatever this process is connected with."""
    for connection in connections():
        connection.setblocking(True)
        connection.sendall(message)
    time.sleep(60)


class Armed:
    """Unpickled, it would end the process."""

    def __reduce__(self):
        return os._exit, (78,)


def framed(message):
    return len(message).to_bytes(8, "big") + message


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="the child looks for its sockets there")
@pytest.mark.parametrize(
    ("message", "ended"),
    [
        (framed(child.cloudpickle.dumps(("returned", Armed()))), "crashed"),
        (framed(b"nonsense"), "crashed"),
        (framed(wire.encode(("step", [[]]))), "timed out"),
        (framed(wire.encode(("step", ("a", "b")))), "crashed"),
        ((1 << 60).to_bytes(8, "big"), "raised"),
        ((1000).to_bytes(8, "big") + b"half", "timed out"),
    ],
    ids=["a pickle", "nonsense", "a step of nothing", "a limit of words", "endless", "in pieces"],
)
def test_what_is_written_to_the_line_is_data(message, ended):
    assert sandbox.run(say, message, seconds=2).ended == ended


def say_steps_for_ever():
    while True:
        yield "still working"
        time.sleep(0.01)


def test_steps_do_not_make_a_call_endless(monkeypatch):
    monkeypatch.setattr(sandbox, "ALTOGETHER", 0.5)
    assert sandbox.run(say_steps_for_ever, seconds=0.02).ended == "timed out"


class Word(str):
    def __reduce__(self):
        return os._exit, (78,)

    def __str__(self):
        return self


class Insult(Exception):
    def __str__(self):
        return Word("armed")


class Mute(Exception):
    def __str__(self):
        raise SystemExit


def test_an_exception_is_data_whatever_its_class_does():
    def complain(kind):
        raise kind("said")

    complain.__module__ = "__main__"
    Insult.__name__ = Word("Insult")
    for kind, message in ((Insult, "armed"), (Mute, "its text could not be read: SystemExit")):
        error = sandbox.run(complain, kind).error
        assert (error.kind, error.message) == (kind.__name__, message)
        assert type(error.kind) is type(error.message) is str


def test_a_long_message_is_cut():
    def complain():
        raise ValueError("x" * 20_000_000)

    error = sandbox.run(complain).error
    assert error.message.endswith("… (19,980,000 more characters)")
    assert len(error.full) < 25_000


def test_a_clock_that_stands_still_in_the_session_stops_nothing(monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    assert sandbox.run(leave_the_session_alone, seconds=0.5).ended == "timed out"


def leave_the_session_alone():
    while True:
        pass


@pytest.fixture
def server(monkeypatch):
    """A fork server of its own that has little to load."""
    monkeypatch.setattr(sandbox, "_server", sandbox._Server())
    assert sandbox.run(os.getpid).ended == "returned"
    yield psutil.Process(sandbox._server._process.pid)
    sandbox._server.close()


def test_all_who_asked_a_server_that_stands_still_get_their_child(server):
    """Who sees it first has it replaced, and the others must not end the new one in turn."""
    server.send_signal(signal.SIGSTOP)
    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(lambda x: sandbox.run(abs, x), [-1, -2, -3]))
    assert [outcome.value for outcome in outcomes] == [1, 2, 3], outcomes


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_a_fork_server_that_stands_still_or_is_gone_is_replaced(server, number):
    server.send_signal(number)
    assert sandbox.run(os.getpid).ended == "returned"
    assert sandbox._server._process.pid != server.pid
    assert family.is_gone(server.pid)


def test_several_threads_may_have_children_at_once():
    found = {}

    def ask(number):
        found[number] = [sandbox.run(divmod, number, 2).value for _ in range(3)]

    main = sys.modules["__main__"]
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert sys.modules["__main__"] is main
    assert found == {number: [divmod(number, 2)] * 3 for number in range(4)}


def test_two_interrupts_at_once_leave_no_child():
    before, handler = set(family.descendants(os.getpid())), signal.getsignal(signal.SIGINT)

    def interrupt():
        while not set(family.descendants(os.getpid())) - before:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    sandbox.run(os.getpid)
    before |= set(family.descendants(os.getpid()))
    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        sandbox.run(leave_the_session_alone, seconds=60)
    assert not left(set(family.descendants(os.getpid())) - before)
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_session_without_descriptors_gets_its_child():
    text = """
        import os, resource
        from numba_course.process import sandbox
        sandbox.run(os.getpid)
        there = max(map(int, os.listdir("/proc/self/fd")))
        resource.setrlimit(resource.RLIMIT_NOFILE, (there + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        print(sandbox.run(divmod, 7, 2).value)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "(3, 1)\n", done.stderr


def test_children_end_with_a_session_that_is_killed():
    text = """
        import os, threading, time
        from numba_course.process import sandbox
        def tell():
            yield str(os.getpid()), 600
            time.sleep(600)
        threading.Thread(target=sandbox.run, args=(tell,), daemon=True).start()
        from numba_course.process import family
        while len(family.descendants(os.getpid())) < 3:
            time.sleep(0.01)
        print(*family.descendants(os.getpid()), flush=True)
        os.kill(os.getpid(), 9)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True, timeout=120
    )
    pids = list(map(int, done.stdout.split()))
    assert len(pids) >= 3, done.stderr
    family.wait_for_the_end(pids, 30)
    assert not left(pids)


def test_without_a_fork_server_a_child_is_a_process_of_its_own(monkeypatch):
    """As on Windows."""
    monkeypatch.setattr(sandbox, "_can_fork", lambda: False)
    assert sandbox.run(divmod, 7, 2, seconds=60).value == (3, 1)
    outcome = sandbox.run(print_and_abort, seconds=60)
    assert (outcome.ended, outcome.exit_code, outcome.output) == ("crashed", -signal.SIGABRT, "said\n")
    outcome = sandbox.run(hoard_elsewhere, 300, seconds=60, memory=100 << 20)
    assert outcome.ended == "out of memory"


def print_and_abort():
    print("said")
    os.abort()
