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
    load_each,
    look_up,
    look_up_both,
    mix,
    prefetch,
    round_q8,
    store,
    to_q8,
    unzipped,
)

Scalar = TypeVar("Scalar", bound=np.generic)
# Neighbours and weights, as `resize.positions` gives them.
Table: TypeAlias = "tuple[np.typing.NDArray[np.intp], np.typing.NDArray[np.float64]]"
AHEAD = 256  # float32 values: how far the memory of a result is fetched before it is written
NO_LINE_Q8, NO_LINE_F32 = (
    np.zeros(1, np.uint8),
    np.zeros(1, np.float32),
)  # one value, as a pipeline declares no less


def columns_for(
    dtype: np.dtype, size: int, step: int, columns: Table
) -> tuple[Dispatcher | None, Dispatcher, tuple[Any, ...]] | None:
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
) -> tuple[Dispatcher | None, Dispatcher, tuple[Any, ...]]:
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
    first, each = groups(len(start), pixels)
    shift = (left[::step] - start)[each].reshape(-1, pixels // 2, 1)  # only near the end, of 3 channels
    half = np.arange(pixels // 2)[:, None] * 2 * slots + np.minimum(np.arange(slots), step - 1)
    places = np.concatenate([half + shift, half + shift + step], axis=1).astype(np.uint8).ravel()
    lanes = weights[::step][each].repeat(slots)
    if step == 3:
        places = np.append(places, np.array([0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0], np.uint8))
    down = down_q8_triples if step == 3 else DOWN_Q8_FAR[2 * slots]
    return (
        None,
        down,
        (start.astype(np.uint64), first, first * np.uint64(step), places, lanes, NO_LINE_Q8),
    )


def columns_float32(
    size: int, step: int, left: np.typing.NDArray[np.intp], weights: np.typing.NDArray[np.float32]
) -> tuple[Dispatcher | None, Dispatcher, tuple[Any, ...]] | None:
    """The same for float32; None where neither suits."""
    base, places, span = windows(left, step, size, 8)
    if span:
        table = base, places.astype(np.uint32), np.uint64(step), np.stack([padded(row, 8) for row in weights])
        return across_f32_narrow if span == 8 else across_f32_wide, down_f32, table
    if step > 1 or len(left) < 8:
        return None
    first, each = groups(len(left), 8)
    lanes = np.ascontiguousarray(weights[:, each])
    return None, down_f32_far, (left.astype(np.uint64), first, lanes, NO_LINE_F32)


def groups(size: int, pixels: int) -> tuple[np.typing.NDArray[np.uint64], np.typing.NDArray[np.intp]]:
    """The first of each `pixels` of `size`, the last group moved back to end there; then all of them, some twice."""
    first = np.minimum(np.arange(0, size, pixels), size - pixels)
    return first.astype(np.uint64), (first[:, None] + np.arange(pixels)).ravel()


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


# Where neighbours lie far apart, no line is made: a step `down` reads two rows of the image, given as `lines`, and
# computes down between them first, then across.


def group_q8(size: int) -> Dispatcher:
    """A function that computes 16 values; `size` bytes hold a pixel and its neighbour, two registers all of them."""
    pixels = 16 // size

    @njit(nogil=True)
    def between(image, upper, lower, left, first, place, below):
        """What lies between the rows: left neighbours, and right ones."""
        a = look_up(load_each(image, upper, left, first, size, pixels), place)
        b = look_up(load_each(image, lower, left, first, size, pixels), place)
        return halves(lerp_q8(to_q8(a), to_q8(b), below))

    @njit(nogil=True)
    def group(image, upper, lower, columns, g, below):
        left, first, _, places, shares, _ = columns
        at, more, lanes = first[g], uint64(16), uint64(16 * g)
        low, high = load(places, lanes + lanes, 16), load(places, lanes + lanes + more, 16)
        a, b = between(image, uint64(upper), uint64(lower), left, at, low, below)
        c, d = between(image, uint64(upper), uint64(lower), left, at + uint64(pixels), high, below)
        return round_q8(lerp_q8(joined(a, c), joined(b, d), load(shares, lanes, 16)))

    return group


def far_q8(size: int) -> Dispatcher:
    """A step that fills row `y` from two rows of the image, 16 values at a time."""
    group = group_q8(size)

    @njit(nogil=True)
    def down(lines, upper, lower, columns, weights, y, out, size):
        target, below = columns[2], every(weights[y], 16)
        for g in range(target.size):
            store(out, uint64(y * size) + target[g], group(lines, upper, lower, columns, g, below))

    return down


DOWN_Q8_FAR = {size: far_q8(size) for size in (2, 4, 8)}
GROUP_OF_FOUR = group_q8(8)


@njit(nogil=True)
def down_q8_triples(lines, upper, lower, columns, weights, y, out, size):
    """The same for 3 channels: of each 4 values one is left out."""
    target, places, below = columns[2], columns[3], every(weights[y], 16)
    used = load(places, uint64(places.size - 16), 16)
    for g in range(target.size):
        group = look_up(GROUP_OF_FOUR(lines, upper, lower, columns, g, below), used)
        at, (first, rest) = uint64(y * size) + target[g], halves(group)
        store(out, at, first)
        store(out, at + uint64(8), halves(rest)[0])


@njit(nogil=True)
def down_f32_far(lines, upper, lower, columns, weights, y, out, size):
    """The same for float32, 8 values at a time."""
    left, first, shares, _ = columns
    p, q, more = uint64(upper), uint64(lower), uint64(4)
    above, below = every(weights[y, 0], 8), every(weights[y, 1], 8)
    for g in range(first.size):
        at, lanes = first[g], uint64(8 * g)
        a, b = load_each(lines, p, left, at, 2, 4), load_each(lines, q, left, at, 2, 4)
        c, d = load_each(lines, p, left, at + more, 2, 4), load_each(lines, q, left, at + more, 2, 4)
        a, b = unzipped(mix(a, b, above, below), mix(c, d, above, below))
        store(out, uint64(y * size) + at, mix(a, b, load(shares[0], lanes, 8), load(shares[1], lanes, 8)))
