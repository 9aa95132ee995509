"""Sums and dot products: additions in one fixed order that needs no fastmath to be vectorised."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, prange

from numba_course.kernels.checks import check_array, check_threads

LANES = 16  # running sums side by side
STEP = 4 * LANES  # values that one pass over the lanes takes in: more would read memory out of sequence
PAIRS = 8 * LANES  # pairs of values; what is read of two arrays is apart anyway
BLOCK = 32 * STEP  # values that have lanes of their own
FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


def sum(values: np.typing.ArrayLike, threads: int = 1) -> float:
    """Sum of all values, in float64.

    Parameters
    ----------
    values : array_like of float64 or float32, shape (n,)
        One that is not contiguous is copied.
    threads : int, 1 <= threads <= 4096
        Parts that are summed at the same time. The result is the same to the last bit for any number. What more than
        1 cost on a busy machine, after a fork and where several Python threads call: docs/threads.md.

    Returns
    -------
    float
        0.0 for no values. NaN and infinities have their usual effect; a sum of finite values that leaves the
        range on its way gives an infinity or NaN.

    Raises
    ------
    TypeError, ValueError
        If `values` has another dtype or number of axes, or `threads` is no positive integer.

    Notes
    -----
    Every 2048 values are summed in 16 lanes, four values to each at a time, in pairs; then the lanes of all blocks are
    added in halves. The order of the additions is part of the source, so all processors agree. The error is at most
    about ``40 + ceil(log2(n / 2048))`` roundings of the sum of the magnitudes, as for pairwise summation (Higham, "The
    accuracy of floating point summation", 1993). O(n). The values are read in sequence: where whole rows of 2 KiB
    were read side by side, values beyond the caches took more than twice as long.
    """
    values = np.ascontiguousarray(check_array("values", values, FLOATS, 1))
    threads = check_threads(threads)
    return _sum(values) if threads == 1 else _sum_parts(values, threads)


def sum_spec(values: np.typing.NDArray[Any]) -> float:
    """The exact sum, rounded once."""
    return math.fsum(values)


def dot(a: np.typing.ArrayLike, b: np.typing.ArrayLike, threads: int = 1) -> float:
    """Sum of the products of two arrays' elements, in float64.

    Parameters
    ----------
    a, b : array_like of float64 or float32, shape (n,)
        What is not contiguous is copied.
    threads : int, 1 <= threads <= 4096
        Parts that are summed at the same time. The result is the same to the last bit for any number. What more than
        1 cost on a busy machine, after a fork and where several Python threads call: docs/threads.md.

    Returns
    -------
    float
        0.0 for no values; NaN and infinities have their usual effect.

    Raises
    ------
    TypeError, ValueError
        If an argument has another dtype or number of axes, the sizes differ, or `threads` is no positive
        integer.

    Notes
    -----
    Each product is rounded, then added as in `sum`, but eight to each lane at a time; the error is at most that of
    `sum`, and one rounding of each product. O(n).
    """
    a = np.ascontiguousarray(check_array("a", a, FLOATS, 1))
    b = np.ascontiguousarray(check_array("b", b, FLOATS, 1))
    if a.size != b.size:
        raise ValueError(f"b must have {a.size} elements, as a, not {b.size}")
    threads = check_threads(threads)
    return _dot(a, b) if threads == 1 else _dot_parts(a, b, threads)


def dot_spec(a: np.typing.NDArray[Any], b: np.typing.NDArray[Any]) -> float:
    """The exact sum of the rounded products, rounded once."""
    return math.fsum(float(x) * float(y) for x, y in zip(a, b, strict=True))


# Drivers: a row of lanes for each block, then the sum of all lanes


@njit(cache=True, nogil=True)
def _sum(values):
    lanes = _rows(values.size)
    _sum_blocks(values, lanes, 0, len(lanes))
    return _fold(lanes.reshape(-1))


@njit(parallel=True, cache=True)
def _sum_parts(values, parts):
    lanes = _rows(values.size)
    for part in prange(parts):
        _sum_blocks(values, lanes, len(lanes) * part // parts, len(lanes) * (part + 1) // parts)
    return _fold(lanes.reshape(-1))


@njit(cache=True, nogil=True)
def _dot(a, b):
    lanes = _rows(a.size)
    _dot_blocks(a, b, lanes, 0, len(lanes))
    return _fold(lanes.reshape(-1))


@njit(parallel=True, cache=True)
def _dot_parts(a, b, parts):
    lanes = _rows(a.size)
    for part in prange(parts):
        _dot_blocks(a, b, lanes, len(lanes) * part // parts, len(lanes) * (part + 1) // parts)
    return _fold(lanes.reshape(-1))


@njit(cache=True, nogil=True)
def _rows(size):
    """Lanes for all blocks, not set."""
    return np.empty((-(-size // BLOCK), LANES))


# Kernels. The loops run over slices from 0, because LLVM vectorises them so.


@njit(cache=True, nogil=True)
def _sum_blocks(values, lanes, first, last):
    """Sum the blocks `first` to `last` in their lanes."""
    for block in range(first, last):
        own, x = lanes[block], values[block * BLOCK : (block + 1) * BLOCK]
        own[:] = -0.0  # which changes no sum, not even that of -0.0
        whole = x.size // STEP * STEP
        for start in range(0, whole, STEP):
            p = x[start : start + STEP]
            for i in range(own.size):  # of 16, said so, LLVM would make scalar additions
                own[i] += _two(p, i) + _two(p, i + 2 * LANES)
        for start in range(whole, x.size, LANES):
            p = x[start : start + LANES]
            for i in range(p.size):
                own[i] += np.float64(p[i])


@njit(cache=True, nogil=True)
def _two(x, i):
    """Two values for the same lane."""
    return np.float64(x[i]) + np.float64(x[i + LANES])


@njit(cache=True, nogil=True)
def _dot_blocks(a, b, lanes, first, last):
    """Sum the products of the blocks `first` to `last` in their lanes."""
    for block in range(first, last):
        own, x, y = (
            lanes[block],
            a[block * BLOCK : (block + 1) * BLOCK],
            b[block * BLOCK : (block + 1) * BLOCK],
        )
        own[:] = -0.0
        whole = x.size // PAIRS * PAIRS
        for start in range(0, whole, PAIRS):
            p, q = x[start : start + PAIRS], y[start : start + PAIRS]
            for i in range(LANES):
                low = _two_products(p, q, i) + _two_products(p, q, i + 2 * LANES)
                high = _two_products(p, q, i + 4 * LANES) + _two_products(p, q, i + 6 * LANES)
                own[i] += low + high
        for start in range(whole, x.size, LANES):
            p, q = x[start : start + LANES], y[start : start + LANES]
            for i in range(p.size):
                own[i] += np.float64(p[i]) * np.float64(q[i])


@njit(cache=True, nogil=True)
def _two_products(x, y, i):
    """Two products for the same lane."""
    return np.float64(x[i]) * np.float64(y[i]) + np.float64(x[i + LANES]) * np.float64(y[i + LANES])


@njit(cache=True, nogil=True)
def _fold(lanes):
    """The sum of all lanes: the upper half is added to the lower one until one is left."""
    size = lanes.size
    while size > 1:
        half = (size + 1) // 2
        low, high = lanes[:half], lanes[half:size]
        for i in range(high.size):
            low[i] += high[i]
        size = half
    return lanes[0] if size else 0.0
