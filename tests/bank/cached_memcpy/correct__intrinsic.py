# expect: correct
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic
def memcpy(typingctx, to, by, size):
    def codegen(context, builder, signature, args):
        word = context.get_value_type(types.intp)
        pointer = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(pointer, [pointer, pointer, word])
        function = cgutils.get_or_insert_function(builder.module, kind, "memcpy")
        to, by = (builder.inttoptr(address, pointer) for address in args[:2])
        builder.call(function, [to, by, args[2]])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp), codegen


@njit(cache=True)
def copy(destination, source):
    memcpy(destination.ctypes.data, source.ctypes.data, source.nbytes)


def cached_memcpy(destination, source):
    for array in (destination, source):
        if not array.flags.c_contiguous:
            raise ValueError("not contiguous")
    if not destination.flags.writeable:
        raise ValueError("destination is read-only")
    if destination.nbytes != source.nbytes:
        raise ValueError("not as many bytes")
    if np.may_share_memory(destination, source):
        raise ValueError("they overlap")
    copy(destination, source)
