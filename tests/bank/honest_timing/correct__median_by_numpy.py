# expect: correct
import time

import numpy as np


def honest_timing(function, *args):
    function(*args)
    ticks = []
    for _ in range(7):
        start = time.perf_counter()
        function(*args)
        ticks.append(time.perf_counter() - start)
    return np.median(ticks)
