"""bytecode: the instructions of a loop in words, those that Python has replaced, and a text that runs as a module."""

import pytest

from numba_course.lens import bytecode

TEXT = """
for i in range(1000):
    x = i * 2 + 1
"""


def in_a_function():
    for i in range(1000):
        x = i * 2 + 1  # noqa: F841


def nested(values):
    for i in range(3):
        for j in range(4):
            values[i] += abs(j)
    return values


def without_a_loop(x):
    return x + 1


def words(shown, name):
    return [what for _, what in shown.steps[name]]


def test_variables_have_names_at_module_level_and_numbers_in_a_function():
    shown = bytecode.loops({"module": TEXT, "function": in_a_function})
    middle = ["constant, not by name", "arithmetic"] * 2
    for name, how in (("module", "variable, by name"), ("function", "variable, by number")):
        assert words(shown, name) == ["the loop itself", how, how, *middle, how, "the loop itself"]
    assert "module: ⟨9⟩ instructions" in repr(shown)


def test_the_outer_loop_ends_at_its_own_jump_and_what_is_not_known_is_not_named():
    found = words(bytecode.loops({"nested": nested}), "nested")
    assert found.count("the loop itself") == 4
    assert "variable, by name" in found and "a call" in found and "" in found


def test_columns_of_other_lengths_stand_side_by_side():
    shown = bytecode.loops({"short": "for i in ():\n    pass", "long": in_a_function})
    assert "⟨JUMP_BACKWARD" in repr(shown) and shown._repr_html_()


def test_a_warm_loop_has_instructions_for_ints():
    def fresh():
        for i in range(1000):
            x = i * 2 + 1  # noqa: F841

    cold = bytecode.as_run(fresh)
    for _ in range(50):
        fresh()
    warm = bytecode.as_run(fresh)
    assert not any("INT" in name for name in cold if "BINARY" in name)
    assert [name for name in warm if "BINARY" in name] == ["BINARY_OP_MULTIPLY_INT", "BINARY_OP_ADD_INT"]


@pytest.mark.parametrize("ask", [lambda fn: bytecode.loops({"without_a_loop": fn}), bytecode.as_run])
def test_what_has_no_for_loop_is_refused(ask):
    with pytest.raises(ValueError, match="without_a_loop must have a for loop"):
        ask(without_a_loop)


def test_a_text_runs_as_a_module_with_the_variables_that_it_is_given():
    seen = []
    bytecode.as_module("for i in range(n):\n    seen.append(i)")(n=3, seen=seen)
    assert seen == [0, 1, 2]
    with pytest.raises(SyntaxError):
        bytecode.as_module("for")
