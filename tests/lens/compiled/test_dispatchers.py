"""dispatchers: what is refused, what a rebuilt copy shares with its original (nothing), what errors say."""

import functools
import importlib
import re
import types

import numba
import numpy as np
import pytest
from numba import njit

from numba_course.lens.compiled import dispatchers
from numba_course.lens.compiled.dispatchers import check_dispatcher, compiled_for, rebuilt
from numba_course.lens.errors import line_of, reason
from numba_course.process import sandbox

window = np.zeros(3)


@njit
def at(values, index):
    return values[index]


@njit(parallel=True, cache=False)
def filled(values):
    for i in numba.prange(values.size):
        values[i] = 1.0
    return values


@njit
def from_globals(index):
    return at(window[:2], index)


def from_closure():
    inner = at

    @njit
    def outer(values, index):
        return inner(values, index)

    return outer


@njit
def from_default(values, index, read=at):
    return read(values, index)


@njit
def countdown(values, index):
    return at(values, index) if index > 5 else countdown(values, index + 1)


tools = types.ModuleType("tools")
tools.at = at
pair = (at, filled)


@njit
def from_module(values, index):
    return tools.at(values, index)


@njit
def from_tuple(values, index):
    return pair[0](values, index)


CALLERS = {
    "globals": (from_globals, ()),
    "closure": (from_closure(), (window,)),
    "default": (from_default, (window,)),
    "module": (from_module, (window,)),
    "tuple": (from_tuple, (window,)),
    "recursion": (countdown, (window,)),
}


def state(fn):
    return tuple(fn.overloads), fn.stats, dict(fn.targetoptions)


# ---- refusals


@pytest.mark.parametrize(
    ("fn", "words"),
    [
        (lambda x: x, "plain Python function '<lambda>'"),
        (numba.jit(forceobj=True)(lambda x: x), "compiled in object mode"),
        (numba.vectorize(lambda x: x), "made by @vectorize"),
        (numba.guvectorize("(n)->(n)")(lambda x, out: None), "made by @guvectorize"),
        (numba.cfunc("int64(int64)")(lambda x: x), "made by @cfunc"),
        (numba.stencil(lambda a: a[0]), "made by @stencil"),
        (functools.partial(at, window), "an object of type 'partial'"),
        (3, "an object of type 'int'"),
    ],
)
def test_only_nopython_dispatchers_are_accepted(fn, words):
    with pytest.raises(
        TypeError, match=r"lens\.thing: fn must be a function decorated with @njit, not"
    ) as caught:
        check_dispatcher(fn, "lens.thing")
    assert words in str(caught.value)


def test_a_plain_function_of_disabled_njit_is_explained(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    with pytest.raises(TypeError, match="NUMBA_DISABLE_JIT is set"):
        check_dispatcher(njit(lambda x: x), "lens.thing")


def test_a_dispatcher_is_accepted():
    check_dispatcher(at, "lens.thing")
    check_dispatcher(filled, "lens.thing")


# ---- copies


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"parallel": True},
        {"fastmath": {"reassoc"}},
        {"error_model": "numpy"},
        {"nogil": True},
        {"inline": "always"},
        {"boundscheck": True},
    ],
)
def test_a_copy_has_the_same_options_and_those_that_are_given(options):
    original = njit(**options)(at.py_func)
    assert rebuilt(original).targetoptions == original.targetoptions
    changed = rebuilt(original, error_model="numpy", nogil=False).targetoptions
    assert changed == {**original.targetoptions, "error_model": "numpy", "nogil": False}


def test_a_copy_keeps_types_of_locals_and_defaults():
    original = njit(locals={"total": numba.float32})(lambda x, y=2: x)
    copy = rebuilt(original)
    assert copy._compiler.locals == {"total": numba.float32}
    assert copy.py_func.__defaults__ == (2,)
    assert copy(3) == 3


@pytest.mark.filterwarnings("ignore:First-class function")
@pytest.mark.parametrize("way", CALLERS)
def test_boundscheck_reaches_what_is_called(way):
    fn, arguments = CALLERS[way]
    before = state(fn), state(at)
    checked = rebuilt(fn, boundscheck=True)
    with pytest.raises(IndexError):
        checked(*arguments, 7)
    assert (state(fn), state(at)) == before


def test_compiling_a_copy_compiles_nothing_of_the_original():
    before = state(from_globals), state(at)
    copy = rebuilt(from_globals)
    assert copy(1) == 0.0
    assert copy.signatures
    assert (state(from_globals), state(at)) == before
    assert copy.py_func.__globals__["at"] is not at
    assert from_globals.py_func.__globals__["at"] is at


def test_recursion_calls_the_copy():
    copy = rebuilt(countdown)
    assert copy.py_func.__globals__["countdown"] is copy


def test_parallel_is_taken_from_parallel_callees_only():
    @njit(parallel=True)
    def caller(values):
        filled(values)
        return at(values, 0)

    copy = rebuilt(caller, parallel=False)
    names = copy.py_func.__globals__
    assert copy.targetoptions["parallel"] is False
    assert names["filled"].targetoptions["parallel"] is False
    assert "parallel" not in names["at"].targetoptions
    assert rebuilt(caller).py_func.__globals__["filled"].targetoptions["parallel"] is True
    assert copy(np.zeros(2)) == 1.0


def test_an_eager_function_stays_eager_unless_asked_otherwise():
    eager = njit("float64(float64)")(lambda x: x)
    copy = rebuilt(eager)
    assert copy.nopython_signatures == eager.nopython_signatures
    assert compiled_for(copy, (1,)).signature == eager.nopython_signatures[0]
    with pytest.raises(
        TypeError, match=r"<lambda> is compiled for \(float64\) only, not for \(unicode_type\)"
    ):
        compiled_for(copy, ("text",))
    lazy = rebuilt(eager, signatures=False)
    assert lazy(1) == 1
    assert lazy.signatures == [(numba.int64,)]


def test_an_eager_function_chooses_as_a_call_does():
    chosen = njit(["int64(int64)", "float64(float64)"])(lambda x: x)
    for value in (1, 2.5, np.float32(1)):
        picked = compiled_for(rebuilt(chosen), (value,)).signature.return_type
        assert picked == numba.typeof(chosen(value))


def test_compiling_makes_no_call_and_fills_in_defaults():
    @njit
    def endless(values, step=1, *rest):
        while step > 0:
            values[0] += 1.0
        return rest

    values = np.zeros(1)
    found = compiled_for(rebuilt(endless), (values,)).signature
    assert str(found.args) == "(Array(float64, 1, 'C', False, aligned=True), omitted(default=1), Tuple(()))"
    assert values[0] == 0.0
    with pytest.raises(TypeError, match="missing a required argument: 'values'"):
        compiled_for(rebuilt(endless), ())


def test_a_literal_that_the_compiler_asks_for_is_given():
    @njit
    def chosen(values, axis):
        return np.concatenate((values, values), axis)

    assert compiled_for(rebuilt(chosen), (np.zeros((2, 2)), 1)).signature.return_type.ndim == 2


# ---- errors


@njit
def unifies(flag):
    if flag:
        x = 1
    else:
        x = "one"
    return x, x, x  # long enough to stay one block: newer Pythons copy a short one into both branches


@njit
def attribute(x):
    y = x + 1
    return y.nope


@njit
def in_callee(x):
    return attribute(x)


@njit
def adds(x):
    return x + "text"


@njit
def unsupported(values):
    return np.pad(values, 3)


@njit
def makes_class(x):
    class Thing:
        pass

    return x


@njit
def half(values):
    return values[0] + values[1]


@njit
def masked(values, mask):
    return values[mask]


@njit
def keyword(values):
    return values.sum(foo=3)


@njit
def untyped_list(n):
    items = []
    return len(items)


def line(fn, offset):
    return fn.py_func.__code__.co_firstlineno + offset


ERRORS = [
    (unifies, (True,), 6, "Cannot unify Literal["),
    (attribute, (1,), 3, "Unknown attribute 'nope' of type int64"),
    (adds, (1,), 2, ">>> add(int64, Literal[str](text))"),
    (unsupported, (np.zeros(2),), 2, "Use of unsupported NumPy function 'numpy.pad'"),
    (makes_class, (1,), 2, "Use of unsupported opcode (LOAD_BUILD_CLASS) found"),
    (half, (np.zeros(2, np.float16),), None, "NotImplementedError: float16"),
    (masked, (np.ones((2, 2)), np.ones((2, 2), bool)), None, "AssertionError without a message"),
    (keyword, (np.zeros(2),), 2, "got an unexpected keyword argument 'foo'"),
    (untyped_list, (1,), 2, "Cannot infer the type of variable 'items'"),
    (at, (np.zeros(2), object()), None, "argument 1: Cannot determine Numba type of <class 'object'>"),
]


@pytest.mark.parametrize(
    ("fn", "arguments", "offset", "words"), ERRORS, ids=lambda value: getattr(value, "__name__", "")
)
def test_the_line_of_an_error_that_matters(fn, arguments, offset, words):
    with pytest.raises(Exception) as caught:
        compiled_for(rebuilt(fn), arguments)
    said = reason(caught.value)
    assert words in said
    assert "\n" not in said
    assert not re.search(r"0x[0-9a-f]+|[/\\]|\.py\b|\$\d|\x1b", said)
    if offset is not None:
        assert line_of(caught.value) == line(fn, offset)
    described = sandbox.describe(caught.value)
    assert reason(described) == said  # the same from a child process


def test_the_innermost_line_of_the_user_is_named():
    with pytest.raises(numba.TypingError) as caught:
        compiled_for(rebuilt(in_callee), (1,))
    assert line_of(caught.value) == line(attribute, 3)
    assert reason(caught.value) == "Unknown attribute 'nope' of type int64"


def test_lines_of_numba_itself_are_skipped():
    message = f'wrong\nFile "{numba.__file__}", line 5:\nFile "mine.py", line 7:'
    assert line_of(sandbox.Error("TypingError", message)) == 7


def test_addresses_are_left_out():
    assert (
        reason(ValueError("<Thing object at 0x7f12ab> is no number"))
        == "ValueError: <Thing object at 0x…> is no number"
    )


def test_an_error_without_a_place_has_no_line():
    assert line_of(ValueError("no place")) is None
    assert reason(ValueError("no place")) == "ValueError: no place"


FACTOR = 2


def test_values_are_replaced_in_the_copy_and_what_it_calls_and_nowhere_else():
    summand = 10

    @njit
    def scaled(value):
        return FACTOR * value

    @njit
    def shifted(value):
        return scaled(value) + summand

    copy = rebuilt(shifted, replace=lambda value: {2: 3, 10: 100}.get(value, value))
    assert (copy(5), shifted(5)) == (115, 20)


def test_functions_of_one_module_may_use_other_names_of_it():
    module = types.ModuleType("several")

    @njit
    def third(values):
        return module.at(values, 1)

    @njit
    def second(values):
        return module.third(values)

    @njit
    def first(values):
        return module.at(values, 0) + second(values)

    module.at, module.third = at, third
    assert rebuilt(first)(np.array([1.0, 2.0])) == 3.0


def test_what_is_serial_is_seen_where_there_is_text(tmp_path, monkeypatch):
    @numba.njit(parallel=True)
    def added(values):
        return values + 1.0

    @numba.njit
    def calls(values):
        return added(values)

    monkeypatch.syspath_prepend(tmp_path)
    text = "import numba\n\n@numba.njit(cache=True)\ndef f(x):\n    return x + 1\n"
    (tmp_path / "lens_kept.py").write_text(text, encoding="utf-8")
    kept = importlib.import_module("lens_kept")
    for fn, args in ((calls, (np.ones(3),)), (kept.f, (1,))):
        assert not dispatchers.is_seen_to_be_serial(fn)  # nothing of it is compiled
        fn(*args)
    assert not dispatchers.is_seen_to_be_serial(calls) and dispatchers.is_seen_to_be_serial(kept.f)
    loaded = importlib.reload(kept).f
    loaded(1)
    assert loaded.stats.cache_hits and not dispatchers.is_seen_to_be_serial(loaded)
