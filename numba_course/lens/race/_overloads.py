"""What compiled code has from `overload` and its kin in place of a Python function, a method or an attribute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numba
from numba.core.cpu_options import InlineOptions
from numba.core.dispatcher import Dispatcher
from numba.core.registry import cpu_target

from numba_course.lens.compiled.dispatchers import is_parallel
from numba_course.lens.race._values import Instance, NotUnderstood

Kinds: TypeAlias = tuple[tuple[Any, ...], tuple[tuple[str, Any], ...]]  # by position and by name
Found: TypeAlias = tuple[Dispatcher, InlineOptions]


def call(run: Any, frame: Any, function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Call what Numba runs in place of this Python function for these arguments."""
    kinds = _kinds(args, kwargs)
    if (function, kinds) not in run.overloads:
        run.overloads[function, kinds] = _found(function, kinds)
    found = run.overloads[function, kinds]
    if found is None:
        raise NotUnderstood(f"a call of {function.__name__}")
    return run.dispatch(found[0], args, kwargs, frame, found[1])


def member(run: Any, value: Any, name: str) -> Any:
    """The template of a method or attribute that somebody has added to such values; None if nobody has."""
    try:
        kind = _type_of(value)
    except ValueError:
        return None
    if (kind, name) not in run.overloads:
        run.overloads[kind, name] = _member(kind, name)
    return run.overloads[kind, name]


def method(run: Any, frame: Any, instance: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Call the method of that name that `overload_method` has added to instances of a structref."""
    kinds, template = _kinds(args, kwargs), _member(instance.kind, name)
    whole = kinds and ((instance.kind, *kinds[0]), kinds[1])
    found = template and whole and _found(template._overload_func, whole)
    if not found:
        raise NotUnderstood(f"the attribute {name} of {instance.name}")
    return run.dispatch(found[0], [instance, *args], kwargs, frame, found[1])


def is_inlined(inline: InlineOptions, function: Callable[..., Any], caller: Any) -> bool:
    """Whether Numba puts the body of a function into its caller, of which its loops are a part then."""
    if caller is None or inline.is_never_inline:
        return False
    if not inline.is_always_inline:
        raise NotUnderstood(f"whether Numba inlines {function.__name__}, which a function decides,")
    return True


def _kinds(args, kwargs):
    """Numba's types of these values; None if it knows one of them by another name than the interpreter."""
    try:
        named = tuple((name, _type_of(value)) for name, value in kwargs.items())
        return tuple(map(_type_of, args)), named
    except ValueError:
        return None


def _type_of(value):
    """Numba's type of a value; ValueError if it has none as the interpreter keeps it."""
    if isinstance(value, Instance):
        return getattr(value.kind, "instance_type", value.kind)
    return numba.typeof(value)


def _found(function: Callable[..., Any], kinds: Kinds | None) -> Found | None:
    """The compiled function in place of this one, and whether it is inlined; None if it is not found out."""
    try:
        known = getattr(cpu_target.typing_context.resolve_value_type(function), "templates", ())
    except ValueError:  # Python alone calls it, under objmode
        raise NotUnderstood(f"a call of the Python function {function.__name__}") from None
    templates = [template for template in reversed(known) if hasattr(template, "_overload_func")]
    for template in templates if kinds else ():
        dispatcher = _implementation(template, kinds)
        if dispatcher is not None:
            return dispatcher, template._inline
    made = {d.py_func: (d, template._inline) for template in templates for _, d in _compiled(template)}
    return next(iter(made.values())) if len(made) == 1 else None


def _compiled(template):
    """What Numba has compiled by a template already, with the key of each."""
    return [(key, made) for key, (made, _) in template._impl_cache.items() if made is not None]


def _implementation(template, kinds):
    """The function that a template gives for arguments of these types; compiled if that is to tell what is parallel."""
    for key, made in _compiled(template):
        if key[1:3] == kinds:
            return made
    options = {name: value for name, value in template._jit_options.items() if name != "cache"}
    try:
        given = template._overload_func(*kinds[0], **dict(kinds[1]))
        if given is None:
            return None
        positional, named, function = kinds[0], dict(kinds[1]), given
        if isinstance(given, tuple):
            positional, named, function = given[0].args, {}, given[1]
        made = numba.jit(**options)(function)
        if is_parallel(made):
            made.get_call_template(positional, named)
    except Exception:  # not for these types: the code is somebody else's
        return None
    return made


def _member(kind, name):
    for template in cpu_target.typing_context._get_attribute_templates(kind):
        if getattr(template, "_attr", None) == name:  # the first one counts, and Numba's own come first
            own = template._overload_func.__module__.partition(".")[0] == "numba"
            return None if own else template
        if hasattr(template, f"resolve_{name}"):
            return None
    return None
