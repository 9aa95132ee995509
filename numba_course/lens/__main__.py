"""Run a program, and say what the compiler made of the functions that it called: ``python -m numba_course.lens``.

The table goes to stderr: what the program prints is what it would print without us. For another command, write a
function from a program and the options to an exit code, and name it in `COMMANDS`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from numba_course.lens import program as programs
from numba_course.lens.program import Program, in_folder
from numba_course.lens.recording.calls import DISABLED, SECONDS, Recorder, is_jit_disabled, seconds_of
from numba_course.process import sandbox  # noqa: F401  # notes where packages are found, before the program's path is set

DESCRIPTION = """\
Runs a program as python would, and ends with a table of the compiled functions that it called from Python: races,
loops, allocations, the GIL and the disk cache, each looked at with the smallest arguments of its calls. The table
goes to stderr, and the exit code is the program's. With profile first, the table is of the lines
of compiled code that take the time."""


def calls(program: Program, options: argparse.Namespace) -> int:
    """Run a program, and tell what became of the compiled functions that it called; return its exit code."""
    folder = os.getcwd()
    with Recorder().recording() as recorder:
        code = program.run()
    try:
        with in_folder(folder):  # the program may have gone into another
            report = _report(recorder, SECONDS if options.seconds is None else options.seconds)
            _tell(*report.lines())
            texts = {"json": lambda: report.as_json() + "\n"}
            texts["html"] = lambda: report.page(f"Compiled functions of {program.target}")
            _write(options, texts)
    except Exception as error:  # the program is done, and its exit code is its own
        _tell(f"there is no report, our bug: {type(error).__name__}: {error}")
    return code


def _tell(*lines):
    """Lines for stderr, behind what the program has printed; nobody hears them where it has closed that."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            print(*lines, sep="\n", file=sys.stderr, flush=True)


def _write(options, texts):
    """Write the files that are asked for; what cannot be written is told."""
    from numba_course.lens.recording.report import unwritten

    for name, text in texts.items():
        path = getattr(options, name)
        if path and (why := unwritten(Path(path), text())):
            _tell(why)


def _report(recorder, seconds):
    """Look at what was called."""
    from numba_course.lens.recording.looking import look
    from numba_course.lens.recording.report import Report

    if is_jit_disabled():
        return Report((), (DISABLED,))
    if recorder.called:
        _tell(f"looking at {len(recorder.called)} compiled functions ...")
    return Report(tuple(look(recorder.called, seconds)), tuple(recorder.notes))


def profile(program: Program, options: argparse.Namespace) -> int:
    """Run a program, and tell which lines of its compiled functions take the time; return its exit code."""
    if is_jit_disabled():
        code = program.run()
        _tell(DISABLED)
        return code
    from numba_course.lens import html
    from numba_course.lens.profiling.program import run
    from numba_course.lens.recording.report import PAGE

    folder = os.getcwd()
    try:
        found, code = run(program)
    except RuntimeError as error:
        _tell(error)
        return 1
    lines = [asdict(line) for line in found.tree]
    data = {"lines": lines, "samples": found.samples, "ended": found.ended}
    title = html.escape(f"Profile of {program.target}")
    with in_folder(folder):
        _tell(found)
        texts = {"json": lambda: json.dumps(data, indent=1) + "\n"}
        texts["html"] = lambda: PAGE.format(title=title, body=found._repr_html_())
        _write(options, texts)
    return code


Command = Callable[[Program, argparse.Namespace], int]
COMMANDS: dict[str, Command] = {"calls": calls, "profile": profile}  # the first is meant if none is


def main(arguments: Sequence[str]) -> int:
    """Understand a command line, run the program in it, and return the exit code."""
    command, program, options = understood(arguments)
    return command(program, options)


def understood(arguments: Sequence[str]) -> tuple[Command, Program, argparse.Namespace]:
    """The command that is meant, the program that it is to run, and our options; or it exits, and says why."""
    parser = argparse.ArgumentParser(
        prog="python -m numba_course.lens",
        usage="%(prog)s [profile] [options] (script.py | -m module) [arguments of the program ...]",
        description=DESCRIPTION,
    )
    parser.add_argument("--json", metavar="FILE", help="write the report as JSON, too")
    parser.add_argument("--html", metavar="FILE", help="write the report as a page, too")
    parser.add_argument(
        "--seconds",
        type=seconds_of,
        metavar="N",
        help=f"look at no further function after N ({SECONDS:.0f})",
    )
    arguments, command = list(arguments), next(iter(COMMANDS))
    if arguments and arguments[0] in COMMANDS:
        command = arguments.pop(0)
    own, rest = _parted(arguments)
    options, program = parser.parse_args(own), programs.understood(rest)
    if program is None:
        parser.error("name a script, or -m and a module")
    if command == "profile" and options.seconds is not None:
        parser.error("profile takes no --seconds: it takes as long as the program")
    return COMMANDS[command], program, options


def _parted(arguments):
    """Our options, and what belongs to the program: from the first word on that is no option, or from -m."""
    for position, word in enumerate(arguments):
        takes_next = position and arguments[position - 1] in ("--json", "--html", "--seconds")
        if not takes_next and (word == "-m" or not word.startswith("-")):
            return arguments[:position], arguments[position:]
    return arguments, []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
