"""Statements on whole arrays that Numba runs in parallel: iteration k of such a loop touches element k of each operand.

Only loops that write memory which was there before can race, or those merged with one that does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numba.core import ir

from numba_course.lens.race._memory import READ, WRITE
from numba_course.lens.race._parfors import EXPRESSION, FRESH, LIBRARY, LOOP, OTHER, STENCIL, STORE, Parfor
from numba_course.lens.race._values import NotUnderstood, theirs

WRITING = (LOOP, STORE)  # what may write memory that was there before
ELEMENTWISE = set("amax amin argmax argmin dot max mean min prod std sum var".split())


class Operand(NamedTuple):
    """An array whose element k iteration k touches, unless `mask[k]` is false."""

    array: np.ndarray
    kind: str
    mask: Any = None


@dataclass
class Merged:
    """One run of loops that Numba merged.

    Attributes
    ----------
    number : int
        By which the memory knows the loop.
    missing : list of Parfor
        Those of its parts that have not run yet.
    done : dict
        Each of its parts that ran, and the run of a block in which it did (see `Frame.since`).
    """

    number: int
    missing: list[Parfor]
    done: dict[Parfor, int] = field(default_factory=dict)


@dataclass
class Elements:
    """One run of such a statement, as a parallel loop."""

    place: Any
    count: int


def not_looked_at(parfor: Parfor, line: int | None = None) -> str:
    """Why a function was not checked."""
    line = line or min(parfor.lines, default=0)
    where = f" of line {line}" if line else ""
    return f"Numba runs {parfor.what}{where} in parallel, which is not looked into"


def enter(run: Any, frame: Any, parfor: Parfor) -> Merged:
    """The run of merged loops that this part of it belongs to: the one that lacks it still, or else a new one.

    A statement is known again, in a serial loop for instance, by its block, which is run again.
    """
    merged = frame.merged.get(parfor.group)
    if merged is None or (parfor not in merged.missing and merged.done.get(parfor) != frame.since):
        finish(run, frame, parfor.group)
        whole = frame.facts.merged(parfor.group)
        merged = frame.merged[parfor.group] = Merged(run.new_loop(), list(whole))
        run.memory.merging |= len(whole) > 1
    if parfor in merged.missing:
        merged.missing.remove(parfor)
    merged.done[parfor] = frame.since
    return merged


def finish(run: Any, frame: Any, *groups: int) -> None:
    """These merged loops are over: what was not met of them was not looked at."""
    for group in groups:
        merged = frame.merged.pop(group, None)
        for parfor in merged.missing if merged else ():
            if parfor.kind != FRESH:
                run.unseen.append(not_looked_at(parfor))


def begin(run: Any, frame: Any) -> None:
    """A function begins: loops of it that are not modelled are noted, and those that write new memory only."""
    for parfor in frame.facts.parfors:
        if parfor.kind == OTHER:
            run.unseen.append(not_looked_at(parfor))
        elif not any(part.kind in WRITING for part in frame.facts.merged(parfor.group)):
            run.harmless.append((parfor.what, min(parfor.lines, default=0)))


def iterate(run: Any, kind: str, operands: list[Operand]) -> None:
    """Such a statement runs; the memory learns of it if Numba made a loop of it that can race.

    Parameters
    ----------
    kind : str
        That of the `Parfor`.
    operands : list of Operand
        All of one shape, reads before writes.
    """
    frame = run.frame
    found = _parfors(frame, kind, run.memory.place)
    if found and operands:
        for parfor in (
            found if kind == EXPRESSION else found[:1]
        ):  # which expression of a line it is does not show
            _iterate(run, frame, parfor, operands)


def next_first(frame: Any, found: list[Parfor]) -> list[Parfor]:
    """Loops of one place in the order in which they may be next: missing in their run, else the longest ago."""

    def order(parfor):
        merged = frame.merged.get(parfor.group)
        return merged is None or parfor not in merged.missing, merged.done.get(parfor, 0) if merged else 0

    return sorted(found, key=order)


def _iterate(run, frame, parfor, operands):
    whole = frame.facts.merged(parfor.group)
    if not any(part.kind in WRITING for part in whole):
        return  # it writes new memory only
    merged, count = enter(run, frame, parfor), operands[0].array.size
    run.statements.add(merged.number)
    if parfor.kind == STORE:
        run.regions.append(Elements(run.memory.place, count))
    if len(whole) == 1 and not _overlap(operands):
        return
    run.afford(count * len(operands))
    for operand in operands:
        run.memory.each(operand.array, operand.kind, merged.number, operand.mask)


def _parfors(frame, kind, place):
    """The loops that Numba made of statements of this kind here, those that are missing still first."""
    if frame.facts is None or frame.region is not None or frame.inside:
        return []
    found = [parfor for parfor in frame.facts.parfors if parfor.kind == kind and parfor.stands_at(place)]
    return next_first(frame, found)


def _overlap(operands):
    """Whether an operand that is written may share memory with another one, or with itself."""
    for written in (o.array for o in operands if o.kind == WRITE):
        if not _is_injective(written):
            return True
        if any(np.may_share_memory(written, o.array) for o in operands if o.array is not written):
            return True
    return False


def _is_injective(array):
    """Whether all elements of the array are known to be different memory."""
    extent = array.itemsize
    for stride, length in sorted(zip(map(abs, array.strides), array.shape, strict=True)):
        if length > 1 and stride < extent:
            return False
        extent += stride * (length - 1)
    return True


# The statements


def _stretched(value, target):
    return theirs(np.broadcast_to, value, target.shape)


def stored(run: Any, target: np.ndarray, index: Any, value: Any) -> None:
    """``target[index] = value``, not done yet."""
    found = _parfors(run.frame, STORE, run.memory.place)
    if not found:
        return
    if _stores_at(run.frame.code, run.memory.place) > max(1, len(found)):
        raise NotUnderstood("one of several assignments, of which Numba runs not all in parallel,")
    if isinstance(index, np.ndarray) and index.dtype == bool and index.shape == target.shape:
        source = (
            [Operand(run.picked_from(value, index), READ, index)] if isinstance(value, np.ndarray) else []
        )
        iterate(run, STORE, [Operand(index, READ), *source, Operand(target, WRITE, index)])
        return
    view = target[index]
    if isinstance(view, np.ndarray) and view.size:
        source = [Operand(_stretched(value, view), READ)] if isinstance(value, np.ndarray) else []
        iterate(run, STORE, [*source, Operand(view, WRITE)])


def _stores_at(code, place):
    """How many assignments to elements stand in the line of a place."""
    statements = (statement for block in code.blocks.values() for statement in block.body)
    stores = (one.loc for one in statements if isinstance(one, ir.SetItem | ir.StaticSetItem))
    return sum((loc.filename, loc.line) == (place.filename, place.line) for loc in stores)


def updated(run: Any, target: np.ndarray, value: Any) -> None:
    """``target += value`` and the like, not done yet."""
    if isinstance(value, np.ndarray):
        read = _stretched(value, target)
        iterate(run, STORE, [Operand(read, READ), Operand(target, READ), Operand(target, WRITE)])


def filled(run: Any, target: np.ndarray) -> None:
    """``target.fill(...)``"""
    iterate(run, STORE, [Operand(target, WRITE)])


def computed(run: Any, operands: list[Any], result: Any) -> None:
    """An operator or ufunc made a new array of these, element by element."""
    if isinstance(result, np.ndarray):
        arrays = [value for value in operands if isinstance(value, np.ndarray)]
        iterate(run, EXPRESSION, [Operand(np.broadcast_to(a, result.shape), READ) for a in arrays])


def neighbours_read(run: Any, read: list[np.ndarray], written: list[np.ndarray]) -> None:
    """A stencil went over these arrays: each element that it writes is made of several that it reads."""
    frame = run.frame
    if frame.facts is None or frame.region is not None or frame.inside:
        return
    if any(np.may_share_memory(array, out) for array in read for out in written):
        place = f"the stencil of line {run.memory.place.line}"
        run.unseen.append(f"Numba runs {place} in parallel, and its out overlaps what it reads")


def is_mapped(run: Any) -> bool:
    """Whether Numba may make a loop of this call of a function that fills a new array."""
    return any(parfor.what != STENCIL for parfor in _parfors(run.frame, FRESH, run.memory.place))


def summarised(run: Any, name: str, arrays: list[np.ndarray]) -> None:
    """A function of NumPy went over all elements of these arrays."""
    if name in ELEMENTWISE and len({a.shape for a in arrays}) == 1 and (name != "dot" or arrays[0].ndim == 1):
        iterate(run, LIBRARY, [Operand(a, READ) for a in arrays])
