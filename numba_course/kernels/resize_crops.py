"""Bilinear resize of crops, each of another size: the tables are made anew at each call, in memory of the caller's.

For code that draws a crop for each image. `resize` keeps the tables of sizes that come again, and makes them in NumPy,
which takes longer than to resize a small image; here they take a microsecond.
"""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import numpy as np
from numba import config, njit, uint64
from numba.core.dispatcher import Dispatcher

from numba_course.kernels import resize, vectors
from numba_course.kernels.resize_avx2 import across_q8, across_q8_narrow, across_q8_wide, down_q8
from numba_course.kernels.vectors import lerp_q8, load, look_up_four, store, to_q8

LANES = 16  # values that a register of uint16 holds
Memory: TypeAlias = "tuple[tuple[tuple[int, ...], str], ...]"


def memory_for(shape: tuple[int, ...], new: tuple[int, ...], dtype: str) -> Memory:
    """Shapes and dtypes of the arrays that `cropper` needs for crops of such images that are resized to `new`.

    They depend on the processor; two that one with AVX2 needs are small on any other.
    """
    height, values = new[0], new[1] * new[2]
    if _is_q8(dtype):
        full = -(-values // LANES) * LANES
        groups = ((full // LANES,), "uint64"), ((full,), "uint8"), ((full,), "uint16")
        return (
            ((2, full), "uint16"),
            ((full,), "uint32"),
            *groups,
            ((height,), "int64"),
            ((height,), "uint16"),
        )
    real = np.promote_types(dtype, np.float32).name
    unused = ((1,), "uint64"), ((1,), "uint8")
    columns = ((values,), "uint32"), *unused, ((2, values), real)
    return ((2, values), real), *columns, ((height,), "int64"), ((height, 2), real)


def cropper(shape: tuple[int, ...], new: tuple[int, ...], dtype: str, memory: Memory) -> tuple[Dispatcher]:
    """A kernel ``crop(image, wide, box, memory, out, new)`` for images of this shape and dtype.

    `image` and `out` have one axis; rows of the image have `wide` pixels; `box` is top, left, height and width of the
    crop, which is of at least 2 × 2 pixels and lies in the image; `memory` are arrays as `memory_for` says. A uint8 is
    within 0.52 of exact arithmetic, as in `bilinear_resize`. ValueError if `memory` is from another kind of processor.
    """
    if memory != memory_for(shape, new, dtype):
        raise ValueError("the memory is for a processor of another kind: build the pipeline on this one")
    if shape[1] * shape[2] >= 2**32:
        raise ValueError(f"rows must have fewer than 2**32 values, not {shape[1]} × {shape[2]}")
    return (_crop_q8() if _is_q8(dtype) else _crop_plain(np.dtype(dtype)),)


def _is_q8(dtype):
    return dtype == "uint8" and vectors.has_avx2() and not config.DISABLE_JIT


@njit(error_model="numpy")
def place(k, old, new):
    """As `resize.positions` has it for one of the new pixels: its left neighbour, and the weight of the right one."""
    centre = (2 * k + 1) * old - new
    left = centre // (2 * new)
    if left < 0:
        return 0, 0.0
    if left > old - 2:
        return old - 2, 1.0
    return left, (centre - left * 2 * new) / (2 * new)


@cache
def _crop_plain(dtype: np.dtype) -> Dispatcher:
    """In plain Numba, for any processor and dtype."""
    fill = resize.kernels_of(resize.across, resize.down_uint8 if dtype == np.uint8 else resize.down)[0]

    @njit(nogil=True, error_model="numpy")
    def crop(image, wide, box, memory, out, new):
        (top, left, rows, columns), (height, width, channels) = box, new
        lines, neighbours, _, _, weights, upper, shares = memory
        for x in range(width):
            at, share = place(x, columns, width)
            for c in range(channels):
                neighbours[x * channels + c] = (left + at) * channels + c
                weights[0, x * channels + c], weights[1, x * channels + c] = 1 - share, share
        for y in range(height):
            at, share = place(y, rows, height)
            upper[y], shares[y, 0], shares[y, 1] = top + at, 1 - share, share
        table = neighbours, np.uint32(channels), weights
        old, size = wide * channels, width * channels
        fill(image, old, table, (upper, shares), lines.reshape(lines.size), out, size, 0, height)

    return crop


@cache
def _crop_q8() -> Dispatcher:
    """For uint8 with AVX2: in 16 bits, 16 values at a time where their neighbours lie near each other."""
    narrow, middle, widest, any_ = (
        resize.kernels_of(across, down_q8)[0]
        for across in (across_q8_narrow, across_q8_wide, across_q8_widest, across_q8)
    )

    @njit(nogil=True, error_model="numpy")
    def crop(image, wide, box, memory, out, new):
        (top, left, rows, columns), (height, width, channels) = box, new
        size, values = wide * channels, width * channels
        lines, neighbours, base, places, weights, upper, below = memory
        for x in range(width):
            at, share = place(x, columns, width)
            for c in range(channels):
                neighbours[x * channels + c] = (left + at) * channels + c
                weights[x * channels + c] = np.uint16(np.rint(share * 65535))
        for k in range(values, neighbours.size):  # until registers are full
            neighbours[k], weights[k] = neighbours[values - 1], weights[values - 1]
        for y in range(height):
            at, share = place(y, rows, height)
            upper[y], below[y] = top + at, np.uint16(np.rint(share * 65535))
        flat, table = lines.reshape(lines.size), (upper, below)
        span = windows(neighbours, channels, size, base, places)
        groups = base, places, uint64(channels), weights
        if span == 16:
            narrow(image, size, groups, table, flat, out, values, 0, height)
        elif span == 32:
            middle(image, size, groups, table, flat, out, values, 0, height)
        elif span == 64:
            widest(image, size, groups, table, flat, out, values, 0, height)
        else:
            single = neighbours[:values], np.uint32(channels), weights[:values]
            any_(image, size, single, table, flat, out, values, 0, height)

    return crop


@njit(error_model="numpy")
def windows(left, step, size, base, places):
    """As `resize_avx2.windows`, into `base` and `places`: how long windows are, 16, 32 or 64, or 0 if none serve."""
    needed = 0
    for g in range(base.size):
        low, high = left[LANES * g], left[LANES * g]
        for k in range(LANES * g, LANES * (g + 1)):
            low, high = min(low, left[k]), max(high, left[k])
        base[g] = low
        needed = max(needed, int(high - low) + 1)
    for span in (16, 32, 64):
        if needed <= span and span + step <= size:
            for g in range(base.size):
                base[g] = min(base[g], uint64(size - step - span))
                for k in range(LANES * g, LANES * (g + 1)):
                    places[k] = left[k] - base[g]
            return span
    return 0


@njit(nogil=True)
def across_q8_widest(image, start, columns, lines, to):
    """As `across_q8_wide`, for windows of 64."""
    base, places, step, weights = columns
    for g in range(base.size):
        at, left, right = uint64(16 * g), uint64(start) + base[g], uint64(start) + base[g] + step
        place_ = load(places, at, 16)
        a, b = to_q8(look_up_64(image, left, place_)), to_q8(look_up_64(image, right, place_))
        store(lines, uint64(to) + at, lerp_q8(a, b, load(weights, at, 16)))


@njit(nogil=True, inline="always")
def look_up_64(image, at, places):
    """``image[at : at + 64][places]``, lane by lane."""
    first, second = load(image, at, 16), load(image, at + uint64(16), 16)
    third, fourth = load(image, at + uint64(32), 16), load(image, at + uint64(48), 16)
    return look_up_four(first, second, third, fourth, places)
