"""Run a function in a clean child process with limits of time and memory, and say how it ended.

The parent is often a notebook kernel, and the child may run anybody's code. Five facts shape this room:

- a compiled loop cannot be interrupted and a wild write cannot be caught, so code that is not trusted runs in
  a process that may be killed;
- a kernel must not fork: once an OpenMP layer has run, the forked child is terminated. A *fork server* started
  fresh, with Numba already imported, forks clean children in a few milliseconds instead;
- a child that dies says nothing. So a missing answer is never read as a good one;
- what a child says is data, see `wire`: nothing that it sends is run here;
- a child leads a session and a group of its own, so that no signal to its group reaches anybody else, and it has a
  guard, see `fork_server`, that ends with it whatever it has started.

On Windows there is no fork: each child is a process of its own, which imports Numba anew. What it started is looked
for and killed when it ends; what it started and whose parent has ended by then is not found, and stays. The same
holds on macOS for a process that has left its child's session.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

import cloudpickle

from numba_course.process import channel as channels
from numba_course.process import child, family, wire
from numba_course.process.channel import Channel
from numba_course.process.child import Error, describe  # noqa: F401  # a face of this room, as `run` is
from numba_course.process.pickling import dumps

AT_FIRST = tuple(sys.path)  # with it Numba and this package were found
PRELOADED = "numba_course.process.warm"  # by every fork server
KEPT_OUTPUT = 2_000  # characters of what the child printed
STARTING = 180.0  # seconds that a child may take before it is ready: on a busy machine its server imports for so long
LOOKS = 1.0  # seconds between two looks at a fork server from which a child should have come
ALTOGETHER = (
    600.0  # seconds that all steps of a call may take together, if each may take less than a tenth of it
)
WORD = 2.0  # seconds that a guard may take to tell how its child ended
ENDING = 6.0  # seconds that a guard may take to end what is left of its child
POLL = 0.02  # seconds between two looks at the child's memory
ASLEEP = 0.02  # of a processor: a child that uses less waits for something else than its turn
PATIENCE = 6  # times its limit that a child may take on a busy machine, whatever it does


@dataclass(frozen=True)
class Outcome:
    """How a call in a child process ended.

    Attributes
    ----------
    ended : str
        ``returned``, ``raised``, ``crashed``, ``timed out`` or ``out of memory``.
    value : object
        What the function returned, if it returned.
    error : Error or None
        What it raised, if it raised.
    step : str
        The last progress it reported before it ended.
    output : str
        The first characters it printed, to stdout and stderr together.
    exit_code : int or None
        Of a crashed child: negative for a signal, as in `subprocess`; None where it is not known.
    limit : float or None
        Seconds that the last step of a child which timed out was allowed; on a busy machine it had more.
    """

    ended: str
    value: Any = None
    error: Error | None = None
    step: str = ""
    output: str = ""
    exit_code: int | None = None
    limit: float | None = None


def preload(modules: Sequence[str], postponed: str = "") -> None:
    """Have the fork server load modules before it forks a child, from now on; one that runs without them is replaced.

    Parameters
    ----------
    modules : sequence of str
        Loaded in this order, after those that were named before. Nothing is loaded in this process.
    postponed : str
        Module with a function `steps` for `prepare_more`, see `fork_server.main`.
    """
    _server.preload(modules, postponed)


def prepare() -> None:
    """Start the fork server without waiting for it, so that the first child waits less."""
    if _can_fork():
        with suppress(OSError):  # then the first child says so
            _server.ensure()


def prepare_more() -> None:
    """Have the fork server load what was postponed as well, before the next child, and without waiting for it.

    Not whenever it has nothing else to do: it would take a core from whoever measures something meanwhile.
    """
    if _can_fork():
        with suppress(OSError):
            _server.load_more()


def run(function: Callable[..., Any], *args: object, seconds: float = 10.0, memory: int = 1 << 30) -> Outcome:
    """Call ``function(*args)`` in a clean child process.

    Parameters
    ----------
    function : callable
        If it is a generator function, each string that it yields is progress: it is
        remembered as `Outcome.step` and restarts the clock; what the generator returns is the result. A step
        that may take longer is yielded as a pair of the string and its own limit in seconds. All steps together
        may take ten minutes, or ten times `seconds` if that is more.
    *args
        Anything that `dumps` can send, such as functions and dispatchers defined in a notebook.
    seconds : float
        Time limit for the call, or from one step of a generator to the next. A child that computes has it as
        processor time, too: beside other programs it may take longer, six times at most. One that sleeps ends with
        its time.
    memory : int
        Bytes of physical memory that the child, and all that it starts, may use beyond what it starts with and
        what it was sent.

    Returns
    -------
    Outcome
        Nothing that happens in the child raises here. Its `value` is what `wire.encode` can send: numbers, text,
        containers, arrays, dataclasses of this project; anything else is a `wire.Opaque`.

    Raises
    ------
    TypeError
        If an argument cannot be sent.
    KeyboardInterrupt
        If the user stopped it; then the child is gone.

    Notes
    -----
    About 40 ms a call once the fork server runs, one to two seconds for the first. On Windows each child is
    spawned and imports Numba anew.
    """
    with interrupts() as interrupted, Child(function, args, memory) as child:
        child.expect(seconds)
        altogether = max(ALTOGETHER, 10 * seconds)
        until = monotonic() + altogether
        while not interrupted():
            found = child.poll()
            if isinstance(found, Outcome):
                return found
            if found is not None and (outcome := _heard(child, found, seconds)):
                return outcome
            if monotonic() > until:
                return child.ended("timed out", limit=altogether)
            if found is None:
                channels.wait(child.channels, POLL)
    raise KeyboardInterrupt


def _heard(child, message, seconds):
    """Take note of a step; the outcome where the message is the last word."""
    try:
        word, content = wire.decode(message)
        if word == "step":
            step, limit = content if isinstance(content, tuple) else (content, seconds)
            child.expect(float(limit), str(step))
            return None
        if word == "returned":
            return child.ended("returned", value=content)
        return child.ended(
            "raised", error=content if isinstance(content, Error) else Error("Error", str(content))
        )
    except (ValueError, TypeError, OverflowError):
        return child.ended("crashed")  # what it said is none of the words


class Child:
    """A child process and what is known of it.

    Parameters
    ----------
    function : callable
    args : tuple
    memory : int
        As for `run`.
    talks : bool
        Whether the function talks with this process while it runs: then it is called ``function(line, *args)``,
        with a `child.Line`, and what it says there comes out of `poll`.
    attached : tuple of bytes
        Further arguments, which are sent as they are.

    Raises
    ------
    TypeError
        If `function` or `args` cannot be sent.
    OSError
        If the system gives no process, no memory or no descriptors.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        memory: int,
        talks: bool = False,
        attached: tuple[bytes, ...] = (),
    ) -> None:
        payload = sendable((function, args))
        sent = len(payload) + sum(map(len, attached))
        self._memory = memory + 3 * sent  # as bytes, as text on the way, as what it becomes
        call = cloudpickle.dumps((_path(), _folder(), talks, payload, len(attached)))
        self._unread = [call, *attached]  # until it is ready
        self.step, self._limit, self._clock = "", STARTING, None
        self._expected = float("inf")
        self._pids: tuple[int, int] | None = None  # of its guard and of itself
        self._family: list[int] = []
        self._allowed: int | None = None  # bytes, once it is ready
        self._looked, self._code = monotonic(), None
        self._end: tuple[int | None, bytes] | None = None
        self._start, self._tries = monotonic(), 0
        self._hire()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What `channel.wait` can wait for until `poll` has something to do."""
        return self._said, self._guard

    @property
    def is_ready(self) -> bool:
        """Whether it has started and taken its call."""
        return self._allowed is not None

    def _hire(self):
        """Ask for a process."""
        self._tries += 1
        self._alone = None if _can_fork() else _Alone()
        self._said, self._guard, self._asked = (*self._alone.lines, None) if self._alone else _server.fork()
        self._pids = self._alone and (self._alone.pid, self._alone.pid)
        self._looked = monotonic()
        for message in self._unread:
            self._said.post(message)

    def expect(self, seconds: float, step: str = "") -> None:
        """From now on it has so many seconds to say something; `step` is what it is doing."""
        self.step, self._expected = step, seconds
        if self.is_ready:
            self._limit, self._clock = seconds, None

    def tell(self, message: bytes, seconds: float, step: str = "") -> None:
        """Send it a message, a value as `wire.encode` gives it, and expect an answer."""
        self.post(message)
        self.expect(seconds, step)

    def post(self, message: bytes) -> None:
        """Send it a message."""
        self._unread += [] if self.is_ready else [message]
        self._said.post(message)
        self._said.flush()

    def allow(self, memory: int) -> None:
        """From now on it, and all that it started, may use so many bytes more than it does now."""
        self._allowed = self._used() + memory

    def rest(self) -> None:
        """Nothing is expected of it; it may wait as long as it likes."""
        self.expect(float("inf"))

    def poll(self) -> bytes | Outcome | None:
        """What it said, how it ended, or None if there is nothing new; never waits."""
        self._said.flush()
        try:
            if (found := self._from_guard()) is not None:
                return found
            message = self._next()
        except EOFError:
            return self._without_a_word()
        except channels.TooLarge:
            return self.ended("raised", error=Error("ValueError", "what it sent is larger than it may be"))
        return message if message is not None else self._broken_limit()

    def _from_guard(self):
        """Take note of what the guard says: who is there, and that the child has ended."""
        if self._pids is None and (found := self._not_yet_there()):
            return found
        try:
            while (message := self._guard.take()) is not None:
                content = wire.decode(message)
                if self._pids is not None:
                    self._code = content
                    return self._last_message() or self.ended("crashed")
                self._pids = content
        except EOFError:
            if self._pids is not None and not self._alone:  # it was killed by its own child
                return self._last_message() or self.ended("crashed")
        return None

    def _last_message(self):
        """What it said before it ended, and was not read yet."""
        with suppress(EOFError):
            return self._next()

    def _next(self):
        """The next message; the first one says that it is ready, and is none."""
        message = self._said.take()
        if message is not None and not self.is_ready:
            self._begin()
            message = self._said.take()
        return message

    def _not_yet_there(self):
        """While no process has come: look at whoever should fork it, and replace him if he stands still."""
        if monotonic() - self._looked < LOOKS:
            return None
        self._looked = monotonic()
        if not (_can_fork() and _server.is_gone(self._asked)):
            return None
        if self._tries > 2:
            return self.ended("crashed")
        self._close()
        self._hire()
        return None

    def _begin(self):
        """It is ready to take its call: from here on its own limits count."""
        if self._pids is None:  # its guard was slower than itself
            self._pids = wire.decode(self._guard.receive(ENDING) or b"")
        self._allowed = family.memory(self._pids[1] if self._pids else 0) + self._memory
        self._unread.clear()
        self.expect(self._expected, self.step)

    def _without_a_word(self):
        """The outcome of a child whose end of the line is closed: its guard knows more."""
        if self._pids is not None and self._code is None:
            with suppress(EOFError):
                message = self._guard.receive(WORD)
                self._code = None if message is None else wire.decode(message)
        if self._pids is None and self._tries <= 2:  # the server went while it was asked
            self._close()
            _server.replace(self._asked)
            self._hire()
            return None
        return self.ended("crashed")

    def _broken_limit(self):
        if self._pids is None:
            late = monotonic() - self._start > STARTING
            return self.ended("timed out", limit=STARTING) if late else None
        self._clock = self._clock or _Clock(self._pids[1])
        if self._clock.is_over(self._limit):
            return self.ended("timed out", limit=self._limit)
        if self._allowed is not None and monotonic() - self._looked > POLL:
            self._looked = monotonic()
            if self._used() > self._allowed:
                return self.ended("out of memory")
        return None

    def _used(self):
        """Bytes that the child and all that it started use, and who they are, for the end."""
        guard, own = self._pids
        self._family = family.descendants(guard) or self._family
        if set(self._family) <= {own}:
            return family.memory(own)
        # What they share with each other counts once. What each shares with the fork server is at most what the
        # child began with, and that is allowed.
        return sum(map(family.shared_out, {own, *self._family}))

    def ended(self, how: str, **more: Any) -> Outcome:
        """End it, and give its outcome."""
        self.end()
        code = self._code if how == "crashed" else None
        return Outcome(how, step=self.step, exit_code=code, output=self.output, **more)

    @property
    def output(self) -> str:
        """The first characters that it printed; known once it has ended."""
        _, printed = self._end or (None, b"")
        text = printed.decode(errors="replace")
        return text if len(text) <= KEPT_OUTPUT else text[:KEPT_OUTPUT] + "…"

    def end(self) -> None:
        """Kill it and whatever it started, and wait until they are gone; again does nothing."""
        if self._end is not None:
            return
        self._end = (None, b"")
        self.begin_to_end()
        try:
            code, printed = self._last_words()
            self._end = code, bytes(printed)
            if self._code is None and code != -family.KILL:  # which came from here
                self._code = code
        finally:
            self._close()

    def begin_to_end(self) -> None:
        """Have its guard begin to kill, without waiting for it; `end` waits."""
        self._guard.post(wire.encode("end"))
        self._guard.flush()

    def _last_words(self):
        """The exit code and the output, from the guard; where it has gone, what is left is killed from here."""
        until = monotonic() + ENDING
        while monotonic() < until:
            try:
                message = self._guard.receive(0.5)
            except EOFError:
                break
            if message is None:
                if self._pids is None or family.is_stopped(self._pids[0]):
                    break
                continue
            content = wire.decode(message)
            if self._pids is None:
                self._pids = content
            elif isinstance(content, tuple):
                return content
        self._kill_without_guard()
        return self._alone.last_words() if self._alone else (self._code, b"")

    def _kill_without_guard(self):
        if self._pids is not None:
            guard, own = self._pids
            left = [*self._family, *family.descendants(guard), *family.same_session(own)]
            family.kill([guard, own, *left])
            family.wait_for_the_end([guard, own, *left], ENDING)

    def _close(self):
        self._said.close()
        self._guard.close()


def is_apart() -> bool:
    """Whether this process is a child that was started from here."""
    return child.apart


def sendable(value: object) -> bytes:
    """`dumps`, and a TypeError that says so where it cannot.

    Raises
    ------
    TypeError
    """
    try:
        return dumps(value)
    except Exception as error:
        raise TypeError(f"cannot be sent to the child process: {error}") from error


def _folder():
    try:
        return os.getcwd()
    except OSError:  # it is gone
        return ""


@contextmanager
def interrupts() -> Iterator[Callable[[], bool]]:
    """Note an interrupt instead of raising it: what is begun can be ended first, however often the user asks.

    Yields
    ------
    callable
        Whether there was one. In threads other than the main one there is none.
    """
    noted: list[int] = []
    mine = threading.current_thread() is threading.main_thread()
    before = _set_handler(signal.SIGINT, lambda *_: noted.append(1)) if mine else None
    try:
        yield lambda: bool(noted)
    finally:
        if mine:
            _set_handler(signal.SIGINT, signal.SIG_DFL if before is None else before)


_set_handler = signal.signal  # bound here: a session may replace anything later


class _Clock:
    """The time that a process has from now on, as far as the machine lets it run.

    Seconds alone would judge the machine: beside two programs that keep the only processor busy, a right answer takes
    three times as long. Processor time alone would wait for ever for a process that sleeps.
    """

    def __init__(self, pid, now=monotonic, used=family.processor_seconds):
        self.pid, self.now, self.used = pid, now, used
        self.start, self.before = now(), used(pid)

    def is_over(self, limit):
        """Whether for so many seconds it has computed or has done next to nothing, or it has had them many times."""
        seconds = self.now() - self.start
        if seconds <= limit:
            return False
        computed = self.used(self.pid) - self.before
        return computed > limit or computed < ASLEEP * seconds or seconds > PATIENCE * limit


def _can_fork():
    return sys.platform != "win32"


class _Server:
    """The fork server of this session: started when first needed, replaced when it stands still or is gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        self._owner = 0
        self._has_more = False
        self._preloaded: tuple[str, ...] = (PRELOADED,)
        self._postponed = ""

    def preload(self, modules: Sequence[str], postponed: str) -> None:
        """Have modules loaded by the next one, which is needed if this one has not loaded them."""
        with self._lock:
            new = tuple(name for name in modules if name not in self._preloaded)
            self._preloaded += new
            if (new or postponed not in ("", self._postponed)) and self._owner == os.getpid():
                self._end()
            self._postponed = postponed or self._postponed

    def ensure(self) -> None:
        """Start it unless it runs."""
        with self._lock:
            self._ensure()

    def load_more(self) -> None:
        """Have it load what not every session needs, once."""
        with self._lock:
            self._ensure()
            if self._postponed and not self._has_more:
                self._has_more = True
                self._link.send(b"m")

    def _ensure(self):
        is_ours = self._owner == os.getpid()  # not so in a process that the session has forked
        if is_ours and self._process is not None and self._process.poll() is None:
            return
        if self._link is not None:
            self._link.close()
        ours, theirs = _socket_pair()
        with theirs:
            text = _main(theirs.fileno(), self._preloaded, self._postponed)
            self._process = _popen(text, pass_fds=[theirs.fileno()])
        self._link, self._owner = ours, os.getpid()
        self._has_more = False

    def fork(self) -> tuple[Channel, Channel, subprocess.Popen[bytes] | None]:
        """Have it fork a child: the line to the child, the one to its guard, and who was asked. Waits for nobody."""
        said, to_child = _socket_pair()
        guard, to_guard = _socket_pair()
        with to_child, to_guard, self._lock:
            for _ in range(2):
                self._ensure()
                try:
                    assert self._link
                    socket.send_fds(self._link, [b"f"], [to_child.fileno(), to_guard.fileno()])
                    break
                except OSError:  # it went a moment ago
                    self._end()
            asked = self._process
        return Channel(said), Channel(guard), asked

    def is_gone(self, asked: subprocess.Popen[bytes] | None) -> bool:
        """Whether the one that was asked stands still or has ended; then it is ended, so that a new one is started."""
        with self._lock:
            if self._process is not asked:  # somebody else has seen to it
                return True
            if self._process is None or not family.is_stopped(self._process.pid):
                return self._process is None
            self._end()
            return True

    def replace(self, asked: subprocess.Popen[bytes] | None) -> None:
        """End the one that was asked if it has not ended; the next child comes from a new one."""
        with self._lock:
            if self._process is asked:
                self._end()

    def close(self) -> None:
        """End it with the session."""
        if self._owner == os.getpid():
            self.replace(self._process)

    def _end(self):
        process, link, self._process, self._link = self._process, self._link, None, None
        if link is not None:
            link.close()
        if process is not None:
            process.kill()
            process.wait()


def make_room(files: int) -> None:
    """Ask the system for more open files where this session is about to run out of them; it may not give any."""
    opened: list[int] = []
    try:
        while len(opened) < files:
            opened.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        with suppress(ImportError, ValueError, OSError):
            import resource

            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            most = hard if hard != resource.RLIM_INFINITY else soft + 1024
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft + 256, most), hard))
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _socket_pair() -> tuple[socket.socket, socket.socket]:
    """Two sockets that are joined."""
    try:
        return socket.socketpair()
    except OSError:
        make_room(8)
        return socket.socketpair()


def _popen(text: str, **more: Any) -> subprocess.Popen[bytes]:
    """Python with a text to run, out of reach of signals to the session's group."""
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # as multiprocessing does
    streams: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    } | more
    return subprocess.Popen([sys.executable, *flags, "-c", text], start_new_session=True, **streams)


def _path():
    """Where modules are looked for: as the session says now, and then where it found them at first."""
    return [*sys.path, *(place for place in AT_FIRST if place not in sys.path)]


def _main(descriptor, preloaded, postponed):
    """What the fork server runs."""
    path = f"import sys; sys.path[:] = {_path()!r}; from numba_course.process.fork_server import main"
    return f"{path}; main({descriptor}, {preloaded!r}, {postponed!r})"


class _Alone:
    """A child without a fork server and without a guard: a process of its own, which prints to a file."""

    def __init__(self) -> None:
        ours, theirs = _socket_pair()
        nobody = _socket_pair()
        nobody[1].close()
        self.lines = Channel(ours), Channel(nobody[0])
        self.output = tempfile.TemporaryFile()
        text = f"import sys; sys.path[:] = {_path()!r}; from numba_course.process.child import run_alone; run_alone()"
        shares = hasattr(theirs, "share")  # on Windows
        more = {} if shares else {"pass_fds": [theirs.fileno()]}
        with theirs:
            self.process = _popen(text, stdin=subprocess.PIPE, stdout=self.output, **more)
            self.pid = self.process.pid
            share = getattr(theirs, "share", lambda pid: str(theirs.fileno()).encode())
            content = share(self.pid)
            assert self.process.stdin
            self.process.stdin.write(b"%d\n" % len(content) + content)
            self.process.stdin.close()

    def last_words(self) -> tuple[int | None, bytes]:
        """Its exit code and the beginning of what it printed, once it was killed."""
        code = self.process.wait()
        with self.output as file:
            file.seek(0)
            return code, file.read(4 * KEPT_OUTPUT)


_server = _Server()
atexit.register(_server.close)
