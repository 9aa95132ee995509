# expect: wrong: it returned str where seconds are asked
import time


def honest_timing(function, *args):
    function(*args)
    start = time.perf_counter()
    function(*args)
    return f"{time.perf_counter() - start} s"
