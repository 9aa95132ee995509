"""What operations' functions may say: it is the same compiled and as Python, or is refused in a sentence."""

from dataclasses import replace

import numpy as np
import pytest

from numba_course.pipeline import (
    AllocationQuery,
    Operation,
    Pipeline,
    PipelineError,
    gather,
    image,
    move,
    point,
    uniform,
)

pytestmark = pytest.mark.usefixtures("generated_modules")

SHAPE = 4, 19, 3
IMAGES = np.random.default_rng(1).integers(0, 256, (2, *SHAPE), dtype=np.uint8)
OFFSETS = -1, 0, 1
WEIGHTS = 0.25, 0.5, 0.25


class Says(Operation):
    """An operation of a function that is at hand."""

    def __init__(self, function, dtype=np.float32, values=None):
        self._function, self._dtype, self._values = function, np.dtype(dtype), values

    def declare_state_and_memory(self, state):
        dtype = state.dtype if self._function.kind == "move" else self._dtype
        memory = AllocationQuery(state.shape, dtype) if self._function.kind == "image" else None
        return replace(state, dtype=dtype, values=self._values), memory

    def generate_code(self):
        return self._function


def both(*functions, dtype=np.float32):
    """What some functions make of images, compiled, if it is the same as Python."""
    steps = [Says(function, dtype) for function in functions]
    compiled, plain = (Pipeline(steps, SHAPE, compiled=how)(IMAGES) for how in (True, False))
    assert np.array_equal(compiled.view(np.uint32), plain.view(np.uint32))
    return compiled


def refused(function, says, **declared):
    with pytest.raises(PipelineError, match=rf"^step 0, Says\(\): .*{says}"):
        Pipeline([Says(function, **declared)], SHAPE, compiled=False)


# ---- what would leave an array


@image
def flat_written(source, out, key):
    out.flat[100000] = 3.0


@point
def flat_read(r, g, b, key):
    return np.array([r, g, b]).flat[100000], g, b


@image
def viewed(source, out, key):
    out[:] = source.view(np.uint64)


@image
def taken_along(source, out, key):
    s = source.reshape(source.size)
    out[:] = np.take_along_axis(s, np.array([0, 100000]), 0)[1]


@image
def strided(source, out, key):
    out[:] = np.lib.stride_tricks.as_strided(source, (1000000,), (1,))[-1]


LEAVING = {
    flat_written: "cannot use the attribute flat: of an array it takes its shape",
    flat_read: "cannot use the attribute flat",
    viewed: "cannot use the attribute view",
    taken_along: "cannot use np.take_along_axis: of NumPy it takes",
    strided: "cannot use np.lib.stride_tricks.as_strided",
}


@pytest.mark.parametrize("function", LEAVING, ids=lambda function: function.__name__)
def test_what_reads_or_writes_anywhere_is_refused(function):
    refused(function, LEAVING[function])


@image
def takes_outside(source, out, key):
    out[:] = np.take(source, out.size)


@image
def partitioned_outside(source, out, key):
    out[:] = np.partition(source.reshape(source.size), source.size)[0]


@image
def chosen_outside(source, out, key):
    out[:] = source[np.array([0, 100000])][0]


@pytest.mark.parametrize("function", [takes_outside, partitioned_outside, chosen_outside])
@pytest.mark.parametrize("compiled", [True, False])
def test_places_that_are_allowed_are_looked_at(function, compiled):
    with pytest.raises((IndexError, ValueError)):
        Pipeline([Says(function)], SHAPE, compiled=compiled)(IMAGES)


# ---- operators in place


@point
def adds_in_place(r, g, b, key):
    r += 10.0
    s = t = g * 2
    s += 1
    s -= b
    t *= uniform(key, 0)
    b /= 7
    return s, t, r + b


@image
def in_place(source, out, key):
    out[:] = source
    out *= 0.5
    for y in range(out.shape[0]):
        row = out[y]
        row += 1.0
    a = np.zeros(3)
    b = a
    b += 1.0
    out -= out.mean() + np.float32(a[1])


def test_operators_in_place_are_in_place():
    both(adds_in_place)
    made = both(in_place)
    halves = IMAGES * np.float32(0.5) + 1
    np.testing.assert_allclose(made, halves - halves.mean(axis=(1, 2, 3), keepdims=True) - 1, rtol=1e-4)


def test_vectors_that_are_changed_in_place_are_values():
    r, g, b = np.moveaxis(IMAGES.astype(np.float32), 3, 0)
    made = both(adds_in_place)
    assert np.array_equal(made[..., 0], g * 2 + 1 - b)
    assert np.array_equal(made[..., 2], r + 10 + b / np.float32(7))


# ---- names


@point
def collides(r, g, b, key):
    its_round = r * 2
    round = g * 3
    whole = [its_round for its_its_round in OFFSETS][0]
    return its_round, round, whole


@point
def named_like_ours(r, g, b, key):
    binary = 255.0 if r + g > 300 else 0.0
    unary, in_place, int64 = -r, g, b
    return binary, unary + in_place, int64


def test_a_local_name_is_its_own():
    r, g, _ = np.moveaxis(IMAGES.astype(np.float32), 3, 0)
    assert np.array_equal(both(collides), np.stack([r * 2, g * 3, r * 2], axis=3))
    assert np.array_equal(both(named_like_ours)[..., 1], g - r)


# ---- a declared range


@point
def not_tried(r, g, b, key):
    return np.array([r, g, b])[int(r) % 7], g, b


def test_a_range_that_cannot_be_tried_is_refused():
    refused(not_tried, "declares values in 0..255, but gives IndexError as it is tried: ", values=(0, 255))


# ---- results


@point
def by_a_variable(r, g, b, key):
    t = (r * np.float64(1.1), g, b)
    if r > 100:
        return t
    return t if g > 100 else (g, b, r)


@point
def told_apart(r, g, b, key):
    return (r - 22.0) * 1e6, g, b


@gather
def the_same(load, y, x, c, key):
    return load(y, x, c)


def test_what_a_point_returns_is_float32_fused_or_not():
    assert np.array_equal(both(by_a_variable, told_apart), both(by_a_variable, the_same, told_apart))


@point
def falls_off(r, g, b, key):
    if r > 100:
        return r, g, b


@point
def loops_off(r, g, b, key):
    for i in range(3):
        if r > i:
            return r, g, b


@gather
def calls_one(load, y, x, c, key):
    return nothing_at_times(load(y, x, c))


def nothing_at_times(value):
    if value > 3:
        return value
    return


@pytest.mark.parametrize("function", [falls_off, loops_off, calls_one])
def test_a_way_without_a_result_is_refused(function):
    refused(function, "there is a way through it that returns nothing")


# ---- statements, and how functions are written


@point
def matches(r, g, b, key):
    match int(r) // 64:
        case 0:
            return g, g, b
    return r, g, b


@point
def yields(r, g, b, key):
    yield r, g, b


@point
def starred(r, g, b, key):
    a, *rest = r, g, b
    return a, g, b


@point
def by_name(r, g, b, key):
    return r * uniform(key=key, i=0), g, b


@point
def positional(r, g, b, /, key):
    return r, g, b


CANNOT = {
    matches: "cannot hold a match",
    yields: "cannot hold a yield",
    starred: "cannot hold a star before a value",
    by_name: "uniform must be called by position",
    positional: "parameters of a @point function must be plain names without defaults",
}


@pytest.mark.parametrize("function", CANNOT, ids=lambda function: function.__name__)
def test_what_generated_code_cannot_hold_is_said(function):
    refused(function, CANNOT[function])


def test_a_lambda_is_called_one():
    refused(point(lambda r, g, b, key: (r, g, b)), "<lambda> must be written with def")


def test_lines_that_are_indented_less_are_read():
    @move
    def less_indented(y, x, key):
        """Two
        lines."""
        # and a comment
        return (y, x)

    assert np.array_equal(both(less_indented), IMAGES.astype(np.float32))


@point
def times_truth(r, g, b, key):
    return r * True, g + False, b


def test_a_truth_value_is_a_number_for_vectors():
    assert np.array_equal(both(times_truth), IMAGES.astype(np.float32))
