# expect: correct
import time


def honest_timing(function, *args, clock=time.perf_counter):
    function(*args)
    start = clock()
    function(*args)
    return clock() - start
