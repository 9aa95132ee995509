"""Types: nothing public is without, a type checker agrees, and whoever installs the package has them."""

import ast
import os
import subprocess
import sys

import pytest

from numba_course.host import ROOT

PLAIN = ("__main__.py", "exercises/chapters")  # which a Python that is too old reads, and which learners read
COMPILED = {"njit", "intrinsic"}  # decorators of what has its types from Numba
PROGRAM = """
from typing import Any, assert_type

import numpy as np
from numba import njit
from numpy.typing import NDArray

from numba_course import exercises, kernels, lens, pipeline

@njit
def double(values):
    return 2 * values

class Invert(pipeline.Operation):
    def generate_code(self):
        @pipeline.point
        def invert(r, g, b, key):
            return 255 - r, 255 - g, 255 - b

        return invert

values, photos = np.arange(12.0), np.zeros((4, 16, 16, 3), np.uint8)
rivals = {"compiled": double, "plain": double.py_func}
steps = [pipeline.Resize(8, 8), Invert(), pipeline.ToLayout("CHW")]
made = pipeline.Pipeline(steps, (16, 16, 3), seed=1)

assert_type(kernels.histogram([1, 2], bins=4, low=0, high=np.float32(1.5)), NDArray[np.int64])
assert_type(kernels.sum(values, threads=2), float)
assert_type(lens.machine_code(double, values).vector_width, int)
assert_type(lens.types(double, values).of("values"), tuple[str, ...])
assert_type(lens.profile(double, values, seconds=1.0).lines[0].own, int)
assert_type(lens.races(double, values).conflicts[0].line, int)
assert_type(lens.compare(rivals, values).ratio("plain"), float)
assert_type(lens.compare(rivals, sizes={n: (values[:n],) for n in (5, 12)}).at(5).seconds("plain"), float)
assert_type(lens.compare({"sum": np.sum}, values).faster("sum", times=2).holds, bool)
assert_type(made(photos, rows=[0, 2]), NDArray[Any])
for batch, labels in pipeline.Loader(made, photos, list("abcd"), batch_size=2):
    assert_type(batch, NDArray[Any])
assert_type(exercises.double.examine(double).passed, bool)

kernels.sum(values, threads="2")  # wrong
kernels.bilinear_resize(photos[0], 8)  # wrong
lens.machine_code(double, values).width  # wrong
lens.compare(rivals, values).at(5)  # wrong
lens.gil(values)  # wrong
pipeline.Pipeline([pipeline.Crop], (16, 16, 3))  # wrong
made(values)  # wrong
exercises.double.examine(2.0)  # wrong
"""


def mypy(folder, cache, *options, **variables):
    """The lines that mypy writes; from one run to the next it remembers what it can."""
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", str(cache), *options]
    run = subprocess.run(
        command, cwd=folder, env=os.environ | variables, capture_output=True, encoding="utf-8"
    )
    assert run.returncode in (0, 1), run.stderr + run.stdout
    return run.stdout.splitlines()


@pytest.fixture
def cache(request, tmp_path):
    """A folder that is kept between runs of the tests, where they keep any."""
    kept = getattr(request.config, "cache", None)
    return kept.mkdir("mypy") if kept else tmp_path


def test_the_package_is_what_its_types_say(cache):
    assert mypy(ROOT, cache / "package") == []


def test_programs_that_use_the_package_are_checked_by_its_types(cache, tmp_path):
    lines = PROGRAM.splitlines()
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    options = "--config-file=", "--ignore-missing-imports"  # an older Numba has no types
    # On this path a package stands as it does when it is installed: without its py.typed it has no types.
    found = mypy(tmp_path, cache / "program", *options, "program.py", PYTHONPATH=str(ROOT))
    errors = {int(line.split(":")[1]): line for line in found if ": error: " in line}
    assert sorted(errors) == [n for n, line in enumerate(lines, 1) if line.endswith("# wrong")], found


def public(body):
    """The functions of a module, and the methods of its classes, that may be called from elsewhere."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public(node.body)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            private = node.name.startswith("_") and not node.name.endswith("__")
            decorators = {
                part.id for d in node.decorator_list for part in ast.walk(d) if isinstance(part, ast.Name)
            }
            if not private and not decorators & COMPILED:
                yield node


def untyped(function):
    """What of a function has no annotation; the first parameter of a method needs none."""
    given = function.args
    some = [given.vararg, given.kwarg]
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, *(argument for argument in some if argument)]
    names = [argument.arg for argument in every if argument.annotation is None]
    return [name for name in names if name not in ("self", "cls")] + ["return"] * (function.returns is None)


def modules():
    """The modules that are not private to their folder, but the plain ones."""
    for path in sorted((ROOT / "numba_course").rglob("*.py")):
        name = path.relative_to(ROOT / "numba_course")
        private = name.stem.startswith("_") and not name.stem.endswith("__")
        if not private and not any(name.is_relative_to(place) for place in PLAIN):
            yield path


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_public_function_has_types(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    lacking = {f"{f.lineno}: {f.name}": names for f in public(tree.body) if (names := untyped(f))}
    assert lacking == {}


def test_what_is_plain_exists():
    assert all((ROOT / "numba_course" / place).exists() for place in PLAIN)
