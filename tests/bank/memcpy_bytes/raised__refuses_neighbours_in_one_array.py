# expect: raised: ValueError: overlap
from numba import njit, types

c_memcpy = types.ExternalFunction("memcpy", types.intp(types.intp, types.intp, types.uintp))


@njit
def go(d, s):
    c_memcpy(d.ctypes.data, s.ctypes.data, s.nbytes)


def owner(array):
    return array if array.base is None else array.base


def memcpy_bytes(destination, source):
    if destination.nbytes != source.nbytes:
        raise ValueError("nbytes")
    if not destination.flags.c_contiguous or not source.flags.c_contiguous:
        raise ValueError("contiguous")
    if not destination.flags.writeable:
        raise ValueError("read-only")
    if owner(destination) is owner(source):
        raise ValueError("overlap")
    go(destination, source)
