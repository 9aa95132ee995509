# expect: unmet: no call of memcpy by compiled code was seen
import numpy as np
from numba import njit


@njit
def copy(destination, source):
    for i in range(source.size):
        destination[i] = source[i]


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
    copy(destination.reshape(-1).view(np.uint8), source.reshape(-1).view(np.uint8))
