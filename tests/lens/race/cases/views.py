"""Views and copies: what lies behind a view of another object, and what Numba copies where NumPy does not."""

import numpy as np
from numba import prange
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from tests.lens.race.cases.reported import race, valid

UP = np.arange(9.0)


@race(UP, says="iteration 0 reads a[1], which iteration 1 writes")
def windows_of_what_is_written(a):
    windows = sliding_window_view(a, 3)
    for i in prange(len(windows)):
        a[i] = windows[i].sum()


@race(UP, says="iteration 0 reads a[3], which iteration 3 writes")
def strided_view_of_a_slice(a):
    pairs = as_strided(a[2:], (a.size - 3, 2), (8, 8))
    for i in prange(a.size - 4):
        a[i] = pairs[i, 1]


@race(says="iteration 0 reads")
def strided_view_of_new_memory():
    a = np.arange(9.0)
    pairs = as_strided(a, (a.size - 1, 2), (8, 8))
    for i in prange(a.size - 1):
        a[i] = pairs[i, 1]
    return a


@race(UP, says="iteration 0 reads a[3], which iteration 1 writes")
def buffer_of_a_slice(a):
    rest = np.frombuffer(a[2:], np.float64)
    for i in prange(a.size - 3):
        a[i + 2] = rest[i + 1]


@valid(UP)
def windows_that_are_only_read(a):
    windows = sliding_window_view(a, 3)
    out = np.zeros(len(windows))
    for i in prange(len(windows)):
        out[i] = windows[i].sum()
    return out


@valid(np.arange(16.0).reshape(4, 4))
def diagonal_is_a_copy(m):
    diagonal = np.diag(m)
    for i in prange(4):
        m[i, i] = diagonal[3 - i]
    diagonal[0] = 5


@valid(UP)
def what_was_sliced_with_a_step_is_copied(a):
    copied = a[::1].ravel()
    for i in prange(a.size - 1):
        a[i] = copied[i + 1]


@race(UP, says="iteration 0 reads a[1], which iteration 1 writes")
def what_is_contiguous_is_a_view(a):
    view = a[0:].ravel()
    for i in prange(a.size - 1):
        a[i] = view[i + 1]


@valid(UP)
def conjugate_is_a_copy(a):
    same = a.conj()
    for i in prange(a.size - 1):
        a[i] = same[i + 1]
