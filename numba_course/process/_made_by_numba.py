"""What Numba makes, as something from which a child makes it again; and what is registered with it for functions.

Numba's modules are imported by who has such an object, and by the child that makes it again.
"""

from __future__ import annotations

import functools
import pickle
import sys
import types
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from cloudpickle import cloudpickle as by_value

from numba_course.process._steps import BEGIN, COMPILE, FILL, fill_attributes, imported

METHODS = {
    "accumulate",
    "at",
    "outer",
    "reduce",
    "reduceat",
}  # of a ufunc, which compile no loop that is missing


def _age(made):
    """A number that is larger for what was made later: Numba numbers its types."""
    from numba.core.registry import cpu_target

    return getattr(cpu_target.typing_context._lookup_global(made), "_code", 0)


def _reduced_dispatcher(pickler, dispatcher):
    if not getattr(dispatcher, "_can_compile", True):  # the signatures were given
        signatures = [compiled.signature for compiled in dispatcher.overloads.values()]
        pickler.later(COMPILE, _compile_for, dispatcher, signatures, order=_age(dispatcher))
    if "FunctionCache" in (type(getattr(dispatcher, name, None)).__name__ for name in ("_cache", "cache")):
        pickler.cached(dispatcher)
    if module := _where_it_leads_back(dispatcher):
        pickler.later(FILL, _have_module, module)
    made_by = getattr(dispatcher, "_compiler", None)  # that of a ufunc has none
    if made_by and (added := _added(dispatcher)):
        pickler.later(FILL, fill_attributes, dispatcher, added)
    more = (made_by.pipeline_class,) if made_by else ()
    return type(dispatcher), (dispatcher.py_func, dispatcher.locals, dispatcher.targetoptions, *more)


def _added(dispatcher):
    """The attributes of a dispatcher that neither Numba has set nor its function has."""
    plain = {*vars(type(dispatcher)(lambda: 0)), *vars(dispatcher.py_func)}
    return {name: value for name, value in vars(dispatcher).items() if name not in plain}


def _where_it_leads_back(dispatcher):
    """The module of a compiled function that others lead back to: Numba resolves such a call by the module's name."""
    seen, left = set(), [dispatcher]
    while left:
        for value in _looked_up(left.pop().py_func):
            if value is dispatcher:
                return dispatcher.py_func.__module__
            if type(value) is type(dispatcher) and id(value) not in seen:
                seen.add(id(value))
                left.append(value)
    return None


def _looked_up(function):
    """What a function looks up outside itself by a name of its own."""
    for name in by_value._extract_code_globals(function.__code__):
        yield function.__globals__.get(name)
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # it is not filled
            yield cell.cell_contents


def _have_module(name):
    if name not in sys.modules:
        imported(name)
        sys.modules.setdefault(name, types.ModuleType(name))


def enable_caching(made):
    if builder := getattr(made, "gufunc_builder", None):
        builder.cache = True
        made = builder.nb_func
    made.enable_caching()


def _compile_for(dispatcher, signatures):
    for signature in signatures:
        dispatcher.compile(signature)
    dispatcher.disable_compile()


def _reduced_dufunc(pickler, ufunc):
    if ufunc._frozen or METHODS & pickler.names:
        signatures = list(ufunc._dispatcher.overloads)
        pickler.later(COMPILE, _add_to_dufunc, ufunc, signatures, ufunc._frozen, order=_age(ufunc))
    return _dufunc, (type(ufunc), ufunc._dispatcher, ufunc.identity)


def _dufunc(kind, dispatcher, identity):
    ufunc = kind.__new__(kind)
    ufunc._initialize(dispatcher, identity)
    functools.update_wrapper(ufunc, dispatcher.py_func)
    return ufunc


def _add_to_dufunc(ufunc, signatures, frozen):
    for signature in signatures:
        ufunc.add(signature)
    if frozen:
        ufunc.disable_compile()


def _reduced_method_in_c(pickler, method):
    if type(method.__self__).__name__ == "DUFunc":
        pickler.names.add(method.__name__)  # as if code said it
    return NotImplemented


def _reduced_gufunc(pickler, ufunc):
    made_by = ufunc.gufunc_builder
    if ufunc._frozen or not ufunc._is_dynamic:
        pickler.later(COMPILE, _add_to_gufunc, ufunc, made_by._sigs, ufunc._frozen, order=_age(ufunc))
    if made_by.cache:
        pickler.cached(ufunc)
    options = {
        "identity": ufunc._identity,
        "is_dynamic": ufunc._is_dynamic,
        "targetoptions": made_by.targetoptions,
        "writable_args": made_by.writable_args,
    }
    return _gufunc, (type(ufunc), made_by.py_func, made_by.signature, options)


def _gufunc(kind, function, signature, options):
    return kind(function, signature, **options)


def _add_to_gufunc(ufunc, signatures, frozen):
    for signature in signatures:
        ufunc.add(signature)
    ufunc.build_ufunc()
    ufunc._frozen = frozen


def _reduced_plain_ufunc(pickler, ufunc):
    module = pickle.whichmodule(ufunc, ufunc.__name__)
    if module == "__main__" or pickler._is_lost(module):  # NumPy's own are found in a module
        raise pickle.PicklingError(
            "a ufunc made with a target keeps nothing that could be sent; leave out target=, or put it into a "
            "module that can be imported"
        )
    return ufunc.__name__


def _reduced_intrinsic(pickler, made):
    return _intrinsic, (type(made), made._name, made._defn, made._prefer_literal, made._ctor_kwargs)


def _intrinsic(kind, name, function, prefer_literal, options):
    made = kind(name, function, prefer_literal=prefer_literal, **options)
    made._register()
    return made


def _reduced_callback(pickler, callback):
    options, signature = callback._compiler, callback._sig
    pickler.later(COMPILE, compile_callback, callback, order=sys.maxsize)  # it may call all that is compiled
    if type(callback._cache).__name__ == "FunctionCache":
        pickler.cached(callback)
    types_of_it = tuple(signature.args), signature.return_type
    return type(callback), (callback._pyfunc, types_of_it, options.locals, options.targetoptions)


def compile_callback(callback):
    if callback.address is None:
        callback.compile()


def _reduced_stencil(pickler, made):
    function = made.kernel_ir.func_id.func
    pickler.later(BEGIN, _stencil, made, function, made.mode, made.options)  # it looks its globals up at once
    return object.__new__, (type(made),)


def _stencil(made, function, mode, options):
    from numba.core.compiler import run_frontend

    made.__init__(run_frontend(function), mode, options)


def _reduced_jitclass(pickler, made):
    (original,) = made.__bases__
    pickler._originals.add(id(original))  # its methods may name the class, which is made of them
    return _jitclass, (original, list(made.class_type.struct.items()))


def _jitclass(original, fields):
    from numba.experimental import jitclass

    return jitclass(original, fields)


def _reduced_typed_list(pickler, value):
    if not value._typed:  # it was never filled
        return type(value), ()
    pickler.later(COMPILE, _extended, value, list(value), order=sys.maxsize)  # functions in it are compiled
    return _typed_list, (value._list_type.item_type,)


def _typed_list(kind):
    from numba.typed import List

    return List.empty_list(kind)


def _extended(made, items):
    made.extend(items)
    _keep_functions(made, items)


def _reduced_typed_dict(pickler, value):
    if not value._typed:
        return type(value), ()
    pickler.later(COMPILE, _updated, value, dict(value), order=sys.maxsize)
    return _typed_dict, (value._dict_type.key_type, value._dict_type.value_type)


def _updated(made, items):
    made.update(items)
    _keep_functions(made, items.values())


def _keep_functions(made, items):
    """Let functions live as long as the container, which holds their addresses alone."""
    made.functions = [item for item in items if callable(item)]


def _typed_dict(key, value):
    from numba.typed import Dict

    return Dict.empty(key, value)


def is_structref(made):
    """Whether it is a class of Numba types made with ``structref.register``."""
    kinds = sys.modules.get("numba.core.types")
    return bool(kinds) and issubclass(made, kinds.StructRef) and made in models()


def is_structref_proxy(kind):
    module = sys.modules.get("numba.experimental.structref")
    return bool(module) and issubclass(kind, module.StructRefProxy)


def proxy_of(made):
    """The class of Python objects that stands for a structref, if one was defined."""
    from numba.core.pythonapi import _boxers

    box = _boxers.functions.get(made)
    return box and box.__closure__[box.__code__.co_freevars.index("obj_ctor")].cell_contents.__self__


def register_structref(made, proxy):
    """In the child: make a class of Numba types known as it was made with ``structref.register``."""
    from numba.experimental import structref

    if made in models():  # it has come before
        return
    structref.register(made)
    if proxy:
        structref.define_boxing(made, proxy)


REDUCERS: dict[Any, Callable[[Any, Any], Any]] = {
    types.BuiltinMethodType: _reduced_method_in_c,
    "numba.core.registry.CPUDispatcher": _reduced_dispatcher,
    "numba.np.ufunc.ufuncbuilder.UFuncDispatcher": _reduced_dispatcher,
    "numba.np.ufunc.dufunc.DUFunc": _reduced_dufunc,
    "numba.np.ufunc.gufunc.GUFunc": _reduced_gufunc,
    "numpy.ufunc": _reduced_plain_ufunc,
    "numba.core.extending._Intrinsic": _reduced_intrinsic,
    "numba.core.ccallback.CFunc": _reduced_callback,
    "numba.stencils.stencil.StencilFunc": _reduced_stencil,
    "numba.typed.typedlist.List": _reduced_typed_list,
    "numba.typed.typeddict.Dict": _reduced_typed_dict,
    "numba.experimental.jitclass.base.JitClassType": _reduced_jitclass,
    # The content of other things of Numba's, which otherwise takes a pickler of its own.
    "numba.core.serialize._CustomPickled": lambda pickler, content: content._reduce(),
}


# What is registered with Numba, and so belongs to a function without being known to it


def templates():
    """All that was registered by ``@overload`` and its kin, by Numba itself, too; none where there is no Numba."""
    module = sys.modules.get("numba.core.typing.templates")
    registered = module.builtin_registry if module else None
    found = [*registered.functions, *registered.attributes] if registered else []
    return [template for template in found if hasattr(template, "_overload_func")]


def models():
    """The classes of Numba types that have a data model."""
    return sys.modules["numba.core.datamodel"].default_manager._handlers


def known_by_hand():
    """The functions and classes that Numba was told about otherwise than by ``@overload`` and its kin."""
    module = sys.modules.get("numba.core.typing.templates")
    if module is None:
        return
    yield from sys.modules["numba.core.typing.typeof"].typeof_impl.registry
    yield from (kind for kind in models() if not is_structref(kind))
    for value, kind in module.builtin_registry.globals:
        if not all(hasattr(template, "_overload_func") for template in getattr(kind, "templates", ())):
            yield value


def registration(template, sent, is_own):
    """A function and its arguments that register the template once more; None where nothing that is sent needs it."""
    key, function = template.key, template._overload_func
    if hasattr(template, "_jit_options"):
        needed = id(key) in sent or (is_own(function) and not is_own(key))
        how = template._jit_options, template._strict, template._inline.value, template.prefer_literal
        return (_overload, key, function, *how, template.metadata) if needed and key is not function else None
    if not is_own(function):
        return None
    how = template._inline.value, template.prefer_literal
    return _overload_attribute, template.is_method, key, template._attr, function, *how


def _overload(key, function, options, strict, inline, prefer_literal, more):
    from numba.extending import overload

    how = {"jit_options": options, "strict": strict, "inline": inline, "prefer_literal": prefer_literal}
    overload(key, **how, **more)(function)


def _overload_attribute(is_method, key, name, function, inline, prefer_literal):
    from numba.extending import overload_attribute, overload_method

    register = overload_method if is_method else overload_attribute
    register(key, name, inline=inline, prefer_literal=prefer_literal)(function)
