"""What a compiled function looked up outside itself when it was compiled, and what is another value now.

Numba compiles the values of globals in. An instrument that compiles a function anew sees those of now, and tells where
the function that runs in this process has others.
"""

from __future__ import annotations

import numpy as np
from numba.core import ir
from numba.core.dispatcher import Dispatcher
from numba.parfors.parfor import Parfor

from numba_course.lens.compiled.dispatchers import reached
from numba_course.lens.results import disagreement

KINDS = (
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    np.generic,
    np.ndarray,
)  # that are compared, and tuples of them


def changes(fn: Dispatcher) -> tuple[str, ...]:
    """Sentences on what a function, or one that it calls, would not be compiled with now.

    Parameters
    ----------
    fn : Dispatcher
        Of what it looks up, numbers, text, tuples, arrays and compiled functions are looked at. An array that was
        changed in place is the same array, and nothing is said of it.

    Returns
    -------
    tuple of str
        Each once; none for a function that is not compiled yet, or was loaded from the disk cache.
    """
    found = {}
    for one in reached(fn):
        for name, then in _looked_up(one):
            now = _now(one.py_func, name, then)
            if _differs(then, now):
                found.setdefault((one.__name__, name), (then, now))
    return tuple(_sentence(*names, *values) for names, values in found.items())


def _sentence(user, name, then, now):
    is_function = isinstance(now, Dispatcher)
    values = "another function now than" if is_function else f"⟨{_short(now)}⟩ now, not ⟨{_short(then)}⟩ as"
    return f"{user} is compiled anew here: {name} is {values} when it was compiled before"


def _short(value):
    """A value in a few words of one line."""
    return f"{' '.join(repr(value).split()):.40}"


def _looked_up(fn):
    """(name, value) of each global and variable of an outer function in what is compiled of a function.

    What Numba inlined is left out: its names are those of another function.
    """
    code = fn.py_func.__code__
    own = range(code.co_firstlineno, 1 + max(line for _, _, line in code.co_lines() if line))
    for compiled in fn.overloads.values():
        blocks = getattr(compiled.type_annotation, "blocks", {})  # none, but text, from the disk cache
        for statement in _statements(blocks.values()):
            value = statement.value if isinstance(statement, ir.Assign) else None
            if isinstance(value, (ir.Global, ir.FreeVar)):
                if statement.loc.filename == code.co_filename and statement.loc.line in own:
                    yield value.name, value.value


def _statements(blocks):
    """All statements of these blocks, those of the parallel loops in them, too."""
    for block in blocks:
        for statement in block.body:
            if isinstance(statement, Parfor):
                yield from _statements((statement.init_block, *statement.loop_body.values()))
            yield statement


def _now(function, name, otherwise):
    """What a name outside a function stands for now; `otherwise` if it is not one of the function's own."""
    for free, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if free == name:
            return cell.cell_contents
    return function.__globals__.get(name, otherwise)


def _differs(then, now):
    """Whether a value that is compiled in is another one now: of other kinds than these nothing is said."""
    if then is now:
        return False
    if isinstance(then, Dispatcher) and isinstance(now, Dispatcher):
        return bool(then.py_func.__code__ != now.py_func.__code__)
    if isinstance(then, tuple) and isinstance(now, tuple):
        return len(then) != len(now) or any(map(_differs, then, now))
    if isinstance(then, KINDS) and isinstance(now, KINDS):
        return bool(disagreement(now, then, ulps=0))
    return isinstance(then, (*KINDS, tuple, Dispatcher))
