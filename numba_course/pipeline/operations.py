"""The operations that come with the pipeline; one of your own is written in the same way."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from numba_course.kernels.checks import check_integer
from numba_course.kernels.resize import DTYPES, filler, line_for
from numba_course.pipeline.protocol import (
    FLOAT32,
    AllocationQuery,
    Made,
    Operation,
    PipelineError,
    State,
    checked,
    image,
    move,
    point,
)
from numba_course.pipeline.runtime import uniform

SCALES = (0, 255), (0, 1)  # ranges in which black and white are known


class Crop(Operation):
    """Cut out a rectangle at a fixed place.

    Parameters
    ----------
    top, left, height, width : int
        In pixels: the first two at least 0, the others at least 1.
    """

    def __init__(self, top: int, left: int, height: int, width: int) -> None:
        self.top, self.left = _whole("top", top, 0), _whole("left", left, 0)
        self.height, self.width = _whole("height", height, 1), _whole("width", width, 1)

    def declare_state_and_memory(self, state: State) -> tuple[State, None]:
        rows, columns, _ = state.shape
        if self.top + self.height > rows or self.left + self.width > columns:
            raise PipelineError(f"the rectangle does not lie in the image of {rows} × {columns} pixels")
        return replace(state, shape=(self.height, self.width, 3)), None

    def generate_code(self) -> Callable[..., Any]:
        top, left = self.top, self.left

        @move
        def crop(y, x, key):
            return y + top, x + left

        return crop


class _Sized(Operation):
    """What makes images of a given size.

    Parameters
    ----------
    height, width : int
        In pixels, at least 1.
    """

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = _whole("height", height, 1), _whole("width", width, 1)


class _SizedCrop(_Sized):
    """Cut out a rectangle of a given size; `_room` is by how many rows and columns it can be moved."""

    def declare_state_and_memory(self, state: State) -> tuple[State, None]:
        self._room = _room(state, self.height, self.width)
        return replace(state, shape=(self.height, self.width, 3)), None


class CenterCrop(_SizedCrop):
    """Cut out the middle: `height` times `width` pixels."""

    def generate_code(self) -> Callable[..., Any]:
        top, left = (room // 2 for room in self._room)

        @move
        def crop(y, x, key):
            return y + top, x + left

        return crop


class RandomCrop(_SizedCrop):
    """Cut out `height` times `width` pixels at a place that is drawn for each sample."""

    def generate_code(self) -> Callable[..., Any]:
        rows, columns = (room + 1 for room in self._room)

        @move
        def crop(y, x, key):
            return y + int(uniform(key, 0) * rows), x + int(uniform(key, 1) * columns)

        return crop


class Resize(_Sized):
    """Interpolate between the four nearest pixels, as ``cv2.INTER_LINEAR`` does, to `height` times `width` pixels.

    It declares memory: for the result, and for two lines, unused where pixels lie far apart. Fused, each pixel
    would be interpolated on its own, where `kernels.resize`, which has the details, uses a line again for the next row;
    and here bytes stay bytes.
    """

    def declare_state_and_memory(self, state: State) -> tuple[State, tuple[AllocationQuery, AllocationQuery]]:
        if state.dtype not in DTYPES:
            raise PipelineError(f"it takes uint8, float32 and float64, not {state.dtype}")
        if min(state.shape[:2]) < 2:
            raise PipelineError(
                f"an image must have at least 2 × 2 pixels, not {state.shape[0]} × {state.shape[1]}"
            )
        after = replace(state, shape=(self.height, self.width, 3))
        sizes = state.shape, after.shape, state.dtype.name
        length, dtype = line = line_for(*sizes)
        self._resizing = *sizes, line
        return after, (
            AllocationQuery(after.shape, state.dtype),
            AllocationQuery((2, length), np.dtype(dtype)),
        )

    def generate_code(self) -> Callable[..., Any]:
        (_, old, _), (height, width, _), *_ = self._resizing
        fill, columns, rows = (Made(filler, *self._resizing, item=k) for k in range(3))

        @image
        def resize(source, out, lines, key):
            flat, lines = source.reshape(source.size), lines.reshape(lines.size)
            fill(flat, 3 * old, columns, rows, lines, out.reshape(out.size), 3 * width, 0, height)

        return resize


class HorizontalFlip(Operation):
    """Mirror left and right.

    Parameters
    ----------
    probability : float
        In 0..1.
    """

    def __init__(self, probability: float = 0.5) -> None:
        self.probability = _in(probability, "probability", 0, 1)

    def declare_state_and_memory(self, state: State) -> tuple[State, None]:
        self._last = state.shape[1] - 1
        return state, None

    def generate_code(self) -> Callable[..., Any]:
        probability, last = self.probability, self._last

        @move
        def flip(y, x, key):
            return y, last - x if uniform(key, 0) < probability else x

        return flip


class Brightness(Operation):
    """Multiply by a factor drawn from 1 − amount to 1 + amount; the result is clipped to 0..255, or to 0..1.

    Parameters
    ----------
    amount : float
        In 0..1.
    """

    def __init__(self, amount: float = 0.2) -> None:
        self.amount, self._white = _in(amount, "amount", 0, 1), 255.0

    def declare_state_and_memory(self, state: State) -> tuple[State, None]:
        self._white = _white(state)
        return state, None

    def generate_code(self) -> Callable[..., Any]:
        low, span, white = 1 - self.amount, 2 * self.amount, self._white

        @point
        def brightness(r, g, b, key):
            factor = low + span * uniform(key, 0)
            return (
                min(max(r * factor, 0.0), white),
                min(max(g * factor, 0.0), white),
                min(max(b * factor, 0.0), white),
            )

        return brightness


class Contrast(Operation):
    """Scale the distance from the image's mean brightness by a factor from 1 − amount to 1 + amount; clipped.

    It needs the whole image, so it declares memory. Brightness is 0.299 r + 0.587 g + 0.114 b (ITU-R BT.601).

    Parameters
    ----------
    amount : float
        In 0..1.
    """

    def __init__(self, amount: float = 0.2) -> None:
        self.amount, self._white = _in(amount, "amount", 0, 1), 255.0

    def declare_state_and_memory(self, state: State) -> tuple[State, AllocationQuery]:
        self._white = _white(state)
        return replace(state, dtype=FLOAT32), AllocationQuery(state.shape, FLOAT32)

    def generate_code(self) -> Callable[..., Any]:
        low, span, white = 1 - self.amount, 2 * self.amount, self._white

        @image
        def contrast(source, out, key):
            height, width, channels = source.shape
            total = 0.0
            for y in range(height):
                row = np.float32(0.0)
                for x in range(width):
                    row += 0.299 * source[y, x, 0] + 0.587 * source[y, x, 1] + 0.114 * source[y, x, 2]
                total += row
            mean = np.float32(total / (height * width))
            factor = low + span * uniform(key, 0)
            for y in range(height):
                for x in range(width):
                    for c in range(channels):
                        out[y, x, c] = min(max(mean + (source[y, x, c] - mean) * factor, 0.0), white)

        return contrast


class Normalize(Operation):
    """Scale 0..255 to 0..1, subtract a mean and divide by a standard deviation, each for one channel.

    Parameters
    ----------
    mean, std : iterable of 3 floats
        Of values that are scaled already: means in 0..1, deviations above 0 and at most 1.
    """

    def __init__(self, mean: Iterable[float], std: Iterable[float]) -> None:
        self.mean, self.std = _for_each_channel("mean", mean), _for_each_channel("std", std)
        if min(self.std) == 0:
            raise PipelineError(f"std must be above 0, not {std!r}")
        self._white = 255.0

    def declare_state_and_memory(self, state: State) -> tuple[State, None]:
        self._white = _white(state)
        return replace(state, dtype=FLOAT32, values=None), None

    def generate_code(self) -> Callable[..., Any]:
        scale = tuple(1 / (self._white * deviation) for deviation in self.std)
        shift = tuple(-mean / deviation for mean, deviation in zip(self.mean, self.std, strict=True))

        @point
        def normalize(r, g, b, key):
            return r * scale[0] + shift[0], g * scale[1] + shift[1], b * scale[2] + shift[2]

        return normalize


class ToLayout(Operation):
    """Say how batches are laid out; it comes last.

    Parameters
    ----------
    layout : str
        ``CHW``: a plane for each channel, as PyTorch has it; ``HWC``: the channels of a pixel side by side.
    """

    def __init__(self, layout: str) -> None:
        if layout not in ("CHW", "HWC"):
            raise PipelineError(f"layout must be 'CHW' or 'HWC', not {layout!r}")
        self.layout = layout

    def declare_state_and_memory(self, state: State) -> tuple[State, None]:
        return replace(state, layout=self.layout), None

    def generate_code(self) -> None:
        return None


def _whole(name, value, low):
    return checked(check_integer, name, value, low)


def _room(state, height, width):
    """By how many rows and columns a rectangle can be moved in an image."""
    rows, columns, _ = state.shape
    if height > rows or width > columns:
        raise PipelineError(f"{height} × {width} pixels do not fit into {rows} × {columns}")
    return rows - height, columns - width


def _white(state):
    """The value of white, where black is 0."""
    if state.values not in SCALES:
        seen = "any" if state.values is None else "{:g}..{:g}".format(*state.values)
        raise PipelineError(f"it takes values in 0..255 or 0..1, and {seen} come in: see State.values")
    return float(state.values[1])


def _in(value, name, low, high):
    """A number in a range, as a float."""
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not real or not low <= value <= high:
        raise PipelineError(f"{name} must be in {low}..{high}, not {value!r}")
    return float(value)


def _for_each_channel(name, values):
    """Three numbers in 0..1."""
    try:
        numbers = tuple(values)
    except TypeError:
        numbers = ()
    if len(numbers) != 3 or isinstance(values, str | bytes):
        raise PipelineError(f"{name} must have 3 values, not {values!r}")
    if all(isinstance(number, int | float | np.number) and 1 < number < math.inf for number in numbers):
        raise PipelineError(f"{name} must be of values in 0..1, not {values!r}: divide it by 255")
    return tuple(_in(number, f"each {name}", 0, 1) for number in numbers)
