"""Chapter 12, pipeline: a random operation, a pipeline to a written specification, and the same on a cluster."""

import sys
from dataclasses import dataclass
from typing import ClassVar

import cloudpickle
import numpy as np
from numba.core import event
from numba.core.runtime import _nrt_python

from numba_course.exercises.chapters.code_generation import CompilesInAPipeline, Fused
from numba_course.exercises.exercise import Exercise
from numba_course.exercises.requirements import LeavesInputsAlone, Matches, Requirement, difference
from numba_course.exercises.verdict import Finding
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
    """Run images through a pipeline of the answer alone, as plain Python."""
    return Pipeline([answer(*parameters)], images.shape[1:], seed=seed, compiled=False)(images)


def brightness_spec(images, parameters, seed):
    """Image by image, in NumPy."""
    (amount,) = parameters or (32.0,)
    changes = [amount * (2 * draw(seed, 0, sample, 0) - 1) for sample in range(len(images))]
    return np.clip(images + np.float32(changes)[:, None, None, None], 0, 255)


def brightness_examples():
    """No change; small ones; so large that both ends are clipped; the amount that holds if nobody says so."""
    images = np.random.default_rng(5).integers(0, 256, (7, 2, 3, 3), dtype=np.uint8)
    for parameters, seed in (((0.0,), 0), ((10.0,), 1), ((200.0,), 2), ((), 3)):
        yield images, parameters, seed


@dataclass(frozen=True)
class DependsOnNumbersAlone(Requirement):
    """A sample of an epoch comes out the same in any order, in batches of any size, on any number of threads."""

    name: ClassVar[str] = "the same in any order, batch or thread"
    status: ClassVar[str] = "wrong"
    early: ClassVar[bool] = True  # it says more than a result that differs

    def of_code(self, trial):
        images = np.random.default_rng(6).integers(90, 160, (6, 2, 3, 3), dtype=np.uint8)

        def made(threads=1):
            return Pipeline([trial.answer(30.0)], (2, 3, 3), threads=threads, compiled=False)

        try:
            whole = made()(images)
            turned = made()(images, rows=np.arange(6)[::-1])[::-1]
            pipeline = made()
            cut = np.concatenate([pipeline(images, rows=rows) for rows in ([0], [1, 2, 3], [4, 5])])
            shared = made(threads=3)(images)
            later = made()(images, epoch=1)
        except Exception:  # another requirement says so
            return None
        ways = {"in the opposite order": turned, "in smaller batches": cut, "on three threads": shared}
        for way, result in ways.items():
            if not np.array_equal(result, whole):
                return Finding(self.name, f"{way}, the same samples come out otherwise")
        if np.array_equal(later, whole):
            return Finding(self.name, "the next epoch draws the same numbers again; take them from the key")
        return None


# A pipeline that was specified in writing.


def my_pipeline():
    """Return the pipeline that the specification asks for."""
    steps = [Resize(72, 72), RandomCrop(64, 64), HorizontalFlip(), Brightness(0.2), Normalize(MEAN, STD)]
    return Pipeline([*steps, ToLayout("CHW")], (128, 128, 3), seed=12)


def batch_of(answer, images, epoch):
    """The batch of the answer's pipeline; what it returned if that is none."""
    made = answer()
    return made(images, epoch=epoch) if isinstance(made, Pipeline) else made


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


@dataclass(frozen=True)
class NeedsNoMoreMemory(Requirement):
    """What its steps declare is no more than a resized image needs: all the others are fused."""

    name: ClassVar[str] = "fused"

    def of_code(self, trial):
        made = trial.answer()
        if not isinstance(made, Pipeline):
            return None
        resize = Pipeline([Resize(72, 72)], (128, 128, 3), compiled=False)
        stored, most = (
            (len(memory), sum(query.nbytes for query in memory))
            for memory in (made.program.memory, resize.program.memory)
        )
        if stored[0] > most[0] or stored[1] > most[1]:
            seen = f"it stores {stored[1]} bytes for an image, in {stored[0]} buffers"
            return Finding(self.name, f"{seen}; {most[1]} bytes in {most[0]} are enough")
        return None


@dataclass(frozen=True)
class AllocatesNothingPerBatch(Requirement):
    """A larger batch into an array that is there already allocates no more often than a smaller one."""

    name: ClassVar[str] = "no allocation"

    def of_code(self, trial):
        made = trial.answer()
        if not (isinstance(made, Pipeline) and made.compiled):
            return None
        few, many = (allocations(made, count) for count in (2, 8))
        return Finding(self.name, f"each image allocates {(many - few) / 6:g} times") if many > few else None


def allocations(pipeline, count):
    """How often a batch of so many images allocates, by Numba's allocator; each argument counts as one."""
    images, out = np.zeros((count, *pipeline.program.input.shape), np.uint8), pipeline.allocate(count)
    pipeline(images, out=out)
    _nrt_python.memsys_enable_stats()
    before = _nrt_python.memsys_get_stats_alloc()
    pipeline(images, out=out)
    return _nrt_python.memsys_get_stats_alloc() - before


@dataclass(frozen=True)
class IsCompiled(Requirement):
    """The answer gives a pipeline, and it was compiled."""

    name: ClassVar[str] = "compiled"
    status: ClassVar[str] = "not compiled"

    def of_code(self, trial):
        made = trial.answer()
        if isinstance(made, Pipeline) and not made.compiled:
            return Finding(self.name, "compiled=False runs the generated text as plain Python")
        return None


# The same on many machines.


def map_over_cluster(pipeline, images):
    """Return the batches of a Dask array of images as a Dask array: a block for each of its blocks."""

    def batch(block, block_info):
        start, stop = block_info[0]["array-location"][0]
        return pipeline(block, ids=np.arange(start, stop))

    empty = pipeline.allocate(0)
    return images.map_blocks(batch, meta=empty, chunks=(images.chunks[0], *empty.shape[1:]))


def blocks_of(images, sizes, opened=None):
    """A Dask array of images in blocks of these sizes; each block that is read is put down in `opened`.

    Raises
    ------
    ModuleNotFoundError
        If there is no Dask; the message says how it is installed.
    """
    try:
        import dask.array as da
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "this exercise needs Dask: python -m pip install 'numba-course[scale]'"
        ) from None

    def read(numbers):
        if opened is not None:
            opened.append(len(numbers))
        first = numbers[0] if len(numbers) else 0
        return images[first : first + len(numbers)]  # not a copy, as from a file

    numbers = da.arange(len(images), chunks=(sizes,))
    chunks = (sizes, *images.shape[1:])
    return numbers.map_blocks(read, meta=images[:0], new_axis=(1, 2, 3), chunks=chunks)


def small_pipeline(seed=0):
    """Draws of two kinds, and planes: other numbers or another layout would be seen."""
    return Pipeline([HorizontalFlip(), Brightness(), ToLayout("CHW")], (4, 9, 3), seed=seed)


def mapped(answer, images, sizes, seed):
    """What the answer makes of these blocks, one after the other in this thread."""
    result = answer(small_pipeline(seed), blocks_of(images, sizes))
    return result.compute(scheduler="synchronous") if hasattr(result, "dask") else result


def mapped_spec(images, sizes, seed):
    """The local result."""
    return small_pipeline(seed)(images)


def mapped_examples():
    """One block; blocks of one size, of several sizes, of one image each."""
    images = np.random.default_rng(8).integers(0, 256, (7, 4, 9, 3), dtype=np.uint8)
    for sizes, seed in (((7,), 0), ((4, 3), 1), ((1, 4, 2), 2), ((1,) * 7, 3)):
        yield images, sizes, seed


SIZES = (2, 4, 1)


@dataclass(frozen=True)
class LeavesItToDask(Requirement):
    """A Dask array that says what it is and has computed nothing yet; each block needs its own images alone."""

    name: ClassVar[str] = "left to Dask, block by block"

    def of_code(self, trial):
        images, opened = np.zeros((7, 4, 9, 3), np.uint8), []
        pipeline = small_pipeline()
        result = trial.answer(pipeline, blocks_of(images, SIZES, opened))
        if opened:
            return Finding(self.name, "it reads the images before the result is asked for")
        if not hasattr(result, "dask"):
            return Finding(
                self.name, f"it returned a value of type {type(result).__name__}, not a Dask array"
            )
        if result.chunks[0] != SIZES:
            return Finding(self.name, f"for blocks of {SIZES} images it makes blocks of {result.chunks[0]}")
        wanted = (7, *pipeline.allocate(0).shape[1:])
        if result.shape != wanted or result.dtype != np.float32:
            declared = f"{result.dtype} {result.shape}"
            return Finding(self.name, f"its Dask array is declared as {declared}, not float32 {wanted}")
        result.blocks[1].compute(scheduler="synchronous")
        if sum(opened) != SIZES[1]:
            return Finding(self.name, f"for a block of {SIZES[1]} images it reads {sum(opened)}")
        return None


@dataclass(frozen=True)
class CompilesNowhereElse(Requirement):
    """Tasks that were sent to a process which knows nothing load the machine code; they compile nothing."""

    name: ClassVar[str] = "one compilation in all"

    def of_code(self, trial):
        images = np.random.default_rng(9).integers(0, 256, (7, 4, 9, 3), dtype=np.uint8)
        pipeline = small_pipeline()
        result = trial.answer(pipeline, blocks_of(images, SIZES))
        if not hasattr(result, "dask"):
            return None
        with event.install_recorder("numba:compile") as recorded:
            there = result.compute(scheduler=elsewhere)
        if recorded.buffer:
            return Finding(self.name, "a worker compiles, though the machine code is on the disk")
        if seen := difference(there, pipeline(images), 0.0, "on a worker, the result"):
            return Finding(self.name, seen)
        return None


def elsewhere(graph, keys, **options):
    """A scheduler of Dask: what a worker does, which gets its tasks as bytes and has no module of ours yet."""
    import dask

    sent = cloudpickle.dumps((graph, keys))
    for name in [name for name in sys.modules if name.startswith("numba_course_pipeline_")]:
        del sys.modules[name]
    return dask.get(*cloudpickle.loads(sent))


EXERCISES = (
    Exercise(
        name="RandomBrightness",
        reference=RandomBrightness,
        spec=brightness_spec,
        examples=brightness_examples,
        call=brightened,
        requirements=(DependsOnNumbersAlone(), Matches(rtol=1e-6), CompilesInAPipeline(), Fused()),
        hints=(
            "Where may the random number come from, if it must not matter which thread asks, or when?",
            "generate_code returns a @point function, brighten(r, g, b, key) -> (r, g, b); uniform(key, 0) is in "
            "0..1, and the same for every pixel of an image.",
            "amount * (2.0 * uniform(key, 0) - 1.0) is in -amount..amount; add it, and clip each value by "
            "min(max(value, 0.0), 255.0).",
        ),
        explanation=(
            "The key was made from the seed, the epoch, the number of the sample and the place of the step. So the "
            "draw is a function of numbers, not of a state that threads would share, and who computes it does not "
            "matter. It only adds, multiplies and takes min and max, so eight pixels are computed at a time."
        ),
    ),
    Exercise(
        name="my_pipeline",
        reference=my_pipeline,
        helpers=(),
        spec=batch_spec,
        examples=batch_examples,
        call=batch_of,
        seconds=COMPILING,
        requirements=(
            LeavesInputsAlone(),
            Matches(rtol=1e-5),
            IsCompiled(),
            NeedsNoMoreMemory(),
            AllocatesNothingPerBatch(),
        ),
        hints=(
            "Which operation of numba_course.pipeline does what each line of the specification says?",
            "Pipeline(operations, shape, seed=12); the shape is that of one image which goes in. Every line is one "
            "operation: a step's draws depend on its place.",
            "Resize(72, 72), RandomCrop(64, 64), HorizontalFlip(), Brightness(0.2), Normalize(MEAN, STD), "
            'ToLayout("CHW"), in this order.',
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
        seconds=COMPILING,
        requirements=(LeavesInputsAlone(), Matches(), LeavesItToDask(), CompilesNowhereElse()),
        hints=(
            "A block knows its own images. What else does the pipeline need to know, so that the draws are those of "
            "the whole array?",
            "images.map_blocks(batch, ...) calls batch for each block; if batch has a parameter block_info, "
            'block_info[0]["array-location"][0] says from which image to which. Give those numbers as ids.',
            "Tell map_blocks what comes out: meta=pipeline.allocate(0), and chunks=(images.chunks[0], 3, height, "
            "width) with the sizes of pipeline.allocate(0).shape.",
        ),
        explanation=(
            "The function is the same as on one machine. Dask cuts, sends, retries and puts together; the pipeline "
            "travels as text, and who gets it finds the machine code on the disk. Without ids each block would "
            "count from 0, and draw what the first one draws."
        ),
    ),
)
