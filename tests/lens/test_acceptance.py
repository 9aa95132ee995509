"""What becomes of a call with each argument, and which values a type in a signature takes: held against Numba."""

import numpy as np
import pytest
from numba import njit

from numba_course.lens import acceptance

FEW = np.arange(6.0)
TABLE = FEW.reshape(2, 3)


def first(values):
    return values[0]


def done(calls):
    return [call.done for call in calls.calls]


def test_a_lazy_function_compiles_once_for_each_type():
    calls = acceptance.each_call(
        njit(first), {"a": FEW, "b": FEW + 1, "gaps": FEW[::2], "whole": FEW.astype(int)}
    )
    assert done(calls) == ["compiled", "reused", "compiled", "compiled"]
    assert calls.count("compiled") == calls.specialisations == 3
    assert [call.result for call in calls.calls] == ["0.0", "1.0", "0.0", "0"]
    assert calls.call("gaps").type == "array(float64, 1d, A)"


def test_a_signature_refuses_other_arrays_and_the_error_is_quoted():
    calls = acceptance.each_call(njit("float64(float64[::1])")(first), {"C": FEW, "A": FEW[::2]})
    assert done(calls) == ["reused", "raised"]
    assert calls.call("A").result == (
        "TypeError: No matching definition for argument type(s) array(float64, 1d, A)"
    )
    assert calls.specialisations == 1


def test_a_signature_converts_numbers_or_the_conversion_raises():
    whole = njit("int64(int64)")(lambda number: number)
    calls = acceptance.each_call(whole, {"2.7": 2.7, "NaN": float("nan"), "long": 2**63})
    assert [call.result.partition(":")[0] for call in calls.calls] == ["2", "ValueError", "OverflowError"]
    assert done(calls) == ["reused", "raised", "raised"]


def test_an_error_of_the_function_itself_and_one_of_the_compiler_are_told_alike():
    calls = acceptance.each_call(njit(lambda n: 1 // n), {"zero": 0, "text": "one"})
    assert done(calls) == ["raised", "raised"]
    assert calls.call("zero").result.startswith("ZeroDivisionError: ")
    assert calls.call("text").result.startswith("TypingError: No implementation of function")


def test_a_value_without_a_type_of_numbas_keeps_pythons():
    call = acceptance.each_call(njit(first), {"object": object()}).call("object")
    assert (call.type, call.done) == ("object", "raised")


def test_what_is_loaded_from_disk_is_not_called_compiled(tmp_path, monkeypatch):
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    assert done(acceptance.each_call(njit(cache=True)(first), {"a": FEW})) == ["compiled"]
    assert done(acceptance.each_call(njit(cache=True)(first), {"a": FEW})) == ["loaded"]


def test_a_plain_function_and_a_name_that_there_is_not_are_refused():
    with pytest.raises(TypeError, match="made by njit or jit, not function"):
        acceptance.each_call(first, {"a": FEW})
    with pytest.raises(ValueError, match=r"one of \['a'\], not 'b'"):
        acceptance.each_call(njit(first), {"a": FEW}).call("b")


def test_times_alone_stand_in_brackets():
    text = repr(acceptance.each_call(njit("float64(float64[:])")(first), {"a": FEW}))
    assert "array(float64, 1d, C)  reused    0.0     ⟨" in text
    assert "first is compiled for 1 type now" in text


def test_each_type_takes_what_numba_takes_and_a_text_that_is_none_has_a_row():
    values = {"C": TABLE, "F": TABLE.T, "A": TABLE[:, :2], "2": 2}
    rows = acceptance.each_signature(
        ["float64[:, ::1]", "float64[::1, :]", "float64[:, :]", "int8", "nb.int8"], values
    )
    assert [(kind, taken) for _, kind, taken in rows.rows] == [
        ("array(float64, 2d, C)", ("C",)),
        ("array(float64, 2d, F)", ("F",)),
        ("array(float64, 2d, A)", ("C", "F", "A")),
        ("int8", ("2",)),
        ("NameError: name 'nb' is not defined", ()),
    ]
    assert "nb.int8          NameError: name 'nb' is not defined  –" in repr(rows)
    assert repr(rows).endswith("Each without an error was compiled and called.")


def test_whether_one_type_takes_one_value():
    assert acceptance.takes("float64[::1]", FEW)
    assert not acceptance.takes("float64[::1]", FEW[::2])
    with pytest.raises(NameError):
        acceptance.takes("nb.float64", 1.0)
