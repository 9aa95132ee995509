"""What operations' functions may say: it is the same compiled and as Python, or is refused in a sentence."""

from dataclasses import replace

import numpy as np
import pytest

from numba_course.pipeline import (
    AllocationQuery,
    Operation,
    Pipeline,
    PipelineCompileError,
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


@image
def written_as_a_copy(source, out, key):
    np.ascontiguousarray(source)[0, 0, 0] = 77
    out[:] = source


@image
def into_less(source, out, key):
    np.add(source, source.mean(), out[0])


@point
def into_less_by_name(r, g, b, key):
    return np.sqrt(r, out=np.zeros(1)), g, b


LEAVING = {
    written_as_a_copy: "cannot use np.ascontiguousarray: compiled, what it makes could be written where the images",
    into_less: "cannot give np.add an array to write into; assign what it returns",
    into_less_by_name: "cannot give np.sqrt an array to write into",
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


@pytest.mark.parametrize("compiled", [True, False])
def test_places_that_are_allowed_are_looked_at(compiled):
    with pytest.raises(IndexError):
        Pipeline([Says(takes_outside)], SHAPE, compiled=compiled)(IMAGES)


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
    made = both(in_place)
    halves = IMAGES * np.float32(0.5) + 1
    np.testing.assert_allclose(made, halves - halves.mean(axis=(1, 2, 3), keepdims=True) - 1, rtol=1e-4)


def test_vectors_that_are_changed_in_place_are_values():
    r, g, b = np.moveaxis(IMAGES.astype(np.float32), 3, 0)
    made = both(adds_in_place)
    assert np.array_equal(made[..., 0], g * 2 + 1 - b)
    assert np.array_equal(made[..., 2], r + 10 + b / np.float32(7))


@image
def more_than_fits(source, out, key):
    out[:] = source
    row = out[0]
    row += np.ones((2, 1, 1), np.float32)


@gather
def more_than_fits_in_a_gather(load, y, x, c, key):
    values = np.zeros(2, np.float32)
    values += np.ones(5, np.float32)
    return load(y, x, c) + values[1]


@pytest.mark.parametrize("function", [more_than_fits, more_than_fits_in_a_gather])
@pytest.mark.parametrize("compiled", [True, False])
def test_an_operator_in_place_takes_no_more_than_fits(function, compiled):
    with pytest.raises(ValueError, match=r"larger than its target|broadcast"):
        Pipeline([Says(function)], SHAPE, compiled=compiled)(IMAGES)


@point
def between(r, g, b, key):
    """A number, a whole number, and an array."""
    return np.clip(r * 2, 0, 255), np.clip(int(g), 3, 99) // 2, np.clip(np.array([r, b]), 1.5, 200)[1]


def test_single_numbers_are_clipped_as_arrays_are():
    r, g, b = np.moveaxis(IMAGES.astype(np.float32), 3, 0)
    wanted = np.minimum(r * 2, 255), np.clip(g, 3, 99) // 2, np.clip(b, np.float32(1.5), 200)
    assert np.array_equal(both(between), np.stack(wanted, axis=3))


# ---- names


@point
def collides(r, g, b, key):
    its_round = r * 2
    round = g * 3
    whole = [its_round for its_its_round in OFFSETS]
    return its_round, round, whole[0]


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
    return t if g > 100 else (g * np.float64(1.1), b, r)


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
    a, *_ = r, g, b
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

    assert np.array_equal(both(less_indented, times_truth), IMAGES.astype(np.float32))


@point
def times_truth(r, g, b, key):
    """For vectors, a truth value is a number."""
    return r * True, g + False, b


# ---- whole numbers


@gather
def whole_places(load, y, x, c, key):
    total = 0.0
    for i in (0, 1, 2):
        total += WEIGHTS[i] * load(y, x + i - 1, c)
    for d in OFFSETS:
        total += WEIGHTS[d + 1] * load(y + d, x, c)
    i, more = 0, 0.0
    j = most = 0
    most += max(WEIGHTS[j], 3)
    return total + sum_of(load(y, x, c), i) + more + most


def sum_of(value, at):
    return sum_of_two(value * WEIGHTS[at], 2) / 3


def sum_of_two(value, n):
    return value * n + OFFSETS[n]


@point
def whole_bits(r, g, b, key):
    v = int(r)
    v >>= 4
    mask = 240
    h = int(r) * 16777217 % 1000
    for k in (0, 1, 2):
        v += int(g) >> k
    v = v + np.int64(WEIGHTS[(np.argmax(np.array([r, g, b])) + 1) % 3])
    middle = np.array([r, g, b]).reshape(1, 3)[0, 1]
    return v + (int(r) & mask) / 7, h, middle + np.bitwise_and(int(b), 240)


def test_whole_numbers_stay_whole():
    both(whole_places)
    made = both(whole_bits)
    r, g, b = np.moveaxis(IMAGES.astype(np.int64), 3, 0)
    assert np.array_equal(made[..., 1], r * 16777217 % 1000)
    first = (r >> 4) + g + (g >> 1) + (g >> 2) + (r & 240).astype(np.float32) / np.float32(7)
    assert np.array_equal(made[..., 0], first.astype(np.float32))
    assert np.array_equal(made[..., 2], g + (b & 240))


@point
def too_fine(r, g, b, key):
    return r * 16777217, g, b


@point
def given_too_fine(r, g, b, key):
    return (r, g, 16777217) if r > 3 else (r, g, b)


@point
def computes_with_the_key(r, g, b, key):
    return (r, g, b) if key % 2 == 0 else (g, r, b)


@point
def lends_the_key(r, g, b, key):
    return r * shift_of(key), g, b


def shift_of(any_key):
    return uniform(any_key, 0) + any_key % 3


@image
def negative_power(source, out, key):
    out[:] = source.shape[0] ** -1


NOT_ALIKE = {
    too_fine: "the whole number 16777217 would be float32 beside pixels, which cannot hold it",
    given_too_fine: "the whole number 16777217 would be float32",
    computes_with_the_key: "a key is for uniform",
    lends_the_key: "a key is for uniform",
    negative_power: "cannot hold a power with a negative whole exponent",
}


@pytest.mark.parametrize("function", NOT_ALIKE, ids=lambda function: function.__name__)
def test_numbers_that_would_be_others_are_refused(function):
    refused(function, NOT_ALIKE[function])


@image
def powers(source, out, key):
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            v, n = source[y, x, 0], source[y, x, 1]
            out[y, x, 0] = (v * np.float32(1.1)) ** 3
            out[y, x, 1] = n**2 + (v + np.float32(0.1)) ** 7
            out[y, x, 2] = (v * np.float64(1.1)) ** 5 + v**0


def test_powers_are_products():
    both(powers)


# ---- types that depend on the way


@image
def two_integers(source, out, key):
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            t = source[y, x, 0]
            if y > 1:
                t = 3
            out[y, x, 0] = t - source[y, x, 1]


@point
def whole_or_not(r, g, b, key):
    if r > 100:
        t = int(r)
    else:
        t = g
    return t / 3 * 7 * 1.1, t, b


@point
def wider(r, g, b, key):
    t = r
    for k in range(3):
        t = t * 1.1 + np.float64(k)
    return t, g, b


@move
def truth_or_number(y, x, key):
    return (y > 1 and y, x) if x > 3 else (y, x)


TWO_TYPES = {
    two_integers: "t is int64 on one way and uint8 on another: convert it",
    whole_or_not: "t is float32 on one way and int64 on another",
    wider: "t is float32 on one way and float64 on another",
    truth_or_number: "a choice is .* on one way and .* on another",
}


@pytest.mark.parametrize("function", TWO_TYPES, ids=lambda function: function.__name__)
def test_a_variable_of_two_types_is_refused_compiled_or_not(function):
    with pytest.raises(
        PipelineCompileError, match=rf"^step 0, Says\(\), written in .*: {TWO_TYPES[function]}"
    ):
        Pipeline([Says(function)], SHAPE)
    with pytest.raises(PipelineError, match=TWO_TYPES[function]):
        Pipeline([Says(function)], SHAPE, compiled=False)(IMAGES)


def twice(value):
    value = value + value
    return value


@image
def one_after_the_other(source, out, key):
    """Types that follow each other, and a function for two of them."""
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            for c in range(out.shape[2]):
                t = source[y, x, c]
                t = t / 3
                t = int(t) if y > 1 else x
                out[y, x, c] = twice(t) + twice(source[y, x, c]) + twice(np.float32(t))


def test_what_is_tried_says_so_when_the_pipeline_is_made():
    refused(whole_or_not, "t is float32 on one way and int64 on another", values=(-9999, 9999))


@move
def tells_the_truth(y, x, key):
    return y > 1, x


def test_a_move_to_a_truth_value_is_refused():
    refused(tells_the_truth, "a @move must return whole numbers, not a truth value")


def test_a_variable_may_have_one_type_after_another():
    both(one_after_the_other)


# ---- operators that processors and Python take differently


@image
def operators(source, out, key):
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            i, u = int(source[y, x, 0]) - 128, source[y, x, 1]
            k = 1 << int(u)
            k >>= i
            k ^= (i << u) + (i >> (u - 300))
            out[y, x, 0] = k
            out[y, x, 1] = -(u > 3) + +(u > 99) + round(u > 3)
            k = [3] * 2
            out[y, x, 0] += k[1] / (i + 0.5) / source.size * source.shape[1]
            out[y, x, 2] = (y - 2) ** (x - 5) + np.float32(u) ** (y - 1) + (i - i) ** (y - 1)


def test_operators_are_the_same_beyond_what_they_are_made_for():
    both(operators)


@point
def digits_below_0(r, g, b, key):
    return round(int(r), -1), g, b


def test_digits_before_the_point_are_refused():
    refused(digits_below_0, "round takes a number, and how many digits after the point")
