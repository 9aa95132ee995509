# expect: correct
import numpy as np
from numba import njit, types

memcpy = types.ExternalFunction("memcpy", types.voidptr(types.voidptr, types.voidptr, types.uintp))


@njit
def piece(to, by, size):
    memcpy(to, by, size)


@njit
def copy(destination, source):
    size = source.nbytes
    for start in range(0, size, 16):
        piece(destination.ctypes.data + start, source.ctypes.data + start, min(16, size - start))


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


def memcpy_bytes(destination, source):
    refuse(destination, source)
    copy(destination, source)
