# expect: unmet: it compiled `copy` once more: Cannot cache compiled function
import ctypes
import sys

import numpy as np
from numba import njit

libc = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
memcpy = libc.memcpy
memcpy.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
memcpy.restype = ctypes.c_void_p


@njit(cache=True)
def copy(destination, source):
    memcpy(destination.ctypes.data, source.ctypes.data, source.nbytes)


def refuse(destination, source):
    for array in (destination, source):
        if not array.flags.c_contiguous:
            raise ValueError("not contiguous")
    if not destination.flags.writeable:
        raise ValueError("destination is read-only")
    if destination.nbytes != source.nbytes:
        raise ValueError("not as many bytes")
    if np.may_share_memory(destination, source):
        raise ValueError("they overlap")


def cached_memcpy(destination, source):
    refuse(destination, source)
    copy(destination, source)
