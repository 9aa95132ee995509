"""Operations, compiled into one function for batches of photographs."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import pairwise

import numpy as np
from numba import types
from numba.np.numpy_support import from_dtype

from numba_course.kernels._check import check_out
from numba_course.pipeline import modules
from numba_course.pipeline.program import generate
from numba_course.pipeline.protocol import PipelineError


class PipelineCompileError(PipelineError):
    """The code of an operation does not compile; the message names the step, the operation and its line."""


class Pipeline:
    """Compile operations into one function from uint8 images to a float32 batch.

    Parameters
    ----------
    operations : sequence of Operation
    shape : tuple of int
        Height, width and 3 channels of the images that go in.
    seed : int
        Draws depend on it, the epoch, the sample and the operation, and on nothing else.
    threads : int
        How many threads share the samples of a call.
    fastmath, boundscheck : bool
        As for `numba.njit`.
    compiled : bool
        Whether to compile. If not, the same generated text runs as plain Python.

    Raises
    ------
    PipelineError
        If an operation cannot take what the one before it gives.
    PipelineCompileError
        If the code of one does not compile.

    Notes
    -----
    It is compiled here, in the caller's thread, or loaded from the disk if it was compiled before; some seconds,
    and some hundredths of a second. Pickled, it takes the generated text along and not the operations.

    A call allocates `out` if it is not given, and nothing else for pixels. By ``bench pipeline``, on one thread, 256
    photographs cropped, mirrored, normalised and laid out as planes take 1.1 to 1.25 times as long as a loop in C
    that only turns as many bytes into float32: memory is the limit. That loop itself takes more than a third of the
    time of good NumPy that works on one photograph after another, so the pipeline, at 0.42 to 0.46 of it, cannot
    come far below; with four colour operations it takes 0.26 or less. Stores that pass the caches by, which help a
    copy, were tried and took twice as long: rows of three planes are written in turns, half a line at a time.
    """

    def __init__(
        self, operations, shape, *, seed=0, threads=1, fastmath=False, boundscheck=False, compiled=True
    ):
        if threads < 1:
            raise PipelineError(f"threads must be at least 1, not {threads!r}")
        program = generate(operations, shape, fastmath=fastmath, boundscheck=boundscheck)
        self.__setstate__((program, int(seed), int(threads), compiled))

    def __getstate__(self):
        return self.program, self.seed, self.threads, self.compiled

    def __setstate__(self, state):
        self.program, self.seed, self.threads, self.compiled = state
        self._local = threading.local()
        if self.compiled:
            with modules.alone(self.program.key):
                self._function = modules.load(self.program.key, self.program.source).run
                self._compile()
        else:
            self._function = modules.interpret(self.program.source)["run"]

    @property
    def source(self):
        """Text of the generated module."""
        return self.program.source

    @property
    def output(self):
        """`State` of what comes out."""
        return self.program.output

    def explain(self):
        """Step by step, in the order of execution: what goes in, what comes out, and the memory for it."""
        head = ("step", "operation", "kind", "in", "out", "memory")
        rows = [head, *self.program.schedule]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        scratch = sum(query.nbytes for query in self.program.memory)
        return "\n".join([*lines, f"memory for each worker: {scratch / 1e3:.0f} kB, allocated once"])

    def _compile(self):
        images, out = types.Array(types.uint8, 4, "C", readonly=True), types.Array(types.float32, 4, "C")
        numbers = types.Array(types.int64, 1, "C")
        memory = [
            types.Array(from_dtype(query.dtype), len(query.shape), "C") for query in self.program.memory
        ]
        ends = (types.uint64, types.uint64, types.int64, types.int64)
        try:
            self._function.compile((images, numbers, numbers, out, *ends, *memory))
        except Exception as error:  # mostly a NumbaError, but what numpy lacks is an AttributeError
            raise PipelineCompileError(self._explained(str(error))) from error

    def _explained(self, message):
        """The line of a compiler's message that matters, with the learner's own line."""
        lines = [line.strip() for line in message.splitlines() if line.strip()]
        said = next((line for line in lines if not line.startswith("Failed in")), "it does not compile")
        # The step whose text is shown, or the one that is called in the last line that is shown.
        used = re.findall(r"def (step\d+)\(", message) or re.findall(r"= (step\d+)\(", message)
        culprit = self.program.places.get(used[-1]) if used else None
        return f"{culprit}: {said}" if culprit else said

    def allocate(self, samples):
        """An uninitialised array for a batch of that many samples."""
        return np.empty(self._shape(samples), np.float32)

    def _shape(self, samples):
        height, width, channels = self.output.shape
        inner = (channels, height, width) if self.output.layout == "CHW" else (height, width, channels)
        return (samples, *inner)

    def __call__(self, images, *, rows=None, ids=None, epoch=0, out=None):
        """Make a batch.

        Parameters
        ----------
        images : ndarray of uint8, (n, height, width, 3)
            C-contiguous.
        rows : sequence of int, optional
            Which images, in order; all if not given.
        ids : sequence of int, optional
            Numbers of the samples, for the draws; `rows` if not given.
        epoch : int
        out : ndarray of float32, optional
            Where to write, as from `allocate`.

        Returns
        -------
        ndarray of float32
            (n, channels, height, width), or channels last after ``ToLayout("HWC")``.
        """
        self.check(images)
        rows = np.arange(len(images)) if rows is None else np.ascontiguousarray(rows, np.int64)
        ids = rows if ids is None else np.ascontiguousarray(ids, np.int64)
        if rows.ndim != 1 or ids.shape != rows.shape:
            raise PipelineError(
                f"rows and ids must be as long as each other, not {rows.shape} and {ids.shape}"
            )
        if rows.size and not (0 <= rows.min() and rows.max() < len(images)):
            raise PipelineError(f"rows must be in 0..{len(images) - 1}, not {rows.min()}..{rows.max()}")
        out = self.allocate(rows.size) if out is None else self._checked_out(out, rows.size, images)
        self._share(images, rows, ids, out, epoch)
        return out

    def check(self, images):
        """Raise PipelineError unless `images` are what the pipeline was made for."""
        shape = self.program.input.shape
        wanted = f"images must be a C-contiguous uint8 array (n, {', '.join(map(str, shape))})"
        if not isinstance(images, np.ndarray):
            raise PipelineError(f"{wanted}, not {type(images).__name__}")
        if images.dtype != np.uint8 or images.shape[1:] != shape or images.ndim != 4:
            raise PipelineError(f"{wanted}, not {images.dtype} {images.shape}")
        if not images.flags.c_contiguous:
            raise PipelineError(f"{wanted}; take np.ascontiguousarray(images)")

    def _checked_out(self, out, samples, images):
        try:
            check_out("out", out, self._shape(samples), (np.float32,), images)
        except (TypeError, ValueError) as error:
            raise PipelineError(str(error)) from None
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
            self._pool.submit(self.run, images, rows, ids, out, epoch, int(start), int(stop))
            for start, stop in pairwise(cuts)
        ]
        for part in parts:
            part.result()

    def run(self, images, rows, ids, out, epoch, start, stop):
        """Fill ``out[start:stop]``, checking nothing and without the GIL; memory is this thread's own."""
        if not hasattr(self._local, "memory"):
            self._local.memory = [np.empty(query.shape, query.dtype) for query in self.program.memory]
        images = images.view()
        images.flags.writeable = False
        seeds = np.uint64(self.seed), np.uint64(epoch)
        self._function(images, rows, ids, out, *seeds, start, stop, *self._local.memory)

    @cached_property
    def _pool(self):
        return ThreadPoolExecutor(self.threads, thread_name_prefix="pipeline")
