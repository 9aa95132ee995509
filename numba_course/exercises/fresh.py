"""Call an answer in fresh processes, one after the other, and note what each of them has compiled.

Run as a program this module is such a process: its argument is a folder with the file `CALL`, and it leaves its
`Fresh` in the file `FOUND`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import cloudpickle

from numba_course import sandbox

CALL, FOUND = "call", "found"  # names of files


@dataclass(frozen=True)
class Fresh:
    """What a call did in a process of its own.

    Attributes
    ----------
    compiled : tuple of str
        Names of the functions that were compiled, in that order.
    warnings : tuple of str
        What Numba said of its cache.
    error : str
        What went wrong; empty if nothing did.
    """

    compiled: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str = ""


def calls(answer, packed, processes=2, seconds=60.0):
    """Make the same call in several processes that share a disk cache, which is empty at first.

    Parameters
    ----------
    answer : answers.Live or answers.Saved
    packed : bytes
        The arguments, from `lens._arguments.pack`.
    processes : int
    seconds : float
        Time limit of each process.

    Returns
    -------
    list of Fresh
        One for each process, in turn.

    Notes
    -----
    A process costs about a second: it loads Numba. The cache is in a folder that is removed at the end.
    """
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / CALL).write_bytes(sandbox.dumps((answer, packed)))
        return [_one(Path(folder), seconds) for _ in range(processes)]


def _one(folder, seconds):
    """Start a process, wait for it, read what it left."""
    found = folder / FOUND
    found.unlink(missing_ok=True)
    # Functions of files are cached in the first; those of cells in the second where it is used, or in the third.
    caches = dict.fromkeys(("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "IPYTHONDIR"), str(folder))
    try:
        subprocess.run(
            [sys.executable, "-m", __spec__.name, str(folder)],
            env=os.environ | caches,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return Fresh(error=f"it had not ended after {seconds:g} seconds")
    return cloudpickle.loads(found.read_bytes()) if found.exists() else Fresh(error="the process died")


def _call(answer, packed):
    """Make the call here and listen to the compiler."""
    from numba.core import event

    from numba_course.lens._arguments import unpack
    from numba_course.lens.dispatchers import reason

    error, listener = "", event.RecordingListener()
    with warnings.catch_warnings(record=True) as caught, event.install_listener("numba:compile", listener):
        warnings.simplefilter("always")
        try:
            answer.load(caching=True)(*unpack(packed))
        except Exception as raised:
            error = reason(raised)
    compiled = [e.data["dispatcher"].__name__ for _, e in listener.buffer if e.is_start]
    said = [str(warning.message) for warning in caught if "cache" in str(warning.message)]
    return Fresh(tuple(compiled), tuple(said), error)


def main(folder):
    """Read the call, make it, write what came of it."""
    answer, packed = cloudpickle.loads((folder / CALL).read_bytes())
    (folder / FOUND).write_bytes(cloudpickle.dumps(_call(answer, packed)))


if __name__ == "__main__":
    from numba_course.exercises.fresh import main as as_imported  # then `Fresh` is the one that others know

    as_imported(Path(sys.argv[1]))
