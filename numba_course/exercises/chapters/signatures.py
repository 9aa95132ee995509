"""Chapter 03, signatures: a function compiled for one signature only, and a wrapper that feeds one."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numba import njit, types
from numba.core.dispatcher import Dispatcher

from numba_course.exercises.exercise import Exercise
from numba_course.exercises.kernel_requirements import KernelInBounds, kernels_of
from numba_course.exercises.requirements import (
    Compiled,
    InBounds,
    LeavesInputsAlone,
    Matches,
    Requirement,
    Returns,
)
from numba_course.exercises.verdict import Finding

# One signature: compiled before the first call, and for nothing else. So here something does happen at import.


@njit("void(float64, float64[::1], float64[::1])")
def axpy(alpha, x, y):
    """Add `alpha` times `x` to `y`, in place."""
    for i in range(y.size):
        y[i] += alpha * x[i]


def axpy_spec(alpha, x, y):
    """The same, element by element, in plain Python."""
    with np.errstate(all="ignore"):
        for i in range(len(y)):
            y[i] = y[i] + alpha * x[i]


def axpy_examples():
    """No element; one; several; a factor of nought; values that are not finite; many."""
    yield 2.0, np.array([]), np.array([])
    yield 0.5, np.array([3.0]), np.array([1.0])
    yield 2.0, np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 30.0])
    yield 0.0, np.array([1.0, np.inf]), np.array([2.0, 3.0])
    yield -1.5, np.array([np.nan, -np.inf, 1.0, 4.0]), np.array([1.0, 1.0, np.inf, np.nan])
    yield 0.25, np.arange(1000.0), np.ones(1000)


def axpy_inputs():
    """Numbers whose products and sums float64 holds exactly, so that no way to add them is better."""
    from hypothesis import strategies as st

    @st.composite
    def inputs(draw):
        n, quarter = draw(st.integers(0, 8)), st.integers(-4000, 4000).map(lambda k: k / 4)
        x, y = (np.array(draw(st.lists(quarter, min_size=n, max_size=n)), np.float64) for _ in "xy")
        return draw(quarter), x, y

    return inputs()


@dataclass(frozen=True)
class OneSignature(Requirement):
    """The answer was compiled for one signature when it was defined, and refuses all others."""

    name: ClassVar[str] = "one signature"

    def of_code(self, trial):
        if not isinstance(trial.answer, Dispatcher):
            return Finding(self.name, "a ufunc converts whatever it is given; use @njit with a signature")
        if trial.answer._can_compile:
            return Finding(self.name, "@njit was given no signature, so each new type compiles it once more")
        kinds = [signature.args for signature in trial.answer.nopython_signatures]
        if len(kinds) > 1:
            return Finding(self.name, f"it has {len(kinds)} signatures: {_listed(map(_kinds, kinds))}")
        is_asked = (_is_float, _is_vector, _is_vector)
        for name, kind, fits in zip(trial.names, kinds[0], is_asked, strict=True):
            if not fits(kind):
                wanted = "float64" if fits is _is_float else "a C-contiguous one of float64"
                return Finding(self.name, f"`{name}` is declared as {kind}, and must be {wanted}")
        return None


def _is_float(kind):
    return kind == types.float64


def _is_vector(kind):
    return isinstance(kind, types.Array) and (kind.dtype, kind.ndim, kind.layout) == (types.float64, 1, "C")


def _kinds(kinds):
    """Types of a call's arguments, in words."""
    return ", ".join(map(str, kinds))


def _listed(texts, shown=3):
    """The first of some texts, and how many more there are."""
    texts = list(texts)
    more = [f"{len(texts) - shown} more"] if len(texts) > shown else []
    return "; ".join(texts[:shown] + more)


# A wrapper: whatever it is given, its kernel sees one type.


@njit
def add_rows(matrix):
    """The sum of each row of a float64 matrix."""
    sums = np.zeros(matrix.shape[0])
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            sums[i] += matrix[i, j]
    return sums


def row_sums(matrix):
    """Return the sum of each row as float64."""
    return add_rows(np.require(matrix, np.float64, ["C_CONTIGUOUS", "WRITEABLE"]))


def row_sums_spec(matrix):
    """The same with Python's own sum."""
    return np.array([sum(float(value) for value in row) for row in matrix], np.float64)


def _read_only(matrix):
    matrix = matrix.copy(order="K")
    matrix.flags.writeable = False
    return matrix


def row_sums_examples():
    """No rows and no columns; one value; a list; each layout, read-only ones too; each dtype; many values."""
    quarters = np.arange(6.0).reshape(2, 3) / 4
    yield (np.zeros((0, 3)),)
    yield (np.zeros((3, 0)),)
    yield (np.array([[1.5]]),)
    yield ([[1.0, 2.0], [3.0, 4.0]],)
    yield ([[1, 2, 3]],)
    yield (quarters,)
    yield (np.asfortranarray(quarters),)
    yield (quarters[::-1, ::2],)
    yield (_read_only(quarters),)
    yield (_read_only(quarters.T),)
    yield (np.full((2, 3), 0.1, np.float32),)
    yield (np.array([[2**24, 1], [200, 100]], np.int64),)
    yield (np.full((2, 5), 200, np.uint8)[:, ::2],)
    yield (np.array([[True, True], [False, True]]),)
    yield (np.sin(np.arange(2400.0)).reshape(40, 60),)


def row_sums_inputs():
    """Small matrices of whole numbers, in any layout and dtype, and lists of lists."""
    from hypothesis import strategies as st

    layouts = (np.ascontiguousarray, np.asfortranarray, np.fliplr, _read_only, np.ndarray.tolist)

    @st.composite
    def inputs(draw):
        rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 4))
        values = draw(st.lists(st.integers(0, 200), min_size=rows * columns, max_size=rows * columns))
        dtype = draw(st.sampled_from([np.float64, np.float32, np.int64, np.int16, np.uint8]))
        return (draw(st.sampled_from(layouts))(np.array(values, dtype).reshape(rows, columns)),)

    return inputs()


@dataclass(frozen=True)
class CallsKernel(Requirement):
    """The answer is plain Python that calls a compiled function."""

    name: ClassVar[str] = "compiled"
    status: ClassVar[str] = "not compiled"
    early: ClassVar[bool] = True

    def of_code(self, trial):
        if isinstance(trial.answer, Dispatcher):
            advice = "leave the decorator to the kernel, and let plain Python prepare the matrix"
            return Finding(self.name, f"the wrapper itself is compiled; {advice}")
        if not kernels_of(trial, list(trial.exercise.examples())[2:4]):
            return Finding(self.name, "it calls no compiled function; write a kernel, decorated with @njit")
        return None


@dataclass(frozen=True)
class OneSpecialisation(Requirement):
    """All that the answer calls was compiled for one combination of types, whatever it is given."""

    name: ClassVar[str] = "one specialisation"

    def of_code(self, trial):
        kernels = kernels_of(trial, trial.exercise.examples())
        compiled = [(kernel.__name__, _kinds(kinds)) for kernel in kernels for kinds in kernel.signatures]
        if len(compiled) <= 1:
            return None
        name = compiled[0][0]
        if len(kernels) == 1:
            listed = _listed(kinds for _, kinds in compiled)
            return Finding(self.name, f"its kernel `{name}` was compiled {len(compiled)} times: for {listed}")
        listed = _listed(f"`{name}` for {kinds}" for name, kinds in compiled)
        return Finding(self.name, f"its {len(kernels)} kernels were compiled {len(compiled)} times: {listed}")


SECONDS = 30.0  # for a step that compiles: an eager answer as it is loaded, a kernel as it meets a new type

EXERCISES = (
    Exercise(
        name="axpy",
        reference=axpy,
        spec=axpy_spec,
        examples=axpy_examples,
        inputs=axpy_inputs,
        seconds=SECONDS,
        requirements=(
            Compiled(),
            Matches(rtol=1e-12, of="y"),
            LeavesInputsAlone(except_=("y",)),
            InBounds(),
            OneSignature(),
        ),
        hints=(
            "A signature is text: first the type of what is returned, then, in brackets, those of the arguments.",
            "What returns nothing is void; a C-contiguous one-dimensional array of float64 is float64[::1].",
            '@njit("void(float64, float64[::1], float64[::1])"), and in the loop y[i] += alpha * x[i].',
        ),
        explanation=(
            "The signature says all three types, so the function is compiled where it is defined, and any other "
            "type is refused. [::1] promises that neighbours in the array are neighbours in memory, and the "
            "compiler can work on several at once. `y += alpha * x` is as right; it first makes an array for "
            "alpha * x."
        ),
    ),
    Exercise(
        name="row_sums",
        reference=row_sums,
        helpers=(add_rows,),
        spec=row_sums_spec,
        examples=row_sums_examples,
        inputs=row_sums_inputs,
        seconds=SECONDS,
        requirements=(
            CallsKernel(),
            Matches(rtol=1e-12),
            Returns("float64", ndim=1),
            LeavesInputsAlone(),
            KernelInBounds(),
            OneSpecialisation(),
        ),
        hints=(
            "Which four things about an array are part of its type? Which of them can you make equal before the call?",
            "np.ascontiguousarray(matrix, dtype=np.float64) settles dtype and layout, and lists. What of a read-only "
            "matrix that is right already?",
            'np.require(matrix, np.float64, ["C_CONTIGUOUS", "WRITEABLE"]) settles all of it. Or give the kernel a '
            "signature that promises not to write.",
            "def row_sums(matrix): return add_rows(np.require(...)), and add_rows, under @njit, is two loops over a "
            "float64 matrix.",
        ),
        explanation=(
            "np.require copies only what is not as asked, so the usual matrix goes straight to the kernel, and all "
            "others arrive as the one type that it was compiled for. A read-only matrix is copied, too; a kernel with "
            'the signature float64[::1](types.Array(float64, 2, "C", readonly=True)) takes both without a copy.'
        ),
    ),
)
