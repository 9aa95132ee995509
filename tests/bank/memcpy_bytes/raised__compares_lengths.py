# expect: raised: ValueError: not as many elements
import numpy as np
from numba import njit, types

memcpy = types.ExternalFunction("memcpy", types.voidptr(types.voidptr, types.voidptr, types.uintp))


@njit
def copy(destination, source):
    memcpy(destination.ctypes.data, source.ctypes.data, source.nbytes)


def refuse(destination, source):
    for array in (destination, source):
        if not array.flags.c_contiguous:
            raise ValueError("not contiguous")
    if not destination.flags.writeable:
        raise ValueError("destination is read-only")
    if len(destination) != len(source):
        raise ValueError("not as many elements")
    if np.may_share_memory(destination, source):
        raise ValueError("they overlap")


def memcpy_bytes(destination, source):
    refuse(destination, source)
    copy(destination, source)
