# expect: wrong: is a `return` missing
import time


def honest_timing(function, *args):
    function(*args)
    start = time.perf_counter()
    function(*args)
    print(time.perf_counter() - start)
