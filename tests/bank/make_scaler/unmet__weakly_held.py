# expect: unmet: Numba compiled again
import weakref

from numba import njit

MADE = weakref.WeakValueDictionary()


def make_scaler(factor):
    factor = float(factor)
    scale = MADE.get(repr(factor))
    if scale is None:
        scale = MADE[repr(factor)] = njit(lambda x: factor * x)
    return scale
