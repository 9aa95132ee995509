"""What is asked of a call: what holds, what is broken, and what cannot be told; the allowances of races."""

import inspect

import numpy as np
import pytest
from numba import njit, prange

from numba_course import lens
from numba_course.lens import properties
from numba_course.lens.properties import BROKEN, HOLDS, NOT_CHECKED, NOT_CONCERNED, Call, asked


@njit(parallel=True)
def collide(indices, counts, embedding, flag):
    for i in prange(indices.size):
        counts[indices[i]] += 1  # COUNT
        embedding[i % 3] = embedding[(i + 1) % 3] + 1.0  # EMBED
        flag[0] = 1.0  # FLAG


@njit(parallel=True)
def stops(values, names):
    for i in prange(values.size):
        values[0] = i
    if "x" in {name: 1 for name in names}:
        raise ValueError("no")
    for i in prange(values.size):
        values[1] = i


@njit
def serial(values):
    total = 0.0
    for value in values:
        total += value
    return total


@njit
def grown(n):
    found = [0]
    for i in range(n):
        found.append(i)
    return len(found)


LINES = {
    text.strip(): collide.py_func.__code__.co_firstlineno + offset
    for offset, text in enumerate(inspect.getsource(collide.py_func).splitlines())
}
COUNT, EMBED, FLAG = (
    next(n for text, n in LINES.items() if mark in text) for mark in ("COUNT", "EMBED", "FLAG")
)


@pytest.fixture(scope="module")
def collision():
    return Call(collide, (np.arange(20) % 4, np.zeros(4), np.zeros(3), np.zeros(1)))


def test_races_have_a_place_for_every_pair_of_lines(collision):
    places = {(place.array, place.lines, place.same_value) for place in collision.races.places}
    assert places == {
        ("counts", (COUNT,) * 2, False),
        ("embedding", (EMBED,) * 2, False),
        ("flag", (FLAG,) * 2, True),
    }


@pytest.mark.parametrize(
    "allow, verdict",
    [
        ((), BROKEN),
        (("counts", "embedding"), BROKEN),
        (("counts", "embedding", "flag"), HOLDS),
        (("counts", "embedding", "same value"), HOLDS),
        (("two writes", "read and write"), HOLDS),
        (("read and write", "counts", "flag"), BROKEN),  # two iterations write the embedding, too
        ((COUNT, EMBED, FLAG), HOLDS),
        ((COUNT, EMBED), BROKEN),
        (("counts", "embedding", "flag", "weights"), BROKEN),  # which allows nothing
        (("counts", "embedding", "flag", 3), BROKEN),
        (("counts", "embedding", "flag", "not checked"), BROKEN),
    ],
)
def test_allowances_name_arrays_lines_and_kinds_and_each_is_needed(collision, allow, verdict):
    assert properties.race_free(collision, allow).verdict == verdict


def test_what_is_not_allowed_is_shown(collision):
    finding = properties.race_free(collision, ("counts", "embedding"))
    assert "flag[0]" in repr(finding.card) and "counts" not in repr(finding.card)


def test_a_race_that_is_allowed_vouches_for_nothing_that_came_after_it():
    call = Call(stops, (np.zeros(4), ("x", "y")))
    assert call.races.verdict == "race" and "ValueError" in call.races.reason
    finding = properties.race_free(call, ("values",))
    assert finding.verdict == NOT_CHECKED and "ValueError" in finding.sentence
    assert properties.race_free(call, ("values", "not checked")).verdict == HOLDS


def test_what_could_not_be_checked_vouches_for_no_other_allowance():
    call = Call(stops, (np.zeros(1), ("x", "y")))
    assert call.races.verdict == "not checked"
    assert properties.race_free(call, ("not checked",)).verdict == HOLDS
    finding = properties.race_free(call, ("not checked", "nonsense", 4))
    assert finding.verdict == BROKEN and "one of 'nonsense', line 4" in finding.sentence
    call = Call(stops, (np.zeros(4), ("x", "y")))
    assert properties.race_free(call, ("values", "not checked", "nonsense")).verdict == BROKEN


def test_what_is_not_parallel_is_not_concerned_by_races():
    assert properties.race_free(Call(serial, (np.ones(9),))).verdict == NOT_CONCERNED


def test_what_grows_is_not_said_to_allocate_little():
    finding = properties.allocations(Call(grown, (3,)), 9)
    assert finding.verdict == NOT_CHECKED and "grow" in finding.sentence


def test_keywords_go_by_position_as_far_as_no_omitted_default_comes_before():
    @njit
    def scaled(values, by=1.0, plus=0.0):
        return values * by + plus

    assert properties.by_position(scaled, (1,), {"by": 2.0}) == ((1, 2.0), {})
    assert properties.by_position(scaled, (1,), {"plus": 2.0}) == ((1,), {"plus": 2.0})
    assert properties.by_position(scaled, (1,), {"no": 2.0}) == ((1,), {"no": 2.0})


def test_what_no_instrument_takes_is_not_checked():
    for check in (properties.race_free, properties.packed, properties.allocations, properties.cache_fresh):
        finding = asked(check, Call(sorted, ([1],)))
        assert finding.verdict == NOT_CHECKED and "builtin" in finding.sentence


def test_parallel_loops_of_callees_are_seen_in_the_machine_code():
    @njit
    def calls(indices, counts, embedding, flag):
        collide(indices, counts, embedding, flag)

    args = np.arange(20) % 4, np.zeros(4), np.zeros(3), np.zeros(1)
    assert lens.machine_code(calls, *args).parallel
    assert not lens.machine_code(serial, np.ones(3)).parallel
