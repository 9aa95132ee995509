"""Values as the learner would write them: short, exact, and the same on every machine."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

LONGEST = 12  # elements of an array that are written out


def show(value: object) -> str:
    """The value as source text; a long array by its type and shape."""
    if isinstance(value, np.ndarray):
        return _show_array(value)
    if isinstance(value, np.generic):
        return f"np.{value.dtype.name}({value.item()!r})"
    if isinstance(value, tuple):
        inside = ", ".join(map(show, value))
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _show_array(array):
    """An array as a call of np.array, or its type where it is long."""
    if array.size > LONGEST or array.dtype.names:
        return show_type(array)
    text = str(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    usual = array.dtype in (np.float64, np.int64, np.bool_) and array.size
    dtype = "" if usual else f", dtype=np.{array.dtype.name}"
    shape = f".reshape{array.shape}" if array.ndim > 1 and not array.size else ""
    layout = "" if array.flags.c_contiguous or not array.size else " (strided)"
    return f"np.array({text}{dtype}){shape}{layout}"


def show_type(value: object) -> str:
    """What kind of value it is: dtype and shape of an array, the type of anything else."""
    if isinstance(value, np.ndarray):
        return (
            f"{value.dtype.name} array of shape {value.shape}"
            if value.size
            else f"{value.dtype.name} array, {value.ndim}-D"
        )
    return type(value).__name__


def show_kinds(kinds: Iterable[object]) -> str:
    """Numba's types of the arguments of a call."""
    return ", ".join(map(str, kinds))


def show_some(texts: Iterable[str], shown: int = 3) -> str:
    """The first of some texts, and how many more there are."""
    texts = list(texts)
    more = [f"{len(texts) - shown} more"] if len(texts) > shown else []
    return "; ".join(texts[:shown] + more)
