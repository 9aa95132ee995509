"""A program in a Python of its own, with settings that only count before Python starts; and what it says at last."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def last_line(path: str | Path, seconds: float = 120.0, **settings: str) -> str:
    """Run a Python file in a fresh Python, and return the last line that it prints.

    Parameters
    ----------
    path : str or Path
    seconds : float
        Time limit.
    **settings : str
        Environment variables, added to those of this process.

    Returns
    -------
    str
        Of an error that ended the program the last line, which names it.

    Raises
    ------
    subprocess.TimeoutExpired
        If it takes longer than that.
    """
    command = [sys.executable, str(path)]
    surroundings = {**os.environ, **settings}
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=seconds)
    lines = (done.stderr if done.returncode else done.stdout).splitlines()
    return lines[-1] if lines else ""
