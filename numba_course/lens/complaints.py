"""Who complains of a call: at which of four stations a compiled function failed, in which line, and what was said."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from numba import njit
from numba.core import errors, typed_passes, untyped_passes
from numba.core.dispatcher import Dispatcher

from numba_course.lens import html
from numba_course.lens.compiled.dispatchers import rebuilt
from numba_course.lens.errors import _parts, line_of, reason
from numba_course.process.child import kind_of, text_of

READING, TYPES, MACHINE_CODE, RUN = STATIONS = ("reading", "types", "machine code", "run")  # in this order
NONE = "no error"
PASS = re.compile(r"^During: Pass (\w+)", re.MULTILINE)
UNLIKE = (  # what differs between two machines, two runs, or two versions of Numba or Python
    (r"\$\w[\w.]*", "$…"),
    (r"0x[0-9a-fA-F]{6,}", "0x…"),
    (r"(File: numba/\S+: Line )\d+", r"\1…"),
    (r"(?<=[ \"])(?:[^\s\"]*[/\\])?(numba[/\\](?:core|np|cpython|typed)[/\\]\S+\.py)", r"…/\1"),
    (r"(…/numba\S+\.py)(:| \(|\", line )\d+", r"\1\2…"),
)


@dataclass(frozen=True)
class Complaint:
    """What became of one call.

    Attributes
    ----------
    function : str
        Name of the function that was called.
    station : str
        One of `STATIONS`: ``reading``, while Numba reads the arguments and the bytecode; ``types``, while it infers
        types; ``machine code``, while that is made; ``run``, when the function had been compiled for the arguments. Or
        ``no error``.
    kind : str
        Class of the exception; empty if there was none.
    line : int or None
        Of the user's source, in their innermost function, as far as the error says it.
    reason : str
        The part of the message that matters, as `lens.errors.reason` quotes it.
    message : str
        All of it. In it ``…`` stands for addresses, for the names of variables that Numba has made, and for the places
        of files of Numba's.
    signatures : tuple
        For which types the function had been compiled when the call ended.
    """

    function: str
    station: str
    kind: str
    line: int | None
    reason: str
    message: str = field(repr=False)
    signatures: tuple[Any, ...] = field(repr=False)

    @property
    def told(self) -> str:
        """The kind of the error, and all of its message, as a notebook shows it; or that there was none."""
        return f"{self.kind}: {self.message}" if self.kind else NONE


@dataclass(frozen=True, repr=False)
class Complaints(html.Shown):
    """What `complaints` found.

    Attributes
    ----------
    all : tuple of Complaint
    """

    all: tuple[Complaint, ...]
    _title = "Who complains, and of what"

    def _rows(self):
        yield "call of", "station", "line", "error", "what it says"
        for one in self.all:
            yield (
                one.function,
                one.station,
                str(one.line or "–"),
                one.kind or "–",
                one.reason.removeprefix(f"{one.kind}: "),
            )

    def _lines(self):
        failed = [one for one in self.all if one.station != NONE]
        named = sum(one.line is not None for one in failed)
        yield "plain", f"errors that name a line: {named} of {len(failed)}"

    def _repr_html_(self):
        long = [one for one in self.all if "\n" in one.message.strip()]
        return super()._repr_html_() + "".join(
            html.folded(
                f"The whole message of {one.function}: {len(one.message.splitlines())} lines",
                html.code(one.message),
            )
            for one in long
        )


def complaints(*calls: tuple[Any, ...]) -> Complaints:
    """Compile functions, call each with its arguments, and say who complains.

    Parameters
    ----------
    *calls : tuple
        A function, and its arguments. It is compiled afresh: nothing that was compiled before is used, and nothing of
        the function given is altered. What it does with its arguments it does. Signatures given to it are left out.

    Returns
    -------
    Complaints
    """
    return Complaints(tuple(_complaint(*call) for call in calls))


def _complaint(fn: Callable[..., Any], *args: Any) -> Complaint:
    compiled = rebuilt(fn, signatures=False) if isinstance(fn, Dispatcher) else njit(fn)
    try:
        compiled(*args)
        return Complaint(fn.__name__, NONE, "", None, "–", "", tuple(compiled.signatures))
    except Exception as error:
        return Complaint(
            fn.__name__,
            _station(error, compiled),
            kind_of(error),
            line_of(error) or _line_of_run(error, compiled),
            reason(error),
            message(error),
            tuple(compiled.signatures),
        )


def message(error: BaseException) -> str:
    """The message of an error, with ``…`` for addresses, names that Numba has made, and places of files of Numba's."""
    _, text = _parts(error)
    for pattern, replacement in UNLIKE:
        text = re.sub(pattern, replacement, text)
    return text.strip("\n")


def _station(error, compiled):
    """Where the compiler was; if it was not at work, whether there is machine code that can have raised the error."""
    name = _pass_of(error)
    if name is None:
        return RUN if compiled.signatures else READING
    if name == typed_passes.NopythonTypeInference.name():
        return TYPES
    return READING if name in _before_types() else MACHINE_CODE


def _before_types():
    """Names of the passes that read a function before it has types."""
    known = vars(untyped_passes).values()
    return {
        found.name() for found in known if isinstance(found, type) and hasattr(found, "_name") and found._name
    }


def _pass_of(error):
    """Name of the pass of the compiler that failed, the innermost one; None if none did."""
    if isinstance(error, errors.NumbaError) and (found := PASS.search(text_of(error))):
        return found[1]
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    passes = [frame.f_locals["pss"] for frame in frames if frame.f_code.co_name == "_runPass"]
    return passes[-1].name() if passes else None


def _line_of_run(error, compiled):
    """The line that a traceback has for the function itself; None if it has none."""
    file = compiled.py_func.__code__.co_filename
    lines = [
        line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == file
    ]
    return lines[-1] if lines else None
