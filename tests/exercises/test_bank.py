"""Every exercise against its bank: the solution, the stub, and answers that must be refused or accepted.

A file of the bank is ``tests/bank/<exercise>/<status>__<slug>.py``. Its first line says what must be found:
``# expect: <status>`` and, where the answer is not correct, ``: <words that the verdict must contain>``. What an older
Numba compiles otherwise ends with ``(from Numba 0.68 on)``.
"""

import re
from dataclasses import replace
from pathlib import Path

import numba
import pytest
from packaging.version import Version

from numba_course import exercises
from numba_course.exercises.examination.answer import python_function
from numba_course.exercises.examination.trial import Failure, Trial
from numba_course.exercises.examination.verdict import STATUSES

BANK = Path(__file__).parents[1] / "bank"
FILES = sorted(BANK.glob("*/*.py"))
EXERCISES = [exercise for chapter in exercises.by_chapter().values() for exercise in chapter]
# xdist gives what stands before the last :: to one process: so one exercise's answers, not the whole bank.
WITH_THREADS = ("threaded_sum", "partial_sum", "map_over_cluster")  # or about them
each_file = pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path,
            id=f"{path.parent.name}::{path.stem}",
            marks=[pytest.mark.load]
            * (path.parent.name in WITH_THREADS or path.stem.startswith("timed_out")),
        )
        for path in FILES
    ],
)
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)


def expectation(path):
    """Status and words that the first line of a bank file declares, and the oldest Numba that it holds for."""
    first = path.read_text(encoding="utf-8").splitlines()[0]
    found = re.fullmatch(r"# expect: ([a-z ]+?)(?:: (.+?))?(?: \(from Numba ([\d.]+) on\))?", first)
    assert found, f"{path.name} must begin with '# expect: <status>: <words>', not {first!r}"
    return found.groups()


@each_file
def test_the_bank_is_judged_as_declared(path):
    status, words, numba_from = expectation(path)
    if numba_from and Version(numba.__version__) < Version(numba_from):
        pytest.skip(f"it is so from Numba {numba_from} on")
    exercise = exercises.get(path.parent.name)
    if status == "timed out":
        exercise = replace(exercise, seconds=0.5, compiling=4)  # what never ends has not ended then, either
    verdict = exercise.examine_file(path)
    assert verdict.status == status, verdict.full()
    assert (words or "") in verdict.text()


def test_every_bank_file_declares_its_status_in_its_name_and_its_message():
    for path in FILES:
        status, words, _ = expectation(path)
        assert status in STATUSES, path
        assert path.stem.startswith(f"{status.replace(' ', '_')}__"), path
        assert words or status in ("correct", "not attempted"), path


def test_the_bank_holds_answers_of_exercises_alone():
    assert {path.parent.name for path in FILES} == {exercise.name for exercise in EXERCISES}


@each_exercise
def test_the_bank_is_rich_enough(exercise):
    statuses = [expectation(path)[0] for path in FILES if path.parent.name == exercise.name]
    assert statuses.count("correct") >= 2, "two right answers in different styles"
    assert len(statuses) - statuses.count("correct") >= 5, "five answers to refuse"


@each_exercise
def test_hints_are_staged_and_the_solution_is_explained(exercise):
    assert 2 <= len(exercise.hints) <= 4
    assert len(set(exercise.hints)) == len(exercise.hints)
    assert exercise.explanation
    assert re.search(rf"^(def|class) {exercise.name}\(", exercise.solution_source, re.MULTILINE)


@each_exercise
def test_the_trivial_answers_are_refused(exercise, tmp_path):
    """Zero, the first input, and zeros."""
    code = python_function(exercise.spec).__code__
    parameters = code.co_varnames[: code.co_argcount]
    for result in ("0", parameters[0], f"{parameters[0]} * 0"):
        if not gives_something_wrong(exercise, eval(f"lambda {', '.join(parameters)}: {result}")):
            path = tmp_path / "trivial.py"
            head = f"def {exercise.name}({', '.join(parameters)}):"
            path.write_text(f"from numba import njit\n\n\n@njit\n{head}\n    return {result}\n")
            assert not exercise.examine_file(path).passed, result


def gives_something_wrong(exercise, function):
    """Whether the first failing example tells that plain Python gives something wrong: compiled, it would, too."""
    trial = Trial(function, exercise)
    for args in exercise.examples():
        try:
            trial.run(args)
        except Failure as failure:
            return failure.status == "wrong"
    return False
