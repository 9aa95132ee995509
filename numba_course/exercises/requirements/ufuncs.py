"""Copies of compiled functions and ufuncs that test indices, and calls of either that nobody watches."""

from __future__ import annotations

import ctypes
import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numba.core.dispatcher import Dispatcher
from numba.np.ufunc.dufunc import DUFunc
from numba.np.ufunc.gufunc import GUFunc
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
