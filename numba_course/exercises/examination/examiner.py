"""The session's side of a check: send an answer to a child process, and read what came of it."""

from __future__ import annotations

import tempfile
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from numba_course.exercises.examination.answer import Saved, is_stub, live
from numba_course.exercises.examination.children import MEMORY, Processes, violent_end
from numba_course.exercises.examination.modules import Module, write
from numba_course.exercises.examination.verdict import Finding, Verdict
from numba_course.process import sandbox

if TYPE_CHECKING:
    from numba_course.exercises.question import Exercise

READING = 5.0  # seconds for an answer that returns the text of modules


def examine(exercise: Exercise, answer: object) -> Verdict:
    """Examine an answer of this session; see `Exercise.examine`."""
    return _guarded(exercise, lambda: _of_session(exercise, answer))


def examine_file(exercise: Exercise, path: str | Path) -> Verdict | None:
    """Examine the function of the exercise's name in a Python file; None if it defines none.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with open(path, encoding="utf-8"):
        pass
    return _guarded(exercise, lambda: _sent(exercise, Saved(str(path), exercise.name)))


def _guarded(exercise, examination):
    """Call `examination`; a fault of ours is a verdict, not a traceback."""
    try:
        return examination()
    except Exception as error:
        return _our_bug(exercise, f"{type(error).__name__}: {error}", traceback.format_exc())


def _of_session(exercise, answer):
    if is_stub(answer):
        return Verdict(exercise.name, "not attempted")
    if not callable(answer):
        seen = f"{type(answer).__name__} was given; pass the function itself: check({exercise.name})"
        return Verdict(exercise.name, "wrong", (Finding("a function", seen),))
    try:
        return _sent(exercise, live(answer))
    except TypeError as error:
        if "cannot be sent" not in str(error):
            raise
        finding = Finding("runs in a process of its own", f"the answer {error}")
        return Verdict(exercise.name, "raised", (finding,))


def _sent(exercise, answer):
    """The verdict on an answer that is judged in a child process; where it is text, that is written first."""
    with tempfile.TemporaryDirectory() as folder:
        if not exercise.modules:
            return _judged(exercise, answer, folder)
        seconds, files = min(READING, exercise.seconds), exercise.modules.files
        outcome = sandbox.run(write, answer, files, folder, seconds=seconds, memory=MEMORY)
        if outcome.ended != "returned":
            return _badly_ended(exercise, outcome)
        if outcome.value:
            status, finding = outcome.value
            return _verdict(exercise, status, [finding], outcome)
        return _judged(exercise, Module(folder, exercise.modules.module, exercise.modules.function), folder)


def _judged(exercise, answer, folder):
    """Judge the answer in a child; where all is met, look at further processes, which share the folder."""
    outcome = _in_child(exercise, answer, "judge")
    if outcome.ended != "returned":
        return _badly_ended(
            exercise, outcome, _autopsy(exercise, answer) if outcome.ended == "crashed" else ()
        )
    status, findings = outcome.value
    if exercise.modules and status in ("missing", "not attempted"):
        where = f"{exercise.modules.module}.py defines no function `{exercise.modules.function}`"
        status, findings = "wrong", [Finding("files", f"{where}, or an empty one")]
    if status == "correct":
        processes = Processes(exercise, answer, folder)
        for requirement in exercise.requirements:
            if finding := requirement.of_processes(processes):
                status, findings = requirement.status, [finding]
                break
    return _verdict(exercise, status, findings, outcome)


def _in_child(exercise, answer, task):
    """Have a child do a task of `trial`."""
    question = replace(exercise, reference=None, helpers=())
    return sandbox.run(_do, task, answer, question, seconds=exercise.seconds, memory=MEMORY)


def _do(task, answer, question):
    """What the child runs; the import is here so that the notebook does not pay for it."""
    from numba_course.exercises.examination import trial

    return getattr(trial, task)(answer, question)


def _autopsy(exercise, answer):
    """What a run of a crashed answer finds that looks at nothing but its bounds."""
    outcome = _in_child(exercise, answer, "bounds_only")
    return outcome.value[1] if outcome.ended == "returned" else ()


def _verdict(exercise, status, findings, outcome):
    """The verdict of a child that returned; None where there is no such function."""
    if status in ("missing", "not attempted"):
        return None if status == "missing" else Verdict(exercise.name, status)
    checked = tuple(requirement.name for requirement in exercise.requirements)
    return Verdict(exercise.name, status, tuple(findings), checked, exercise.not_checked, outcome.output)


def _badly_ended(exercise, outcome, more=()):
    """The verdict on a child that gave no answer."""
    if outcome.ended == "raised":
        error = outcome.error
        while_ = f" (while {outcome.step})" if outcome.step else ""
        return _our_bug(exercise, f"{error.kind}: {error.message}{while_}", error.full)
    status = "timed out" if outcome.ended == "timed out" else "crashed"
    return Verdict(exercise.name, status, (violent_end(outcome), *more), output=outcome.output)


def _our_bug(exercise, message, full):
    finding = Finding("our bug", f"the checker failed, not your answer: {message}", full=full)
    return Verdict(exercise.name, "our bug", (finding,))
