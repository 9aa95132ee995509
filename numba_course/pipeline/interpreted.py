"""Plain Python twins of what generated modules import, to hold compiled pipelines against."""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable, Iterator, Sized
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np
from numba.core.registry import cpu_target
from numba.np.numpy_support import as_dtype, from_dtype

from numba_course.kernels import resize
from numba_course.kernels.resize_avx2 import q16
from numba_course.kernels.resize_crops import Memory
from numba_course.pipeline import runtime
from numba_course.pipeline.runtime import LANES

# What the text of a module is given beside what it imports: for builtins, whose results have other types if compiled,
# and for what `Typed` writes.
OneTypeEach = None  # the compiler
NAMES = "float", "len", "max", "min", "range", "int64", "binary", "unary", "in_place", "power", "sized"
WHOLE = np.iinfo(np.int64)
int64 = np.int64


def njit(function: Callable[..., Any] | None = None, **options: object) -> Callable[..., Any]:
    """Leave a function as it is."""
    return function or (lambda function: function)


def _plain(function):
    """The function as Python; it is that already where NUMBA_DISABLE_JIT is set."""
    return getattr(function, "py_func", function)


def _wrapping(function, **others):
    """The function as Python, with 64-bit numbers that wrap around as compiled ones do, and others of that kind."""
    plain = _plain(function)
    plain = FunctionType(plain.__code__, {**plain.__globals__, **others})

    def call(*args):
        with np.errstate(over="ignore"):
            return plain(*args)

    return call


mix = _wrapping(runtime.mix)
op_key, sample_key, uniform = (
    _wrapping(function, mix=mix) for function in (runtime.op_key, runtime.sample_key, runtime.uniform)
)


class Typed(ast.NodeTransformer):
    """Have Python compute with the types that Numba gives: integers of 64 bits, also of two bytes.

    Of operations' functions, variables that are assigned more than once, choices and results are watched: see `ways`.
    """

    def __init__(self) -> None:
        self.watched: set[str] = set()  # variables of the function
        self.is_operations = False
        self.places = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.is_operations = node.name.startswith("step")
        names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
        stored = [name.id for name in names if isinstance(name.ctx, ast.Store)]
        stored += [argument.arg for argument in node.args.args]
        self.watched = {name for name in stored if stored.count(name) > 1} if self.is_operations else set()
        self.generic_visit(node)
        if self.is_operations:
            arguments = [ast.Name(arg.arg, ast.Load()) for arg in node.args.args]
            value = _call("ways_of", ast.Constant(node.name), *arguments)
            node.body.insert(0, ast.Assign([ast.Name("its_ways", ast.Store())], value))
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        is_watched = node.id in self.watched and isinstance(node.ctx, ast.Load)
        return self._watched(node.id, node) if is_watched else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        return self._watched("a choice", node) if self.is_operations else node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        if node.value is not None and self.is_operations:
            node.value = self._watched("the result", node.value, "result")
        return node

    def _watched(self, name, node, place=None):
        self.places += 1
        place = ast.Constant(place or self.places)
        return _call("alike", ast.Name("its_ways", ast.Load()), place, ast.Constant(name), node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return _call("int64", node) if type(node.value) is builtins.int else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        return _call("sized", node) if node.attr in ("shape", "size", "ndim") else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        exponent = node.right.value if isinstance(node.right, ast.Constant) else None
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow) and type(exponent) is builtins.int:
            return _call("power", node.left, ast.Constant(exponent))
        return _call("binary", ast.Constant(OPERATORS[type(node.op)]), node.left, node.right)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            return node
        return _call("unary", ast.Constant(OPERATORS[type(node.op)]), node.operand)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        node.value = self.visit(node.value)
        before = self.visit(ast.parse(ast.unparse(node.target), mode="eval").body)
        node.target = self.visit(node.target)
        value = _call("in_place", ast.Constant(OPERATORS[type(node.op)]), before, node.value)
        return ast.copy_location(ast.Assign([node.target], value), node)


OPERATORS = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
    ast.BitAnd: "and_",
    ast.BitOr: "or_",
    ast.BitXor: "xor",
    ast.USub: "neg",
    ast.UAdd: "pos",
    ast.Invert: "invert",
}


# NumPy wants one type for both.
OF_BITS = operator.lshift, operator.rshift, operator.and_, operator.or_, operator.xor


def _call(name, *arguments):
    return ast.Call(ast.Name(name, ast.Load()), [*arguments], [])


def binary(name: str, left: Any, right: Any) -> Any:
    """The result of an operator, of the type that Numba gives it, if both are numbers."""
    operation = getattr(operator, name)
    if isinstance(left, list | tuple) and isinstance(right, np.integer):
        return operation(left, builtins.int(right))
    if not (_is_number(left) and _is_number(right)):
        return operation(left, right)
    return _typed(operation, left, right)


def sized(sizes: builtins.int | tuple[builtins.int, ...]) -> Any:
    """What an array says of its size, as integers of 64 bits."""
    return tuple(map(int64, sizes)) if isinstance(sizes, tuple) else int64(sizes)


def power(value: Any, exponent: builtins.int) -> Any:
    """A power with an exponent that is written: as Numba multiplies a number with itself."""
    if not _is_number(value):
        return value ** int64(exponent)
    value = value if isinstance(value, np.floating) else int64(value)
    result = type(value)(1)
    while exponent:
        if exponent & 1:
            result = result * value
        exponent >>= 1
        value = value * value
    return result


def in_place(name: str, left: Any, right: Any) -> Any:
    """Likewise of an operator such as ``+=``, which changes arrays and lists."""
    if isinstance(left, np.ndarray | list):
        return getattr(operator, f"i{name.rstrip('_')}")(left, right)
    return binary(name, left, right)


def unary(name: str, value: Any) -> Any:
    """Likewise, of one number; a truth value is one before a sign."""
    operation = getattr(operator, name)
    value = int64(value) if name in ("neg", "pos") and isinstance(value, np.bool_ | bool) else value
    return _typed(operation, value) if _is_number(value) else operation(value)


def _is_number(value):
    return isinstance(value, np.generic | bool)


def _typed(operation, *values):
    values = [np.bool_(value) if isinstance(value, bool) else value for value in values]
    takes, gives = _signature(operation, *(value.dtype for value in values))
    return gives(operation(*(kind(value) for kind, value in zip(takes, values, strict=True))))


@cache
def _signature(operation, *dtypes):
    """As what Numba takes numbers of these dtypes, and what it makes of them."""
    context = cpu_target.typing_context
    context.refresh()
    kinds = tuple(map(from_dtype, dtypes))
    signature = context.resolve_function_type(context.resolve_value_type(operation), kinds, {})
    takes = [signature.return_type] * 2 if operation in OF_BITS else signature.args
    return [_cast(as_dtype(kind)) for kind in takes], _cast(as_dtype(signature.return_type))


def _cast(dtype):
    return lambda value: value if value.dtype == dtype else value.astype(dtype)


def whole(value: Any) -> np.int64:
    """As `runtime.whole`."""
    if isinstance(value, np.floating):
        low, high = map(type(value), runtime.whole_ends(8 * value.itemsize))
        value = builtins.min(high, value) if value > low else low
    return int64(builtins.min(builtins.int(value), WHOLE.max))


def rounded(value: Any) -> np.int64:
    """As `runtime.rounded`."""
    return whole(np.rint(value) if isinstance(value, np.floating) else value)


def nearest(at: Any, last: builtins.int) -> np.int64:
    """As `runtime.nearest`."""
    return min(max(whole(at), int64(0)), last)


def clipped(values: Any, low: Any, high: Any) -> Any:
    """As `runtime.clipped`."""
    return min(max(values, low), high) if _is_number(values) else np.clip(values, low, high)


def fitting(target: Any, values: Any) -> Any:
    """As `runtime.fitting`; NumPy looks at shapes itself."""
    return values


def shaped(array: np.typing.NDArray[Any], *shape: builtins.int) -> np.typing.NDArray[Any]:
    """The same array, which has this shape."""
    return array


def _pixels_of(channels: builtins.int) -> tuple[Callable[..., Any], ...]:
    """As `runtime` has them for so many channels: `interleave`, `pixel`, `spread` and `spread_mirrored`."""

    def interleave(row, at, *values):
        """Write eight pixels from number `at` on."""
        pixels = row[channels * at : channels * (at + LANES)].reshape(LANES, channels)
        for channel, written in enumerate(values):
            pixels[:, channel] = written

    def pixel(row, at):
        """The pixel of that number, as float32."""
        return tuple(row[channels * at : channels * (at + 1)].astype(np.float32))

    def spread(row, at):
        """Eight pixels from number `at` on: an array for each channel."""
        pixels = row[channels * at : channels * (at + LANES)].reshape(LANES, channels)
        return tuple(pixels.T.astype(np.float32))

    def spread_mirrored(row, at):
        """Eight pixels from number `at` backwards."""
        return tuple(channel[::-1] for channel in spread(row, at - LANES + 1))

    return interleave, pixel, spread, spread_mirrored


interleave, pixel, spread, spread_mirrored = _pixels_of(3)
interleave1, pixel1, spread1, spread_mirrored1 = _pixels_of(1)
interleave2, pixel2, spread2, spread_mirrored2 = _pixels_of(2)
interleave4, pixel4, spread4, spread_mirrored4 = _pixels_of(4)


def copy(pixels: np.typing.NDArray[Any], row: np.typing.NDArray[Any], at: builtins.int) -> None:
    """As `runtime.copy`."""
    pixels[:] = row[at : at + pixels.size]


def store(row: np.typing.NDArray[Any], at: builtins.int, values: np.typing.NDArray[Any]) -> None:
    """Write eight values."""
    row[at : at + LANES] = values


def min(*values: Any) -> Any:
    """The smallest; of two of which one is an array, of each pair, the first if there is none, as compiled."""
    return np.where(values[1] < values[0], *values[::-1]) if _arrays(values) else _one(builtins.min, values)


def max(*values: Any) -> Any:
    """The largest, likewise."""
    return np.where(values[1] > values[0], *values[::-1]) if _arrays(values) else _one(builtins.max, values)


def float(value: Any) -> np.floating:
    """Of 64 bits if it is none yet."""
    if isinstance(value, np.bool_ | bool):
        raise TypeError("float takes no truth value")  # as compiled
    return value if isinstance(value, np.floating) else np.float64(value)


def len(values: Sized) -> np.int64:
    """As an integer of 64 bits."""
    return np.int64(builtins.len(values))


def range(*ends: builtins.int) -> Iterator[np.int64]:
    """Integers of 64 bits."""
    return map(np.int64, builtins.range(*ends))


def _one(choose, values):
    """One of several numbers, as of the type that they have in common; or of an array, of a tuple."""
    if not all(map(_is_number, values)) or builtins.len(values) == 1:
        return choose(*values)
    return _common(*(np.asarray(value).dtype for value in values))(choose(*map(np.asarray, values))[()])


@cache
def _common(*dtypes):
    kind = cpu_target.typing_context.unify_types(*map(from_dtype, dtypes))
    return _cast(as_dtype(kind))


def _arrays(values):
    return any(isinstance(value, np.ndarray) for value in values)


def filler(
    shape: tuple[builtins.int, ...], new: tuple[builtins.int, ...], dtype: str, line: tuple[builtins.int, str]
) -> tuple[Callable[..., None], Any, Any]:
    """`kernels.resize.filler` with the plain passes as Python; for those in 16 bits, NumPy with the same integers."""
    if line[1].startswith("float"):
        passes = resize.plain_passes_for(shape, new, np.dtype(dtype))
        fill_rows = _plain(resize.kernels_of(_plain(passes.across), _plain(passes.down))[0])
        return fill_rows, passes.columns, passes.rows

    def fill(image, old, columns, rows, lines, out, size, start, stop):
        pixels = image.reshape(-1, old // shape[2], shape[2])
        out.reshape(new)[:] = _resized_q8(pixels, new, line[1] == "uint8")

    return fill, None, None


def cropper(
    shape: tuple[builtins.int, ...], new: tuple[builtins.int, ...], dtype: str, memory: Memory
) -> tuple[Callable[..., None]]:
    """`kernels.resize_crops.cropper` likewise."""
    plain = memory[0][1].startswith("float")

    def crop(image, wide, box, memory, out, new):
        top, left, height, width = box
        cut = image.reshape(shape)[top : top + height, left : left + width]
        if not plain:
            out.reshape(new)[:] = _resized_q8(cut, new, False)
            return
        passes = resize.plain_passes_for(cut.shape, new, np.dtype(dtype))
        fill_rows = _plain(resize.kernels_of(_plain(passes.across), _plain(passes.down))[0])
        sizes = cut.shape[1] * shape[2], passes.columns, passes.rows, memory[0].reshape(-1), out
        fill_rows(cut.reshape(-1), *sizes, new[1] * shape[2], 0, new[0])

    return (crop,)


def _resized_q8(pixels, new, down_first):
    """Bytes resized by the integers of `kernels.resize_avx2`."""
    (top, below), (left, right) = (resize.positions(pixels.shape[axis], new[axis]) for axis in (0, 1))

    def across(values):
        return _lerp(values[:, left], values[:, left + 1], q16(right)[:, None])

    def down(values):
        return _lerp(values[top], values[top + 1], q16(below)[:, None, None])

    first, second = (down, across) if down_first else (across, down)
    return (second(first(pixels.astype(np.int64) << 8)) + 128) >> 8


def _lerp(a, b, weight):
    """As `kernels.vectors.lerp_q8` computes it."""
    return (a * (65535 - weight.astype(np.int64)) >> 16) + (b * weight.astype(np.int64) >> 16) + 1
