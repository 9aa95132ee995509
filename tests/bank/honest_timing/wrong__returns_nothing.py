# expect: wrong: NoneType
import time


def honest_timing(function, *args):
    function(*args)
    start = time.perf_counter()
    function(*args)
    print(time.perf_counter() - start)
