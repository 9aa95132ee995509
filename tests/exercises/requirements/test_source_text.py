"""Text that computes: an error of it is a finding, also one without a message."""

from types import SimpleNamespace

import pytest

from numba_course.exercises.requirements.source_text import ComputesInOrder, composed


@pytest.mark.parametrize(
    "text, seen",
    [
        ("def f(x):\n    return x", ""),
        ("def f(x):\n    return -x", "the function at 2.0 is -2.0, expected 2.0"),
        ("def f(x):\n    raise ValueError('no')", "the function in the text raised ValueError: no"),
        ("def f(x):\n    raise ValueError", "the function in the text raised ValueError"),
        ("def f(x):\n    raise KeyError(1)", "the function in the text raised KeyError: 1"),
        ("def f(x):\n    raise SystemExit", "the function in the text raised SystemExit"),
        ("def f(x):\n    return x.y.z", "the function in the text raised AttributeError: 'float' object has"),
        ("def f(x) return", "the text is not Python: "),
        ("x = 1", "the text defines no function"),
        ("def f(x): ...\nf = 1", "in the text, f must be a plain function"),
        (3, "it returned a value of type int where source text is asked"),
    ],
)
def test_what_the_text_does_is_told(text, seen):
    run = SimpleNamespace(result=composed(lambda names: text, [], (2.0,)), expected=[2.0])
    finding = ComputesInOrder((2.0,)).of_run(run)
    assert finding.seen.startswith(seen) if seen else finding is None
