"""`kernels.moving_average`: exact where it matters, for every layout, and the same on any number of threads."""

import itertools
import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from numba_course.kernels.moving_averages import (
    CHUNK,
    LANES,
    SHORT,
    SUMS,
    UNROLLED,
    _fill,
    _fill_chains,
    _fill_columns,
    _fill_pairs,
    _fill_unrolled,
    moving_average,
    moving_average_spec,
)
from tests.kernels.bounds import bounds_checked
from tests.kernels.guards import CRASHED, copy_beside_guards, exit_code, guarded, needs_guards
from tests.peers import agrees_with_every_peer

FEW = (1, 3, UNROLLED)  # of the windows that are compiled one by one where none is summed in pairs
WINDOWS = (*FEW, UNROLLED + 1, 10, 37, 50, 199, 200)


def error(result, values, window):
    """The largest error of a mean, in units of ``2**-53`` times the mean of the absolute values."""
    exact = moving_average_spec(values, window)
    scale = moving_average_spec(np.abs(values), window) * 2.0**-53
    return np.max(np.abs(result - exact) / np.maximum(scale, np.finfo(float).tiny))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_mean_is_that_of_its_window(window, dtype):
    values = np.random.default_rng(window).normal(size=200).astype(dtype)
    out = np.empty(200 - window + 1)
    assert moving_average(values, window, out=out) is out
    assert error(out, values, window) <= window + 2
    result = moving_average(values, window)
    assert result.dtype == dtype
    assert np.array_equal(result, out.astype(dtype))


@pytest.mark.parametrize("window", [3, 8, 12, 50])
def test_small_whole_numbers_have_means_within_one_unit_in_the_last_place(window):
    values = np.arange(500) % 7
    exact = np.convolve(values, np.ones(window), "valid") / window
    np.testing.assert_array_max_ulp(moving_average(values, window), exact, 1)


@pytest.mark.parametrize("window", [3, 8, 9, 40])
@pytest.mark.parametrize(
    "shape, axis",
    [
        ((300, 10), 0),
        ((300, 3), 0),
        ((50, 7), -1),
        ((60, CHUNK + 9), 0),
        ((3, 50, 12), 1),
        ((4, 50, 5), 1),
        ((2, 50, 2 * CHUNK + 1), 1),
        ((5, 90), -1),
        ((5, 300), 1),
    ],
)
def test_each_way_along_an_axis_gives_the_means_of_each_line(shape, axis, window):
    """Rows of one value, of few, of many and of more than are summed side by side; short rows and long ones."""
    values = np.random.default_rng(window).normal(size=shape)
    window = min(window, shape[axis])
    for array in (values, np.asfortranarray(values), values[..., ::-1]):
        result = moving_average(array, window, axis)
        lines, means = (np.moveaxis(a, axis, -1).reshape(-1, a.shape[axis]) for a in (array, result))
        assert max(error(*line, window) for line in zip(means, lines, strict=True)) <= window + 2
        out = np.empty(result.shape, np.float64, "F")
        assert np.array_equal(moving_average(array, window, axis, out, threads=3), result)


def test_a_long_window_is_summed_in_fewer_columns_side_by_side():
    values = np.random.default_rng(0).random((SUMS // LANES + 50, 20))
    window = SUMS // LANES + 1  # so that LANES of them are more than the sums that the cache holds
    np.testing.assert_allclose(
        moving_average(values, window, 0)[::7],
        [values[i : i + window].mean(0) for i in range(0, 50, 7)],
        rtol=1e-12,
    )


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_any_shape_layout_axis_and_window(data):
    shape = data.draw(array_shapes(max_dims=3, max_side=14))
    dtype = data.draw(st.sampled_from(["f8", "f4", "f2", "i8", "u1", "?", ">f8", ">i2"]))
    numbers = st.integers(-100, 100) if np.dtype(dtype).kind in "if" else st.integers(0, 1)
    values = data.draw(arrays(dtype, shape, elements=numbers))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    step = data.draw(st.sampled_from([1, -1, 2]))
    values = values[(slice(None, None, step),) * values.ndim]
    values = np.asfortranarray(values) if data.draw(st.booleans()) else values
    long = range(UNROLLED + 1, values.shape[axis] + 1)
    window = data.draw(st.sampled_from([w for w in (*FEW, *long) if w <= values.shape[axis]]))
    windows = np.lib.stride_tricks.sliding_window_view(values.astype(np.float64), window, axis)
    result = moving_average(values, window, axis)
    assert result.dtype == (np.float32 if dtype == "f4" else np.float64)
    np.testing.assert_allclose(
        result, windows.mean(axis=-1), rtol=1e-6 if dtype == "f4" else 1e-13, atol=1e-12
    )
    out = np.empty(tuple(2 * n for n in result.shape), result.dtype)[(slice(None, None, 2),) * result.ndim]
    assert moving_average(values, window, axis, out) is out
    assert np.array_equal(out, result)


@pytest.mark.parametrize("window", [3, 50])
def test_what_is_not_finite_touches_only_its_windows(window):
    values = np.random.default_rng(0).random(2000)
    values[[300, 900, 905, 1500]] = np.nan, np.inf, -np.inf, np.inf
    result, exact = moving_average(values, window), moving_average_spec(values, window)
    np.testing.assert_allclose(result, exact, rtol=1e-13)  # NaN equal to NaN, and each infinity to itself


@pytest.mark.parametrize("window", [3, 8, 9, 50, 999])
@pytest.mark.parametrize("kind", ["positive", "normal", "offset", "spike", "decay"])
def test_the_error_is_of_its_own_window(window, kind):
    rng, n = np.random.default_rng(1), 4000
    values = {
        "positive": rng.random(n),
        "normal": rng.normal(size=n),
        "offset": 1e9 + rng.random(n),
        "spike": np.where(np.arange(n) == 1000, 1e16, rng.random(n)),
        "decay": rng.random(n) * np.logspace(12, -8, n),
    }[kind]
    result = moving_average(values, window)
    assert error(result, values, window) <= window + 2
    if kind != "normal":  # whose means come near zero
        np.testing.assert_allclose(result, moving_average_spec(values, window), rtol=1e-12)


@pytest.mark.parametrize("window", [2, 3, 8, 9, 20])
@pytest.mark.parametrize("kind", ["usual", "subnormal", "tiny", "mixed", "integers"])
def test_the_error_is_bounded_in_float64_and_rounded_once_more_to_float32(window, kind):
    rng, n = np.random.default_rng(window), 110
    values = {
        "usual": rng.normal(size=n),
        "subnormal": rng.integers(0, 50, n) * 5e-324,
        "tiny": rng.normal(size=n) * 1e-308,
        "mixed": rng.normal(size=n) * 10.0 ** rng.integers(-300, 30, n),
        "integers": rng.integers(-(2**62), 2**62, n),
    }[kind]
    means = moving_average(values, window)
    for i in range(0, means.size, 3):
        own = [Fraction(value) for value in values[i : i + window].tolist()]
        allowed = (window + 2) * Fraction(sum(map(abs, own)), window * 2**53) + Fraction(1, 2**1075)
        assert abs(Fraction(means[i]) - Fraction(sum(own), window)) <= allowed
    out = np.empty(means.size, np.float32)
    assert np.array_equal(moving_average(values, window, out=out), means.astype(np.float32))


@pytest.mark.parametrize("window", [2, 4, 8, 9, 16])
def test_a_sum_that_leaves_the_range_on_its_way_spoils_no_mean_of_another_window(window):
    values = np.array([1.0] * 40 + [1.7e308] * 8 + [-1.7e308] * 8 + [2.0] * 90)
    means = moving_average(values, window)
    finite = np.concatenate([means[: 41 - window], means[56:]])
    assert set(finite.round(12)) == {1.0, 2.0}
    assert np.isposinf(means[42 - window : 49 - window]).all()  # two large ones or more, none negative
    if window == 16:
        assert np.isnan(means[40])  # although the values cancel


def test_a_window_as_long_as_a_million_values():
    values = np.random.default_rng(2).random(1_000_010)
    assert math.isclose(
        moving_average(values, 1_000_000)[3], math.fsum(values[3:1_000_003]) / 1e6, rel_tol=1e-12
    )


@pytest.mark.parametrize(
    "shape, window",
    [((20_000,), 3), ((20_000,), 50), ((1000,), 999), ((7, 300), 3), ((7, 300), 60), ((0, 9), 3)],
)
def test_threads_do_not_change_a_bit(shape, window):
    values = np.random.default_rng(3).normal(size=shape)
    alone = moving_average(values, window)
    for threads in (2, 3, 4, numba.config.NUMBA_NUM_THREADS + 5):
        assert np.array_equal(alone, moving_average(values, window, threads=threads))


@pytest.mark.load
def test_several_python_threads_may_call_at_once():
    values = np.random.default_rng(4).normal(size=(8, 30_000))
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda row: moving_average(row, 50), values))
    assert np.array_equal(results, moving_average(values, 50))


@pytest.mark.parametrize("window", [3, 9])
def test_the_input_may_be_read_only(window):
    values = np.random.default_rng(5).normal(size=(5, 40))
    expected = moving_average(values, window)
    values.setflags(write=False)
    assert np.array_equal(moving_average(values, window), expected)


def test_a_column_may_be_averaged_into_its_neighbour():
    table = np.arange(20.0).reshape(10, 2)
    moving_average(table[:, 0], 1, out=table[:, 1])
    assert np.array_equal(table[:, 1], table[:, 0])


class Subclass(np.ndarray):
    """An array of another class."""


def test_a_subclass_or_a_list_gives_a_plain_array():
    expected = np.array([2.0, 3.0])
    for values in (np.array([1.0, 2.0, 3.0, 4.0]).view(Subclass), [1, 2, 3, 4]):
        result = moving_average(values, 3)
        assert type(result) is np.ndarray
        assert np.array_equal(result, expected)


def test_an_out_may_be_of_another_class():
    """A matrix has two axes however it is reshaped: a kernel that takes it for a row writes elsewhere."""
    values = np.random.default_rng(7).random((6, 80))
    for window, axis in ((3, 1), (9, 1), (3, 0)):
        expected = moving_average(values, window, axis)
        for kind in (np.matrix, Subclass):
            out = np.zeros(expected.shape).view(kind)
            assert moving_average(values, window, axis, out) is out
            assert np.array_equal(np.asarray(out), expected)


def strided(shape, strides):
    """An array that may overlap itself, in the middle of memory of its own."""
    return np.lib.stride_tricks.as_strided(np.zeros(99)[49:], shape, strides)


@pytest.mark.parametrize(
    "out",
    [
        np.empty((3, 4, 2)).transpose(1, 2, 0),
        np.empty((9, 9, 9))[1:9:2, 5:3:-1, ::4],
        np.empty((4, 1, 3)).swapaxes(0, 1)[0, :, None, :].repeat(2, 1),
        np.lib.stride_tricks.as_strided(np.empty(12), (4, 1, 3), (24, 0, 8)),
        np.lib.stride_tricks.as_strided(np.empty(1), (5, 0, 3), (0, 0, 0)),
    ],
)
def test_an_out_of_any_layout_is_accepted_that_has_its_elements_apart(out):
    values = np.random.default_rng(6).normal(size=out.shape)
    assert moving_average(values, 1, 0, out) is out
    assert np.array_equal(out, values)


X = np.arange(6.0)
READ_ONLY = np.empty(5)
READ_ONLY.setflags(write=False)


@pytest.mark.parametrize(
    "arguments, exception, message",
    [
        ((X, 0), ValueError, r"window must be in 1\.\.6, not 0"),
        ((X, -1), ValueError, r"window must be in 1\.\.6, not -1"),
        ((X, 7), ValueError, r"window must be in 1\.\.6, not 7"),
        ((X, 2.0), TypeError, r"window must be an integer, not 2\.0"),
        ((X, True), TypeError, "window must be an integer, not True"),
        ((X, "2"), TypeError, "window must be an integer, not '2'"),
        ((X, None), TypeError, "window must be an integer, not None"),
        ((X, 2, 1), np.exceptions.AxisError, "axis 1 is out of bounds"),
        ((X, 2, -2), np.exceptions.AxisError, "axis -2 is out of bounds"),
        ((X, 2, 0.0), TypeError, r"axis must be an integer, not 0\.0"),
        ((X, 2, None), TypeError, "axis must be an integer, not None"),
        ((X, 2, True), TypeError, "axis must be an integer, not True"),
        (
            (X, 2, 2**63),
            np.exceptions.AxisError,
            "axis 9223372036854775808 is out of bounds for array of dimension 1",
        ),
        (
            ([[1.0], [1.0, 2.0]], 1),
            ValueError,
            "values must be an array, or what NumPy makes one of: .*inhomogeneous",
        ),
        ((3.0, 1), np.exceptions.AxisError, "axis -1 is out of bounds"),
        (([], 1), ValueError, "values must have at least 1 value along axis 0"),
        ((np.empty((3, 0)), 1), ValueError, "values must have at least 1 value along axis 1"),
        ((X + 0j, 2), TypeError, "values must be of dtype .*, not complex128"),
        ((X.astype(object), 2), TypeError, "values must be of dtype .*, not object"),
        ((["a", "b"], 2), TypeError, "values must be of dtype .*, not <U1"),
        ((X.astype("M8[s]"), 2), TypeError, "values must be of dtype .*, not datetime64"),
        ((np.ma.masked_array(X), 2), TypeError, "values must not be a masked array"),
        ((X, 2, -1, np.empty(6)), ValueError, r"out must have shape \(5,\), not \(6,\)"),
        ((X, 2, -1, np.empty((5, 1))), ValueError, r"out must have shape \(5,\)"),
        ((X, 2, -1, np.empty(5, int)), TypeError, "out must be of dtype float32 or float64, not int64"),
        ((X, 2, -1, np.empty(5, ">f8")), TypeError, "out must be of dtype"),
        ((X, 2, -1, [0.0] * 5), TypeError, "out must be a plain NumPy array, not list"),
        ((X, 2, -1, READ_ONLY), ValueError, "out must be writeable"),
        ((X, 2, -1, np.ma.zeros(5)), TypeError, "out must be a plain NumPy array, not MaskedArray"),
        ((X, 2, -1, X[:5]), ValueError, "out must not share memory"),
        ((X, 2, -1, X[:0:-1]), ValueError, "out must not share memory"),
        (
            (X, 2, -1, strided((5,), (0,))),
            ValueError,
            r"out must not overlap itself, as strides of \(0,\) bytes",
        ),
        ((X, 2, -1, strided((5,), (7,))), ValueError, "out must not overlap itself"),
        ((np.ones((3, 4)), 2, -1, strided((3, 3), (16, 8))), ValueError, "out must not overlap itself"),
        ((np.ones((2, 4)), 2, -1, strided((2, 3), (-8, 8))[:, ::-1]), ValueError, "out must not overlap"),
        ((X, 2, -1, None, 0), ValueError, r"threads must be in 1\.\.4096, not 0"),
        ((X, 2, -1, None, 1.5), TypeError, r"threads must be an integer, not 1\.5"),
    ],
)
def test_what_is_refused(arguments, exception, message):
    with pytest.raises(exception, match=message):
        moving_average(*arguments)


def test_no_index_is_out_of_bounds(monkeypatch):
    module = sys.modules[moving_average.__module__]
    for kernel in (_fill_unrolled, _fill_pairs, _fill_chains, _fill_columns):
        monkeypatch.setattr(module, kernel.__name__, bounds_checked(kernel))
    for window in (1, 3, 7, 9, 10, 100):
        for n in (window, window + 1, 5 * window - 1, 5 * window, 13 * window + 1):
            for shape, axis in (((2, n), 1), ((2, n, 3), 1), ((2, n, LANES + 1), 1)):
                out = np.empty((2, n - window + 1, *shape[2:]))
                _fill(np.ones(shape), axis, window, out, threads=1)
                np.testing.assert_allclose(out, 1.0)


@pytest.mark.skipif(not hasattr(_fill_chains, "py_func"), reason="the JIT is switched off")
@pytest.mark.parametrize("window", [2, 5, 6, 7, 8, 9, 16, 20, 23, 47])
@pytest.mark.parametrize("dtypes", ["dd", "df", "fd", "ff"])
def test_vectors_are_slices_that_stay_inside_their_arrays(monkeypatch, window, dtypes):
    """As Python, with NumPy for the vectors: the same bits, and not a value more than a row has."""
    module = sys.modules[moving_average.__module__]
    stored = []

    def load(array, at, lanes):
        assert at + lanes <= array.size
        return array[at : at + lanes].copy()

    def store(array, at, vector):
        assert at + LANES <= array.size
        array[at : at + LANES] = vector
        stored.append(at)

    size = window // LANES * LANES
    compiled = {}
    least = max(SHORT, size + 2 * LANES)
    for width in (1, SHORT - 1, least, least + 1, least + size - 1, 2 * size + least, 3 * size + 2 * LANES):
        values = np.random.default_rng(window).normal(size=width + window - 1).astype(dtypes[0])
        out = np.empty(width, dtypes[1])
        compiled[width] = values, moving_average(values, window, out=out)
    for name, function in {
        **{name: kernel.py_func for name, kernel in vars(module).items() if hasattr(kernel, "py_func")},
        "load": load,
        "store": store,
        "every": lambda value, lanes: np.full(lanes, value),
        "float64s": lambda vector: vector.astype(np.float64),
        "plus": np.add,
        "shifted": lambda low, high, by: np.concatenate([low, high])[by : by + LANES],
        "times": np.multiply,
        "uint64": int,
    }.items():
        monkeypatch.setattr(module, name, function)
    for width, (values, expected) in compiled.items():
        stored.clear()
        out = np.empty(width, dtypes[1])
        assert np.array_equal(moving_average(values, window, out=out), expected)
        assert bool(stored) == (width >= least)  # shorter rows are summed one by one


def average_beside_guards(beyond=0):
    """Each way along an axis, where values and means end or begin where no memory is."""
    for at_end, dtype, window in itertools.product((True, False), (np.float64, np.float32), (3, 8, 9, 50)):
        for shape in (
            (window,),
            (SHORT + window - 2,),
            (SHORT + 77,),
            (60, 3),
            (60, LANES + 1),
            (60, CHUNK + 1),
        ):
            values = copy_beside_guards(np.random.default_rng(0).random(shape).astype(dtype), at_end, beyond)
            out = guarded((len(values) - window + 1, *shape[1:]), dtype, at_end)
            moving_average(values, window, 0, out)
            assert np.array_equal(out, moving_average(values.copy(), window, 0))


@needs_guards
def test_nothing_is_read_or_written_beside_the_arrays():
    assert exit_code(average_beside_guards) == 0
    assert exit_code(average_beside_guards, 8) in CRASHED  # so the guards are seen


def test_the_kernels_are_python_too():
    code = """if True:
        import numpy as np
        from numba_course.kernels.moving_averages import _fill_chains, moving_average, moving_average_spec
        assert not hasattr(_fill_chains, "py_func")
        for dtype in (np.float64, np.float32):
            values = np.random.default_rng(0).random(80).astype(dtype)
            for window in (1, 3, 8, 9, 17, 80):
                out, want = np.empty(81 - window), moving_average_spec(values, window)
                for threads in (1, 3):
                    np.testing.assert_allclose(moving_average(values, window, -1, out, threads), want, rtol=1e-14)
                for columns in (3, 10):
                    many = moving_average(np.outer(values, np.ones(columns)), window, 0)
                    np.testing.assert_allclose(many.T, [want] * columns, rtol=1e-6)
    """
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, env=environment)


def test_it_agrees_with_every_peer_of_its_benchmark():
    agrees_with_every_peer("moving_average")
