"""The fork server: what it loads beside its work waits while somebody wants a child."""

import os
import socket
import subprocess
import sys
import time

from numba_course.process import wire
from numba_course.process.channel import Channel

PREPARED = """
import time
def steps():
    for number in range(3):
        open(f"step {number}", "w").close()
        yield
"""


def _asked_for(server):
    """The channels to a child and to its guard."""
    ours, theirs = socket.socketpair(), socket.socketpair()
    socket.send_fds(server, [b"c"], [ours[1].fileno(), theirs[1].fileno()])
    for end in (ours[1], theirs[1]):
        end.close()
    return Channel(ours[0]), Channel(theirs[0])


def _eventually(condition):
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_steps_are_done_only_while_there_is_no_child(tmp_path):
    (tmp_path / "prepared.py").write_text(PREPARED)
    session, its = socket.socketpair()
    text = f"from numba_course.process.fork_server import main; main({its.fileno()}, (), 'prepared')"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}
    command = [sys.executable, "-c", text]
    with subprocess.Popen(command, pass_fds=[its.fileno()], cwd=tmp_path, env=environment) as server:
        its.close()
        child, guard = _asked_for(session)
        assert len(wire.decode(guard.receive(60))) == 2  # a guard and its child are there
        session.send(b"m")
        time.sleep(0.5)
        assert not list(tmp_path.glob("step *"))
        guard.send(wire.encode("it is over"))
        _eventually(lambda: len(list(tmp_path.glob("step *"))) == 3)
        for end in (child, guard, session):
            end.close()
        assert server.wait(60) == 0


def test_what_checks_have_prepared_starts_no_threads():
    """A process that has OpenMP's threads must not fork who wants some, too: the child would be ended."""
    text = """
from numba.np.ufunc import parallel
from numba_course.exercises.requirements import warm_arrays
steps = sum(1 for _ in warm_arrays.steps())
print(steps == sum(len(calls) for _, calls in warm_arrays.COMPILED), parallel._is_initialized)
"""
    found = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["True", "False"]
