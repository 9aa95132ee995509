"""What a function's disk cache holds, whether it was hit, and what could make it, or has made it, stale."""

from __future__ import annotations

import ast
import dis
import importlib.util
import linecache
import os
import pickletools
import sys
import types
from dataclasses import dataclass

import numpy as np
from numba.core.caching import NullCache
from numba.core.dispatcher import Dispatcher

from numba_course.lens import html
from numba_course.lens.compiled.dispatchers import check_dispatcher
from numba_course.syntax import parse

SETTLED = {*sys.stdlib_module_names, "numpy", "numba", "llvmlite"}  # taken not to change
UNWATCHED = "the cache does not watch what defines it"
CONSTANTS = (bool, int, float, complex, str, bytes, tuple, np.ndarray, np.generic, type(None))


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
        Whether a new call in this process would load it: the file is there, and all of the key fits.
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
        As the function writes it; ``g → K`` is what its callee `g` uses.
    kind : str
        ``callee`` or ``global``.
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
        Why this cache cannot be hit by another process; empty if nothing is known to prevent it.
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
        """Names of the callees and globals that are seen to differ from what is cached."""
        return tuple(d.name for d in self.dependencies if d.stale)

    @property
    def at_risk(self) -> tuple[str, ...]:
        """Names of all callees and globals that can change unnoticed, the stale ones included."""
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
    and globals that come from other files or are computed when their module is loaded.

    *Stale* is what is seen to have changed. For a global that `fn` itself uses, the value in the cache is
    compared with the one in this process, as both print. For a callee, its own globals and ``module.NAME``
    the cache keeps nothing to compare: they are stale if their file was changed after the entry was written.
    Only entries that this process would load can be stale: the others are compiled again.

    Not detected: an edit that leaves an old time on the file, and callees in a notebook, which have no file;
    both stay *at risk*. A callee that an edit of its file left alone is called stale all the same. Long
    arrays are compared in part. Not listed: methods of jitclasses, implementations of ``@overload``, C
    functions, functions inside tuples, environment variables, and Python, NumPy and Numba themselves.
    """
    check_dispatcher(fn, "cache")
    if isinstance(fn._cache, NullCache):
        return Cache(fn.__name__)
    files = fn._cache._cache_file
    entries = {
        files._data_path(name): _entry(fn, key, files._data_path(name))
        for key, name in files._load_index().items()
    }
    notebook = type(fn._cache._impl.locator).__name__ == "IPythonCacheLocator"
    watched = None if notebook else fn.py_func.__code__.co_filename
    usable = [path for path, entry in entries.items() if entry.usable]
    return Cache(
        fn.__name__,
        files._index_path,
        tuple(entries.values()),
        hits=sum(fn.stats.cache_hits.values()),
        misses=sum(fn.stats.cache_misses.values()),
        dependencies=tuple(_dependencies(fn.py_func, watched, usable)),
        problem=_problem(fn.py_func),
    )


def _entry(fn, key, path):
    """One entry of the index: would a call find it, and did one?"""
    signature, (_, cpu, _), (code, _) = key
    own = fn._cache._index_key(signature, fn.targetctx.codegen()) == key
    size = os.path.getsize(path) if os.path.exists(path) else None
    hit, miss = own and signature in fn.stats.cache_hits, own and signature in fn.stats.cache_misses
    use = "hit" if hit else "miss" if miss else "not used"
    types_ = f"({', '.join(map(str, getattr(signature, 'args', signature)))})"
    return CacheEntry(types_, cpu, code[:8], os.path.basename(path), size, own and size is not None, use)


def _problem(function):
    """A compiled function in the closure is part of the key, and gets a new identity in every process."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    names = ", ".join(name for name, cell in cells if isinstance(cell.cell_contents, Dispatcher))
    return names and f"never hit by another process: {names} in its closure is another object there"


def _dependencies(function, watched, entries):
    """Everything compiled into the function that the stamp of its cache does not cover."""
    frozen = [_frozen(path) for path in entries]
    found = {}
    for path, user, module, value in _used(function, (), {function}):
        callee = _python(value)
        file, why = (callee.__code__.co_filename, UNWATCHED) if callee else _origin(user, module, path[-1])
        name = " → ".join(path)
        before = [text for text in frozen if f"global({name}: " in text and not callee]
        if stale := any(f"global({name}: {value})" not in text for text in before):
            why = "another value is compiled in"
        elif not why or (why == UNWATCHED and file == watched):
            continue
        elif stale := not before and any(_newer(file, entry) for entry in entries):
            why = "its file was changed after the code was cached"
        found.setdefault(name, Dependency(name, "callee" if callee else "global", file, stale, why))
    return found.values()


def _used(function, path, seen):
    """(path of names, function that uses it, module it is an attribute of, value), callees' included."""
    for name, module, value in _read(function.__code__, function.__globals__):
        callee = _python(value)
        owner = callee.__module__ if callee else module.__name__ if module else ""
        if callee in seen or owner.split(".")[0] in SETTLED or not (callee or isinstance(value, CONSTANTS)):
            continue
        yield (*path, name), function, module, value
        if callee:
            seen.add(callee)
            yield from _used(callee, (*path, name), seen)


def _read(code, namespace):
    """(name as written, module it is an attribute of or None, value) of each global that the code reads."""
    name = value = None
    for instruction in dis.get_instructions(code):
        if instruction.opname == "LOAD_GLOBAL" and instruction.argval in namespace:
            name, module, value = instruction.argval, None, namespace[instruction.argval]
            yield name, module, value
        elif instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and isinstance(value, types.ModuleType):
            name, module, value = f"{name}.{instruction.argval}", value, vars(value).get(instruction.argval)
            yield name, module, value
        else:
            value = None
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _read(constant, namespace)


def _python(value):
    """The Python function behind something that compiled code can call; None for anything else."""
    compiled = getattr(value, "_dispatcher", None) or getattr(value, "gufunc_builder", value)
    function = getattr(compiled, "py_func", value)
    return function if isinstance(function, types.FunctionType) else None


def _origin(user, module, name):
    """(file, risk) of a constant that `user` reads; the risk is empty if it cannot change."""
    if module is not None:
        return getattr(module, "__file__", None), UNWATCHED
    file, namespace = user.__code__.co_filename, user.__globals__
    tree = parse("".join(linecache.getlines(file, namespace)))
    for node in reversed(tree.body):
        if isinstance(node, ast.ImportFrom) and name in [a.asname or a.name for a in node.names]:
            source = "." * node.level + (node.module or "")
            source = importlib.util.resolve_name(source, namespace.get("__package__"))
            risk = "" if source.split(".")[0] in SETTLED else UNWATCHED
            return getattr(sys.modules.get(source), "__file__", None), risk
        if isinstance(node, ast.Assign) and name in [t.id for t in node.targets if isinstance(t, ast.Name)]:
            computed = any(isinstance(part, ast.Name) for part in ast.walk(node.value))
            return file, "it is computed when its module is loaded" if computed else UNWATCHED
    return file, "it is not known what sets it"


def _frozen(path):
    """The typed IR in a data file, found among the strings of its pickle, which is not executed."""
    with open(path, "rb") as file:
        return "\n".join(text for _, text, _ in pickletools.genops(file) if isinstance(text, str))


def _newer(file, entry):
    """Whether a source file, if there is one, was written after a data file."""
    return bool(file) and os.path.exists(file) and os.stat(file).st_mtime_ns > os.stat(entry).st_mtime_ns
