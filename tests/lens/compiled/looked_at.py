"""Functions that are compiled for each kind of x86-64 and never called, so any machine can say what becomes of them.

As a program it writes what it has compiled to standard output, pickled: by processor and case, the compilation and the
object code.
"""

import multiprocessing
import os
import pickle
import sys
from dataclasses import dataclass, field

import llvmlite.binding as llvm
import numba
import numpy as np
from numba import njit
from numba.core.registry import cpu_target

from numba_course.lens.compiled.compilation import compiled_here
from tests import processors


def total(values):
    result = 0.0
    for i in range(values.size):
        result += values[i]
    return result


def total_of_items(values):
    result = 0
    for value in values:
        result += value
    return result


def scale_and_add(a, values, out):
    for i in range(values.size):
        out[i] = out[i] + a * values[i]


def divide(values, divisors):
    for i in range(values.size):
        divisors[i] = values[i] / divisors[i]


def count(values, limit):
    found = 0
    for i in range(values.size):
        if values[i] > limit:
            found += 1
    return found


def gathered(values, indices):
    result = 0.0
    for i in range(indices.size):
        result += values[indices[i]]
    return result


def in_blocks(values):
    lanes, whole = np.zeros(512), values.size - values.size % 512
    for start in range(0, whole, 512):
        for k in range(512):
            lanes[k] += values[start + k]
    result = 0.0
    for k in range(512):
        result += lanes[k]
    return result


def weighted(values, weights):
    for i in range(weights.size):
        weights[i] = 1.0 + 0.5 * i
    result = 0.0
    for i in range(values.size):
        result += values[i] * weights[i]
    return result


def copied(values, out):
    for i in range(values.size):
        out[i] = values[i]


def total_of_first(pair):
    result = 0
    for value in pair[0]:
        result += value
    return result


def total_of_matrix(matrix):
    result = 0
    for value in matrix.ravel():
        result += value
    return result


def total_of_größen(größen):
    result = 0
    for größe in größen:
        result += größe
    return result


def down_the_columns(matrix, out):
    for j in range(matrix.shape[1]):
        for i in range(matrix.shape[0]):
            out[j] += matrix[i, j]


def sevenths(values, out):
    for i in range(values.size):
        out[i] = values[i] // 7


def signs(values, out):
    for i in range(values.size):
        out[i] = np.sign(values[i])


def rotated(values, out):
    for i in range(values.size):
        out[i] = (values[i] << np.uint64(13)) | (values[i] >> np.uint64(51))


def marked(values, out):
    for i in range(values.size):
        if values[i] & 4:
            out[i] = 3.0


def mirrored(values, out):
    for i in range(values.size):
        bits = values[i]
        bits = np.uint8(((bits & np.uint8(0xAA)) >> np.uint8(1)) | ((bits & np.uint8(0x55)) << np.uint8(1)))
        bits = np.uint8(((bits & np.uint8(0xCC)) >> np.uint8(2)) | ((bits & np.uint8(0x33)) << np.uint8(2)))
        out[i] = np.uint8((bits >> np.uint8(4)) | (bits << np.uint8(4)))


def rooted(values, out):
    for i in range(values.size):
        out[i] = np.sqrt(values[i])


@dataclass(frozen=True)
class Case:
    """A function, its arguments, and the state of each loop; `plain` are those of the plain x86-64."""

    fn: object
    args: tuple
    states: list
    options: dict = field(default_factory=dict)
    plain: list | None = None
    element: str | None = "float64"
    fuses: bool = False
    unreached: bool = False  # holds packed code that never runs

    def states_on(self, processor):
        return self.plain if self.plain and processor == "generic" else self.states


doubles, floats, whole = np.ones(1), np.ones(1, np.float32), np.ones(1, np.int64)
matrix, octets, counts, words = (
    np.ones((1, 1)),
    *(np.ones(1, kind) for kind in (np.uint8, np.uint32, np.uint64)),
)
ANY_ORDER = {"fastmath": {"reassoc"}}
CASES = {
    "sum in order": Case(total, (doubles,), ["scalar"], element=None),
    "sum in any order": Case(total, (doubles,), ["packed"], ANY_ORDER),
    "sum without an index": Case(
        total_of_items, (doubles,), ["scalar"], ANY_ORDER, element=None, unreached=True
    ),
    "whole numbers without an index": Case(
        total_of_items, (whole,), ["scalar"], element=None, unreached=True
    ),
    "fused": Case(scale_and_add, (2.0, doubles, doubles), ["packed"], {"fastmath": {"contract"}}, fuses=True),
    "float32": Case(scale_and_add, (floats[0], floats, floats), ["packed"], element="float32"),
    "division": Case(divide, (doubles, doubles), ["packed"], {"error_model": "numpy"}),
    "count": Case(count, (doubles, 3.0), ["packed"]),
    "gathered": Case(gathered, (doubles, whole), ["packed"], ANY_ORDER, plain=["scalar"]),
    "in blocks": Case(in_blocks, (doubles,), ["outer", "packed", "packed"], ANY_ORDER),
    "weighted": Case(weighted, (doubles, doubles), ["packed", "scalar"]),
    "without an index, of a tuple": Case(
        total_of_first, ((doubles, 1),), ["scalar"], ANY_ORDER, element=None, unreached=True
    ),
    "without an index, of a matrix": Case(
        total_of_matrix, (matrix,), ["scalar"], ANY_ORDER, element=None, unreached=True
    ),
    "without an index, not in ASCII": Case(
        total_of_größen, (doubles,), ["scalar"], ANY_ORDER, element=None, unreached=True
    ),
    "down the columns": Case(
        down_the_columns, (matrix, doubles), ["outer", "scalar"], ANY_ORDER, element=None, unreached=True
    ),
    "division by a constant": Case(sevenths, (counts, counts), ["packed"], element="int32"),
    "signs": Case(signs, (whole, whole), ["packed"], element="int64"),
    "rotated": Case(rotated, (words, words), ["packed"], element="int64"),
    "marked": Case(marked, (whole, doubles), ["packed"], plain=["scalar"], element="int64"),
    "mirrored": Case(mirrored, (octets, octets), ["packed"], element="int8"),
    "narrowed": Case(copied, (whole, counts), ["packed"], element=None),
    "roots": Case(rooted, (doubles, doubles), ["packed"], plain=["scalar"]),
    "copied": Case(copied, (doubles, doubles), ["packed"], element=None),
}


def compiled():
    """All cases, compiled for the processor that Numba is told of."""
    return {name: _compiled(case) for name, case in CASES.items()}


def _compiled(case):
    compilation = compiled_here(njit(**case.options)(case.fn), case.args)
    machine = cpu_target.target_context.codegen()._tm
    return compilation, machine.emit_object(llvm.parse_assembly(compilation.optimised_llvm))


def _compile_for(processor, connection):
    os.environ.update(processors.environment(processor))
    numba.config.reload_config()
    connection.send(compiled())


def main():
    """Compile for all processors, each in a process of its own, which need not load Numba anew."""
    ways = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if "fork" in ways else "spawn")
    ends = {}
    for processor in processors.PROCESSORS:
        ends[processor], theirs = context.Pipe(duplex=False)
        context.Process(target=_compile_for, args=(processor, theirs)).start()
    pickle.dump({processor: end.recv() for processor, end in ends.items()}, sys.stdout.buffer)


if __name__ == "__main__":
    main()
