"""Whatever Numba compiles as a function and the arguments of its call: ufuncs, callbacks, methods, partial calls."""

from __future__ import annotations

import functools
import types as python_types
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, types
from numba.core.ccallback import CFunc
from numba.core.dispatcher import Dispatcher
from numba.np.numpy_support import as_dtype
from numba.np.ufunc.dufunc import DUFunc
from numba.np.ufunc.gufunc import GUFunc
from numba.np.ufunc.sigparse import parse_signature

from numba_course.lens.compiled.dispatchers import check_dispatcher

NOT_FROM_PYTHON = (
    "is made by @cfunc: called from Python it is its Python function; give its attribute ctypes, which calls the "
    "compiled one"
)
NOT_ITS_LOOP = "this is the kernel, for one element or core array; the loop around it is not looked at"


@dataclass(frozen=True)
class Call:
    """A call of a compiled function, whatever was called.

    Attributes
    ----------
    fn : Dispatcher
    args : tuple
    named : dict
        Keyword arguments.
    caller : str
        Who calls it, and has the GIL or not, if Python does not: ``NumPy`` or ``C``.
    notes : tuple of str
        What is not looked at.
    """

    fn: Dispatcher
    args: tuple[Any, ...]
    named: dict[str, Any]
    caller: str = ""
    notes: tuple[str, ...] = ()


def looked_into(fn: Any, args: tuple[Any, ...], named: dict[str, Any], instrument: str) -> Call:
    """The compiled function in `fn`, and what it is called with.

    Parameters
    ----------
    fn : object
        A function under ``@njit``, a ufunc, a C callback, a bound method of either kind of class, or a
        `functools.partial` of one of these.
    args, named
        Of the call.
    instrument : str
        Name of the caller, for messages.

    Raises
    ------
    TypeError
        If `fn` is none of these, or a ufunc that is not compiled for `args`; says why in a line.
    """
    fn, args, named = unwrapped(fn, args, named)
    if isinstance(fn, CFunc):
        kernel = njit([fn._sig], **fn._compiler.targetoptions)(fn._pyfunc)
        return Call(kernel, args, named, "C")
    if isinstance(fn, DUFunc | GUFunc) and not named:
        try:
            kernel, arguments = inside(fn, args)
        except LookupError:
            words = f"{fn.__name__} is not compiled for these arguments; call it with them once, before"
            raise TypeError(f"{instrument}: {words}") from None
        return Call(kernel, arguments, {}, "NumPy", (NOT_ITS_LOOP,))
    check_dispatcher(fn, instrument)
    return Call(fn, args, named)


def unwrapped(
    fn: Any, args: tuple[Any, ...], named: dict[str, Any]
) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """What is called by a `functools.partial` or a bound method, and with which arguments; anything else is itself."""
    if isinstance(fn, functools.partial):
        return unwrapped(fn.func, (*fn.args, *args), {**fn.keywords, **named})
    if isinstance(fn, python_types.MethodType):
        return unwrapped(_method(fn), (fn.__self__, *args), named)
    return fn, args, named


def _method(bound):
    """The function in a bound method; of a jitclass, what Numba compiled."""
    of_class = getattr(getattr(bound.__self__, "_numba_type_", None), "class_type", None)
    return of_class.jit_methods.get(bound.__name__, bound.__func__) if of_class else bound.__func__


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
