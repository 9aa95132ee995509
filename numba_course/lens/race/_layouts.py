"""Views and copies: the layout that an array has in Numba's types decides which of the two some functions give.

NumPy looks at the array. Numba looks at its type, as it stands where the function was compiled: an array that was
sliced with a step is of no known layout there, though it may be contiguous.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core.dispatcher import Dispatcher
from numba.core.typing.arraydecl import get_array_index_type

from numba_course.lens.race._values import Raised

C, F, UNKNOWN = "C", "F", "A"  # Numba's letters
SWAPPED = {C: F, F: C, UNKNOWN: UNKNOWN}
PARTS = {int: types.intp, type(None): types.none, type(...): types.ellipsis}


def own(array: np.ndarray) -> str:
    """The layout that the array has as an argument."""
    if array.flags.c_contiguous:
        return C
    return F if array.flags.f_contiguous else UNKNOWN


def layout(run: Any, array: np.ndarray) -> str:
    """The layout of its type in the function that is interpreted."""
    known = run.layouts.get(id(array))
    return known[1] if known is not None and known[0]() is array else own(array)


def keep(run: Any, array: np.ndarray, known: str) -> np.ndarray:
    """Note the layout of an array's type; returns the array."""
    if known != own(array):
        run.layouts[id(array)] = weakref.ref(array), known
    else:
        run.layouts.pop(id(array), None)
    return array


def indexed(run: Any, array: np.ndarray, index: Any, view: np.ndarray) -> None:
    """Note the layout of ``array[index]``, which is a view."""
    known = layout(run, array)
    if known == C and type(index) is int:
        return
    if isinstance(index, str):  # a field of each record
        keep(run, view, UNKNOWN)
        return
    parts = index if isinstance(index, tuple) else (index,)
    keep(run, view, _of_view(known, array.ndim, tuple(map(_type_of_part, parts))))


def _type_of_part(part):
    if isinstance(part, slice):
        return types.slice2_type if part.step is None else types.slice3_type
    return PARTS.get(type(part), types.intp)


@functools.cache
def _of_view(known, ndim, parts):
    """Numba's own rule for the layout of a view."""
    kinds = get_array_index_type(types.Array(types.intp, ndim, known), types.BaseTuple.from_types(parts))
    return getattr(kinds.result, "layout", C)


def attribute(run: Any, array: np.ndarray, name: str, value: Any) -> Any:
    """Note the layout of ``array.name``, if that is an array; returns it."""
    if not isinstance(value, np.ndarray):
        return value
    known = layout(run, array)
    if name == "T":
        known = SWAPPED[known] if array.ndim > 1 else known
    elif name in ("real", "imag"):
        return _part(run, array, known, [], value)
    return keep(run, value, known)


def as_declared(run: Any, dispatcher: Dispatcher, args: list[Any]) -> list[Any]:
    """The arguments of a function that was given its signatures: arrays have the layout that these say."""
    return [_as_declared(run, dispatcher, n, arg) for n, arg in enumerate(args)]


def _as_declared(run, dispatcher, n, array):
    if not isinstance(array, np.ndarray) or array.dtype.names:
        return array
    kind = numba.typeof(array)
    declared = {
        parameter.layout
        for signature in dispatcher.nopython_signatures
        for parameter in signature.args[n : n + 1]
        if isinstance(parameter, types.Array) and (parameter.dtype, parameter.ndim) == (kind.dtype, kind.ndim)
    }
    known = layout(run, array)
    return array if known in declared or not declared else keep(run, array.view(), UNKNOWN)


def as_compiled(run: Any, name: str, array: np.ndarray, rest: list[Any], result: Any) -> Any:
    """What a function of NumPy, or a method, gives in compiled code, if it may be a view.

    Parameters
    ----------
    name : str
        Of the function.
    array : ndarray
        Its first argument, or the owner of the method.
    rest : list
        The other arguments.
    result : object
        What NumPy gives.
    """
    if name not in ADAPTED:
        return result
    if isinstance(result, (list, tuple)):
        return type(result)(as_compiled(run, name, array, rest, part) for part in result)
    known = layout(run, array)
    return ADAPTED[name](run, array, known, rest, result) if isinstance(result, np.ndarray) else result


def _ravel(run, array, known, rest, result):
    return result if known == C else result.copy()


def _reshape(run, array, known, rest, result):
    if result.size and not np.may_share_memory(result, array):
        raise Raised(NotImplementedError("incompatible shape for array"), "on purpose")
    return keep(run, result, C)


def _resize(run, array, known, rest, result):
    """Numba flattens, repeats what is too short, and cuts off."""
    if known != C or not 0 < result.size <= array.size:
        return result
    return array.reshape(-1)[: result.size].reshape(result.shape)


def _as_layout(wanted, run, array, known, rest, result):
    flat = array.ndim == 0 or (array.ndim == 1 and known != UNKNOWN)
    found = known == UNKNOWN and array.flags[f"{wanted}_CONTIGUOUS"]
    return keep(run, result.view(), wanted) if flat or found or known == wanted else result.copy(wanted)


def _transpose(run, array, known, axes, result):
    if array.ndim > 1:
        known = SWAPPED[known] if axes in ([], [None]) else UNKNOWN
    return keep(run, result, known)


def _same(run, array, known, rest, result):
    return keep(run, result, known)


def _same_if_flat(run, array, known, rest, result):
    return keep(run, result, known if array.ndim < 2 else UNKNOWN)


def _part(run, array, known, rest, result):
    return keep(run, result, UNKNOWN if array.dtype.kind == "c" else known)


def _unknown(run, array, known, rest, result):
    return keep(run, result, UNKNOWN)


SAME = "view asarray asarray_chkfinite atleast_1d atleast_2d atleast_3d"
LOOSE = (
    "swapaxes moveaxis flip fliplr flipud rot90 broadcast_to broadcast_arrays as_strided sliding_window_view"
)
FLAT = "expand_dims split array_split hsplit vsplit dsplit"
ADAPTED: dict[str, Callable[..., Any]] = {  # by name: what Numba makes of an array
    **dict.fromkeys(SAME.split(), _same),
    **dict.fromkeys(LOOSE.split(), _unknown),
    **dict.fromkeys(FLAT.split(), _same_if_flat),
    **dict.fromkeys(("real", "imag"), _part),
    "ravel": _ravel,
    "reshape": _reshape,
    "resize": _resize,
    "ascontiguousarray": functools.partial(_as_layout, C),
    "asfortranarray": functools.partial(_as_layout, F),
    "transpose": _transpose,
}
