"""What the generator of code makes of operations: held against Python that goes pixel by pixel, and what it refuses."""

import inspect
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numba_course.pipeline import (
    AllocationQuery,
    Brightness,
    CenterCrop,
    Contrast,
    HorizontalFlip,
    Normalize,
    Operation,
    Pipeline,
    PipelineError,
    Resize,
    State,
    ToLayout,
    gather,
    image,
    move,
    point,
    uniform,
)
from numba_course.pipeline.lifting import lift

pytestmark = pytest.mark.usefixtures("generated_modules")

WEEKLY = bool(os.environ.get("NUMBA_COURSE_WEEKLY"))
FLOAT32 = np.dtype(np.float32)
NUMBERS = "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"
ONE = np.float32(1)


def photographs(shape, count=1):
    return np.random.default_rng(sum(shape)).integers(0, 256, (count, *shape), dtype=np.uint8)


# ---- operations, each with what it means, in Python that knows nothing of the generator


class Proved(Operation):
    """An operation with its meaning: `pixel` is of one value, `image` of all."""

    def shape(self, shape):
        return shape

    def dtype(self, dtype):
        return FLOAT32

    def declare_state_and_memory(self, state):
        self._before = state.shape
        shape = self.shape(state.shape)
        return replace(state, shape=shape, dtype=self.dtype(state.dtype), values=None), None

    def image(self, values):
        self._before = values.shape
        height, width, channels = self.shape(values.shape)
        made = np.empty((height, width, channels), self.dtype(values.dtype))
        for y in range(height):
            for x in range(width):
                for c in range(channels):
                    made[y, x, c] = self.pixel(values, y, x, c)
        return made


class Mixed(Proved):
    """A point: straight, negative literals, a constant for a channel if it is asked for."""

    def __init__(self, a, b, constant):
        self.a, self.b, self.constant = a, b, constant

    def generate_code(self):
        a, b, constant = self.a, self.b, self.constant
        if constant:

            @point
            def mixed(r, g, b_, key):
                return 3, r * a + b, b_ - a**2 * g

        else:

            @point
            def mixed(r, g, b_, key):
                b_ = b_ - (-3) ** 2
                return g * a, max(r, b), min(b_, g) / 7

        return mixed

    def pixel(self, values, y, x, c):
        r, g, b_ = (np.float32(v) for v in values[y, x])
        a, b = np.float32(self.a), np.float32(self.b)
        if self.constant:
            return (np.float32(3), r * a + b, b_ - a**2 * g)[c]
        b_ = b_ - np.float32(9)
        return (g * a, b if b > r else r, (g if g < b_ else b_) / np.float32(7))[c]


class Branches(Proved):
    """A point that is not straight, with a counter that is an index."""

    def __init__(self, limit):
        self.limit = limit

    def generate_code(self):
        limit, table = self.limit, (-1.5, 2.25, 4.0)

        @point
        def branches(r, g, b, key):
            i = 0
            while i < 2:
                r = r + table[i]
                i += 1
            if r > limit:
                return g, table[-1], r
            return r, g, b * table[i]

        return branches

    def pixel(self, values, y, x, c):
        r, g, b = (np.float32(v) for v in values[y, x])
        r = r + np.float32(-1.5) + np.float32(2.25)
        return (g, np.float32(4), r)[c] if r > np.float32(self.limit) else (r, g, b * np.float32(4))[c]


class Near(Proved):
    """A gather: two neighbours, one of them at a place that may be no number, or another channel."""

    def __init__(self, down, right, far, channel, wider):
        self.down, self.right, self.far, self.channel, self.wider = down, right, far, channel, wider

    def shape(self, shape):
        return shape[0] + self.wider, shape[1] + self.wider, 3

    def generate_code(self):
        down, right, far, channel = self.down, self.right, self.far, self.channel

        @gather
        def near(load, y, x, c, key):
            return load(y + down, x - right, c) - load(y * far, x + far, c + channel) / 4

        return near

    def pixel(self, values, y, x, c):
        far = np.float32(self.far)
        with np.errstate(invalid="ignore"):
            other = at(values, np.float64(y) * np.float64(far), np.float64(x) + far, c + self.channel)
            here = at(values, y + self.down, x - self.right, c)
            return np.float32(here - np.float64(other) / 4)


def at(values, *place):
    """The nearest pixel of an image; the first for what is no number."""
    return np.float32(values[tuple(nearest(n, size - 1) for n, size in zip(place, values.shape, strict=True))])


def nearest(n, last):
    return int(n) if 0 <= n <= last else last if n > last else 0


class Moved(Proved):
    """A move of any kind; what it does is in a table."""

    def __init__(self, how):
        self.how = how

    def dtype(self, dtype):
        return dtype

    def shape(self, shape):
        height, width, channels = shape
        return MOVES[self.how][0](height, width) + (channels,)

    def generate_code(self):
        height, width, _ = self._before
        return MOVES[self.how][1](height, width)

    def pixel(self, values, y, x, c):
        height, width, _ = values.shape
        y, x = MOVES[self.how][2](y, x, height, width)
        return values[y, x, c]


def same(height, width):
    return height, width


def cut(height, width):
    top, left = height // 3, width // 3

    @move
    def cut(y, x, key):
        return y + top, x + left

    return cut


def mirrored(height, width):
    last = width - 1

    @move
    def mirrored(y, x, key):
        return y, last - x

    return mirrored


def upside_down(height, width):
    last = height - 1

    @move
    def upside_down(y, x, key):
        return last - y, x

    return upside_down


def turned(height, width):
    last = height - 1

    @move
    def turned(y, x, key):
        row = last - x
        return row, y

    return turned


def sheared(height, width):
    @move
    def sheared(y, x, key):
        x = (x + 2 * y) % width
        return y, x

    return sheared


def swapped(height, width):
    """The ends stay where they are."""

    @move
    def swapped(y, x, key):
        if 0 < x < width - 1:
            x = width - 1 - x
        return y, x

    return swapped


def doubled(height, width):
    @move
    def doubled(y, x, key):
        return y // 2, x // 2

    return doubled


MOVES = {
    "cut": (lambda h, w: (h - h // 3, w - w // 3), cut, lambda y, x, h, w: (y + h // 3, x + w // 3)),
    "mirrored": (same, mirrored, lambda y, x, h, w: (y, w - 1 - x)),
    "upside down": (same, upside_down, lambda y, x, h, w: (h - 1 - y, x)),
    "turned": (lambda h, w: (w, h), turned, lambda y, x, h, w: (h - 1 - x, y)),
    "sheared": (same, sheared, lambda y, x, h, w: (y, (x + 2 * y) % w)),
    "swapped": (same, swapped, lambda y, x, h, w: (y, w - 1 - x if 0 < x < w - 1 else x)),
    "doubled": (lambda h, w: (h + h // 2, w), doubled, lambda y, x, h, w: (y // 2, x // 2)),
}
KEEP_ROWS = {"cut", "mirrored", "upside down"}


class Summed(Proved):
    """An image of any dtype: the integers of its bytes are added up, and a neighbour is subtracted."""

    def __init__(self, into):
        self.into = into

    def dtype(self, dtype):
        return np.dtype(self.into)

    def declare_state_and_memory(self, state):
        after, _ = super().declare_state_and_memory(state)
        return after, AllocationQuery(after.shape, after.dtype)

    def generate_code(self):
        @image
        def summed(source, out, key):
            height, width, channels = source.shape
            for y in range(height):
                for c in range(channels):
                    total = 0
                    for x in range(width):
                        total += int(source[y, x, c])
                        out[y, x, c] = (total + int(source[y, x - 1, c]) - int(source[y, 0, 0])) & 127

        return summed

    def pixel(self, values, y, x, c):
        total = sum(whole(v) for v in values[y, : x + 1, c])
        return (total + whole(values[y, x - 1, c]) - whole(values[y, 0, 0])) & 127


def whole(value):
    """As an operation's int is: NaN is the smallest."""
    if np.isnan(value):
        return -(2**63)
    ends = (-(2.0**63), 2.0**63 - 2.0**39) if value.dtype == np.float32 else (-(2.0**63), 2.0**63 - 2.0**10)
    return int(min(max(value, ends[0]), ends[1])) if value.dtype.kind == "f" else int(value)


NUMBER = st.sampled_from([-2.5, -1.0, 0.0, 0.5, 3.0, 255.0])
OFFSET = st.integers(-9, 9)
FAR = st.sampled_from([float("nan"), float("inf"), float("-inf"), 1e20, -3.7, 0.4, 2.0])
OPERATIONS = (
    st.builds(Mixed, NUMBER, NUMBER, st.booleans()),
    st.builds(Branches, NUMBER),
    st.builds(Near, OFFSET, OFFSET, FAR, st.integers(-2, 2), st.integers(0, 2)),
    st.builds(Moved, st.sampled_from([*MOVES])),
    st.builds(Summed, st.sampled_from(NUMBERS)),
)
CHAINS = st.lists(st.one_of(*OPERATIONS), max_size=8)
SHAPES = st.tuples(st.integers(1, 11), st.integers(1, 19), st.just(3))
QUICK = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


def agrees(chain, shape, layout, **options):
    """The pipeline gives, bit for bit, what its operations mean, one after the other, pixel by pixel."""
    images = photographs(shape)
    with np.errstate(all="ignore"):
        values = images[0]
        for operation in chain:
            values = operation.image(values)
        values = values.astype(np.float32)
    made = Pipeline([*chain, ToLayout(layout)], shape, **options)(images)[0]
    expected = values.transpose(2, 0, 1) if layout == "CHW" else values
    np.testing.assert_array_equal(made, expected)


@settings(max_examples=2000 if WEEKLY else 100, derandomize=not WEEKLY, **QUICK)
@given(CHAINS, SHAPES, st.sampled_from(["CHW", "HWC"]))
def test_drawn_chains_give_what_their_operations_mean(chain, shape, layout):
    agrees(chain, shape, layout, compiled=False)


@pytest.mark.skipif(not WEEKLY, reason="each compiles: every week")
@settings(max_examples=400, **QUICK)
@given(CHAINS, SHAPES, st.sampled_from(["CHW", "HWC"]), st.booleans())
def test_drawn_chains_compiled_give_what_their_operations_mean(chain, shape, layout, boundscheck):
    agrees(chain, shape, layout, boundscheck=boundscheck)
