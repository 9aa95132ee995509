"""Copies of memory: every byte and no other, as compiled code and as Python; what cannot be copied is refused."""

import itertools
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numba import njit
from numba.core.errors import TypingError

from numba_course.kernels import memcpy
from numba_course.kernels.memory import LINE, STREAM, _copy, check_copy, copy_bytes, memcpy_spec
from numba_course.lens.compiled.dispatchers import rebuilt
from tests.kernels.bounds import bounds_checked
from tests.kernels.guards import CRASHED, copy_beside_guards, exit_code, guarded, needs_guards
from tests.peers import agrees_with_every_peer

COMPILED = hasattr(_copy, "py_func")  # not where the JIT is switched off
needs_jit = pytest.mark.skipif(not COMPILED, reason="the JIT is switched off")


@pytest.fixture(scope="module", params=["compiled", "python", "bounds checked"])
def copy_range(request):
    """The kernel `_copy` in one of its forms."""
    if request.param == "compiled" or not COMPILED:
        return _copy
    return _copy.py_func if request.param == "python" else bounds_checked(_copy)


def between_canaries(size, offset):
    """`size` bytes, `offset` bytes after a line of the cache begins, and all the memory around them."""
    memory = np.full(size + 4 * LINE, 0xA5, np.uint8)
    start = LINE - memory.ctypes.data % LINE + offset
    return memory[start : start + size], (memory[:start], memory[start + size :])


def content(size, seed=0):
    """Bytes that are not those around them."""
    return np.random.default_rng(seed).integers(0, 256, size, np.uint8)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("size", [0, 1, 7, LINE - 1, LINE, LINE + 1, 5 * LINE + 3])
@pytest.mark.parametrize("offset", [0, 1, 8, LINE - 1])
def test_every_byte_is_copied_and_no_other(copy_range, size, offset, stream):
    destination, around = between_canaries(size, offset)
    source = content(size + 1)[1:]
    copy_range(destination.ctypes.data, source.ctypes.data, size, stream)
    assert np.array_equal(destination, source)
    assert all(np.all(canary == 0xA5) for canary in around)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("size", [0, 1, 1000, STREAM - 1, STREAM + 65])
def test_any_number_of_threads_copies_alike(size, threads):
    destination, around = between_canaries(size, 5)
    source = content(size)
    memcpy(destination, source, threads)
    assert np.array_equal(destination, source)
    assert all(np.all(canary == 0xA5) for canary in around)


ARRAYS = arrays(st.sampled_from(["u1", "M8[s]"]), array_shapes(max_dims=2, max_side=4))


@settings(deadline=None, max_examples=30)
@given(ARRAYS, st.sampled_from("CF"))
def test_copy_is_that_of_the_specification(source, order):
    source = np.asarray(source, order=order)
    copied, expected = np.zeros_like(source), np.zeros_like(source)
    memcpy(copied, source)
    memcpy_spec(expected, source)
    assert copied.tobytes("A") == expected.tobytes("A") == source.tobytes("A")


@pytest.mark.parametrize("dtype", "? f2 g G c16 >i4 >f8 M8[s] m8[ns] S0 S3 U2 V3 i4,f8 (2,3)i2".split())
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 4)])
@pytest.mark.parametrize("order", "CF")
def test_every_dtype_shape_and_order_is_copied_and_compiles_nothing(dtype, shape, order):
    memcpy(np.zeros(3, np.uint8), np.ones(3, np.uint8))
    memcpy(np.zeros(3, np.uint8), read_only(3).view(np.uint8)[:3])
    compiled = len(copy_bytes.signatures) if COMPILED else 0
    destination = np.zeros(shape, dtype, order)
    source = np.asarray(content(destination.nbytes).tobytes(), f"V{destination.nbytes}").reshape(1)
    source = np.ndarray(destination.shape, destination.dtype, source, strides=destination.strides)
    source.flags.writeable = order == "C"
    memcpy(destination, source)
    assert destination.tobytes("A") == source.tobytes("A")
    if COMPILED:
        assert len(copy_bytes.signatures) == compiled


def test_a_map_of_a_file_is_copied(tmp_path):
    mapped = np.memmap(tmp_path / "map", np.float32, "w+", shape=(4, 5))
    memcpy(mapped, np.arange(20, dtype=np.float32))
    assert np.array_equal(mapped.ravel(), np.arange(20))


@pytest.mark.parametrize("dtype", [object, [("a", int), ("b", object)]])
def test_python_objects_are_refused_by_name(dtype):
    for arrays_, name in (
        ((np.zeros(3, dtype), np.zeros(3)), "destination"),
        ((np.zeros(3), np.zeros(3, dtype)), "source"),
    ):
        with pytest.raises(TypeError, match=f"^{name} must have a dtype without Python objects, not "):
            memcpy(*arrays_)


def test_dtypes_and_shapes_may_differ():
    source, destination = np.arange(6.0), np.zeros((3, 4), np.int32)
    memcpy(destination, source)
    assert np.array_equal(destination.reshape(-1).view(np.float64), source)


def test_source_may_be_read_only():
    source = np.arange(3.0)
    source.flags.writeable = False
    destination = np.zeros(3)
    memcpy(destination, source)
    assert np.array_equal(destination, source)


def read_only(size):
    """An array that may not be written to."""
    array = np.zeros(size)
    array.flags.writeable = False
    return array


ROW = np.zeros(8)
BYTES = np.zeros(6, np.uint8)
REFUSED = [
    (np.zeros(3), [1.0, 2.0, 3.0], 1, TypeError, "source must be a NumPy array, not list"),
    (3.0, np.zeros(3), 1, TypeError, "destination must be a NumPy array, not float"),
    (np.zeros(3), np.ma.zeros(3), 1, TypeError, "source must be a NumPy array, not MaskedArray"),
    (
        np.zeros((3, 2))[:, 0],
        np.zeros(3),
        1,
        ValueError,
        "destination must be contiguous, not strided by (16,) bytes",
    ),
    (np.zeros(3), np.zeros(6)[::-2], 1, ValueError, "source must be contiguous, not strided by (-16,) bytes"),
    (read_only(3), np.zeros(3), 1, ValueError, "destination must be writeable, not read-only"),
    (np.zeros(3), np.zeros(3, "f4"), 1, ValueError, "destination must have 12 bytes, as source, not 24"),
    (ROW[:5], ROW[3:], 1, ValueError, "destination must not overlap source"),
    (ROW[3:], ROW[:5], 2, ValueError, "destination must not overlap source"),
    (ROW, ROW, 1, ValueError, "destination must not overlap source"),
    (np.zeros(3), np.zeros(3), 0, ValueError, "threads must be in 1..4096, not 0"),
    (BYTES[:3], BYTES[3:], np.array([1, 2]), TypeError, "threads must be an integer, not array([1, 2])"),
    (np.zeros(3), np.zeros(3), 1.5, TypeError, "threads must be an integer, not 1.5"),
    (np.zeros(3), np.zeros(3), 1.0, TypeError, "threads must be an integer, not 1.0"),
    (np.zeros(3), np.zeros(3), True, TypeError, "threads must be an integer, not True"),
    (np.zeros(3), np.zeros(4), 2, ValueError, "destination must have 32 bytes, as source, not 24"),
]


@pytest.mark.parametrize(("destination", "source", "threads", "kind", "message"), REFUSED)
def test_what_cannot_be_copied_is_refused(destination, source, threads, kind, message):
    before = np.array(destination)
    with pytest.raises(kind) as caught:
        memcpy(destination, source, threads)
    assert type(caught.value) is kind
    assert str(caught.value) == message
    assert np.array_equal(before, destination)


def test_masked_arrays_are_refused_also_where_their_type_is_known():
    memcpy(np.zeros(3), np.ones(3))
    with pytest.raises(TypeError, match="source must be a NumPy array, not MaskedArray"):
        memcpy(np.zeros(3), np.ma.zeros(3))


def test_neighbours_do_not_overlap():
    memory = np.arange(8.0)
    memcpy(memory[:4], memory[4:])
    assert np.array_equal(memory, [4, 5, 6, 7, 4, 5, 6, 7])


# From compiled code


@needs_jit
def test_compiled_callers_copy_too():
    @njit
    def second_row(matrix, row):
        copy_bytes(matrix[1], row)

    matrix = np.zeros((3, 4))
    second_row(matrix, np.arange(4.0))
    assert np.array_equal(matrix, [[0] * 4, [0, 1, 2, 3], [0] * 4])


@needs_jit
@pytest.mark.parametrize(
    ("destination", "source", "message"),
    [
        (np.zeros(6)[::2], np.zeros(3), "destination must be a contiguous array"),
        (np.zeros(3), np.zeros(6)[::2], "source must be a contiguous array"),
        (np.zeros(3), 1.0, "source must be a contiguous array, not float64"),
        (read_only(3), np.zeros(3), "destination must be writeable, not read-only"),
    ],
)
def test_compiler_refuses_what_the_types_show(destination, source, message):
    with pytest.raises(TypingError, match=message):
        copy_bytes(destination, source)


@pytest.mark.parametrize(
    ("destination", "source"), [(np.zeros(3), np.zeros(4)), (ROW[:5], ROW[3:]), (ROW[3:], ROW[:5])]
)
def test_compiled_code_refuses_what_the_values_show(destination, source):
    with pytest.raises(ValueError, match="destination must"):
        copy_bytes(destination, source)


@needs_jit
def test_only_long_copies_pass_the_caches_by():
    """The stores are there, and which copies take them is decided at run time: both ways are tested above."""
    kernel = rebuilt(_copy)
    kernel.compile("void(intp, intp, intp, boolean)")
    ((_, text),) = kernel.inspect_llvm().items()
    assert "!nontemporal" in text
    assert "fence seq_cst" in text


@needs_jit
def test_second_process_compiles_nothing(tmp_path):
    code = (
        "import json, numpy as np; from numba_course.kernels import memory;"
        "memory.memcpy(np.zeros(3), np.ones(3)); stats = memory.copy_bytes.stats;"
        "print(json.dumps([sum(stats.cache_hits.values()), sum(stats.cache_misses.values())]))"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    runs = [
        subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        for _ in range(2)
    ]
    assert [json.loads(run.stdout) for run in runs] == [[0, 1], [1, 0]]


def test_check_lets_equal_arrays_pass():
    assert check_copy(np.zeros(3), np.ones(3)) is None


def copy_beside(beyond=0):
    """Arrays that end or begin where no memory is, short and long enough to pass the caches by."""
    for at_end, size in itertools.product((True, False), (1, 7, LINE + 1, 5000, STREAM, STREAM + LINE + 5)):
        source = copy_beside_guards(content(size), at_end, beyond)
        destination = guarded(size + beyond, np.uint8, at_end)
        memcpy(destination, source)
        assert np.array_equal(destination, source)


@needs_guards
def test_nothing_is_read_or_written_beside_the_arrays():
    assert exit_code(copy_beside) == 0
    assert exit_code(copy_beside, 8) in CRASHED  # so the guards are seen


def test_it_agrees_with_every_peer_of_its_benchmark():
    agrees_with_every_peer("memcpy")
