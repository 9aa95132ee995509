"""Does another Python thread get on while a function runs? Its ticks are counted; no stopwatch decides."""

from __future__ import annotations

import hashlib
import sys
import tempfile
import threading
import time
import types
from dataclasses import dataclass

import cloudpickle
import numba

from numba_course import sandbox
from numba_course.lens import figures, html
from numba_course.lens._arguments import pack, unpack
from numba_course.lens.dispatchers import reason

LIMIT = 30.0  # seconds that one block of calls may take
BLOCK = 0.05  # seconds that a block of calls lasts at least
ROUNDS = 3  # blocks of each kind
PAUSE = 0.0005  # seconds between two ticks
ENOUGH = 20  # ticks beside a call known to release the GIL, below which nothing can be said
SHARE = (0.05, 0.25)  # of those ticks: at most so many are held, at least so many are released
NEVER = 1000.0  # seconds: a switch interval at which only a thread that lets go of the GIL loses it
VERDICTS = {  # released: tone and sentence
    True: ("good", "{} releases the GIL: other Python threads get on while it runs"),
    False: ("warn", "{} holds the GIL: other Python threads stand still while it runs"),
    None: ("info", "whether {} releases the GIL is not known"),
}
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
        Why it is None; else empty.
    takes_turns : bool
        Whether `fn` is plain Python: then threads take turns between its bytecodes, whoever holds the GIL.
    ticks : int
        How often the other threads ran during the calls, while the interpreter never took the GIL away.
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

    def figure(self):
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

        alt = f"Timeline of {1 + len(self.others)} threads: {self._verdict()[1]}."
        return figures.show(draw, alt, size=(6.4, 2.4))


def gil(fn, *args):
    """Find out whether other Python threads get on while ``fn(*args)`` runs.

    Parameters
    ----------
    fn : callable
        A dispatcher, a NumPy function, plain Python. It is called in a child process, seven times or more.
    *args
        The calls of a block share one copy, so what `fn` does to its arguments adds up within a block.

    Returns
    -------
    Gil

    Raises
    ------
    TypeError
        If `fn` is not callable, or cannot be sent to another process.
    RuntimeError
        If `fn` raises, crashes or does not end.

    Notes
    -----
    In the child two more threads count how often they get to run. The interpreter is told never to take the
    GIL away from the running thread, so they run only if it lets go: the count is zero, or it is large.
    It is judged against calls of the same length that are known to release the GIL (`hashlib.pbkdf2_hmac`)
    and to hold it (`sum`), in turn with them. On a busy machine all counts drop alike.

    True means during a quarter of the time or more: a function that holds the GIL for the rest is not told
    apart by it, but in the timeline, which is recorded under the usual conditions. Between 5 % and 25 % the
    answer is None, and so it is on a free-threaded Python. Costs the compilation and about a second.
    """
    if not callable(fn):
        raise TypeError(f"gil: fn must be a function, not {type(fn).__name__}; was it called already?")
    name = getattr(fn, "__name__", type(fn).__name__)
    try:
        packed = sandbox.dumps(fn), pack(args)
    except Exception as error:
        raise TypeError(f"gil: {name} or its arguments cannot be sent to another process: {error}") from error
    with tempfile.TemporaryDirectory() as folder:
        outcome = sandbox.run(_observe, *packed, folder, seconds=LIMIT)
    if outcome.ended != "returned":
        how = reason(outcome.error) if outcome.error else outcome.ended
        raise RuntimeError(f"gil: {name} failed in {outcome.step}: {how}")
    seen = outcome.value
    released, why = _judged(seen["ticks"], seen["ticks_if_released"], seen["ticks_if_held"])
    return Gil(name, released, why, isinstance(fn, types.FunctionType), **seen)


def _judged(ticks, free, held):
    """(released, reason) from the three counts, with wide margins."""
    few, many = SHARE
    if free < ENOUGH:
        return None, "the other threads hardly ran at all, not even where the GIL is released"
    if held > few * free:
        return None, "other threads run even beside work that holds the GIL: this Python has none, it seems"
    if few * free < ticks < many * free:
        return None, "it is released for a small part of the time only"
    return ticks >= many * free, ""


# What follows runs in the child process.


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


def _observe(pickled, packed, folder):
    """Count the ticks of two other threads during calls of three kinds; record a timeline."""
    numba.config.CACHE_DIR = folder  # functions with a disk cache leave the user's files alone
    function = cloudpickle.loads(pickled)
    yield "the first call"
    function(*unpack(packed))
    yield "the second call"
    length = min(_seconds(function, unpack(packed), 1), BLOCK)
    yield "repeated calls"
    kinds = {  # kind: (work, its arguments, calls in a block)
        "ticks_if_released": _yardstick(lambda n: hashlib.pbkdf2_hmac("sha256", b"", b"", n), length),
        "ticks": (function, packed, _calls(function, unpack(packed))),
        "ticks_if_held": _yardstick(lambda n: sum(range(n)), length),
    }
    counts, spent = dict.fromkeys(kinds, 0), dict.fromkeys(kinds, 0.0)
    tickers = [_Ticker(), _Ticker()]
    usual = sys.getswitchinterval()
    sys.setswitchinterval(NEVER)
    for _ in range(ROUNDS):
        for kind, (work, its_args, calls) in kinds.items():
            yield "repeated calls"
            args = unpack(its_args)
            time.sleep(4 * PAUSE)  # the tickers settle down
            before = sum(len(ticker.moments) for ticker in tickers)
            spent[kind] += _seconds(work, args, calls)
            counts[kind] += sum(len(ticker.moments) for ticker in tickers) - before
    sys.setswitchinterval(usual)
    yield "the recording"
    scaled = {kind: round(counts[kind] * spent["ticks"] / spent[kind]) for kind in kinds}
    return {**scaled, **_recorded(function, unpack(packed), kinds["ticks"][2], tickers)}


def others_get_on(work, calls):
    """Whether another Python thread gets to run during one of so many calls of ``work()``.

    As in `gil` the interpreter never takes the GIL away, but here one tick in the current process is enough. So
    what `work` needs must be compiled already, and no other thread of the process may need the GIL in a hurry.
    """
    ticker, usual = _Ticker(), sys.getswitchinterval()
    time.sleep(4 * PAUSE)  # the ticker settles down
    sys.setswitchinterval(NEVER)
    try:
        before = len(ticker.moments)
        for _ in range(calls):
            work()
            if len(ticker.moments) > before:
                return True
        return False
    finally:
        sys.setswitchinterval(usual)
        ticker.stopped = True


def _seconds(function, args, calls):
    """Seconds that this many calls take."""
    start = time.perf_counter()
    for _ in range(calls):
        function(*args)
    return time.perf_counter() - start


def _calls(function, args):
    """How many calls make a block."""
    calls = 1
    while _seconds(function, args, calls) < BLOCK:
        calls *= 2
    return calls


def _yardstick(work, seconds):
    """The work at a size at which one call lasts at least so long, as an entry of `kinds`."""
    size = 1
    while min(_seconds(work, (size,), 1) for _ in range(2)) < seconds:
        size *= 2
    return work, pack((size,)), _calls(work, (size,))


def _recorded(function, args, calls, tickers):
    """When the calls and the ticks of one more block happened, from the first call on."""
    begin = time.perf_counter()
    time.sleep(BLOCK / 8)  # the other threads alone, for comparison
    spans = []
    for _ in range(calls):
        start = time.perf_counter()
        function(*args)
        spans.append((start, time.perf_counter()))
    time.sleep(BLOCK / 8)
    zero, end = spans[0][0], spans[-1][1]
    spans = spans if calls <= 50 else [(zero, end)]  # more are too thin to be drawn
    return {
        "calls": tuple((start - zero, end - zero) for start, end in spans),
        "others": tuple(tuple(m - zero for m in ticker.moments if m > begin) for ticker in tickers),
    }
