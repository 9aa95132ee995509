"""What a function's disk cache holds, whether it was hit, and what could make it, or has made it, stale."""

from __future__ import annotations

import ast
import dis
import importlib.util
import linecache
import os
import pickle
import pickletools
import sys
import types
from dataclasses import dataclass

import numba
import numpy as np
from numba.core.caching import NullCache
from numba.core.dispatcher import Dispatcher

from numba_course.lens import html
from numba_course.lens.dispatchers import check_dispatcher

PLACES = {
    "InTreeCacheLocator": "__pycache__ beside the source file",
    "UserProvidedCacheLocator": "the folder that NUMBA_CACHE_DIR names",
    "UserWideCacheLocator": "the user's cache folder, as the source's folder cannot be written",
    "IPythonCacheLocator": "IPython's cache folder",
    "ZipCacheLocator": "the user's cache folder, as the source is in a zip file",
}
SETTLED = {*sys.stdlib_module_names, "numpy", "numba", "llvmlite"}  # taken not to change
UNWATCHED = "the cache does not watch what defines it"
LITERAL = (ast.Constant, ast.Tuple, ast.UnaryOp, ast.BinOp, ast.unaryop, ast.operator, ast.expr_context)
CONSTANTS = (bool, int, float, complex, str, bytes, tuple, np.ndarray, np.generic, type(None))


@dataclass(frozen=True)
class Entry:
    """One compiled signature in the cache.

    Attributes
    ----------
    signature : str
    file : str
        Name of the data file.
    size : int or None
        Its bytes; None if it is missing.
    cpu : str
        The processor it is for.
    code : str
        First characters of the hash of the function's bytecode.
    usable : bool
        Whether a new call in this process would load it: everything in the key fits, the source text too.
    use : str
        What this process did with it: ``hit`` (loaded), ``miss`` (compiled and saved) or ``not used``.
    """

    signature: str
    file: str
    size: int | None
    cpu: str
    code: str
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


@dataclass(frozen=True)
class Cache:
    """What `cache` found. What varies is printed inside ``⟨ ⟩``.

    Attributes
    ----------
    name : str
    enabled : bool
        Whether the function was made with ``cache=True``.
    place : str
        Where its cache is, in words.
    index : str or None
        Path of the index file; it need not exist.
    state : str
        Of the index: ``current``, ``missing``, ``unreadable``, ``of another Numba`` or ``of another source``.
    entries : tuple of Entry
        All that the index lists.
    hits, misses : int
        Overloads that this process loaded from the cache, and that it compiled.
    dependencies : tuple of Dependency
    problem : str
        Why this cache cannot be hit by another process; empty if nothing is known to prevent it.
    """

    name: str
    enabled: bool
    place: str = ""
    index: str | None = None
    state: str = "missing"
    entries: tuple[Entry, ...] = ()
    hits: int = 0
    misses: int = 0
    dependencies: tuple[Dependency, ...] = ()
    problem: str = ""

    @property
    def stale(self):
        """Names of the callees and globals that are seen to differ from what is cached."""
        return tuple(d.name for d in self.dependencies if d.stale)

    @property
    def at_risk(self):
        """Names of all callees and globals that can change unnoticed, the stale ones included."""
        return tuple(d.name for d in self.dependencies)

    def _lines(self):
        """(tone, sentence)"""
        if not self.enabled:
            yield "info", f"{self.name} has no disk cache: it was made without cache=True"
            return
        yield (
            "plain",
            f"index ⟨{os.path.basename(self.index)} in {os.path.dirname(self.index)}⟩: ⟨{self.state}⟩",
        )
        yield "plain", f"in this process: hits ⟨{self.hits}⟩, misses ⟨{self.misses}⟩"
        if self.problem:
            yield "warn", self.problem
        for d in self.dependencies:
            origin = f" of ⟨{os.path.basename(d.file)}⟩" if d.file else ""
            verb = "is stale" if d.stale else "can go stale"
            yield ("bad" if d.stale else "warn"), f"{d.kind} {d.name}{origin} {verb}: {d.why}"

    def _rows(self):
        for e in self.entries:
            size = "missing" if e.size is None else f"{e.size} bytes"
            fits = "fits" if e.usable else "does not fit"
            yield e.signature, f"⟨{e.file}, {size}⟩", f"⟨{e.cpu}, code {e.code}, {fits}⟩", f"⟨{e.use}⟩"

    def _title(self):
        return f"cache of {self.name}: {self.place}" if self.enabled else f"cache of {self.name}"

    def __repr__(self):
        rows = ["  " + "  ".join(row) for row in self._rows()]
        lines = [f"{html.TONES[tone][0] or ' '} {text}" for tone, text in self._lines()]
        return "\n".join([self._title(), *lines[:2], *rows, *lines[2:]])

    def _repr_html_(self):
        lines = list(self._lines())
        headers = ("signature", "data file", "key", "use")
        rows = [[html.escape(cell) for cell in row] for row in self._rows()]
        body = html.table(headers, rows) if rows else ""
        body += "".join(f"<div>{html.mark(tone, text)}</div>" for tone, text in lines)
        tones = [tone for tone, _ in lines]
        return html.card(
            self._title(), next((t for t in ("bad", "warn", "info") if t in tones), "good"), body
        )


def cache(fn):
    """Look at the disk cache of a compiled function; nothing is created, loaded or compiled.

    Parameters
    ----------
    fn : Dispatcher
        With or without ``cache=True``.

    Returns
    -------
    Cache

    Raises
    ------
    TypeError
        If `fn` is not a function decorated with ``@njit``.

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
    store = fn._cache
    if isinstance(store, NullCache):
        return Cache(fn.__name__, enabled=False)
    locator = store._impl.locator
    index = store._cache_file._index_path
    state, keys = _read_index(index, locator.get_source_stamp())
    files = {key: os.path.join(store.cache_path, name) for key, name in keys.items()}
    notebook = type(locator).__name__ == "IPythonCacheLocator"
    entries = [_entry(fn, key, path, state) for key, path in files.items()]
    usable = [path for path, entry in zip(files.values(), entries, strict=True) if entry.usable]
    return Cache(
        fn.__name__,
        enabled=True,
        place=PLACES.get(type(locator).__name__, type(locator).__name__),
        index=index,
        state=state,
        entries=tuple(entries),
        hits=sum(fn.stats.cache_hits.values()),
        misses=sum(fn.stats.cache_misses.values()),
        dependencies=tuple(_dependencies(fn.py_func, notebook, usable)),
        problem=_problem(fn.py_func),
    )


def _read_index(path, stamp):
    """State of an index file, and its entries: key -> name of the data file."""
    try:
        with open(path, "rb") as file:
            if pickle.load(file) != numba.__version__:
                return "of another Numba", {}
            written, keys = pickle.load(file)
    except FileNotFoundError:
        return "missing", {}
    except Exception:  # a damaged pickle can raise anything
        return "unreadable", {}
    return ("current" if written == stamp else "of another source"), keys


def _entry(fn, key, path, state):
    """One entry of the index: would a call find it, and did one?"""
    signature, (_, cpu, _), (code, _) = key
    own = fn._cache._index_key(signature, fn.targetctx.codegen()) == key
    size = os.path.getsize(path) if os.path.exists(path) else None
    hit, miss = own and signature in fn.stats.cache_hits, own and signature in fn.stats.cache_misses
    return Entry(
        signature=f"({', '.join(map(str, getattr(signature, 'args', signature)))})",
        file=os.path.basename(path),
        size=size,
        cpu=cpu,
        code=code[:8],
        usable=own and state == "current" and size is not None,
        use="hit" if hit else "miss" if miss else "not used",
    )


def _problem(function):
    """A compiled function in the closure is part of the key, and gets a new identity in every process."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    names = [name for name, cell in cells if isinstance(cell.cell_contents, Dispatcher)]
    if not names:
        return ""
    return f"never hit by another process: {', '.join(names)} in its closure is another object there"


def _dependencies(function, notebook, entries):
    """Everything compiled into the function that the stamp of its cache does not cover."""
    watched = None if notebook else function.__code__.co_filename
    frozen = [_frozen(path) for path in entries]
    found = {}
    for path, user, module, value in _used(function, (), {function}):
        callee = _python(value)
        if callee:
            kind, (file, risk) = "callee", (callee.__code__.co_filename, UNWATCHED)
        elif isinstance(value, CONSTANTS):
            kind, (file, risk) = "global", _origin(user, module, path[-1])
        else:
            continue
        name = " → ".join(path)
        before = [text for text in frozen if f"global({name}: " in text and not callee]
        if stale := any(f"global({name}: {value})" not in text for text in before):
            risk = "another value is compiled in"
        elif risk is None or (risk == UNWATCHED and file == watched):
            continue
        elif stale := not before and any(_newer(file, entry) for entry in entries):
            risk = "its file was changed after the code was cached"
        found.setdefault(name, Dependency(name, kind, file, stale, risk))
    return found.values()


def _used(function, path, seen):
    """(path of names, function that uses it, module it is an attribute of, value), callees' included."""
    for name, module, value in _read(function.__code__, function.__globals__):
        callee = _python(value)
        owner = callee.__module__ if callee else module.__name__ if module else ""
        if callee in seen or owner.split(".")[0] in SETTLED:
            continue
        yield (*path, name), function, module, value
        if callee:
            seen.add(callee)
            yield from _used(callee, (*path, name), seen)


def _read(code, namespace):
    """(name as written, module it is an attribute of or None, value) of each global that the code reads."""
    name = module = value = None
    for instruction in dis.get_instructions(code):
        attribute = instruction.opname in ("LOAD_ATTR", "LOAD_METHOD")
        if name and attribute and isinstance(value, types.ModuleType):
            name, module = f"{name}.{instruction.argval}", value
            value = vars(module).get(instruction.argval)
            continue
        if name:
            yield name, module, value
        known = instruction.opname == "LOAD_GLOBAL" and instruction.argval in namespace
        name, module, value = (
            (instruction.argval, None, namespace[instruction.argval]) if known else (None,) * 3
        )
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _read(constant, namespace)


def _python(value):
    """The Python function behind something that compiled code can call; None for anything else."""
    compiled = getattr(value, "_dispatcher", None) or getattr(value, "gufunc_builder", value)
    function = getattr(compiled, "py_func", value)
    return function if isinstance(function, types.FunctionType) else None


def _origin(user, module, name):
    """(file, risk) of a constant that `user` reads; the risk is None if it cannot change."""
    file = user.__code__.co_filename
    if module is not None:
        return getattr(module, "__file__", None), UNWATCHED
    for node in reversed(_statements(file, user.__globals__)):
        if isinstance(node, ast.ImportFrom) and name in [a.asname or a.name for a in node.names]:
            source = "." * node.level + (node.module or "")
            source = importlib.util.resolve_name(source, user.__globals__.get("__package__"))
            risk = None if source.split(".")[0] in SETTLED else UNWATCHED
            return getattr(sys.modules.get(source), "__file__", None), risk
        if isinstance(node, ast.Assign) and name in [t.id for t in node.targets if isinstance(t, ast.Name)]:
            literal = all(isinstance(part, LITERAL) for part in ast.walk(node.value))
            return file, UNWATCHED if literal else "it is computed when its module is loaded"
    return file, "it is not known what sets it"


def _statements(file, namespace):
    """The statements of a source file at module level; none if the file cannot be read."""
    linecache.checkcache(file)
    try:
        return ast.parse("".join(linecache.getlines(file, namespace))).body
    except SyntaxError:
        return []


def _frozen(path):
    """The typed IR in a data file, found among the strings of its pickle, which is not executed."""
    with open(path, "rb") as file:
        return "\n".join(text for _, text, _ in pickletools.genops(file) if isinstance(text, str))


def _newer(file, entry):
    """Whether a source file, if there is one, was written after a data file."""
    return bool(file) and os.path.exists(file) and os.stat(file).st_mtime_ns > os.stat(entry).st_mtime_ns
