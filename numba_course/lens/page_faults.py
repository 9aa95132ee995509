"""How many page faults a call has: how often the system had to hand out a page of memory first."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import psutil


def count(fn: Callable[..., object], /, *args: Any) -> int:
    """Call a function, and count the page faults meanwhile.

    Parameters
    ----------
    fn : callable
        Called once; a compiled function should be warm, since the compiler has page faults of its own.
    *args : object

    Returns
    -------
    int
        Of the calling thread on Linux; of the whole process elsewhere, so that work of other threads counts, too.

    Raises
    ------
    Exception
        Whatever `fn` raises.
    """
    before = _so_far()
    result = fn(*args)
    after = _so_far()
    del result  # only now: what giving memory back costs is no part of the call
    return after - before


def _so_far() -> int:
    """Page faults since the thread or the process began, those that read from disk included."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().num_page_faults
    import resource

    who = resource.RUSAGE_THREAD if sys.platform == "linux" else resource.RUSAGE_SELF
    usage = resource.getrusage(who)
    return usage.ru_minflt + usage.ru_majflt
