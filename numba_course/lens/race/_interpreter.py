"""Run a Numba function in pure Python, one `prange` iteration after the other, and report what it touches.

What is interpreted is Numba's own untyped IR, so the language is what Numba understands, on every version of
Python. NumPy arrays are the memory. Whatever is not understood raises `NotUnderstood`; nothing is guessed.
"""

from __future__ import annotations

import builtins
import enum
import functools
import inspect
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
from numba.core.unsafe import eh
from numba.experimental.jitclass.base import JitClassType

from numba_course.lens.race import _elements, _library_calls
from numba_course.lens.race._memory import READ, WRITE, Collision, Iteration, Memory, parting
from numba_course.lens.race._parfors import LOOP
from numba_course.lens.race._reductions import Facts, as_reduction
from numba_course.lens.race._steps import number_in, prepared
from numba_course.lens.race._values import (
    CONTAINERS,
    Closure,
    Instance,
    Method,
    NotUnderstood,
    Outside,
    Prange,
    Raised,
    arithmetic,
    as_array_operand,
    as_dtype,
    as_index,
    as_unsigned,
    cast,
    check_signs,
    plain,
    scalar,
    theirs,
)

STEPS = 5_000_000  # interpreted instructions, and elements touched in bulk, before it is too long
USUAL = (ArithmeticError, LookupError, ValueError, NameError)  # what a compiled function raises, or should
FITTING = {(float, "d"), (int, "d"), (int, "l"), (int, "q")}  # that NumPy stores as compiled code does
NUMBERS = (int, float, complex, np.number)
TRANSPARENT = (types.ModuleType, type, tuple, str, enum.Enum, np.ufunc, np.dtype, numba.types.Type, *NUMBERS)
ATTRIBUTES = {"T", "dtype", "flat", "imag", "itemsize", "nbytes", "ndim", "real", "shape", "size", "strides"}


class TooLong(Exception):
    """The function does not end within `STEPS`."""


@dataclass
class Frame:
    """One call of a function.

    Attributes
    ----------
    arguments : list
        In the order of the parameters.
    facts : Facts or None
        What Numba made parallel in this function; None if it was compiled without.
    inside : bool
        Whether Numba inlines the function into an iteration: its own loops are serial then.
    lenient : bool
        Whether a division by zero gives a value, as it does in a parallel loop.
    region : Region or None
        The parallel loop of this frame that is running.
    writers : dict
        Variable assigned in a parallel loop of this frame, and the iterations, the place and the loop that did so.
    merged : dict
        Group of merged loops of this frame, and its last run.
    label : int
        The block that is being run.
    """

    code: ir.FunctionIR
    globals: dict
    facts: Facts | None
    arguments: list = field(default_factory=list)
    inside: bool = False
    lenient: bool = False
    values: dict = field(default_factory=dict)
    writers: dict = field(default_factory=dict)
    region: Region | None = None
    merged: dict = field(default_factory=dict)
    label: int = 0


class Region:
    """One run of a parallel loop: an iterator that tells the memory which iteration runs."""

    def __init__(self, run, frame, prange):
        self.run, self.frame, self.place = run, frame, prange.place
        self.number, self.count = run.loop_number(frame, prange.place), 0
        self.unsigned = (prange.place.filename, prange.place.line) in frame.facts.unsigned
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
        self.run.memory.path = (*self.outside, Iteration(self.number, value))
        return as_unsigned(value) if self.unsigned else value

    def reduction(self, name):
        """Our verdict on the variable (see `as_reduction`), and whether Numba treats it as a reduction."""
        if name not in self.judged:
            blocks = self.frame.code.blocks
            loops = (
                compute_cfg_from_blocks(blocks).loops().values()
            )  # the header of a long one is not its first block
            body = min((loop.body for loop in loops if self.header in loop.body), key=len)
            statements = [statement for label in sorted(body) for statement in blocks[label].body]
            verdict, chain = as_reduction(statements, name)
            listed = self.frame.facts.lists(chain, {statement.loc.line for statement in statements})
            self.judged[name] = verdict, listed
        return self.judged[name]


class Run:
    """One run of a function.

    Parameters
    ----------
    threads : int
        Number of simulated threads.
    digit : int
        Iteration k runs on thread ``k // threads**digit % threads``: for any two iterations there is a digit
        that puts them on different threads.
    facts : dict
        Dispatcher to `Facts`, where known.
    """

    def __init__(self, threads, digit, facts):
        self.memory, self.threads, self.digit = Memory(), threads, digit
        self.regions, self.active, self.serial, self.unseen = [], [], [], []
        self.statements, self.harmless, self.remarks = set(), [], []
        self.frame, self.picked, self.loops = None, (None, None, None), 0
        self.asked, self.steps, self.chunk, self.tries = False, 0, 0, 0
        self.seeds = {}  # seeded generator, numpy's or random's: line and iteration in which
        self.numpy_random, self.python_random = np.random.RandomState(0), random.Random(0)
        self.codes, self.blocks, self.facts = {}, {}, dict(facts)
        self.special = {
            numba.get_num_threads: lambda: self.threads,
            numba.get_thread_id: self._thread,
            numba.set_num_threads: self._set_threads,
            numba.set_parallel_chunksize: self._set_chunk,
            numba.get_parallel_chunksize: lambda: 0 if self.memory.path else self.chunk,
            numba.parallel_chunksize: lambda size: None,
            eh.mark_try_block: lambda: self._trying(1),  # since Python 3.12 around a comprehension, too
            eh.end_try_block: lambda: self._trying(-1),
            eh.exception_check: lambda: False,  # otherwise the run has ended: see `attempt`
            numba.literal_unroll: lambda values: values,
            typed.List: lambda items=(): list(self.items(items)),
            typed.List.empty_list: lambda *args, **kwargs: [],
            typed.Dict: dict,
            typed.Dict.empty: lambda *args, **kwargs: {},
            np.ndenumerate: lambda a: ((index, self.getitem(a, index)) for index in np.ndindex(a.shape)),
            builtins.dict: dict,
            builtins.getattr: self.getattr,
            len: self._len,
            print: lambda *values: self._read(values) and None,
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
            return f"it takes too long; give it a smaller input{self._progress()}"
        except RecursionError:
            return "its calls are nested too deeply"
        except NotUnderstood as error:
            return f"{error} on line {self.memory.place.line} is not understood"
        except Raised as error:
            return self._raised(error.args[0], on_purpose=bool(error.args[1:]))

    def _progress(self):
        """How far it came before it was stopped; only told if nothing collided."""
        if not self.regions:
            return ""
        region = self.active[0] if self.active else self.regions[-1]
        done = f"{region.count} iterations of the loop on line {region.place.line}"
        return f": it was stopped after {done}, and no conflict was found until then"

    def _raised(self, cause, on_purpose):
        """What an exception of the interpreted function tells about it."""
        line = self.memory.place.line
        if self.tries:
            return (
                f"an exception inside a try statement or a comprehension, on line {line}, is not understood"
            )
        if isinstance(cause, Outside):
            return f"line {line} reaches outside an array: {cause}"
        if on_purpose or isinstance(cause, USUAL):
            return f"the function raised {type(cause).__name__}: {cause} on line {line} for this input"
        return f"line {line} is not understood ({type(cause).__name__}: {cause})"

    def _trying(self, step):
        self.tries += step

    # Functions and their statements

    def dispatch(self, dispatcher, args, kwargs, caller=None):
        """Call a compiled function; what Numba inlines belongs to its caller."""
        options = dispatcher.targetoptions
        if caller is not None and options.get("inline", "never") == "always":
            return self.function(dispatcher.py_func, args, kwargs, caller)
        if dispatcher not in self.facts:
            self.facts[dispatcher] = Facts.of_compiled(dispatcher) if options.get("parallel") else None
        lenient = options.get("error_model") == "numpy"
        return self.function(dispatcher.py_func, args, kwargs, None, self.facts[dispatcher], lenient)

    def function(self, function, args, kwargs, caller, facts=None, lenient=False):
        """Call a Python function, as a part of its caller if that is given."""
        if function not in self.codes:
            code = self.codes[function] = compiler.run_frontend(function)
            self.blocks[code] = prepared(self, code)
        frame = Frame(self.codes[function], function.__globals__, facts, lenient=lenient)
        if frame.code.is_generator:
            raise NotUnderstood("a generator")
        if caller is not None:
            frame.facts, frame.inside = caller.facts, caller.inside or caller.region is not None
            frame.lenient = caller.lenient or frame.inside
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.apply_defaults()
        place = self.memory.place
        frame.arguments = list(bound.arguments.values())
        result = self._statements(frame)
        self.memory.place = place
        return result

    def _statements(self, frame):
        caller, self.frame = self.frame, frame
        if frame.facts is not None and not frame.inside:
            _elements.begin(self, frame)
        result = self._blocks(frame)
        _elements.finish(self, frame, *frame.merged)
        self.frame = caller
        return result

    def _blocks(self, frame):
        blocks, frame.label = self.blocks[frame.code], min(frame.code.blocks)
        memory = self.memory
        while True:
            block = blocks[frame.label]
            self.steps += block.size
            if self.steps + memory.work > STEPS:
                raise TooLong
            for place, step in block.steps:
                memory.place = place
                step(frame)
            memory.place = block.place
            frame.label, value = block.leave(frame)
            if frame.label is None:
                return value

    def _set_field(self, instance, name, value):
        """``instance.name = value``, of a jitclass."""
        kind = instance.kind.struct.get(name)
        if kind is None:
            raise NotUnderstood(f"the property {name} of {instance.kind.class_name}")
        self.memory.item(instance, name, WRITE)
        instance.fields[name] = cast(value, as_dtype(kind)) if isinstance(kind, numba.types.Number) else value

    def effect(self, frame, statement, kind):
        """A statement that is neither an assignment nor a jump."""

        def get(*names):
            return [self.get(frame, getattr(statement, name)) for name in names]

        if kind is ir.SetItem:
            self.setitem(*get("target", "index", "value"))
        elif kind is ir.StoreMap:
            self.setitem(*get("dct", "key", "value"))
        elif kind is ir.SetAttr:
            target, value = get("target", "value")
            if isinstance(target, Instance):
                return self._set_field(target, statement.attr, value)
            if not isinstance(target, np.ndarray):
                raise NotUnderstood(f"an attribute of {type(target).__name__}")
            self.setitem(target, statement.attr, value)
        elif kind is ir.DelItem:
            container, index = get("target", "index")
            self.memory.item(container, None, WRITE)
            theirs(operator.delitem, container, as_index(index))
        elif kind is ir.Raise and statement.exception is not None:
            raise Raised(*get("exception"), "on purpose")
        elif kind is ir.Print:
            self._read([self.get(frame, variable) for variable in statement.args])
        elif kind not in (ir.Del, ir.EnterWith, ir.PopBlock):
            raise NotUnderstood(f"the statement {kind.__name__}")

    # Parallel loops

    def new_loop(self):
        """The number of a run of a loop that nothing else is merged with, so far."""
        self.loops += 1
        return self.loops

    def loop_number(self, frame, place):
        """The number of the run of a loop over `prange` that begins: that of what it is merged with."""
        parfor = next((p for p in frame.facts.parfors if p.kind == LOOP and p.stands_at(place)), None)
        if parfor is None or len(frame.facts.merged(parfor.group)) == 1:
            return self.new_loop()
        return _elements.enter(self, frame, parfor).number

    def afford(self, work):
        """So many elements are about to be touched one by one, which takes as long as some statements each."""
        self.memory.work += 4 * work
        if self.steps + self.memory.work > STEPS:
            raise TooLong

    def draws(self, library, name, parallel):
        """A function of the module `library` is called that works on the generator of the thread."""
        path, line = self.memory.path, self.memory.place.line
        if name == "seed":
            self.seeds[library] = line, path
        elif library in self.seeds and (path or parallel):
            seeded, by = self.seeds[library]
            if parallel or by != path:
                self.remarks.append(
                    f"{library}.seed on line {seeded} seeds the generator of one thread, and the iterations that draw "
                    f"random numbers on line {line} run on several, each of which has its own: "
                    "results may differ from run to run"
                )

    def picked_from(self, value, mask):
        """The array of which ``value`` is what this mask picked, in the shape of the mask."""
        picked, source, by = self.picked
        if picked is not value or by is not mask:
            raise NotUnderstood("the mask of a masked assignment")
        return source

    # Variables

    def get(self, frame, variable):
        if variable.name not in frame.values:
            raise Raised(UnboundLocalError(f"{variable.unversioned_name} has no value"))
        if variable.name in frame.writers:
            self._crossing(frame, variable)
        return frame.values[variable.name]

    def set(self, frame, variable, value):
        name, old = variable.name, frame.values.get(variable.name)
        frame.values[name] = value
        if name.startswith("$"):
            return
        if not isinstance(value, (int, float)):
            self.memory.name(value, variable.unversioned_name)
        if frame.region is None:
            frame.writers.pop(name, None)
        elif value is not old or name in frame.writers or not isinstance(value, (np.ndarray, *CONTAINERS)):
            # an array changed in place is the same array
            frame.writers[name] = self.memory.path, self.memory.place, frame.region

    def _crossing(self, frame, variable):
        """Report a variable that another iteration assigned, unless it is a reduction: each has its own."""
        name, (wrote, place, region) = variable.name, frame.writers[variable.name]
        path = self.memory.path
        if wrote is path:
            return
        steps = parting(wrote, path)
        if steps is None and len(path) > len(region.outside):
            return
        verdict, listed = region.reduction(name)
        in_loop = steps is not None and steps[0].loop == steps[1].loop
        # Numba drops a number that is only added up and never used; what it does to such an array is wrong.
        if verdict and (listed or (in_loop and not isinstance(frame.values[name], np.ndarray))):
            return
        if verdict is None and listed:
            raise NotUnderstood(f"how {variable.unversioned_name} is combined")
        store = self.memory.container(frame.code)
        if not store.names:
            store.names.append(("", lambda name: (name, None)))
        accesses = self.memory.access(wrote, place), self.memory.now()
        self.memory.collide(store, variable.unversioned_name, Collision(*accesses, (WRITE, READ)))

    # Expressions

    def evaluation(self, op):
        """The method that evaluates such an expression in a frame."""
        evaluate = getattr(self, "_" + op, None)
        if evaluate is None:
            return functools.partial(self._not_understood, f"the expression {op}")
        return evaluate

    def _not_understood(self, what, frame, value):
        raise NotUnderstood(what)

    def value(self, frame, value):
        """What is no expression and no variable."""
        kind = type(value)
        if kind is ir.Arg:
            return frame.arguments[value.index]
        if kind is ir.Global or kind is ir.FreeVar:
            self.memory.name(value.value, value.name)
            return scalar(value.value)
        raise NotUnderstood(f"the expression {kind.__name__}")

    def _binop(self, frame, expr):
        return self.operate(frame, expr.fn, [self.get(frame, expr.lhs), self.get(frame, expr.rhs)])

    def _unary(self, frame, expr):
        return self.operate(frame, expr.fn, [self.get(frame, expr.value)])

    def _inplace_binop(self, frame, expr):
        target, value = self.get(frame, expr.lhs), self.get(frame, expr.rhs)
        if isinstance(target, CONTAINERS):
            self.memory.item(target, None, WRITE)
            return theirs(expr.fn, target, list(self.items(value)) if isinstance(target, list) else value)
        if not isinstance(target, np.ndarray):
            return self.operate(frame, expr.immutable_fn, [target, value])
        path = self.memory.path
        if frame.region is not None and frame.region.reduction(expr.lhs.name) == (True, True):
            lane = (
                "reduction",
                expr.lhs.unversioned_name,
            )  # updates of a reduction do not collide with each other
            self.memory.path = (*path[:-1], path[-1]._replace(lane=lane))
        result = self.operate(frame, expr.immutable_fn, [target, value])
        self.memory.array(target, WRITE)
        _elements.updated(self, target, value)
        self.memory.path = path
        theirs(operator.setitem, target, ..., result.astype(target.dtype))
        return target

    def operate(self, frame, fn, operands):
        """A unary or binary operator on any values."""
        if fn in (operator.is_, operator.is_not, operator.not_):
            return fn(*operands)
        if all(isinstance(x, NUMBERS) for x in operands):
            return arithmetic(fn, operands, frame.lenient or frame.region is not None)
        if self._read(operands) and fn is not operator.contains:
            result = plain(theirs(fn, *map(as_array_operand, operands)))
            _elements.computed(self, operands, result)
            return result
        return plain(theirs(fn, *operands))

    def _cast(self, frame, expr):
        return self.get(frame, expr.value)

    def _build_tuple(self, frame, expr):
        return tuple(self.get(frame, v) for v in expr.items)

    def _build_list(self, frame, expr):
        return [self.get(frame, v) for v in expr.items]

    def _build_set(self, frame, expr):
        return {self.get(frame, v) for v in expr.items}

    def _build_map(self, frame, expr):
        return {self.get(frame, key): self.get(frame, v) for key, v in expr.items}

    def _pair_first(self, frame, expr):
        return self.get(frame, expr.value)[0]

    def _pair_second(self, frame, expr):
        return self.get(frame, expr.value)[1]

    def _undef(self, frame, expr):
        return None

    def _getiter(self, frame, expr):
        value = self.get(frame, expr.value)
        if not isinstance(value, Prange):
            return self.items(value)
        if frame.facts is not None and frame.region is None and not frame.inside:
            if (value.place.filename, value.place.line) in frame.facts.loops:
                return Region(self, frame, value)
            self.serial.append(value.place.line)
        return iter(value.iterations)

    def _iternext(self, frame, expr):
        try:
            return next(self.get(frame, expr.value)), True
        except StopIteration:
            return None, False

    def _exhaust_iter(self, frame, expr):
        return tuple(self.items(self.get(frame, expr.value)))

    def _getitem(self, frame, expr):
        return self.getitem(self.get(frame, expr.value), self.get(frame, expr.index))

    def _static_getitem(self, frame, expr):
        return self.getitem(self.get(frame, expr.value), expr.index)

    def _getattr(self, frame, expr):
        return self.getattr(self.get(frame, expr.value), expr.attr)

    def _make_function(self, frame, expr):
        def value(part):
            return self.get(frame, part) if isinstance(part, ir.Var) else part

        code, cells = value(expr.code), tuple(types.CellType(v) for v in value(expr.closure) or ())
        function = types.FunctionType(code, frame.globals, code.co_name, value(expr.defaults), cells)
        return Closure(function, frame)

    def _call(self, frame, expr):
        args = [self.get(frame, v) for v in expr.args]
        if expr.vararg is not None:
            args += self.get(frame, expr.vararg)
        if expr.varkwarg is not None:
            raise NotUnderstood("a call with **")
        return self.call(
            frame, self.get(frame, expr.func), args, {name: self.get(frame, v) for name, v in expr.kws}
        )

    def call(self, frame, fn, args, kwargs):
        """Call anything that a Numba function may call."""
        if fn is bool and type(args[0]) is bool:
            return args[0]
        if isinstance(fn, Dispatcher):
            return self.dispatch(fn, args, kwargs, frame)
        if isinstance(fn, Closure):
            return self.function(fn.function, args, kwargs, fn.frame)
        if isinstance(fn, Method):
            if isinstance(fn.owner, Instance):
                return self.dispatch(fn.owner.kind.jit_methods[fn.name], [fn.owner, *args], kwargs, frame)
            if isinstance(fn.owner, CONTAINERS):
                return _library_calls.container_method(self, fn.owner, fn.name, args)
            if isinstance(fn.owner, np.random.Generator):
                self.memory.item(fn.owner, None, WRITE)
            return _library_calls.library(self, getattr(fn.owner, fn.name), args, kwargs)
        if fn is numba.prange:
            return Prange(range(*map(operator.index, args)), self.memory.place)
        if fn is numba.pndindex:
            shape = args[0].shape if isinstance(args[0], np.ndarray) else args[0]
            return Prange(np.ndindex(shape), self.memory.place)
        if isinstance(fn, numba.types.Type) or (isinstance(fn, type) and issubclass(fn, np.generic)):
            return self._convert(np.dtype(as_dtype(fn)), *args)
        if fn in self.special:
            return self.special[fn](*args, **kwargs)
        if fn in _library_calls.OVER_ITEMS:
            return self._over_items(fn, args, kwargs)
        if fn in _library_calls.PURE:
            return self._pure(frame, fn, args)
        if _library_calls.is_operator(fn):
            return self.operate(frame, fn, args)
        if _library_calls.is_library(fn):
            return _library_calls.library(self, fn, args, kwargs)
        if isinstance(fn, type) and issubclass(fn, (tuple, BaseException)):
            return fn(*args, **kwargs)
        if isinstance(fn, types.BuiltinFunctionType) and isinstance(fn.__self__, str):
            return plain(theirs(fn, *map(as_index, args), **kwargs))
        if isinstance(fn, JitClassType):
            return self._instance(fn.class_type, args, kwargs)
        if isinstance(fn, types.FunctionType) and _library_calls.is_jitable(fn):
            return self.function(fn, args, kwargs, None)
        if isinstance(fn, types.FunctionType):
            return self._overloaded(fn, args, kwargs)
        raise NotUnderstood(f"a call of {getattr(fn, '__name__', type(fn).__name__)}")

    def _overloaded(self, fn, args, kwargs):
        """A function for which compiled code has another one, made by `overload`."""
        implementation = _library_calls.overload_of(fn, args, kwargs)
        if implementation is None:
            raise NotUnderstood(f"a call of {fn.__name__}")
        if isinstance(implementation, Dispatcher):
            return self.dispatch(implementation, args, kwargs)
        return self.function(implementation, args, kwargs, None)

    def _instance(self, kind, args, kwargs):
        """The call of a class made by `jitclass`."""
        instance = Instance(kind)
        self.dispatch(kind.jit_methods["__init__"], [instance, *args], kwargs)
        return instance

    def _pure(self, frame, fn, args):
        """A builtin that only computes."""
        if fn in (abs, pow):
            return self.operate(frame, getattr(operator, fn.__name__), args)
        self._read(args)
        if fn is isinstance and isinstance(args[0], np.uint64):
            args[0] = int(args[0])
        return plain(theirs(fn, *args))

    def _over_items(self, fn, args, kwargs):
        """A builtin that goes through the items of its arguments."""
        if fn is next or (fn in (max, min) and len(args) > 1):
            return theirs(fn, *args, **kwargs)
        values = [
            self.items(a) if isinstance(a, (np.ndarray, np.flatiter, Prange, *CONTAINERS)) else a
            for a in args
        ]
        if fn is reversed:
            return iter(list(values[0])[::-1])
        return values[0] if fn is iter else theirs(fn, *values, **kwargs)

    def _convert(self, dtype, value=0):
        """The call of a number type."""
        if self._read([value]):
            return plain(value.astype(dtype))
        return cast(value, dtype)

    def _read(self, values):
        """All arrays among the values are read; return them."""
        arrays = _library_calls.arrays(self, values)
        for array in arrays:
            self.memory.array(array, READ)
        for value in values:
            if isinstance(value, (dict, set)):
                self.memory.item(value, None, READ)
        return arrays

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
        return theirs(iter, value)

    def _list_items(self, values):
        index = 0
        while index < self._len(values):
            yield self.getitem(values, index)
            index += 1

    def getitem(self, value, index):
        """``value[index]``; what is copied is read, of what is only viewed nothing is."""
        index = as_index(index) if type(index) is not int else index
        number = number_in(value, index)
        if number:
            self.memory.element(value, number[1], READ)
            return scalar(value[number[0]])
        if isinstance(value, CONTAINERS):
            self.memory.item(value, None, READ)
            if not isinstance(index, slice):
                self.memory.item(value, _key(value, index), READ)
        value, index = _unflattened(value, index)
        if not isinstance(value, np.ndarray):
            return theirs(operator.getitem, value, index)
        offset = _offset(value, index)
        if offset is not None:
            self.memory.element(value, offset, READ)
            return scalar(value[index])
        check_signs(index)
        if self._read(index if isinstance(index, tuple) else [index]):
            self.memory.array(value, READ, index)
            result = plain(theirs(operator.getitem, value, index))
            self.picked = result, value, index
            return result
        view = theirs(operator.getitem, value, index)
        if isinstance(view, np.void):  # a record stays a part of its array, as it does in Numba
            return value[(*index, ...) if isinstance(index, tuple) else (index, ...)]
        if not isinstance(view, np.ndarray) or (view.ndim == 0 and view.dtype.names is None):
            self.memory.array(view if isinstance(view, np.ndarray) else value, READ)
            return scalar(view[()])
        return view

    def setitem(self, target, index, value):
        """``target[index] = value``"""
        index = as_index(index) if type(index) is not int else index
        number = number_in(target, index)
        if (
            number
            and (type(value) is float or type(value) is int)
            and (type(value), target.dtype.char) in FITTING
        ):
            self.memory.same = target.item(number[0]) == value
            self.memory.element(target, number[1], WRITE)
            self.memory.same = False
            target[number[0]] = value
            return
        if isinstance(target, CONTAINERS):
            grows = isinstance(index, slice) or (isinstance(target, dict) and index not in target)
            self.memory.item(target, None, WRITE if grows else READ)
            if not isinstance(index, slice):
                self.memory.same = not grows and isinstance(value, NUMBERS) and target[index] == value
                self.memory.item(target, _key(target, index), WRITE)
                self.memory.same = False
            theirs(operator.setitem, target, index, value)
            return
        target, index = _unflattened(target, index)
        check_signs(index)
        if not isinstance(target, np.ndarray):
            raise NotUnderstood(f"storing into {type(target).__name__}")
        self._read([value, *(index if isinstance(index, tuple) else [index])])
        offset, part = _offset(target, index), target[index] if isinstance(index, str) else target
        self.memory.same = _is_stored(target, index, value)
        if offset is not None:
            self.memory.element(target, offset, WRITE)
        else:
            self.memory.array(part, WRITE, ... if isinstance(index, str) else index)
            _elements.stored(self, target, index, value)
        self.memory.same = False
        if part.dtype.names is None:
            value = np.asarray(value).astype(part.dtype)
        theirs(operator.setitem, target, index, value)

    def getattr(self, value, name):
        """``value.name``"""
        if isinstance(value, np.ndarray):
            if name in (value.dtype.names or ()):
                return self.getitem(value, name)
            return getattr(value, name) if name in ATTRIBUTES else Method(value, name)
        if isinstance(value, (*CONTAINERS, np.random.Generator)):
            return Method(value, name)
        if isinstance(value, Instance):
            return self._field(value, name)
        if isinstance(value, TRANSPARENT) or value in (typed.List, typed.Dict):
            return scalar(getattr(value, name))
        raise NotUnderstood(f"the attribute {name} of {type(value).__name__}")

    def _field(self, instance, name):
        """An attribute of an instance of a jitclass."""
        if name in instance.kind.jit_methods:
            return Method(instance, name)
        if name not in instance.kind.struct:
            raise NotUnderstood(f"the attribute {name} of {instance.kind.class_name}")
        self.memory.item(instance, name, READ)
        if name not in instance.fields:
            raise NotUnderstood(f"the attribute {name}, which has no value yet,")
        return instance.fields[name]

    def _len(self, value):
        if isinstance(value, CONTAINERS):
            self.memory.item(value, None, READ)
        return len(value)

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


def _key(container, index):
    """The cell of an item: a list's counted from the front."""
    return theirs(operator.getitem, range(len(container)), index) if isinstance(container, list) else index


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
