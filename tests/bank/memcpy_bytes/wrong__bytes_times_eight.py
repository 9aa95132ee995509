# expect: wrong: memcpy was told to copy 64 bytes; destination has 8
import numpy as np
from numba import njit, types

memcpy = types.ExternalFunction("memcpy", types.voidptr(types.voidptr, types.voidptr, types.uintp))


@njit
def copy(destination, source):
    memcpy(destination.ctypes.data, source.ctypes.data, 8 * source.nbytes)


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
