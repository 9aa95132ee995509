"""FFCV's contract in small: an operation's function works on a whole batch, and stages call one after the other.

For reading FFCV (libffcv/ffcv, commit 3a12966), whose names these are. What it has beside them is left out: decoders,
devices, more than one piece of memory for an operation, memory that operations share, the queue, and the thread that
fills it. The pipeline of this package is another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba import njit, prange

from numba_course.pipeline.protocol import AllocationQuery, Operation

Batch = np.typing.NDArray[Any]
UNWRITTEN = 99  # what memory holds at first: so what an operation forgets to write is the same in each run


@dataclass(frozen=True)
class State:
    """What flows from one operation to the next: one image, and whether compiled code makes it.

    Attributes
    ----------
    jit_mode : bool
        Whether the operation is compiled; otherwise Python calls it as it is.
    shape : tuple of int
    dtype : numpy.dtype
    """

    jit_mode: bool
    shape: tuple[int, ...]
    dtype: np.dtype


class Compiler:
    """How the functions of operations are compiled, and over what their loops go.

    FFCV's operations ask the class, and not an object of it; so this class keeps the number of threads.
    """

    is_enabled = True
    num_threads = 1

    @classmethod
    def set_enabled(cls, enabled: bool) -> None:
        """Compile from now on, or leave functions to Python: for looking into them."""
        cls.is_enabled = enabled

    @classmethod
    def set_num_threads(cls, number: int) -> None:
        """Loops that are made from now on are for so many threads; Numba uses no more than the machine has.

        Raises
        ------
        ValueError
            If it is less than 1; the number stays what it was. FFCV takes all processors then.
        """
        numba.set_num_threads(min(number, numba.config.NUMBA_NUM_THREADS))
        cls.num_threads = number

    @classmethod
    def get_iterator(cls) -> Callable[..., Any]:
        """What an operation's loop over the images of a batch goes over."""
        return prange if cls.num_threads > 1 else range

    @classmethod
    def compile(cls, code: Callable[..., Any]) -> Callable[..., Any]:
        """The function of an operation, compiled with the options that FFCV has for all of them."""
        parallel = getattr(code, "is_parallel", False) and cls.num_threads > 1
        compiled = njit(fastmath=True, nogil=True, error_model="numpy", parallel=parallel)
        return compiled(code) if cls.is_enabled else code


@dataclass(frozen=True)
class Node:
    """An operation at its place.

    Attributes
    ----------
    number : int
        From 1 on, through all outputs.
    parent : int
        The number of the node whose result it takes; of the first of an output 0 or below: one for each output.
    operation : Operation
    jit_mode : bool
        Of the state that it declares.
    query : AllocationQuery or None
    code : callable
        What its `generate_code` gave.
    """

    number: int
    parent: int
    operation: Operation
    jit_mode: bool
    query: AllocationQuery | None
    code: Callable[..., Any]

    @property
    def with_indices(self) -> bool:
        """Whether its function also takes the numbers of the images."""
        return getattr(self.code, "with_indices", False)


class Graph:
    """The operations of each output, declared and cut into stages.

    Parameters
    ----------
    outputs : mapping of str to sequence of Operation
        For each output, such as image and label, its operations in order.
    state : State or mapping of str to State
        What the first operation of an output takes; one for all, or one for each.

    Attributes
    ----------
    outputs : dict of str to list of Node
    """

    def __init__(
        self, outputs: Mapping[str, Sequence[Operation]], state: State | Mapping[str, State]
    ) -> None:
        self.outputs: dict[str, list[Node]] = {}
        for place, (name, operations) in enumerate(outputs.items()):
            current = state if isinstance(state, State) else state[name]
            self.outputs[name] = [*_declared(operations, current, len(self.nodes) + 1, -place)]

    @property
    def nodes(self) -> list[Node]:
        """Those of all outputs."""
        return [node for nodes in self.outputs.values() for node in nodes]

    def stages(self) -> list[list[Node]]:
        """The nodes in groups: compiled ones, then those that are not, and so on, as long as there are any.

        A node is in the first group of its kind that does not come before its parent's. What it declares but for
        `jit_mode`, and its memory, have no part in it.
        """
        stages: list[list[Node]] = []
        waiting = [[*nodes] for nodes in self.outputs.values()]
        while any(waiting):
            compiled, stage = len(stages) % 2 == 0, []
            for nodes in waiting:
                while nodes and nodes[0].jit_mode == compiled:
                    stage.append(nodes.pop(0))
            stages.append(stage)
        return stages


def _declared(operations, state, number, parent):
    """The nodes of one output: an operation declares, and then makes its function, before the next one does."""
    for operation in operations:
        state, query = operation.declare_state_and_memory(state)
        yield Node(number, parent, operation, state.jit_mode, query, operation.generate_code())
        number, parent = number + 1, number


class Epoch:
    """One pass through some images, by the operations of one output.

    Parameters
    ----------
    graph : Graph
        Of one output.
    read : callable
        ``read(indices)`` gives a batch of the images with these numbers.
    order : ndarray, 1-D
        The numbers of the images, in the order in which they are wanted.
    batch_size : int
    batches_ahead : int
        As many batches would wait in FFCV's queue.

    Attributes
    ----------
    memory : dict of int to ndarray or None
        For each node, by number, what it asked for: of shape ``(batches_ahead + 2, batch_size, …)``. It is taken
        when the epoch is made, and the batches use its first axis in turn.

    Raises
    ------
    ValueError
        If the graph has more outputs than one, or none.
    """

    def __init__(
        self,
        graph: Graph,
        read: Callable[[Batch], Batch],
        order: Batch,
        batch_size: int,
        batches_ahead: int = 1,
    ) -> None:
        if len(graph.outputs) != 1:  # else an output would go on with what the one before it gave
            raise ValueError(f"graph must have one output, and has {len(graph.outputs)}")
        self.read, self.order, self.batch_size = read, order, batch_size
        self.slots = batches_ahead + 2
        self.code = {
            node.number: Compiler.compile(node.code) if node.jit_mode else node.code for node in graph.nodes
        }
        self.nodes = graph.nodes
        self.memory = {node.number: self._allocated(node.query) for node in graph.nodes}

    def _allocated(self, query):
        if query is None:
            return None
        return np.full((self.slots, self.batch_size, *query.shape), UNWRITTEN, query.dtype)

    def __iter__(self) -> Iterator[Batch]:
        """The batches in order; each is valid until its slot is used again."""
        for number, first in enumerate(range(0, len(self.order), self.batch_size)):
            indices = self.order[first : first + self.batch_size]
            batch = self.read(indices)
            for node in self.nodes:
                memory = self.memory[node.number]
                dst = None if memory is None else memory[number % self.slots][: len(indices)]
                batch = self.code[node.number](batch, dst, *([indices] if node.with_indices else []))
            yield batch
