"""`dot` against NumPy's, which is the BLAS's: without threadpoolctl its threads cannot be told."""

import numpy as np

from benchmarks.harness import Case, installed
from benchmarks.sum import AGREES, sizes
from numba_course import kernels


def cases(toy):
    """One and two threads, float64."""
    for n in sizes(toy):
        for threads in (1, 2):
            a, b = np.random.default_rng(0).random((2, n))
            yield case(a, b, threads)


def case(a, b, threads):
    """The same number of threads for both."""
    peers = {"np.sum of a product": lambda: np.sum(a * b)}
    if installed("threadpoolctl"):
        peers["np.dot"] = lambda: np.dot(a, b)
    label, traffic = f"{a.size:,} {a.dtype}", a.nbytes + b.nbytes
    return Case("dot", label, lambda: kernels.dot(a, b, threads), peers, threads, AGREES, traffic)
