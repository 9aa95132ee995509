"""`sum` against NumPy's, from what a cache holds to what none does."""

import numpy as np

from benchmarks.harness import Case, close
from numba_course import kernels

AGREES = close(1e-11)  # all terms are positive: both errors are roundings of the result


def sizes(toy):
    """For `sum` and `dot`."""
    return (1_000, 20_000) if toy else (10_000, 100_000, 1_000_000, 20_000_000)


def cases(toy):
    """One and two threads; float64, and float32 summed in float64."""
    for n in sizes(toy):
        for threads in (1, 2):
            values = np.random.default_rng(0).random(n)
            yield case(values, threads)
    for threads in (1, 2):
        yield case(values.astype(np.float32), threads)


def case(values, threads):
    """NumPy's sum has one thread at most."""
    peers = {"np.sum": lambda: np.sum(values, dtype=np.float64)}
    label = f"{values.size:,} {values.dtype}"
    return Case("sum", label, lambda: kernels.sum(values, threads), peers, threads, AGREES, values.nbytes)
