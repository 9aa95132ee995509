"""Chapter 12, pipeline: a random operation, a pipeline to a written specification, and the same on a cluster."""

from functools import partial

import numpy as np

from numba_course.exercises.examination.show import show
from numba_course.exercises.question import Exercise
from numba_course.exercises.requirements.calls import RunsEverywhere
from numba_course.exercises.requirements.pipelines import (
    AllocatesNothingPerBatch,
    CompiledPipeline,
    CompilesInAPipeline,
    CompilesNowhereElse,
    DependsOnNumbersAlone,
    Fused,
    LeavesItToDask,
    MatchesImages,
    NeedsNoMoreMemory,
    batch_of,
    blocks_of,
    is_dask_array,
    shown_batch,
    shown_blocks,
    small_pipeline,
)
from numba_course.exercises.requirements.results import LeavesInputsAlone, Matches
from numba_course.kernels.resize import bilinear_resize_spec
from numba_course.pipeline import (
    Brightness,
    HorizontalFlip,
    Normalize,
    Operation,
    Pipeline,
    RandomCrop,
    Resize,
    ToLayout,
    interpreted,
    point,
    uniform,
)

COMPILING = 60.0  # seconds for a call, which may be the first to compile the pipeline
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def draw(seed, epoch, sample, step, number=0):
    """One draw of a step for a sample, as Python makes it."""
    key = interpreted.sample_key(np.uint64(seed), np.uint64(epoch), int(sample))
    return interpreted.uniform(interpreted.op_key(key, step), number)


# An operation with draws of its own.


class RandomBrightness(Operation):
    """Add to a whole image one number, drawn from -amount to amount, and clip to 0..255."""

    def __init__(self, amount=32.0):
        self.amount = amount

    def generate_code(self):
        amount = float(self.amount)

        @point
        def brighten(r, g, b, key):
            change = amount * (2.0 * uniform(key, 0) - 1.0)
            return (
                min(max(r + change, 0.0), 255.0),
                min(max(g + change, 0.0), 255.0),
                min(max(b + change, 0.0), 255.0),
            )

        return brighten


def brightened(answer, images, parameters, seed):
    """Run images through a pipeline of the answer alone, as plain Python; another one is made, and must not matter."""
    operation = answer(*parameters)
    _another = answer(100.0)
    return batch_of(operation, images, seed)


def brightness_spec(images, parameters, seed):
    """Image by image, in NumPy."""
    (amount,) = parameters or (32.0,)
    changes = [amount * (2 * draw(seed, 0, sample, 0) - 1) for sample in range(len(images))]
    return np.clip(images + np.float32(changes)[:, None, None, None], 0, 255)


def brightness_examples():
    """No image; no change; small ones; such as clip both ends; without an amount; many images; wide ones."""
    images = np.random.default_rng(5).integers(0, 256, (7, 2, 3, 3), dtype=np.uint8)
    yield images[:0], (10.0,), 0
    for parameters, seed in (((0.0,), 0), ((10.0,), 1), ((200.0,), 2), ((), 3)):
        yield images, parameters, seed
    for shape in ((150, 1, 2, 3), (3, 5, 70, 3)):
        yield np.random.default_rng(6).integers(0, 256, shape, dtype=np.uint8), (50,), 4


# A pipeline that was specified in writing.


def my_pipeline():
    """Return the pipeline that the specification asks for."""
    steps = [Resize(72, 72), RandomCrop(64, 64), HorizontalFlip(), Brightness(0.2), Normalize(MEAN, STD)]
    return Pipeline([*steps, ToLayout("CHW")], (128, 128, 3), seed=12)


def batch_of_my_pipeline(answer, images, epoch):
    """The batch of the answer's pipeline; what it returned if that is none."""
    made = answer()
    return made(images, epoch=epoch) if isinstance(made, Pipeline) else made


def shown_call_of_my_pipeline(images, epoch):
    """In words, what the answer's pipeline is given."""
    return f"the pipeline that it returns, called with images: {show(images)}, and epoch={epoch}"


def batch_spec(images, epoch):
    """Image by image, in NumPy; the resize pixel by pixel."""
    out = np.empty((len(images), 3, 64, 64), np.float32)
    for sample, photo in enumerate(images):
        small = np.rint(bilinear_resize_spec(photo, 72, 72))
        top, left = (int(draw(12, epoch, sample, 1, number) * np.float32(9)) for number in (0, 1))
        small = small[top : top + 64, left : left + 64]
        if draw(12, epoch, sample, 2) < 0.5:
            small = small[:, ::-1]
        bright = np.clip(small * (0.8 + 0.4 * float(draw(12, epoch, sample, 3))), 0, 255)
        out[sample] = ((bright / 255 - MEAN) / STD).transpose(2, 0, 1)
    return out


def batch_examples():
    """No image, a few, and the same in another epoch.

    A weight of the resize is a whole number of eighteenths, and each pixel a multiple of 18 for its row and one for its
    column: so resized values are whole, and it does not matter how precisely they are computed before being rounded.
    """
    down, across = 18 * np.random.default_rng(7).integers(0, 8, (2, 6, 128, 3), dtype=np.uint8)
    images = down[:, :, None] + across[:, None]
    yield images[:0], 0
    yield images, 0
    yield images, 3


# The same on many machines.


def map_over_cluster(pipeline, images):
    """Return the batches of a Dask array of images as a Dask array: a block for each of its blocks."""

    def batch(block, block_info):
        start, stop = block_info[0]["array-location"][0]
        return pipeline(block, ids=np.arange(start, stop))

    empty = pipeline.allocate(0)
    return images.map_blocks(batch, meta=empty, chunks=(images.chunks[0], *empty.shape[1:]))


def mapped(answer, images, sizes, seed):
    """What the answer makes of these blocks, one after the other in this thread."""
    result = answer(small_pipeline(seed), blocks_of(images, sizes))
    return result.compute(scheduler="synchronous") if is_dask_array(result) else result


def mapped_spec(images, sizes, seed):
    """The local result."""
    return small_pipeline(seed)(images)


def mapped_examples():
    """One block; blocks of one size, of several sizes, of one image each; many blocks."""
    images = np.random.default_rng(8).integers(0, 256, (60, 4, 9, 3), dtype=np.uint8)
    for sizes, seed in (
        ((7,), 0),
        ((4, 3), 1),
        ((1, 4, 2), 2),
        ((1,) * 7, 3),
        ((20, 30, 10), 4),
        ((3,) * 20, 5),
    ):
        yield images[: sum(sizes)], sizes, seed


EXERCISES = (
    Exercise(
        name="RandomBrightness",
        reference=RandomBrightness,
        spec=brightness_spec,
        examples=brightness_examples,
        call=brightened,
        shown=partial(shown_batch, "RandomBrightness"),
        compiling=20.0,  # seconds for a look, most of which are plain Python
        requirements=(
            DependsOnNumbersAlone(),
            MatchesImages(rtol=1e-6),
            CompilesInAPipeline(),
            Fused(),
            RunsEverywhere(),
        ),
        hints=(
            "Where may the random number come from, if it must not matter which thread asks, or when?",
            "`generate_code` returns a `@point` function, `brighten(r, g, b, key) -> (r, g, b)`; "
            "`uniform(key, 0)` is in 0..1, and the same for every pixel of an image.",
            "`amount * (2.0 * uniform(key, 0) - 1.0)` is in `-amount..amount`; add it, and clip each value "
            "by `min(max(value, 0.0), 255.0)`.",
        ),
        explanation=(
            "The key was made from the seed, the epoch, the number of the sample and the place of the step. So the "
            "draw is a function of numbers, not of a state that threads would share, and who computes it does not "
            "matter. It only adds, multiplies and takes min and max, so several pixels are computed at a time."
        ),
    ),
    Exercise(
        name="my_pipeline",
        reference=my_pipeline,
        helpers=(),
        spec=batch_spec,
        examples=batch_examples,
        call=batch_of_my_pipeline,
        shown=shown_call_of_my_pipeline,
        seconds=COMPILING,
        requirements=(
            LeavesInputsAlone(),
            Matches(rtol=1e-5),
            CompiledPipeline(),
            NeedsNoMoreMemory(),
            AllocatesNothingPerBatch(),
            RunsEverywhere(),
        ),
        hints=(
            "Which operation of `numba_course.pipeline` does what each line of the specification says?",
            "`Pipeline(operations, shape, seed=12)`; the shape is that of one image which goes in. Every "
            "line is one operation: a step's draws depend on its place.",
            "`Resize(72, 72)`, `RandomCrop(64, 64)`, `HorizontalFlip()`, `Brightness(0.2)`, "
            '`Normalize(MEAN, STD)`, `ToLayout("CHW")`, in this order.',
        ),
        explanation=(
            "Only the resize declares memory. The crop and the flip say where a pixel comes from, and brightness and "
            "normalisation what becomes of it: four steps, one loop. The buffers are allocated once for each "
            "thread, and the batch by whoever calls, so a batch allocates nothing."
        ),
    ),
    Exercise(
        name="map_over_cluster",
        reference=map_over_cluster,
        spec=mapped_spec,
        examples=mapped_examples,
        call=mapped,
        shown=shown_blocks,
        seconds=COMPILING,
        requirements=(
            LeavesInputsAlone(),
            Matches(),
            LeavesItToDask(),
            CompilesNowhereElse(),
            RunsEverywhere(),
        ),
        hints=(
            "A block knows its own images. What else does the pipeline need to know, so that the draws are those of "
            "the whole array?",
            "`images.map_blocks(batch, ...)` calls batch for each block; if batch has a parameter "
            'block_info, `block_info[0]["array-location"][0]` says from which image to which. Give those '
            "numbers as ids.",
            "Tell map_blocks what comes out: `meta=pipeline.allocate(0)`, and `chunks=(images.chunks[0], 3, "
            "height, width)` with the sizes of `pipeline.allocate(0).shape`.",
        ),
        explanation=(
            "The function is the same as on one machine. Dask cuts, sends, retries and puts together; the pipeline "
            "travels as text, and who gets it finds the machine code on the disk, where one was made there before. "
            "Without ids each block would count from 0, and draw what the first one draws."
        ),
    ),
)
