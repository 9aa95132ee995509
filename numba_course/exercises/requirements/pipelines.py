"""Requirements on operations and pipelines: compiled, fused, the same in any order, and left to Dask."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cloudpickle
import numpy as np
from numba.core import event
from numba.core.runtime import _nrt_python

from numba_course.exercises.requirements import Requirement
from numba_course.exercises.requirements.results import difference
from numba_course.pipeline import (
    Brightness,
    CenterCrop,
    HorizontalFlip,
    Normalize,
    Pipeline,
    PipelineCompileError,
    Resize,
    ToLayout,
)

if TYPE_CHECKING:
    from numba_course.exercises.examination.trial import Trial
    from numba_course.exercises.examination.verdict import Finding


@dataclass(frozen=True)
class CompilesInAPipeline(Requirement):
    """Between two other operations, the compiled pipeline gives what the interpreted one gives."""

    name = "compiles in a pipeline"
    status = "not compiled"

    def of_code(self, trial: Trial) -> Finding | None:
        images = np.random.default_rng(4).integers(0, 256, (8, 4, 9, 3), dtype=np.uint8)
        steps = [CenterCrop(3, 8), trial.answer(0.5), Normalize((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))]
        try:
            result = Pipeline(steps, (4, 9, 3))(images)
        except PipelineCompileError as error:
            return self.finding(str(error))
        plain = Pipeline(steps, (4, 9, 3), compiled=False)(images)
        return self.finding(difference(result, plain, 1e-5, "compiled, the batch"))


@dataclass(frozen=True)
class Fused(Requirement):
    """The operation declares no memory, so it is in the loop of the step before it."""

    name = "fused"

    def of_code(self, trial: Trial) -> Finding | None:
        program = Pipeline([trial.answer(0.5), ToLayout("CHW")], (4, 9, 3), compiled=False).program
        if program.memory:
            return self.finding("it declares memory: its result is stored, and a new loop begins")
        return None


@dataclass(frozen=True)
class DependsOnNumbersAlone(Requirement):
    """A sample of an epoch comes out the same in any order, in batches of any size, on any number of threads."""

    name = "the same in any order, batch or thread"
    status = "wrong"
    early = True  # it says more than a result that differs

    def of_code(self, trial: Trial) -> Finding | None:
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
                return self.finding(f"{way}, the same samples come out otherwise")
        if np.array_equal(later, whole):
            return self.finding("the next epoch draws the same numbers again; take them from the key")
        return None


@dataclass(frozen=True)
class NeedsNoMoreMemory(Requirement):
    """What its steps declare is no more than a resized image needs: all the others are fused."""

    name = "fused"

    def of_code(self, trial: Trial) -> Finding | None:
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
            return self.finding(f"{seen}; {most[1]} bytes in {most[0]} are enough")
        return None


@dataclass(frozen=True)
class AllocatesNothingPerBatch(Requirement):
    """A larger batch into an array that is there already allocates no more often than a smaller one."""

    name = "no allocation"

    def of_code(self, trial: Trial) -> Finding | None:
        made = trial.answer()
        if not (isinstance(made, Pipeline) and made.compiled):
            return None
        few, many = (allocations(made, count) for count in (2, 8))
        return self.finding(f"each image allocates {(many - few) / 6:g} times" if many > few else "")


def allocations(pipeline: Pipeline, count: int) -> int:
    """How often a batch of so many images allocates, by Numba's allocator; each argument counts as one."""
    images, out = np.zeros((count, *pipeline.program.input.shape), np.uint8), pipeline.allocate(count)
    pipeline(images, out=out)
    _nrt_python.memsys_enable_stats()
    before = _nrt_python.memsys_get_stats_alloc()
    pipeline(images, out=out)
    return _nrt_python.memsys_get_stats_alloc() - before


@dataclass(frozen=True)
class CompiledPipeline(Requirement):
    """The answer gives a pipeline, and it was compiled."""

    name = "compiled"
    status = "not compiled"

    def of_code(self, trial: Trial) -> Finding | None:
        made = trial.answer()
        if isinstance(made, Pipeline) and not made.compiled:
            return self.finding("compiled=False runs the generated text as plain Python")
        return None


def blocks_of(
    images: np.typing.NDArray[np.uint8], sizes: tuple[int, ...], opened: list[int] | None = None
) -> Any:
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


def small_pipeline(seed: int = 0) -> Pipeline:
    """Draws of two kinds, and planes: other numbers or another layout would be seen."""
    return Pipeline([HorizontalFlip(), Brightness(), ToLayout("CHW")], (4, 9, 3), seed=seed)


SIZES = (2, 4, 1)


@dataclass(frozen=True)
class LeavesItToDask(Requirement):
    """A Dask array that says what it is and has computed nothing yet; each block needs its own images alone."""

    name = "left to Dask, block by block"

    def of_code(self, trial: Trial) -> Finding | None:
        images, opened = np.zeros((7, 4, 9, 3), np.uint8), []
        pipeline = small_pipeline()
        result = trial.answer(pipeline, blocks_of(images, SIZES, opened))
        if opened:
            return self.finding("it reads the images before the result is asked for")
        if not hasattr(result, "dask"):
            return self.finding(f"it returned a value of type {type(result).__name__}, not a Dask array")
        if result.chunks[0] != SIZES:
            return self.finding(f"for blocks of {SIZES} images it makes blocks of {result.chunks[0]}")
        wanted = (7, *pipeline.allocate(0).shape[1:])
        if result.shape != wanted or result.dtype != np.float32:
            declared = f"{result.dtype} {result.shape}"
            return self.finding(f"its Dask array is declared as {declared}, not float32 {wanted}")
        result.blocks[1].compute(scheduler="synchronous")
        if sum(opened) != SIZES[1]:
            return self.finding(f"for a block of {SIZES[1]} images it reads {sum(opened)}")
        return None


@dataclass(frozen=True)
class CompilesNowhereElse(Requirement):
    """Tasks that were sent to a process which knows nothing load the machine code; they compile nothing."""

    name = "one compilation in all"

    def of_code(self, trial: Trial) -> Finding | None:
        images = np.random.default_rng(9).integers(0, 256, (7, 4, 9, 3), dtype=np.uint8)
        pipeline = small_pipeline()
        result = trial.answer(pipeline, blocks_of(images, SIZES))
        if not hasattr(result, "dask"):
            return None
        with event.install_recorder("numba:compile") as recorded:
            there = result.compute(scheduler=elsewhere)
        if recorded.buffer:
            return self.finding("a worker compiles, though the machine code is on the disk")
        return self.finding(difference(there, pipeline(images), 0.0, "on a worker, the result"))


def elsewhere(graph: Any, keys: Any, **options: Any) -> Any:
    """A scheduler of Dask: what a worker does, which gets its tasks as bytes and has no module of ours yet."""
    import dask

    sent = cloudpickle.dumps((graph, keys))
    for name in [name for name in sys.modules if name.startswith("numba_course_pipeline_")]:
        del sys.modules[name]
    return dask.get(*cloudpickle.loads(sent))
