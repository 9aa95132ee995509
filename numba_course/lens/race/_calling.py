"""Call a parallel function for real, again and again, and hold each call against the same function run serially.

All of it runs in a child process, which a call may end.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Generator
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import Any

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher

from numba_course.lens.compiled.dispatchers import compiled_for, rebuilt
from numba_course.lens.errors import reason, reason_after_kind
from numba_course.lens.results import disagreement
from numba_course.process.arguments import plain, unpack

CALLS = 30  # altogether
ON_ONE = 2  # of them on one thread, where luck plays no part
SECONDS = 10.0  # after which no further call is begun
ONE_CALL = 10.0  # seconds that a single call may take
COMPILING = 60.0
USUAL_ULPS = 16  # that functions of numbers may be off, if they are compiled for several numbers at a time
SERIAL = "calling the serial function"
FAILS, DIFFERS, ROUNDS = KINDS = (
    "fails",
    "differs",
    "differs by rounding",
)  # what a call may do that the serial one does not


@dataclass
class Tally:
    """What came of the calls on one number of threads.

    Attributes
    ----------
    threads : int
    compared : bool
        Whether results can be compared: the serial function gives the same twice.
    calls : int
        Begun.
    counts : dict of str to int
        How many of them were of each of the `KINDS`; the others gave what the serial one gives.
    examples : dict of str to str
        In words, the first of each kind.
    results : list of str
        One digest for each different result.
    """

    threads: int
    compared: bool = True
    calls: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    results: list[str] = field(default_factory=list)


class Called:
    """What came of one call: what it returned and left in its arguments, or what it raised.

    Attributes
    ----------
    parts : dict of str to object
        As plain data: the result, and each argument that may have been changed.
    left_out : set of str
        Types of what cannot be compared.
    raised : str
        Empty if it returned.
    terms : float
        Sum of the magnitudes of all floats of the arguments, as they were before.
    size : int
        Number of elements of the arguments.
    """

    def __init__(self, fn: Dispatcher, packed: bytes) -> None:
        args, named = unpack(packed)
        given = inspect.signature(fn.py_func).bind(*args, **named).arguments
        self.parts: dict[str, Any] = {}
        self.left_out: set[str] = set()
        self.raised = ""
        arrays = list(_arrays(tuple(given.values())))
        self.size = sum(array.size for array in arrays)
        floats = [array for array in arrays if array.dtype.kind in "fc"]
        self.terms = float(sum(np.abs(array[np.isfinite(array)]).sum() for array in floats))
        try:
            result = fn(*args, **named)
        except Exception as error:  # whatever the function, or Numba in its place, raises
            self.raised = reason_after_kind(error)
        else:
            self.parts["the result"] = self._comparable(result)
            self.parts |= {f"its argument {name}": self._comparable(value) for name, value in given.items()}

    def _comparable(self, value):
        """As numbers, arrays, text, tuples and None; what is anything else is left out."""
        value = plain(value)
        if isinstance(value, np.ndarray) and value.dtype.names:
            return tuple(self._comparable(value[name]) for name in value.dtype.names)
        if isinstance(value, list) and set(map(type, value)) in ({int}, {float}):
            return np.asarray(value)
        if isinstance(value, (list, tuple)):
            return tuple(map(self._comparable, value))
        if isinstance(value, dict):
            return tuple((repr(key), self._comparable(value[key])) for key in sorted(value, key=repr))
        if isinstance(value, (set, frozenset)):
            return tuple(sorted(map(repr, value)))
        if value is None or isinstance(value, (str, bytes, int, float, complex, np.generic, np.ndarray)):
            return value
        self.left_out.add(type(value).__name__)
        return None

    def digest(self) -> str:
        """The same for equal results."""
        text = hashlib.blake2b(digest_size=8)
        _digest(text, tuple(self.parts.values()))
        return text.hexdigest()

    def unlike(self, other: Called, rounding: bool) -> str:
        """How it differs from another call; empty if it does not, or not by more than rounding if that is allowed."""
        ulps, terms = (USUAL_ULPS + self.size, self.terms) if rounding else (0, 0.0)
        for name, value in self.parts.items():
            if phrase := disagreement(value, other.parts[name], terms, ulps):
                return f"{name} is {phrase}"
        return ""


def _arrays(value):
    """All arrays of numbers in the arguments of a call."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (int, float, complex, np.number)):
        yield np.asarray(value)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _arrays(item)


def _digest(text, value):
    if isinstance(value, tuple):
        text.update(b"(%d" % len(value))
        for item in value:
            _digest(text, item)
        return
    array = np.asarray(value)
    text.update(f"{array.dtype.str}{array.shape}".encode())
    text.update((array + 0 if array.dtype.kind in "fc" else array).tobytes())  # a zero has one sign


def shares(most: int) -> list[tuple[int, int]]:
    """Numbers of threads, up to `most`, and how many calls are made on each."""
    several = sorted({2, most} - {1}) if most > 1 else []
    return [(1, ON_ONE)] + [(threads, (CALLS - ON_ONE) // len(several)) for threads in several]


def call_often(
    fn: Dispatcher, options: dict[str, Any], packed: bytes
) -> Generator[Any, None, dict[str, Any]]:
    """Compile and call; a generator for `sandbox.run`.

    Its steps say what it does; while parallel calls are made, they are the tallies so far as JSON, which thus
    outlive a call that ends the process.

    Parameters
    ----------
    fn : Dispatcher
    options : dict
        Of the parallel function, see `dispatchers.options_of_call`.
    packed : bytes
        Of positional and keyword arguments.

    Returns
    -------
    dict
        ``tallies``, ``reason`` (why nothing was called), and ``remarks`` (what was not tried, or not compared).
    """
    yield "compiling", COMPILING
    try:
        serial, parallel = rebuilt(fn, parallel=False), rebuilt(fn, **options)
        for copy in (serial, parallel):
            args, named = unpack(packed)
            compiled_for(copy, args, named)
    except Exception as error:
        return {"tallies": [], "reason": f"Numba does not compile it: {reason(error)}", "remarks": ()}
    yield SERIAL, 2 * ONE_CALL
    expected, again = Called(serial, packed), Called(serial, packed)
    repeats = not _unlike(again, expected, rounding=False)
    tallies: list[Tally] = []
    until = monotonic() + SECONDS
    for threads, calls in shares(numba.config.NUMBA_NUM_THREADS):
        tallies.append(Tally(threads, repeats))
        for _ in range(calls):
            if monotonic() > until:
                break
            tallies[-1].calls += 1
            yield json.dumps([asdict(tally) for tally in tallies]), ONE_CALL
            numba.set_num_threads(threads)  # the function may have set another number
            _note(tallies[-1], Called(parallel, packed), expected)
    tallies = [tally for tally in tallies if tally.calls]
    return {"tallies": tallies, "reason": "", "remarks": tuple(_remarks(tallies, expected.left_out))}


def _remarks(tallies, left_out):
    """What was not tried, or not compared."""
    if numba.config.NUMBA_NUM_THREADS == 1:
        yield "Numba has one thread on this machine: calls on several threads were not tried"
    elif tallies[-1].threads < numba.config.NUMBA_NUM_THREADS:
        yield f"calls on more threads were not tried: those before took {SECONDS:.0f} s"
    if left_out:
        yield f"not compared: values of type {', '.join(sorted(left_out))}"


def _unlike(called, expected, rounding):
    """How two calls differ; empty if they do not."""
    if called.raised != expected.raised:
        what = f"raised {called.raised}" if called.raised else "returned"
        theirs = f"raised {expected.raised}" if expected.raised else "returned"
        return f"it {what}, where the serial function {theirs}"
    return called.unlike(expected, rounding)


def _note(tally, called, expected):
    """Count a call as what it is."""
    if not called.raised and (digest := called.digest()) not in tally.results:
        tally.results.append(digest)
    kind = FAILS if called.raised != expected.raised else DIFFERS
    phrase = _unlike(called, expected, rounding=True) if tally.compared or kind == FAILS else ""
    if tally.compared and not phrase:
        kind, phrase = ROUNDS, _unlike(called, expected, rounding=False)
    if phrase:
        tally.counts[kind] = tally.counts.get(kind, 0) + 1
        tally.examples.setdefault(kind, phrase)
