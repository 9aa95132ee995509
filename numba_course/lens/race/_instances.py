"""Instances of jitclasses and structrefs among the arguments: taken apart for the way to the child, and put together.

What an interpreter needs of them is their fields. Their class travels with the function, so that it is one class
there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numba import njit, types
from numba.core.registry import cpu_target
from numba.experimental.jitclass.base import JitClassType
from numba.experimental.structref import StructRefProxy

from numba_course.lens.race._values import Instance, plain


class NotTakenApart(TypeError):
    """An instance whose fields are not looked into; says why."""


@dataclass
class Fields:
    """Stands for an instance on the way: where its class is found, and its fields by name."""

    kind: int
    fields: dict[str, Any]


@dataclass
class TypeOnly:
    """Stands for an instance where only its type matters: Numba compiles for it, and nobody can call with it."""

    _numba_type_: types.Type


def taken_apart(value: Any, kinds: list[Any]) -> Any:
    """The value with `Fields` in place of instances, the same ones for the same instance.

    Parameters
    ----------
    value : object
        An argument, or a tuple, list or dict of arguments.
    kinds : list
        Gains the jitclass, or the type of the structref, of each kind of instance.

    Raises
    ------
    NotTakenApart
    """
    return _taken_apart(value, kinds, {})


def _taken_apart(value, kinds, done):
    if type(value) is dict:
        return {key: _taken_apart(item, kinds, done) for key, item in value.items()}
    if isinstance(value, tuple):
        items = [_taken_apart(item, kinds, done) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    kind = _kind(value)
    if kind is None:
        return value
    if id(value) not in done:
        if kind not in kinds:
            kinds.append(kind)
        done[id(value)] = Fields(kinds.index(kind), _fields(value))
    return done[id(value)]


def _kind(value):
    """The jitclass of an instance, or the type of a structref; None for any other value."""
    if isinstance(value, StructRefProxy):
        return value._numba_type_
    known = getattr(type(value), "_numba_type_", None)
    if not isinstance(known, types.ClassInstanceType):
        return None
    registered = cpu_target.typing_context._globals.items()  # weak references to what has a type of its own
    return next(made() for made, kind in registered if kind is known.class_type)


def _fields(value):
    """All fields of an instance; arrays are the same memory."""
    known = value._numba_type_
    is_structref = isinstance(value, StructRefProxy)
    kinds = known.field_dict if is_structref else known.struct
    for name, kind in kinds.items():
        if not _is_readable(kind):
            what = f"the field {name} of {type(value).__name__}"
            raise NotTakenApart(f"{what}, an argument, is of type {kind}, which is not looked into")
    if is_structref:
        return {name: njit(_getter(name))(value) for name in kinds}
    return {name: getattr(value, name) for name in kinds}


def _is_readable(kind):
    """Whether a field may be read although it was perhaps never set: then these are zero, or empty."""
    if isinstance(kind, types.BaseTuple):
        return all(map(_is_readable, kind))
    return isinstance(kind, (types.Number, types.Boolean, types.Array))


def _getter(name):
    namespace = {}
    exec(f"def get(instance):\n    return instance.{name}", namespace)
    return namespace["get"]


def for_compiling(value: Any, kinds: list[Any]) -> Any:
    """What was taken apart, as arguments that Numba can compile for."""
    return _rebuilt(value, lambda found: TypeOnly(_type_of(kinds[found.kind])))


def for_interpreting(value: Any, kinds: list[Any]) -> Any:
    """What was taken apart, as arguments of the interpreter, the same instance where it was the same one."""
    done = {}

    def instance(found):
        if id(found) not in done:
            done[id(found)] = Instance(_type_of(kinds[found.kind]), _plain(found.fields))
        return done[id(found)]

    return _rebuilt(value, instance)


def _plain(fields):
    return {name: plain(value) for name, value in fields.items()}


def _type_of(kind):
    return kind.class_type.instance_type if type(kind) is JitClassType else kind


def _rebuilt(value, made):
    if isinstance(value, Fields):
        return made(value)
    if type(value) is dict:
        return {key: _rebuilt(item, made) for key, item in value.items()}
    if isinstance(value, tuple):
        items = [_rebuilt(item, made) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return value
