"""Run a Numba function in pure Python, one `prange` iteration after the other, and report what it touches.

What is interpreted is Numba's own untyped IR, so the language is what Numba understands, on every version of
Python. NumPy arrays are the memory. Whatever is not understood raises `NotUnderstood`; nothing is guessed.
"""

from __future__ import annotations

import functools
import inspect
import operator
import random
import types
import warnings
from dataclasses import dataclass, field

import numpy as np
from numba.core import compiler, ir
from numba.core.cpu_options import InlineOptions

from numba_course.lens.compiled.dispatchers import is_parallel
from numba_course.lens.race import _calls, _elements, _items, _layouts, _overloads, _signatures
from numba_course.lens.race._memory import WRITE, Memory
from numba_course.lens.race._reductions import Facts
from numba_course.lens.race._regions import Region, check_crossing, iterations_of
from numba_course.lens.race._steps import prepared
from numba_course.lens.race._values import (
    CONTAINERS,
    NUMBERS,
    Closure,
    Instance,
    NotUnderstood,
    Outside,
    Prange,
    Raised,
    arithmetic,
    as_array_operand,
    as_index,
    plain,
    scalar,
    theirs,
)

STEPS = 5_000_000  # interpreted instructions, and elements touched in bulk, before it is too long
USUAL = (ArithmeticError, LookupError, ValueError, NameError)  # what a compiled function raises, or should


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
        Group of merged loops of this frame, or of the caller that it is inlined into, and its last run.
    label : int
        The block that is being run.
    since : int
        A number that no other run of a block has.
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
    since: int = 0


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
        self.overloads = {}  # what `_overloads` has found out
        self.layouts = {}  # what `_layouts` has found out, by the id of an array
        self.special = _calls.special(self)

    def attempt(self, dispatcher, args, named):
        """Call it; return why that did not succeed, or an empty string."""
        for name, value in inspect.signature(dispatcher.py_func).bind(*args, **named).arguments.items():
            self.memory.name(value, name)
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
                self.dispatch(
                    dispatcher, [plain(arg) for arg in args], {k: plain(v) for k, v in named.items()}
                )
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
        done = iterations_of(region.place.line, region.count)
        return f": it was stopped after {done} had begun, and no conflict was found until then"

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
            return f"the function raised {_in_words(cause)} on line {line} for this input"
        return f"line {line} is not understood ({_in_words(cause)})"

    # Functions and their statements

    def dispatch(self, dispatcher, args, kwargs, caller=None, inline=None):
        """Call a compiled function; what Numba inlines belongs to its caller. Of an overload `inline` says whether."""
        options = dispatcher.targetoptions
        inline = inline or InlineOptions(options.get("inline", "never"))
        if _overloads.is_inlined(inline, dispatcher.py_func, caller):
            return self.function(dispatcher.py_func, args, kwargs, caller)
        if dispatcher not in self.facts:
            parallel = is_parallel(dispatcher)
            self.facts[dispatcher] = Facts.of_callee(dispatcher, args, kwargs) if parallel else None
        if not dispatcher._can_compile:
            args, kwargs = _signatures.as_declared(dispatcher, args, kwargs), {}
            args = _layouts.as_declared(self, dispatcher, args)
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
            frame.lenient, frame.merged = caller.lenient or frame.inside, caller.merged
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.apply_defaults()
        place = self.memory.place
        frame.arguments = list(bound.arguments.values())
        result = self._statements(frame, inlined=caller is not None)
        self.memory.place = place
        return result

    def _statements(self, frame, inlined):
        caller, self.frame = self.frame, frame
        if frame.facts is not None and not inlined:
            _elements.begin(self, frame)
        result = self._blocks(frame)
        if not inlined:  # what it has of the merged loops may go on in its caller
            _elements.finish(self, frame, *frame.merged)
        self.frame = caller
        return result

    def _blocks(self, frame):
        blocks, frame.label = self.blocks[frame.code], min(frame.code.blocks)
        memory = self.memory
        while True:
            block = blocks[frame.label]
            self.steps += block.size
            frame.since = self.steps
            if self.steps + memory.work > STEPS:
                raise TooLong
            frame.label, value = block.run(frame)
            if frame.label is None:
                return value

    def effect(self, frame, statement, kind):
        """A statement that is neither an assignment nor a jump."""

        def get(*names):
            return [self.get(frame, getattr(statement, name)) for name in names]

        if kind is ir.SetItem:
            _items.setitem(self, *get("target", "index", "value"))
        elif kind is ir.StoreMap:
            _items.setitem(self, *get("dct", "key", "value"))
        elif kind is ir.SetAttr:
            target, value = get("target", "value")
            if isinstance(target, Instance):
                return _items.set_field(self, target, statement.attr, value)
            if not isinstance(target, np.ndarray):
                raise NotUnderstood(f"an attribute of {type(target).__name__}")
            _items.setitem(self, target, statement.attr, value)
        elif kind is ir.DelItem:
            container, index = get("target", "index")
            self.memory.item(container, None, WRITE)
            theirs(operator.delitem, container, as_index(index))
        elif kind is ir.Raise and statement.exception is not None:
            (exception,) = get("exception")
            raise Raised(exception() if isinstance(exception, type) else exception, "on purpose")
        elif kind is ir.Print:
            _items.read(self, [self.get(frame, variable) for variable in statement.args])
        elif kind not in (ir.Del, ir.EnterWith, ir.PopBlock):
            raise NotUnderstood(f"the statement {kind.__name__}")

    # Parallel loops

    def new_loop(self):
        """The number of a run of a loop that nothing else is merged with, so far."""
        self.loops += 1
        return self.loops

    def afford(self, work):
        """So many elements are about to be touched one by one, which takes as long as some statements each."""
        self.memory.work += 4 * work
        if self.steps + self.memory.work > STEPS:
            raise TooLong

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
            check_crossing(self, frame, variable)
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

    def _unary(self, frame, expr):
        return self.operate(frame, expr.fn, [self.get(frame, expr.value)])

    def update(self, frame, expr, target, value):
        """An operator in place, such as ``+=``; the expression is the statement's."""
        if isinstance(target, CONTAINERS):
            self.memory.item(target, None, WRITE)
            return theirs(
                expr.fn, target, list(_items.items(self, value)) if isinstance(target, list) else value
            )
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
        if _items.read(self, operands) and fn is not operator.contains:
            result = plain(theirs(fn, *map(as_array_operand, operands)))
            _elements.computed(self, operands, result)
            return result
        return plain(theirs(fn, *operands))

    def _build_list(self, frame, expr):
        return [self.get(frame, v) for v in expr.items]

    def _build_set(self, frame, expr):
        return {self.get(frame, v) for v in expr.items}

    def _build_map(self, frame, expr):
        return {self.get(frame, key): self.get(frame, v) for key, v in expr.items}

    def _undef(self, frame, expr):
        return None

    def _getiter(self, frame, expr):
        value = self.get(frame, expr.value)
        if not isinstance(value, Prange):
            return _items.items(self, value)
        if frame.facts is not None and frame.region is None and not frame.inside:
            if (value.place.filename, value.place.line) in frame.facts.loops:
                return Region(self, frame, value)
            self.serial.append(value.place.line)
        return iter(value.iterations)

    def _exhaust_iter(self, frame, expr):
        return tuple(_items.items(self, self.get(frame, expr.value)))

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
        return _calls.call(
            self, frame, self.get(frame, expr.func), args, {name: self.get(frame, v) for name, v in expr.kws}
        )

    # What `_calls` finds in the table of special functions

    def set_threads(self, number):
        """So many threads share the iterations from here on."""
        self.threads = int(number)

    def set_chunk(self, size):
        """Keep the size of a chunk, which changes nothing here; return the former one."""
        old, self.chunk = self.chunk, int(size)
        return old

    def trying(self, step):
        """A try statement begins, or ends if `step` is -1."""
        self.tries += step


def _in_words(cause):
    """The class of an exception, and what it says if that is anything."""
    said = f"{cause}"
    return f"{type(cause).__name__}: {said}" if said else type(cause).__name__
