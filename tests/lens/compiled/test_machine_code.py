"""machine_code: known answers both ways, and the same answers from sources of another kind."""

import ctypes
import dataclasses
import functools
import importlib.util
import math
import os
import re
import sys

import cloudpickle
import llvmlite.binding as llvm
import numba
import numpy as np
import pytest
from numba import njit, objmode, prange, types

from numba_course.lens.compiled import _assembly as assembling
from numba_course.lens.compiled import _native
from numba_course.lens.compiled import compilation as compiling
from numba_course.lens.compiled.compilation import compiled_apart
from numba_course.lens.compiled.machine_code import loops, machine_code
from numba_course.process import sandbox
from tests import processors
from tests.lens.compiled import disassembly
from tests.lens.compiled.looked_at import count, divide, total

for pickling in (cloudpickle, numba.cloudpickle):
    pickling.register_pickle_by_value(sys.modules[__name__])  # a child cannot import a test module

x, y = np.arange(64.0), np.ones(64)
single = np.arange(64, dtype=np.float32)
whole, octets = np.arange(64), np.arange(64, dtype=np.uint8)
square, thirty = np.ones((4, 4)), np.ones(30)


def total_whole(values):
    result = 0
    for i in range(values.size):
        result += values[i]
    return result


def exponential(values, out):
    for i in range(values.size):
        out[i] = np.exp(values[i])


def grid_total(grid):
    result = 0.0
    for i in range(grid.shape[0]):
        for j in range(grid.shape[1]):
            result += grid[i, j]
    return result


def triangular(n):
    result = 0
    for i in range(n):
        result += i
    return result


def cleared(values):
    for i in range(values.size):
        values[i] = 0.0


def three_times(values):
    result = 0.0
    for value in values:
        for k in range(3):
            result += value * k
    return result


def copied(values, out):
    for i in range(values.size):
        out[i] = values[i]


def scaled(values, out):
    for i in prange(values.size):
        out[i] = values[i] * 3.0 + out[i]


def two_loops(values, out):
    for i in prange(values.size):
        out[i] = values[i] * 3.0
    result = 0.0
    for i in range(values.size):
        result += out[i]
    return result


def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def absolute(values, out):
    for i in range(values.size):
        out[i] = abs(values[i])


def one_absolute(value):
    return abs(value) + 1.0


def from_unsigned(value):
    return np.float64(value) * 2.0


def gathered(values, indices):
    result = 0.0
    for i in range(indices.size):
        result += values[indices[i]]
    return result


def summed_numpy(values):
    return np.sum(values * 3.0)


def numbers(n):
    for i in range(n):
        yield 2 * i


def product(left, right, out):
    for i in range(left.shape[0]):
        for j in range(right.shape[1]):
            value = 0.0
            for k in range(left.shape[1]):
                value += left[i, k] * right[k, j]
            out[i, j] = value


def running(values):
    for i in range(1, values.size):
        values[i] += values[i - 1]


def roots(values, out):
    for i in prange(values.size):
        out[i] = math.sqrt(values[i])


def times_thirty(values):
    return values * np.ones(30)  # LLVM unrolls the packed loop, and only loops for what is left over stay


@functools.cache
def seen(fn, *names, **options):
    """The report about `fn`, compiled once for each combination in this file."""
    arguments = [globals().get(name, name) if isinstance(name, str) else name for name in names]
    return machine_code(njit(**options)(fn), *arguments)


def states(report):
    return [loop.state for loop in report.loops]


# ---- loops: function, arguments, options, state of each loop, a word of the last reason

LOOPS = [
    (total, ("x",), {}, ["scalar"], "reorder floating-point"),
    (total, ("x",), {"fastmath": True}, ["packed"], ""),
    (divide, ("x", "y"), {}, ["scalar"], "arly exit"),
    (divide, ("x", "y"), {"error_model": "numpy"}, ["packed"], ""),
    (count, ("x", 3.0), {}, ["packed"], ""),
    (
        exponential,
        ("x", "y"),
        {},
        ["scalar"],
        "LLVM remarks that it is vectorized, but the machine code calls",
    ),
    (grid_total, ("square",), {}, ["outer", "scalar"], "reorder floating-point"),
    (triangular, (5,), {}, ["gone"], "deleted"),
    (cleared, ("x",), {}, ["gone"], "memset"),
    (three_times, ("x",), {}, ["scalar", "gone"], "completely unrolled loop with 3 iterations"),
    (copied, ("x", "y"), {}, ["packed"], ""),
    (scaled, ("x", "y"), {"parallel": True}, ["packed"], ""),
    (two_loops, ("x", "y"), {"parallel": True}, ["packed", "scalar"], "reorder floating-point"),
    (collatz, (7,), {}, ["scalar"], "number of loop iterations"),
    (absolute, ("x", "y"), {}, ["packed"], ""),
    (numbers, (7,), {}, ["not known"], ""),
    (gathered, ("x", "whole"), {"boundscheck": True}, ["scalar"], "early exit"),
    (product, ("square", "square", "square"), {}, ["outer", "outer", "scalar"], "reorder floating-point"),
    (
        summed_numpy,
        ("x",),
        {},
        ["packed"],
        "another loop of this line is not: cannot prove it is safe to reorder",
    ),
    (running, ("x",), {}, ["scalar"], "unsafe dependent memory operations in loop"),
    (times_thirty, ("thirty",), {}, ["packed"], ""),
]


@pytest.mark.parametrize(("fn", "names", "options", "expected", "word"), LOOPS)
def test_what_became_of_each_loop(fn, names, options, expected, word):
    report = seen(fn, *names, **options)
    assert states(report) == expected
    assert word in report.loops[-1].reason
    first = fn.__code__.co_firstlineno
    assert all(first < loop.line < first + 8 for loop in report.loops)


def test_packed_code_without_a_line_leaves_open_whether_a_vectorised_loop_is_packed():
    apart = compiled_apart(njit(exponential), (x, y), "a test", call=False)
    found = _native.facts(apart)["machine_loops"]
    assert [loop.state for loop in loops(apart, found, set())] == ["scalar"]
    (seen,) = loops(apart, found, {None})
    assert (seen.state, seen.reason) == (
        "not known",
        "LLVM remarks that it is vectorized; what is packed carries no line",
    )


def test_a_loop_inside_a_numpy_function_has_the_line_of_the_call():
    report = seen(summed_numpy, "x")
    assert {loop.line for loop in report.loops} == {summed_numpy.__code__.co_firstlineno + 1}
    assert report.vector_width > 1  # of the product; the sum stays scalar
    assert report.scalar


def halved(n):
    steps = 0
    while (  # the loop begins here
        n > 1 and n != 17
    ):
        n, steps = n // 2, steps + 1
    return steps


def test_a_loop_begins_where_its_head_does():
    (loop,) = seen(halved, 9).loops
    assert loop.line == halved.__code__.co_firstlineno + 2


def test_width_and_type_are_those_of_the_arithmetic():
    double = seen(total, "x", fastmath=True)
    assert double.element_type == "float64"
    assert double.vector_width > 1
    assert double.packed
    assert seen(total, "x").vector_width == 1
    assert seen(total, "x").element_type is None
    assert seen(total, "x").packed == 0 < seen(total, "x").scalar


def test_among_equally_many_elements_the_wider_type_counts():
    """A sum of flags tests a vector of bytes, and adds as many integers."""
    report = machine_code(njit(total_whole), np.ones(64, bool))
    assert (report.element_type, report.vector_width) == ("int64", seen(total_whole, "whole").vector_width)


def distances(left, right, out):
    for i in range(left.size):
        out[i] = abs(np.int32(left[i]) - np.int32(right[i]))


@pytest.mark.skipif("avx2" not in processors.features(), reason="LLVM does not think it worth while")
def test_whole_numbers_that_are_computed_as_bytes_are_called_bytes():
    """LLVM's IR has 64 bits each, and the processor takes the difference of bytes."""
    report = seen(distances, "octets", "octets", "octets")
    assert states(report) == ["packed"]
    assert report.element_type == "int8" and report.vector_width >= 32


def test_float32_has_twice_the_lanes_of_float64():
    double, half = seen(fused, 2.0, "x", "y"), seen(fused, np.float32(2.0), "single", "single")
    assert (double.element_type, half.element_type) == ("float64", "float32")
    assert half.vector_width == 2 * double.vector_width > 2


@pytest.mark.parametrize(
    ("fn", "name"),
    [(one_absolute, "absent"), (from_unsigned, "absent"), (copied, "x")],
    ids=["absolute", "unsigned", "copied"],
)
def test_packed_instructions_that_serve_one_number_or_only_move_are_no_arithmetic(fn, name):
    """abs of a number is a packed "and"; uint64 to float64 is a packed subtraction."""
    arguments = ("x", "y") if name == "x" else (np.uint64(3) if fn is from_unsigned else -1.5,)
    report = seen(fn, *arguments)
    assert (report.vector_width, report.packed) == (1, 0)


def test_remarks_are_those_of_llvm_and_may_mislead():
    report = seen(exponential, "x", "y")
    assert any(remark.text.startswith("vectorized loop") for remark in report.remarks)
    assert report.vector_width == 1
    assert ("exp") in [name for _, name in report.calls]
    assert all(remark.line for remark in report.remarks)
    assert len(set(report.remarks)) == len(report.remarks)
    assert not any("disabled" in remark.text for remark in seen(scaled, "x", "y", parallel=True).remarks)


def mixed_exponential(values, out):
    for i in range(values.size):
        out[i] = np.exp(values[i]) + out[i]


def test_a_function_called_for_each_element_is_no_packed_arithmetic():
    report = seen(mixed_exponential, "single", "y")
    assert "expf" in [name for _, name in report.calls]
    assert report.element_type in (None, "float64")  # the sum; expf works on float32


def with_sines(values, out):
    for i in range(values.size):
        out[i] += np.sin(values[i]) + np.cos(values[i])


def with_remainder(values, out):
    for i in range(values.size):
        out[i] = 2 * values[i] + np.fmod(values[i], 3.0)


@pytest.mark.parametrize(
    ("fn", "called"),
    [(mixed_exponential, "exp"), (with_sines, "sincos|sin|cos|__sincos_stret"), (with_remainder, "fmod")],
)
def test_a_packed_loop_that_calls_a_function_for_each_element_is_partly_packed(fn, called):
    report = seen(fn, "x", "y")
    assert [loop.state for loop in report.loops] == ["partly packed"]
    assert "one element at a time" in report.loops[0].reason
    assert any(re.fullmatch(called, name) for _, name in report.calls)


def test_a_remainder_is_counted_one_by_one_as_it_is_computed():
    executed = {name: counts for name, *counts in seen(with_remainder, "x", "y").executed}
    assert executed["frem"] == [0, 64]
    assert sum(executed["fmul"]) == 64 and executed["fmul"][0] > executed["fmul"][1]


# ---- allocations


def none_allocated(values):
    return values[0]


def one_array(values):
    return np.empty(3)


def three_arrays(values):
    result = 0.0
    for i in range(3):
        result += np.zeros(i + 1)[0]
    return result


def one_list(values):
    return [value for value in values][0]  # noqa: RUF015  a header and the elements


def parallel_temporaries(values):
    for i in prange(values.size):
        values[i] = np.zeros(3).sum()


def returns_argument(values):
    return values


ALLOCATIONS = [
    (none_allocated, ("x",), {}, 0),
    (returns_argument, ("x",), {}, 0),
    (one_array, ("x",), {}, 1),
    (three_arrays, ("x",), {}, 3),
    (summed_numpy, ("x",), {}, 1),
    (one_list, ("x",), {}, 2),
    (scaled, ("x", "y"), {"parallel": True}, 0),
]


@pytest.mark.parametrize(("fn", "names", "options", "expected"), ALLOCATIONS)
def test_allocations_of_one_call(fn, names, options, expected):
    assert seen(fn, *names, **options).allocations == expected


def test_allocations_inside_a_parallel_loop_count():
    assert seen(parallel_temporaries, "x", parallel=True).allocations > 0  # how many depends on the threads


def counted(fn, arguments):
    """Allocations of a call by Numba's counters, less one for each array argument."""
    from numba.core.runtime import _nrt_python, rtsys  # cannot be sent

    fn(*arguments)
    _nrt_python.memsys_enable_stats()
    before = rtsys.get_allocation_stats().alloc
    fn(*arguments)
    arrays = sum(isinstance(value, np.ndarray) for value in arguments)
    return rtsys.get_allocation_stats().alloc - before - arrays


@pytest.mark.parametrize("fn", [none_allocated, one_array, three_arrays])
def test_allocations_agree_with_the_runtime(fn):
    outcome = sandbox.run(counted, njit(fn), (x,), seconds=60)
    assert outcome.value == seen(fn, "x").allocations


@pytest.mark.parametrize(
    ("fn", "argument", "words"),
    [
        (lambda values: values[0] // 0, whole, "the call raised ZeroDivisionError"),
        (lambda address: numba.carray(address, 1)[0], None, "the call crashed"),
    ],
    ids=["raises", "crashes"],
)
def test_a_call_that_fails_leaves_allocations_unknown(fn, argument, words):
    if argument is None:

        def fn(n):
            total = 0
            values = np.zeros(1, np.int64)
            for i in range(n):
                total += values[i * 1_000_000_000_000]
            return total

        argument = 1000
    report = machine_code(njit(fn), argument)
    assert report.allocations is None
    assert words in " ".join(report.notes)
    assert "not known" in repr(report)


def test_a_generator_is_only_made():
    assert seen(numbers, 7).allocations is None
    assert "its steps were not run" in " ".join(seen(numbers, 7).notes)
    assert seen(numbers, 7).signature == "(int64) -> generator(int64)"


def appended(n):
    items = [0.0]
    for i in range(n):
        items.append(i * 2.0)
    return items[-1]


def test_memory_that_a_list_takes_to_grow_is_said_not_to_be_counted():
    assert "take to grow is not counted" in " ".join(seen(appended, 9).notes)
    assert seen(one_array, "x").notes == ()


def test_a_processor_that_nobody_taught_us_is_refused():
    with pytest.raises(
        ValueError, match=r"machine code of riscv64 cannot be read: .* one of x86_64, .*arm64"
    ):
        assembling.machine_of('target triple = "riscv64-unknown-linux-gnu"')


def test_a_call_that_does_not_end_leaves_allocations_unknown(monkeypatch):
    run, calls = sandbox.run, []

    def impatient(function, fn, options, payload, call, seconds):
        calls.append(call)
        if call:
            return sandbox.Outcome("timed out", step="calling")
        return run(function, fn, options, payload, call, seconds=seconds)

    monkeypatch.setattr(compiling.sandbox, "run", impatient)
    report = machine_code(njit(none_allocated), x)
    assert calls == [True, False]
    assert report.allocations is None
    assert "the call took longer than 10 s" in report.notes[0]


class Opaque:
    """Numba takes it for an integer; it cannot be sent anywhere."""

    _numba_type_ = types.int64

    def __reduce__(self):
        raise TypeError("not to be sent")


def test_an_argument_that_cannot_be_sent_gives_its_type():
    report = machine_code(njit(lambda values, n: values[n]), x, Opaque())
    assert report.signature == "(array(float64, 1d, C), int64) -> float64"
    assert report.allocations is None
    assert "argument 1 cannot be sent to another process" in report.notes[0]


def test_arguments_keep_layout_and_the_read_only_flag():
    frozen = x.copy()
    frozen.flags.writeable = False
    report = machine_code(
        njit(lambda a, b, c: a[0] + b[0] + c[0, 0]), x[::2], frozen, np.asfortranarray(square)
    )
    kinds = "(array(float64, 1d, A), readonly array(float64, 1d, C), array(float64, 2d, F)) -> float64"
    assert report.signature == kinds


# ---- operations that a call does


@njit
def golden(n):
    return n if n < 2.0 else golden(n - 1.0) + golden(n - 2.0)


@njit
def middle_of(values):
    return np.median(values)


def offset(values):
    return values[0] - middle_of(values)


def counted_twice(fn, args):
    """What two compilations in one process say: for the second one, NumPy's functions are compiled already."""
    return [compiling.compiled_here(fn, args, call=True).executed for _ in range(2)]


def done(report):
    return {name: (packed, scalar) for name, packed, scalar in report.executed}


def test_operations_are_counted_that_a_call_does():
    assert done(seen(scaled, "x", "y")) == {"fadd": (64, 0), "fmul": (64, 0)}
    assert done(seen(grid_total, "square")) == {"fadd": (0, 16)}
    assert done(seen(count, "x", 3.0)) == {"fcmp": (64, 0)}
    assert done(seen(one_array, "x")) == {}


def test_operations_are_told_by_how_many_elements_are_done_at_a_time():
    report = seen(scaled, "x", "y")
    for name in ("fadd", "fmul"):
        of_name = [(at_a_time, often) for other, at_a_time, often in report.widths if other == name]
        assert max(of_name)[0] == report.vector_width and of_name == sorted(of_name, reverse=True)
        assert sum(at_a_time * often for at_a_time, often in of_name) == 64
    assert seen(grid_total, "square").widths == (("fadd", 1, 16),)


def mathematics(values):
    result = 0.0
    for i in range(values.size):
        result += math.sqrt(values[i]) + math.floor(values[i]) + values[i] ** 2.5
    return result


def test_mathematical_functions_are_counted_wherever_they_are_computed():
    counts = done(seen(mathematics, "x"))
    assert {name: sum(counts[name]) for name in ("sqrt", "floor", "pow")} == dict.fromkeys(
        ("sqrt", "floor", "pow"), 64
    )
    assert counts["pow"][0] == 0  # the C library's, for each element


def test_operations_are_counted_on_all_threads():
    counts = done(machine_code(njit(parallel=True)(scaled), np.ones(10_003), np.ones(10_003)))
    assert [sum(counts[name]) for name in ("fadd", "fmul")] == [10_003] * 2
    assert counts["fadd"][0] > 9_000


def test_operations_are_counted_in_what_is_called():
    assert done(machine_code(golden, 10.0)) == {"fadd": (0, 3 * 88), "fcmp": (0, 177)}
    outcome = sandbox.run(counted_twice, njit(offset), (np.arange(999.0)[::-1].copy(),), seconds=60)
    first, second = outcome.value
    assert first == second
    assert sum(packed + scalar for name, packed, scalar in first if name == "fcmp") > 999


def test_operations_are_not_known_where_nothing_was_called():
    assert seen(numbers, 7).executed is None
    assert seen(numbers, 7).widths is None


# ---- calls, checks, GIL


@njit
def small(value):
    return value + 1.0


@njit
def recursive(n):
    return 1 if n < 2 else recursive(n - 1) + recursive(n - 2)


def calls_both(value, n):
    return small(value) + recursive(n)


@njit
def is_odd(n):
    return False if n == 0 else is_even(n - 1)


@njit
def is_even(n):
    return True if n == 0 else is_odd(n - 1)


def row_totals(grid, out):
    for i in prange(grid.shape[0]):
        result = 0.0
        for j in range(grid.shape[1]):
            result += grid[i, j] * 2.0
        out[i] = result


def uses_objects(value):
    with objmode(result="float64"):
        result = float(str(value))
    return result


def fused(a, values, out):
    for i in range(values.size):
        out[i] = out[i] + a * values[i]


def test_calls_are_those_that_were_not_inlined():
    names = [name for _, name in seen(calls_both, 1.0, 3).calls]
    assert "recursive" in names
    assert "small" not in names
    assert seen(total, "x").calls == ()


@pytest.mark.parametrize("fn", [recursive, is_odd])
def test_a_function_that_calls_itself_is_called_as_well(fn):
    assert machine_code(fn, 4).allocations == 0


def test_a_mathematical_function_that_became_an_instruction_is_no_call():
    assert [name for _, name in seen(roots, "x", "y", parallel=True).calls] == ["numba_parallel_for"]


def test_only_what_the_loop_does_is_called_by_a_parallel_loop():
    report = seen(row_totals, "square", "x", parallel=True)
    assert {name for _, name in report.calls} - {"memset"} == {"numba_parallel_for"}
    assert report.python_calls == 0


def test_python_api_calls():
    assert seen(uses_objects, 1.5).python_calls > 0
    assert "nothing itself" in repr(seen(uses_objects, 1.5))  # but what it calls may raise
    assert seen(total, "x").python_calls == 0
    assert seen(scaled, "x", "y", parallel=True).python_calls == 0


def test_the_gil():
    assert seen(total, "x").releases_gil is False
    assert seen(total, "x", nogil=True).releases_gil is True
    assert "held, but released while a parallel loop runs" in repr(seen(scaled, "x", "y", parallel=True))


def test_bounds_checks_and_negative_indices():
    line = gathered.__code__.co_firstlineno + 3
    unchecked, checked = seen(gathered, "x", "whole"), seen(gathered, "x", "whole", boundscheck=True)
    assert unchecked.bounds_checks == ()
    assert checked.bounds_checks == (line,)
    assert (line, "IndexError: index is out of bounds") in checked.raises
    assert unchecked.wraparounds == (line,)
    assert seen(copied, "x", "y").wraparounds == ()


@njit
def spelt(value):
    with objmode(result="float64"):
        result = float(str(value))
    return result


@njit(inline="never")
def calls_python(value):
    return spelt(value) + 1.0


def calls_what_calls_python(value):
    return calls_python(value) + 1.0


def multiplied(left, right):
    return np.dot(left, right)


@pytest.mark.parametrize(
    ("fn", "names", "options", "expected"),
    [
        (uses_objects, (1.5,), {}, "taken back"),
        (calls_what_calls_python, (1.5,), {}, "taken back"),
        (multiplied, ("square", "square"), {}, "released"),  # takes it to abort, if BLAS fails
        (scaled, ("x", "y"), {"parallel": True}, "released"),
    ],
)
def test_a_gil_that_is_taken_back_inside_is_not_released(fn, names, options, expected):
    report = seen(fn, *names, nogil=True, **options)
    assert (report.gil, report.releases_gil) == (expected, expected == "released")


def test_what_takes_memory_is_called():
    assert [name for _, name in seen(one_array, "x").calls] == ["NRT_MemInfo_alloc_aligned"]


def picked(i):
    values = np.zeros(8)
    values[i] = 1.0
    return values


def cut(values, i):
    return values[i:].size


def listed(i):
    return [1.0, 2.0][i]


def tried(values, i):
    try:
        return values[i]
    except Exception:
        return 0.0


def below_zero(values, out):
    for i in range(values.size):
        out[i] = values[i] + (7 if values[i] < 0 else 0)


def from_the_end_by_hand(i, n):
    return i + n if i < 0 else i


narrow = np.arange(64, dtype=np.int32)


@pytest.mark.parametrize(
    ("fn", "names", "options", "wraps", "checks"),
    [
        (gathered, ("x", "narrow"), {}, True, False),
        (picked, (3,), {}, True, False),
        (cut, ("x", 3), {}, True, False),
        (listed, (1,), {}, True, True),
        (tried, ("x", 3), {"boundscheck": True}, True, True),
        (tried, ("x", 3), {}, True, False),
        (below_zero, ("whole", "whole"), {}, False, False),
        (from_the_end_by_hand, (1, 2), {}, False, False),
    ],
)
def test_what_tests_an_index_is_known_from_what_has_built_it(fn, names, options, wraps, checks):
    report = seen(fn, *names, **options)
    assert (bool(report.wraparounds), bool(report.bounds_checks)) == (wraps, checks)


def test_exceptions_that_may_leave_the_body():
    line = divide.__code__.co_firstlineno + 2
    assert seen(divide, "x", "y").raises == ((line, "ZeroDivisionError: division by zero"),)
    assert seen(divide, "x", "y").bounds_checks == ()
    assert seen(divide, "x", "y", error_model="numpy").raises == ()


def refuses(values, k):
    if k == 1:
        raise ValueError("too many")
    if k == 2:
        raise KeyError
    if k == 3:
        raise TypeError(5)
    if k > 9:
        raise IndexError(k)
    print("fine", k)
    return values[k]


def test_an_exception_has_its_message_only_if_it_is_known_and_other_constants_are_no_exceptions():
    raised = {(line - refuses.__code__.co_firstlineno, text) for line, text in seen(refuses, "x", 4).raises}
    raised = {(line, text) for line, text in raised if not text.startswith("MemoryError")}
    assert raised == {(2, "ValueError: too many"), (4, "KeyError"), (6, "TypeError"), (8, "IndexError")}


def filled_anew(grid, out):
    for i in range(grid.shape[0]):
        out[i, :] = grid[i] / np.full(grid.shape[1], 2.0)


def test_what_is_linked_in_twice_raises_as_well():
    """LLVM gives the second constant of a name a number."""
    report = machine_code(njit(filled_anew), np.ones((4, 4)), np.ones((4, 4)))
    assert any(text.startswith("ValueError: negative dimensions") for _, text in report.raises)


@pytest.mark.parametrize("message", ["plain", "back\\slash", "\\5C"])
def test_an_exception_is_read_whatever_bytes_its_message_and_its_line_have(message):
    """LLVM prints a backslash as two; so is the lowest byte of the line that `OWN` makes of line 28."""

    def refuses(k):
        if k:
            raise ValueError(message)
        return k

    line = 28 - 2
    refuses.__code__ = refuses.__code__.replace(co_firstlineno=line)
    assert machine_code(njit(refuses), 0).raises == ((28, f"ValueError: {message}"),)


def test_fused_multiply_add():
    has = "fma" in processors.features() or not processors.IS_X86_64
    assert seen(fused, 2.0, "x", "y").fused is False
    assert seen(fused, 2.0, "x", "y", fastmath=True).fused is has


def test_of_an_eager_function_the_overload_that_the_call_picks():
    eager = njit(["float64(float64)", "int64(int64)"])(lambda value: value + 1)
    assert machine_code(eager, 1).signature == "(int64) -> int64"
    assert machine_code(eager, np.float32(1)).signature == "(float64) -> float64"
    assert [bool(machine_code(eager, value).scalar) for value in (1, 1.0)] == [False, True]


# ---- sources of another kind


def plain_assembly(fn, arguments, **options):
    """Assembly and body of an ordinary compilation, and its object code."""
    dispatcher = njit(**options)(fn)
    dispatcher.compile(tuple(map(numba.typeof, arguments)))
    compiled = dispatcher.overloads[dispatcher.signatures[0]]
    return compiled.library.get_asm_str(), compiled.fndesc.llvm_func_name, compiled.library


def operations(assembly, symbol):
    names = re.findall(r"^\"?([^\s\"#.][^\s\"#]*?)\"?:", assembly, re.MULTILINE)
    bodies = {name for name in names if _native.is_body(name, symbol)}
    streams = assembling.instructions(
        assembly, bodies, assembling.MACHINES[llvm.get_process_triple().partition("-")[0]]
    )
    return [
        [(i.name, re.sub(r"\$?[\"._A-Za-z]\w{6,}.*", "", i.operands)) for _, b in s for i in b]
        for s in streams.values()
    ]


@disassembly.needs_objdump
@pytest.mark.parametrize(
    ("fn", "arguments", "options"),
    [
        (summed_numpy, (x,), {}),
        (scaled, (x, y), {"parallel": True}),
    ],
)
def test_keeping_line_numbers_changes_no_instruction(fn, arguments, options, tmp_path):
    """Held against the object code that runs: for `inspect_asm` the code is generated once more, from IR that the
    first time has altered, and on plain x86-64 it comes out otherwise."""
    _, symbol, library = plain_assembly(fn, arguments, **options)
    functions = disassembly.names_by_function(library._get_compiled_object(), tmp_path)
    ordinary = [names for name, names in functions if _native.is_body(name, symbol)]
    apart = compiled_apart(njit(**options)(fn), arguments, "test")
    recorded = [
        [name.replace("jmpq", "jmp") for name, _ in body] for body in operations(apart.assembly, apart.symbol)
    ]
    assert sorted(recorded) == sorted(ordinary)
    assert len(recorded) == 1 + bool(options.get("parallel"))


@disassembly.needs_objdump
@pytest.mark.parametrize(
    ("fn", "names", "options"),
    [
        (fused, (2.0, "x", "y"), {}),
        (fused, (np.float32(2.0), "single", "single"), {}),
        (fused, (2.0, "x", "y"), {"fastmath": True}),
        (total, ("x",), {"fastmath": True}),
        (total, ("x",), {}),
        (divide, ("x", "y"), {"error_model": "numpy"}),
        (
            gathered,
            ("x", "whole"),
            {"fastmath": True},
        ),  # where addresses are computed by packed integers, too
    ],
)
def test_packed_instructions_agree_with_a_disassembler(fn, names, options, tmp_path):
    arguments = [globals().get(name, name) if isinstance(name, str) else name for name in names]
    _, symbol, library = plain_assembly(fn, arguments, **options)
    instructions = disassembly.disassembled(library._get_compiled_object(), symbol, tmp_path)
    report = seen(fn, *names, **options)
    assert report.packed == len(list(disassembly.packed(instructions)))
    assert report.scalar == len(disassembly.scalar(instructions))
    assert (report.vector_width, report.element_type) == disassembly.width(instructions)


def compiled_for_machine(apart, triple):
    """The same optimised IR as assembly of another machine."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(triple).create_target_machine(opt=3)
    text = re.sub(
        r'target datalayout = ".*"', f'target datalayout = "{machine.target_data}"', apart.optimised_llvm
    )
    text = re.sub(r'target triple = ".*"', f'target triple = "{triple}"', text)
    helper = re.compile(r"^define [^\n]*@NRT_decref\(.*?^}", re.MULTILINE | re.DOTALL)  # written for x86-64
    module = llvm.parse_assembly(helper.sub("declare void @NRT_decref(ptr)", text))
    return dataclasses.replace(apart, optimised_llvm=text, assembly=machine.emit_assembly(module))


@pytest.mark.skipif(not processors.IS_X86_64, reason="starts from the IR for x86-64")
@pytest.mark.parametrize(
    "triple", ["aarch64-unknown-linux-gnu", "arm64-apple-macosx", "x86_64-pc-windows-msvc"]
)
def test_assembly_of_other_machines_is_read_as_well(triple):
    try:
        llvm.initialize_all_targets()
        llvm.Target.from_triple(triple)
    except RuntimeError:
        pytest.skip("this llvmlite cannot compile for other machines")
    for apart, expected, width, packs in _apart():
        found = _native.facts(compiled_for_machine(apart, triple))
        assert [
            loop.state for loop in loops(apart, found["machine_loops"], found["packed_lines"])
        ] == expected, (triple, apart.name)
        assert found["vector_width"] == width, (triple, apart.name)
        assert bool(found["packed"]) == packs
        if "arm" in triple or "aarch" in triple:
            assert found["fused"] == (apart.name == "fused")


@functools.cache
def _apart():
    """Compilations with the states of their loops, and the width that 128 bits give."""
    cases = [
        (total, (x,), {}, ["scalar"], 1),
        (fused, (2.0, x, y), {"fastmath": True}, ["packed"], 2),
        (fused, (np.float32(2.0), single, single), {"fastmath": True}, ["packed"], 4),
        (exponential, (x, y), {}, ["scalar"], 1),
        (grid_total, (square,), {}, ["outer", "scalar"], 1),
        (scaled, (x, y), {"parallel": True}, ["packed"], 2),
        (copied, (x, y), {}, ["packed"], 1),
    ]
    return [
        (compiled_apart(njit(**options)(fn), arguments, "test"), states, width, width > 1)
        for fn, arguments, options, states, width in cases
    ]


# ---- looking changes nothing

MODULE = """
from numba import njit

@njit
def helper(value):
    return value + 1.0

@njit(cache=True)
def cached(values):
    return helper(values[0])
"""


UNDER_OBJMODE = """
import numpy as np
from numba import njit, objmode

@njit
def half(values):
    with objmode(total="float64"):
        total = float(np.sum(values)) / 2
    return total
"""


def loaded(path):
    spec = importlib.util.spec_from_file_location("looked_at", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["looked_at"] = module
    spec.loader.exec_module(module)
    return module


def first_of(values):
    return values[0]


@pytest.mark.parametrize(("values", "converted"), [([1.0], True), ({1.0}, True), (x, False)])
def test_what_is_converted_around_the_call_holds_the_gil_whatever_the_code_does(values, converted):
    fn = njit(nogil=True)(first_of if not isinstance(values, set) else len_of)
    assert any("which holds the GIL" in note for note in machine_code(fn, values).notes) == converted


def len_of(values):
    return len(values)


def test_python_inside_a_function_of_a_module_finds_its_globals(tmp_path):
    path = tmp_path / "looked_at.py"
    path.write_text(UNDER_OBJMODE)
    report = machine_code(loaded(path).half, x)
    assert report.notes == () and report.allocations is not None and report.python_calls


def everything(module, folder):
    files = {entry.name: entry.stat().st_mtime_ns for entry in os.scandir(folder)}
    return [(tuple(fn.overloads.items()), fn.stats) for fn in (module.cached, module.helper)], files


def test_looking_changes_nothing_and_code_from_the_cache_is_compiled_apart(tmp_path):
    path = tmp_path / "looked_at.py"
    path.write_text(MODULE)
    loaded(path).cached(x)
    module = loaded(path)
    before = everything(module, tmp_path / "__pycache__")
    fresh = machine_code(module.cached, x)
    assert everything(module, tmp_path / "__pycache__") == before
    assert fresh.notes == ()
    module.cached(x)
    assert sum(module.cached.stats.cache_hits.values()) == 1
    before = everything(module, tmp_path / "__pycache__")
    values = x.copy()
    report = machine_code(module.cached, values)
    assert everything(module, tmp_path / "__pycache__") == before
    assert "Loaded from the disk cache" in report.notes[0]
    assert np.array_equal(values, x)
    assert report.scalar == 1
    del sys.modules["looked_at"]


def test_the_call_is_made_on_copies():
    values = x.copy()
    machine_code(njit(cleared), values)
    assert np.array_equal(values, x)


# ---- wrong use, and what is shown


@pytest.mark.parametrize(
    ("fn", "arguments", "words"),
    [
        (
            total,
            (x,),
            "lens.machine_code: fn must be a function decorated with @njit, not the plain Python function",
        ),
        (njit(total), (3,), "total does not compile: "),
        (njit(total), (), "the arguments do not fit total: missing a required argument: 'values'"),
        (njit(lambda a: a.nope), (3,), "does not compile: Unknown attribute 'nope' of type int64 (line "),
        (
            njit("float64(float64)")(lambda a: a),
            ("t",),
            "is compiled for (float64) only, not for (unicode_type)",
        ),
    ],
)
def test_wrong_use_is_refused_in_one_line(fn, arguments, words):
    with pytest.raises(TypeError) as caught:
        machine_code(fn, *arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_function_that_cannot_be_sent_is_refused():
    address = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(abs)
    with pytest.raises(
        TypeError, match=r"lens\.machine_code: <lambda> cannot be sent to the child process: ctypes"
    ):
        machine_code(njit(lambda value: address(value)), 1.0)


def test_a_compiler_that_fails_is_not_the_users_fault(monkeypatch):
    monkeypatch.setattr(
        compiling.sandbox, "run", lambda *args, **kwargs: sandbox.Outcome("crashed", step="compiling")
    )
    with pytest.raises(RuntimeError, match=r"lens\.machine_code: compiling total crashed"):
        machine_code(njit(total), x)


@pytest.mark.parametrize("names", [(total, "x"), (exponential, "x", "y"), (grid_total, "square")])
def test_reports_fit_a_terminal_and_show_volatile_numbers_in_brackets_only(names):
    report = seen(*names)
    text = repr(report)
    assert max(map(len, text.splitlines()[1:])) <= 80
    assert not re.search(r"0x|_ZN|[\\/]tmp|100\d{4}", text)
    page = report._repr_html_()
    assert not re.search(r"<style|<script|var\(|\bid=|<svg", page)
    assert page.count("<div") == page.count("</div")


def test_the_width_is_printed_in_brackets():
    report = seen(total, "x", fastmath=True)
    assert f"⟨{report.vector_width}⟩ × float64 at a time" in repr(report)
    assert repr(report) == repr(machine_code(njit(fastmath=True)(total), x))
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.name = "other"


def without_an_index(values):
    result = 0
    for value in values:
        result += value
    return result


def test_a_packed_loop_that_never_runs_is_not_called_packed():
    """Without an index, LLVM packs for elements one byte apart: numba#9210."""
    report = seen(without_an_index, "x", fastmath=True)
    (loop,) = report.loops
    assert (loop.state, loop.reason[:15]) == ("scalar", "packed only for")
    assert (report.vector_width, report.element_type, report.packed) == (1, None, 0)
    assert "\n  arithmetic          scalar\n" in repr(report)
    assert states(seen(without_an_index, "whole")) == ["scalar"]
    assert states(seen(total_whole, "whole")) == ["packed"]
    (loop,) = seen(without_an_index, "octets").loops
    assert (
        loop.state == "packed" or "cost-model" in loop.reason
    )  # for SSE2 alone, LLVM does not think it worth while


def of_first(arrays):
    result = 0
    for value in arrays[0]:
        result += value
    return result


def test_nor_is_one_over_an_array_of_a_list():
    arrays = numba.typed.List([x])
    report = machine_code(njit(fastmath=True)(of_first), arrays)
    assert states(report) == ["scalar"] and report.vector_width == 1


def set_down_the_columns(matrix, out):
    for j in range(matrix.shape[1]):
        for i in range(matrix.shape[0]):
            out[j, i] = matrix[i, j]


def test_a_version_for_a_matrix_of_one_column_is_none_for_a_matrix():
    """The elements of a column lie a row apart, not a byte."""
    report = seen(set_down_the_columns, "square", "square")
    assert states(report) == ["outer", "scalar"]
    assert "for a step of one element" in report.loops[1].reason


def test_arithmetic_of_addresses_is_no_arithmetic():
    """In the packed loop that never runs, and in one that looks up places: these are computed as well."""
    never = seen(without_an_index, "whole", fastmath=True)
    assert (never.vector_width, never.element_type, never.packed) == (1, None, 0)
    adding = seen(gathered, "x", "whole", fastmath=True)
    assert adding.element_type == ("float64" if states(adding) == ["packed"] else None)


def in_blocks(values):
    lanes, whole = np.zeros(512), values.size - values.size % 512
    for start in range(0, whole, 512):
        for k in range(512):
            lanes[k] += values[start + k]
    result = 0.0
    for k in range(512):
        result += lanes[k]
    return result


def sums_of_blocks(values, out):
    for block in range(out.size):
        result = 0.0
        for k in range(512):
            result += values[512 * block + k]
        out[block] = result


def doubled_64(values, out):
    for i in range(64):
        out[i] = values[i] * 2.0


def test_a_packed_loop_that_is_unrolled_whole_is_packed():
    """Into the loop around it (with AVX-512, here), or into no loop at all."""
    assert states(seen(in_blocks, "x")) == ["outer", "packed", "scalar"]
    assert states(seen(in_blocks, "x", fastmath=True)) == ["outer", "packed", "packed"]
    assert states(machine_code(njit(fastmath=True)(sums_of_blocks), np.ones(512), np.ones(1))) == [
        "outer",
        "packed",
    ]
    report = seen(doubled_64, "x", "y")
    assert states(report) == ["packed"]
    assert report.vector_width > 1 and report.element_type == "float64"


def test_a_loop_that_is_entered_at_two_places_is_a_loop_and_inner_ones_come_after_outer_ones():
    twice_entered = [{1, 2}, {2}, {1, 3}, set()]
    nested = [{1}, {2}, {2, 3}, {1, 4}, set()]
    assert list(assembling._nest({0, 1, 2, 3}, twice_entered)) == [{1, 2}]
    assert list(assembling._nest({0, 1, 2, 3, 4}, nested)) == [{1, 2, 3}, {2}]


def test_what_is_called_packed_is_done_several_at_a_time():
    """Counters as a witness: the same sum, one element at a time and several."""
    values = np.ones(4103)
    strict, free = (machine_code(njit(**options)(total), values) for options in ({}, {"fastmath": True}))
    assert states(strict) == ["scalar"] and states(free) == ["packed"]
    assert strict.executed == (("fadd", 0, values.size),)
    ((name, packed, scalar),) = free.executed
    assert sum(at_a_time * often for _, at_a_time, often in free.widths) == packed + scalar
    assert sum(often for _, at_a_time, often in free.widths if at_a_time == 1) == scalar
    assert name == "fadd" and scalar < 64 and values.size <= packed + scalar < values.size + 64
    assert scalar < free.vector_width * 32


def test_a_loop_that_calls_a_function_defined_above_it_begins_where_it_is_written():
    @njit
    def above(values, threshold):
        def is_above(value):
            return value > threshold

        count = 0
        for value in values:
            count += is_above(value)
        return count

    first = above.py_func.__code__.co_firstlineno
    assert [loop.line - first for loop in machine_code(above, x, 0.5).loops] == [6]
