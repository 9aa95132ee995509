"""Whether two results agree, and where they first do not: shape before value, NaN equal to NaN."""

from __future__ import annotations

from typing import Any

import numpy as np

from numba_course.process.arguments import plain

TOGETHER = 64  # epsilons of the largest magnitude in an array by which its elements may be off, however small


class Incomparable(TypeError):
    """Nothing says whether two results agree; why is the text."""


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
        Scalars, arrays, None, or lists, tuples and dicts of such, Numba's own too: a dict by its keys, which must be
        equal, in any order; of other objects ``==`` decides.
    terms : float
        Sum of the magnitudes of the numbers behind the results: a float may be off by the rounding error of a sum of
        them; with `ulps` only a scalar.
    ulps : float, optional
        Allowed error of floats, as a multiple of the machine epsilon of the coarser dtype, relative to the largest
        magnitude. If not given, half the digits of each float must agree, as the order of a sum is free, or the float
        be off by 64 epsilons of the largest magnitude in its array at most, as sums may cancel.

    Returns
    -------
    str
        A phrase with the values inside ``⟨ ⟩``; empty if the two agree.

    Raises
    ------
    Incomparable
        If the objects have no ``==`` that says yes or no.
    """
    actual, expected = _plain(actual), _plain(expected)
    if _kind(actual) != _kind(expected):
        return f"{_described(actual)}, not {_described(expected)}"
    if isinstance(expected, tuple):
        names = (f"item {i}" for i in range(len(expected)))
        return _first_of_parts(names, zip(actual, expected, strict=True), terms, ulps)
    if isinstance(expected, dict):
        return _of_dicts(actual, expected, terms, ulps)
    if not isinstance(expected, np.ndarray):
        return "" if _is_equal(actual, expected) else f"⟨{actual}, not {expected}⟩"
    if expected.dtype.names:  # a record with a NaN is not equal to itself, whatever else is in it
        pairs = ((actual[name], expected[name]) for name in expected.dtype.names)
        return _first_of_parts((f"field {name!r}" for name in expected.dtype.names), pairs, terms, ulps)
    return _of_arrays(actual, expected, terms, ulps)


def _first_of_parts(names, pairs, terms, ulps):
    """How the first of the pairs that do not agree differ, with its name; empty if all agree."""
    phrases = ((name, disagreement(*pair, terms, ulps)) for name, pair in zip(names, pairs, strict=True))
    return next((f"{name}: {phrase}" for name, phrase in phrases if phrase), "")


def _of_dicts(actual, expected, terms, ulps):
    """How two dicts of one length differ: in the keys, in their type, or in a value."""
    own = {key: key for key in actual}
    names, pairs = [], []
    for key, value in expected.items():
        if key not in own:
            return f"⟨no key {key!r}⟩"
        names += [f"key ⟨{key!r}⟩", f"at key ⟨{key!r}⟩"]
        pairs += [(own[key], key), (actual[key], value)]
    return _first_of_parts(names, pairs, terms, ulps)


def _of_arrays(actual, expected, terms, ulps):
    """How two arrays of one shape and kind of dtype differ."""
    eps = max((np.finfo(a.dtype).eps for a in (actual, expected) if a.dtype.kind in "fc"), default=0.0)
    if ulps is None:
        same = agreement(actual, expected, float(TOGETHER * eps), 8 * eps * terms)
        if eps:
            with np.errstate(invalid="ignore", over="ignore"):
                same |= np.isfinite(expected) & (np.abs(actual - expected) <= np.sqrt(eps) * np.abs(expected))
    else:
        same = agreement(actual, expected, float(ulps * eps), 0.0 if actual.ndim else 8 * eps * terms)
    if same.all():
        return ""
    index = first_difference(same)
    place = f" at [{', '.join(map(str, index))}]" if index else ""
    return f"⟨{actual[index]}{place}, not {expected[index]}⟩"


def _is_equal(actual, expected):
    """What ``==`` says of two objects, if it compares more than where they lie in memory."""
    name = type(expected).__name__
    if actual is expected:
        return True
    if type(actual).__eq__ is object.__eq__ and type(expected).__eq__ is object.__eq__:
        raise Incomparable(f"{name!r} objects have no == of their own")
    try:
        return bool(actual == expected)
    except Exception as error:  # whatever their own method raises
        raise Incomparable(f"== of {name!r} objects raises {type(error).__name__}") from error


def _plain(value):
    """None, a dict, a tuple for what has parts of different kinds or shapes, an array, or an object as it is."""
    value = plain(value)
    if value is None or isinstance(value, (tuple, dict)):
        return value
    try:
        array = np.asarray(value)
    except ValueError:
        return tuple(value)
    if isinstance(value, list) and _mixes(value, array):
        return tuple(value)
    if array.dtype.kind != "O":
        return array
    return (array.shape, *array.flat) if array.ndim else value


def _mixes(items, array):
    """Whether NumPy has made an array of items that it had to convert to text, or could only point to."""
    return array.dtype.kind in "OUS" and not any(
        all(isinstance(item, kind) for item in items) for kind in (str, bytes)
    )


def _kind(value):
    """What must be the same before values are compared."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.kind, value.dtype.names
    return _described(value)


def _described(value):
    """In words, what sort of result this is."""
    if value is None:
        return "None"
    if isinstance(value, (tuple, dict)):
        return f"a {'dict' if isinstance(value, dict) else 'list or tuple'} of {len(value)}"
    if not isinstance(value, np.ndarray):
        return "an object"
    return f"{value.dtype} of shape {value.shape}" if value.ndim else f"one {value.dtype}"
