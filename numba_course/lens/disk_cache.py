"""What a function's disk cache holds, whether it was hit, and what could make it, or has made it, stale."""

from __future__ import annotations

import ast
import ctypes
import dis
import enum
import importlib.util
import linecache
import os
import pickletools
import re
import sys
import types
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba.core import caching, sigutils
from numba.core.ccallback import CFunc
from numba.core.dispatcher import Dispatcher
from numba.experimental.jitclass.base import JitClassType
from numba.stencils.stencil import StencilFunc

from numba_course.lens import html
from numba_course.lens._compiled_with import holds_defaults, other_options
from numba_course.lens.compiled.dispatchers import check_dispatcher
from numba_course.syntax import parse

SETTLED = {*sys.stdlib_module_names, "numpy", "numba", "llvmlite"}  # taken not to change
UNWATCHED = "the cache does not watch what defines it"
PLAIN = (bool, int, float, complex, str, bytes, np.ndarray, np.generic, type(None))
CONSTANTS = (*PLAIN, enum.Enum, np.dtype, numba.types.Type)
FROZEN_BYTES = 10**6  # of a larger array Numba compiles in the address
CLOSURE = "the closure of a callee"
PLAIN_PRINT: dict[str, Any] = {
    "edgeitems": 3,
    "floatmode": "maxprec",
    "formatter": None,
    "infstr": "inf",
    "legacy": False,
    "linewidth": 75,
    "nanstr": "nan",
    "precision": 8,
    "sign": "-",
    "suppress": False,
    "threshold": 1000,
}
AN_ADDRESS = re.compile(r"#[0-9a-f]{6,}|( at)? 0x[0-9a-f]+")


@dataclass(frozen=True)
class CacheEntry:
    """One compiled signature that the index lists.

    Attributes
    ----------
    signature, cpu, code : str
        The key: types, processor, and the first characters of the hash of the function's bytecode.
    file : str
        Name of the data file.
    size : int or None
        Its bytes; None if it is missing.
    usable : bool
        Whether a new call in this process would load it: the file is there and can be read, and all of the
        key fits.
    use : str
        What this process did with it: ``hit`` (loaded), ``miss`` (compiled and saved) or ``not used``.
    """

    signature: str
    cpu: str
    code: str
    file: str
    size: int | None
    usable: bool
    use: str


@dataclass(frozen=True)
class Dependency:
    """Something compiled into the function that its cache does not watch.

    Attributes
    ----------
    name : str
        As the function writes it; ``g → K`` is what its callee `g` uses, ``g(k)`` the default of its parameter.
    kind : str
        ``callee``, ``global``, ``default`` of a callee, or ``option`` of the decorator.
    file : str or None
        The file that defines it, where known.
    stale : bool
        Whether it is seen to differ from what an entry was compiled with.
    why : str
        How that is seen, or why it could happen.
    """

    name: str
    kind: str
    file: str | None
    stale: bool
    why: str


@dataclass(frozen=True, repr=False)
class Cache(html.Shown):
    """What `cache` found. What varies is printed inside ``⟨ ⟩``.

    Attributes
    ----------
    name : str
    index : str or None
        Path of the index file, which need not exist; None if the function was made without ``cache=True``.
    entries : tuple of CacheEntry
        All that the index lists; none if it was written by another Numba or for another text of the source.
    hits, misses : int
        Overloads that this process loaded from the cache, and that it compiled.
    dependencies : tuple of Dependency
    problem : str
        Why entries cannot be read, are not written, or cannot be hit by another process; empty if nothing is
        known to prevent it.
    """

    name: str
    index: str | None = None
    entries: tuple[CacheEntry, ...] = ()
    hits: int = 0
    misses: int = 0
    dependencies: tuple[Dependency, ...] = ()
    problem: str = ""

    @property
    def stale(self) -> tuple[str, ...]:
        """Names of the dependencies that are seen to differ from what is cached."""
        return tuple(d.name for d in self.dependencies if d.stale)

    @property
    def at_risk(self) -> tuple[str, ...]:
        """Names of all dependencies, which can change unnoticed, the stale ones included."""
        return tuple(d.name for d in self.dependencies)

    @property
    def _title(self):
        return f"cache of {self.name}"

    def _lines(self):
        if self.index is None:
            yield "info", f"{self.name} has no disk cache: it was made without cache=True"
            return
        folder, file = os.path.split(self.index)
        yield "plain", f"index of {self.name}: ⟨{file}⟩ in ⟨{folder}⟩"
        yield "plain", f"in this process: hits ⟨{self.hits}⟩, misses ⟨{self.misses}⟩"
        for e in self.entries:
            size = "missing" if e.size is None else f"{e.size} bytes"
            key = f"{e.cpu}, code {e.code}, {'fits' if e.usable else 'does not fit'}"
            yield "plain", f"{e.signature}: ⟨{e.use}⟩, file ⟨{e.file}, {size}⟩, key ⟨{key}⟩"
        if self.problem:
            yield "warn", self.problem
        for d in self.dependencies:
            origin = f" of ⟨{os.path.basename(d.file)}⟩" if d.file else ""
            verb = "is stale" if d.stale else "can go stale"
            yield ("bad" if d.stale else "warn"), f"{d.kind} {d.name}{origin} {verb}: {d.why}"


def cache(fn: Dispatcher) -> Cache:
    """Look at the disk cache of a compiled function; nothing is created, loaded or compiled.

    Parameters
    ----------
    fn : Dispatcher
        With or without ``cache=True``; TypeError for anything that is not decorated with ``@njit``.

    Returns
    -------
    Cache

    Notes
    -----
    Numba's key holds the signature, the processor, the bytecode and the closure, and the index is stamped
    with the text of the function's own source file (in a notebook: of the function alone; before Numba 0.68
    with the file's time and size). All else that is compiled in can change unnoticed: callees in other files,
    and what comes from other files or is computed when its module is loaded: globals, defaults of callees,
    options of the decorator. Two dispatchers of one function share their entries, whatever their options.

    *Stale* is what is seen to have changed. For a global that `fn` itself uses, the value in the cache is
    compared with the one in this process, as both print; for defaults of callees and for options, those that the
    code was compiled with are compared with those of now. For a callee, its own globals and ``module.NAME``
    the cache keeps nothing to compare: they are stale if their file was changed after the entry was written.
    Only entries that this process would load can be stale: the others are compiled again.

    Not detected: an edit that leaves an old time on the file, and callees in a notebook, which have no file;
    both stay *at risk*. A callee that an edit of its file left alone is called stale all the same. Long
    arrays are compared in part, and of parallel's options in a dictionary nothing is. Not listed:
    implementations of ``@overload``, C functions, options of callees, environment variables, and Python, NumPy
    and Numba themselves. Methods of a jitclass among the arguments cannot be stale: such an entry is never hit by
    another process, which `problem` says.
    """
    check_dispatcher(fn, "cache")
    if isinstance(fn._cache, caching.NullCache):
        return Cache(fn.__name__)
    files = fn._cache._cache_file
    keys, broken = _index(files)
    entries = {files._data_path(name): _entry(fn, key, files._data_path(name)) for key, name in keys.items()}
    unreadable = {path: said for path in entries if (said := _why_unreadable(path))}
    dependencies = _dependencies(fn, [path for path in entries if entries[path].usable])
    problems = [
        broken,
        *unreadable.values(),
        _in_closure(fn.py_func),
        *_in_signatures(keys),
        _not_written(fn),
    ]
    return Cache(
        fn.__name__,
        files._index_path,
        tuple(entries.values()),
        hits=sum(fn.stats.cache_hits.values()),
        misses=sum(fn.stats.cache_misses.values()),
        dependencies=tuple(dependencies),
        problem="; ".join(filter(None, problems)),
    )


def _index(files):
    """The keys that the index lists with their data files, and what is wrong with it."""
    try:
        keys = files._load_index()
        for signature, (_, _, _), (_, _) in keys:
            _arguments(signature)
        return keys, ""
    except Exception:  # whatever unpickling meets
        return {}, _unreadable(files._index_path)


def _unreadable(path):
    return f"⟨{os.path.basename(path)}⟩ cannot be read, and a call that needs it fails: delete it"


def _why_unreadable(path):
    """Why a data file cannot be read, though Numba takes it for one; empty if it can, or is not there."""
    try:
        _frozen(path)
    except FileNotFoundError:
        return ""
    except Exception as error:
        if isinstance(error, OSError) and not os.path.isdir(path):
            return f"⟨{os.path.basename(path)}⟩ cannot be opened, and a call that needs it compiles again"
        return _unreadable(path)
    return ""


def _entry(fn, key, path):
    """One entry of the index: would a call find it, and did one?"""
    signature, (_, cpu, _), (code, _) = key
    own = fn._cache._index_key(signature, fn.targetctx.codegen()) == key
    size = os.path.getsize(path) if os.path.exists(path) else None
    hit, miss = own and signature in fn.stats.cache_hits, own and signature in fn.stats.cache_misses
    use = "hit" if hit else "miss" if miss else "not used"
    args = _arguments(signature)
    found = own and size is not None and not _why_unreadable(path)
    usable = found and (use != "not used" or not any(map(_is_new_in_each_process, args)))
    types_ = f"({', '.join(map(_type_in_words, args))})"
    return CacheEntry(types_, cpu, code[:8], os.path.basename(path), size, usable, use)


def _arguments(signature):
    """The types of the arguments in a key: it holds a signature as the decorator was given it, or types."""
    return sigutils.normalize_signature(signature)[0]


def _type_in_words(kind):
    """A type without the addresses in its name, which are others in each process."""
    if isinstance(kind, numba.types.Dispatcher):
        return f"function {kind.dispatcher.__name__}"
    return AN_ADDRESS.sub("", str(kind))


def _is_new_in_each_process(kind):
    """In words, what of an argument makes its type another one in each process; empty if nothing does."""
    if isinstance(kind, numba.types.Dispatcher):
        return "a compiled function as an argument"
    if "instance.jitclass." in str(kind):
        return "an instance of a jitclass as an argument"
    if isinstance(kind, numba.types.Omitted) and not isinstance(kind.value, Hashable):
        return "a default that cannot be hashed"
    if (
        getattr(getattr(kind, "instance_class", None), "__module__", "") == "__main__"
    ):  # pickled with all it has
        return "a class of a notebook or script as the type of an argument"
    return next(filter(None, map(_is_new_in_each_process, getattr(kind, "types", ()))), "")


def _in_signatures(keys):
    """Sentences on entries that no other process can hit because of the types of their arguments."""
    found = {_is_new_in_each_process(kind) for key in keys for kind in _arguments(key[0])} - {""}
    said = "is never hit by another process: it is another object there"
    return [f"an entry with {what} {said}" for what in sorted(found)]


def _not_written(fn):
    """Why Numba writes nothing of what was compiled here, or would be; empty if nothing is known to prevent it."""
    compiled = list(fn.overloads.values())
    if compiled and not any(result.library.has_dynamic_globals for result in compiled):
        return ""
    used = _used(fn.py_func, (), {fn.py_func})
    names = ", ".join(" → ".join(path) for path, *_, value in used if _is_kept_by_address(value))
    if not names and not compiled:
        return ""
    held = f"the address of {names}" if names else "an address"
    return f"not written to the disk: the machine code holds {held}, which is another one in each process"


def _is_kept_by_address(value):
    """Whether Numba compiles in where this lies in memory, and not what it is."""
    if isinstance(value, np.ndarray):
        return value.nbytes > FROZEN_BYTES or not value.flags.forc
    return isinstance(value, (ctypes._CFuncPtr, CFunc))


def _in_closure(function):
    """A compiled function in the closure is part of the key, and gets a new identity in every process."""
    names = ", ".join(name for name, value in _closed_over(function) if isinstance(value, Dispatcher))
    return names and f"never hit by another process: {names} in its closure is another object there"


def _dependencies(fn, entries):
    """Everything compiled into the function that the stamp of its cache does not cover."""
    function, (watched, unwatched) = fn.py_func, _watched(fn)
    frozen = [_frozen(path) for path in entries]
    found = {}
    for path, user, module, value in _used(function, (), {function}):
        if isinstance(value, ctypes._CFuncPtr):
            continue
        callees = _functions(value)
        file, why = (
            (callees[0].__code__.co_filename, UNWATCHED) if callees else _origin(user, module, path[-1])
        )
        name = " → ".join(path)
        for callee in callees:
            for default in _defaults(name, callee, watched, unwatched, frozen):
                found.setdefault(default.name, default)
        before = [
            text for text in frozen if f"global({name}: " in text and not callees and _prints_alike(value)
        ]
        if stale := any(not _holds(text, name, value) for text in before):
            why = "another value is compiled in"
        elif not why or (why == UNWATCHED and watched and watched in (file, _on_disk(file))):
            continue
        elif stale := not before and any(_newer(file, entry) for entry in entries):
            why = "its file was changed after the code was cached"
        elif why == UNWATCHED:
            why = unwatched
        found.setdefault(name, Dependency(name, "callee" if callees else "global", file, stale, why))
    return [*found.values(), *_options(fn, watched, unwatched, frozen)]


def _defaults(path, callee, watched, unwatched, frozen):
    """The defaults of a callee that its own file does not settle."""
    definition = _definition(callee)
    if definition is None:
        return
    positional = definition.args.posonlyargs + definition.args.args
    given = definition.args.defaults
    held = all(holds_defaults(callee, text) for text in frozen)
    for parameter, expression in zip(positional[len(positional) - len(given) :], given, strict=True):
        if risk := _risk(callee, expression, watched, unwatched):
            why = risk[1] if held else "another value is compiled in"
            yield Dependency(f"{path}({parameter.arg})", "default", risk[0], not held, why)


def _options(fn, watched, unwatched, frozen):
    """The options of the decorator that are others than those in the cache, or that the own file does not settle."""
    stale = sorted({name for text in frozen for name in other_options(fn, text)})
    for name in stale:
        yield Dependency(name, "option", None, True, "the code was compiled with another value")
    definition = _definition(fn.py_func)
    decorators = definition.decorator_list if definition else []
    for keyword in (one for call in decorators if isinstance(call, ast.Call) for one in call.keywords):
        name = keyword.arg or f"**{ast.unparse(keyword.value)}"
        if name not in stale and (risk := _risk(fn.py_func, keyword.value, watched, unwatched)):
            yield Dependency(name, "option", risk[0], False, risk[1])


def _definition(function):
    """The node that defines a function, in the text of its file; None where none is found."""
    code = function.__code__
    try:
        tree = parse("".join(linecache.getlines(code.co_filename, function.__globals__)))
    except SyntaxError:  # the file was edited meanwhile
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__:
            if code.co_firstlineno == min(part.lineno for part in (node, *node.decorator_list)):
                return node
    return None


def _risk(user, expression, watched, unwatched):
    """(file, why) of the first part of an expression that can change while the watched file does not, or None."""
    inside = set()
    for part in ast.walk(expression):
        name, namespace = getattr(part, "id", None), user.__globals__
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            module, name = namespace.get(part.value.id), part.attr
            if not isinstance(module, types.ModuleType):
                continue
            inside.add(part.value)
            file, why = ("", "") if _is_settled(module.__name__) else _origin(user, module, name)
        elif name in namespace and part not in inside:
            file, why = _origin(user, None, name)
        else:
            continue
        if why and not (why == UNWATCHED and watched and watched in (file, _on_disk(file))):
            return file, unwatched if why == UNWATCHED else why
    return None


def _is_settled(module):
    return module.split(".")[0] in SETTLED


def _watched(fn):
    """The file that the stamp of the index covers, None if it covers none, and what is said of all others."""
    locator, stamp = fn._cache._impl.locator, fn._cache._cache_file._source_stamp
    file = fn.py_func.__code__.co_filename
    if isinstance(locator, caching.IPythonCacheLocator):
        return None, UNWATCHED
    if not type(locator).get_source_stamp.__module__ == caching.__name__:
        return None, f"it is not known what {type(locator).__name__} watches"
    # Before Numba 0.68, the stamp of a module in an archive was the time and size of the archive.
    return _on_disk(file) if isinstance(stamp, tuple) else file, UNWATCHED


def _on_disk(path):
    """The file in which this one lies: itself, or an archive."""
    while path and not os.path.exists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path if path and os.path.isfile(path) else None


def _holds(text, name, value):
    """Whether a typed IR holds the value of a name, as it prints now or with NumPy's own settings."""
    if f"global({name}: {value})" in text:
        return True
    with np.printoptions(**PLAIN_PRINT):
        return f"global({name}: {value})" in text


def _prints_alike(value):
    """Whether equal values of this kind print alike in every process; a function prints its address."""
    if isinstance(value, tuple):
        return all(map(_prints_alike, value))
    is_number = isinstance(value, type) and issubclass(value, (np.generic, int, float, complex))
    return isinstance(value, CONSTANTS) or (is_number and not isinstance(value, enum.EnumMeta))


def _used(function, path, seen):
    """(path of names, function that uses it, what it is an attribute of, value), callees' included."""
    read = list(_read(function.__code__, function.__globals__))
    if path:  # what the function itself closes over is in its key
        read += [(name, CLOSURE, value) for name, value in _closed_over(function)]
    for name, module, value in read:
        parts = value if type(value) is tuple else (value,)
        callees = [callee for part in parts for callee in _functions(part, function.__code__.co_names)]
        new = [callee for callee in callees if callee not in seen]
        owner = callees[0].__module__ if callees else getattr(module, "__name__", "")
        if _is_settled(owner or "") or (callees and not new and parts is not value):
            continue
        if not callees and not _prints_alike(value) and not _is_kept_by_address(value):
            continue
        yield (*path, name), function, module, value
        for callee in new:
            seen.add(callee)
            yield from _used(callee, (*path, name), seen)


def _closed_over(function):
    """(name, value) of what a function closes over."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # it is not filled
            yield name, cell.cell_contents


def _read(code, namespace):
    """(name as written, module or class it is an attribute of, or None, value) of each global that the code reads."""
    name = value = None
    for instruction in dis.get_instructions(code):
        if instruction.opname == "EXTENDED_ARG":
            continue
        if instruction.opname == "LOAD_GLOBAL" and instruction.argval in namespace:
            name, module, value = instruction.argval, None, namespace[instruction.argval]
            yield name, module, value
        elif instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and isinstance(value, types.ModuleType):
            name, module, value = f"{name}.{instruction.argval}", value, vars(value).get(instruction.argval)
            yield name, module, value
        elif instruction.opname == "LOAD_ATTR" and isinstance(value, enum.EnumMeta):
            module = sys.modules.get(value.__module__)
            yield f"{name}.{instruction.argval}", module, value.__members__.get(instruction.argval)
            value = None
        else:
            value = None
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _read(constant, namespace)


def _functions(value, names=()):
    """The Python functions behind what compiled code can call; of a jitclass those that `names` lead to."""
    if isinstance(value, JitClassType):
        kind = value.class_type
        methods = {**kind.jit_methods, **kind.jit_static_methods}
        methods |= {name: getter for name, one in kind.jit_props.items() if (getter := one.get("get"))}
        return [method.py_func for name, method in methods.items() if name == "__init__" or name in names]
    if isinstance(value, StencilFunc):
        return [value.kernel_ir.func_id.func]
    compiled = getattr(value, "_dispatcher", None) or getattr(value, "gufunc_builder", value)
    function = compiled._pyfunc if isinstance(compiled, CFunc) else getattr(compiled, "py_func", value)
    return [function] if isinstance(function, types.FunctionType) else []


def _origin(user, module, name):
    """(file, risk) of a constant that `user` reads; the risk is empty if it cannot change."""
    file, namespace = user.__code__.co_filename, user.__globals__
    unknown = file, "it is not known what sets it"
    if module is CLOSURE:
        return unknown
    if module is not None:
        return getattr(module, "__file__", None), UNWATCHED
    try:
        tree = parse("".join(linecache.getlines(file, namespace)))
    except SyntaxError:  # the file was edited meanwhile
        return unknown
    setters = [node for node in _statements(tree) if name in _names_set(node)]
    if len(setters) > 1:
        return file, "it is set in more than one place"
    (node,) = setters or (None,)
    if isinstance(node, ast.ImportFrom):
        source = "." * node.level + (node.module or "")
        with suppress(ImportError):  # in a script a dot leads nowhere
            source = importlib.util.resolve_name(source, namespace.get("__package__"))
        risk = "" if _is_settled(source) else UNWATCHED
        return getattr(sys.modules.get(source), "__file__", None), risk
    if node in tree.body and isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value:
        computed = _is_computed(node.value, namespace)
        return file, "it is computed when its module is loaded" if computed else UNWATCHED
    return unknown


def _statements(tree):
    """All nodes of a module that are run when it is loaded, and those inside functions that set globals."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            yield from (inner for inner in ast.walk(node) if isinstance(inner, ast.Global))
        elif isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield from _statements(node)


def _names_set(node):
    """The names that a statement sets by itself, without those inside it."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name for alias in node.names]
    if isinstance(node, ast.Global):
        return node.names
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    parts = [part for target in targets if isinstance(target, ast.expr) for part in ast.walk(target)]
    return [part.id for part in parts if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)]


def _is_computed(value, namespace):
    """Whether an expression has another value where other code or surroundings differ; ``np.float32`` has not."""
    parts = list(ast.walk(value))
    settled = {
        part.value
        for part in parts
        if isinstance(part, ast.Attribute)
        and isinstance(part.value, ast.Name)
        and getattr(namespace.get(part.value.id), "__name__", "")
        in ("math", "numpy", "numba", "numba.core.types")
    }
    return any(isinstance(part, (ast.Call, ast.Name)) and part not in settled for part in parts)


def _frozen(path):
    """The typed IR in a data file, found among the strings of its pickle, which is not executed."""
    with open(path, "rb") as file:
        return "\n".join(text for _, text, _ in pickletools.genops(file) if isinstance(text, str))


def _newer(file, entry):
    """Whether a source file, if there is one, was written after a data file."""
    file = _on_disk(file)
    return bool(file) and os.stat(file).st_mtime_ns > os.stat(entry).st_mtime_ns
