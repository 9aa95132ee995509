"""What the generator of code makes of operations: held against Python that goes pixel by pixel, and what it refuses."""

import importlib
import os
import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numba import njit
from numba.core import event

from numba_course.pipeline import (
    AllocationQuery,
    Brightness,
    CenterCrop,
    Contrast,
    HorizontalFlip,
    Normalize,
    Operation,
    Pipeline,
    PipelineCompileError,
    PipelineError,
    Resize,
    ToLayout,
    each,
    gather,
    image,
    modules,
    move,
    point,
    uniform,
)
from numba_course.pipeline.lifting import lift

pytestmark = pytest.mark.usefixtures("generated_modules")

WEEKLY = bool(os.environ.get("NUMBA_COURSE_WEEKLY"))
FLOAT32 = np.dtype(np.float32)
NUMBERS = "uint8", "int8", "uint16", "int16", "float32"  # that an operation may declare


def photographs(shape, count=1):
    return np.random.default_rng(sum(shape)).integers(0, 256, (count, *shape), dtype=np.uint8)


# ---- operations, each with what it means, in Python that knows nothing of the generator


class Proved(Operation):
    """An operation with its meaning: `pixel` is of one value, `image` of all."""

    _before = 1, 1, 3

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
    """A point: straight, negative literals, a constant for a channel if it is asked for; of any number of channels."""

    def __init__(self, a, b, constant):
        self.a, self.b, self.constant = a, b, constant

    def generate_code(self):
        a, b, constant, channels = self.a, self.b, self.constant, self._before[2]
        if channels == 1:

            @point
            def mixed(v, key):
                return 3 if constant else max(v * a, b)

        elif channels == 2:

            @point
            def mixed(v, alpha, key):
                return (alpha, v - a) if constant else (v / 7, -alpha * b)

        elif channels == 4:

            @point
            def mixed(r, g, b_, alpha, key):
                return alpha * a, b_ + r, 3, min(g, b)

        elif constant:

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
        three, seven, channels = np.float32(3), np.float32(7), values.shape[2]
        v, alpha = (np.float32(values[y, x, at]) for at in (0, -1))
        a, b = np.float32(self.a), np.float32(self.b)
        if channels == 1:
            return three if self.constant else b if b > v * a else v * a
        if channels == 2:
            return ((alpha, v - a) if self.constant else (v / seven, -alpha * b))[c]
        r, g, b_ = (np.float32(v) for v in values[y, x, :3])
        if channels == 4:
            return (alpha * a, b_ + r, three, b if b < g else g)[c]
        if self.constant:
            return (np.float32(3), r * a + b, b_ - a**2 * g)[c]
        b_ = b_ - np.float32(9)
        return (g * a, b if b > r else r, (g if g < b_ else b_) / np.float32(7))[c]


class Every(Proved):
    """An each: straight or not, its channel in arithmetic, in a table and in a test."""

    def __init__(self, a, branches):
        self.a, self.branches = a, branches

    def generate_code(self):
        a, table = self.a, (-1.5, 2.25, 4.0, 0.5)
        if self.branches:

            @each
            def every(value, c, key):
                if value > a and c != 1:
                    return c
                i = c - 1
                return value * table[i]

        else:

            @each
            def every(v, channel, key):
                v = v * table[channel] if channel != 2 else max(v, a)
                return v - channel * 3

        return every

    def pixel(self, values, y, x, c):
        value, a = np.float32(values[y, x, c]), np.float32(self.a)
        table = np.array([-1.5, 2.25, 4.0, 0.5], np.float32)
        if self.branches:
            return np.float32(c) if value > a and c != 1 else value * table[c - 1]
        return (value * table[c] if c != 2 else a if a > value else value) - np.float32(3 * c)


SHADES = 0.25, -1.5, 3.0


def scaled(value, at):
    """A helper: a parameter that is an index, and an integer in arithmetic."""
    return value * SHADES[at] / 3


def lifted(value, by):
    """Another, which serves vectors, and calls one that does."""
    return larger(value, by) + 2


@njit
def larger(value, other):
    return max(value, other)


def wrapped(at, size):
    """One that gives a whole number."""
    return (at + 1) % size


def is_bright(value):
    return value > 99


def both_ways(value, other):
    """A tuple, of an integer on one way and of a float on the other."""
    if is_bright(value):
        return 3, other
    return value / 7, scaled(other, 1)


class Helped(Proved):
    """What calls functions of its module's: an each, straight or not, and a gather."""

    def __init__(self, kind, a):
        self.kind, self.a = kind, a

    def generate_code(self):
        a = self.a
        if self.kind == "straight":

            @each
            def helped(value, c, key):
                return lifted(value, a) * larger(value, 3) / 7

        elif self.kind == "branches":

            @each
            def helped(value, c, key):
                at = wrapped(c, 3)
                first, second = both_ways(value, scaled(value, at))
                return (
                    first / 3 + second
                    if is_bright(value + a)
                    else first - scaled(lifted(value, 1), wrapped(at, 2))
                )

        else:

            @gather
            def helped(load, y, x, c, key):
                return scaled(load(y, wrapped(x, 5), c), wrapped(y, 3)) - lifted(load(y, x, c), a) / 3

        return helped

    def pixel(self, values, y, x, c):
        def scaled(value, at):
            return value * np.float32(SHADES[at]) / three

        def lifted(value, by):
            return max(value, by) + np.float32(2)

        three, seven, a = np.float32(3), np.float32(7), np.float32(self.a)
        value = np.float32(values[y, x, c])
        if self.kind == "straight":
            return lifted(value, a) * max(value, three) / seven
        if self.kind == "branches":
            at, other = (c + 1) % 3, scaled(value, (c + 1) % 3)
            first, second = (three, other) if value > 99 else (value / seven, scaled(other, 1))
            if value + a > 99:
                return first / three + second
            return first - scaled(lifted(value, np.float32(1)), (at + 1) % 2)
        near = np.float32(values[y, min((x + 1) % 5, values.shape[1] - 1), c])
        return scaled(near, (y + 1) % 3) - lifted(value, a) / three


class Loops(Proved):
    """What changes variables in place and goes through tuples; whole numbers beside pixels."""

    def __init__(self, kind, a):
        self.kind, self.a = kind, a

    def generate_code(self):
        a = self.a
        if self.kind == "each":

            @each
            def loops(value, c, key):
                n = total = 0
                for w in (1, 2, 3):
                    n += w
                    total += value * w / 7
                value -= n
                return value * a + total

        else:

            @gather
            def loops(load, y, x, c, key):
                i, total = 0, 0.0
                for d in (-1, 0, 1):
                    total += SHADES[i] * load(y + d, x, c)
                    i += 1
                n = int(load(y, x, c))
                n >>= 3
                return total + (n & 7) * a

        return loops

    def pixel(self, values, y, x, c):
        value, a, total = np.float32(values[y, x, c]), np.float32(self.a), np.float32(0)
        if self.kind == "each":
            for w in (1, 2, 3):
                total += value * np.float32(w) / np.float32(7)
            return (value - np.float32(6)) * a + total
        for d, shade in zip((-1, 0, 1), SHADES, strict=True):
            total += np.float32(shade) * at(values, y + d, x, c)
        return total + np.float32(whole(value) >> 3 & 7) * a


class Recounted(Proved):
    """An image of another number of channels."""

    def __init__(self, count):
        self.count = count

    def shape(self, shape):
        return (*shape[:2], self.count)

    def dtype(self, dtype):
        return dtype

    def declare_state_and_memory(self, state):
        after, _ = super().declare_state_and_memory(state)
        return after, AllocationQuery(after.shape, after.dtype)

    def generate_code(self):
        @image
        def recounted(source, out, key):
            for y in range(out.shape[0]):
                for x in range(out.shape[1]):
                    for c in range(out.shape[2]):
                        out[y, x, c] = source[y, x, (c + 1) % source.shape[2]]

        return recounted

    def pixel(self, values, y, x, c):
        return values[y, x, (c + 1) % values.shape[2]]


class Branches(Proved):
    """A point that is not straight, with a counter that is an index; for other than 3 channels it only adds."""

    def __init__(self, limit):
        self.limit = limit

    def generate_code(self):
        limit, table = self.limit, (-1.5, 2.25, 4.0)
        if self._before[2] != 3:

            @each
            def branches(value, c, key):
                i = 0
                while i < 2:
                    value = value + table[i]
                    i += 1
                return value

            return branches

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
        if values.shape[2] != 3:
            return np.float32(values[y, x, c]) + np.float32(-1.5) + np.float32(2.25)
        r, g, b = (np.float32(v) for v in values[y, x])
        r = r + np.float32(-1.5) + np.float32(2.25)
        return (g, np.float32(4), r)[c] if r > np.float32(self.limit) else (r, g, b * np.float32(4))[c]


class Near(Proved):
    """A gather: two neighbours, one of them at a place that may be no number, or another channel."""

    def __init__(self, down, right, far, channel, wider):
        self.down, self.right, self.far, self.channel, self.wider = down, right, far, channel, wider

    def shape(self, shape):
        return shape[0] + self.wider, shape[1] + self.wider, shape[2]

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
            return here - other / np.float32(4)


def at(values, *place):
    """The nearest pixel of an image; the first for what is no number."""
    return np.float32(
        values[tuple(nearest(n, size - 1) for n, size in zip(place, values.shape, strict=True))]
    )


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
        return (*MOVES[self.how][0](height, width), channels)

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
    st.builds(Every, NUMBER, st.booleans()),
    st.builds(Branches, NUMBER),
    st.builds(Recounted, st.integers(1, 4)),
    st.builds(Helped, st.sampled_from(["straight", "branches", "gather"]), NUMBER),
    st.builds(Loops, st.sampled_from(["each", "gather"]), NUMBER),
    st.builds(Near, OFFSET, OFFSET, FAR, st.integers(-2, 2), st.integers(0, 2)),
    st.builds(Moved, st.sampled_from([*MOVES])),
    st.builds(Summed, st.sampled_from(NUMBERS)),
)
CHAINS = st.lists(st.one_of(*OPERATIONS), max_size=8)
SHAPES = st.tuples(st.integers(1, 11), st.integers(1, 19), st.integers(1, 4))
QUICK = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


def agrees(chain, shape, layout, **options):
    """The pipeline gives, bit for bit, what its operations mean, one after the other, pixel by pixel.

    Where that is bytes, batches of bytes and of floats are the same.
    """
    images = photographs(shape)
    with np.errstate(all="ignore"):
        values = images[0]
        for operation in chain:
            values = operation.image(values)
    expected = values.transpose(2, 0, 1) if layout == "CHW" else values
    for dtype in {FLOAT32, values.dtype} & {FLOAT32, np.dtype("uint8")}:
        made = Pipeline([*chain, ToLayout(layout)], shape, dtype=dtype, **options)(images)[0]
        assert made.dtype == dtype
        np.testing.assert_array_equal(made, expected.astype(dtype))


@settings(max_examples=2000 if WEEKLY else 100, derandomize=not WEEKLY, **QUICK)
@given(CHAINS, SHAPES, st.sampled_from(["CHW", "HWC"]))
def test_drawn_chains_give_what_their_operations_mean(chain, shape, layout):
    agrees(chain, shape, layout, compiled=False)


@pytest.mark.skipif(not WEEKLY, reason="each compiles: every week")
@settings(max_examples=400, **QUICK)
@given(CHAINS, SHAPES, st.sampled_from(["CHW", "HWC"]), st.booleans())
def test_drawn_chains_compiled_give_what_their_operations_mean(chain, shape, layout, boundscheck):
    agrees(chain, shape, layout, boundscheck=boundscheck)


NEAR = Near(2, -1, float("nan"), 1, 1), Near(-3, 4, 0.4, 0, 0)
FIXED = (
    ([*NEAR, Moved("swapped"), Summed("int8"), Moved("mirrored"), Mixed(-2.5, 3.0, True)], (4, 12, 3)),
    ([Moved("swapped"), Mixed(-2.5, 3.0, False), Moved("cut")], (5, 11, 3)),
    (
        [Moved("turned"), Branches(100.0), Summed("uint16"), Moved("sheared"), Mixed(0.5, -1.0, True)],
        (3, 10, 3),
    ),
    ([Moved("upside down"), Near(0, 0, float("inf"), 0, 0), Branches(3.0)], (6, 8, 3)),
    ([], (1, 1, 3)),
    (
        [Every(3.0, False), Moved("mirrored"), Mixed(-1.0, 0.5, False), Recounted(1), Every(0.5, True)],
        (3, 9, 4),
    ),
    ([Moved("cut"), Every(3.0, False), Summed("uint8"), Moved("mirrored"), Recounted(2)], (3, 13, 1)),
    (
        [
            NEAR[1],
            Every(3.0, True),
            Summed("float32"),
            Mixed(3.0, 0.5, True),
            Moved("mirrored"),
            Loops("gather", -2.5),
            Loops("each", 0.5),
        ],
        (3, 12, 2),
    ),
    ([Helped("straight", 3.0), Helped("gather", 0.5), Helped("branches", -1.0), Moved("cut")], (5, 14, 3)),
    ([Moved("mirrored"), Helped("straight", 99.0)], (5, 9, 1)),
    ([Moved("cut"), Summed("uint8"), Moved("cut")], (6, 13, 3)),
)


@pytest.mark.parametrize("at", [0, -6, -4, -3, -2, -1])
def test_a_chain_of_all_kinds_compiled_gives_what_its_operations_mean(at):
    chain, shape = FIXED[at]
    agrees(chain, shape, "CHW", boundscheck=True)


MUTANTS = {
    "a pixel beyond the image is not the nearest": ("nearest(x, ", "(lambda x, _: x)(x, "),
    "the channel is not looked at": (", nearest(c, 2)", ", c"),
    "NaN is the last": ("nearest(y, ", "(lambda y, n: n if y != y else nearest(y, n))(y, "),
    "a gather pulls from the source": (
        "return step0(source, skey, y, x, c)",
        "return source0(source, skey, y, x, c)",
    ),
    "a negative number is written as it is": ("np.float32(-2.5) ** ", "-np.float32(2.5) ** "),
    "a move is asked for the ends": ("= step0(y, x, skey)", "= (y, x)"),
    "rows are not mirrored": ("spread_mirrored", "spread"),
    "a counter is a float": ("whole(", "float("),
    "a row begins with its second pixel": ("first = y, 0", "first = y, 1"),
    "the last eight do not overlap": ("x = min(x, ", "x = max(x, "),
    "channels are swapped": ("red, green, blue = r[x], g[x], b[x]", "red, green, blue = b[x], g[x], r[x]"),
    "four channels begin with the second": (
        "spread_mirrored4(row, first - x)",
        "spread_mirrored4(row, first - x)[::-1]",
    ),
    "two channels are swapped": ("gray, alpha = g[x], a[x]", "gray, alpha = a[x], g[x]"),
    "a gray pixel is the next one": (
        "spread_mirrored1(row, first - x)",
        "spread_mirrored1(row, first - x + 1)",
    ),
    "each channel is the first": (" step0_3(", " step0_0("),
    "a helper's integer is one": (" / np.float32(3.0)", " / np.float64(3.0)"),
    "a helper's index is none": ("% size", "% (size + 1)"),
    "a row is copied from its beginning": ("copy(pixels, row, 3 * first)", "copy(pixels, row, 0 * first)"),
    "memory is read again": ("source = m", "source = images[rows[i]]  # "),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_of_the_generated_text_is_noticed(name, monkeypatch):
    old, new = MUTANTS[name]
    interpret, changed = modules.interpret, []

    def mutated(source):
        changed.append(old in source)
        return interpret(source.replace(old, new))

    monkeypatch.setattr("numba_course.pipeline.pipeline.modules.interpret", mutated)
    caught = 0
    for chain, shape in FIXED:
        try:
            agrees(chain, shape, "CHW", compiled=False)
        except Exception:
            caught += 1
    assert any(changed) and caught


# ---- what an operation declares


class Declares(Operation):
    """An operation of a kind that declares what it is told to."""

    def __init__(self, kind, queries=None, **changed):
        self.kind, self.queries, self.changed = kind, queries, changed

    def declare_state_and_memory(self, state):
        return replace(state, **self.changed), self.queries

    def generate_code(self):
        if self.kind is point:

            def f(r, g, b, key):
                return r, g, b

        elif self.kind is gather:

            def f(load, y, x, c, key):
                return load(y, x, c)

        elif self.kind is move:

            def f(y, x, key):
                return y, x

        elif self.kind is image:

            def f(source, out, key):
                out[:] = source

        else:
            return None
        return self.kind(f)


SHAPE = (6, 9, 3)
FLOATS, BYTES = AllocationQuery(SHAPE, FLOAT32), AllocationQuery(SHAPE, "uint8")
LIES = {
    "a gray point": (
        Declares(point, shape=(6, 9, 1)),
        "it declares 1 channels of 3, and only an @image can change their number",
    ),
    "four channels": (Declares(gather, shape=(6, 9, 4)), "it declares 4 channels of 3, and only"),
    "a taller point": (Declares(point, shape=(7, 9, 3)), "a @point cannot make 7×9×3 of 6×9×3"),
    "a wider nothing": (Declares(None, shape=(6, 10, 3)), "what generates no code cannot make 6×10×3"),
    "a point of float64": (
        Declares(point, dtype=np.dtype("float64")),
        "dtype must be float32 or what that holds",
    ),
    "a point of int8": (
        Declares(point, dtype=np.dtype("int8")),
        "it declares int8, but a @point gives float32",
    ),
    "a move to float32": (Declares(move, dtype=FLOAT32), "but a @move gives uint8, which goes in"),
    "a larger image": (
        Declares(image, FLOATS, shape=(7, 9, 3), dtype=FLOAT32),
        "its memory is float32 6×9×3, but",
    ),
    "another image": (
        Declares(image, BYTES, dtype=FLOAT32),
        "its memory is uint8 6×9×3, but it declares that float32",
    ),
    "no layout": (Declares(move, layout="WHC"), "layout must be 'CHW' or 'HWC', not 'WHC'"),
    "five channels": (
        Declares(image, AllocationQuery((6, 9, 5), "uint8"), shape=(6, 9, 5)),
        "a State has 1 to 4 channels, not 5",
    ),
    "no pixel": (
        Declares(move, shape=(0, 9, 3)),
        r"shape must be \(height, width, channels\), not \(0, 9, 3\)",
    ),
    "half a pixel": (Declares(move, shape=(2.5, 9, 3)), r"shape must be \(height, width, channels\)"),
    "no range": (
        Declares(move, values=(1, 0)),
        r"values must be a lower and a higher number, or None, not \(1, 0\)",
    ),
    "beyond its range": (
        Declares(point, values=(0, 1)),
        r"declares values in 0..1, but gives 255 for the pixel \(0, 0, 255\)",
    ),
    "a gather beyond": (
        Declares(gather, values=(0, 99)),
        "declares values in 0..99, but gives 255 for a white image",
    ),
    "an image of float64": (
        Declares(image, AllocationQuery(SHAPE, "float64")),
        "dtype must be float32 or what that",
    ),
    "text as memory": (Declares(image, AllocationQuery(SHAPE, "U3")), "dtype of memory must be of numbers"),
}


@pytest.mark.parametrize("name", LIES)
def test_what_a_step_cannot_make_is_refused_when_the_pipeline_is_made(name):
    operation, says = LIES[name]
    with pytest.raises(PipelineError, match=f"^step 1, Declares.*{says}"):
        Pipeline([HorizontalFlip(), operation, ToLayout("CHW")], SHAPE, compiled=False)


class Loud(Operation):
    def generate_code(self):
        @point
        def loud(r, g, b, key):
            return 2 * r, g, b

        return loud


NORMALIZE = Normalize((0.5,) * 3, (0.2,) * 3)


@pytest.mark.parametrize(
    ("operations", "says"),
    [
        ([NORMALIZE, NORMALIZE], "step 1, Normalize.*takes values in 0..255 or 0..1, and any come in"),
        ([NORMALIZE, Brightness()], "step 1, Brightness.*any come in"),
        ([NORMALIZE, Resize(3, 3), Contrast()], "step 2, Contrast.*any come in"),
        ([Loud(), Brightness()], "step 1, Brightness.*any come in"),
        ([Declares(move, values=(-1, 1)), NORMALIZE], "step 1, Normalize.*and -1..1 come in"),
    ],
)
def test_values_of_another_range_are_refused(operations, says):
    with pytest.raises(PipelineError, match=says):
        Pipeline(operations, SHAPE, compiled=False)


class Unit(Operation):
    def declare_state_and_memory(self, state):
        return replace(state, dtype=FLOAT32, values=(0, 1)), None

    def generate_code(self):
        @point
        def unit(r, g, b, key):
            return r / 255, g / 255, b / 255

        return unit


def test_operations_of_values_in_0_to_1_know_what_white_is():
    images, brightness = photographs(SHAPE, 2), Brightness(1.0)
    brightness.stream = 0
    bright, normal = (
        [Pipeline([*before, step], SHAPE, compiled=False)(images) for before in ([Unit()], [])]
        for step in (brightness, NORMALIZE)
    )
    np.testing.assert_allclose(bright[0] * 255, bright[1], rtol=1e-5)
    np.testing.assert_allclose(normal[0], normal[1], rtol=1e-5, atol=1e-5)


# ---- names and literals


size = 2  # what operations below call their own


class Names(Operation):
    """Attributes and local variables that have names of other things; those of the generator among them."""

    def generate_code(self):
        from math import pi, sqrt  # noqa: F401

        import numpy as num

        skey, uniform_, source, _ = -3, uniform, 5, pi

        @gather
        def names(load, y, x, c, key):
            np = y  # not NumPy
            step = load(np, x, c) + skey**2
            source_size, size = num.float32(4), 7
            first = len([source for source in (1, 2)])
            return step + num.sqrt(source_size) + size + source + first + 0 * uniform_(key, 0) * num.pi

        return names


class Total(Operation):
    """NumPy's mean where somebody has a mean of his own, and attributes of arrays that are called like it."""

    def declare_state_and_memory(self, state):
        return replace(state, dtype=FLOAT32, values=None), AllocationQuery(state.shape, FLOAT32)

    def generate_code(self):
        @image
        def total(source, out, key):
            size = source.size
            shape = np.mean(source)
            for y in range(out.shape[0]):
                for x in range(out.shape[1]):
                    for c in range(3):
                        out[y, x, c] = shape + size

        return total


mean, shape = 4, 5


@pytest.mark.parametrize("compiled", [False, True])
def test_names_are_what_python_finds_under_them(compiled):
    images = photographs(SHAPE)
    made = Pipeline([Names(), Total()], SHAPE, compiled=compiled)(images)
    wanted = (images + np.float32(9 + 2 + 7 + 5 + 2)).mean()
    np.testing.assert_allclose(made, wanted + images.size, rtol=1e-6)


class Closing(Operation):
    """Closes over a value, and takes its square."""

    def __init__(self, value, kind):
        self.value, self.kind = value, kind

    def declare_state_and_memory(self, state):
        query = AllocationQuery(state.shape, FLOAT32)
        after = replace(state, dtype=FLOAT32 if self.kind is not move else state.dtype, values=None)
        return after, query if self.kind is image else None

    def generate_code(self):
        value = self.value
        if self.kind is move:

            def closing(y, x, key):
                return (y + value**2) % 2, x

        elif self.kind is gather:

            def closing(load, y, x, c, key):
                return load(y, x, c) * 0 + value**2

        elif self.kind is point:

            def closing(r, g, b, key):
                return r * 0 + value**2, g * 0 + value**2, b * 0 + value**2

        else:

            def closing(source, out, key):
                out[:] = value**2

        return self.kind(closing)


@pytest.mark.parametrize("kind", [gather, point, image])
@pytest.mark.parametrize("value", [-3, -3.0, np.int8(-3), np.float64(-1.5), float("inf"), -np.inf, np.nan])
def test_a_literal_keeps_its_value(kind, value):
    made = Pipeline([Closing(value, kind)], (2, 2, 3), compiled=False)(photographs((2, 2, 3)))
    assert np.array_equal(made, np.full_like(made, float(value) ** 2), equal_nan=True)


def test_a_negative_literal_is_squared_in_a_move():
    images = photographs((2, 3, 3))
    made = Pipeline([Closing(-3, move)], (2, 3, 3), compiled=False)(images)
    assert np.array_equal(made, images[:, ::-1])


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (1j, "the variable value is of type 'complex'; generated code takes numbers and tuples of numbers"),
        (2**63, "the variable value is 9223372036854775808, which does not fit into 64 bits"),
        (1e300, "the variable value is 1e[+]300, which float32 cannot hold"),
        (1e-60, "the variable value is 1e-60, which float32 cannot hold"),
        ("text", "the variable value is of type 'str'"),
        (np.arange(3), "the variable value is of type 'ndarray'"),
        (os, "generated code cannot hold the module value; it has NumPy"),
        (print, "generated code cannot call value"),
    ],
)
def test_what_generated_code_cannot_hold_is_refused(value, says):
    with pytest.raises(PipelineError, match=rf"^step 0, Closing\(.*: {says}"):
        Pipeline([Closing(value, point)], (2, 2, 3), compiled=False)


def endless(value):
    return forth(value)


def forth(value):
    return back(value) + endless(value)


def back(value):
    return forth(value)


def by_default(value, share=0.5):
    return value * share


def looks_up(value):
    return table_of_shades[value]


def nowhere(value):
    return value.reshape(2)


table_of_shades = {0: 1}
without_source = {}
exec("def unknown(value): return value", without_source)
unknown = without_source["unknown"]
unnamed = lambda value: value  # noqa: E731


class Calls(Operation):
    """An each that calls a function in some way."""

    def __init__(self, how):
        self.how = how

    def generate_code(self):
        return each(CALLS[self.how][0])


def recursive(value, c, key):
    return endless(value)


def defaulted(value, c, key):
    return by_default(value)


def looking(value, c, key):
    return looks_up(value)


def sourceless(value, c, key):
    return unknown(value)


def nameless(value, c, key):
    return unnamed(value)


def named(value, c, key):
    return larger(value, other=3)


def too_few(value, c, key):
    return larger(value)


def passed(value, c, key):
    f = larger
    return f(value, 3)


def itself(value, c, key):
    return itself(value, c, key)


def channel(value, c, key):
    c = c + 1
    return value * c


CALLS = {
    "recursion": (
        recursive,
        "in endless: in forth: in back: forth calls itself: generated code holds no recursion",
    ),
    "itself": (itself, "itself calls itself: generated code holds no recursion"),
    "defaults": (
        defaulted,
        "in by_default: the parameters of a function that generated code calls must be plain names without defaults",
    ),
    "a dictionary": (looking, "in looks_up: the variable table_of_shades is of type 'dict'"),
    "no source": (sourceless, "in unknown: the source of unknown cannot be read"),
    "no def": (nameless, "in unnamed: <lambda> must be written with def"),
    "by name": (named, "larger must be called by position"),
    "too few": (too_few, "larger takes 2 arguments, not 1"),
    "not called": (passed, "generated code cannot hold the function larger"),
    "a channel": (channel, "c is the number of a channel, and cannot be assigned to"),
}


@pytest.mark.parametrize("how", CALLS)
def test_functions_that_cannot_be_taken_over_are_refused(how):
    with pytest.raises(PipelineError, match=rf"^step 0, Calls\(.*: {CALLS[how][1]}"):
        Pipeline([Calls(how)], SHAPE, compiled=False)


class Lost(Operation):
    def generate_code(self):
        @each
        def lost(value, c, key):
            return nowhere(value)

        return lost


def test_an_error_in_a_function_that_is_called_names_its_line():
    line = nowhere.__code__.co_firstlineno + 1
    where = rf"^step 0, Lost\(\), written in .*test_program\.py:{line}: "
    with pytest.raises(PipelineCompileError, match=where):
        Pipeline([Lost()], SHAPE)


def test_what_a_function_holds_names_the_module():
    global SHADES
    before, shades = Pipeline([Helped("branches", 1.0)], SHAPE, compiled=False), SHADES
    try:
        SHADES = 0.25, -1.5, 3.5
        assert Pipeline([Helped("branches", 1.0)], SHAPE, compiled=False).program.key != before.program.key
    finally:
        SHADES = shades


def test_a_function_that_serves_vectors_leaves_an_operation_straight():
    straight, other = (lift(Helped(kind, 1.0).generate_code(), 0, 0, 3) for kind in ("straight", "branches"))
    assert straight.is_straight and not other.is_straight


class Drawn(Operation):
    """Straight: a constant, a draw, and a choice between a pixel and a number."""

    def generate_code(self):
        @point
        def drawn(r, g, b, key):
            if uniform(key, 0) < 0.5:
                return 0.0, g, uniform(key, 1)
            return r, 3 if uniform(key, 2) < 0.5 else g, b

        return drawn


class Extremes(Operation):
    """Integers that wrap around, bytes that are subtracted, and numbers that no integer is."""

    def declare_state_and_memory(self, state):
        return replace(state, dtype=FLOAT32, values=None), AllocationQuery(state.shape, FLOAT32)

    def generate_code(self):
        @image
        def extremes(source, out, key):
            big, none = 2**62, np.float32(0.0)
            for y in range(out.shape[0]):
                for x in range(out.shape[1]):
                    a, b = source[y, x, 0], source[y, x, 1]
                    out[y, x, 0] = a - b
                    out[y, x, 1] = (big + a) * 4 // 3 + int(a / none) // 2 + int(none / none) % 7
                    out[y, x, 2] = min(a, b) + max(a, b, 200) + a // (b - b) + -a + (~b >> 1)

        return extremes


@pytest.mark.parametrize("operation", [Drawn(), Extremes()], ids=["draws", "overflows"])
def test_constants_for_channels_and_numbers_that_overflow_are_the_same_compiled(operation):
    images = photographs((4, 12, 3), 6)
    compiled, interpreted = (Pipeline([operation], (4, 12, 3), compiled=how)(images) for how in (True, False))
    assert np.array_equal(compiled, interpreted, equal_nan=True)


class Either(Operation):
    """A gather and a point whose variables and results are integers on one way and floats on another."""

    def __init__(self, kind):
        self.kind = kind

    def generate_code(self):
        third, other = 1 / 3, 1 / 7
        if self.kind is gather:

            def either(load, y, x, c, key):
                v, far = (load(y, x, c) if x % 2 else 3), x + 1
                held = np.empty(int(v) * 0 + 2)
                held[1] = v
                v = np.float32(held[1])
                if y % 2:
                    return 16777216
                return v * third * other + load(y, far, c) / 7

        else:

            def either(r, g, b, key):
                v = 0
                for i in range(3):
                    v = v + r * (i + 1) / 3
                if g > 99:
                    return (v * third, int(b) | 1, int(b) / 7) if b > 9 else (int(r), g, 1)
                v = 3
                return v * third * other, int(r), b

        return self.kind(either)


@pytest.mark.parametrize("kind", [gather, point])
def test_what_is_an_integer_on_one_way_and_a_float_on_another_is_float32(kind):
    images = photographs((4, 12, 3), 2)
    operations = [Either(kind), Near(0, 1, 0.4, 0, 0), Either(kind)]
    compiled, interpreted = (Pipeline(operations, (4, 12, 3), compiled=how)(images) for how in (True, False))
    assert np.array_equal(compiled, interpreted)


class Leaves(Operation):
    """An image that reads one row beyond it, or writes there."""

    def __init__(self, reads):
        self.reads = reads

    def declare_state_and_memory(self, state):
        return replace(state, dtype=FLOAT32, values=None), AllocationQuery(state.shape, FLOAT32)

    def generate_code(self):
        read, written = (1, 0) if self.reads else (0, 1)

        @image
        def leaves(source, out, key):
            for y in range(out.shape[0]):
                for x in range(out.shape[1]):
                    for c in range(3):
                        out[y + written, x, c] = source[y + read, x, c]

        return leaves


class Strays(Operation):
    """A move that leaves the image that it cuts from, and not the one behind it."""

    def generate_code(self):
        @move
        def strays(y, x, key):
            return y, x - 1

        return strays


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    ("operations", "says"),
    [
        ([Leaves(True)], "out of bounds"),
        ([Leaves(False)], "out of bounds"),
        ([CenterCrop(4, 4), Strays()], "left the image"),
        ([*NEAR, Strays()], "left the image"),
    ],
    ids=["reads", "writes", "moves", "moves what is pulled"],
)
def test_an_index_that_leaves_its_own_image_raises(operations, says, compiled):
    with pytest.raises(IndexError, match=says):
        Pipeline(operations, SHAPE, compiled=compiled)(photographs(SHAPE))


# ---- the text, its name, and Python without a compiler


class Says(Operation):
    def __init__(self, text, other=None):
        self._text, self.other = text, other

    def generate_code(self):
        @move
        def says(y, x, key):
            return y, x

        return says

    def __repr__(self):
        if self._text is None:
            raise ValueError
        return self._text


@pytest.mark.parametrize("text", ["a\nwhile True: pass\n", "é\\ # '''", "", None])
def test_what_an_operation_says_of_itself_is_in_no_text_that_is_compiled(text):
    plain, said = (Pipeline([Says(what)], SHAPE, compiled=False) for what in ("plain", text))
    assert said.program.source == plain.program.source and said.program.key == plain.program.key
    assert len(said.source.splitlines()) == len(plain.source.splitlines())
    assert "# step 0: plain" in plain.source
    assert np.array_equal(said(photographs(SHAPE)), photographs(SHAPE))


def test_attributes_may_be_anything_and_streams_must_be_integers():
    class Table(Says):
        __repr__ = Operation.__repr__

    table = Table("", other=np.eye(2))
    Pipeline([table], SHAPE, compiled=False)
    table.stream = "0)"
    with pytest.raises(PipelineError, match=r"step 0, .*stream must be an integer, not '0\)'"):
        Pipeline([table], SHAPE, compiled=False)


WITHOUT = """
import sys
from tests.pipeline.test_program import plain_batches
for compiled in (True, False):
    sys.stdout.buffer.write(plain_batches(compiled))
"""


def plain_batches(compiled):
    """The bytes of batches of several pipelines."""
    chains = [Brightness(), Contrast()], [*NEAR], [Extremes()], [Brightness(), Resize(9, 11)]
    images = photographs(SHAPE, 2)
    return b"".join(Pipeline(chain, SHAPE, compiled=compiled)(images).tobytes() for chain in chains)


def test_without_the_compiler_the_bits_are_the_same():
    surroundings = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    said = subprocess.run([sys.executable, "-c", WITHOUT], env=surroundings, capture_output=True, timeout=120)
    assert said.stderr == b""
    assert said.stdout == plain_batches(False) * 2


WRITTEN = """
from numba_course.pipeline import Operation, point
class Written(Operation):
    def generate_code(self):
        share = 0.5
        @point
        def written(r, g, b, key):
            '''In
            two lines.'''
            return r * share, g * 0.25, b
        return written
"""


@pytest.mark.parametrize(
    "new", [("0.25", "0.75"), ("r * share", "g * share"), ("r * share", "r * size"), ("return r", "r")]
)
def test_a_file_that_was_changed_after_its_import_is_not_taken_for_the_source(tmp_path, monkeypatch, new):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "written_by_hand", raising=False)
    (tmp_path / "written_by_hand.py").write_text(WRITTEN)
    written = importlib.import_module("written_by_hand")
    Pipeline([written.Written()], SHAPE, compiled=False)
    (tmp_path / "written_by_hand.py").write_text(WRITTEN.replace(*new) + "\n")
    with pytest.raises(PipelineError, match=r"source of .*written was changed after it was run"):
        Pipeline([written.Written()], SHAPE, compiled=False)


def test_without_the_compiler_nothing_is_compiled_and_a_pipeline_that_is_known_compiles_nothing():
    Pipeline([HorizontalFlip(), Brightness()], SHAPE)
    with event.install_recorder("numba:compile") as recorded:
        Pipeline([HorizontalFlip(), Brightness()], SHAPE)
        Pipeline([HorizontalFlip(), Brightness()], SHAPE, compiled=False)(photographs(SHAPE))
    assert not recorded.buffer


def test_draws_do_not_keep_code_from_being_straight():
    step = Brightness().generate_code()
    assert lift(step, 0, 0, 3).is_straight and lift(Drawn().generate_code(), 0, 0, 3).is_straight
    assert not lift(Branches(1.0).generate_code(), 0, 0, 3).is_straight


class Drawing(Operation):
    def __init__(self, drawn):
        self._drawn = drawn

    def generate_code(self):
        drawn = self._drawn

        @point
        def drawing(r, g, b, key):
            return r * drawn(key, 0), g, b

        return drawing


def test_uniform_that_came_from_another_process_draws_as_here():
    images, copied = photographs(SHAPE, 5), njit(uniform.py_func)  # as a pickled one is made anew
    made, again = (Pipeline([Drawing(drawn)], SHAPE, compiled=False)(images) for drawn in (uniform, copied))
    assert np.array_equal(made, again)
    with pytest.raises(PipelineError, match="generated code cannot call drawn"):
        Pipeline([Drawing(random.uniform)], SHAPE, compiled=False)


GUARDED = """
import ctypes
import mmap
import numpy as np
from numba_course.pipeline import HorizontalFlip, Pipeline, ToLayout
from tests.pipeline.test_program import NEAR, Summed

libc = ctypes.CDLL(None, use_errno=True)


def between_guards(shape, dtype, at_end):
    # An array that begins or ends where a page begins that nobody may touch.
    size, page = int(np.prod(shape)) * np.dtype(dtype).itemsize, mmap.PAGESIZE
    pages = -(-size // page)
    memory = mmap.mmap(-1, (pages + 2) * page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for guard in (start, start + (pages + 1) * page):
        assert libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(page), 0) == 0
    offset = page + (pages * page - size if at_end else 0)
    kept.append(memory)
    return np.frombuffer(memory, dtype, count=int(np.prod(shape)), offset=offset).reshape(shape)


kept = []
chains = [HorizontalFlip(), ToLayout("CHW")], [HorizontalFlip()], [*NEAR, Summed("int16")]
cases = [(chain, 3) for chain in chains] + [(chain, n) for chain in chains[:2] for n in (1, 2, 4)]
for chain, channels in cases:
    shape = (5, 11, channels)
    made = Pipeline(chain, shape, fastmath=True)
    plain = np.random.default_rng(0).integers(0, 256, (4, *shape), dtype=np.uint8)
    wanted = made(plain)
    for at_end in (True, False):
        images = between_guards(plain.shape, np.uint8, at_end)
        images[:] = plain
        out = between_guards(wanted.shape, np.float32, at_end)
        assert np.array_equal(made(images, out=out), wanted)
print("inside")
import os
os._exit(0)  # the guards stay
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="guards are set by mprotect")
def test_nothing_is_read_or_written_beside_the_images_and_the_batch():
    said = subprocess.run([sys.executable, "-u", "-c", GUARDED], capture_output=True, text=True, timeout=120)
    assert (said.returncode, said.stdout, said.stderr) == (0, "inside\n", "")
