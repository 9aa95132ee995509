"""Copies of a call's arguments with the same layout, in which arrays overlap as they did."""

import ctypes
import io
import pickle
from typing import Any

import numpy as np
from numba import typed, typeof
from numpy.lib.array_utils import byte_bounds

from numba_course.process import pickling

ALIGNMENT = 64  # bytes: a copy lies as far from a multiple of it as the original does
# Bytes, at most as many as the copy has, that are left free on both sides of it. What LLVM tests before a packed loop
# is rough: where an index may be negative, it asks for the memory before and behind an array, too. So which loop runs
# would be left to chance.
APART = 2**24


def pack(args: object) -> bytes:
    """Arguments as bytes, to be sent and to be made anew as often as needed.

    Raises
    ------
    TypeError
        If one of them cannot be copied.
    """
    pickler = _Pickler([])
    try:
        pickler.dump(args)
    except Exception as error:
        raise TypeError(f"the arguments cannot be copied: {error}") from error
    blocks = []
    for low, high in sorted(pickler.bounds):
        if blocks and low <= blocks[-1].high:  # neighbours too: they are parts of one array
            blocks[-1].high = max(high, blocks[-1].high)
        else:
            blocks.append(_Block(low, high))
    pickler = _Pickler(blocks)
    pickler.dump(args)
    return pickler.file.getvalue()


def unpack(packed: bytes, as_plain: bool = False) -> Any:
    """New arguments; if `as_plain`, with Python's lists and dicts in place of Numba's."""
    args = pickle.loads(packed)
    return plain(args) if as_plain else args


class Copies:
    """Copies of the arguments of a call, packed as ``(args, named)``: as many as are asked for, of the same types.

    For Numba each copy of a compiled function is of a type of its own, so a call with it would compile once more: of
    such a value all copies have the first.
    """

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._args, self._named = unpack(packed)

    def __call__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of one more call."""
        args, named = unpack(self._packed)
        named = {name: _of_one_type(value, self._named[name]) for name, value in named.items()}
        return tuple(map(_of_one_type, args, self._args)), named


def _of_one_type(value, first):
    """The value, or the one that came first where Numba has another type for this one."""
    try:
        return value if typeof(value) == typeof(first) else first
    except ValueError:  # of what only bytecode can use
        return value


class _Block:
    """Memory that some arguments share."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def __reduce__(self):
        return _memory, (self.low % ALIGNMENT, ctypes.string_at(self.low, self.high - self.low))


class _Pickler(pickling.Pickler):
    """Writes arrays as places in blocks; with no blocks it only notes the bounds of all arrays."""

    def __init__(self, blocks):
        self.blocks, self.bounds = blocks, []
        super().__init__(io.BytesIO())

    def reducer_override(self, value):
        if isinstance(value, np.ndarray) and _is_plain(value):
            return self._place(value)
        return super().reducer_override(value)

    def _place(self, value):
        low, high = byte_bounds(value)
        self.bounds.append((low, high))
        block = next((b for b in self.blocks if b.low <= low and high <= b.high), None)
        offset = value.__array_interface__["data"][0] - (block.low if block else 0)
        kind = np.recarray if isinstance(value, np.recarray) else np.ndarray
        return _array, (block, kind, value.shape, value.dtype, offset, value.strides, value.flags.writeable)


def _is_plain(array):
    """Whether an array is nothing but its bytes; the others pickle in their own way."""
    return type(array) in (np.ndarray, np.recarray, np.memmap) and not array.dtype.hasobject


def _memory(shift, content):
    free = min(len(content), APART)
    room = np.zeros(len(content) + 2 * free + ALIGNMENT, np.uint8)
    start = free + (shift - free - room.__array_interface__["data"][0]) % ALIGNMENT
    # Not a view of the room: the race detector keeps a table for all memory of which an array is a view.
    memory = np.frombuffer((ctypes.c_char * len(content)).from_buffer(room, start), np.uint8)
    memory[:] = np.frombuffer(content, np.uint8)
    return memory


def _array(memory, kind, shape, dtype, offset, strides, writeable):
    array = kind.__new__(kind, shape, dtype, memory, offset, strides)
    array.flags.writeable = writeable
    return array


def plain(value: Any) -> Any:
    """The value with Python's lists and dicts in place of Numba's."""
    if isinstance(value, (list, typed.List)):
        return [plain(item) for item in value]
    if isinstance(value, (dict, typed.Dict)):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        items = map(plain, value)
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return value
