"""How a function was made decides what of it is parallel: options as a dictionary, overloads, what Numba inlines."""

import numpy as np
from numba import literal_unroll, njit, prange, types
from numba.extending import overload, overload_attribute, overload_method, register_jitable

from tests.lens.race.cases.reported import race, unchecked, valid

UP = np.arange(9.0)


def moved(a):
    for i in prange(1, a.size):
        a[i] = a[i - 1]


race(UP, says="iteration 2 reads a[1], which iteration 1 writes")(njit(parallel={"fusion": False})(moved))
moved_too = njit(parallel={"fusion": False})(moved)


@race(UP, says="iteration 2 reads a[1], which iteration 1 writes")
def calls_one_with_a_dictionary(a):
    moved_too(a)


@valid(UP[:-1], UP[1:], np.zeros(8))
@njit(parallel={"fusion": False})
def loops_that_are_not_to_be_merged(a, b, out):
    for i in prange(len(a)):
        a[i] = i
    for i in prange(len(a)):
        out[i] = b[i]


# A function that Numba knows by `overload` has options of its own, or becomes a part of its caller.


@register_jitable(parallel=True)
def moved_by_one(a):
    for i in prange(1, a.size):
        a[i] = a[i - 1]


@register_jitable(inline="always")
def moved_as_a_part(a):
    for i in prange(1, a.size):
        a[i] = a[i - 1]


@register_jitable
def moved_in_order(a):
    for i in prange(1, a.size):
        a[i] = a[i - 1]


def moved_elsewhere(a):
    """Only compiled code has it."""


@overload(moved_elsewhere, jit_options={"parallel": True})
def _moved_elsewhere(a):
    return moved


@overload_method(types.Array, "moved_inline", inline="always")
def _moved_inline(a):
    return moved


@overload_method(types.Array, "moved_alone")
def _moved_alone(a):
    return moved


@overload_attribute(types.Array, "doubled")
def _doubled(a):
    return lambda a: a * 2


@race(UP, says="iteration 2 reads a[1], which iteration 1 writes")
def calls_a_parallel_jitable(a):
    moved_by_one(a)


@race(UP, says="iteration 2 reads a[1], which iteration 1 writes")
def calls_an_inlined_jitable(a):
    moved_as_a_part(a)


@race(UP, says="iteration 2 reads a[1], which iteration 1 writes")
def calls_a_parallel_overload(a):
    moved_elsewhere(a)


@race(UP, says="iteration 2 reads a[1], which iteration 1 writes")
def calls_an_inlined_method(a):
    a.moved_inline()


@race(UP, moved_too, says="iteration 2 reads a[1], which iteration 1 writes")
def calls_its_argument(a, move):
    move(a)


@valid(UP.reshape(3, 3))
def rows_with_added_members(m):
    out = np.zeros(m.shape)
    for i in prange(len(m)):
        m[i].moved_alone()
        moved_in_order(m[i])
        moved_as_a_part(m[i])
        out[i] = m[i].doubled
    return out


@njit(inline=lambda *parts: True)
def moved_if_a_function_says_so(a):
    for i in prange(1, a.size):
        a[i] = a[i - 1]


@unchecked(UP, says="whether Numba inlines moved_if_a_function_says_so, which a function decides")
def calls_one_that_may_be_inlined(a):
    moved_if_a_function_says_so(a)


@njit(inline="always")
def filled(a, value, n):
    for i in prange(n):
        a[i] = value


@valid(np.zeros(5), np.zeros(5), 5)
def inlined_twice_and_merged(a, b, n):
    for value in range(2):
        filled(a, value, n)
        filled(b, value + 1, n)


@race(UP[:-1], UP[1:], 8, says="iterations 1 and 0 both write")
def inlined_twice_and_merged_over_arguments_that_overlap(a, b, n):
    filled(a, 1, n)
    filled(b, 2, n)


@unchecked(np.zeros(5), np.zeros(5), says="assert, try and literal_unroll in a loop do that")
def unrolled_inside(a, b):
    for i in prange(5):
        for each in literal_unroll((a, b)):
            each[i] = 1.0


# A function that was given its signatures gets numbers as these say.


def scaled(out, factor):
    for i in prange(8):
        out[i * factor // 2] = i


race(np.zeros(20), 1.5, says="iterations 0 and 1 both write out[0]")(
    njit("void(f8[:], i8)", parallel=True)(scaled)
)


def spread(out, step):
    for i in prange(4):
        out[i * step] = i


race(np.zeros(2000), 256, says="iterations 0 and 1 both write out[0]")(
    njit("void(f8[:], u1)", parallel=True)(spread)
)


@njit(["void(f8[:], f8)", "void(f8[:], i4)"])
def put_at(out, k):
    out[int(k)] = k


@njit("void(f8[:], i4)")
def put_at_an_integer(out, k):
    out[k] = k


@valid(np.zeros(9))
def calls_one_of_two_signatures(out):
    for i in prange(4):
        put_at(out, i * 1.5)


@race(np.zeros(9), says="iterations 0 and 1 both write out[0]")
def calls_one_with_a_signature(out):
    for i in prange(4):
        put_at_an_integer(out, i * 0.5)
