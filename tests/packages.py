"""The course as if it were installed with some extras and nothing else: a folder for PYTHONPATH, without a download."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tomllib

from packaging.requirements import Requirement

from numba_course.host import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def install(folder, *extras, without=()):
    """Copy the course into a folder, with its metadata, and link the packages that it requires with these extras.

    Parameters
    ----------
    folder : Path
        Made here.
    *extras : str
    without : collection of str
        Packages that are left out.
    """
    shutil.copytree(
        ROOT / "numba_course", folder / "numba_course", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(ROOT / "notebooks", folder / "numba_course" / "notebooks")
    lines = [*PROJECT["dependencies"]]
    lines += [
        f'{line}; extra == "{extra}"'
        for extra, each in PROJECT["optional-dependencies"].items()
        for line in each
    ]
    course = folder / f"numba_course-{PROJECT['version']}.dist-info"
    course.mkdir()
    text = [
        "Metadata-Version: 2.4",
        "Name: numba-course",
        f"Version: {PROJECT['version']}",
        *map("Requires-Dist: {}".format, lines),
    ]
    (course / "METADATA").write_text("\n".join(text) + "\n", encoding="utf-8")
    for package in _closure(lines, extras) - set(without):
        distribution = importlib.metadata.distribution(package)
        for top in {file.parts[0] for file in distribution.files} - {"..", "__pycache__"}:
            if not (folder / top).exists():
                os.symlink(distribution.locate_file(top), folder / top)


def _closure(lines, extras):
    """The packages that are required, and those that they require, as far as there are any."""
    found, waiting = set(), [(line, extras) for line in lines]
    while waiting:
        line, extras = waiting.pop()
        wanted = Requirement(line)
        needed = not wanted.marker or any(wanted.marker.evaluate({"extra": each}) for each in ("", *extras))
        name = wanted.name.lower().replace("_", "-")
        if needed and name not in found:
            found.add(name)
            waiting += [
                (each, tuple(wanted.extras)) for each in importlib.metadata.requires(wanted.name) or ()
            ]
    return found


def run(folder, *arguments, **variables):
    """Run Python with the packages of a folder alone, in that folder's parent."""
    data = os.path.join(sys.prefix, "share", "jupyter")  # what is installed beside the packages
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "NUMBA"))}
    command = [sys.executable, "-S", *arguments]
    return subprocess.run(
        command,
        cwd=folder.parent,
        env=kept | {"PYTHONPATH": str(folder), "HOME": str(folder.parent), "JUPYTER_PATH": data} | variables,
        capture_output=True,
        encoding="utf-8",
        timeout=300,  # a program that was not refused may be one that stays
    )
