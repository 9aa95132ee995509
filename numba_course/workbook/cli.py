"""The commands themselves, once the environment has typer and rich; their texts are in `commands`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from numba_course.workbook.commands import COMMANDS
from numba_course.workbook.environment import ROOT, Trouble, hand_over, is_checkout

COLOURS = {"good": "green", "bad": "red", "warn": "yellow", "info": "blue", "plain": "magenta"}
app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run(arguments):
    """Run a command line; return its exit code."""
    try:
        app(arguments, prog_name="numba_course")
    except SystemExit as end:
        return end.code or 0


def _command(name, **settings):
    """Register a function under `name`, with the help that `COMMANDS` gives it."""
    described = COMMANDS[name]
    return app.command(name, help=f"{described.summary}\n\n{described.text}", **settings)


def _argument(command, name):
    return typer.Argument(metavar=name, help=COMMANDS[command].arguments[name], show_default=False)


def _option(command, name):
    return typer.Option(name, help=COMMANDS[command].arguments[name], show_default=False)


@_command("start")
def start(
    folder: Annotated[Path | None, _argument("start", "FOLDER")] = None,
    no_browser: Annotated[bool, _option("start", "--no-browser")] = False,
    port: Annotated[int, _option("start", "--port")] = 0,
):
    from numba_course.workbook.start import start as open_course

    open_course((folder or Path("~/numba-course")).expanduser(), not no_browser, port)


@_command("check")
def check(
    exercise: Annotated[str, _argument("check", "EXERCISE")],
    file: Annotated[Path, _argument("check", "FILE")],
):
    from numba_course import exercises
    from numba_course.exercises import records
    from numba_course.exercises.verdict import STATUSES

    try:
        question = exercises.get(exercise)
        verdict = question.examine_file(file)
    except LookupError as error:
        raise typer.BadParameter(error.args[0]) from None
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from None
    records.record(question.name, verdict.status)
    title, _, rest = verdict.text().partition("\n")
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(title, style=f"bold {COLOURS[STATUSES[verdict.status][2]]}"))
    if rest:
        console.print(Text(rest))
    raise typer.Exit({"correct": 0, "our bug": 3}.get(verdict.status, 1))


@_command("test", context_settings={"ignore_unknown_options": True})
def test(arguments: Annotated[list[str] | None, _argument("test", "ARGUMENTS")] = None):
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadscope", *(arguments or ())]
    hand_over(command, directory=_checkout("test"))


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
