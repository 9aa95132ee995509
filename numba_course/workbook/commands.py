"""What each command does and takes, in plain text: the help of a machine without an environment, and typer's.

Standard library alone, because it is read before there is an environment.
"""

import difflib
import textwrap
from typing import NamedTuple


class Command(NamedTuple):
    """The description of one command."""

    usage: str  # what follows the name
    summary: str
    text: str  # the rest of its help, an example included
    arguments: dict[str, str]  # name of an argument or option: what it is for
    extras: tuple[str, ...] = ()  # optional dependencies that it needs


COMMANDS = {
    "start": Command(
        "[FOLDER] [--no-browser] [--port NUMBER]",
        "Open the course in JupyterLab.",
        "Copies the notebooks to a folder of your own and opens JupyterLab there, at the first chapter. "
        "Notebooks that are already in the folder stay as they are, so the same command also brings you back "
        "to your work. Where the packages of the course are missing, it first installs them, into .venv.\n\n"
        "Example: python3 -m numba_course start ~/my-course",
        {
            "FOLDER": "Your own folder; ~/numba-course if not given. It is made if it does not exist.",
            "--no-browser": "Do not open a browser; print the address instead.",
            "--port": "Port to listen at; a free one if not given.",
        },
    ),
    "check": Command(
        "EXERCISE FILE",
        "Check an answer that is in a Python file.",
        "The same check as in the notebook, for those who work in another editor. The file must define a "
        "function with the name of the exercise. Ends with 0 if the answer is correct, 1 if it is not, 2 if "
        "there is no such exercise, file or function, and 3 if the checker itself failed.\n\n"
        "Example: python3 -m numba_course check double answers.py",
        {
            "EXERCISE": "Name of the exercise, as in the notebook.",
            "FILE": "The Python file with your answer.",
        },
    ),
    "test": Command(
        "[-- ARGUMENTS]",
        "Run the tests of the course itself.",
        "For those who change the course: runs pytest in the checkout, in two processes, with any further "
        "arguments. Paths count from the checkout.\n\n"
        "Example: python3 -m numba_course test -- tests/test_start.py -k folder",
        {"ARGUMENTS": "Further arguments of pytest, after --."},
        ("test", "scale"),
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
        ("test", "scale"),
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


def overview():
    """The help of the whole program."""
    names = [f"  {name:7} {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "Usage: python3 -m numba_course COMMAND ...\n",
            "Learn JIT compilation in Python with Numba.\n",
            *names,
            "\npython3 -m numba_course COMMAND --help says more about a command.",
        ]
    )


def details(name):
    """The help of one command."""
    command = COMMANDS[name]
    paragraphs = [command.summary, *command.text.split("\n\n")]
    parts = [f"Usage: python3 -m numba_course {name} {command.usage}"]
    parts += [textwrap.fill(paragraph, 79) for paragraph in paragraphs]
    parts += ["\n".join(f"  {argument:12} {text}" for argument, text in command.arguments.items())]
    return "\n\n".join(parts)


def unknown(name):
    """What to say about a command that does not exist."""
    near = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(COMMANDS)}."
    return f"there is no command {name}; {hint}"
