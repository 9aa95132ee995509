"""The passes of the compiler that a function went through, in order."""

from numba.core.dispatcher import Dispatcher


def passes_run(fn: Dispatcher) -> tuple[str, ...]:
    """Name the passes of Numba's compiler in the order in which they ran for a function.

    Parameters
    ----------
    fn : Dispatcher
        A function decorated with ``@njit`` that was called; of several specialisations, the first counts.

    Returns
    -------
    tuple of str

    Raises
    ------
    TypeError
        If `fn` is no such function.
    ValueError
        If it was not compiled in this process: never called, or loaded from the disk cache.
    """
    if not isinstance(fn, Dispatcher):
        raise TypeError(f"fn must be a function decorated with @njit, not {fn!r}")
    times = fn.get_metadata(fn.signatures[0]).get("pipeline_times") if fn.signatures else None
    if not times:
        raise ValueError(f"{fn.__name__} was not compiled in this process: call it, without a disk cache")
    (ran,) = times.values()
    return tuple(name.partition("_")[2] for name in ran)
