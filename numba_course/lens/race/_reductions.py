"""What Numba made of the parallel loops of a function, and which of its variables are true reductions."""

import operator
import re

from numba.core import ir, types
from numba.core.compiler_machinery import AnalysisPass, register_pass
from numba.core.dispatcher import Dispatcher
from numba.core.typed_passes import ParforPreLoweringPass

from numba_course.lens.compiled.dispatchers import compiled_for, hardly_optimised
from numba_course.lens.race._parfors import parfors

FAMILIES: dict[object, str] = {
    **dict.fromkeys((operator.add, operator.iadd, operator.sub, operator.isub), "sum"),
    **dict.fromkeys((operator.mul, operator.imul, operator.truediv, operator.itruediv), "product"),
    max: "max",
    min: "min",
}
ONE_SIDED = (operator.sub, operator.isub, operator.truediv, operator.itruediv)


class Facts:
    """What the compiler notes about the parallel loops of a function.

    Attributes
    ----------
    loops : set of (str, int)
        File and line of each loop over `prange` or `pndindex` that is parallel, or serial inside such a loop.
    unsigned : set of (str, int)
        Those of them whose index is unsigned in the body.
    reductions : list of (set of str, set of int)
        Names that a reduction variable may have in the source, and the lines that update it.
    parfors : list of Parfor
        All that runs in parallel.
    kinds : tuple
        Types of the arguments that it was compiled for in `settle`, which may be those of values.
    """

    kinds: tuple[types.Type, ...] = ()

    def __init__(self, *diagnostics):
        self.loops, self.unsigned, self.reductions = set(), set(), []
        alike = {_shape(found): found for found in map(parfors, diagnostics)}  # of overloads for other types
        self.parfors = [parfor for found in alike.values() for parfor in found]
        for parfor in (p for d in diagnostics if d.has_setup for p in d.initial_parfors):
            if any(pattern[0] == "prange" and pattern[1] != "internal" for pattern in parfor.patterns):
                place = parfor.loc.filename, parfor.loc.line
                self.loops.add(place)
                if all(isinstance(nest.start, int) and nest.start >= 0 for nest in parfor.loop_nests):
                    self.unsigned.add(place)
            for name, info in (parfor.reddict or {}).items():
                self.reductions.append((_source_names(name), {node.loc.line for node in info.reduce_nodes}))

    @classmethod
    def of_compiled(cls, dispatcher):
        """Of a function that is compiled already."""
        return cls(*(compiled.metadata["parfor_diagnostics"] for compiled in dispatcher.overloads.values()))

    def merged(self, group):
        """The loops that Numba made one of."""
        return [parfor for parfor in self.parfors if parfor.group == group]

    def lists(self, names, lines):
        """Whether Numba treats one of these variables as a reduction on one of these lines."""
        return any(names & own and lines & updated for own, updated in self.reductions)


def _shape(found):
    """What two overloads of a function have in common if their parallel loops are the same."""
    groups = [parfor.group for parfor in found]
    return tuple((p.kind, p.what, p.file, p.lines, groups.index(p.group)) for p in found)


def settle(dispatcher, args, named):
    """Compile until the parallel loops are settled; on to the end only where Numba may refuse a reduction there.

    Code generation is most of the time that compiling takes, and tells nothing about races.

    Parameters
    ----------
    dispatcher : Dispatcher
        A copy made by `rebuilt`. Its callees are compiled.
    args : tuple
    named : dict
        Keyword arguments.

    Returns
    -------
    Facts

    Raises
    ------
    TypeError
        As `compiled_for`.
    Exception
        Whatever the compiler raises.
    """
    compiler = dispatcher._compiler
    usual, compiler.pipeline_class = compiler.pipeline_class, _stopping(compiler.pipeline_class)
    try:
        with hardly_optimised():  # what it calls is compiled to the end, as its types are asked for
            compiled = compiled_for(dispatcher, args, named)
    except _SettledError as stop:
        diagnostics, simple, kinds = stop.args
    else:
        diagnostics, simple, kinds = compiled.metadata["parfor_diagnostics"], True, compiled.signature.args
    finally:
        compiler.pipeline_class = usual
    if not simple:
        compiled_for(dispatcher, args, named)
    facts = Facts(diagnostics)
    facts.kinds = tuple(kinds)
    return facts


class _SettledError(BaseException):
    """Ends a compilation. Not an Exception, as the compiler would take that for an error of its own."""


def _stopping(pipeline_class):
    """The same compiler, which stops when the parallel loops are settled."""

    @register_pass(mutates_CFG=False, analysis_only=True)
    class Stop(AnalysisPass):
        _name = "stop_when_parallel_loops_are_settled"

        def __init__(self):
            AnalysisPass.__init__(self)

        def run_pass(self, state):
            parfors = state.metadata["parfor_diagnostics"].initial_parfors
            infos = [(state.typemap[n], i) for p in parfors for n, i in (p.reddict or {}).items()]
            kinds = {type(getattr(kind, "dtype", kind)) for kind in state.typemap.values()}
            simple = all(_is_simple(kind, info, types.Complex in kinds) for kind, info in infos)
            raise _SettledError(state.metadata["parfor_diagnostics"], simple, state.args)

    class Stopping(pipeline_class):
        def define_pipelines(self):
            managers = super().define_pipelines()
            for manager in managers:
                if any(entry[0] is ParforPreLoweringPass for entry in manager.passes):
                    manager.add_pass_after(Stop, ParforPreLoweringPass)
                    manager.finalize()
            return managers

    return Stopping


def _is_simple(kind, info, has_complex):
    """Whether a reduction is of the form ``acc += something``, and of a type for which that is never refused later."""
    first, *rest = (node.value for node in info.reduce_nodes)
    left = isinstance(first, ir.Expr) and first.op in ("binop", "inplace_binop") and first.lhs
    of_floats = isinstance(kind, types.Array) and isinstance(kind.dtype, types.Float) and not has_complex
    return (
        (isinstance(kind, types.Number) or of_floats)
        and bool(left)
        and not left.name.endswith("#init")
        and all(isinstance(value, ir.Var) for value in rest)
    )


def _source_names(name):
    """What the source may call a variable of Numba's: without its version and the prefix of inlining."""
    name = re.sub(r"\.\d+$", "", name)
    inner = re.sub(r"^.*_v\d+_", "", name)
    return {name, inner, re.sub(r"_\d+$", "", inner)}


def as_reduction(statements, name):
    """Whether a variable is a reduction in the body of a loop.

    It is one if all that is made of it, directly or by way of other variables, is copied or combined with
    something else by operators of one family, and ends in the variable itself.

    Returns
    -------
    verdict : bool or None
        None if it goes through a function that is not understood.
    chain : set of str
        The variables involved.
    """
    assigns = [s for s in statements if isinstance(s, ir.Assign)]
    called = {s.target.name: s.value.value for s in assigns if isinstance(s.value, (ir.Global, ir.FreeVar))}
    updates = [(s.target.name, *update) for s in assigns if (update := _update(s.value, called))]
    chain, size = {name}, 0
    while size < len(chain):
        size = len(chain)
        chain |= {target for target, _, operands in updates if chain & set(operands)}
    links = [_link(statement, chain, called) for statement in statements]
    if False in links:
        return False, chain
    if None in links:
        return None, chain
    return len({link for link in links if link}) == 1, chain


def _update(value, called):
    """(family, operands) of a copy or of a combination that a reduction may consist of; else None."""
    if isinstance(value, ir.Var):
        return "", (value.name,)
    if not isinstance(value, ir.Expr):
        return None
    if value.op in ("binop", "inplace_binop") and value.fn in FAMILIES:
        return FAMILIES[value.fn], (value.lhs.name, value.rhs.name)
    if value.op == "call" and len(value.args) == 2 and not value.kws and value.vararg is None:
        function = called.get(value.func.name)
        if function is max or function is min:
            return FAMILIES[function], tuple(v.name for v in value.args)
    return None


def _link(statement, chain, called):
    """The family by which a statement continues the chain ("" for none); False if it breaks it, None if unknown."""
    if not isinstance(statement, ir.Assign):
        return False if {v.name for v in statement.list_vars()} & chain else ""
    value = statement.value
    read = {value.name} if isinstance(value, ir.Var) else set()
    if isinstance(value, ir.Expr):
        read = {v.name for v in value.list_vars()}
    if not read & chain:
        return False if statement.target.name in chain else ""
    update = _update(value, called)
    if update is None:
        function = called.get(value.func.name) if value.op == "call" else ""
        return None if function is None or isinstance(function, Dispatcher) else False
    family, operands = update
    if sum(operand in chain for operand in operands) != 1:
        return False
    one_sided = family and value.op != "call" and value.fn in ONE_SIDED
    return False if one_sided and operands[0] not in chain else family
