# expect: correct
import statistics
import time


def honest_timing(function, *args):
    seconds = []
    for _ in range(8):
        start = time.process_time_ns()
        function(*args)
        seconds.append((time.process_time_ns() - start) / 1e9)
    return statistics.median(seconds[1:])
