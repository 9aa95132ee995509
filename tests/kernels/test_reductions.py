"""Sums and dot products: close to the exact ones, in one order whatever the number of threads."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from numba_course import kernels
from numba_course.kernels import reductions
from numba_course.kernels.reductions import BLOCK, LANES, PAIRS, STEP, dot_spec, sum_spec
from numba_course.lens.compiled.dispatchers import rebuilt
from tests.kernels.bounds import bounds_checked
from tests.kernels.guards import CRASHED, copy_beside_guards, exit_code, needs_guards
from tests.peers import agrees_with_every_peer

SIZES = [
    0,
    1,
    2,
    LANES - 1,
    LANES + 1,
    STEP,
    STEP + 3,
    PAIRS + STEP + 1,
    BLOCK,
    BLOCK + 1,
    3 * BLOCK + STEP + LANES + 5,
]
COMPILED = hasattr(reductions._sum, "py_func")  # not where the JIT is switched off
EPS = np.finfo(np.float64).eps


def in_form(kernel, form):
    """A kernel compiled, as Python, or compiled with bounds checks."""
    if form == "compiled" or not COMPILED:
        return kernel
    return kernel.py_func if form == "python" else bounds_checked(kernel)


@pytest.fixture(scope="module", params=["compiled", "python", "bounds checked"])
def forms(request):
    """The kernels for blocks of sums and of products in one form, as functions of the arrays that give the lanes."""
    kernel = {
        name: in_form(getattr(reductions, name), request.param) for name in ("_sum_blocks", "_dot_blocks")
    }

    def lanes(name, *values):
        out = np.full((-(-values[0].size // BLOCK) + 2, LANES), np.nan)
        rows = out[1:-1]
        middle = len(rows) // 2
        kernel[name](*values, rows, middle, len(rows))
        kernel[name](*values, rows, 0, middle)
        assert np.isnan(out[[0, -1]]).all()
        return rows

    return lanes


def values_of(size, seed=0, dtype=np.float64):
    """Numbers of both signs and many magnitudes."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=size) * 10.0 ** rng.integers(-6, 6, size)).astype(dtype)


def documented(values, step):
    """The lanes in the documented order, by NumPy: of each block four or eight rows at a time, added in pairs."""
    summed = []
    for start in range(0, len(values), BLOCK):
        block = np.asarray(values[start : start + BLOCK], np.float64)
        lanes = np.full(LANES, -0.0)
        whole = block.size // step * step
        for rows in block[:whole].reshape(-1, step // LANES, LANES):
            while len(rows) > 1:
                rows = rows[::2] + rows[1::2]
            lanes += rows[0]
        for first in range(whole, block.size, LANES):
            row = block[first : first + LANES]
            lanes[: row.size] += row
        summed.append(lanes)
    return np.array(summed).reshape(-1, LANES)


def halved(lanes):
    """The sum of lanes in the documented order."""
    lanes = lanes.ravel()
    while lanes.size > 1:
        half = (lanes.size + 1) // 2
        upper = lanes[half:]
        lanes = lanes[:half].copy()
        lanes[: upper.size] += upper
    return lanes[0] if lanes.size else 0.0


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_additions_are_made_in_the_documented_order(forms, size, dtype):
    a, b = values_of(size, 1, dtype), values_of(size, 2, dtype)
    products = a.astype(np.float64) * b.astype(np.float64)
    sums, dots = documented(a, STEP), documented(products, PAIRS)
    assert np.array_equal(forms("_sum_blocks", a), sums)
    assert np.array_equal(forms("_dot_blocks", a, b), dots)
    assert (kernels.sum(a), kernels.dot(a, b)) == (halved(sums), halved(dots))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("threads", [2, 3, 4])
def test_any_number_of_threads_gives_the_same_bits(size, threads):
    a, b = values_of(size, 3), values_of(size, 4)
    assert kernels.sum(a, threads) == kernels.sum(a)
    assert kernels.dot(a, b, threads) == kernels.dot(a, b)


def test_order_would_show():
    """The tests of equal bits mean something: the same values in another order have another sum."""
    rows = [values_of(BLOCK, seed) for seed in range(5)]
    assert any(kernels.sum(row) != np.cumsum(row)[-1] for row in rows)


@pytest.mark.parametrize("size", SIZES)
def test_error_is_within_the_documented_bound(size):
    a, b = values_of(size, 5), values_of(size, 6)
    bound = (40 + max(0, math.ceil(math.log2(max(size, 1) / BLOCK)))) * EPS / 2
    assert abs(kernels.sum(a) - sum_spec(a)) <= bound * np.abs(a).sum()
    assert abs(kernels.dot(a, b) - dot_spec(a, b)) <= bound * np.abs(a * b).sum()


def test_any_number_of_lanes_is_added_in_halves():
    for size in (0, 1, 3, LANES, 5 * LANES, 7 * LANES):
        lanes = values_of(size)
        assert reductions._fold(lanes.copy()) == halved(lanes)


FEW = st.integers(0, 40)
NUMBERS = st.floats(-1e6, 1e6) | st.sampled_from([0.0, -0.0])


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_sums_of_any_layout_are_those_of_the_specification(data):
    dtype, step = data.draw(st.sampled_from([np.float64, np.float32])), data.draw(st.sampled_from([1, 2, -1]))
    size = data.draw(FEW)
    elements = NUMBERS if dtype == np.float64 else st.floats(-1e6, 1e6, width=32)
    a, b = (data.draw(arrays(dtype, size * abs(step), elements=elements))[::step] for _ in range(2))
    bound = 40 * EPS / 2
    assert abs(kernels.sum(a) - sum_spec(a)) <= bound * np.abs(a.astype(float)).sum()
    assert abs(kernels.dot(a, b) - dot_spec(a, b)) <= bound * np.abs(a.astype(float) * b.astype(float)).sum()


@pytest.mark.parametrize(
    ("special", "expected"),
    [
        ([np.nan], np.nan),
        ([np.inf], np.inf),
        ([-np.inf], -np.inf),
        ([np.inf, np.inf], np.inf),
        ([np.inf, -np.inf], np.nan),
        ([np.nan, np.inf], np.nan),
    ],
)
@pytest.mark.parametrize("size", [2, LANES + 1, BLOCK + STEP + 7])
@pytest.mark.parametrize("threads", [1, 2])
def test_nan_and_infinities_come_out(special, expected, size, threads):
    for first in (0, size - len(special)):
        values = np.ones(size)
        values[first : first + len(special)] = special
        assert np.array_equal(kernels.sum(values, threads), expected, equal_nan=True)
        assert np.array_equal(kernels.dot(values, np.ones(size), threads), expected, equal_nan=True)


def test_zeros_keep_their_sign_and_nothing_sums_to_zero():
    assert math.copysign(1, kernels.sum([-0.0, -0.0])) == -1
    assert math.copysign(1, kernels.sum([-0.0, 0.0])) == 1
    assert (kernels.sum(np.zeros(0)), kernels.dot(np.zeros(0), np.zeros(0))) == (0.0, 0.0)


def test_single_precision_is_summed_in_double():
    values = np.full(100_000, 0.1, np.float32)
    assert kernels.sum(values) == pytest.approx(sum_spec(values), rel=1e-14)
    assert type(kernels.sum(values)) is float


def test_arguments_stay_as_they_are():
    a, b = values_of(100), values_of(100, 1)
    before = a.tobytes(), b.tobytes()
    kernels.sum(a), kernels.dot(a, b, 2)
    assert (a.tobytes(), b.tobytes()) == before


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: kernels.sum(np.zeros(3, int)),
            TypeError,
            "values must be of dtype float64 or float32, not int64",
        ),
        (lambda: kernels.sum(np.zeros((2, 2))), ValueError, "values must have 1 axis, not 2"),
        (lambda: kernels.sum(np.zeros(3), 0), ValueError, r"threads must be in 1\.\.4096, not 0"),
        (lambda: kernels.sum(np.zeros(3), 2.0), TypeError, "threads must be an integer, not 2.0"),
        (lambda: kernels.dot(np.zeros(3), np.zeros(4)), ValueError, "b must have 3 elements, as a, not 4"),
        (lambda: kernels.dot(np.zeros(4), np.zeros(3)), ValueError, "b must have 4 elements, as a, not 3"),
        (lambda: kernels.dot(np.zeros(3), "x"), TypeError, "b must be of dtype"),
        (lambda: kernels.dot(np.zeros((1, 1)), np.zeros(1)), ValueError, "a must have 1 axis"),
    ],
)
def test_bad_arguments_are_refused(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.skipif(not COMPILED, reason="the JIT is switched off")
@pytest.mark.parametrize("name", ["_sum_blocks", "_dot_blocks"])
def test_strict_additions_are_vectorised(name):
    kernel = rebuilt(getattr(reductions, name))
    count = 2 if name == "_dot_blocks" else 1
    kernel(*[np.zeros(8)] * count, np.zeros((1, LANES)), 0, 1)
    ((_, text),) = kernel.inspect_llvm().items()
    assert " fadd <" in text
    assert not any(flag in text for flag in ("reassoc", "nnan", "ninf", " fast "))


def sum_beside_guards(beyond=0):
    """Arrays of every size above that end or begin where no memory is."""
    for at_end, dtype, size in itertools.product((True, False), (np.float64, np.float32), SIZES[1:]):
        a, b = (copy_beside_guards(values_of(size, seed, dtype), at_end, beyond) for seed in (0, 1))
        assert kernels.sum(a) == kernels.sum(a.copy())
        assert kernels.dot(a, b) == kernels.dot(a.copy(), b.copy())


@needs_guards
def test_nothing_is_read_or_written_beside_the_arrays():
    assert exit_code(sum_beside_guards) == 0
    assert exit_code(sum_beside_guards, 8) in CRASHED  # so the guards are seen


def test_sum_agrees_with_every_peer_of_its_benchmark():
    agrees_with_every_peer("sum")


def test_dot_agrees_with_every_peer_of_its_benchmark():
    agrees_with_every_peer("dot")
