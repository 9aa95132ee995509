"""What generated modules call: random draws that depend on nothing but numbers, and pixels, eight at a time."""

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import cgutils, types
from numba.core.imputils import impl_ret_borrowed, lower_cast
from numba.core.typeconv import Conversion
from numba.extending import intrinsic, lower_builtin, models, overload, register_model, type_callable

from numba_course.kernels.vectors import Vector

# Of each there is one for 1, 2 and 4 channels, with that number behind its name, and one for 3 with none.
FOR_CHANNELS = "interleave", "pixel", "spread", "spread_mirrored"
# What generated modules import.
GENERATED = (
    "clipped",
    "copy",
    "fitting",
    *(f"{name}{number}" for name in FOR_CHANNELS for number in ("", 1, 2, 4)),
    "nearest",
    "op_key",
    "rounded",
    "sample_key",
    "shaped",
    "store",
    "uniform",
    "whole",
)
LANES = 8  # pixels in a vector
NUMBERS = types.Number, types.Boolean  # what a vector is computed with
ROWS_AHEAD = 4  # that are fetched while one is read backwards
BYTE, INT, LONG, FLOAT = ir.IntType(8), ir.IntType(32), ir.IntType(64), ir.FloatType()


class Pixels(Vector):
    """A vector of float32, one for each of eight pixels; a number is taken for eight of it."""

    def __init__(self) -> None:
        super().__init__(types.float32, LANES)

    def unify(self, typingctx: Any, other: types.Type) -> types.Type | None:
        return self if isinstance(other, NUMBERS) else None

    def can_convert_from(self, typingctx: Any, other: types.Type) -> Conversion | None:
        return Conversion.safe if isinstance(other, NUMBERS) else None


@register_model(Pixels)
class _PixelsModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, ir.VectorType(FLOAT, LANES))


FLOATS = Pixels()


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


# ---- whole numbers and indices, defined for NaN and for what is too large


def whole_ends(bits: int) -> tuple[float, float]:
    """The smallest and the largest float of 32 or 64 bits that an integer of 64 bits can be."""
    return -(2.0**63), 2.0**63 - 2.0 ** (63 - {32: 24, 64: 53}[bits])


@intrinsic
def whole(typingctx, value):
    """``int(value)`` in 64 bits: of what is too large the nearest that a float can be, of NaN the smallest.

    Two instructions before the one that converts, whose result for such values is anybody's guess.
    """

    def of_float(context, builder, signature, args):
        low, high = (ir.Constant(args[0].type, end) for end in whole_ends(signature.args[0].bitwidth))
        number = builder.select(builder.fcmp_ordered(">", args[0], low), args[0], low)
        number = builder.select(builder.fcmp_ordered("<", number, high), number, high)
        return builder.fptosi(number, LONG)

    def of_integer(context, builder, signature, args):
        number = context.cast(builder, args[0], signature.args[0], types.int64)
        if signature.args[0] != types.uint64:
            return number
        negative = builder.icmp_signed("<", number, LONG(0))  # it was above them
        return builder.select(negative, LONG(2**63 - 1), number)

    if isinstance(value, types.Float):
        return types.int64(value), of_float
    if isinstance(value, types.Integer | types.Boolean):
        return types.int64(value), of_integer


@njit(forceinline=True)
def rounded(value):
    """``round(value)``, likewise; to even numbers where two are as near."""
    return whole(np.rint(value))


@njit(forceinline=True)
def nearest(at, last):
    """The nearest index in ``0..last``."""
    return min(max(whole(at), 0), last)


def clipped(values: Any, low: Any, high: Any) -> Any:
    """``np.clip``, also of a single number, for which Numba has none."""


@overload(clipped, jit_options={"forceinline": True})
def _clipped(values, low, high):
    if isinstance(values, NUMBERS):
        return lambda values, low, high: min(max(values, low), high)
    return lambda values, low, high: np.clip(values, low, high)


def fitting(target: Any, values: Any) -> Any:
    """What an operator such as ``+=`` puts into a target; ValueError if it is an array that is larger.

    Compiled, the operator itself takes the beginning of such an array.
    """


@overload(fitting, jit_options={"forceinline": True})
def _fitting(target, values):
    if not (isinstance(target, types.Array) and isinstance(values, types.Array)):
        return lambda target, values: values

    def of_arrays(target, values):
        shape = np.broadcast_shapes(target.shape, values.shape)
        if len(shape) != target.ndim or shape != target.shape:
            raise ValueError("an operator in place cannot take an array that is larger than its target")
        return values

    return of_arrays


@intrinsic(prefer_literal=True)
def shaped(typingctx, array, height, width, channels):
    """The same array, of which the compiler knows the shape; so it sees which indices are inside."""
    shape = [size.literal_value for size in (height, width, channels)]

    def codegen(context, builder, signature, args):
        known = context.make_array(array)(context, builder, args[0])
        size = context.get_abi_sizeof(context.get_data_type(array.dtype))
        strides = [size * shape[1] * shape[2], size * shape[2], size]
        for name, numbers in (("shape", shape), ("strides", strides)):
            constants = [context.get_constant(types.intp, number) for number in numbers]
            setattr(known, name, cgutils.pack_array(builder, constants))
        return impl_ret_borrowed(context, builder, array, known._getvalue())

    return array(array, height, width, channels), codegen


# ---- pixels


@njit(forceinline=True)
def pixel(row, at):
    """The pixel of that number in a row of interleaved values, as 3 float32."""
    first = np.uintp(3) * np.uintp(at)
    return np.float32(row[first]), np.float32(row[first + np.uintp(1)]), np.float32(row[first + np.uintp(2)])


@njit(forceinline=True)
def pixel1(row, at):
    """The same for 1 channel."""
    return (np.float32(row[np.uintp(at)]),)


@njit(forceinline=True)
def pixel2(row, at):
    """The same for 2."""
    first = np.uintp(2) * np.uintp(at)
    return np.float32(row[first]), np.float32(row[first + np.uintp(1)])


@njit(forceinline=True)
def pixel4(row, at):
    """The same for 4."""
    first = np.uintp(2) * np.uintp(at)
    return *pixel2(row, first), *pixel2(row, first + np.uintp(1))


def _spreading(channels, mirrored):
    """An intrinsic for 8 pixels of a row of interleaved numbers: a vector of float32 for each channel.

    Of bytes in threes LLVM makes three shuffles. Plain Numba needs 24 single loads: at the time of writing that takes
    about one and a half times as long for a whole pipeline.
    """

    @intrinsic
    def spread(typingctx, row, at):
        kind = types.UniTuple(FLOATS, channels)

        def codegen(context, builder, signature, args):
            data = context.make_array(row)(context, builder, args[0]).data
            first = builder.mul(args[1], ir.Constant(args[1].type, channels))
            if mirrored:
                first = builder.sub(first, ir.Constant(first.type, channels * (LANES - 1)))
            threes = channels == 3 and row.dtype == types.uint8
            if mirrored:
                _fetch_ahead(context, builder, signature.args[0], args[0], first)
            lanes = _of_triples if threes else _of_others(context, row.dtype, channels)
            order = range(LANES)[::-1] if mirrored else range(LANES)
            return context.make_tuple(builder, kind, lanes(builder, builder.gep(data, [first]), order))

        return kind(row, types.intp), codegen

    return spread


def _fetch_ahead(context, builder, kind, row, at):
    """Have the processor fetch what is some rows below, in case the row is one of several, one behind the other.

    It sees by itself that memory is read forwards, and fetches ahead; where each row is read backwards, it does not,
    and to wait for the memory takes longer than all else. To fetch what does not exist does nothing.
    """
    array = context.make_array(kind)(context, builder, row)
    function = ir.FunctionType(ir.VoidType(), [BYTE.as_pointer(), INT, INT, INT])
    fetch = cgutils.get_or_insert_function(builder.module, function, "llvm.prefetch.p0")
    place = builder.add(at, builder.mul(array.nitems, ir.Constant(array.nitems.type, ROWS_AHEAD)))
    address = builder.bitcast(builder.gep(array.data, [place]), BYTE.as_pointer())
    builder.call(fetch, [address, INT(0), INT(3), INT(1)])  # to read; soon; data


def _of_triples(builder, address, order):
    """Bytes 0 to 15 hold pixels 0 to 3, bytes 8 to 23 pixels 4 to 7; none is read beyond."""
    half = ir.VectorType(BYTE, 16)
    parts = [_load(builder, builder.gep(address, [INT(offset)]), half) for offset in (0, 8)]
    if order[0]:  # mirrored: each lane of 128 bits keeps to one half
        parts.reverse()
    pixels = builder.shuffle_vector(*parts, _places(range(32)))
    zeros = ir.Constant(ir.VectorType(BYTE, 32), [0] * 32)
    for channel in range(3):
        places = []
        for lane, pixel in enumerate(order):
            byte = 3 * pixel + channel - (8 if pixel >= 4 else 0)
            places += [byte + (16 if lane >= 4 else 0), 32, 32, 32]  # 32 is a zero
        lanes = builder.shuffle_vector(pixels, zeros, _places(places))
        lanes = builder.bitcast(lanes, ir.VectorType(INT, LANES))
        yield builder.sitofp(lanes, ir.VectorType(FLOAT, LANES))


def _of_others(context, dtype, channels):
    """The same of numbers of another type, or of pixels of another size: all are read, and each channel taken out."""
    single, kind = context.get_data_type(dtype), ir.VectorType(FLOAT, LANES)

    def lanes(builder, address, order):
        every = _load(builder, address, ir.VectorType(single, LANES * channels))
        for channel in range(channels):
            places = _places(channels * pixel + channel for pixel in order)
            values = builder.shuffle_vector(every, every, places)
            if dtype == types.float32:
                yield values
            else:
                yield (builder.sitofp if dtype.signed else builder.uitofp)(values, kind)

    return lanes


spread, spread_mirrored = _spreading(3, False), _spreading(3, True)
spread1, spread_mirrored1 = _spreading(1, False), _spreading(1, True)
spread2, spread_mirrored2 = _spreading(2, False), _spreading(2, True)
spread4, spread_mirrored4 = _spreading(4, False), _spreading(4, True)


def _write_pixels(context, builder, signature, args):
    """Write 8 pixels into a row of interleaved numbers, from pixel number `at`: row, at, a vector for each channel."""
    row, at, *colours = args
    kinds, channels = signature.args[2:], len(colours)
    vectors = [_vector(context, builder, *pair) for pair in zip(kinds, colours, strict=True)]
    data = context.make_array(signature.args[0])(context, builder, row).data
    first = builder.mul(at, ir.Constant(at.type, channels))
    halves = vectors[: (channels + 1) // 2], vectors[channels // 2 :]  # of 3, the second one is in both
    pair, rest = (_joined(builder, half) for half in halves)
    for part in range(channels):
        places = []
        for value in range(LANES * part, LANES * (part + 1)):
            pixel, channel = divmod(value, channels)
            in_rest = channel >= len(halves[0])
            at_vector = channel - (channels // 2 if in_rest else 0)
            places.append(pixel + LANES * at_vector + (pair.type.count if in_rest else 0))
        address = builder.gep(data, [builder.add(first, ir.Constant(first.type, LANES * part))])
        _store(builder, builder.shuffle_vector(pair, rest, _places(places)), address, signature.args[0].dtype)
    return context.get_dummy_value()


def _joined(builder, vectors):
    """One or two vectors, one behind the other."""
    first, last = vectors[0], vectors[-1]
    return first if first is last else builder.shuffle_vector(first, last, _places(range(2 * LANES)))


@intrinsic
def interleave(typingctx, row, at, red, green, blue):
    """Write 8 pixels of 3 channels into a row of interleaved numbers, from pixel number `at`."""
    return types.void(row, types.intp, red, green, blue), _write_pixels


@intrinsic
def interleave1(typingctx, row, at, gray):
    """The same for 1 channel."""
    return types.void(row, types.intp, gray), _write_pixels


@intrinsic
def interleave2(typingctx, row, at, gray, alpha):
    """The same for 2."""
    return types.void(row, types.intp, gray, alpha), _write_pixels


@intrinsic
def interleave4(typingctx, row, at, red, green, blue, alpha):
    """The same for 4."""
    return types.void(row, types.intp, red, green, blue, alpha), _write_pixels


@njit(forceinline=True)
def copy(pixels, row, at):
    """Fill a row with what is in another one from number `at` on; both are of one type."""
    start = np.uintp(at)
    for k in range(np.uintp(pixels.size)):
        pixels[k] = row[start + k]


@intrinsic
def store(typingctx, row, at, values):
    """Write 8 values, or a number 8 times, into a row."""

    def codegen(context, builder, signature, args):
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        lanes = _vector(context, builder, values, args[2])
        _store(builder, lanes, builder.gep(data, [args[1]]), signature.args[0].dtype)
        return context.get_dummy_value()

    return types.void(row, types.intp, values), codegen


def _store(builder, lanes, address, dtype):
    """Write float32; as integers where the array holds those, which they are then."""
    if isinstance(dtype, types.Integer):
        integers = builder.fptosi(lanes, ir.VectorType(INT, lanes.type.count))
        lanes = builder.trunc(integers, ir.VectorType(ir.IntType(dtype.bitwidth), lanes.type.count))
    builder.store(lanes, builder.bitcast(address, lanes.type.as_pointer())).align = 1


def _load(builder, address, kind):
    value = builder.load(builder.bitcast(address, kind.as_pointer()))
    value.align = 1
    return value


def _places(numbers):
    numbers = list(numbers)
    return ir.Constant(ir.VectorType(INT, len(numbers)), numbers)


# ---- arithmetic on vectors, with numbers or other vectors: what an operation's function computes for 8 pixels


def _smaller(builder, a, b):
    return builder.select(builder.fcmp_ordered("<", b, a), b, a)


def _larger(builder, a, b):
    return builder.select(builder.fcmp_ordered(">", b, a), b, a)


ARITHMETIC = {
    operator.add: ir.IRBuilder.fadd,
    operator.sub: ir.IRBuilder.fsub,
    operator.mul: ir.IRBuilder.fmul,
    operator.truediv: ir.IRBuilder.fdiv,
    min: _smaller,
    max: _larger,
}


def _define(function, instruction):
    @type_callable(function)
    def type_of(context):
        def typer(a, b):
            if FLOATS in (a, b) and all(kind == FLOATS or isinstance(kind, NUMBERS) for kind in (a, b)):
                return FLOATS

        return typer

    def compute(context, builder, signature, args):
        values = [
            _vector(context, builder, kind, value) for kind, value in zip(signature.args, args, strict=True)
        ]
        return instruction(builder, *values)

    lower_builtin(function, Vector, Vector)(compute)
    for number in NUMBERS:
        lower_builtin(function, Vector, number)(compute)
        lower_builtin(function, number, Vector)(compute)


def _vector(context, builder, kind, value):
    """A vector as it is; a number, as a float32, in each lane."""
    if kind == FLOATS:
        return value
    value = context.cast(builder, value, kind, types.float32)
    single = builder.insert_element(ir.Constant(ir.VectorType(FLOAT, LANES), ir.Undefined), value, INT(0))
    return builder.shuffle_vector(single, single, _places([0] * LANES))


@lower_cast(types.Boolean, Pixels)
@lower_cast(types.Number, Pixels)
def _to_vector(context, builder, kind, wanted, value):
    return _vector(context, builder, kind, value)


for _function, _instruction in ARITHMETIC.items():
    _define(_function, _instruction)
