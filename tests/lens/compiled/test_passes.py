"""passes: names in the order in which they ran, and in a sentence why there are none."""

import pytest
from numba import njit

from numba_course.lens.compiled.passes import passes_run


def test_numba_s_own_form_is_typed_after_it_was_made():
    twice = njit(lambda x: 2 * x)
    with pytest.raises(ValueError, match="was not compiled in this process"):
        passes_run(twice)
    twice(3)
    found = passes_run(twice)
    made, typed, lowered = map(
        found.index, ("translate_bytecode", "nopython_type_inference", "native_lowering")
    )
    assert made < typed < lowered


def test_what_is_not_compiled_is_refused():
    with pytest.raises(TypeError, match="fn must be a function decorated with @njit, not <built-in function"):
        passes_run(len)
