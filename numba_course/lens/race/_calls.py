"""What a call inside an interpreted function does: which functions are followed, and which are really called."""

from __future__ import annotations

import builtins
import ctypes
import functools
import heapq
import operator
import types
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import typed
from numba.core.dispatcher import Dispatcher
from numba.core.extending import _Intrinsic
from numba.core.unsafe import eh
from numba.experimental import structref
from numba.experimental.jitclass.base import JitClassType

from numba_course.lens.race import _items, _library_calls, _overloads
from numba_course.lens.race._memory import WRITE
from numba_course.lens.race._regions import thread
from numba_course.lens.race._values import (
    CONTAINERS,
    Closure,
    Instance,
    Method,
    NotUnderstood,
    Prange,
    as_dtype,
    as_index,
    as_signed,
    cast,
    plain,
    quotient_and_rest,
    theirs,
    unified,
)

HEAP = heapq.heapify, heapq.heappop, heapq.heappush, heapq.heappushpop, heapq.heapreplace


def special(run: Any) -> dict[Any, Callable[..., Any]]:
    """What a call of these functions does in this run."""
    return {
        numba.get_num_threads: lambda: run.threads,
        numba.get_thread_id: lambda: thread(run),
        numba.set_num_threads: run.set_threads,
        numba.set_parallel_chunksize: run.set_chunk,
        numba.get_parallel_chunksize: lambda: 0 if run.memory.path else run.chunk,
        numba.parallel_chunksize: lambda size: None,
        eh.mark_try_block: lambda: run.trying(1),  # since Python 3.12 around a comprehension, too
        eh.end_try_block: lambda: run.trying(-1),
        eh.exception_check: lambda: False,  # otherwise the run has ended: see `attempt`
        numba.literal_unroll: lambda values: values,
        numba.literally: lambda value: value,
        **{fn: functools.partial(_on_heap, run, fn) for fn in HEAP},
        **{fn: functools.partial(_of_largest, run, fn) for fn in (heapq.nlargest, heapq.nsmallest)},
        typed.List: lambda items=(): list(_items.items(run, items)),
        typed.List.empty_list: lambda *args, **kwargs: [],
        typed.Dict: dict,
        typed.Dict.empty: lambda *args, **kwargs: {},
        np.ndenumerate: lambda a: ((index, _items.getitem(run, a, index)) for index in np.ndindex(a.shape)),
        builtins.dict: dict,
        builtins.getattr: lambda value, name: _items.attribute(run, value, name),
        len: lambda value: _items.length(run, value),
        print: lambda *values: _items.read(run, values) and None,
    }


def call(run, frame, fn, args, kwargs):
    """Call anything that a Numba function may call."""
    if fn is bool and type(args[0]) is bool:
        return args[0]
    if isinstance(fn, Dispatcher):
        return run.dispatch(fn, args, kwargs, frame)
    if isinstance(fn, Closure):
        return run.function(fn.function, args, kwargs, fn.frame)
    if isinstance(fn, Method):
        if isinstance(fn.owner, Instance):
            return _method(run, frame, fn.owner, fn.name, args, kwargs)
        if added := _overloads.member(run, fn.owner, fn.name):
            return _overloads.call(run, frame, added._overload_func, [fn.owner, *args], kwargs)
        if not hasattr(fn.owner, fn.name):
            raise NotUnderstood(f"the method {fn.name} of {type(fn.owner).__name__}")
        if isinstance(fn.owner, CONTAINERS):
            return _items.container_method(run, fn.owner, fn.name, args)
        if isinstance(fn.owner, np.random.Generator):
            run.memory.item(fn.owner, None, WRITE)
        return _library_calls.library(run, getattr(fn.owner, fn.name), args, kwargs)
    if fn is numba.prange:
        return Prange(range(*map(operator.index, args)), run.memory.place)
    if fn is numba.pndindex:
        shape = args[0].shape if isinstance(args[0], np.ndarray) else args[0]
        return Prange(np.ndindex(shape), run.memory.place)
    if isinstance(fn, numba.types.Type) or (isinstance(fn, type) and issubclass(fn, np.generic)):
        return _convert(run, np.dtype(as_dtype(fn)), *args)
    if isinstance(fn, ctypes._CFuncPtr):
        raise NotUnderstood(f"a call of the C function {getattr(fn, '__name__', 'without a name')}")
    if fn in run.special:
        return run.special[fn](*args, **kwargs)
    if fn in _library_calls.OVER_ITEMS:
        return _over_items(run, fn, args, kwargs)
    if fn in _library_calls.PURE:
        return _pure(run, frame, fn, args)
    if _library_calls.is_operator(fn):
        return run.operate(frame, fn, args)
    if _library_calls.is_library(fn):
        return _library_calls.library(run, fn, args, kwargs)
    if isinstance(fn, type) and issubclass(fn, (tuple, BaseException)):
        return fn(*args, **kwargs)
    if isinstance(fn, types.BuiltinFunctionType) and isinstance(fn.__self__, str):
        return plain(theirs(fn, *map(as_index, args), **kwargs))
    if isinstance(fn, JitClassType):
        return _instance(run, fn.class_type.instance_type, args, kwargs)
    if isinstance(fn, type) and issubclass(fn, structref.StructRefProxy):
        return _overloads.call(run, frame, fn, args, kwargs)
    if _is_new_structref(fn):
        return Instance(*args)
    if isinstance(fn, types.FunctionType):
        return _overloads.call(run, frame, fn, args, kwargs)
    kind = "the intrinsic " if isinstance(fn, _Intrinsic) else ""
    if isinstance(fn, type(numba.objmode)):
        raise NotUnderstood("a block under objmode, which Python runs,")
    raise NotUnderstood(f"a call of {kind}{getattr(fn, '__name__', type(fn).__name__)}")


def _is_new_structref(fn):
    """Whether it is `numba.experimental.structref.new`, or the copy of it that has travelled to this process."""
    made_of = getattr(fn, "_defn", None)
    return getattr(made_of, "__module__", "") == structref.__name__ and made_of.__name__ == "new"


def _on_heap(run, fn, heap, *values):
    """A function that moves the items of a list."""
    run.memory.item(heap, None, WRITE)
    return theirs(fn, heap, *values)


def _of_largest(run, fn, count, values):
    return theirs(fn, count, list(_items.items(run, values)))


def _method(run, frame, instance, name, args, kwargs):
    """A method of a jitclass, or one that `overload_method` made for a structref."""
    compiled = instance.method(name)
    if compiled is not None:
        return run.dispatch(compiled, [instance, *args], kwargs, frame)
    return _overloads.method(run, frame, instance, name, args, kwargs)


def _instance(run, kind, args, kwargs):
    """The call of a class made by `jitclass`."""
    instance = Instance(kind)
    run.dispatch(kind.jit_methods["__init__"], [instance, *args], kwargs)
    return instance


def _pure(run, frame, fn, args):
    """A builtin that only computes."""
    if fn in (abs, pow):
        return run.operate(frame, getattr(operator, fn.__name__), args)
    if fn is divmod:
        return quotient_and_rest(*args, frame.lenient or frame.region is not None)
    if fn is int and isinstance(args[0], np.integer):
        return args[0]
    _items.read(run, args)
    if fn in (isinstance, round) and isinstance(args[0], np.integer):
        args[0] = as_signed(args[0])
    return plain(theirs(fn, *args))


def _over_items(run, fn, args, kwargs):
    """A builtin that goes through the items of its arguments."""
    if fn in (max, min) and len(args) > 1:
        return theirs(fn, *unified(args), **kwargs)
    if fn is next:
        return theirs(fn, *args, **kwargs)
    values = [
        _items.items(run, a) if isinstance(a, (np.ndarray, np.flatiter, Prange, *CONTAINERS)) else a
        for a in args
    ]
    if fn is reversed:
        return iter(list(values[0])[::-1])
    return values[0] if fn is iter else theirs(fn, *values, **kwargs)


def _convert(run, dtype, value=0):
    """The call of a number type."""
    if _items.read(run, [value]):
        return plain(value.astype(dtype))
    return cast(value, dtype)
