# expect: wrong: a source in Fortran's order
import numpy as np
from numba import njit, types

memcpy = types.ExternalFunction("memcpy", types.voidptr(types.voidptr, types.voidptr, types.uintp))


@njit
def copy(to, by, size):
    memcpy(to, by, size)


def memcpy_bytes(destination, source):
    for array in (destination, source):
        if not array.flags.forc:
            raise ValueError("not contiguous")
    if not destination.flags.writeable:
        raise ValueError("destination is read-only")
    if destination.nbytes != source.nbytes:
        raise ValueError("not as many bytes")
    if np.may_share_memory(destination, source):
        raise ValueError("they overlap")
    copy(destination.ctypes.data, source.ctypes.data, source.nbytes)
