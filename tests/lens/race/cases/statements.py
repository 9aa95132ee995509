"""Statements on whole arrays, which Numba runs in parallel: those whose elements read each other, and those like them.

The verdicts of the races were compared with runs of a million elements: each gave another result than serial code.
"""

import numpy as np
from numba import njit, prange, stencil

from tests.lens.race.cases.reported import race, unchecked, valid

UP = np.arange(9.0)


@race(UP, says=("iteration 1 reads a[1], which iteration 0 writes", "runs the elements of this statement"))
def numba_3750(a):
    a[1:] = a[:-1]


@race(UP, says="iteration 8 reads a[0], which iteration 0 writes")
def updated_by_its_mirror_image(a):
    a += a[::-1]


@race(UP, says=("iteration 8 reads a[0] (line", "which iteration 0 writes (line"))
def merged_with_the_expression_before(a):
    doubled = a[::-1] * 2
    a[:] = doubled


@valid(UP)
def not_merged_as_the_lengths_may_differ(a):
    a[1:] = a[:-1] + 1


@race(UP[1:], UP[:-1], says="iteration 4 reads a[3], which iteration 3 writes")
def numba_230_arguments_that_overlap(a, b):
    high = a > 3
    a[high] = b[high]


@valid(UP, UP + 1)
def element_by_element(a, b):
    out = np.zeros(a.size)
    out[:] = a * 2 + b
    a += b
    a[a > 4] = 0
    b.fill(1)
    return out.sum() + np.dot(a, b), np.array([np.sqrt(x) for x in range(3)]), out + a


@race(UP[:-1], UP[1:], np.zeros(8), says="iteration 0 reads a[1] (line")
def merged_loops_over_arguments_that_overlap(a, b, out):
    for i in prange(len(a)):
        a[i] = i
    for i in prange(len(a)):
        out[i] = b[i]


@race(UP, np.broadcast_to(UP[:1], 9), np.zeros(9), says="iteration 0 writes")
def merged_loops_of_which_only_the_first_reader_writes(a, first, out):
    for i in prange(len(a)):
        out[i] = first[i]
    for i in prange(len(a)):
        a[i] = i


@njit(parallel=True)
def shifted(row):
    row[1:] = row[:-1]


@race(UP.reshape(3, 3), says="iteration 1 reads a[0, 1], which iteration 0 writes")
def of_rows_in_a_callee(a):
    for i in range(len(a)):
        shifted(a[i])


@njit(parallel=True)
def doubled(row):
    row[:] = row * 2


@valid(UP)
def in_a_callee_for_two_types(a):
    doubled(a)
    doubled(np.arange(4))


@stencil
def neighbours(a):
    return a[-1] + a[1]


@unchecked(UP, says="in parallel, and its out overlaps what it reads")
def stencil_onto_itself(a):
    neighbours(a, out=a)


@njit
def count(counts, i):
    counts[0] += 1
    return i


@unchecked(np.zeros(1), 4, says=("Numba runs a comprehension of line", "which is not looked into"))
def comprehension_that_writes(counts, n):
    return np.array([count(counts, i) for i in range(n)])


@valid(np.arange(8.0))
def each_run_of_a_statement_in_a_serial_loop_ends_before_the_next(x):
    step = 1
    while step < x.size:
        x[step :: 2 * step] -= x[:: 2 * step]
        step *= 2
    for start in range(3):
        x[start : start + 4] += x[start : start + 4]


@race(UP, says="iteration 1 reads a[1], which iteration 0 writes")
def one_run_of_a_statement_in_a_serial_loop_races(a):
    for _ in range(2):
        a[1:] = a[:-1]


@unchecked(UP, UP, says="one of several assignments, of which Numba runs not all in parallel, on line")
def one_of_two_in_a_line_is_serial(a, b):
    # fmt: off
    a[1::2] = a[:4]; b[:] = 0  # noqa: E702
    # fmt: on


@valid(UP, UP)
def both_in_a_line_are_parallel(a, b):
    # fmt: off
    a[:] = 1; b[:] = 0  # noqa: E702
    # fmt: on
