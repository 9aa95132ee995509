"""Chapter 05, arrays and memory: filling a caller's buffer, two moving averages and a resized photograph."""

import numpy as np
from numba import njit

from numba_course.exercises.arrays import BLOCKS, layouts
from numba_course.exercises.predictions import Prediction
from numba_course.exercises.question import Exercise
from numba_course.exercises.requirements.accesses import InAnyOrder, InBounds
from numba_course.exercises.requirements.machine_code import AllocatesNothing
from numba_course.exercises.requirements.results import (
    LeavesInputsAlone,
    Matches,
    Returns,
    ReturnsLike,
    Within,
)
from numba_course.exercises.requirements.structure import Compiled, StaysCompiled
from numba_course.exercises.requirements.work import WorkStays

LENGTH = 6000  # of the array on which the amount of work is looked at


# Normalise into a buffer: NumPy's expression takes memory for every step, a loop for none.


@njit
def normalise_into(image, mean, std, out):
    """Fill `out` with (image - mean) / std."""
    rows, columns = image.shape
    for i in range(rows):
        for j in range(columns):
            out[i, j] = (image[i, j] - mean) / std


def normalise_into_spec(image, mean, std, out):
    """The same, as NumPy writes it."""
    out[:] = (image.astype(np.float64) - mean) / std


def normalise_into_examples():
    """No pixel, one, rows unlike columns; NaN and infinite pixels; strided arrays; many pixels."""
    for shape in [(0, 3), (1, 1), (2, 3), (5, 1), (1, 4)]:
        image = np.cos(np.arange(np.prod(shape), dtype=np.float32)).reshape(shape)
        yield image, 0.25, 0.5, np.full(shape, np.nan, np.float32)
    special = np.array([[np.nan, 1.0], [np.inf, -np.inf]], np.float32)
    yield special, 0.5, 2.0, np.zeros((2, 2), np.float32)
    yield special.T, -1.0, 0.125, np.zeros((4, 2), np.float32)[::2]
    for shape in [(2, 900), (300, 7), (120, 130)]:
        for image in layouts(np.sin(np.arange(np.prod(shape), dtype=np.float32)).reshape(shape)):
            yield image, 0.5, 0.25, np.full_like(image, np.nan)


def normalise_into_inputs(st):
    """Small images, with a mean and a standard deviation that are exact in float32."""
    shapes = st.array_shapes(min_dims=2, max_dims=2, max_side=10)
    images = st.arrays(np.float32, shapes, elements=st.floats(-1, 1, width=32))
    means, stds = st.integers(-8, 8).map(lambda n: n / 8), st.sampled_from([0.25, 0.5, 1.0, 2.0])
    inputs = st.tuples(images, means, stds)
    return inputs.map(lambda drawn: (*drawn, np.full(drawn[0].shape, np.nan, np.float32)))


def normalise_into_layouts():
    """One call with contiguous arrays and one with strided ones."""
    image = np.ones((64, 48), np.float32)
    yield image, 0.5, 0.25, np.empty_like(image)
    yield image[::2, ::3], 0.5, 0.25, np.empty_like(image)[::2, ::3]


# A moving average: one sum that is carried along.


@njit
def moving_average(values, window):
    """Return the mean of every full window."""
    means = np.empty(values.size - window + 1)
    total = 0.0
    for i in range(window):
        total += values[i]
    means[0] = total / window
    for i in range(1, means.size):
        total += values[i + window - 1] - values[i - 1]
        means[i] = total / window
    return means


def moving_average_spec(values, window):
    """The mean of each window, window by window."""
    with np.errstate(invalid="ignore"):
        windows = (values[i : i + window] for i in range(values.size - window + 1))
        return np.array([np.sum(part) / window for part in windows])


def moving_average_examples():
    """One value; windows of one, of all, of any size; rising, falling, cancelling values; other layouts; many."""
    yield np.array([5.0]), 1
    yield np.array([1.0, 2.0, 6.0]), 1
    yield np.array([1.0, 2.0, 6.0]), 3
    for values in layouts(np.array([1.0, 2.0, 6.0, 4.0])):
        yield values, 2
    yield np.array([9.0, -9.0, 9.0, -9.0, 9.0, -9.0]), 4
    yield 1000 * np.sin(np.arange(100.0)), 7
    for window in (16, 100, 101, 257, 600):
        yield 100 * np.sin(np.arange(600.0)), window
    for window, means in ((1, BLOCKS), (32, BLOCKS), (33, BLOCKS + 1)):
        yield np.cos(np.arange(means + window - 1.0)), window
    yield from moving_average_work()


def moving_average_inputs(st):
    """Short arrays of moderate values, with any window that fits."""
    return _windows(st, st.floats(-1e6, 1e6))


def _windows(st, elements):
    """Arrays of 1 to 24 such elements, with a window that fits."""
    values = st.arrays(np.float64, st.integers(1, 24), elements=elements)
    return values.flatmap(lambda v: st.tuples(st.just(v), st.integers(1, v.size)))


def moving_average_work():
    """The same values with a short window, and with longer and longer ones."""
    values = np.sin(np.arange(float(LENGTH)))
    for window in (4, 101, 1000, LENGTH // 2):
        yield values, window


def of_the_largest_value(values, window):
    """Far more than a running or a cumulative sum can lose, far less than float32 does."""
    return 1e-9 * np.abs(values).max()


# A photograph in another size: four neighbours, two weights.


@njit
def neighbours(k, new, old):
    """Where the centre of pixel `k` of `new` lies among `old` ones: left and right neighbour, weight of the right."""
    centre = min(max((k + 0.5) * old / new - 0.5, 0.0), old - 1.0)
    left = int(centre)
    return left, min(left + 1, old - 1), centre - left


@njit
def bilinear_resize(image, height, width):
    """Return the image in another size, each pixel from its four neighbours."""
    resized = np.empty((height, width), image.dtype)
    for i in range(height):
        top, bottom, below = neighbours(i, height, image.shape[0])
        for j in range(width):
            left, right, across = neighbours(j, width, image.shape[1])
            upper = (1 - across) * image[top, left] + across * image[top, right]
            lower = (1 - across) * image[bottom, left] + across * image[bottom, right]
            resized[i, j] = (1 - below) * upper + below * lower
    return resized


def bilinear_resize_spec(image, height, width):
    """Along each row, then along each column, by linear interpolation in float64."""
    (h, w), old = image.shape, image.astype(np.float64)
    rows, columns = (np.arange(height) + 0.5) * h / height - 0.5, (np.arange(width) + 0.5) * w / width - 0.5
    across = np.array([np.interp(columns, np.arange(w), row) for row in old])
    down = np.array([np.interp(rows, np.arange(h), column) for column in across.T]).T
    return down.astype(image.dtype)


def bilinear_resize_examples():
    """One pixel, one row, one column; the same size, larger, smaller; both dtypes, any layout; many pixels."""
    yield np.array([[3.0]]), 1, 1
    yield np.array([[3.0]], np.float32), 2, 3
    yield np.array([[0.0, 4.0]]), 1, 4
    yield np.array([[0.0], [4.0]]), 4, 1
    image = np.sin(1.0 + np.arange(35.0)).reshape(5, 7)
    for height, width in [(5, 7), (10, 14), (1, 1), (2, 3), (3, 20), (13, 2), (8, 6)]:
        yield image, height, width
        yield image.astype(np.float32), height, width
    for other in layouts(image):
        yield other, 4, 9
    yield 255 * np.cos(np.arange(1200.0)).reshape(30, 40).astype(np.float32), 17, 64
    yield np.sin(np.arange(6000.0)).reshape(60, 100), 150, 140
    for other in layouts(np.cos(np.arange(900.0)).reshape(3, 300)):
        yield other, 5, 401


def bilinear_resize_inputs(st):
    """Small images of both dtypes to small sizes."""
    shapes = st.array_shapes(min_dims=2, max_dims=2, max_side=5)
    images = st.sampled_from([np.float32, np.float64]).flatmap(
        lambda dtype: st.arrays(dtype, shapes, elements=st.integers(-255, 255))
    )
    return st.tuples(images, st.integers(1, 7), st.integers(1, 7))


def of_the_brightest_pixel(image, height, width):
    """A few roundings in the dtype of the image."""
    return (1e-6 if image.dtype == np.float32 else 1e-12) * np.abs(image).max()


# The same without subtracting: what has left the window has left no trace.


@njit
def robust_moving_average(values, window):
    """Return the mean of every full window, each from its own values only."""
    means, ends = np.empty(values.size - window + 1), np.empty(window)
    for start in range(0, means.size, window):
        total = 0.0
        for k in range(window - 1, -1, -1):  # ends[k]: the sum of the block from its k-th value on
            total += values[start + k]
            ends[k] = total
        means[start] = total / window
        total = 0.0
        for k in range(1, min(window, means.size - start)):
            total += values[start + window + k - 1]
            means[start + k] = (ends[k] + total) / window
    return means


def robust_moving_average_examples():
    """As before; one NaN, one infinity, two that meet; spikes of any size, first, last and between."""
    yield from moving_average_examples()
    rise = np.arange(12.0)
    for special in (np.nan, np.inf, -np.inf, 1e16, -1e16, 1e300):
        for place in (0, 5, 11):
            values = rise.copy()
            values[place] = special
            yield values, 3
    meeting = rise.copy()
    meeting[3], meeting[6] = np.inf, -np.inf
    yield meeting, 3
    yield meeting, 4
    spikes = np.sin(np.arange(300.0))
    spikes[[40, 90, 91, 200]] = 1e16, np.nan, -1e300, np.inf
    for window in (2, 16, 37, 100, 129, 290):
        yield spikes, window


def robust_moving_average_inputs(st):
    """Short arrays in which anything may stand."""
    special = st.sampled_from([np.nan, np.inf, -np.inf, 1e16, -1e16, 1e300, -1e300])
    return _windows(st, st.floats(-1e6, 1e6) | st.floats(-1e6, 1e6) | special)


def of_its_own_window(values, window):
    """The rounding error of adding up one window in any order; nothing that lies outside it counts."""
    sizes = np.where(np.isfinite(values), np.abs(values), 0.0)
    return 1e-12 * np.lib.stride_tricks.sliding_window_view(sizes, window).mean(axis=1)


EXERCISES = (
    Exercise(
        name="normalise_into",
        reference=normalise_into,
        spec=normalise_into_spec,
        examples=normalise_into_examples,
        inputs=normalise_into_inputs,
        requirements=(
            Compiled(),
            Matches(rtol=1e-5, of="out"),
            LeavesInputsAlone(except_=("out",)),
            InBounds(),
            InAnyOrder(),
            AllocatesNothing(normalise_into_layouts),
            StaysCompiled(),
        ),
        hints=(
            "An array expression needs memory for its result before it can be copied to `out`. What does not?",
            "Two nested loops, over rows and columns, that compute one number at a time.",
            "`out[i, j] = (image[i, j] - mean) / std`, `for i in range(image.shape[0])` and `j in "
            "range(image.shape[1])`.",
        ),
        explanation=(
            "One number at a time needs no array. `out[:] = (image - mean) / std` becomes a single loop too, but "
            "that loop fills a new array, which is then copied."
        ),
    ),
    Exercise(
        name="moving_average",
        reference=moving_average,
        spec=moving_average_spec,
        examples=moving_average_examples,
        inputs=moving_average_inputs,
        requirements=(
            Compiled(),
            Within(of_the_largest_value),
            Returns("float64", ndim=1),
            LeavesInputsAlone(),
            InBounds(),
            InAnyOrder(),
            WorkStays(moving_average_work, "the window"),
            StaysCompiled(),
        ),
        hints=(
            "Which values do two neighbouring windows share, and which ones not?",
            "Add up the first window in a loop. After that, one value joins and one leaves.",
            "`total += values[i + window - 1] - values[i - 1]` for i from 1 on; `means[i] = total / "
            "window`. There are `values.size - window + 1` windows.",
        ),
        explanation=(
            "From one window to the next, one value joins the sum and one leaves it, so each mean costs two "
            "additions, whatever the window. The price is that the sum remembers: a NaN that has once entered "
            "never leaves, and rounding errors add up."
        ),
    ),
    Exercise(
        name="bilinear_resize",
        reference=bilinear_resize,
        helpers=(neighbours,),
        spec=bilinear_resize_spec,
        examples=bilinear_resize_examples,
        inputs=bilinear_resize_inputs,
        seconds=20.0,  # np.interp, a fair way, takes the compiler long
        requirements=(
            Compiled(),
            Within(of_the_brightest_pixel),
            ReturnsLike("image"),
            LeavesInputsAlone(),
            InBounds(),
            InAnyOrder(),
            StaysCompiled(),
        ),
        hints=(
            "A new pixel has its centre at `i + 0.5`, in new pixels. How far is that from the top in old "
            "pixels, and how far from the centre of the first old one?",
            "`y = (i + 0.5) * old_height / height - 0.5`, held between 0 and `old_height - 1`; the same for "
            "x.",
            "`top = int(y)`, `bottom = min(top + 1, old_height - 1)`, `below = y - top`; and left, right, "
            "across from x. A function for one axis serves both.",
            "`upper = (1 - across) * image[top, left] + across * image[top, right]`, lower the same in row "
            "`bottom`; the pixel is `(1 - below) * upper + below * lower`.",
        ),
        explanation=(
            "A pixel is a small square, and its value belongs to its centre: hence the halves. Without them a "
            "smaller picture moves down and to the right, a larger one up and to the left. Held between the "
            "outermost centres, a position lies on a centre or between two; on the last one there is none behind "
            "it, hence the second `min`. What depends on the column only is computed again in each row here; the "
            "kernel of the course computes it once for a pair of sizes, and keeps it."
        ),
    ),
    Exercise(
        name="robust_moving_average",
        reference=robust_moving_average,
        spec=moving_average_spec,
        examples=robust_moving_average_examples,
        inputs=robust_moving_average_inputs,
        requirements=(
            Compiled(),
            Within(of_its_own_window),
            Returns("float64", ndim=1),
            LeavesInputsAlone(),
            InBounds(),
            InAnyOrder(),
            WorkStays(moving_average_work, "the window"),
            StaysCompiled(),
        ),
        hints=(
            "Whatever has been added cannot be taken away again. Which sums can two windows share by adding alone?",
            "Cut the values into blocks as long as the window. A window is then the end of one block and the "
            "beginning of the next.",
            "For each block: go backwards from its last value, adding up, and keep every sum in `ends[k]`. "
            "Then go forwards through the next block with a new sum: the k-th window is `(ends[k] + total) "
            "/ window`.",
            "Or double: sums of 2, 4, 8, … neighbours are sums of two sums. A window of 13 is one of 8, one "
            "of 4 and one of 1, side by side.",
        ),
        explanation=(
            "Every window is the end of one block and the beginning of the next, and both are sums that were "
            "made by adding only. So each mean is made of its own values and nothing else, for two or three "
            "additions a value (van Herk, Pattern Recognition Letters 13, 1992, for maxima)."
        ),
    ),
)

PREDICTIONS = (
    Prediction(
        name="own_buffer",
        question="How many times as fast is the loop that writes into an array of the caller?",
        choices=(1, 1.2, 5),
        answer=5,
        why={
            1: "The arithmetic is the same. But the memory of a new array has to come from somewhere.",
            1.2: (
                "Asking for memory is one call, and it is fast. The pages are handed out later, one by one, where the "
                "loop first touches them: that is what costs."
            ),
        },
    ),
    Prediction(
        name="named_step",
        question="For how many arrays does in_two_lines, with a name for the product, take memory?",
        choices=(0, 1, 2),
        answer=2,
        why={
            0: "A number with a name needs no memory. An array with a name does, unless the compiler removes it.",
            1: "In one line it would be one: Numba makes one loop of an array expression, but not of two statements.",
        },
    ),
    Prediction(
        name="ring",
        question="A ring of four buffers, six batches, all of them kept: what is in the first one now?",
        choices=("zeros", "fours", "fives"),
        answer="fours",
        why={
            "zeros": "That is what was put into it. But what is kept is a view of the ring, not a copy of the numbers.",
            "fives": "The last batch overwrites one buffer, the second one. The first one is used again by batch 4.",
        },
    ),
)
