# expect: wrong: it never called the function
import time


def honest_timing(function, *args):
    start = time.perf_counter()
    return time.perf_counter() - start
