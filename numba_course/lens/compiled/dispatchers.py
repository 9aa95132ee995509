"""What instruments need to know about a dispatcher: is it one, rebuild it apart, compile it for a call."""

import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any
from unittest import mock

from numba import config
from numba.core.compiler import CompileResult
from numba.core.dispatcher import Dispatcher, OmittedArg

from numba_course.process.options import given_options, parallel_of
from numba_course.process.pickling import names_in


class NotDeclared(TypeError):
    """A function that was given its signatures has none for a call."""


REPLACE = "replace"  # its key among the ids of what is copied
SHARED = ("boundscheck", "debug")  # options that a callee must be compiled with, too


def check_dispatcher(fn: object, instrument: str) -> None:
    """Refuse anything but a function compiled in nopython mode for the CPU.

    Parameters
    ----------
    fn : object
        What the user passed.
    instrument : str
        Name of the caller, for the message.

    Raises
    ------
    TypeError
        Says what `fn` was and what it must be.
    """
    if not isinstance(fn, Dispatcher) or fn.targetoptions.get("forceobj"):
        raise TypeError(f"{instrument}: fn must be a function decorated with @njit, not {_kind(fn)}")


def _kind(fn):
    """In words, what `fn` is instead of a nopython dispatcher."""
    if isinstance(fn, Dispatcher):
        return f"{fn.__name__!r} compiled in object mode (forceobj=True)"
    if isinstance(fn, types.FunctionType):
        disabled = "; NUMBA_DISABLE_JIT is set, so @njit does nothing" if config.DISABLE_JIT else ""
        return f"the plain Python function {fn.__name__!r}{disabled}"
    kinds = {
        "DUFunc": "the ufunc {!r} made by @vectorize",
        "GUFunc": "the generalised ufunc {!r} made by @guvectorize",
        "CFunc": "the C callback {!r} made by @cfunc",
        "StencilFunc": "a stencil made by @stencil; call it in a function under @njit and look at that",
        "CUDADispatcher": "the GPU kernel {!r}",
        "JitClassType": "the class {!r} made by @jitclass; look at a method of one of its objects",
    }
    kind = kinds.get(type(fn).__name__, f"an object of type {type(fn).__name__!r}")
    return kind.format(getattr(fn, "__name__", None))


def rebuilt(
    fn: Dispatcher, *, signatures: bool = True, replace: Callable[[Any], Any] | None = None, **options: Any
) -> Dispatcher:
    """Build a fresh dispatcher of the same Python function, sharing no dispatcher with the original.

    Parameters
    ----------
    fn : Dispatcher
        Not altered: no overload, counter or cache file of it or of its callees changes.
    signatures : bool
        Whether the copy of an eager dispatcher is eager, too: compiled now for the same signatures, closed to
        others.
    replace : callable, optional
        Given each other value that `fn` or a callee looks up outside itself, returns what the copy finds there.
    **options
        Target options that override those of `fn`, such as ``boundscheck=True``. `boundscheck` and `debug`
        reach every callee, ``parallel=False`` every callee that is parallel.

    Returns
    -------
    Dispatcher
        Without a disk cache. Callees in globals, closures, defaults, tuples and modules are copies, too.
    """
    return _copy(fn, signatures, options, {REPLACE: replace or (lambda value: value)})


def _copy(fn, signatures, options, done):
    """Copy a dispatcher and what it calls; `done` maps ids to copies, so that recursion ends."""
    if id(fn) in done:
        return done[id(fn)]
    function = fn.py_func
    cells = tuple(types.CellType() for _ in function.__closure__ or ()) or None
    namespace, home = dict(function.__globals__), ""
    if (
        function.__module__ not in sys.modules
    ):  # Numba looks there for functions and for globals of Python code
        home = next(name for name in map("rebuilt_{}".format, count()) if name not in sys.modules)
        sys.modules[home] = types.ModuleType(home)
        vars(sys.modules[home]).update(namespace)
        namespace = vars(sys.modules[home])
    twin = types.FunctionType(function.__code__, namespace, function.__name__, None, cells)
    for attribute in ("__module__", "__qualname__", "__doc__", "__kwdefaults__"):
        setattr(twin, attribute, getattr(function, attribute))
    if home:
        twin.__module__ = home
    names = set(names_in(function.__code__))
    twin.__defaults__ = function.__defaults__ and _replace(function.__defaults__, names, options, done)
    copy = type(fn)(
        py_func=twin,
        locals=fn._compiler.locals,
        targetoptions={**given_options(fn), **options},
        pipeline_class=fn._compiler.pipeline_class,
    )
    done[id(fn)] = copy
    for name in names & namespace.keys():
        namespace[name] = _replace(namespace[name], names, options, done)
    for cell, original in zip(cells or (), function.__closure__ or (), strict=True):
        cell.cell_contents = _replace(original.cell_contents, names, options, done)
    if signatures and not fn._can_compile:
        for compiled in fn.overloads.values():
            copy.compile(compiled.signature)
        copy.disable_compile()
    return copy


def calls_itself(fn: Dispatcher) -> bool:
    """Whether a compiled function, or one that it calls, calls itself, perhaps by way of others."""
    return _leads_back(fn, ())


def _leads_back(fn, callers):
    """Whether a call of `fn` by these callers, or one that it makes, is a call of somebody who is not done yet."""
    if any(fn is caller for caller in callers):
        return True
    return any(_leads_back(callee, (*callers, fn)) for callee in _callees(fn))


def is_parallel(fn: Dispatcher) -> bool:
    """Whether a function was made with ``parallel=True``, or with a dictionary there, even an empty one."""
    return fn.targetoptions.get("parallel", False) not in (False, None)


def wants_threads(fn: Dispatcher) -> bool:
    """Whether a compiled function, or one that it calls, was made with ``parallel=True``."""
    return any(map(is_parallel, reached(fn)))


def hands_to_python(fn: Dispatcher) -> bool:
    """Whether a function, or one that it calls, has a block under ``with objmode``, as far as they are compiled."""
    overloads = (compiled for one in reached(fn) for compiled in one.overloads.values())
    return any(compiled.lifted for compiled in overloads)


def reached(fn: Dispatcher) -> list[Dispatcher]:
    """A compiled function, and all that it or one of them looks up outside itself by a name, each once."""
    found, waiting = {id(fn): fn}, [fn]
    while waiting:
        new = {id(one): one for one in _callees(waiting.pop()) if id(one) not in found}
        found |= new
        waiting += new.values()
    return list(found.values())


def _callees(fn):
    """The compiled functions that `fn` looks up outside itself, by a name of their own or in a module."""
    function = fn.py_func
    names = set(names_in(function.__code__))
    found = [function.__globals__[name] for name in names & function.__globals__.keys()]
    modules = [vars(value) for value in found if isinstance(value, types.ModuleType)]
    found += [module[name] for module in modules for name in names & module.keys()]
    found += [cell.cell_contents for cell in function.__closure__ or ()] + list(function.__defaults__ or ())
    return [value for value in found if isinstance(value, Dispatcher)]


def is_seen_to_be_serial(fn: Any) -> bool:
    """Whether nothing parallel was asked for in a function or what it calls, and nothing that is compiled of it is.

    Parameters
    ----------
    fn : object
        A function that Numba compiles, or a ufunc, whose kernel is meant. False where it is not known.
    """
    fn = getattr(fn, "_dispatcher", fn)
    if getattr(fn, "py_func", None) is None or wants_threads(fn):
        return False
    libraries = [one.library for one in fn.overloads.values()]
    if not libraries or any(getattr(one, "_disable_inspection", True) for one in libraries):
        return False  # of what was loaded from a disk cache there is no text
    return not any("@numba_parallel_for" in one.get_llvm_str() for one in libraries)


def _replace(value, names, options, done):
    """`value` with the dispatchers in it copied: itself, items of a tuple, what `names` use of a module."""
    if isinstance(value, Dispatcher):
        shared = {key: options[key] for key in SHARED if key in options}
        if options.get("parallel") is False and is_parallel(value):
            shared["parallel"] = False
        return _copy(value, True, shared, done)
    if type(value) is tuple:
        return tuple(_replace(item, names, options, done) for item in value)
    if isinstance(value, types.ModuleType):
        return _replace_in_module(value, names, options, done)
    return done[REPLACE](value)


def _replace_in_module(module, names, options, done):
    """The module itself, or a stand-in with the names that are used if one of them leads to a dispatcher."""
    used = {name: vars(module)[name] for name in names & vars(module).keys()}
    key = id(module), frozenset(used)  # what another function uses of the same module are other names
    if key not in done:
        done[key] = module  # modules refer to each other in circles
        new = {name: _replace(value, names, options, done) for name, value in used.items()}
        if any(new[name] is not used[name] for name in used):
            done[key] = types.ModuleType(f"{module.__name__} (rebuilt)")
            vars(done[key]).update(new)
    return done[key]


def _in_words(kinds):
    return f"({', '.join(map(str, kinds))})"


@contextmanager
def hardly_optimised() -> Iterator[None]:
    """Have Numba compile without most passes of LLVM: enough for code of which only errors or results matter."""
    with mock.patch.object(config, "OPT", 0):
        yield


def folded_arguments(fn: Dispatcher, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments of a call as Numba compiles for them: by position, omitted defaults as such, in one tuple what
    a starred parameter takes. Numba's own `fold_arguments` has keyword-only ones in another order.

    Raises
    ------
    TypeError
        If they do not fit the parameters.
    """
    signature = fn._compiler.pysig
    given = signature.bind(*args, **named).arguments
    omitted = {
        name: () if parameter.kind is parameter.VAR_POSITIONAL else OmittedArg(parameter.default)
        for name, parameter in signature.parameters.items()
        if name not in given
    }
    return tuple({**given, **omitted}[name] for name in signature.parameters)


def kinds_of(fn: Dispatcher, folded: tuple[Any, ...]) -> list[Any]:
    """Numba's types of arguments that `folded_arguments` has put in order."""
    return [a._numba_type_ if isinstance(a, OmittedArg) else fn.typeof_pyval(a) for a in folded]


def options_of_call(fn: Dispatcher, args: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """The options of a call, where they are others than the decorator was given: for `rebuilt`.

    Numba empties a dictionary that is given as `parallel` when it compiles for the first time. So all that is
    compiled for other types afterwards has all of `parallel`.
    """
    if not fn._can_compile or not fn.overloads or not isinstance(fn.targetoptions.get("parallel"), dict):
        return {}  # a function with signatures is compiled for all of them anew, in the same order
    known = fn.overloads.get(tuple(kinds_of(fn, folded_arguments(fn, args, named))))
    return {"parallel": parallel_of(known) if known else dict(fn.targetoptions["parallel"])}


def compiled_for(fn: Dispatcher, args: tuple[Any, ...], named: dict[str, Any] | None = None) -> CompileResult:
    """Compile as a call with `args` would, without making the call.

    Parameters
    ----------
    fn : Dispatcher
        Gains an overload: pass a copy made by `rebuilt`, in a child process.
    args : tuple
        The positional arguments of the call.
    named : dict, optional
        Its keyword arguments.

    Returns
    -------
    CompileResult
        The overload that the call would run.

    Raises
    ------
    TypeError
        If `args` do not fit the parameters; `NotDeclared` if an eager `fn` has no overload for them.
    Exception
        Whatever the compiler raises; see `lens.errors.reason`.
    """
    folded = folded_arguments(fn, args, named or {})
    if fn._can_compile:
        entry = fn._compile_for_args(*folded)
        return next(compiled for compiled in fn.overloads.values() if compiled.entry_point is entry)
    kinds = kinds_of(fn, folded)
    chosen = fn.typingctx.resolve_overload(fn, fn.nopython_signatures, kinds, {})
    if chosen is None:
        compiled = " or ".join(_in_words(signature.args) for signature in fn.nopython_signatures)
        raise NotDeclared(f"{fn.__name__} is compiled for {compiled} only, not for {_in_words(kinds)}")
    return fn.overloads[chosen.args]
