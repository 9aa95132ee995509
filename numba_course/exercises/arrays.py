"""Arrays on which exercises try an answer: large ones, and ones with gaps in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

BLOCKS = 8192  # elements: a multiple of any block that is a power of two, so that the last one is a whole one
MANY = 7001  # elements: for what may take time for each pair of them
LARGE = 70_001  # elements: more than 16 bits count, more than any table holds, and no multiple of a block


def spread(array: np.typing.NDArray[Any]) -> np.typing.NDArray[Any]:
    """The same values in every second element of a larger array; what lies between is no fair value."""
    between = np.nan if array.dtype.kind == "f" else np.iinfo(array.dtype).max
    wide = np.full(tuple(2 * n for n in array.shape), between, array.dtype)
    places = wide[tuple(slice(None, None, 2) for _ in array.shape)]
    places[...] = array
    return places


def layouts(array: np.typing.NDArray[Any]) -> Iterator[np.typing.NDArray[Any]]:
    """The array as it is, and its values in the opposite order with gaps in memory.

    The values differ, so that memory which an answer forgot to fill is not right by luck: the first call left it.
    """
    yield array
    yield spread(array[tuple(slice(None, None, -1) for _ in array.shape)])
