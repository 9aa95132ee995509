"""What generated modules call: random draws that depend on nothing but numbers, and fast reading of pixel rows."""

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import types
from numba.extending import intrinsic

LANES = 8  # pixels that are spread at a time
BYTE, INT, FLOAT = ir.IntType(8), ir.IntType(32), ir.FloatType()


# ---- draws: the finaliser of splitmix64 (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195) as a hash


@njit(forceinline=True)
def mix(z):
    """Scatter the bits of a 64-bit number."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(forceinline=True)
def sample_key(seed, epoch, sample):
    """The key of one sample in one epoch."""
    key = mix(np.uint64(seed) + np.uint64(0x9E3779B97F4A7C15))
    return mix(mix(key + np.uint64(epoch)) + np.uint64(sample))


@njit(forceinline=True)
def op_key(key, stream):
    """The key of one operation's stream for a sample."""
    return mix(key + np.uint64(0xD1B54A32D192ED03) * np.uint64(stream + 1))


@njit(forceinline=True)
def uniform(key, i):
    """Number `i` of a stream, a float32 in [0, 1)."""
    bits = mix(key + np.uint64(0x9E3779B97F4A7C15) * np.uint64(i + 1)) >> np.uint64(40)
    return np.float32(bits) * np.float32(2.0**-24)


# ---- rows of pixels


def _spreading(mirrored):
    """An intrinsic that turns 8 interleaved pixels into 8 float32 of each channel.

    LLVM makes three byte shuffles of it. Plain Numba needs 24 single loads: at the time of writing that takes
    about one and a half times as long for a whole pipeline.
    """

    @intrinsic
    def spread(typingctx, row, at, r, g, b, to):
        def codegen(context, builder, signature, args):
            def address(k, index, kind):
                data = context.make_array(signature.args[k])(context, builder, args[k]).data
                return builder.bitcast(builder.gep(data, [index]), kind.as_pointer())

            def half(
                offset,
            ):  # bytes 0 to 15 hold pixels 0 to 3, bytes 8 to 23 pixels 4 to 7: none is read beyond
                index = builder.add(args[1], ir.Constant(args[1].type, offset))
                return builder.load(address(0, index, ir.VectorType(BYTE, 16)), align=1)

            halves = (half(8), half(0)) if mirrored else (half(0), half(8))
            pixels = builder.shuffle_vector(*halves, _indices(range(32)))
            zeros = ir.Constant(ir.VectorType(BYTE, 32), [0] * 32)
            for channel, k in enumerate((2, 3, 4)):
                lanes = builder.shuffle_vector(pixels, zeros, _indices(_bytes(channel, mirrored)))
                lanes = builder.bitcast(lanes, ir.VectorType(INT, LANES))
                values = builder.sitofp(lanes, ir.VectorType(FLOAT, LANES))
                builder.store(values, address(k, args[5], ir.VectorType(FLOAT, LANES)), align=4)
            return context.get_dummy_value()

        return types.void(row, at, r, g, b, to), codegen

    return spread


def _indices(numbers):
    return ir.Constant(ir.VectorType(INT, 32), list(numbers))


def _bytes(channel, mirrored):
    """For each byte of 8 32-bit lanes, which of the 32 loaded bytes it is; 32 is a zero."""
    for lane in range(LANES):
        pixel = LANES - 1 - lane if mirrored else lane
        byte = 3 * pixel + channel - (8 if pixel >= 4 else 0)
        yield from (byte + (16 if lane >= 4 else 0), 32, 32, 32)


_spread, _spread_mirrored = _spreading(False), _spreading(True)


@njit(forceinline=True)
def fetch_bytes(row, first, last, r, g, b):
    """Spread the pixels from `first` to `last`, which may lie before it, of a row of interleaved bytes.

    `row` has three bytes a pixel; `r`, `g` and `b` are float32 and as long as the stretch.
    """
    n = np.uintp(r.size)
    start, whole = np.uintp(first), n // np.uintp(LANES)
    three, lanes = np.uintp(3), np.uintp(LANES)
    if first <= last:
        for k in range(whole):
            _spread(row, three * (start + lanes * np.uintp(k)), r, g, b, lanes * np.uintp(k))
    else:
        for k in range(whole):
            at = start - lanes * np.uintp(k) - np.uintp(LANES - 1)
            _spread_mirrored(row, three * at, r, g, b, lanes * np.uintp(k))
    _fetch_rest(row, start, first <= last, r, g, b, whole * lanes)


@njit(forceinline=True)
def fetch_floats(row, first, last, r, g, b):
    """As `fetch_bytes`, of a row of interleaved float32."""
    _fetch_rest(row, np.uintp(first), first <= last, r, g, b, np.uintp(0))


@njit(forceinline=True)
def _fetch_rest(row, start, forward, r, g, b, done):
    """The pixels from number `done` on, one by one."""
    for k in range(done, np.uintp(r.size)):
        x = np.uintp(k)
        at = np.uintp(3) * (start + x if forward else start - x)
        r[x], g[x], b[x] = row[at], row[at + np.uintp(1)], row[at + np.uintp(2)]
