"""`kernels.histogram`: the counts of `np.histogram` to the last one, whatever the values and the edges."""

import itertools
import os
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from numba_course.kernels.histograms import (
    BLOCK,
    FEW,
    _count_bytes,
    _count_part,
    _settle,
    histogram,
    histogram_spec,
)
from tests.kernels.bounds import bounds_checked
from tests.kernels.guards import CRASHED, copy_beside_guards, exit_code, guarded, needs_guards
from tests.peers import agrees_with_every_peer

RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.1, 0.7), (1e6, 1e6 + 1), (-1e-3, 7e5), (0, 100), (-3, 4), (2.5, 2.5))
DTYPES = ("f8", "f4", "f2", "i8", "u8", "i4", "u4", "i2", "u2", "i1", "u1")


def spec(values, bins, low, high):
    """The specification, or None where it refuses more bins than there are numbers."""
    try:
        with np.errstate(all="ignore"):
            return histogram_spec(values, bins, low, high)
    except ValueError:
        return None


def around(edges):
    """The edges and the numbers just below and above them."""
    down, up = (edges.dtype.type(side * np.inf) for side in (-1, 1))
    with np.errstate(all="ignore"):
        return np.concatenate([np.nextafter(edges, down), edges, np.nextafter(edges, up)])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("bins", [1, 2, 3, 10, 97, 256, FEW, FEW + 1, 9999])
def test_edges_and_what_is_one_step_off_them(dtype, bins):
    checked = 0
    for low, high in RANGES:
        if high > float(np.finfo(dtype).max):
            continue
        values = around(np.linspace(low, high, bins + 1).astype(dtype))
        expected = spec(values, bins, low, high)
        if expected is not None:
            assert np.array_equal(histogram(values, bins, low, high), expected), (low, high)
            checked += 1
    assert checked or dtype == np.float16


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("bins", [7, 1000, 100_000])
def test_many_values_in_more_blocks_than_one(dtype, bins):
    values = np.random.default_rng(bins).uniform(-0.1, 1.1, 40 * BLOCK + 17).astype(dtype)
    values[::101], values[1::1001], values[2::1001] = np.nan, np.inf, -np.inf
    expected = histogram_spec(values, bins, 0.0, 1.0)
    for threads in (1, 2, 3, 4, numba.config.NUMBA_NUM_THREADS + 5):
        assert np.array_equal(histogram(values, bins, 0.0, 1.0, threads=threads), expected)


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_any_dtype_shape_range_and_number_of_bins(data):
    dtype = np.dtype(data.draw(st.sampled_from(DTYPES))).newbyteorder(data.draw(st.sampled_from("<>")))
    values = data.draw(arrays(dtype, st.lists(st.integers(0, 8), max_size=3).map(tuple)))
    whole = dtype.kind in "iu"
    limits = st.integers(-300, 300) if whole else st.floats(-1000, 1000, width=16)
    low, high = sorted([data.draw(limits), data.draw(limits)])
    bins = data.draw(st.integers(1, 300))
    expected = spec(values, bins, low, high)
    if expected is None:
        with pytest.raises(ValueError, match="Too many bins"):
            histogram(values, bins, low, high)
    else:
        assert np.array_equal(
            histogram(values[..., ::-1] if values.ndim else values, bins, low, high), expected
        )


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d[0] != "f"])
def test_integers_to_the_ends_of_their_range(dtype):
    info, rng = np.iinfo(dtype), np.random.default_rng(0)
    values = rng.integers(info.min, info.max, 3001, dtype, endpoint=True)
    values[:6] = info.min, info.min + 1, 0, 1, info.max - 1, info.max
    for low, high in [(0, 1), (0, 255), (-3.5, 100.25), (float(info.min), float(info.max))]:
        for bins in (1, 3, 10, 256):
            assert np.array_equal(
                histogram(values, bins, low, high), histogram_spec(values, bins, low, high)
            ), (bins, low, high)


def test_bools_are_zeros_and_ones():
    values = np.arange(20) % 3 == 0
    assert histogram(values, 2, 0, 1).tolist() == [13, 7]


@pytest.mark.parametrize("dtype", ["u1", "i1"])
def test_bytes_of_any_number_and_alignment(dtype):
    values = np.random.default_rng(1).integers(0, 256, 5000, np.uint8).view(dtype)
    for part in (values[:0], values[:7], values[:8], values[3:], values[5:4000]):
        for threads in (1, 2, 5):
            assert np.array_equal(
                histogram(part, 19, -100, 201, threads=threads), histogram_spec(part, 19, -100, 201)
            )


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, float, np.int16, np.array])
def test_bytes_are_held_against_edges_in_the_precision_of_the_limits(kind):
    levels = np.arange(256, dtype=np.uint8)
    for bins in range(1, 120):
        for low, high in ((0.1, 200.1), (3.3, 77.7), (1.0, 253.0)):
            limits = kind(low), kind(high)
            assert np.array_equal(histogram(levels, bins, *limits), histogram_spec(levels, bins, *limits))


KINDS = (float, int, np.float64, np.float32, np.float16, np.int64, np.uint64, np.int16, np.int8)
MAGNITUDES = (  # what lies between the limits: usual numbers, steps of float32, beyond 2**53, subnormal ones, none
    (-3.7, 5.0),
    (0.1, 0.7),
    (-200, 100),
    (0.5, 0.5 + 40 * 2.0**-24),
    (2**53 - 2, 2**53 + 1026),
    (-(2**62), 2**62 + 12345),
    (2**63 - 1024, 2**63 - 2),
    (0.0, 3000 * 5e-324),
    (-7e-42, 5e-43),
    (65_000.0, 65_000.0),
    (-60_000.0, 60_000.0),
)


def kinds_of(low, high):
    """The limits in each kind that can hold them, and in pairs of kinds."""
    for kind, other in [(kind, kind) for kind in KINDS] + [
        (float, np.float64),
        (np.float16, int),
        (int, np.int8),
    ]:
        try:
            with np.errstate(over="ignore"):
                limits = kind(low), other(high)
        except OverflowError:
            continue
        if np.isfinite(limits).all() and limits[0] <= limits[1]:
            yield limits


def telling(dtype, edges, low, high):
    """Values of a dtype at and near the edges and limits, and at the ends of its range."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return around(
                np.concatenate([edges, [float(low), float(high), 0, np.inf, -np.inf, np.nan]]).astype(dtype)
            )
    info, near = np.iinfo(dtype), [int(limit) for limit in (*edges, low, high)]
    values = {n + step for n in near for step in range(-2, 3)} | {info.min, info.max, 0}
    return np.array([n for n in values if info.min <= n <= info.max], dtype)


@pytest.mark.parametrize("code", DTYPES)
def test_any_kind_of_limits_of_any_magnitude_is_counted_as_by_numpy_or_refused(code):
    """NumPy rounds some limits to compare with them and others not, and guesses in various precisions."""
    dtype, equal = np.dtype(code), 0
    for low, high in [limits for span in MAGNITUDES for limits in kinds_of(*span)]:
        for bins in (1, 3, 40, 1000):
            values = telling(dtype, np.linspace(float(low), float(high), min(bins, 40) + 1), low, high)
            try:
                counts = histogram(values, bins, low, high)
            except ValueError as refused:
                assert any(word in str(refused) for word in ("Too many bins", "finite", "of one type"))
            else:
                assert np.array_equal(counts, histogram_spec(values, bins, low, high)), (bins, low, high)
                equal += 1
    assert equal > 100


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_many_values_of_a_dtype_are_held_against_edges_of_another(dtype):
    values = np.repeat(np.arange(400, dtype=dtype) / dtype(100), 200)
    for kind in (float, np.float64, np.float32, np.float16):
        limits = kind(0), kind(2.5)
        assert np.array_equal(histogram(values, 25, *limits), histogram_spec(values, 25, *limits)), kind


class Counted:
    """Edges that count how often they are read."""

    def __init__(self, edges):
        self.edges, self.size, self.reads = edges, edges.size, 0

    def __getitem__(self, k):
        self.reads += 1
        return self.edges[k]


@pytest.mark.skipif(not hasattr(_settle, "py_func"), reason="the JIT is switched off")
def test_a_value_in_doubt_costs_the_same_in_any_number_of_bins():
    tiny, bins = 5e-324, 10_000
    edges = Counted(np.arange(bins + 1) * (200 * tiny))  # where no product can tell the place
    for k in range(bins):
        before = edges.reads
        assert _settle.py_func(edges.edges[k] + tiny, edges, (edges.edges[-1], float(bins))) == k
        assert edges.reads - before <= 5


def test_ranges_where_the_scale_overflows():
    tiny = 5e-324
    values = np.array([0.0, tiny, 3 * tiny, 4 * tiny, 5 * tiny, -tiny, np.nan])
    assert histogram(values, 1, 0.0, 4 * tiny).tolist() == [4]
    assert histogram(values, 4, 0.0, 4 * tiny).tolist() == [1, 1, 0, 2]
    assert histogram(np.array([-8e307, 0.0, 8e307]), 2, -8e307, 8e307).tolist() == [1, 2]


def test_memory_is_in_proportion_to_values_and_bins_on_any_number_of_threads():
    values = np.random.default_rng(4).random(10_000)
    for bins, kind in ((1, "f8"), (20_000, "f8"), (7, "u1")):
        histogram(values.astype(kind), bins, 0.0, 1.0, threads=2)  # compiled before
        tracemalloc.start()
        counts = histogram(values.astype(kind), bins, 0.0, 1.0, threads=4096)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert counts.sum() == values.size
        assert peak < 200 * (values.size + bins), (bins, kind, peak)


def test_out_is_filled_not_added_to():
    values, out = np.array([0.1, 0.2, 0.9]), np.full(2, 77)
    assert histogram(values, 2, 0.0, 1.0, out) is out
    assert out.tolist() == [2, 1]
    assert histogram(values.astype(np.uint8), 2, 0.0, 1.0, out).tolist() == [3, 0]


def test_read_only_and_strided_values():
    values = np.random.default_rng(2).random((30, 40))
    expected = histogram_spec(values, 10, 0.0, 1.0)
    for view in (values.T, values[::-1, ::-1]):
        view.setflags(write=False)
        assert np.array_equal(histogram(view, 10, 0.0, 1.0), expected)


@pytest.mark.load
def test_several_python_threads_may_call_at_once():
    values = np.random.default_rng(3).random((8, 20_000))
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda row: histogram(row, 50, 0.0, 1.0), values))
    assert np.array_equal(sum(results), histogram(values, 50, 0.0, 1.0))


X = np.array([0.25, 0.75])
READ_ONLY = np.empty(3, np.int64)
READ_ONLY.setflags(write=False)
SHARED = np.arange(3)


class Whole(int):
    """An integer of another class."""


@pytest.mark.parametrize(
    "arguments, exception, message",
    [
        ((X, 0, 0, 1), ValueError, r"bins must be in 1\.\.\d+, not 0"),
        ((X, -3, 0, 1), ValueError, r"bins must be in 1\.\.\d+, not -3"),
        ((X, 2**24 + 1, 0, 1), ValueError, r"bins must be in 1\.\.16777216, not 16777217"),
        ((X, 2**31, 0, 1), ValueError, r"bins must be in 1\.\.16777216, not 2147483648"),
        ((X, 2.0, 0, 1), TypeError, r"bins must be an integer, not 2\.0"),
        ((X, True, 0, 1), TypeError, "bins must be an integer, not True"),
        ((X, [0, 1], 0, 1), TypeError, r"bins must be an integer, not \[0, 1\]"),
        ((X, 3, 1, 0), ValueError, "low must be at most high, 0, not 1"),
        ((X, 3, np.nan, 1), ValueError, "low must be finite, not nan"),
        ((X, 3, 0, np.inf), ValueError, "high must be finite, not inf"),
        ((X, 3, -1.7e308, 1.7e308), ValueError, "high - low must be finite in float64"),
        ((X.astype("f4"), 1, -1e300, 1e300), ValueError, "low and high must be finite in float32"),
        ((X, 3, 0j, 1), TypeError, "low must be a float or an integer"),
        ((X, 3, 0, "1"), TypeError, "high must be a float or an integer, not '1'"),
        ((X, 3, None, 1), TypeError, "low must be a float or an integer, not None"),
        ((X, 3, [0], 1), TypeError, "low must be a float or an integer"),
        ((X, 3, [[1], [2, 3]], 1), TypeError, r"low must be a float or an integer, not \[\[1\], \[2, 3\]\]"),
        ((X, 3, Fraction(1, 2), 1), TypeError, r"low must be a float or an integer, not Fraction\(1, 2\)"),
        ((X, 3, 0, np.ma.masked), TypeError, "high must be a float or an integer, not masked"),
        ((X, 3, np.ma.array(0.0, mask=True), 1), TypeError, "low must be a float or an integer, not masked"),
        ((X, 3, 0, Whole(2**70)), TypeError, "high must fit in 64 bits, or be a float, not 11805"),
        ((X, 3, False, 1), TypeError, "low must be a float or an integer, not False"),
        pytest.param(
            (X, 3, 0, np.longdouble(1)),
            TypeError,
            "high must be a number of at most 64 bits, not of ",
            marks=pytest.mark.skipif(np.longdouble().itemsize == 8, reason="long double is double here"),
        ),
        ((X, 3, 0, 2**64), TypeError, "high must fit in 64 bits, or be a float, not 18446744073709551616"),
        (
            (X.astype("f2"), 3, -6e4, 6e4),
            ValueError,
            r"high - low must be finite in float16, not 60000\.0 - -60000\.0",
        ),
        ((X, 3, np.float16(-6e4), np.float16(6e4)), ValueError, "high - low must be finite in float16, not"),
        (
            (X.astype("f4"), 3, 0.1, np.float64(0.7)),
            ValueError,
            "low and high must be of one type: NumPy would compare",
        ),
        ((np.arange(3), 3, np.int8(1), 300), ValueError, "low and high must be of one type: 300 is no int8"),
        ((X, 10, 1.0, np.nextafter(1.0, 2.0)), ValueError, "Too many bins"),
        ((X + 0j, 3, 0, 1), TypeError, "values must be of dtype .*, not complex128"),
        ((X.astype(object), 3, 0, 1), TypeError, "values must be of dtype .*, not object"),
        ((["a"], 3, 0, 1), TypeError, "values must be of dtype .*, not <U1"),
        ((np.ma.masked_array(X), 3, 0, 1), TypeError, "values must not be a masked array"),
        ((X, 3, 0, 1, np.empty(4, np.int64)), ValueError, r"out must have shape \(3,\), not \(4,\)"),
        ((X, 3, 0, 1, np.empty(3)), TypeError, "out must be of dtype int64, not float64"),
        ((X, 3, 0, 1, READ_ONLY), ValueError, "out must be writeable"),
        ((SHARED, 3, 0, 1, SHARED), ValueError, "out must not share memory"),
        ((X, 3, 0, 1, None, 0), ValueError, r"threads must be in 1\.\.4096, not 0"),
        ((X, 3, 0, 1, None, "2"), TypeError, "threads must be an integer, not '2'"),
    ],
)
def test_what_is_refused(arguments, exception, message):
    with pytest.raises(exception, match=message):
        histogram(*arguments)


def test_no_index_is_out_of_bounds(monkeypatch):
    module = sys.modules[histogram.__module__]
    for kernel in (_count_part, _count_bytes):
        monkeypatch.setattr(module, kernel.__name__, bounds_checked(kernel))
    for bins in (1, 10, 1000):
        values = np.concatenate(
            [around(np.linspace(0.0, 1.0, bins + 1)), [np.nan, np.inf, -np.inf, 2.0, -2.0]]
        )
        assert np.array_equal(histogram(values, bins, 0.0, 1.0), histogram_spec(values, bins, 0.0, 1.0))
        whole = np.arange(67, dtype=np.uint8)
        assert np.array_equal(histogram(whole, bins, 0, 50), histogram_spec(whole, bins, 0, 50))
    assert histogram(np.array([0.0, 5e-324]), 1, 0.0, 5e-324).tolist() == [2]


def count_beside_guards(beyond=0):
    """Values of each width in more blocks than one, where they and the counts end or begin where no memory is."""
    for at_end, code, bins in itertools.product((True, False), ("f8", "f4", "f2", "u1"), (1, 70)):
        for size in (1, 7, BLOCK - 1, BLOCK + 1, 5 * BLOCK + 3):
            values = (np.random.default_rng(0).random(size) * 60).astype(code)
            out = guarded((bins,), np.int64, at_end)
            histogram(copy_beside_guards(values, at_end, beyond), bins, 0, 50, out)
            assert np.array_equal(out, histogram_spec(values, bins, 0, 50))


@needs_guards
def test_nothing_is_read_or_written_beside_the_arrays():
    assert exit_code(count_beside_guards) == 0
    assert exit_code(count_beside_guards, 8) in CRASHED  # so the guards are seen


def test_the_kernels_are_python_too():
    code = """if True:
        import numpy as np
        from numba_course.kernels.histograms import _share_out, histogram, histogram_spec
        assert not hasattr(_share_out, "py_func")
        values = np.concatenate([np.linspace(-1, 2, 700), [np.nan, np.inf]])
        for dtype in (np.float64, np.float32):
            for threads in (1, 3):
                got, want = (f(values.astype(dtype), 9, 0.0, 1.0, *more) for f, more in
                    [(histogram, (None, threads)), (histogram_spec, ())])
                assert np.array_equal(got, want)
        whole = np.arange(-100, 100, dtype=np.int8)
        assert np.array_equal(histogram(whole, 9, -90, 50), histogram_spec(whole, 9, -90, 50))
    """
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, env=environment)


def test_it_agrees_with_every_peer_of_its_benchmark():
    agrees_with_every_peer("histogram")
