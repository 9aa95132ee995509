# expect: correct
import sys

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

NAME = "_j0" if sys.platform == "win32" else "j0"


@intrinsic
def j0(typingctx, x):
    def codegen(context, builder, signature, args):
        kind = ir.FunctionType(ir.DoubleType(), [ir.DoubleType()])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, NAME), args)

    return types.float64(types.float64), codegen


@njit
def bessel_j0(values):
    out = np.empty(values.size)
    for i in range(values.size):
        out[i] = j0(values[i])
    return out
