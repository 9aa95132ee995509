"""Figures as values: drawn once, in one plain style, with alternative text for readers and for tests."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from numba_course.host import brought_by
from numba_course.lens import html

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from numba_course.lens.relations import Relation

STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
}
COLOURS = ("#2d70b3", "#c23b50", "#24803f", "#946600", "#7a5195", "#555555")
MARKERS = ("o", "s", "^", "D", "v", "P")
HATCHES, LIGHT = ("", "///", "...", "xx"), "#dce6f2"  # of areas
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))


@dataclass(frozen=True)
class Figure:
    """A finished drawing.

    Attributes
    ----------
    png : bytes
        The image.
    alt : str
        What it shows, in words. Numbers that differ from run to run stand inside ``⟨ ⟩``.
    """

    png: bytes = field(repr=False)
    alt: str

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def _ipython_display_(self):
        """Show the image, and its words below: JupyterLab makes nothing of an image's alternative text."""
        from IPython.display import display

        image = {"image/png": base64.b64encode(self.png).decode(), "text/plain": repr(self)}
        display(image, raw=True, metadata={"image/png": {"alt": self.alt}})
        display({"text/html": f"<div>{html.escape(self.alt)}</div>", "text/plain": self.alt}, raw=True)


def show(
    draw: Callable[[Axes], object], alt: str, *relations: Relation, size: tuple[float, float] = (6.4, 3.6)
) -> Figure:
    """Draw a figure in the house style.

    Parameters
    ----------
    draw : callable
        Called once with an empty matplotlib ``Axes``. Nothing of the user's own matplotlib settings, nor
        pyplot's state, is used or changed.
    alt : str
        What the figure shows, for people who do not see it and for tests; numbers that vary inside ``⟨ ⟩``.
    *relations : Relation
        Of a figure of times: what a sentence about it states. They are added to `alt`, so that whoever builds
        the page can refuse a figure that contradicts the sentence.
    size : tuple of float
        Width and height in inches, at 100 dots per inch.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If `alt` is empty.
    ModuleNotFoundError
        If there is no matplotlib; the message says which extra brings it.
    """
    try:
        import matplotlib.figure
        import matplotlib.style
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            brought_by("course", "a figure", [error.name or "matplotlib"]), name=error.name
        ) from None
    if not alt.strip():
        raise ValueError("alt must say what the figure shows, not be empty")
    if relations:
        sentences = [line for relation in relations for line in repr(relation).splitlines()]
        alt = f"{alt} As measured: {'; '.join(sentences)}."
    with matplotlib.style.context(["default", STYLE]):
        figure = matplotlib.figure.Figure(figsize=size, dpi=100)
        draw(figure.subplots())
        file = io.BytesIO()
        figure.savefig(file, format="png", metadata={"Software": None})  # equal drawings, equal bytes
    return Figure(file.getvalue(), alt)


def look(index: int) -> dict[str, Any]:
    """Colour, marker and line style of the `index`-th of several curves: told apart without colour, too.

    Returns
    -------
    dict
        Keyword arguments for ``Axes.plot``. They repeat after six.
    """
    index %= len(COLOURS)
    return {"color": COLOURS[index], "marker": MARKERS[index], "linestyle": LINES[index]}


def label_ends(ax: Axes) -> None:
    """Write each curve's label at its last point, in its colour, and move labels apart that would overlap."""
    ax.margins(x=0.2)
    ax.figure.draw_without_rendering()  # settles the scales
    ends = [(curve, curve.get_xydata()[-1]) for curve in ax.get_lines() if len(curve.get_xdata())]
    lowest = float("-inf")
    for curve, end in sorted(ends, key=lambda pair: pair[1][1]):
        y = ax.transData.transform(end)[1]
        lowest = max(y, lowest + 16)  # pixels: a line of text
        offset = (8, (lowest - y) * 72 / ax.figure.dpi)
        ax.annotate(
            curve.get_label(), end, offset, textcoords="offset points", va="center", color=curve.get_color()
        )
