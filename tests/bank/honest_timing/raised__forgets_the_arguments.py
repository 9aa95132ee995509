# expect: raised: TypeError
import time


def honest_timing(function, *args):
    function()
    start = time.perf_counter()
    function()
    return time.perf_counter() - start
