"""The picture of one variable: each assignment with its type, and the type where several of them meet."""

from dataclasses import dataclass

from numba_course.lens import figures

STEP = 2.0  # from one column of boxes to the next, in rows


@dataclass(frozen=True)
class Assignment:
    """A version of a variable: assigned in a line, or, where ways through the function meet, joined.

    Attributes
    ----------
    name : str
        The variable.
    line : int or None
        None if it is joined.
    type : str
    joined : tuple of int
        Of what is joined, the places in `Types.assignments` of what meets there.
    """

    name: str
    line: int | None
    type: str
    joined: tuple[int, ...] = ()


def figure(name, versions, texts):
    """Draw the versions of a variable, by their places; `texts` has the source of each line.

    Returns
    -------
    figures.Figure
    """
    middles = _middles(versions)

    def draw(ax):
        boxes = {place: _box(ax, middles[place], version, texts) for place, version in versions.items()}
        for place, version in versions.items():
            for part in version.joined:
                _arrow(ax, boxes[part], boxes[place], same=versions[part].type == version.type)
        ax.set_xlim(-1, max(x for x, _ in middles.values()) + 0.9)
        ax.set_ylim(max(y for _, y in middles.values()) + 0.7, -0.7)
        ax.axis("off")

    across, rows = max(x for x, _ in middles.values()), 1 + max(y for _, y in middles.values())
    return figures.show(
        draw, _words(name, versions, texts), size=(max(4.5, 1.3 * (1.9 + across)), 0.6 + 0.9 * rows)
    )


def _box(ax, middle, version, texts):
    """A box with sharp corners for what is assigned, a thick round one for what is joined."""
    assigned = version.line is not None
    return ax.text(
        *middle,
        "\n".join(_lines(version, texts)),
        ha="center",
        va="center",
        fontsize=9,
        family="monospace" if assigned else None,
        fontweight=None if assigned else "bold",
        parse_math=False,
        bbox={
            "boxstyle": "square,pad=0.5" if assigned else "round,pad=0.6",
            "facecolor": "white",
            "edgecolor": figures.COLOURS[0 if assigned else 3],
            "linewidth": 1.2 if assigned else 2.4,
        },
    )


def _arrow(ax, start, end, same):
    """From the box of what meets to that where it does; dashed, and with a word, if it has to be converted."""
    (x, y), (to_x, to_y) = start.get_position(), end.get_position()
    style = {
        "arrowstyle": "->",
        "linewidth": 1.6,
        "linestyle": "-" if same else "--",
        "color": figures.COLOURS[5] if same else figures.COLOURS[1],
        "connectionstyle": "arc3,rad=-0.5" if x >= to_x else "arc3",
        "patchA": start.get_bbox_patch(),
        "patchB": end.get_bbox_patch(),
        "shrinkA": 2,
        "shrinkB": 2,
    }
    ax.annotate("", (to_x, to_y), (x, y), arrowprops=style)
    if not same:
        middle = ((x + to_x) / 2, (y + to_y) / 2)
        back = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        ax.text(
            *middle, "converted", ha="center", va="center", fontsize=9, color=figures.COLOURS[1], bbox=back
        )


def _middles(versions):
    """The middle of each box: assignments down the left side, what is joined beside and to the right of it."""
    columns, middles, taken = {}, {}, set()
    for row, place in enumerate(place for place, version in versions.items() if version.line is not None):
        columns[place], middles[place] = 0, (0.0, float(row))
    for place, version in versions.items():
        if version.line is None:
            earlier = [part for part in version.joined if part in middles]  # of a loop, one may come later
            columns[place] = 1 + max((columns[part] for part in earlier), default=0)
            y = sum(middles[part][1] for part in earlier) / max(len(earlier), 1)
            while (columns[place], y) in taken:
                y += 1
            taken.add((columns[place], y))
            middles[place] = (columns[place] * STEP, y)
    return middles


def _lines(version, texts):
    """What stands in the box of a version: where it comes from, and its type."""
    if version.line is None:
        return "the ways meet", version.type
    return f"line {version.line}: {texts.get(version.line, '').strip()[:30]}".rstrip(": "), version.type


def _words(name, versions, texts):
    """The picture in words."""
    said = [" is ".join(_lines(version, texts)) for version in versions.values() if version.line is not None]
    for version in versions.values():
        if version.line is None:
            parts = [versions[part] for part in version.joined]
            origins = " and ".join(f"line {part.line}" if part.line else "another meeting" for part in parts)
            others = " and ".join(dict.fromkeys(part.type for part in parts if part.type != version.type))
            said.append(f"Where the ways from {origins} meet, it is {version.type}")
            said += [f"So {others} is converted"] if others else []
    return f"Assignments of {name}. {'. '.join(said)}.".replace(". line", ". Line")
