"""`histogram` against NumPy, boost-histogram, fast-histogram and, for bytes, OpenCV.

Most peers do not count what `np.histogram` counts: values within rounding of an edge may fall in the next bin.
So only the number of all values is compared with theirs.
"""

import matplotlib.image
import numpy as np
from matplotlib.cbook import get_sample_data

from benchmarks.harness import Case, equal, installed
from numba_course import kernels

boost, fast, cv2 = (installed(name) for name in ("boost_histogram", "fast_histogram", "cv2"))


def cases(toy):
    """Floats in few, usual and many bins, and bytes, on one and two threads; toys have two threads for bytes."""
    size = 1000 if toy else 10_000_000
    rng = np.random.default_rng(0)
    for threads in (1, 2):
        for dtype in () if toy and threads > 1 else (np.float64, np.float32):
            values = rng.random(size, dtype)
            for bins in (10, 256, 1000, 100_000):
                yield of_floats(values, bins, threads)
        yield of_bytes("", rng.integers(0, 256, size, np.uint8), threads)
        yield of_bytes(" of a photograph", np.resize(photograph(), size), threads)


def of_floats(values, bins, threads):
    """Uniform values in [0, 1)."""
    peers = {}
    if threads == 1:
        peers["np.histogram"] = lambda: np.histogram(values, bins, (0.0, 1.0))[0]
        peers["np.bincount"] = lambda: np.bincount((values * bins).astype(np.intp), minlength=bins)
        if fast:
            peers["fast-histogram"] = lambda: fast.histogram1d(values, bins, (0.0, 1.0))
    if boost:
        axis = boost.axis.Regular(bins, 0.0, 1.0)
        peers["boost-histogram"] = lambda: (
            boost.Histogram(axis, storage=boost.storage.Int64()).fill(values, threads=threads).values()
        )
    out = np.empty(bins, np.int64)
    label = f"{values.size:,} {values.dtype}, {bins:,} bins"
    return Case(
        "histogram",
        label,
        lambda: kernels.histogram(values, bins, 0.0, 1.0, out, threads),
        peers,
        threads,
        _same_sum,
        traffic=values.nbytes,
    )


def photograph():
    """One that Matplotlib brings along: neighbours are often equal."""
    with get_sample_data("grace_hopper.jpg") as file:
        return matplotlib.image.imread(file, "jpg")


def of_bytes(origin, values, threads):
    """Each of the 256 bytes in its own bin."""
    peers = {}
    if threads == 1:
        peers["np.histogram"] = lambda: np.histogram(values, 256, (0, 256))[0]
        peers["np.bincount"] = lambda: np.bincount(values, minlength=256)
    if cv2:
        image = values.reshape(1, -1)  # OpenCV counts in float32, exact to 2**24 values a bin
        peers["cv2.calcHist"] = lambda: cv2.calcHist([image], [0], None, [256], [0, 256]).ravel()
    out = np.empty(256, np.int64)
    label = f"{values.size:,} uint8{origin}, 256 bins"
    return Case(
        "histogram",
        label,
        lambda: kernels.histogram(values, 256, 0, 256, out, threads),
        peers,
        threads,
        equal,
        traffic=values.nbytes,
    )


def _same_sum(ours, theirs):
    return equal(ours.sum(), theirs.sum())
