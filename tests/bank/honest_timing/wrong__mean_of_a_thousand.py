# expect: wrong: the compiler's time is in it
import time


def honest_timing(function, *args):
    start = time.perf_counter()
    for _ in range(1000):
        function(*args)
    return (time.perf_counter() - start) / 1000
