"""The process from which children are forked, with Numba loaded; and the guard that each child has.

A session must not fork: its threads, and OpenMP above all, do not survive it. So it starts this process once, fresh,
and asks it for children. What is forked is a *guard*, which never runs anybody's code. It forks the child and waits:
for the child's end, to tell with what exit code; and for the session, which says that it is over or is gone itself.
Then the guard kills the child and all that the child started. On Linux nothing can leave a guard: a process whose
parent has ended becomes the guard's own child. Elsewhere what left the child's session before it was looked for
stays alive.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from time import monotonic, sleep

from numba_course.process import child, family, wire
from numba_course.process.channel import Channel

KEPT_OUTPUT = 8_000  # bytes of what a child prints
PIECES = 64  # of its output that are read before the session is listened to again
ENDING = 5.0  # seconds in which all that a child started must be gone
IDLE = 0.1  # seconds between two looks whether there is still a child
LAST = object()
PR_SET_CHILD_SUBREAPER = 36  # of Linux


def main(descriptor: int, preloaded: Sequence[str], postponed: str) -> None:
    """Fork a guard for each pair of descriptors that comes, until the session is gone.

    Parameters
    ----------
    descriptor : int
        A Unix socket; each byte on it is a request. One with two descriptors, sockets for the child and for its
        guard, asks for a child. Any other has `postponed` loaded.
    preloaded : sequence of str
        Modules to load first.
    postponed : str
        A module that not every session needs. The steps that its function `steps` gives are done while there is
        no child and nobody asks for one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    session = socket.socket(fileno=descriptor)
    for name in preloaded:
        with suppress(ImportError):  # the package may be installed without what checks need
            importlib.import_module(name)
    guards: set[int] = set()
    signal.signal(signal.SIGCHLD, lambda *_: _sweep(guards))
    _adopt_orphans()
    steps: Iterator[None] | None = None
    while True:
        while steps is not None and not select.select([session], [], [], IDLE if guards else 0.0)[0]:
            if not guards and next(steps, LAST) is LAST:
                steps = None
        asked, descriptors, _, _ = socket.recv_fds(session, 1, 2)
        if not asked:
            return
        if not descriptors:
            with suppress(ImportError):
                steps = importlib.import_module(postponed).steps()
            continue
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])  # a new guard must be known to be one
        pid = os.fork()
        if pid == 0:
            session.close()
            _guard(*descriptors)
        guards.add(pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        for received in descriptors:
            os.close(received)


def _sweep(guards):
    """Whatever is a child of this process and no guard was left behind by a guard that was killed: kill it."""
    while True:
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                guards.discard(ended)
        strangers = [pid for pid in family.children(os.getpid()) if pid not in guards]
        if not strangers:
            return
        family.kill([*strangers, *(pid for stranger in strangers for pid in family.descendants(stranger))])
        sleep(0.001)


def _guard(to_child, to_guard):
    """Fork the child and see to its end; never returns."""
    try:
        os.setsid()
        _adopt_orphans()
        _be_deaf()
        output, printed = os.pipe()
        wakes, woken = os.pipe()
        pid = os.fork()
        if pid == 0:
            for descriptor in (to_guard, output, wakes, woken):
                os.close(descriptor)
            _be_child(to_child, printed)
        child.keep_to_itself()
        os.close(to_child)
        os.close(printed)
        _Guard(pid, Channel(socket.socket(fileno=to_guard)), output).keep(wakes, woken)
    finally:
        os._exit(0)


def _be_child(descriptor, printed):
    os.setsid()
    for number, handler in _HANDLERS.items():
        signal.signal(number, handler)
    child.serve(socket.socket(fileno=descriptor), printed)


_DEAF_TO = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE] if os.name == "posix" else []
_HANDLERS = dict.fromkeys(_DEAF_TO, signal.SIG_DFL) | {signal.SIGINT: signal.default_int_handler}


def _be_deaf():
    """A guard ends when its work is done, and not by a signal that was meant for its child."""
    for number in _DEAF_TO:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])


def _adopt_orphans():
    """Have Linux make this process the parent of whatever its descendants leave behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class _Guard:
    """Watches one child for the session, which is at the other end of a channel."""

    def __init__(self, pid: int, session: Channel, output: int) -> None:
        self.pid, self.session, self.output = pid, session, output
        self.printed, self.exit_code = b"", None

    def keep(self, wakes, woken):
        """Tell who is there; tell when the child ends; end all when the session says so, or is gone."""
        os.set_blocking(woken, False)
        os.set_blocking(self.output, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        self.session.send(wire.encode((os.getpid(), self.pid)))
        with suppress(EOFError):
            while self._has_nothing_to_do(wakes):
                pass
        self._kill_all()
        self._drain()
        self.session.send(wire.encode((self.exit_code, self.printed)))

    def _has_nothing_to_do(self, wakes):
        """Wait for one thing to happen; False once the session wants the end. EOFError when it is gone."""
        readers = [self.session.fileno(), wakes] + ([self.output] if self.output >= 0 else [])
        poll = select.poll()
        for descriptor in readers:
            poll.register(descriptor, select.POLLIN)
        ready = [descriptor for descriptor, _ in poll.poll()]
        if self.output in ready:
            self._drain()
        if wakes in ready:
            os.read(wakes, 4096)
            before = self.exit_code
            self._reap()
            if self.exit_code != before:
                self.session.send(wire.encode(self.exit_code))
        return self.session.take() is None

    def _reap(self):
        """Take note of processes that have ended, those too that were adopted."""
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self.pid:
                    self.exit_code = os.waitstatus_to_exitcode(ended[1])

    def _drain(self):
        """Read what was printed, some of it where it comes without end, and keep the beginning."""
        try:
            for _ in range(PIECES * (self.output >= 0)):
                piece = os.read(self.output, 1 << 16)
                if not piece:
                    os.close(self.output)
                    self.output = -1
                    return
                self.printed += piece[: max(0, KEPT_OUTPUT - len(self.printed))]
        except BlockingIOError:
            pass

    def _kill_all(self):
        """Kill what there is, and again, since it may be forking, until nothing is left."""
        until = monotonic() + ENDING
        while monotonic() < until:
            family.kill([*family.descendants(os.getpid()), *self._former()])
            self._reap()
            if not family.descendants(os.getpid()):
                return
            sleep(0.001)

    def _former(self):
        """Where orphans are not adopted: those that are still in the child's session."""
        return [] if sys.platform == "linux" else family.same_session(self.pid)
