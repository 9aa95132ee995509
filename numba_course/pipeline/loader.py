"""Epochs of batches: worker threads fill a ring of slots that is allocated once."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.progress import Progress

from numba_course.kernels.checks import MOST_THREADS, check_integer
from numba_course.pipeline.pipeline import LARGEST, Pipeline, array_of, check_flag, image_numbers
from numba_course.pipeline.protocol import PipelineError, checked

PATIENCE = 1.0  # seconds before a progress bar is shown
IN_USE = "this loader is being iterated already, and its slots are in use"
ELSEWHERE = (
    "this epoch was begun before this process was forked, and its threads are not here: begin another one"
)


class Loader:
    """Iterate over batches; each iteration is an epoch.

    Parameters
    ----------
    pipeline : Pipeline
    images : ndarray of uint8, (n, height, width, channels)
    labels : sequence, optional
        One for each image, all of one type.
    batch_size : int, at least 1
    indices : sequence of int, or of a bool for each image, optional
        Which images it goes through: their numbers, or a mask; all if not given.
    rank, world : int, 0 <= rank < world
        Of so many loaders that share these images, which one this is: each takes every `world`-th sample of one order.
        They must have the same seed, indices and shuffle.
    workers : int, 1 <= workers <= 4096
        Threads; each makes whole batches.
    ahead : int, at least 0
        Batches that may be ready before they are asked for: no more than there are.
    shuffle : bool
        Whether to go through the images in an order that depends on the pipeline's seed and the epoch.
    drop_last : bool
        Whether to leave out a last batch that is smaller than the others.
    progress : bool
        Whether an epoch that takes longer than a second shows how far it is; the line goes away at its end.

    Attributes
    ----------
    epoch : int
        Number of the epoch that the next iteration makes, in 0..2**64 - 1; it may be set, to go on where another run
        was left.

    Yields
    ------
    batch : ndarray of the pipeline's dtype
        A slot of the ring. It is overwritten after the next step of the loop: copy what you keep.
    labels : ndarray
        The labels of its samples, or their numbers if there are no labels.

    Raises
    ------
    PipelineError
        If an argument is not as above; the message names it.
    RuntimeError
        If a worker failed; the cause is attached. If the loader is iterated twice at the same time.

    Notes
    -----
    What is drawn for a sample depends on the image's number, and not on `indices`, `rank` or its place in a batch.

    It ends its threads when the loop ends, breaks, raises, or is forgotten, and can be iterated again after that. In a
    forked process it begins epochs with threads of its own; one that was begun before the fork cannot be gone on with
    there.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        images: np.typing.NDArray[np.uint8],
        labels: Sequence[Any] | np.typing.NDArray[Any] | None = None,
        *,
        batch_size: int,
        indices: Sequence[int] | np.typing.NDArray[Any] | None = None,
        rank: int = 0,
        world: int = 1,
        workers: int = 2,
        ahead: int = 2,
        shuffle: bool = True,
        drop_last: bool = False,
        progress: bool = False,
    ) -> None:
        if not isinstance(pipeline, Pipeline):
            raise PipelineError(f"pipeline must be a Pipeline, not {type(pipeline).__name__}")
        pipeline.check(images)
        for name, flag in (("shuffle", shuffle), ("drop_last", drop_last), ("progress", progress)):
            check_flag(name, flag)
        batch_size = checked(check_integer, "batch_size", batch_size, 1)
        ahead = checked(check_integer, "ahead", ahead, 0)
        self.workers = checked(check_integer, "workers", workers, 1, MOST_THREADS)
        self.world = checked(check_integer, "world", world, 1)
        self.rank = checked(check_integer, "rank", rank, 0, self.world - 1)
        self.pipeline, self.images = pipeline, images
        numbers = range(len(images)) if indices is None else indices
        self.indices = image_numbers("indices", numbers, len(images))
        self.labels = None if labels is None else self._one_for_each_image(labels)
        self.shuffle, self.drop_last, self.progress = shuffle, drop_last, progress
        # Those that are ready, those that workers fill, and the one that the consumer holds; no more than batches.
        share = len(range(self.rank, len(self.indices), self.world))
        count = min(ahead + self.workers + 1, max(-(-share // batch_size), 1))
        self._batch_size = batch_size
        self.slots = [pipeline.allocate(min(batch_size, max(share, 1))) for _ in range(count)]
        self.epoch = 0
        self._running = _Running()

    @property
    def batch_size(self) -> int:
        """Samples in a batch; the slots are made for so many, or for all that there are."""
        return self._batch_size

    def _one_for_each_image(self, labels):
        array, count = array_of("labels", labels), len(self.images)
        if array.ndim == 0:
            raise PipelineError(f"labels must be a sequence, not {type(labels).__name__}")
        if len(array) != count:
            raise PipelineError(f"labels must be as many as the images, {count}, not {len(array)}")
        if isinstance(labels, list | tuple) and array.dtype != object and not _is_as_given(array, labels):
            raise PipelineError(
                f"labels must be of one type, or an array: NumPy makes {array.dtype} of these"
            )
        return array

    def __len__(self) -> int:
        whole, rest = divmod(len(range(self.rank, len(self.indices), self.world)), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def order(self, epoch: int) -> np.typing.NDArray[np.int64]:
        """The numbers of the samples in the order of an epoch, an integer in 0..2**64 - 1."""
        epoch = checked(check_integer, "epoch", epoch, 0, LARGEST)
        order = self.indices
        if self.shuffle:
            order = order[np.random.default_rng([self.pipeline.seed, epoch]).permutation(len(order))]
        return np.ascontiguousarray(order[self.rank :: self.world])

    def __iter__(self) -> Iterator[tuple[np.typing.NDArray[Any], np.typing.NDArray[Any]]]:
        running = self._running_here()
        if running.is_in_use():
            raise RuntimeError(IN_USE)
        itself: list[weakref.ref] = []
        iterator = self._next_epoch(itself)
        itself.append(weakref.ref(iterator))
        return iterator

    def _running_here(self):
        """What runs in this process; nothing does in one that was just forked."""
        if self._running.process != os.getpid():
            self._running = _Running()
        return self._running

    def _next_epoch(self, itself):
        """Batches, from the first that is asked for: an iterator that never starts takes nothing that is given back.

        However it ends, nothing need be given back: who comes next sees that it has ended.
        """
        running = self._running_here()
        with running.lock:
            if running.is_in_use():
                raise RuntimeError(IN_USE)
            running.iterator = itself[0]
        running.end()  # what two interrupts left of the epoch before
        epoch = checked(check_integer, "epoch", self.epoch, 0, LARGEST)
        self.epoch = epoch + 1
        yield from self._batches(running, _Epoch(self, epoch))

    def _batches(self, running, work):
        running.work = work
        running.threads = [
            threading.Thread(target=work.serve, name=f"loader-{n}", daemon=True) for n in range(self.workers)
        ]
        try:
            for thread in running.threads:
                thread.start()
            for number in self._shown(range(len(self)), work.epoch):
                batch, ids = work.wait_for(number)
                yield batch, (ids if self.labels is None else self.labels[ids])
                if running.process != os.getpid():
                    raise RuntimeError(ELSEWHERE)
                work.release(number)
        finally:
            running.end()

    def _shown(self, numbers, epoch):
        """The same numbers; if asked for, with a bar that appears once they have taken a second."""
        if not self.progress:
            yield from numbers
            return
        start, bar = time.monotonic(), None
        try:
            for number in numbers:
                if bar is None and time.monotonic() - start > PATIENCE:
                    bar = Progress(transient=True)
                    task = bar.add_task(f"epoch {epoch}", total=len(numbers))
                    bar.start()
                if bar is not None:
                    bar.update(task, completed=number)
                yield number
        finally:
            if bar is not None and self._running.process == os.getpid():
                bar.stop()


def _is_as_given(array, values):
    """Whether an array holds the values that it was made of, each of its own type."""
    pairs = zip(_flat(array.tolist()), _flat(values), strict=True)
    return all(type(one) is type(other) and (one == other or other != other) for one, other in pairs)


def _flat(values):
    """The single values in sequences of sequences, as Python's own."""
    for value in values:
        value = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        if isinstance(value, list | tuple):
            yield from _flat(value)
        else:
            yield value


@dataclass
class _Running:
    """What goes on with a loader in one process: the iterator that is on its way, and the threads that work for it."""

    process: int = field(default_factory=os.getpid)
    lock: threading.Lock = field(default_factory=threading.Lock)
    iterator: Callable[[], Any] = lambda: None
    work: _Epoch | None = None
    threads: list = field(default_factory=list)

    def is_in_use(self):
        """Whether an iterator that began is not at its end; one that was left by whatever exception is."""
        iterator = self.iterator()
        return iterator is not None and iterator.gi_frame is not None

    def end(self):
        """End the threads; in a forked process there are none, and locks may be held for ever."""
        if self.process != os.getpid() or self.work is None:
            return
        self.work.stop()
        for thread in self.threads:
            if thread.ident is not None:
                thread.join()
        self.work, self.threads = None, []


@dataclass
class _Epoch:
    """What the workers and the consumer of one epoch share; every field is read and written under `changed`."""

    loader: Loader
    epoch: int
    next: int = 0
    released: int = 0
    stopped: bool = False
    failure: tuple | None = None
    ready: dict = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self):
        self.order = self.loader.order(self.epoch)

    def serve(self):
        """Make batches until there are no more; what goes wrong is kept for the consumer."""
        while (number := self._take()) is not None:
            try:
                made = self._make(number)
            except BaseException as error:
                with self.changed:
                    self.failure = self.failure or (number, error)
                    self.changed.notify_all()
                return
            with self.changed:
                self.ready[number] = made
                self.changed.notify_all()

    def _take(self):
        """The number of the next batch, once its slot is free; None at the end."""
        with self.changed:
            number = self.next
            if self.stopped or self.failure or number >= len(self.loader):
                return None
            self.next += 1
            slots = len(self.loader.slots)
            self.changed.wait_for(lambda: self.stopped or self.failure or number < self.released + slots)
            return None if self.stopped or self.failure else number

    def _make(self, number):
        loader = self.loader
        ids = self.order[number * loader.batch_size : (number + 1) * loader.batch_size]
        batch = loader.slots[number % len(loader.slots)][: len(ids)]
        loader.pipeline.run(loader.images, ids, ids, batch, self.epoch, 0, len(ids))
        return batch, ids

    def wait_for(self, number):
        """The batch of this number; RuntimeError if a worker failed before it was made."""
        with self.changed:
            self.changed.wait_for(lambda: number in self.ready or self.failure)
            if number in self.ready:
                return self.ready.pop(number)
            failed, error = self.failure
        raise RuntimeError(f"a worker failed at batch {failed}: {type(error).__name__}: {error}") from error

    def release(self, number):
        """Give the slot of a batch back."""
        with self.changed:
            self.released = number + 1
            self.changed.notify_all()

    def stop(self):
        with self.changed:
            self.stopped = True
            self.changed.notify_all()
