"""The profile of a whole program: it is run in this process, as ``python program.py`` would run it, and sampled."""

from __future__ import annotations

import tempfile
from pathlib import Path

from numba_course.lens.profiling import _image, _sampling
from numba_course.lens.profiling._line_tables import lines_kept
from numba_course.lens.profiling._tally import tally
from numba_course.lens.profiling.profiler import DISTURBED, Profile, profile_of
from numba_course.lens.program import Program


def run(program: Program) -> tuple[Profile, int]:
    """Run a program and find the lines of its compiled code that take the time.

    Parameters
    ----------
    program : Program

    Returns
    -------
    profile : Profile
        Of all compiled functions that the program called. What is compiled during the run is compiled anew, with
        tables of lines and without the disk cache. `Profile.ended` has the program's exit code if that is not 0.
    code : int
        The program's exit code.

    Raises
    ------
    RuntimeError
        If there can be no samples on this system.

    Notes
    -----
    Meant for a process of its own: Numba's compiler is altered while the program runs, and functions that were
    compiled before have no lines. Processes that the program starts are not looked at.
    """
    if why := _sampling.refusal():
        raise RuntimeError(f"lens.profile: {why}")
    with tempfile.TemporaryFile() as file:  # without a name: nothing of it stays, however the program ends
        samples = _sampling.Samples(f"/proc/self/fd/{file.fileno()}")
    handler = _sampling.handler_for(samples.address)
    with lines_kept() as compiled, _sampling.sampled(samples, handler):
        samples.let_in(True)
        code = program.run()
        disturbed = DISTURBED * (not _sampling.is_in_place(handler))
        samples.let_in(False)
    with tempfile.TemporaryDirectory() as folder:
        samples.copy_to(Path(folder, _image.SAMPLES))
        _image.Record(folder, compiled.objects).is_renewed()
        ended = f"ended with {code}" if code else disturbed
        return profile_of(Path(program.target).name, tally(folder), 0, ended), code
