"""Indices that the types of integers decide: unsigned ones among signed ones, large literals, bytes inverted."""

import numpy as np
from numba import njit, prange, stencil

from tests.lens.race.cases.reported import case, race, valid


@race(np.array([2**64 - 1, 9], np.uint64), np.zeros(5), says="iterations 0 and 1 both write out[4]")
def same_bucket(keys, out):
    for i in prange(len(keys)):
        out[keys[i] % len(out)] = i  # of uint64 and int64: the key is taken for a signed one


@valid(np.array([2**64 - 1, 5], np.uint64), np.zeros(5))
def two_buckets(keys, out):
    for i in prange(len(keys)):
        out[keys[i] % len(out)] = i


@valid(np.arange(12.0), np.zeros(12))
def turned_around(a, out):
    for i in prange(len(out)):
        out[-i % len(out)] = a[i]


@valid(np.arange(256, dtype=np.uint8), np.zeros(256))
def a_negative_of_bytes(image, out):
    for i in prange(len(image)):
        out[~image[i]] = i


@valid(np.zeros(8))
def hashed(out):
    for i in prange(5):
        out[(np.uint64(i) * 11400714819323198485) >> 61] = i


@race(np.zeros(2), says="both write out[0]")
def halves_of_a_literal(out):
    for i in prange(2):
        out[(18446744073709551615 - np.uint64(i)) // np.uint64(2**63) - 1] = i


@valid(np.zeros(3))
def limits_of_types(out):
    for i in prange(len(out)):
        out[i] = np.iinfo(np.int64).max + np.finfo(np.float64).eps


@valid(np.arange(9, dtype=np.uint8), np.zeros(9))
def roots_of_bytes(values, out):
    for i in prange(len(out)):
        out[i + int((np.sqrt(values)[3] - 1.7320508) * 1e5)] = i  # 0 in single precision, 68 in half


@valid(np.zeros(5))
def windows_are_writable(a):
    windows = np.lib.stride_tricks.sliding_window_view(a, 1)
    for i in prange(len(windows)):
        windows[i, 0] = i


@stencil
def neighbours(a):
    return a[-1] + a[1]


@case(
    "none found",
    np.arange(9.0),
    np.zeros(9),
    says="Numba runs a stencil in parallel, and writes no array there that it",
)
@njit(parallel=True)
def stencil_into_another_array(a, out):
    neighbours(a, out=out)
