"""Whether two results agree, and where they first do not: shape before value, NaN equal to NaN."""

from __future__ import annotations

from typing import Any

import numpy as np


def agreement(
    actual: np.typing.NDArray[Any], expected: np.typing.NDArray[Any], rtol: float, atol: float = 0.0
) -> np.typing.NDArray[np.bool_]:
    """Compare two arrays element by element.

    Parameters
    ----------
    actual, expected : ndarray of one shape
    rtol : float
        Allowed error of a float, relative to the largest finite magnitude in `expected`.
    atol : float
        The same, absolute.

    Returns
    -------
    ndarray of bool, of that shape
        True where the two agree. NaN equals NaN; what is no float must be equal.
    """
    same = np.asarray((actual == expected) | ((actual != actual) & (expected != expected)), dtype=bool)
    if expected.dtype.kind in "fc":
        finite = np.isfinite(expected)
        reach = rtol * float(np.abs(expected[finite]).max(initial=0.0)) + atol
        with np.errstate(invalid="ignore", over="ignore"):
            same |= finite & (np.abs(actual - expected) <= reach)
    return same


def first_difference(same: np.typing.NDArray[np.bool_]) -> tuple[int, ...]:
    """Index of the first element that is False in what `agreement` returned, as a tuple of int."""
    return tuple(int(i) for i in np.unravel_index(np.argmin(same), same.shape)) if same.ndim else ()


def disagreement(actual: Any, expected: Any, terms: float = 0.0, ulps: float | None = None) -> str:
    """Say how one function's result differs from another's: where it is of another kind, or off.

    Parameters
    ----------
    actual, expected : object
        Scalars, arrays, None, or lists and tuples of such; of other objects ``==`` decides.
    terms : float
        Sum of the magnitudes of the numbers behind the results: a scalar float may be off by the rounding
        error of a sum of them.
    ulps : float, optional
        Allowed error of floats, as a multiple of the machine epsilon of the coarser dtype, relative to the largest
        magnitude. If not given, half the digits must agree, as the order of a sum is free.

    Returns
    -------
    str
        A phrase with the values inside ``⟨ ⟩``; empty if the two agree.
    """
    actual, expected = _plain(actual), _plain(expected)
    if isinstance(actual, tuple) and isinstance(expected, tuple) and len(actual) == len(expected):
        phrases = (disagreement(*pair, terms, ulps) for pair in zip(actual, expected, strict=True))
        return next((f"item {i}: {phrase}" for i, phrase in enumerate(phrases) if phrase), "")
    if _kind(actual) != _kind(expected):
        return f"{_described(actual)}, not {_described(expected)}"
    if actual is None:
        return ""
    eps = max((np.finfo(a.dtype).eps for a in (actual, expected) if a.dtype.kind in "fc"), default=0.0)
    rtol = float(np.sqrt(eps)) if ulps is None else float(ulps * eps)
    same = agreement(actual, expected, rtol, 0.0 if actual.ndim else 8 * eps * terms)
    if same.all():
        return ""
    index = first_difference(same)
    place = f" at [{', '.join(map(str, index))}]" if index else ""
    return f"⟨{actual[index]}{place}, not {expected[index]}⟩"


def _plain(value):
    """None, a tuple for what has parts of different kinds or shapes, else an array."""
    if value is None or isinstance(value, tuple):
        return value
    try:
        return np.asarray(value)
    except ValueError:
        return tuple(value)


def _kind(value):
    """What must be the same before values are compared."""
    return (value.shape, value.dtype.kind) if isinstance(value, np.ndarray) else _described(value)


def _described(value):
    """In words, what sort of result this is."""
    if value is None:
        return "None"
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    return f"{value.dtype} of shape {value.shape}" if value.ndim else f"one {value.dtype}"
