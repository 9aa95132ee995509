"""What everyone may raise or ask before anything is installed; the standard library alone."""

from __future__ import annotations

import difflib
import errno
import importlib.metadata
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]  # of the checkout, if this is one
PROGRAM = "python3 -m numba_course"  # in all texts
SIZE = "1 GB"


class Trouble(Exception):
    """Something outside the program is not as it must be; the message is one sentence for the reader."""

    code = 1  # that the command ends with


class WrongUse(Trouble):
    """The command line is not as it must be, or names what does not exist."""

    code = 2


def is_checkout(root: Path) -> bool:
    """Whether `root` is a checkout, as opposed to the folder of an installed package."""
    return (root / "pyproject.toml").is_file() and (root / "constraints.txt").is_file()


def program() -> str:
    """How this program was called, which is how it can be called again."""
    return "numba-course" if Path(sys.argv[0]).name.startswith("numba-course") else PROGRAM


def as_called(text: str) -> str:
    """A text for the reader, with the program named as it was called."""
    return text.replace(PROGRAM, program())


def no_such(what: str, name: str | Path, known: Iterable[str], otherwise: str = "") -> str:
    """What to say about a name that is not among those known: the nearest ones, or all.

    Parameters
    ----------
    what : str
        Such as ``exercise``.
    name : str or Path
    known : iterable of str
    otherwise : str
        What to say where none is near, instead of all.
    """
    known = list(known)
    near = difflib.get_close_matches(str(name), known, n=3)
    others = f"did you mean {' or '.join(near)}?" if near else otherwise or f"there are {', '.join(known)}."
    return f"there is no {what} {name}; {others}"


def installed(name: str, folders: Iterable[str] | None = None) -> importlib.metadata.Distribution | None:
    """What `folders` hold of the package of this name, those of this interpreter if not given; None if nothing."""
    found = importlib.metadata.distributions(name=name, path=list(sys.path if folders is None else folders))
    return next(iter(found), None)


def met(requirement: str | Requirement, folders: Iterable[str] | None = None) -> bool:
    """Whether what is installed meets a requirement such as ``numpy>=2,<3``; see `installed`.

    One whose condition does not hold here, such as ``; os_name == "nt"``, is met. Where there is no `packaging`,
    which compares versions, the course is not installed either, and nothing is met.
    """
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return False
    wanted = Requirement(str(requirement))
    if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
        return True
    found = installed(wanted.name, folders)
    return found is not None and wanted.specifier.contains(found.version, prereleases=True)


def required(extra: str = "") -> list[Requirement]:
    """What the installed course requires here, as in its metadata: without an extra, or for that extra beyond it."""
    from packaging.requirements import Requirement

    course, found = installed("numba-course"), []
    for line in map(Requirement, (course and course.requires) or ()):
        holds = [not line.marker or line.marker.evaluate({"extra": each}) for each in ("", extra)]
        if holds == [not extra, True]:
            line.marker = None  # it holds
            found.append(line)
    return found


def lacking(extra: str = "") -> list[Requirement]:
    """What of `required` is not installed, or not in a version that will do."""
    return [line for line in required(extra) if not met(line)]


def absent(extra: str) -> list[str]:
    """The packages of an extra that are not installed, in no version; JupyterLab is not among them.

    An answer can be checked, and a chapter read, in any other Jupyter.
    """
    names = [line.name for line in required(extra) if not installed(line.name)]
    return [name for name in names if name != "jupyterlab"]


def brought_by(extra: str, what: str, names: list[str]) -> str:
    """The sentence about packages that are missing, and the extra that brings them."""
    they = "them" if len(names) > 1 else "it"
    return f'{what} needs {", ".join(names)}: pip install "numba-course[{extra}]" brings {they}.'  # quoted for zsh


def reason(error: OSError) -> str:
    """One sentence about an error of the operating system."""
    place = f" ({error.filename})" if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"the disk is full{place}: make room, about {SIZE}, and run the same command again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"this folder cannot be written to{place}: choose another place, or change its permissions."
    return f"{error.strerror}{place}."


def hand_over(
    command: list[str], directory: Path | None = None, variables: dict[str, str] | None = None
) -> None:
    """Become another program; where the system cannot do that, run it and end with its exit code."""
    sys.stdout.flush()
    environment = os.environ | (variables or {})
    if os.name == "posix":
        os.chdir(directory or ".")
        os.execve(command[0], command, environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program that runs
    sys.exit(subprocess.call(command, cwd=directory, env=environment))
