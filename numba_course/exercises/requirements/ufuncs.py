"""Compiled ufuncs, whose code Numba hides: the kernel inside as a function of its own, and copies that test indices."""

from __future__ import annotations

import ctypes
import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numba import njit, types
from numba.core.dispatcher import Dispatcher
from numba.np.numpy_support import as_dtype
from numba.np.ufunc.dufunc import DUFunc
from numba.np.ufunc.gufunc import GUFunc
from numba.np.ufunc.sigparse import parse_signature
from numba.np.ufunc.ufuncbuilder import UFuncDispatcher
from numpy.lib.stride_tricks import as_strided

from numba_course.lens.compiled.dispatchers import rebuilt

UFUNCS = (DUFunc, GUFunc)
COMPILED = (Dispatcher, *UFUNCS)
CALLS = {kind: kind.__call__ for kind in COMPILED}  # as they are, whoever has them watched


def called(function: Any, *args: Any, **named: Any) -> Any:
    """What a call of a compiled function gives, be the calls of its kind watched or not."""
    kind = next(kind for kind in COMPILED if isinstance(function, kind))
    return CALLS[kind](function, *args, **named)


def inside(ufunc: DUFunc | GUFunc, args: tuple[Any, ...]) -> tuple[Dispatcher, tuple[Any, ...]]:
    """The kernel of a ufunc as a function of its own, compiled as it is in there, and the arguments of its first call.

    Parameters
    ----------
    ufunc : DUFunc or GUFunc
        Compiled for `args` already.
    args : tuple
        Of a call of the ufunc.

    Raises
    ------
    LookupError
        If it is not found out which of its loops the call takes.
    """
    known = [arg if isinstance(arg, np.ndarray) else np.asarray(arg) for arg in args]
    given = [
        type(arg) if type(arg) in (int, float) else array.dtype
        for arg, array in zip(args, known, strict=True)
    ]
    try:
        dtypes = ufunc.ufunc.resolve_dtypes((*given, *[None] * (ufunc.nargs - len(args))))
    except TypeError:
        dtypes = ()
    for signature in ufunc._dispatcher.overloads:
        elements = tuple(as_dtype(getattr(kind, "dtype", kind)) for kind in signature.args)
        if elements == dtypes[: len(elements)]:
            arrays = [array.astype(dtype, copy=False) for array, dtype in zip(known, dtypes, strict=False)]
            kernel = njit([signature], error_model="numpy", **_options(ufunc))(ufunc._dispatcher.py_func)
            return kernel, _of_one_call(ufunc, signature, arrays)
    raise LookupError(
        "which loop of this ufunc is called could not be found out; write a function, under @njit"
    )


def _options(ufunc):
    """What else the kernel was compiled with."""
    options = ufunc.gufunc_builder.targetoptions if isinstance(ufunc, GUFunc) else ufunc.targetoptions
    return {"fastmath": options["fastmath"]} if "fastmath" in options else {}


def _of_one_call(ufunc, signature, arrays):
    """The arguments of the kernel's first call: the first element of each array, or its first core array."""
    cores = [core for side in parse_signature(ufunc.signature) for core in side] if ufunc.signature else []
    sizes, arguments = {}, []
    for position, kind in enumerate(signature.args):
        core = cores[position] if cores else ()
        if position < len(arrays):
            array = arrays[position]
            value = array[(0,) * (array.ndim - len(core))]
            sizes.update(zip(core, np.shape(value), strict=True))
        else:
            value = np.zeros([sizes[name] for name in core], as_dtype(kind.dtype))
        arguments.append(np.atleast_1d(value) if isinstance(kind, types.Array) else np.asarray(value)[()])
    return tuple(arguments)


class Checked:
    """A copy that raises an IndexError wherever it, or what it calls, reaches outside an array; on one thread.

    Inside a parallel region an IndexError is lost, so the same code is compiled for one thread. It is lost in a
    ufunc that compiled code calls, too: there it is noted, and raised after the call.

    Parameters
    ----------
    function : Dispatcher, DUFunc or GUFunc
    replace : callable, optional
        Given each other value that it or a callee looks up outside itself, returns what the copy finds there.
    """

    OPTIONS: ClassVar = {"boundscheck": True, "parallel": False}

    def __init__(self, function: Any, replace: Callable[[Any], Any] | None = None) -> None:
        self._lost: list[str] = []
        self._replace = replace or (lambda value: value)
        self._copy = (
            rebuilt(function, replace=self._replaced, **self.OPTIONS)
            if isinstance(function, Dispatcher)
            else self._ufunc(function, lambda kernel: kernel.py_func)
        )

    def __call__(self, *args: Any, **named: Any) -> Any:
        result = called(self._copy, *args, **named)
        if self._lost:
            raise IndexError(self._lost.pop())
        return result

    def _replaced(self, value):
        """What the copy finds in the place of a value that is no compiled function."""
        if isinstance(value, DUFunc):
            return self._ufunc(value, lambda kernel: self._noting(kernel, "return kernel", "return 0"))
        if isinstance(value, GUFunc):
            return self._ufunc(value, lambda kernel: self._noting(kernel, "kernel", "pass"))
        return checked_as_strided if value is as_strided else self._replace(value)

    def _ufunc(self, ufunc, finish):
        """A copy of a ufunc; `finish` makes the Python function for it of the kernel's copy."""
        states = ufunc._reduce_states()
        old = states["dispatcher"].py_func if isinstance(ufunc, DUFunc) else states["py_func"]
        kernel = finish(rebuilt(njit(old, error_model="numpy"), replace=self._replaced, **self.OPTIONS))
        if isinstance(ufunc, DUFunc):
            inner = states["dispatcher"]
            options = {**inner.targetoptions, "boundscheck": True}
            return DUFunc._rebuild(**{**states, "dispatcher": UFuncDispatcher(kernel, inner.locals, options)})
        options = {**states["targetoptions"], "boundscheck": True}
        return GUFunc._rebuild(**{**states, "py_func": kernel, "targetoptions": options, "cache": False})

    def _noting(self, kernel, call, otherwise):
        """A Python function that calls the kernel and notes where that raises."""
        note = ctypes.CFUNCTYPE(None)(
            lambda: self._lost.append("index is out of bounds in a ufunc that it calls")
        )
        names = ", ".join(inspect.signature(kernel.py_func).parameters)
        text = f"""
def noting({names}):
    try:
        {call}({names})
    except Exception:
        note()
        {otherwise}
"""
        namespace = {"kernel": kernel, "note": note}
        exec(text, namespace)
        return namespace["noting"]


@njit
def checked_as_strided(
    x: np.typing.NDArray[Any], shape: tuple[int, ...], strides: tuple[int, ...]
) -> np.typing.NDArray[Any]:
    """The view, or an IndexError if it reaches further than the memory of `x`; Numba wants both, shape and strides."""
    view = as_strided(x, shape, strides)
    if view.size > 0:
        low, high = _extent(view)
        lowest, highest = _extent(x)
        if low < lowest or high > highest:
            raise IndexError("a view made by as_strided is larger than its array")
    return view


@njit
def _extent(array):
    """The first and the last byte of an array, from that of its first element on."""
    low, high = 0, array.itemsize
    for axis in range(array.ndim):
        step = (array.shape[axis] - 1) * array.strides[axis]
        low += min(step, 0)
        high += max(step, 0)
    return low, high
