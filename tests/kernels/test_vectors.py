"""The vector intrinsics: each against NumPy."""

import os
import subprocess
import sys

import numpy as np
import pytest
from numba import config, njit, uint64
from numpy.testing import assert_allclose, assert_array_equal

from numba_course.kernels import vectors as v

pytestmark = pytest.mark.skipif(
    bool(config.DISABLE_JIT) or not v.has_avx2(), reason="needs a processor with AVX2, and the compiler"
)
RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, 64, np.uint8)
FLOATS = RNG.normal(size=32).astype(np.float32)


def result(kernel, out, *args):
    """`out`, between two margins, after the kernel has filled it; the margins must be as before."""
    whole = np.full(out.size + 64, 7, out.dtype)
    kernel(whole[32:-32], *args)
    assert (whole[:32] == 7).all() and (whole[-32:] == 7).all()
    return whole[32:-32]


@pytest.mark.parametrize("lanes", [2, 4, 8, 16])
def test_load_and_store_move_lanes_from_any_place_to_any(lanes):
    @njit
    def move(out, source, at, to):
        v.store(out, uint64(to), v.load(source, uint64(at), lanes))

    for source in (BYTES, FLOATS, FLOATS.astype(np.float64), np.arange(50, dtype=np.uint16)):
        for at, to in [(0, 0), (3, 1), (source.size - lanes, 0)]:
            moved = result(move, np.empty(lanes + to, source.dtype), source, at, to)
            assert_array_equal(moved[to:], source[at : at + lanes])
            assert (moved[:to] == 7).all()


@pytest.mark.parametrize("size, count", [(2, 8), (4, 4), (8, 2), (2, 4)])
def test_load_each_puts_what_lies_at_several_places_side_by_side(size, count):
    @njit
    def gather(out, source, start, places, first):
        v.store(out, uint64(0), v.load_each(source, uint64(start), places, uint64(first), size, count))

    places = np.array([9, 0, 3, 3, 20, 1, 11, 5, 2, 7], np.uint64)
    for source in (BYTES, FLOATS) if size == 2 else (BYTES,):
        expected = [source[4 + p : 4 + p + size] for p in places[1 : 1 + count].astype(int)]
        made = result(gather, np.empty(size * count, source.dtype), source, 4, places, 1)
        assert_array_equal(made, np.concatenate(expected))


def test_unzipped_parts_the_even_lanes_from_the_odd():
    @njit
    def kernel(out, source):
        evens, odds = v.unzipped(v.load(source, uint64(0), 8), v.load(source, uint64(8), 8))
        v.store(out, uint64(0), evens)
        v.store(out, uint64(8), odds)

    for source in (BYTES, FLOATS):
        assert_array_equal(
            result(kernel, np.empty(16, source.dtype), source), [*source[:16:2], *source[1:16:2]]
        )


def test_look_up_takes_bytes_and_floats():
    @njit
    def kernel(out, table, places):
        v.store(out, uint64(0), v.look_up(v.load(table, uint64(1), 16), v.load(places, uint64(0), 16)))

    @njit
    def kernel_floats(out, table, places):
        v.store(out, uint64(0), v.look_up(v.load(table, uint64(1), 8), v.load(places, uint64(0), 8)))

    for function, table, lanes, kind in [
        (kernel, BYTES, 16, np.uint8),
        (kernel_floats, FLOATS, 8, np.uint32),
    ]:
        places = RNG.integers(0, lanes, lanes).astype(kind)
        assert_array_equal(result(function, np.empty(lanes, table.dtype), table, places), table[1:][places])


def test_look_up_four_takes_from_four_tables():
    @njit
    def kernel(out, table, places):
        first, second = v.load(table, uint64(0), 16), v.load(table, uint64(16), 16)
        third, fourth = v.load(table, uint64(32), 16), v.load(table, uint64(48), 16)
        v.store(out, uint64(0), v.look_up_four(first, second, third, fourth, v.load(places, uint64(0), 16)))

    for places in (RNG.integers(0, 64, 16).astype(np.uint8), np.arange(3, 64, 4, dtype=np.uint8)):
        assert_array_equal(result(kernel, np.empty(16, np.uint8), BYTES, places), BYTES[places])


def test_look_up_both_takes_from_two_tables():
    @njit
    def kernel(out, table, places):
        low, high = v.load(table, uint64(1), 16), v.load(table, uint64(17), 16)
        v.store(out, uint64(0), v.look_up_both(low, high, v.load(places, uint64(0), 16)))

    @njit
    def kernel_floats(out, table, places):
        low, high = v.load(table, uint64(1), 8), v.load(table, uint64(9), 8)
        v.store(out, uint64(0), v.look_up_both(low, high, v.load(places, uint64(0), 8)))

    for function, table, lanes, kind in [
        (kernel, BYTES, 16, np.uint8),
        (kernel_floats, FLOATS, 8, np.uint32),
    ]:
        places = RNG.permutation(2 * lanes)[:lanes].astype(kind)
        assert_array_equal(result(function, np.empty(lanes, table.dtype), table, places), table[1:][places])


def test_halves_joined_and_every_rearrange():
    @njit
    def kernel(out, source, value):
        low, high = v.halves(v.load(source, uint64(0), 16))
        v.store(out, uint64(0), v.joined(high, low))
        v.store(out, uint64(16), v.every(value, 16))

    for value in (np.uint8(3), np.uint8(255)):
        expected = [*BYTES[8:16], *BYTES[:8], *[value] * 16]
        assert_array_equal(result(kernel, np.empty(32, np.uint8), BYTES, value), expected)


@pytest.mark.parametrize("by", [0, 1, 5, 8])
def test_shifted_takes_the_lanes_behind(by):
    @njit
    def kernel(out, source):
        v.store(out, uint64(0), v.shifted(v.load(source, uint64(0), 8), v.load(source, uint64(20), 8), by))

    for source in (BYTES, FLOATS):
        expected = [*source[by:8], *source[20 : 20 + by]]
        assert_array_equal(result(kernel, np.empty(8, source.dtype), source), expected)


def test_mix_adds_two_products():
    @njit
    def kernel(out, a):
        p, q = v.load(a, uint64(0), 8), v.load(a, uint64(8), 8)
        r, s = v.load(a, uint64(16), 8), v.load(a, uint64(24), 8)
        v.store(out, uint64(0), v.mix(p, q, r, s))

    a, b, weight_a, weight_b = FLOATS.reshape(4, 8).astype(float)
    expected = weight_a * a + weight_b * b
    assert_allclose(result(kernel, np.empty(8, np.float32), FLOATS), expected, rtol=1e-5, atol=1e-6)


def test_plus_and_times_are_those_of_each_lane_in_either_precision():
    @njit
    def kernel(out, a):
        p, q = v.load(a, uint64(0), 8), v.load(a, uint64(8), 8)
        v.store(out, uint64(0), v.plus(p, q))
        v.store(out, uint64(8), v.times(p, q))

    for source in (FLOATS, RNG.normal(size=16)):
        p, q = source[:8], source[8:16]
        assert_array_equal(result(kernel, np.empty(16, source.dtype), source), [*(p + q), *(p * q)])


def test_float64s_widens_and_store_rounds_to_the_nearest():
    @njit
    def kernel(out, source):
        v.store(out, uint64(1), v.float64s(v.load(source, uint64(0), 8)))

    exact = np.array([0.1, -1 / 3, 1 + 2**-24, 1 + 3 * 2**-24, 1e300, 1e-46, np.inf, np.nan])
    with np.errstate(over="ignore"):
        rounded = exact.astype(np.float32)  # a tie to even, twice; out of range to infinity and to zero
    for source in (exact, rounded):
        for kind in (np.float64, np.float32):
            with np.errstate(over="ignore"):
                expected = source.astype(kind)
            assert_array_equal(result(kernel, np.empty(9, kind), source)[1:], expected)


def test_prefetch_changes_nothing_and_reaches_anywhere():
    @njit
    def kernel(out, at):
        v.prefetch(out, uint64(at))

    for at in (0, 15, 10**6, 2**60):
        assert (result(kernel, np.empty(16, np.float32), at) == 7).all()
    assert "\tprefetch" in next(iter(kernel.inspect_asm().values()))  # the instruction, not a name


@njit
def lerp_scalars(out, a, b, weight):
    """The three 16-bit functions on numbers; the compiler makes vectors of this loop."""
    for k in range(out.size):
        out[k] = v.round_q8(v.lerp_q8(v.to_q8(a[k]), v.to_q8(b[k]), weight[k]))


@njit
def lerp_vectors(out, a, b, weight):
    """The same on vectors."""
    for g in range(out.size // 16):
        at = uint64(16 * g)
        first, second = v.to_q8(v.load(a, at, 16)), v.to_q8(v.load(b, at, 16))
        v.store(out, at, v.round_q8(v.lerp_q8(first, second, v.load(weight, at, 16))))


def test_16_bit_arithmetic_is_near_the_exact_and_the_same_for_numbers_and_vectors():
    a, b = np.repeat(np.arange(256, dtype=np.uint8), 256), np.tile(np.arange(256, dtype=np.uint8), 256)
    for weight in [0, 1, 12_345, 32_767, 32_768, 65_534, 65_535]:
        weights = np.full(a.size, weight, np.uint16)
        numbers = result(lerp_scalars, np.empty(a.size, np.uint8), a, b, weights)
        exact = a + (b.astype(float) - a) * weight / 65_535
        assert_allclose(numbers, exact, rtol=0, atol=0.505)
        assert_array_equal(result(lerp_vectors, np.empty(a.size, np.uint8), a, b, weights), numbers)


@njit
def between(out, a, b, weight):
    for k in range(out.size):
        out[k] = v.lerp_q8(a[k], b[k], weight[k])


def test_what_lies_between_is_less_than_2_too_low_and_at_most_1_too_high():
    rng, size = np.random.default_rng(0), 200_000
    a, b = 256 * rng.integers(0, 256, (2, size), np.uint16)
    for _ in range(2):
        weight = rng.integers(0, 65_535, size, np.uint16, endpoint=True)
        weight[:9], weight[9:18] = 0, 65_535
        between(out := np.empty(size, np.uint16), a, b, weight)
        off = out - (a + (b.astype(float) - a) * weight / 65_535)
        assert -2 < off.min() < -1.5
        assert 0.5 < off.max() <= 1
        a, b = out, np.roll(out, 1)  # which it may have made itself


def test_a_loop_of_numbers_is_compiled_to_16_bit_lanes():
    lerp_scalars(*[np.zeros(16, np.uint8)] * 3, np.zeros(16, np.uint16))
    assert "vpmulhuw" in next(iter(lerp_scalars.inspect_asm().values()))


def test_the_features_that_numba_uses_count():
    program = "from numba_course.kernels import vectors; raise SystemExit(vectors.has_avx2())"
    for features, code in [("-avx2", 0), ("+avx,+avx2", 1)]:
        environment = {**os.environ, "NUMBA_CPU_FEATURES": features}
        assert subprocess.run([sys.executable, "-c", program], env=environment, timeout=60).returncode == code
