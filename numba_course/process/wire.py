"""What a child says, as bytes that can carry data but no code: numbers, text, containers, arrays, our own records.

A child may have run anybody's code, and to unpickle what it sends would run more of it, here. So nothing that
travels back is pickled: `encode` writes JSON and, after it, the bytes of arrays; `decode` makes plain values of
them. What is no data arrives as an `Opaque` that says what it was.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from typing import Any

DEEPEST = 64  # containers in one another
LONGEST = 200  # characters of the text of what is no data
LARGEST_TEXT = 64 << 20  # bytes of JSON in one message
MOST_VALUES = 2_000_000  # in it: as an object, each takes many times as many bytes
LARGEST_HEAD = 1 << 20
LENS = f"{__name__.partition('.')[0]}.lens."  # whose modules are loaded when they are first asked for
PLAIN = "biufcSUmM"  # kinds of NumPy's dtypes that hold nothing but numbers and characters


@dataclasses.dataclass(frozen=True)
class Opaque:
    """Stands for a value that cannot travel as data.

    Attributes
    ----------
    kind : str
        Name of its type.
    text : str
        The beginning of its repr.
    """

    kind: str
    text: str

    def __repr__(self) -> str:
        return self.text


class TooMuch(ValueError):
    """A value that is too large to be sent."""


class Malformed(ValueError):
    """Bytes that `encode` did not write."""


def encode(value: object) -> bytes:
    """Bytes that `decode` makes an equal value of.

    Parameters
    ----------
    value : object
        None, bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, a NumPy array or scalar
        without objects, a dataclass of this project, and any nesting of these. A subclass of a number or of text
        arrives as what it is a subclass of, and one of an array as an array. Anything else, and what is nested
        deeper than 64 times, arrives as an `Opaque`.

    Returns
    -------
    bytes

    Raises
    ------
    TooMuch
        If it has more text or more parts than `decode` takes.
    """
    blobs: list[bytes] = []
    text = json.dumps(_written(value, blobs, 0), separators=(",", ":")).encode("ascii")
    if len(text) > LARGEST_TEXT or text.count(b",") > MOST_VALUES:
        raise TooMuch(f"it has {len(text):,} characters as text, in {text.count(b','):,} parts")
    sizes = [len(text), *map(len, blobs)]
    head = json.dumps(sizes).encode("ascii")
    return b"".join([len(head).to_bytes(4, "big"), head, text, *blobs])


def decode(message: bytes) -> Any:
    """The value of a message, whoever wrote it; arrays are new and may be written to.

    Raises
    ------
    Malformed
        If it is no message of `encode`. Nothing of it was run.
    """
    try:
        start = 4 + int.from_bytes(message[:4], "big")
        if start > LARGEST_HEAD:
            raise Malformed(f"a head of {start} bytes")
        parts = []
        for size in json.loads(message[4:start]):
            if type(size) is not int or size < 0 or start + size > len(message):
                raise Malformed("a size that is none")
            parts.append(memoryview(message)[start : start + size])
            start += size
        text = bytes(parts[0])
        if len(text) > LARGEST_TEXT or text.count(b",") > MOST_VALUES:
            raise Malformed(f"{len(text)} bytes of text with {text.count(b',')} commas")
        return _read(json.loads(text), parts[1:])
    except Malformed:
        raise
    except Exception as error:  # of JSON, of NumPy, of Python: each has its own for what it cannot read
        raise Malformed(f"{type(error).__name__}: {error}") from error


def opaque(value: object) -> Opaque:
    """What can be said of a value without trusting it: neither its repr nor its class may do harm here."""
    try:
        kind = str.__str__(type.__dict__["__name__"].__get__(type(value)))
    except BaseException:
        kind = "object"
    try:
        text = str.__str__(repr(value))
    except BaseException:  # of a repr that exits
        text = f"<{kind} without a repr>"
    return Opaque(kind, text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")


def _written(value, blobs, depth):
    """The value as JSON; what JSON does not know is an object whose one key says what it is."""
    if value is None or value is True or value is False:
        return value
    if depth > DEEPEST:
        return _record(Opaque(type(value).__name__, "…"), blobs, 0)
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value, blobs, depth + 1)
    if dataclasses.is_dataclass(value) and _is_ours(type(value)):
        return _record(value, blobs, depth)
    return _array(value, blobs) or _record(opaque(value), blobs, 0)


def _integer(value, blobs, depth):
    exact = int.__int__(value)
    return (
        exact if exact.bit_length() < 64 else {"i": hex(exact)}
    )  # Python reads long decimals slowly, or not


def _mapping(value, blobs, depth):
    pairs = [[_written(k, blobs, depth), _written(v, blobs, depth)] for k, v in dict.items(value)]
    return {"d": pairs}


def _items(tag, base):
    def write(value, blobs, depth):
        items = [_written(item, blobs, depth) for item in base.__iter__(value)]
        return {tag: items} if tag else items

    return write


def _blob(value, blobs):
    blobs.append(value)
    return len(blobs) - 1


_WRITERS = (
    (int, _integer),
    (float, lambda value, blobs, depth: float.__float__(value)),
    (complex, lambda value, blobs, depth: {"c": [value.real, value.imag]}),
    (str, lambda value, blobs, depth: str.__str__(value)),
    (bytes, lambda value, blobs, depth: {"b": _blob(bytes.__getitem__(value, slice(None)), blobs)}),
    (list, _items("", list)),
    (tuple, _items("t", tuple)),
    (dict, _mapping),
    (set, _items("s", set)),
    (frozenset, _items("f", frozenset)),
)


def _array(value, blobs):
    """An array or a scalar of NumPy; None for anything else, and for arrays of objects."""
    np = sys.modules.get("numpy")
    if np is None or not isinstance(value, (np.ndarray, np.generic)):
        return None
    plain = np.asarray(value)
    if plain.dtype.kind == "V" and plain.dtype.names:
        kinds = _flat(plain.dtype)
    else:
        kinds = plain.dtype.kind
    if not kinds or set(kinds) - set(PLAIN):
        return None
    descr = np.lib.format.dtype_to_descr(plain.dtype)
    tag = "g" if isinstance(value, np.generic) else "a"
    return {tag: [_listed(descr), list(plain.shape), _blob(plain.tobytes(), blobs)]}


def _flat(dtype):
    """The kinds of all numbers of a structured dtype."""
    if dtype.subdtype:
        return _flat(dtype.subdtype[0])
    if dtype.names:
        return "".join(_flat(dtype[name]) for name in dtype.names)
    return dtype.kind


def _listed(descr):
    """A dtype's description with lists in place of tuples, as JSON has them."""
    return [_listed(part) for part in descr] if isinstance(descr, (list, tuple)) else descr


def _tupled(descr):
    """The description of a dtype as NumPy wants it: a text, or a list of tuples."""
    return descr if isinstance(descr, str) else [tuple(_field(part) for part in field) for field in descr]


def _field(part):
    """Part of a field: its name, with a title perhaps, its own description, or its shape."""
    if isinstance(part, list):
        return tuple(part) if all(isinstance(n, int | str) for n in part) else _tupled(part)
    return part


def _is_ours(kind):
    return kind.__module__.partition(".")[0] == __name__.partition(".")[0] and "." not in kind.__qualname__


def _record(value, blobs, depth):
    """A dataclass of this project: its name, and its fields."""
    kind = type(value)
    fields = [
        _written(getattr(value, field.name), blobs, depth + 1)
        for field in dataclasses.fields(value)
        if field.init
    ]
    return {"r": [kind.__module__, kind.__qualname__, fields]}


def _read(data, blobs):
    """The value of what `_written` gave."""
    if isinstance(data, list):
        return [_read(item, blobs) for item in data]
    if not isinstance(data, dict):
        return data
    ((tag, content),) = data.items()
    return _READERS[tag](content, blobs)


def _read_array(content, blobs):
    import numpy as np

    descr, shape, place = content
    dtype = np.lib.format.descr_to_dtype(_tupled(descr))
    if set(_flat(dtype)) - set(PLAIN):
        raise Malformed(f"an array of {dtype}")
    return np.frombuffer(blobs[place], dtype).reshape([int(n) for n in shape]).copy()


def _read_scalar(content, blobs):
    return _read_array(content, blobs)[()]


def _read_record(content, blobs):
    """A dataclass of this project. Its module is loaded already, or is one of the lens, which define and do no more."""
    module, name, values = content
    if module not in sys.modules and str(module).startswith(LENS) and "__" not in module:
        importlib.import_module(module)
    kind = vars(sys.modules[module])[name]  # to ask the module itself might import another
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind) and _is_ours(kind)):
        raise Malformed(f"{module}.{name} is no record")
    names = [field.name for field in dataclasses.fields(kind) if field.init]
    made = object.__new__(kind)
    for field, value in zip(names, values, strict=True):
        object.__setattr__(made, field, _read(value, blobs))
    return made


def _read_bytes(place, blobs):
    return bytes(blobs[place])


_READERS = {
    "i": lambda content, blobs: int(content, 16),
    "c": lambda content, blobs: complex(*content),
    "b": _read_bytes,
    "t": lambda content, blobs: tuple(_read(item, blobs) for item in content),
    "d": lambda content, blobs: {_read(k, blobs): _read(v, blobs) for k, v in content},
    "s": lambda content, blobs: {_read(item, blobs) for item in content},
    "f": lambda content, blobs: frozenset(_read(item, blobs) for item in content),
    "a": _read_array,
    "g": _read_scalar,
    "r": _read_record,
}
