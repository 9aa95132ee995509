"""Every exercise against its bank: the solution, the stub, and answers that must be refused or accepted.

They are judged as files. As cells all of them are judged where NUMBA_COURSE_WEEKLY is set, and otherwise a few of those
that travel as more than a function and its options.

A file of the bank is ``tests/bank/<exercise>/<status>__<slug>.py``. Its first line says what must be found:
``# expect: <status>`` and, where the answer is not correct, ``: <words that the verdict must contain>``. What an older
Numba compiles otherwise ends with ``(from Numba 0.68 on)``.
"""

import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import numba
import pytest
from packaging.version import Version

from numba_course import exercises
from numba_course.exercises.examination.answer import python_function
from numba_course.exercises.examination.judge import Specification, data
from numba_course.exercises.examination.trial import Trial
from numba_course.exercises.examination.verdict import STATUSES
from numba_course.process.arguments import pack, unpack
from tests.cells import run_cell

BANK = Path(__file__).parents[1] / "bank"
FILES = sorted(BANK.glob("*/*.py"))
EXERCISES = [exercise for chapter in exercises.by_chapter().values() for exercise in chapter]
# xdist gives what stands before the last :: to one process: so one exercise's answers, not the whole bank.
WITH_THREADS = ("threaded_sum", "partial_sum", "map_over_cluster")  # or about them
# What cannot travel from a cell where a library does not say where it was loaded to, and the words of the card.
REFUSED_IN_CELLS = {"memcpy_bytes/correct__an_address_made_callable.py": "by its address alone"}
# Of their answers, C functions, classes, threads, closures, or what has a disk cache travel from a cell.
ABOUT_MORE = (
    *WITH_THREADS,
    *("memcpy_bytes", "cached_memcpy", "bessel_j0"),
    *("cached_polynomial", "never_stale", "Invert", "RandomBrightness"),
)


def each_of(files):
    """The test, once for each of these files of the bank."""
    return pytest.mark.parametrize(
        "path",
        [
            pytest.param(
                path,
                id=f"{path.parent.name}::{path.stem}",
                marks=[pytest.mark.load]
                * (path.parent.name in WITH_THREADS or path.stem.startswith("timed_out")),
            )
            for path in files
        ],
    )


def in_cells():
    """The files that are judged as cells, too: all, or of each of some exercises a right one."""
    if os.environ.get("NUMBA_COURSE_WEEKLY"):
        return FILES
    return [min(path for path in FILES if path.match(f"{name}/correct__*")) for name in ABOUT_MORE]


each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)


def expectation(path):
    """Status and words that the first line of a bank file declares, and the oldest Numba that it holds for."""
    first = path.read_text(encoding="utf-8").splitlines()[0]
    found = re.fullmatch(r"# expect: ([a-z ]+?)(?:: (.+?))?(?: \(from Numba ([\d.]+) on\))?", first)
    assert found, f"{path.name} must begin with '# expect: <status>: <words>', not {first!r}"
    return found.groups()


@each_of(FILES)
def test_the_bank_is_judged_as_declared(path):
    verdict_is_as_declared(path, lambda exercise: exercise.examine_file(path))


@each_of(in_cells())
def test_the_bank_is_judged_in_a_cell_as_declared(path):
    try:
        names = run_cell(path.read_text(encoding="utf-8"))
    except (SyntaxError, SystemExit):  # then a cell leaves no answer
        return
    words = REFUSED_IN_CELLS.get(f"{path.parent.name}/{path.name}")
    if words and sys.platform != "linux":
        verdict = exercises.get(path.parent.name).examine(names[path.parent.name])
        assert verdict.status == "raised" and words in verdict.text(), verdict.full()
        return
    verdict_is_as_declared(path, lambda exercise: exercise.examine(names[exercise.name]))


def verdict_is_as_declared(path, examined):
    """Hold a verdict against the first line of the file; ``examined(exercise)`` gives it."""
    status, words, numba_from = expectation(path)
    if numba_from and Version(numba.__version__) < Version(numba_from):
        pytest.skip(f"it is so from Numba {numba_from} on")
    exercise = exercises.get(path.parent.name)
    if status == "timed out":
        exercise = replace(exercise, seconds=0.5, compiling=4)  # what never ends has not ended then, either
    verdict = examined(exercise)
    assert verdict.status == status, verdict.full()
    told = [verdict.text(), *(f"{finding.requirement}: {finding.seen}" for finding in verdict.findings)]
    assert any((words or "") in text for text in told), told


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
    trial, specification = Trial(function, exercise), Specification(exercise)
    for args in map(pack, exercise.examples()):
        status, came = trial.call(unpack(args))
        if status != "done":
            return False
        if unmet := specification.unmet(args, data(came)):
            return unmet[0][0] == "wrong"
    return False
