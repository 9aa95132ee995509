"""The commands themselves, once the environment has typer and rich; their texts are in `commands`."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from numba_course.workbook.commands import COMMANDS, as_called, program
from numba_course.workbook.environment import ROOT, Trouble, hand_over, is_checkout, kept_bytecode, lacking

HOME = Path("~/numba-course")
PROCESSES = "3"  # of pytest: one of them often waits, so two cores are busy
app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run(arguments):
    """Run a command line; return its exit code."""
    try:
        app(arguments, prog_name=program())
    except SystemExit as end:
        return end.code or 0


def _command(name, **settings):
    """Register a function under `name`, with the help that `COMMANDS` gives it."""
    described = COMMANDS[name]
    return app.command(name, help=escape(as_called(f"{described.summary}\n\n{described.text}")), **settings)


def _argument(command, name):
    return typer.Argument(metavar=name, help=COMMANDS[command].arguments[name], show_default=False)


def _option(command, name):
    return typer.Option(name, help=COMMANDS[command].arguments[name], show_default=False)


@_command("start")
def start(
    folder: Annotated[Path | None, _argument("start", "FOLDER")] = None,
    name: Annotated[str, _option("start", "--name")] = "",
    no_browser: Annotated[bool, _option("start", "--no-browser")] = False,
    port: Annotated[int, _option("start", "--port")] = 0,
):
    from numba_course.workbook.start import start as open_course

    open_course((folder or HOME).expanduser(), not no_browser, port, name)


@_command("progress")
def progress(folder: Annotated[Path | None, _argument("progress", "FOLDER")] = None):
    from numba_course.workbook import notebooks, tables
    from numba_course.workbook.start import progress_of

    tables.progress(console(), progress_of(notebooks.chapters(), _own(folder)))


@_command("check")
def check(
    exercise: Annotated[str, _argument("check", "EXERCISE")],
    file: Annotated[Path, _argument("check", "FILE")],
):
    from numba_course.exercises.records import record
    from numba_course.workbook import tables

    question = _question(exercise)
    folder = Path()
    with suppress(Trouble):
        folder = _own(None)
    try:
        verdict = question.examine_file(file)
    except LookupError as error:
        raise typer.BadParameter(error.args[0]) from None
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from None
    record(verdict, folder)
    tables.verdict(console(), verdict)
    raise typer.Exit(tables.exit_code([verdict]))


@_command("hint")
def hint(
    exercise: Annotated[str, _argument("hint", "EXERCISE")],
    number: Annotated[int | None, _argument("hint", "NUMBER")] = None,
):
    question = _question(exercise)
    with suppress(Trouble):
        os.chdir(_own(None))
    count = len(question.hints)
    if number is not None and number not in range(1, count + 1):
        raise typer.BadParameter(f"{exercise} has hints 1 to {count}, not {number}")
    question.hint(number)


@_command("verify")
def verify(folder: Annotated[Path | None, _argument("verify", "FOLDER")] = None):
    from numba_course import exercises
    from numba_course.workbook import answers, notebooks, tables

    folder = _own(folder)
    found = answers.collect(notebooks.chapters(), folder)
    verdicts = [
        (answer.chapter, answers.verify(answer, answer.cells and exercises.get(answer.exercise), folder))
        for answer in tables.watched(console(), found, lambda answer: answer.exercise)
    ]
    tables.verdicts(console(), verdicts)
    raise typer.Exit(tables.exit_code(verdict for _, verdict in verdicts))


@_command("reset")
def reset(
    exercise: Annotated[str, _argument("reset", "EXERCISE")],
    folder: Annotated[Path | None, _argument("reset", "FOLDER")] = None,
):
    from numba_course.workbook import answers, notebooks

    try:
        notebook, kept = answers.reset(notebooks.chapters(), _own(folder), exercise)
    except LookupError as error:
        raise typer.BadParameter(error.args[0]) from None
    console().print(f"{exercise} is empty again in {notebook}.")
    if kept:
        console().print(f"Your answer is kept in {kept}.")


@_command("doctor")
def doctor(report: Annotated[bool, _option("doctor", "--report")] = False):
    from numba_course.workbook import doctor, tables

    found = doctor.examine()
    if report:
        print(as_called(found.report()))
    else:
        tables.diagnosis(console(), found)
    raise typer.Exit(0 if found.healthy else 1)


# For instructors


@_command("agenda")
def agenda(
    hours: Annotated[int, _option("agenda", "--hours")],
    start: Annotated[str, _option("agenda", "--start")] = "09:00",
    format: Annotated[str, _option("agenda", "--format")] = "text",
    output: Annotated[Path | None, _option("agenda", "--output")] = None,
):
    from numba_course.workbook import agenda

    try:
        hour, minute = map(int, start.split(":"))
    except ValueError:
        hour, minute = 24, 0
    if not (0 <= hour < 24 and 0 <= minute < 60):
        raise typer.BadParameter(f"--start must be a time such as 13:30, not {start}")
    if hours not in agenda.CUTS:
        raise typer.BadParameter(f"--hours must be one of {', '.join(map(str, agenda.CUTS))}, not {hours}")
    if format not in agenda.FORMATS:
        raise typer.BadParameter(f"--format must be one of {', '.join(agenda.FORMATS)}, not {format}")
    plan = agenda.plan(agenda.chapters(), hours, hour * 60 + minute)
    _deliver(agenda.FORMATS[format](plan), output)


@_command("slides")
def slides(
    chapter: Annotated[str, _argument("slides", "CHAPTER")],
    output: Annotated[Path | None, _option("slides", "--output")] = None,
):
    _teaching("slides")
    from numba_course.workbook import lesson, slides

    found = lesson.find(chapter)
    _deliver(slides.deck(found), output or Path(f"{found.stem}.slides.html"))


@_command("notes")
def notes(
    chapter: Annotated[str, _argument("notes", "CHAPTER")],
    output: Annotated[Path | None, _option("notes", "--output")] = None,
):
    _teaching("notes")
    from numba_course.workbook import lesson

    _deliver(lesson.find(chapter).notes(), output)


@_command("class")
def classroom(
    folder: Annotated[Path, _argument("class", "FOLDER")],
    output: Annotated[Path, _option("class", "--output")] = Path("class.html"),
    no_names: Annotated[bool, _option("class", "--no-names")] = False,
):
    from numba_course.workbook import classroom

    _deliver(classroom.page_of(folder, names=not no_names), output)


def _teaching(command):
    """Refuse where the packages are missing that only instructors need."""
    if missing := lacking("teach"):
        raise Trouble(f"{command} needs {', '.join(missing)}: pip install numba-course[teach] brings them.")


def _deliver(text, output):
    """Show a text, or write it to a file."""
    from numba_course.workbook.notebooks import write_text

    if output is None:
        print(text, end="")
        return
    try:
        write_text(output, text)
    except OSError as error:
        raise Trouble(f"{output} cannot be written: {error.strerror}.") from error
    print(f"Written: {output}")


# For those who change the course


@_command("test", context_settings={"ignore_unknown_options": True})
def test(arguments: Annotated[list[str] | None, _argument("test", "ARGUMENTS")] = None):
    command = [sys.executable, "-m", "pytest", "-n", PROCESSES, *(arguments or ())]
    hand_over(command, _checkout("test"), kept_bytecode(ROOT))


@_command("build")
def build(
    chapters: Annotated[list[str] | None, _argument("build", "CHAPTER")] = None,
    only_check: Annotated[bool, _option("build", "--check")] = False,
):
    _checkout("build")
    from numba_course.workbook.build import build_all

    raise typer.Exit(build_all(chapters or None, check=only_check))


@_command("bench")
def bench(
    kernel: Annotated[str | None, _argument("bench", "KERNEL")] = None,
    json: Annotated[Path | None, _option("bench", "--json")] = None,
    figure: Annotated[Path | None, _option("bench", "--figure")] = None,
    toy: Annotated[bool, _option("bench", "--toy")] = False,
):
    _checkout("bench")
    from numba_course.workbook.bench import harness

    try:
        code = harness().run(kernel, toy, json, figure)
    except LookupError as error:
        raise typer.BadParameter(error.args[0]) from None
    except OSError as error:
        raise Trouble(f"cannot write {error.filename}: {error.strerror}.") from None
    raise typer.Exit(code)


def _checkout(command):
    """The checkout's folder, which `command` cannot do without."""
    if not is_checkout(ROOT):
        raise Trouble(f"{command} needs a checkout of the course; this is an installed package.")
    return ROOT


def _own(folder):
    """The learner's folder: the one given, otherwise the current one if it is one, otherwise that in the home."""
    from numba_course.exercises import records

    candidates = [folder] if folder else [Path.cwd(), HOME.expanduser()]
    for candidate in candidates:
        if records.is_kept(candidate):
            return candidate
    raise Trouble(f"{candidates[-1]} is no folder of yours yet; python3 -m numba_course start makes one.")


def _question(name):
    """The exercise of this name."""
    from numba_course import exercises

    try:
        return exercises.get(name)
    except LookupError as error:
        raise typer.BadParameter(error.args[0]) from None


def console():
    """The terminal, which shows texts as they are, and breaks no line of ours where none is."""
    return Console(markup=False, highlight=False, soft_wrap=not sys.stdout.isatty())
