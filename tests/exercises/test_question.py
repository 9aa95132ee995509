"""The exercise engine on a toy exercise: every status, every way out, and no traceback of ours."""

import inspect
import linecache
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from numba import config, njit, prange, vectorize

from numba_course import exercises
from numba_course.exercises.examination.answer import Saved
from numba_course.exercises.examination.verdict import STATUSES, Finding, Verdict
from numba_course.exercises.requirements.accesses import RaceFree
from numba_course.exercises.requirements.kernels import KernelInBounds, OneSpecialisation
from numba_course.exercises.requirements.results import Matches, difference
from numba_course.exercises.requirements.structure import Parallel
from tests.exercises.toy import (
    Empty,
    Misspelt,
    Tripled,
    bare_examples,
    bare_inputs,
    broken_spec,
    exercise,
    racy_examples,
    triple,
)


def status(answer, *more, **changes):
    return exercise(*more, **changes).examine(answer).status


def test_the_solution_is_correct():
    verdict = exercise().examine(triple)
    assert verdict.passed, verdict.full()
    assert "in bounds" in verdict.checked
    assert "speed" in verdict.not_checked


@pytest.mark.parametrize("decorate", [njit, lambda f: f], ids=["njit", "plain"])
def test_empty_answers_are_not_attempted(decorate):
    def ellipsis(values): ...

    def passing(values):
        pass

    def documented(values):
        """Only words."""

    def refusing(values):
        raise NotImplementedError("later")

    for stub in (ellipsis, passing, documented, refusing):
        assert status(decorate(stub)) == "not attempted"
    assert status(None) == status(...) == "not attempted"


def test_a_result_instead_of_the_function_is_explained():
    verdict = exercise().examine(triple(np.ones(2)))
    assert verdict.status == "wrong"
    assert "pass the function itself: check(triple)" in repr(verdict)


def test_a_plain_function_is_not_compiled():
    verdict = exercise().examine(lambda values: 3.0 * values)
    assert verdict.status == "not compiled"
    assert "@njit" in repr(verdict)


def test_a_ufunc_counts_as_compiled():
    assert status(vectorize(lambda value: 3.0 * value)) == "correct"


def test_a_typing_error_is_not_compiled_and_names_the_line():
    @njit
    def answer(values):
        return values.nonsense

    finding = exercise().examine(answer).findings[0]
    assert "nonsense" in finding.seen
    assert finding.source == "return values.nonsense"
    assert "\n" not in finding.seen


def test_an_exception_is_raised_with_input_and_line():
    @njit
    def answer(values):
        if values.size > 1:
            raise ValueError("too long")
        return 3.0 * values

    verdict = exercise().examine(answer)
    assert verdict.status == "raised"
    assert "ValueError: too long" in repr(verdict)
    assert verdict.findings[0].source == 'raise ValueError("too long")'


def test_the_smallest_failing_input_is_shown():
    @njit
    def answer(values):
        return 3.0 * values if values.size < 7 else 2.0 * values

    verdict = exercise(examples=lambda: [(np.array([1.0]),)]).examine(answer)
    assert verdict.status == "wrong"
    assert verdict.findings[0].example == "values=np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])"


@pytest.mark.parametrize(
    "result, words",
    [
        (lambda v: v[:1] * 3, "shape"),
        (lambda v: (v * 3).astype(np.float32), "float32 array"),
        (lambda v: v * 0, "expected"),
        (lambda v: None, "returned None"),
        (lambda v: v.sum(), "a number, expected an array"),
        (lambda v: [3 * x for x in v], "list"),
    ],
    ids=["shape", "dtype", "zeros", "none", "scalar", "list"],
)
def test_wrong_results_are_told_apart(result, words):
    inner = njit(result)

    @njit
    def answer(values):
        return inner(values)

    verdict = exercise().examine(answer)
    assert verdict.status == "wrong"
    assert words in repr(verdict)


def test_a_changed_input_is_wrong():
    @njit
    def answer(values):
        result = 3.0 * values
        values[:] = 0
        return result

    verdict = exercise().examine(answer)
    assert verdict.status == "wrong"
    assert "it changed its argument `values`" in repr(verdict)


def test_reading_past_the_end_is_unmet_although_the_result_is_right():
    @njit
    def answer(values):
        result = np.empty(values.size)
        last = 0.0
        for i in range(values.size + 1):
            last = values[i]
            if i < values.size:
                result[i] = 3.0 * last
        return result

    verdict = exercise().examine(answer)
    assert verdict.status == "unmet"
    assert verdict.findings[0].requirement == "in bounds"
    assert verdict.findings[0].source == "last = values[i]"


def test_a_crash_is_told_and_explained():
    @njit
    def answer(values):
        result = np.empty(values.size)
        for i in range(10_000_000_000):
            result[i] = 3.0
        return result

    verdict = exercise().examine(answer)
    assert verdict.status == "crashed"
    assert "memory that is not its own" in verdict.findings[0].seen
    assert "outside an array" in verdict.findings[1].seen


@pytest.mark.load
def test_an_endless_loop_is_timed_out_and_the_input_named():
    @njit
    def answer(values):
        i = 0
        while i < 1:
            i -= 1
        return 3.0 * values

    verdict = exercise(seconds=0.5).examine(answer)
    assert verdict.status == "timed out"
    assert "calling it: values=" in repr(verdict)


@pytest.mark.load
def test_a_memory_bomb_crashes_only_the_child():
    def answer(values):
        kept = []
        while True:
            kept.append(np.ones(1 << 22))

    verdict = exercise(requirements=(Matches(),), seconds=60.0).examine(answer)
    assert verdict.status == "crashed"
    assert "512 MiB" in repr(verdict)


def test_sys_exit_is_raised_and_os_exit_crashed():
    def leave(values):
        sys.exit(0)

    def vanish(values):
        os._exit(0)

    assert status(leave, requirements=(Matches(),)) == "raised"
    assert status(vanish, requirements=(Matches(),)) == "crashed"


def test_output_is_kept_and_a_flood_is_cut():
    def answer(values):
        print("thinking " * 1000)
        return 3.0 * values

    verdict = exercise(requirements=(Matches(),)).examine(answer)
    assert verdict.passed
    assert verdict.output.startswith("thinking thinking")
    assert len(verdict.output) < 5_000


def test_a_numpy_patched_in_the_session_changes_no_verdict(monkeypatch):
    monkeypatch.setattr(np, "array", lambda *args: None)
    monkeypatch.setattr(np, "asarray", lambda *args: None)
    assert status(triple) == "correct"


def test_an_answer_that_cannot_travel_is_named():
    stream = sys.stdout.buffer

    def answer(values):
        return stream

    verdict = exercise(requirements=(Matches(),)).examine(answer)
    assert verdict.status == "raised"
    assert "cannot be sent" in repr(verdict)


def test_a_fault_of_the_checker_is_our_bug():
    verdict = exercise(spec=broken_spec).examine(triple)
    assert verdict.status == "our bug"
    assert "the checker is broken" in repr(verdict)


@pytest.mark.parametrize("field, given", [("examples", bare_examples), ("inputs", bare_inputs)])
def test_arguments_that_are_no_tuple_are_named(field, given):
    verdict = exercise(**{field: given}).examine(triple)
    assert verdict.status == "our bug"
    assert "must give tuples of arguments, not ndarray" in repr(verdict)


def test_an_exercise_that_is_named_and_not_written_is_told_apart(monkeypatch):
    monkeypatch.setitem(exercises.NAMES, "00_start_here", ("double", "unwritten"))
    with pytest.raises(KeyError, match="NAMES has unwritten in 00_start_here, but EXERCISES"):
        exercises.get("unwritten")


def test_parallel_needs_the_option_and_a_loop():
    def loop(values):
        result = np.empty(values.size)
        for i in prange(values.size):
            result[i] = 3.0 * values[i]
        return result

    assert status(njit(parallel=True)(loop), Parallel()) == "correct"
    missing = exercise(Parallel()).examine(njit(loop))
    assert missing.status == "unmet"
    assert "parallel=True is missing" in repr(missing)


def test_a_race_is_unmet_with_iterations_and_line():
    @njit(parallel=True)
    def answer(values):
        last = np.zeros(1)
        result = np.empty(values.size)
        for i in prange(values.size):
            last[0] = values[i]
            result[i] = 3.0 * values[i]
        return result

    verdict = exercise(RaceFree(racy_examples)).examine(answer)
    assert verdict.status == "unmet"
    finding = verdict.findings[0]
    assert finding.requirement == "race-free"
    assert "last[0]" in finding.seen
    assert finding.source == "last[0] = values[i]"


# The four things that show something


def test_check_hint_solution_and_why_show_cards(capsys):
    toy = exercise()
    toy.why()
    toy.check(...)
    toy.hint()
    toy.hint()
    toy.hint(1)
    toy.hint(9)
    toy.solution()
    toy.check(lambda values: values)
    toy.why()
    shown = capsys.readouterr().out
    assert "○ triple: not attempted yet" in shown
    assert shown.count("hint 1 of 2") == 2
    assert shown.count("hint 2 of 2") == 1
    assert "There are hints 1 to 2." in shown
    assert "def triple(values):" in shown
    assert shown.count("✗ triple: not compiled") == 1
    assert "triple: what the card left out\n\nAll that is asked: compiled; right result;" in shown


def test_check_never_raises(monkeypatch, capsys):
    monkeypatch.setattr("numba_course.process.sandbox.Child", lambda *args, **kwargs: 1 / 0)
    exercise().check(triple)
    assert "our bug" in capsys.readouterr().out


def test_a_copy_remembers_nothing(capsys):
    toy = exercise()
    toy.check(lambda values: values)
    replace(toy).why()
    assert "nothing to explain yet" in capsys.readouterr().out
    toy.why()
    assert "what the card left out" in capsys.readouterr().out


def test_an_answer_has_passed_if_the_last_check_was_of_it_and_found_it_correct(monkeypatch):
    toy, again = exercise(), njit(triple.py_func)

    def examine(exercise, answer, report=None):
        return Verdict(exercise.name, "correct" if answer in (triple, again) else "wrong")

    monkeypatch.setattr("numba_course.exercises.examination.examiner.examine", examine)
    assert not toy.passed(triple) and not toy.passed(None)
    toy.examine(triple)
    assert toy.passed(triple) and not toy.passed(again) and not replace(toy).passed(triple)
    toy.check(again)
    assert toy.passed(again) and not toy.passed(triple)
    toy.check(abs)
    assert not toy.passed(abs) and not toy.passed(again)


def test_a_chapter_is_loaded_when_one_of_its_exercises_is_asked_for():
    code = (
        "import sys; from numba_course import exercises; exercises.progress(); dir(exercises); exercises.double; "
        "print([name for name in sys.modules if 'exercises.chapters.' in name], 'hypothesis' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert run.stdout == "['numba_course.exercises.chapters.start_here'] False\n"


def test_the_names_are_those_of_the_chapters():
    found = {stem: tuple(e.name for e in chapter) for stem, chapter in exercises.by_chapter().items()}
    assert found == exercises.NAMES


def test_an_exercise_is_found_by_name_and_a_wrong_name_gets_a_near_one():
    assert exercises.get("double").name == "double"
    assert exercises.double is exercises.get("double")
    with pytest.raises(AttributeError, match="parallel_histogram"):
        _ = exercises.paralel_histogram
    assert "double" in dir(exercises)


# Answers in files


def test_a_file_is_judged_in_the_child_only(tmp_path):
    path = tmp_path / "answer.py"
    path.write_text("from numba import njit\n\n@njit\ndef triple(values):\n    return 3.0 * values\n")
    assert exercise().examine_file(path).passed
    path.write_text("import os\nos._exit(3)\n")
    assert exercise().examine_file(path).status == "crashed"
    path.write_text("def triple(values:\n    return 1\n")
    verdict = exercise().examine_file(path)
    assert (verdict.status, verdict.findings[0].line) == ("raised", 1)
    path.write_text("def other(): ...\n")
    with pytest.raises(LookupError, match="defines no function triple"):
        exercise().examine_file(path)


# Small parts


def test_difference_compares_shape_before_value_and_nan_with_nan():
    nan = np.array([np.nan, 1.0])
    assert difference(nan, nan.copy(), 0.0, "x") == ""
    assert "shape" in difference(np.zeros((3, 1)), np.zeros((3, 3)), 0.0, "x")
    assert difference(np.array([1.0 + 1e-10]), np.array([1.0]), 1e-9, "x") == ""
    assert difference(np.array([1.0 + 1e-8]), np.array([1.0]), 1e-9, "x")
    assert difference(np.array([np.inf]), np.array([1.0]), 1e-9, "x")
    assert difference(0.0, np.inf, 1e-9, "x")
    assert difference("a", 1.0, 0.0, "x")
    assert difference((1, 2), (1, 2), 0.0, "x") == ""
    assert difference((1, 2), (1, 3), 0.0, "x")
    assert difference((None, 1), (np.zeros(20), 1), 0.0, "x").startswith("x is None, expected")
    uneven = [[1.0], [1.0, 2.0]]
    assert difference(uneven, np.zeros(2), 0.0, "x").endswith("which is not a number or an array of numbers")

    long = np.arange(20.0)
    found = long * (1 + 1e-12)
    found[7] = 0.0
    assert difference(found, long, 1e-9, "x") == "x has 0.0 at [7], expected 7.0"


@pytest.mark.parametrize("name", STATUSES)
def test_every_card_is_static_and_says_its_status_in_words(name):
    verdict = Verdict(
        "triple", name, (Finding("race-free", "a < b & c", "x=1", 3, "a[i] = 1"),), output="<hi>"
    )
    card = verdict._repr_html_()
    assert STATUSES[name][1] in card
    assert "&lt;hi&gt;" in card and "a &lt; b &amp; c" in card
    for forbidden in ("var(", "<script", "<style", " id=", "<svg", "on" + "click"):
        assert forbidden not in card
    assert "\n" not in repr(verdict)


# ---- an answer that is a class, and is called as its exercise says


def of_a_class(answer):
    def call(answer, values):
        return answer().result(values)

    return exercise(call=call, requirements=(Matches(),)).examine(answer)


def test_a_class_is_judged_by_the_call_of_its_exercise():
    assert of_a_class(Tripled).passed
    assert of_a_class(Empty).status == "not attempted"
    failed = of_a_class(Misspelt)
    assert failed.status == "raised"
    assert failed.findings[0].source == "return self.factr * values"


def test_the_source_of_a_class_from_a_cell_travels_with_it():
    text = "import inspect\n\n\nclass Tripled:\n    def result(self, values):\n        return 3.0 * values\n"
    linecache.cache["a cell"] = (len(text), None, text.splitlines(True), "a cell")
    names = {"__name__": "__main__"}
    exec(compile(text, "a cell", "exec"), names)

    def call(answer, values):
        assert "3.0 * values" in inspect.getsource(answer.result)
        return answer().result(values)

    verdict = exercise(call=call, requirements=(Matches(),)).examine(names["Tripled"])
    assert verdict.passed, verdict.full()


# ---- what travels with an answer


def test_a_solution_may_show_a_constant_of_its_module():
    assert exercise(helpers=("NUMBER",)).solution_source.startswith("NUMBER = 3\n\n")


def test_a_saved_answer_is_read_without_what_our_file_asks_of_the_future(tmp_path):
    path = tmp_path / "answer.py"
    path.write_text("def triple(x: float):\n    ...\n\nassert triple.__annotations__['x'] is float\n")
    assert Saved(str(path), "triple").load().__name__ == "triple"


def test_a_saved_answer_uses_the_disk_cache_only_if_told(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "CACHE_DIR", "")  # then it is beside the file
    path = tmp_path / "answer.py"
    path.write_text(
        "from numba import njit\n\n@njit(cache=True)\ndef triple(values):\n    return values * 3\n"
    )
    answer = Saved(str(path), "triple")
    for caching in (False, True):
        answer.load(caching)(1)
        files = list(tmp_path.rglob("*.nbi"))
        assert bool(files) == caching


def test_a_wrapper_that_compiles_at_each_call_hears_of_that_before_bounds_that_were_not_looked_at():
    kinds = [type(requirement) for requirement in exercises.row_sums.requirements]
    assert kinds.index(OneSpecialisation) < kinds.index(KernelInBounds)
