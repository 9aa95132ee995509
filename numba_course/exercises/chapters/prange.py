"""Chapter 07, prange: a maximum, a histogram and a relaxation step on several threads, without a race."""

import numpy as np
from numba import get_num_threads, njit, prange

from numba_course.exercises.question import Exercise
from numba_course.exercises.requirements.accesses import InBounds, RaceFree
from numba_course.exercises.requirements.results import LeavesInputsAlone, Matches, Returns
from numba_course.exercises.requirements.sharing import SharesTheWork
from numba_course.exercises.requirements.structure import Compiled, Parallel, StaysCompiled

# A maximum: the reduction that Numba recognises, where the obvious one returns its first value.


@njit(parallel=True)
def parallel_max(values):
    """Return the largest of `values`."""
    largest = values[0]
    for i in prange(values.size):
        largest = max(largest, values[i])
    return largest


def parallel_max_spec(values):
    """The largest value, as NumPy finds it."""
    return values.max()


def parallel_max_examples():
    """One value; the largest first, last and between; all equal, all negative; infinities; with gaps; many."""
    for few in ([3.0], [2.0, 7.0], [7.0, 2.0], [1.0, 7.0, 2.0], [4.0, 4.0], [-3.0, -1.5, -2.0]):
        yield (np.array(few),)
    yield (np.array([-np.inf, -5.0, -np.inf]),)
    yield (np.full(3, -np.inf),)
    yield (np.array([0.0, np.inf, 1.0]),)
    yield (np.arange(12.0)[::-3],)
    yield (np.sin(np.arange(1000.0)),)
    yield (np.arange(70_001.0),)


def parallel_max_inputs(st):
    """Short arrays without NaN, and longer ones."""
    short = st.arrays(np.float64, st.integers(1, 12), elements=st.floats(allow_nan=False))
    long = st.builds(_noise, st.integers(13, 9000), st.integers(0, 99))
    return st.tuples(short | long)


def _noise(size, seed):
    """Numbers of both signs, the same for the same seed."""
    return np.random.default_rng(seed).normal(size=size)


def parallel_max_races():
    """Rising rows: every iteration has something to write."""
    yield (np.arange(8.0),)
    yield (np.arange(12_000.0),)


def parallel_max_shares():
    """The largest value in several places: in other blocks, and of other remainders."""
    for place in (100, 10_007, 20_025, 29_993):
        values = _noise(30_000, 0)
        values[place] = 9.0
        yield (values,)


# A histogram: iterations that share an array, unless each worker counts for itself.


@njit
def histogram(values, bins, low, high):
    """Return the counts of `values`, on one thread."""
    counts, step = np.zeros(bins, np.int64), (high - low) / bins
    for value in values:
        if low <= value <= high:  # never true of NaN
            k = min(int((value - low) / step), bins - 1)
            if value < low + k * step:
                k -= 1
            elif k < bins - 1 and value >= low + (k + 1) * step:
                k += 1
            counts[k] += 1
    return counts


@njit(parallel=True)
def parallel_histogram(values, bins, low, high):
    """Return the counts of `np.histogram(values, bins, range=(low, high))`."""
    workers, n = get_num_threads(), values.size
    counts = np.zeros((workers, bins), np.int64)
    for worker in prange(workers):
        part = values[worker * n // workers : (worker + 1) * n // workers]
        counts[worker, :] = histogram(part, bins, low, high)
    return counts.sum(axis=0)


def parallel_histogram_spec(values, bins, low, high):
    """The counts, as NumPy finds them."""
    return np.histogram(values, bins, range=(low, high))[0]


def parallel_histogram_examples():
    """No value; one bin; on and beside each edge; not finite; with gaps; one value many times; many bins."""
    yield np.array([]), 1, 0.0, 1.0
    yield np.array([0.5]), 1, 0.0, 1.0
    yield np.array([0.5, 0.5, 0.5]), 4, 0.0, 1.0
    yield np.array([0.0, 1.0, 2.0, 3.0]), 3, 0.0, 3.0
    yield np.array([-1e-17, 0.0, 1e-17]), 2, -1.0, 1.0
    yield np.array([-0.1, 1.1, np.nan, np.inf, -np.inf]), 2, 0.0, 1.0
    yield np.arange(12.0)[::-3], 4, 0.0, 12.0
    for bins, low, step in (
        (7, -2.0, 0.75),
        (14, -5.0, 0.75),
        (28, 1.0, 3.0),
    ):  # of 14 and more, linspace rounds
        edges = low + step * np.arange(bins + 1)
        yield _on_and_beside(edges), bins, low, float(edges[-1])
    yield np.full(70_001, 2.5), 10, 0.0, 10.0
    yield np.abs(100 * np.sin(np.arange(3000.0))), 100, 0.0, 100.0
    yield np.arange(600.0), 300, 0.0, 300.0
    yield np.array([0.5, 39_999.5]), 40_000, 0.0, 40_000.0


def _on_and_beside(edges):
    """Each edge, and the floats next to it."""
    return np.concatenate([np.nextafter(edges, -np.inf), edges, np.nextafter(edges, np.inf)])


def parallel_histogram_inputs(st):
    """Bins whose edges float64 holds exactly; values on, beside and away from them."""

    @st.composite
    def inputs(draw):
        bins, low = draw(st.integers(1, 30)), draw(st.integers(-20, 20)) / 4
        step = draw(st.sampled_from([0.25, 0.5, 0.75, 1.0, 3.0]))
        edges = low + step * np.arange(bins + 1)
        special = _on_and_beside(edges)
        value = st.sampled_from(special.tolist()) | st.floats(low, edges[-1]) | st.floats()
        values = np.array(draw(st.lists(value, max_size=12)))
        more = np.resize(special, draw(st.sampled_from([0, 0, 100, 1001])))
        return np.concatenate([values, more]), bins, low, float(edges[-1])

    return inputs()


def parallel_histogram_races():
    """Every value in one bin; a full turn of the bins; many bins; many values."""
    yield np.full(8, 0.5), 2, 0.0, 1.0
    yield np.array([0.5, 1.5, 0.5, 1.5, 0.5, 1.5, 0.5, 1.5]), 2, 0.0, 2.0
    yield np.arange(40.0).repeat(2), 40, 0.0, 40.0
    values = np.full(5100, np.nan)
    values[::1000] = 0.5  # of the others there is little to interpret
    yield values, 1, 0.0, 1.0


def parallel_histogram_shares():
    """Each bin has values everywhere."""
    yield np.arange(30_000.0) % 8, 8, 0.0, 8.0


# A relaxation step: iterations that read their neighbours, and so must not write over them.


@njit(parallel=True)
def jacobi_step(grid, out):
    """Fill `out` with the mean of the four neighbours in `grid`; the border is copied."""
    rows, columns = grid.shape
    out[:] = grid
    for i in prange(1, rows - 1):
        for j in range(1, columns - 1):
            out[i, j] = (grid[i - 1, j] + grid[i + 1, j] + grid[i, j - 1] + grid[i, j + 1]) / 4


def jacobi_step_spec(grid, out):
    """The same cell by cell, in plain Python."""
    out[:] = grid
    for i in range(1, grid.shape[0] - 1):
        for j in range(1, grid.shape[1] - 1):
            out[i, j] = (grid[i - 1, j] + grid[i + 1, j] + grid[i, j - 1] + grid[i, j + 1]) / 4


def jacobi_step_examples():
    """All border; one inner cell; rows unlike columns; not finite; with gaps; long, wide and large grids."""
    for shape in [(2, 2), (2, 5), (5, 2), (3, 3), (4, 3), (3, 5), (17, 33)]:
        yield _waves(shape), np.full(shape, np.nan)
    yield np.array([[1.0] * 5, [1.0, np.nan, 2.0, np.inf, 1.0], [1.0] * 5]), np.zeros((3, 5))
    yield _waves((8, 6)).T[::2], np.full((6, 10), np.nan)[::2, 1:9]
    for shape in [(3, 1301), (1301, 3), (110, 130)]:
        yield _waves(shape), np.full(shape, np.nan)


def _waves(shape):
    """A grid in which no two cells are alike."""
    return np.sin(1.0 + np.arange(np.prod(shape))).reshape(shape)


def jacobi_step_inputs(st):
    """Small grids of moderate values, and larger ones; `out` filled with NaN."""
    shapes = st.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6)
    grids = st.arrays(np.float64, shapes, elements=st.floats(-1e6, 1e6))
    larger = st.tuples(st.integers(2, 40), st.integers(2, 40)).map(_waves)
    return (grids | larger).map(lambda grid: (grid, np.full(grid.shape, np.nan)))


def jacobi_step_races():
    """Inner cells with neighbours on every side, few and many."""
    for shape in [(6, 6), (72, 74)]:
        yield _waves(shape), np.zeros(shape)


def jacobi_step_shares():
    """More rows and columns than threads."""
    yield _waves((100, 200)), np.zeros((100, 200))


EXERCISES = (
    Exercise(
        name="parallel_max",
        reference=parallel_max,
        spec=parallel_max_spec,
        examples=parallel_max_examples,
        inputs=parallel_max_inputs,
        requirements=(
            Compiled(),
            Parallel(),
            Matches(),
            Returns("float64", ndim=0),
            LeavesInputsAlone(),
            InBounds(),
            RaceFree(parallel_max_races),
            SharesTheWork(parallel_max_shares),
            StaysCompiled(),
        ),
        hints=(
            "Look at the table of reductions: in which rows does a largest value survive?",
            "Numba combines the threads' results when the loop updates one variable with the builtin max.",
            "Start with `largest = values[0]`; in the prange loop, `largest = max(largest, values[i])`.",
        ),
        explanation=(
            "`max(largest, values[i])` is a reduction that Numba knows: each thread keeps a largest value "
            "of its own, and they are combined at the end. Starting with `values[0]` needs no number that "
            "is smaller than all others, so it is right for negative values and for -inf."
        ),
    ),
    Exercise(
        name="parallel_histogram",
        reference=parallel_histogram,
        helpers=(histogram,),
        spec=parallel_histogram_spec,
        examples=parallel_histogram_examples,
        inputs=parallel_histogram_inputs,
        requirements=(
            Compiled(),
            Parallel(),
            Matches(),
            Returns("int64", ndim=1),
            LeavesInputsAlone(),
            InBounds(),
            RaceFree(parallel_histogram_races),
            SharesTheWork(parallel_histogram_shares),
            StaysCompiled(),
        ),
        hints=(
            "Two iterations may never add to the same number. Who, then, may own a row of counts?",
            "Let prange run over workers, as in `brightness_by_worker`: each has a slice of the values and a "
            "row of counts, and the rows are added up at the end. A function for one slice helps.",
            "A value belongs to no bin unless `low <= value <= high`. For the others, estimate `k = "
            "min(int((value - low) / step), bins - 1)` with `step = (high - low) / bins`.",
            "The edges decide: if `value < low + k * step`, it belongs to bin k - 1; if k < bins - 1 and "
            "`value >= low + (k + 1) * step`, to bin k + 1; otherwise to bin k.",
        ),
        explanation=(
            "Each worker counts its slice into an array of its own, so no two iterations touch the same "
            "element, nor fight for a cache line; the rows are added up by one thread at the end. The bin "
            "is estimated by arithmetic, and its edges decide: rounding moves the estimate by far less than "
            "one bin, so one comparison on each side is enough. The same edges in an array and "
            "`np.searchsorted(edges, value, side='right') - 1` are as right, and shorter, at the cost of a "
            "search for each value."
        ),
    ),
    Exercise(
        name="jacobi_step",
        reference=jacobi_step,
        spec=jacobi_step_spec,
        examples=jacobi_step_examples,
        inputs=jacobi_step_inputs,
        requirements=(
            Compiled(),
            Parallel(),
            Matches(rtol=1e-12, of="out"),
            LeavesInputsAlone(except_=("out",)),
            InBounds(),
            RaceFree(jacobi_step_races),
            SharesTheWork(jacobi_step_shares),
            StaysCompiled(),
        ),
        hints=(
            "Which array may be read in the loop, and which one only written?",
            "Copy everything first: `out[:] = grid`. Then prange over inner rows, range over inner columns.",
            "`for i in prange(1, rows - 1):`, in it `for j in range(1, columns - 1):`, and there `out[i, j]` is a "
            "quarter of `grid[i - 1, j] + grid[i + 1, j] + grid[i, j - 1] + grid[i, j + 1]`.",
        ),
        explanation=(
            "The loop reads only `grid` and writes only `out`, and each iteration its own row: whatever the"
            " order, no iteration sees the work of another. The outer loop is the parallel one, so that a "
            "thread gets whole rows, which are neighbours in memory."
        ),
    ),
)
