"""The passes of `resize` for a processor with AVX2: a register at a time, uint8 in 16 bits."""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

import numpy as np
from numba import njit, uint64
from numba.core.dispatcher import Dispatcher

from numba_course.kernels.vectors import (
    every,
    halves,
    joined,
    lerp_q8,
    load,
    look_up,
    look_up_both,
    mix,
    prefetch,
    round_q8,
    store,
    to_q8,
)

Scalar = TypeVar("Scalar", bound=np.generic)
# Neighbours and weights, as `resize.positions` gives them.
Table: TypeAlias = "tuple[np.typing.NDArray[np.intp], np.typing.NDArray[np.float64]]"
AHEAD = 256  # float32 values: how far the memory of a result is fetched before it is written


def columns_for(
    dtype: np.dtype, size: int, step: int, columns: Table
) -> tuple[Dispatcher, Dispatcher, tuple[Any, ...]] | None:
    """The steps and their table for rows of `size` values, `step` channels a pixel; None where the plain ones serve."""
    left, right = columns
    if size >= 2**32:
        return None  # indices of 32 bits would not do
    if dtype == np.uint8:
        return columns_uint8(size, step, left, q16(right))
    if dtype == np.float32:
        return columns_float32(size, step, left, np.stack([1 - right, right]).astype(np.float32))
    return None


def rows_for(dtype: np.dtype, rows: Table) -> tuple[Any, ...]:
    """The table of rows for the steps of `columns_for`."""
    top, below = rows
    if dtype == np.uint8:
        return top, q16(below)
    return top, np.stack([1 - below, below], axis=1).astype(np.float32)


def columns_uint8(
    size: int, step: int, left: np.typing.NDArray[np.intp], weights: np.typing.NDArray[np.uint16]
) -> tuple[Dispatcher, Dispatcher, tuple[Any, ...]]:
    """The steps and the table of columns: neighbours near each other, or far apart, or as they come."""
    base, within, span = windows(left, step, size, 16)
    if span:
        table = base, within.astype(np.uint8), np.uint64(step), padded(weights, 16)
        return across_q8_narrow if span == 16 else across_q8_wide, down_q8, table
    pixels = {1: 16, 2: 8, 3: 4, 4: 4}.get(step, len(left) + 1)  # that fill a register of results
    if pixels * step > len(left) or size < 8:
        return across_q8, down_q8, (left.astype(np.uint32), np.uint32(step), weights)
    slots = 16 // pixels  # values of a pixel in a register, one of them unused if there are 3 channels
    start = np.minimum(left[::step], size - 2 * slots)
    first = np.minimum(np.arange(0, len(start), pixels), len(start) - pixels)
    each = (first[:, None] + np.arange(pixels)).ravel()  # the pixels that the groups hold, some in two
    shift = (left[::step] - start)[each].reshape(-1, pixels // 2, 1)  # only near the end, of 3 channels
    half = np.arange(pixels // 2)[:, None] * 2 * slots + np.minimum(np.arange(slots), step - 1)
    places = np.concatenate([half + shift, half + shift + step], axis=1).astype(np.uint8).ravel()
    lanes = weights[::step][each].repeat(slots)
    if step == 3:
        places = np.append(places, np.array([0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0], np.uint8))
    source, target = (first * 2 * slots).astype(np.uint64), (first * step).astype(np.uint64)
    line = np.empty(len(start) * 2 * slots, np.uint8)
    down = down_q8_triples if step == 3 else down_q8_pairs
    return ACROSS_PAIRS[2 * slots], down, (start.astype(np.uint64), source, target, places, lanes, line)


def columns_float32(
    size: int, step: int, left: np.typing.NDArray[np.intp], weights: np.typing.NDArray[np.float32]
) -> tuple[Dispatcher, Dispatcher, tuple[Any, ...]] | None:
    """The same for float32; None where neither suits."""
    base, places, span = windows(left, step, size, 8)
    if span:
        table = base, places.astype(np.uint32), np.uint64(step), np.stack([padded(row, 8) for row in weights])
        return across_f32_narrow if span == 8 else across_f32_wide, down_f32, table
    if step > 1 or len(left) < 8:
        return None
    first = np.minimum(np.arange(0, len(left), 8), len(left) - 8)
    lanes = np.ascontiguousarray(weights[:, (first[:, None] + np.arange(8)).ravel()])
    order = np.array([0, 2, 4, 6, 1, 3, 5, 7], np.uint32)
    line = np.empty(2 * len(left), np.float32)
    first = first.astype(np.uint64)
    return ACROSS_PAIRS[2], down_f32_pairs, (left.astype(np.uint64), 2 * first, first, order, lanes, line)


def q16(weights: np.typing.NDArray[np.float64]) -> np.typing.NDArray[np.uint16]:
    """Weights as uint16: 65535 is 1."""
    return np.rint(weights * 65535).astype(np.uint16)


def padded(table: np.typing.NDArray[Scalar], lanes: int) -> np.typing.NDArray[Scalar]:
    """`table` with its last entry repeated until registers are full."""
    missing = -len(table) % lanes
    return np.concatenate([table, table[-1:].repeat(missing)]) if missing else table


def windows(
    left: np.typing.NDArray[np.intp], step: int, size: int, lanes: int
) -> tuple[np.typing.NDArray[np.uint64], np.typing.NDArray[np.intp], int]:
    """Where to load, so that each register of `lanes` neighbours lies in 1 or 2 registers of the row.

    Returns the first position of each window, the place of each left neighbour in it, and how long windows are:
    `lanes`, twice that, or 0 if the neighbours lie farther apart. No window leaves the row, nor does one that
    begins `step` values later.
    """
    left = padded(left, lanes).reshape(-1, lanes)
    base = left.min(axis=1)
    needed = (left.max(axis=1) - base).max() + 1
    span = next((span for span in (lanes, 2 * lanes) if needed <= span and span + step <= size), 0)
    base = np.minimum(base, size - step - span)
    return base.astype(np.uint64), (left - base[:, None]).ravel(), span


@njit(nogil=True)
def across_q8(image, start, columns, lines, to):
    """Fill the line at `to` with 256 times the row at `start` interpolated, wherever the neighbours lie."""
    left, step, weights = columns
    row, line = image[start:], lines[to : to + left.size]
    for k in range(left.size):
        line[k] = lerp_q8(to_q8(row[left[k]]), to_q8(row[left[k] + step]), weights[k])


@njit(nogil=True)
def across_q8_narrow(image, start, columns, lines, to):
    """The same, 16 values at a time that lie in a window of 16."""
    base, places, step, weights = columns
    for g in range(base.size):
        at, left = uint64(16 * g), uint64(start) + base[g]
        place = load(places, at, 16)
        a = to_q8(look_up(load(image, left, 16), place))
        b = to_q8(look_up(load(image, left + step, 16), place))
        store(lines, uint64(to) + at, lerp_q8(a, b, load(weights, at, 16)))


@njit(nogil=True)
def across_q8_wide(image, start, columns, lines, to):
    """The same for windows of 32."""
    base, places, step, weights = columns
    for g in range(base.size):
        at, left, right = uint64(16 * g), uint64(start) + base[g], uint64(start) + base[g] + step
        place = load(places, at, 16)
        a = to_q8(look_up_both(load(image, left, 16), load(image, left + uint64(16), 16), place))
        b = to_q8(look_up_both(load(image, right, 16), load(image, right + uint64(16), 16), place))
        store(lines, uint64(to) + at, lerp_q8(a, b, load(weights, at, 16)))


@njit(nogil=True)
def down_q8(lines, upper, lower, columns, weights, y, out, size):
    """Fill row `y` with what lies between two lines made by `across_q8`, rounded to the nearest integer."""
    a, b, row = lines[upper : upper + size], lines[lower : lower + size], out[y * size : (y + 1) * size]
    for k in range(row.size):
        row[k] = round_q8(lerp_q8(a[k], b[k], weights[y]))


@njit(nogil=True)
def across_f32_narrow(image, start, columns, lines, to):
    """Fill the line with the row interpolated, 8 values at a time that lie in a window of 8."""
    base, places, step, weights = columns
    for g in range(base.size):
        at, left = uint64(8 * g), uint64(start) + base[g]
        place = load(places, at, 8)
        a, b = look_up(load(image, left, 8), place), look_up(load(image, left + step, 8), place)
        store(lines, uint64(to) + at, mix(a, b, load(weights[0], at, 8), load(weights[1], at, 8)))


@njit(nogil=True)
def across_f32_wide(image, start, columns, lines, to):
    """The same for windows of 16."""
    base, places, step, weights = columns
    for g in range(base.size):
        at, left, right = uint64(8 * g), uint64(start) + base[g], uint64(start) + base[g] + step
        place = load(places, at, 8)
        a = look_up_both(load(image, left, 8), load(image, left + uint64(8), 8), place)
        b = look_up_both(load(image, right, 8), load(image, right + uint64(8), 8), place)
        store(lines, uint64(to) + at, mix(a, b, load(weights[0], at, 8), load(weights[1], at, 8)))


@njit(nogil=True)
def down_f32(lines, upper, lower, columns, weights, y, out, size):
    """Fill row `y` with what lies between two lines, two registers at a time: as much as a line of the cache.

    Those that follow are fetched meanwhile: to wait for them takes longer than the arithmetic.
    """
    above, below = every(weights[y, 0], 8), every(weights[y, 1], 8)
    whole = size // 16 * 16
    for k in range(0, whole, 16):
        p, q, at, more = uint64(upper + k), uint64(lower + k), uint64(y * size + k), uint64(8)
        prefetch(out, at + uint64(AHEAD))
        store(out, at, mix(load(lines, p, 8), load(lines, q, 8), above, below))
        store(out, at + more, mix(load(lines, p + more, 8), load(lines, q + more, 8), above, below))
    for k in range(whole, size):
        out[y * size + k] = weights[y, 0] * lines[upper + k] + weights[y, 1] * lines[lower + k]


def across_pairs(size: int) -> Dispatcher:
    """A step that fills its line with `size` values a column: those of both neighbours, and what lies between."""

    @njit(nogil=True)
    def across(image, start, columns, lines, to):
        left = columns[0]
        for k in range(left.size):
            store(lines, uint64(to + size * k), load(image, uint64(start) + left[k], size))

    return across


ACROSS_PAIRS = {size: across_pairs(size) for size in (2, 4, 8)}


@njit(nogil=True)
def down_q8_pairs(lines, upper, lower, columns, weights, y, out, size):
    """Fill row `y` from two lines of pairs, 16 values at a time: down between the lines first, then across."""
    _, source, target, places, shares, _ = columns
    below = every(weights[y], 16)
    for g in range(source.size):
        a, b, lanes = uint64(upper) + source[g], uint64(lower) + source[g], uint64(16 * g)
        store(out, uint64(y * size) + target[g], across_group(lines, a, b, places, below, shares, lanes))


@njit(nogil=True)
def down_q8_triples(lines, upper, lower, columns, weights, y, out, size):
    """The same for 3 channels: of each 4 values one is left out."""
    _, source, target, places, shares, _ = columns
    below = every(weights[y], 16)
    used = load(places, uint64(places.size - 16), 16)
    for g in range(source.size):
        a, b, lanes = uint64(upper) + source[g], uint64(lower) + source[g], uint64(16 * g)
        group = look_up(across_group(lines, a, b, places, below, shares, lanes), used)
        at, (first, rest) = uint64(y * size) + target[g], halves(group)
        store(out, at, first)
        store(out, at + uint64(8), halves(rest)[0])


@njit(nogil=True, inline="always")
def across_group(lines, upper, lower, places, below, shares, lanes):
    """16 results from 32 bytes of each line."""
    twice, more = lanes + lanes, uint64(16)
    a, b = pairs_q8(lines, upper, lower, load(places, twice, 16), below)
    c, d = pairs_q8(lines, upper + more, lower + more, load(places, twice + more, 16), below)
    return round_q8(lerp_q8(joined(a, c), joined(b, d), load(shares, lanes, 16)))


@njit(nogil=True, inline="always")
def pairs_q8(lines, upper, lower, place, below):
    """What lies between the lines: left neighbours, and right ones."""
    a, b = look_up(load(lines, upper, 16), place), look_up(load(lines, lower, 16), place)
    return halves(lerp_q8(to_q8(a), to_q8(b), below))


@njit(nogil=True)
def down_f32_pairs(lines, upper, lower, columns, weights, y, out, size):
    """Fill row `y` from two lines of pairs, 8 values at a time: down between the lines first, then across."""
    _, source, target, places, shares, _ = columns
    place, more = load(places, uint64(0), 8), uint64(8)
    above, below = every(weights[y, 0], 8), every(weights[y, 1], 8)
    for g in range(source.size):
        p, q, lanes = uint64(upper) + source[g], uint64(lower) + source[g], uint64(8 * g)
        a, b = halves(look_up(mix(load(lines, p, 8), load(lines, q, 8), above, below), place))
        c, d = halves(look_up(mix(load(lines, p + more, 8), load(lines, q + more, 8), above, below), place))
        first, second = load(shares[0], lanes, 8), load(shares[1], lanes, 8)
        store(out, uint64(y * size) + target[g], mix(joined(a, c), joined(b, d), first, second))
