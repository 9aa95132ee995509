"""Pictures of chapter 05: page faults, a ring of buffers, the weights of a resized pixel, photographs, windows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from numba_course.lens import figures


def page_faults(counts: Mapping[str, Sequence[int]]) -> figures.Figure:
    """Bars: how many page faults each of several calls had.

    Parameters
    ----------
    counts : mapping of str to sequence of int
        For each way of calling the page faults of its first call, its second, and so on: as many for each.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there are no counts, or not as many for each.
    """
    calls = {len(faults) for faults in counts.values()}
    if len(calls) != 1 or 0 in calls:
        raise ValueError(f"counts must have the same number of calls for each name, not {sorted(calls)}")

    def draw(ax):
        width = 0.8 / len(counts)
        for i, (name, faults) in enumerate(counts.items()):
            left = np.arange(len(faults)) - 0.4 + (i + 0.5) * width
            look = {
                "color": figures.LIGHT,
                "edgecolor": figures.COLOURS[i],
                "hatch": figures.HATCHES[i % len(figures.HATCHES)],
            }
            bars = ax.bar(left, faults, width, label=name, **look)
            ax.bar_label(bars, [f"{count:,}" for count in faults], padding=2, fontsize=8)
        ax.set_xticks(range(*calls), [f"call {k + 1}" for k in range(*calls)])
        ax.set(ylabel="page faults")
        ax.margins(y=0.3)
        ax.legend(frameon=False, loc="upper right", ncols=2)

    told = "; ".join(f"{name} ⟨{', '.join(map(str, faults))}⟩" for name, faults in counts.items())
    return figures.show(draw, f"Page faults, call by call: {told}.")


def ring(batches: Sequence[np.typing.NDArray[Any]]) -> figures.Figure:
    """Which batch was written to which place in memory, and which of them are still there.

    Parameters
    ----------
    batches : sequence of ndarray
        In the order in which they were filled. Those that begin at one address lie in one place.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there are no batches.
    """
    if not batches:
        raise ValueError("batches must have at least one batch")
    addresses = [batch.ctypes.data for batch in batches]
    places = sorted(set(addresses))
    last = {address: number for number, address in enumerate(addresses)}

    def draw(ax):
        for number, address in enumerate(addresses):
            kept = last[address] == number
            box = {"boxstyle": "square,pad=0.5", "facecolor": figures.LIGHT if kept else "white"}
            box |= {"edgecolor": figures.COLOURS[0], "linestyle": "-" if kept else ":"}
            text = f"batch {number}" if kept else f"batch {number}\nlost"
            ax.text(number, places.index(address), text, ha="center", va="center", bbox=box)
        ax.set_yticks(range(len(places)), [f"place {k}" for k in range(len(places))])
        ax.set_xticks(range(len(batches)), [f"{k + 1}." for k in range(len(batches))])
        ax.set(xlabel="in the order in which they were filled", xlim=(-0.6, len(batches) - 0.4))
        ax.set_ylim(len(places) - 0.4, -0.6)

    lost = [
        f"batch {new} lies where batch {old} was"
        for (old, one), (new, other) in itertools.combinations(enumerate(addresses), 2)
        if one == other and other not in addresses[old + 1 : new]
    ]
    alt = f"{len(batches)} batches in {len(places)} places: {'; '.join(lost) or 'each has its own'}."
    return figures.show(draw, alt, size=(6.4, 0.9 + 0.6 * len(places)))


def weights_of(
    resize: Callable[..., np.typing.NDArray[Any]],
    old: tuple[int, int],
    new: tuple[int, int],
    pixel: tuple[int, int],
) -> np.typing.NDArray[np.float64]:
    """How much of each old pixel is in a new one, found out by resizing images of which one pixel is 1.

    Parameters
    ----------
    resize : callable
        Takes a float64 image, a height and a width; gives the image in that size.
    old, new : tuple of int
        Height and width of the image, before and after.
    pixel : tuple of int
        Row and column of the new pixel.

    Returns
    -------
    ndarray of float64, of the shape `old`

    Raises
    ------
    IndexError
        If there is no such pixel.
    """
    weights = np.empty(old)
    for place in np.ndindex(*old):
        image = np.zeros(old)
        image[place] = 1.0
        weights[place] = resize(image, *new)[pixel]
    return weights


def weights(
    resize: Callable[..., np.typing.NDArray[Any]],
    old: tuple[int, int] = (3, 3),
    new: tuple[int, int] = (2, 2),
    pixel: tuple[int, int] = (0, 0),
) -> figures.Figure:
    """Old pixels as squares, new ones over them, and how much of each old pixel is in one of the new.

    Parameters
    ----------
    resize, old, new, pixel
        As of `weights_of`.

    Returns
    -------
    Figure

    Raises
    ------
    IndexError
        If there is no such pixel.
    """
    found = weights_of(resize, old, new, pixel)
    height, width = old[0] / new[0], old[1] / new[1]

    def draw(ax):
        for (i, j), weight in np.ndenumerate(found):
            colour = figures.LIGHT if weight else "white"
            ax.add_patch(_square(j, i, 1, 1, facecolor=colour, edgecolor="#555555"))
            ax.plot(j + 0.5, i + 0.5, "o", color="#555555", markersize=4)
            if weight:
                ground = {
                    "facecolor": figures.LIGHT,
                    "edgecolor": "none",
                    "pad": 1,
                }  # the edges of pixels pass below
                ax.text(j + 0.5, i + 0.26, f"{weight:.4g}", ha="center", va="center", bbox=ground)
        for i, j in np.ndindex(*new):
            chosen = (i, j) == pixel
            colour, line = (figures.COLOURS[1], 2.5) if chosen else ("#888888", 1)
            look = {"fill": False, "edgecolor": colour, "linewidth": line, "linestyle": "--"}
            ax.add_patch(_square(j * width, i * height, width, height, **look))
            ax.plot((j + 0.5) * width, (i + 0.5) * height, "x", color=colour, markersize=9, markeredgewidth=2)
        ax.set(xlim=(-0.1, old[1] + 0.1), ylim=(old[0] + 0.1, -0.1), aspect="equal")
        ax.axis("off")

    shares = ", ".join(f"{weight:.4g} of {place}" for place, weight in np.ndenumerate(found) if weight)
    alt = (
        f"{old[0]} × {old[1]} old pixels with a dot at each centre; over them, dashed, {new[0]} × {new[1]} new ones "
        f"with a cross at each centre. The new pixel {pixel} takes {shares}."
    )
    return figures.show(draw, alt, size=(3.6, 3.6 * old[0] / old[1]))


def _square(x, y, width, height, **look):
    """A rectangle with its corner at the upper left."""
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, **look)


def photographs(images: Mapping[str, np.typing.NDArray[Any]], alt: str) -> figures.Figure:
    """Grey images side by side, each under its name; 0 is black and 255 white.

    Parameters
    ----------
    images : mapping of str to 2-D ndarray
    alt : str
        What they show, in words.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If `alt` is empty.
    """

    def draw(ax):
        for column, (name, image) in enumerate(images.items()):
            rows, columns = image.shape
            extent = (column + 0.02, column + 0.98, rows / columns * 0.96, 0)
            ax.imshow(image, cmap="gray", vmin=0, vmax=255, extent=extent)
            ax.text(column + 0.02, -0.04, name, va="bottom")
        tallest = max(image.shape[0] / image.shape[1] for image in images.values())
        ax.set(xlim=(0, len(images)), ylim=(tallest * 0.96, -0.15))
        ax.axis("off")

    return figures.show(draw, alt, size=(2.6 * len(images), 3.4))


def windows(values: np.typing.NDArray[Any], window: int) -> figures.Figure:
    """The sum of each window of neighbours as that of the end of one block and the beginning of the next.

    Parameters
    ----------
    values : 1-D ndarray of float
        Cut into blocks as long as the window.
    window : int

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is no such window.
    """
    if not 1 <= window <= len(values):
        raise ValueError(f"window must be from 1 to {len(values)}, not {window}")
    rows = [_parts(start, window) for start in range(len(values) - window + 1)]
    sums = [[f"{np.sum(values[start:stop]):g}" for start, stop in parts] for parts in rows]
    totals = [f"{np.sum(values[k : k + window]):g}" for k in range(len(rows))]

    def draw(ax):
        for k, value in enumerate(values):
            ax.text(k + 0.5, 0, f"{value:g}", ha="center", va="center")
        for place in range(0, len(values) + 1, window):
            ax.axvline(place, color="#888888", linewidth=1)
        for k, parts in enumerate(rows):
            for (start, stop), text in zip(parts, sums[k], strict=True):
                ends = stop % window == 0
                look = {"facecolor": figures.LIGHT if ends else "white", "linestyle": "-" if ends else "--"}
                look["edgecolor"] = figures.COLOURS[0 if ends else 1]
                ax.add_patch(_square(start + 0.05, k + 0.6, stop - start - 0.1, 0.8, linewidth=1.5, **look))
                ax.text((start + stop) / 2, k + 1, text, ha="center", va="center")
            ax.text(len(values) + 0.3, k + 1, totals[k], va="center")
        ax.set_yticks(range(len(rows) + 1), ["values", *(f"sum of window {k}" for k in range(len(rows)))])
        ax.set(xlim=(-0.1, len(values) + 1.2), ylim=(len(rows) + 0.6, -0.5), xticks=[])

    told = "; ".join(
        f"{' + '.join(row)} = {total}" if row[1:] else total for row, total in zip(sums, totals, strict=True)
    )
    alt = f"Blocks of {window}. Sums of the windows, solid up to the end of a block, dashed from its beginning: {told}."
    return figures.show(draw, alt, size=(5.0, 0.9 + 0.4 * len(rows)))


def _parts(start, window):
    """A window as the end of the block in which it begins, and the beginning of the next block, if it goes so far."""
    cut = (start // window + 1) * window
    return [part for part in ((start, cut), (cut, start + window)) if part[0] < part[1]]
