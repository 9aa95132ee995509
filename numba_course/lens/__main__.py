"""Run a program, and say what the compiler made of the functions that it called: ``python -m numba_course.lens``.

The table goes to stderr: what the program prints is what it would print without us. For another command, write a
function from a program and the options to an exit code, and name it in `COMMANDS`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from numba_course.lens import program as programs
from numba_course.lens.program import Program
from numba_course.lens.recording.calls import DISABLED, SECONDS, Recorder, is_jit_disabled
from numba_course.process import sandbox  # noqa: F401  # notes where packages are found, before the program's path is set

DESCRIPTION = """\
Runs a program as python would, and ends with a table of the compiled functions that it called from Python: races,
loops, allocations, the GIL and the disk cache, each looked at with the smallest arguments of its calls. The table
goes to stderr, and the exit code is the program's. With profile first, the table is of the lines
of compiled code that take the time."""


def calls(program: Program, options: argparse.Namespace) -> int:
    """Run a program, and tell what became of the compiled functions that it called; return its exit code."""
    with Recorder().recording() as recorder:
        code = program.run()
    if sys.stdout is not None:
        sys.stdout.flush()
    try:
        report = _report(recorder, options.seconds)
    except Exception as error:  # the program is done, and its exit code is its own
        print(f"there is no report, our bug: {type(error).__name__}: {error}", file=sys.stderr)
        return code
    print(*report.lines(), sep="\n", file=sys.stderr)
    if options.json:
        Path(options.json).write_text(report.as_json() + "\n", encoding="utf-8")
    if options.html:
        page = report.page(f"Compiled functions of {program.target}")
        Path(options.html).write_text(page, encoding="utf-8")
    return code


def _report(recorder, seconds):
    """Look at what was called."""
    from numba_course.lens.recording.looking import look
    from numba_course.lens.recording.report import Report

    if is_jit_disabled():
        return Report((), (DISABLED,))
    if recorder.called:
        print(f"looking at {len(recorder.called)} compiled functions ...", file=sys.stderr, flush=True)
    return Report(tuple(look(recorder.called, seconds)), tuple(recorder.notes))


def profile(program: Program, options: argparse.Namespace) -> int:
    """Run a program, and tell which lines of its compiled functions take the time; return its exit code."""
    from numba_course.lens import html
    from numba_course.lens.profiling.program import run
    from numba_course.lens.recording.report import PAGE

    try:
        found, code = run(program)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    if sys.stdout is not None:
        sys.stdout.flush()
    print(found, file=sys.stderr)
    if options.html:
        title = html.escape(f"Profile of {program.target}")
        Path(options.html).write_text(PAGE.format(title=title, body=found._repr_html_()), encoding="utf-8")
    if options.json:
        data = {
            "lines": [asdict(line) for line in found.tree],
            "samples": found.samples,
            "ended": found.ended,
        }
        Path(options.json).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
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
        type=float,
        default=SECONDS,
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
