"""The operations that come with the pipeline; one of your own is written in the same way."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from numba_course.kernels.checks import check_integer
from numba_course.kernels.resize import DTYPES, filler, line_for
from numba_course.kernels.resize_crops import cropper, memory_for
from numba_course.pipeline.protocol import (
    CHANNELS,
    FLOAT32,
    AllocationQuery,
    Made,
    Operation,
    PipelineError,
    State,
    checked,
    each,
    image,
    move,
)
from numba_course.pipeline.runtime import uniform

SCALES = (0, 255), (0, 1)  # ranges in which black and white are known
FARTHEST = float(np.finfo(np.float32).max)
# By the number of channels, what makes up brightness: of each part its share and its channel.
BRIGHTNESS = {3: ((0.299, 0), (0.587, 1), (0.114, 2)), 1: ((1.0, 0), (0.0, 0), (0.0, 0))}


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
        rows, columns, channels = state.shape
        if self.top + self.height > rows or self.left + self.width > columns:
            raise PipelineError(f"the rectangle does not lie in the image of {rows} × {columns} pixels")
        return replace(state, shape=(self.height, self.width, channels)), None

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
        return replace(state, shape=(self.height, self.width, state.shape[2])), None


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

    It declares memory: for the result, and for two lines. Fused, each pixel would be interpolated on its own, where
    `kernels.resize`, which has the details, uses a line again for the next row; and here bytes stay bytes.
    """

    def declare_state_and_memory(self, state: State) -> tuple[State, tuple[AllocationQuery, AllocationQuery]]:
        _check_resized(state)
        after = replace(state, shape=(self.height, self.width, state.shape[2]))
        sizes = state.shape, after.shape, state.dtype.name
        length, dtype = line = line_for(*sizes)
        self._resizing = *sizes, line
        return after, (
            AllocationQuery(after.shape, state.dtype),
            AllocationQuery((2, length), np.dtype(dtype)),
        )

    def generate_code(self) -> Callable[..., Any]:
        (_, old, channels), (height, width, _), *_ = self._resizing
        fill, columns, rows = (Made(filler, *self._resizing, item=k) for k in range(3))

        @image
        def resize(source, out, lines, key):
            flat, lines = source.reshape(source.size), lines.reshape(lines.size)
            fill(
                flat, channels * old, columns, rows, lines, out.reshape(out.size), channels * width, 0, height
            )

        return resize


class RandomResizedCrop(_Sized):
    """Cut out a rectangle of a size and at a place that are drawn for each sample, and resize it as `Resize` does.

    It declares memory: for the result, and for two lines and the tables of that size. The rectangle's share of the
    image's area is drawn evenly from `scale`, and its width divided by its height from `ratio`, evenly on a logarithmic
    scale. A rectangle that does not fit into the image is drawn again, ten times in all; after that, the largest one in
    the middle with a ratio in that range is taken. It has at least 2 × 2 pixels.

    Parameters
    ----------
    height, width : int
        Of the result, in pixels, at least 1.
    scale : pair of float
        The smallest and the largest share of the area, above 0 and at most 1.
    ratio : pair of float
        The smallest and the largest ratio, in 0.1..10.

    Notes
    -----
    Of the old pixels, four count for a new one, so shrinking to less than half the size shows aliasing.
    """

    def __init__(
        self,
        height: int,
        width: int,
        scale: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3 / 4, 4 / 3),
    ) -> None:
        super().__init__(height, width)
        self.scale, self.ratio = _pair("scale", scale, 1e-6, 1), _pair("ratio", ratio, 0.1, 10)

    def declare_state_and_memory(self, state: State) -> tuple[State, tuple[AllocationQuery, ...]]:
        _check_resized(state)
        after = replace(state, shape=(self.height, self.width, state.shape[2]))
        sizes = state.shape, after.shape, state.dtype.name
        memory = memory_for(*sizes)
        self._cropping = *sizes, memory
        tables = (AllocationQuery(shape, np.dtype(dtype)) for shape, dtype in memory)
        return after, (AllocationQuery(after.shape, state.dtype), *tables)

    def generate_code(self) -> Callable[..., Any]:
        (rows, columns, _), new, *_ = self._cropping
        resize = Made(cropper, *self._cropping, item=0)
        least, share = self.scale[0], self.scale[1] - self.scale[0]
        low, high = self.ratio
        first, span, nearest = math.log(low), math.log(high / low), min(max(columns / rows, low), high)
        last_height, last_width = min(rows, round(columns / nearest)), min(columns, round(rows * nearest))

        @image
        def resized_crop(source, out, lines, neighbours, base, places, weights, upper, shares, key):
            height, width, top, left = last_height, last_width, uniform(key, 20), uniform(key, 21)
            for attempt in range(10):
                area = (least + share * uniform(key, 2 * attempt)) * (rows * columns)
                # The exponential function by arithmetic alone, which has the same bits as Python and compiled.
                ratio = 1 + float(first + span * uniform(key, 2 * attempt + 1)) / 65536
                for _ in range(16):
                    ratio = ratio * ratio
                if round(np.sqrt(area / ratio)) <= rows and round(np.sqrt(area * ratio)) <= columns:
                    height, width = round(np.sqrt(area / ratio)), round(np.sqrt(area * ratio))
                    break
            else:
                top, left = np.float32(0.5), np.float32(0.5)
            height, width = max(height, 2), max(width, 2)
            flat, into = source.reshape(source.size), out.reshape(out.size)
            memory = lines, neighbours, base, places, weights, upper, shares
            top, left = int(top * (rows - height + 1)), int(left * (columns - width + 1))
            resize(flat, columns, (top, left, height, width), memory, into, new)

        return resized_crop


class Cutout(_Sized):
    """Put one value into a rectangle whose middle is drawn for each sample, as far as it lies in the image.

    It declares memory: the rest of the image is copied. From DeVries and Taylor (2017, arXiv:1708.04552).

    Parameters
    ----------
    height, width : int
        Of the rectangle, in pixels, at least 1.
    value : float
        In the range of the images that it gets, and whole where those are integers.
    """

    def __init__(self, height: int, width: int, value: float = 0.0) -> None:
        super().__init__(height, width)
        self.value = _in(value, "value", -FARTHEST, FARTHEST)

    def declare_state_and_memory(self, state: State) -> tuple[State, AllocationQuery]:
        low, high = state.values or (-FARTHEST, FARTHEST)
        if not low <= self.value <= high:
            raise PipelineError(f"value must be in {low:g}..{high:g}, as the images are, not {self.value:g}")
        if state.dtype.kind != "f" and np.array(self.value).astype(state.dtype) != self.value:
            raise PipelineError(f"images of {state.dtype} cannot hold the value {self.value:g}")
        self._shape = state.shape
        return state, AllocationQuery(state.shape, state.dtype)

    def generate_code(self) -> Callable[..., Any]:
        (rows, columns, channels), height, width, value = self._shape, self.height, self.width, self.value

        @image
        def cutout(source, out, key):
            top = int(uniform(key, 0) * rows) - height // 2
            left = int(uniform(key, 1) * columns) - width // 2
            for y in range(rows):
                for x in range(columns):
                    for c in range(channels):
                        out[y, x, c] = source[y, x, c]
            for y in range(max(top, 0), min(top + height, rows)):
                for x in range(max(left, 0), min(left + width, columns)):
                    for c in range(channels):
                        out[y, x, c] = value

        return cutout


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

    It takes images of 1 or 3 channels: where there is one for transparency, it would be brightened, too.

    Parameters
    ----------
    amount : float
        In 0..1.
    """

    def __init__(self, amount: float = 0.2) -> None:
        self.amount, self._white = _in(amount, "amount", 0, 1), 255.0

    def declare_state_and_memory(self, state: State) -> tuple[State, None]:
        self._white = _white_of_colours(state)
        return state, None

    def generate_code(self) -> Callable[..., Any]:
        low, span, white = 1 - self.amount, 2 * self.amount, self._white

        @each
        def brightness(value, c, key):
            factor = low + span * uniform(key, 0)
            return min(max(value * factor, 0.0), white)

        return brightness


class Contrast(Operation):
    """Scale the distance from the image's mean brightness by a factor from 1 − amount to 1 + amount; clipped.

    It needs the whole image, so it declares memory. Brightness is 0.299 r + 0.587 g + 0.114 b (ITU-R BT.601), or the
    value itself where images have 1 channel; it takes no others.

    Parameters
    ----------
    amount : float
        In 0..1.
    """

    def __init__(self, amount: float = 0.2) -> None:
        self.amount, self._white = _in(amount, "amount", 0, 1), 255.0

    def declare_state_and_memory(self, state: State) -> tuple[State, AllocationQuery]:
        self._white, self._shares = _white_of_colours(state), BRIGHTNESS[state.shape[2]]
        return replace(state, dtype=FLOAT32), AllocationQuery(state.shape, FLOAT32)

    def generate_code(self) -> Callable[..., Any]:
        low, span, white = 1 - self.amount, 2 * self.amount, self._white
        shares, (_, green, blue) = zip(*self._shares, strict=True)

        @image
        def contrast(source, out, key):
            height, width, channels = source.shape
            total = 0.0
            for y in range(height):
                row = np.float32(0.0)
                for x in range(width):
                    row += (
                        shares[0] * source[y, x, 0]
                        + shares[1] * source[y, x, green]
                        + shares[2] * source[y, x, blue]
                    )
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
    mean, std : iterable of floats
        One for each channel of the images, 1 to 4 of them.
        Of values that are scaled already: means in 0..1, deviations above 0 and at most 1.
    """

    def __init__(self, mean: Iterable[float], std: Iterable[float]) -> None:
        self.mean, self.std = _for_each_channel("mean", mean), _for_each_channel("std", std)
        if min(self.std) == 0:
            raise PipelineError(f"std must be above 0, not {std!r}")
        if len(self.mean) != len(self.std):
            raise PipelineError(f"std must have as many values as mean, {len(self.mean)}, not {std!r}")
        self._white = 255.0

    def declare_state_and_memory(self, state: State) -> tuple[State, None]:
        if len(self.mean) != state.shape[2]:
            raise PipelineError(
                f"images have {state.shape[2]} channels, and mean has {len(self.mean)} values"
            )
        self._white = _white(state)
        return replace(state, dtype=FLOAT32, values=None), None

    def generate_code(self) -> Callable[..., Any]:
        scale = tuple(1 / (self._white * deviation) for deviation in self.std)
        shift = tuple(-mean / deviation for mean, deviation in zip(self.mean, self.std, strict=True))

        @each
        def normalize(value, c, key):
            return value * scale[c] + shift[c]

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


def _check_resized(state):
    """Refuse images that the kernels of a resize do not take."""
    if state.dtype not in DTYPES:
        raise PipelineError(f"it takes uint8, float32 and float64, not {state.dtype}")
    if min(state.shape[:2]) < 2:
        raise PipelineError(
            f"an image must have at least 2 × 2 pixels, not {state.shape[0]} × {state.shape[1]}"
        )


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


def _white_of_colours(state):
    """The same for images that have nothing but colours, or gray."""
    if state.shape[2] not in BRIGHTNESS:
        raise PipelineError(f"it takes images of 1 or 3 channels, not {state.shape[2]}")
    return _white(state)


def _in(value, name, low, high):
    """A number in a range, as a float."""
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not real or not low <= value <= high:
        raise PipelineError(f"{name} must be in {low}..{high}, not {value!r}")
    return float(value)


def _pair(name, values, low, high):
    """A lower and a higher number in a range, or one number twice."""
    if not isinstance(values, tuple | list) or len(values) != 2:
        raise PipelineError(f"{name} must be a pair of numbers, not {values!r}")
    first, last = (_in(value, f"each {name}", low, high) for value in values)
    if first > last:
        raise PipelineError(f"{name} must be a lower and a higher number, not {values!r}")
    return first, last


def _for_each_channel(name, values):
    """Numbers in 0..1, as many as channels may be."""
    try:
        numbers = tuple(values)
    except TypeError:
        numbers = ()
    if len(numbers) not in CHANNELS or isinstance(values, str | bytes):
        raise PipelineError(f"{name} must have a value for each channel, 1 to 4 of them, not {values!r}")
    if all(isinstance(number, int | float | np.number) and 1 < number < math.inf for number in numbers):
        raise PipelineError(f"{name} must be of values in 0..1, not {values!r}: divide it by 255")
    return tuple(_in(number, f"each {name}", 0, 1) for number in numbers)
