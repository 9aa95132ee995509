"""What a child says: equal values arrive, whoever writes the bytes, and nothing of them is run."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numba_course.exercises.examination.verdict import Finding
from numba_course.lens.race.detector import Races
from numba_course.process import wire
from numba_course.process.wire import Opaque

NUMBERS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
)
KEYS = NUMBERS | st.text() | st.binary()
VALUES = st.recursive(
    KEYS,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(KEYS, inner)
        | st.sets(KEYS)
        | st.frozensets(KEYS)
    ),
    max_leaves=20,
)
DTYPES = hnp.scalar_dtypes() | hnp.array_dtypes() | st.just(np.dtype([("x", "f4"), ("y", "i2", (3,))]))


def same(one, other):
    """Equal, and of the same types all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(map(same, one.values(), other.values()))
    return one == other


@given(VALUES)
def test_a_value_arrives_as_it_was(value):
    assert same(wire.decode(wire.encode(value)), value)


@given(hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, min_side=0)))
def test_an_array_arrives_with_its_dtype_its_shape_and_its_bytes(array):
    found = wire.decode(wire.encode(array))
    assert (found.dtype, found.shape, found.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_a_view_arrives_as_an_array_of_its_own_that_can_be_written_to():
    array = np.arange(12.0).reshape(3, 4)[:, ::2]
    array.flags.writeable = False
    found = wire.decode(wire.encode(array))
    found[0, 0] = 7
    assert found.tolist() == [[7, 2], [4, 6], [8, 10]]


def test_numbers_of_numpy_and_records_of_ours_arrive():
    finding = Finding("right result", "it is 2", line=3)
    for value in (np.float32(1.5), np.int8(-3), np.bool_(True), np.datetime64("2026-11-30"), finding):
        assert same(wire.decode(wire.encode(value)), value)


def armed(kind):
    """A subclass that runs code where it is unpickled, compared or written down."""

    def fire(*args):
        raise SystemExit("this must not run")

    names = (
        "__reduce__",
        "__reduce_ex__",
        "__repr__",
        "__str__",
        "__iter__",
        "__eq__",
        "__hash__",
        "__len__",
    )
    return type("Armed", (kind,), dict.fromkeys(names, fire))


@pytest.mark.parametrize(
    "value", [2.5, 7, "text", b"bytes", [1, 2], (1, 2), {"a": 1}], ids=lambda v: type(v).__name__
)
def test_a_subclass_arrives_as_what_it_is_a_subclass_of(value):
    assert same(wire.decode(wire.encode(armed(type(value))(value))), value)


class Strange:
    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text()


def test_what_is_no_data_arrives_as_a_few_words():
    assert wire.decode(wire.encode([len])) == [
        wire.Opaque("builtin_function_or_method", "<built-in function len>")
    ]
    assert len(wire.decode(wire.encode(Strange(lambda: "x" * 10**6))).text) == wire.LONGEST
    assert wire.decode(wire.encode(Strange(sys.exit))) == wire.Opaque("Strange", "<Strange without a repr>")
    assert wire.decode(wire.encode(np.array([len]))).kind == "ndarray"


def test_a_list_that_holds_itself_ends():
    nested = []
    nested.append(nested)
    found, depth = wire.decode(wire.encode(nested)), 0
    while isinstance(found, list):
        found, depth = found[0], depth + 1
    assert found == wire.Opaque("list", "…")
    assert depth == wire.DEEPEST + 1


@given(st.binary() | st.binary().map(lambda b: len(b).to_bytes(4, "big") + b))
def test_bytes_of_anybody_are_malformed_or_data(message):
    try:
        wire.decode(message)
    except wire.Malformed:
        pass


GOOD = wire.encode([1, "two", np.arange(3.0), (Finding("a", "b"),), {3: b"four"}])


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255), st.booleans())
def test_a_message_with_one_wrong_byte_or_cut_short_is_malformed_or_data(place, byte, cut):
    message = GOOD[:place] if cut else GOOD[:place] + bytes([byte]) + GOOD[place + 1 :]
    try:
        wire.decode(message)
    except wire.Malformed:
        pass


def message(text):
    head = f"[{len(text)}]".encode()
    return len(head).to_bytes(4, "big") + head + text.encode()


@pytest.mark.parametrize(
    "text",
    [
        '{"r": ["os", "system", ["echo"]]}',
        '{"r": ["numba_course.process.sandbox", "Child", []]}',
        '{"r": ["numba_course.exercises.examination.warm", "nothing", []]}',
        '{"r": ["numba_course.exercises.examination.verdict", "Finding", ["too few"]]}',
        '{"a": ["|O", [1], 0]}',
        '{"a": ["<f8", [1000000000000], 0]}',
        '{"d": [[[], 1]]}',
        '{"?": 1}',
        '{"t": 1, "s": 2}',
        "[" * 100_000,
        "9" * 100_000,
    ],
)
def test_what_nobody_here_has_written_is_refused(text):
    with pytest.raises(wire.Malformed):
        wire.decode(message(text))


def test_a_record_of_the_lens_is_read_where_nobody_has_asked_for_it_yet():
    record = Opaque("x", "y")
    message = wire.encode(Races("none found")).hex(), wire.encode(record).hex()
    text = f"""
import sys
from numba_course.process import wire
print([type(wire.decode(bytes.fromhex(one))).__name__ for one in {message!r}])
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['Races', 'Opaque']"
