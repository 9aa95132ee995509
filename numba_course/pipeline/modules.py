"""Generated modules on disk: each in a file named by the hash of its text, so that none is ever stale.

Numba keys its disk cache by the file, the function and the types, not by what the function calls or what a
global holds (https://numba.readthedocs.io/en/stable/developer/caching.html). Here all of that stands in the
text, or its hash does, and the hash of the text is the name of the module.
"""

import ast
import importlib.util
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import platformdirs
from filelock import FileLock
from filelock import Timeout as LockTimeout

from numba_course.pipeline.protocol import PipelineError
from numba_course.syntax import parse

LOCK_SECONDS = 120.0  # whoever has waited so long compiles, too: twice the work, but never a standstill
LEFTOVER_SECONDS = 3600.0  # age at which a file that somebody began to write is nobody's any more


def folder() -> Path:
    """Where generated modules are kept: ``NUMBA_COURSE_CACHE``, or the user's cache folder."""
    return Path(os.environ.get("NUMBA_COURSE_CACHE") or platformdirs.user_cache_dir("numba_course"))


@contextmanager
def alone(key: str) -> Iterator[None]:
    """Let one process and thread at a time write, import and compile a module; the next one finds it compiled.

    Who finds machine code on the disk waits for nobody. The system takes the lock from a process that is killed.
    Where a folder has no lock, as it may only be read, or the machine code is another processor's, the work is done
    without: files are whole all the same, and at worst it is done twice.
    """
    if any(folder().glob(f"__pycache__/{_name(key)}.run-*.nbc")):  # Numba writes it last, and as a whole
        yield
        return
    lock = FileLock(folder() / f"{_name(key)}.lock", timeout=LOCK_SECONDS)
    with suppress(OSError, NotImplementedError, LockTimeout):
        folder().mkdir(parents=True, exist_ok=True)
        lock.acquire(poll_interval=0.02)
    try:
        yield
    finally:
        lock.release()


def _name(key):
    return f"numba_course_pipeline_{key}"


def load_module(key: str, source: str) -> ModuleType:
    """Write the module if it is not there, import it, and return it.

    Parameters
    ----------
    key : str
        Hash of the source.
    source : str

    Raises
    ------
    PipelineError
        If the folder cannot be written.
    """
    name = _name(key)
    path = folder() / f"{name}.py"
    if name in sys.modules:
        return sys.modules[name]
    try:
        _write(path, source)
    except OSError as error:
        raise PipelineError(
            f"the generated module cannot be written to {path.parent} ({error.strerror}); "
            "set NUMBA_COURSE_CACHE to a folder that can"
        ) from error
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type] # a .py has one
    spec.loader.exec_module(module)
    return sys.modules.setdefault(name, module)  # whole, and the same for all threads


def _write(path, source):
    """Write all or nothing; another process may be writing the same. Clear up after those that were killed."""
    if path.exists() and path.read_text(encoding="utf-8") == source:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, suffix=".tmp", delete=False, encoding="utf-8"
    ) as file:
        file.write(source)
    os.replace(file.name, path)
    for leftover in path.parent.glob("*.tmp"):
        with suppress(OSError):
            if time.time() - leftover.stat().st_mtime > LEFTOVER_SECONDS:
                leftover.unlink()


def interpret(source: str) -> dict[str, Any]:
    """Run the text of a module as Python, with Numba's types, and return its names: slow, and without a compiler."""
    from numba_course.pipeline import interpreted
    from numba_course.pipeline.ways import watch

    text = re.sub(r"^from \S+ import", f"from {interpreted.__name__} import", source, flags=re.MULTILINE)
    tree = ast.fix_missing_locations(interpreted.Typed().visit(parse(text)))
    names = {"__name__": "interpreted", **{name: getattr(interpreted, name) for name in interpreted.NAMES}}
    names["ways_of"], names["alike"] = watch()
    exec(compile(tree, "<generated module, interpreted>", "exec"), names)
    return names
