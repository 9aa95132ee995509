"""Histograms of equal bins with the very counts of `np.histogram`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import int32, njit, prange, types, uint8, uint32, uint64
from numba.core import cgutils
from numba.extending import intrinsic, overload

from numba_course.kernels.checks import check_array, check_integer, check_out, check_threads

DTYPES = tuple(np.dtype(code) for code in "?bBhHiIlLqQefd")
BLOCK = 256  # values whose bins are found together; the bins stay in the first-level cache
AHEAD = 2 * BLOCK  # values: how far they are fetched before their bins are found
FEW = 2048  # bins of which two tables of counters stay in the first-level cache
PART = 2**31  # values that a uint32 counter can count for sure
MOST_BINS = 2**24  # memory for more may be promised and then not be there: the system would end the process
LINE = 32  # uint32 counters that keep two threads off one pair of cache lines
LANES = 8  # bytes in a word
CACHE_LINE = 64  # bytes that memory hands out at a time


def histogram(
    values: np.typing.ArrayLike,
    bins: int,
    low: float | np.floating | np.integer,
    high: float | np.floating | np.integer,
    out: np.typing.NDArray[np.int64] | None = None,
    threads: int = 1,
) -> np.typing.NDArray[np.int64]:
    """Count the values in each of `bins` equal bins from `low` to `high`.

    Parameters
    ----------
    values : array_like of float64, float32, float16, integers or bool, any shape
        It may be read-only; one that is not contiguous is copied, and so are values that do not have the dtype of
        NumPy's edges, as float32 with limits of float64 and integers of 2 bytes or more.
    bins : int, 1 <= bins <= 2**24
    low, high : float or integer of at most 64 bits, low <= high
        As in NumPy equal ones are widened by half a unit to both sides, and their dtype has a part in that of the
        edges: float32 values and limits that are Python's numbers have edges of float32.
    out : ndarray of int64, shape (bins,), optional
        Filled (not added to) and returned.
    threads : int, 1 <= threads <= 4096
        Into how many parts at most the work is shared out, each with counters of its own and no fewer values than
        those: memory stays in proportion to ``values.size + bins``. 1 runs in the calling thread, without the GIL.
        What more cost on a busy machine, after a fork and where several Python threads call: docs/threads.md.

    Returns
    -------
    ndarray of int64, shape (bins,)
        Equal to ``np.histogram(values, bins, (low, high))[0]``: bin k holds the values from edge k to below edge
        k + 1, the last also those equal to `high`; NaN and values outside are not counted.

    Raises
    ------
    TypeError
        Another dtype, a masked array, `bins` or `threads` that is no int, limits that are neither floats nor integers,
        or of more than 64 bits.
    ValueError
        `bins` or `threads` out of range; limits in the wrong order, not finite, too far apart for the difference
        to be finite; limits of two kinds, one of which NumPy rounds to compare values with it, but not to make edges;
        more bins than there are numbers to part them; an unfit `out`.

    Notes
    -----
    The edges are NumPy's own, and so are the counts, also where its edges are not equally spaced, as among subnormal
    numbers: there its guess of a bin, corrected by one at most, is not always the bin between whose edges a value lies.

    Cost: O(n + bins), in blocks that stay in the cache. A vectorised pass computes each value's place by a product.
    A place is in doubt if it is no farther from a whole number than the farthest place of an edge is, ours or NumPy's
    guess; as neither ever falls when the value grows, no other value can be in another bin than NumPy's. Only for
    values in doubt the guess is made, and corrected. Values of 8 bits, and many of float16, are counted one by one and
    shared out to the bins afterwards.
    For bytes that is one update of a counter each; where equal ones follow each other, as in a photograph, it takes no
    longer.
    """
    values = check_array("values", values, DTYPES)
    bins = check_integer("bins", bins, 1, MOST_BINS)
    low, high = _check_limits(low, high)
    threads = check_threads(threads)
    if out is None:
        out = np.empty(bins, np.int64)
    else:
        check_out("out", out, (bins,), (np.int64,), values)
    values = values.ravel(order="K")
    if values.dtype == np.bool_:
        values = values.view(np.uint8)
    if values.itemsize == 1 or values.dtype == np.float16:
        _count_levels(values, bins, low, high, threads, out)
    else:
        rule = _rule(values.dtype, bins, low, high)
        if values.dtype.kind in "iu" and _are_beyond(rule.edges, low, high):
            values = values[(values >= low) & (values <= high)]  # by NumPy, in integers
        _count_places(values.astype(rule.edges.dtype, copy=False), rule, threads, out)
    return out


def histogram_spec(
    values: np.typing.NDArray[Any], bins: int, low: float, high: float
) -> np.typing.NDArray[np.int64]:
    """The counts, as NumPy finds them."""
    return np.histogram(values, bins, (low, high))[0]


def _check_limits(low, high):
    """Return the limits as scalars, equal ones widened."""
    for name, limit in (("low", low), ("high", high)):
        try:
            kind = np.asarray(limit).dtype
        except ValueError:  # a list that is not rectangular
            kind = np.dtype(object)
        if isinstance(limit, int) and kind.hasobject:
            raise TypeError(f"{name} must fit in 64 bits, or be a float, not {limit}")
        if kind.kind not in "iuf" or np.ndim(limit) or np.ma.isMaskedArray(limit):
            raise TypeError(f"{name} must be a float or an integer, not {limit!r}")
        if kind.itemsize > np.float64().itemsize:
            raise TypeError(f"{name} must be a number of at most 64 bits, not of {kind}")
        if not np.isfinite(limit):
            raise ValueError(f"{name} must be finite, not {limit}")
    if low > high:
        raise ValueError(f"low must be at most high, {high}, not {low}")
    low, high = (limit[()] if isinstance(limit, np.ndarray) else limit for limit in (low, high))
    return (low - 0.5, high + 0.5) if low == high else (low, high)


class Rule(NamedTuple):
    """By what NumPy puts values of one dtype into bins: ``(value - edges[0]) / width * bins`` is its guess."""

    edges: np.typing.NDArray[np.floating]
    width: np.floating
    bins: np.floating


def _rule(dtype, bins, low, high):
    """The edges with which `np.histogram` would compare values of `dtype`, and how it guesses."""
    with np.errstate(over="ignore", invalid="ignore"):
        width = _width(low, high)
        if not np.isfinite(width):
            raise ValueError(f"high - low must be finite in {width.dtype}, not {high} - {low}")
        edges = np.histogram_bin_edges(np.empty(0, dtype), bins, (low, high))
        (guess,) = (edges[-1:] - edges[0]) / width * bins
    if not np.isfinite(edges[[0, -1]]).all():
        raise ValueError(f"low and high must be finite in {edges.dtype}, not {low} and {high}")
    if not np.isfinite(guess):
        raise ValueError(f"high - low must be finite in {edges.dtype}, not {high} - {low}")
    if not float(guess) < bins + 1:  # NumPy would look for an edge beyond the last one
        raise ValueError(f"Too many bins: there are too few numbers of {edges.dtype} from {low} to {high}")
    for limit, edge in ((low, edges[0]), (high, edges[-1])):
        dtype_compared = np.result_type(dtype, limit)
        with np.errstate(over="ignore"):
            compared = dtype_compared.type(limit) if dtype_compared.kind == "f" else limit
            same = edges.dtype.type(compared) == edge
        if not same:
            raise ValueError(
                f"low and high must be of one type: NumPy would compare with {compared}, and make an edge of {edge}"
            )
    return Rule(edges, guess.dtype.type(width), guess.dtype.type(bins))


def _width(low, high):
    """``high - low`` as NumPy computes it: integers without a sign."""
    dtype = np.result_type(low, high)
    if dtype.kind == "f":
        return np.subtract(high, low, dtype=dtype)
    for limit in (low, high):
        if not np.iinfo(dtype).min <= limit <= np.iinfo(dtype).max:
            raise ValueError(f"low and high must be of one type: {limit} is no {dtype}, as the other is")
    return np.dtype(f"u{dtype.itemsize}").type(int(high) - int(low))


def _are_beyond(edges, low, high):
    """Say whether a limit is an integer that is no edge, as floats cannot tell it from its neighbours."""
    whole = [limit for limit in (low, high) if isinstance(limit, int | np.integer)]
    return any(abs(int(limit)) >= 1 / np.finfo(edges.dtype).eps for limit in whole)


def _count_levels(values, bins, low, high, threads, out):
    """Fill `out` with the counts of values of a dtype that has few different ones."""
    levels = 256**values.itemsize
    if values.size < levels > 256:
        _rule(values.dtype, bins, low, high)  # refuses what NumPy fails with
        out[:] = np.histogram(values, bins, (low, high))[0]
        return
    bin_of = _bins_of_levels(values.dtype, bins, low, high)
    if levels == 256:
        counts = _counts_of_bytes(values.view(np.uint8), threads)
    else:
        counts = np.bincount(values.view(np.uint16), minlength=levels)
    out[:] = np.bincount(bin_of, counts, bins + 1)[:bins]  # in float64, exact up to 2**53


@lru_cache(maxsize=32, typed=True)  # the edges have the precision of the limits
def _bins_of_levels(dtype, bins, low, high):
    """The bin in which NumPy counts each value of `dtype`, in the order of their bits, `bins` for none."""
    _rule(dtype, bins, low, high)
    levels = np.arange(256**dtype.itemsize, dtype=f"u{dtype.itemsize}").view(dtype)
    inside = np.flatnonzero((levels >= low) & (levels <= high))
    bin_of = np.full(levels.size, bins)
    counts = np.histogram(levels[inside], bins, (low, high))[0]
    bin_of[inside[np.argsort(levels[inside])]] = np.repeat(
        np.arange(bins), counts
    )  # bins rise with the values
    return bin_of


def _count_places(values, rule, threads, out):
    """Fill `out` with the counts of values that have the dtype of the edges."""
    bins, edges, guess = out.size, rule.edges, (rule.width, rule.bins)
    with np.errstate(over="ignore", divide="ignore"):
        scale = bins / (np.float64(edges[-1]) - np.float64(edges[0]))
    scale = scale if np.isfinite(scale) else 0.0  # then every place is 0, and in doubt
    doubt = _farthest(edges, guess, scale) + np.finfo(np.float64).eps
    tables = 2 if bins <= FEW else 1
    side = uint32((tables - 1) * (bins + 1))
    size = tables * (bins + 1)
    parts = _parts(threads, values.size, BLOCK + size)
    # A store to a counter stalls loads of places whose addresses end in the same bits; those of neighbours differ.
    work = np.zeros((parts, BLOCK + size + LINE), np.uint32)
    if threads == 1:
        for part in range(parts):
            _count_part(_part(values, part, parts), edges, guess, scale, doubt, side, work[part])
    else:
        _share_out(values, edges, guess, scale, doubt, side, work)
    work[:, BLOCK : BLOCK + size].reshape(-1, bins + 1)[:, :bins].sum(axis=0, out=out)


@njit(nogil=True, cache=True)
def _farthest(edges, guess, scale):
    """How far the place of an edge is from its number at most, ours or NumPy's guess."""
    low, (width, bins), far = np.float64(edges[0]), guess, 0.0
    for k in range(edges.size):  # compiled, as fresh memory for arrays of places would cost more than they
        place, guessed = (np.float64(edges[k]) - low) * scale, (edges[k] - edges[0]) / width * bins
        far = max(far, abs(place - k), abs(guessed - k))
    return far


def _parts(threads, size, counters):
    """As many parts as threads, but none with fewer values than counters, and none that could overflow one."""
    return max(1, min(threads, size // counters), -(-size // PART))


@njit(nogil=True, cache=True)
def _part(values, part, parts):
    return values[part * values.size // parts : (part + 1) * values.size // parts]


@njit(nogil=True, parallel=True, cache=True)
def _share_out(values, edges, guess, scale, doubt, side, work):
    """Count each part of the values in a row of `work`."""
    parts = work.shape[0]
    for part in prange(parts):
        _count_part(_part(values, part, parts), edges, guess, scale, doubt, side, work[part])


@njit(nogil=True, cache=True)
def _count_part(values, edges, guess, scale, doubt, side, work):
    """Add to the counters behind the places in `work`; number ``edges.size - 1`` takes what is in no bin."""
    places, counts = work[:BLOCK].view(np.int32), work[BLOCK:]
    for start in range(0, values.size, BLOCK):
        block = values[start : start + BLOCK]
        for i in range(start + AHEAD, start + AHEAD + BLOCK, CACHE_LINE // values.itemsize):
            prefetch(values, i)  # the processor's own stops at each page, and while bins are counted
        if _place(block, edges, scale, doubt, places):
            for i in range(block.size):
                if places[i] < 0:
                    places[i] = _settle(block[i], edges, guess)
        _tally(places[: block.size], counts, side)


@njit(nogil=True, cache=True)
def _tally(places, counts, side):
    """Count one half of the places `side` counters on, as values in the same bin would wait for one another."""
    half = places.size // 2
    first, second = places[:half], places[half:]
    for i in range(first.size):
        counts[uint32(first[i])] += uint32(1)
        counts[uint32(second[i]) + side] += uint32(1)
    for place in second[half:]:
        counts[uint32(place)] += uint32(1)


@njit(nogil=True, cache=True)
def _place(values, edges, scale, doubt, places):
    """Compute the bin of each value, inverted where in doubt; return how many are in doubt. Vectorised."""
    low, high, none = np.float64(edges[0]), np.float64(edges[-1]), edges.size - 0.5
    certain, doubtful = 1.0 - doubt, 0
    for i in range(values.size):
        value = np.float64(values[i])
        place = (value - low) * scale if (value >= low) & (value <= high) else none
        k = int32(place)
        near = (place - k <= doubt) | (place - k >= certain)
        places[i] = ~k if near else k
        doubtful += near  # an integer count: a float maximum would not vectorise
    return doubtful


@njit(nogil=True, cache=True)
def _settle(value, edges, guess):
    """Find the bin of one value as NumPy does: by a guess, corrected by one at most; `guess` is its width and bins."""
    last, (width, bins) = edges.size - 2, guess
    if not (value >= edges[0] and value <= edges[-1]):
        return last + 1
    k = min(int((value - edges[0]) / width * bins), last)
    if value < edges[k]:
        k -= 1
    if k < last and value >= edges[k + 1]:
        k += 1
    return k


def prefetch(values: np.typing.NDArray[Any], at: int) -> None:
    """Ask for ``values[at]``, if it exists, ahead of its use: a hint, without effect in Python."""


@overload(prefetch)
def _prefetch(values, at):
    return lambda values, at: _prefetch_line(values, at)


@intrinsic
def _prefetch_line(typingctx, values, at):
    """Not one of `vectors`: the disk cache of these functions would not see an edit there."""

    def generate(context, builder, signature, args):
        pointer, whole = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, whole, whole, whole])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        address = builder.gep(context.make_array(values)(context, builder, args[0]).data, [args[1]])
        how = whole(0), whole(1), whole(1)  # to read, but not for long, data
        builder.call(function, [builder.bitcast(address, pointer), *how])
        return context.get_dummy_value()

    return types.void(values, types.intp), generate


def _counts_of_bytes(values, threads):
    """How often each of the 256 bytes occurs."""
    parts = _parts(threads, values.size, LANES * 256)
    counts = np.zeros((parts, LANES * 256 + LINE), np.uint32)
    if threads == 1:
        for part in range(parts):
            _count_bytes(_part(values, part, parts), counts[part])
    else:
        _share_out_bytes(values, counts)
    return counts[:, : LANES * 256].reshape(-1, 256).sum(axis=0, dtype=np.int64)


@njit(nogil=True, parallel=True, cache=True)
def _share_out_bytes(values, counts):
    """Count each part of the bytes in a row of `counts`."""
    parts = counts.shape[0]
    for part in prange(parts):
        _count_bytes(_part(values, part, parts), counts[part])


@njit(nogil=True, cache=True)
def _count_bytes(values, counts):
    """Add to `counts`, which has 256 for each lane of a word: equal neighbours would wait for one another."""
    whole = values.size // LANES * LANES
    for word in values[:whole].view(np.uint64):
        for lane in range(LANES):
            counts[uint32(lane * 256) + uint8(word)] += uint32(1)
            word >>= uint64(8)
    for i in range(whole, values.size):
        counts[values[i]] += uint32(1)
