"""Relations: what a sentence says of times is measured again, a bounded number of times, before the answer is no."""

import copy
import dataclasses
import itertools
import pickle
import re
import sys

import cloudpickle
import numba
import numpy as np
import pytest

from numba_course.lens import figures, timed, timing
from numba_course.lens.comparison import Candidate, Comparison, Sweep, compare
from numba_course.lens.relations import Relation
from numba_course.lens.timing import MEASURE, ROUNDS
from numba_course.process import sandbox
from numba_course.process.arguments import unpack

for pickling in (cloudpickle, numba.cloudpickle):
    pickling.register_pickle_by_value(sys.modules[__name__])  # a child cannot import a test module


def outside(text):
    return re.sub("⟨[^⟩]*⟩", "⟨⟩", text)


def entries(**seconds):
    return tuple(
        Candidate(name, times if isinstance(times, tuple) else (times,)) for name, times in seconds.items()
    )


def comparison(*measurements, efforts=None):
    """A comparison of invented times: the first of the measurements, and what it would find if it measured again."""
    later = iter(measurements[1:])
    asked = [] if efforts is None else efforts

    def repeat(effort):
        asked.append(effort)
        return entries(**next(later)), False

    return Comparison(entries(**measurements[0]), False, repeat if measurements[1:] else None)


SLOW, EQUAL, QUICK = {"one": 4.0, "two": 8.0}, {"one": 4.0, "two": 4.0}, {"one": 4.0, "two": 1.0}


# What is said


@pytest.mark.parametrize(
    ("bounds", "sentence"),
    [
        ({}, "two is faster than one"),
        ({"times": 2}, "two is more than 2 times as fast as one"),
        ({"times": 1.25}, "two is more than 1.25 times as fast as one"),
        ({"times": 0.8}, "two is more than 0.8 times as fast as one"),
        ({"times": 0.6, "at_most": 1.7}, "two is 0.6 to 1.7 times as fast as one"),
        ({"at_most": 1.7}, "two is 1 to 1.7 times as fast as one"),
        ({"times": 0, "at_most": 1.7}, "two is at most 1.7 times as fast as one"),
    ],
)
def test_a_relation_is_a_plain_sentence(bounds, sentence):
    assert outside(repr(comparison(QUICK).faster("two", **bounds))) == f"{sentence}: ⟨⟩"


@pytest.mark.parametrize(
    ("two", "seen"),
    [
        (0.5, "⟨yes: 8 times⟩"),
        (0.85, "⟨yes: 4.71 times⟩"),
        (0.0123, "⟨yes: 325 times⟩"),
        (1e-4, "⟨yes: 40000 times⟩"),
        (2.0, "⟨NO: 2 times, measured once⟩"),  # more than 2 times, the sentence says
        (16.0, "⟨NO: 0.25 times, measured once⟩"),
    ],
)
def test_the_answer_stands_in_brackets_with_what_was_measured(two, seen):
    relation = comparison({"one": 4.0, "two": two}).faster("two", times=2)
    assert (
        repr(relation) == str(relation) == f"{relation}" == f"two is more than 2 times as fast as one: {seen}"
    )
    assert bool(relation) is relation.holds is ("yes" in seen)
    assert relation.ratios == (4.0 / two,)


def test_outside_the_brackets_nothing_depends_on_the_clock():
    asked = [comparison(measured).faster("two", times=2) for measured in (SLOW, EQUAL, QUICK)]
    asked.append(comparison(SLOW).faster("two", times=2, only_if=False))
    assert len(set(map(repr, asked))) == 4 and len({outside(repr(relation)) for relation in asked}) == 1
    assert len({outside(relation._repr_html_()) for relation in asked}) == 1


def test_html_is_escaped():
    html = comparison({"<b>": 1.0, "x": 2.0}).faster("<b>", than="x")._repr_html_()
    assert "&lt;b&gt; is faster than x: <b>⟨yes: 2 times⟩</b>" in html


def test_a_relation_holds_within_its_bounds():
    about = [
        comparison({"one": 1.0, "two": two}).faster("two", times=0.5, at_most=2) for two in (0.4, 0.5, 1, 3)
    ]
    assert list(map(bool, about)) == [False, True, True, False]
    assert comparison(QUICK).faster("one", than="two", times=0.2).ratios == (0.25,)


@pytest.mark.parametrize("measured", [SLOW, QUICK])
def test_what_is_not_asked_of_this_machine_is_neither_measured_again_nor_denied(measured):
    efforts = []
    relation = comparison(measured, SLOW, efforts=efforts).faster("two", times=3, only_if=False)
    assert relation and efforts == []
    assert repr(relation) == "two is more than 3 times as fast as one: ⟨not asked of this machine⟩"


# Measuring again


@pytest.mark.parametrize(
    ("measurements", "efforts", "answer"),
    [
        ((QUICK, SLOW), [], "⟨yes: 4 times⟩"),
        ((SLOW, QUICK, SLOW), [2], "⟨yes: 4 times⟩"),
        ((SLOW, EQUAL, QUICK, SLOW), [2, 4], "⟨yes: 4 times⟩"),
        ((EQUAL, EQUAL, SLOW, QUICK), [2, 4], "⟨NO: 0.5 times, measured 3 times⟩"),
    ],
)
def test_it_measures_again_twice_and_for_longer_and_judges_by_the_last(measurements, efforts, answer):
    asked = []
    relation = comparison(*measurements, efforts=asked).faster("two", times=2)
    assert asked == efforts and relation.measurements == 1 + len(efforts)
    assert repr(relation).endswith(answer)
    assert relation.measured.entries == entries(**measurements[len(efforts)])


def test_the_rounds_are_compared_one_by_one_and_the_medians_must_agree():
    paired = {"one": (1.0, 10.0, 100.0), "two": (0.4, 4.0, 40.0)}
    assert comparison(paired).faster("two", times=2).ratios == pytest.approx((2.5,))
    apart = {
        "one": (1.0, 9.0, 9.0, 1.0, 5.0),
        "two": (8.0, 8.0, 8.0, 0.1, 1.0),
    }  # a figure would show 5 and 8
    relation = comparison(apart).faster("two")
    assert comparison(apart).ratio("two") < 1 and relation.ratios == (5 / 8,) and not relation


def test_more_may_be_asked_of_one_measurement_and_all_is_judged_anew():
    first, second = {"a": 4.0, "b": 1.0, "c": 9.0}, {"a": 4.0, "b": 8.0, "c": 2.0}
    third = {"a": 4.0, "b": 1.0, "c": 1.0}
    relation = comparison(first, second, third).faster("b", times=2)
    assert relation.measurements == 1
    assert relation.faster("b", times=3).faster("a", than="c").measured is relation.measured
    both = relation.faster("c", times=2)
    assert both and both.measurements == 3 and both.measured.entries == entries(**third)
    assert repr(both).splitlines() == [
        "b is more than 2 times as fast as a: ⟨yes: 4 times⟩",
        "c is more than 2 times as fast as a: ⟨yes: 4 times⟩",
    ]
    none = comparison(first, second, second).faster("b", times=2).faster("c", times=1.5)
    assert not none and [claim.name for claim in none.claims] == ["b", "c"]
    assert ["⟨NO" in line for line in repr(none).splitlines()] == [True, False]


def test_what_has_been_given_up_is_not_measured_again_for_one_more_claim():
    asked = []
    given_up = comparison(EQUAL, EQUAL, SLOW, QUICK, efforts=asked).faster("two", times=2)
    more = given_up.faster("two", times=0.1).faster("two", times=0.2)
    assert asked == [2, 4] and more.measurements == 3 and more.measured is given_up.measured
    assert ["⟨NO" in line for line in repr(more).splitlines()] == [True, False, False]


def test_a_comparison_measured_again_keeps_the_time_of_its_compiler():
    first = (Candidate("one", (1.0,), compile_seconds=3.0), Candidate("two", (2.0,)))
    later = (Candidate("one", (2.0,), compile_seconds=9.0), Candidate("two", (1.0,), compile_seconds=0.1))
    measured = Comparison(first, False, lambda effort: (later, True)).faster("two").measured
    assert [e.compile_seconds for e in measured.entries] == [3.0, None]
    assert measured.copied and measured.seconds("two") == 1.0


def test_a_sweep_renews_the_size_that_it_must():
    sweep = Sweep((10, 1000), (comparison(QUICK, SLOW), comparison(SLOW, EQUAL, QUICK)))
    relation = sweep.faster("two", at=10).faster("two", at=1000, times=2)
    assert repr(relation).splitlines() == [
        "two is faster than one at size 10: ⟨yes: 4 times⟩",
        "two is more than 2 times as fast as one at size 1,000: ⟨yes: 4 times⟩",
    ]
    assert relation.measurements == 3 and isinstance(relation.measured, Sweep)
    assert relation.measured.at(10) is sweep.at(10) and relation.measured.at(1000).seconds("two") == 1.0
    assert sweep.at(1000).seconds("two") == 8.0, "a relation alters nothing"
    assert "at wide" in repr(Sweep(("wide",), (comparison(QUICK),)).faster("two", at="wide"))


@pytest.fixture(scope="module")
def found():
    return compare({"sum": np.sum, "max": np.max}, np.ones(1))


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "replace": lambda value: dataclasses.replace(value, copied=True),
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
}


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_can_measure_again_too(found, way):
    entry = COPIES[way](found)._again((), 1).entry("sum")
    assert entry.seconds != found.entry("sum").seconds and not entry.difference


def test_how_it_measures_again_is_nobodys_business(found):
    assert found == dataclasses.replace(found, _repeat=None)
    assert "partial" not in repr(found) + found._repr_html_() + repr(
        found.faster("max", times=0, at_most=1e9)
    )


def total(values):
    """The sum; refuses all arguments but one."""
    if values[0] != 7.0:
        raise ValueError("other arguments")
    return values.sum()


def test_it_measures_the_same_call_again_though_the_arguments_have_changed():
    values = np.full(1000, 7.0)
    found = compare({"total": total, "sum": np.sum}, values)
    values[:] = 8.0
    relation = found.faster("total", than="sum", times=1e9)
    assert not relation and relation.measurements == 3 and not relation.measured.entry("total").difference


def test_it_takes_longer_for_the_one_size_that_it_measures_again(monkeypatch):
    seen = []

    def run(measure, jobs, cases, folder, effort, **limits):
        seen.append(([unpack(case)[0][0].size for case in cases], [name for name, *_ in jobs], effort))
        return sandbox.Outcome("returned", [(entries(**SLOW), False) for _ in cases])

    monkeypatch.setattr(sandbox, "run", run)
    sweep = compare({"one": np.sum, "two": np.all}, sizes={n: (np.ones(n),) for n in (3, 9)})
    assert not sweep.faster("two", at=9)
    assert seen == [([3, 9], ["one", "two"], 1), ([9], ["one", "two"], 2), ([9], ["one", "two"], 4)]


class Runner:
    """Counts the rounds that it runs; says that a call takes so many seconds."""

    def __init__(self, estimate):
        self.estimate, self.rounds, self.changes = estimate, 0, False

    def begin(self):
        return ""

    first = again = agree = lambda self, other: None

    def round(self):
        self.rounds += 1

    def entry(self):
        return self.rounds


@pytest.mark.parametrize(("estimate", "rounds"), [(1e-6, ROUNDS[1]), (MEASURE / 40, 20), (100.0, ROUNDS[0])])
def test_more_effort_is_so_many_times_as_many_rounds(estimate, rounds):
    for effort in (1, 2, 4):
        steps = timing._in_turn([Runner(estimate), Runner(estimate)], None, effort)
        with pytest.raises(StopIteration) as ended:
            while True:
                next(steps)
        assert ended.value.value == ((effort * rounds,) * 2, False)


WRONG_USES = [
    (lambda c: c.faster("three"), "name must be one of ['one', 'two'], not 'three'"),
    (lambda c: c.faster("two", than="three"), "name must be one of ['one', 'two'], not 'three'"),
    (lambda c: c.faster("one"), "'one' cannot be compared with itself: name another one with than="),
    (lambda c: c.faster("two", times=-1), "times must be a number from 0 on, not -1"),
    (lambda c: c.faster("two", times=float("nan")), "times must be a number from 0 on, not nan"),
    (lambda c: c.faster("two", times=2, at_most=2), "at_most must be a number above times=2, not 2"),
    (lambda c: c.faster("two", times=0), "times=0 holds of anything: give at_most as well"),
    (lambda c: Sweep((3,), (c,)).faster("two", at=4), "size must be one of (3,), not 4"),
    (lambda c: c.faster("two").faster("three"), "name must be one of ['one', 'two'], not 'three'"),
]


@pytest.mark.parametrize("number", range(len(WRONG_USES)))
def test_wrong_use_is_told(number):
    ask, message = WRONG_USES[number]
    with pytest.raises(ValueError, match=re.escape(message)):
        ask(comparison(QUICK))


@pytest.mark.parametrize("other", ["one", "two", "three"])
def test_no_relation_where_results_differ(other):
    found = Comparison(
        tuple(
            Candidate(name, (1.0,), difference="is wrong" * (name == other))
            for name in ("one", "two", "three")
        )
    )
    with pytest.raises(ValueError, match=f"no ratio: '{other}' is wrong"):
        found.faster("two", than="three")


def test_a_relation_cannot_be_altered():
    with pytest.raises(dataclasses.FrozenInstanceError):
        comparison(QUICK).faster("two").measured = None


# Times that somebody else takes


def test_times_taken_elsewhere_are_compared_in_the_same_way():
    clock = itertools.count(1)

    def measure():
        now = next(clock)
        return {"start": float(now), "again": (1.0 if now == 1 else 0.25) * now}

    found = timed(measure)
    assert [e.name for e in found.entries] == ["start", "again"] and found.seconds("again") == 1.0
    relation = found.faster("again", times=2)
    assert isinstance(relation, Relation) and relation and relation.measurements == 2
    assert relation.measured.entry("start").seconds == (2.0, 3.0) and next(clock) == 4
    refused = timed(measure).faster("start", than="again", times=2)
    assert refused.measurements == 3 and len(refused.measured.entry("start").seconds) == 4


def test_each_measurement_may_have_several_rounds():
    found = timed(lambda: {"one": [1.0, 2.0, 6.0], "two": np.array([3.0, 4.0, 12.0])})
    assert found.entry("two").seconds == (3.0, 4.0, 12.0) and found.ratio("two") == 2.0
    again = found.faster("two").measured
    assert again.entry("one").seconds == (1.0, 2.0, 6.0) * 4


def test_a_timing_says_nothing_that_nobody_looked_at():
    shown = repr(timed(lambda: {"one": 1e-6, "two": 2e-6}))
    assert outside(shown).splitlines() == [
        "function  one call  ratio to the first".replace("one call  ", "one call     "),
        "one       ⟨⟩  1",
        "two       ⟨⟩  ⟨⟩",
        "⟨⟩",
    ]
    assert timed(lambda: {"one": 1e-6}).warnings == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([{"one": 0.0, "two": 1.0}], "seconds must be above zero, not 0.0 for 'one'"),
        ([{"one": [1.0, -1.0], "two": [1.0, 1.0]}], "seconds must be above zero, not -1.0 for 'one'"),
        ([{"one": float("nan")}], "seconds must be above zero, not nan for 'one'"),
        ([{}], "measure must give names, and the same number of rounds for each of them"),
        ([{"one": 1.0, "two": [1.0, 2.0]}], "the same number of rounds for each"),
        ([{"one": 1.0, "two": 2.0}, {"two": 1.0, "one": 1.0}], "the same names in the same order each time"),
    ],
)
def test_times_that_cannot_be_compared_are_refused(given, message):
    measurements = itertools.cycle(given)
    with pytest.raises(ValueError, match=re.escape(message)):
        timed(lambda: next(measurements)).faster("two")


# Figures


def test_a_figure_says_which_relations_it_shows():
    measured = comparison({"one": 4.0, "two": 1.0, "three": 8.0})
    both, no = measured.faster("two").faster("one", than="three"), measured.faster("three")
    sentences = (
        "As measured: two is faster than one: ⟨yes: 4 times⟩; one is faster than three: ⟨yes: 2 times⟩; "
        "three is faster than one: ⟨NO: 0.5 times, measured once⟩."
    )
    drawn = figures.show(lambda ax: ax.plot([1, 2]), "A line.", both, no, size=(2, 2))
    assert drawn.alt == f"A line. {sentences}"
    plain = measured.figure()
    assert (
        measured.figure(both, no).alt == f"{plain.alt} {sentences}" and measured.figure(both).png == plain.png
    )
    sweep = Sweep((3,), (measured,))
    assert sweep.figure(both, no).alt == f"{sweep.figure().alt} {sentences}"
