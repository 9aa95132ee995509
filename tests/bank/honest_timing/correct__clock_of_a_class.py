# expect: correct
import time


class Stopwatch:
    clock = time.perf_counter_ns
    unit = 1e-9

    def __enter__(self):
        self.start = self.clock()
        return self

    def __exit__(self, *_):
        self.seconds = (self.clock() - self.start) * self.unit


def honest_timing(function, *args):
    function(*args)
    with Stopwatch() as watch:
        function(*args)
    return watch.seconds
