"""Arguments of a function that was given its signatures: its numbers are those of the signature before it begins."""

from __future__ import annotations

import inspect
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core.dispatcher import Dispatcher
from numba.core.registry import cpu_target

from numba_course.lens.race._values import NUMBERS, NotUnderstood, cast, plain


def as_declared(dispatcher: Dispatcher, args: list[Any], named: dict[str, Any]) -> list[Any]:
    """All arguments in the order of the parameters, numbers cast to the types of the signature that is called.

    Raises
    ------
    NotUnderstood
        If there are several signatures, and which of them is called is not found out.
    """
    bound = inspect.signature(dispatcher.py_func).bind(*args, **named)
    bound.apply_defaults()
    values = list(bound.args)
    kinds = _called(dispatcher, values)
    return [_cast(value, kind) for value, kind in zip(values, kinds, strict=False)]


def _called(dispatcher, values):
    """Types of the parameters of the signature that Numba chooses for these arguments."""
    signatures = dispatcher.nopython_signatures
    if len(signatures) == 1:
        return signatures[0].args
    try:
        given = tuple(map(numba.typeof, values))
        exact = [signature.args for signature in signatures if signature.args == given]
        if exact:
            return exact[0]
        return cpu_target.typing_context.resolve_overload(dispatcher, signatures, given, {}).args
    except Exception:  # whatever typing meets in values as the interpreter has them
        raise NotUnderstood(f"which of its signatures {dispatcher.__name__} is called with") from None


def _cast(value, kind):
    if isinstance(kind, types.Optional):
        return value if value is None else _cast(value, kind.type)
    if isinstance(kind, types.BaseTuple) and type(value) is tuple:
        return tuple(_cast(item, part) for item, part in zip(value, kind.types, strict=True))
    if isinstance(kind, (types.Number, types.Boolean)) and isinstance(value, NUMBERS):
        return cast(value, np.dtype(numba.np.numpy_support.as_dtype(kind)))
    return plain(value) if isinstance(value, np.generic) else value
