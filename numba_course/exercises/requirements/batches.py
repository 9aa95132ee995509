"""Requirements on an operation to FFCV's contract: right for each image, in its own memory, compiled, in parallel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError

from numba_course.exercises.examination.show import show, type_name
from numba_course.exercises.requirements import Requirement
from numba_course.exercises.requirements.calls import ask, unless_raised
from numba_course.exercises.requirements.results import difference
from numba_course.exercises.requirements.structure import starts_threads
from numba_course.lens.errors import reason
from numba_course.pipeline import AllocationQuery, Operation
from numba_course.pipeline.batchwise import UNWRITTEN, Batch, Compiler, Epoch, Graph, State

if TYPE_CHECKING:
    from numba_course.exercises.examination.judge import Run
    from numba_course.exercises.examination.trial import Trial
    from numba_course.exercises.examination.verdict import Finding

BATCH_SIZE = 4
NO_CODE = "generate_code returned None, where Compiler.compile is given a function; is a `return` missing?"
COMPILED = "generate_code returned a compiled function; leave out @njit: Compiler.compile compiles it"
NO_BATCH = "its function returned None; the next operation gets what it returns"


def epoch_of(operation: Operation, images: Batch, order: Batch) -> dict[str, Any]:
    """What an operation makes of the images in an epoch, as plain data; its function is left to Python.

    Returns
    -------
    dict
        ``fault``: what is wrong with the operation, in a sentence; empty if nothing. ``images``: those that came out,
        in the given order. ``changed``: whether it changed a batch that it was given. ``elsewhere``: whether it
        returned a batch that is not in its memory.
    """
    Compiler.set_enabled(False)
    return _gone_through(operation, images, order)[0]


def _gone_through(operation, images, order):
    """What `epoch_of` says, and the operation's function as it was called; None if it was not."""
    outcome = {"fault": "", "images": images[:0], "changed": False, "elsewhere": False}
    state = State(True, images.shape[1:], images.dtype)
    if fault := _misdeclared(operation, state):
        return {**outcome, "fault": fault}, None
    handed = []

    def read(indices):
        handed.append(images[indices])
        return handed[-1]

    epoch = Epoch(Graph({"image": [operation]}, state), read, order, BATCH_SIZE)
    code, memory = epoch.code[1], epoch.memory[1]
    made = [images[:0]]
    for batch in epoch:
        before = images[order[len(handed) * BATCH_SIZE - BATCH_SIZE :][:BATCH_SIZE]]
        if fault := _unfit(batch, before):
            return {**outcome, "fault": fault}, code
        outcome["changed"] |= not np.array_equal(handed[-1], before)
        outcome["elsewhere"] |= memory is None or not np.shares_memory(batch, memory)
        made.append(batch.copy())
    return {**outcome, "images": np.concatenate(made)}, code


def _misdeclared(operation, state):
    """What is wrong with what an operation gives before it is called, in a sentence; empty if nothing."""
    declared = operation.declare_state_and_memory(state)
    if not isinstance(declared, tuple) or len(declared) != 2 or not isinstance(declared[0], State):
        seen = "None" if declared is None else f"something of type {type_name(declared)}"
        return f"declare_state_and_memory returned {seen}, not a State and an AllocationQuery"
    after, query = declared
    if not isinstance(query, AllocationQuery | None):
        kind = type_name(query)
        return f"declare_state_and_memory asked for memory by something of type {kind}, not by an AllocationQuery"
    for what, given in (("its state", after), ("its memory", query)):
        if given is not None and (_sizes(given.shape), given.dtype) != (state.shape, state.dtype):
            wanted, seen = (f"{np.dtype(one.dtype).name} {one.shape}" for one in (state, given))
            return f"images of {wanted} go in, so they come out as such, but {what} says {seen}"
    if not after.jit_mode:
        return "its state says jit_mode=False, so its function would not be compiled"
    code = operation.generate_code()
    if isinstance(code, Dispatcher):
        return COMPILED
    if code is None:
        return NO_CODE
    return (
        ""
        if callable(code)
        else f"generate_code returned something of type {type_name(code)}, not a function"
    )


def _sizes(shape):
    """A shape as a tuple: memory is allocated for a list of sizes just as well."""
    return tuple(shape) if isinstance(shape, list) else shape


def _unfit(batch, before):
    """Why what a function returned cannot be a batch."""
    if not isinstance(batch, np.ndarray):
        return (
            NO_BATCH
            if batch is None
            else f"its function returned something of type {type_name(batch)}, not an array"
        )
    if batch.shape != before.shape:
        return f"for a batch of shape {before.shape} its function returned one of {batch.shape}"
    return ""


def shown_epoch(name: str, images: Batch, order: Batch, key: np.uint64) -> str:
    """In words, what a call of `epoch_of` is given, where an operation of this name is made of a key."""
    batches = f"in batches of {BATCH_SIZE}, in the order {show(order.tolist())}"
    return f"an epoch with {name}(np.uint64({key})) over {show(images)}, {batches}"


@dataclass(frozen=True)
class FlipsTheRightOnes(Requirement):
    """Each image of the epoch comes out as the specification says; a call is one of `epoch_of`."""

    name = "right result"
    status = "wrong"

    def of_run(self, run: Run) -> Finding | None:
        if run.result["fault"]:
            return self.finding(run.result["fault"])
        images, order = run.before["images"], run.before["order"]
        pairs = zip(order.tolist(), run.result["images"], run.expected, strict=True)
        for place, (index, image, expected) in enumerate(pairs):
            if not np.array_equal(image, expected):
                where = f"image {index}, at place {place % BATCH_SIZE} of its batch, comes out"
                seen, wanted = (_kind(one, images[index]) for one in (image, expected))
                return self.finding(f"{where} {seen}, expected {wanted}")
        return None


def _kind(image, before):
    """In words, what was made of an image."""
    if np.array_equal(image, before):
        return "as it was"
    if np.array_equal(image, before[:, ::-1]):
        return "flipped"
    if np.array_equal(image, before[::-1]):
        return "upside down"
    if (image == UNWRITTEN).any() and not (before == UNWRITTEN).any():
        return "with pixels that were never written"
    return "as something else"


@dataclass(frozen=True)
class LeavesTheBatchAlone(Requirement):
    """What an operation is given is the same afterwards: another one may read it; a call is one of `epoch_of`."""

    name = "leaves its inputs alone"
    status = "wrong"

    def of_run(self, run: Run) -> Finding | None:
        return self.finding("it changed `images`; fill `dst`" if run.result["changed"] else "")


@dataclass(frozen=True)
class FillsItsMemory(Requirement):
    """What an operation returns is in the memory that it asked for; a call is one of `epoch_of`."""

    name = "in its own memory"

    def of_run(self, run: Run) -> Finding | None:
        seen = "what it returns is not in `dst`, the memory that it can ask for with an AllocationQuery"
        return self.finding(seen if run.result["elsewhere"] else "")


@dataclass(frozen=True)
class CompilesForABatch(Requirement):
    """Compiled with FFCV's options for two threads, its function makes of an epoch what Python makes of it."""

    name = "compiled by Compiler.compile"
    status = "not compiled"

    @unless_raised
    def of_code(self, trial: Trial) -> Finding | None:
        plain, result, code = _compiled_epoch(trial)
        if isinstance(code, NumbaError):
            return self.finding(f"Numba cannot compile its function: {reason(code)}")
        if result["fault"]:
            return self.finding(result["fault"])
        if not isinstance(code, Dispatcher):
            return self.finding("its function was called as plain Python")
        return self.finding(difference(result["images"], plain["images"], 0.0, "compiled, the batches"))


@dataclass(frozen=True)
class SharesTheBatch(Requirement):
    """Compiled for two threads, its loop over the images runs on several."""

    name = "its loop is shared among threads"

    @unless_raised
    def of_code(self, trial: Trial) -> Finding | None:
        code = _compiled_epoch(trial)[2]
        if not isinstance(code, Dispatcher) or starts_threads(code):
            return None  # `CompilesForABatch` says what is wrong
        if not getattr(code.py_func, "is_parallel", False):
            return self.finding("its function has no `is_parallel = True`, so it is compiled for one thread")
        return self.finding("Numba finds no loop to share; let it go over what Compiler.get_iterator() gives")


@cache
def _compiled_epoch(trial):
    """What Python makes of an epoch, what the compiled function does, and that function, or why it does not compile."""
    images = np.random.default_rng(8).integers(100, 256, (6, 4, 9, 3), dtype=np.uint8)
    order, key = np.array([5, 0, 3, 1, 4, 2], np.uint64), np.uint64(11)
    where = "an epoch over 6 images, compiled for two threads"
    plain = ask(trial, where, lambda: epoch_of(trial.answer(key), images, order))
    return plain, *ask(trial, where, _compiled, trial.answer, key, images, order)


def _compiled(answer, key, images, order):
    """As `_gone_through`, compiled for two threads; what does not compile is given in the place of the function."""
    Compiler.set_enabled(True)
    Compiler.set_num_threads(2)
    try:
        return _gone_through(answer(key), images, order)
    except NumbaError as error:
        return {"fault": ""}, error
    finally:
        Compiler.set_num_threads(1)
