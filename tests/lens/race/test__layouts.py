"""Which functions view and which copy: the interpreter's answer is that of the compiled call, for every layout."""

import numpy as np
import pytest
from numba import njit

from numba_course.lens.compiled.dispatchers import hardly_optimised
from numba_course.lens.race._interpreter import Run
from numba_course.lens.race._values import Raised

BY_LAYOUT = (
    "x.ravel() np.ascontiguousarray(x) np.asfortranarray(x) np.resize(x,x.size) np.asarray(x).ravel()".split()
)
VIEWS = """
    x.real.ravel() x[0:1].ravel() x.T[0:1].ravel() x[::1].ravel() np.flip(x).ravel() np.expand_dims(x,0).ravel()
""".split()
OTHERS = """
    np.ravel(x) x.flatten() x.copy() np.copy(x) x.astype(x.dtype) x.transpose() x.view(x.dtype) np.atleast_2d(x)
    np.conj(x) np.diff(x,0) np.split(x,1)[0].ravel() np.rot90(x,4) x.reshape(x.size) np.reshape(x,-1).ravel()
""".split()
C, F = np.arange(12.0).reshape(3, 4), np.asfortranarray(np.arange(12.0).reshape(3, 4))
ROW, COLUMN, LINE = C[:1].copy(), np.arange(4.0).reshape(4, 1), np.arange(5.0)


@pytest.mark.parametrize(
    ("source", "array", "functions"),
    [
        ("a", C, BY_LAYOUT + VIEWS + OTHERS),
        ("a", F, BY_LAYOUT + VIEWS),
        ("a", C + 1j, ["x.real.ravel()", "x.imag.ravel()"]),
        ("a", LINE, BY_LAYOUT + VIEWS),
        ("a", ROW, BY_LAYOUT),
        ("a", np.zeros((0, 3)), BY_LAYOUT),
        ("a[:, 0:1]", COLUMN, BY_LAYOUT),  # of no known layout, and contiguous
        ("a[:, 1:3]", C, BY_LAYOUT),
        ("a.T", ROW, BY_LAYOUT + VIEWS[:2]),
        ("a[:, 1]", F, BY_LAYOUT),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_view_is_one_in_compiled_code(source, array, functions):
    namespace = {"np": np}
    exec(f"def every(a):\n    x = {source}\n    return ({', '.join(functions)})", namespace)
    every = njit(namespace["every"])
    with hardly_optimised():
        compiled = every(array)
    assert described(functions, interpreted(every, array), array) == described(functions, compiled, array)


def interpreted(fn, array):
    return Run(1, 0, {fn: None}).dispatch(fn, [array], {})


def test_the_layout_that_a_signature_says_is_that_of_the_argument():
    flat = njit("f8[::1](f8[:])")(lambda a: a.ravel())
    assert not np.may_share_memory(flat(LINE), LINE)
    assert not np.may_share_memory(interpreted(flat, LINE), LINE)


def test_numba_reshapes_only_what_it_need_not_copy():
    flat = njit(lambda a: a.reshape(12))
    with pytest.raises(NotImplementedError, match="incompatible shape for array"):
        flat(F)
    with pytest.raises(Raised) as caught:
        interpreted(flat, F)
    assert repr(caught.value.args[0]) == "NotImplementedError('incompatible shape for array')"


def described(functions, results, array):
    """Whether each is a view of the array, and what is in it."""
    return {
        function: (np.may_share_memory(result, array), result.shape, result.tolist())
        for function, result in zip(functions, results, strict=True)
    }
