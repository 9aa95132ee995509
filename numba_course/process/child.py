"""What a child process does: it takes one function, calls it, and says what came of it."""

from __future__ import annotations

import ctypes
import inspect
import multiprocessing
import os
import socket
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import cloudpickle

from numba_course.process import wire
from numba_course.process.channel import LARGEST, Channel

apart = False  # whether this process is such a child
LONGEST = 20_000  # characters of the text of an error
PR_SET_DUMPABLE = 4  # of Linux
DEPTH = 10_000  # calls in one another that are allowed while a result is written down


@dataclass(frozen=True)
class Error:
    """An exception of the child as data: the child's own class may not exist here."""

    kind: str
    message: str
    # (file name, line number, function), outermost first
    frames: tuple[tuple[str, int | None, str], ...] = ()
    full: str = ""


def describe(error: BaseException) -> Error:
    """The exception as an `Error`, whatever its class does when it is asked for its text."""
    frames = tuple((f.filename, f.lineno, f.name) for f in _frames(error))
    return Error(kind_of(error), _cut(text_of(error)), frames, _cut(_full(error)))


def kind_of(error: BaseException) -> str:
    """Name of the class of an exception."""
    return str.__str__(type.__dict__["__name__"].__get__(type(error)))


def text_of(error: BaseException) -> str:
    """The message of an exception, whatever its class does when it is asked for it."""
    try:
        return str.__str__(str(error))
    except BaseException as other:
        return f"its text could not be read: {kind_of(other)}"


def _frames(error):
    try:
        return traceback.extract_tb(error.__traceback__)
    except BaseException:
        return []


def _full(error):
    try:
        return "".join(traceback.format_exception(error))
    except BaseException:
        return f"{kind_of(error)}: {text_of(error)}"


def _cut(text):
    left_out = len(text) - LONGEST
    return text if left_out <= 0 else f"{text[:LONGEST]}… ({left_out:,} more characters)"


class Line:
    """A child's way to talk with whoever started it: values as data, one after the other, to and fro."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def say(self, value: object) -> None:
        """Send a value."""
        self._send("said", value)

    def hear(self) -> Any:
        """The next value that is sent here; waits for it.

        Raises
        ------
        EOFError
            If nobody is there any more.
        """
        return wire.decode(_awaited(self._channel))

    def _send(self, word, content):
        sys.setrecursionlimit(DEPTH)  # the call may have left a low one
        message = wire.encode((word, content))
        if len(message) > LARGEST:
            raise wire.TooMuch(f"it takes {len(message) >> 20} MiB, where {LARGEST >> 20} are allowed")
        self._channel.send(message)


def _awaited(channel: Channel) -> bytes:
    """The next message, however long it takes."""
    message = channel.receive()
    assert message is not None  # without a limit it waits
    return message


def serve(end: socket.socket, output: int) -> None:
    """Take one call, make it, answer, and end this process; what is printed goes to the descriptor `output`."""
    global apart
    apart = True
    with suppress(OSError):  # a learner's folder is no place for the memory of a crash
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _print_to(output)
    multiprocessing.set_start_method("spawn", force=True)  # nothing forks from here on
    channel = Channel(end, largest=1 << 62)  # the session is trusted, and its data may be large
    line = Line(channel)
    line._send("ready", os.getpid())
    try:
        path, folder, talks, payload, more = cloudpickle.loads(_awaited(channel))
        attached = [_awaited(channel) for _ in range(more)]
        sys.path[:] = path
        with suppress(OSError):
            os.chdir(folder)
        function, args = cloudpickle.loads(payload)
        args = (*args, *attached)
        result = function(line, *args) if talks else _exhausted(function(*args), line)
        line._send("returned", result)
    except BaseException as error:
        line._send("raised", describe(error))
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(BaseException):
                stream.flush()
        os._exit(0)  # the learner's atexit handlers and threads have no say


def keep_to_itself() -> None:
    """Let no other process of the same user look into this one or take its descriptors; on Linux, unless he is root."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def _print_to(descriptor):
    """Have all that this process and its C code print go to a descriptor, and nothing be read."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.stdin = open(0, encoding="utf-8", closefd=False)
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)


def _exhausted(result: Any, line: Line) -> Any:
    """What a function gave; of a generator what it returns, and each value that it yields is a step."""
    if not inspect.isgenerator(result):
        return result
    while True:
        try:
            line._send("step", next(result))
        except StopIteration as stop:
            return stop.value


def run_alone() -> None:
    """Serve as a process that was started for this one call: where there is no fork, as on Windows."""
    size = int(sys.stdin.buffer.readline())
    share = getattr(socket, "fromshare", None)
    content = sys.stdin.buffer.read(size)
    end = share(content) if share else socket.socket(fileno=int(content))
    serve(end, os.dup(1))
