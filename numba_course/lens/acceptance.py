"""What a compiled function does with each of several arguments: compiles for it, takes it, or raises an error."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba import njit
from numba.core.dispatcher import Dispatcher

from numba_course.lens import html
from numba_course.lens.errors import reason

DIGITS = 10  # of a result that is a float


@dataclass(frozen=True)
class Call:
    """One call with one argument.

    Attributes
    ----------
    argument : str
        Its name.
    type : str
        Numba's type of it; Python's, if Numba has none.
    done : str
        ``compiled``, if the call added a specialisation, ``loaded``, if that came from the cache on disk, ``reused``,
        or ``raised``.
    result : str
        What came back, or the error that was raised.
    seconds : float
    """

    argument: str
    type: str
    done: str
    result: str
    seconds: float


@dataclass(frozen=True, repr=False)
class Calls(html.Shown):
    """What `each_call` found.

    Attributes
    ----------
    calls : tuple of Call
        In the order in which they were made.
    name : str
        Of the function.
    specialisations : int
        How many the function has after the calls.
    """

    calls: tuple[Call, ...]
    name: str
    specialisations: int
    _title = "one call with each argument"

    def call(self, argument: str) -> Call:
        """The call with the argument of that name; ValueError if there was none."""
        for call in self.calls:
            if call.argument == argument:
                return call
        raise ValueError(
            f"argument must be one of {[call.argument for call in self.calls]}, not {argument!r}"
        )

    def count(self, done: str) -> int:
        """How many of the calls ended so: ``compiled``, ``loaded``, ``reused`` or ``raised``."""
        return sum(call.done == done for call in self.calls)

    def _rows(self):
        yield "argument", "its type", "the call", "result", "time"
        for call in self.calls:
            took = f"⟨{1e3 * call.seconds:8.3f} ms⟩"
            yield call.argument, call.type, call.done, call.result, took

    def _lines(self):
        yield "info", f"{self.name} is compiled for {_counted(self.specialisations)} now"


@dataclass(frozen=True, repr=False)
class Signatures(html.Shown):
    """What `each_signature` found.

    Attributes
    ----------
    rows : tuple of (str, str, tuple of str)
        Of each text: the text, Numba's name of the type, and the names of the values that are taken. For a text that
        cannot be read there is the error in place of the type.
    """

    rows: tuple[tuple[str, str, tuple[str, ...]], ...]
    _title = "which values a function of this signature takes"

    def _rows(self):
        yield "signature", "Numba's name of it", "takes"
        for text, kind, taken in self.rows:
            yield text, kind, "; ".join(taken) or "–"

    def _lines(self):
        yield "plain", "Each without an error was compiled and called."


def each_call(function: Dispatcher, arguments: Mapping[str, Any]) -> Calls:
    """Call a compiled function with one argument after the other, and see what becomes of each call.

    Parameters
    ----------
    function : Dispatcher
        Of one argument, made by ``njit`` or ``jit``. It is called in this process, and keeps what it compiles.
    arguments : mapping of str to object
        The arguments by name.

    Returns
    -------
    Calls

    Raises
    ------
    TypeError
        If `function` is not what ``njit`` or ``jit`` makes.
    """
    if not isinstance(function, Dispatcher):
        raise TypeError(f"function must be made by njit or jit, not {type(function).__name__}")
    calls = tuple(_call(function, name, value) for name, value in arguments.items())
    return Calls(calls, function.__name__, len(function.signatures))


def each_signature(texts: Iterable[str], values: Mapping[str, Any]) -> Signatures:
    """Compile a function that does nothing for each type, and see which values it takes.

    Parameters
    ----------
    texts : iterable of str
        Types of one argument, as they are written in a signature: ``"float64[:]"``.
    values : mapping of str to object
        The values by name.

    Returns
    -------
    Signatures
        A text that is no type has a row, too, with the error that it leads to.
    """
    return Signatures(tuple(_signature(text, values) for text in texts))


def takes(text: str, value: object) -> bool:
    """Whether a function with this type in its signature takes the value, or converts it without an error.

    Parameters
    ----------
    text : str
        The type of one argument: ``"float64[:]"``.
    value : object

    Returns
    -------
    bool

    Raises
    ------
    Exception
        Whatever Numba raises if the text is no type.
    """
    return _takes(_doing_nothing(text), value)


def _call(function, name, value):
    before, from_disk = len(function.signatures), sum(function.stats.cache_hits.values())
    start = time.perf_counter()
    try:
        result = function(value)
    except Exception as error:
        seconds, done, shown = time.perf_counter() - start, "raised", _error(error)
    else:
        seconds, done, shown = time.perf_counter() - start, "reused", _shown(result)
        if len(function.signatures) > before:
            loaded = sum(function.stats.cache_hits.values()) > from_disk
            done = "loaded" if loaded else "compiled"
    return Call(name, _type(value), done, shown, seconds)


def _signature(text, values):
    try:
        function = _doing_nothing(text)
    except Exception as error:  # a text may be anything
        return text, _error(error), ()
    taken = tuple(name for name, value in values.items() if _takes(function, value))
    return text, str(function.signatures[0][0]), taken


def _doing_nothing(text):
    return njit(f"void({text})")(lambda value: None)


def _takes(function, value):
    try:
        function(value)
    except (TypeError, ValueError, OverflowError):  # of the types, or of the conversion of a number
        return False
    return True


def _type(value):
    try:
        return str(numba.typeof(value))
    except ValueError:
        return type(value).__name__


def _error(error):
    """The error in a line, with its class before it."""
    kind, text = type(error).__name__, reason(error)
    return text if text.startswith(kind) else f"{kind}: {text}"


def _shown(result):
    is_float = isinstance(result, (float, np.floating))
    return f"{result!r}" if not is_float or not np.isfinite(result) else _digits(float(result))


def _digits(number):
    """A float as Python writes it, or rounded where that is longer than `DIGITS`."""
    written, rounded = repr(number), f"{number:.{DIGITS}g}"
    return written if len(written) <= DIGITS else rounded


def _counted(specialisations):
    return f"{specialisations} type" if specialisations == 1 else f"{specialisations} combinations of types"
