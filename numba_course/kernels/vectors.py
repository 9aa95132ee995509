"""What Numba cannot say: look-ups inside a vector register, and 16-bit arithmetic.

A loop that looks up values at computed places stays scalar, as LLVM cannot rule out that a store changes what a later
look-up finds; here compiled functions hold whole registers in their variables. And Numba computes with integers in
64 bits, of which LLVM narrows some again and not all. `to_q8`, `lerp_q8` and `round_q8` stay in 16 bits, on any
processor, and leave the vectors to the compiler. What LLVM has no portable words for, or words that its passes tear
apart, names an instruction: look-ups and the 16-bit product of vectors need AVX2. Nothing here checks a bound.
"""

from functools import cache

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.registry import cpu_target
from numba.extending import intrinsic, models, register_model

I32 = ir.IntType(32)


@cache
def has_avx2() -> bool:
    """Say whether Numba compiles for a processor with AVX2; NUMBA_CPU_FEATURES counts, too.

    It is asked once, as LLVM takes as long to describe the processor as a small image to resize.
    """
    _, _, features = cpu_target.target_context.codegen().magic_tuple()
    return "+avx2" in features.split(",")


class Vector(types.Type):
    """A register of `lanes` values of one type."""

    def __init__(self, dtype: types.Type, lanes: int) -> None:
        self.dtype, self.lanes = dtype, lanes
        super().__init__(f"Vector({dtype}, {lanes})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(
            manager, kind, ir.VectorType(manager.lookup(kind.dtype).get_value_type(), kind.lanes)
        )


@intrinsic(prefer_literal=True)
def load(typingctx, array, at, lanes):
    """``array[at : at + lanes]`` as a vector; `lanes` is a constant."""
    kind = Vector(array.dtype, lanes.literal_value)

    def generate(context, builder, signature, args):
        return _load(builder, _address(context, builder, array, *args[:2]), context.get_value_type(kind))

    return kind(array, types.uint64, lanes), generate


@intrinsic(prefer_literal=True)
def load_each(typingctx, array, start, places, first, size, count):
    """Each ``array[start + p : start + p + size]`` for p in ``places[first : first + count]``, as one vector.

    `size` and `count` are constants; `size` values have 2, 4 or 8 bytes.
    """
    size, count = size.literal_value, count.literal_value
    kind = Vector(array.dtype, size * count)

    def generate(context, builder, signature, args):
        values, start, places_, first = args[:4]
        whole = context.get_value_type(kind)
        part = ir.IntType(context.get_abi_sizeof(whole) // count * 8)
        parts = ir.Constant(ir.VectorType(part, count), ir.Undefined)
        for n in range(count):
            at = builder.load(_address(context, builder, places, places_, builder.add(first, first.type(n))))
            address = _address(context, builder, array, values, builder.add(start, at))
            parts = builder.insert_element(parts, _load(builder, address, part), I32(n))
        return builder.bitcast(parts, whole)

    kinds = types.uint64, places, types.uint64, types.literal(size), types.literal(count)
    return kind(array, *kinds), generate


@intrinsic
def halves(typingctx, vector):
    """The lower and the upper half of a vector."""
    kind = Vector(vector.dtype, vector.lanes // 2)

    def generate(context, builder, signature, args):
        orders = range(vector.lanes // 2), range(vector.lanes // 2, vector.lanes)
        parts = [builder.shuffle_vector(args[0], args[0], _order(lanes)) for lanes in orders]
        return context.make_tuple(builder, signature.return_type, parts)

    return types.UniTuple(kind, 2)(vector), generate


@intrinsic
def joined(typingctx, low, high):
    """Two vectors, one behind the other."""

    def generate(context, builder, signature, args):
        return builder.shuffle_vector(*args, _order(range(2 * low.lanes)))

    return Vector(low.dtype, 2 * low.lanes)(low, high), generate


@intrinsic
def unzipped(typingctx, low, high):
    """The lanes of two vectors, one behind the other, whose numbers are even, and those whose are odd."""
    lanes = range(2 * low.lanes)

    def generate(context, builder, signature, args):
        parts = [builder.shuffle_vector(*args, _order(lanes[odd::2])) for odd in (0, 1)]
        return context.make_tuple(builder, signature.return_type, parts)

    return types.UniTuple(low, 2)(low, high), generate


@intrinsic(prefer_literal=True)
def shifted(typingctx, low, high, by):
    """The lanes from `by` on of two vectors, one behind the other: as many as one has; `by` is a constant."""

    def generate(context, builder, signature, args):
        return builder.shuffle_vector(
            *args[:2], _order(range(by.literal_value, by.literal_value + low.lanes))
        )

    return low(low, high, by), generate


@intrinsic(prefer_literal=True)
def every(typingctx, value, lanes):
    """A vector with the same value in each of `lanes` lanes; `lanes` is a constant."""
    kind = Vector(value, lanes.literal_value)

    def generate(context, builder, signature, args):
        vector = context.get_value_type(kind)
        single = builder.insert_element(ir.Constant(vector, ir.Undefined), args[0], I32(0))
        return builder.shuffle_vector(single, single, _order([0] * vector.count))

    return kind(value, lanes), generate


@intrinsic
def store(typingctx, array, at, vector):
    """``array[at : at + lanes] = vector``; float64 is rounded where the array is of float32."""

    def generate(context, builder, signature, args):
        address, value = _address(context, builder, array, *args[:2]), args[2]
        if (vector.dtype, array.dtype) == (types.float64, types.float32):
            value = builder.fptrunc(value, ir.VectorType(ir.FloatType(), vector.lanes))
        builder.store(value, builder.bitcast(address, value.type.as_pointer())).align = 1
        return context.get_dummy_value()

    return types.void(array, types.uint64, vector), generate


@intrinsic
def prefetch(typingctx, array, at):
    """Fetch the line of the cache with ``array[at]``, which will be written to; it need not exist."""

    def generate(context, builder, signature, args):
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), I32, I32, I32])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        address = builder.bitcast(_address(context, builder, array, *args), kind.args[0])
        builder.call(function, [address, I32(1), I32(3), I32(1)])  # to write; soon; data
        return context.get_dummy_value()

    return types.void(array, types.uint64), generate


@intrinsic
def look_up(typingctx, table, places):
    """``table[places]``, lane by lane; bytes by bytes, or float32 by uint32. Only the places in the table count."""

    def generate(context, builder, signature, args):
        return _look_up(builder, *args)

    return table(table, places), generate


@intrinsic
def look_up_both(typingctx, low, high, places):
    """``concatenate([low, high])[places]``, lane by lane."""

    def generate(context, builder, signature, args):
        return _look_up_among(builder, args[:2], args[2])

    return low(low, high, places), generate


@intrinsic
def look_up_four(typingctx, first, second, third, fourth, places):
    """The same for four."""

    def generate(context, builder, signature, args):
        return _look_up_among(builder, args[:4], args[4])

    return first(first, second, third, fourth, places), generate


@intrinsic
def float64s(typingctx, vector):
    """A vector of floats as float64."""
    kind = Vector(types.float64, vector.lanes)

    def generate(context, builder, signature, args):
        same = vector.dtype == types.float64
        return args[0] if same else builder.fpext(args[0], context.get_value_type(kind))

    return kind(vector), generate


@intrinsic
def plus(typingctx, a, b):
    """``a + b`` of float vectors."""
    return a(a, b), lambda context, builder, signature, args: builder.fadd(*args)


@intrinsic
def times(typingctx, a, b):
    """``a * b`` of float vectors."""
    return a(a, b), lambda context, builder, signature, args: builder.fmul(*args)


@intrinsic
def mix(typingctx, a, b, weight_a, weight_b):
    """``weight_a * a + weight_b * b`` of float vectors."""

    def generate(context, builder, signature, args):
        a, b, weight_a, weight_b = args
        first = builder.fmul(weight_a, a, flags=["contract"])
        return builder.fadd(first, builder.fmul(weight_b, b, flags=["contract"]), flags=["contract"])

    return a(a, b, weight_a, weight_b), generate


@intrinsic
def to_q8(typingctx, value):
    """256 times a uint8, or a vector of them, as uint16."""
    kind = Vector(types.uint16, value.lanes) if isinstance(value, Vector) else types.uint16

    def generate(context, builder, signature, args):
        wide = context.get_value_type(kind)
        return builder.shl(builder.zext(args[0], wide), _every(wide, 8))

    return kind(value if isinstance(value, Vector) else types.uint8), generate


@intrinsic
def lerp_q8(typingctx, a, b, weight):
    """``a + (b - a) * weight / 65535``, of uint16 made by `to_q8` or by this: less than 2 below, or up to 1 above."""

    def generate(context, builder, signature, args):
        a, b, weight = args
        rest = builder.not_(weight)  # 65535 - weight
        total = builder.add(_high(builder, a, rest), _high(builder, b, weight))
        return builder.add(total, _every(a.type, 1))  # for the two halves that are cut off, on average

    kind = a if isinstance(a, Vector) else types.uint16
    return kind(kind, kind, kind), generate


@intrinsic
def round_q8(typingctx, value):
    """The uint8 nearest to ``value / 256``, of uint16 made by `lerp_q8`."""
    kind = Vector(types.uint8, value.lanes) if isinstance(value, Vector) else types.uint8

    def generate(context, builder, signature, args):
        (value,) = args
        halves = builder.add(value, _every(value.type, 128))
        return builder.trunc(builder.lshr(halves, _every(value.type, 8)), context.get_value_type(kind))

    return kind(value if isinstance(value, Vector) else types.uint16), generate


def _high(builder, a, b):
    """The upper half of each product of 16-bit values."""
    if isinstance(a.type, ir.VectorType):
        return _instruction(builder, "llvm.x86.avx2.pmulhu.w", a, b)
    product = builder.mul(
        builder.zext(a, I32), builder.zext(b, I32)
    )  # these types tell LLVM what loops may use
    return builder.trunc(builder.lshr(product, I32(16)), a.type)


def _every(kind, value):
    """A constant with the same value in each lane."""
    return ir.Constant(kind, [value] * kind.count if isinstance(kind, ir.VectorType) else value)


def _order(lanes):
    """Which lane goes where, as `shuffle_vector` wants it."""
    return ir.Constant(ir.VectorType(I32, len(lanes)), list(lanes))


def _address(context, builder, kind, array, at):
    """Address of ``array[at]``."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [at])


def _load(builder, address, kind):
    """A value of any type from any address."""
    value = builder.load(builder.bitcast(address, kind.as_pointer()))
    value.align = 1
    return value


def _look_up_among(builder, tables, places):
    """In several registers, one behind the other."""
    found = _look_up(builder, tables[0], places)
    for number, table in enumerate(tables[1:], start=1):
        start = number * table.type.count
        here = _look_up(builder, table, builder.sub(places, _every(places.type, start)))
        found = builder.select(
            builder.icmp_unsigned(">", places, _every(places.type, start - 1)), here, found
        )
    return found


def _look_up(builder, table, places):
    name = (
        "llvm.x86.avx2.permps"
        if isinstance(table.type.element, ir.FloatType)
        else "llvm.x86.ssse3.pshuf.b.128"
    )
    return _instruction(builder, name, table, places)


def _instruction(builder, name, a, b):
    """One instruction of x86-64 on two vectors; the result is of the type of the first."""
    kind = ir.FunctionType(a.type, [a.type, b.type])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [a, b])
