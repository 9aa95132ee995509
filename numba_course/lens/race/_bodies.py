"""Whether Numba can type the bodies of parallel loops, where the index has another type than in the function.

Numba finds that out only when it generates code, one body after the other; here the bodies are typed and no more.
"""

import copy
from types import SimpleNamespace
from typing import Any
from unittest import mock

from numba.core import compiler
from numba.core.postproc import PostProcessor
from numba.core.typed_passes import type_inference_stage
from numba.parfors import parfor_lowering
from numba.parfors.parfor import Parfor

COMPILE = compiler.compile_ir


def are_typed(state: Any) -> bool:
    """Whether the bodies of all parallel loops have types; if not, it is left to Numba to say why.

    Parameters
    ----------
    state : numba.core.compiler.StateDict
        Of a compilation in which the parallel loops are settled. It is of no use afterwards.
    """
    blocks = state.func_ir.blocks.values()
    try:
        for loop in (s for block in blocks for s in block.body if isinstance(s, Parfor)):
            _type(loop, state)
    except Exception:  # whatever typing meets: Numba is asked again, and says it in its own words
        return False
    return True


def _type(loop, state):
    """Make a function of the body, as Numba does, and infer its types."""
    typemap = copy.copy(state.typemap)
    lowerer = SimpleNamespace(
        fndesc=SimpleNamespace(typemap=typemap, calltypes=state.calltypes),
        func_ir=state.func_ir,
        metadata=state.metadata,
    )
    flags = loop.flags.copy()
    flags.error_model = "numpy"
    index = typemap[loop.loop_nests[0].index_variable.name]
    contexts = state.typingctx, state.targetctx
    with mock.patch.object(compiler, "compile_ir", _infer):
        parfor_lowering._create_gufunc_for_parfor_body(
            lowerer, loop, typemap, *contexts, flags, {}, True, index, loop.races
        )


def _infer(typingctx, targetctx, func_ir, args, return_type, flags, locals, pipeline_class):
    with mock.patch.object(
        compiler, "compile_ir", COMPILE
    ):  # what the body calls may have parallel loops, too
        PostProcessor(func_ir).run()
        type_inference_stage(typingctx, targetctx, func_ir, args, return_type, locals)
