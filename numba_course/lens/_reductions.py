"""What Numba made of the parallel loops of a function, and which of its variables are true reductions."""

import operator
import re
from builtins import max, min

from numba.core import ir
from numba.core.dispatcher import Dispatcher

FAMILIES = {
    **dict.fromkeys((operator.add, operator.iadd, operator.sub, operator.isub), "sum"),
    **dict.fromkeys((operator.mul, operator.imul, operator.truediv, operator.itruediv), "product"),
    max: "max",
    min: "min",
}
ONE_SIDED = (operator.sub, operator.isub, operator.truediv, operator.itruediv)


class Facts:
    """Read from the diagnostics of a compiled function.

    Attributes
    ----------
    loops : set of (str, int)
        File and line of each loop over `prange` or `pndindex` that is parallel, or serial inside such a loop.
    reductions : list of (set of str, set of int)
        Names that a reduction variable may have in the source, and the lines that update it.
    """

    def __init__(self, dispatcher):
        self.loops, self.reductions = set(), []
        for compiled in dispatcher.overloads.values():
            for parfor in compiled.metadata["parfor_diagnostics"].initial_parfors:
                if any(pattern[0] == "prange" and pattern[1] != "internal" for pattern in parfor.patterns):
                    self.loops.add((parfor.loc.filename, parfor.loc.line))
                for name, info in (parfor.reddict or {}).items():
                    lines = {node.loc.line for node in info.reduce_nodes}
                    self.reductions.append((_source_names(name), lines))

    def lists(self, names, lines):
        """Whether Numba treats one of these variables as a reduction on one of these lines."""
        return any(names & own and lines & updated for own, updated in self.reductions)


def _source_names(name):
    """What a variable of Numba's may be called in the source: versions, and prefixes of inlining, taken off."""
    name = re.sub(r"\.\d+$", "", name)
    inner = re.sub(r"^.*_v\d+_", "", name)
    return {name, inner, re.sub(r"_\d+$", "", inner)}


def judge(statements, name):
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
    globals_ = {
        s.target.name: s.value.value
        for s in statements
        if isinstance(s, ir.Assign) and isinstance(s.value, (ir.Global, ir.FreeVar))
    }
    updates = [
        (s.target.name, *update)
        for s in statements
        if isinstance(s, ir.Assign) and (update := _update(s.value, globals_))
    ]
    chain, size = {name}, 0
    while size < len(chain):
        size = len(chain)
        chain |= {target for target, _, operands in updates if chain & set(operands)}
    families, verdict = set(), True
    for statement in statements:
        found = _link(statement, chain, globals_)
        if found is False:
            return False, chain
        if found is None:
            verdict = None
        else:
            families.add(found)
    if verdict and len(families - {"", "elsewhere"}) != 1:
        verdict = False
    return verdict, chain


def _update(value, globals_):
    """(family, operands) of a copy or of a combination that a reduction may consist of; else None."""
    if isinstance(value, ir.Var):
        return "", (value.name,)
    if not isinstance(value, ir.Expr):
        return None
    if value.op in ("binop", "inplace_binop") and value.fn in FAMILIES:
        return FAMILIES[value.fn], (value.lhs.name, value.rhs.name)
    if value.op == "call" and len(value.args) == 2 and not value.kws and value.vararg is None:
        function = globals_.get(value.func.name)
        if function is max or function is min:
            return FAMILIES[function], tuple(v.name for v in value.args)
    return None


def _link(statement, chain, globals_):
    """The family by which a statement continues the chain; False if it breaks it, None if that is not known."""
    if not isinstance(statement, ir.Assign):
        return False if {v.name for v in statement.list_vars()} & chain else "elsewhere"
    value = statement.value
    read = {value.name} if isinstance(value, ir.Var) else set()
    if isinstance(value, ir.Expr):
        read = {v.name for v in value.list_vars()}
    if not read & chain:
        return False if statement.target.name in chain else "elsewhere"
    update = _update(value, globals_)
    if update is None:
        called = globals_.get(value.func.name) if value.op == "call" else ""
        return None if called is None or isinstance(called, Dispatcher) else False
    family, operands = update
    if sum(operand in chain for operand in operands) != 1:
        return False
    one_sided = family and value.op != "call" and value.fn in ONE_SIDED
    return False if one_sided and operands[0] not in chain else family
