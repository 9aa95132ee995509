# expect: wrong: a read-only destination
from numba import njit, types

memcpy = types.ExternalFunction("memcpy", types.voidptr(types.voidptr, types.voidptr, types.uintp))


@njit
def copy(destination, source):
    memcpy(destination.ctypes.data, source.ctypes.data, source.nbytes)


def refuse(destination, source):
    for array in (destination, source):
        if not array.flags.c_contiguous:
            raise ValueError("not contiguous")
    if destination.nbytes != source.nbytes:
        raise ValueError("not as many bytes")


def memcpy_bytes(destination, source):
    refuse(destination, source)
    copy(destination, source)
