"""Predictions: what is said is kept and compared with what came out, nothing that is given raises, nothing hides."""

import math
import re
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from numba_course import exercises
from numba_course.exercises import predictions, records
from numba_course.exercises.predictions import Prediction
from numba_course.exercises.records import Belief
from numba_course.lens import html

SPEED = Prediction(
    "speed",
    "How many times as fast?",
    (2, 20, 100, 1000),
    1000,
    {2: "It sounds safe.", 20: "It sounds bold."},
)
CAUGHT = Prediction(
    "caught", "Is it caught?", ("all", "some of it", "none"), "all", {"none": "They look `away`."}
)
EQUAL = Prediction("equal", "Are they equal?", (True, False), False)
COUNT = Prediction("count", "How many compilations?", (0, 1, 2), 1)


@pytest.fixture(autouse=True)
def shown(monkeypatch, tmp_path):
    """The cards that are shown, in a learner's folder with an empty record."""
    cards = []
    (tmp_path / records.FILE).touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(records, "_session", [])
    monkeypatch.setattr(predictions, "display", cards.append)
    return cards


def kept(name):
    return records.belief(name)


# What is said


@pytest.mark.parametrize("blank", [(), (...,), (None,)])
def test_a_blank_cell_runs_through_and_shows_question_and_choices(shown, blank):
    SPEED(*blank)
    assert repr(shown[0]) == (
        "speed: no prediction yet\n\nHow many times as fast?\n\n"
        "Say `2`, `20`, `100` or `1000`: `predict.speed(2)`, for example."
    )
    assert records.read() == []


@pytest.mark.parametrize(
    ("asked", "given", "said"),
    [
        (SPEED, 20, "20"),
        (SPEED, 20.0, "20"),
        (SPEED, np.int8(20), "20"),
        (CAUGHT, " Some  of IT ", "some of it"),
        (EQUAL, np.False_, "False"),
        (COUNT, 0, "0"),
    ],
)
def test_a_choice_is_kept(shown, asked, given, said):
    asked(given)
    assert shown[0].title == f"{asked.name}: you say {said}"
    assert kept(asked.name) == Belief(said)


class Odd:
    """Compares with nothing, and has no words."""

    def __eq__(self, other):
        raise ValueError

    __repr__ = __hash__ = None


NOT_CHOICES = [
    50,
    "20",
    True,
    math.nan,
    10**400,
    10**5000,
    [20],
    np.array([2, 20]),
    Odd(),
    2j,
    "x" * 1000,
    "\ud83d",
    len,
]


@pytest.mark.parametrize("given", NOT_CHOICES, ids=range(len(NOT_CHOICES)))
def test_what_is_no_choice_gets_the_choices_and_is_not_kept(shown, given):
    for asked in (SPEED, COUNT):
        asked(given)
        assert shown[-1].title.endswith("is none of the choices") and len(shown[-1].title) < 100
        assert asked.question == shown[-1].text and "Say `" in shown[-1].note
        assert kept(asked.name) == Belief()


def test_a_truth_is_no_number_and_a_number_no_truth(shown):
    COUNT(True)
    EQUAL(0)
    assert [card.title.endswith("is none of the choices") for card in shown] == [True, True]


def test_until_something_came_out_the_last_word_counts_and_after_that_it_stays(shown):
    SPEED(2)
    SPEED(2)
    SPEED(20)
    assert [event.said for event in records.read()] == ["2", "20"]
    SPEED.outcome(1200.0)
    SPEED(1000)
    assert repr(shown[-1]).startswith(
        "speed: you said 20, and that stays\n\nYou said it before you saw what came out"
    )
    assert kept("speed") == Belief("20", "1000", "1000")
    SPEED(1000)
    SPEED.outcome(1200.0)
    assert shown[-1].title == "speed: you said 20, it is ⟨1,200⟩"
    assert len(records.read()) == 4
    SPEED(20)  # all cells are run again
    assert shown[-1].title == "speed: you say 20"
    assert kept("speed") == Belief("20", "1000", "")
    SPEED(...)
    assert shown[-1].title == "speed: you said 20"


# What came out


FIGURES = [
    (SPEED, 6.3, 2),
    (SPEED, 6.4, 20),
    (SPEED, 317.0, 1000),
    (SPEED, 1e308, 1000),
    (SPEED, np.float32(90), 100),
    (SPEED, Fraction(1, 3), 2),
    (SPEED, 0.0, 2),
    (SPEED, -5, 2),
    (COUNT, 0, 0),
    (COUNT, 0.6, 1),
    (COUNT, 0.5, 0),
    (COUNT, 7, 2),
    (CAUGHT, "None", "none"),
    (EQUAL, np.bool_(True), True),
    (SPEED, math.nan, None),
    (SPEED, math.inf, None),
    (SPEED, 10**400, None),
    (SPEED, 10**5000, None),
    (SPEED, True, None),
    (SPEED, "20", None),
    (CAUGHT, "half", None),
    (CAUGHT, 1, None),
    (EQUAL, 1, None),
    (EQUAL, None, None),
    (EQUAL, np.array([True, False]), None),
    (CAUGHT, Odd(), None),
]


@pytest.mark.parametrize(("asked", "figure", "came"), FIGURES, ids=range(len(FIGURES)))
def test_a_figure_amounts_to_the_nearest_choice_or_to_none(shown, asked, figure, came):
    assert asked.nearest(figure) is came
    asked(asked.choices[0])
    asked.outcome(figure)
    assert ("cannot be compared" in shown[-1].title) is (came is None)
    assert kept(asked.name).came == ("" if came is None else str(came))


def test_a_card_compares_and_says_why_people_say_other_things_the_own_choice_first(shown):
    SPEED(20)
    SPEED.outcome(1246.3)
    assert repr(shown[-1]) == (
        "speed: you said 20, it is ⟨1,246⟩\n\nHow many times as fast?\n\n"
        "⟨Nearest of the choices: 1000, not as you said⟩.\n\n"
        "Why people say `20`: It sounds bold.\n\nWhy people say `2`: It sounds safe."
    )
    CAUGHT("all")
    CAUGHT.outcome("all")
    assert repr(shown[-1]) == (
        'caught: you said all, it is all\n\nIs it caught?\n\nAs you said.\n\nWhy people say `"none"`: They look `away`.'
    )


def test_of_a_measured_figure_nothing_outside_the_brackets_depends_on_it(shown):
    for said in (None, 2, 1000):
        SPEED(said)
        for figure in (3.0, 15.2, 1e5, 2e12):
            SPEED.outcome(figure)
        texts = [re.sub("⟨[^⟨⟩\n]{1,80}⟩", "⟨⟩", text) for c in shown for text in (repr(c), c._repr_html_())]
        alike = texts[-8:]
        assert set(alike[::2]) == {alike[0]} and set(alike[1::2]) == {alike[1]}


def test_a_counted_figure_is_compared_with_the_stored_one(shown):
    COUNT(1)
    COUNT.outcome(1)
    assert "⟨" not in repr(shown[-1])
    assert repr(shown[-1]).endswith("Nearest of the choices: 1, as you said.")


def test_without_a_prediction_it_is_shown_what_came_out_and_nothing_is_kept(shown):
    EQUAL.outcome(True)
    SPEED.outcome(15.0)
    assert shown[0].title == "equal: you said nothing, it is True"
    assert "⟨Nearest of the choices: 20⟩." in repr(shown[1])
    assert records.read() == []
    EQUAL(False)  # it is not too late
    assert kept("equal") == Belief("False")


def test_a_child_process_shows_and_keeps_nothing(shown, monkeypatch):
    monkeypatch.setattr(predictions.sandbox, "is_apart", lambda: True)
    SPEED(20)
    SPEED.outcome(3.0)
    assert (shown, records.read()) == ([], [])


# The questions


@pytest.mark.parametrize(
    "changed",
    [
        {"choices": (2,)},
        {"choices": (2, 2.0)},
        {"choices": (2, "20")},
        {"choices": (True, 20)},
        {"choices": ([2], [20])},
        {"answer": 50},
        {"answer": True},
        {"why": {50: "?"}},
    ],
)
def test_a_question_without_sense_is_refused(changed):
    given = {"name": "speed", "question": "?", "choices": (1, 20), "answer": 20} | changed
    with pytest.raises((ValueError, TypeError)):
        Prediction(**given)


def test_the_names_are_those_of_the_chapters_and_unique():
    found = {stem: tuple(one.name for one in predictions.of_chapter(stem)) for stem in predictions.NAMES}
    assert found == predictions.NAMES
    everywhere = [name for names in found.values() for name in names]
    assert len(everywhere) == len(set(everywhere)) and all(map(str.isidentifier, everywhere))
    others = {
        s for s, own in exercises.NAMES.items() if hasattr(exercises.chapter(s, "it"), "PREDICTIONS") and own
    }
    assert others <= set(found), "PREDICTIONS without a line in NAMES"


@pytest.mark.parametrize("stem", predictions.NAMES)
def test_questions_and_reasons_have_no_backtick_left(stem):
    for asked in predictions.of_chapter(stem):
        assert "`" not in asked.question  # the class page shows it as it is
        for reason in asked.why.values():
            assert "`" not in re.sub("<[^>]*>", "", html.paragraphs(reason))


def test_an_unwritten_one_is_named(monkeypatch):
    monkeypatch.setitem(predictions.NAMES, "00_start_here", ("speedup", "unwritten"))
    with pytest.raises(KeyError, match="NAMES has unwritten in 00_start_here, but PREDICTIONS"):
        predictions.get("unwritten")


def test_a_chapter_is_loaded_when_one_of_its_predictions_is_asked_for():
    code = (
        "import sys; from numba_course import predict; dir(predict); predict.speedup; predict.light; "
        "print([name for name in sys.modules if 'exercises.chapters.' in name], 'hypothesis' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert run.stdout == "['numba_course.exercises.chapters.start_here'] False\n"
