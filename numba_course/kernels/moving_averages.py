"""Moving averages that never subtract: a NaN, an infinity or a spike touches no window but its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import config, njit, prange, uint64
from numpy.lib.array_utils import normalize_axis_index

from numba_course.kernels.checks import check_array, check_integer, check_out, check_threads
from numba_course.kernels.vectors import every, float64s, load, plus, store, times

DTYPES = tuple(np.dtype(code) for code in "?bBhHiIlLqQefd")
# No kernel here has a disk cache: Numba would keep serving what it compiled before an edit of `vectors`, as it watches
# the file of the function alone.
UNROLLED = 8  # windows up to here are compiled one by one
UNROLLED_BLOCK = 4096  # outputs that are shared out together then
LANES = 8  # sums side by side in a vector


def moving_average(
    values: np.typing.ArrayLike,
    window: int,
    axis: int = -1,
    out: np.typing.NDArray[np.floating] | None = None,
    threads: int = 1,
) -> np.typing.NDArray[np.floating]:
    """Mean of every full window of `window` neighbours along an axis.

    Parameters
    ----------
    values : array_like of float32, float64, float16, integers or bool, shape (..., n, ...)
        Of any layout; it may be read-only.
    window : int, 1 <= window <= n
    axis : int
        Fast along a contiguous last axis; any other costs a copy.
    out : ndarray of float32 or float64, shape (..., n - window + 1, ...), optional
        Filled and returned; it must not share memory with `values`. Reused, it saves the system's work of
        handing out fresh pages, which may take as long as the kernel.
    threads : int, 1 <= threads <= 4096
        Into how many parts the work is shared out. 1 runs in the calling thread, without the GIL, and is safe in
        several threads at once; more use Numba's threading layer, of which "workqueue" allows one caller at a
        time. The result is the same to the last bit.

    Returns
    -------
    ndarray
        ``out[..., i, ...]`` is the mean of ``values[..., i : i + window, ...]``: of float32 for float32, else of
        float64. Sums are of float64 in either case; for a float64 result from float32 give such an `out`.

    Raises
    ------
    TypeError
        Another dtype, a masked array, or a `window` that is no int.
    ValueError
        `window` or `threads` out of range, `axis` out of bounds (AxisError), or an `out` of another shape,
        read-only or overlapping `values`.

    Notes
    -----
    The error is at most ``(window + 2) * 2**-53`` of the mean of the window's absolute values, usually about the
    square root of that factor. As in bottleneck the sum is multiplied by ``1 / window``, so that the mean of 49
    ones is one unit in the last place below 1. A sum beyond float64's range is infinite.

    Cost: 11 to 15 additions of vectors to eight means, for any window: values are summed in overlapping eights,
    and a mean is a sum of such eights up to a boundary plus one from there on [1]_, eight means to a vector.
    Windows to 8 are sums that the compiler unrolls and vectorises. Scratch is 8 bytes times `window`. What is
    left of a row, up to two windows, is a single chain of sums, about as fast as a running sum; so is all of it
    where the JIT is switched off. Against bottleneck, one thread took 0.7 to 0.9 of the time for a million float64
    values and 0.5 to 0.6 for ten million, two took 0.3. For windows of 5 and 8 the kernel takes as long as a compiled
    loop that copies, 1.0 to 1.2 times as long as `numpy.copyto`; the checks add some 20 microseconds. The first
    call in a process compiles, anew for each dtype and each window up to 8: seconds.

    References
    ----------
    .. [1] M. van Herk, "A fast algorithm for local minimum and maximum filters", Pattern Recognition Letters 13
       (1992), 517-521, there for the maximum, which cannot be subtracted either.
    """
    values = check_array("values", values, DTYPES)
    if values.dtype != np.float32:
        values = values.astype(np.float64, copy=False)
    axis = normalize_axis_index(axis, values.ndim)
    n, threads = values.shape[axis], check_threads(threads)
    if n == 0:
        raise ValueError(f"values must have at least 1 value along axis {axis}, not 0")
    window = check_integer("window", window, 1, n)
    shape = (*values.shape[:axis], n - window + 1, *values.shape[axis + 1 :])
    if out is None:
        out = np.empty(shape, values.dtype)
    else:
        check_out("out", out, shape, (np.float32, np.float64), values)
    if out.size:
        _along_last_axis(values.swapaxes(axis, -1), window, out.swapaxes(axis, -1), threads)
    return out


def moving_average_spec(values: np.typing.NDArray[Any], window: int) -> np.typing.NDArray[np.float64]:
    """The mean of each window of a 1-D array, rounded once: the slow and obvious way."""
    windows = [values[i : i + window] for i in range(len(values) - window + 1)]
    with np.errstate(invalid="ignore"):  # both infinities in a window
        return np.array([math.fsum(w) / window if np.isfinite(w).all() else np.sum(w) for w in windows])


def _along_last_axis(values, window, out, threads):
    """Fill `out` row by row, by way of contiguous copies where needed."""
    filled = out if out.flags.c_contiguous else np.empty(out.shape, out.dtype)
    rows = np.ascontiguousarray(values).reshape(-1, values.shape[-1])
    results = filled.reshape(-1, filled.shape[-1])
    unrolled = window <= UNROLLED
    taps, block = ((0,) * window, UNROLLED_BLOCK) if unrolled else ((), window // LANES * LANES)
    blocks = results.shape[0] * -(-results.shape[1] // block)
    vectors = 0 if config.DISABLE_JIT else max(0, results.shape[1] - LANES) // block
    if threads == 1:
        _fill_blocks(rows, window, taps, block, vectors, results, 0, blocks)
    else:
        _share_out(rows, window, taps, block, vectors, results, blocks, threads)
    if filled is not out:
        out[...] = filled


@njit(nogil=True, parallel=True)
def _share_out(rows, window, taps, block, vectors, out, blocks, parts):
    """Fill `out` in `parts`, each of whole blocks, so that every sum is formed as on one thread."""
    for part in prange(parts):
        first, last = part * blocks // parts, (part + 1) * blocks // parts
        _fill_blocks(rows, window, taps, block, vectors, out, first, last)


@njit(nogil=True)
def _fill_blocks(rows, window, taps, block, vectors, out, first, last):
    """Fill the blocks `first` to `last` of `out`, counted row by row; in a row the first `vectors` by vectors."""
    width = out.shape[1]
    per_row = (width + block - 1) // block
    sums = np.empty(0 if len(taps) else window)
    while first < last:
        row, start = first // per_row, first % per_row
        stop = min(per_row, start + last - first)
        first += stop - start
        if len(taps):
            low, high = start * block, min(stop * block, width)
            _fill_unrolled(rows[row, low : high + window - 1], taps, out[row, low:high])
        else:
            _fill_vectors(rows[row], window, sums, out[row], start, min(stop, vectors))
            for k in range(max(start, vectors), stop):
                low, high = k * block, min((k + 1) * block, width)
                _fill_block(rows[row, low : high + window - 1], window, sums, out[row, low:high])


@njit(nogil=True)
def _fill_unrolled(values, taps, out):
    """Fill `out` with a window that is known to the compiler: the length of the tuple `taps` is part of its type."""
    share = 1.0 / len(taps)
    for i in range(out.size):
        total = np.float64(values[i])
        for k in range(1, len(taps)):
            total += values[i + k]
        out[i] = total * share


@njit(nogil=True)
def _fill_block(values, window, sums, out):
    """Fill a block: a mean is of a sum up to the end of the first window and of one from there on."""
    share, total = 1.0 / window, 0.0
    for k in range(window - 1, -1, -1):
        total += np.float64(values[k])  # as Python a float32 would make the sum one
        sums[k] = total
    out[0] = sums[0] * share
    total = 0.0
    for k in range(1, out.size):
        total += np.float64(values[window + k - 1])
        out[k] = (sums[k] + total) * share


@njit(nogil=True)
def _fill_vectors(values, window, sums, out, first, last):
    """Fill the blocks `first` to `last` in the same way, with sums of eight in place of values.

    Each vector is added to the one eight places on. What a window has beyond whole eights is added at the end.
    Up to `LANES` values behind those of the last window are read.
    """
    if first >= last:
        return
    size, rest = window // LANES * LANES, window % LANES
    share = every(1.0 / window, LANES)
    for k in range(0, size, LANES):
        store(sums, uint64(k), _eights(values, uint64(first * size + k)))
    for start in range(first * size, last * size, size):
        total = every(0.0, LANES)
        for k in range(size - LANES, -1, -LANES):
            total = plus(total, load(sums, uint64(k), LANES))
            store(sums, uint64(k), total)
        total = every(0.0, LANES)
        for k in range(0, size, LANES):
            at = uint64(start + size + k)
            eights, whole = _eights(values, at), plus(load(sums, uint64(k), LANES), total)
            store(out, uint64(start + k), times(plus(whole, _few(values, at, rest)), share))
            store(sums, uint64(k), eights)  # what the next block begins with
            total = plus(total, eights)


@njit(nogil=True, inline="always")
def _ones(values, at):
    return float64s(load(values, at, LANES))


@njit(nogil=True)
def _fours(values, at):
    """Sums of four values, each a place on."""
    low = plus(_ones(values, at), _ones(values, at + uint64(1)))
    return plus(low, plus(_ones(values, at + uint64(2)), _ones(values, at + uint64(3))))


@njit(nogil=True)
def _eights(values, at):
    """Sums of eight."""
    return plus(_fours(values, at), _fours(values, at + uint64(4)))


@njit(nogil=True)
def _few(values, at, count):
    """Sums of `count` values, fewer than eight."""
    total = every(0.0, LANES)
    if count >= 4:
        total, at, count = _fours(values, at), at + uint64(4), count - 4
    for k in range(count):
        total = plus(total, _ones(values, at + uint64(k)))
    return total
