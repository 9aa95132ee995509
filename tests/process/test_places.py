"""What Numba makes arrives in a child process wherever it was defined, or is refused in one true sentence."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from numba_course.process import sandbox

pytestmark = pytest.mark.load

KINDS = """
import ctypes
import ctypes.util

import numpy as np
from numba import cfunc, guvectorize, njit, objmode, stencil, types, vectorize
from numba.experimental import jitclass
from numba.extending import overload, overload_method, register_jitable

FACTOR = 3
c_abs = ctypes.CDLL(ctypes.util.find_library("c")).abs
c_abs.argtypes, c_abs.restype = [ctypes.c_int], ctypes.c_int


@njit
def lazy(x):
    return FACTOR * x


@njit("int64(int64)")
def eager(x):
    return lazy(x)


@vectorize
def ufunc(x):
    return FACTOR * x


@vectorize(["float64(float64)"], target="parallel")
def of_a_target(x):
    return FACTOR * x


@guvectorize("(n)->(n)")
def gufunc(x, out):
    for i in range(x.size):
        out[i] = FACTOR * x[i]


def fills(x):
    out = np.zeros(1)
    gufunc(np.full(1, float(x)), out)
    return out[0]


@stencil
def around(a):
    return a[-1] + a[1] + FACTOR


@njit
def stenciled(x):
    return around(np.arange(4.0))[1]


@cfunc("float64(float64)")
def callback(x):
    return FACTOR * x


@njit
def calls_back(x):
    return callback(x)


def in_python(x): ...


@overload(in_python)
def compiled(x):
    return lambda x: FACTOR * x


@njit
def overloaded(x):
    return in_python(x)


@overload_method(types.Array, "times_here")
def times_here(a):
    return lambda a: FACTOR * a


@njit
def with_method(x):
    return np.full(1, x).times_here()[0]


@register_jitable
def jitable(x):
    return FACTOR * x


@njit
def calls_jitable(x):
    return jitable(x)


@jitclass([("x", types.int64)])
class Box:
    def __init__(self, x):
        self.x = x


@njit
def boxes(x):
    return FACTOR * Box(x).x


kept = Box(2)


def unboxes(x):
    return kept.x


@njit
def of_c(x):
    return FACTOR * c_abs(-x)


@njit
def recursive(n):
    return 0 if n == 0 else FACTOR + recursive(n - 1)


@njit("int64(int64)")
def recursive_at_once(n):
    return 0 if n == 0 else FACTOR + recursive_at_once(n - 1)


@njit
def back(n):
    return 0 if n == 0 else FACTOR + forth(n - 1)


@njit
def forth(n):
    return 0 if n == 0 else FACTOR + back(n - 1)


def helper(x):
    return FACTOR * x


@njit
def in_object_mode(x):
    with objmode(y="int64"):
        y = helper(x)
    return y


def closure():
    by = FACTOR

    @njit
    def inner(x):
        return by * x

    return inner


closed = closure()
CALLED = {  # what each gives for 2
    "lazy": 6, "eager": 6, "ufunc": 6, "fills": 6, "stenciled": 5, "calls_back": 6, "overloaded": 6, "with_method": 6,
    "calls_jitable": 6, "boxes": 6, "of_c": 6, "recursive": 6, "recursive_at_once": 6, "back": 6, "in_object_mode": 6,
    "closed": 6, "helper": 6,
}  # fmt: skip
REFUSED = {
    "unboxes": "an instance of the jitclass 'Box' stays in the process that made it",
    "of_a_target": "a ufunc made with a target keeps nothing that could be sent",
}
"""
PACK = """
def pack(names, place):
    from numba_course.process import pickling

    values = {name: names[name] for name in names["CALLED"]}
    if place != "module":
        for name, said in names["REFUSED"].items():
            try:
                raise SystemExit(f"{name} was sent: {pickling.dumps(names[name])[:20]}")
            except Exception as error:
                assert str(error).startswith(said), error
    with open(FOLDER + "/" + place, "wb") as file:
        file.write(pickling.dumps((values, names["CALLED"])))

"""
IN_ONE_PROCESS = """
import runpy, sys
sys.path.insert(0, FOLDER)
import all_kinds
pack(vars(all_kinds), "module")
runpy.run_path(FOLDER + "/in_a_path.py")
pack(runpy.run_path(FOLDER + "/all_kinds.py"), "after run_path")
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("run", FOLDER + "/in_a_run.py")
with open(FOLDER + "/in_a_cell.py") as file:
    shell.run_cell(file.read()).raise_error()
"""
PLACES = {"run_path": "in_a_path.py", "%run": "in_a_run.py", "cell": "in_a_cell.py", "script": "script.py"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With a file for each place, which holds what was packed there."""
    folder = tmp_path_factory.mktemp("places")
    head = f"FOLDER = {str(folder)!r}\n{PACK}"
    (folder / "all_kinds.py").write_text(KINDS)
    for place, file in PLACES.items():
        (folder / file).write_text(f"{KINDS}{head}pack(globals(), {place!r})\n")
    (folder / "rest.py").write_text(head + IN_ONE_PROCESS)
    environment = {**os.environ, "PYTHONPATH": str(Path(sandbox.__file__).parents[2]), "NUMBA_OPT": "0"}
    for file in ("script.py", "rest.py"):
        done = subprocess.run(
            [sys.executable, "-B", folder / file],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


def received(content):
    """In a child: what each function gives for 2 that should give something else, or what goes wrong."""
    numba.config.OPT = 0  # what matters is that it arrives
    values, expected = pickle.loads(content)
    for name, value in values.items():
        try:
            said = value(2)
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        yield name
        if said != expected[name]:
            expected[name] = said, expected[name]
    return {name: said for name, said in expected.items() if isinstance(said, tuple)}


@pytest.mark.skipif(sys.platform == "win32", reason="C's functions are in a library of another name there")
@pytest.mark.parametrize("place", ["module", "after run_path", *PLACES])
def test_what_is_defined_anywhere_arrives(place, folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)  # where the child finds the module
    outcome = sandbox.run(received, (folder / place).read_bytes(), seconds=60)
    assert (outcome.ended, outcome.value) == ("returned", {}), outcome
