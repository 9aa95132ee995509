"""The command line: what each command says, takes and does; the standard library alone until a command runs."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from numba_course import __version__
from numba_course.host import (
    PROGRAM,
    ROOT,
    Trouble,
    WrongUse,
    absent,
    as_called,
    brought_by,
    hand_over,
    installed,
    is_checkout,
    no_such,
    program,
)
from numba_course.launch import environment

HOME = Path("~/numba-course")
PROCESSES = "3"  # of pytest: one of them often waits, so two cores are busy
NOT_WRITTEN = (errno.EPIPE, errno.ENOSPC, errno.EBADF)  # where output goes nowhere
WIDTH = 100  # of the help of a command
SUMMARY = "Learn JIT compilation in Python with Numba."
OWN_FOLDER = "Your own folder; the current one if it is yours, otherwise ~/numba-course."
OUTPUT = "File to write; shown in the terminal if not given."
CHAPTER = "Name of a chapter, or its number: 07_prange, prange or 7."
EXERCISE = "Name of the exercise, as in the notebook."


def main(arguments: list[str]) -> int:
    """Run a command line where its packages are; return the exit code."""
    for name in ("SIGTERM", "SIGHUP"):  # what a command has begun is cleared away, as after Ctrl-C
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _leave)
    return run(arguments, environment.enter)


def _leave(number, frame):
    sys.exit(128 + number)


def run(arguments: list[str], enter: Callable[..., None] | None = None) -> int:
    """Run a command line in this interpreter, which `enter` may leave for another one; return the exit code."""
    try:
        options = understood(arguments)
        if options is None:
            return 0
        command = COMMANDS[options.command]
        if not is_checkout(ROOT):
            _refuse_what_cannot_run(options.command, command)
        elif enter:
            enter(ROOT, arguments, command.extras)
        code = command.run(options) or 0
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except OSError as error:
        if error.errno not in NOT_WRITTEN:
            raise
        sys.stdout = None  # nothing more is written there, nor tried to be when Python ends
        if error.errno != errno.EPIPE and sys.stderr is not None:  # whoever read has gone, and wants no more
            print(f"numba_course: the output cannot be written: {error.strerror}.", file=sys.stderr)
        return 3
    except Trouble as trouble:
        print(f"numba_course: {as_called(str(trouble))}", file=sys.stderr)
        return trouble.code
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


def understood(arguments: list[str]) -> argparse.Namespace | None:
    """The arguments as options, the command among them; None where help or the version was asked for, and shown.

    Raises
    ------
    WrongUse
        If there is no such command, or an argument is missing, too many or not as it must be.
    """
    first, *others = arguments or ["--help"]
    if first == "help":
        first, others = (others or ["--help"])[0], ["--help"]
    if first in ("help", "-h", "--help", "--version"):
        print(f"numba_course {__version__}" if first == "--version" else overview())
        return None
    if first not in COMMANDS:
        raise WrongUse(no_such("command", first, [*COMMANDS, "--help", "--version"]))
    if first == "test" and others[:1] not in (["-h"], ["--help"]):  # all of it is for pytest
        return argparse.Namespace(command=first, arguments=others[others[:1] == ["--"] :])
    try:
        options, rest = parser(first).parse_known_intermixed_args(others)
    except SystemExit:  # after --help
        return None
    if rest:
        raise WrongUse(f"{first} does not know {rest[0]}; {PROGRAM} {first} --help says what it takes.")
    return options


def overview() -> str:
    """What the program does, and its commands."""
    commands = "\n".join(f"  {name:9} {command.summary}" for name, command in COMMANDS.items())
    usage = f"usage: {program()} COMMAND ...  or  --version"
    return f"{usage}\n\n{SUMMARY}\n\n{commands}\n\n{program()} COMMAND --help says more about a command."


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, as all commands do."""

    def error(self, message):
        said = message.removeprefix("argument ").replace(": must be", " must be")
        raise WrongUse(f"{said}; {self.prog} --help says what it takes.")


def parser(name: str) -> argparse.ArgumentParser:
    """The parser of a command."""
    command = COMMANDS[name]
    paragraphs = [command.summary, command.text, f"Example: {PROGRAM} {name} {command.example}"]
    parser = _Parser(
        prog=f"{program()} {name}",
        description="\n\n".join(textwrap.fill(as_called(text), WIDTH - 2) for text in paragraphs),
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, 4, 24, WIDTH),
        allow_abbrev=False,
    )
    parser.set_defaults(command=name)
    for flags, settings in command.arguments:
        parser.add_argument(*flags, **settings)
    return parser


@dataclass(frozen=True)
class Command:
    """One command: what its help says, what it takes and needs, and the function that does it."""

    run: Callable[[argparse.Namespace], int | None]
    summary: str
    text: str
    example: str
    arguments: tuple[tuple[tuple[str, ...], dict], ...]  # of `add_argument`
    extras: tuple[str, ...]  # optional dependencies that it needs
    checkout: bool  # whether it works in a checkout only


COMMANDS: dict[str, Command] = {}


def _command(name, summary, text, example, *arguments, extras=("course",), checkout=False):
    """Register a function as a command."""

    def register(function):
        COMMANDS[name] = Command(function, summary, text, example, arguments, extras, checkout)
        return function

    return register


def _taking(*flags, help, **settings):
    """An argument, or an option if it begins with ``--``, in the terms of `argparse`."""
    return flags, {"help": help, **settings}


def _folder(help=OWN_FOLDER):
    return _taking("folder", metavar="FOLDER", type=Path, nargs="?", help=help)


def _chapter(**settings):
    return _taking("chapter", metavar="CHAPTER", **{"help": CHAPTER, **settings})


def _exercise():
    return _taking("exercise", metavar="EXERCISE", help=EXERCISE)


def _output(help=OUTPUT, **settings):
    return _taking("--output", metavar="FILE", type=Path, help=help, **settings)


def _read_as(what, convert):
    """A type for `argparse`, which says what a value must be."""

    def read(text):
        try:
            return convert(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be {what}, not {text}") from None

    return read


NUMBER = _read_as("a whole number", int)
HOURS = _read_as("a number", float)
CLOCK = _read_as("a time such as 13:30", lambda text: time.strptime(text, "%H:%M"))


# For learners


@_command(
    "start",
    "Open the course in JupyterLab, where you left off.",
    "Copies the notebooks to a folder of your own and opens JupyterLab there, at the chapter to go on with. The same "
    "command later brings you back to your work, and brings in what a newer version of the course has added or mended: "
    "a cell that you edited always stays as it is, and so does a notebook that is open; the command says what it did. "
    "Where JupyterLab runs in the folder already, that one is shown. Where the packages of the course are missing, it "
    "first installs them, into .venv.",
    "~/my-course",
    _folder("Your own folder; ~/numba-course if not given. It is made if it does not exist."),
    _taking("--name", default="", help="How you wish to be called in a class, kept with your progress."),
    _taking("--no-browser", action="store_true", help="Do not open a browser; print the address instead."),
    _taking(
        "--port", metavar="NUMBER", type=NUMBER, default=0, help="Port to listen at; a free one if not given."
    ),
)
def _start(options):
    from numba_course.learner.start import start

    if not installed("jupyterlab"):
        raise Trouble(brought_by("course", "start", ["jupyterlab"]))
    start((options.folder or HOME).expanduser(), not options.no_browser, options.port, options.name)


@_command(
    "progress",
    "Show what is solved and what is next.",
    "Shows each chapter's exercises, how many tries they took, which one is next, and how many predictions you made. "
    "Your progress is kept in progress.jsonl in your folder, one line for each check, hint and prediction.",
    "~/my-course",
    _folder(),
)
def _progress(options):
    from numba_course.learner import notebook_files, terminal
    from numba_course.learner.start import progress_of

    terminal.progress(terminal.console(), progress_of(notebook_files.chapters(), _own(options.folder)))


@_command(
    "check",
    "Check an answer that is in a Python file.",
    "The same check as in the notebook, for those who work in another editor. The file must define a function with the "
    "name of the exercise. The check counts in your progress if the current folder or ~/numba-course is yours. Ends "
    "with 0 if the answer is correct, 1 if it is not, 2 if there is no such exercise, file or function, and 3 if the "
    "checker itself failed.",
    "double answers.py",
    _exercise(),
    _taking("file", metavar="FILE", type=Path, help="The Python file with your answer."),
)
def _check(options):
    from numba_course.exercises.records import record
    from numba_course.learner import terminal

    question = _question(options.exercise)
    folder = Path()
    with suppress(Trouble):
        folder = _own(None)
    if options.file.suffix == ".ipynb":
        raise WrongUse(f"{options.file} is a notebook; {PROGRAM} verify checks the answers in those.")
    try:
        verdict = question.examine_file(options.file)
    except LookupError as error:
        raise WrongUse(error.args[0]) from None
    except OSError as error:
        raise WrongUse(f"{options.file} cannot be read: {error.strerror}.") from None
    record(verdict, folder)
    terminal.verdict(terminal.console(), verdict)
    return terminal.exit_code([verdict])


@_command(
    "hint",
    "Show the next hint for an exercise.",
    "The same hints as in the notebook, one at a time, and counted with them if the current folder or ~/numba-course "
    "is yours.",
    "double",
    _exercise(),
    _taking(
        "number",
        metavar="NUMBER",
        type=NUMBER,
        nargs="?",
        help="Which hint, counted from 1; the next one if not given.",
    ),
)
def _hint(options):
    question = _question(options.exercise)
    with suppress(Trouble):
        os.chdir(_own(None))
    count = len(question.hints)
    if options.number is not None and options.number not in range(1, count + 1):
        raise WrongUse(f"{options.exercise} has hints 1 to {count}, not {options.number}.")
    question.hint(options.number)


@_command(
    "verify",
    "Check all your answers at once.",
    "Takes your answers from your notebooks, with the imports, functions and data that they need, and checks each in a "
    "fresh process, so that nothing is left over from a long session. These cells run again, with all that they do; "
    "where an answer is not correct then, so do all cells before it. Ends with 0 if every answer is correct "
    "(exercises that you have not answered do not count), 1 if one is not, 3 if the checker itself failed, and 130 if "
    "it was stopped.",
    "~/my-course",
    _folder(),
)
def _verify(options):
    from numba_course import exercises
    from numba_course.learner import answers, notebook_files, terminal

    console, folder = terminal.console(), _own(options.folder)
    found = answers.collect(notebook_files.chapters(), folder)
    verdicts = [
        (each.chapter, answers.verify(each, exercises.get(each.exercise) if each.cells else None, folder))
        for each in terminal.watched(console, found)
    ]
    terminal.verdicts(console, verdicts)
    return terminal.exit_code(verdict for _, verdict in verdicts)


@_command(
    "reset",
    "Begin an exercise anew.",
    "Puts the empty exercise back into your notebook. The answer that was there is kept, in a file of the folder "
    "answers. A notebook that is open in JupyterLab is not touched: the command says how to close it.",
    "double",
    _exercise(),
    _folder(),
)
def _reset(options):
    from numba_course.learner import answers, notebook_files

    try:
        notebook, kept = answers.reset(notebook_files.chapters(), _own(options.folder), options.exercise)
    except LookupError as error:
        raise WrongUse(error.args[0]) from None
    print(f"{options.exercise} is empty again in {notebook}.")
    if kept:
        print(f"Your answer is kept in {kept}.")


@_command(
    "doctor",
    "Find out whether this machine can run the course.",
    "Tries what the course needs: packages, the compiler, threads, the cache, a check, and JupyterLab. Says how to "
    "mend each fault. Ends with 0 if the course can be run and 1 if not. Needs no network.",
    "--report > report.txt",
    _taking(
        "--report",
        action="store_true",
        help="Add the versions and settings of this machine, to be sent to someone who can help.",
    ),
    extras=(),  # it says what is missing
)
def _doctor(options):
    from numba_course.learner import doctor, terminal

    found = doctor.examine()
    if options.report:
        print(as_called(found.report()))
    else:
        terminal.diagnosis(terminal.console(), found)
    return 0 if found.healthy else 1


# For instructors


@_command(
    "agenda",
    "For instructors: a timetable for the hours there are.",
    "Cuts the course to the hours there are, from the minutes that the chapters give, with breaks. Exercises that do "
    "not fit are to be taken home, and so is what no time is left for: the timetable says which.",
    "--hours 4 --start 13:30 --format html --output agenda.html",
    _taking(
        "--hours", metavar="HOURS", type=HOURS, required=True, help="How many there are, breaks included."
    ),
    _taking(
        "--start",
        metavar="TIME",
        type=CLOCK,
        default="09:00",
        help="When each day begins; 09:00 if not given.",
    ),
    _taking(
        "--format",
        metavar="FORMAT",
        default="text",
        help="text, markdown, or html, a page to print; text if not given.",
    ),
    _output(),
    extras=("teach",),
)
def _agenda(options):
    from numba_course.teaching import agenda

    if options.format not in agenda.FORMATS:
        raise WrongUse(f"--format must be one of {', '.join(agenda.FORMATS)}, not {options.format}.")
    start = options.start.tm_hour * 60 + options.start.tm_min
    plan = agenda.plan(agenda.chapters(), options.hours, start)
    _deliver(agenda.FORMATS[options.format](plan), options.output)


@_command(
    "slides",
    "For instructors: a chapter as slides.",
    "Makes one file that any browser shows without a network. Outputs appear at a key press, so that the room can "
    "predict them; key S opens the speaker's view with the notes.",
    "07_prange",
    _chapter(),
    _output("File for the slides; CHAPTER.slides.html if not given."),
    extras=("teach",),
)
def _slides(options):
    from numba_course.teaching import lesson, slides

    found = lesson.find(options.chapter)
    _deliver(slides.deck(found), options.output or Path(f"{found.stem}.slides.html"))


@_command(
    "notes",
    "For instructors: what to aim at, to ask, and to expect.",
    "Shows the notes that the chapter's text has for instructors: its aim, how to spend the time, what to ask the "
    "room, and what goes wrong. Learners' notebooks do not have them.",
    "07_prange",
    _chapter(),
    _output(),
    extras=("teach",),
)
def _notes(options):
    from numba_course.teaching import lesson

    _deliver(lesson.find(options.chapter).notes(), options.output)


@_command(
    "class",
    "For instructors: how the class stands.",
    "Makes a page from the progress files that learners hand in: who is stuck where, which wrong answers are "
    "common, and what the room predicted. A learner who gave no name is a number. Files that cannot be read are named "
    "on the page.",
    "handed-in --output class.html",
    _taking(
        "folder",
        metavar="FOLDER",
        type=Path,
        help="Folder with the learners' progress.jsonl files, in folders of their own or renamed.",
    ),
    _output("File for the page; class.html if not given.", default=Path("class.html")),
    _taking("--no-names", action="store_true", help="Number all learners, and name no file."),
    extras=("teach",),
)
def _class(options):
    from numba_course.teaching import classroom

    if not options.folder.is_dir():
        raise WrongUse(f"there is no folder {options.folder}.")
    _deliver(classroom.page_of(options.folder, names=not options.no_names), options.output)


# For those who change the course


@_command(
    "test",
    "Run the tests of the course itself.",
    "For those who change the course: runs pytest in the checkout, in several processes. Paths count from there.",
    "tests/learner/test_start.py -k folder",
    _taking("arguments", metavar="ARGUMENTS", nargs="*", help="Arguments of pytest, options of all kinds."),
    extras=("course", "test", "scale", "teach"),
    checkout=True,
)
def _test(options):
    command = [sys.executable, "-m", "pytest", "-n", PROCESSES, *options.arguments]
    hand_over(command, ROOT, environment.kept_bytecode(ROOT))


@_command(
    "build",
    "Make the notebooks from their text.",
    "For those who change the course: makes the blank and the solved notebook of each chapter from notebooks/source, "
    "runs them and stores their outputs. Building twice gives identical files.",
    "07_prange",
    _chapter(nargs="*", help="Chapters to make, named as 07_prange, prange or 7; all if not given."),
    _taking(
        "--check", action="store_true", help="Change nothing; fail if a notebook is not what its text gives."
    ),
    extras=("course", "test", "scale", "teach"),
    checkout=True,
)
def _build(options):
    from numba_course.authoring.build import build_all

    return build_all(options.chapter or None, check=options.check)


@_command(
    "bench",
    "Measure the kernels against other libraries.",
    "Runs each kernel of the course and its peers in turns, on one thread and on several, and prints the ratio of "
    "their times: below 1, ours is faster. There is no ratio where the results differ; the command then ends with 1. "
    "Peers that are not installed are left out; the extra peers brings them.",
    "memcpy --json memcpy.json",
    _taking(
        "kernel", metavar="KERNEL", nargs="?", help="Kernel to measure, such as memcpy; all if not given."
    ),
    _taking(
        "--json",
        metavar="FILE",
        type=Path,
        help="File for the results: kernel, case, peer, threads, ratio, low, high and more.",
    ),
    _taking("--figure", metavar="FILE", type=Path, help="File for a figure of all ratios, PNG."),
    _taking(
        "--table",
        metavar="FILE",
        type=Path,
        help="File to keep the results in, Markdown: sections on other kernels and processors stay.",
    ),
    _taking("--threads", metavar="N", type=int, help="Only the cases on so many threads; all if not given."),
    _taking("--toy", action="store_true", help="Small inputs, once: only whether the results agree."),
    checkout=True,
)
def _bench(options):
    from numba_course.authoring import bench

    harness = bench.harness()
    if options.kernel not in (None, *harness.names()):
        raise WrongUse(no_such("kernel", options.kernel, harness.names()))
    try:
        return harness.run(
            options.kernel, options.toy, options.json, options.figure, options.table, options.threads
        )
    except OSError as error:
        raise Trouble(f"cannot write {error.filename}: {error.strerror}.") from None


# What several commands need


def _refuse_what_cannot_run(name, command):
    """Where the package was installed without a checkout: say what a command lacks."""
    if command.checkout:
        raise Trouble(f"{name} needs a checkout of the course; this is an installed package.")
    for extra in command.extras:
        if missing := absent(extra):
            raise Trouble(brought_by(extra, name, missing))


def _deliver(text, output):
    """Show a text, or write it to a file."""
    from numba_course.learner.notebook_files import write_text

    if output is None:
        print(text, end="")
        return
    try:
        write_text(output, text)
    except OSError as error:
        raise Trouble(f"{output} cannot be written: {error.strerror}.") from error
    print(f"Written: {output}")


def _own(folder):
    """The learner's folder: the one given, otherwise the current one if it is one, otherwise that in the home."""
    from numba_course.exercises import records

    candidates = [folder] if folder else [Path.cwd(), HOME.expanduser()]
    for candidate in candidates:
        if records.is_kept(candidate):
            return candidate
    raise (WrongUse if folder else Trouble)(
        f"{candidates[-1]} is no folder of yours yet; {PROGRAM} start makes one."
    )


def _question(name):
    """The exercise of this name."""
    from numba_course import exercises

    try:
        return exercises.get(name)
    except LookupError as error:
        raise WrongUse(error.args[0]) from None
