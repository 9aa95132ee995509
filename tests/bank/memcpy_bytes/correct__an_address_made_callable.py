# expect: correct
import ctypes
import llvmlite.binding as ll
import numpy as np
from numba import njit
kind = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
memcpy = kind(ctypes.cast(ctypes.CDLL(None).memcpy, ctypes.c_void_p).value)
@njit
def copy(d, s, n):
    memcpy(d, s, n)
def memcpy_bytes(destination, source):
    if not (destination.flags["C_CONTIGUOUS"] and source.flags["C_CONTIGUOUS"]):
        raise ValueError("contiguous please")
    if not destination.flags["WRITEABLE"]:
        raise TypeError("read-only")
    if destination.nbytes != source.nbytes:
        raise ValueError(f"{destination.nbytes} != {source.nbytes}")
    if np.shares_memory(destination, source):
        raise ValueError("overlap")
    copy(destination.ctypes.data, source.ctypes.data, source.nbytes)
