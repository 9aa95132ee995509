"""The race detector: reported races found, valid programs left in peace, the same verdict on every machine."""

import importlib
import os
import runpy
import subprocess
import sys
import unittest
from collections import Counter
from functools import partial

import numpy as np
import pytest
from numba import config, literally, njit, prange, vectorize

from numba_course import lens
from numba_course.lens.race import _interpreter, _steps, detector
from numba_course.lens.race._reductions import settle
from numba_course.lens.race.detector import detect
from numba_course.process.options import given_options, parallel_of
from tests.lens.race.cases import constructs, integers, loops, options, statements, views  # noqa: F401  # they add to CASES
from tests.lens.race.cases.reported import CASES
from tests.peers import agrees_with_every_peer


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fn.__name__)
def test_a_reported_program_gets_its_verdict(case, monkeypatch):
    monkeypatch.setattr(_interpreter, "STEPS", 20_000)  # a small part: to interpret a million takes seconds
    found = detect(case.fn, case.args)
    assert found.verdict == case.verdict, repr(found)
    for words in case.says:
        assert words in repr(found)
    assert bool(found.conflicts) == (found.verdict == "race")


def test_the_cases_speak_of_both_sides():
    tally = Counter(case.verdict for case in CASES)
    assert tally["race"] >= 30
    assert tally["none found"] >= 20


@njit(parallel=True)
def guarded(values, divisors):
    out = np.zeros(values.size)
    try:
        out[1] = 1 / divisors[0]
    except Exception:
        out[1] = 0
    for i in prange(values.size):
        out[0] += values[i]
    return out


def test_try_statement_is_followed_until_it_catches_something():
    assert detect(guarded, (np.ones(3), np.ones(1))).verdict == "race"
    caught = detect(guarded, (np.ones(3), np.zeros(1)))
    assert caught.verdict == "not checked" and "inside a try statement" in repr(caught)


@njit(parallel=True)
def in_an_inner_loop_under_a_condition(a):
    total = 0.0
    for i in prange(len(a)):
        if a[i] >= 0:
            for _ in range(3):
                total += a[i]
    return total


def test_a_sum_is_lost_where_numba_does_not_take_it_for_one():
    """Numba 0.68 returns 0, on any number of threads; 0.67 knows the reduction."""
    a = np.arange(8.0)
    is_right = in_an_inner_loop_under_a_condition(a) == 84
    found = detect(in_an_inner_loop_under_a_condition, (a,))
    assert found.verdict == ("none found" if is_right else "race")
    assert is_right or "total is read after the loop" in repr(found)


def test_a_seed_that_meets_other_threads_gets_a_remark():
    case = next(case for case in CASES if case.fn.py_func is loops.numba_4452_seed_of_one_thread.py_func)
    assert "remark: np.random.seed on line" in repr(detect(case.fn, case.args))


def test_an_error_of_ours_is_told_as_ours(monkeypatch):
    def fail(*args):
        raise AttributeError("planted")

    monkeypatch.setattr(_steps, "setitem", fail)
    found = detect(racy, (DATA, np.zeros(4, np.int64)))
    assert found.verdict == "not checked"
    assert "our bug" in found.reason and "AttributeError: planted" in found.reason


class Recorded(unittest.SkipTest):
    """Ends a borrowed test once its function and arguments are known."""


def borrowed():
    """Functions of Numba's own tests of valid prange loops, with their arguments."""
    from numba.tests import test_parfors

    calls = []

    def record(self, pyfunc, *args, patch_instance=None, **kwargs):
        calls.append((self.id().rpartition(".")[2], self.generate_prange_func(pyfunc, patch_instance), args))
        raise Recorded

    for base in (test_parfors.TestPrangeBasic, test_parfors.TestPrangeSpecific):
        kind = type(base.__name__, (base,), {"prange_tester": record})
        for name in unittest.defaultTestLoader.getTestCaseNames(kind):
            test = kind(name)
            try:
                test.setUp()
                getattr(test, name)()
            except Exception:  # among others `Recorded`; the floor below counts what was recorded
                continue
    return calls


@pytest.mark.filterwarnings("ignore")
def test_no_false_alarm_on_the_valid_loops_of_numbas_own_tests():
    verdicts = {}
    for name, function, args in borrowed():
        small = tuple(arg[:16] if isinstance(arg, np.ndarray) and arg.ndim == 1 else arg for arg in args)
        try:
            verdicts[name] = detect(njit(parallel=True)(function), small)
        except TypeError:
            continue  # the test wants the call refused
    tally = Counter(found.verdict for found in verdicts.values())
    alarms = {name: found for name, found in verdicts.items() if found.verdict == "race"}
    assert set(alarms) <= {"test_parfor_race_1"}, alarms  # its test wants Numba's own warning of a race
    assert tally["none found"] >= 20, tally


@njit(parallel=True)
def racy(data, counts):
    for i in prange(data.size):
        counts[data[i]] += 1


DATA = np.array([0, 1, 3, 2, 3, 3])


def test_a_dictionary_of_options_that_numba_has_emptied_is_known_still():
    case = next(c for c in CASES if c.fn is options.loops_that_are_not_to_be_merged)
    kept = case.fn.py_func
    fn = njit(parallel={"fusion": False})(kept)
    fn(*case.args)
    assert fn.targetoptions["parallel"] == {}
    assert detect(fn, case.args).verdict == "none found"
    assert given_options(fn)["parallel"]["fusion"] is False
    assert detect(njit(parallel=True)(kept), case.args).verdict == "race"


def test_what_numba_compiles_after_it_has_emptied_the_options_is_merged():
    @njit(parallel={"fusion": False})
    def two_loops(a, b, out):  # made here, so that the child need not import this module, which takes seconds
        for i in prange(len(a)):
            a[i] = i
        for i in prange(len(a)):
            out[i] = b[i]

    up = np.arange(9.0)
    args = up[:-1], up[1:], np.zeros(8)
    small = tuple(arg.astype(np.float32) for arg in args)
    two_loops(*small)
    assert [detect(two_loops, args).verdict, lens.races(two_loops, *args).verdict] == ["race", "race"]
    two_loops(*args)
    assert [parallel_of(compiled)["fusion"] for compiled in two_loops.overloads.values()] == [False, True]
    assert [detect(two_loops, args).verdict, detect(two_loops, small).verdict] == ["race", "none found"]


def test_looking_alters_nothing():
    @njit(parallel=True)
    def first(data, out):  # made here, so that the child need not import this module, which takes seconds
        for i in prange(data.size):
            out[0] = data[i]

    out = np.zeros(4, np.int64)
    found = lens.races(first, DATA, out)
    assert found.verdict == "race"
    assert first.signatures == []
    assert out.sum() == 0


def test_the_race_vanishes_with_prange_and_comes_back_with_it():
    @njit(parallel=True)
    def safe(data, counts):
        for k in prange(counts.size):
            for i in range(data.size):
                if data[i] == k:
                    counts[k] += 1

    assert detect(safe, (DATA, np.zeros(4, np.int64))).verdict == "none found"
    assert detect(racy, (DATA, np.zeros(4, np.int64))).verdict == "race"


def test_calls_of_the_same_types_share_one_compilation(monkeypatch):
    """Not so where a value becomes part of the types: another one may make other loops."""
    compiled = []
    monkeypatch.setattr(detector, "settle", lambda *call: compiled.append(call) or settle(*call))
    settled = {}
    ones, halves = np.zeros(8, np.int64), np.arange(8)[::2]
    verdicts = [
        detect(racy, (data, np.zeros(8, np.int64)), settled=settled).verdict
        for data in (ones, ones[:1], halves)
    ]
    assert (verdicts, len(compiled)) == (["race", "not checked", "none found"], 2)

    @njit(parallel=True)
    def by_value(out, step):
        literally(step)
        for i in prange(4):
            out[i // step] = i

    settled.clear()
    for step in (1, 2):
        detect(by_value, (np.zeros(4), step), settled=settled)
    assert (len(compiled), settled) == (4, {})


ELSEWHERE = """
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange
from numba_course.lens.race.detector import detect

@njit(parallel=True)
def racy(data, counts):
    for i in prange(data.size):
        counts[data[i]] += 1

@njit(parallel=True)
def by_thread(data):
    counts = np.zeros((get_num_threads(), 4), np.int64)
    for i in prange(data.size):
        counts[get_thread_id(), data[i]] += 1
    return counts

data = np.array([0, 1, 3, 2, 3, 3])
print(detect(racy, (data, np.zeros(4, np.int64))))
print(detect(by_thread, (data,)))
"""


@pytest.mark.load
def test_the_verdict_does_not_depend_on_the_number_of_threads(tmp_path, capsys):
    """Here there are as many as the machine has, elsewhere another number."""
    program = tmp_path / "program.py"
    program.write_text(ELSEWHERE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, program],
        env=os.environ | {"NUMBA_NUM_THREADS": "1" if config.NUMBA_NUM_THREADS > 1 else "4"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "iterations 2 and 4 both write counts[3]" in done.stdout
    runpy.run_path(str(program))
    assert capsys.readouterr().out == done.stdout


@pytest.mark.parametrize(
    "fn, words",
    [(lambda x: x, "plain Python function"), (vectorize(lambda x: x), "ufunc"), (3, "int")],
    ids=["plain", "ufunc", "number"],
)
def test_wrong_use_is_named(fn, words):
    with pytest.raises(TypeError, match=words):
        lens.races(fn, DATA)


@njit(parallel=True)
def binned(data, bins=4, *, step=1, out=None):
    for i in prange(data.size):
        out[data[i] * step % bins] += 1


@njit(parallel=True)
def second_takes_from_first(count, *arrays):
    for i in prange(count):
        arrays[1][i] = arrays[0][0]
        arrays[0][i] = i


class Kind:
    counts = staticmethod(racy)


OUT = np.zeros(8, np.int64)


@pytest.mark.parametrize(
    ("fn", "args", "named", "says"),
    [
        (binned, (np.arange(8),), {"out": OUT}, "iterations 0 and 4 both write out[0]"),
        (binned, (np.arange(8),), {"out": OUT, "bins": 8}, "none found"),
        (binned, (), {"data": np.arange(3), "step": 0, "out": OUT}, "iterations 0 and 1 both write out[0]"),
        (partial(binned, bins=8, out=OUT), (np.arange(8),), {}, "none found"),
        (partial(binned, bins=8, out=OUT), (np.arange(8),), {"bins": 3}, "0 and 3 both write out[0]"),
        (second_takes_from_first, (3, OUT, OUT.copy()), {}, "iteration 1 reads arrays[0][0]"),
        (Kind().counts, (DATA, OUT), {}, "iterations 2 and 4 both write counts[3]"),
    ],
    ids=["default", "keyword", "all", "partial", "partial_overridden", "star", "method"],
)
def test_a_call_is_given_as_it_is_made(fn, args, named, says):
    assert says in repr(detect(fn, args, named))


def test_keyword_arguments_reach_the_child():
    @njit(parallel=True)
    def first(data, *, out):
        for i in prange(data.size):
            out[0] = data[i]

    assert lens.races(first, DATA, out=OUT).verdict == "race"
    with pytest.raises(TypeError, match="unexpected keyword argument 'nope'"):
        lens.races(first, DATA, out=OUT, nope=OUT)
    with pytest.raises(TypeError, match="argument out is of type 'object', which Numba does not know"):
        lens.races(first, DATA, out=object())


def test_a_missing_argument_is_named():
    with pytest.raises(TypeError, match="counts"):
        lens.races(racy, DATA)


def test_the_card_and_the_figure_say_what_was_seen():
    found = detect(racy, (DATA, np.zeros(4, np.int64)))
    assert "counts[3]" in found._repr_html_()
    assert "In conflict: iterations 2 and 4 both write counts[3]" in found.figure().alt


def test_the_figure_shades_every_element_in_conflict():
    found = detect(racy, (np.array([1, 2, 0, 1, 3, 2]), np.zeros(4, np.int64)))
    assert {touch.element for touch in found.touches if touch.conflict} == {(1,), (2,)}
    assert {touch.element for touch in found.touches} == {(0,), (1,), (2,), (3,)}


def test_the_instruments_answer_in_their_benchmark():
    agrees_with_every_peer("lens")


def test_lines_of_other_files_are_told_with_the_file(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    text = "from numba import njit\n\n@njit\ndef put(counts, k):\n    counts[k] += 1\n"
    (tmp_path / "lens_puts.py").write_text(text, encoding="utf-8")
    put = importlib.import_module("lens_puts").put

    @njit(parallel=True)
    def calls(counts):
        for i in prange(4):
            put(counts, i % 2)

    said = "both write counts[0] (line 5 of lens_puts.py: counts[k] += 1)"
    assert said in repr(lens.races(calls, np.zeros(2)))
