"""Pictures of chapter 04: the lanes of one instruction, what is left over, how lanes are added up, speed and width."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from numba_course.lens import figures
from numba_course.lens.compiled.machine_code import MachineCode

if TYPE_CHECKING:
    from numba_course.lens.relations import Relation

PACKED = {"facecolor": figures.LIGHT, "edgecolor": figures.COLOURS[0]}
SINGLE = {"facecolor": "white", "edgecolor": figures.COLOURS[1], "linestyle": "--"}
GAP = 0.15  # between cells that do not belong to one register
PER_ROW = 16  # elements in a row of a picture
DRAWN = 256  # elements that can be told apart in one


def one_instruction(
    code: MachineCode, first: Sequence[float], second: Sequence[float], out: Sequence[float]
) -> figures.Figure:
    """The lanes of one packed addition: two registers above each other, and the sums below.

    Parameters
    ----------
    code : MachineCode
        Of the call that added them: as many lanes are drawn as its packed arithmetic has.
    first, second, out : sequence of float
        The numbers that were added, and their sums; as many of each as there are lanes, or more.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If nothing is packed in `code`, or there are too few numbers.
    """
    lanes = _lanes(code)
    if min(len(first), len(second), len(out)) < lanes:
        raise ValueError(f"first, second and out must have {lanes} numbers, one for each lane")

    def draw(ax):
        for y, numbers in zip((0, 1.5, 3), (first, second, out), strict=True):
            _register(ax, 0, y, numbers[:lanes])
        for lane in range(lanes):
            ax.text(lane + 0.5, 1.25, "+", ha="center", va="center", fontsize=12)
            ax.text(lane + 0.5, 2.75, "↓", ha="center", va="center", fontsize=11)
        for y, name in zip((0.5, 2, 3.5), ("first", "second", "sums"), strict=True):
            ax.text(-0.2, y, name, ha="right", va="center")
        ax.set(xlim=(-1.6, max(lanes, 6) + 0.2), ylim=(4.1, -0.1), aspect="equal")
        ax.axis("off")

    second_lane = f"{first[1]:g} + {second[1]:g} = {out[1]:g}"
    alt = (
        f"Two registers above each other, and a third below. One instruction makes ⟨{lanes}⟩ sums, one in each lane: "
        f"in the second lane {second_lane}."
    )
    return figures.show(draw, alt, size=(max(4.2, 0.55 * lanes + 1.2), 2.4))


def left_over(code: MachineCode, operation: str = "fadd") -> figures.Figure:
    """Every element of a call that computes one by one with what is no whole vector, in the order of the work.

    Parameters
    ----------
    code : MachineCode
        Of a call that does `operation` once for each element.
    operation : str
        By LLVM's name.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the call did it for no element or for more than 256, or is not known to have done it.
    """
    widths = [(lanes, often) for name, lanes, often in code.widths or () if name == operation]
    count = sum(lanes * often for lanes, often in widths)
    if not 1 <= count <= DRAWN:
        raise ValueError(f"{operation} must be done for 1 to {DRAWN} elements, not {count}")
    groups = [
        lanes for lanes, often in widths for _ in range(often)
    ]  # LLVM puts wide loops before narrow ones
    starts = [0, *itertools.accumulate(groups)]
    per_row = max(PER_ROW, *groups)

    def draw(ax):
        for start, lanes in zip(starts, groups, strict=False):
            row, column = divmod(start, per_row)
            if lanes > 1:
                _register(ax, column, 1.4 * row, range(start, start + lanes))
            else:
                ax.add_patch(_box(column + GAP / 2, 1.4 * row, 1 - GAP, 1, linewidth=1.2, **SINGLE))
                ax.text(column + 0.5, 1.4 * row + 0.5, f"{start}", ha="center", va="center", fontsize=8)
        ax.set(xlim=(-0.2, per_row + 0.2), ylim=(1.4 * (-(-count // per_row)) - 0.3, -0.1), aspect="equal")
        ax.axis("off")

    single = groups.count(1)
    packed = ", ".join(f"{often} of {lanes} lanes" for lanes, often in widths if lanes > 1) or "none"
    alt = (
        f"{count} elements. Those that one instruction works on lie in one box with a solid line: ⟨{packed}⟩. "
        f"Those that are left over have a box with a dashed line each: ⟨{single}⟩."
    )
    return figures.show(draw, alt, size=(6.4, 0.3 + 0.55 * (-(-count // per_row)) * 16 / per_row))


def lanes_added_up(code: MachineCode, values: np.typing.NDArray[Any]) -> figures.Figure:
    """How the sums in the lanes of one register become one sum: the upper half is moved under the lower, and again.

    Parameters
    ----------
    code : MachineCode
        Of a packed sum of `values`: as many lanes are drawn as its packed arithmetic has.
    values : ndarray, 1-D
        What was added up: a multiple of the number of lanes. Lane k has the sum of every element from k on, in steps
        of the number of lanes.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If nothing is packed in `code`, or some values would be left over.
    """
    lanes = _lanes(code)
    if not len(values) or len(values) % lanes:
        raise ValueError(f"values must be a multiple of {lanes}, the number of lanes, not {len(values)}")
    rows = [values.reshape(-1, lanes).sum(axis=0)]
    while rows[-1].size > 1:
        half = rows[-1].size // 2
        rows.append(rows[-1][:half] + rows[-1][half:])

    def draw(ax):
        for depth, sums in enumerate(rows):
            y, half = 2.9 * depth, sums.size // 2
            _register(ax, 0, y, sums, size=1.6)
            if half:
                _register(ax, 0, y + 1.25, sums[half:], size=1.6, look=SINGLE)
                arrow = {"arrowstyle": "->", "connectionstyle": "arc3,rad=-0.25", "color": "#555555"}
                ax.annotate("", (1.6 * half + 0.05, y + 1.75), (1.6 * 1.5 * half, y + 1.05), arrowprops=arrow)
                ax.text(-0.25, y + 1.12, "+", ha="right", va="center", fontsize=12)
                ax.text(
                    1.6 * half * 1.5 + 0.4, y + 1.85, "shuffle", va="center", color="#333333", style="italic"
                )
        ax.set(xlim=(-0.8, 1.6 * max(lanes, 4) + 1), ylim=(2.9 * (len(rows) - 1) + 1.2, -0.2), aspect="equal")
        ax.axis("off")

    alt = (
        f"A register with ⟨{lanes}⟩ sums. A shuffle moves its upper half under its lower half, and an addition makes "
        f"half as many sums; after ⟨{len(rows) - 1}⟩ times there is one, {rows[-1][0]:g}."
    )
    return figures.show(draw, alt, size=(max(4.6, 0.5 * lanes + 2.2), 0.5 + 0.95 * len(rows)))


def speeds(widths: Mapping[str, int], speed: Mapping[str, float], relation: Relation) -> figures.Figure:
    """How fast loops over several types are, against how many elements one instruction works on.

    Parameters
    ----------
    widths : mapping of str to int
        For each type the elements in one instruction.
    speed : mapping of str to float
        For the same types the elements in a nanosecond.
    relation : Relation
        What the sentence beside the figure says of the times.

    Returns
    -------
    Figure
    """

    def draw(ax):
        for i, (kind, width) in enumerate(widths.items()):
            look = figures.look(i)
            ax.plot(width, speed[kind], markersize=9, **look)
            rivals = [speed[other] for other in widths if widths[other] == width]
            above = speed[kind] == max(rivals)  # of two at one width, the labels move apart
            side = (9, 4) if above else (9, -11)
            ax.annotate(kind, (width, speed[kind]), side, textcoords="offset points", color=look["color"])
        ax.set(yscale="log", xlabel="elements in one instruction", ylabel="elements added in a nanosecond")
        ax.set_xscale("log", base=2)
        ax.set_xticks(sorted(set(widths.values())), sorted(set(widths.values())))
        ax.margins(0.2)

    alt = f"Speed against the number of lanes, for {', '.join(widths)}: as a rule, more lanes are faster."
    return figures.show(draw, alt, relation)


def _lanes(code):
    """How many elements the packed arithmetic of a call works on at a time."""
    if code.vector_width < 2:
        raise ValueError(f"{code.name} must have packed arithmetic; its machine code has none")
    return code.vector_width


def _register(ax, x, y, numbers, size=1.0, look=PACKED):
    """A register as one box, with a cell and a number for each lane."""
    ax.add_patch(_box(x + GAP / 2, y, size * len(numbers) - GAP, 1, linewidth=1.8, **look))
    for lane, number in enumerate(numbers):
        left = x + size * lane
        if lane:
            ax.plot([left, left], [y, y + 1], color=look["edgecolor"], linewidth=0.7, linestyle=":")
        ax.text(left + size / 2, y + 0.5, f"{number:g}", ha="center", va="center", fontsize=8)


def _box(x, y, width, height, **look):
    """A rectangle with its corner at the upper left."""
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, **look)
