"""From an operation's Python function to the text of a function of the generated module."""

from __future__ import annotations

import ast
import builtins
import dis
import inspect
import symtable
import textwrap
from dataclasses import dataclass, field
from types import CodeType, ModuleType
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher

from numba_course.pipeline import algebra, interpreted, runtime
from numba_course.pipeline.kinds import OTHER, REAL, WHOLE, Kinds, Reals
from numba_course.pipeline.language import (
    check_attribute,
    check_inputs,
    check_key,
    check_nodes,
    check_numpy,
    check_places,
    check_returns,
    check_round,
    makes_arrays,
    with_defined,
)
from numba_course.pipeline.literals import (
    Assigned,
    AsTuple,
    Fitting,
    Rounded,
    integer,
    literal,
    signed,
)
from numba_course.pipeline.protocol import CHANNELS, KINDS, REALS, Made, PipelineError
from numba_course.syntax import parse

# What a builtin is called in generated text: whole and nearest numbers are defined for NaN and what is too large.
BUILTINS = {
    **{name: name for name in ("abs", "bool", "float", "len", "max", "min", "range")},
    "int": "whole",
    "round": "rounded",
}
TAKEN = {
    *BUILTINS.values(),
    *interpreted.NAMES,
    "round",
    "np",
    "clipped",
    "fitting",
    "uniform",
    "op_key",
    "skey",
    "shaped",
    "its_ways",
    "ways_of",
    "alike",
}  # no local variable is called so
# What stands for an operation's own parameters in the generated module, by kind; all but `skey` are the function's own.
PARAMETERS = {
    "move": lambda own: [*own[:2], "skey"],
    "each": lambda own: [own[0], "skey"],
    "point": lambda own: [*own[:-1], "skey"],
    "gather": lambda own: ["source", "skey", *own[1:4]],
    "image": lambda own: [*own[:-1], "skey"],
}


@dataclass(frozen=True)
class Written:
    """A function of the generated module.

    Attributes
    ----------
    name, text : str
    file : str or None
        Where it was written; None for what is generated without a model.
    lines : dict of int to int
        From the lines of the text to those of the file, wherever a statement begins.
    """

    name: str
    text: str
    file: str | None = None
    lines: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Lifted:
    """What an operation's function becomes.

    Attributes
    ----------
    functions : tuple of Written
        The last one is the step; it calls those before it.
    made : dict of str to Made
        What they need made before, by name.
    is_straight : bool
        Whether it serves vectors as well as numbers: see `algebra.is_straight`.
    keeps_rows : bool
        Whether it is a move that takes each row from a row, forwards or backwards: see `algebra.keeps_rows`.
    """

    functions: tuple[Written, ...]
    made: dict[str, Made]
    is_straight: bool
    keeps_rows: bool

    @property
    def name(self) -> str:
        return self.functions[-1].name


def lift(
    function: Any, index: int, stream: int, channels: int, shapes: tuple[tuple[int, ...], ...] = ()
) -> Lifted:
    """Write an operation's function as functions of the generated module.

    Parameters
    ----------
    function : callable
        Marked by its kind. What it names is a local variable, a number or a tuple of numbers, NumPy or what is in
        it, `uniform`, or one of the builtins that generated code may call.
    index : int
        Of its step. It is called ``step`` and this number, and a gather calls ``load`` and this number.
    stream : int
        Number of its stream of draws.
    channels : int
        Of the images that go in.
    shapes : tuple of tuple of int
        For an image: the shapes of its arrays. From those of the first two the compiler sees what is inside of them.

    Returns
    -------
    Lifted

    Raises
    ------
    PipelineError
        If its source cannot be read, or it uses what generated code cannot hold.
    """
    name = f"step{index}"
    if function.kind != "each":
        return _lifted(function, name, index, stream, channels, shapes)
    definition, _ = _definition(function)
    number = _parameters(function, definition, channels, 0)[1]
    differ = number in algebra.names_in(definition)
    parts = [
        _lifted(function, f"{name}_{c}", index, stream, channels, (), {number: c})
        for c in range(channels if differ else 1)
    ]
    values = CHANNELS[channels]
    calls = (f"{parts[c if differ else 0].name}({value}, skey)" for c, value in enumerate(values))
    text = f"def {name}({', '.join(values)}, skey):\n    return ({', '.join(calls)},)"
    functions = *(written for part in parts for written in part.functions), Written(name, text)
    return Lifted(functions, parts[0].made, all(part.is_straight for part in parts), False)


def _lifted(function, name, index, stream, channels, shapes, numbers=None):
    """A function as one of the generated module, with this name; `numbers` are for parameters that get none."""
    kind = function.kind
    definition, local = _definition(function)
    own = _parameters(function, definition, channels, len(shapes))
    check_returns(definition, kind != "image")
    if kind == "move":
        check_places(definition)
    helpers = _Helpers(function, name, index)
    scope = _Scope(
        function, definition, local, own[0] if kind == "gather" else None, index, numbers or {}, helpers
    )
    own = _resolved(definition, name, [each for each in own if each not in scope.numbers], scope)
    check_key(definition, own[-1], {each.name: each for each in helpers.definitions()})
    if kind == "point" and channels == 1:
        definition = AsTuple().visit(definition)
    keeps_rows = kind == "move" and algebra.keeps_rows(definition)
    straight = kind in ("each", "point") and algebra.is_straight(definition, {own[-1]}, helpers.straight)
    if straight:
        definition = Assigned().visit(definition)
    if kind in REALS:
        _with_reals([*helpers.definitions(), definition], kind, channels, f"load{index}")
        if not straight:
            definition = Rounded(kind, channels if kind == "point" else 0).visit(definition)
    every = [*helpers.definitions(), definition]
    if kind == "image" or any(map(makes_arrays, every)):
        for each in every:
            Fitting().visit(each)
    definition.args.args = [ast.arg(parameter) for parameter in PARAMETERS[kind](own)]
    definition.body[:0] = _prologue(definition, own, stream, shapes)
    functions = *helpers.written(), _written(name, definition, function)
    return Lifted(functions, helpers.made, straight, keeps_rows)


def _with_reals(definitions, kind, channels, load):
    """Put float32 for whole numbers where they meet pixels, in a function and those that it calls."""
    count = len(definitions[-1].args.args)
    parameters = {"gather": [OTHER, WHOLE, WHOLE, WHOLE, OTHER]}.get(kind, [REAL] * (count - 1) + [OTHER])
    result = (REAL,) * channels if kind == "point" else REAL
    kinds = Kinds(definitions, parameters, result, load)
    for definition in definitions:
        Reals(kinds, definition.name).visit(definition)


def _resolved(definition, name, own, scope):
    """Give a definition this name and these parameters, and put for each name what it stands for."""
    definition.name, definition.decorator_list, definition.returns = name, [], None
    if ast.get_docstring(definition) and len(definition.body) > 1:
        del definition.body[0]
    definition.args.args = [ast.arg(parameter) for parameter in own]
    scope.visit(definition)
    return [argument.arg for argument in definition.args.args]


def _written(name, definition, function):
    """The text of a definition, and where its lines come from."""
    text = ast.unparse(ast.fix_missing_locations(definition))
    before = inspect.getsourcelines(function)[1] - 1
    statements = zip(_statements(parse(text)), _statements(definition), strict=True)
    lines = {new.lineno: before + old.lineno for new, old in statements}
    return Written(name, text, inspect.getsourcefile(function), lines)


@dataclass
class _Helper:
    """A function that an operation's function calls, on its way into the generated module."""

    definition: ast.FunctionDef
    function: Any


class _Helpers:
    """The functions that one of an operation calls: those that they call come before them."""

    def __init__(self, function, name, index):
        self.name, self.index, self.active = name, index, [function]
        self.entries, self.names, self.straight, self.made = {}, {}, set(), {}

    def named(self, function, label):
        """A function's name in the generated module, where it is by now, and how many arguments it takes."""
        if function in self.active:
            raise PipelineError(f"{label} calls itself: generated code holds no recursion")
        if function not in self.names:
            name = f"{self.name}__{function.__code__.co_name}"
            while name in self.entries:
                name += "_"
            self.active.append(function)
            try:
                self._take(function, name)
            except PipelineError as error:
                raise PipelineError(f"in {label}: {error}") from error
            self.active.pop()
            self.names[function] = name
        return self.names[function], function.__code__.co_argcount

    def _take(self, function, name):
        definition, local = _definition(function)
        own = [argument.arg for argument in definition.args.args]
        _check_plain(definition, "a function that generated code calls")
        check_returns(definition, False)
        own = _resolved(
            definition, name, own, _Scope(function, definition, local, None, self.index, {}, self)
        )
        if algebra.is_straight(definition, set(), self.straight):
            self.straight.add(name)
            definition = Assigned().visit(definition)
        self.entries[name] = _Helper(definition, function)

    def definitions(self):
        return [entry.definition for entry in self.entries.values()]

    def written(self):
        """All of them."""
        return [_written(name, entry.definition, entry.function) for name, entry in self.entries.items()]


def _prologue(definition, own, stream, shapes):
    """What is put before the function's own statements: the shapes of its arrays, and its key if it draws."""
    lines = [
        f"{array} = shaped({array}, {', '.join(map(str, shape))})"
        for array, shape in zip(own, shapes[:2], strict=False)
    ]
    if any(isinstance(node, ast.Name) and node.id == own[-1] for node in ast.walk(definition)):
        lines.append(f"{own[-1]} = op_key(skey, {stream})")
    return [parse(line).body[0] for line in lines]


def _statements(node):
    return [part for part in ast.walk(node) if isinstance(part, ast.stmt)]


def _definition(function):
    """The function's own definition, parsed, and the names that are local in it by Python's table of symbols."""
    name = getattr(function, "__qualname__", repr(function))
    if not inspect.isfunction(function) or hasattr(function, "__wrapped__"):
        raise PipelineError(f"{name} must be a plain function written with def, not wrapped in another one")
    if function.__name__ == "<lambda>":
        raise PipelineError(f"{name} must be written with def")
    try:
        # However far its lines are indented, those of comments and texts may be indented less.
        text = f"if True:\n{textwrap.indent(inspect.getsource(function), ' ')}"
        statement = ast.increment_lineno(parse(text).body[0].body[0], -1)
        if not isinstance(statement, ast.FunctionDef):
            raise PipelineError(f"{name} must be written with def")
        table = symtable.symtable(text, "<operation>", "exec")
    except (OSError, TypeError, SyntaxError) as error:
        raise PipelineError(f"the source of {name} cannot be read: {error}") from error
    if not _is_source_of(text, statement, function):
        raise PipelineError(
            f"the source of {name} was changed after it was run: import it, or run its cell, again"
        )
    check_nodes(statement)
    inside = next(part for part in table.get_children() if part.get_name() == statement.name)
    return statement, {symbol.get_name() for symbol in inside.get_symbols() if symbol.is_local()}


def _is_source_of(text, statement, function):
    """Whether Python makes of a text what a function does; files change, and are read anew.

    What a test runner makes of assertions, and a class of names that begin with two underscores, is not compared.
    """
    code = function.__code__
    names = (*code.co_names, *code.co_varnames, *code.co_freevars)
    if any(isinstance(node, ast.Assert) for node in ast.walk(statement)) or "__" in {n[:2] for n in names}:
        return True
    if any(name.startswith("_") and "__" in name for name in names):
        return True
    own = "" if statement.name in code.co_freevars else f" global {statement.name}\n"  # if it calls itself
    outer = f"def outer({', '.join(code.co_freevars)}):\n{own}{textwrap.indent(text, ' ')}"
    module = compile(outer, "<operation>", "exec", dont_inherit=True)
    return _does(_code_in(_code_in(module, "outer"), statement.name)) == _does(code)


def _code_in(code, name):
    """The code of the function of this name that is defined in another one."""
    return next(part for part in code.co_consts if isinstance(part, CodeType) and part.co_name == name)


def _does(code):
    """The instructions of some code, without those by which Python calls, which depend on where a name comes from."""
    kinds = {"LOAD_METHOD": "LOAD_ATTR"}
    return [
        (kinds.get(step.opname, step.opname), "" if "JUMP" in step.opname else _about(step.argval))
        for step in dis.get_instructions(code)
        if step.opname.startswith(("LOAD", "STORE", "BINARY", "UNARY", "COMPARE", "RETURN", "POP_JUMP"))
    ]


def _about(value):
    """What an instruction is about; of code in it the names of variables say enough."""
    return "code" if isinstance(value, CodeType) else repr(value)


def _parameters(function, definition, channels, arrays):
    """The names of the function's parameters, if there are as many as its kind has, and no others."""
    own, kind = [argument.arg for argument in definition.args.args], function.kind
    _check_plain(definition, f"a @{kind} function")
    wanted = KINDS[kind] + max(arrays - 2, 0) + (channels if kind == "point" else 0)
    if len(own) != wanted:
        why = f" where images have {channels} channel{'s'[: channels - 1]}" if kind == "point" else ""
        raise PipelineError(f"a @{kind} function must have {wanted} parameters{why}, not {len(own)}")
    return own


def _check_plain(definition, what):
    given = definition.args
    if given.posonlyargs or given.kwonlyargs or given.vararg or given.kwarg or given.defaults:
        raise PipelineError(f"the parameters of {what} must be plain names without defaults")


class _Scope(ast.NodeTransformer):
    """Put for each name what Python finds under it: a local variable, a literal, or what generated code may call."""

    def __init__(self, function, definition, local, load, index, numbers, helpers):
        self.local, self.load, self.index, self.numbers = local, load, index, numbers
        self.used = algebra.names_in(definition) | local
        self.helpers = helpers
        self.cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        self.globals, self.qualified, self.made = function.__globals__, function.__qualname__, helpers.made
        self.taken = TAKEN | {f"load{index}"} | ({"source"} if load else set())

    def visit_arg(self, node):
        return ast.arg(self._renamed(node.arg))

    def visit_AnnAssign(self, node):
        """Python does not ask what annotates a local variable."""
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        target, value = self.visit(node.target), self.visit(node.value)
        return ast.copy_location(ast.Assign([target], value), node)

    def visit_Name(self, node):
        if node.id == self.load:
            raise PipelineError(f"{self.load} must be called as {self.load}(y, x, c)")
        if node.id in self.numbers:
            if not isinstance(node.ctx, ast.Load):
                raise PipelineError(f"{node.id} is the number of a channel, and cannot be assigned to")
            return signed(self.numbers[node.id])
        if node.id in self.local:
            return ast.Name(self._renamed(node.id), node.ctx)
        return self._expression(self._found(node.id), node.id)

    def visit_Attribute(self, node):
        """What a module has under a name: of NumPy what `language` allows, of others a number or `uniform`."""
        found, path, root = self._of_module(node)
        if root is None:
            self.generic_visit(node)
            check_attribute(node.attr)
            return node
        if root is not np:
            return self._expression(found, path)
        name = path.partition(".")[2]
        check_numpy(name)
        return (
            self._expression(found, path) if isinstance(found, float) else parse(f"np.{name}").body[0].value
        )

    def visit_Constant(self, node):
        return (
            literal(node.value, "a number in it") if isinstance(node.value, int | float | complex) else node
        )

    def visit_Subscript(self, node):
        """An element of a tuple that becomes a literal is the literal."""
        named = ast.unparse(node)
        self.generic_visit(node)
        at = integer(node.slice)
        if isinstance(node.value, ast.Tuple) and at is not None and isinstance(node.ctx, ast.Load):
            count = len(node.value.elts)
            if not -count <= at < count:
                raise PipelineError(f"{named}: there is no element {at} in a tuple of {count}")
            return node.value.elts[at]
        return node

    def visit_Call(self, node):
        if self.load and isinstance(node.func, ast.Name) and node.func.id == self.load:
            if len(node.args) != 3 or node.keywords:
                raise PipelineError(f"{self.load} must be called as {self.load}(y, x, c)")
            arguments = [ast.Name("source", ast.Load()), ast.Name("skey", ast.Load())]
            arguments += map(self.visit, node.args)
            return ast.Call(ast.Name(f"load{self.index}", ast.Load()), arguments, [])
        if helper := self._helper(node.func):
            if node.keywords:
                raise PipelineError(f"{ast.unparse(node.func)} must be called by position")
            name, takes = self.helpers.named(helper, ast.unparse(node.func))
            if len(node.args) != takes:
                raise PipelineError(f"{ast.unparse(node.func)} takes {takes} arguments, not {len(node.args)}")
            return ast.Call(ast.Name(name, ast.Load()), list(map(self.visit, node.args)), [])
        called = ast.unparse(node.func)
        self.generic_visit(node)
        written = ast.unparse(node.func)
        check_inputs(written, node)
        if node.keywords and isinstance(node.func, ast.Name):
            raise PipelineError(f"{called} must be called by position")
        if isinstance(node.func, ast.Name) and node.func.id == "rounded" and len(node.args) > 1:
            check_round(node)
            node.func.id = "round"  # to so many digits, which gives a float
        if written == "np.clip" and len(node.args) == 3 and not node.keywords:
            node.func = ast.Name("clipped", ast.Load())
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        return with_defined(node)

    def visit_AugAssign(self, node):
        """Where the operator needs more than it takes, it is written out."""
        self.generic_visit(node)
        if not isinstance(node.op, ast.LShift | ast.RShift | ast.Pow) or not isinstance(
            node.target, ast.Name
        ):
            return node
        value = with_defined(ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value))
        return ast.copy_location(ast.Assign([node.target], value), node)

    def visit_ListComp(self, node):
        """Its targets are local in it, but for what the first loop goes through."""
        first, outside = self.visit(node.generators[0].iter), self.local
        targets = [part for loop in node.generators for part in ast.walk(loop.target)]
        self.local = outside | {part.id for part in targets if isinstance(part, ast.Name)}
        node.generators[0].iter = ast.Constant(None)
        self.generic_visit(node)
        node.generators[0].iter, self.local = first, outside
        return node

    def _renamed(self, name):
        """A local variable's name, or one that is nowhere in it where generated code uses that for something else."""
        new = name
        while new in self.taken or new.startswith("step") or (new != name and new in self.used):
            new = f"its_{new}"
        return new

    def _found(self, name):
        """What a name that is not local stands for; in a class, Python puts its name before two underscores."""
        if name.startswith("__") and not name.endswith("__"):
            mangled = (f"_{part.lstrip('_')}{name}" for part in self.qualified.split("."))
            name = next((cell for cell in mangled if cell in self.cells), name)
        if name in self.cells:
            try:
                return self.cells[name].cell_contents
            except ValueError:
                raise PipelineError(f"the variable {name} has no value when the code is generated") from None
        for space in (self.globals, vars(builtins)):
            if name in space:
                return space[name]
        raise PipelineError(f"the name {name} is not defined")

    def _of_module(self, node):
        """What a name with dots stands for, the name, and its module; None where a part of it is no module."""
        if isinstance(node, ast.Name) and node.id not in self.local:
            found = self._found(node.id)
            return found, node.id, found
        if not isinstance(node, ast.Attribute):
            return None, "", None
        module, path, root = self._of_module(node.value)
        if not isinstance(module, ModuleType):
            return None, "", None
        if not hasattr(module, node.attr):
            raise PipelineError(f"the name {path}.{node.attr} is not defined")
        return getattr(module, node.attr), f"{path}.{node.attr}", root

    def _helper(self, node):
        """The Python function that is called under a name, if its text is to be taken over."""
        if isinstance(node, ast.Name) and (node.id in self.local or node.id in self.numbers):
            return None
        value, *_ = self._of_module(node)
        value = getattr(value, "py_func", value) if isinstance(value, Dispatcher) else value
        is_numpys = (getattr(value, "__module__", "") or "").partition(".")[0] == "numpy"
        return value if inspect.isfunction(value) and not is_numpys and not _is_uniform(value) else None

    def _expression(self, value, name):
        """A value that was found, as an expression of the generated module."""
        if value is np:
            return ast.Name("np", ast.Load())
        if _is_uniform(value):
            return ast.Name("uniform", ast.Load())
        if isinstance(value, Made):
            self.made[f"step{self.index}_{name}"] = value
            return ast.Name(f"step{self.index}_{name}", ast.Load())
        known = getattr(value, "__name__", "")
        if callable(value) and isinstance(known, str) and known:
            if known in BUILTINS and value is getattr(builtins, known):
                return ast.Name(BUILTINS[known], ast.Load())
            if getattr(np, known, None) is value:
                check_numpy(known)
                return ast.Attribute(ast.Name("np", ast.Load()), known, ast.Load())
            what = (
                "hold the function" if inspect.isfunction(value) or isinstance(value, Dispatcher) else "call"
            )
            raise PipelineError(f"generated code cannot {what} {name}")
        if isinstance(value, ModuleType):
            raise PipelineError(f"generated code cannot hold the module {name}; it has NumPy")
        return literal(value, f"the variable {name}")


def _is_uniform(value):
    """Whether it is `runtime.uniform`, or what came of it on its way from another process."""
    function, ours = (getattr(what, "py_func", what) for what in (value, runtime.uniform))
    return all(getattr(function, name, "") == getattr(ours, name) for name in ("__module__", "__qualname__"))
