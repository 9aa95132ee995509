"""The pipeline: the generated code against plain Python and NumPy, draws, memory, the cache, and its errors."""

import importlib
import inspect
import os
import pickle
import subprocess
import sys
import time

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

from numba_course import pipeline
from numba_course.authoring import bench
from numba_course.exercises.chapters.code_generation import plan_buffers_spec
from numba_course.kernels.resize import bilinear_resize_spec
from numba_course.pipeline import (
    AllocationQuery,
    Brightness,
    CenterCrop,
    Contrast,
    Crop,
    Cutout,
    HorizontalFlip,
    Loader,
    Normalize,
    Operation,
    Pipeline,
    PipelineCompileError,
    PipelineError,
    RandomCrop,
    RandomResizedCrop,
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
from numba_course.pipeline.program import declare
from tests.peers import agrees_with_every_peer

SHAPE = (20, 27, 3)
MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)
IMAGES = np.random.default_rng(1).integers(0, 256, (7, *SHAPE), dtype=np.uint8)


pytestmark = pytest.mark.usefixtures("generated_modules")


class Invert(Operation):
    def __init__(self, probability=0.5):
        self.probability = probability

    def generate_code(self):
        probability = self.probability

        @point
        def invert(r, g, b, key):
            if uniform(key, 0) < probability:
                return 255.0 - r, 255.0 - g, 255.0 - b
            return r, g, b

        return invert


class Solarize(Operation):
    """Not straight: a branch on a value."""

    def generate_code(self):
        @point
        def solarize(r, g, b, key):
            if r > 128.0:
                r = 255.0 - r
            return r, g, b

        return solarize


class Roots(Operation):
    """Not straight either: other functions than min and max of two."""

    def generate_code(self):
        @point
        def roots(r, g, b, key):
            return np.sqrt(abs(r - g)), max(r, g, b), b

        return roots


class Integers(Operation):
    """Integers wherever they may be: closed over, added up, chosen from, counted with, beside bits."""

    def generate_code(self):
        count, table = 3, (1, 2, 3, 5, 7, 9, 11, 13)

        @point
        def integers(r, g, b, key):
            total = 0
            for i in range(count):
                total = total + r * i / count
            shade = table[int(g) // 32] * (1 / 3) * b + uniform(key, 1) * len(table) / 7
            least = (max(r, 3, b) / 7 + (g if b > 99 else 3) / 7) * b + round(g / 3)
            return total / 7 + (int(r) & 240) / 7 * g, shade, least + int(g) / 7 * b + float(int(b)) / 3 * g

        return integers


class Thirds(Operation):
    """Straight code with integers, which serves numbers and vectors."""

    def generate_code(self):
        count = 7

        @point
        def thirds(r, g, b, key):
            share = 1
            return r * share / 3 * count, g * (1 / 3), (b + 16777216) * count / 3

        return thirds


class Blur(Operation):
    """Neighbours on all sides, with different weights."""

    def generate_code(self):
        @gather
        def blur(load, y, x, c, key):
            return (load(y, x - 1, c) + 2.0 * load(y + 1, x, c) + load(y - 1, x + 2, c)) / 4.0

        return blur


PIPELINES = {
    "nothing": [],
    "moves": [RandomCrop(13, 17), HorizontalFlip(), Normalize(MEAN, STD), ToLayout("CHW")],
    "arithmetic first": [Brightness(), Invert(), RandomCrop(9, 16), HorizontalFlip(), ToLayout("HWC")],
    "memory": [Brightness(), Contrast(), RandomCrop(13, 17), Normalize(MEAN, STD), ToLayout("CHW")],
    "cut before memory": [Brightness(), CenterCrop(9, 16), Contrast(), ToLayout("CHW")],
    "not straight": [RandomCrop(13, 17), HorizontalFlip(), Solarize(), Roots(), ToLayout("CHW")],
    "integers": [Integers()],
    "integers for numbers": [CenterCrop(9, 5), Thirds()],
    "integers for vectors": [Thirds()],
    "resized": [Resize(11, 21), HorizontalFlip(), Normalize(MEAN, STD), ToLayout("CHW")],
    "far apart": [Crop(1, 2, 19, 24), Resize(5, 6)],
    "resized floats": [Brightness(), Resize(23, 30), Normalize(MEAN, STD)],
    "gather": [Brightness(), Blur(), HorizontalFlip(1.0), Blur(), Crop(0, 3, 20, 24)],
}


@pytest.mark.parametrize("name", PIPELINES)
def test_compiled_is_interpreted_bit_for_bit(name):
    compiled = Pipeline(PIPELINES[name], SHAPE, seed=4)(IMAGES, epoch=2)
    interpreted = Pipeline(PIPELINES[name], SHAPE, seed=4, compiled=False)(IMAGES, epoch=2)
    assert compiled.dtype == np.float32
    assert np.array_equal(compiled, interpreted)


@pytest.mark.parametrize("name", ["not straight", "memory", "gather"])
def test_every_index_is_in_bounds(name):
    checked = Pipeline(PIPELINES[name], SHAPE, seed=4, boundscheck=True)
    assert np.array_equal(checked(IMAGES), Pipeline(PIPELINES[name], SHAPE, seed=4)(IMAGES))


def fixed(array):
    """NumPy's way through a pipeline without draws."""
    values = array[:, 3:16, 5:22, :].astype(np.float64)[:, :, ::-1]
    return ((values / 255 - MEAN) / STD).transpose(0, 3, 1, 2)


def test_without_draws_it_is_what_numpy_gives():
    steps = [Crop(3, 5, 13, 17), HorizontalFlip(1.0), Normalize(MEAN, STD), ToLayout("CHW")]
    made = Pipeline(steps, SHAPE, compiled=False)(IMAGES)
    np.testing.assert_allclose(made, fixed(IMAGES), rtol=2e-6, atol=2e-6)


def blurred(values):
    """What `Blur` makes, by NumPy."""
    wide = np.pad(values.astype(np.float32), ((0, 0), (1, 1), (1, 2), (0, 0)), mode="edge")
    return (wide[:, 1:-1, :-3] + 2 * wide[:, 2:, 1:-2] + wide[:, :-2, 3:]) / 4


def test_moves_and_gathers_keep_their_order():
    def made(*operations):
        return Pipeline(operations, SHAPE, compiled=False)(IMAGES[:2])

    assert np.array_equal(made(Blur(), HorizontalFlip(1.0)), blurred(IMAGES[:2])[:, :, ::-1])
    assert np.array_equal(made(Brightness(1.0), Blur()), blurred(made(Brightness(1.0))))
    assert np.array_equal(made(HorizontalFlip(1.0), Blur()), blurred(IMAGES[:2, :, ::-1]))


def test_a_resize_takes_bytes_as_bytes_and_floats_as_floats():
    def made(*operations):
        return Pipeline(operations, SHAPE, compiled=False)(IMAGES[:2])

    for before in ([], [Brightness()]):
        values = made(*before) if before else IMAGES[:2]
        expected = [bilinear_resize_spec(image, 11, 30) for image in values]
        resized = made(*before, Resize(11, 30))
        np.testing.assert_allclose(resized, expected, rtol=1e-5, atol=0 if before else 0.52)


WITHOUT_AVX2 = """
import numpy as np
from numba_course.kernels.resize import bilinear_resize_spec
from numba_course.pipeline import Pipeline, Resize, State
images = np.random.default_rng(1).integers(0, 256, (2, 20, 27, 3), dtype=np.uint8)
memory = Resize(11, 30).declare_state_and_memory(State(images.shape[1:], images.dtype))[1]
assert memory[1].dtype == "float32"
made = [Pipeline([Resize(11, 30)], images.shape[1:], compiled=how)(images) for how in (True, False)]
assert np.array_equal(*made)
np.testing.assert_allclose(made[0], [bilinear_resize_spec(image, 11, 30) for image in images], atol=0.52)
"""


def test_bytes_are_resized_without_avx2():
    surroundings = {**os.environ, "NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    subprocess.run([sys.executable, "-c", WITHOUT_AVX2], env=surroundings, check=True, timeout=120)


@pytest.mark.parametrize("layout", ["CHW", "HWC"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_batches_of_bytes_are_those_of_floats(channels, layout):
    images = np.random.default_rng(channels).integers(0, 256, (3, 9, 13, channels), dtype=np.uint8)
    compiled = (channels, layout) in ((1, "HWC"), (3, "CHW"), (4, "HWC"))
    resized = [] if compiled else [Resize(6, 9)]
    operations = [RandomCrop(8, 12), *resized, HorizontalFlip(), ToLayout(layout)]
    bytes_, plain, floats = (
        Pipeline(operations, images.shape[1:], dtype=dtype, compiled=how)
        for dtype, how in ((np.uint8, compiled), ("uint8", False), (np.float32, False))
    )
    made = bytes_(images)
    assert made.dtype == np.uint8 == bytes_.output.dtype and made.shape == bytes_._shape(3)
    assert np.array_equal(made, plain(images)) and np.array_equal(made, floats(images))
    assert bytes_(images, out=made) is made
    with pytest.raises(PipelineError, match=r"out must .*uint8"):
        bytes_(images, out=floats.allocate(3))
    batch, _ = next(iter(Loader(bytes_, images, batch_size=2, shuffle=False)))
    assert batch.dtype == np.uint8 and np.array_equal(batch, made[:2])


def drawn(number, sample):
    """What the first operation draws for a sample in epoch 0."""
    bench.harness()
    return importlib.import_module("benchmarks.pipeline").drawn(number, sample)


def box_of(shape, scale, ratio, sample):
    """Where a `RandomResizedCrop` is cut out."""
    bench.harness()
    return importlib.import_module("benchmarks.pipeline").box_of(shape, scale, ratio, sample)


@pytest.mark.parametrize(
    ("shape", "scale", "ratio", "compiled"),
    [
        ((20, 27, 3), (0.08, 1.0), (3 / 4, 4 / 3), True),
        ((20, 27, 3), (0.08, 1.0), (3 / 4, 4 / 3), False),
        ((9, 40, 1), (0.6, 1), (0.1, 4.5), False),  # seldom one that fits
        ((9, 40, 1), (0.9, 1), (0.1, 0.5), False),  # none
        ((40, 9, 4), (0.01, 0.02), (0.2, 7), False),
        ((2, 3, 2), (1e-6, 1e-6), (1, 1), False),
    ],
)
def test_a_random_resized_crop_is_drawn_as_it_says(shape, scale, ratio, compiled):
    images = np.random.default_rng(2).integers(0, 256, (1, *shape), dtype=np.uint8)
    count, operation = 40, RandomResizedCrop(7, 11, scale, ratio)
    made = Pipeline([operation], shape, dtype=np.uint8, compiled=compiled)
    batch, boxes = made(images, rows=np.zeros(count, int), ids=np.arange(count)), set()
    for sample, result in enumerate(batch):
        top, left, height, width = box = box_of(shape, scale, ratio, sample)
        cut = images[0, top : top + height, left : left + width]
        np.testing.assert_allclose(result, bilinear_resize_spec(cut, 7, 11), rtol=0, atol=0.51)
        boxes.add(box)
    assert (len(boxes) > 1) == (ratio[1] != 0.5)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_cutout_erases_what_of_its_rectangle_lies_in_the_image(channels):
    shape, (height, width) = (6, 9, channels), (3, 4)
    images = np.random.default_rng(3).integers(0, 256, (1, *shape), dtype=np.uint8)
    count = 60
    made = Pipeline([Cutout(height, width, 7)], shape, dtype="uint8", compiled=channels == 3)
    batch = made(images, rows=np.zeros(count, int), ids=np.arange(count))
    for sample, result in enumerate(batch):
        top, left = int(drawn(0, sample) * 6) - height // 2, int(drawn(1, sample) * 9) - width // 2
        expected = images[0].copy()
        expected[max(top, 0) : top + height, max(left, 0) : left + width] = 7
        assert np.array_equal(result, expected)
    normal = [Normalize((0.5,) * channels, (0.2,) * channels), Cutout(2, 2)]
    assert (Pipeline(normal, shape, compiled=False)(images) == 0).any()


def test_masks_are_moved_as_their_images_are():
    masks = np.ascontiguousarray(IMAGES[..., :1])
    moves = [RandomCrop(13, 17), HorizontalFlip()]
    colours = Pipeline([*moves, Brightness(0.0)], SHAPE, seed=3, compiled=False)(IMAGES, epoch=2)
    made = Pipeline(moves, masks.shape[1:], dtype=np.uint8, seed=3, compiled=False)(masks, epoch=2)
    assert np.array_equal(made, colours[..., :1])


def test_a_center_crop_is_the_middle():
    made = Pipeline([CenterCrop(13, 17)], SHAPE, compiled=False)(IMAGES)
    assert np.array_equal(made, IMAGES[:, 3:16, 5:22])


def test_only_straight_code_is_for_vectors():
    straight = Brightness(), Invert(), Normalize(MEAN, STD)
    assert [lift(operation.generate_code(), 0, 0, 3).is_straight for operation in straight] == [True] * 3
    assert [lift(operation.generate_code(), 0, 0, 3).is_straight for operation in (Solarize(), Roots())] == [
        False
    ] * 2


def test_a_random_crop_is_anywhere_and_its_two_draws_are_independent():
    y, x = np.indices((6, 8), np.uint8)
    places = np.stack([y, x, y], axis=2)[None]
    made = Pipeline([RandomCrop(4, 6)], places.shape[1:], compiled=False)
    count = 200
    corners = made(places, rows=np.zeros(count, int), ids=np.arange(count))[:, 0, 0, :2]
    assert {tuple(corner) for corner in corners.astype(int)} == {(a, b) for a in range(3) for b in range(3)}


def test_contrast_scales_the_distance_from_the_mean():
    out = Pipeline([Contrast(0.5)], SHAPE, seed=1, compiled=False)(IMAGES)
    gray = IMAGES @ (0.299, 0.587, 0.114)
    mean = gray.mean(axis=(1, 2))[:, None, None, None]
    inside = (out > 0) & (out < 255)
    factors = np.where(inside, out - mean, np.nan) / (IMAGES - mean)
    for sample in factors:
        assert np.nanmax(sample[np.abs(sample) < 10]) - np.nanmin(sample) < 0.01
    assert len({round(float(np.nanmedian(sample)), 3) for sample in factors}) == len(IMAGES)


def test_draws_depend_on_seed_epoch_sample_and_operation_only():
    made = Pipeline(PIPELINES["arithmetic first"], SHAPE, seed=9)
    whole = made(IMAGES, epoch=3)
    order = np.array([4, 0, 6, 2])
    assert np.array_equal(made(IMAGES, rows=order, epoch=3), whole[order])
    assert np.array_equal(made(IMAGES[3:4], ids=[3], epoch=3), whole[3:4])
    many = Pipeline(PIPELINES["arithmetic first"], SHAPE, seed=9, threads=4)
    assert np.array_equal(many(IMAGES, epoch=3), whole)
    assert not np.array_equal(made(IMAGES, epoch=4), whole)
    other = Pipeline(PIPELINES["arithmetic first"], SHAPE, seed=10)
    assert not np.array_equal(other(IMAGES, epoch=3), whole)


def test_two_operations_of_a_kind_draw_independently():
    same = Invert()
    same.stream = 0
    twice = Pipeline([same, same], SHAPE, compiled=False)(IMAGES)
    assert np.array_equal(twice, IMAGES)  # with one stream, what is inverted is inverted back
    assert not np.array_equal(Pipeline([Invert(), Invert()], SHAPE, compiled=False)(IMAGES), IMAGES)


def test_uniform_numbers_are_uniform():
    draws = np.array([uniform(np.uint64(key), 0) for key in range(4000)])
    assert 0 <= draws.min() and draws.max() < 1
    assert abs(draws.mean() - 0.5) < 0.02
    assert np.histogram(draws, 10, (0, 1))[0].min() > 300


def test_memory_is_the_schedule():
    assert not Pipeline(PIPELINES["moves"], SHAPE).program.memory
    rows = AllocationQuery((3, 9), np.dtype(np.float32))
    stored = AllocationQuery(SHAPE, np.dtype(np.float32))
    program = Pipeline(PIPELINES["memory"], SHAPE, compiled=False).program
    assert program.memory.count(stored) == 2
    assert rows not in program.memory
    assert "for each worker" in Pipeline(PIPELINES["memory"], SHAPE).explain()


def test_the_buffers_are_those_that_the_exercise_plans():
    steps = [Brightness(), CenterCrop(9, 16), Contrast(), Crop(1, 1, 5, 6), Resize(4, 4), ToLayout("CHW")]
    states = declare(steps, State(SHAPE, np.dtype(np.uint8)))
    plan = plan_buffers_spec([(s.after.shape, s.after.dtype.name, bool(s.memory)) for s in states])
    program = Pipeline(steps, SHAPE, compiled=False).program
    assert plan == [query.nbytes for query in program.memory if query.shape[-1] == 3]


def test_memory_is_allocated_once_for_a_thread():
    made = Pipeline(PIPELINES["memory"], SHAPE)
    made(IMAGES)
    before = [id(array) for array in made._local.memory]
    made(IMAGES)
    assert [id(array) for array in made._local.memory] == before


def test_a_pickled_pipeline_takes_its_text_along():
    made = Pipeline(PIPELINES["arithmetic first"], SHAPE, seed=2)
    again = pickle.loads(pickle.dumps(made))
    assert again.source == made.source
    assert np.array_equal(again(IMAGES), made(IMAGES))


# ---- errors


class Attribute(Operation):
    def generate_code(self):
        @point
        def attribute(r, g, b, key):
            return r.astype(np.uint8), g, b

        return attribute


class Closure(Operation):
    def generate_code(self):
        table = {}

        @point
        def closure(r, g, b, key):
            return table[r], g, b

        return closure


class Lost(Operation):
    def __init__(self, down, right):
        self.down, self.right = down, right

    def generate_code(self):
        down, right = self.down, self.right

        @move
        def lost(y, x, key):
            return y + down, x + right

        return lost


class Nameless:
    """It says of itself where it is in memory."""


class Unmarked(Operation):
    def __init__(self, *held):
        self.held = held

    def generate_code(self):
        return lambda r, g, b, key: (r, g, b)


class Forgetful(Operation):
    def generate_code(self):
        @image
        def forgetful(source, out, key):
            out[:] = source

        return forgetful


class NotThree(Operation):
    def generate_code(self):
        @point
        def not_three(r, g, b, key):
            return r + g

        return not_three


class NoSuch(Forgetful):
    def declare_state_and_memory(self, state):
        return state, AllocationQuery(state.shape, "float32")

    def generate_code(self):
        @image
        def no_such(source, out, key):
            out[:] = np.flip(source.size)

        return no_such


class NoSuchForPixels(Operation):
    def generate_code(self):
        @point
        def no_such(r, g, b, key):
            """The text is another one than this."""
            if uniform(key, 0) > 0.5:
                r = min(
                    r,
                    g,
                )
            # in more than one way
            else:
                g = np.float32(np.argsort(r))
            return r, g, b

        return no_such


class DrawsByName(Operation):
    def generate_code(self):
        @point
        def draws(r, g, b, key):
            amount = 255 * uniform(key, (1, 2))
            return amount, g, b

        return draws


class OnlyDescribed(Operation):
    def generate_code(self):
        @point
        def described(r, g, b, key):
            """To be written."""

        return described


class Raises(Operation):
    def __init__(self, held=None):
        self.held = held

    def generate_code(self):
        raise AttributeError(f"missing in {self.held}")


def line_of(kind, text):
    """The number of the first line of a class that has a text in it."""
    lines, start = inspect.getsourcelines(kind)
    return start + next(n for n, line in enumerate(lines) if text in line)


ERRORS = {
    "not three": (
        [Brightness(), NotThree()],
        SHAPE,
        PipelineCompileError,
        rf"^step 1, NotThree\(\), written in .*test_pipeline\.py:{line_of(NotThree, 'def not_three')}: ",
    ),
    "not for a number": (
        [Brightness(), NoSuch()],
        SHAPE,
        PipelineCompileError,
        rf"^step 1, NoSuch\(\), written in .*test_pipeline\.py:{line_of(NoSuch, 'np.flip')}: ",
    ),
    "not for pixels": (
        [Brightness(), NoSuchForPixels(), HorizontalFlip()],
        SHAPE,
        PipelineCompileError,
        rf"^step 1, NoSuchForPixels\(\), written in .*test_pipeline\.py:{line_of(NoSuchForPixels, 'np.argsort')}: ",
    ),
    "inside a draw": (
        [Brightness(), DrawsByName()],
        SHAPE,
        PipelineCompileError,
        rf"^step 1, DrawsByName\(\), written in .*test_pipeline\.py:{line_of(DrawsByName, 'amount =')}: ",
    ),
    "only described": (
        [OnlyDescribed()],
        SHAPE,
        PipelineError,
        r"^step 0, OnlyDescribed\(\): there is a way through it that returns nothing",
    ),
    "raises": ([Raises()], SHAPE, PipelineError, "step 0, Raises.*AttributeError: .*missing"),
    "no operation": ([len], SHAPE, PipelineError, "step 0, .*must be an Operation"),
    "an operation that has no name": (
        [Brightness(), Nameless()],
        SHAPE,
        PipelineError,
        r"^step 1, Nameless\(\.\.\.\): it must be an Operation$",
    ),
    "an attribute that has no name": (
        [Unmarked(Nameless())],
        SHAPE,
        PipelineError,
        r"^step 0, Unmarked\(\.\.\.\): generate_code must return a function marked",
    ),
    "a mistake of the operation's": (
        [Raises(Nameless())],
        SHAPE,
        PipelineError,
        r"step 0, .*AttributeError: .*missing.*Nameless object>$",
    ),
    "too large": ([RandomCrop(21, 5)], SHAPE, PipelineError, r"step 0, RandomCrop.*21 × 5 .* 20 × 27"),
    "outside": ([Crop(10, 0, 11, 5)], SHAPE, PipelineError, "does not lie in the image"),
    "after the layout": ([ToLayout("CHW"), Brightness()], SHAPE, PipelineError, "step 1, .*layout CHW"),
    "unmarked": ([Unmarked()], SHAPE, PipelineError, "marked by @move"),
    "no memory": ([Forgetful()], SHAPE, PipelineError, "must declare memory"),
    "closure": ([Closure()], SHAPE, PipelineError, "step 0, .*table is of type 'dict'"),
    "code": (
        [Brightness(), Attribute()],
        SHAPE,
        PipelineCompileError,
        rf"^step 1, Attribute\(\), written in .*test_pipeline\.py:{line_of(Attribute, 'astype')}: "
        "Unknown attribute 'astype' of type float32$",
    ),
    "no channels": ([], (20, 27), PipelineError, r"shape must be \(height, width, channels\), with 1 to 4"),
    "five channels": ([], (20, 27, 5), PipelineError, r"with 1 to 4 channels, not \(20, 27, 5\)"),
    "colours of gray": (
        [NotThree()],
        (20, 27, 1),
        PipelineError,
        "step 0, .*a @point function must have 2 parameters where images have 1 channel, not 4",
    ),
    "contrast of two": (
        [Contrast()],
        (20, 27, 2),
        PipelineError,
        "step 0, Contrast.*it takes images of 1 or 3 channels, not 2",
    ),
    "brightness of four": (
        [Brightness()],
        (20, 27, 4),
        PipelineError,
        "step 0, Brightness.*it takes images of 1 or 3 channels, not 4",
    ),
    "three means for four": (
        [Normalize(MEAN, STD)],
        (20, 27, 4),
        PipelineError,
        "step 0, Normalize.*images have 4 channels, and mean has 3 values",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_name_the_step_and_the_operation(name):
    operations, shape, kind, says = ERRORS[name]
    with pytest.raises(kind, match=says):
        Pipeline(operations, shape)


def test_an_error_in_a_notebook_names_the_cell_and_its_line():
    shell = InteractiveShell()
    source = inspect.getsource(Attribute)
    assert shell.run_cell(f"from numba_course.pipeline import *\nimport numpy as np\n{source}").success
    with pytest.raises(
        PipelineCompileError, match=r"step 0, Attribute\(\), written in <ipython-input.*>:7: "
    ):
        Pipeline([shell.user_ns["Attribute"]()], SHAPE)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Brightness(2), "amount must be in 0..1, not 2"),
        (lambda: Brightness("a lot"), "amount must be in 0..1, not 'a lot'"),
        (lambda: HorizontalFlip(np.nan), "probability must be in 0..1, not nan"),
        (lambda: RandomResizedCrop(3, 3, 0.5), "scale must be a pair of numbers, not 0.5"),
        (lambda: RandomResizedCrop(3, 3, (0.5, 0.2)), "scale must be a lower and a higher number, not"),
        (lambda: RandomResizedCrop(3, 3, (0, 0.2)), "each scale must be in 1e-06..1, not 0"),
        (lambda: RandomResizedCrop(3, 3, (0.1, 0.2), (0.01, 1)), "each ratio must be in 0.1..10, not 0.01"),
        (lambda: Cutout(0, 3), "height must be at least 1, not 0"),
        (lambda: Cutout(3, 3, np.inf), "value must be in .*, not inf"),
        (lambda: Pipeline([Cutout(3, 3, 256)], SHAPE), "value must be in 0..255, as the images are, not 256"),
        (lambda: Pipeline([Cutout(3, 3, 0.5)], SHAPE), "images of uint8 cannot hold the value 0.5"),
        (
            lambda: Pipeline([RandomResizedCrop(3, 3)], (1, 9, 3)),
            "must have at least 2 × 2 pixels, not 1 × 9",
        ),
        (lambda: Resize(2.5, 3), "height must be an integer, not 2.5"),
        (lambda: Crop(1.5, 0, 3, 3), "top must be an integer, not 1.5"),
        (lambda: Crop(0, np.nan, 3, 3), "left must be an integer, not nan"),
        (lambda: Crop(0, -1, 3, 3), "left must be at least 0, not -1"),
        (lambda: RandomCrop(3, 0), "width must be at least 1, not 0"),
        (lambda: CenterCrop(True, 1), "height must be an integer, not True"),
        (lambda: Normalize((1,) * 5, (1,) * 5), "mean must have a value for each channel, 1 to 4 of them"),
        (lambda: Normalize(MEAN, (0.5, 0.5)), "std must have as many values as mean, 3, not"),
        (lambda: Normalize(MEAN, 0.5), "std must have a value for each channel, 1 to 4 of them, not 0.5"),
        (lambda: Normalize(MEAN, (0.2, 0.2, np.nan)), "each std must be in 0..1, not nan"),
        (lambda: Normalize(MEAN, (0.2, 0.2, 0)), "std must be above 0"),
        (
            lambda: Normalize((123.7, 116.3, 103.5), STD),
            r"mean must be of values in 0\.\.1, .* divide it by 255",
        ),
        (lambda: Pipeline([], SHAPE, fastmath="yes"), "fastmath must be True or False, not 'yes'"),
        (lambda: ToLayout("NCHW"), "layout must be"),
        (lambda: Pipeline([], SHAPE, dtype="int8"), "dtype must be float32 or uint8, not int8"),
        (lambda: Pipeline([], SHAPE, dtype="bytes of"), "data type 'bytes of' not understood"),
        (
            lambda: Pipeline([Resize(4, 4), Brightness(), HorizontalFlip()], SHAPE, dtype=np.uint8),
            r"batches cannot be uint8: step 1, Brightness\(amount=0.2\), makes float32",
        ),
        (lambda: Pipeline([], SHAPE, threads=0), "threads must be in 1..4096, not 0"),
        (lambda: Pipeline([], SHAPE, threads=1.9), "threads must be an integer, not 1.9"),
        (lambda: Pipeline([], SHAPE, seed=-1), "seed must be in 0..18446744073709551615, not -1"),
        (
            lambda: Pipeline([], SHAPE, seed=2**64),
            "seed must be in 0..18446744073709551615, not 18446744073709551616",
        ),
        (lambda: Pipeline([], SHAPE, seed=1.5), "seed must be an integer, not 1.5"),
    ],
)
def test_bad_values_are_refused(build, says):
    with pytest.raises(PipelineError, match=says):
        build()


@pytest.mark.parametrize(
    ("images", "options", "says"),
    [
        (IMAGES.astype(float), {}, "uint8 array"),
        (IMAGES[:, :, :5], {}, "uint8 array"),
        (IMAGES[..., ::-1], {}, "ascontiguousarray"),
        ([1], {}, "not list"),
        (IMAGES, {"rows": [7]}, "rows must be in 0..6"),
        (IMAGES, {"rows": [0], "ids": [1, 2]}, "as long as each other"),
        (
            IMAGES,
            {"rows": [True] * 6},
            r"rows as a mask must have a value for each image, 7, not shape \(6,\)",
        ),
        (
            IMAGES,
            {"rows": [True] + [1] * 6, "ids": [True] * 7},
            "ids must be a sequence of integers, not .True, ",
        ),
        (IMAGES, {"rows": [[1], [2, 3]]}, r"rows must be a sequence of values of one shape, not \[\[1\], "),
        (IMAGES, {"rows": np.ma.masked_equal([0, 1], 1)}, "rows must not be a masked array"),
        (IMAGES, {"rows": [0], "ids": np.ma.masked_equal([1], 1)}, "ids must not be a masked array"),
        (np.ma.masked_equal(IMAGES, 0), {}, "images must be a C-contiguous uint8 array .*, not MaskedArray"),
        (IMAGES, {"rows": [2.9]}, r"rows must be a sequence of integers, not \[2\.9\]"),
        (IMAGES, {"rows": 3}, "rows must be a sequence of integers, not 3"),
        (IMAGES, {"rows": [0], "ids": ["3"]}, r"ids must be a sequence of integers, not \['3'\]"),
        (IMAGES, {"rows": [0], "ids": [2**63]}, r"ids must be below 2\*\*63, not 9223372036854775808"),
        (IMAGES, {"epoch": 1.5}, "epoch must be an integer, not 1.5"),
        (IMAGES, {"epoch": -1}, "epoch must be in 0..18446744073709551615, not -1"),
        (IMAGES, {"out": np.empty((7, 1), np.float32)}, "out must have shape"),
    ],
)
def test_a_bad_call_is_refused(images, options, says):
    with pytest.raises(PipelineError, match=says):
        Pipeline([], SHAPE, compiled=False)(images, **options)


FORKED = """
import os, signal, sys
import numpy as np
from numba_course.pipeline import Pipeline
made, images = Pipeline([], (4, 9, 3), threads=2, compiled=False), np.ones((4, 4, 9, 3), np.uint8)
first = made(images)
child = os.fork()
if not child:
    signal.alarm(30)
    os._exit(0 if np.array_equal(made(images), first) else 3)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_threads_are_made_anew_in_a_forked_process():
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], check=True, timeout=100)


def test_a_mask_takes_the_images_where_it_is_true():
    made, mask = Pipeline([Brightness()], SHAPE, compiled=False), np.arange(7) % 3 == 1
    assert np.array_equal(made(IMAGES, rows=mask), made(IMAGES, rows=[1, 4]))
    assert made(IMAGES, rows=[False] * 7).shape == (0, *SHAPE)


def test_an_interrupted_call_leaves_nobody_who_writes(monkeypatch):
    made, ended = Pipeline([], SHAPE, threads=2, compiled=False), []

    def run(images, rows, ids, out, epoch, start, stop):
        if start == 0:
            raise KeyboardInterrupt
        time.sleep(0.2)
        ended.append(stop)

    monkeypatch.setattr(made, "run", run)
    with pytest.raises(KeyboardInterrupt):
        made(IMAGES)
    assert ended == [7] or not ended
    seen = len(ended)
    time.sleep(0.4)
    assert len(ended) == seen


def test_the_largest_numbers_that_draws_depend_on_are_taken_and_no_rows_are_no_batch():
    made = Pipeline([Brightness()], SHAPE, seed=2**64 - 1, compiled=False)
    assert made(IMAGES, ids=np.arange(7) + (2**63 - 7), epoch=2**64 - 1).shape == (7, *SHAPE)
    assert made(IMAGES, rows=[]).shape == (0, *SHAPE)


@pytest.mark.parametrize("away", [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_a_move_that_leaves_the_image_by_one_pixel_raises(away):
    with pytest.raises(IndexError, match="left the image"):
        Pipeline([Lost(*away)], SHAPE, compiled=away[0] == 1)(IMAGES)


def test_all_names_are_there():
    assert all(hasattr(pipeline, name) for name in pipeline.__all__)


def test_it_agrees_with_every_peer_of_its_benchmark():
    agrees_with_every_peer("pipeline")


@pytest.mark.parametrize("operations", [None, Brightness(), "Brightness", 3])
def test_operations_that_are_no_sequence_are_refused(operations):
    with pytest.raises(PipelineError, match=r"^operations must be a sequence of operations, not "):
        Pipeline(operations, SHAPE)


@pytest.mark.parametrize("samples", [-1, "3", 2.5])
def test_a_batch_of_no_number_of_samples_is_refused(samples):
    with pytest.raises(PipelineError, match=r"^samples must be "):
        Pipeline([], SHAPE, compiled=False).allocate(samples)
