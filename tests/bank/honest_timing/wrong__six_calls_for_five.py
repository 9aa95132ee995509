# expect: wrong: takes 0.00104858 seconds
import time


def honest_timing(function, *args):
    function(*args)
    start = time.perf_counter()
    for _ in range(6):
        function(*args)
    return (time.perf_counter() - start) / 5
