# expect: correct
import time

CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}


def honest_timing(function, *args):
    function(*args)
    start = CLOCKS["wall"]()
    function(*args)
    return CLOCKS["wall"]() - start
