# expect: not compiled: it calls no compiled function
import ctypes

import numpy as np


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
    ctypes.memmove(destination.ctypes.data, source.ctypes.data, source.nbytes)
