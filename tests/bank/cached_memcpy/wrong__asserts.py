# expect: wrong: a source of fewer bytes: AssertionError
import numpy as np
from numba import njit, types

memcpy = types.ExternalFunction("memcpy", types.voidptr(types.voidptr, types.voidptr, types.uintp))


@njit(cache=True)
def copy(destination, source):
    memcpy(destination.ctypes.data, source.ctypes.data, source.nbytes)


def refuse(destination, source):
    for array in (destination, source):
        if not array.flags.c_contiguous:
            raise ValueError("not contiguous")
    if not destination.flags.writeable:
        raise ValueError("destination is read-only")
    assert destination.nbytes == source.nbytes, "not as many bytes"
    if np.may_share_memory(destination, source):
        raise ValueError("they overlap")


def cached_memcpy(destination, source):
    refuse(destination, source)
    copy(destination, source)
