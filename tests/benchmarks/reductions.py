"""`sum` and `dot` against NumPy's, from what a cache holds to what none does."""

import numpy as np

from benchmarks.harness import Case, close, installed
from numba_course import kernels

AGREES = close(1e-11)  # all terms are positive: both errors are roundings of the result


def cases(toy):
    """One and two threads; float64, and float32 summed in float64."""
    rng = np.random.default_rng(0)
    for n in (1_000, 20_000) if toy else (10_000, 100_000, 1_000_000, 20_000_000):
        for threads in (1, 2):
            a, b = rng.random(n), rng.random(n)
            yield sum_case(a, threads)
            yield dot_case(a, b, threads)
    for threads in (1, 2):
        yield sum_case(a.astype(np.float32), threads)


def sum_case(values, threads):
    """NumPy's sum has one thread at most."""
    peers = {"np.sum": lambda: np.sum(values, dtype=np.float64)}
    label = f"sum of {values.size:,} {values.dtype}"
    return Case(
        "reductions", label, lambda: kernels.sum(values, threads), peers, threads, AGREES, values.nbytes
    )


def dot_case(a, b, threads):
    """NumPy's dot product is the BLAS's; without threadpoolctl its threads cannot be told."""
    peers = {"np.dot": lambda: np.dot(a, b)} if installed("threadpoolctl") else {}
    label = f"dot of {a.size:,} {a.dtype}"
    return Case(
        "reductions", label, lambda: kernels.dot(a, b, threads), peers, threads, AGREES, a.nbytes + b.nbytes
    )
