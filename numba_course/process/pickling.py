"""What travels to a child process: functions and arguments as bytes, beyond what pickle can send.

A function arrives as its code first. What it refers to (globals, closures) follows when all that is sent exists, and
what compiles as soon as it is defined does so at last, in the order in which it was defined. So nothing that refers
to itself, or to each other, is met half made, however Numba's decorators are combined.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import io
import pickle
import sys
import threading
import types
import weakref
from _ctypes import FUNCFLAG_PYTHONAPI, CFuncPtr
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import cloudpickle
from cloudpickle import cloudpickle as by_value

from numba_course.process.c_addresses import address_at, place_of

# When what follows is done, in the child.
FILL, BEGIN, REGISTER, COMPILE = range(4)


def dumps(value: object) -> bytes:
    """Bytes from which another process makes `value` anew; it needs no more than ``pickle.loads``.

    Raises
    ------
    Exception
        If cloudpickle cannot send it, or it holds a C function that is known by its address alone.
    """
    pickler = Pickler(io.BytesIO())
    pickler.dump(value)
    return pickler.file.getvalue()


def can_be_sent(value: object) -> bool:
    """Whether pickling ends well, without what is registered with Numba for its functions.

    Nothing but a KeyboardInterrupt is raised, whatever the methods of an object do.
    """
    try:
        _Alone(io.BytesIO()).dump(value)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return False
    return True


class Pickler(cloudpickle.Pickler):
    """Sends also what Numba and C libraries make, modules that the child could not import, and an `lru_cache`.

    Dispatchers travel as Python functions and options, without machine code and without their disk cache.

    Attributes
    ----------
    code_files : set of str
        Names of the files that the code of the sent functions is from. A function keeps it: a finding quotes the line.
    """

    def __init__(self, file: io.BytesIO) -> None:
        self.file, self.code_files = file, set()
        self._main = None  # the names of the session, of which those that are needed become the child's
        self._later, self._sent, self._registered, self._importable = [], set(), set(), {}
        self._methods, self._originals = set(), set()
        super().__init__(file)

    def dump(self, value: object) -> None:
        """Write `value` to the file, and after it what it refers to."""
        super().dump(_Whole(value))

    def reducer_override(self, value: Any) -> Any:
        kind = type(value)
        if kind is _Whole:
            return _whole, (value.value, _Rest())
        if kind is _Rest:
            return self._rest()
        if kind is _Main:
            return _main_names, ()
        if reducer := REDUCERS.get(kind) or REDUCERS.get(f"{kind.__module__}.{kind.__qualname__}"):
            return reducer(self, value)
        if kind is types.FunctionType and self._is_lost(value.__module__):
            return self._dynamic_function_reduce(value)
        if kind is types.ModuleType and self._is_lost(value.__name__):
            names = {name: content for name, content in vars(value).items() if name != "__builtins__"}
            self.later(FILL, _fill_module, value, names)
            return types.ModuleType, (value.__name__,)
        if issubclass(kind, type):
            return self._class_reduce(value)
        if issubclass(kind, CFuncPtr):
            return _reduced_c_function(value)
        if issubclass(kind, ctypes.CDLL):
            functions = [f for f in vars(value).values() if isinstance(f, CFuncPtr)]
            return _c_library, (kind, value._name, [_declared(f) for f in functions])
        return super().reducer_override(value)

    def later(self, when: int, function: Callable[..., object], *args: Any, order: int = 0) -> None:
        """Have the child call ``function(*args)`` when all is there: first what is for `FILL`, lowest order first."""
        self._later.append((when, order, function, args))

    def cached(self, made: Any) -> None:
        """Called for what was made with ``cache=True``: the child's own does not look at the disk."""

    def _rest(self):
        """What is to be done later, in rounds: each sends things that leave more to do."""
        if self._sent and not self._later:
            self._register_overloads()
        if not self._later:
            return tuple, ()
        now, self._later = tuple(self._later), []
        return _joined, (now, _Rest())

    def _dynamic_function_reduce(self, func):
        make, (code, names, *_), (attributes, slots), *rest = super()._dynamic_function_reduce(func)
        if func.__globals__.get("__name__") == "__main__" and self._main is None:
            self._main = names
        if names is self._main:
            names = _MAIN
        self._sent.add(id(func))
        if id(func) not in self._methods:
            self.later(FILL, _fill, names, slots["__globals__"])
            slots["__globals__"] = {}
        slots["__closure__"] = None
        return make, (code, names, None, None, func.__closure__), (_own(attributes), slots), *rest

    def _class_reduce(self, made):
        """As cloudpickle has it: what a method refers to comes with it, since `__hash__` may be called at once."""
        lost = self._is_lost(made.__module__)
        reduced = by_value._dynamic_class_reduce(made) if lost else super().reducer_override(made)
        if reduced is not NotImplemented and id(made) not in self._originals:
            for value in vars(made).values():
                self._needed_at_once(value)
        return reduced

    def _needed_at_once(self, value):
        """Note a method and the functions that it calls: an instance may call it as soon as it arrives."""
        if type(value) in (staticmethod, classmethod):
            value = value.__func__
        if type(value) is not types.FunctionType or id(value) in self._methods:
            return
        self._methods.add(id(value))
        for name in value.__code__.co_names:
            self._needed_at_once(value.__globals__.get(name))

    def _is_lost(self, name):
        """Whether the module of this name is here and the child would not find it, or find another one."""
        if name not in self._importable:
            self._importable[name] = (
                name not in sys.modules or name == "__main__" or _found(sys.modules[name])
            )
        return not self._importable[name]

    def _register_overloads(self):
        """Leave to be done what ``@overload`` and its kin have registered for functions that are sent."""
        for template in _templates():
            again = None if template in self._registered else _registration(template, self._sent)
            # What is registered for Numba's own types is sent with any function, and so must not stop one.
            if again and can_be_sent(again):
                self._registered.add(template)
                self.later(REGISTER, *again)


class CachingPickler(Pickler):
    """As `Pickler`, but what was made with ``cache=True`` looks at the disk in the child as well."""

    def cached(self, made: Any) -> None:
        self.later(BEGIN, _enable_caching, made)


class _Alone(Pickler):
    """As `Pickler`, without what is registered for the functions: to try whether that can be sent."""

    def _register_overloads(self):
        pass


@dataclass
class _Whole:
    """What is sent; what it refers to follows."""

    value: object


class _Rest:
    """Stands for what is left to be done when the pickler comes to it."""


class _Main:
    """Stands for the names of ``__main__``: Numba looks a name of an object mode block up in the function's module."""


_MAIN = _Main()


def _main_names():
    return vars(sys.modules["__main__"])


def _fill(names, values):
    names.update(values)


def _joined(now, rest):
    return now + rest


def _whole(value, rest):
    """In the child: the value, when all that was left is done."""
    for *_, function, args in sorted(rest, key=lambda step: step[:2]):
        function(*args)
    return value


def _own(attributes):
    """A function's attributes, without those of a dispatcher that it wraps, which `functools.wraps` has copied."""
    inner = attributes.get("__wrapped__")
    copied = vars(inner) if type(inner).__module__.startswith("numba.") else {}
    return {name: value for name, value in attributes.items() if copied.get(name, attributes) is not value}


def _found(module):
    """Whether a child that imports the module by its name gets it from where it is from."""
    spec, (parent, _, _) = getattr(module, "__spec__", None), module.__name__.rpartition(".")
    if spec is None:
        return False
    path = getattr(sys.modules.get(parent), "__path__", None) if parent else None
    with suppress(Exception):  # a finder of somebody else's
        for finder in sys.meta_path:
            if found := finder.find_spec(module.__name__, path):
                return found.origin == spec.origin
    return False


def _fill_module(module, names):
    vars(module).update(names)


# Python's own


def _reduced_code(pickler, code):
    make, args = pickler.dispatch_table[types.CodeType](code)
    pickler.code_files.add(code.co_filename)
    return _code_of, (code.co_filename, make, args)


def _code_of(file, make, args):
    return make(*args).replace(co_filename=file)


def _reduced_cell(pickler, cell):
    with suppress(ValueError):  # it is not filled
        pickler.later(FILL, setattr, cell, "cell_contents", cell.cell_contents)
    return types.CellType, ()


def _reduced_lru_cache(pickler, function):
    return _remembering, (function.__wrapped__, function.cache_parameters())  # without what it remembers


def _remembering(function, parameters):
    return functools.lru_cache(**parameters)(function)


def _reduced_weak_reference(pickler, reference):
    return _weak_reference, (reference(),)


def _weak_reference(value):
    return weakref.ref(set() if value is None else value)  # of nothing: to what is gone at once


def _reduced_weak_dict(pickler, values):
    pickler.later(FILL, _fill, values, dict(values))
    return type(values), ()


def _reduced_lock(pickler, lock):
    return threading.Lock, ()


def _reduced_reentrant_lock(pickler, lock):
    return threading.RLock, ()


def _reduced_thread_pool(pickler, pool):
    return ThreadPoolExecutor, (pool._max_workers,)


# Functions of C libraries: by name, since their addresses differ


def _reduced_c_function(function):
    library = (function._objects or {}).get("0")
    if isinstance(library, ctypes.CDLL) and hasattr(function, "__name__"):
        return _c_function, (library, *_declared(function))
    address = ctypes.cast(function, ctypes.c_void_p).value
    try:
        place = place_of(address or 0)
    except LookupError as error:
        raise pickle.PicklingError(
            "ctypes knows a C function by its address alone; take it from its library by name"
        ) from error
    return _c_function_at, (*place, type(function)._flags_, function.restype, function.argtypes)


def _declared(function):
    """Name, argument types and result type of a function that ctypes found in a library."""
    return function.__name__, function.argtypes, function.restype


def _c_library(kind, name, functions):
    library = kind(name)
    for declared in functions:
        _c_function(library, *declared)
    return library


def _c_function(library, name, argtypes, restype):
    function = getattr(library, name)
    function.argtypes, function.restype = argtypes, restype
    return function


def _c_function_at(file, distance, flags, restype, argtypes):
    kind = ctypes.PYFUNCTYPE if flags & FUNCFLAG_PYTHONAPI else ctypes.CFUNCTYPE
    return kind(restype, *(argtypes or ()))(address_at(file, distance))


def _reduced_ffi(pickler, ffi):
    return _ffi, (ffi._cdefsources,)


def _ffi(sources):
    import cffi

    ffi = cffi.FFI()
    ffi.cdef("\n".join(source for source in sources if source not in ("[", "]")), override=True)
    return ffi


def _reduced_ffi_library(pickler, library):
    _, _, name = type(library).__name__.partition("FFILibrary_")
    ffi = next(ffi for ffi in _ffis() if any(library is other for other in ffi._libraries))
    return _ffi_library, (ffi, name or None)


def _ffi_library(ffi, name):
    return ffi.dlopen(name)


def _reduced_ffi_data(pickler, data):
    for ffi in _ffis():
        for library in ffi._libraries:
            for name, value in getattr(library, "__dict__", {}).items():
                if value is data:
                    return getattr, (library, name)
    raise pickle.PicklingError("cffi knows this value by its address alone; take it from its library by name")


def _ffis():
    """All that declare C functions in this process; a function of a library does not know which of them it is of."""
    return [
        value for value in gc.get_objects() if type(value).__module__ == "cffi.api" and hasattr(value, "cdef")
    ]


# What Numba makes. Its modules are imported by who has such an object, and by the child that makes it again.


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
    made_by = getattr(dispatcher, "_compiler", None)  # that of a ufunc has none
    more = (made_by.pipeline_class,) if made_by else ()
    return type(dispatcher), (dispatcher.py_func, dispatcher.locals, dispatcher.targetoptions, *more)


def _enable_caching(made):
    if builder := getattr(made, "gufunc_builder", None):
        builder.cache = True
        made = builder.nb_func
    made.enable_caching()


def _compile_for(dispatcher, signatures):
    for signature in signatures:
        dispatcher.compile(signature)
    dispatcher.disable_compile()


def _reduced_dufunc(pickler, ufunc):
    if ufunc._frozen:
        signatures = list(ufunc._dispatcher.overloads)
        pickler.later(COMPILE, _add_to_dufunc, ufunc, signatures, order=_age(ufunc))
    return _dufunc, (type(ufunc), ufunc._dispatcher, ufunc.identity)


def _dufunc(kind, dispatcher, identity):
    ufunc = kind.__new__(kind)
    ufunc._initialize(dispatcher, identity)
    functools.update_wrapper(ufunc, dispatcher.py_func)
    return ufunc


def _add_to_dufunc(ufunc, signatures):
    for signature in signatures:
        ufunc.add(signature)
    ufunc.disable_compile()


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
    if pickle.whichmodule(ufunc, ufunc.__name__) == "__main__":  # NumPy's own are found in a module
        raise pickle.PicklingError(
            "a ufunc made with a target keeps nothing that could be sent; leave out target=, or check a file"
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
    pickler.later(COMPILE, _compile_callback, callback, order=sys.maxsize)  # it may call all that is compiled
    if type(callback._cache).__name__ == "FunctionCache":
        pickler.cached(callback)
    types_of_it = tuple(signature.args), signature.return_type
    return type(callback), (callback._pyfunc, types_of_it, options.locals, options.targetoptions)


def _compile_callback(callback):
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


REDUCERS: dict[Any, Callable[[Pickler, Any], Any]] = {
    types.CodeType: _reduced_code,
    types.CellType: _reduced_cell,
    functools._lru_cache_wrapper: _reduced_lru_cache,
    weakref.ReferenceType: _reduced_weak_reference,
    weakref.WeakValueDictionary: _reduced_weak_dict,
    weakref.WeakKeyDictionary: _reduced_weak_dict,
    type(threading.Lock()): _reduced_lock,
    type(threading.RLock()): _reduced_reentrant_lock,
    ThreadPoolExecutor: _reduced_thread_pool,
    "cffi.api.FFI": _reduced_ffi,
    "cffi.api._make_ffi_library.<locals>.FFILibrary": _reduced_ffi_library,
    "_cffi_backend._CDataBase": _reduced_ffi_data,
    "numba.core.registry.CPUDispatcher": _reduced_dispatcher,
    "numba.np.ufunc.ufuncbuilder.UFuncDispatcher": _reduced_dispatcher,
    "numba.np.ufunc.dufunc.DUFunc": _reduced_dufunc,
    "numba.np.ufunc.gufunc.GUFunc": _reduced_gufunc,
    "numpy.ufunc": _reduced_plain_ufunc,
    "numba.core.extending._Intrinsic": _reduced_intrinsic,
    "numba.core.ccallback.CFunc": _reduced_callback,
    "numba.stencils.stencil.StencilFunc": _reduced_stencil,
    "numba.experimental.jitclass.base.JitClassType": _reduced_jitclass,
    # The content of other things of Numba's, which otherwise takes a pickler of its own.
    "numba.core.serialize._CustomPickled": lambda pickler, content: content._reduce(),
}


# What is registered with Numba, and so belongs to a function without being known to it


def _templates():
    """All that was registered by ``@overload`` and its kin, by Numba itself, too; none where there is no Numba."""
    module = sys.modules.get("numba.core.typing.templates")
    registered = module.builtin_registry if module else None
    found = [*registered.functions, *registered.attributes] if registered else []
    return [template for template in found if hasattr(template, "_overload_func")]


def _registration(template, sent):
    """A function and its arguments that register the template once more; None where nothing that is sent needs it."""
    key, function = template.key, template._overload_func
    if hasattr(template, "_jit_options"):
        needed = id(key) in sent or (_is_own(function) and not _is_own(key))
        how = template._jit_options, template._strict, template._inline.value, template.prefer_literal
        return (_overload, key, function, *how, template.metadata) if needed and key is not function else None
    if not _is_own(function):
        return None
    how = template._inline.value, template.prefer_literal
    return _overload_attribute, template.is_method, key, template._attr, function, *how


def _is_own(value):
    """Whether it is a function or a class that no module has: one of a notebook."""
    name, kind = getattr(value, "__module__", None), type(value)
    if not name or name.startswith("numba.") or not (kind is types.FunctionType or issubclass(kind, type)):
        return False
    return not by_value._should_pickle_by_reference(value)


def _overload(key, function, options, strict, inline, prefer_literal, more):
    from numba.extending import overload

    how = {"jit_options": options, "strict": strict, "inline": inline, "prefer_literal": prefer_literal}
    overload(key, **how, **more)(function)


def _overload_attribute(is_method, key, name, function, inline, prefer_literal):
    from numba.extending import overload_attribute, overload_method

    register = overload_method if is_method else overload_attribute
    register(key, name, inline=inline, prefer_literal=prefer_literal)(function)
