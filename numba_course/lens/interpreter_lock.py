"""Does another Python thread get on while a function runs? Its ticks are counted; no stopwatch decides."""

from __future__ import annotations

import ctypes
import hashlib
import sys
import tempfile
import threading
import time
import types
from collections import deque
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from operator import call

import cloudpickle
import numba
import numpy as np
from numba.core.ccallback import CFunc
from numba.core.dispatcher import Dispatcher

from numba_course.lens import figures, html
from numba_course.lens.compiled.callables import NOT_FROM_PYTHON
from numba_course.lens.errors import reason
from numba_course.process import pickling, sandbox
from numba_course.process.arguments import Copies, pack

LIMIT = 30.0  # seconds that one block of calls may take
BLOCK = 0.05  # seconds that a block of calls lasts at least
ROUNDS = (3, 12)  # blocks of each kind: fewest, and most where the verdict is in doubt
DOUBT = 3.0  # seconds of blocks after which the doubt is left
TURNS = 500  # at most, for a thread that waits for the GIL
DRAWN = 50  # calls at most that a recording shows one by one
RECORDINGS = 5  # at most, until each of the other threads has run during the calls
PAUSE = 0.0005  # seconds between two ticks
ENOUGH = 20  # ticks beside a call known to release the GIL, below which nothing can be said
SHARE = (0.05, 0.25)  # of those ticks: at most so many are held, at least so many are released
SHORT = 5e-6  # seconds: a call below that is shorter than it takes to wake a thread up
NEVER = 1000.0  # seconds: a switch interval at which only a thread that lets go of the GIL loses it
AT_ONCE = 1e-6  # seconds: one at which a thread that lets go of it hands it to one that waits
RELEASING, HOLDING = (
    kind("msvcrt") if sys.platform == "win32" else kind(None) for kind in (ctypes.CDLL, ctypes.PyDLL)
)  # the same C library, called without the GIL, and with it
VERDICTS = {  # released: tone and sentence
    True: ("good", "{} releases the GIL: other Python threads get on while it runs"),
    False: ("warn", "{} holds the GIL: other Python threads stand still while it runs"),
    None: ("info", "whether {} releases the GIL is not known"),
}
CONVERTED = (
    "a Python list or set among the arguments is converted item by item around the call, which holds it"
)
BYTECODE = "warn", "{} is bytecode, which holds the GIL: threads take turns, one at a time"


@dataclass(frozen=True, repr=False)
class Gil(html.Shown):
    """What `gil` saw. What varies is printed inside ``⟨ ⟩``.

    Attributes
    ----------
    name : str
    released : bool or None
        Whether other Python threads get on during the call; None if that could not be found out.
    reason : str
        Why it is None, or what holds the GIL around a call that releases it inside; else empty.
    takes_turns : bool
        Whether `fn` is plain Python, a method of a plain class, too: then threads take turns between its
        bytecodes, whoever holds the GIL.
    ticks : int
        How often other threads ran during the calls, while the interpreter took the GIL from nobody.
    ticks_if_released, ticks_if_held : int
        The same during equally long calls that are known to release the GIL, and to hold it.
    calls : tuple of (float, float)
        Start and end of calls in a recording under the usual conditions, in seconds.
    others : tuple of tuple of float
        When each of the other threads ran in that recording.
    """

    name: str
    released: bool | None
    reason: str
    takes_turns: bool
    ticks: int
    ticks_if_released: int
    ticks_if_held: int
    calls: tuple[tuple[float, float], ...]
    others: tuple[tuple[float, ...], ...]
    _title = "gil"

    def _verdict(self):
        """(tone, sentence)"""
        turns = self.takes_turns and self.released is False
        tone, sentence = BYTECODE if turns else VERDICTS[self.released]
        return tone, sentence.format(self.name) + (f": {self.reason}" if self.reason else "")

    def _lines(self):
        yield self._verdict()
        yield "plain", f"Other threads ran ⟨{self.ticks:5}⟩ times meanwhile,"
        yield "plain", f"⟨{self.ticks_if_released:5}⟩ times beside work that releases the GIL,"
        yield "plain", f"⟨{self.ticks_if_held:5}⟩ times beside work that holds it."

    def figure(self) -> figures.Figure:
        """A timeline of the threads: calls as bars, each moment at which another thread ran as a stroke."""

        def draw(ax):
            spans = [(1e3 * start, 1e3 * (end - start)) for start, end in self.calls]
            ax.broken_barh(spans, (-0.35, 0.7), facecolor=figures.COLOURS[0], edgecolor="white")
            for row, moments in enumerate(self.others, start=1):
                times = [1e3 * moment for moment in moments]
                ax.plot(times, [row] * len(times), "|", markersize=18, color=figures.COLOURS[1])
            rows = [f"runs {self.name}", *(f"other thread {i}" for i in range(1, len(self.others) + 1))]
            ax.set_yticks(range(len(rows)), rows)
            ax.set(xlabel="milliseconds", ylim=(len(rows) - 0.4, -0.6))

        alt = f"Timeline of {1 + len(self.others)} threads: {self._verdict()[1]}. "
        alt += f"Last time that another one ran during the calls: ⟨{self._last_tick()}⟩."
        return figures.show(draw, alt, size=(6.4, 2.4))

    def _last_tick(self):
        """When another thread last ran during the calls, and how long they lasted: a part may hold the GIL."""
        during = [m for moments in self.others for m in moments if any(s < m < e for s, e in self.calls)]
        return f"{1e3 * max(during):.3g} of {1e3 * self.calls[-1][1]:.3g} ms" if during else "never"


def gil(fn: Callable[..., object], /, *args: object, **named: object) -> Gil:
    """Find out whether other Python threads get on while ``fn(*args, **named)`` runs.

    Parameters
    ----------
    fn : callable
        A dispatcher, a ufunc, a method, a NumPy function, plain Python. It is called in a child process, seven
        times or more.
    *args, **named
        The calls of a block share one copy, so what `fn` does to its arguments adds up within a block.

    Returns
    -------
    Gil

    Raises
    ------
    TypeError
        If `fn` is not callable or a C callback, or cannot be sent to another process.
    RuntimeError
        If `fn` raises, crashes or does not end.

    Notes
    -----
    In the child two more threads count how often they get to run. The interpreter is told never to take the
    GIL away from the running thread, so they run only if it lets go: the count is zero, or it is large.
    It is judged against calls of the same length that are known to release the GIL (`hashlib.pbkdf2_hmac`)
    and to hold it (`sum`), in turn with them. On a busy machine all counts drop alike; then it is counted longer.

    True means during a quarter of the time or more: a function that holds the GIL for the rest is not told
    apart by it, but in the timeline, which is recorded under the usual conditions. Between 5 % and 25 % the
    answer is None, and so it is on a free-threaded Python. Costs the compilation and about a second.

    A call of less than 5 µs ends before a thread could wake up. If it runs no bytecode, which lets others take
    turns, another thread waits for the GIL already when the call begins, and the interpreter hands it over where
    the call lets go. Counted is how often that thread ran before the call had ended, beside C functions of the
    same kind. True means that the call lets go at all; for how much of its time cannot be told.
    """
    if not callable(fn):
        raise TypeError(f"gil: fn must be a function, not {type(fn).__name__}; was it called already?")
    name = _name(fn)
    if isinstance(fn, CFunc):
        raise TypeError(f"gil: {name} {NOT_FROM_PYTHON}")
    try:
        packed = pickling.dumps(fn), pack((args, named))
    except Exception as error:
        raise TypeError(f"gil: {name} or its arguments cannot be sent to another process: {error}") from error
    with tempfile.TemporaryDirectory() as folder:
        outcome = sandbox.run(_observe, *packed, folder, seconds=LIMIT)
    if outcome.ended != "returned":
        how = reason(outcome.error) if outcome.error else outcome.ended
        raise RuntimeError(f"gil: {name} failed in {outcome.step}: {how}")
    seen = outcome.value
    released, why = _judged(seen["ticks"], seen["ticks_if_released"], seen["ticks_if_held"])
    if released is False and _is_converted(fn, (*args, *named.values())):
        why = CONVERTED
    return Gil(name, released, why, _is_python(fn), **seen)


def _is_converted(fn, values):
    """Whether it is compiled to release the GIL, and is given what Numba converts item by item."""
    releases = isinstance(fn, Dispatcher) and fn.targetoptions.get("nogil")
    return bool(releases) and any(isinstance(value, (list, set)) for value in values)


def _name(fn):
    return _name(fn.func) if isinstance(fn, partial) else getattr(fn, "__name__", type(fn).__name__)


def _is_python(fn):
    """Whether a call of it runs a function in Python: itself, behind a partial call or a method, or of its class."""
    if isinstance(fn, partial):
        return _is_python(fn.func)
    if isinstance(fn, types.MethodType):
        return _is_python(fn.__func__)
    if type(fn).__module__.startswith("numba."):  # it is Python that leads to compiled code
        return False
    called = fn.__init__ if type(fn) is type else type(fn).__call__
    return isinstance(fn, types.FunctionType) or isinstance(called, types.FunctionType)


def _judged(ticks, free, held):
    """(released, reason) from the counts beside the function, where the GIL is released, and where it is held."""
    few, many = SHARE
    if free < ENOUGH:
        return None, "the other threads hardly ran at all, not even where the GIL is released"
    if held > few * free:
        return None, "other threads run even beside work that holds the GIL: this Python has none, it seems"
    if few * free < ticks < many * free:
        return None, "they get on during a small part of the calls only"
    return ticks >= many * free, ""


def others_get_on(work: Callable[[], object]) -> bool | None:
    """Whether another Python thread that waits for the GIL gets it during a call of ``work()``.

    As in `gil` for short calls, but here in the current process; so what `work` needs must be compiled already,
    and no other thread of the process may want the GIL.

    Returns
    -------
    bool or None
        None if that cannot be told: `work` runs bytecode, which lets others take turns, or the machine is too busy.
    """
    return None if _runs_bytecode(work) else _judged(*_handed_over(work))[0]


# What follows runs in the child process.


def _observe(pickled, packed, folder):
    """Count how often other threads run during calls of three kinds; record a timeline."""
    numba.config.CACHE_DIR = folder  # functions with a disk cache leave the user's files alone
    function = cloudpickle.loads(pickled)
    copies = Copies(packed)

    def anew():
        args, named = copies()
        return partial(function, *args, **named)

    yield "the first call"
    anew()()
    yield "the second call"
    bytecode = _runs_bytecode(anew())
    yield "repeated calls"
    work = anew()
    calls, length = _calls(work)
    if length < SHORT and not bytecode:
        counts = _handed_over(work)
    else:
        counts = yield from _counted(anew, calls, length)
    yield "the recording"
    seen = dict(zip(("ticks", "ticks_if_released", "ticks_if_held"), counts, strict=True))
    return {**seen, **_recorded(anew(), calls, _judged(*counts)[0])}


def _runs_bytecode(work):
    """Whether a call of ``work()`` runs functions in Python."""
    entered, usual = [], sys.gettrace()
    sys.settrace(lambda frame, event, argument: entered.append(frame))
    try:
        work()
    finally:
        sys.settrace(usual)
    return bool(entered)


class _Waiter(threading.Thread):
    """Another Python thread: told to go, it waits for the GIL, and notes when it has it."""

    def __init__(self):
        super().__init__(daemon=True)
        self.may_go, self.has_run, self.moment, self.stopped = threading.Lock(), threading.Lock(), 0.0, False
        self.may_go.acquire(), self.has_run.acquire()
        self.start()

    def run(self):
        while not self.stopped:
            # In C, as below: between two bytecodes the interpreter could take the GIL away.
            _, self.moment = map(call, (self.may_go.acquire, time.perf_counter))
            self.has_run.release()

    def runs_during(self, work):
        """Whether it ran before ``work()`` had ended, for which it waited when it began."""
        steps = self.may_go.release, _nap_with_the_gil, time.perf_counter, work, time.perf_counter
        try:
            _, _, start, _, end = map(call, steps)
        finally:
            self.has_run.acquire()  # here at the latest it gets the GIL
        return start < self.moment < end

    def stop(self):
        self.stopped = True
        self.may_go.release()
        self.join()


if sys.platform == "win32":
    _nap_with_the_gil = partial(ctypes.PyDLL("kernel32").Sleep, 1)
else:
    _nap_with_the_gil = partial(HOLDING.usleep, 1000)


def _handed_over(work):
    """How often a thread that waits for the GIL gets it during calls: of `work`, of one that releases, one that holds.

    The calls take turns, until there have been enough beside the one that releases the GIL.
    """
    calls = work, partial(RELEASING.labs, 1), partial(HOLDING.labs, 1)
    counts, waiter, usual = [0, 0, 0], _Waiter(), sys.getswitchinterval()
    sys.setswitchinterval(AT_ONCE)
    try:
        for _ in range(TURNS):
            counts = [count + waiter.runs_during(each) for count, each in zip(counts, calls, strict=True)]
            if counts[1] >= ENOUGH:
                break
    finally:
        sys.setswitchinterval(usual)
        waiter.stop()
    return tuple(counts)


class _Ticker(threading.Thread):
    """Another Python thread: notes the time whenever it gets to run."""

    def __init__(self):
        super().__init__(daemon=True)
        self.moments, self.stopped = [], False
        self.start()

    def run(self):
        while not self.stopped:
            self.moments.append(time.perf_counter())
            time.sleep(PAUSE)


@contextmanager
def _tickers():
    """Two threads that tick."""
    tickers = _Ticker(), _Ticker()
    try:
        yield tickers
    finally:
        for ticker in tickers:
            ticker.stopped = True
        for ticker in tickers:
            ticker.join()


def _counted(anew, calls, length):
    """Ticks during blocks of calls of so many seconds: of ``anew()``, of one that releases the GIL, one that holds it.

    The blocks take turns, until the verdict is clear. The counts are those of equally long blocks.
    """
    kinds = (  # what gives the work of a block, calls in it
        (anew, calls),
        _yardstick(lambda n: hashlib.pbkdf2_hmac("sha256", b"", b"", n), length),
        _yardstick(lambda n: sum(range(n)), length),
    )
    counts, spent, usual = np.zeros(3), np.zeros(3), sys.getswitchinterval()
    with _tickers() as tickers:
        sys.setswitchinterval(NEVER)
        for turn in range(ROUNDS[1]):
            for kind, (its_anew, its_calls) in enumerate(kinds):
                yield "repeated calls"
                work = its_anew()
                time.sleep(4 * PAUSE)  # the tickers settle down
                before = sum(len(ticker.moments) for ticker in tickers)
                spent[kind] += _seconds(work, its_calls)
                counts[kind] += sum(len(ticker.moments) for ticker in tickers) - before
            scaled = tuple(round(count) for count in counts * spent[0] / spent)
            clear = _judged(*scaled)[0] is not None
            if turn + 1 >= ROUNDS[0] and (clear or spent.sum() > DOUBT):
                break
        sys.setswitchinterval(usual)
    return scaled


def _seconds(work, calls):
    """Seconds that this many calls take."""
    start = time.perf_counter()
    for _ in range(calls):
        work()
    return time.perf_counter() - start


def _calls(work):
    """How many calls make a block, and the seconds that one takes, on a busy machine rather less than seen."""
    calls, length = 1, NEVER
    while (seconds := _seconds(work, calls)) < BLOCK:
        calls, length = 2 * calls, min(length, seconds / calls)
    return calls, min(length, seconds / calls)


def _yardstick(function, seconds):
    """The function of a size at which a call lasts at least so long, or as long as a block; an entry of `kinds`."""
    size = 1
    while min(_seconds(partial(function, size), 1) for _ in range(2)) < min(seconds, BLOCK):
        size *= 2
    work = partial(function, size)
    return (lambda: work), _calls(work)[0]


def _recorded(work, calls, released):
    """When calls and ticks happened under the usual conditions, from the first call on.

    On a busy machine a thread may not have its turn during the calls; then it is recorded again, a few times.
    """
    with _tickers() as tickers:
        for _ in range(RECORDINGS):
            spans, others = _recording(work, calls, tickers)
            ran = [any(start < m < end for start, end in spans for m in moments) for moments in others]
            if not released or all(ran):
                break
    zero = spans[0][0]
    return {
        "calls": tuple((start - zero, end - zero) for start, end in spans),
        "others": tuple(tuple(m - zero for m in moments) for moments in others),
    }


def _recording(work, calls, tickers):
    """Start and end of the calls of a block, and the moments of ticks; before and after it the tickers are alone."""
    if calls > DRAWN:  # too thin to be drawn one by one
        calls, work = 1, partial(deque, map(call, repeat(work, calls)), maxlen=0)
    first, spans = [len(ticker.moments) for ticker in tickers], []
    _let_tick(tickers)
    for _ in range(calls):
        # In C, so that the interpreter takes the GIL away in bytecode of the function, but in none of ours.
        start, _, end = map(call, (time.perf_counter, work, time.perf_counter))
        spans.append((start, end))
    _let_tick(tickers)
    return spans, [ticker.moments[n:] for n, ticker in zip(first, tickers, strict=True)]


def _let_tick(tickers):
    """Sleep until each of them has had time for several ticks, and has ticked."""
    before = [len(ticker.moments) for ticker in tickers]
    time.sleep(BLOCK / 8)
    while any(len(ticker.moments) == n for n, ticker in zip(before, tickers, strict=True)):
        time.sleep(PAUSE)
