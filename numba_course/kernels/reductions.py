"""Sums and dot products: additions in one fixed order that needs no fastmath to be vectorised."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, prange

from numba_course.kernels.checks import check_array, check_threads

LANES = 256  # running sums that are kept side by side
STEP = 4 * LANES  # values that one pass over the lanes takes in
BLOCK = 8 * STEP  # values that become one partial sum
FLOATS = (np.float64, np.float32)


def sum(values: np.typing.ArrayLike, threads: int = 1) -> float:
    """Sum of all values, in float64.

    Parameters
    ----------
    values : array_like of float64 or float32, shape (n,)
        One that is not contiguous is copied.
    threads : int, 1 <= threads <= 4096
        Parts that are summed at the same time. The result is the same to the last bit for any number.

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
    Every 8192 values are summed in 256 lanes, four values at a time, and the lanes in pairs; the partial sums
    are summed in the same way. The order of the additions is part of the source, so all processors agree. The
    error is at most about ``18 * ceil(log(n, 8192))`` roundings of the sum of the magnitudes, as for pairwise
    summation (Higham, "The accuracy of floating point summation", 1993). O(n), limited by the memory; 0.5 to 0.9 of
    the time of `numpy.sum`.
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
        Parts that are summed at the same time. The result is the same to the last bit for any number.

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
    Each product is rounded, then added in the order of `sum`; the error is that of `sum`, and one rounding of
    each product. O(n), limited by the memory for long arrays: 1.0 to 2.15 times as long as BLAS, about as long from
    a million elements on, twice for ten thousand, as BLAS adds in whatever order suits.
    """
    a, b = (
        np.ascontiguousarray(check_array(name, values, FLOATS, 1)) for name, values in (("a", a), ("b", b))
    )
    if a.size != b.size:
        raise ValueError(f"b must have {a.size} elements, as a, not {b.size}")
    threads = check_threads(threads)
    return _dot(a, b) if threads == 1 else _dot_parts(a, b, threads)


def dot_spec(a: np.typing.NDArray[Any], b: np.typing.NDArray[Any]) -> float:
    """The exact sum of the rounded products, rounded once."""
    return math.fsum(float(x) * float(y) for x, y in zip(a, b, strict=True))


# Drivers: a partial sum for each block, then the sum of those


@njit(cache=True, nogil=True)
def _sum(values):
    partials = np.empty(-(-values.size // BLOCK))
    _sum_blocks(values, partials, 0, partials.size)
    return _total(partials)


@njit(parallel=True, cache=True)
def _sum_parts(values, parts):
    partials = np.empty(-(-values.size // BLOCK))
    for part in prange(parts):
        _sum_blocks(values, partials, partials.size * part // parts, partials.size * (part + 1) // parts)
    return _total(partials)


@njit(cache=True, nogil=True)
def _dot(a, b):
    partials = np.empty(-(-a.size // BLOCK))
    _dot_blocks(a, b, partials, 0, partials.size)
    return _total(partials)


@njit(parallel=True, cache=True)
def _dot_parts(a, b, parts):
    partials = np.empty(-(-a.size // BLOCK))
    for part in prange(parts):
        _dot_blocks(a, b, partials, partials.size * part // parts, partials.size * (part + 1) // parts)
    return _total(partials)


@njit(cache=True, nogil=True)
def _total(partials):
    """The sum of the partial sums, by blocks again."""
    while partials.size > 1:
        fewer = np.empty(-(-partials.size // BLOCK))
        _sum_blocks(partials, fewer, 0, fewer.size)
        partials = fewer
    return partials[0] if partials.size else 0.0


# Kernels. The loops run over slices from 0, because LLVM vectorises them so.


@njit(cache=True, nogil=True)
def _sum_blocks(values, partials, first, last):
    """Fill ``partials[first:last]`` with the sums of these blocks."""
    lanes = np.empty(LANES)
    for block in range(first, last):
        lanes[:] = -0.0  # which changes no sum, not even that of -0.0
        x = values[block * BLOCK : (block + 1) * BLOCK]
        whole = x.size // STEP * STEP
        for start in range(0, whole, STEP):
            step = x[start : start + STEP]
            p, q = step[:LANES], step[LANES : 2 * LANES]
            r, s = step[2 * LANES : 3 * LANES], step[3 * LANES :]
            for i in range(LANES):
                lanes[i] += (np.float64(p[i]) + np.float64(q[i])) + (np.float64(r[i]) + np.float64(s[i]))
        for start in range(whole, x.size, LANES):
            row = x[start : start + LANES]
            for i in range(row.size):
                lanes[i] += np.float64(row[i])
        partials[block] = _fold(lanes)


@njit(cache=True, nogil=True)
def _dot_blocks(a, b, partials, first, last):
    """Fill ``partials[first:last]`` with the dot products of these blocks."""
    lanes = np.empty(LANES)
    for block in range(first, last):
        lanes[:] = -0.0
        x, y = a[block * BLOCK : (block + 1) * BLOCK], b[block * BLOCK : (block + 1) * BLOCK]
        for start in range(0, x.size, LANES):
            p, q = x[start : start + LANES], y[start : start + LANES]
            for i in range(p.size):
                lanes[i] += np.float64(p[i]) * np.float64(q[i])
        partials[block] = _fold(lanes)


@njit(cache=True, nogil=True)
def _fold(lanes):
    """The sum of the lanes, whose number is a power of two: halves are added until one is left."""
    width = lanes.size
    while width > 1:
        width //= 2
        low, high = lanes[:width], lanes[width : 2 * width]
        for i in range(width):
            low[i] += high[i]
    return lanes[0]
