"""How often the compiler runs during a call."""

from __future__ import annotations

from collections.abc import Callable

from numba.core import event


def count(fn: Callable[..., object], /, *args: object) -> int:
    """Call a function, and count how often Numba compiles a function meanwhile.

    Parameters
    ----------
    fn : callable
        Called once.
    *args : object

    Returns
    -------
    int
        Functions that it calls are counted when they are compiled, too.

    Raises
    ------
    Exception
        Whatever `fn` raises.
    """
    with event.install_recorder("numba:compile") as recorder:
        fn(*args)
    return sum(note.is_start for _, note in recorder.buffer)
