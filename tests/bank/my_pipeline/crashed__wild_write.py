# expect: crashed: the process that ran it died
import ctypes


def my_pipeline():
    ctypes.memset(8, 0, 8)
