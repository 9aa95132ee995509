"""Requirements on operations and pipelines: compiled, fused, the same in any order, and left to Dask."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cloudpickle
import numpy as np
from numba.core import event
from numba.core.dispatcher import Dispatcher
from numba.core.runtime import _nrt_python

from numba_course.exercises.examination.show import show, show_type
from numba_course.exercises.requirements import Requirement
from numba_course.exercises.requirements.calls import ask, told, unless_raised
from numba_course.exercises.requirements.results import Matches, difference
from numba_course.pipeline import (
    Brightness,
    CenterCrop,
    HorizontalFlip,
    Normalize,
    Operation,
    Pipeline,
    PipelineCompileError,
    Resize,
    ToLayout,
)

if TYPE_CHECKING:
    from numba_course.exercises.examination.judge import Run
    from numba_course.exercises.examination.trial import Trial
    from numba_course.exercises.examination.verdict import Finding


@dataclass(frozen=True)
class CompilesInAPipeline(Requirement):
    """Between two other operations, the compiled pipeline gives what the interpreted one gives."""

    name = "compiles in a pipeline"
    status = "not compiled"

    @unless_raised
    def of_code(self, trial: Trial) -> Finding | None:
        images = np.random.default_rng(4).integers(0, 256, (8, 4, 9, 3), dtype=np.uint8)
        where = "a pipeline between CenterCrop and Normalize, for images of 4 × 9"
        plain, result = (
            ask(trial, where, self._batch, trial.answer, images, compiled) for compiled in (False, True)
        )
        if isinstance(result, PipelineCompileError):
            return self.finding(str(result))
        return self.finding(difference(result, plain, 1e-5, "compiled, the batch"))

    def _batch(self, answer, images, compiled):
        """The batch, or why it does not compile."""
        steps = [CenterCrop(3, 8), answer(0.5), Normalize((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))]
        try:
            return Pipeline(steps, images.shape[1:], compiled=compiled)(images)
        except PipelineCompileError as error:
            return error


def batch_of(operation: Operation, images: np.typing.NDArray[np.uint8], seed: int) -> Any:
    """The images as a pipeline of the operation alone makes them, as plain Python; None where it generates no code.

    A pipeline takes that for a step that does nothing.
    """
    if operation.generate_code() is None:
        return None
    return Pipeline([operation], images.shape[1:], seed=seed, compiled=False)(images)


def shown_batch(
    name: str, images: np.typing.NDArray[np.uint8], parameters: tuple[Any, ...], seed: int
) -> str:
    """In words, what a call of `batch_of` is given where the answer is an operation of this name."""
    operation = f"{name}({', '.join(map(show, parameters))})"
    return f"a pipeline of {operation} alone, seed={seed}, called with images: {show(images)}"


@dataclass(frozen=True)
class MatchesImages(Matches):
    """The same of an operation's images; a call is one of `batch_of`."""

    def of_run(self, run: Run) -> Finding | None:
        if run.result is None:
            return self.finding(
                "generate_code returned None, a step that does nothing; is a `return` missing?"
            )
        return super().of_run(run)


@dataclass(frozen=True)
class Fused(Requirement):
    """The operation declares no memory, whatever the image, so it is in the loop of the step before it."""

    name = "fused"

    @unless_raised
    def of_code(self, trial: Trial) -> Finding | None:
        for height, width in ((4, 9), (480, 640)):
            where = f"a pipeline before ToLayout, for images of {height} × {width}"
            if ask(trial, where, self._memory, trial.answer, (height, width, 3)):
                return self.finding("it declares memory: its result is stored, and a new loop begins")
        return None

    def _memory(self, answer, shape):
        return Pipeline([answer(0.5), ToLayout("CHW")], shape, compiled=False).program.memory


@dataclass(frozen=True)
class DependsOnNumbersAlone(Requirement):
    """A sample of an epoch comes out the same in any order, in batches of any size, on any number of threads."""

    name = "the same in any order, batch or thread"
    status = "wrong"
    early = True  # it says more than a result that differs

    @unless_raised
    def of_code(self, trial: Trial) -> Finding | None:
        operation = ask(trial, "RandomBrightness(30.0)", trial.answer, 30.0)
        if ask(trial, "its generate_code", operation.generate_code) is None:
            return None  # `MatchesImages` says so
        whole, later, ways = ask(trial, "batches of 6 images of 2 × 3", self._batches, trial.answer)
        for way, result in ways.items():
            if not np.array_equal(result, whole):
                return self.finding(f"{way}, the same samples come out otherwise")
        if np.array_equal(later, whole):
            return self.finding("the next epoch draws the same numbers again; take them from the key")
        return None

    def _batches(self, answer):
        """The same samples in one batch, those of the next epoch, and the first ones in other ways."""
        images = np.random.default_rng(6).integers(90, 160, (6, 2, 3, 3), dtype=np.uint8)

        def made(threads=1):
            return Pipeline([answer(30.0)], (2, 3, 3), threads=threads, compiled=False)

        pipeline = made()
        parts = [pipeline(images, rows=rows) for rows in ([0], [1, 2, 3], [4, 5])]
        ways = {
            "in the opposite order": made()(images, rows=np.arange(6)[::-1])[::-1],
            "in smaller batches": np.concatenate(parts),
            "on three threads": made(threads=3)(images),
        }
        return made()(images), made()(images, epoch=1), ways


def _made(trial):
    """The pipeline that the answer gives; None if it gives another thing, which `Matches` says."""
    made = ask(trial, "my_pipeline()", trial.answer)
    return made if isinstance(made, Pipeline) else None


@dataclass(frozen=True)
class NeedsNoMoreMemory(Requirement):
    """What its steps declare is no more than a resized image needs: all the others are fused."""

    name = "fused"

    @unless_raised
    def of_code(self, trial: Trial) -> Finding | None:
        made = _made(trial)
        if made is None:
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

    @unless_raised
    def of_code(self, trial: Trial) -> Finding | None:
        made = _made(trial)
        if made is None or not made.compiled:
            return None
        few, many = (ask(trial, f"a batch of {count}", allocations, made, count) for count in (2, 8))
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

    @unless_raised
    def of_code(self, trial: Trial) -> Finding | None:
        made = _made(trial)
        if made is None:
            return None
        if not isinstance(made._function, Dispatcher):
            return self.finding("compiled=False runs the generated text as plain Python")
        if type(made).__call__ is not Pipeline.__call__ or type(made).run is not Pipeline.run:
            return self.finding(f"its class {type(made).__name__} makes the batch in the place of Pipeline")
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


def shown_blocks(images: np.typing.NDArray[np.uint8], sizes: tuple[int, ...], seed: int) -> str:
    """In words, what the answer is given to map over these blocks."""
    return f"a pipeline with seed={seed}; images: {show(images)}, in blocks of {show(list(sizes))} images"


SIZES = (2, 4, 1)


IN_BLOCKS = f"map_over_cluster(pipeline, images) for blocks of {SIZES} images"


def is_dask_array(value: object) -> bool:
    """Whether it is an array of Dask, which need not be installed."""
    return type(value).__module__.startswith("dask.array") and type(value).__name__ == "Array"


@dataclass(frozen=True)
class LeavesItToDask(Requirement):
    """A Dask array that says what it is and has computed nothing yet; each block needs its own images alone."""

    name = "left to Dask, block by block"

    @unless_raised
    def of_code(self, trial: Trial) -> Finding | None:
        images, opened = np.zeros((7, 4, 9, 3), np.uint8), []
        pipeline = small_pipeline()
        result = ask(trial, IN_BLOCKS, trial.answer, pipeline, blocks_of(images, SIZES, opened))
        if opened:
            return self.finding("it reads the images before the result is asked for")
        if not is_dask_array(result):
            return self.finding(f"it returned a value of type {type(result).__name__}, not a Dask array")
        wanted = (7, *pipeline.allocate(0).shape[1:])
        return self.finding(self._misdeclared(result, wanted) or self._reads_too_much(trial, result, opened))

    def _misdeclared(self, result, wanted):
        """What the Dask array says of itself that is not so."""
        if result.chunks[0] != SIZES:
            return f"for blocks of {SIZES} images it makes blocks of {result.chunks[0]}"
        if result.shape != wanted or result.dtype != np.float32:
            declared = f"{result.dtype} {result.shape}"
            return f"its Dask array is declared as {declared}, not float32 {wanted}"
        return ""

    def _reads_too_much(self, trial, result, opened):
        block = ask(
            trial, f"the second block of {IN_BLOCKS}", result.blocks[1].compute, scheduler="synchronous"
        )
        if getattr(block, "dtype", None) != result.dtype:
            return f"its Dask array is declared as {result.dtype}, and a block of it is {show_type(block)}"
        wanted = SIZES[1]
        return "" if sum(opened) == wanted else f"for a block of {wanted} images it reads {sum(opened)}"


@dataclass(frozen=True)
class CompilesNowhereElse(Requirement):
    """Tasks that were sent to a process which knows nothing load the machine code; they compile nothing."""

    name = "one compilation in all"

    @unless_raised
    def of_code(self, trial: Trial) -> Finding | None:
        images = np.random.default_rng(9).integers(0, 256, (7, 4, 9, 3), dtype=np.uint8)
        pipeline = small_pipeline()
        result = ask(trial, IN_BLOCKS, trial.answer, pipeline, blocks_of(images, SIZES))
        if not is_dask_array(result):
            return None
        try:
            cloudpickle.dumps((result.__dask_graph__(), result.__dask_keys__()))
        except Exception as error:
            return self.finding(f"its tasks cannot be sent to another process: {told(error)}")
        with event.install_recorder("numba:compile") as recorded:
            there = ask(trial, f"a worker, of {IN_BLOCKS}", result.compute, scheduler=elsewhere)
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
