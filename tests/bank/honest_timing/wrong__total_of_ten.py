# expect: wrong: that is 10 times as long
import time


def honest_timing(function, *args):
    function(*args)
    start = time.perf_counter()
    for _ in range(10):
        function(*args)
    return time.perf_counter() - start
