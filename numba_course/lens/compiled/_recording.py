"""In the child process: compile a copy of the function, note what each stage made of it, call it once.

The copy's line numbers are raised by `OWN`, and Numba keeps line numbers, but no other debug information,
down to the assembly, which leaves every instruction as it is. So whatever carries a line number from `OWN`
on is the user's own code, however much was inlined around it. To record more, add it to what `record` or
`_typed` returns, and to `compilation.Compilation`.
"""

import dis
import inspect
import itertools
import os
import re
import tempfile
import types
import warnings
from contextlib import contextmanager
from unittest import mock

import llvmlite.binding as llvm
import numba
import numpy as np
from numba.core import cgutils, ir
from numba.core import types as nbtypes
from numba.core.analysis import compute_cfg_from_blocks
from numba.core.codegen import CPUCodeLibrary, JITCPUCodegen
from numba.core.compiler import Flags
from numba.core.compiler_machinery import AnalysisPass, register_pass
from numba.core.debuginfo import DIBuilder
from numba.core.registry import cpu_target
from numba.core.runtime import _nrt_python, rtsys
from numba.core.typed_passes import BaseTypeInference, NopythonTypeInference
from numba.core.utils import OPERATORS_TO_BUILTINS
from numba.cpython import slicing
from numba.cpython.listobj import _ListPayloadMixin

from numba_course.lens.compiled._dataflow import CHECKS, WRAPS, marked, numbered
from numba_course.lens.compiled.counting import Counters
from numba_course.lens.compiled.dispatchers import compiled_for, rebuilt
from numba_course.lens.errors import reason
from numba_course.process.arguments import unpack

OWN = 1_000_000
COMPILING = 120.0  # seconds
CALLING = 10.0  # seconds
PASSES = "loop-vectorize|loop-delete|loop-unroll|loop-idiom"  # of LLVM, whose remarks we want


class StandIn:
    """Stands for an argument that cannot be sent: Numba sees its type, but nobody can call with it."""

    def __init__(self, kind):
        self._numba_type_ = kind


def own_line(line):
    """The line in the user's file, or None if it is not the function's own."""
    return line - OWN if line >= OWN else None


def record(fn, options, payload, call):
    """Compile `fn` for the pickled arguments and return what was seen, as plain data; call it if `call`.

    The options are those of `dispatchers.options_of_call`.
    """
    args, named = unpack(payload)
    fn.py_func.__code__ = _raised(fn.py_func.__code__)
    typed, modules, optimised, counters = {}, [], {}, Counters() if call else None
    fn._compiler.pipeline_class = _recorder(fn._compiler.pipeline_class, typed)
    _remark_on(PASSES)
    yield "compiling", COMPILING
    with (
        _captured_stderr() as remarks,
        _noted_modules(modules, optimised, counters, _last_line(fn.py_func.__code__)),
        _marked_tests(),
        _noted_bodies(typed, _targets(fn.py_func.__code__)),
        warnings.catch_warnings(action="ignore"),
    ):
        copy = rebuilt(fn, **options)
        result = compiled_for(copy, args, named)
    _remark_on("^$")  # or later compilations in this process would print remarks
    yield "reading", COMPILING
    symbol, library = result.fndesc.llvm_func_name, result.library
    module = optimised[library._final_module]
    tested = {
        column: sorted({own_line(line) for line in marked(module, column)} - {None})
        for column in (WRAPS, CHECKS)
    }
    module = numbered(module)
    seen = {
        **typed[result.signature.args],
        "signature": f"({', '.join(map(_type_text, result.signature.args))}) -> "
        + _type_text(result.signature.return_type),
        "symbol": symbol,
        "bytecode": _bytecode(fn.py_func.__code__),
        "llvm": [str(module) for module in modules if _concerns(module, symbol)],
        "optimised_llvm": module,
        "assembly": library.codegen._tm.emit_assembly(llvm.parse_assembly(module)),
        "wraparounds": tested[WRAPS],
        "bounds_checks": tested[CHECKS],
        "remarks": re.findall(r"remark: (.+?):(\d+):\d+: (.*)", remarks[0]),
        "allocations": None,
        "uncounted": "",
        "executed": None,
        "widths": None,
    }
    if call:
        yield "calling", CALLING
        seen["allocations"], seen["uncounted"] = _allocations(copy, args, named)
        if not seen["uncounted"]:
            seen["executed"], seen["widths"] = counters.totals(), counters.widths()
    return seen


def _raised(code):
    """The code object, and those in it, with line numbers raised by `OWN`."""
    constants = tuple(_raised(c) if isinstance(c, types.CodeType) else c for c in code.co_consts)
    return code.replace(co_firstlineno=code.co_firstlineno + OWN, co_consts=constants, co_filename="<own>")


def _remark_on(passes):
    """Have LLVM print remarks of the passes that match the pattern."""
    for option in ("pass-remarks", "pass-remarks-missed", "pass-remarks-analysis"):
        llvm.set_option("", f"--{option}={passes}")


@contextmanager
def _captured_stderr():
    """Collect what is written to file descriptor 2, where LLVM's remarks go; the text is there at the end."""
    text, saved = [], os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield text
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            file.seek(0)
            text.append(file.read().decode(errors="replace"))


@contextmanager
def _noted_modules(modules, optimised, counters, last):
    """Have every LLVM module noted before and after it is optimised, and mutual recursion work, which goes by names.

    What is optimised gets counters, too, if there are any, before it becomes machine code.
    """
    add, finish = CPUCodeLibrary.add_ir_module, JITCPUCodegen._add_module

    def add_ir_module(self, module):
        modules.append(module)
        _keep_lines(module)
        _keep_within(module, last)
        return add(self, module)

    def add_module(self, module):
        optimised[module] = str(module)
        return finish(self, counters.with_counters(module) if counters else module)

    with (
        mock.patch.object(CPUCodeLibrary, "add_ir_module", add_ir_module),
        mock.patch.object(JITCPUCodegen, "_add_module", add_module),
        mock.patch.object(Flags, "get_mangle_string", lambda flags: "lens"),  # else `_recorder` changes names
    ):
        yield


@contextmanager
def _marked_tests():
    """Have whatever tests an index marked, by the column of its place in the source.

    LLVM turns such a test into other instructions, which keep the place, or sees that none is needed.
    """
    with (
        _marked(slicing, "fix_index", WRAPS, lambda builder, *_: builder),
        _marked(_ListPayloadMixin, "fix_index", WRAPS, lambda accessor, *_: accessor._builder),
        _marked(cgutils, "do_boundscheck", CHECKS, lambda _, builder, *__: builder),
        _marked(_ListPayloadMixin, "guard_index", CHECKS, lambda accessor, *_: accessor._builder),
    ):
        yield


def _marked(owner, name, column, builder_in):
    """Have what a function of Numba builds have its place in a column; `builder_in` finds the builder it is given."""
    build = getattr(owner, name)

    def marking(*args, **options):
        with _in_column(builder_in(*args), column):
            return build(*args, **options)

    return mock.patch.object(owner, name, marking)


@contextmanager
def _in_column(builder, column):
    """Have what is built have its place in this column, if it has a place."""
    place = builder.debug_metadata
    if place is not None:
        fields = {**dict(place.operands), "column": column}
        builder.debug_metadata = builder.module.add_debug_info(place.kind, fields)
    try:
        yield
    finally:
        builder.debug_metadata = place


def _keep_lines(module):
    """Mend three kinds of function that Numba makes up, so that what they hold keeps the user's lines."""
    for function in module.functions:
        inside = [instruction for block in function.blocks for instruction in block.instructions]
        if inside and function.name.startswith("__gufunc__."):  # has no scope, so LLVM would drop the lines
            notes = DIBuilder(module, "<own>", cpu_target.target_context, directives_only=True)
            notes.mark_subprogram(function, function.name, (), (), line=0)
            for instruction in inside:
                if instruction.opname == "call":
                    instruction.set_metadata("dbg", notes._add_location(0))
            notes.finalize()
        elif "__numba_array_expr" in function.name:  # has lines of Numba's source
            for noted in (function, *inside):
                noted.metadata.pop("dbg", None)
        elif inside and "__numba_parfor_gufunc" in function.name:  # its loop has lines of generated source
            places = [item for item in module.metadata if getattr(item, "kind", "") == "DILocation"]
            own = [line for line in (dict(place.operands)["line"] for place in places) if line >= OWN]
            for place in places if own else ():
                fields = dict(place.operands)
                place.operands = tuple({**fields, "line": max(fields["line"], min(own))}.items())


def _keep_within(module, last):
    """Have nothing come from after the `last` line: Numba takes a decorator to stand above, as above no lambda."""
    for place in module.metadata:
        if getattr(place, "kind", "") in ("DILocation", "DISubprogram"):
            fields = dict(place.operands)
            lines = {name: min(fields[name], last) for name in ("line", "scopeLine") if name in fields}
            place.operands = tuple({**fields, **lines}.items())


def _last_line(code):
    """The last line that the code, or code in it, has."""
    inside = (_last_line(constant) for constant in code.co_consts if isinstance(constant, types.CodeType))
    return max(*(line for *_, line in code.co_lines() if line), *inside, code.co_firstlineno)


def _concerns(module, symbol):
    """Whether an unoptimised module defines the function itself or the body of one of its parallel loops."""
    defined = [f.name for f in module.functions if f.blocks]
    return any(name == symbol or "__numba_parfor_gufunc" in name for name in defined)


def _recorder(pipeline_class, typed):
    """A compiler that keeps line numbers and notes the typed IR by argument types."""

    @register_pass(mutates_CFG=False, analysis_only=True)
    class Record(AnalysisPass):
        _name = "record_typed_ir"

        def __init__(self):
            AnalysisPass.__init__(self)

        def run_pass(self, state):
            typed[tuple(state.args)] = _typed(state)
            return False

    class Recorder(pipeline_class):
        def __init__(self, typingctx, targetctx, library, args, return_type, flags, locals):
            if not flags.debuginfo:
                flags.debuginfo = flags.dbg_directives_only = True
            super().__init__(typingctx, targetctx, library, args, return_type, flags, locals)

        def define_pipelines(self):
            managers = super().define_pipelines()
            for manager in managers:
                manager.add_pass_after(Record, NopythonTypeInference)
                manager.finalize()
            return managers

    return Recorder


def _bytecode(code):
    """(line, instruction) pairs of the function itself."""
    rows = []
    for item in dis.get_instructions(code):
        line = own_line(item.positions.lineno or 0)
        rows.append((line, _clean(f"{item.offset:>4} {item.opname} {item.argrepr}".rstrip())))
    return rows


def _clean(text):
    """Text of the IR without addresses, paths, places and unknown initial values."""
    noise = r" at 0x[0-9a-f]+|#[0-9a-f]{6,}|<iv=None>"
    return re.sub(noise + r"| from '[^']*'|, <own>:\d+(?=\))|, file \"[^\"]*\", line \d+", "", text)


def _typed(state):
    """What is known after type inference: both IR texts, definitions, conversions to float64, loops."""
    names = set(_variables(state.func_id.code))
    numba_ir, typed_ir = [], []
    for offset, block in sorted(state.func_ir.blocks.items()):
        numba_ir.append((None, f"block {offset}:"))
        typed_ir.append((None, f"block {offset}:"))
        for statement in block.body:
            line, text = own_line(statement.loc.line), _clean(str(statement))
            numba_ir.append((line, text))
            if isinstance(statement, ir.Assign):
                text += f"  :: {_clean(str(state.typemap[statement.target.name]))}"
            typed_ir.append((line, text))
    definitions, conversions = _types_by_line(state, names)
    return {
        "numba_ir": numba_ir,
        "typed_ir": typed_ir,
        "assigned": _assigned(state, names),
        "definitions": definitions,
        "conversions": conversions,
        "retyped": [],
        "variables": sorted(names),
        "loops": _loops(state.func_ir.blocks, state.func_id.code),
        "parallel": [],
    }


def _types_by_line(state, names):
    """(own line, name, type) of each definition of these variables, and (own line, words) of what becomes float64."""
    definitions, merged, conversions = [], [], []
    statements = [statement for _, block in sorted(state.func_ir.blocks.items()) for statement in block.body]
    for statement in statements:
        line = own_line(statement.loc.line)
        if line and isinstance(statement, ir.Assign):
            kind = state.typemap[statement.target.name]
            name = _own_name(statement.target, names)
            if name and not isinstance(kind, nbtypes.UndefVar):  # around a comprehension, from 3.12 on
                (merged if _joins(statement) else definitions).append((line, name, _type_text(kind)))
            conversions += [(line, note) for note in _conversion(statement, state)]
        elif line and isinstance(statement, ir.Return):
            definitions.append((line, "return", _type_text(state.return_type)))
    known = {(name, kind) for _, name, kind in definitions}
    definitions += [found for found in merged if found[1:] not in known]
    return list(dict.fromkeys(definitions)), list(dict.fromkeys(conversions))


def _joins(statement):
    """Whether it joins versions of a variable where branches meet; in the body of a parallel loop they are copied."""
    value = getattr(statement, "value", None)
    if isinstance(statement, ir.Assign) and isinstance(value, ir.Var):
        target = statement.target
        return value.unversioned_name == target.unversioned_name and value.name != target.name
    return isinstance(value, ir.Expr) and value.op == "phi"


def _joined_in(statement):
    """The versions of a variable that it joins, if it does."""
    if not _joins(statement):
        return []
    return [statement.value] if isinstance(statement.value, ir.Var) else statement.value.incoming_values


def _assigned(state, names):
    """(name, own line, type, what meets there) of each version of these variables: assigned in a line, or joined.

    What is assigned comes first, by line. Of what is joined the line is None, and what meets there are positions in
    the list; a version that is joined with no value, since the variable has none on one of the ways, is not among them.
    """
    found = {}
    for _, block in sorted(state.func_ir.blocks.items()):
        for statement in block.find_insts(ir.Assign):
            kind = state.typemap[statement.target.name]
            name = _own_name(statement.target, names)
            if name and not isinstance(kind, nbtypes.UndefVar):
                line = None if _joins(statement) else own_line(statement.loc.line)
                joined = [part.name for part in _joined_in(statement)]
                found.setdefault(statement.target.name, (name, line, _type_text(kind), joined))
    ordered = sorted(found, key=lambda version: (found[version][1] is None, found[version][1] or 0))
    places = {version: place for place, version in enumerate(ordered)}
    return [
        (*found[version][:3], sorted(places[part] for part in found[version][3] if part in places))
        for version in ordered
    ]


@contextmanager
def _noted_bodies(typed, targets):
    """Have the types in the bodies of parallel loops noted, which Numba infers anew where it compiles each body."""
    infer = BaseTypeInference.run_pass

    def run_pass(self, state):
        changed = infer(self, state)
        if typed and "__numba_parfor_gufunc" in state.func_id.func_name:
            _retype(next(reversed(typed.values())), targets, state)
        return changed

    with mock.patch.object(BaseTypeInference, "run_pass", run_pass):
        yield


def _retype(seen, targets, state):
    """Put the types of the body of a parallel loop, which run, for those that the lines in it had before."""
    definitions, conversions = _types_by_line(state, set(seen["variables"]))
    index = _index_of_body(targets, state)
    seen["parallel"] += [line for line, _, _ in index]
    definitions += [one for one in index if one[:2] not in {found[:2] for found in definitions}]
    lines = {
        own_line(statement.loc.line) for block in state.func_ir.blocks.values() for statement in block.body
    }
    for line, name, kind in definitions:
        old = [was for where, own, was in seen["definitions"] if (where, own) == (line, name)]
        seen["retyped"] += [(line, name, was, kind) for was in old if was != kind]
    again = {(line, name) for line, name, _ in definitions}
    kept = [found for found in seen["definitions"] if found[:2] not in again]
    seen["definitions"] = sorted([*kept, *definitions], key=lambda found: found[0])
    seen["conversions"] = [found for found in seen["conversions"] if found[0] not in lines] + conversions


def _index_of_body(targets, state):
    """The definition of the index of a prange loop in its body: Numba's own index has the line of the loop."""
    for block in state.func_ir.blocks.values():
        for index in (variable for statement in block.body for variable in statement.list_vars()):
            found = own_line(index.loc.line), targets.get(own_line(index.loc.line))
            if index.name.startswith("parfor__index") and all(found):
                return [(*found, _type_text(state.typemap[index.name]))]
    return []


def _targets(code):
    """The variable of each loop over something, by its line."""
    pairs = itertools.pairwise(dis.get_instructions(code))
    stores = {
        a.positions.lineno: b.argval for a, b in pairs if a.opname == "FOR_ITER" and "STORE" in b.opname
    }
    return {own_line(line): name if isinstance(name, str) else name[0] for line, name in stores.items()}


def _variables(code):
    """Names of the variables of the code and of the comprehensions and functions in it."""
    yield from (name for name in code.co_varnames + code.co_cellvars if name.isidentifier())
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _variables(constant)


def _own_name(variable, names):
    """The user's name for a variable of the IR; None for one that Numba made up."""
    name = variable.unversioned_name
    if name not in names:  # a variable of a comprehension: closure__locals___listcomp__v2_name
        name = "".join(re.findall(r"_v\d+_(\w+)$", name)[:1])
    return name if name in names else None


def _type_text(kind):
    if isinstance(kind, nbtypes.Generator):
        return f"generator({_type_text(kind.yield_type)})"
    return _clean(str(nbtypes.unliteral(kind)))


def _element(kind):
    """The scalar type that is computed with: of an array, its dtype."""
    kind = nbtypes.unliteral(kind)
    kind = kind.type if isinstance(kind, nbtypes.Optional) else kind
    return kind.dtype if isinstance(kind, nbtypes.Array) else kind


def _conversion(statement, state):
    """In words, what an operator or a mathematical function makes float64 that was not, if it does."""
    value = statement.value
    called = state.calltypes.get(value) if isinstance(value, ir.Expr) else None
    if called is None:
        return
    if value.op in ("binop", "inplace_binop"):
        operands, form = [value.lhs, value.rhs], f"{{}} {OPERATORS_TO_BUILTINS.get(value.fn, '?')} {{}}"
    elif value.op == "call" and _is_mathematical(state.typemap[value.func.name]):
        operands = value.args
        form = f"{state.typemap[value.func.name].typing_key.__name__}({', '.join(['{}'] * len(operands))})"
    else:
        return
    kinds = [state.typemap[operand.name] for operand in operands]
    elements = [_element(kind) for kind in kinds]
    floats = any(isinstance(element, nbtypes.Float) for element in elements)
    narrow = [
        element == nbtypes.float32
        or (isinstance(element, nbtypes.Integer) and not (floats and isinstance(kind, nbtypes.Literal)))
        for kind, element in zip(kinds, elements, strict=True)
    ]
    if any(narrow) and nbtypes.float64 in map(_element, (called.return_type, *called.args)):
        yield form.format(*(_type_text(kind) for kind in kinds)) + " is computed in float64"


def _is_mathematical(function):
    key = getattr(function, "typing_key", None)
    if key in (min, max, abs, pow, round, divmod):
        return True
    return isinstance(key, np.ufunc) or getattr(key, "__module__", None) == "math"


def _loops(blocks, code):
    """The loops as written: (first line, all lines), outer before inner."""
    found, of_functions = [], set(_lines_of_functions(code))
    for loop in compute_cfg_from_blocks(blocks).loops().values():
        body = (statement for label in loop.body for statement in blocks[label].body)
        # What joins the values of a variable has the line where the variable is used next, maybe after the loop.
        lines = {own_line(statement.loc.line) for statement in body if not _joins(statement)} - {None}
        if lines:  # a function that is inlined in it stands elsewhere
            found.append((min(lines - of_functions or lines), tuple(sorted(lines))))
    return sorted(set(found), key=lambda loop: (loop[0], -len(loop[1])))


def _lines_of_functions(code):
    """The lines of the functions that are defined in the code."""
    for inner in (constant for constant in code.co_consts if isinstance(constant, types.CodeType)):
        if not inner.co_name.startswith("<"):
            yield from (own_line(line) for _, _, line in inner.co_lines() if line)
        yield from _lines_of_functions(inner)


def _allocations(copy, args, named):
    """How often one call allocates beyond what a function that does nothing needs for the same arguments."""
    values = (*args, *named.values())
    for position, value in enumerate(values):
        if isinstance(value, StandIn):
            return None, f"argument {position} cannot be sent to another process, so nothing was called"
    if inspect.isgeneratorfunction(copy.py_func):
        return None, "a call only makes the generator, and its steps were not run"
    names = ", ".join(f"a{position}" for position in range(len(values)))
    nothing = numba.njit(eval(f"lambda {names}: None"))
    nothing(*values)
    _nrt_python.memsys_enable_stats()
    start = rtsys.get_allocation_stats().alloc
    nothing(*values)
    middle = rtsys.get_allocation_stats().alloc
    try:
        copy(*args, **named)
    except BaseException as error:
        return None, f"the call raised {reason(error)}"
    return rtsys.get_allocation_stats().alloc - middle - (middle - start), ""
