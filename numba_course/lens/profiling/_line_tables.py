"""Have Numba keep source lines down to the object code, and hold the object code of all that is compiled.

LLVM is asked for line tables and for what was inlined where, as ``clang -gline-tables-only`` does, and Numba for
nothing else that ``debug=True`` does: it would keep variables in memory, check bounds and inline less. So the
instructions stay what they are; `tests/lens/profiling/test__line_tables.py` compares them.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any
from unittest import mock

import numba
from numba.core import compiler, inline_closurecall
from numba.core.base import BaseContext
from numba.core.caching import Cache
from numba.core.codegen import CPUCodeLibrary
from numba.core.compiler import CompilerBase, Flags
from numba.core.debuginfo import DIBuilder
from numba.core.errors import NumbaDebugInfoWarning
from numba.core.ir import Loc
from numba.core.lowering import Lower
from numba.core.registry import cpu_target
from numba.parfors import parfor_lowering

WRAPPERS = (
    "_ZN7cpython",
    "cfunc.",
    "__ufunc__.",
    "__gufunc__.",
    ".kernel.",
)  # which Numba makes without a place
NUMBA = os.path.dirname(numba.__file__) + os.sep
BODY = "__numba_parfor_gufunc"  # the function that Numba makes of the body of a parallel loop


@dataclass
class Compiled:
    """What was compiled, while lines are kept.

    Attributes
    ----------
    objects : list of bytes
        Object code of each module, in the order of its making.
    loops : list of (Loc, str)
        Where the parallel loops begin that are being compiled, and in which function; the innermost last.
    statement : Loc or None
        The place of the statement that is being compiled.
    """

    objects: list[bytes] = field(default_factory=list)
    loops: list[tuple[Loc, str]] = field(default_factory=list)
    statement: Loc | None = None


@contextmanager
def lines_kept() -> Iterator[Compiled]:
    """Have all that is compiled meanwhile keep its lines, and nothing be loaded from a disk cache.

    Yields
    ------
    Compiled
        It fills up.
    """
    compiled = Compiled()
    with ExitStack() as stack:
        for owner, name, replacement in _replaced(compiled):
            stack.enter_context(mock.patch.object(owner, name, replacement))
        stack.enter_context(objects_noted(compiled.objects))
        stack.enter_context(warnings.catch_warnings(action="ignore", category=NumbaDebugInfoWarning))
        yield compiled


def _replaced(compiled):
    """What of Numba is replaced meanwhile: owner, name, replacement."""
    begin, lower = CompilerBase.__init__, Lower.lower_inst
    add, frontend = CPUCodeLibrary.add_ir_module, compiler.run_frontend
    body = parfor_lowering._create_gufunc_for_parfor_body

    def begin_with_lines(self, typingctx, targetctx, library, args, return_type, flags, locals):
        if not flags.debuginfo:  # with debug=True it is the user who asks for other instructions
            flags.debuginfo = flags.dbg_directives_only = True
        begin(self, typingctx, targetctx, library, args, return_type, flags, locals)

    def lower_inst(self, statement):
        compiled.statement = self.loc
        return lower(self, statement)

    def add_ir_module(self, module):
        _give_place_to_wrappers(module)
        return add(self, module)

    def of_parallel_loop(lowerer, parfor, *args, **named):
        around = compiled.loops[-1][1] if compiled.loops else lowerer.fndesc.qualname
        compiled.loops.append((parfor.loc, around))
        try:
            return body(lowerer, parfor, *args, **named)
        finally:
            compiled.loops.pop()

    def run_frontend(function, *args, **named):
        found = frontend(function, *args, **named)
        if compiled.loops and function.__name__.startswith(BODY):
            _place_all(found, compiled.loops[-1][0])
        return found

    return (
        (CompilerBase, "__init__", begin_with_lines),
        (Lower, "lower_inst", lower_inst),
        (BaseContext, "DIBuilder", staticmethod(partial(_Places, compiled))),
        (CPUCodeLibrary, "add_ir_module", add_ir_module),
        (
            inline_closurecall.InlineWorker,
            "inline_ir",
            _placing(inline_closurecall.InlineWorker.inline_ir, 1),
        ),
        (inline_closurecall, "inline_closure_call", _placing(inline_closurecall.inline_closure_call, 0)),
        (parfor_lowering, "_create_gufunc_for_parfor_body", of_parallel_loop),
        (compiler, "run_frontend", run_frontend),
        (Flags, "get_mangle_string", lambda flags: "lines"),  # names must not change with the flags
        (Cache, "load_overload", lambda *_: None),
        (Cache, "save_overload", lambda *_: None),
    )


def _placing(inline, position):
    """One of Numba's functions that put the text of a function into another one: what is Numba's stands at the call.

    Its arguments are, from a position on, the function's IR, perhaps its globals, a block and the call's place in it.
    """

    @wraps(inline)
    def inline_and_place(*args, **named):
        function_ir = args[position]
        block, index = args[position + 1 : position + 3] if position else args[2:4]
        call, before = block.body[index].loc, set(function_ir.blocks)
        found = inline(*args, **named)
        for label in function_ir.blocks.keys() - before:
            for statement in function_ir.blocks[label].body:
                if is_numbas(statement.loc.filename):
                    statement.loc = call
        return found

    return inline_and_place


@contextmanager
def objects_noted(objects: list[bytes]) -> Iterator[None]:
    """Have the object code of each module noted in a list, besides what Numba does with it."""
    codegen = cpu_target.target_context.codegen()
    engine, library = codegen._engine, codegen._library_class

    def note(module, content):
        objects.append(bytes(content))
        library._object_compiled_hook(module, content)

    engine.set_object_cache(note, library._object_getbuffer_hook)
    try:
        yield
    finally:
        engine.set_object_cache(library._object_compiled_hook, library._object_getbuffer_hook)


def _place_all(function_ir, place):
    """Let all statements of a function that Numba made up stand where the loop begins that it was made for."""
    function_ir.loc = place
    for block in function_ir.blocks.values():
        block.loc = place
        for statement in block.body:
            statement.loc = place


def _give_place_to_wrappers(module):
    """Give wrappers a place, line 0: LLVM drops the lines of what it inlines into a function without any."""
    for function in module.functions:
        if not function.blocks or not function.name.startswith(WRAPPERS) or "dbg" in function.metadata:
            continue
        places = _Places(Compiled(), module, "<wrapper>", cpu_target.target_context, True)
        places.mark_subprogram(function, function.name, (), (), line=0)
        for block in function.blocks:
            for instruction in block.instructions:
                if instruction.opname in ("call", "invoke"):
                    instruction.set_metadata("dbg", places._add_location(0))
        places.finalize()


class _Places(DIBuilder):
    """Numba's debug information cut down to places: of each statement the file it comes from, and the line there.

    Numba notes one file for each function; but a statement may come from another one, if Numba put the text of
    one function into another, or made a function of the body of a loop.
    """

    def __init__(
        self, compiled: Compiled, module: Any, filepath: str, cgctx: Any, directives_only: bool
    ) -> None:
        self._compiled, self._file, self._is_plain = compiled, filepath, directives_only
        super().__init__(module, filepath, cgctx, directives_only)

    def initialize(self):
        if self._is_plain:
            self.emission_kind = "LineTablesOnly"
        super().initialize()

    def _di_compile_unit(self):
        """With it, LLVM notes the names of functions that nothing was inlined into, too."""
        unit = super()._di_compile_unit()
        if self._is_plain:
            unit.operands = (*unit.operands, ("debugInfoForProfiling", True))
        return unit

    def mark_subprogram(self, function, qualname, argnames, argtypes, line):
        self._loop = None
        if BODY in qualname and self._compiled.loops:
            self._loop, qualname = self._compiled.loops[-1]
        super().mark_subprogram(function, qualname, argnames, argtypes, line)

    def mark_variable(self, *args, **named):
        """LLVM takes no variables beside lines alone."""
        return None if self._is_plain else super().mark_variable(*args, **named)

    def _di_file(self, name=None):
        """As it is called: Numba would put the folder before ``<string>`` and the names of cells."""
        return self.module.add_debug_info("DIFile", {"directory": "", "filename": name or self._file})

    def _di_subroutine_type(self, line, function, argmap):
        if not self._is_plain:
            return super()._di_subroutine_type(line, function, argmap)
        return self.module.add_debug_info("DISubroutineType", {"types": self.module.add_metadata([])})

    def _di_location(self, line):
        place, scope = self._compiled.statement, self.subprograms[-1]
        if self._loop is not None and place is not None and line:
            place = self._loop if is_numbas(place.filename) else place
            line = place.line  # where Numba guesses the line of arguments
        if place is not None and line and place.filename != self._file:
            fields = {"scope": scope, "file": self._di_file(place.filename), "discriminator": 0}
            scope = self.module.add_debug_info("DILexicalBlockFile", fields)
        return self.module.add_debug_info("DILocation", {"line": line, "column": 1, "scope": scope})


def is_numbas(file: str) -> bool:
    """Whether a file is Numba's own."""
    return file.startswith(NUMBA)
