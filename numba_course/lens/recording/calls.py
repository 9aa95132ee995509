"""Record which compiled functions are called from Python, and for each signature the smallest arguments.

Numba is not imported here: a `Recorder` waits until the program does it. While it records, a call of a compiled
function costs a few microseconds more. Arguments are copied before the call, since kernels write into them, but only
those of a size that was not seen yet, so that their number is bounded, and so is their memory.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import types
from collections.abc import Iterator, Sized
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from numba_course.lens.recording.on_import import When

CALLED = {  # where Numba calls what it has compiled: module and class
    "numba.core.dispatcher": "Dispatcher",
    "numba.np.ufunc.dufunc": "DUFunc",
    "numba.np.ufunc.gufunc": "GUFunc",
}
NOT_LOOKED_AT = {  # other ways to call what it has compiled, which are named: module, class and methods
    "numba.np.ufunc.dufunc": ("DUFunc", ("reduce", "accumulate", "outer", "reduceat", "at")),
    "numba.stencils.stencil": ("StencilFunc", ("__call__",)),
}
DISABLED = "NUMBA_DISABLE_JIT is set, so nothing is compiled"
LOOKED_AT = 2_000  # calls of a function after which only a new specialisation is looked at
SECONDS = 600.0  # for looking at what was recorded, if nothing else is said
LARGEST = 64 << 20  # bytes of arguments that are copied
ALTOGETHER = 512 << 20  # bytes of copies
ALIKE = 3  # calls with other arguments of about the same size that are kept where each call matters
LAYOUT = 0x503  # flags of an array that Numba's type depends on: contiguous either way, aligned, writeable
MOST_MAKERS = 3  # of the functions that one piece of code makes, so many are kept
LATE = f"it was first called with these types after {LOOKED_AT:,} calls, and its arguments were not copied"
BY_TYPE = (int, float, complex, bool, str, bytes, type(None))

_busy = threading.local()  # whether this thread is recording a call: what that calls is not recorded


@dataclass
class Sample:
    """The arguments of one call, copied before it.

    Attributes
    ----------
    packed : bytes or None
        As `process.arguments.pack` gives a pair of positional and keyword arguments; None if they were not copied.
    why : str
        Why they were not.
    size : int
        Elements and items in them.
    poor : bool
        Whether an array of them has less than two elements, which shows little.
    raised : bool
        Whether the call raised.
    where : str
        Who made the call, as `Recorder.where` had it.
    """

    packed: bytes | None
    why: str
    size: int
    poor: bool
    where: str
    raised: bool = False

    def order(self) -> tuple[bool, bool, bool, int]:
        """The most telling first: one that was copied, that returned, that has something in it, that is small."""
        return self.packed is None, self.raised, self.poor, self.size


@dataclass
class Signature:
    """The calls of a function with arguments of the same types.

    Attributes
    ----------
    kinds : str
        The types, in words.
    calls : int
    returned : bool
        Whether one of them returned.
    by_size : dict
        Samples of about the same size, which differ in what is in them.
    left_out : int
        Calls of which there is no sample, since there were enough of that size.
    """

    kinds: str
    calls: int = 0
    returned: bool = False
    by_size: dict[tuple[bool, int], list[Sample]] = field(default_factory=dict)
    left_out: int = 0

    @property
    def samples(self) -> list[Sample]:
        """Copies of arguments, the most telling first."""
        return sorted((one for alike in self.by_size.values() for one in alike), key=Sample.order)


class Called:
    """A compiled function that was called, and its calls.

    Attributes
    ----------
    fn : object
        What is looked at: the function, or the method that a call of a jitclass leads to.
    caller : object
        What Python called: the first function that this piece of code made.
    calls : int
        From Python.
    """

    def __init__(self, caller: Any, fn: Any) -> None:
        self.caller, self.fn, self.calls = caller, fn, 0
        self.shapes: dict[Any, Signature] = {}
        self.signatures: dict[str, Signature] = {}


class Recorder:
    """Records calls between `start` and `stop`.

    Parameters
    ----------
    alike : int
        Samples that are kept of calls with arguments of the same types and about the same size.

    Attributes
    ----------
    where : str
        Set by the user: who is calling, such as the name of a test.
    trouble : list of str
        What went wrong in recording, which is no fault of the program.
    """

    def __init__(self, alike: int = 1) -> None:
        self.where, self.trouble, self._alike = "", list[str](), alike
        self._by_id: dict[int, Called] = {}
        # Functions of which nothing more is learnt, as long as they have no more specialisations than so many.
        self._idle: dict[int, tuple[Called | None, Sized, int]] = {}
        self._alive: list[Any] = []  # functions of Numba's own, whose ids are not to be used again
        self._by_code: dict[Any, list[Called]] = {}
        self._waiting: list[When] = []
        self._not_seen: list[str] = []
        self._otherwise: dict[str, None] = {}
        self._undo: list[Any] = []
        self._bytes = 0

    @property
    def called(self) -> list[Called]:
        """All compiled functions that were called, in the order of their first calls."""
        return list(self._by_id.values())

    def start(self) -> None:
        """Record from now on, or as soon as Numba is imported."""
        for module, name in CALLED.items():
            self._waiting.append(When(module, partial(self._listen, name)))
        for module, (name, methods) in NOT_LOOKED_AT.items():
            self._waiting.append(When(module, partial(self._name_calls, name, methods)))
        self._waiting.append(When("numba.np.ufunc.parallel", self._name_what_is_not_seen))

    def stop(self) -> None:
        """Record no more; Numba's classes are as they were. Recorders stop in the reverse order of their starts."""
        for waiting in self._waiting:
            waiting.forget()
        for undo in self._undo:
            undo()
        self._waiting, self._undo = [], []

    @contextmanager
    def recording(self) -> Iterator[Recorder]:
        """Record what the block calls."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    @property
    def notes(self) -> list[str]:
        """What was not seen, and what went wrong."""
        names = ", ".join(dict.fromkeys(self._not_seen))
        unseen = f"calls of {names} are not seen: a ufunc with target='parallel' is NumPy's own object"
        ways = ", ".join(self._otherwise)
        others = f"{ways}: such calls are not looked at"
        return [*self.trouble, *([unseen] if names else []), *([others] if ways else [])]

    def _name_calls(self, name, methods, module):
        """Have calls noted by name that are not looked at."""
        kind, otherwise = getattr(module, name), self._otherwise
        for method in methods:
            own, call = vars(kind).get(method), getattr(kind, method)

            def noting(fn, /, *args, method=method, call=call, **named):
                __tracebackhide__ = True
                if not getattr(_busy, "now", False):
                    otherwise[f"{_name_of(fn)}.{method}".removesuffix(".__call__")] = None
                return call(fn, *args, **named)

            setattr(kind, method, noting)
            self._undo.append(partial(setattr, kind, method, own) if own else partial(delattr, kind, method))

    def _name_what_is_not_seen(self, module):
        """Have the names noted of ufuncs for several threads, which Numba makes and NumPy calls."""
        for builder in (module.ParallelUFuncBuilder, module.ParallelGUFuncBuilder):
            build = builder.build

            def noting(maker, *args, build=build):
                self._not_seen.append(getattr(getattr(maker, "py_func", None), "__name__", "a ufunc"))
                return build(maker, *args)

            builder.build = noting
            self._undo.append(partial(setattr, builder, "build", build))

    def _listen(self, name, module):
        """Have calls of a class noted."""
        kind = getattr(module, name)
        own, call = vars(kind).get("__call__"), kind.__call__
        note, late, idle = self._note, self._note_late, self._idle

        def __call__(fn, /, *args, **named):
            __tracebackhide__ = True  # in what pytest shows of a test that fails
            signature = sample = None
            known = idle.get(id(fn))
            if known is None:
                signature, sample = note(fn, args, named)
            elif known[0] is not None:
                known[0].calls += 1
            try:
                result = call(fn, *args, **named)
            except BaseException:
                if sample:
                    sample.raised = True
                raise
            if signature:
                signature.returned = True
            elif known is not None and len(known[1]) != known[2]:
                late(fn, args, named)
            return result

        kind.__call__ = __call__
        self._undo.append(lambda: setattr(kind, "__call__", own) if own else delattr(kind, "__call__"))

    def _note(self, fn, args, named):
        """Take note of a call: its `Signature`, and its `Sample` if one was taken; nothing of ours is raised."""
        if getattr(_busy, "now", False):
            return None, None
        _busy.now = True
        try:
            called = self._by_id.get(id(fn)) or self._first_call(fn, args)
            if called is None:
                return None, None
            called.calls += 1
            if called.calls >= LOOKED_AT and called.caller is fn:
                overloads = dispatcher_of(fn).overloads
                self._idle[id(fn)] = called, overloads, len(overloads)
            return self._sampled(called, fn, args, named)
        except Exception as error:
            if len(self.trouble) < 10:
                name = getattr(fn, "__name__", "a function")
                self.trouble.append(f"a call of {name} was not recorded: {type(error).__name__}: {error}")
            return None, None
        finally:
            _busy.now = False

    def _note_late(self, fn, args, named):
        """Take note that a function was called with other types than in its first calls; from now on, look again."""
        called, _, _ = self._idle.pop(id(fn))
        with suppress(Exception):  # of a type that cannot be told
            kinds = kinds_in_words(called.fn, args, named)
            signature = called.signatures.setdefault(kinds, Signature(kinds, 1, returned=True))
            signature.by_size.setdefault((True, -1), [Sample(None, LATE, 0, True, self.where, raised=True)])

    def _first_call(self, fn, args):
        """What is known of a function from now on; None if it is Numba's own."""
        target = method_behind(fn, args)
        function = python_function(target)
        if function is None or is_numbas_own(function):
            self._idle[id(fn)] = None, (), 0
            self._alive.append(fn)
            return None
        makers = self._by_code.setdefault(function.__code__, [])
        if len(makers) < MOST_MAKERS:
            makers.append(Called(fn, target))
            self._by_id[id(fn)] = makers[-1]
        return makers[
            -1
        ]  # of many alike, such as closures made in each test, the last ones are not kept alive

    def _sampled(self, called, fn, args, named):
        """The signature of a call, and a copy of its arguments if there is none of that size."""
        shape = (*map(shape_of, args), *((name, shape_of(value)) for name, value in named.items()))
        signature = called.shapes.get(shape)
        if signature is None:
            kinds = kinds_in_words(called.fn if fn is called.caller else fn, args, named)
            signature = called.signatures.setdefault(kinds, Signature(kinds))
            called.shapes[shape] = signature
        signature.calls += 1
        values = (*args, *named.values())
        size, poor = size_of(values), is_poor(values)
        alike = signature.by_size.setdefault((poor, size.bit_length() // 2), [])
        raised = next((one for one in alike if one.raised), None)
        if len(alike) >= self._alike and raised is None:
            signature.left_out += 1
            return signature, None
        sample = self._copied(called, fn, args, named, size, poor)
        if any(one.packed == sample.packed and one.why == sample.why for one in alike if one is not raised):
            return signature, None
        if raised is not None:
            alike.remove(raised)
        alike.append(sample)
        return signature, sample

    def _copied(self, called, fn, args, named, size, poor):
        from numba_course.process.arguments import pack

        if fn is not called.caller:
            return Sample(None, "it is one of many functions made by the same code", size, poor, self.where)
        large = bytes_of((*args, *named.values()))
        if large > LARGEST or self._bytes + large > ALTOGETHER:
            why = f"its arguments of {large >> 20} MB were not copied"
            return Sample(None, why, size, poor, self.where)
        try:
            packed = pack((args, named))
        except Exception as error:  # each class has its own way to refuse
            return Sample(None, f"{error}", size, poor, self.where)
        self._bytes += len(packed)
        return Sample(packed, "", size, poor, self.where)


def seconds_of(text: str) -> float:
    """A number of seconds on a command line.

    Raises
    ------
    ArgumentTypeError
        If it is none, or not more than 0.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:  # so is none that is no number
        raise argparse.ArgumentTypeError(f"it must be a number of seconds above 0, not {text!r}")
    return seconds


def _name_of(fn):
    """The name of a ufunc, or of a stencil, which has it in its kernel alone."""
    kernel = getattr(getattr(fn, "kernel_ir", None), "func_id", None)
    return getattr(fn, "__name__", "") or getattr(kernel, "func_name", "a function")


def is_jit_disabled() -> bool:
    """Whether Numba compiles nothing, so that there is nothing to record; Numba is not imported for it."""
    numba = sys.modules.get("numba")
    disabled = (
        numba.config.DISABLE_JIT if numba else os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
    )
    return bool(disabled)


def method_behind(fn: Any, args: tuple[Any, ...]) -> Any:
    """The compiled method of a jitclass to which a function of Numba's leads that was called with an object of it.

    Any other function is what it is.
    """
    code = getattr(getattr(fn, "py_func", None), "__code__", None)
    if code is None or code.co_varnames[:1] != ("__numba_self_",) or not args:
        return fn
    kind = getattr(args[0], "_numba_type_", None)
    methods = getattr(getattr(kind, "class_type", None), "jit_methods", {})
    return methods.get(code.co_names[-1], None) if code.co_names else None


def dispatcher_of(fn: Any) -> Any:
    """What has the specialisations of a compiled function: itself, or the kernel of a ufunc."""
    return getattr(fn, "_dispatcher", fn)


def python_function(fn: Any) -> types.FunctionType | None:
    """The Python function that was compiled; None if it is not known."""
    function = getattr(dispatcher_of(fn), "py_func", None)
    return function if isinstance(function, types.FunctionType) else None


def is_numbas_own(function: types.FunctionType) -> bool:
    """Whether Numba brings it along, such as what is behind a typed list."""
    module = function.__module__ or ""
    return module.partition(".")[0] == "numba" and not module.startswith("numba.tests")


def kinds_in_words(fn: Any, args: tuple[Any, ...], named: dict[str, Any]) -> str:
    """The types for which a call is compiled, with the defaults that it omits; of a ufunc those of its arguments."""
    from numba import typeof
    from numba.core.dispatcher import Dispatcher

    from numba_course.lens.compiled.dispatchers import folded_arguments, kinds_of

    if isinstance(fn, Dispatcher):
        kinds = kinds_of(fn, folded_arguments(fn, args, named))
    else:
        kinds = [typeof(value) for value in args]
    return f"({', '.join(map(str, kinds))})"


def shape_of(value: Any) -> Any:
    """What tells types apart, cheaply: two values that Numba has different types for differ in it."""
    kind = type(value)
    if hasattr(value, "__array_interface__") and hasattr(value, "flags"):
        return kind, value.dtype, value.ndim, value.flags.num & LAYOUT
    if kind in BY_TYPE:
        return kind
    if isinstance(value, tuple):
        return kind, *map(shape_of, value)
    if kind in (list, set):
        return kind, shape_of(next(iter(value))) if value else None
    return getattr(value, "_numba_type_", kind)


def size_of(values: tuple[Any, ...]) -> int:
    """Elements and items in some values; a whole number counts, too, as it may be one of iterations."""
    total = 0
    for value in values:
        if hasattr(value, "size") and hasattr(value, "dtype"):
            total += value.size
        elif isinstance(value, tuple):
            total += size_of(value)
        elif isinstance(value, int):
            total += min(abs(value), 1 << 16)
        elif hasattr(value, "__len__"):
            total += len(value)
    return total


def is_poor(values: tuple[Any, ...]) -> bool:
    """Whether an array among them has less than two elements."""
    return any(hasattr(value, "ndim") and value.ndim > 0 and value.size < 2 for value in values)


def bytes_of(values: tuple[Any, ...]) -> int:
    """Bytes of the arrays among some values."""
    total = 0
    for value in values:
        total += bytes_of(tuple(value)) if isinstance(value, tuple | list) else getattr(value, "nbytes", 0)
    return total
