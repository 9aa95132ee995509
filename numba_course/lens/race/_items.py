"""Items and attributes of the values of an interpreted function: what is read and written of them is reported."""

from __future__ import annotations

import enum
import operator
import types
from typing import Any

import numba
import numpy as np
from numba import typed

from numba_course.lens.race import _elements, _layouts, _overloads
from numba_course.lens.race._memory import READ, WRITE
from numba_course.lens.race._values import (
    CONTAINERS,
    NUMBERS,
    Instance,
    Method,
    NotUnderstood,
    Prange,
    Raised,
    as_dtype,
    as_index,
    cast,
    check_signs,
    plain,
    scalar,
    theirs,
)

PLAIN_ITEMS = set("?ilqdD")  # kinds of numbers that are Python's here
FITTING = {(float, "d"), (int, "d"), (int, "l"), (int, "q")}  # that NumPy stores as compiled code does
DESCRIBING = types.ModuleType, type, enum.Enum, np.ufunc, np.dtype, np.iinfo, np.finfo, numba.types.Type
TRANSPARENT = (tuple, str, *DESCRIBING, *NUMBERS)
ATTRIBUTES = {"T", "dtype", "flat", "imag", "itemsize", "nbytes", "ndim", "real", "shape", "size", "strides"}
BOUNDS = {"start", "stop", "step"}
UNCHANGING = (
    "copy count difference get index intersection isdisjoint issubset issuperset items keys union values"
)
READING = set(UNCHANGING.split())  # methods of containers that change nothing


def items(run, value):
    """Iterate over anything; what is met on the way is read."""
    if isinstance(value, Prange):
        raise NotUnderstood("prange outside a for statement")
    if isinstance(value, np.ndarray) and value.ndim:
        return (getitem(run, value, k) for k in range(len(value)))
    if isinstance(value, np.flatiter):
        return (getitem(run, value.base, index) for index in np.ndindex(value.base.shape))
    if isinstance(value, list):
        return _list_items(run, value)
    if isinstance(value, CONTAINERS):
        run.memory.item(value, None, READ)
    return theirs(iter, value)


def _list_items(run, values):
    index = 0
    while index < length(run, values):
        yield getitem(run, values, index)
        index += 1


def getitem(run, value, index):
    """``value[index]``; what is copied is read, of what is only viewed nothing is."""
    index = as_index(index) if type(index) is not int else index
    number = number_in(value, index)
    if number:
        run.memory.element(value, number[1], READ)
        return value.item(number[0]) if value.dtype.char in PLAIN_ITEMS else scalar(value[number[0]])
    if isinstance(value, CONTAINERS):
        run.memory.item(value, None, READ)
        if not isinstance(index, slice):
            run.memory.item(value, _key(value, index), READ)
    value, index = _unflattened(value, index)
    if not isinstance(value, np.ndarray):
        return theirs(operator.getitem, value, index)
    offset = _offset(value, index)
    if offset is not None:
        run.memory.element(value, offset, READ)
        return scalar(value[index])
    check_signs(index)
    if read(run, index if isinstance(index, tuple) else [index]):
        run.memory.array(value, READ, index)
        result = plain(theirs(operator.getitem, value, index))
        run.picked = result, value, index
        return result
    view = theirs(operator.getitem, value, index)
    if isinstance(view, np.void):  # a record stays a part of its array, as it does in Numba
        return value[(*index, ...) if isinstance(index, tuple) else (index, ...)]
    if not isinstance(view, np.ndarray) or (view.ndim == 0 and view.dtype.names is None):
        run.memory.array(view if isinstance(view, np.ndarray) else value, READ)
        return scalar(view[()])
    _layouts.indexed(run, value, index, view)
    return view


def setitem(run, target, index, value):
    """``target[index] = value``"""
    index = as_index(index) if type(index) is not int else index
    number = number_in(target, index)
    if (
        number
        and (type(value) is float or type(value) is int)
        and (type(value), target.dtype.char) in FITTING
    ):
        run.memory.same = target.item(number[0]) == value
        run.memory.element(target, number[1], WRITE)
        run.memory.same = False
        target[number[0]] = value
        return
    if isinstance(target, CONTAINERS):
        grows = isinstance(index, slice) or (isinstance(target, dict) and index not in target)
        run.memory.item(target, None, WRITE if grows else READ)
        if not isinstance(index, slice):
            key = _key(target, index)
            run.memory.same = not grows and isinstance(value, NUMBERS) and target[key] == value
            run.memory.item(target, key, WRITE)
            run.memory.same = False
        theirs(operator.setitem, target, index, value)
        return
    target, index = _unflattened(target, index)
    check_signs(index)
    if not isinstance(target, np.ndarray):
        raise NotUnderstood(f"storing into {type(target).__name__}")
    read(run, [value, *(index if isinstance(index, tuple) else [index])])
    offset, part = _offset(target, index), target[index] if isinstance(index, str) else target
    run.memory.same = _is_stored(target, index, value)
    if offset is not None:
        run.memory.element(target, offset, WRITE)
    else:
        run.memory.array(part, WRITE, ... if isinstance(index, str) else index)
        _elements.stored(run, target, index, value)
    run.memory.same = False
    if part.dtype.names is None:
        value = np.asarray(value).astype(part.dtype)
    theirs(operator.setitem, target, index, value)


def attribute(run, value, name):
    """``value.name``"""
    if isinstance(value, np.ndarray):
        if name in (value.dtype.names or ()):
            return getitem(run, value, name)
        if name in ATTRIBUTES:
            return _layouts.attribute(run, value, name, getattr(value, name))
        return _added(run, value, name)
    if isinstance(value, (*CONTAINERS, np.random.Generator)):
        return _added(run, value, name)
    if isinstance(value, Instance):
        return _field(run, value, name)
    if isinstance(value, NUMBERS) and not hasattr(value, name):
        return _added(run, value, name)
    if isinstance(value, (range, slice)) and name in BOUNDS and getattr(value, name) is not None:
        return getattr(value, name)  # of a slice, what was not given is a number in compiled code
    if isinstance(value, TRANSPARENT) or value in (typed.List, typed.Dict):
        return scalar(theirs(getattr, value, name))
    raise NotUnderstood(f"the attribute {name} of {type(value).__name__}")


def _added(run, value, name):
    """A method, or the value of an attribute that somebody has added to such values."""
    added = _overloads.member(run, value, name)
    if added is None or added.is_method:
        return Method(value, name)
    return _overloads.call(run, run.frame, added._overload_func, [value], {})


def _field(run, instance, name):
    """An attribute of an instance of a jitclass."""
    if getter := instance.getter(name):
        return run.dispatch(getter, [instance], {})
    if name not in instance.types:
        return Method(instance, name)
    run.memory.item(instance, name, READ)
    if name not in instance.fields:
        raise NotUnderstood(f"the attribute {name}, which has no value yet,")
    return instance.fields[name]


def set_field(run, instance, name, value):
    """``instance.name = value``, of a jitclass."""
    kind = instance.types.get(name)
    if kind is None:
        raise NotUnderstood(f"the property {name} of {instance.name}")
    run.memory.item(instance, name, WRITE)
    instance.fields[name] = cast(value, as_dtype(kind)) if isinstance(kind, numba.types.Number) else value


def read(run, values):
    """All arrays among the values are read; return them."""
    found = arrays(run, values)
    for array in found:
        run.memory.array(array, READ)
    for value in values:
        if isinstance(value, (dict, set)):
            run.memory.item(value, None, READ)
    return found


def length(run, value):
    if isinstance(value, CONTAINERS):
        run.memory.item(value, None, READ)
    return len(value)


def _key(container, index):
    """The cell of an item: a list's counted from the front."""
    if not isinstance(container, list):
        return index
    if not -len(container) <= index < len(container):
        raise Raised(IndexError("list index out of range"))
    return index % len(container)


def _is_stored(target, index, value):
    """Whether a number, or the same number for all, stands there already."""
    if target.dtype.names or not isinstance(value, NUMBERS):
        return False
    return bool(np.all(target[index] == np.asarray(value).astype(target.dtype)))


def _unflattened(value, index):
    """An index into ``array.flat`` as one into the array."""
    if not isinstance(value, np.flatiter):
        return value, index
    position = theirs(operator.getitem, range(value.base.size), index)
    return value.base, tuple(map(int, np.unravel_index(position, value.base.shape)))


def _offset(array, index):
    """Byte offset of the one number that an index picks; None if it picks anything else."""
    index = (index,) if type(index) is int else index
    if type(index) is not tuple or len(index) != array.ndim or array.dtype.names:
        return None
    offset = 0
    for axis, (k, length, stride) in enumerate(zip(index, array.shape, array.strides, strict=True)):
        if type(k) is not int:
            return None
        if not -length <= k < length:
            check_signs(index)
            raise Raised(IndexError(f"index {k} is out of bounds for axis {axis} with size {length}"))
        offset += k % length * stride
    return offset


def arrays(run, values):
    """All arrays among the values, also inside tuples and lists; what a list holds is read."""
    found = []
    for value in values:
        if isinstance(value, np.ndarray):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            if isinstance(value, list):
                run.memory.item(value, None, READ)
            found += arrays(run, value)
    return found


def container_method(run, container, name, args):
    """A method of a list, dict or set: a write of the whole container, unless it only reads."""
    key = args[0] if name == "get" else None
    run.memory.item(container, key, READ if name in READING else WRITE)
    if name in ("extend", "update"):
        args = [list(items(run, a)) if not isinstance(a, dict) else a for a in args]
    result = theirs(getattr(container, name), *args)
    return list(result) if name in ("items", "keys", "values") else result


def number_in(array: Any, index: Any) -> tuple[Any, int] | None:
    """Index and byte offset of the one number that a plain index inside an array of one or two axes picks, or None."""
    if type(array) is not np.ndarray or array.dtype.names:
        return None
    if type(index) is int and array.ndim == 1:
        length = len(array)
        if -length <= index < length:
            index %= length
            return index, index * array.strides[0]
    elif type(index) is tuple and len(index) == array.ndim == 2:
        (row, column), (rows, columns) = index, array.shape
        if type(row) is type(column) is int and -rows <= row < rows and -columns <= column < columns:
            row, column, (down, right) = row % rows, column % columns, array.strides
            return (row, column), row * down + column * right
    return None
