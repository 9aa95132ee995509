"""Chapter 09, caching: a module that is compiled once, an edit that always shows, a factory that remembers."""

import functools
import gc
import importlib
import itertools
import math
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numba
import numpy as np
from numba import njit
from numba.core import event
from numba.core.dispatcher import Dispatcher
from numba.np.ufunc.dufunc import DUFunc

from numba_course import sandbox
from numba_course.exercises.answers import is_stub
from numba_course.exercises.exercise import MEMORY, SECONDS, Exercise
from numba_course.exercises.requirements import (
    Compiled,
    InBounds,
    LeavesInputsAlone,
    Matches,
    Requirement,
    Returns,
    difference,
)
from numba_course.exercises.show import show
from numba_course.exercises.trial import judge, loading_failed
from numba_course.exercises.verdict import Finding, Verdict
from numba_course.lens.cache import cache
from numba_course.sandbox import describe

# A laboratory: the answer is the text of modules, and each look at them is a process of its own.


@dataclass(frozen=True)
class Module:
    """A compiled function in a file, on its way to the child that imports it."""

    folder: str
    module: str
    function: str

    @property
    def path(self):
        """Its file, which a finding may quote."""
        return str(Path(self.folder) / f"{self.module}.py")

    def load(self):
        """Import it as any module; None if it has no such function."""
        sys.dont_write_bytecode = True  # Python's own cache does not notice an edit within the same second
        numba.config.CACHE_DIR = ""  # beside the file, whatever the user has set
        sys.path.insert(0, self.folder)
        return getattr(importlib.import_module(self.module), self.function, None)


@dataclass(frozen=True)
class Visit:
    """What a fresh process made of a module: a finding if it failed, what it compiled, results, probed values."""

    failed: Finding | None
    compiled: tuple = ()
    why: str = ""
    results: tuple = ()
    probed: tuple = ()


@dataclass(frozen=True, kw_only=True)
class Laboratory(Exercise):
    """A question whose answer returns the text of modules.

    They are written to a folder, and a function in them is judged as any answer. Then requirements that have a
    method ``of_folder(laboratory, folder)`` use it again, each time in a process that has seen nothing before.

    Attributes
    ----------
    module, function : str
        Where in the files the function is that the specification specifies.
    files : callable
        What the answer returned -> dict of file names and texts; ValueError says why it is refused.
    probe : callable
        () -> tuple of further values; called in each later process.
    """

    module: str
    function: str
    files: Callable
    probe: Callable = tuple

    def _try(self, answer):
        written = sandbox.run(_written, answer, self.files, seconds=min(SECONDS, self.seconds), memory=MEMORY)
        if written.ended != "returned":
            return self._badly_ended(written)
        status, content = written.value
        if status in ("missing", "not attempted"):
            return None if status == "missing" else Verdict(self.name, status)
        if status != "written":
            return self._verdict(status, [content], written.output)
        with tempfile.TemporaryDirectory() as folder:
            write(folder, content)
            module = Module(folder, self.module, self.function)
            judged = self._child(judge, module, replace(self, reference=None, helpers=(), _memory={}))
            if judged.ended != "returned":
                return self._badly_ended(judged)
            status, findings = judged.value
            if status in ("missing", "not attempted"):
                seen = f"{self.module}.py defines no function `{self.function}`, or an empty one"
                status, findings = "wrong", [Finding("files", seen)]
            if status != "correct":
                return self._verdict(status, findings, judged.output)
            return self._verdict(*self._revisited(folder))

    def _revisited(self, folder):
        """Status and findings of the first later process that is not as it should be."""
        for requirement in self.requirements:
            if hasattr(requirement, "of_folder") and (finding := requirement.of_folder(self, folder)):
                return requirement.status, [finding]
        return "correct", []

    def visit(self, folder):
        """Import the module in a fresh process and call the function on the examples.

        Returns
        -------
        Visit
        """
        module = Module(folder, self.module, self.function)
        outcome = self._child(_visit, module, list(self.examples()), self.probe)
        if outcome.ended == "returned":
            return Visit(None, *outcome.value)
        if outcome.ended == "raised":
            seen = f"in a later process: {outcome.error.kind}: {outcome.error.message}"
            return Visit(Finding("runs without an error", seen, full=outcome.error.full))
        return Visit(self._violent_end(outcome))

    def _child(self, function, *args):
        return sandbox.run(function, *args, seconds=self.seconds, memory=MEMORY)

    def _verdict(self, status, findings, output=""):
        return Verdict(self.name, status, tuple(findings), self._checked(), ("speed",), output)


def write(folder, files):
    """Write the texts of `files`, by name, into a folder."""
    for name, text in files.items():
        (Path(folder) / name).write_text(text, encoding="utf-8")


def _written(answer, files):
    """In a child: what the answer returns, as files."""
    try:
        function = answer.load()
    except BaseException as error:
        return "raised", loading_failed(answer, error)
    if function is None or is_stub(function):
        return ("missing" if function is None else "not attempted"), None
    try:
        return "written", files(function())
    except ValueError as error:
        return "wrong", Finding("files", str(error))
    except BaseException as error:
        report = describe(error)
        return "raised", Finding(
            "runs without an error", f"{report.kind}: {report.message}", full=report.full
        )


def _visit(module, examples, probe):
    """In a child: what using the module compiled, why, the results, and what the probe sees."""
    with warnings.catch_warnings(record=True) as caught, event.install_recorder("numba:run_pass") as passes:
        warnings.simplefilter("always")
        with event.install_recorder("numba:compile") as compiling:
            function = module.load()
            results = tuple(function(*args) for args in examples)
        functions = [
            started.data["dispatcher"].py_func for _, started in compiling.buffer if started.is_start
        ]
        compiled = [f.__name__ for f in functions if f.__code__.co_filename.startswith(module.folder)]
    if passes.buffer and not compiled:  # of @vectorize, or outside the folder: no name that says anything
        compiled = [module.function]
    reasons = [str(warning.message) for warning in caught if "Cannot cache" in str(warning.message)]
    reasons += [cache(function).problem] if isinstance(function, Dispatcher) else []
    return tuple(compiled), next(filter(None, reasons), ""), results, probe()


@dataclass(frozen=True)
class SecondProcessCompilesNothing(Requirement):
    """After one process has used the function, another one gets the same results and compiles nothing."""

    name: ClassVar[str] = "second process"

    def of_folder(self, laboratory, folder):
        visit = laboratory.visit(folder)
        if visit.failed:
            return visit.failed
        if visit.compiled:
            names = ", ".join(f"`{name}`" for name in dict.fromkeys(visit.compiled))
            why = f": {visit.why}" if visit.why else ""
            return Finding(self.name, f"it compiled {names} once more{why}")
        for args, result in zip(laboratory.examples(), visit.results, strict=True):
            if seen := difference(result, laboratory.spec(*args), 1e-9, "what it got from the cache"):
                return Finding(self.name, seen, show(args))
        return None


# A polynomial in a module of its own.


def cached_polynomial():
    """Return the text of a module whose function `polynomial(x, coefficients)` is compiled once and for all."""
    return '''"""Polynomials."""

import numpy as np
from numba import njit


@njit(cache=True)
def polynomial(x, coefficients):
    """Return c[0] + c[1] x + c[2] x² + … for each x."""
    result = np.zeros(x.size)
    for i in range(x.size):
        for k in range(coefficients.size):
            result[i] = result[i] * x[i] + coefficients[coefficients.size - 1 - k]
    return result
'''


def polynomial_spec(x, coefficients):
    """Power by power."""
    return np.array([sum((c * value**k for k, c in enumerate(coefficients)), 0.0) for value in x], np.float64)


def polynomial_examples():
    """No x; no coefficient; one of each; a line, a cubic; many."""
    yield np.zeros(0), np.array([1.0, 2.0])
    yield np.array([2.0, 3.0]), np.zeros(0)
    yield np.array([2.0]), np.array([3.0])
    yield np.array([-1.0, 0.0, 2.0]), np.array([1.0, 2.0])
    yield np.array([-1.5, 0.5, 2.0]), np.array([4.0, -3.0, 0.0, 1.0])
    yield np.linspace(-1, 1, 500), np.array([0.5, 0.25, 0.125])


def polynomial_inputs():
    """Small quarters, so that every sum is exact."""
    from hypothesis import strategies as st

    quarters = st.lists(st.integers(-12, 12).map(lambda k: k / 4), max_size=4).map(
        lambda values: np.array(values, np.float64)
    )
    return st.tuples(quarters, quarters)


def polynomial_files(text):
    """The one module."""
    if not isinstance(text, str):
        raise ValueError(f"the text of a module must be a string, not {type(text).__name__}")
    return {"polynomials.py": text}


# Two files, one of which is edited.

EDITS = (("return b - a if b > a else 0.0", "return abs(b - a)"), ("SCALE = 1.0", "SCALE = 0.5"))


def never_stale():
    """Return two files, by name, in which an edit of SCALE or step always shows."""
    together = '''"""How heights are counted, and all that is compiled with it."""

from numba import njit

SCALE = 1.0


@njit
def step(a, b):
    """What going from height a to height b counts."""
    return b - a if b > a else 0.0


@njit(cache=True)
def climb(heights):
    """All steps of a way, counted."""
    total = 0.0
    for i in range(1, heights.size):
        total += step(heights[i - 1], heights[i])
    return SCALE * total
'''
    return {"units.py": together, "terrain.py": "from units import climb\n"}


def climb_spec(heights):
    """Step by step, in plain Python."""
    return climb_after(0, heights)


def climb_after(edits, heights):
    """The same after so many of `EDITS`."""
    steps = [float(b - a) for a, b in itertools.pairwise(heights)]
    total = sum((abs(step) if edits > 0 else max(step, 0.0) for step in steps), 0.0)
    return (0.5 if edits > 1 else 1.0) * total


def climb_examples():
    """No height; one; up; down; up and down; many."""
    for few in ([], [3.0], [1.0, 4.0], [4.0, 1.0], [0.0, 2.0, 1.0, 5.0]):
        yield (np.array(few),)
    yield (np.round(8 * np.sin(np.arange(300.0))),)


def climb_inputs():
    """Whole heights."""
    from hypothesis import strategies as st

    heights = st.lists(st.integers(-9, 9), max_size=6)
    return st.tuples(heights.map(lambda values: np.array(values, np.float64)))


def two_files(files):
    """The two modules, and whatever else stands beside them."""
    if not isinstance(files, dict) or not all(
        isinstance(part, str) for pair in files.items() for part in pair
    ):
        raise ValueError("the files must be a dictionary from names to texts")
    if missing := {"units.py", "terrain.py"} - files.keys():
        raise ValueError(f"{' and '.join(sorted(missing))} must be among the files")
    if strange := [name for name in files if not name.removesuffix(".py").isidentifier()]:
        raise ValueError(f"{strange[0]!r} is not the name of a module's file")
    for line, _ in EDITS:
        count = sum(text.count(line) for text in files.values())
        if count != 1:
            raise ValueError(f"`{line}` must stand in the files once, not {count} times")
    return files


def units_of_others():
    """What other modules see of `units`, in a later process."""
    units = importlib.import_module("units")
    return units.SCALE, units.step(1.0, 3.0), units.step(3.0, 1.0)


@dataclass(frozen=True)
class EditsShow(Requirement):
    """After each edit, the next process gives the new answer."""

    name: ClassVar[str] = "never stale"

    def of_folder(self, laboratory, folder):
        units = [(1.0, 2.0, 0.0), (1.0, 2.0, 2.0), (0.5, 2.0, 2.0)]
        for edits, expected in enumerate(units):
            if edits:
                _edit(folder, *EDITS[edits - 1])
            visit = laboratory.visit(folder)
            if visit.failed:
                return visit.failed
            if visit.probed != expected:
                return Finding(
                    self.name, f"units.SCALE and units.step are not what they were: {visit.probed}"
                )
            for args, result in zip(laboratory.examples(), visit.results, strict=True):
                wanted = climb_after(edits, *args)
                if seen := difference(result, wanted, 1e-12, "the result"):
                    old, new = EDITS[edits - 1]
                    after = f"after `{old}` has become `{new}`, {seen}"
                    return Finding(self.name, after, f"heights={show(args[0])}")
        return None


def _edit(folder, old, new):
    """Replace a piece of text in the one file that has it."""
    for path in Path(folder).glob("*.py"):
        text = path.read_text(encoding="utf-8")
        if old in text:
            path.write_text(text.replace(old, new), encoding="utf-8")
            return


# A factory that remembers what it made.


@functools.cache
def scaler_of(text):
    """The compiled function whose factor this is, in hexadecimal."""
    factor = float.fromhex(text)

    @njit
    def scale(x):
        return factor * x

    return scale


def make_scaler(factor):
    """Return the compiled function that multiplies by `factor`: the same function for the same float."""
    return scaler_of(float(factor).hex())  # a text tells 0.0 from -0.0, and is the same for every NaN


def make_scaler_spec(factor):
    """A function in plain Python."""
    return lambda x: float(factor) * x


def make_scaler_examples():
    """A float; a zero that is negative; NaN."""
    for factor in (0.1, -0.0, math.nan):
        yield (factor,)


def _compiled(function):
    return isinstance(function, (Dispatcher, DUFunc))


@dataclass(frozen=True)
class MakesCompiled(Requirement):
    """What the factory returns is compiled by Numba."""

    name: ClassVar[str] = "compiled"
    status: ClassVar[str] = "not compiled"

    def of_code(self, trial):
        if isinstance(trial.answer, Dispatcher):
            return Finding(self.name, "the factory itself is compiled; it must be plain Python")
        return None

    def of_run(self, run):
        if _compiled(run.result):
            return ""
        kind = "plain Python function" if callable(run.result) else type(run.result).__name__
        return f"what it returned is no function compiled by Numba, but a {kind}"


@dataclass(frozen=True)
class Scales(Requirement):
    """The function multiplies numbers and arrays by its factor, to the sign of a zero, into something new."""

    name: ClassVar[str] = "right result"
    status: ClassVar[str] = "wrong"

    def of_run(self, run):
        if not _compiled(run.result):
            return ""  # `MakesCompiled` has said so
        for x in (1.5, np.array([1.0, -2.0, 0.0])):
            with np.errstate(invalid="ignore"):
                before, wanted = np.copy(x), run.expected(x)
            try:
                got = run.result(x)
            except Exception as error:
                return f"for x={show(x)} it raised {type(error).__name__}"
            if difference(x, before, 0.0, "x"):
                return f"it changed its argument `x`, which was {show(before)}"
            seen = difference(got, wanted, 0.0, "the result") or _fault_of_type(got, wanted)
            if seen:
                return f"{seen}, for x={show(x)}"
        return ""


def _fault_of_type(got, wanted):
    """What is wrong with a result whose values are right."""
    if np.asarray(got).dtype != np.float64:
        return f"the result is of type {np.asarray(got).dtype}, not float64"
    if not np.array_equal(np.signbit(got), np.signbit(wanted)) and not np.isnan(wanted).any():
        return "the sign of a zero is lost"
    return ""


SAME = (
    (0.1, float("0.1")),
    (1, 1.0),
    (1.0, True),
    (np.float64(2.5), 2.5),
    (float("nan"), float("nan")),
    (math.inf, float("inf")),
)
DIFFERENT = ((0.0, -0.0), (0.1 + 0.2, 0.3), (0.1, np.float32(0.1)), (1e300, 2e300), (math.inf, -math.inf))
MANY = 2000


@dataclass(frozen=True)
class SameFloatSameFunction(Requirement):
    """One function for each float, and no two floats share one; it is kept, however many others there are."""

    name: ClassVar[str] = "same float, same function"

    def of_code(self, trial):
        make = trial.answer
        try:
            for first, second in SAME:
                if make(first) is not make(second):
                    return Finding(
                        self.name, f"{first!r} and {second!r} are one float, and got two functions"
                    )
            for first, second in DIFFERENT:
                if make(first) is make(second):
                    return Finding(
                        self.name, f"{first!r} and {second!r} are two floats, and got one function"
                    )
            oldest = [make(1 / 3), make(2 / 3)]
            for number in range(MANY):
                make(1000.0 + number)
            if oldest != [make(1 / 3), make(2 / 3)]:
                return Finding(self.name, f"after {MANY:,} other factors, a function was made anew")
        except Exception as error:
            return Finding(self.name, f"the factory raised {type(error).__name__}: {error}")
        return None


@dataclass(frozen=True)
class CompilesOnce(Requirement):
    """Whoever asks again, and keeps no function, makes Numba compile nothing new."""

    name: ClassVar[str] = "compilations"

    def of_code(self, trial):
        factors, values = (0.75, math.nan, -0.0), (2.0, np.ones(3))
        counts = []
        with event.install_recorder("numba:run_pass") as passes:
            for _ in range(3):
                before = len(passes.buffer)
                for factor in (float(repr(factor)) for factor in factors):
                    for x in values:
                        trial.answer(factor)(x)
                counts.append(len(passes.buffer) - before)
                gc.collect()
        if counts[0] == 0:
            return Finding(self.name, "Numba compiled nothing for factors that had not been asked for before")
        if any(counts[1:]):
            return Finding(
                self.name, "the second time that the same factors were asked for, Numba compiled again"
            )
        return None


A_PROCESS = 20.0  # seconds: it may compile

EXERCISES = (
    Laboratory(
        name="never_stale",
        reference=never_stale,
        spec=climb_spec,
        examples=climb_examples,
        inputs=climb_inputs,
        module="terrain",
        function="climb",
        files=two_files,
        probe=units_of_others,
        seconds=A_PROCESS,
        requirements=(
            Compiled(),
            Matches(rtol=1e-12),
            Returns("float64", ndim=0),
            LeavesInputsAlone(),
            InBounds(),
            SecondProcessCompilesNothing(),
            EditsShow(),
        ),
        hints=(
            "Of which file does Numba look at the text before it takes code from the cache?",
            "Of the file in which the compiled function is defined. What must stand in that file, too?",
            "Define climb beside SCALE and step, in units.py; in terrain.py, from units import climb.",
        ),
        explanation=(
            "The stamp of a cache is the text of the file that defines the function. So what is compiled "
            "together stands together: any edit of it changes the stamp. Another way is to put a hash of the "
            "other file into the closure of climb, which is part of the key. To leave out cache=True is never "
            "stale, either, and compiles each time."
        ),
    ),
    Laboratory(
        name="cached_polynomial",
        reference=cached_polynomial,
        spec=polynomial_spec,
        examples=polynomial_examples,
        inputs=polynomial_inputs,
        module="polynomials",
        function="polynomial",
        files=polynomial_files,
        seconds=A_PROCESS,
        requirements=(
            Compiled(),
            Matches(rtol=1e-9),
            Returns("float64", ndim=1),
            LeavesInputsAlone(),
            InBounds(),
            SecondProcessCompilesNothing(),
        ),
        hints=(
            "A module file is what you would write into polynomials.py: imports first, then the function.",
            "Where does Numba keep what it compiled when the process ends? It must be asked to.",
            "@njit(cache=True) on everything that Python calls. Horner's rule: for each coefficient, the highest "
            "first, result = result * x + c.",
        ),
        explanation=(
            "cache=True is all that it takes where a function stands in a file of its own and needs nothing from "
            "elsewhere. What polynomial calls is compiled into it; what Python calls needs cache=True itself. A "
            "signature, decorated eagerly, is kept on disk as well, and then is loaded at import."
        ),
    ),
    Exercise(
        name="make_scaler",
        reference=make_scaler,
        helpers=(scaler_of,),
        spec=make_scaler_spec,
        examples=make_scaler_examples,
        seconds=A_PROCESS,
        requirements=(MakesCompiled(), Scales(), SameFloatSameFunction(), CompilesOnce()),
        hints=(
            "Keep what you made in a dictionary. Which keys are equal, and are the floats the same?",
            "0.0 == -0.0, but one over it is not; NaN is not even equal to itself. float(factor) first, then find "
            "a key that tells all floats apart: a text, or bytes.",
            "factor.hex(), repr(factor) or struct.pack('d', factor) will do. Make the function, under @njit, in "
            "the factory, so that it closes over factor, and only if the key is new.",
        ),
        explanation=(
            "Each function that a factory makes is new to Numba and is compiled anew, so the factory must "
            "remember. The text of a float tells 0.0 from -0.0 and takes one NaN for another, and 1, 1.0 and "
            "True become one float first. functools.cache forgets nothing, as a dictionary does; lru_cache() "
            "keeps 128. Where there are very many factors, pass the factor as an argument: "
            "one function serves all."
        ),
    ),
)
