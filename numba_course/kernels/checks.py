"""Checks that the kernels' wrappers share: each error names the argument, what it was and what it must be."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np

MOST_THREADS = 4096  # more than any machine has; parts need memory of their own
BOOLS = (bool, np.bool_)  # as a tuple: `isinstance` takes twice as long with their union
OVERLAP_WORK = 10_000  # steps of NumPy's search for a shared element; then it counts as found


def check_array(
    name: str, value: np.typing.ArrayLike, dtypes: Sequence[np.typing.DTypeLike], ndim: int | None = None
) -> np.typing.NDArray[Any]:
    """Return `value` as a plain array in native byte order, copied only where it must be.

    Parameters
    ----------
    name : str
        Of the argument, for the error.
    value : array_like
    dtypes : sequence of dtype
        Those that the kernel takes.
    ndim : int or None
        How many axes it must have; None for any number.
    """
    if np.ma.isMaskedArray(value):
        raise TypeError(f"{name} must not be a masked array: fill it first, for example with NaN")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, OverflowError) as error:  # as of lists that are not rectangular
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name} must be an array, or what NumPy makes one of: {error}") from None
    native = array.dtype if array.dtype.isnative else array.dtype.newbyteorder("=")
    if native not in dtypes or native.fields:  # which make it no other for NumPy, but for Numba
        raise TypeError(f"{name} must be of dtype {_listed(dtypes)}, not {array.dtype}")
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} {'axis' if ndim == 1 else 'axes'}, not {array.ndim}")
    return array if native is array.dtype else array.astype(native)


def check_out(
    name: str,
    out: object,
    shape: Sequence[int],
    dtypes: Sequence[np.typing.DTypeLike],
    *inputs: np.typing.NDArray[Any],
) -> None:
    """Refuse an `out` that a kernel cannot fill, or that shares an element with itself or one of the `inputs`."""
    if not isinstance(out, np.ndarray) or np.ma.isMaskedArray(out):
        raise TypeError(f"{name} must be a plain NumPy array, not {type(out).__name__}")
    if out.dtype not in dtypes or out.dtype.fields:
        raise TypeError(f"{name} must be of dtype {_listed(dtypes)}, not {out.dtype}")
    if out.shape != tuple(shape):
        raise ValueError(f"{name} must have shape {tuple(shape)}, not {out.shape}")
    if not out.flags.writeable:
        raise ValueError(f"{name} must be writeable, not read-only")
    if not _elements_are_apart(out):
        raise ValueError(f"{name} must not overlap itself, as strides of {out.strides} bytes make it")
    for value in inputs:
        if np.may_share_memory(out, value, max_work=OVERLAP_WORK):  # type: ignore[arg-type] # NumPy's knows 0 and -1
            raise ValueError(f"{name} must not share memory with an input")


def check_integer(name: str, value: SupportsIndex, low: int | None = None, high: int | None = None) -> int:
    """Return `value` as an int in `low`..`high`; whole numbers of other types, such as 3.0 or True, are refused."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, BOOLS):
        raise TypeError(f"{name} must be an integer, not {value!r}")
    if (low is not None and number < low) or (high is not None and number > high):
        span = f"at least {low}" if high is None else f"in {low}..{high}"
        raise ValueError(f"{name} must be {span}, not {number}")
    return number


def check_axis(axis: SupportsIndex, ndim: int) -> int:
    """Return `axis`, of an array with `ndim` of them, counted from the first."""
    number = check_integer("axis", axis)
    if not -ndim <= number < ndim:
        raise np.exceptions.AxisError(number, ndim)
    return number % ndim


def check_threads(threads: SupportsIndex) -> int:
    """Return `threads`: into how many parts the work is shared out."""
    return check_integer("threads", threads, 1, MOST_THREADS)


def _elements_are_apart(array):
    """Say whether each step along an axis leads past all that the axes of smaller steps span.

    So it is in every slice, transposition and reversal of a fresh array. A few odd strides that interleave without
    a clash are refused with the others: to tell them apart is an NP-complete problem.
    """
    if array.size == 0 or array.flags.c_contiguous:
        return True
    span = array.itemsize
    for step, length in sorted(
        (abs(step), n) for step, n in zip(array.strides, array.shape, strict=True) if n > 1
    ):
        if step < span:
            return False
        span += step * (length - 1)
    return True


def _listed(dtypes):
    *most, last = dict.fromkeys(np.dtype(dtype).name for dtype in dtypes)  # C has two names for some
    return f"{', '.join(most)} or {last}" if most else last
