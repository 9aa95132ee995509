"""What usual clocks report of a function at its first call, and Python's profiler of a program, as numbers."""

from __future__ import annotations

import cProfile
import gc
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType

from numba import njit

NAME = "_never_called"  # of the function, in the session whose magic times it


def of_a_first_call(function: Callable[..., object], *args: object) -> dict[str, float]:
    """Ask three clocks how long a call of a compiled function takes that was never called before.

    Parameters
    ----------
    function : function
        A Python function. It is compiled anew for each clock.
    *args : object
        Arguments of the call.

    Returns
    -------
    dict of str to float
        Seconds for each run as the clock reports them: ``timeit.autorange`` of the standard library, and ``%timeit`` of
        IPython, without and with ``-n 1``, as ``IPython's timeit`` and ``IPython's timeit -n 1``.

    Raises
    ------
    RuntimeError
        Outside IPython, which has ``%timeit``.
    """
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise RuntimeError("%timeit is a part of IPython: ask in a notebook or in IPython")
    fresh = njit(function)
    runs, seconds = timeit.Timer(lambda: fresh(*args)).autorange()
    found = {"timeit.autorange": seconds / runs}
    magic = shell.magics_manager.magics["line"]["timeit"]
    for name, options in {"IPython's timeit": "", "IPython's timeit -n 1": "-n 1"}.items():
        fresh = njit(function)
        shell.user_ns[NAME] = lambda fresh=fresh: fresh(*args)
        try:
            found[name] = magic(f"-o -q {options} {NAME}()").average
        finally:
            del shell.user_ns[NAME]
    return found


def own_seconds(program: Callable[[], object], *functions: FunctionType) -> dict[str, float]:
    """Call a program, and ask Python's profiler how long functions took themselves.

    Parameters
    ----------
    program : callable
        Called once.
    *functions : function
        Python functions that it calls.

    Returns
    -------
    dict of str to float
        By their names, the seconds that each of the functions spent itself, in all its calls: without those of the
        functions that it called. As in `timeit`, no garbage is collected meanwhile.

    Raises
    ------
    ValueError
        If one of them was not called.
    Exception
        Whatever the program raises.
    """
    profile = cProfile.Profile()
    with _without_collections():
        profile.runcall(program)
    spent = {entry.code: entry.inlinetime for entry in profile.getstats()}
    missing = [function.__name__ for function in functions if function.__code__ not in spent]
    if missing:
        raise ValueError(f"functions must be called by the program, unlike {', '.join(missing)}")
    return {function.__name__: spent[function.__code__] for function in functions}


@contextmanager
def _without_collections() -> Iterator[None]:
    """Collect no garbage: it may be anybody's, and the time would count for the function that happens to run."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
