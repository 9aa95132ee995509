"""From samples to lines: which line each sample belongs to, on whose behalf, and what was at work there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numba_course.lens.profiling import _image
from numba_course.lens.profiling._line_tables import is_numbas
from numba_course.lens.profiling._sampling import Samples

POOLS = ("libgomp", "libiomp", "libomp", "libtbb", "omppool", "tbbpool", "workqueue")  # of threads
BLAS = ("libopenblas", "libscipy_openblas", "libmkl", "libblas", "libblis")  # with threads of their own
OWN_CODE = ""  # what is at work: the machine code of the line itself
MADE_UP = ("__numba_", "<wrapper>")  # beginnings of functions without text of their own


@dataclass
class _Node:
    """A line, reached by certain calls: how many samples lay there and in what it called."""

    own: int = 0
    total: int = 0
    inside: Counter[str] = field(default_factory=Counter)
    calls: dict[tuple[str, int], _Node] = field(default_factory=dict)
    function: str = ""

    def plain(self, place: tuple[str, int]) -> tuple[Any, ...]:
        """The line as data: file, line, function, own samples, all samples, what was at work."""
        return (*place, self.function, self.own, self.total, tuple(self.inside.most_common()))

    def rows(self, depth: int = 0) -> Iterator[tuple[Any, ...]]:
        """The lines that it calls, each as its depth and its data and followed by those that it calls in turn."""
        for place, node in sorted(self.calls.items(), key=lambda pair: (-pair[1].total, pair[0])):
            yield (depth, *node.plain(place))
            yield from node.rows(depth + 1)


def tally(folder: str) -> dict[str, Any]:
    """What the samples in a folder say, as plain data.

    Returns
    -------
    dict
        ``tree``, the lines below those that call them (`_Node.rows`); ``lines``, each once, that with the most
        samples of its own first; numbers of samples: ``computing`` on behalf of one of these lines, ``waiting`` in a
        pool of threads, ``elsewhere``, ``lost``, ``unplaced``, which were given to a line near by, and ``broken``,
        whose callers are not all known; ``threads`` that computed, and how many of the samples elsewhere were
        ``outside``, in libraries that have threads of their own.
    """
    image, samples = _image.Image(folder), Samples(str(Path(folder, _image.SAMPLES)))
    root, flat = _Node(), {}
    counts: Counter[str] = Counter()
    threads, outside = set(), Counter()
    for address, top, frame, start, *words in samples.rows.tolist():
        found = _Sample(image, address, start, frame, words)
        counts[found.kind] += 1
        if found.kind != "computing":
            outside[found.at_work] += found.kind == "elsewhere"
            continue
        counts["unplaced"] += found.is_unplaced
        counts["broken"] += not found.is_complete
        mapping = image.mapping(top)
        threads.add(mapping[0] if mapping else 0)
        _add(root, flat, found)
    return {
        "tree": tuple(root.rows()),
        "lines": tuple(node.plain(place) for place, node in sorted(flat.items(), key=_by_own)),
        "outside": tuple((what, count) for what, count in outside.most_common() if what.startswith(BLAS)),
        "threads": len(threads),
        "lost": samples.lost,
        **{kind: counts[kind] for kind in ("computing", "waiting", "elsewhere", "unplaced", "broken")},
    }


def _by_own(pair):
    place, node = pair
    return -node.own, -node.total, place


class _Sample:
    """A sample and what it belongs to.

    Attributes
    ----------
    places : tuple of Frame
        Lines of the user's source, from the outermost call in.
    kind : str
        ``computing``, on behalf of such a line; ``waiting``, in a pool of threads; ``elsewhere``.
    at_work : str
        The library in which it was, or the function of Numba's or another's that the line called; else `OWN_CODE`.
    """

    def __init__(self, image: _image.Image, address: int, start: int, frame: int, words: list[int]) -> None:
        calls, self.is_complete = image.stack(start, frame, words).calls(address)
        known = image.knows(address)
        library = "" if known else image.library(address)
        frames, self.is_unplaced = _frames(image, [image.cause(address), *calls] if known else calls)
        own = [n for n, found in enumerate(frames) if _is_users(found)]
        own = own[:1] + [n for n in own[1:] if not _only_leads_to_a_method(frames[n])]
        self.places = _without_repetition([frames[n] for n in reversed(own)])
        inner = frames[: own[0]] if own else frames
        named = next((found.function for found in reversed(inner) if not _is_made_up(found)), "")
        self.at_work = library or (f"Numba's {named.partition('.<locals>')[0]}" if named else OWN_CODE)
        if not known and _waits(image, library, words, calls):
            self.kind = "waiting"
        else:
            self.kind = "computing" if self.places else "elsewhere"


def _frames(image, addresses):
    """All frames from the innermost on, and whether a line near by was taken for the innermost one of the user."""
    frames, unplaced = [], False
    for address in addresses:
        found = image.frames(address)
        if found and found[0].line == 0 and _may_be_users(found[0]):
            unplaced = unplaced or not any(map(_is_users, frames))
            found = image.frames(image.following(address))
        frames += found
    return frames, unplaced


def _waits(image, library, words, calls):
    """Whether a thread of a pool waits, or gets its work: nothing compiled lies between the pool and where it is."""
    if library.startswith(POOLS):
        return True
    before = words.index(calls[0] + 1) if calls and calls[0] + 1 in words else len(words)
    for word in words[:before]:
        mapping = image.mapping(word)
        if mapping and mapping[2][2] == "x" and image.library(word).startswith(POOLS):
            return True
    return False


def _only_leads_to_a_method(frame):
    """Whether it is the function that Numba makes for each method of a jitclass."""
    return frame.file == "<string>" and frame.function in ("method", "ctor")


def _is_users(frame):
    return frame.line > 0 and _may_be_users(frame)


def _may_be_users(frame):
    """Whether it can be a line of the user's: of a file that is neither Numba's nor made up."""
    return bool(frame.file) and not _is_made_up(frame) and not is_numbas(frame.file)


def _is_made_up(frame):
    return frame.file.startswith(MADE_UP) or frame.function.startswith(MADE_UP)


def _without_repetition(places):
    """Of functions that call themselves each line once, at its first place."""
    return tuple(dict.fromkeys(places))


def _add(root, flat, found):
    node, seen = root, set()
    for frame in found.places:
        place = frame.file, frame.line
        node = node.calls.setdefault(place, _Node(function=frame.function))
        node.total += 1
        if place not in seen:
            seen.add(place)
            flat.setdefault(place, _Node(function=frame.function)).total += 1
    for last in (node, flat[place]):
        last.own += 1
        last.inside[found.at_work] += 1
