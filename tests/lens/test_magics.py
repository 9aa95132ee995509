"""The magics: a line is read, not run, in the names of the session, and a mistake in it is told in a sentence."""

from types import SimpleNamespace

import numpy as np
import pytest
from IPython.core.error import UsageError
from numba import njit

from numba_course import lens
from numba_course.lens import magics


@njit
def scaled(values, by=2.0):
    return values * by


@pytest.fixture
def magic():
    """Run a magic in a session that has some names."""
    known = {}
    names = {"scaled": scaled, "values": np.ones(3), "options": {"by": 3.0}, "n": 1}
    register = lambda function, kind, name: known.update({name: function})  # noqa: E731
    lens.load_ipython_extension(SimpleNamespace(user_ns=names, register_magic_function=register))
    assert set(known) == {*magics.OF_A_CALL, *magics.OF_A_FUNCTION}
    return lambda name, line, **local: known[name](line, local_ns=local)


def test_arguments_are_evaluated_in_the_session_and_the_call_is_left_to_the_instrument(magic, monkeypatch):
    assert magic("cache", " scaled; ").index is None
    assert magic("types", "scaled(*[values], **options)").signature.startswith(
        "(array(float64, 1d, C), float64)"
    )
    assert magic("types", "scaled(k);", k=1).signature.startswith("(int64, omitted(default=2.0))")


@pytest.mark.parametrize(
    "name, line, said",
    [
        ("races", "", "%races takes a call, such as f(x, y), which is not made"),
        ("races", "scaled", "%races takes a call, such as f(x, y), which is not made; 'scaled' is none"),
        (
            "gil",
            "scaled(",
            "%gil takes a call, such as f(x, y), which is not made; 'scaled(' is none: '(' was never closed",
        ),
        ("stages", "scaled(x)", "%stages: NameError: name 'x' is not defined"),
        ("machine_code", "scaled(1 / (n - n))", "%machine_code: ZeroDivisionError: division by zero"),
        ("cache", "", "%cache takes a function"),
        ("cache", "scaled(values)", "%cache takes a function, and makes no call; 'scaled(values)' is one"),
        (
            "cache",
            "values",
            "cache: fn must be a function decorated with @njit, not an object of type 'ndarray'",
        ),
        (
            "races",
            "scaled(1, 2, 3)",
            "lens.races: the arguments do not fit scaled: too many positional arguments",
        ),
    ],
)
def test_a_mistake_is_told_in_a_sentence(magic, name, line, said):
    with pytest.raises(UsageError) as caught:
        magic(name, line)
    assert str(caught.value) == said
