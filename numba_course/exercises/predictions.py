"""Questions that a chapter asks before it shows: what a learner says, what came out, and why people say other things.

What is right, the figures of the learner's own cells decide; nothing here knows it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from numbers import Integral, Real
from types import EllipsisType

import numpy as np

from numba_course import exercises
from numba_course.exercises import records
from numba_course.exercises.card import Card, display
from numba_course.host import no_such
from numba_course.process import sandbox

# The predictions of each chapter, in the order of the text: known without loading the chapter.
NAMES = {
    "00_start_here": ("speedup", "light"),
    "01_execution_model": ("by_name", "compilations", "step", "billion", "first_call"),
    "02_type_inference": ("total", "branch", "fee", "overflow"),
    "03_signatures": ("seven_calls", "float32_array", "cast_number", "any_layout", "long_list"),
    "04_machine_code": ("one_word", "same_sum", "blind", "written"),
    "05_arrays_and_memory": ("own_buffer", "named_step", "ring"),
    "06_errors_and_debugging": ("hints", "who", "leak", "callee", "interrupt"),
    "11_code_generation": ("stage_functions",),
}

Choice = bool | float | str
KINDS = ("truth", "number", "text")  # of choices


@dataclass(frozen=True)
class Prediction:
    """A question with its choices, and why people choose each.

    Attributes
    ----------
    name : str
        Unique in the course.
    question : str
        One or two sentences; code in backticks.
    choices : tuple of bool, int, float or str
        At least two, all numbers, all texts, or True and False. Of numbers the one nearest to what comes out is right:
        nearest in ratio, where all are above 0, otherwise in difference; of two equally near, the first.
        Choose them so far apart that machines agree.
    answer : bool, int, float or str
        What the solved notebook says. What is right, the learner's own figures decide.
    why : mapping of a choice to str, optional
        Why people say it, and what they overlook. True whatever comes out, since all are shown, always.
    """

    name: str
    question: str
    choices: tuple[Choice, ...]
    answer: Choice
    why: Mapping[Choice, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        kinds = {_kind(choice) for choice in self.choices}
        if len(kinds) != 1 or not kinds <= {*KINDS} or len(set(self.choices)) < 2:
            raise ValueError(f"choices must be two or more numbers, texts or truths, not {self.choices!r}")
        for choice in (self.answer, *self.why):
            if self._meant(choice) is None:
                raise ValueError(f"{choice!r} must be one of the choices, {self.choices!r}")

    def __repr__(self) -> str:
        return f"prediction {self.name}: {self.question} {self._offer}"

    # What a learner calls: each shows a card and never raises.

    def __call__(self, choice: Choice | EllipsisType | None = None) -> None:
        """Keep what the learner says, and show that it is kept.

        Parameters
        ----------
        choice : bool, int, float or str, optional
            One of the choices. Without it, or with ``...`` in its place, the card shows what was said until now, or
            that nothing was. A choice after something came out does not replace the one before; both are kept.
        """
        if sandbox.is_apart():
            return  # a script in which the learner predicts is being judged
        belief = records.belief(self.name)
        if choice is None or choice is ...:
            display(self._card(f"you said {belief.said}" if belief.said else "no prediction yet"))
            return
        said = self._meant(choice)
        if said is None:
            display(self._card(f"{_named(choice)} is none of the choices"))
            return
        if str(said) != (belief.afterwards or belief.said):
            records.record_prediction(self.name, str(said))
        if belief.came and str(said) != belief.said:
            text = f"You said it before you saw what came out, so that is compared. Kept beside it: now you say {said}."
            display(Card(f"{self.name}: you said {belief.said}, and that stays", text))
            return
        display(
            Card(f"{self.name}: you say {said}", "Kept. What comes out is compared with it further down.")
        )

    def outcome(self, figure: object) -> None:
        """Show what the learner said, what it is, and why people say something else.

        Parameters
        ----------
        figure : bool, int, float or str
            What came out, of the kind of the choices. One that is no whole number counts as measured: it and what
            follows from it are shown in ⟨ ⟩. It is kept where there is a prediction.
        """
        if sandbox.is_apart():
            return
        came = self.nearest(figure)
        if came is None:
            asked = "a finite number" if _kind(self.choices[0]) == "number" else f"one of {self.choices}"
            text = f"`outcome` was given {_named(figure)}; it takes {asked}."
            display(Card(f"{self.name}: what came out cannot be compared", text))
            return
        belief, shown = records.belief(self.name), _shown(figure)
        if belief.said and belief.came != str(came):
            records.record_outcome(self.name, str(came), shown)
        display(self._compared(belief.said, figure, came, shown))

    # The same as data.

    def nearest(self, figure: object) -> Choice | None:
        """The choice that a figure amounts to; None where it is of another kind than the choices, or not finite."""
        if _kind(figure) != "number" or _kind(self.choices[0]) != "number":
            return self._meant(figure)
        try:
            value = float(figure)  # type: ignore[arg-type]  # a number
        except OverflowError:
            return None
        if not math.isfinite(value):
            return None
        choices = [float(choice) for choice in self.choices]
        if min(value, *choices) > 0:
            away = [abs(math.log(choice) - math.log(value)) for choice in choices]
        else:
            away = [abs(choice - value) for choice in choices]
        return self.choices[away.index(min(away))]

    @property
    def answer_source(self) -> str:
        """The answer as it is written in code."""
        return _written(self.answer)

    def _meant(self, given: object) -> Choice | None:
        """The choice that is equal to what was given; None if none is."""
        kind = _kind(given)
        if kind not in KINDS:
            return None
        alike = [choice for choice in self.choices if _kind(choice) == kind]
        return next((choice for choice in alike if _folded(choice) == _folded(given)), None)

    @property
    def _offer(self):
        """The choices in a sentence, as they are written in code."""
        *others, last = (f"`{_written(choice)}`" for choice in self.choices)
        example = f"`predict.{self.name}({_written(self.choices[0])})`"
        return f"Say {', '.join(others)} or {last}: {example}, for example."

    def _card(self, title):
        """A card that asks the question."""
        return Card(f"{self.name}: {title}", self.question, note=self._offer)

    def _compared(self, said, figure, came, shown):
        """The card of what came out. Of a measured figure, all that depends on it stands in ⟨ ⟩."""
        measured = _kind(figure) == "number" and not isinstance(figure, Integral)
        opening = f"you said {said}, it is" if said else "you said nothing, it is"
        verdict = ("as you said" if said == str(came) else "not as you said") if said else ""
        if _kind(figure) == "number":
            sentence = ", ".join(filter(None, (f"Nearest of the choices: {came}", verdict)))
        else:
            sentence = verdict.capitalize()
        if measured:
            shown, sentence = f"⟨{shown}⟩", f"⟨{sentence}⟩"
        own_first = sorted(self.why.items(), key=lambda pair: str(pair[0]) != said)
        why = [f"Why people say `{_written(choice)}`: {reason}" for choice, reason in own_first]
        text = [self.question, f"{sentence}." if sentence else "", *why]
        return Card(f"{self.name}: {opening} {shown}", "\n\n".join(filter(None, text)))


def of_chapter(stem: str) -> tuple[Prediction, ...]:
    """The predictions of the chapter of this stem, such as ``07_prange``; none without a line in `NAMES`."""
    return exercises.chapter(stem, "a prediction").PREDICTIONS if stem in NAMES else ()


def get(name: str) -> Prediction:
    """The prediction of this name.

    Raises
    ------
    KeyError
        If there is none; the message names the nearest. Also if its chapter's module does not have it.
    """
    stem = next((stem for stem, names in NAMES.items() if name in names), None)
    if stem is None:
        raise KeyError(no_such("prediction", name, [name for names in NAMES.values() for name in names]))
    for prediction in of_chapter(stem):
        if prediction.name == name:
            return prediction
    raise KeyError(
        f"predictions.NAMES has {name} in {stem}, but PREDICTIONS of that chapter's module has not"
    )


def _kind(value):
    """Of what kind a choice or a figure is: a key of `KINDS`, or empty."""
    if isinstance(value, bool | np.bool_):
        return "truth"
    if isinstance(value, Real):
        return "number"
    return "text" if isinstance(value, str) else ""


def _written(choice):
    """A choice as it is written in code; of a text the quotes that the course writes."""
    return json.dumps(choice, ensure_ascii=False) if isinstance(choice, str) else repr(choice)


def _folded(value):
    """A text as it is compared; anything else as it is."""
    return " ".join(value.casefold().split()) if isinstance(value, str) else value


def _shown(figure):
    """A figure in words: a measured one with the digits that mean something."""
    if _kind(figure) != "number" or isinstance(figure, Integral):
        return str(figure)
    value = float(figure)
    return f"{value:,.0f}" if 100 <= abs(value) < 1e6 else f"{value:.3g}"


def _named(value):
    """What a card calls something that was given: a value that is short, or what it is."""
    with suppress(ValueError):  # a number of thousands of digits
        if _kind(value) in KINDS and len(shown := _written(value)) <= 40:
            return shown
    return f"something of type {type(value).__name__}"
