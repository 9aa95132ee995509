"""The instructions that Python runs for a loop, in words; and a text that runs as a module does."""

from __future__ import annotations

import dis
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

from numba_course.lens import html

# What an instruction does, by a part of its name; of several the first. What is not listed is not named.
WORDS = {
    "FOR_ITER": "the loop itself",
    "JUMP_BACKWARD": "the loop itself",
    "SMALL_INT": "constant, not by name",
    "LOAD_CONST": "constant, not by name",
    "_NAME": "variable, by name",
    "_GLOBAL": "variable, by name",
    "_FAST": "variable, by number",
    "BINARY_OP": "arithmetic",
    "CALL": "a call",
}
WIDTH = 24  # of a name of an instruction: names differ between versions of Python, and a text is compared


@dataclass(frozen=True, repr=False)
class Loops(html.Shown):
    """What `loops` found.

    Attributes
    ----------
    steps : dict of str to tuple of (str, str)
        For each loop its instructions: the name of each, and what it does, or an empty text.
    """

    steps: dict[str, tuple[tuple[str, str], ...]]
    _title = "the instructions of a loop, from its head to the jump back"

    def _rows(self):
        yield tuple(itertools.chain.from_iterable((name, "what it does") for name in self.steps))
        for row in itertools.zip_longest(*self.steps.values(), fillvalue=("", "")):
            yield tuple(itertools.chain.from_iterable((f"⟨{name:{WIDTH}}⟩", words) for name, words in row))

    def _lines(self):
        for name, steps in self.steps.items():
            yield "info", f"{name}: ⟨{len(steps)}⟩ instructions"


def loops(given: Mapping[str, Callable[..., object] | str]) -> Loops:
    """Show the instructions of several loops side by side: of each from its head to the jump back.

    Parameters
    ----------
    given : mapping of str to function or str
        By the name of its column: a Python function, or the text of a module. Of several ``for`` loops in one of them
        the first counts.

    Returns
    -------
    Loops

    Raises
    ------
    ValueError
        If there is no ``for`` loop; the message says where.
    SyntaxError
        If a text is no Python.
    """
    return Loops(
        {
            name: tuple((step.opname, _words(step.opname)) for step in _loop(name, _code(loop)))
            for name, loop in given.items()
        }
    )


def as_run(function: Callable[..., object]) -> tuple[str, ...]:
    """Name the instructions of a function's first loop as Python would run them now.

    Python replaces instructions in a loop that has run for a while by others, for the types that it met (PEP 659).

    Parameters
    ----------
    function : callable
        A Python function with a ``for`` loop.

    Returns
    -------
    tuple of str

    Raises
    ------
    ValueError
        If it has no such loop.
    """
    return tuple(step.opname for step in _loop(function.__name__, _code(function), adaptive=True))


def as_module(text: str) -> Callable[..., None]:
    """Make a function of the text of a module: called, it runs the text as Python runs a module.

    Parameters
    ----------
    text : str

    Returns
    -------
    function
        Its keyword arguments are the variables that the text finds at first. It returns nothing.

    Raises
    ------
    SyntaxError
        If the text is no Python.
    """
    code = _code(text)

    def run(**names: Any) -> None:
        exec(code, names)

    return run


def _code(loop: Callable[..., object] | str) -> CodeType:
    return compile(loop, "<module>", "exec") if isinstance(loop, str) else loop.__code__  # type: ignore[attr-defined]


def _loop(name, code, adaptive=False):
    """The instructions from the head of the first ``for`` loop to the last jump back to it."""
    found = list(dis.get_instructions(code, adaptive=adaptive))
    head = next((step for step in found if step.opname.startswith("FOR_ITER")), None)
    if head is None:
        raise ValueError(f"{name} must have a for loop")
    jumps = [s for s in found if s.opname.startswith("JUMP_BACKWARD") and s.argval == head.offset]
    return found[found.index(head) : found.index(jumps[-1]) + 1]


def _words(name):
    """What an instruction does, in words; empty if that is not known."""
    return next((words for part, words in WORDS.items() if part in name), "")
