"""Bilinear image resize with the geometry of ``cv2.INTER_LINEAR``, for uint8, float32 and float64."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import config, njit, prange
from numba.core.dispatcher import Dispatcher

from numba_course.kernels import resize_avx2, vectors
from numba_course.kernels.checks import check_array, check_integer, check_out, check_threads
from numba_course.kernels.resize_avx2 import Table

DTYPES = tuple(np.dtype(code) for code in "Bfd")
TABLES = 512  # of heights and of widths that are kept
MOST = 2**31 - 1  # rows or columns: products of an old and a new number stay exact


def bilinear_resize(
    image: np.typing.ArrayLike,
    height: int,
    width: int,
    out: np.typing.NDArray[Any] | None = None,
    threads: int = 1,
) -> np.typing.NDArray[Any]:
    """Resize an image: each new pixel is interpolated between the four old ones around its centre.

    Parameters
    ----------
    image : array_like of uint8, float32 or float64, shape (h, w) or (h, w, channels)
    height, width : int, 1 or more, below 2**31
        The new size.
    out : ndarray of the image's dtype, shape (height, width) or (height, width, channels), optional
        Filled and returned; made if None. It must not share memory with `image`.
    threads : int, 1 <= threads <= 4096
        Into how many parts the rows are shared out. The result is the same to the last bit for any number. What more
        than 1 cost on a busy machine, after a fork and where several Python threads call: docs/threads.md.

    Returns
    -------
    ndarray of the image's dtype

    Raises
    ------
    TypeError
        If a dtype is another one, or a number is not an integer.
    ValueError
        If the image is empty or has another number of axes or 2**31 rows or columns, a number is out of range, or
        `out` does not fit.

    Notes
    -----
    Centres of pixels lie at half numbers, as in OpenCV; beyond the outer centres the edge is repeated. All old
    pixels but four are ignored, so shrinking to less than half the size shows aliasing, here as there.

    No subtraction of floats takes place, so that the error of pixels of one sign is a few units in the last place of
    the result. NaN and infinity spread to all pixels next to which they count, even
    with the weight 0. A uint8 is within 0.52 of exact arithmetic.

    O(height * width * channels) time. With one thread the GIL is released. An image or an `out` that is not contiguous
    is copied first. The tables for the last 512 pairs of an old and a new height, and of widths, are kept; to make one
    takes as long as to resize a small image.

    On a processor with AVX2, uint8 and float32 are computed by vector operations of our own: the loop that looks up
    neighbours at computed places is not vectorised, as a store might change what a later one finds, so that the
    plain kernel for uint8 takes three to six times as long. `passes_for` chooses.
    From 1920 x 1080 to 224 x 224 one thread took 0.6 to 1.0 of the time of OpenCV's linear resize, for uint8 of 1 or 3
    channels and float32 of 1; float32 of 3 channels has the plain kernel where it shrinks so much, and took 1.8. Five
    to ten microseconds of any call are checks and Numba's look at the arguments.
    """
    image = _checked(image)
    height, width = check_integer("height", height, 1, MOST), check_integer("width", width, 1, MOST)
    threads = check_threads(threads)
    shape = (height, width, *image.shape[2:])
    if math.prod(shape) * image.itemsize > sys.maxsize:
        raise ValueError(
            f"height and width must be such that an address can reach all pixels, not {height} and {width}"
        )
    if out is None:
        out = np.empty(shape, image.dtype)
    else:
        check_out("out", out, shape, (image.dtype,), image)
    target = np.asarray(out) if out.flags.c_contiguous else np.empty(shape, image.dtype)
    fill(passes_for, image, target, threads)
    if not out.flags.c_contiguous:
        out[...] = target
    return out


def _checked(image: np.typing.ArrayLike) -> np.typing.NDArray[Any]:
    """`image` as an array that can be resized, strides as they come."""
    image = check_array("image", image, DTYPES)
    if image.ndim not in (2, 3):
        raise ValueError(f"image must have 2 or 3 axes (height, width and channels), not {image.ndim}")
    if 0 in image.shape:
        raise ValueError(f"image must not be empty, but its shape is {image.shape}")
    if max(image.shape[:2]) > MOST:
        raise ValueError(f"image must have at most {MOST} rows and columns, but its shape is {image.shape}")
    return image


def fill(
    choose: Callable[[tuple[int, ...], tuple[int, ...], np.dtype], Passes],
    image: np.typing.NDArray[Any],
    out: np.typing.NDArray[Any],
    threads: int,
) -> None:
    """Fill a contiguous `out` by the passes that `choose` names, `passes_for` or `plain_passes_for`."""
    for axis in (0, 1):
        if image.shape[axis] == 1:
            image = np.repeat(image, 2, axis)  # so that each pixel has a neighbour
    across, down, columns, rows = choose(image.shape, out.shape, image.dtype)
    _, resize_rows, resize_parts = kernels_of(across, down)
    height, source, target = out.shape[0], image.ravel(), out.ravel()  # copies what is not contiguous
    old, new = image.size // image.shape[0], out.size // height
    if threads == 1:
        resize_rows(source, old, columns, rows, target, new, 0, height)
    else:
        resize_parts(source, old, columns, rows, target, new, min(threads, height))


def filler(
    shape: tuple[int, ...], new: tuple[int, ...], dtype: str, line: tuple[int, str]
) -> tuple[Dispatcher, tuple[Any, ...], tuple[Any, ...]]:
    """A kernel ``fill(image, old, columns, rows, lines, out, new, start, stop)``, `columns` and `rows`.

    It is for code that allocates. `image`, `out` and `lines` have one axis; rows of the image have `old` values, of
    `out` `new` ones; `lines` are two of `line`, a length and a dtype as `line_for` says. The kernel depends on the
    processor: ValueError if `line` is from another kind.
    """
    if line != line_for(shape, new, dtype):
        raise ValueError(
            f"a line of {line} is for a processor of another kind: build the pipeline on this one"
        )
    across, down, columns, rows = _chosen(shape, new, dtype)
    return kernels_of(across, down)[0], columns, rows


def line_for(shape: tuple[int, ...], new: tuple[int, ...], dtype: str) -> tuple[int, str]:
    """Length and dtype of the lines for `filler`."""
    line = _chosen(shape, new, dtype).columns[-1]
    return line.shape[-1], line.dtype.name


def _chosen(shape, new, dtype):
    """Floats have the plain passes, whose last bits are the same on any processor."""
    choose = passes_for if dtype == "uint8" else plain_passes_for
    return choose(shape, new, np.dtype(dtype))


class Passes(NamedTuple):
    """How a row is made: two compiled functions, and the tables for each axis that they understand."""

    # across(image, start, columns, lines, to): from a row of the image to a line of new columns; or None: there is none
    across: Dispatcher | None
    # down(lines, upper, lower, columns, weights, y, out, size): from two lines, or rows of the image, to row y
    down: Dispatcher
    columns: tuple[Any, ...]  # the last one is an array of the lines' dtype and length
    rows: tuple[Any, ...]  # the upper neighbours, the weights


@lru_cache(maxsize=32)
def passes_for(shape: tuple[int, ...], new: tuple[int, ...], dtype: np.dtype) -> Passes:
    """The fastest passes that this processor has for these shapes, of 2 or 3 axes, and this dtype."""
    if config.DISABLE_JIT or not vectors.has_avx2():
        return plain_passes_for(shape, new, dtype)
    channels = shape[2] if len(shape) == 3 else 1
    steps = _columns_avx2(shape[1], new[1], channels, dtype)
    if steps is None:
        return plain_passes_for(shape, new, dtype)
    across, down, table = steps
    return Passes(across, down, table, _rows_avx2(shape[0], new[0], dtype))


# Apart, as crops of a size that is new at each call have heights and widths that came before.


@lru_cache(maxsize=TABLES)
def _columns_avx2(old, new, channels, dtype):
    return resize_avx2.columns_for(dtype, old * channels, channels, spread(positions(old, new), channels))


@lru_cache(maxsize=TABLES)
def _rows_avx2(old, new, dtype):
    return resize_avx2.rows_for(dtype, positions(old, new))


@lru_cache(maxsize=32)
def plain_passes_for(shape: tuple[int, ...], new: tuple[int, ...], dtype: np.dtype) -> Passes:
    """The passes in plain Numba, for any processor: rows of uint8 images are float32 in between."""
    real = np.promote_types(dtype, np.float32).type
    channels = shape[2] if len(shape) == 3 else 1
    top, below = positions(shape[0], new[0])
    left, right = spread(positions(shape[1], new[1]), channels)
    index = np.uint32 if shape[1] * channels < 2**32 else np.uint64
    columns = left.astype(index), index(channels), np.stack([1 - right, right]).astype(real)
    rows = top, np.stack([1 - below, below], axis=1).astype(real)
    return Passes(across, down_uint8 if dtype == np.uint8 else down, columns, rows)


def positions(old: int, new: int) -> Table:
    """Between which of `old` pixels the centres of `new` ones lie: the left neighbours, the weights of the right."""
    centres = (2 * np.arange(new) + 1) * old - new  # in units of 1 / (2 * new): integers are exact
    left, rest = np.divmod(centres, 2 * new)
    weights = rest / (2 * new)
    weights[left < 0] = 0
    weights[left > old - 2] = 1
    return np.minimum(np.maximum(left, 0), old - 2), weights  # `clip` would take three times as long


def spread(table: Table, channels: int) -> Table:
    """The table of `positions` for pixels, made one for the values of all channels."""
    left, weights = table
    return (left[:, None] * channels + np.arange(channels)).ravel(), weights.repeat(channels)


@cache
def kernels_of(
    across: Callable[..., None] | None, down: Callable[..., None]
) -> tuple[Dispatcher, Dispatcher, Dispatcher]:
    """With these two steps: the kernel for which the caller allocates, the serial one, and the parallel one."""

    @njit(nogil=True)
    def fill_by_lines(image, old, columns, rows, lines, out, new, start, stop):
        """Fill rows `start` to `stop`: two lines across, which the next row may use again, then down between them.

        Rows of the image have `old` values, of `out` `new` ones. They are passed as positions in the whole: a view
        of each would have its references counted, which takes as long as to resize a short row.
        """
        top, weights = rows
        upper, lower, held = 0, lines.size // 2, -2
        for y in range(start, stop):
            if top[y] != held:
                if top[y] == held + 1:
                    upper, lower = lower, upper
                else:
                    across(image, top[y] * old, columns, lines, upper)
                across(image, (top[y] + 1) * old, columns, lines, lower)
                held = top[y]
            down(lines, upper, lower, columns, weights, y, out, new)

    @njit(nogil=True)
    def fill_at_once(image, old, columns, rows, lines, out, new, start, stop):
        """The same without lines, where `down` reads the rows of the image itself."""
        top, weights = rows
        for y in range(start, stop):
            down(image, top[y] * old, (top[y] + 1) * old, columns, weights, y, out, new)

    fill_rows = fill_by_lines if across else fill_at_once

    @njit(nogil=True)
    def resize_rows(image, old, columns, rows, out, new, start, stop):
        """The same with lines of its own."""
        line = columns[-1]
        lines = np.empty(2 * line.shape[-1], line.dtype)
        fill_rows(image, old, columns, rows, lines, out, new, start, stop)

    @njit(nogil=True, parallel=True)
    def resize_parts(image, old, columns, rows, out, new, parts):
        height = rows[0].size
        for part in prange(parts):
            start, stop = height * part // parts, height * (part + 1) // parts
            resize_rows(image, old, columns, rows, out, new, start, stop)

    return fill_rows, resize_rows, resize_parts


@njit(nogil=True)
def across(image, start, columns, lines, to):
    """Fill the line at `to` with the row at `start` interpolated at each column."""
    left, step, weights = columns
    row, line = image[start:], lines[to : to + left.size]
    for k in range(left.size):
        a, b = line.dtype.type(row[left[k]]), line.dtype.type(row[left[k] + step])
        line[k] = weights[0, k] * a + weights[1, k] * b


@njit(nogil=True)
def down(lines, upper, lower, columns, weights, y, out, size):
    """Fill row `y` of `out` with what lies between two lines."""
    a, b, row = lines[upper : upper + size], lines[lower : lower + size], out[y * size : (y + 1) * size]
    for k in range(row.size):
        row[k] = weights[y, 0] * a[k] + weights[y, 1] * b[k]


@njit(nogil=True)
def down_uint8(lines, upper, lower, columns, weights, y, out, size):
    """The same, rounded to the nearest integer."""
    a, b, row = lines[upper : upper + size], lines[lower : lower + size], out[y * size : (y + 1) * size]
    for k in range(row.size):
        row[k] = np.uint8(weights[y, 0] * a[k] + weights[y, 1] * b[k] + np.float32(0.5))


def bilinear_resize_spec(
    image: np.typing.NDArray[Any], height: int, width: int
) -> np.typing.NDArray[np.float64]:
    """Each pixel from its four neighbours, one by one, in float64 and not rounded."""
    last_y, last_x = image.shape[0] - 1, image.shape[1] - 1
    out = np.empty((height, width, *image.shape[2:]))
    for y in range(height):
        centre_y = min(max((y + 0.5) * image.shape[0] / height - 0.5, 0), last_y)
        top, below = int(centre_y), centre_y % 1
        upper, lower = image[top].astype(float), image[min(top + 1, last_y)].astype(float)
        row = (1 - below) * upper + below * lower
        for x in range(width):
            centre_x = min(max((x + 0.5) * image.shape[1] / width - 0.5, 0), last_x)
            left, right = int(centre_x), centre_x % 1
            out[y, x] = (1 - right) * row[left] + right * row[min(left + 1, last_x)]
    return out
