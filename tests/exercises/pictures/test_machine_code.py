"""What the pictures of chapter 04 say of the machine code that they are drawn from."""

import dataclasses

import numpy as np
import pytest

from numba_course.exercises.pictures import machine_code as pictures
from numba_course.lens.compiled.machine_code import MachineCode


@pytest.fixture
def code():
    """What `lens.machine_code` says of an addition of 67 elements where a register has four lanes."""
    nothing = dict.fromkeys(
        ("loops", "remarks", "calls", "raises", "bounds_checks", "wraparounds", "notes"), ()
    )
    return MachineCode(
        name="added",
        signature="(array(float64, 1d, C)) -> none",
        vector_width=4,
        element_type="float64",
        packed=4,
        scalar=1,
        fused=False,
        allocations=0,
        executed=(("fadd", 64, 3),),
        widths=(("fadd", 4, 16), ("fadd", 1, 3)),
        python_calls=0,
        gil="held",
        **nothing,
    )


def with_widths(code, *widths):
    """The same code, as if the call had done additions at these widths, as often as is said."""
    return dataclasses.replace(code, widths=tuple(("fadd", lanes, often) for lanes, often in widths))


def test_one_instruction_has_as_many_lanes_as_the_code(code):
    first, second = np.arange(64.0), np.full(64, 0.5)
    figure = pictures.one_instruction(code, first, second, first + second)
    assert "⟨4⟩ sums" in figure.alt and figure.alt.endswith("1 + 0.5 = 1.5.")
    with pytest.raises(ValueError, match="must have 4 numbers"):
        pictures.one_instruction(code, first, second[:1], first)


def test_left_over_is_what_no_vector_did(code):
    alt = pictures.left_over(code).alt
    assert alt.startswith("67 elements.") and "⟨16 of 4 lanes⟩" in alt and alt.endswith("each: ⟨3⟩.")
    alt = pictures.left_over(with_widths(code, (8, 4), (4, 7), (1, 2))).alt
    assert (
        alt.startswith("62 elements.")
        and "⟨4 of 8 lanes, 7 of 4 lanes⟩" in alt
        and alt.endswith("each: ⟨2⟩.")
    )
    assert "⟨none⟩" in pictures.left_over(with_widths(code, (1, 5))).alt


def test_left_over_of_none_of_very_many_or_of_what_is_not_known_is_refused(code):
    for widths in ([], [(4, 65)]):
        with pytest.raises(ValueError, match="for 1 to 256 elements, not"):
            pictures.left_over(with_widths(code, *widths))
    with pytest.raises(ValueError, match="not 0"):
        pictures.left_over(dataclasses.replace(code, widths=None))


def test_lanes_are_added_up_in_halves(code):
    eight = dataclasses.replace(code, vector_width=8)
    alt = pictures.lanes_added_up(eight, np.arange(64.0)).alt
    assert "⟨8⟩ sums" in alt and alt.endswith("after ⟨3⟩ times there is one, 2016.")
    with pytest.raises(ValueError, match="multiple of 8, the number of lanes, not 67"):
        pictures.lanes_added_up(eight, np.arange(67.0))


def test_there_are_no_lanes_in_scalar_code(code):
    scalar = dataclasses.replace(code, vector_width=1)
    with pytest.raises(ValueError, match="added must have packed arithmetic"):
        pictures.lanes_added_up(scalar, np.arange(64.0))


def test_speeds_name_their_types_and_what_was_measured():
    kinds = [f"kind{i}" for i in range(7)]
    figure = pictures.speeds(dict.fromkeys(kinds, 4), dict.fromkeys(kinds, 1.0), "a is faster than b")
    assert figure.alt.startswith(f"Speed against the number of lanes, for {', '.join(kinds)}")
    assert "a is faster than b" in figure.alt
