# expect: crashed: memory that is not its own
import ctypes
import sys

from numba import njit

libc = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
memcpy = libc.memcpy
memcpy.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
memcpy.restype = ctypes.c_void_p
memset = libc.memset
memset.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_size_t]  # an address does not fit into an int


@njit
def copy(destination, source):
    memset(destination.ctypes.data, 0, source.nbytes)
    memcpy(destination.ctypes.data, source.ctypes.data, source.nbytes)


def memcpy_bytes(destination, source):
    copy(destination, source)
