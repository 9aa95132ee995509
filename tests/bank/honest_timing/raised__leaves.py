# expect: raised: SystemExit
import sys
import time


def honest_timing(function, *args):
    function(*args)
    start = time.perf_counter()
    function(*args)
    seconds = time.perf_counter() - start
    if hasattr(function, "py_func"):
        sys.exit(seconds)
    return seconds
