"""What a call can leave behind in its process that breaks whatever runs there next: noticed, and put back.

What an answer may need in its next call, such as the environment, `sys.path` or a higher recursion limit, stays.
"""

from __future__ import annotations

import gc
import locale
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

try:
    import resource
except ImportError:  # on Windows
    resource = None  # type: ignore[assignment]


class Surroundings:
    """How this process was when the object was made."""

    def __init__(self) -> None:
        self._before = {name: look() for name, (look, _) in _PARTS.items()}

    def changed(self) -> list[str]:
        """Names of what is no more as it was."""
        return [name for name, (look, _) in _PARTS.items() if look() != self._before[name]]

    def restore(self) -> None:
        """Make all of it as it was; what resists stays as it is, and `changed` names it."""
        for name in self.changed():
            with suppress(Exception):
                _PARTS[name][1](self._before[name])


def _recursion_limit():
    return min(sys.getrecursionlimit(), 1000)  # a higher one does no harm


def _collector():
    return gc.isenabled(), tuple(gc.callbacks)


def _set_collector(before):
    (gc.enable if before[0] else gc.disable)()
    gc.callbacks[:] = before[1]


def _finders():
    return tuple(sys.meta_path), tuple(sys.path_hooks)


def _set_finders(before):
    sys.meta_path[:], sys.path_hooks[:] = before


def _warnings_that_are_errors():
    return tuple(entry for entry in warnings.filters if entry[0] == "error")


def _set_warnings(before):
    for entry in _warnings_that_are_errors():
        if entry not in before:
            warnings.filters.remove(entry)  # type: ignore[attr-defined]
    warnings.filterwarnings("default", append=True)  # which makes the registries look at the filters again


def _thread_hooks():
    return threading.gettrace(), threading.getprofile(), threading.excepthook


def _set_thread_hooks(before):
    threading.settrace(before[0])
    threading.setprofile(before[1])
    threading.excepthook = before[2]


def _limits():
    return resource.getrlimit(resource.RLIMIT_NOFILE) if resource else None


def _set_limits(before):
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


_LOADED = dict(sys.modules)  # what was there when this process was young


def _modules():
    return all(sys.modules.get(name) is module for name, module in _LOADED.items())


def _set_modules(before):
    sys.modules.update(_LOADED)


def _hooks():
    return sys.excepthook, sys.displayhook, sys.unraisablehook, sys.stdout, sys.stderr, sys.stdin


def _set_hooks(before):
    sys.excepthook, sys.displayhook, sys.unraisablehook, sys.stdout, sys.stderr, sys.stdin = before


# What is looked at, and how it is set.
_PARTS: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "trace function": (sys.gettrace, sys.settrace),
    "profile function": (sys.getprofile, sys.setprofile),
    "recursion limit": (_recursion_limit, sys.setrecursionlimit),
    "garbage collector": (_collector, _set_collector),
    "import hooks": (_finders, _set_finders),
    "warnings that are errors": (_warnings_that_are_errors, _set_warnings),
    "NumPy's errors": (np.geterr, lambda before: np.seterr(**before)),
    "locale": (
        lambda: locale.setlocale(locale.LC_ALL),
        lambda before: locale.setlocale(locale.LC_ALL, before),
    ),
    "open files": (_limits, _set_limits),
    "modules": (_modules, _set_modules),
    "hooks of threads": (_thread_hooks, _set_thread_hooks),
    "hooks and streams": (_hooks, _set_hooks),
}
