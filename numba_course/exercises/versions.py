"""A kind sentence where a notebook was made for another version of the course than the one that is installed."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from numba_course import __version__


def mismatch() -> str:
    """What to say about the notebook that this kernel runs; empty where the versions agree or are not known.

    Notes
    -----
    JupyterLab tells a kernel the path of its notebook in ``JPY_SESSION_NAME``. There is none in a build, in a test and
    in other editors, so that stored outputs do not depend on it.
    """
    try:
        notebook = json.loads(Path(os.environ["JPY_SESSION_NAME"]).read_text(encoding="utf-8"))
        made_for = notebook["metadata"]["numba_course"]["version"]
    except (KeyError, TypeError, OSError, ValueError):
        return ""
    if made_for == __version__:
        return ""
    return (
        f"This notebook was made for version {made_for} of the course, but version {__version__} is installed: "
        "a cell may not work. Close JupyterLab and run  python3 -m numba_course start  once more; your work stays."
    )


def mention() -> None:
    """Show the mismatch, in a kernel only: the child processes of a check import the course as well."""
    if "ipykernel" in sys.modules and mismatch():
        from numba_course.exercises.card import Card, display

        display(Card("The notebook and the course differ", mismatch()))
