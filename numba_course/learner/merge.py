"""A newer version of a chapter, brought into a learner's notebook without touching a cell that the learner edited.

A delivered notebook says in its metadata, under ``numba_course``, the `version` of the package it was made for and
what was `delivered`: pairs of a cell's id and a digest of its text. A cell whose text has another digest was edited.
The learner may move and delete cells and add own ones: the order stays, and what was deleted does not come back.
"""

import copy
import difflib
import hashlib
import re
import uuid
from dataclasses import dataclass
from typing import Any

from numba_course.learner.global_names import bound
from numba_course.learner.notebook_files import empty, exercises, is_exercise, text

ALIKE = 0.5  # share of two texts that agrees, from which on one is a new version of the other


@dataclass(frozen=True)
class Merged:
    """A learner's notebook with what is new, and how many cells came in, were mended and went out.

    ``kept`` names the edited cells that the course has changed as well: an exercise, or the first line.
    """

    notebook: dict[str, Any]
    new: int
    mended: int
    dropped: int
    kept: tuple[str, ...]


def deliver(notebook: dict[str, Any], version: str) -> dict[str, Any]:
    """A course's notebook as a learner gets it: without outputs, and with what later versions compare with.

    Each heading begins a cell of its own, so that JupyterLab can fold away what belongs to it.
    """
    fresh = copy.deepcopy(notebook)
    fresh["cells"] = [part for cell in fresh["cells"] for part in _at_headings(cell)]
    delivered = [[cell["id"], digest(cell)] for cell in map(empty, fresh["cells"])]
    fresh["metadata"].setdefault("numba_course", {}).update(version=version, delivered=delivered)
    return fresh


def _at_headings(cell):
    """A text cell cut before each heading but one that it begins with; any other cell as it is."""
    if cell["cell_type"] != "markdown":
        return [cell]
    parts, fenced = [[]], False
    for line in text(cell).splitlines(keepends=True):
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        if not fenced and re.match("#{1,6} ", line) and parts[-1]:
            parts.append([])
        parts[-1].append(line)
    ids = [cell["id"], *(f"{cell['id']}-{number}" for number in range(1, len(parts)))]
    return [
        {**cell, "id": id, "source": "".join(part).rstrip("\n")} for id, part in zip(ids, parts, strict=True)
    ]


def digest(cell: dict[str, Any]) -> str:
    """What an edit of a cell changes."""
    return hashlib.sha256(f"{cell['cell_type']}\0{text(cell)}".encode(errors="surrogatepass")).hexdigest()[
        :12
    ]


def delivered(notebook: dict[str, Any]) -> list[tuple[str, str]]:
    """The pairs of id and digest that a learner's notebook was delivered with; empty where it does not say."""
    own = notebook["metadata"].get("numba_course")
    pairs = own.get("delivered") if isinstance(own, dict) else None
    good = isinstance(pairs, list) and all(
        isinstance(pair, list) and [type(part) for part in pair] == [str, str] for pair in pairs
    )
    return [tuple(pair) for pair in pairs] if good else []


def merge(mine: dict[str, Any], course: dict[str, Any]) -> Merged:
    """Bring what is new in the course's notebook into the learner's.

    Parameters
    ----------
    mine : dict
        The learner's notebook, delivered by `deliver` at some time; unchanged.
    course : dict
        The course's notebook as `deliver` gives it now.

    Returns
    -------
    Merged
    """
    base, old = delivered(mine), dict(delivered(mine))
    here = {cell.get("id"): cell for cell in reversed(mine["cells"])}
    partner = _pair(base, course["cells"], here)
    counts, kept = {"mended": 0, "dropped": 0}, []
    result: list[tuple[int | None, dict[str, Any]]] = []  # with the index of the course's cell
    for cell in mine["cells"]:
        known = cell.get("id") in old and cell is here[cell["id"]]  # and not a copy of it
        edited = not known or digest(cell) != old[cell["id"]]
        theirs = partner.get(cell["id"]) if known else None
        if theirs is None:
            if edited:
                result.append((None, cell))
            else:
                counts["dropped"] += 1
            continue
        new = course["cells"][theirs]
        if digest(new) in (old[cell["id"]], digest(cell)):
            new = {**cell, "id": new["id"]}
        elif edited:
            kept.append(_called(new))
            new = {**cell, "id": new["id"]}
        else:
            counts["mended"] += 1
        result.append((theirs, new))
    missing = [n for n in range(len(course["cells"])) if n not in partner.values()]
    for theirs in missing:
        before = [(n, place) for place, (n, _) in enumerate(result, 1) if n is not None and n < theirs]
        _, place = max(before, default=(None, 0))
        result.insert(place, (theirs, course["cells"][theirs]))
    cells = _with_own_ids(result)
    metadata = {**mine["metadata"], "numba_course": course["metadata"]["numba_course"]}
    notebook = copy.deepcopy({**mine, "cells": cells, "metadata": metadata, "nbformat_minor": 5})
    return Merged(notebook, len(missing), **counts, kept=tuple(kept))


def _pair(base, cells, here):
    """From the id of each delivered cell to the index of the course's cell that it has become, if any.

    Cells that are the same are paired in their order; of the others, an answer with its exercise by name, and the
    rest by their likeness.
    """
    names, marks = [name for name, _ in base], [mark for _, mark in base]
    pairs, stretches = {}, []
    matcher = difflib.SequenceMatcher(None, marks, [digest(cell) for cell in cells], autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            pairs |= dict(zip(names[a:b], range(c, d), strict=True))
        elif kind == "replace":
            stretches.append((names[a:b], range(c, d)))
    stubs = {name: n for name, n in exercises({"cells": cells}).items() if n not in pairs.values()}
    for name, mark in base:
        own = here.get(name)
        if name not in pairs and own and is_exercise(own) and digest(own) != mark:
            answered = next((found for found in reversed(bound(text(own))) if found in stubs), None)
            if answered:
                pairs[name] = stubs.pop(answered)
    for old, new in stretches:
        free = [n for n in new if n not in pairs.values()]
        pairs |= _alike([name for name in old if name not in pairs], free, cells, here)
    return pairs


def _alike(names, theirs, cells, here):
    """The pairs of a stretch where no cell is the same: in its order, each with the first that resembles it."""
    pairs, start = {}, 0
    for name in names:
        for place in range(start, len(theirs)):
            if name in here and _resemble(here[name], cells[theirs[place]]):
                pairs[name], start = theirs[place], place + 1
                break
    return pairs


def _resemble(one, other):
    same_kind = one["cell_type"] == other["cell_type"] and is_exercise(one) == is_exercise(other)
    return same_kind and difflib.SequenceMatcher(None, text(one), text(other), False).ratio() >= ALIKE


def _called(cell):
    """How a cell is called in a message."""
    return bound(text(cell))[-1] if is_exercise(cell) else text(cell).strip().partition("\n")[0][:60]


def _with_own_ids(result):
    """The cells, each with an id of its own; the course's cells have their ids already."""
    taken = {cell["id"] for theirs, cell in result if theirs is not None}
    cells = []
    for theirs, cell in result:
        if theirs is None and cell.get("id") in taken | {None}:
            cell = {**cell, "id": uuid.uuid4().hex[:8]}
        taken.add(cell["id"])
        cells.append(cell)
    return cells
