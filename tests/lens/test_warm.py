"""What the fork server loads for the instruments, so that their children need not."""

import subprocess
import sys

from numba_course import lens

WITHOUT_EXTRAS = """
import sys
sys.modules |= dict.fromkeys(("hypothesis", "IPython", "matplotlib", "scipy"))  # nor can they be imported
import importlib
importlib.import_module({name!r})
print(*sorted(sys.modules))
"""


def test_the_instruments_are_loaded_where_nothing_but_the_package_is_installed():
    command = [sys.executable, "-c", WITHOUT_EXTRAS.format(name=lens.WARM)]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert {"numba_course.lens.race.detector", "numba_course.lens.compiled._recording", "numba"} <= set(
        loaded
    )
