"""What a call of a library function or a method reads and writes. It is really called, on the real arrays."""

import builtins
import math
import random

import numpy as np
from numba.np.numpy_support import from_dtype, ufunc_find_matching_loop

from numba_course.lens.race import _elements, _items, _layouts, _regions
from numba_course.lens.race._memory import READ, WRITE, addresses
from numba_course.lens.race._values import (
    NotUnderstood,
    Raised,
    as_array_operand,
    as_dtype,
    of_one_kind,
    plain,
    theirs,
)

COMPUTING = "abs bool chr complex divmod float hash int isinstance ord pow range round slice str"
PURE = {getattr(builtins, name) for name in COMPUTING.split()}
ITERATING = "all any enumerate iter list max min next reversed set sorted sum tuple zip"
OVER_ITEMS = {getattr(builtins, name) for name in ITERATING.split()}
LIBRARIES = ("numpy", "math", "cmath")
SHAPE_ONLY = {np.shape, np.size, np.ndim, np.zeros_like, np.empty_like, np.ones_like, np.full_like}
FILLED = {np.empty: np.zeros, np.empty_like: np.zeros_like}  # what an empty array holds must not matter
SELECT = {
    np.take: 0,
    np.diag: 0,
    np.compress: 1,
    np.extract: 1,
}  # read what they return: position of the array
PUT = {np.put: 2, np.putmask: 2, np.place: 2, np.fill_diagonal: 1, np.copyto: 1}  # write some: of the value
REPLACE = {"fill", "sort", "partition"}  # methods that write the whole array
COPYING = {
    "conj",
    "conjugate",
    "diff",
}  # in compiled code, also of real numbers, and of differences of order 0
SYNONYMS = {"ranf": "random_sample", "sample": "random_sample"}


def library(run, fn, args, kwargs):
    """Call a function or method of NumPy, or a compiled ufunc; report what it does to arrays."""
    fn = _repeatable(run, FILLED.get(fn, fn))
    args = [of_one_kind(a) if type(a) in (list, tuple) else as_dtype(a) for a in args]
    kwargs = {key: as_dtype(value) for key, value in kwargs.items()}
    if fn is np.lib.stride_tricks.sliding_window_view:
        kwargs["writeable"] = True  # as in compiled code
    owner, name, nin = (
        getattr(fn, "__self__", None),
        getattr(fn, "__name__", str(fn)),
        getattr(fn, "nin", None),
    )
    given, outs = _items.arrays(run, [*args, *kwargs.values()]), _items.arrays(run, [kwargs.get("out")])
    if isinstance(owner, np.ndarray):
        given.insert(0, owner)
        outs += [owner] if name in REPLACE else []
    elif name == "shuffle":
        outs += args[:1]
    if name == "dot" and not isinstance(owner, np.ndarray):
        outs += args[2:]
    if nin is not None:
        outs += args[nin:]
        args[:nin] = [as_array_operand(a) if given else a for a in args[:nin]]
        kwargs |= _loop(fn, args[:nin], kwargs)
    if fn in SELECT or (isinstance(owner, np.ndarray) and name in ("item", "take")):
        return _select(run, fn, args, kwargs)
    written = _put(run, fn, args, kwargs) if fn in PUT else None
    before = [a.tobytes() for a in given] if nin is None else None
    result = _call(fn, args, kwargs)
    if nin is None and type(fn).__name__ != "StencilFunc":
        result = _viewed_or_copied(run, name, owner, args, kwargs, result)
    results = _items.arrays(run, [result])
    for index, array in enumerate(given):
        if any(array is out for out in outs):
            run.memory.array(array, WRITE)
        elif array is not written and fn not in SHAPE_ONLY:
            if not any(np.may_share_memory(array, view) for view in results):
                run.memory.array(array, READ)
            if before and before[index] != array.tobytes():
                raise NotUnderstood(f"what {name} writes")
    if name == "fill" and outs:
        _elements.filled(run, owner)
    elif type(fn).__name__ == "StencilFunc":
        _elements.neighbours_read(run, _items.arrays(run, args), outs)
    elif nin is not None and not outs:
        _elements.computed(run, args[:nin], result)
    else:
        _elements.summarised(run, name, given)
    return plain(result)


def _loop(fn, operands, kwargs):
    """Keywords that make NumPy compute as Numba does, which has no half precision: of small integers, in single."""
    if kwargs or not isinstance(fn, np.ufunc):
        return {}
    kinds = [np.asarray(operand).dtype for operand in operands]
    if any(kind.kind not in "biuf" for kind in kinds) or all(kind.itemsize > 1 for kind in kinds):
        return {}
    loop = ufunc_find_matching_loop(fn, [from_dtype(kind) for kind in kinds])
    return {"signature": loop.ufunc_sig, "casting": "unsafe"} if loop is not None else {}


def _viewed_or_copied(run, name, owner, args, kwargs, result):
    """What a function gives, as a view or a copy of its first argument as it is in compiled code."""
    source, *rest = [owner, *args] if isinstance(owner, np.ndarray) else args or [None]
    if not isinstance(source, np.ndarray):
        return result
    if name in COPYING and isinstance(result, np.ndarray):
        return result.copy()
    return _layouts.as_compiled(run, name, source, [*rest, *kwargs.values()], result)


def _select(run, fn, args, kwargs):
    """A function that returns chosen elements: the same choice among their addresses tells which."""
    array = args[SELECT[fn]] if fn in SELECT else fn.__self__
    ids = addresses(array)
    if fn in SELECT:
        chosen = theirs(fn, *[ids if a is array else a for a in args], **kwargs)
    else:
        chosen = theirs(getattr(ids, fn.__name__), *args, **kwargs)
    run.memory.array(array, READ, np.isin(ids, chosen))
    for other in _items.arrays(run, args):
        if other is not array:
            run.memory.array(other, READ)
    found = fn(*args, **kwargs)
    return (
        found.copy() if isinstance(found, np.ndarray) else plain(found)
    )  # NumPy's `diag` is a view, Numba's is not


def _put(run, fn, args, kwargs):
    """A function that writes some elements: it tells which by writing True into a mask."""
    mask = np.zeros(args[0].shape, bool)
    theirs(fn, mask, *args[1 : PUT[fn]], [True] if fn is np.place else True, **kwargs)
    run.memory.array(args[0], WRITE, mask)
    return args[0]


def _repeatable(run, fn):
    """The same function, but of a random generator that starts anew in each run."""
    owner = getattr(fn, "__self__", None)
    if owner is np.random.mtrand._rand or fn is np.random.seed:
        _regions.draws(run, "np.random", fn.__name__, _elements.is_mapped(run))
        return getattr(run.numpy_random, SYNONYMS.get(fn.__name__, fn.__name__))
    if owner is random._inst:
        _regions.draws(run, "random", fn.__name__, parallel=False)
        return getattr(run.python_random, fn.__name__)
    return fn


def _call(fn, args, kwargs):
    """Call it; a mathematical function outside its domain gives NaN, as in compiled code."""
    try:
        return theirs(fn, *args, **kwargs)
    except Raised as error:
        if isinstance(error.args[0], ValueError) and getattr(fn, "__module__", "") in LIBRARIES[1:]:
            return math.nan
        raise


def is_operator(fn):
    """Whether it is a function of the operator module."""
    return getattr(fn, "__module__", "") == "_operator"


def is_library(fn):
    """Whether `library` may call it: functions of NumPy, math and random, ufuncs, stencils."""
    module = getattr(fn, "__module__", None) or ""
    return (
        module.split(".")[0] in LIBRARIES
        or any(getattr(fn, "__self__", None) is owner for owner in (random._inst, np.random.mtrand._rand))
        or isinstance(fn, np.ufunc)
        or type(fn).__name__ in ("DUFunc", "GUFunc", "StencilFunc")
    )
