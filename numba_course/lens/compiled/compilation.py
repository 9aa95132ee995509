"""Have a function compiled apart, in a child process, and hold what each stage of the compiler made of it."""

import ast
import inspect
from dataclasses import dataclass, replace
from textwrap import dedent
from typing import Any

from numba.core.dispatcher import Dispatcher

from numba_course.lens.compiled import _recording
from numba_course.lens.compiled.callables import looked_into
from numba_course.lens.compiled.changes import changes
from numba_course.lens.compiled.dispatchers import folded_arguments, options_of_call, rebuilt
from numba_course.lens.errors import line_of, reason
from numba_course.process import sandbox
from numba_course.process.arguments import pack
from numba_course.syntax import parse

CALL_FAILED = {
    "crashed": "the call crashed",
    "timed out": f"the call took longer than {_recording.CALLING:.0f} s",
    "out of memory": "the call used too much memory",
}


@dataclass(frozen=True)
class Compilation:
    """One call's compilation as plain data; rows are (line in the user's file or None, text)."""

    name: str
    signature: str
    symbol: str
    is_generator: bool
    source: tuple
    notes: tuple
    bytecode: list
    numba_ir: list
    typed_ir: list
    assigned: list
    llvm: list
    optimised_llvm: str
    assembly: str
    definitions: list
    conversions: list
    retyped: list
    variables: list
    loops: list
    parallel: list
    wraparounds: list
    bounds_checks: list
    remarks: list
    allocations: int | None
    uncounted: str
    executed: tuple | None
    widths: tuple | None
    caller: str = ""


def compiled_apart(
    fn: Any,
    args: tuple[Any, ...],
    instrument: str,
    call: bool = False,
    named: dict[str, Any] | None = None,
) -> Compilation:
    """Compile `fn` for a call with `args` and keyword arguments in a child process, and call it there if `call`.

    Raises
    ------
    TypeError
        If there is no compiled function in `fn`, see `callables.looked_into`, or it cannot be sent or does not
        compile for `args`; says why in a line.
    RuntimeError
        If the compiler crashed or took too long.
    """
    into = looked_into(fn, args, named or {}, instrument)
    found = _apart(into, instrument, call)
    return replace(found, caller=into.caller, notes=found.notes + into.notes)


def _apart(into, instrument, call):
    """The `Compilation` of a `callables.Call`."""
    fn, payload = into.fn, packed(into.fn, into.args, into.named)
    try:
        folded_arguments(fn, into.args, into.named)
    except TypeError as error:
        raise TypeError(f"{instrument}: the arguments do not fit {fn.__name__}: {error}") from error
    options = options_of_call(fn, into.args, into.named)
    try:
        outcome = sandbox.run(_recording.record, fn, options, payload, call, seconds=_recording.COMPILING)
    except TypeError as error:
        raise TypeError(f"{instrument}: {fn.__name__} {error}") from error
    uncounted = ""
    if outcome.step == "calling" and outcome.ended in CALL_FAILED:
        uncounted = CALL_FAILED[outcome.ended]
        outcome = sandbox.run(_recording.record, fn, options, payload, False, seconds=_recording.COMPILING)
    if outcome.ended == "raised" and outcome.step == "compiling":
        raise TypeError(f"{instrument}: {fn.__name__} does not compile: {_explained(outcome.error)}")
    if outcome.ended != "returned":
        detail = outcome.error.full if outcome.error else ""
        raise RuntimeError(f"{instrument}: compiling {fn.__name__} {outcome.ended}. {detail}".rstrip(" ."))
    return _compilation(fn, {**outcome.value, "uncounted": uncounted or outcome.value["uncounted"]})


def compiled_here(
    fn: Dispatcher, args: tuple[Any, ...], call: bool = False, named: dict[str, Any] | None = None
) -> Compilation:
    """As `compiled_apart`, for a process that is itself apart: what the compiler raises is raised."""
    options = options_of_call(fn, args, named or {})
    payload = packed(fn, args, named or {})
    steps = _recording.record(
        rebuilt(fn), options, payload, call
    )  # which changes the function that it records
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return _compilation(fn, end.value)


def _compilation(fn, seen):
    source = _source(fn.py_func)
    return Compilation(
        name=fn.__name__,
        source=source,
        notes=_notes(fn),
        is_generator=inspect.isgeneratorfunction(fn.py_func),
        **{**seen, "loops": _from_their_heads(seen["loops"], source)},
    )


def _from_their_heads(loops, source):
    """The loops, of which those of ``while`` with a condition in several lines begin with the first of these."""
    try:
        tree = parse(dedent("\n".join(text for _, text in source)))
    except SyntaxError:  # as of a lambda that is cut out of its line
        return loops
    before = source[0][0] - 1 if source else 0
    heads = [
        (before + node.lineno, before + node.test.end_lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.While)
    ]
    found = []
    for first, lines in loops:
        head = next((start for start, end in heads if start < first <= end), first)
        found.append((head, tuple(sorted({head, *lines}))))
    return found


def _explained(error):
    """Reason and line of an error from the child, whose own lines are raised."""
    line = line_of(error)
    if line is None:
        return reason(error)
    own = _recording.own_line(line)
    return f"{reason(error)} (line {own})" if own else f"{reason(error)} (line {line} of what it calls)"


def _source(function):
    """(line, text) of the function, as far as its source is known."""
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError):
        return ()
    return tuple((first + offset, line.rstrip("\n")) for offset, line in enumerate(lines))


def _notes(fn):
    if sum(fn.stats.cache_hits.values()):
        return ("Loaded from the disk cache, which keeps no IR; this is a compilation of its own.",)
    return changes(fn)


def packed(fn: Dispatcher, args: tuple[Any, ...], named: dict[str, Any]) -> bytes:
    """Positional and keyword arguments as bytes; of those that cannot be sent, only the type."""
    try:
        return pack((args, named))
    except Exception:  # each class has its own way to refuse
        sendable = {name: _sendable(fn, value) for name, value in named.items()}
        return pack((tuple(_sendable(fn, value) for value in args), sendable))


def _sendable(fn, value):
    try:
        pack(value)
    except Exception:
        return _recording.StandIn(fn.typeof_pyval(value))
    return value
