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
HEADING = re.compile(  # lines of a message that only say where in the compiler it happened
    r"Failed in \w+ mode pipeline|- Resolution failure for|non-precise type pyobject|Internal error in"
)
CALLED = ">>> "  # of the call that nothing implements
BLAMED = "This error may have been caused by the following argument(s):"
CANDIDATE = re.compile(r".* (?:in|of) function '.*': File: .*: Line .*\.")
ARGUMENTS = re.compile(r"With argument\(s\): '\((.*)\)':")
REJECTED, END_OF_REJECTION = "Rejected as the implementation raised a specific error:", "raised from "
REGISTERED = "No match for registered cases:"
LEFT_OUT = " … "
CANDIDATES = 3  # of which the reasons are quoted
VOLATILE = (  # what differs from run to run, names a path, or is a version of a variable or one of Numba's own
    (r"0x[0-9a-fA-F]{6,}", "0x…"),
    (r"(jitclass\.\w+)#[0-9a-f]+", r"\1#…"),
    (r"(<module '[\w.]+' from )'[^']*'", r"\1'…'"),
    (r"(?:, defined at|\.? Raised from| at) (?:None|\S.* \(\d+\))$", ""),
    (r"(?<= )(?:<ipython-input[^ ]*>|(?:[A-Za-z]:|[^ ()]*)[/\\][^()]*)(?= \(\d+\))", "…"),
    (r"'(\w+)(?:\.\d+)+'", r"'\1'"),
    (r"\$\w[\w.]*", "$…"),
)


def reason(error: BaseException | sandbox.Error) -> str:
    """The line of a compiler's error that matters, in its own words.

    Parameters
    ----------
    error : BaseException or sandbox.Error

    Returns
    -------
    str
        A line of the message: the first that does not say where in the compiler it happened. Where nothing
        implements a call, the call follows, and then why implementations were rejected, the innermost line of
        each reason.

        In a quotation ``…`` stands for what is left out: lines between those that are quoted, paths of modules,
        addresses, and the names of variables that Numba has made. The versions that it gives to variables are
        dropped: ``result.2`` is ``result``. If the error is not one of Numba's own, its class comes first:
        ``NotImplementedError: float16``.
    """
    kind, message = _parts(error)
    text = _quoted(message)
    for pattern, replacement in VOLATILE:
        text = re.sub(pattern, replacement, text)
    text = text.strip()
    if hasattr(errors, kind) and text:
        return text
    return f"{kind}: {text}" if text else f"{kind} without a message"


def _quoted(message):
    """The lines of a message that matter, in one."""
    lines = [line.strip() for line in message.splitlines()]
    lines = [line for line in lines if line and not HEADING.match(line)]
    if BLAMED in lines[:-1]:
        return lines[lines.index(BLAMED) + 1].removeprefix("- ")
    return LEFT_OUT.join(filter(None, (_head(lines), _causes(lines))))


def _is_of_call(lines):
    return bool(lines[1:]) and lines[1].startswith(CALLED)


def _head(lines):
    """The first line, with the call that nothing implements, if that is what it says."""
    return " ".join(lines[: 2 if _is_of_call(lines) else 1])


def _causes(lines):
    """Why the implementations of a call were rejected, as it is quoted; those that just do not match say nothing."""
    if not _is_of_call(lines):
        return ""
    speaking = {}
    for candidate, arguments, said in _candidates(lines[2:]):
        as_called = lines[1].endswith(f"({arguments})")  # others are tried with its literals as plain values
        if said and (candidate not in speaking or as_called):
            speaking[candidate] = said
    causes = []
    for candidate, said in speaking.items():
        if not said[0].startswith(REGISTERED):
            who = "" if len(speaking) == 1 else candidate.partition(" File: ")[0] + LEFT_OUT
            causes.append(who + _cause(said))
    return LEFT_OUT.join(causes[:CANDIDATES]) + " …" * (len(causes) > CANDIDATES)


def _candidates(lines):
    """(heading, arguments, what it says) of each implementation that is listed; nested ones are in what it says."""
    found, depth = [], 0
    for line in lines:
        if depth == 0 and CANDIDATE.fullmatch(line):
            found.append([line, "", []])
        elif depth == 0 and found and (given := ARGUMENTS.fullmatch(line)):
            found[-1][1] = given[1]
        depth -= line.startswith(END_OF_REJECTION)
        if found and (depth or line == REGISTERED):
            found[-1][2].append(line)
        depth += line == REJECTED
    return found


def _cause(said):
    """What an implementation was rejected for: the innermost reason if its own code calls what nothing implements."""
    kind, colon, first = said[0].partition(": ")
    inner = [line for line in (first, *said[1:]) if not HEADING.match(line)]
    if deeper := _causes(inner):
        return deeper
    return f"{kind}{colon}{_head(inner)}" if inner[:1] == [first] else _head(inner)


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
    found += re.findall(
        r"(?:Raised from|typing of [\w -]+ at|lowering \".*\" at|defined at) (\S+) \((\d+)\)", message
    )
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
