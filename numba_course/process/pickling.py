"""What travels to a child process: functions and arguments as bytes, beyond what pickle can send.

A function arrives as its code first. What it refers to (globals, closures) follows when all that is sent exists, and
what compiles as soon as it is defined does so at last, in the order in which it was defined. So nothing that refers
to itself, or to each other, is met half made, however Numba's decorators are combined.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import io
import pickle
import re
import sys
import threading
import types
import weakref
from _ctypes import CFuncPtr
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from enum import EnumMeta
from typing import Any

import cloudpickle
from cloudpickle import cloudpickle as by_value

from numba_course.process import _made_by_c, _made_by_numba
from numba_course.process._steps import BEGIN, FILL, REGISTER, fill_attributes, imported

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
    names : set of str
        That the code of what is sent says.
    """

    def __init__(self, file: io.BytesIO) -> None:
        self.file, self.code_files = file, set()
        self._spaces: dict[
            str, Any
        ] = {}  # names of a module, of which those that are needed become the child's
        self._later, self._sent, self._registered, self._importable = [], set(), set(), {}
        self.names: set[str] = set()
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
        if kind is _Space:
            return _names_of, (value.name, value.first)
        if reducer := REDUCERS.get(kind) or REDUCERS.get(f"{kind.__module__}.{kind.__qualname__}"):
            return reducer(self, value)
        if kind is types.FunctionType and self._is_lost(value.__module__):
            return self._dynamic_function_reduce(value)
        if kind is types.ModuleType and self._is_lost(value.__name__):
            names = {name: content for name, content in vars(value).items() if name != "__builtins__"}
            self.later(FILL, _fill_module, value, names)
            return _module_of, (value.__name__,)
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
            self.later(FILL, fill_attributes, value, vars(value))  # NumPy leaves them out
        if _made_by_numba.is_structref_proxy(kind):
            raise pickle.PicklingError(_stays(value))
        if issubclass(kind, CFuncPtr):
            return _made_by_c.reduced_c_function(self, value)
        if _made_by_c.is_wrapped_address(value):
            return _made_by_c.reduced_wrapped_address(value)
        if issubclass(kind, ctypes.CDLL):
            functions = [f for f in vars(value).values() if isinstance(f, CFuncPtr)]
            return _made_by_c.c_library, (kind, value._name, [_made_by_c.declared(f) for f in functions])
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
        names = self._space_of(func.__globals__.get("__name__"), names)
        self._refuse_what_numba_alone_knows(func)
        self._sent.add(id(func))
        self.names.update(names_in(func.__code__))
        if id(func) not in self._at_once:
            self.later(FILL, _fill, names, slots["__globals__"])
            slots["__globals__"] = {}
        slots["__closure__"] = None
        return make, (code, names, None, None, func.__closure__), (_own(attributes), slots), *rest

    def _space_of(self, module, names):
        """What stands for the names of a function: those of a module, where the child has none of that name."""
        if module != "__main__" and not self._is_lost(module):
            return names
        first, space = self._spaces.setdefault(module, (names, _Space(module, dict(names))))
        return space if names is first else names

    def _class_reduce(self, made):
        """As cloudpickle has it: what a method refers to comes with it, since `__hash__` may be called at once."""
        lost = self._is_lost(made.__module__)
        reduced = by_value._dynamic_class_reduce(made) if lost else super().reducer_override(made)
        if reduced is NotImplemented or len(reduced) == 2:  # the child has it
            return reduced
        self._refuse_what_numba_alone_knows(made)
        self._sent.add(id(made))
        if _made_by_numba.is_structref(made):
            self.later(REGISTER, _made_by_numba.register_structref, made, _made_by_numba.proxy_of(made))
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
            self._by_hand = {id(known) for known in _made_by_numba.known_by_hand()}
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
        """Whether the child would not find the module of this name, or find another one."""
        if name not in self._importable:
            known = name in (None, "__main__")
            self._importable[name] = known or (
                _found(sys.modules[name]) if name in sys.modules else _is_there(name)
            )
        return not self._importable[name]

    def _is_own(self, value):
        """Whether it is a function or a class that the child cannot import: one of a notebook."""
        name, kind = getattr(value, "__module__", None), type(value)
        if (
            not name
            or name.startswith("numba.")
            or not (kind is types.FunctionType or issubclass(kind, type))
        ):
            return False
        return self._is_lost(name) or not by_value._should_pickle_by_reference(value)

    def _register_overloads(self):
        """Leave to be done what ``@overload`` and its kin have registered for functions that are sent."""
        for template in _made_by_numba.templates():
            if template in self._registered:
                continue
            again = _made_by_numba.registration(template, self._sent, self._is_own)
            again = again or self._import_of(template)
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
            or called not in self.names  # a module may do anything as it is imported: only if it is needed
            or module.partition(".")[0] in LOADED
            or module in self._imported
            or self._is_lost(module)
        ):
            return None
        if getattr(sys.modules[module].__spec__, "_initializing", False):
            return None  # it is this module that asks
        self._imported.add(module)
        return imported, module


def names_in(code: types.CodeType) -> Iterator[str]:
    """All names that a code, and those of the functions defined inside it, look up outside."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from names_in(constant)


class CachingPickler(Pickler):
    """As `Pickler`, but what was made with ``cache=True`` looks at the disk in the child as well."""

    def cached(self, made: Any) -> None:
        self.later(BEGIN, _made_by_numba.enable_caching, made)


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


@dataclass
class _Space:
    """Stands for the names of a module: Numba looks a name of an object mode block up in the function's module."""

    name: str
    first: dict[str, Any]


class _StandIn(types.ModuleType):
    """In the child: a module of the session, as far as it was sent."""


def _module_of(name):
    module = sys.modules.setdefault(name, _StandIn(name))
    return module if isinstance(module, _StandIn) else types.ModuleType(name)


def _names_of(name, first):
    if name == "__main__":
        return vars(sys.modules["__main__"])
    names = vars(_module_of(name))
    names.update(first)
    return names


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


def _is_there(name):
    """Whether a module that is not loaded could be; it is not, nor is a package that it is in."""
    parent = name.rpartition(".")[0]
    with suppress(Exception):  # a finder of somebody else's
        return (parent and parent not in sys.modules) or importlib.util.find_spec(name) is not None
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
    **_made_by_c.REDUCERS,
    **_made_by_numba.REDUCERS,
}
