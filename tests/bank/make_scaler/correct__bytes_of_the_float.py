# expect: correct
import struct

from numba import njit

MADE = {}


def make_scaler(factor):
    factor = float(factor)
    key = struct.pack("d", factor)
    if key not in MADE:
        MADE[key] = njit(lambda x: factor * x)
    return MADE[key]
