"""An answer on its way: what is still empty, what travels, and that nothing of the learner's runs in the session."""

import functools
import sys
from types import SimpleNamespace

import pytest
from numba import cfunc, njit, vectorize

from numba_course.exercises.examination import answer as module
from numba_course.exercises.examination.answer import CannotTravel, is_stub, live, python_function
from numba_course.exercises.examination.children import Processes
from numba_course.exercises.requirements.results import Matches
from tests.cells import run_cell
from tests.exercises.toy import Office, Tripled, exercise

# ---- empty, or not


def guarded(values):
    if values.ndim > 1:
        raise NotImplementedError


def left_over(values):
    return values * 2
    raise NotImplementedError


def documented(values):
    """Only words."""


def explained(values):
    raise NotImplementedError(f"not yet, {values}")


class Methods:
    def __init__(self):
        self.values = []

    @functools.cache  # noqa: B019
    def made(self): ...

    @staticmethod
    def other():
        raise NotImplementedError

    @property
    def size(self):
        pass


class OneIsThere(Methods):
    @functools.cache  # noqa: B019
    def made(self):
        return "text"


class Inherits(Tripled):
    def __init__(self):
        super().__init__(2.0)


class Bare:
    pass


def test_what_does_nothing_is_empty():
    for empty in (None, ..., documented, explained, njit(documented), functools.cache(explained), Methods):
        assert is_stub(empty), empty


def test_what_does_anything_is_not_empty():
    for begun in (guarded, left_over, njit(guarded), OneIsThere, Inherits, Bare, Bare(), 3, len, int):
        assert not is_stub(begun), begun


def test_the_function_inside_is_found_and_nothing_of_the_learners_is_asked_for_it():
    def plain(x):
        return x

    made = [njit(plain), vectorize(plain), functools.partial(njit(plain), 1), functools.cache(plain)]
    made += [staticmethod(plain), property(plain), cfunc("float64(float64)")(plain)]
    assert {python_function(value) for value in made} == {plain}
    assert python_function(SimpleNamespace(py_func=plain)) is None


# ---- nothing of it runs in the session

HOSTILE = {
    "class": "class Answer:\n    __class__ = property(lambda self: exit(1))\n    def __call__(self, v): return v\n",
    "attribute": "class Answer:\n    def __getattr__(self, name): exit(2)\n    def __call__(self, v): return v\n",
    "metaclass": (
        "class Meta(type):\n    def __getattribute__(self, name): exit(3)\n"
        "class Answer(metaclass=Meta):\n    def __call__(self, v): return v\n"
    ),
    "pickling": "class Answer:\n    def __reduce__(self): exit(4)\n    def __call__(self, v): return v\n",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_an_object_that_ends_the_session_where_it_is_asked_ends_nothing(text):
    answer = run_cell(f"from sys import exit\n\n{text}\nanswer = Answer()\n")["answer"]
    assert exercise().examine(answer).status in ("not compiled", "raised")


def test_an_answer_that_fails_as_it_is_made_anew_is_told_as_such():
    text = (
        "class Odd:\n    def __init__(self):\n        self.value = 3\n\n"
        "    def __setstate__(self, state):\n        raise RuntimeError('not again')\n\n"
        "odd = Odd()\n\ndef triple(values):\n    return values * odd.value\n"
    )
    verdict = exercise(requirements=(Matches(),)).examine(run_cell(text)["triple"])
    assert verdict.status == "raised"
    assert "RuntimeError: not again" in verdict.text()


def test_the_reason_why_an_answer_cannot_travel_is_told_even_if_that_raises():
    text = (
        "class Odd(Exception):\n    def __str__(self):\n        raise SystemExit\n\n"
        "class Holder:\n    def __reduce__(self):\n        raise Odd\n\nholder = Holder()\n\n"
        "def triple(values):\n    return len, holder\n"
    )
    says = r"cannot be sent to the process that checks it with what it finds as `holder`: Odd$"
    with pytest.raises(CannotTravel, match=says):
        live(run_cell(text)["triple"])


def test_the_stop_button_is_not_taken_for_a_fault_of_the_answer():
    text = "class Slow:\n    def __reduce__(self):\n        raise KeyboardInterrupt\n\nanswer = Slow()\n"
    with pytest.raises(KeyboardInterrupt):
        live(run_cell(text)["answer"])


def test_too_much_is_refused_before_it_is_copied(monkeypatch):
    monkeypatch.setattr(module, "MOST", 1_000_000)
    large, small = (
        run_cell(f"import numpy as np\n\ntable = np.zeros({n})\n\ndef triple(values):\n    return table\n")
        for n in (200_000, 100_000)
    )
    live(small["triple"])
    with pytest.raises(CannotTravel, match="more than 1 MB; make a large array an argument"):
        live(large["triple"])


@pytest.mark.parametrize("name", ["x" * 300, "größe"])
def test_a_name_may_be_long_and_a_text_may_be_no_text(name):
    head = "from numba import njit\n\nodd = '\\ud83d'\n\n@njit\n"
    text = f"{head}def {name}(values):\n    return values * 3.0 * len(odd)\n"
    assert exercise().examine(run_cell(text)[name]).passed


# ---- the disk cache

KERNELS = """
import functools
from numba import njit

@njit(cache=True)
def plain(x):
    return x / 3

@njit("float64(float64)", cache=True)
def early(x):
    return x + 1

@njit(cache=True)
def default(x):
    return x + 2

@njit(cache=True)
def listed(x):
    return x + 3

@njit(cache=True)
def attribute(x):
    return x + 4

@njit(cache=True)
def wrapped(x):
    return x + 5

@njit(cache=True)
def held(x):
    return x + 6

class Holder:
    kernel = staticmethod(attribute)

    def __init__(self, kernel):
        self.held = kernel

    def __call__(self, x):
        return self.held(x)

@functools.wraps(wrapped)
def wrapping(x):
    return wrapped(x)

table, holder, partial = {"key": listed}, Holder(held), functools.partial(plain)
del listed, attribute, held

def triple(x, default=default):
    def inner(x):
        return early(x)
    return partial(inner(default(table["key"](Holder.kernel(wrapping(holder(x)))))))
"""
NAMES = {"plain", "default", "listed", "attribute", "wrapped", "held"}


@pytest.mark.load
def test_what_is_cached_is_found_wherever_the_answer_holds_it(tmp_path):
    answer = live(run_cell(KERNELS)["triple"])
    asked = exercise(examples=lambda: [(9.0,)])
    fresh = Processes(asked, Office(answer, asked), str(tmp_path))
    first, second = fresh.visit(), fresh.visit()
    assert first.failed is None and set(first.compiled) == NAMES | {"early"}, first
    assert second.failed is None and second.compiled == () and second.results == (10.0,), second


@pytest.mark.load
def test_what_a_judged_answer_decorates_itself_leaves_nothing_on_the_disk(tmp_path):
    path = tmp_path / "answer.py"
    path.write_text(
        "from numba import njit\n\ndef triple(values):\n"
        "    @njit(cache=True)\n    def inner(values):\n        return 3.0 * values\n    return inner(values)\n"
    )
    toy = exercise(requirements=(Matches(),))
    names = {"__name__": "__main__"}
    exec(compile(path.read_text(), path, "exec"), names)  # as %run does
    assert toy.examine_file(path).passed and toy.examine(names["triple"]).passed
    assert [file.name for file in tmp_path.rglob("*")] == ["answer.py"]


# ---- where the text is


def test_the_lines_of_a_cell_travel_and_those_of_a_file_are_there(tmp_path):
    path = tmp_path / "helpers.py"
    path.write_text("def helper(values):\n    return 3.0 * values\n")
    names = {"__name__": "__main__"}
    exec(compile(path.read_text(), str(path), "exec"), names)
    cell = run_cell("def triple(values):\n    return helper(values).odd\n")
    cell["helper"] = names["helper"]
    sources = live(cell["triple"]).sources
    assert sources[cell["triple"].__code__.co_filename][1] == "    return helper(values).odd\n"
    assert str(path) not in sources
    verdict = exercise(requirements=(Matches(),)).examine(cell["triple"])
    assert verdict.findings[0].source == "return helper(values).odd"


def test_this_session_is_left_as_it_was():
    before = vars(sys.modules["__main__"]).copy()
    assert exercise().examine(run_cell("def triple(values):\n    return 3.0 * values\n")["triple"])
    assert vars(sys.modules["__main__"]) == before
