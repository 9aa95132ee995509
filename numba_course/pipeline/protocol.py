"""What an operation declares, and the five kinds of function that it may hand over.

The names `declare_state_and_memory`, `generate_code` and `AllocationQuery` are FFCV's
(Leclerc et al., 2023, https://arxiv.org/abs/2306.12517).
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])
FLOAT32 = np.dtype(np.float32)
AN_ADDRESS = re.compile(r" at 0x[0-9a-fA-F…]+")
LAYOUTS = "CHW", "HWC"
CHANNELS = {  # what generated code calls them, by their number
    1: ("gray",),
    2: ("gray", "alpha"),
    3: ("red", "green", "blue"),
    4: ("red", "green", "blue", "alpha"),
}


class PipelineError(ValueError):
    """A pipeline, or what it is called with, is wrong; the message names the step or the argument.

    Where things are in memory it does not say: that is another place in each process.
    """

    def __init__(self, message: str) -> None:
        super().__init__(AN_ADDRESS.sub("", message))


def checked(check: Callable[..., Any], *arguments: Any) -> Any:
    """What one of the kernels' checks gives for these arguments, its complaint as a `PipelineError`."""
    try:
        return check(*arguments)
    except (TypeError, ValueError) as error:
        raise PipelineError(str(error)) from None


@dataclass(frozen=True)
class State:
    """What flows from one operation to the next: one image.

    Attributes
    ----------
    shape : tuple of int
        Height, width and channels, of which there are 1 to 4.
    dtype : numpy.dtype
    layout : str
        ``HWC``: channels last; ``CHW``: channels first, as a batch of it leaves the pipeline.
    values : tuple of float, or None
        In which range its values are: ``(0, 255)``, ``(0, 1)`` or another; None if they may be any.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype
    layout: str = "HWC"
    values: tuple[float, float] | None = (0, 255)

    def __str__(self) -> str:
        return f"{np.dtype(self.dtype).name} {'×'.join(map(str, self.shape))} {self.layout}"


@dataclass(frozen=True)
class AllocationQuery:
    """Memory that an operation asks for: for one image, allocated once for each worker."""

    shape: tuple[int, ...]
    dtype: np.dtype

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", np.dtype(self.dtype))

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


class Made:
    """What a generated module makes as it is imported: ``function(*arguments)[item]``.

    An operation's function may close over it, for tables and compiled functions that text cannot hold.

    Parameters
    ----------
    function : callable
        Of a module of this package.
    arguments : int, float, str or tuple of those
    item : int
    """

    def __init__(
        self, function: Callable[..., Any], *arguments: int | float | str | tuple[Any, ...], item: int
    ) -> None:
        self.module, self.name = function.__module__, function.__name__
        self.text = f"{self.name}({', '.join(map(repr, arguments))})[{item}]"


class Operation(ABC):
    """One step of a pipeline.

    Attributes
    ----------
    stream : int or None
        Number of its stream of random draws; None for its position in the pipeline. Two pipelines with the same
        seed and streams, one for images and one for masks, draw the same.
    """

    stream: int | None = None

    def declare_state_and_memory(
        self, state: State
    ) -> tuple[State, AllocationQuery | tuple[AllocationQuery, ...] | None]:
        """What comes out where `state` goes in, and the memory for it: if it is not overridden, the same, and none.

        Memory is the schedule: an operation that declares none is fused into the loop that the step before it
        is in; one that declares some has its result stored there, and a new loop begins.

        Parameters
        ----------
        state : State

        Returns
        -------
        State, and None or AllocationQuery or a tuple of those
            The first is for the result, others for what the code needs beside it.

        Raises
        ------
        PipelineError
            If the operation cannot take such an image.

        Notes
        -----
        A pipeline refuses what a function of its kind cannot make: a @point another shape, a @move another dtype,
        any but an @image another number of channels. An @each, @point or @gather is tried on black and white: one
        that declares a range and gives values beyond it, or cannot be tried, is refused; of one that does not override
        this method, the range becomes None. An @image is taken at its word.
        """
        return state, None

    @abstractmethod
    def generate_code(self) -> Callable[..., Any] | None:
        """A plain Python function marked by one of the five kinds, such as `each`; None if there is nothing to do.

        It is called after `declare_state_and_memory`. The function's text goes into the generated module. What it
        names there is what Python finds under the name: a local variable, a number or a tuple of numbers, which
        becomes a literal, NumPy, `uniform`, or one of abs, bool, float, int, len, max, min, range, round. What it
        calls may be a Python function, compiled by `numba.njit` or not, of a module or a notebook: its text is taken
        over in the same way, without the options of `njit`, called by position, and without recursion.

        It may hold assignments, tests, loops and arithmetic, and of NumPy what `language` lists: what computes element
        by element, and what makes, sums, sorts and reshapes arrays. What reads memory unasked, such as ``array.flat``,
        is refused, and so is what is not the same compiled and as Python: a variable of two types on two ways, a way
        without a result, a match. A whole number stays whole until it meets a pixel, and is float32 there; `key` is
        for `uniform` alone. Shifts count modulo 64.
        """

    def __repr__(self) -> str:
        values = (f"{name}={value!r}" for name, value in vars(self).items() if not name.startswith("_"))
        return f"{type(self).__name__}({', '.join(values)})"


# And how many parameters such a function has; a point has one more for each channel, an image for more memory.
KINDS = {"move": 3, "point": 1, "gather": 5, "image": 3, "each": 3}
REALS = "each", "point", "gather"  # those that give float32


def move(function: Function) -> Function:
    """Mark ``f(y, x, key) -> (y, x)``: where a pixel comes from, in whole numbers, inside of the image before it.

    One whose text shows that it takes each row from a row, forwards or backwards, is asked for the ends of a row, and
    the row is copied; any other is asked for each pixel.
    """
    return _marked(function, "move")


def each(function: Function) -> Function:
    """Mark ``f(value, c, key) -> value``: arithmetic on each value by itself, in float32; `c` is its channel.

    It is a point for images of any number of channels.
    """
    return _marked(function, "each")


def point(function: Function) -> Function:
    """Mark ``f(r, g, b, key) -> (r, g, b)``: arithmetic on one pixel, in float32.

    There is a parameter for each channel: of gray images it is ``f(value, key) -> value``.
    There, as in all five kinds, ``int`` and ``round`` give 64 bits: of a float beyond those the nearest that a float
    can be, and of NaN the smallest, -2**63.
    """
    return _marked(function, "point")


def gather(function: Function) -> Function:
    """Mark ``f(load, y, x, c, key) -> value``: one value from any of the step before, by ``load(y, x, c)``.

    `load` takes the nearest pixel for one outside of the image, and counts NaN as one before the first. It gives a
    float32, and so does the function.
    """
    return _marked(function, "gather")


def image(function: Function) -> Function:
    """Mark ``f(source, out, key)``: fills `out` from the whole image. Its operation declares `out` as memory.

    If it declares more, there are as many parameters between `out` and `key`. An index outside of an array raises
    IndexError. What it leaves of `out` is what another image left there.
    """
    return _marked(function, "image")


def _marked(function, kind):
    function.kind = kind
    return function
