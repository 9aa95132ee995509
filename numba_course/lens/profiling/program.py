"""The profile of a whole program: it is run in this process, as ``python program.py`` would run it, and sampled."""

from __future__ import annotations

import runpy
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from numba_course.lens.profiling import _image, _sampling
from numba_course.lens.profiling._line_tables import lines_kept
from numba_course.lens.profiling._tally import tally
from numba_course.lens.profiling.profiler import DISTURBED, Profile, profile_of


def run(path: str, arguments: Sequence[str] = ()) -> Profile:
    """Run a program and find the lines of its compiled code that take the time.

    Parameters
    ----------
    path : str
        A file with Python code.
    arguments : sequence of str
        What stands behind it on the command line.

    Returns
    -------
    Profile
        Of all compiled functions that the program called. What is compiled during the run is compiled anew, with
        tables of lines and without the disk cache. If the program ended with an exception its traceback is printed,
        and `Profile.ended` says so.

    Raises
    ------
    OSError
        If there is no such file.
    RuntimeError
        If there can be no samples on this system.

    Notes
    -----
    Meant for a process of its own: Numba's compiler is altered while the program runs, and functions that were
    compiled before have no lines. Processes that the program starts are not looked at.
    """
    if why := _sampling.refusal():
        raise RuntimeError(f"lens.profile: {why}")
    Path(path).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, _image.SAMPLES)
        file.touch()
        samples = _sampling.Samples(str(file))
        handler = _sampling.handler_for(samples.address)
        with lines_kept() as compiled, _command_line(path, arguments), _sampling.sampled(samples, handler):
            samples.let_in(True)
            ended = _ran(path)
            ended = ended or DISTURBED * (not _sampling.is_in_place(handler))
            samples.let_in(False)
        _image.Record(folder, compiled.objects).is_renewed()
        return profile_of(Path(path).name, tally(folder), 0, ended)


def _ran(path):
    """Run the program; how it ended, in words, if that was not as programs should."""
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as end:
        return f"ended with {end.code!r}" if end.code else ""
    except BaseException as error:
        traceback.print_exc()
        return f"raised {type(error).__name__}"
    return ""


@contextmanager
def _command_line(path: str, arguments: Sequence[str]) -> Iterator[None]:
    """Let a program find its arguments, and the modules beside it."""
    before = sys.argv, list(sys.path)
    sys.argv, sys.path[0] = [path, *arguments], str(Path(path).resolve().parent)
    try:
        yield
    finally:
        sys.argv, sys.path[:] = before
