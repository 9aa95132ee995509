# expect: correct
import cffi
import numpy as np
from numba import njit

ffi = cffi.FFI()
ffi.cdef("void *memcpy(void *to, const void *by, size_t size);")
memcpy = ffi.dlopen(None).memcpy  # on Windows ffi.dlopen("msvcrt")

@njit
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


def memcpy_bytes(destination, source):
    refuse(destination, source)
    copy(destination.reshape(-1), source.reshape(-1))
