"""What is recorded of calls: which functions, by signature, the smallest arguments, copied before the call."""

import numba
import numpy as np
import pytest
from numba import guvectorize, njit, stencil, typed, vectorize
from numba.core.dispatcher import Dispatcher
from numba.experimental import jitclass
from numba.np.ufunc.dufunc import DUFunc
from numba.np.ufunc.gufunc import GUFunc
from numba.np.ufunc.parallel import ParallelUFuncBuilder
from numba.stencils.stencil import StencilFunc

from numba_course.lens.recording import calls
from numba_course.lens.recording.calls import Recorder
from numba_course.process.arguments import unpack


@njit
def fill(values, by=1.0):
    values[:] = by


@njit
def refuse(n):
    if n < 10:
        raise ValueError("small")
    return n


def half_of(x):
    return x / 2


half = vectorize(["float64(float64)"])(half_of)


@guvectorize(["float64[:], float64[:]"], "(n)->(n)")
def reverse(values, out):
    for i in range(values.size):
        out[i] = values[-1 - i]


@jitclass([("value", numba.float64)])
class Scale:
    def __init__(self, value):
        self.value = value

    def by(self, factor):
        return self.value * factor


def made(factor):
    @njit
    def scaled(x):
        return x * factor

    return scaled


def only(recorder):
    (called,) = recorder.called
    return called


def test_arguments_are_those_before_the_call_and_the_smallest_that_show_something_come_first():
    with Recorder().recording() as recorder:
        for size in (1000, 10, 1, 100):
            fill(np.zeros(size))
    called = only(recorder)
    (signature,) = called.signatures.values()
    assert (called.calls, signature.calls, signature.kinds) == (
        4,
        4,
        "(array(float64, 1d, C), omitted(default=1.0))",
    )
    assert [sample.size for sample in signature.samples] == [10, 100, 1000, 1]
    (values,), named = unpack(signature.samples[0].packed)
    assert values.tolist() == [0.0] * 10 and named == {}


def test_an_omitted_default_is_a_signature_of_its_own_and_a_keyword_is_none():
    values = np.zeros(4)
    with Recorder().recording() as recorder:
        fill(values), fill(values, 2.0), fill(values, by=2.0), fill(by=2.0, values=values)
    found = {signature.kinds: signature.calls for signature in only(recorder).signatures.values()}
    assert found == {
        "(array(float64, 1d, C), omitted(default=1.0))": 1,
        "(array(float64, 1d, C), float64)": 3,
    }


def test_a_call_that_returns_is_kept_rather_than_one_that_raises():
    with Recorder().recording() as recorder:
        for n in (8, 9, 12):
            try:
                refuse(n)
            except ValueError:
                pass
    (signature,) = only(recorder).signatures.values()
    assert signature.returned and [unpack(sample.packed)[0] for sample in signature.samples] == [(12,)]


def test_ufuncs_and_methods_of_jitclasses_are_seen_and_what_numba_brings_along_is_not():
    with Recorder().recording() as recorder:
        half(np.ones(3)), reverse(np.ones(3))
        scale = Scale(2.0)
        scale.by(3.0)
        scale.value  # noqa: B018
        typed.List([1, 2]).append(3)
    names = [getattr(calls.python_function(called.fn), "__name__", "") for called in recorder.called]
    assert names == ["half_of", "reverse", "ctor", "by"]


def test_of_many_functions_made_by_one_piece_of_code_few_are_kept():
    with Recorder().recording() as recorder:
        for factor in range(10):
            made(float(factor))(1.0)
    assert len(recorder.called) == calls.MOST_MAKERS
    assert sum(called.calls for called in recorder.called) == 10


def test_ufuncs_for_several_threads_are_named_as_not_seen():
    with Recorder().recording() as recorder:
        vectorize(["float64(float64)"], target="parallel")(half_of)(np.ones(3))
    assert recorder.called == []
    (note,) = recorder.notes
    assert note == "calls of half_of are not seen: a ufunc with target='parallel' is NumPy's own object"
    assert "noting" not in ParallelUFuncBuilder.build.__qualname__


def test_other_ways_to_call_what_is_compiled_are_named():
    @stencil
    def mean(values):
        return (values[-1] + values[1]) / 2

    add = vectorize(["float64(float64, float64)"])(lambda a, b: a + b)
    before = [vars(kind).get(name) for kind in (DUFunc, StencilFunc) for name in ("reduce", "__call__")]
    with Recorder().recording() as recorder:
        assert add.reduce(np.ones(3)) == 3
        mean(np.ones(3))
    assert recorder.notes == ["<lambda>.reduce, mean: such calls are not looked at"]
    assert before == [
        vars(kind).get(name) for kind in (DUFunc, StencilFunc) for name in ("reduce", "__call__")
    ]


def test_what_cannot_be_copied_says_why():
    with Recorder().recording() as recorder:
        fill(np.zeros(9 << 20))
    (sample,) = only(recorder).signatures.popitem()[1].samples
    assert sample.packed is None and sample.why == "its arguments of 72 MB were not copied"


def test_after_many_calls_only_a_new_specialisation_is_looked_at(monkeypatch):
    monkeypatch.setattr(calls, "LOOKED_AT", 5)
    with Recorder().recording() as recorder:
        for n in range(100):
            refuse(n + 10)
        refuse(99.0)
        late = [sample.why for sample in only(recorder).signatures["(float64)"].samples]
        refuse(98.0)
        for _ in range(9):
            half(1.0)
    called = recorder.called[0]
    assert called.calls == 102 and list(called.signatures) == ["(int64)", "(float64)"]
    assert late == [calls.LATE]
    assert unpack(called.signatures["(float64)"].samples[0].packed)[0] == (98.0,)


def test_classes_of_numba_are_as_they_were_also_after_two_recorders():
    before = [vars(kind).get("__call__") for kind in (Dispatcher, DUFunc, GUFunc)]
    outer = Recorder()
    outer.start()
    with Recorder().recording() as inner:
        refuse(10)
    refuse(11)
    outer.stop()
    assert only(inner).calls == 1 and only(outer).calls == 2
    assert [vars(kind).get("__call__") for kind in (Dispatcher, DUFunc, GUFunc)] == before


def test_an_error_of_ours_reaches_no_caller(monkeypatch):
    monkeypatch.setattr(calls, "size_of", lambda values: 1 / 0)
    with Recorder().recording() as recorder:
        assert refuse(10) == 10
        with pytest.raises(ValueError, match="small"):
            refuse(1)
    assert recorder.trouble[0] == "a call of refuse was not recorded: ZeroDivisionError: division by zero"


@pytest.mark.parametrize(
    "one, other",
    [
        (np.zeros(3), np.zeros(3, np.float32)),
        (np.zeros((3, 3)), np.zeros((3, 3)).T),
        (np.zeros(6), np.zeros(6)[::2]),
        ((1, 2), (1, 2.0)),
        ([1], [1.0]),
        (1, 1.0),
        (1, True),
        (typed.List([1]), typed.List([1.0])),
        (fill, refuse),
    ],
)
def test_shapes_tell_types_apart(one, other):
    assert numba.typeof(one) != numba.typeof(other)
    assert calls.shape_of(one) != calls.shape_of(other)
