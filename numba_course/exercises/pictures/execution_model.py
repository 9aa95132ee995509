"""Pictures of chapter 01: a number as an object and in an array, what an iteration costs, time for each element."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from numba_course.lens import figures
from numba_course.lens.comparison import Sweep
from numba_course.lens.relations import Relation


def boxed(number: int, values: np.typing.NDArray[Any]) -> figures.Figure:
    """The bytes of an int of Python, and those of one element of an array: a square for each byte.

    Parameters
    ----------
    number : int
    values : ndarray
        Its item size is that of the element.

    Returns
    -------
    Figure

    Raises
    ------
    TypeError
        If `number` is no plain int: other objects have other parts.
    """
    if type(number) is not int:
        raise TypeError(f"number must be an int, not {type(number).__name__}")
    parts = parts_of(number)
    total, item = sum(parts.values()), values.itemsize

    def draw(ax):
        left = 0
        for k, (name, size) in enumerate(parts.items()):
            look = {
                "facecolor": figures.LIGHT if k == len(parts) - 1 else "white",
                "hatch": figures.HATCHES[k],
            }
            _squares(ax, left, 0, size, **look)
            ax.text(left + size / 2, 1.25, f"{name}\n{size} bytes", ha="center", va="bottom", fontsize=8)
            left += size
        ax.text(0, 3.0, f"the int {number:,} as an object of Python: {total} bytes", va="bottom")
        _squares(ax, 0, -3.4, item, facecolor=figures.LIGHT, hatch=figures.HATCHES[len(parts) - 1])
        ax.text(0, -2.15, f"one {values.dtype} in an array: {item} bytes", va="bottom")
        ax.set(xlim=(-0.3, max(total, item) + 0.3), ylim=(-3.7, 4.2), aspect="equal")
        ax.axis("off")

    told = ", ".join(f"{name} {size} bytes" for name, size in parts.items())
    alt = (
        f"The int {number:,} as an object of Python has {total} bytes: {told}. "
        f"One {values.dtype} in an array has {item} bytes, all of them for the number."
    )
    return figures.show(draw, alt, size=(6.4, 1.9))


def parts_of(number: int) -> dict[str, int]:
    """The parts of the object that an int is, in the order in which they lie in memory, and their bytes."""
    header, own = object.__basicsize__, int.__basicsize__
    return {
        "reference count": header // 2,
        "type": header - header // 2,
        "sign and length": own - header,
        "the number": sys.getsizeof(number) - own,
    }


def _squares(ax, left, bottom, count, **look):
    """A row of squares with one edge around them all."""
    from matplotlib.patches import Rectangle

    for k in range(count):
        ax.add_patch(Rectangle((left + k, bottom), 1, 1, edgecolor="#999999", linewidth=0.5, **look))
    ax.add_patch(Rectangle((left, bottom), count, 1, fill=False, edgecolor="#333333", linewidth=1.5))


def costs(relation: Relation) -> figures.Figure:
    """One bar: what an iteration costs, part by part, in nanoseconds.

    Parameters
    ----------
    relation : Relation
        Of times that are parts of one whole, in their order, with what a sentence says of them.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there are no times.
    """
    measured = relation.measured
    parts = {entry.name: 1e9 * measured.seconds(entry.name) for entry in measured.entries}
    if not parts:
        raise ValueError("relation must be of at least one time")

    def draw(ax):
        left = 0.0
        for k, (name, part) in enumerate(parts.items()):
            look = {"color": figures.LIGHT if k % 2 else "white", "edgecolor": "#333333"}
            ax.barh(0, part, left=left, height=1, hatch=figures.HATCHES[k % len(figures.HATCHES)], **look)
            ground = {"facecolor": "white", "edgecolor": "none", "pad": 1}
            ax.text(left + part / 2, 0, f"{part:.0f}", ha="center", va="center", bbox=ground)
            height = 0.6 + 0.5 * (k % 2)  # labels of narrow parts would lie on each other
            ax.text(left + part / 2, height, name, ha="center", va="bottom", fontsize=9)
            left += part
        ax.set(xlim=(0, left * 1.02), ylim=(-0.5, 1.6), xlabel="nanoseconds for one iteration")
        ax.spines["left"].set_visible(False)
        ax.set_yticks([])

    told = ", ".join(f"{name} ⟨{part:.1f}⟩" for name, part in parts.items())
    return figures.show(draw, f"One iteration in nanoseconds: {told}.", relation, size=(6.4, 1.9))


def per_element(relation: Relation, compiled: str, unit: str) -> figures.Figure:
    """Time for each element against their number: a curve for each function, and one for a first call.

    Parameters
    ----------
    relation : Relation
        Of a sweep over numbers of elements.
    compiled : str
        The entry whose compiler's time is added in the curve of its first call.
    unit : str
        What the elements are, such as ``"price"``.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is no such entry, or nothing was compiled for it.
    """
    sweep: Sweep = relation.measured
    compiling = sweep.comparisons[0].compile_seconds(compiled)
    if compiling is None:
        raise ValueError(f"compiled must be an entry that is compiled, unlike {compiled!r}")
    names = [entry.name for entry in sweep.comparisons[0].entries]
    times = {name: [sweep.at(n).seconds(name) / n for n in sweep.sizes] for name in names}
    first = [(compiling + sweep.at(n).seconds(compiled)) / n for n in sweep.sizes]

    def draw(ax):
        for row, (name, seconds) in enumerate({**times, f"{compiled}, first call": first}.items()):
            ax.plot(sweep.sizes, seconds, label=name, **figures.look(row))
        ax.set(xscale="log", yscale="log", xlabel=f"number of {unit}s", ylabel=f"seconds for each {unit}")
        figures.label_ends(ax)

    last = f"{sweep.sizes[-1]:,}"
    told = ", ".join(f"{name} ⟨{1e9 * seconds[-1]:.3g}⟩ ns" for name, seconds in times.items())
    alt = f"Time for each {unit} against their number. Of {last}, each takes {told}; "
    alt += f"the first call of {compiled} ⟨{1e9 * first[-1]:.3g}⟩ ns."
    return figures.show(draw, alt, relation)
