"""What a compiler's error says: the one line that matters, and the line of source it is about."""

import os
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import numba
from numba.core import errors, ir

from numba_course.process import sandbox
from numba_course.process.child import kind_of, text_of

NUMBA = os.path.dirname(numba.__file__)
HEADINGS = (  # lines of a message that only say where in the compiler it happened
    "Failed in nopython mode pipeline",
    "Failed in object mode pipeline",
    "Resolution failure for",
    "non-precise type pyobject",
    "Internal error",
)
VOLATILE = (  # what differs from run to run, or names Numba's own variables
    (r"<(?:built-in )?(?:function|method) ([\w.<>]+)(?: at 0x[0-9a-f]+)?>", r"\1"),
    (r"(?: at)? 0x[0-9a-f]+", ""),
    (r"(?:, defined at|\.? Raised from| at) (?:None|\S+ \(\d+\))", ""),
    (r"'(\w+)\.\d+'", r"'\1'"),
    (r"'?\$\w\S*", "a temporary value"),
    (r"__main__\.", ""),
)


def reason(error: BaseException | sandbox.Error) -> str:
    """The one line of a compiler's error that matters, without paths, addresses or variable versions.

    Parameters
    ----------
    error : BaseException or sandbox.Error

    Returns
    -------
    str
        If the error is not one of Numba's own, its class comes first: ``NotImplementedError: float16``.
    """
    kind, message = _parts(error)
    lines = [line.strip(" -\t") for line in message.splitlines()]
    lines = [line for line in lines if line and not line.startswith(HEADINGS)]
    text = next((line for line in lines if line.startswith("argument ")), lines[0] if lines else "")
    call = next((line.removeprefix(">>> ") for line in lines if line.startswith(">>> ")), None)
    if call and text.startswith(("No implementation of", "Invalid use of")):
        text = f"No implementation of {call}"
        rejected = [i for i, line in enumerate(lines) if line.startswith("Rejected as the implementation")]
        causes = [line.split(": ", 1)[-1] for line in lines[rejected[0] + 1 :]] if rejected else []
        text += next((f": {cause}" for cause in causes if not cause.startswith(HEADINGS)), "")
    for pattern, replacement in VOLATILE:
        text = re.sub(pattern, replacement, text)
    text = text.strip()
    if hasattr(errors, kind) and text:
        return text
    return f"{kind}: {text}" if text else f"{kind} without a message"


def reason_after_kind(error: BaseException | sandbox.Error) -> str:
    """The class of any error, a colon, and its `reason`."""
    kind, _ = _parts(error)
    text = reason(error)
    return text if text.startswith(kind) else f"{kind}: {text}"


def line_of(error: BaseException | sandbox.Error) -> int | None:
    """The line of the user's source that the error names, in their innermost function; None if it names none."""
    return next((line for _, line in _named(error)), None)


def places(error: BaseException | sandbox.Error) -> list[tuple[str, int]]:
    """Pairs of file and line in the user's source that the error names, or else that the compiler looked at.

    The innermost function comes first. Errors that are not Numba's own name no line.
    """
    return _named(error) + _looked_at(error)


def _named(error):
    _, message = _parts(error)
    found = re.findall(r'File "([^"]+)", line (\d+)', message)
    found += re.findall(r"(?:Raised from|typing of [\w -]+ at|defined at) (\S+) \((\d+)\)", message)
    return _own([*found, *_located([getattr(error, "loc", None)])])


def _looked_at(error):
    """What the frames of the compiler looked at when the error was raised, the innermost first."""
    frames = [frame.f_locals for frame, _ in traceback.walk_tb(getattr(error, "__traceback__", None))]
    return _own(_located(frame.get(name) for frame in frames[::-1] for name in ("loc", "inst")))


def _located(parts):
    """File and line of each that is a location in Numba's IR, or has one."""
    places = (getattr(part, "loc", part) for part in parts)
    return [(place.filename, place.line) for place in places if isinstance(place, ir.Loc)]


def _own(places):
    """Those that are not in Numba itself."""
    return [(file, int(line)) for file, line in places if not os.path.abspath(file).startswith(NUMBA)]


def _parts(error):
    """Name of the class and plain text of an error, be it from here or from a child process."""
    if isinstance(error, sandbox.Error):
        kind, message = error.kind, error.message
    else:
        kind, message = kind_of(error), text_of(error)
    return kind, re.sub(r"\x1b\[[0-9;]*m", "", message)


@contextmanager
def expect_error(kind: type[BaseException] | tuple[type[BaseException], ...] = Exception) -> Iterator[None]:
    """Print what kind of error the block raises, and the one line of it that matters.

    Parameters
    ----------
    kind : type or tuple of type
        What is expected; any other exception passes through.

    Raises
    ------
    AssertionError
        If the block raises nothing: then the text around it is no longer true.
    """
    try:
        yield
    except kind as error:
        print(reason_after_kind(error))
    else:
        raise AssertionError(f"expected {getattr(kind, '__name__', kind)}, but nothing was raised")
