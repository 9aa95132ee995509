"""Line tables: they change no instruction, and say the right line of whatever Numba makes of a function."""

import sys
from collections import Counter
from unittest import mock

import cloudpickle
import numba
import numpy as np
import pytest
from numba import njit, prange, vectorize
from numba.core.compiler import Flags

from numba_course.lens.profiling import _dwarf, _elf, _line_tables, _sampling
from numba_course.process import sandbox

pytestmark = pytest.mark.skipif(bool(_sampling.refusal()), reason="reads machine code of x86-64 Linux")
for pickling in (cloudpickle, numba.cloudpickle):
    pickling.register_pickle_by_value(sys.modules[__name__])  # a child cannot import a test module


def add(x, n):
    total = 0.0
    for i in range(n):
        total += np.sqrt(x + i)
    return total


def functions():
    """Functions and arguments of a call, none of them compiled."""
    helper = njit(add)

    @njit(inline="always")
    def always(x):
        return x * 3.0 + 1.0

    @njit(parallel=True)
    def parallel(a):
        out = np.empty_like(a)
        for i in prange(a.size):
            value = a[i]
            out[i] = helper(value, 10) + always(value)
        return (out * out + 1).sum()

    @njit
    def appends(a):
        items = [0.0]
        for x in a:
            items.append(x * 2)
        if len(items) > 1_000_000:
            raise ValueError("too long")
        return items[-1]

    @njit
    def even(n):
        return n if n < 2 else even(n - 1) + even(n - 2)

    @vectorize(["float64(float64)"])
    def kernel(x):
        return np.exp(x) + 1.0

    a = np.linspace(0, 1, 50)
    return (parallel, (a,)), (appends, (a,)), (even, (9,)), (kernel, (a,))


def seen(with_lines):
    """Machine code of all that is compiled in order to call the functions, without what the loader fills in.

    With lines, all places are told that it names, too, each with those around it.
    """
    objects: list[bytes] = []
    if with_lines:
        with _line_tables.lines_kept() as compiled:
            _call_all()
        objects = compiled.objects
    else:
        names = mock.patch.object(
            Flags, "get_mangle_string", lambda flags: "lines"
        )  # decide on the order of functions
        with names, _line_tables.objects_noted(objects):
            _call_all()
    codes, frames = [], set()
    for content in filter(None, map(_elf.read, objects)):
        code = bytearray(content.code)
        for place in content.filled_in:
            code[place : place + 8] = bytes(len(code[place : place + 8]))
        codes.append(bytes(code))
        if with_lines:
            lines = _dwarf.Lines(content.sections)
            frames |= {lines.frames(address) for address in range(len(code))}
    return codes, [[tuple(frame) for frame in chain] for chain in frames]


def _call_all():
    for function, args in functions():
        function(*args)


@pytest.fixture(scope="module")
def with_lines():
    outcome = sandbox.run(seen, True, seconds=60)
    assert outcome.ended == "returned", outcome
    return outcome.value


@pytest.fixture(scope="module")
def frames(with_lines):
    return with_lines[1]


def test_they_change_no_instruction(with_lines):
    outcome = sandbox.run(seen, False, seconds=60)
    assert outcome.ended == "returned", outcome
    without, codes = Counter(outcome.value[0]), Counter(with_lines[0])
    assert len(without) > 8
    assert not without - codes  # more may be compiled with lines, of what this process has compiled before


def _line(text):
    with open(__file__, encoding="utf-8") as file:
        return next(n for n, line in enumerate(file, 1) if text in line)


def test_a_function_that_was_inlined_stands_below_its_caller(frames):
    """The body of a parallel loop is a function of its own; but it is known as the one that it was written in."""
    inner, outer = _line("np.sqrt" + "(x + i)"), _line("helper(value" + ", 10)")
    chains = [chain for chain in frames if [frame[1] for frame in chain[:2]] == [inner, outer]]
    assert chains
    for first, second, *_ in chains:
        assert first[0] == second[0] == __file__
        assert first[2] == "add" and second[2].endswith("parallel")


def test_text_that_numba_puts_into_a_function_keeps_its_own_line(frames):
    lines = {(frame[0], frame[1]) for chain in frames for frame in chain}
    assert (__file__, _line("x * 3.0" + " + 1.0")) in lines


def test_what_numba_makes_of_whole_arrays_belongs_to_the_statement(frames):
    """The loops of an expression on arrays, of a reduction, and of a ufunc have no lines of Numba's on top."""
    for text in ("(out * out" + " + 1).sum()", "np.exp(x)" + " + 1.0"):
        line = _line(text)
        assert any(chain[0][:2] == (__file__, line) for chain in frames), text
    bodies = [chain for chain in frames if any("parallel" in frame[2] for frame in chain)]
    assert not [chain for chain in bodies if chain[-1][1] and "numba/parfors" in chain[-1][0]]


def test_wrappers_have_no_line(frames):
    wrappers = [chain for chain in frames if chain[-1][0] == "<wrapper>"]
    assert wrappers and all(chain[-1][1] == 0 for chain in wrappers)
