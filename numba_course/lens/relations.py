"""What a sentence says of times: asked of a measurement, and measured again before the answer is no."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from numba_course.lens import html

AGAIN = (2, 4)  # how many times as long the second and the third measurement take


@dataclass(frozen=True)
class Claim:
    """One sentence about two times.

    Attributes
    ----------
    name, than : str
        Entries of a comparison: the one that the sentence speaks of, and the one it is held against.
    times : float
        It is more than so many times as fast.
    at_most : float or None
        How many times as fast it is at most.
    at : object
        Size of the input, for a comparison at several sizes.
    asked : bool
        Whether it is asked of this machine; if not, it is printed all the same, and nothing can deny it.
    """

    name: str
    than: str
    times: float = 1.0
    at_most: float | None = None
    at: object = None
    asked: bool = True

    def __post_init__(self) -> None:
        if self.name == self.than:
            raise ValueError(f"{self.name!r} cannot be compared with itself: name another one with than=")
        if not 0 <= self.times < math.inf:
            raise ValueError(f"times must be a number from 0 on, not {self.times!r}")
        if self.at_most is not None and not self.times < self.at_most < math.inf:
            raise ValueError(f"at_most must be a number above times={self.times:g}, not {self.at_most!r}")
        if self.times == 0 and self.at_most is None:
            raise ValueError("times=0 holds of anything: give at_most as well")

    def __str__(self) -> str:
        size = (
            ""
            if self.at is None
            else f" at size {self.at:,}"
            if isinstance(self.at, int)
            else f" at {self.at}"
        )
        return f"{self.name} is {self._how()} {self.than}{size}"

    def _how(self):
        if self.at_most is None and self.times == 1:
            return "faster than"
        if self.at_most is None:
            return f"more than {self.times:g} times as fast as"
        bounds = f"{self.times:g} to {self.at_most:g}" if self.times else f"at most {self.at_most:g}"
        return f"{bounds} times as fast as"

    def holds(self, ratio: float) -> bool:
        """Whether a thing that is `ratio` times as fast does not deny it."""
        return not self.asked or (ratio > self.times and (self.at_most is None or ratio <= self.at_most))


@dataclass(frozen=True, repr=False)
class Relation:
    """Whether one thing is faster than another, as ``Comparison.faster`` found it; true if it is.

    Outside ``⟨ ⟩`` it prints the claim alone, so that a test which compares texts does not depend on the clock.

    Attributes
    ----------
    claims : tuple of Claim
        One; more if `faster` was asked of a relation.
    ratios : tuple of float
        For each claim, how many times as fast it is: the median, over the rounds, of the two times' quotient;
        or the quotient of their medians, if only that one denies the claim: a figure would show it.
    measured : Comparison or Sweep
        The measurement that was judged: what figures and further numbers are drawn from.
    measurements : int
        How many were made until the claims held, or until it gave up.
    """

    claims: tuple[Claim, ...]
    ratios: tuple[float, ...]
    measured: Any  # those classes use this module
    measurements: int = 1

    @property
    def holds(self) -> bool:
        """Whether no claim that was asked is denied by the measurement."""
        return all(claim.holds(ratio) for claim, ratio in zip(self.claims, self.ratios, strict=True))

    def __bool__(self) -> bool:
        return self.holds

    def faster(self, name: str, **claim: Any) -> Relation:
        """Ask for one more thing of the same measurement; takes what its own ``faster`` takes.

        If that has to measure again, the earlier claims are judged anew as well: in the end one measurement
        shows them all (of a sweep, one for each size), or the relation does not hold. All claims together are
        measured again at most twice.

        Returns
        -------
        Relation
        """
        return ask(self.measured, (*self.claims, self.measured._claim(name, **claim)), self.measurements)

    def _answers(self):
        """Each claim's sentence, and what was seen of it."""
        for claim, ratio in zip(self.claims, self.ratios, strict=True):
            shown = f"{ratio:.3g}" if ratio < 1000 else f"{ratio:.0f}"
            if not claim.asked:
                yield str(claim), "⟨not asked of this machine⟩"
            elif claim.holds(ratio):
                yield str(claim), f"⟨yes: {shown} times⟩"
            else:
                often = "once" if self.measurements == 1 else f"{self.measurements} times"
                yield str(claim), f"⟨NO: {shown} times, measured {often}⟩"

    def __repr__(self) -> str:
        return "\n".join(f"{sentence}: {seen}" for sentence, seen in self._answers())

    def _repr_html_(self):
        return "".join(f"<div>{html.escape(f'{one}: ')}<b>{seen}</b></div>" for one, seen in self._answers())


def ask(measured: Any, claims: tuple[Claim, ...], measurements: int = 1) -> Relation:
    """Judge the claims by a measurement; while one of them fails, by a longer one, at most twice.

    Parameters
    ----------
    measured : object
        Has ``_times_as_fast(claim)``, a number, and ``_again(claims, effort)``: a measurement of what the claims
        speak of that takes `effort` times as long, or None if it cannot be repeated.
    claims : tuple of Claim
    measurements : int
        How many have been made.

    Returns
    -------
    Relation
    """
    relation = Relation(claims, tuple(map(measured._times_as_fast, claims)), measured, measurements)
    for effort in AGAIN[measurements - 1 :]:
        again = None if relation else relation.measured._again(claims, effort)
        if again is None:
            break
        ratios = tuple(map(again._times_as_fast, claims))
        relation = Relation(claims, ratios, again, relation.measurements + 1)
    return relation
