"""Operations, compiled into one function for batches of photographs."""

from __future__ import annotations

import itertools
import os
import re
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import numpy as np
from numba import config, types
from numba.np.numpy_support import from_dtype

from numba_course.kernels.checks import check_integer, check_out, check_threads
from numba_course.lens import errors
from numba_course.pipeline import modules
from numba_course.pipeline.program import Program, generate, kilobytes, told
from numba_course.pipeline.protocol import Operation, PipelineError, State, checked

LARGEST = 2**64 - 1  # seed and epoch are mixed as unsigned integers of 64 bits


class PipelineCompileError(PipelineError):
    """The code of an operation does not compile; the message names the step, the operation and its line."""


class Pipeline:
    """Compile operations into one function from uint8 images to a batch of float32, or of uint8.

    Parameters
    ----------
    operations : sequence of Operation
    shape : tuple of int
        Height, width and channels of the images that go in; of those 1 to 4.
    dtype : numpy.dtype or type
        Of the batches: float32, or uint8 if no operation makes floats, as `Crop`, `HorizontalFlip` and `Resize` do not.
    seed : int, 0 <= seed < 2**64
        Draws depend on it, the epoch, the sample and the operation, and on nothing else.
    threads : int, 1 <= threads <= 4096
        How many threads share the samples of a call: see docs/threads.md.
    fastmath : bool
        As for `numba.njit`, but NaN and infinity stay what they are.
    boundscheck : bool
        As for `numba.njit`; the indices of operations are looked at in any case.
    compiled : bool
        Whether to compile. If not, the same generated text runs as Python, with the types that Numba gives; so it
        does where NUMBA_DISABLE_JIT is set.

    Raises
    ------
    PipelineError
        If an operation cannot take what the one before it gives, or `dtype`, `seed` or `threads` is not as above.
    PipelineCompileError
        If the code of one does not compile.

    Notes
    -----
    Its threads are Python's, and compiled code lets go of the GIL: no threading layer of Numba's is asked for, any
    number of callers may call at once, and a forked process makes threads of its own. A call waits for the slowest of
    its threads: where other programs want the processors, it may wait for many times as long as one thread would take.

    Compiled or not, pixels have the same bits, but for `fastmath`; for NumPy's functions, such as ``np.sin``, and
    powers with an exponent that is not written as a whole number, which are the compiler's in one case and NumPy's in
    the other; for floats that an @image writes into memory of integers that cannot hold them; for the smallest whole
    number divided by -1, and unsigned ones by 0; and for a variable that has no value on the way that is taken:
    compiled it is anything, as Python an error. A variable of two types on two ways is refused; as Python, once both
    were gone. Where NUMBA_DISABLE_JIT is set, bytes are resized in float32, and may differ by one.

    docs/pipeline.md says what it is made for, and what not.

    It is compiled here, in the caller's thread, or loaded from the disk if it was compiled before; some seconds,
    and some hundredths of a second. Pickled, it takes the generated text along and not the operations.

    A call allocates `out` if it is not given, and nothing else for pixels. By ``bench pipeline``, on one thread, 256
    photographs cropped, mirrored, normalised and laid out as planes take 1.1 to 1.25 times as long as a loop in C
    that only turns as many bytes into float32: memory is the limit. That loop itself takes a fifth to a third of the
    time of good NumPy that works on one photograph after another, so the pipeline, at 0.26 to 0.46 of it, cannot
    come far below; with four colour operations it takes 0.26 or less. Stores that pass the caches by, which help a
    copy, were tried and took twice as long: rows of three planes are written in turns, half a line at a time.
    """

    def __init__(
        self,
        operations: Sequence[Operation],
        shape: tuple[int, int, int],
        *,
        dtype: np.typing.DTypeLike = np.float32,
        seed: int = 0,
        threads: int = 1,
        fastmath: bool = False,
        boundscheck: bool = False,
        compiled: bool = True,
    ) -> None:
        seed = checked(check_integer, "seed", seed, 0, LARGEST)
        threads = checked(check_threads, threads)
        for name, flag in (("fastmath", fastmath), ("boundscheck", boundscheck), ("compiled", compiled)):
            check_flag(name, flag)
        if not isinstance(operations, Iterable) or isinstance(operations, str | Operation):
            raise PipelineError(f"operations must be a sequence of operations, not {told(operations):.60}")
        program = generate(operations, shape, _dtype(dtype), fastmath=fastmath, boundscheck=boundscheck)
        self.__setstate__((program, seed, threads, compiled))

    def __getstate__(self) -> tuple[Program, int, int, bool]:
        return self.program, self.seed, self.threads, self.compiled

    def __setstate__(self, state: tuple[Program, int, int, bool]) -> None:
        self.program, self.seed, self.threads, self.compiled = state
        self._local, self._pools = threading.local(), {}
        if self.compiled and not config.DISABLE_JIT:
            with modules.alone(self.program.key):
                self._function = modules.load_module(self.program.key, self.program.source).run
                self._compile()
        else:
            self._function = _quiet(modules.interpret(self.program.source)["run"])

    @property
    def source(self) -> str:
        """Text of the generated module, with a comment that says which operation a step is."""
        return self.program.annotated

    @property
    def output(self) -> State:
        """`State` of what comes out."""
        return self.program.output

    def explain(self) -> str:
        """Step by step, in the order of execution: what goes in, what comes out, and the memory for it."""
        head = ("step", "operation", "kind", "in", "out", "memory")
        rows = [head, *self.program.schedule]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join(
            [*lines, f"memory for each worker: {kilobytes(self.program.memory)}, allocated once"]
        )

    def _compile(self):
        images = types.Array(types.uint8, 4, "C", readonly=True)
        out = types.Array(from_dtype(self.output.dtype), 4, "C")
        numbers = types.Array(types.int64, 1, "C")
        memory = [
            types.Array(from_dtype(query.dtype), len(query.shape), "C") for query in self.program.memory
        ]
        ends = (types.uint64, types.uint64, types.int64, types.int64)
        try:
            self._function.compile((images, numbers, numbers, out, *ends, *memory))
        except Exception as error:  # mostly a NumbaError, but what numpy lacks is an AttributeError
            raise PipelineCompileError(self._explained(error)) from error

    def _explained(self, error):
        """What matters of a compiler's error, after the step that it is about and the line of it."""
        said, file = errors.reason(error), os.path.basename(self._function.py_func.__code__.co_filename)
        stopped = (line for place, line in errors.places(error) if os.path.basename(place) == file)
        text = self.program.source.splitlines()[: next(stopped, 0)]
        function = [*itertools.takewhile(lambda line: not line.startswith("@"), reversed(text))][::-1]
        # The step in whose function it stopped, or the one that the line of another function calls.
        names = re.findall(r"\bstep\w+", " ".join([*function[:1], *function[-1:]]))
        used = next((name for name in names if name in self.program.places), None)
        if not used:
            return said
        where, lines = self.program.places[used]
        inside = len(function) if function[0].startswith(f"def {used}(") else 1
        return f"{where}:{lines[max(n for n in lines if n <= inside)]}: {said}"

    def allocate(self, samples: int) -> np.typing.NDArray[Any]:
        """An uninitialised array for a batch of that many samples, at least 0."""
        samples = checked(check_integer, "samples", samples, 0)
        return np.empty(self._shape(samples), self.output.dtype)

    def _shape(self, samples):
        height, width, channels = self.output.shape
        inner = (channels, height, width) if self.output.layout == "CHW" else (height, width, channels)
        return (samples, *inner)

    def __call__(
        self,
        images: np.typing.NDArray[np.uint8],
        *,
        rows: Sequence[int] | np.typing.NDArray[np.integer] | None = None,
        ids: Sequence[int] | np.typing.NDArray[np.integer] | None = None,
        epoch: int = 0,
        out: np.typing.NDArray[Any] | None = None,
    ) -> np.typing.NDArray[Any]:
        """Make a batch.

        Parameters
        ----------
        images : ndarray of uint8, (n, height, width, channels)
            C-contiguous.
        rows : sequence of int, or of a bool for each image, optional
            Which images: their numbers, in order, or a mask; all if not given.
        ids : sequence of int, optional
            Numbers of the samples, for the draws; `rows` if not given.
        epoch : int, 0 <= epoch < 2**64
        out : ndarray of the pipeline's dtype, optional
            Where to write, as from `allocate`.

        Returns
        -------
        ndarray of the pipeline's dtype
            (n, channels, height, width), or channels last after ``ToLayout("HWC")``.

        Raises
        ------
        PipelineError
            If an argument is not as above; the message names it.
        """
        self.check(images)
        epoch = checked(check_integer, "epoch", epoch, 0, LARGEST)
        rows = np.arange(len(images)) if rows is None else image_numbers("rows", rows, len(images))
        ids = rows if ids is None else _integers("ids", ids)
        if ids.shape != rows.shape:
            raise PipelineError(
                f"rows and ids must be as long as each other, not {rows.shape} and {ids.shape}"
            )
        out = self.allocate(rows.size) if out is None else self._checked_out(out, rows.size, images)
        self._share(images, rows, ids, out, epoch)
        return out

    def check(self, images: object) -> None:
        """Raise PipelineError unless `images` are what the pipeline was made for."""
        shape = self.program.input.shape
        wanted = f"images must be a C-contiguous uint8 array (n, {', '.join(map(str, shape))})"
        if not isinstance(images, np.ndarray) or np.ma.isMaskedArray(images):
            raise PipelineError(f"{wanted}, not {type(images).__name__}")
        if images.dtype != np.uint8 or images.shape[1:] != shape or images.ndim != 4:
            raise PipelineError(f"{wanted}, not {images.dtype} {images.shape}")
        if not images.flags.c_contiguous:
            raise PipelineError(f"{wanted}; take np.ascontiguousarray(images)")

    def _checked_out(self, out, samples, images):
        checked(check_out, "out", out, self._shape(samples), (self.output.dtype.type,), images)
        if not out.flags.c_contiguous:
            raise PipelineError("out must be C-contiguous")
        return out

    def _share(self, images, rows, ids, out, epoch):
        """Run on as many threads as asked for, each with a stretch of the samples."""
        cuts = np.linspace(0, rows.size, min(self.threads, max(rows.size, 1)) + 1).astype(int)
        if len(cuts) == 2:
            self.run(images, rows, ids, out, epoch, 0, rows.size)
            return
        parts = [
            self._pool().submit(self.run, images, rows, ids, out, epoch, int(start), int(stop))
            for start, stop in itertools.pairwise(cuts)
        ]
        try:
            for part in parts:
                part.result()
        finally:  # whatever happened, nothing is written into `out` once the call has ended
            for part in parts:
                part.cancel()
            wait(parts)

    def run(
        self,
        images: np.typing.NDArray[np.uint8],
        rows: np.typing.NDArray[np.int64],
        ids: np.typing.NDArray[np.int64],
        out: np.typing.NDArray[Any],
        epoch: int,
        start: int,
        stop: int,
    ) -> None:
        """Fill ``out[start:stop]``, checking nothing and without the GIL; memory is this thread's own."""
        if not hasattr(self._local, "memory"):
            self._local.memory = [np.empty(query.shape, query.dtype) for query in self.program.memory]
        images = images.view()
        images.flags.writeable = False
        seeds = np.uint64(self.seed), np.uint64(epoch)
        self._function(images, rows, ids, out, *seeds, start, stop, *self._local.memory)

    def _pool(self):
        """Threads of this process: those of the one that it was forked from are not here."""
        process = os.getpid()
        if process not in self._pools:
            self._pools = {process: ThreadPoolExecutor(self.threads, thread_name_prefix="pipeline")}
        return self._pools[process]


def _dtype(dtype):
    """The dtype of batches, if it is one that they may have."""
    wanted = checked(np.dtype, dtype)
    if wanted not in (np.float32, np.uint8):
        raise PipelineError(f"dtype must be float32 or uint8, not {wanted}")
    return wanted


def _quiet(function):
    """The same, which as compiled code says nothing of numbers that wrap around or are none."""

    def call(*args):
        with np.errstate(all="ignore"):
            function(*args)

    return call


def check_flag(name: str, flag: object) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(flag, bool):
        raise PipelineError(f"{name} must be True or False, not {flag!r:.60}")


def array_of(name: str, values: Any) -> np.typing.NDArray[Any]:
    """Values as an array; those are refused of which NumPy makes none, or that are masked."""
    if np.ma.isMaskedArray(values):
        raise PipelineError(f"{name} must not be a masked array")
    try:
        return np.asarray(values)
    except (TypeError, ValueError):
        raise PipelineError(f"{name} must be a sequence of values of one shape, not {values!r:.60}") from None


def image_numbers(name: str, rows: Any, count: int) -> np.typing.NDArray[np.int64]:
    """The numbers of images that are given as such, or by a mask; there are so many images."""
    mask = array_of(name, rows)
    if mask.dtype == bool:
        if mask.shape != (count,):
            raise PipelineError(
                f"{name} as a mask must have a value for each image, {count}, not shape {mask.shape}"
            )
        return np.flatnonzero(mask)
    numbers = _integers(name, rows)
    if numbers.size and not (0 <= numbers.min() and numbers.max() < count):
        raise PipelineError(f"{name} must be in 0..{count - 1}, not {numbers.min()}..{numbers.max()}")
    return numbers


def _integers(name, values):
    """Whole numbers as a row of int64; those of other types, such as True, 2.0 or "2", are refused."""
    array = array_of(name, values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise PipelineError(f"{name} must be a sequence of integers, not {values!r:.60}")
    if array.size and array.max() > np.iinfo(np.int64).max:
        raise PipelineError(f"{name} must be below 2**63, not {array.max()}")
    return np.ascontiguousarray(array, np.int64)
