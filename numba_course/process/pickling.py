"""What travels to a child process: functions and arguments as bytes, beyond what pickle can send.

A function arrives as its code first. What it refers to (globals, closures) follows when all that is sent exists, and
what compiles as soon as it is defined does so at last, in the order in which it was defined. So nothing that refers
to itself, or to each other, is met half made, however Numba's decorators are combined.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import importlib
import io
import pickle
import re
import sys
import threading
import types
import weakref
from _ctypes import FUNCFLAG_PYTHONAPI, CFuncPtr
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from enum import EnumMeta
from typing import Any

import cloudpickle
from cloudpickle import cloudpickle as by_value

from numba_course.process.c_addresses import address_at, place_of

# When what follows is done, in the child.
FILL, BEGIN, REGISTER, COMPILE = range(4)
LOADED = {
    *sys.stdlib_module_names,
    "numba",
    "numba_course",
    "numpy",
    "llvmlite",
    "cloudpickle",
}  # in any child
FILES = io.FileIO, io.BufferedReader, io.BufferedWriter, io.BufferedRandom, io.TextIOWrapper
IS_NOT_SENT = re.compile("cannot pickle '.*' object|ctypes objects containing pointers cannot be pickled")


def dumps(value: object) -> bytes:
    """Bytes from which another process makes `value` anew; it needs no more than ``pickle.loads``.

    Raises
    ------
    Exception
        If it cannot be sent; the message is a sentence that says what stays, and what can be done.
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
        self._names: set[str] = set()  # that the code of what is sent says
        self._at_once, self._originals, self._imported = set(), set(), set()
        self._by_hand: set[int] | None = None
        self._last: Any = None  # what pickle was asked for last: it is what cannot be sent, if that fails
        super().__init__(file)

    def dump(self, value: object) -> None:
        """Write `value` to the file, and after it what it refers to.

        Raises
        ------
        pickle.PicklingError
            If something in it stays in this process.
        """
        try:
            super().dump(_Whole(value))
        except (TypeError, ValueError) as error:
            if not IS_NOT_SENT.match(str(error)):
                raise
            raise pickle.PicklingError(_stays(self._last)) from error

    def reducer_override(self, value: Any) -> Any:
        self._last, kind = value, type(value)
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
        if issubclass(kind, BaseException) and kind.__reduce__ is BaseException.__reduce__:
            return _exception, (kind, value.args), vars(value)
        if issubclass(kind, (list, dict)) and _is_reduced_plainly(kind):
            return self._container_reduce(value)
        if value is sys.stdout or value is sys.stderr:
            return getattr, (sys, "stdout" if value is sys.stdout else "stderr")
        if issubclass(kind, FILES):
            raise pickle.PicklingError("an open file stays in this process; open it inside the function")
        if (
            _is_array(kind)
            and getattr(value, "__dict__", None)
            and not by_value._should_pickle_by_reference(kind)
        ):
            self.later(FILL, _fill_attributes, value, vars(value))  # NumPy leaves them out
        if _is_structref_proxy(kind):
            raise pickle.PicklingError(_stays(value))
        if issubclass(kind, CFuncPtr):
            return _reduced_c_function(self, value)
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
        self._refuse_what_numba_alone_knows(func)
        self._sent.add(id(func))
        self._names.update(names_in(func.__code__))
        if id(func) not in self._at_once:
            self.later(FILL, _fill, names, slots["__globals__"])
            slots["__globals__"] = {}
        slots["__closure__"] = None
        return make, (code, names, None, None, func.__closure__), (_own(attributes), slots), *rest

    def _class_reduce(self, made):
        """As cloudpickle has it: what a method refers to comes with it, since `__hash__` may be called at once."""
        lost = self._is_lost(made.__module__)
        reduced = by_value._dynamic_class_reduce(made) if lost else super().reducer_override(made)
        if reduced is NotImplemented or len(reduced) == 2:  # the child has it
            return reduced
        self._refuse_what_numba_alone_knows(made)
        self._sent.add(id(made))
        if _is_structref(made):
            self.later(REGISTER, _structref, made, _proxy_of(made))
        if id(made) not in self._originals:
            for value in vars(made).values():
                self._needed_at_once(value)
        return self._without_what_makes_classes(made, *reduced)

    def _without_what_makes_classes(self, made, make, args, state, *rest):
        """A class, of which the methods that Python calls to make a class come last: what they did travels itself."""
        if issubclass(type(made), EnumMeta):
            return make, args, state, *rest
        names = {"__init_subclass__"} | (
            {"__new__", "__init__", "__call__"} if issubclass(made, type) else set()
        )
        attributes, slots = state
        for name in names & attributes.keys():
            self.later(FILL, setattr, made, name, attributes[name])
        attributes = {name: value for name, value in attributes.items() if name not in names}
        return make, args, (attributes, slots), *rest

    def _container_reduce(self, value):
        """A list or a dictionary of a kind of its own: its methods do not see again what was put in."""
        make, args, state, *_ = value.__reduce_ex__(2)
        if isinstance(value, list):
            self.later(FILL, list.extend, value, list(list.__iter__(value)))
        else:
            self.later(FILL, dict.update, value, dict(dict.items(value)))
        return make, args, state

    def _refuse_what_numba_alone_knows(self, value):
        """Refuse what was made known to Numba in ways that cannot be read back from it."""
        if self._by_hand is None:
            self._by_hand = {id(known) for known in _known_by_hand()}
        if id(value) in self._by_hand:
            raise pickle.PicklingError(
                f"what Numba was told about {value.__name__!r} by its low-level interface stays in this process; "
                "put it into a module that can be imported"
            )

    def _needed_at_once(self, value):
        """Note a method and the functions that it calls: an instance may call it as soon as it arrives."""
        if type(value) in (staticmethod, classmethod):
            value = value.__func__
        if type(value) is not types.FunctionType or id(value) in self._at_once:
            return
        self._at_once.add(id(value))
        for name in value.__code__.co_names:
            self._needed_at_once(value.__globals__.get(name))
        for cell in value.__closure__ or ():  # one of them is the class, where `super` is called
            self._at_once.add(id(cell))
            with suppress(ValueError):  # it is not filled
                self._needed_at_once(cell.cell_contents)

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
            if template in self._registered:
                continue
            again = _registration(template, self._sent) or self._import_of(template)
            # What is registered for Numba's own types is sent with any function, and so must not stop one.
            if again and can_be_sent(again):
                self._registered.add(template)
                self.later(REGISTER, *again)

    def _import_of(self, template):
        """A function and its argument that import the module which registers the template, where it is one's own."""
        module = template._overload_func.__module__
        called = getattr(template, "_attr", None) or getattr(template.key, "__name__", None)
        if (
            not module
            or called not in self._names  # a module may do anything as it is imported: only if it is needed
            or module.partition(".")[0] in LOADED
            or module in self._imported
            or self._is_lost(module)
        ):
            return None
        if getattr(sys.modules[module].__spec__, "_initializing", False):
            return None  # it is this module that asks
        self._imported.add(module)
        return _imported, module


def names_in(code: types.CodeType) -> Iterator[str]:
    """All names that a code, and those of the functions defined inside it, look up outside."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from names_in(constant)


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


def _stays(value):
    """In words, that a value cannot be sent."""
    kind = type(value)
    name = (
        kind.__qualname__
        if kind.__module__ in ("builtins", "__main__")
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    what = f"an object of type {name!r}"
    if kind.__module__.startswith("numba.experimental.jitclass"):
        what = f"an instance of the jitclass {kind.__name__!r}"
    return f"{what} stays in the process that made it; make it inside the function, or in a module that it imports"


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
    return module.__name__.partition(".")[0] in LOADED  # wherever this session looks for modules by now


def _fill_module(module, names):
    vars(module).update(names)


def _imported(module):
    """Import a module for what it registers with Numba; where that fails, Numba will say what it does not know."""
    with suppress(Exception):
        importlib.import_module(module)


# Python's own


def _reduced_code(pickler, code):
    make, args = pickler.dispatch_table[types.CodeType](code)
    pickler.code_files.add(code.co_filename)
    return _code_of, (code.co_filename, make, args)


def _code_of(file, make, args):
    return make(*args).replace(co_filename=file)


def _reduced_cell(pickler, cell):
    try:
        content = cell.cell_contents
    except ValueError:  # it is not filled
        return types.CellType, ()
    if id(cell) in pickler._at_once:
        return types.CellType, (), (content,), None, None, _fill_cell
    pickler.later(FILL, setattr, cell, "cell_contents", content)
    return types.CellType, ()


def _is_reduced_plainly(kind):
    return kind.__reduce_ex__ is object.__reduce_ex__ and kind.__reduce__ is object.__reduce__


def _is_array(kind):
    """Whether it is a kind of NumPy's arrays that is sent as NumPy has it."""
    numpy = sys.modules.get("numpy")
    return bool(numpy) and kind.__reduce__ is numpy.ndarray.__reduce__


def _fill_attributes(made, attributes):
    vars(made).update(attributes)


def _fill_cell(cell, content):
    (cell.cell_contents,) = content


def _exception(kind, args):
    """An exception without a call of the `__init__` of its class, which may take other arguments."""
    made = kind.__new__(kind, *args)
    next(base for base in kind.__mro__ if base.__module__ == "builtins").__init__(made, *args)
    return made


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


def _reduced_c_function(pickler, function):
    library = (function._objects or {}).get("0")
    if isinstance(library, ctypes.CDLL) and hasattr(function, "__name__"):
        return _c_function, (library, *_declared(function))
    address = ctypes.cast(function, ctypes.c_void_p).value
    if callback := _callback_at(address):
        pickler.later(
            COMPILE, _point_to, function, callback, order=-1
        )  # what is compiled at once may call it
        return _c_function_to_be, (type(function)._flags_, function.restype, function.argtypes)
    try:
        place = place_of(address or 0)
    except LookupError as error:
        raise pickle.PicklingError(
            "ctypes knows a C function by its address alone; take it from its library by name, "
            "or make it inside the function"
        ) from error
    return _c_function_at, (*place, type(function)._flags_, function.restype, function.argtypes)


def _c_function_to_be(flags, restype, argtypes):
    return _c_function_of(flags, restype, argtypes)(1)  # an address that is replaced


def _point_to(function, callback):
    """In the child: give a C function the address of what ``@cfunc`` compiles."""
    _compile_callback(callback)
    ctypes.c_void_p.from_address(ctypes.addressof(function)).value = callback.address


def _callback_at(address):
    """What ``@cfunc`` has compiled to this address, if anything."""
    if "numba.core.ccallback" not in sys.modules:
        return None
    kind = sys.modules["numba.core.ccallback"].CFunc
    made = (value for value in gc.get_objects() if type(value) is kind)
    return next((callback for callback in made if callback.address == address), None)


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
    return _c_function_of(flags, restype, argtypes)(address_at(file, distance))


def _c_function_of(flags, restype, argtypes):
    kind = ctypes.PYFUNCTYPE if flags & FUNCFLAG_PYTHONAPI else ctypes.CFUNCTYPE
    return kind(restype, *(argtypes or ()))


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
    if module := _where_it_leads_back(dispatcher):
        pickler.later(FILL, _have_module, module)
    made_by = getattr(dispatcher, "_compiler", None)  # that of a ufunc has none
    if made_by and (added := _added(dispatcher)):
        pickler.later(FILL, _fill_attributes, dispatcher, added)
    more = (made_by.pipeline_class,) if made_by else ()
    return type(dispatcher), (dispatcher.py_func, dispatcher.locals, given_options(dispatcher), *more)


def given_options(dispatcher: Any) -> dict[str, Any]:
    """The target options of a compiled function as its decorator was given them, for one like it.

    Numba empties a dictionary that is given as `parallel` when it compiles for the first time; what was in it is
    then read in the symbol of what it compiled.
    """
    options = dict(dispatcher.targetoptions)
    if isinstance(options.get("parallel"), dict):
        options["parallel"] = dict(options["parallel"]) or _parallel_then(dispatcher)
    return options


def _parallel_then(dispatcher):
    """What a function was first compiled with as `parallel`; empty if it is not compiled."""
    from numba.core.compiler import Flags

    first = next(iter(getattr(dispatcher, "overloads", {}).values()), None)
    tags = first.fndesc.abi_tags if first else ()
    found = re.search(r"ParallelOptions\((.*?)\)", Flags.demangle(tags[-1]) if tags else "")
    pairs = re.findall(r"(\w+)=(True|False)", found[1]) if found else []
    return {name: value == "True" for name, value in pairs if name != "enabled"}


def _added(dispatcher):
    """The attributes of a dispatcher that neither Numba has set nor its function has."""
    plain = {*vars(type(dispatcher)(lambda: 0)), *vars(dispatcher.py_func)}
    return {name: value for name, value in vars(dispatcher).items() if name not in plain}


def _where_it_leads_back(dispatcher):
    """The module of a compiled function that others lead back to: Numba resolves such a call by the module's name."""
    function, seen, left = dispatcher.py_func, set(), [dispatcher]
    while left:
        names = left.pop().py_func
        for name in by_value._extract_code_globals(names.__code__):
            value = names.__globals__.get(name)
            if value is dispatcher:
                return function.__module__
            if type(value) is type(dispatcher) and id(value) not in seen:
                seen.add(id(value))
                left.append(value)
    return None


def _have_module(name):
    if name not in sys.modules:
        _imported(name)
        sys.modules.setdefault(name, types.ModuleType(name))


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


def _is_structref(made):
    """Whether it is a class of Numba types made with ``structref.register``."""
    kinds = sys.modules.get("numba.core.types")
    return bool(kinds) and issubclass(made, kinds.StructRef) and made in _models()


def _is_structref_proxy(kind):
    module = sys.modules.get("numba.experimental.structref")
    return bool(module) and issubclass(kind, module.StructRefProxy)


def _proxy_of(made):
    """The class of Python objects that stands for a structref, if one was defined."""
    from numba.core.pythonapi import _boxers

    box = _boxers.functions.get(made)
    return box and box.__closure__[box.__code__.co_freevars.index("obj_ctor")].cell_contents.__self__


def _structref(made, proxy):
    from numba.experimental import structref

    if made in _models():  # it has come before
        return
    structref.register(made)
    if proxy:
        structref.define_boxing(made, proxy)


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
    "numba.typed.typedlist.List": _reduced_typed_list,
    "numba.typed.typeddict.Dict": _reduced_typed_dict,
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


def _models():
    """The classes of Numba types that have a data model."""
    return sys.modules["numba.core.datamodel"].default_manager._handlers


def _known_by_hand():
    """The functions and classes that Numba was told about otherwise than by ``@overload`` and its kin."""
    module = sys.modules.get("numba.core.typing.templates")
    if module is None:
        return
    yield from sys.modules["numba.core.typing.typeof"].typeof_impl.registry
    yield from (kind for kind in _models() if not _is_structref(kind))
    for value, kind in module.builtin_registry.globals:
        if not all(hasattr(template, "_overload_func") for template in getattr(kind, "templates", ())):
            yield value


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
