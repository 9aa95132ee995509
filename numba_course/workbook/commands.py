"""What each command does and takes, in plain text: the help of a machine without an environment, and typer's.

Standard library alone, because it is read before there is an environment.
"""

import difflib
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

PROGRAM = "python3 -m numba_course"  # in all texts


class Command(NamedTuple):
    """The description of one command."""

    usage: str  # what follows the name
    summary: str
    text: str  # the rest of its help, an example included
    arguments: dict[str, str]  # name of an argument or option: what it is for
    extras: tuple[str, ...] = ()  # optional dependencies that it needs


OWN_FOLDER = "Your own folder; the current one if it is yours, otherwise ~/numba-course."
OUTPUT = "File to write; shown in the terminal if not given."
CHAPTER = "Name of a chapter, or its number: 07_prange, prange or 07."
TEACH = ("teach",)
COMMANDS = {
    "start": Command(
        "[FOLDER] [--name NAME] [--no-browser] [--port NUMBER]",
        "Open the course in JupyterLab, where you left off.",
        "Copies the notebooks to a folder of your own and opens JupyterLab there, at the chapter to go on with. "
        "The same command later brings you back to your work, and brings in what a newer version of the course "
        "has added or mended: a cell that you edited always stays as it is, and so does a notebook that is open; the "
        "command says what it did. Where JupyterLab runs in the folder already, that one is shown. "
        "Where the packages of the course are missing, it first installs them, into .venv.\n\n"
        "Example: python3 -m numba_course start ~/my-course",
        {
            "FOLDER": "Your own folder; ~/numba-course if not given. It is made if it does not exist.",
            "--name": "How you wish to be called in a class, kept with your progress.",
            "--no-browser": "Do not open a browser; print the address instead.",
            "--port": "Port to listen at; a free one if not given.",
        },
    ),
    "progress": Command(
        "[FOLDER]",
        "Show what is solved and what is next.",
        "Shows each chapter's exercises, how many tries they took, and which one is next. Your progress is kept in "
        "progress.jsonl in your folder, one line for each check and each hint.\n\n"
        "Example: python3 -m numba_course progress ~/my-course",
        {"FOLDER": OWN_FOLDER},
    ),
    "check": Command(
        "EXERCISE FILE",
        "Check an answer that is in a Python file.",
        "The same check as in the notebook, for those who work in another editor. The file must define a "
        "function with the name of the exercise. The check counts in your progress if the current folder or "
        "~/numba-course is yours. Ends with 0 if the answer is correct, 1 if it is not, 2 if "
        "there is no such exercise, file or function, and 3 if the checker itself failed.\n\n"
        "Example: python3 -m numba_course check double answers.py",
        {
            "EXERCISE": "Name of the exercise, as in the notebook.",
            "FILE": "The Python file with your answer.",
        },
    ),
    "hint": Command(
        "EXERCISE [NUMBER]",
        "Show the next hint for an exercise.",
        "The same hints as in the notebook, one at a time, and counted with them if the current folder or "
        "~/numba-course is yours.\n\n"
        "Example: python3 -m numba_course hint double",
        {
            "EXERCISE": "Name of the exercise, as in the notebook.",
            "NUMBER": "Which hint, counted from 1; the next one if not given.",
        },
    ),
    "verify": Command(
        "[FOLDER]",
        "Check all your answers at once.",
        "Takes your answers from your notebooks, with the imports, functions and data that they need, and checks each "
        "in a fresh process, so that nothing is left over from a long session. Ends with 0 if every answer is correct "
        "(exercises that you have not answered do not count), 1 if one is not, and 3 if the checker itself "
        "failed.\n\n"
        "Example: python3 -m numba_course verify ~/my-course",
        {"FOLDER": OWN_FOLDER},
    ),
    "reset": Command(
        "EXERCISE [FOLDER]",
        "Begin an exercise anew.",
        "Puts the empty exercise back into your notebook. The answer that was there is kept, in a file of the folder "
        "answers. A notebook that is open in JupyterLab is not touched: the command says how to close it.\n\n"
        "Example: python3 -m numba_course reset double",
        {"EXERCISE": "Name of the exercise, as in the notebook.", "FOLDER": OWN_FOLDER},
    ),
    "doctor": Command(
        "[--report]",
        "Find out whether this machine can run the course.",
        "Tries what the course needs: packages, the compiler, threads, the cache, a check, and JupyterLab. Says how "
        "to mend each fault. Ends with 0 if the course can be run and 1 if not. Needs no network.\n\n"
        "Example: python3 -m numba_course doctor --report > report.txt",
        {"--report": "Add the versions and settings of this machine, to be sent to someone who can help."},
    ),
    "agenda": Command(
        "--hours HOURS [--start TIME] [--format FORMAT] [--output FILE]",
        "For instructors: a timetable for the hours there are.",
        "Cuts the course to 2, 4, 8 or 16 hours, from the minutes that the chapters give, with breaks. Exercises that "
        "do not fit are to be taken home, and where the teaching does not fit, the timetable says so.\n\n"
        "Example: python3 -m numba_course agenda --hours 4 --start 13:30 --format html --output agenda.html",
        {
            "--hours": "2, 4, 8 or 16, breaks included; 16 are two days.",
            "--start": "When each day begins; 09:00 if not given.",
            "--format": "text, markdown, or html, a page to print; text if not given.",
            "--output": OUTPUT,
        },
    ),
    "slides": Command(
        "CHAPTER [--output FILE]",
        "For instructors: a chapter as slides.",
        "Makes one file that any browser shows without a network. Outputs appear at a key press, so that the room can "
        "predict them; key S opens the speaker's view with the notes.\n\n"
        "Example: python3 -m numba_course slides 07_prange",
        {"CHAPTER": CHAPTER, "--output": "File for the slides; CHAPTER.slides.html if not given."},
        TEACH,
    ),
    "notes": Command(
        "CHAPTER [--output FILE]",
        "For instructors: what to aim at, to ask, and to expect.",
        "Shows the notes that the chapter's text has for instructors: its aim, how to spend the time, what to ask the "
        "room, and what goes wrong. Learners' notebooks do not have them.\n\n"
        "Example: python3 -m numba_course notes 07_prange",
        {"CHAPTER": CHAPTER, "--output": OUTPUT},
        TEACH,
    ),
    "class": Command(
        "FOLDER [--output FILE] [--no-names]",
        "For instructors: how the class stands.",
        "Makes a page from the progress files that learners hand in: who is stuck where, and which wrong answers are "
        "common. A learner who gave no name is a number. Files that cannot be read are named on the page.\n\n"
        "Example: python3 -m numba_course class handed-in --output class.html",
        {
            "FOLDER": "Folder with the learners' progress.jsonl files, in folders of their own or renamed.",
            "--output": "File for the page; class.html if not given.",
            "--no-names": "Number all learners, and name no file.",
        },
    ),
    "test": Command(
        "[-- ARGUMENTS]",
        "Run the tests of the course itself.",
        "For those who change the course: runs pytest in the checkout, in two processes, with any further "
        "arguments. Paths count from the checkout.\n\n"
        "Example: python3 -m numba_course test -- tests/test_start.py -k folder",
        {"ARGUMENTS": "Further arguments of pytest, after --."},
        ("test", "scale", *TEACH),
    ),
    "build": Command(
        "[CHAPTER...] [--check]",
        "Make the notebooks from their text.",
        "For those who change the course: makes the blank and the solved notebook of each chapter from "
        "notebooks/source, runs them and stores their outputs. Building twice gives identical files.\n\n"
        "Example: python3 -m numba_course build 07_prange",
        {
            "CHAPTER": "Chapters to make, such as 07_prange; all if not given.",
            "--check": "Change nothing; fail if a notebook is not what its text gives.",
        },
        ("test", "scale", *TEACH),
    ),
    "bench": Command(
        "[KERNEL] [--json FILE] [--figure FILE] [--toy]",
        "Measure the kernels against other libraries.",
        "Runs each kernel of the course and its peers in turns, on one thread and on several, and prints the "
        "ratio of their times: below 1, ours is faster. There is no ratio where the results differ; the command "
        "then ends with 1. Peers that are not installed are left out; pip install numba-course[peers] brings "
        "them.\n\n"
        "Example: python3 -m numba_course bench memcpy --json memcpy.json",
        {
            "KERNEL": "Kernel to measure, such as memcpy; all if not given.",
            "--json": "File for the results: kernel, case, peer, threads, ratio, low, high and more.",
            "--figure": "File for a figure of all ratios, PNG.",
            "--toy": "Small inputs, once: only whether the results agree.",
        },
    ),
}


def program():
    """How this program was called, which is how it can be called again."""
    return "numba-course" if Path(sys.argv[0]).name.startswith("numba-course") else PROGRAM


def as_called(text):
    """A text for the reader, with the program named as it was called."""
    return text.replace(PROGRAM, program())


def overview():
    """The help of the whole program."""
    width = max(map(len, COMMANDS))
    names = [f"  {name:{width}} {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            f"Usage: {program()} COMMAND ...\n",
            "Learn JIT compilation in Python with Numba.\n",
            *names,
            f"\n{program()} COMMAND --help says more about a command.",
        ]
    )


def details(name):
    """The help of one command."""
    command = COMMANDS[name]
    paragraphs = [command.summary, *command.text.split("\n\n")]
    parts = [f"Usage: {program()} {name} {command.usage}"]
    parts += [textwrap.fill(as_called(paragraph), 79) for paragraph in paragraphs]
    parts += ["\n".join(f"  {argument:12} {text}" for argument, text in command.arguments.items())]
    return "\n\n".join(parts)


def unknown(name):
    """What to say about a command that does not exist."""
    near = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(COMMANDS)}."
    return f"there is no command {name}; {hint}"
