"""`moving_average` against bottleneck, pandas, NumPy and SciPy, and against a copy of as many values.

bottleneck and pandas allocate their results, as they have no `out`; the others do so where they can do no other.
"""

import numpy as np

from benchmarks.harness import Case, close, installed
from numba_course import kernels

bottleneck, pandas, ndimage = (installed(name) for name in ("bottleneck", "pandas", "scipy.ndimage"))
SLOW = 10_000_000  # products above which a peer whose cost grows with the window is left out


def cases(toy):
    """Windows that are unrolled and others, in the cache and beyond, on one and two threads; then along both axes."""
    sizes = (100,) if toy else (1_000_000, 10_000_000)
    for threads in (1, 2):
        for size in sizes:
            values = np.random.default_rng(0).random(size)
            for window in (3, 50) if toy else (5, 8, 50, 1000):
                yield case(values, window, threads)
        if threads == 1 or not toy:  # each is compiled apart
            yield case(values.astype(np.float32), 50, threads)

    for shape, axis in [((30, 10), 1), ((10, 30), 0)] if toy else [((100_000, 10), 1), ((10, 100_000), 0)]:
        yield axis_case(np.random.default_rng(0).random(shape), axis)


def axis_case(values, axis, window=9):
    """Short rows, and short columns."""
    shape = [n - (window - 1) * (number == axis) for number, n in enumerate(values.shape)]
    out, whole = np.empty(shape), [slice(None)] * values.ndim
    whole[axis] = slice(window - 1, None)
    windows = np.lib.stride_tricks.sliding_window_view(values, window, axis)
    peers = {"sliding_window_view": lambda: windows.mean(axis=-1)}
    if bottleneck:
        peers["bottleneck"] = lambda: bottleneck.move_mean(values, window, axis=axis)[tuple(whole)]
    return Case(
        "moving_average",
        f"{values.shape[0]:,} x {values.shape[1]:,} {values.dtype}, axis {axis}, window {window}",
        lambda: kernels.moving_average(values, window, axis, out),
        peers,
        agrees=close(1e-6),
    )


def case(values, window, threads):
    """Positive values, so that relative errors mean something."""
    out, copied = (np.empty(values.size - window + 1, values.dtype) for _ in range(2))
    peers = {}
    if window <= 8:
        peers["np.copyto"] = lambda: np.copyto(copied, values[: out.size]) or copied
    if bottleneck:
        peers["bottleneck"] = lambda: bottleneck.move_mean(values, window)[window - 1 :]
    if threads == 1:
        if pandas:
            series = pandas.Series(values)
            peers["pandas"] = lambda: series.rolling(window).mean().to_numpy()[window - 1 :]
        peers["np.cumsum"] = lambda: _by_cumsum(values, window)
        if values.size * window <= SLOW:
            peers["np.convolve"] = lambda: np.convolve(values, np.full(window, 1 / window), "valid")
        if ndimage:
            start = window // 2
            peers["uniform_filter1d"] = lambda: ndimage.uniform_filter1d(values, window)[start:][: out.size]
    return Case(
        "moving_average",
        f"{values.size:,} {values.dtype}, window {window}",
        lambda: kernels.moving_average(values, window, out=out, threads=threads),
        peers,
        threads,
        _but_for_the_copy(copied, close(1e-2 if values.dtype == np.float32 else 1e-6)),
        traffic=2 * values.nbytes,
        written=out.nbytes,
    )


def _by_cumsum(values, window):
    sums = np.cumsum(np.concatenate([[0.0], values]))
    return (sums[window:] - sums[:-window]) / window


def _but_for_the_copy(copied, agree):
    """Compare as `agree`, but expect nothing of the copy, which is a limit and no peer."""
    return lambda ours, theirs: "" if theirs is copied else agree(ours, theirs)
