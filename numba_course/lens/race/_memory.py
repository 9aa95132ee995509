"""Who touches which element: the memory of an interpreted function, and the conflicts between its iterations.

The identity of an element is its byte address, so views, slices, reshapes and arguments that overlap need no
bookkeeping of their own. Each allocation is a `Store` of cells; for each cell it keeps the first access of each
kind that no barrier separates from now. Iterations are run one after the other, so the first is enough: a later
iteration that collides with any earlier one collides with the first, too.
"""

import math
import weakref
from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numpy.lib.array_utils import byte_bounds

from numba_course.lens.race._values import Instance

READ, WRITE = "read", "write"
REMEMBERED = 16  # arrays whose stores are at hand; they are kept alive meanwhile
KEPT = 1_000  # conflicts that are kept (all are counted), and accesses that are kept for the figure
PLACES = 10_000  # pairs of lines, of an array each, whose first conflict is kept


class Iteration(NamedTuple):
    """One iteration of one run of a parallel loop; `lane` is a simulated thread, if the iteration asked for it."""

    loop: int
    iteration: object
    lane: object = None


class Access(NamedTuple):
    """Where in the program something was touched: the iterations that led there, and the source line."""

    path: tuple
    file: str
    line: int


class Collision(NamedTuple):
    """Two accesses, the earlier one first, and their kinds."""

    first: int
    second: int
    kinds: tuple

    def order(self):
        """Two writes are clearer than a write and a read; then the earliest."""
        return self.kinds != (WRITE, WRITE), self.second, self.first


def parting(a, b):
    """The first steps in which two paths differ; None if one path leads on from the other."""
    pairs = zip(a, b, strict=False)
    return next((pair for pair in pairs if pair[0][:2] != pair[1][:2]), None)


def concurrent(a, b):
    """Whether two paths may run at the same time: other iterations, of the same run of a loop, on other lanes."""
    if len(a) == len(b) == 1:  # the usual case, in short
        ((loop, iteration, lane),), ((other, another, beside),) = a, b
        return loop == other and iteration != another and (lane is None or lane != beside)
    steps = parting(a, b)
    if steps is None or steps[0].loop != steps[1].loop:
        return False  # one after the other in one iteration, or a barrier lies between two loops
    return steps[0].lane is None or steps[0].lane != steps[1].lane


def _same(a, b):
    """Whether two paths are of one iteration, and the first collides with all that the second collides with."""
    return len(a) == len(b) and parting(a, b) is None and bool(a) and a[-1].lane in (None, b[-1].lane)


class Place:
    """What collided on one pair of lines, in one store: the first collision, and whether other values were written."""

    def __init__(self, collision, store, key):
        self.first, self.differs = (collision, store, key), False


class Store:
    """One array allocation, or one container, as cells; an array's cells are `grain` bytes."""

    def __init__(self, number, start=0, grain=1, cells=None):
        self.number, self.start, self.grain = number, start, grain
        tables = [defaultdict(int) if cells is None else np.zeros(cells, np.int32) for _ in range(2)]
        self.set_tables(dict(zip((READ, WRITE), tables, strict=True)))
        self.others = {}  # (kind, cell) -> the first access by another iteration, where loops are merged
        self.names = []  # (text, function from key to rest of the name and index, or None)

    def set_tables(self, tables):
        """Keep the number of an access for each kind and cell; in `quick` so that one cell is quickly read and set."""
        self.tables = tables
        self.quick = [
            (kind, memoryview(table) if isinstance(table, np.ndarray) else table)
            for kind, table in tables.items()
        ]

    def key(self, cell):
        """What identifies a cell for good: in an array its byte offset, as cells may be refined."""
        return int(cell) * self.grain if self.start else cell

    def describe(self, key):
        """Name and index by the first name that covers it."""
        found = ((text, index_of(key)) for text, index_of in self.names)
        text, (rest, index) = next(
            (pair for pair in found if pair[1]), ("an array without a name", ("", None))
        )
        return text + rest, index


class Memory:
    """All stores, where the program is, and what collided.

    Attributes
    ----------
    path : tuple of Iteration
        Set by the interpreter; empty outside all parallel loops.
    place : numba.core.ir.Loc
        Set by the interpreter: the statement that is being run.
    collisions : dict
        (store, key of the cell) to its clearest `Collision`.
    hits : set
        (number of the store, key) of all that collided.
    same : bool
        Set by the interpreter: whether the value that is being written stands there already.
    differing : set
        Those of `hits` where more collided than writes of the same value.
    places : dict
        (number of the store, file and line of each access, their kinds) to a `Place`: where the source collides.
    seen : dict
        (store, key, loop, iteration) to the kinds of access, as far as they are kept.
    """

    def __init__(self):
        self.path, self.place = (), None
        self.accesses = [None]
        self.arrays, self.containers = {}, {}
        self.collisions, self.hits, self.places, self.seen = {}, set(), {}, {}
        self.same, self.differing = False, set()
        self.work = 0  # elements touched so far
        self.merging = False  # whether loops run as one: then iterations do not come one after the other
        self._stores, self._known, self._latest = 0, {}, (None, None, 0)

    def array(self, array, kind, where=...):
        """The elements ``array[where]`` are touched."""
        if self.path and array.size:
            self._reach(array, np.unique(addresses(array)[where]), kind)

    def each(self, array, kind, loop, where=None):
        """Element k of the array is touched by iteration k of this loop, unless ``where[k]`` is false."""
        outside, flat, start = self.path, array.ndim == 1, pointer(array)
        for index, address in zip(np.ndindex(array.shape), addresses(array).ravel().tolist(), strict=True):
            if where is None or where[index]:
                self.path = (*outside, Iteration(loop, index[0] if flat else index))
                self.element(array, address - start, kind)
        self.path = outside

    def element(self, array, offset, kind):
        """The one element at this byte offset from the start of the array is touched."""
        if not self.path:
            return
        known = self._known.get(id(array))
        if known is None or known[0] is not array:
            known = self._remember(array)
        _, store, begin = known
        cell, rest = divmod(begin + offset, store.grain)
        if rest or array.itemsize != store.grain:
            self._reach(array, np.array([store.start + begin + offset]), kind)
        else:
            self._touch_one(store, cell, kind)

    def _remember(self, array):
        """An array, its store, and the offset of its first element in that, for the next access."""
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        store = self._store(array)
        known = self._known[id(array)] = array, store, pointer(array) - store.start
        return known

    def item(self, container, key, kind):
        """One item of a list or dict, or for the key None its length and order, is touched."""
        if self.path:
            self._touch_one(self.container(container), key, kind)

    def container(self, container):
        """The store of a list, dict, set or object; it is kept alive, so that no other gets its id."""
        if id(container) not in self.containers:
            self.containers[id(container)] = container, self._new()
        return self.containers[id(container)][1]

    def name(self, value, text):
        """The learner calls `value` so; the first names are kept."""
        if text == "self" and isinstance(value, Instance):
            return  # what its methods call it says nothing
        if isinstance(value, np.ndarray):
            store = self._store(value)
            if len(store.names) < 4:
                store.names.append((text, _indexer(value, store.start)))
        elif isinstance(value, tuple):
            fields = getattr(value, "_fields", None)
            for index, item in enumerate(value):
                self.name(item, f"{text}.{fields[index]}" if fields else f"{text}[{index}]")
        elif isinstance(value, Instance):
            self._name_fields(value, text)
        elif isinstance(value, (list, dict, set, np.random.Generator)) and not self.container(value).names:
            self.container(value).names.append((text, lambda key: ("", None if key is None else (key,))))
            items = (
                enumerate(value)
                if isinstance(value, list)
                else value.items()
                if isinstance(value, dict)
                else ()
            )
            for key, item in items:
                self.name(item, f"{text}[{key!r}]")

    def _name_fields(self, instance, text):
        store = self.container(instance)
        if not store.names:
            store.names.append((text, lambda key: (f".{key}", None)))
            for key, item in instance.fields.items():
                self.name(item, f"{text}.{key}")

    def now(self):
        """The number of the access that the statement being run makes."""
        if self.path is not self._latest[0] or self.place is not self._latest[1]:
            self._latest = self.path, self.place, self.access(self.path, self.place)
        return self._latest[2]

    def access(self, path, place):
        """The number of another access, by these iterations at this place."""
        self.accesses.append(Access(path, place.filename, place.line))
        return len(self.accesses) - 1

    def collide(self, store, key, collision):
        """Keep it, unless a clearer one of the same element is known."""
        self.hits.add((store.number, key))
        differs = collision.kinds != (WRITE, WRITE) or not self.same
        if differs:
            self.differing.add((store.number, key))
        self._collide_at(collision, store, key, differs)
        known = self.collisions.get((store, key))
        if (known is None and len(self.collisions) < KEPT) or (known and collision.order() < known.order()):
            self.collisions[store, key] = collision
            for number, kind in zip(collision[:2], collision.kinds, strict=True):
                self._see(store, key, self.accesses[number].path, kind)

    def _collide_at(self, collision, store, key, differs):
        """Note on which lines it is."""
        first, second = (self.accesses[number][1:] for number in collision[:2])
        where = store.number, first, second, collision.kinds
        place = self.places.get(where)
        if place is None:
            if len(self.places) > PLACES:
                return
            place = self.places[where] = Place(collision, store, key)
        place.differs |= differs

    def _see(self, store, key, path, kind):
        for step in path:
            self.seen.setdefault((store, key, step.loop, step.iteration), set()).add(kind)

    def _new(self, *args):
        self._stores += 1
        return Store(self._stores, *args)

    def _store(self, array):
        """The store of the allocation that the array is a part of; it is forgotten with the allocation."""
        owner = array
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        start, end = byte_bounds(owner)
        key = start if owner.base is not None else id(owner)  # memory that is not NumPy's has several owners
        if key not in self.arrays:
            grain = 1 if array.dtype.names else math.gcd(array.itemsize, pointer(array) - start)
            forget = (
                None if owner.base is not None else weakref.ref(owner, lambda _: self.arrays.pop(key, None))
            )
            self.arrays[key] = forget or owner, self._new(start, grain, -(-(end - start) // grain))
        return self.arrays[key][1]

    def _reach(self, array, start, kind):
        """The elements that start at these addresses are touched."""
        store, size, offsets = self._store(array), array.itemsize, None
        offsets = start - store.start
        grain = math.gcd(store.grain, size, *set((offsets % store.grain).tolist()))
        if grain < store.grain:
            store.set_tables({k: np.repeat(table, store.grain // grain) for k, table in store.tables.items()})
            store.grain = grain
        cells = (offsets[:, None] // grain + np.arange(size // grain)).ravel()
        if cells.size and (cells.min() < 0 or cells.max() >= len(store.tables[kind])):
            raise IndexError("a view reaches outside the memory of its array")
        self.work += cells.size
        if cells.size < 4:
            for cell in cells.tolist():
                self._touch_one(store, cell, kind)
        else:
            self._touch(store, cells, kind)

    def _touch_one(self, store, cell, kind):
        now, path = self.now(), self.path
        for earlier, table in store.quick:
            number = table[cell]
            if self.merging:
                number = self._other(store, cell, earlier, number, kind, now)
            known = self.accesses[number].path if number else ()
            if known is path:
                continue
            if known and concurrent(known, path):
                if WRITE in (earlier, kind):
                    self.collide(store, store.key(cell), Collision(number, now, (earlier, kind)))
            elif earlier == kind and not _same(known, path):
                table[cell] = now
        if len(self.seen) < KEPT:
            self._see(store, store.key(cell), path, kind)

    def _other(self, store, cell, earlier, number, kind, now):
        """The access that this one may collide with: the first one, or the first of another iteration than that."""
        path, other = self.path, store.others.get((earlier, cell), 0)
        if not number or not _same(self.accesses[number].path, path):
            if number and earlier == kind and concurrent(self.accesses[number].path, path):
                if not other or self.accesses[other].path[-1].loop != path[-1].loop:
                    store.others[earlier, cell] = now
            return number
        return other if other and concurrent(self.accesses[other].path, path) else number

    def _touch(self, store, cells, kind):
        now, path = self.now(), self.path
        for earlier, table in store.tables.items():
            numbers, free = table[cells], np.ones(cells.size, bool)
            for number in np.unique(numbers).tolist():
                known = self.accesses[number].path if number else ()
                if _same(known, path):
                    free &= numbers != number
                elif concurrent(known, path):
                    free &= numbers != number
                    if WRITE in (earlier, kind):
                        for cell in cells[numbers == number].tolist():
                            self.collide(store, store.key(cell), Collision(number, now, (earlier, kind)))
            if earlier == kind:
                table[cells[free]] = now
        for cell in cells[: max(0, KEPT - len(self.seen))].tolist():
            self._see(store, store.key(cell), path, kind)


def pointer(array):
    """Address of the first element."""
    return array.__array_interface__["data"][0]


def addresses(array):
    """Address of each element, in the shape of the array."""
    found = np.array(pointer(array))
    for length, stride in zip(array.shape, array.strides, strict=True):
        found = found[..., None] + np.arange(length) * stride
    return found


def _indexer(array, start):
    """A function from a byte offset after `start` to the field's name and the index in `array`, if it is there."""
    shape, strides, dtype = array.shape, array.strides, array.dtype
    begin = pointer(array) - start + sum((n - 1) * s for n, s in zip(shape, strides, strict=True) if s < 0)
    axes = sorted(range(len(shape)), key=lambda axis: -abs(strides[axis]))

    def index_of(offset):
        rest, index = offset - begin, [0] * len(shape)
        for axis in axes:
            if strides[axis]:
                index[axis], rest = divmod(rest, abs(strides[axis]))
                if not 0 <= index[axis] < shape[axis]:
                    return None
                if strides[axis] < 0:
                    index[axis] = shape[axis] - 1 - index[axis]
        if not 0 <= rest < max(1, dtype.itemsize):
            return None
        fields = [name for name in dtype.names or () if dtype.fields[name][1] <= rest]
        return (f"[{max(fields, key=lambda name: dtype.fields[name][1])!r}]" if fields else ""), tuple(index)

    return index_of
