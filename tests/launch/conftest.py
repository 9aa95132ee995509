"""A checkout that may be installed."""

import shutil

import pytest

from numba_course.host import ROOT


@pytest.fixture
def checkout(tmp_path):
    """A copy of what a fresh checkout needs to install itself."""
    root = tmp_path / "a checkout"
    shutil.copytree(
        ROOT / "numba_course", root / "numba_course", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "constraints.txt", "README.md", "LICENSE", "LICENSE-TEXT"):
        shutil.copy(ROOT / name, root)
    return root.resolve()
