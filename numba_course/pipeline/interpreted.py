"""Plain Python twins of what generated modules import, to hold compiled pipelines against."""

import numpy as np

from numba_course.pipeline import runtime


def njit(function=None, **options):
    """Leave a function as it is."""
    return function or (lambda function: function)


def _plain(function):
    """The function as Python, with 64-bit numbers that wrap around as compiled ones do."""

    def call(*args):
        with np.errstate(over="ignore"):
            return function.py_func(*args)

    return call


op_key, sample_key, uniform = map(_plain, (runtime.op_key, runtime.sample_key, runtime.uniform))


def fetch_bytes(row, first, last, r, g, b):
    """Spread the pixels from `first` to `last` of a row of interleaved values."""
    pixels = row.reshape(-1, 3)
    chosen = pixels[first : last + 1] if first <= last else pixels[last : first + 1][::-1]
    r[:], g[:], b[:] = chosen.T


fetch_floats = fetch_bytes
