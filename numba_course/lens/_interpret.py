"""Run a Numba function in pure Python, one `prange` iteration after the other, and report what it touches.

What is interpreted is Numba's own untyped IR, so the language is what Numba understands, on every version of
Python. Real NumPy arrays are the memory. Whatever is not understood raises `NotUnderstood`; nothing is guessed.
"""

from __future__ import annotations

import builtins
import enum
import inspect
import math
import operator
import random
import types
import warnings
from dataclasses import dataclass, field

import numba
import numpy as np
from numba import typed
from numba.core import compiler, ir
from numba.core.analysis import compute_cfg_from_blocks
from numba.core.dispatcher import Dispatcher
from numba.experimental.jitclass.base import JitClassType
from numba.np.ufunc import parallel

from numba_course.lens import _calls
from numba_course.lens._memory import READ, WRITE, Collision, Memory, Step, concurrent, parting, pointer
from numba_course.lens._reductions import Facts, judge
from numba_course.lens._values import (
    Closure,
    Instance,
    Method,
    NotUnderstood,
    Prange,
    arithmetic,
    as_array_operand,
    as_dtype,
    as_index,
    cast,
    plain,
    scalar,
)

STEPS = 2_000_000  # interpreted instructions, and elements touched in bulk, before it is too long
CONTAINERS = (list, dict, set)
IDENTITY = (operator.is_, operator.is_not)
ATTRIBUTES = {"T", "dtype", "flags", "flat", "imag", "itemsize", "nbytes", "ndim", "real", "shape", "size", "strides"}


class TooLong(Exception):
    """The function does not end within `STEPS`."""


@dataclass
class Frame:
    """One call of a function.

    Attributes
    ----------
    facts : Facts or None
        What Numba made parallel in this function; None if it was compiled without.
    inside : bool
        Whether Numba inlines the function into an iteration: its own loops are serial then.
    lenient : bool
        Whether a division by zero gives a value, as it does in a parallel loop.
    region : Region or None
        The parallel loop of this frame that is running.
    writers : dict
        Variable assigned in a parallel loop of this frame, and the access and the loop that did so.
    label : int
        The block that is being run.
    """

    code: ir.FunctionIR
    globals: dict
    facts: Facts | None
    inside: bool = False
    lenient: bool = False
    values: dict = field(default_factory=dict)
    writers: dict = field(default_factory=dict)
    region: Region | None = None
    label: int = 0


class Region:
    """One run of a parallel loop: an iterator that tells the memory which iteration runs."""

    def __init__(self, run, frame, prange):
        self.run, self.frame, self.place = run, frame, prange.place
        self.number, self.count = len(run.regions), 0
        self.outside, self.iterations = run.memory.path, iter(prange.iterations)
        self.header, self.judged = None, {}
        run.regions.append(self)
        run.active.append(self)
        frame.region = self

    def __next__(self):
        self.header = self.frame.label
        try:
            value = next(self.iterations)
        except StopIteration:
            self.run.memory.path = self.outside
            self.run.active.pop()
            self.frame.region = None
            raise
        self.count += 1
        self.run.memory.path = (*self.outside, Step(self.number, value))
        return value

    def is_reduction(self, name):
        """Whether the variable is a reduction, for us and for Numba; None where that is not understood."""
        if name not in self.judged:
            blocks = self.frame.code.blocks
            body = compute_cfg_from_blocks(blocks).loops()[self.header].body
            statements = [s for label in body for s in blocks[label].body]
            verdict, chain = judge(statements, name)
            listed = self.frame.facts.lists(chain, {s.loc.line for s in statements})
            self.judged[name] = verdict, listed
        return self.judged[name]


class Run:
    """One run of a function.

    Parameters
    ----------
    threads : int
        Number of simulated threads.
    digit : int
        Iteration k runs on thread ``k // threads**digit % threads``: any two iterations are on different
        threads for some digit.
    """

    def __init__(self, threads, digit):
        self.memory, self.threads, self.digit = Memory(), threads, digit
        self.regions, self.active, self.serial = [], [], []
        self.asked = self.raised = False
        self.steps = self.chunk = 0
        self.numpy_random, self.python_random = np.random.RandomState(0), random.Random(0)
        self.codes, self.facts = {}, {}
        self.special = {
            numba.get_num_threads: lambda: self.threads,
            numba.get_thread_id: self._thread,
            numba.set_num_threads: self._set_threads,
            numba.set_parallel_chunksize: self._set_chunk,
            numba.get_parallel_chunksize: lambda: 0 if self.memory.path else self.chunk,
            numba.parallel_chunksize: lambda n: None,
            numba.literal_unroll: lambda values: values,
            numba.literally: lambda value: value,
            parallel.get_thread_count: lambda: self.threads,
            typed.List: self._new_list,
            typed.List.empty_list: lambda *args, **kwargs: [],
            typed.Dict: dict,
            typed.Dict.empty: lambda *args, **kwargs: {},
            np.ndenumerate: lambda a: ((index, self.getitem(a, index)) for index in np.ndindex(a.shape)),
            np.ndindex: np.ndindex,
            len: self._len,
            print: lambda *args: _calls.arrays(self, args) and None,
            builtins.getattr: self.getattr,
            builtins.dict: dict,
        }

    def attempt(self, dispatcher, args):
        """Run it; return why that did not succeed, or an empty string."""
        for name, value in zip(inspect.signature(dispatcher.py_func).parameters, args, strict=False):
            self.memory.name(value, name)
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
                self.dispatch(dispatcher, [plain(arg) for arg in args], {})
            return ""
        except TooLong:
            return "it takes too long; give it a smaller input"
        except RecursionError:
            return "its calls are nested too deeply"
        except Exception as error:
            line, kind = self.memory.place.line, type(error).__name__
            if isinstance(error, NotUnderstood):
                return f"{error} on line {line} is not understood"
            if self.raised or isinstance(error, (ArithmeticError, LookupError, ValueError, UnboundLocalError)):
                return f"the function raised {kind}: {error} on line {line} for this input"
            return f"line {line} is not understood ({kind})"

    # Functions and their statements

    def dispatch(self, dispatcher, args, kwargs, caller=None):
        """Call a compiled function; what Numba inlines into a parallel loop belongs to it."""
        options = dispatcher.targetoptions
        if caller is not None and options.get("inline", "never") == "always":
            return self.function(dispatcher.py_func, args, kwargs, caller)
        facts = None
        if options.get("parallel"):
            facts = self.facts.setdefault(dispatcher, None) or Facts(dispatcher)
            self.facts[dispatcher] = facts
        lenient = options.get("error_model") == "numpy"
        return self.function(dispatcher.py_func, args, kwargs, None, facts, lenient)

    def function(self, function, args, kwargs, caller, facts=None, lenient=False):
        """Call a Python function, as a part of its caller if that is given."""
        if function.__code__ not in self.codes:
            code = compiler.run_frontend(function)
            if code.is_generator:
                raise NotUnderstood("a generator")
            self.codes[function.__code__] = code
        # A closure may be made anew with other values: its code is read again then.
        code = compiler.run_frontend(function) if function.__closure__ else self.codes[function.__code__]
        frame = Frame(code, function.__globals__, facts, lenient=lenient)
        if caller is not None:
            frame.facts, frame.inside = caller.facts, caller.inside or caller.region is not None
            frame.lenient = caller.lenient or frame.inside
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.apply_defaults()
        place = self.memory.place
        result = self._statements(frame, bound.arguments)
        self.memory.place = place
        return result

    def _statements(self, frame, arguments):
        frame.label = min(frame.code.blocks)
        while True:
            for statement in frame.code.blocks[frame.label].body:
                self.steps += 1
                if self.steps + self.memory.work > STEPS:
                    raise TooLong
                self.memory.place = statement.loc
                kind = type(statement)
                if kind is ir.Assign:
                    self._set(frame, statement.target, self._value(frame, statement, arguments))
                elif kind is ir.Jump:
                    frame.label = statement.target
                elif kind is ir.Branch:
                    taken = self._get(frame, statement.cond)
                    frame.label = statement.truebr if taken else statement.falsebr
                elif kind is ir.Return:
                    return self._get(frame, statement.value)
                else:
                    self._effect(frame, statement, kind)

    def _effect(self, frame, statement, kind):
        """A statement that is neither an assignment nor a jump."""
        if kind is ir.SetItem:
            target, index, value = (self._get(frame, v) for v in (statement.target, statement.index, statement.value))
            self.setitem(target, index, value)
        elif kind is ir.StoreMap:
            target, index, value = (self._get(frame, v) for v in (statement.dct, statement.key, statement.value))
            self.setitem(target, index, value)
        elif kind is ir.SetAttr:
            self.setattr(self._get(frame, statement.target), statement.attr, self._get(frame, statement.value))
        elif kind is ir.DelItem:
            container = self._get(frame, statement.target)
            self.memory.item(container, None, WRITE)
            del container[as_index(self._get(frame, statement.index))]
        elif kind is ir.Raise and statement.exception is not None:
            self.raised = True
            raise self._get(frame, statement.exception)
        elif kind is ir.Print:
            _calls.arrays(self, [self._get(frame, v) for v in statement.args])
        elif kind not in (ir.Del, ir.EnterWith, ir.PopBlock):
            raise NotUnderstood(f"the statement {kind.__name__}")

    # Variables

    def _get(self, frame, variable):
        if variable.name not in frame.values:
            raise UnboundLocalError(f"{variable.unversioned_name} has no value")
        if variable.name in frame.writers:
            self._crossing(frame, variable)
        return frame.values[variable.name]

    def _set(self, frame, variable, value):
        name, old = variable.name, frame.values.get(variable.name)
        frame.values[name] = value
        if name.startswith("$"):
            return
        if not isinstance(value, (int, float)):
            self.memory.name(value, variable.unversioned_name)
        if frame.region is None:
            frame.writers.pop(name, None)
        elif value is not old or not isinstance(value, (np.ndarray, *CONTAINERS)):
            frame.writers[name] = self.memory.now(), frame.region

    def _crossing(self, frame, variable):
        """Report a variable that was assigned in another iteration: each thread has a copy of its own."""
        number, region = frame.writers[variable.name]
        path = self.memory.path
        steps = parting(self.memory.accesses[number].path, path)
        if steps is None and len(path) > len(region.outside):
            return
        verdict, listed = region.is_reduction(variable.name)
        carried = steps is not None and steps[0].loop == steps[1].loop
        if verdict and (listed or (carried and not isinstance(frame.values[variable.name], np.ndarray))):
            return
        if verdict is None and listed:
            raise NotUnderstood(f"how {variable.unversioned_name} is combined")
        store = self.memory.container(frame.code)
        if not store.names:
            store.names.append(("", lambda name: (name, None)))
        self.memory.collide(
            store, variable.unversioned_name, Collision(number, self.memory.now(), (WRITE, READ))
        )

    # Expressions

    def _value(self, frame, statement, arguments):
        value = statement.value
        if isinstance(value, ir.Var):
            return self._get(frame, value)
        if isinstance(value, ir.Const):
            return value.value
        if isinstance(value, (ir.Global, ir.FreeVar)):
            found = scalar(value.value)
            if isinstance(found, np.ndarray):
                self.memory.name(found, value.name)
            return found
        if isinstance(value, ir.Arg):
            return arguments[list(arguments)[value.index]]
        if not isinstance(value, ir.Expr):
            raise NotUnderstood(f"the value {type(value).__name__}")
        evaluate = getattr(self, f"_{value.op}", None)
        if evaluate is None:
            raise NotUnderstood(f"the expression {value.op}")
        return evaluate(frame, value)

    def _binop(self, frame, expr):
        return self._operator(frame, expr.fn, [self._get(frame, expr.lhs), self._get(frame, expr.rhs)])

    def _unary(self, frame, expr):
        return self._operator(frame, expr.fn, [self._get(frame, expr.value)])

    def _inplace_binop(self, frame, expr):
        target, value = self._get(frame, expr.lhs), self._get(frame, expr.rhs)
        if isinstance(target, CONTAINERS):
            self.memory.item(target, None, WRITE)
            return expr.fn(target, list(self.items(value)) if isinstance(target, list) else value)
        if not isinstance(target, np.ndarray):
            return self._operator(frame, expr.immutable_fn, [target, value])
        path = self.memory.path
        if frame.region is not None and frame.region.is_reduction(expr.lhs.name) == (True, True):
            self.memory.path = (*path[:-1], path[-1]._replace(lane=("reduction", expr.lhs.unversioned_name)))
        result = self._operator(frame, expr.immutable_fn, [target, value])
        self.memory.array(target, WRITE)
        self.memory.path = path
        target[...] = result.astype(target.dtype)
        return target

    def _operator(self, frame, fn, operands):
        if fn not in IDENTITY:
            found = _calls.arrays(self, operands)
            for array in found:
                self.memory.array(array, READ)
            for operand in operands:
                if isinstance(operand, (dict, set)):
                    self.memory.item(operand, None, READ)
            if found and fn is not operator.contains:
                return plain(fn(*[as_array_operand(x) for x in operands]))
            if fn is not operator.not_ and all(isinstance(x, (int, float, complex, np.number)) for x in operands):
                return arithmetic(fn, operands, frame.lenient or frame.region is not None)
        return plain(fn(*operands))

    def _cast(self, frame, expr):
        return self._get(frame, expr.value)

    def _build_tuple(self, frame, expr):
        return tuple(self._get(frame, v) for v in expr.items)

    def _build_list(self, frame, expr):
        return [self._get(frame, v) for v in expr.items]

    def _build_set(self, frame, expr):
        return {self._get(frame, v) for v in expr.items}

    def _build_map(self, frame, expr):
        return {self._get(frame, k): self._get(frame, v) for k, v in expr.items}

    def _pair_first(self, frame, expr):
        return self._get(frame, expr.value)[0]

    def _pair_second(self, frame, expr):
        return self._get(frame, expr.value)[1]

    def _undef(self, frame, expr):
        return None

    def _getiter(self, frame, expr):
        value = self._get(frame, expr.value)
        if not isinstance(value, Prange):
            return self.items(value)
        where = (value.place.filename, value.place.line)
        if frame.facts is not None and where in frame.facts.loops:
            if frame.region is None and not frame.inside:
                return Region(self, frame, value)
        else:
            self.serial.append(value.place.line)
        return iter(value.iterations)

    def _iternext(self, frame, expr):
        try:
            return next(self._get(frame, expr.value)), True
        except StopIteration:
            return None, False

    def _exhaust_iter(self, frame, expr):
        return tuple(self.items(self._get(frame, expr.value)))

    def _getitem(self, frame, expr):
        return self.getitem(self._get(frame, expr.value), self._get(frame, expr.index))

    def _static_getitem(self, frame, expr):
        return self.getitem(self._get(frame, expr.value), expr.index)

    def _getattr(self, frame, expr):
        return self.getattr(self._get(frame, expr.value), expr.attr)

    def _make_function(self, frame, expr):
        values = self._get(frame, expr.closure) if isinstance(expr.closure, ir.Var) else ()
        defaults = self._get(frame, expr.defaults) if isinstance(expr.defaults, ir.Var) else expr.defaults
        code = expr.code.value if isinstance(expr.code, ir.Const) else expr.code
        cells = tuple(types.CellType(value) for value in values)
        return Closure(types.FunctionType(code, frame.globals, code.co_name, defaults, cells), frame)

    def _call(self, frame, expr):
        fn = self._get(frame, expr.func)
        args = [self._get(frame, v) for v in expr.args]
        kwargs = {name: self._get(frame, v) for name, v in expr.kws}
        if expr.vararg is not None:
            args += self._get(frame, expr.vararg)
        if expr.varkwarg is not None:
            raise NotUnderstood("a call with **")
        return self.call(frame, fn, args, kwargs)

    def call(self, frame, fn, args, kwargs):
        """Call anything that a Numba function may call."""
        if fn is numba.prange:
            return Prange(range(*(operator.index(a) for a in args)), self.memory.place)
        if fn is numba.pndindex:
            return Prange(np.ndindex(args[0].shape if isinstance(args[0], np.ndarray) else args[0]), self.memory.place)
        if isinstance(fn, Dispatcher):
            return self.dispatch(fn, args, kwargs, frame)
        if isinstance(fn, Closure):
            return self.function(fn.function, args, kwargs, fn.frame)
        if isinstance(fn, Method):
            return self._method(frame, fn.owner, fn.name, args, kwargs)
        if isinstance(fn, JitClassType):
            return self._construct(fn, args, kwargs)
        if isinstance(fn, types.FunctionType) and fn in self.special or not isinstance(fn, types.FunctionType):
            pass
        try:
            special = self.special.get(fn)
        except TypeError as error:
            raise NotUnderstood(f"a call of {type(fn).__name__}") from error
        if special is not None:
            return special(*args, **kwargs)
        if isinstance(as_dtype(fn), (np.dtype, type)) and _is_number_type(fn):
            return self._cast_to(np.dtype(as_dtype(fn)), *args)
        if fn in _calls.OVER_ITEMS:
            return self._over_items(fn, args, kwargs)
        if fn in _calls.PURE:
            return self._pure(frame, fn, args)
        if _calls.is_library(fn):
            return _calls.library(self, fn, args, kwargs)
        if isinstance(fn, type) and issubclass(fn, (tuple, BaseException)):
            return fn(*args, **kwargs)
        if isinstance(fn, types.FunctionType) and not fn.__module__.startswith("numba."):
            return self.function(fn, args, kwargs, None)
        raise NotUnderstood(f"a call of {getattr(fn, '__name__', type(fn).__name__)}")

    def _method(self, frame, owner, name, args, kwargs):
        if isinstance(owner, CONTAINERS):
            return _calls.container_method(self, owner, name, args)
        if isinstance(owner, Instance):
            methods = owner.kind.class_type.jit_methods
            return self.dispatch(methods[name], [owner, *args], kwargs)
        if isinstance(owner, np.random.Generator):
            self.memory.item(owner, None, WRITE)
        return _calls.library(self, getattr(owner, name), args, kwargs)

    def _pure(self, frame, fn, args):
        if fn is abs or fn is float or fn is complex or fn is bool or fn is int:
            found = _calls.arrays(self, args)
            for array in found:
                self.memory.array(array, READ)
            if fn is abs:
                return self._operator(frame, operator.abs, args)
        if fn is isinstance and isinstance(args[0], np.uint64):
            args = [int(args[0]), args[1]]
        if fn is pow:
            return self._operator(frame, operator.pow, args)
        return plain(fn(*args))

    def _over_items(self, fn, args, kwargs):
        if fn in (max, min) and len(args) > 1:
            return fn(*args, **kwargs)
        if fn is next:
            return next(*args)
        values = [self.items(a) if _iterates(a) else a for a in args]
        if fn is reversed:
            return iter(list(values[0])[::-1])
        return values[0] if fn is iter else fn(*values, **kwargs)

    def _cast_to(self, dtype, value=0):
        if isinstance(value, np.ndarray):
            self.memory.array(value, READ)
            return plain(value.astype(dtype))
        return cast(value, dtype)

    # Items and attributes of values

    def items(self, value):
        """Iterate over anything; what is met on the way is read."""
        if isinstance(value, Prange):
            raise NotUnderstood("prange outside a for statement")
        if isinstance(value, np.ndarray) and value.ndim:
            return (self.getitem(value, k) for k in range(len(value)))
        if isinstance(value, np.flatiter):
            return (self.getitem(value.base, index) for index in np.ndindex(value.base.shape))
        if isinstance(value, list):
            return self._list_items(value)
        if isinstance(value, CONTAINERS):
            self.memory.item(value, None, READ)
        return iter(value)

    def _list_items(self, values):
        index = 0
        while index < self._len(values):
            yield self.getitem(values, index)
            index += 1

    def getitem(self, value, index):
        """``value[index]``, reported as a read if it copies."""
        index = as_index(index)
        if isinstance(value, np.flatiter):
            value, index = value.base, np.unravel_index(range(value.base.size)[index], value.base.shape)
        if isinstance(value, CONTAINERS):
            self.memory.item(value, None, READ)
            if not isinstance(index, slice):
                self.memory.item(value, _key(value, index), READ)
        if not isinstance(value, np.ndarray):
            return value[index]
        offset = _offset(value, index)
        if offset is not None and value.dtype.names is None:
            self.memory.element(value, offset, READ)
            return scalar(value[index])
        return self._part(value, index)

    def _part(self, array, index):
        """What an index other than that of a single number gives."""
        chosen = _calls.arrays(self, index if isinstance(index, tuple) else [index])
        for array_index in chosen:
            self.memory.array(array_index, READ)
        result = array[index]
        if isinstance(result, np.void):
            return array[(*index, ...) if isinstance(index, tuple) else (index, ...)]
        if chosen:
            self.memory.array(array, READ, index)
        elif isinstance(result, np.ndarray) and (result.ndim or result.dtype.names):
            return result
        else:
            field_or_item = array[index] if isinstance(result, np.ndarray) else np.asarray(array[index])
            self.memory.array(array[index] if isinstance(result, np.ndarray) else array, READ)
            return scalar(field_or_item[()])
        return plain(result)

    def setitem(self, target, index, value):
        """``target[index] = value``"""
        index = as_index(index)
        if isinstance(target, np.flatiter):
            target, index = target.base, np.unravel_index(range(target.base.size)[index], target.base.shape)
        if isinstance(target, CONTAINERS):
            grows = isinstance(index, slice) or (isinstance(target, dict) and index not in target)
            self.memory.item(target, None, WRITE if grows else READ)
            if not isinstance(index, slice):
                self.memory.item(target, _key(target, index), WRITE)
            target[index] = value
            return
        if not isinstance(target, np.ndarray):
            raise NotUnderstood(f"storing into {type(target).__name__}")
        for array in _calls.arrays(self, [value, *(index if isinstance(index, tuple) else [index])]):
            self.memory.array(array, READ)
        offset = _offset(target, index)
        if offset is not None and target.dtype.names is None:
            self.memory.element(target, offset, WRITE)
        elif isinstance(index, str):
            self.memory.array(target[index], WRITE)
        else:
            self.memory.array(target, WRITE, index)
        dtype = target[index].dtype if isinstance(index, str) else target.dtype
        target[index] = value if dtype.names else np.asarray(value).astype(dtype)

    def getattr(self, value, name):
        """``value.name``"""
        if isinstance(value, np.ndarray):
            if name in (value.dtype.names or ()):
                return self.getitem(value, name)
            return getattr(value, name) if name in ATTRIBUTES else Method(value, name)
        if isinstance(value, Instance):
            return self._instance_attribute(value, name)
        if isinstance(value, (*CONTAINERS, np.random.Generator)):
            return Method(value, name)
        known = (types.ModuleType, type, tuple, str, enum.Enum, int, float, complex, np.generic, np.dtype, numba.types.Type)
        if isinstance(value, known) or value is typed.List or value is typed.Dict or isinstance(value, np.ufunc):
            found = getattr(value, name)
            return Method(value, name) if isinstance(found, types.BuiltinMethodType) and not isinstance(value, types.ModuleType) else scalar(found)
        raise NotUnderstood(f"the attribute {name} of {type(value).__name__}")

    def setattr(self, target, name, value):
        """``target.name = value``"""
        if isinstance(target, np.ndarray):
            self.setitem(target, name, value)
        elif isinstance(target, Instance):
            if name in target.kind.class_type.jit_props:
                self.dispatch(target.kind.class_type.jit_props[name]["set"], [target, value], {})
                return
            self.memory.item(target, name, WRITE)
            target.fields[name] = value
        else:
            raise NotUnderstood(f"an attribute of {type(target).__name__}")

    def _instance_attribute(self, instance, name):
        kind = instance.kind.class_type
        if name in instance.fields:
            self.memory.item(instance, name, READ)
            return instance.fields[name]
        if name in kind.jit_props:
            return self.dispatch(kind.jit_props[name]["get"], [instance], {})
        return Method(instance, name)

    def _construct(self, kind, args, kwargs):
        instance = Instance(kind)
        self.dispatch(kind.class_type.jit_methods["__init__"], [instance, *args], kwargs)
        return instance

    # Functions that say how the work is shared out

    def _thread(self):
        """The simulated thread of this iteration, which has now asked for it."""
        if not self.active:
            return 0
        self.asked = True
        lane = (self.active[-1].count - 1) // self.threads**self.digit % self.threads
        path = self.memory.path
        self.memory.path = (*path[:-1], path[-1]._replace(lane=lane))
        return lane

    def _set_threads(self, number):
        self.threads = int(number)

    def _set_chunk(self, size):
        old, self.chunk = self.chunk, int(size)
        return old

    def _new_list(self, items=()):
        return list(self.items(items))

    def _len(self, value):
        if isinstance(value, CONTAINERS):
            self.memory.item(value, None, READ)
        return len(value)


def _iterates(value):
    return isinstance(value, (np.ndarray, np.flatiter, Prange, *CONTAINERS))


def _is_number_type(fn):
    return isinstance(fn, numba.types.Type) or (isinstance(fn, type) and issubclass(fn, np.generic))


def _key(container, index):
    """The cell of an item: a list's counted from the front."""
    return range(len(container))[index] if isinstance(container, list) else index


def _offset(array, index):
    """Byte offset of the one element that an index picks; None if it does not pick one by plain integers."""
    if type(index) is int:
        index = (index,)
    if type(index) is not tuple or len(index) != array.ndim:
        return None
    offset = 0
    for axis, (k, length, stride) in enumerate(zip(index, array.shape, array.strides, strict=True)):
        if not isinstance(k, (int, np.integer)) or isinstance(k, bool):
            return None
        if not -length <= k < length:
            raise IndexError(f"index {k} is out of bounds for axis {axis} with size {length}")
        offset += (int(k) % length) * stride
    return offset
