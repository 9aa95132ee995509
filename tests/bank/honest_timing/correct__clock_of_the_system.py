# expect: correct
import time
from functools import partial

clock = partial(time.clock_gettime_ns, time.CLOCK_MONOTONIC)


def honest_timing(function, *args):
    function(*args)
    start = clock()
    function(*args)
    return (clock() - start) / 1e9
