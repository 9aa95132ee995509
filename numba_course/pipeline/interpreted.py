"""Plain Python twins of what generated modules import, to hold compiled pipelines against."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Sized
from typing import Any

import numpy as np

from numba_course.kernels import resize
from numba_course.kernels.resize_avx2 import q16
from numba_course.pipeline import runtime
from numba_course.pipeline.runtime import LANES

BUILTINS = "float", "int", "len", "max", "min", "range", "round"  # whose results have other types if compiled


def njit(function: Callable[..., Any] | None = None, **options: object) -> Callable[..., Any]:
    """Leave a function as it is."""
    return function or (lambda function: function)


def _plain(function):
    """The function as Python, with 64-bit numbers that wrap around as compiled ones do."""

    def call(*args):
        with np.errstate(over="ignore"):
            return function.py_func(*args)

    return call


op_key, sample_key, uniform = map(_plain, (runtime.op_key, runtime.sample_key, runtime.uniform))


def pixel(row: np.typing.NDArray[Any], at: builtins.int) -> tuple[np.float32, ...]:
    """The pixel of that number, as 3 float32."""
    return tuple(row[3 * at : 3 * at + 3].astype(np.float32))


def spread(row: np.typing.NDArray[Any], at: builtins.int) -> tuple[np.typing.NDArray[np.float32], ...]:
    """Eight pixels from number `at` on: an array for each channel."""
    return tuple(row[3 * at : 3 * (at + LANES)].reshape(LANES, 3).T.astype(np.float32))


def spread_mirrored(
    row: np.typing.NDArray[Any], at: builtins.int
) -> tuple[np.typing.NDArray[np.float32], ...]:
    """Eight pixels from number `at` backwards."""
    return tuple(channel[::-1] for channel in spread(row, at - LANES + 1))


def store(row: np.typing.NDArray[Any], at: builtins.int, values: np.typing.NDArray[Any]) -> None:
    """Write eight values."""
    row[at : at + LANES] = values


def interleave(
    row: np.typing.NDArray[Any],
    at: builtins.int,
    red: np.typing.NDArray[np.float32],
    green: np.typing.NDArray[np.float32],
    blue: np.typing.NDArray[np.float32],
) -> None:
    """Write eight pixels from number `at` on."""
    row[3 * at : 3 * (at + LANES)] = np.stack([red, green, blue], axis=1).ravel()


def min(*values: Any) -> Any:
    """The smallest; of two of which one is an array, of each pair, the first if there is none, as compiled."""
    return np.where(values[1] < values[0], *values[::-1]) if _arrays(values) else builtins.min(*values)


def max(*values: Any) -> Any:
    """The largest, likewise."""
    return np.where(values[1] > values[0], *values[::-1]) if _arrays(values) else builtins.max(*values)


def float(value: Any) -> np.floating:
    """Of 64 bits if it is none yet."""
    return value if isinstance(value, np.floating) else np.float64(value)


def int(value: Any) -> np.int64:
    """Of 64 bits, like those of the next ones, so that with a float32 they make a float64, as compiled."""
    return np.int64(builtins.int(value))


def len(values: Sized) -> np.int64:
    """As an integer of 64 bits."""
    return np.int64(builtins.len(values))


def range(*ends: builtins.int) -> Iterator[np.int64]:
    """Integers of 64 bits."""
    return map(np.int64, builtins.range(*ends))


def round(value: Any, *digits: builtins.int) -> Any:
    """To an integer of 64 bits if the number of digits is not said."""
    return builtins.round(value, *digits) if digits else np.int64(builtins.round(value))


def _arrays(values):
    return any(isinstance(value, np.ndarray) for value in values)


def filler(
    shape: tuple[builtins.int, ...], new: tuple[builtins.int, ...], dtype: str, line: tuple[builtins.int, str]
) -> tuple[Callable[..., None], Any, Any]:
    """`kernels.resize.filler` with the plain passes as Python; for those in 16 bits, NumPy with the same integers."""
    if line[1].startswith("float"):
        passes = resize.plain_passes_for(shape, new, np.dtype(dtype))
        fill_rows = resize.kernels_of(passes.across.py_func, passes.down.py_func)[0].py_func
        return fill_rows, passes.columns, passes.rows
    (top, below), (left, right) = (resize.positions(shape[axis], new[axis]) for axis in (0, 1))
    left, right = resize.spread((left, right), 3)

    def across(values):
        return _lerp(values[:, left], values[:, left + 3], q16(right))

    def down(values):
        return _lerp(values[top], values[top + 1], q16(below)[:, None])

    first, second = (down, across) if line[1] == "uint8" else (across, down)

    def fill(image, old, columns, rows, lines, out, new, start, stop):
        pixels = image.reshape(-1, old).astype(np.int64)
        out.reshape(-1, new)[:] = (second(first(pixels << 8)) + 128) >> 8

    return fill, None, None


def _lerp(a, b, weight):
    """As `kernels.vectors.lerp_q8` computes it."""
    return (a * (65535 - weight.astype(np.int64)) >> 16) + (b * weight.astype(np.int64) >> 16) + 1
