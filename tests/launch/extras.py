"""Each extra alone, installed for real: what it brings works, and what another one brings is asked for in a sentence.

    python tests/launch/extras.py [--keep FOLDER] [base | EXTRA ...]

Makes an environment each, which takes a minute and a network; not part of the suite.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ANSWER = "from numba import njit\n\n\n@njit\ndef double(values):\n    return 2 * values\n"
LENS = "import numpy; from numba import njit; from numba_course import kernels, lens, pipeline"
LENS += (
    "; print(lens.machine_code(njit(lambda x: 2 * x), 1.0), kernels.sum(numpy.ones(9)), pipeline.Pipeline)"
)
# What is run after `python`, the exit code, and what must be said.
COURSE_NEEDED = [
    ("-m numba_course check double answer.py", 1, 'pip install "numba-course[course]" brings'),
    ("-m numba_course doctor", 1, "lens, kernels and pipeline can be used"),
]
CHECKS = {
    "base": [
        (f"-c {LENS}", 0, "Pipeline"),
        *COURSE_NEEDED,
        (
            "-c from numba_course.lens import figures; figures.show(print, 'x')",
            1,
            "a figure needs matplotlib: pip",
        ),
        ("-m numba_course slides 7", 1, 'pip install "numba-course[teach]" brings'),
        ("-m numba_course test", 1, "test needs a checkout"),
    ],
    "course": [
        (f"-c {LENS}", 0, "Pipeline"),
        ("-m numba_course doctor", 0, "✓ checks"),
        ("-m numba_course check double answer.py", 0, "✓ double: correct"),
        ("-m numba_course notes 7", 1, 'pip install "numba-course[teach]" brings'),
    ],
    "teach": [
        ("-m numba_course agenda --hours 4", 0, "Numba course"),
        ("-m numba_course notes 7", 0, "*Goes wrong:*"),
        ("-m numba_course slides 7", 0, "07_prange.slides.html"),
        *COURSE_NEEDED,
    ],
    "test": [("-c import importlinter, nbclient, nbval, playwright, pytest, xdist", 0, ""), *COURSE_NEEDED],
    "scale": [("-c import dask.array, distributed", 0, ""), *COURSE_NEEDED],
    "peers": [("-c import boost_histogram, bottleneck, cv2, fast_histogram, pandas", 0, ""), *COURSE_NEEDED],
}
NOT_IN_BASE = {"ipython", "jupyterlab", "matplotlib", "scipy", "hypothesis", "jupytext", "pytest", "dask"}


def main():
    """Try the extras that were asked for; return how many did not do."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("extras", nargs="*", choices=CHECKS, default=[*CHECKS], metavar="EXTRA")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the environments stay")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.keep or Path(temporary)).resolve()
        wrong = {extra: tried(extra, folder / extra) for extra in options.extras}
    for extra, complaints in wrong.items():
        print(f"{extra}:", *(complaints or ["as it must be"]), sep="\n  ")
    return 1 if any(wrong.values()) else 0


def tried(extra, folder):
    """What is not as it must be in an environment with one extra, made here; a sentence each."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = str(ROOT) if extra == "base" else f"{ROOT}[{extra}]"
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "-c", ROOT / "constraints.txt", wanted], check=True)
    (folder / "answer.py").write_text(ANSWER, encoding="utf-8")
    complaints = []
    if extra == "base":
        shown = subprocess.run(
            [*pip, "list", "--format=freeze"], check=True, capture_output=True, text=True
        ).stdout
        print(shown)
        there = {line.partition("==")[0].lower() for line in shown.split()}
        complaints += [f"{name} is installed" for name in sorted(NOT_IN_BASE & there)]
    for line, code, said in CHECKS[extra]:
        option, _, rest = line.partition(" ")
        arguments = [option, rest] if option == "-c" else line.split()
        result = subprocess.run([python, *arguments], cwd=folder, capture_output=True, encoding="utf-8")
        shown = result.stdout + result.stderr
        if result.returncode != code or said not in shown or ("Traceback" in shown and option == "-m"):
            complaints.append(f"python {line} ended with {result.returncode}, and said:\n{shown}")
    return complaints


if __name__ == "__main__":
    sys.exit(main())
