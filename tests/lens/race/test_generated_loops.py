"""Loops that Hypothesis draws, whose races a slow and obvious model knows: it runs them by hand and notes each touch.

Each part of a program has its text, and does on the `Model` what its text says. The model shares nothing with the
interpreter that is tested: its memory is a list for each array, and its elements are numbered by their place there.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from numba import njit, prange  # noqa: F401  # the drawn programs say it

from numba_course.lens.race.detector import detect

EXAMPLES = 1000 if os.environ.get("NUMBA_COURSE_WEEKLY") else 25
ROOM = 12  # elements of the memory that the one-dimensional arrays are cut from


@njit
def bump(array, k):
    array[k] += 1


@njit
def taken(array, k):
    return array[k] + 1


class Model:
    """Memory, variables, and who touched what.

    Attributes
    ----------
    arrays : dict
        Name to (name of the memory, place of each element as an array of the same shape).
    touches : dict
        (memory, place) to the set of (iteration, whether it wrote).
    """

    def __init__(self, arrays, memory):
        self.arrays, self.memory = arrays, {name: list(values) for name, values in memory.items()}
        self.variables, self.touches, self.iteration = {}, {}, None

    def place(self, name, index):
        memory, places = self.arrays[name]
        return memory, int(places[index])

    def read(self, name, index):
        memory, place = self.place(name, index)
        self._touch(memory, place, wrote=False)
        return self.memory[memory][place]

    def write(self, name, index, value):
        memory, place = self.place(name, index)
        self._touch(memory, place, wrote=True)
        self.memory[memory][place] = value

    def _touch(self, memory, place, wrote):
        if self.iteration is not None:
            self.touches.setdefault((memory, place), set()).add((self.iteration, wrote))

    def length(self, name):
        return len(self.arrays[name][1])

    def races(self):
        """Whether two iterations touch the same element, and one of them writes."""
        return any(
            first[0] != second[0] and (first[1] or second[1])
            for found in self.touches.values()
            for first, second in combinations(found, 2)
        )


# Numbers: `text` is what they are in the program, `value` what they are in the model.


@dataclass(frozen=True)
class Number:
    """``(i * p + j * q + r) % modulus``, of which the variables are there or not."""

    variable: str
    factor: int
    offset: int

    def text(self):
        return f"({self.variable} * {self.factor} + {self.offset})"

    def value(self, model):
        return model.variables[self.variable] * self.factor + self.offset


@dataclass(frozen=True)
class Sum:
    left: Any
    right: Any

    def text(self):
        return f"({self.left.text()} + {self.right.text()})"

    def value(self, model):
        return self.left.value(model) + self.right.value(model)


@dataclass(frozen=True)
class Halved:
    number: Any

    def text(self):
        return f"{self.number.text()} // 2"

    def value(self, model):
        return self.number.value(model) // 2


@dataclass(frozen=True)
class Element:
    """An element of a one-dimensional array; the index is brought into its bounds."""

    array: str
    index: Any

    def text(self):
        return f"{self.array}[{self.at()}]"

    def at(self):
        return f"({self.index.text()}) % len({self.array})"

    def place(self, model):
        return self.index.value(model) % model.length(self.array)

    def value(self, model):
        return model.read(self.array, self.place(model))

    def store(self, model, value):
        model.write(self.array, self.place(model), value)


@dataclass(frozen=True)
class Cell:
    """An element of the matrix, written in one of several ways."""

    row: Any
    column: Any
    chained: bool

    array = "m"

    def text(self):
        row, column = f"({self.row.text()}) % m.shape[0]", f"({self.column.text()}) % m.shape[1]"
        return f"m[{row}][{column}]" if self.chained else f"m[{row}, {column}]"

    def place(self, model):
        rows, columns = model.arrays["m"][1].shape
        return self.row.value(model) % rows, self.column.value(model) % columns

    def value(self, model):
        return model.read("m", self.place(model))

    def store(self, model, value):
        model.write("m", self.place(model), value)


@dataclass(frozen=True)
class Taken:
    """What a function that is called reads."""

    element: Element

    def text(self):
        return f"taken({self.element.array}, {self.element.at()})"

    def value(self, model):
        return self.element.value(model) + 1


# Statements: `lines` are their text, `run` does them.


@dataclass(frozen=True)
class Store:
    target: Any
    value: Any

    def lines(self):
        return [f"{self.target.text()} = {self.value.text()}"]

    def run(self, model):
        self.target.store(model, self.value.value(model))


@dataclass(frozen=True)
class Update:
    target: Any
    value: Any
    sign: str

    def lines(self):
        return [f"{self.target.text()} {self.sign}= {self.value.text()}"]

    def run(self, model):
        old, value = self.target.value(model), self.value.value(model)
        self.target.store(model, old + value if self.sign == "+" else old - value)


@dataclass(frozen=True)
class Bump:
    """A call of a function that writes: one of the module, or one that is defined inside."""

    target: Element
    function: str

    def lines(self):
        return [f"{self.function}({self.target.array}, {self.target.at()})"]

    def run(self, model):
        self.target.store(model, self.target.value(model) + 1)


@dataclass(frozen=True)
class Reduce:
    """A scalar that Numba combines: no element is touched but those of the value."""

    value: Any
    largest: bool

    def lines(self):
        value = self.value.text()
        return [f"most = max(most, {value})" if self.largest else f"total += {value}"]

    def run(self, model):
        self.value.value(model)


@dataclass(frozen=True)
class Guarded:
    number: Any
    modulus: int
    body: list

    def lines(self):
        return [
            f"if {self.number.text()} % {self.modulus} == 0:",
            *indented(line for part in self.body for line in part.lines()),
        ]

    def run(self, model):
        if self.number.value(model) % self.modulus == 0:
            for part in self.body:
                part.run(model)


@dataclass(frozen=True)
class Inner:
    """A loop in the loop."""

    count: int
    body: list

    def lines(self):
        return [
            f"for j in range({self.count}):",
            *indented(line for part in self.body for line in part.lines()),
        ]

    def run(self, model):
        for model.variables["j"] in range(self.count):
            for part in self.body:
                part.run(model)


def indented(lines):
    return [f"    {line}" for line in lines]


@dataclass(frozen=True)
class Row:
    """``m[row] = c`` or ``m[row, :k] += c``: several elements in one statement of an iteration."""

    row: Any
    stop: int
    updates: bool

    def lines(self):
        return [
            f"m[({self.row.text()}) % m.shape[0], : {self.stop}] {'+' if self.updates else ''}= 3",
        ]

    def run(self, model):
        rows, columns = model.arrays["m"][1].shape
        for column in range(min(self.stop, columns)):
            place = self.row.value(model) % rows, column
            model.write("m", place, model.read("m", place) + 3 if self.updates else 3)


# What is drawn

NAMES = ("a", "b", "c", "v")


def numbers(variables):
    """Affine, of one variable or two, halved, and gathered."""
    small = st.integers(-3, 3)
    one = st.builds(Number, st.sampled_from(variables), small, small)
    affine = one | st.builds(Number, st.just("i"), st.just(1), st.just(0))
    affine |= st.builds(Sum, one, one)
    gathered = st.builds(Element, st.just("ix"), affine)
    return affine | st.builds(Halved, affine) | gathered


def elements(variables):
    vectors = st.builds(Element, st.sampled_from(NAMES), numbers(variables))
    return vectors | st.builds(Cell, numbers(variables), numbers(variables), st.booleans())


def values(variables):
    element = elements(variables)
    vectors = st.builds(Element, st.sampled_from(NAMES), numbers(variables))
    return numbers(variables) | element | st.builds(Sum, element, element) | st.builds(Taken, vectors)


def statements(variables, depth):
    element, value = elements(variables), values(variables)
    vectors = st.builds(Element, st.sampled_from(NAMES), numbers(variables))
    simple = (
        st.builds(Store, element, value)
        | st.builds(Update, element, value, st.sampled_from("+-"))
        | st.builds(Bump, vectors, st.sampled_from(["bump", "inside"]))
        | st.builds(Reduce, value, st.booleans())
        | st.builds(Row, numbers(variables), st.integers(1, 3), st.booleans())
    )
    if not depth:
        return simple
    body = st.lists(statements(variables, depth - 1), min_size=1, max_size=2)
    inner = st.lists(statements(("i", "j"), depth - 1), min_size=1, max_size=2)
    guarded = st.builds(Guarded, values(variables), st.integers(2, 3), body)
    return simple | guarded | (st.builds(Inner, st.integers(0, 3), inner) if "j" not in variables else simple)


@st.composite
def views(draw, count):
    """Arrays cut from one memory or from several, with offsets and steps of either sign."""
    found = {}
    for name in ("a", "b", "c"):
        memory = draw(st.sampled_from(["x", "y", "z"]))
        start, step = draw(st.integers(0, ROOM // 2)), draw(st.sampled_from([1, 1, 1, 2, -1]))
        found[name] = memory, slice(start if step > 0 else ROOM - 1 - start, None, step)
    return found


@dataclass(frozen=True)
class Program:
    """A whole function, and the arguments of its call."""

    views: dict
    inside: tuple
    transposed: bool
    first: int
    stop: int
    gathered: list
    body: list

    def text(self):
        name, start, step = self.inside
        return "\n".join(
            [
                "def drawn(a, b, c, m, ix, stop):",
                "    def inside(array, k):",
                "        array[k] += 1",
                f"    v = {name}[{start}::{step}]",
                "    total = most = 0",
                f"    for i in prange({self.first}, stop):",
                *indented(indented(line for part in self.body for line in part.lines())),
                "    return total + most",
            ]
        )

    def arguments(self):
        memory = {name: np.arange(ROOM) * (k + 1) for k, name in enumerate("xyz")}
        matrix = np.arange(12).reshape(3, 4)
        vectors = [memory[name][cut] for name, cut in self.views.values()]
        return (*vectors, matrix.T if self.transposed else matrix, np.array(self.gathered), self.stop)

    def model(self):
        memory = {name: [(k + 1) * value for value in range(ROOM)] for k, name in enumerate("xyz")}
        memory |= {"matrix": list(range(12)), "ix": list(self.gathered)}
        arrays = {name: (of, np.arange(ROOM)[cut]) for name, (of, cut) in self.views.items()}
        name, start, step = self.inside
        arrays["v"] = arrays[name][0], arrays[name][1][start::step]
        matrix = np.arange(12).reshape(3, 4)
        arrays |= {"m": ("matrix", matrix.T if self.transposed else matrix)}
        arrays |= {"ix": ("ix", np.arange(len(self.gathered)))}
        return Model(arrays, memory)


@st.composite
def programs(draw):
    vectors = draw(views(3))
    shortest = min(len(range(ROOM)[cut]) for _, cut in vectors.values())
    return Program(
        vectors,
        (draw(st.sampled_from("abc")), draw(st.integers(0, min(2, shortest - 1))), draw(st.integers(1, 2))),
        draw(st.booleans()),
        draw(st.integers(0, 1)),
        draw(st.integers(3, 7)),
        draw(st.lists(st.integers(0, 6), min_size=7, max_size=7)),
        draw(st.lists(statements(("i",), 2), min_size=1, max_size=3)),
    )


def dispatcher(text):
    """The function of a program that is given as text."""
    namespace = {**globals()}
    exec(text, namespace)
    return njit(parallel=True)(namespace["drawn"])


def compiled(text, args):
    """The same, compiled to the end by Numba."""
    function = dispatcher(text)
    with warnings.catch_warnings(action="ignore"):  # it says so if nothing runs in parallel
        function.compile(tuple(map(numba.typeof, args)))
    return function


@pytest.mark.timeout(900 + 5 * EXAMPLES)
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES < 100, suppress_health_check=list(HealthCheck)
)
@given(programs())
def test_a_drawn_loop_gets_the_verdict_of_the_model(program):
    model = program.model()
    for iteration in range(program.first, program.stop):
        model.iteration = model.variables["i"] = iteration
        for part in program.body:
            part.run(model)
    found = detect(dispatcher(program.text()), program.arguments())
    if "Numba does not compile it" in found.reason:  # such as a number that is added to twice
        with pytest.raises(Exception, match="reduction variable"):
            compiled(program.text(), program.arguments())
        reject()
    if not model.races() and {conflict.array for conflict in found.conflicts} in ({"total"}, {"most"}):
        # Numba 0.68 knows no reduction in an inner loop under a condition, and what is added is lost.
        with_threads = compiled(program.text(), program.arguments())
        assert with_threads(*program.arguments()) != with_threads.py_func(*program.arguments())
        reject()
    expected = "race" if model.races() else "none found"
    assert found.verdict == expected, f"{program.text()}\n{program}\n{found}"


# Statements on whole arrays: iteration k touches element k of each operand.

FORMS = {
    "{x}[{s}] = {y}[{t}]": ("y", "X"),
    "{x}[{s}] += {y}[{t}]": ("x", "y", "X"),
    "{x}[{s}] = 3": ("X",),
    "{x}[{s}] -= {x}[{t}]": ("x", "z", "X"),
    "{x}[{s}] = {y}[{t}] * 2": ("y", "X"),
}
MAKING = (
    "{x}[{s}] = {y}[{t}] * 2",
)  # first a new array, then the store: Numba may merge the two loops, or not


@st.composite
def array_statements(draw):
    """(text, arguments, model of one run, whether it is two loops)"""
    vectors = draw(views(3))
    memory = {name: np.arange(ROOM) * (k + 1) for k, name in enumerate("xyz")}
    lengths = {name: len(range(ROOM)[cut]) for name, (_, cut) in vectors.items()}
    x, y = draw(st.sampled_from("abc")), draw(st.sampled_from("abc"))
    count = draw(st.integers(2, min(lengths[x], lengths[y], 5)))

    def cut(name):
        step = draw(st.integers(1, 2 if 2 * count <= lengths[name] else 1))
        start = draw(st.integers(0, lengths[name] - step * count))
        return slice(start, start + step * count, step)

    s, t = cut(x), cut(y)
    form = draw(st.sampled_from(sorted(FORMS)))
    t = s if "{x}[{t}]" in form and t.stop > lengths[x] else t
    where = {"s": f"{s.start}:{s.stop}:{s.step}", "t": f"{t.start}:{t.stop}:{t.step}"}
    text = "def drawn(a, b, c):\n    " + form.format(x=x, y=y, **where)
    arrays = {name: (of, np.arange(ROOM)[cut]) for name, (of, cut) in vectors.items()}
    model = Model(arrays, {name: list(values) for name, values in memory.items()})
    for k in range(count):
        model.iteration = k
        for operand in FORMS[form]:
            name, part = (y, t) if operand == "y" else (x, t if operand == "z" else s)
            touch = model.read if operand.islower() else lambda *where: model.write(*where, 0)
            touch(name, range(lengths[name])[part][k])
    return text, [memory[of][cut] for of, cut in vectors.values()], model, form in MAKING


@pytest.mark.timeout(900 + 5 * EXAMPLES)
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES < 100, suppress_health_check=list(HealthCheck)
)
@given(array_statements())
def test_a_drawn_statement_on_arrays_gets_the_verdict_of_the_model(drawn):
    text, args, model, makes = drawn
    found = detect(dispatcher(text), args)
    expected = {"race" if model.races() else "none found"} | ({"none found"} if makes else set())
    if found.nothing_parallel:
        assert not is_parallel(text, args), text
        expected = {"not checked"}
    assert found.verdict in expected, f"{text}\n{args}\n{found}"


def is_parallel(text, args):
    """Whether Numba made a parallel loop of anything in it."""
    (compiled_once,) = compiled(text, args).overloads.values()
    return bool(compiled_once.metadata["parfor_diagnostics"].initial_parfors)
