"""Run a function in a clean child process with a time and a memory limit, and say how it ended.

The parent is often a notebook kernel. Three facts shape this module:

- a compiled loop cannot be interrupted and a wild write cannot be caught, so code that is not trusted runs in
  a process that may be killed;
- a kernel must not fork: once an OpenMP layer has run, the forked child is terminated. A *fork server* started
  fresh, with Numba already imported, forks clean children in a few milliseconds instead;
- a child that dies says nothing. So a missing answer is never read as a good one.
"""

from __future__ import annotations

import ctypes
import functools
import inspect
import io
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import traceback
import types
from _ctypes import CFuncPtr
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import cloudpickle
import psutil

PRELOADED = ("numba_course.exercises.examination.warm",)
KEPT_OUTPUT = 2_000  # characters of what the child printed
ORPHAN_SECONDS = 600  # between two signs of life of a child whose parent may have gone
STARTING = 60.0  # seconds that a child may take before it is ready: on a busy machine it waits for its turn
POLL = 0.02  # seconds between two looks at the child's memory
ASLEEP = 0.02  # of a processor: a child that uses less waits for something else than its turn
PATIENCE = 6  # times its limit that a child may take on a busy machine, whatever it does


@dataclass(frozen=True)
class Error:
    """An exception of the child as data: the child's own class may not exist here."""

    kind: str
    message: str
    # (file name, line number, function), outermost first
    frames: tuple[tuple[str, int | None, str], ...] = ()
    full: str = ""


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
        Of a crashed child: negative for a signal, as in `subprocess`.
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


def prepare() -> None:
    """Start the fork server without waiting for it, so that the first child waits less."""
    if _context().get_start_method() == "forkserver":
        from multiprocessing import forkserver

        with _no_main_module():
            forkserver.ensure_running()


def _context():
    context = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
    if context.get_start_method() == "forkserver":
        context.set_forkserver_preload(list(PRELOADED))
    return context


def run(function: Callable[..., Any], *args: object, seconds: float = 10.0, memory: int = 1 << 30) -> Outcome:
    """Call ``function(*args)`` in a clean child process.

    Parameters
    ----------
    function : callable
        Importable by name. If it is a generator function, each string that it yields is progress: it is
        remembered as `Outcome.step` and restarts the clock; what the generator returns is the result. A step
        that may take longer is yielded as a pair of the string and its own limit in seconds.
    *args
        Anything that `dumps` can send, such as functions and dispatchers defined in a notebook.
    seconds : float
        Time limit for the call, or from one step of a generator to the next. A child that computes has it as
        processor time, too: beside other programs it may take longer, six times at most. One that sleeps ends with
        its time.
    memory : int
        Bytes of resident memory that the child may use beyond what it starts with.

    Returns
    -------
    Outcome
        Nothing that happens in the child raises here.

    Raises
    ------
    TypeError
        If an argument cannot be sent.

    Notes
    -----
    About 10 ms a call once the fork server runs, about one second for the first. On Windows each child is
    spawned and imports Numba anew.
    """
    try:
        payload = dumps((function, args))
    except Exception as error:
        raise TypeError(f"cannot be sent to the child process: {error}") from error
    context = _context()
    ours, theirs = context.Pipe()
    output, flood = context.Pipe(duplex=False)
    child = context.Process(target=_serve, args=(theirs, flood), daemon=True)
    with _no_main_module():
        child.start()
    theirs.close()
    flood.close()
    reader = _Reader(output)
    try:
        ended = _watch(child, ours, payload, seconds, memory)
    finally:
        _end(child)
        ours.close()
        reader.finish()
    return Outcome(**ended, output=reader.text())


def dumps(value: object) -> bytes:
    """Bytes from which another process makes `value` anew; it needs no more than ``pickle.loads``.

    Raises
    ------
    Exception
        If cloudpickle cannot send it, or it holds a C function that is known by its address alone.
    """
    pickler = Pickler(io.BytesIO())
    pickler.dump(value)
    return pickler.file.getvalue()


class Pickler(cloudpickle.Pickler):
    """Sends also functions of C libraries, by name, since their addresses differ, and those with an `lru_cache`.

    Code keeps the name of its file, which cloudpickle drops from version 3.1.3 on: a finding quotes the line.
    """

    def __init__(self, file: io.BytesIO) -> None:
        self.file = file
        super().__init__(file)

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, functools._lru_cache_wrapper):  # without what it remembers
            return _remembering, (value.__wrapped__, value.cache_parameters())
        if isinstance(value, types.CodeType):
            make, args = self.dispatch_table[types.CodeType](value)
            return _code_of, (value.co_filename, make, args)
        if isinstance(value, ctypes.CDLL):
            functions = [f for f in vars(value).values() if isinstance(f, CFuncPtr)]
            return _c_library, (type(value), value._name, [_declared(f) for f in functions])
        if isinstance(value, CFuncPtr):
            library = (value._objects or {}).get("0")
            if not isinstance(library, ctypes.CDLL):
                raise pickle.PicklingError(
                    "ctypes knows a C function by its address alone; take it from its library by name"
                )
            return _c_function, (library, *_declared(value))
        if f"{type(value).__module__}.{type(value).__name__}" == "numba.core.serialize._CustomPickled":
            return value._reduce()  # the content of a dispatcher; otherwise Numba takes a pickler of its own
        return super().reducer_override(value)


def _code_of(file, make, args):
    return make(*args).replace(co_filename=file)


def _declared(function):
    """Name, argument types and result type of a function that ctypes found in a library."""
    return function.__name__, function.argtypes, function.restype


def _c_library(kind, name, functions):
    library = kind(name)
    for declared in functions:
        _c_function(library, *declared)
    return library


def _c_function(library, name, argtypes, restype):
    function = getattr(library, name)
    function.argtypes, function.restype = argtypes, restype
    return function


def _remembering(function, parameters):
    return functools.lru_cache(**parameters)(function)


def _watch(child, connection, payload, seconds, memory):
    """Follow the child until it answers, dies or breaks a limit; return the fields of its outcome."""
    step, limit, clock, allowed = "", STARTING, None, None
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.send_bytes(payload)
    while True:
        try:
            if connection.poll(POLL):
                word, content = cloudpickle.loads(connection.recv_bytes())
                if word == "ready":
                    limit, allowed = seconds, _resident(child.pid) + memory
                elif word == "step":
                    step, limit = content if isinstance(content, tuple) else (content, seconds)
                else:
                    key = "value" if word == "returned" else "error"
                    return {"ended": word, key: content, "step": step}
                clock = None
                continue
        except (EOFError, ConnectionResetError):
            child.join(5)
            return {"ended": "crashed", "step": step, "exit_code": child.exitcode}
        clock = clock or _Clock(child.pid)
        if clock.is_over(limit):
            return {"ended": "timed out", "step": step, "limit": limit}
        if allowed is not None and _resident(child.pid) > allowed:
            return {"ended": "out of memory", "step": step}


class _Clock:
    """The time that a process has from now on, as far as the machine lets it run.

    Seconds alone would judge the machine: beside two programs that keep the only processor busy, a right answer takes
    three times as long. Processor time alone would wait for ever for a process that sleeps.
    """

    def __init__(self, pid):
        self.pid, self.start, self.before = pid, time.monotonic(), _processor_seconds(pid)

    def is_over(self, limit):
        """Whether for so many seconds it has computed or has done next to nothing, or it has had them many times."""
        seconds = time.monotonic() - self.start
        if seconds <= limit:
            return False
        computed = _processor_seconds(self.pid) - self.before
        return computed > limit or computed < ASLEEP * seconds or seconds > PATIENCE * limit


def _processor_seconds(pid):
    """Processor time that process `pid` has used, all threads together; 0 when it is gone."""
    try:
        used = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return used.user + used.system


def _resident(pid):
    """Bytes of physical memory that process `pid` uses; 0 when it is gone."""
    try:
        return psutil.Process(pid).memory_info().rss
    except psutil.Error:
        return 0


def _end(child):
    """Kill the child and whatever it started, and wait until they are gone."""
    descendants = []
    with suppress(psutil.Error):
        descendants = psutil.Process(child.pid).children(recursive=True)
    child.kill()
    for descendant in descendants:
        with suppress(psutil.Error):
            descendant.kill()
    child.join(5)
    psutil.wait_procs(descendants, timeout=5)


@contextmanager
def _no_main_module():
    """Hide ``__main__`` while a child starts, so that it does not run the user's script again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


class _Reader(threading.Thread):
    """Drains what the child prints, so that it never blocks, and keeps the beginning."""

    def __init__(self, connection):
        super().__init__(daemon=True)
        self.connection, self.kept = connection, b""
        self.start()

    def run(self):
        with suppress(OSError):
            descriptor = _descriptor(self.connection, os.O_RDONLY)
            while piece := os.read(descriptor, 1 << 16):
                self.kept += piece[: max(0, 4 * KEPT_OUTPUT - len(self.kept))]

    def finish(self):
        self.join(1)

    def text(self):
        text = self.kept.decode(errors="replace")
        return text if len(text) <= KEPT_OUTPUT else text[:KEPT_OUTPUT] + "…"


def _descriptor(connection, flags):
    """The C-level file descriptor of a pipe connection."""
    if sys.platform == "win32":
        import msvcrt

        return msvcrt.open_osfhandle(connection.fileno(), flags)
    return connection.fileno()


def _serve(connection: Connection, flood: Connection) -> None:
    """The child: take one call, make it, answer, end."""
    multiprocessing.set_start_method("spawn", force=True)  # nothing forks from here on
    target = _descriptor(flood, os.O_WRONLY)
    os.dup2(target, 1)
    os.dup2(target, 2)
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)

    def send(word, content):
        _outlive(ORPHAN_SECONDS)
        connection.send_bytes(cloudpickle.dumps((word, content)))

    send("ready", None)
    try:
        function, args = cloudpickle.loads(connection.recv_bytes())
        result = function(*args)
        if inspect.isgenerator(result):
            result = _exhaust(result, lambda step: send("step", step))
        send("returned", result)
    except BaseException as error:
        send("raised", describe(error))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.close()
        os._exit(0)  # the learner's atexit handlers and threads have no say


def _outlive(seconds):
    """End this process after `seconds`, even in a compiled loop, should the parent be gone by then."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _exhaust(generator, report):
    """Run a generator to its end, report what it yields, return what it returns."""
    while True:
        try:
            report(next(generator))
        except StopIteration as stop:
            return stop.value


def describe(error: BaseException) -> Error:
    """The exception as an `Error`."""
    frames = tuple((f.filename, f.lineno, f.name) for f in traceback.extract_tb(error.__traceback__))
    full = "".join(traceback.format_exception(error))
    return Error(type(error).__name__, str(error), frames, full)
