# expect: timed out: seconds and was stopped
import time


def honest_timing(function, *args):
    while time.perf_counter() >= 0:
        function(*args)
    return 0.0
