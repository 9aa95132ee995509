# expect: correct
from time import monotonic as now


def timing_by(clock):
    def honest_timing(function, *args):
        function(*args)
        start = clock()
        function(*args)
        return clock() - start

    return honest_timing


honest_timing = timing_by(now)
