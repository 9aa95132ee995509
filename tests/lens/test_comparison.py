"""compare: right about results, compiling and copies. What is faster is asked as a relation, with wide margins."""

import ctypes
import functools
import importlib
import re
import sys
import time

import cloudpickle
import numba
import numpy as np
import pytest
from numba import njit, typed, types
from numba.extending import intrinsic

from numba_course.lens import timing
from numba_course.lens.comparison import Candidate, Comparison, Sweep, compare
from numba_course.lens.interpreter_lock import gil
from numba_course.lens.results import Incomparable, disagreement

instrument = sys.modules["numba_course.lens.comparison"]
for pickling in (cloudpickle, numba.cloudpickle):
    pickling.register_pickle_by_value(sys.modules[__name__])  # a child cannot import a test module

SLOW = 0.5  # seconds that one function needs at least to be compiled


def loop(values):
    total = 0.0
    for value in values:
        total += value
    return total


def hundred_loops(values):
    for _ in range(100):
        total = loop(values)
    return total


compiled = njit(loop)
eager = njit(types.float64(types.float64[:]))(loop)


@njit
def one_more(values):
    return values.sum() + 1.0


def recompiles(values):
    return njit(lambda x: x.sum())(values)


def raises(values):
    raise IndexError("no element 7")


def does_not_type(values):
    return njit(lambda x: x.no_such_thing)(values)


def crashes(values):
    ctypes.string_at(0)


def hangs(values):
    while True:
        time.sleep(0.01)


@pytest.fixture(scope="module")
def sums():
    functions = {
        "python": loop,
        "compiled": compiled,
        "eager": eager,
        "numpy": np.sum,
        "one more": one_more,
        "recompiles": recompiles,
    }
    return compare(functions, np.random.default_rng(0).random(20_000))


def test_compiled_code_is_faster_than_a_python_loop(sums):
    for name in ("compiled", "eager", "numpy"):
        assert sums.faster(name, than="python", times=3)
    assert sums.ratio("python") == 1.0
    low, high = sums.spread("compiled")
    assert 0 < low <= sums.ratio("compiled") <= high


@intrinsic
def slowly_typed(context, value):
    time.sleep(SLOW)
    return value(value), lambda context, builder, signature, args: args[0]


slow_to_compile = njit(lambda values: slowly_typed(values.size))


def test_compile_time_is_apart(sums):
    assert sums.compile_seconds("python") is None and sums.compile_seconds("numpy") is None
    for name in ("compiled", "eager", "one more"):
        assert sums.compile_seconds(name) > 0
    found = compare({"size": np.size, "slow to compile": slow_to_compile}, np.ones(3))
    assert found.compile_seconds("slow to compile") >= SLOW
    assert sum(found.entry("slow to compile").seconds) < SLOW, "a run contains the compiler"


def test_compiling_inside_the_timed_runs_is_noticed(sums):
    assert [e.name for e in sums.entries if e.compiled_inside] == ["recompiles"]
    assert any("'recompiles' compiles inside the timed runs" in warning for warning in sums.warnings)
    assert "! 'recompiles' compiles inside the timed runs" in repr(sums)


def test_no_ratio_where_results_differ(sums):
    with pytest.raises(
        ValueError, match=r"no ratio: 'one more' gives another result than 'python': ⟨.*, not"
    ):
        sums.ratio("one more")
    with pytest.raises(ValueError, match="no ratio"):
        sums.spread("one more")
    assert sums.seconds("one more") > 0
    assert not sums.entry("compiled").difference and not sums.entry("numpy").difference


def test_every_round_ran_every_function(sums):
    fewest, most = timing.ROUNDS
    rounds = {len(e.seconds) for e in sums.entries}
    assert len(rounds) == 1 and fewest <= rounds.pop() <= most
    assert all(second > 0 for e in sums.entries for second in e.seconds)


@pytest.mark.parametrize(
    ("function", "how"),
    [
        (raises, "IndexError: no element 7"),
        (does_not_type, "Unknown attribute 'no_such_thing'"),
        (crashes, "crashed"),
        (hangs, "timed out"),
    ],
)
def test_a_function_that_fails_is_named(function, how, monkeypatch):
    if function is hangs:
        monkeypatch.setattr(instrument, "LIMIT", 2.0)
    with pytest.raises(RuntimeError, match=f"compare: 'second' failed: {how}"):
        compare({"first": np.sum, "second": function}, np.ones(10))


def double(values):
    if values[0] != 1.0:
        raise ValueError("this is not a fresh copy")
    for i in range(values.size):
        values[i] *= 2


def test_each_call_gets_its_own_copy_if_the_arguments_are_changed():
    values = np.ones(20)
    found = compare({"python": double, "compiled": njit(double)}, values)
    assert found.copied and (values == 1).all()
    assert [e.difference for e in found.entries] == ["", ""]
    assert found.entry("python").calls > 1
    assert "own copy" in repr(found)


def test_functions_that_leave_different_arguments_are_not_compared():
    found = compare({"double": double, "triple": triple, "nothing": nothing}, np.ones(10))
    assert (
        found.entry("triple").difference
        == "leaves other arguments than 'double': item 0: ⟨3.0 at [0], not 2.0⟩"
    )
    assert found.entry("nothing").difference.endswith("item 0: ⟨1.0 at [0], not 2.0⟩")


def triple(values):
    values *= 3


def nothing(values):
    pass


class Scale:
    """Something with a method, which can be called as well."""

    by = 2.0

    def scaled(self, values, *, by=by, out=None):
        return scaled(values, by, out)

    __call__ = scaled


def scaled(values, by=2.0, out=None):
    if out is not None:
        out[0] = by
    return values * by


def leaves_out_alone(values, by=2.0, out=None):
    return values * by


FACTOR_OF_KERNEL = 3.0


def kernel(values, out):
    for i in range(values.size):
        out[i] = FACTOR_OF_KERNEL * values[i]


tripled = numba.guvectorize(["void(float64[:], float64[:])"], "(n)->(n)")(kernel)
times = numba.vectorize(lambda value, by: value * by)


def test_keyword_arguments_reach_all_that_can_be_called():
    functions = {
        "function": scaled,
        "compiled": njit(scaled),
        "partial": functools.partial(scaled, by=7.0),  # the call's own goes first
        "method": Scale().scaled,
        "object": Scale(),
    }
    found = compare(functions, np.ones(3), by=3.0)
    assert [e.difference for e in found.entries] == [""] * 5 and not found.copied
    assert found.seconds("compiled") > 0
    sweep = compare(
        {"function": scaled, "alone": leaves_out_alone}, sizes={3: (np.ones(3),)}, out=np.zeros(1)
    )
    (comparison,) = sweep.comparisons
    assert comparison.copied
    assert (
        comparison.entry("alone").difference
        == "leaves other arguments than 'function': out: ⟨0.0 at [0], not 2.0⟩"
    )


def test_a_default_is_that_of_each_function():
    found = compare({"two": scaled, "three": lambda values, by=3.0: values * by}, np.ones(3))
    assert "3.0 at [0], not 2.0" in found.entry("three").difference


def test_ufuncs_and_c_functions_are_called_as_python_calls_them():
    once = numba.cfunc("float64(float64)")(lambda value: 3.0 * value)
    found = compare({"ufunc": functools.partial(times, 3.0), "C": once.ctypes}, 1.0)
    assert found.entry("C").difference == ""
    found = compare({"gufunc": tripled, "ufunc": functools.partial(times, 3.0)}, np.ones((2, 3)))
    assert found.entry("ufunc").difference == ""
    with pytest.raises(TypeError, match=r"functions\['C'\] is made by @cfunc: .* give its attribute ctypes"):
        compare({"C": once}, 1.0)


def test_copies_keep_strides_alignment_and_write_permission():
    strided = np.arange(10.0)[::-2]
    frozen = np.arange(3.0)
    frozen.flags.writeable = False
    misaligned = np.zeros(9, np.uint8)[1:].view(np.float64)
    with pytest.raises(RuntimeError, match="all three are as they were"):
        compare({"layout": layout}, strided, frozen, misaligned)


def layout(strided, frozen, misaligned):
    if (strided.strides, frozen.flags.writeable, misaligned.flags.aligned) == ((-16,), False, False):
        raise ValueError("all three are as they were")


def test_runs_that_are_too_short_for_the_clock_are_noticed():
    too_large_to_copy_ahead = np.zeros(timing.COPIES, np.uint8)
    found = compare({"counts": count_up, "counts far": count_far}, [0], too_large_to_copy_ahead)
    assert [e.calls for e in found.entries] == [1, 1]
    assert found.entry("counts").too_short and not found.entry("counts far").too_short
    assert found.warnings == ("'counts' is too short for the clock",)
    assert "TOO SHORT" not in outside(repr(found)) and "TOO SHORT for the clock: counts⟩" in repr(found)


def count_up(counter, _):
    counter[0] = 100_000


def count_far(counter, _):
    while counter[0] < 100_000:
        counter[0] += 1


def test_a_result_that_changes_from_call_to_call_gives_no_ratio():
    found = compare({"draws": np.random.random, "again": np.random.random}, 3)
    assert "gives another result at the second call: ⟨" in found.entry("draws").difference
    with pytest.raises(ValueError, match="second call"):
        found.ratio("again")


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one thread only")
def test_threads_are_set_for_each_entry_and_left_alone_here():
    before = numba.get_num_threads()
    found = compare({"threads": numba.get_num_threads}, threads=(1, 2))
    assert [e.name for e in found.entries] == ["threads, 1 thread", "threads, 2 threads"]
    assert found.entry("threads, 2 threads").difference.endswith("⟨2, not 1⟩")
    assert compare({"sum": np.sum}, np.ones(9), threads=[2, 1]).ratio("sum, 1 thread") > 0
    assert numba.get_num_threads() == before


def test_a_sweep_compares_at_every_size():
    data = np.ones(300)
    sweep = compare({"once": loop, "hundred": hundred_loops}, sizes={n: (data[:n],) for n in (30, 300)})
    assert isinstance(sweep, Sweep) and sweep.sizes == (30, 300)
    assert sweep.faster("once", than="hundred", at=30, times=3).faster(
        "once", than="hundred", at=300, times=3
    )
    with pytest.raises(ValueError, match=re.escape("size must be one of (30, 300), not 31")):
        sweep.at(31)
    assert sweep.figure().alt == "Time of one call of once, hundred at sizes 30, 300, on logarithmic axes."
    assert [line.split()[0] for line in repr(sweep).splitlines()[:5]] == ["size", "30", "30", "300", "300"]
    assert "size 300: Equal results." in repr(sweep)


@pytest.mark.parametrize("wrong", [None, 3, 4])
def test_each_size_has_its_own_arguments(wrong):
    sizes = {n: (n + (n == wrong), np.ones(n)) for n in (3, 4)}
    if wrong is None:
        assert compare({"counts": counts}, sizes=sizes).sizes == (3, 4)
    else:
        with pytest.raises(RuntimeError, match=f"ValueError: {wrong} values, not {wrong + 1}"):
            compare({"counts": counts}, sizes=sizes)


def counts(size, values):
    if values.size != size:
        raise ValueError(f"{values.size} values, not {size}")


@pytest.mark.parametrize(
    "look",
    [
        lambda shelf: compare({"kept": shelf.kept, "wrapper": shelf.wrapper}, 3).ratio("wrapper") > 0,
        lambda shelf: gil(shelf.wrapper, 3).released is False,
    ],
    ids=["compare", "gil"],
)
def test_looking_alters_nothing(look, tmp_path, monkeypatch):
    path = tmp_path / "shelf.py"
    path.write_text(
        "from numba import njit\n\n\n@njit(cache=True)\ndef kept(x):\n    return x + 1\n\n\n"
        "def wrapper(x):\n    return kept(x)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "shelf", raising=False)
    shelf = importlib.import_module("shelf")
    assert shelf.kept(1.5) == 2.5
    before = traces(shelf.kept, tmp_path)
    assert before[-1] and look(shelf)
    assert traces(shelf.kept, tmp_path) == before


def traces(fn, folder):
    files = sorted(
        (str(p), p.stat().st_mtime_ns, p.read_bytes())
        for p in folder.rglob("*")
        if p.suffix != ".pyc" and p.is_file()
    )
    return list(fn.signatures), dict(fn.stats.cache_hits), dict(fn.stats.cache_misses), files


WRONG_USES = [
    (lambda: compare([loop], 1), TypeError, "functions must be a dict of names and functions, not list"),
    (lambda: compare({}, 1), TypeError, "functions must be a dict"),
    (
        lambda: compare({"a": 3.0}, 1),
        TypeError,
        "functions['a'] must be a function, not float; was it called already?",
    ),
    (lambda: compare({"a": loop}, 1, sizes={1: (1,)}), TypeError, "either as *args or in sizes"),
    (lambda: compare({"a": loop}, sizes=[1]), TypeError, "sizes must be a dict of sizes"),
    (
        lambda: compare({"a": loop}, sizes={5: np.ones(5)}),
        TypeError,
        "sizes[5] must be a tuple of arguments, not ndarray",
    ),
    (lambda: compare({"a": loop}, 1, threads=(0,)), ValueError, "threads must be in 1.."),
    (
        lambda: compare({"a": loop}, (i for i in "x")),
        TypeError,
        "the arguments cannot be sent to another process",
    ),
    (
        lambda: Comparison((Candidate("a", (1.0,)),)).ratio("b"),
        ValueError,
        "name must be one of ['a'], not 'b'",
    ),
]


@pytest.mark.parametrize(("use", "kind", "message"), WRONG_USES)
def test_wrong_use_is_told(use, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        use()


# What counts as equal: shape and kind before values, NaN equals NaN, room for the order of a sum.

Z = np.zeros
RECORDS = np.array([(np.nan, 1), (2.0, 3)], [("x", "f8"), ("y", "i4")])


def typed_dict(items):
    made = typed.Dict()
    for key, value in items.items():
        made[key] = value
    return made


EQUAL = [
    (1.0, 1.0),
    (1, np.int32(1)),
    (0.1 + 0.2, 0.3),
    (np.float32(0.1), 0.1),
    (np.nan, np.float32(np.nan)),
    (np.array([np.nan, np.inf]), np.array([np.nan, np.inf])),
    ([1, 2], np.array([1, 2])),
    ((1, Z(3)), (1, Z(3))),
    ([Z(2), Z(3)], [Z(2), Z(3)]),
    (None, None),
    ("text", "text"),
    ({"a": 1}, {"a": 1}),
    ({1, 2}, {2, 1}),
    (typed.List([1, 2]), [1, 2]),
    (np.array(["2020-01-01", "NaT"], "M8[D]"), np.array(["2020-01-01", "NaT"], "M8[D]")),
    (1 + 2j, 1 + 2j),
    (Z(0), Z(0)),
    (typed_dict({1: 2.0, 3: 4.0}), {3: 4.0, 1: 2.0}),
    ({"x": Z(3)}, {"x": Z(3)}),
    ([{1: Z(2)}], [{1: Z(2)}]),
    (["a", 1], ["a", 1]),
    (2**70, 2**70),
    (np.array([None, 1]), np.array([None, 1])),
    (RECORDS, RECORDS.copy()),
    (np.array([1e12, 1.0]), np.array([1e12 * (1 + 1e-9), 1.0])),
    (np.array([1e12, 1.0]), np.array([1e12, 1.001])),  # as near as the parts of a product of matrices may be
]
UNEQUAL = [
    (1.0, 1.001, "⟨1.001, not 1.0⟩"),
    (1, 1.0, "one float64, not one int64"),
    (True, 1, "one int64, not one bool"),
    (Z(3), Z((3, 1)), "float64 of shape (3, 1), not float64 of shape (3,)"),
    (Z(3), Z(3, int), "int64 of shape (3,), not float64 of shape (3,)"),
    (Z((2, 2)), np.array([[0, 0], [0, 7.0]]), "⟨7.0 at [1, 1], not 0.0⟩"),
    (np.nan, 0.0, "⟨0.0, not nan⟩"),
    (np.inf, -np.inf, "⟨-inf, not inf⟩"),
    (1.0, None, "None, not one float64"),
    (None, 1.0, "one float64, not None"),
    ((1, 2.0), (1, 3.0), "item 1: ⟨3.0, not 2.0⟩"),
    ((1, 2), (1, 2, 3), "a list or tuple of 3, not a list or tuple of 2"),
    ([Z(2), Z(3)], [Z(2), Z(2)], "float64 of shape (2, 2), not a list or tuple of 2"),
    ("a", "b", "⟨b, not a⟩"),
    (1 + 2j, 1 + 3j, "⟨(1+3j), not (1+2j)⟩"),
    (typed_dict({1: 2.0}), typed_dict({1: 99.0}), "at key ⟨1⟩: ⟨99.0, not 2.0⟩"),
    (typed_dict({1: 2}), {3: 2}, "⟨no key 1⟩"),
    ({1: 2}, {1.0: 2}, "key ⟨1⟩: one float64, not one int64"),
    ({1: 2}, {1: 2, 3: 4}, "a dict of 2, not a dict of 1"),
    ({"x": Z(3)}, {"x": np.array([0, 7.0, 0])}, "at key ⟨'x'⟩: ⟨7.0 at [1], not 0.0⟩"),
    ([{1: 2}], [{1: 3}], "item 0: at key ⟨1⟩: ⟨3, not 2⟩"),
    ([1, "a"], ["1", "a"], "<U1 of shape (2,), not a list or tuple of 2"),
    ({1, 2}, {1, 3}, "⟨{1, 3}, not {1, 2}⟩"),
    (RECORDS, np.array([(np.nan, 7), (2.0, 3)], RECORDS.dtype), "field 'y': ⟨7 at [0], not 1⟩"),
    (np.array([1e12, 1.0]), np.array([1e12, 5000.0]), "⟨5000.0 at [1], not 1.0⟩"),
]


@pytest.mark.parametrize(("expected", "found"), EQUAL)
def test_equal_results(expected, found):
    assert disagreement(found, expected) == ""


@pytest.mark.parametrize(("expected", "found", "text"), UNEQUAL)
def test_unequal_results(expected, found, text):
    assert disagreement(found, expected) == text


def test_a_sum_that_cancels_is_judged_by_its_terms():
    values = np.random.default_rng(1).standard_normal(100_000)
    values -= values.mean()
    forwards, backwards = loop(values), loop(values[::-1])
    assert forwards != backwards
    assert disagreement(backwards, forwards, np.abs(values).sum()) == ""
    assert disagreement(backwards + 1e-3, forwards, np.abs(values).sum()) != ""


def test_what_counts_as_equal_as_rounding_only_is_shown():
    wide = np.array([1e20, 1.0, 3.0])
    found = compare({"least": np.min, "most but one": lambda values: np.sort(values)[1]}, wide)
    assert found.entry("most but one").rounding == "gives another result than 'least': ⟨3.0, not 1.0⟩"
    assert not found.entry("most but one").difference and not found.entry("least").rounding
    assert "○ 'most but one' gives another result than 'least': ⟨3.0, not 1.0⟩" in repr(found)
    assert "Equal results, if that is rounding" in repr(found) and "Equal results." not in repr(found)


def test_a_global_that_changed_since_a_function_was_compiled_is_told():
    def made(factor, table):
        helper = njit(lambda value: value + table[0] + 2.0)

        @njit
        def times(value):
            return helper(value) * factor

        times(1.0)
        factor, helper = 8.0, njit(lambda value: value + 3.0)
        return times

    times = made(7.0, np.zeros(2))
    anew = "times is compiled anew here: "
    assert sorted(compare({"times": times, "python": lambda value: (value + 3) * 8.0}, 1.0).changed) == [
        anew + "factor is ⟨8.0⟩ now, not ⟨7.0⟩ as when it was compiled before",
        anew + "helper is another function now than when it was compiled before",
    ]


class Opaque:
    pass


@pytest.mark.parametrize(
    ("expected", "found", "why"),
    [
        (Opaque(), Opaque(), "'Opaque' objects have no == of their own"),
        ([Opaque()], [Opaque()], "'Opaque' objects have no == of their own"),
    ],
)
def test_objects_without_an_equality_are_not_called_different(expected, found, why):
    with pytest.raises(Incomparable, match=re.escape(why)):
        disagreement(found, expected)


def test_no_ratio_where_results_cannot_be_compared():
    found = compare({"a": lambda n: Opaque(), "b": lambda n: {n: np.arange(3)}, "c": lambda n: Opaque()}, 1)
    assert found.entry("c").difference == (
        "gives a result that cannot be compared: 'Opaque' objects have no == of their own"
    )
    with pytest.raises(ValueError, match="no ratio: 'a' gives a result that cannot be compared"):
        found.ratio("c")


# Stored outputs are compared: what varies is inside the brackets, and the rest does not move.


def outside(text):
    return re.sub("⟨[^⟩]*⟩", "⟨⟩", text)


def invented(scale, rounds):
    first = Candidate("first", (scale,) * rounds, 4, None)
    return Comparison((first, Candidate("second", (scale * scale,) * rounds, 1, scale)))


@pytest.mark.parametrize("shown", [repr, Comparison._repr_html_])
def test_text_outside_the_brackets_does_not_vary(shown):
    texts = [invented(*measured) for measured in [(3.456e-5, 5), (1.2345, 21), (20.0, 7)]]
    assert [bool(c.warnings) for c in texts] == [True, False, False]
    assert len({shown(c) for c in texts}) == 3 and len({outside(shown(c)) for c in texts}) == 1
    sweeps = [Sweep((10, 20), (c, c)) for c in texts]
    assert len({outside(repr(s)) for s in sweeps}) == len({outside(s._repr_html_()) for s in sweeps}) == 1


def test_numbers_in_alternative_texts_are_in_brackets():
    figure = invented(1.2345, 5).figure()
    assert outside(figure.alt) == "Time of one call on a logarithmic axis: first, second take ⟨⟩."


def test_html_is_escaped_static_and_says_what_is_wrong():
    html = Comparison(
        (Candidate("<b>", (1.0,)), Candidate("x", (1.0,), difference="gives <i>"))
    )._repr_html_()
    assert "<b>" not in html and "<i>" not in html and "✗" in html
    assert not re.search("<style|<script|<svg| id=|var\\(", html)


@pytest.mark.parametrize(("most", "calls"), [(10_000, 16), (16, 16), (7, 7), (1, 1)])
def test_calls_are_added_until_a_run_is_long_enough_or_there_are_enough(most, calls):
    assert timing.calls_for(10.0, float, most) == calls


def test_each_turn_begins_with_another_one():
    assert [timing.rotated([1, 2, 3], turn) for turn in range(4)] == [
        [1, 2, 3],
        [2, 3, 1],
        [3, 1, 2],
        [1, 2, 3],
    ]
