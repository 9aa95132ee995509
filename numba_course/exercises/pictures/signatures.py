"""Pictures of chapter 03: in which order the elements of an array lie in memory, and what a signature asks of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from numba_course.lens import acceptance, figures

LONGEST = 24  # places that one array may stretch over
GAP = "not in the array"


@dataclass(frozen=True)
class Places:
    """Where the elements of an array lie.

    Attributes
    ----------
    elements : tuple of (tuple of int, or None)
        From the first place in memory that belongs to the array to the last: the index of the element that lies
        there, None for a gap.
    layout : str
        The letter in Numba's type: C, F or A.
    """

    elements: tuple[tuple[int, ...] | None, ...]
    layout: str


def places(array: np.typing.NDArray[Any]) -> Places:
    """In which order the elements of an array lie in memory.

    Parameters
    ----------
    array : ndarray
        With at least one element, and at most `LONGEST` places from its first to its last.

    Returns
    -------
    Places

    Raises
    ------
    ValueError
        If the array has no element, stretches too far, or its elements do not lie side by side in whole places.
    """
    if not array.size:
        raise ValueError("array must have at least one element")
    offsets = {index: int(np.dot(index, array.strides)) for index in np.ndindex(array.shape)}
    first, last = min(offsets.values()), max(offsets.values())
    length, rest = divmod(last - first, array.itemsize)
    if length >= LONGEST:
        raise ValueError(f"array must lie in at most {LONGEST} places, not in {length + 1}")
    elements: list[tuple[int, ...] | None] = [None] * (length + 1)
    for index, offset in offsets.items():
        place, rest = divmod(offset - first, array.itemsize)
        if rest or elements[place] is not None:
            raise ValueError("array must have one whole place for each element")
        elements[place] = index
    return Places(tuple(elements), numba.typeof(array).layout)


def layouts(arrays: Mapping[str, np.typing.NDArray[Any]], *signatures: str) -> figures.Figure:
    """Memory as a row of places, for each array: which element lies where, and which signatures take the array.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        As `places` takes them.
    *signatures : str
        Types, as they are written in a signature: ``"float64[:, ::1]"``. Each is compiled and tried.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there are no arrays, or one of them cannot be drawn.
    """
    if not arrays:
        raise ValueError("arrays must have at least one array")
    found = {name: places(array) for name, array in arrays.items()}
    tried = {
        name: {text: acceptance.takes(text, array) for text in signatures} for name, array in arrays.items()
    }

    pitch = 1.3 if signatures else 1.0

    def draw(ax):
        for row, (name, where) in enumerate(found.items()):
            top = row * pitch
            title = f"{name}: layout {where.layout}, strides {arrays[name].strides}"
            ax.text(0, top - 0.08, title, va="bottom", ha="left")
            _draw_row(ax, top, where.elements)
            ax.text(0, top + 0.58, _verdicts(tried[name]), va="top", ha="left", fontsize=9)
        widest = max(6, *(len(where.elements) for where in found.values()))
        ax.text(widest, len(found) * pitch, "addresses in memory grow this way →", va="bottom", ha="right")
        ax.set(xlim=(-0.05, widest + 0.05), ylim=(len(found) * pitch + 0.02, -0.45))
        ax.axis("off")

    told = " ".join(_in_words(name, where, tried[name]) for name, where in found.items())
    return figures.show(draw, told, size=(6.4, 0.5 + 0.85 * pitch * len(found)))


def _draw_row(ax, top, elements):
    from matplotlib.patches import Rectangle

    for place, index in enumerate(elements):
        look = {"edgecolor": figures.COLOURS[0], "facecolor": (figures.COLOURS[0], 0.15)}
        if index is None:
            look = {"edgecolor": "#888888", "facecolor": "white", "hatch": "///", "linestyle": ":"}
        ax.add_patch(Rectangle((place, top), 1, 0.5, **look))
        if index is not None:
            ax.text(place + 0.5, top + 0.25, _index(index), ha="center", va="center", fontsize=9)


def _verdicts(tried):
    return "     ".join(
        f"{'✓ taken by' if is_taken else '✗ refused by'} {text}" for text, is_taken in tried.items()
    )


def _in_words(name, where, tried):
    order = ", ".join(GAP if index is None else _index(index) for index in where.elements)
    taken = [text for text, is_taken in tried.items() if is_taken]
    verdict = f" Taken by {', '.join(taken) or 'none'} of {len(tried)}." if tried else ""
    return f"{name}, layout {where.layout}, in memory: {order}.{verdict}"


def _index(index):
    """An index as it is written in brackets."""
    return f"[{', '.join(map(str, index))}]"
