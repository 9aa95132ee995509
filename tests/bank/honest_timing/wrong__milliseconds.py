# expect: wrong: that is 1000 times as long
import time


def honest_timing(function, *args):
    function(*args)
    start = time.perf_counter()
    function(*args)
    return 1000 * (time.perf_counter() - start)
