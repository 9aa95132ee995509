"""Text that computes: an error of it is a finding, also one without a message."""

from types import SimpleNamespace

import pytest

from numba_course.exercises.requirements.source_text import ComputesInOrder


@pytest.mark.parametrize(
    "body, seen",
    [
        ("return x", ""),
        ("return -x", "the function at 2.0 is -2.0, expected 2.0"),
        ("raise ValueError('not so')", "not so"),
        ("raise ValueError", "the function in the text raised ValueError"),
        ("raise KeyError(1)", "the function in the text raised KeyError: 1"),
    ],
)
def test_what_the_text_does_is_told(body, seen):
    run = SimpleNamespace(result=f"def composed(x):\n    {body}\n", expected=[2.0])
    finding = ComputesInOrder((2.0,)).of_run(run)
    assert (finding.seen if finding else "") == seen
