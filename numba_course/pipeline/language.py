"""What may stand in an operation's function: what is the same compiled and as Python, and stays inside of arrays.

It is a list of what is allowed. Numba knows more, and some of that reads and writes wherever it is told to, such as
``array.flat[10**6]`` and ``np.take_along_axis``: nobody looks at its indices.
"""

from __future__ import annotations

import ast

import numpy as np

from numba_course.pipeline.literals import integer
from numba_course.pipeline.protocol import PipelineError

STATEMENTS = "Return Assign AugAssign AnnAssign For While If Pass Break Continue Expr Assert"
EXPRESSIONS = (
    "BoolOp BinOp UnaryOp IfExp Compare Call Constant Attribute Subscript Name List Tuple ListComp Slice"
)
PARTS = "Module FunctionDef arguments arg keyword comprehension Load Store And Or Not Invert UAdd USub"
OPERATORS = "Add Sub Mult Div FloorDiv Mod Pow LShift RShift BitOr BitXor BitAnd"
COMPARISONS = "Eq NotEq Lt LtE Gt GtE In NotIn Is IsNot"
NODES = tuple(
    getattr(ast, name) for name in f"{STATEMENTS} {EXPRESSIONS} {PARTS} {OPERATORS} {COMPARISONS}".split()
)
CALLED = {
    ast.Lambda: "a lambda",
    ast.FunctionDef: "a function inside of it",
    ast.ClassDef: "a class",
    ast.Import: "an import",
    ast.ImportFrom: "an import",
    ast.Global: "a global statement",
    ast.Nonlocal: "a nonlocal statement",
    ast.NamedExpr: "an assignment inside of an expression",
    ast.Starred: "a star before a value",
    ast.JoinedStr: "a formatted text",
    ast.MatMult: "a matrix product",
    ast.GeneratorExp: "a generator",
    ast.Set: "a set",
    ast.SetComp: "a set",
    ast.Dict: "a dictionary",
    ast.DictComp: "a dictionary",
    ast.YieldFrom: "a yield",
}  # others are called as in Python, such as "a match" and "a try"

# Of NumPy, what takes numbers or whole arrays; where it takes places, Numba looks at them.
NUMBERS = "bool_ float32 float64 int8 int16 int32 int64 intp uint8 uint16 uint32 uint64"
CONSTANTS = "e inf nan pi euler_gamma newaxis"
BY_ELEMENT = """
abs absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh bitwise_and bitwise_not bitwise_or bitwise_xor
cbrt ceil clip copysign cos cosh deg2rad degrees divide equal exp exp2 expm1 fabs floor floor_divide fmax fmin fmod
greater greater_equal hypot invert isfinite isinf isnan less less_equal log log10 log1p log2 logical_and logical_not
logical_or logical_xor maximum minimum mod multiply negative not_equal power rad2deg radians remainder rint sign
signbit sin sinh sqrt square subtract tan tanh true_divide trunc where
"""
OF_ARRAYS = """
all amax amin any arange argmax argmin argsort array asarray concatenate copy cumprod cumsum diff empty empty_like
expand_dims flip fliplr flipud full full_like interp linspace max mean median min ones ones_like partition percentile
prod ptp quantile ravel reshape roll sort stack std sum take transpose var zeros zeros_like
"""
# Numba takes what np.ascontiguousarray makes of a read-only array for one that may be written, though it is the same.
READ_ONLY = "ascontiguousarray"
NUMPY = frozenset(f"{NUMBERS} {CONSTANTS} {BY_ELEMENT} {OF_ARRAYS} random.random".split())
ATTRIBUTES = frozenset(
    "T all any append argmax argmin argsort astype copy cumprod cumsum dtype fill flatten max mean min ndim prod ravel "
    "reshape shape size sort std sum take transpose var".split()
)


def check_nodes(definition: ast.FunctionDef) -> None:
    """Refuse statements and expressions that generated code cannot hold."""
    for node in ast.walk(definition):
        inside = isinstance(node, ast.FunctionDef) and node is not definition
        if inside or not isinstance(node, NODES):
            what = CALLED.get(type(node)) or f"a {type(node).__name__.removeprefix('Async').lower()}"
            raise PipelineError(f"generated code cannot hold {what}")


def check_returns(definition: ast.FunctionDef, must: bool) -> None:
    """Refuse a function that gives a value on one way through it and none on another, or that must give one."""
    returns = [node for node in ast.walk(definition) if isinstance(node, ast.Return)]
    gives = must or any(node.value is not None for node in returns)
    if gives and not (_ends(definition.body) and all(node.value is not None for node in returns)):
        raise PipelineError(
            "there is a way through it that returns nothing; have it end in a return with a value"
        )


def check_places(definition: ast.FunctionDef) -> None:
    """Refuse a move that is seen to return a truth value."""
    returns = (node.value for node in ast.walk(definition) if isinstance(node, ast.Return))
    places = [place for value in returns if isinstance(value, ast.Tuple) for place in value.elts]
    if any(isinstance(place, ast.Compare) for place in places):
        raise PipelineError("a @move must return whole numbers, not a truth value")


def check_key(definition: ast.FunctionDef, key: str, helpers: dict[str, ast.FunctionDef]) -> None:
    """Refuse a key of draws but as what `uniform` gets first, or as what a helper gets and uses likewise."""
    given = set()
    for node in ast.walk(definition):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        for at, value in enumerate(node.args):
            if not (isinstance(value, ast.Name) and value.id == key):
                continue
            if node.func.id == "uniform" and at == 0:
                given.add(value)
            elif node.func.id in helpers:
                helper = helpers[node.func.id]
                check_key(helper, helper.args.args[at].arg, helpers)
                given.add(value)
    used = (node for node in ast.walk(definition) if isinstance(node, ast.Name) and node.id == key)
    if any(node not in given for node in used):
        raise PipelineError("a key is for uniform(key, i), and is no number to compute with")


def _ends(statements):
    """Whether each way through statements is seen to end in a return."""
    last = statements[-1] if statements else None
    if isinstance(last, ast.If):
        return _ends(last.body) and _ends(last.orelse)
    if isinstance(last, ast.While):
        endless = isinstance(last.test, ast.Constant) and bool(last.test.value)
        return endless and not any(isinstance(node, ast.Break) for node in ast.walk(last))
    return isinstance(last, ast.Return)


def with_defined(node: ast.BinOp) -> ast.BinOp:
    """An operator of which Python and processors make the same: shifts are modulo 64; exponents are written, or floats.

    Raises
    ------
    PipelineError
        If a whole exponent below 0 is written: of a whole number, and of 0, it gives one thing or another.
    """
    number = integer(node.right)
    if isinstance(node.op, ast.LShift | ast.RShift) and not (number is not None and 0 <= number < 64):
        node.right = ast.BinOp(node.right, ast.BitAnd(), ast.Constant(63))
    if isinstance(node.op, ast.Pow) and number is not None and number < 0:
        raise PipelineError(
            "generated code cannot hold a power with a negative whole exponent; write 1 / x ** n"
        )
    if (
        isinstance(node.op, ast.Pow)
        and number is None
        and not ast.unparse(node.right).startswith("np.float32(")
    ):
        node.right = ast.Call(ast.Name("float", ast.Load()), [node.right], [])
    return node


def check_round(call: ast.Call) -> None:
    """Refuse digits that are not written as a number of at least 0."""
    digits = integer(call.args[1]) if len(call.args) == 2 else None
    if digits is None or digits < 0:
        raise PipelineError(
            "round takes a number, and how many digits after the point, written as a whole number"
        )


def check_numpy(name: str) -> None:
    """Refuse what NumPy has under a name, unless it is known to stay inside of arrays."""
    if name == READ_ONLY:
        raise PipelineError(
            f"generated code cannot use np.{name}: compiled, what it makes could be written where the images cannot; "
            "take np.copy"
        )
    if name not in NUMPY:
        raise PipelineError(
            f"generated code cannot use np.{name}: of NumPy it takes numbers' types, what computes element by "
            "element, and what makes, sums, sorts and reshapes arrays"
        )


def check_inputs(called: str, call: ast.Call) -> None:
    """Refuse an array to write into: where it is smaller than the result, compiled code drops the rest silently."""
    name = called.removeprefix("np.")
    function = getattr(np, name) if called.startswith("np.") and name in BY_ELEMENT.split() else None
    takes = 3 if name in ("clip", "where") else getattr(function, "nin", len(call.args))
    if function and (len(call.args) > takes or any(given.arg == "out" for given in call.keywords)):
        raise PipelineError(
            f"generated code cannot give np.{name} an array to write into; assign what it returns"
        )


def makes_arrays(definition: ast.FunctionDef) -> bool:
    """Whether it calls what makes arrays."""
    called = {ast.unparse(node.func) for node in ast.walk(definition) if isinstance(node, ast.Call)}
    return any(f"np.{name}" in called for name in OF_ARRAYS.split())


def check_attribute(name: str) -> None:
    """Likewise of an array's attribute."""
    if name not in ATTRIBUTES:
        raise PipelineError(
            f"generated code cannot use the attribute {name}: of an array it takes its shape, elements by index, and "
            "methods that sum, sort, copy and reshape it"
        )
