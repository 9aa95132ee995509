"""What a test can assert of compiled code; each failure shows the card of the instrument that looked.

What could not be checked fails, too, and says why: silence would be taken for a yes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from numba_course.lens import properties
from numba_course.lens.properties import HOLDS, NOT_CONCERNED, Call, Finding, allowances, asked


def assert_race_free(fn: Any, *args: Any, allow: Iterable[str | int] = (), **named: Any) -> None:
    """Assert that `lens.races` finds no race in ``fn(*args)``, but for those that are meant.

    Parameters
    ----------
    fn : object
        A function decorated with ``@njit(parallel=True)``.
    *args, **named
        Arguments of a small call that uses every part of `fn`; they are not changed.
    allow : iterable of str or int
        Races that are meant: by the name of the array as the card has it, such as ``"embedding"``; by line, where both
        accesses must be on lines that are named; or by kind: ``"two writes"``, ``"read and write"`` or ``"same
        value"``, which is two writes of one value. ``"not checked"`` allows that a part or all of it cannot be checked.
        An allowance that allows nothing fails.

    Raises
    ------
    AssertionError
        If there is a race that is not allowed, nothing was checked, or an allowance is no longer needed.
    TypeError
        If `fn` itself has a parameter that is called `allow`, or something else than names and numbers is given there.
    """
    _refuse_shared_name(fn, "allow")
    _hold(properties.race_free, Call(fn, args, named), allowances(allow))


def assert_vectorised(fn: Any, *args: Any, line: int | str | None = None, **named: Any) -> None:
    """Assert that loops of ``fn(*args)`` compute or move several elements at once.

    Parameters
    ----------
    fn : object
        What `lens.machine_code` takes.
    *args, **named
        Arguments of the call; it is called once, on copies.
    line : int or str, optional
        The loop that is meant: the number of the line on which it begins, or a part of that line's text. Without it
        no loop may be scalar or partly packed but those that hold others, and one must be packed.

    Raises
    ------
    AssertionError
        If a loop is scalar or only partly packed, or it cannot be told.
    TypeError
        If `fn` itself has a parameter that is called `line`.
    """
    _refuse_shared_name(fn, "line")
    _hold(properties.packed, Call(fn, args, named), line)


def assert_allocations(fn: Any, *args: Any, at_most: int = 0, **named: Any) -> None:
    """Assert that a call takes at most so many blocks of memory from Numba's runtime.

    Parameters
    ----------
    fn : object
        What `lens.machine_code` takes.
    *args, **named
        Arguments of the call; it is called once, on copies.
    at_most : int

    Raises
    ------
    AssertionError
        If it takes more, or they cannot be counted, as where lists, dicts or sets grow.
    TypeError
        If `fn` itself has a parameter that is called `at_most`.
    """
    _refuse_shared_name(fn, "at_most")
    _hold(properties.allocations, Call(fn, args, named), at_most)


def assert_specialisations(fn: Any, at_most: int = 1) -> None:
    """Assert that this process has compiled, or loaded, `fn` for at most so many combinations of types.

    Parameters
    ----------
    fn : object
        A function decorated with ``@njit``, or a ufunc, after the calls that matter.
    at_most : int

    Raises
    ------
    AssertionError
        If there are more, which are then listed, or it was never called.
    """
    _hold(properties.specialisations, Call(fn), at_most)


def assert_cache_fresh(fn: Any) -> None:
    """Assert that `fn` has a disk cache that other processes can load, and that nothing in it is seen to be stale.

    Parameters
    ----------
    fn : Dispatcher
        A function decorated with ``@njit(cache=True)``, after a call.

    Raises
    ------
    AssertionError
        If it has none, nothing was written, no other process can load it, or something in it is older than its source.

    Notes
    -----
    What can go stale and is not seen to be is no failure: see ``lens.cache(fn).at_risk``.
    """
    _hold(properties.cache_fresh, Call(fn))


def assert_releases_gil(fn: Any, *args: Any, **named: Any) -> None:
    """Assert that other Python threads get on while ``fn(*args)`` runs.

    Parameters
    ----------
    fn : object
        A function that Numba compiles: its machine code tells. Of a ufunc, and of any other callable, `lens.gil` does.
    *args, **named
        Arguments of the call, which are copied.

    Raises
    ------
    AssertionError
        If it holds the GIL, takes it back meanwhile, or it cannot be told.
    """
    _hold(properties.releases_gil, Call(fn, args, named))


def _hold(check: Callable[..., Finding], call: Call, *wanted: Any) -> None:
    """Raise if a property does not hold, with the card."""
    finding = asked(check, call, *wanted)
    if finding.verdict != HOLDS:
        raise AssertionError(failure(call.name, finding))


def failure(name: str, finding: Finding) -> str:
    """What to say of a property of a function that does not hold: one sentence, and the card below."""
    card = "" if finding.card is None else repr(finding.card)
    unchecked = finding.verdict in (properties.NOT_CHECKED, NOT_CONCERNED)
    said = f"{name} was not checked: {finding.sentence}" if unchecked else f"{name} {finding.sentence}"
    return said if not card or finding.sentence in card else f"{said}\n{card}"


def _refuse_shared_name(fn, name):
    """Refuse a function with a parameter of our name: it would be lost without a word."""
    if isinstance(fn, partial) and name in fn.keywords:
        return  # it is given there
    try:
        parameters = inspect.signature(getattr(fn, "py_func", fn)).parameters
    except (TypeError, ValueError):
        return
    if name in parameters:
        words = f"give its value with functools.partial(fn, {name}=…), or call it in a function of your own"
        raise TypeError(f"fn has a parameter that is called {name}, as the assertion has; {words}")
