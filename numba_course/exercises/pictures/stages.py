"""A picture for reading FFCV: how its graph cuts operations into stages."""

from __future__ import annotations

from numba_course.lens import figures
from numba_course.pipeline.batchwise import Graph

COMPILED = {"facecolor": figures.LIGHT, "edgecolor": figures.COLOURS[0], "linewidth": 1.8}
PLAIN = {"facecolor": "white", "edgecolor": figures.COLOURS[1], "linewidth": 1.4, "linestyle": "--"}
KINDS = ("compiled operations", COMPILED), ("left to Python", PLAIN)  # of stages, in turn
WIDTH, GAP, ROW = 1.7, 0.6, 1.5  # of a box, between two, and from one output to the next


def cut_into_stages(graph: Graph) -> figures.Figure:
    """Each operation as a box, in a row for each output, and each stage as a frame around its operations.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is no operation in it.
    """
    cut = graph.stages()
    if not cut:
        raise ValueError("graph must have an operation, and has none")
    rows = [[node.number for node in nodes] for nodes in graph.outputs.values()]
    columns = [max(sum(node.number in row for node in stage) for row in rows) for stage in cut]
    total = sum(count * (WIDTH + GAP) + GAP for count in columns)

    def draw(ax):
        left, ends = 0.0, dict.fromkeys(range(len(rows)))
        for number, (stage, count) in enumerate(zip(cut, columns, strict=True)):
            width = count * (WIDTH + GAP)
            _frame(ax, left, width, len(rows), number)
            for row, numbers in enumerate(rows):
                own = [node for node in stage if node.number in numbers]
                for place, node in enumerate(own):
                    x = left + GAP / 2 + place * (WIDTH + GAP)
                    _operation(ax, x, row, type(node.operation).__name__, KINDS[number % 2][1], ends[row])
                    ends[row] = x + WIDTH
            left += width + GAP
        for row, name in enumerate(graph.outputs):
            ax.text(-0.3, ROW * row + 0.5, name, ha="right", va="center", fontweight="bold")
        ax.set(xlim=(-1.4, total), ylim=(ROW * len(rows), -1.3))
        ax.axis("off")

    return figures.show(draw, _words(cut), size=(min(9.0, 0.8 * (1.4 + total)), 1.2 + 0.7 * len(rows)))


def _words(cut):
    """What the picture shows, in words."""
    said = []
    for number, stage in enumerate(cut):
        names = ", ".join(type(node.operation).__name__ for node in stage)
        line = "a dashed line" if number % 2 else "a solid line"
        kind = f": {KINDS[number % 2][0]}, in boxes with {line}" if stage else "nothing"
        said.append(f"stage_code_{number} calls {names}{kind}.")
    return " ".join(said)


def _frame(ax, left, width, rows, number):
    """The outline of a stage, with its name and its kind above."""
    from matplotlib.patches import Rectangle

    ax.add_patch(Rectangle((left, -0.25), width, ROW * rows, fill=False, edgecolor="#555555", linewidth=0.8))
    middle = left + width / 2
    ax.text(middle, -0.95, f"stage_code_{number}", ha="center", va="center", family="monospace")
    ax.text(middle, -0.5, KINDS[number % 2][0], ha="center", va="center", fontsize=9, color="#333333")


def _operation(ax, left, row, name, look, before):
    """The box of an operation, and an arrow to it from where the one before it ends."""
    from matplotlib.patches import Rectangle

    ax.add_patch(Rectangle((left, ROW * row), WIDTH, 1, **look))
    middle = ROW * row + 0.5
    ax.text(left + WIDTH / 2, middle, name, ha="center", va="center", fontsize=9)
    if before is not None:
        ax.annotate("", (left, middle), (before, middle), arrowprops={"arrowstyle": "->", "color": "#555555"})
