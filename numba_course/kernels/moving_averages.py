"""Moving averages that never subtract: a NaN, an infinity or a spike touches no window but its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import config, njit, prange, uint64
from numba.core.dispatcher import Dispatcher
from numba.extending import register_jitable

from numba_course.kernels.checks import check_array, check_axis, check_integer, check_out, check_threads
from numba_course.kernels.vectors import every, float64s, load, plus, shifted, store, times

DTYPES = tuple(np.dtype(code) for code in "?bBhHiIlLqQefd")
# No kernel here has a disk cache: Numba would keep serving what it compiled before an edit of `vectors`, as it watches
# the file of the function alone.
UNROLLED = 7  # windows up to here are compiled one by one
UNROLLED_BLOCK = 4096  # outputs that are shared out together then
LANES = 8  # sums side by side in a vector
SHORT = 64  # outputs of a row from which vectors pay
CHUNK = 64  # columns that are summed side by side: fewer would read lines of the memory more than once
SUMS = 2**16  # sums that the second-level cache holds


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
        All are about as fast where `values` and `out` are C-contiguous; others cost copies.
    out : ndarray of float32 or float64, shape (..., n - window + 1, ...), optional
        Filled and returned; it must not share memory with `values`. Reused, it saves the system's work of
        handing out fresh pages, which may take as long as the kernel.
    threads : int, 1 <= threads <= 4096
        Into how many parts the work is shared out. 1 runs in the calling thread, without the GIL. What more cost on a
        busy machine, after a fork and where several Python threads call: docs/threads.md. The result is the same to
        the last bit.

    Returns
    -------
    ndarray
        ``out[..., i, ...]`` is the mean of ``values[..., i : i + window, ...]``: of float32 for float32, else of
        float64. Sums are of float64 in either case; for a float64 result from float32 give such an `out`.

    Raises
    ------
    TypeError
        Another dtype, a masked array, or a `window`, `axis` or `threads` that is no int.
    ValueError
        `window` or `threads` out of range, `axis` out of bounds (AxisError), or an `out` of another shape,
        read-only or overlapping `values`.

    Notes
    -----
    Means are computed in float64, with an error of at most ``(window + 2) * 2**-53`` of the mean of the window's
    absolute values, usually about the square root of that factor, and of ``2**-1075`` more where a mean is below the
    normal numbers. One of float32 is then rounded to that. As in bottleneck the sum is multiplied by ``1 / window``, so
    that the float64 mean of 49 ones is one unit in the last place below 1. Where the sum of finite values leaves
    float64's range on its way, even if it comes back, the mean is infinite or NaN.

    Cost: about ten operations on vectors for eight means, for any window: values are summed in overlapping eights,
    and a mean is a sum of such eights up to a boundary plus one from there on [1]_, eight means to a vector. For
    windows of 2 to 8 neighbours are summed in pairs, and pairs of places further on are added; along another
    axis than the last, windows up to 7 are sums that the compiler unrolls and vectorises, and longer ones are summed
    in single values, several neighbours side by side; in rows of fewer than 64 means, or where the JIT is switched
    off, one by one. Scratch is 8 bytes times `window`, for each of the neighbours, of which there are at most 64. The
    checks take a few microseconds. The first call in a process compiles, anew for each dtype and, of those that are
    unrolled, each window: seconds.

    References
    ----------
    .. [1] M. van Herk, "A fast algorithm for local minimum and maximum filters", Pattern Recognition Letters 13
       (1992), 517-521, there for the maximum, which cannot be subtracted either.
    """
    values = check_array("values", values, DTYPES)
    if values.dtype != np.float32:
        values = values.astype(np.float64, copy=False)
    axis = check_axis(axis, values.ndim)
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
        _fill(values, axis, window, np.asarray(out), threads)
    return out


def moving_average_spec(values: np.typing.NDArray[Any], window: int) -> np.typing.NDArray[np.float64]:
    """The mean of each window of a 1-D array, rounded once: the slow and obvious way."""
    windows = [values[i : i + window] for i in range(len(values) - window + 1)]
    with np.errstate(invalid="ignore"):  # both infinities in a window
        return np.array([math.fsum(w) / window if np.isfinite(w).all() else np.sum(w) for w in windows])


def _fill(values, axis, window, out, threads):
    """Fill `out`, by way of contiguous copies where needed.

    Contiguous memory is seen as rows of `n` items, each of `step` values: those of all axes behind `axis`.
    """
    if not values.flags.c_contiguous:
        values, out, axis = values.swapaxes(axis, -1), out.swapaxes(axis, -1), values.ndim - 1
    filled = out if out.flags.c_contiguous else np.empty(out.shape, out.dtype)
    n, width = values.shape[axis], out.shape[axis]
    rows, step = math.prod(out.shape[:axis]), math.prod(out.shape[axis + 1 :])
    by_vectors = step == 1 and width >= SHORT and not config.DISABLE_JIT
    if by_vectors and 1 < window <= LANES:
        fill, law = _fill_pairs, (window, n, width)
        blocks = rows * _ceil(width, UNROLLED_BLOCK)
    elif window <= UNROLLED:
        fill, law = _fill_unrolled, (step, n * step, width * step) + (0,) * window
        blocks = rows * _ceil(width * step, UNROLLED_BLOCK)
    elif step < LANES:
        block = window // LANES * LANES if by_vectors else window
        vectors = max(0, width - 2 * LANES) // block if by_vectors else 0
        fill, law = _fill_chains, (window, step, n, width, block, vectors)
        blocks = rows * _ceil(width, block) * step
    else:
        chunk = min(max(SUMS // window, LANES), CHUNK)
        fill, law = _fill_columns, (window, step, n, width, chunk)
        blocks = rows * _ceil(step, chunk) * _ceil(width, window)
    source, target = np.ascontiguousarray(values).reshape(-1), filled.reshape(-1)
    if threads == 1:
        fill(source, law, target, 0, blocks)
    else:
        _shared(fill)(source, law, target, blocks, threads)
    if filled is not out:
        out[...] = filled


@cache
def _shared(fill: Callable[..., None]) -> Dispatcher:
    """A kernel that fills all blocks in `parts`, each of whole blocks, so that every sum is formed as on one thread."""

    @njit(nogil=True, parallel=True)
    def share_out(values, law, out, blocks, parts):
        for part in prange(parts):
            fill(values, law, out, part * blocks // parts, (part + 1) * blocks // parts)

    return share_out


@register_jitable
def _ceil(size, block):
    """How many blocks there are."""
    return (size + block - 1) // block


# Kernels ``fill(values, law, out, first, last)``: of the blocks of `out`, those from `first` to `last`. They go by
# positions in the whole, as views would have their references counted; unsigned ones, as others may count from the end.


@njit(nogil=True)
def _fill_unrolled(values, law, out, first, last):
    """With a window that is known to the compiler: the length of a tuple is part of its type."""
    (step, size, width), window = law[:3], len(law) - 3  # of a row: all values, and all means
    share, per_row = 1.0 / window, _ceil(width, UNROLLED_BLOCK)
    for number in range(first, last):
        row, start = number // per_row, number % per_row * UNROLLED_BLOCK
        at, to = uint64(row * size + start), uint64(row * width + start)
        for i in range(min(UNROLLED_BLOCK, width - start)):
            total = np.float64(values[at + uint64(i)])
            for k in range(1, window):
                total += values[at + uint64(i + k * step)]
            out[to + uint64(i)] = total * share


@njit(nogil=True)
def _fill_pairs(values, law, out, first, last):
    """With a window of 2 to 8, of rows: by vectors as far as they read nothing behind the row."""
    window, n, width = law
    share, per_row = 1.0 / window, _ceil(width, UNROLLED_BLOCK)
    for number in range(first, last):
        row, start = number // per_row, number % per_row * UNROLLED_BLOCK
        count = min(UNROLLED_BLOCK, width - start)
        at, to = uint64(row * n + start), uint64(row * width + start)
        done = max(0, min(count, n - start - LANES - 1)) // LANES * LANES
        _add_pairs(values, at, window, out, to, done)
        for i in range(done, count):
            total = 0.0
            for k in range(window):
                total += np.float64(values[at + uint64(i + k)])
            out[to + uint64(i)] = total * share


@njit(nogil=True)
def _add_pairs(values, at, window, out, to, count):
    """Fill `count` means, eight at a time; `LANES + 1` values behind those of the last eight are read."""
    share, here, ones = every(1.0 / window, LANES), _pairs(values, at), _ones(values, at)
    for start in range(0, count, LANES):
        after = at + uint64(start + LANES)
        following = _ones(values, after)
        ahead = plus(following, _ones(values, after + uint64(1)))
        total = _odd(window, ones, here, ahead) if window % 2 else _even(window, here, ahead)
        store(out, to + uint64(start), times(total, share))
        here, ones = ahead, following


@njit(nogil=True, inline="always")
def _even(window, here, ahead):
    """Sums of 2, 4, 6 or 8 values: of pairs, and of those 2, 4 and 6 places on."""
    total = here
    if window >= 4:
        total = plus(total, shifted(here, ahead, 2))
    if window >= 6:
        total = plus(total, shifted(here, ahead, 4))
    if window == 8:
        total = plus(total, shifted(here, ahead, 6))
    return total


@njit(nogil=True, inline="always")
def _odd(window, ones, here, ahead):
    """Sums of 3, 5 or 7 values: the first, and pairs 1, 3 and 5 places on."""
    total = plus(ones, shifted(here, ahead, 1))
    if window >= 5:
        total = plus(total, shifted(here, ahead, 3))
    if window == 7:
        total = plus(total, shifted(here, ahead, 5))
    return total


@njit(nogil=True)
def _fill_columns(values, law, out, first, last):
    """Of items with many values: `chunk` of them side by side; a mean is formed as in a chain."""
    window, step, n, width, chunk = law
    chunks, per_row = _ceil(step, chunk), _ceil(width, window)
    share, sums, total = 1.0 / window, np.empty((window, chunk)), np.empty(chunk)
    for number in range(first, last):
        start, side = number % per_row * window, number // per_row % chunks * chunk
        row, count = number // (per_row * chunks), min(chunk, step - side)
        at, to = (row * n + start) * step + side, (row * width + start) * step + side
        total[:] = 0.0
        for k in range(window - 1, -1, -1):
            item, kept = values[at + k * step : at + k * step + count], sums[k]
            for j in range(item.size):
                total[j] += np.float64(item[j])
                kept[j] = total[j]
        total[:] = 0.0
        for k in range(min(window, width - start)):
            behind = at + (window + k - 1) * step
            item, kept = values[behind : behind + (count if k else 0)], sums[k]
            for j in range(item.size):
                total[j] += np.float64(item[j])
            mean = out[to + k * step : to + k * step + count]
            for j in range(mean.size):
                mean[j] = (kept[j] + total[j]) * share


@njit(nogil=True)
def _fill_chains(values, law, out, first, last):
    """Of items with few values, one after the other, and `vectors` blocks of a row by vectors."""
    window, step, n, width, block, vectors = law
    per_row, share, sums = _ceil(width, block), 1.0 / window, np.empty(window)
    column, k, row = first % step, first // step % per_row, first // step // per_row
    while first < last:
        at, to = row * n * step + column, row * width * step + column
        if k < vectors:
            stop = min(vectors, k + last - first)
            _fill_vectors(values, uint64(at), window, sums, out, uint64(to), k, stop)
            first, k = first + stop - k, stop
        else:
            start = k * block
            count = min(block, width - start)
            _fill_chain(values, at + start * step, step, share, sums, out, to + start * step, count)
            first, column = first + 1, column + 1
            if column == step:
                column, k = 0, k + 1
        if k == per_row:
            k, row = 0, row + 1


@njit(nogil=True, inline="always")
def _fill_chain(values, at, step, share, sums, out, to, count):
    """Fill a block: a mean is of a sum up to the end of the first window and of one from there on."""
    window, total = sums.size, 0.0
    for k in range(window - 1, -1, -1):
        total += np.float64(values[uint64(at + k * step)])  # as Python a float32 would make the sum one
        sums[uint64(k)] = total
    out[uint64(to)] = total * share
    total = 0.0
    for k in range(1, count):
        total += np.float64(values[uint64(at + (window + k - 1) * step)])
        out[uint64(to + k * step)] = (sums[uint64(k)] + total) * share


@njit(nogil=True)
def _fill_vectors(values, row, window, sums, out, to, first, last):
    """Fill the blocks `first` to `last` of a row in the same way, with sums of eight in place of values.

    Each vector is added to the one eight places on. What a window has beyond whole eights is added at the end.
    Up to `LANES` values behind those of the last window are read.
    """
    size, rest = window // LANES * LANES, window % LANES
    share = every(1.0 / window, LANES)
    for k in range(0, size, LANES):
        store(sums, uint64(k), _eights(values, row + uint64(first * size + k)))
    for start in range(first * size, last * size, size):
        total = every(0.0, LANES)
        for k in range(size - LANES, -1, -LANES):
            total = plus(total, load(sums, uint64(k), LANES))
            store(sums, uint64(k), total)
        total = every(0.0, LANES)
        for k in range(0, size, LANES):
            at = row + uint64(start + size + k)
            eights, whole = _eights(values, at), plus(load(sums, uint64(k), LANES), total)
            store(out, to + uint64(start + k), times(plus(whole, _few(values, at, rest)), share))
            store(sums, uint64(k), eights)  # what the next block begins with
            total = plus(total, eights)


@njit(nogil=True, inline="always")
def _ones(values, at):
    return float64s(load(values, at, LANES))


@njit(nogil=True, inline="always")
def _pairs(values, at):
    """Sums of two neighbours, each a place on."""
    return plus(_ones(values, at), _ones(values, at + uint64(1)))


@njit(nogil=True)
def _fours(values, at):
    """Sums of four values, each a place on."""
    return plus(_pairs(values, at), _pairs(values, at + uint64(2)))


@njit(nogil=True)
def _eights(values, at):
    """Sums of eight; what wraps around in the upper vectors has no part in them."""
    low, high = _pairs(values, at), _pairs(values, at + uint64(LANES))
    low, high = plus(low, shifted(low, high, 2)), plus(high, shifted(high, high, 2))
    return plus(low, shifted(low, high, 4))


@njit(nogil=True)
def _few(values, at, count):
    """Sums of `count` values, fewer than eight."""
    total = every(0.0, LANES)
    if count >= 4:
        total, at, count = _fours(values, at), at + uint64(4), count - 4
    for k in range(count):
        total = plus(total, _ones(values, at + uint64(k)))
    return total
