"""Requirements on the result of a call: its values, its type, its memory, and the arguments as they were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from numba_course.exercises.examination.show import LONGEST, show, show_both, show_type, type_name
from numba_course.exercises.requirements import Requirement
from numba_course.lens import results
from numba_course.process.wire import encode

if TYPE_CHECKING:
    from numba_course.exercises.examination.judge import Run
    from numba_course.exercises.examination.verdict import Finding

NOTHING = "it returned None; is a `return` missing?"


@dataclass(frozen=True)
class Matches(Requirement):
    """The answer gives what the specification gives.

    Attributes
    ----------
    rtol : float
        Allowed error of a float, relative to the largest expected magnitude.
    of : str
        The argument to compare after the call; empty for the returned value.
    """

    rtol: float = 0.0
    of: str = ""

    name = "right result"
    status = "wrong"

    def of_run(self, run: Run) -> Finding | None:
        if self.of:
            check_names(self, (self.of,), run)
            seen = difference(run.after[self.of], run.expected_after[self.of], self.rtol, self.of)
            return self.finding(seen and seen + _as_it_was(self.of, run))
        if run.result is None and run.expected is not None:
            return self.finding(NOTHING)
        return self.finding(difference(run.result, run.expected, self.rtol, "the result"))


def _as_it_was(name, run):
    """What to add where an argument that the answer should change is as it was before the call."""
    if encode(run.after[name]) != encode(run.before[name]):
        return ""
    returned = "" if run.result is None else "; what is returned is not looked at"
    said = f"was anything written into it, and if so, what? `{name} = …` does not write"
    return f". It is as it was before the call{returned}: {said}"


@dataclass(frozen=True)
class Returns(Requirement):
    """The result has this dtype and this number of axes (0 for a scalar)."""

    dtype: str
    ndim: int

    name = "type of the result"
    status = "wrong"

    def of_run(self, run: Run) -> Finding | None:
        wanted = show_type(np.empty((0,) * self.ndim, self.dtype)) if self.ndim else self.dtype
        if run.result is None:
            return self.finding(NOTHING)
        if isinstance(run.result, (list, tuple, set, dict)):
            return self.finding(f"it returned a {type_name(run.result)} where a {wanted} is asked")
        result = as_array(run.result)
        if result.ndim == self.ndim and (
            result.dtype == self.dtype or (self.ndim == 0 and _same_kind(result, self.dtype))
        ):
            return None
        return self.finding(f"it returned {show_type(run.result)} where {wanted} is asked")


@dataclass(frozen=True)
class LeavesInputsAlone(Requirement):
    """The arguments are the same after the call, but for those that are named."""

    except_: tuple[str, ...] = ()

    name = "leaves its inputs alone"
    status = "wrong"

    def of_run(self, run: Run) -> Finding | None:
        check_names(self, self.except_, run)
        for name, before in run.before.items():
            if name not in self.except_ and (seen := difference(run.after[name], before, 0.0, "it")):
                return self.finding(
                    f"it changed its argument `{name}`: {seen.replace(', expected', ', and was')}"
                )
        for name in run.unlocked:
            if name not in self.except_:
                return self.finding(
                    f"it changed its argument `{name}`: it was read-only, and is not any more"
                )
        return None


@dataclass(frozen=True)
class CloseToMean(Requirement):
    """The result is the mean, but for an error that is small beside the largest value.

    Attributes
    ----------
    rtol : float
        Allowed error relative to the largest magnitude among the values: they may cancel in the mean.
    """

    rtol: float

    name = "right result"
    status = "wrong"

    def of_run(self, run: Run) -> Finding | None:
        if run.result is None:
            return self.finding(NOTHING)
        if not isinstance(run.result, (int, float)):
            return self.finding(
                f"the result is of type {type_name(run.result)}, expected {show(run.expected)}"
            )
        largest = max(map(abs, run.before["values"].tolist()))
        if abs(run.result - run.expected) <= self.rtol * largest:
            return None
        return self.finding(_apart("the result is", run.result, run.expected))


@dataclass(frozen=True)
class ReturnsListOfInts(Requirement):
    """The result is a list of whole numbers."""

    name = "type of the result"
    status = "wrong"

    def of_run(self, run: Run) -> Finding | None:
        if run.result is None:
            return self.finding(NOTHING)
        if not isinstance(run.result, list):
            return self.finding(f"it returned a value of type {type_name(run.result)} where a list is asked")
        odd = [
            value
            for value in run.result
            if isinstance(value, bool) or not isinstance(value, (int, np.integer))
        ]
        seen = odd and f"its list has {show(odd[0])}, of type {type_name(odd[0])}, where int is asked"
        return self.finding(seen or "")


@dataclass(frozen=True)
class NewArray(Requirement):
    """The result shares no memory with an argument."""

    name = "a new array"
    status = "wrong"

    def of_run(self, run: Run) -> Finding | None:
        for name in run.shared:
            return self.finding(f"it returned `{name}` itself, or a view of it, where a new array is asked")
        return None


@dataclass(frozen=True)
class LeavesWordsAlone(LeavesInputsAlone):
    """The same for lists of strings, which are not compared as arrays."""

    def of_run(self, run: Run) -> Finding | None:
        # As bytes: an argument may have become anything, and what is compared with an array is no bool.
        changed = [name for name, before in run.before.items() if encode(run.after[name]) != encode(before)]
        return self.finding(f"it changed its argument `{changed[0]}`" if changed else "")


@dataclass(frozen=True)
class Within(Requirement):
    """Each number of the result is as near to the specification's as rounding allows for these arguments.

    Attributes
    ----------
    reach : callable
        The arguments → the largest error allowed, a number or one for each element of the result.
    """

    reach: Callable

    name = "right result"
    status = "wrong"

    def of_run(self, run: Run) -> Finding | None:
        seen = difference(run.result, run.expected, 0.0, "the result")
        actual = as_array(run.result)
        if not seen or actual.dtype.kind not in "biuf" or actual.shape != run.expected.shape:
            return self.finding(NOTHING if run.result is None else seen)
        with np.errstate(invalid="ignore", over="ignore"):
            near = np.abs(actual - run.expected) <= self.reach(**run.before)
        same = results.agreement(actual, run.expected, 0.0) | (near & np.isfinite(run.expected))
        if same.all():
            return None
        index = results.first_difference(same)
        place = ", ".join(map(str, index))
        said = _apart("the result has", actual[index], run.expected[index], f" at [{place}]")
        return self.finding(said)


@dataclass(frozen=True)
class ReturnsLike(Requirement):
    """The result is an array of the dtype of an argument, with as many axes."""

    argument: str

    name = "type of the result"
    status = "wrong"

    def of_run(self, run: Run) -> Finding | None:
        check_names(self, (self.argument,), run)
        model = run.before[self.argument]
        return Returns(model.dtype.name, model.ndim).of_run(run)


def difference(actual: Any, expected: Any, rtol: float, what: str) -> str:
    """Say how `actual` differs from `expected`, shape first and then values, or return "" when they agree."""
    if isinstance(expected, tuple):
        if not isinstance(actual, tuple) or len(actual) != len(expected):
            return f"{what} is {show(actual)}, expected a tuple of {len(expected)}"
        pairs = zip(actual, expected, strict=True)
        return next((text for a, e in pairs if (text := difference(a, e, rtol, what))), "")
    if isinstance(expected, (str, bytes, type(None))) or actual is None:
        same = type(actual) is type(expected) and actual == expected
        return "" if same else _apart(f"{what} is", actual, expected)
    actual_array, expected_array = as_array(actual), np.asarray(expected)
    if actual_array.dtype.kind not in "biufc":
        return f"{what} is {show(actual)}, which is not a number or an array of numbers"
    if isinstance(expected, list) and isinstance(actual, list) and max(len(actual), len(expected)) <= LONGEST:
        return "" if actual == expected else _apart(f"{what} is", actual, expected)
    if actual_array.shape != expected_array.shape:
        return f"{what} {_of_shape(actual_array.shape, expected_array.shape)}"
    same = results.agreement(actual_array, expected_array, rtol)
    if same.all():
        return ""
    if expected_array.ndim and expected_array.size > LONGEST:
        index = results.first_difference(same)
        place = ", ".join(map(str, index))
        return _apart(f"{what} has", actual_array[index], expected_array[index], f" at [{place}]")
    return _apart(f"{what} is", actual, expected)


def _of_shape(actual, expected):
    """In words, that something is of another shape than expected: a number has none that is worth a word."""
    if not actual:
        return f"is a number, expected an array of shape {expected}"
    return f"has shape {actual}, expected {expected or 'a number'}"


def _apart(said, actual, expected, where=""):
    """A sentence with two values that differ, and both so that one sees it."""
    one, other = show_both(actual, expected)
    return f"{said} {one}{where}, expected {other}"


def as_array(value: Any) -> np.typing.NDArray[Any]:
    """The value as NumPy takes it; as one object, where it has no array for it."""
    try:
        return np.asarray(value)
    except Exception:  # of rows that are not of one length, or a class of one's own
        return np.array(None, object)


def check_names(requirement: Requirement, names: tuple[str, ...], run: Run) -> None:
    """Refuse a requirement on an argument that the exercise does not have.

    Raises
    ------
    TypeError
        Names the arguments that there are: a fault of the exercise, not of an answer.
    """
    for name in names:
        if name not in run.before:
            kind, known = type(requirement).__name__, ", ".join(run.before)
            raise TypeError(f"{kind} names the argument {name!r}, and the exercise has {known}")


def _same_kind(scalar, dtype):
    """Compiled functions return Python scalars: an int for any integer dtype, a float for any float."""
    return np.asarray(scalar).dtype.kind == np.dtype(dtype).kind
