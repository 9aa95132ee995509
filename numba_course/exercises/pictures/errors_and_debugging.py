"""Pictures of chapter 06: at which station of a call each of several errors was raised."""

from __future__ import annotations

from numba_course.lens import figures
from numba_course.lens.complaints import STATIONS, Complaints

DOES = {
    "reading": "Numba reads\nyour call and\nyour bytecode",
    "types": "Numba infers\na type for\neach value",
    "machine code": "Numba and LLVM\nwrite the\nmachine code",
    "run": "the machine code\nruns, with\nyour data",
}


def path(found: Complaints) -> figures.Figure:
    """The four stations of a first call, and below each the functions whose calls ended there.

    Parameters
    ----------
    found : Complaints
        A function has a filled dot if its error names a line, and a ring if it names none.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there are no complaints.
    """
    if not found.all:
        raise ValueError("found must have at least one complaint")
    ended = {station: [one for one in found.all if one.station == station] for station in STATIONS}
    rows = max(map(len, ended.values()))

    def draw(ax):
        for column, station in enumerate(STATIONS):
            box = {"boxstyle": "square,pad=0.6", "facecolor": figures.LIGHT, "edgecolor": figures.COLOURS[0]}
            title = f"{column + 1}. {station}"
            ax.text(column, 1.55, title, ha="center", va="bottom", weight="bold", color="black")
            ax.text(column, 0.6, DOES[station], ha="center", va="center", fontsize=8, bbox=box)
            if column:
                ax.annotate("", (column - 0.4, 0.6), (column - 0.6, 0.6), arrowprops={"arrowstyle": "->"})
            for row, one in enumerate(ended[station]):
                face = "black" if one.line else "white"
                ax.plot(
                    column - 0.38, -1 - row, "o", markerfacecolor=face, markeredgecolor="black", markersize=5
                )
                ax.text(column - 0.31, -1 - row, one.function, va="center", fontsize=8, family="monospace")
        ax.text(-0.4, -1.3 - rows, "● names a line    ○ names none", fontsize=8)
        ax.set(xlim=(-0.55, len(STATIONS) - 0.45), ylim=(-1.6 - rows, 2.1))
        ax.axis("off")

    told = "; ".join(f"{station}: {_listed(ended[station])}" for station in STATIONS)
    alt = f"A path of four stations, with the calls that ended at each; a star marks those that name a line. {told}."
    return figures.show(draw, alt, size=(7.2, 2.0 + 0.22 * rows))


def _listed(complaints):
    """The functions in words."""
    return ", ".join(f"{one.function}{'*' if one.line else ''}" for one in complaints) or "none"
