"""Kinds of x86-64 that the tests can compile for, whatever they run on."""

import platform

OLD = "cx16 sahf sse3 ssse3 sse4.1 sse4.2 crc32 popcnt avx avx2 bmi bmi2 f16c fma lzcnt movbe pclmul".split()
WIDE = "avx512f avx512cd avx512dq avx512bw avx512vl".split()
NEWER = "avx512ifma avx512vbmi avx512vbmi2 avx512vnni avx512bitalg avx512vpopcntdq avx512bf16 gfni".split()

# LLVM's name of each, and what it has beyond the plain x86-64 with SSE2, as far as compiled loops may use it.
PROCESSORS = {
    "generic": [],
    "haswell": OLD,
    "znver3": [*OLD, "sse4a", "aes", "vaes", "vpclmulqdq"],
    "skylake-avx512": [*OLD, "aes", *WIDE],
    "znver4": [*OLD, "sse4a", "aes", "vaes", "vpclmulqdq", *WIDE, *NEWER],
}
IS_X86_64 = platform.machine() in ("x86_64", "AMD64")


def environment(processor):
    """Variables with which Numba compiles for a processor, and for nothing that only the one at hand has."""
    features = ",".join(f"+{feature}" for feature in PROCESSORS[processor])
    return {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": features}


def lacking(processor):
    """What the machine lacks to run code for a processor."""
    import llvmlite.binding as llvm  # not before the variables are set

    if not IS_X86_64:
        return ["x86-64"]
    here = llvm.get_host_cpu_features()
    return [feature for feature in PROCESSORS[processor] if not here.get(feature)]


def told():
    """Name and features of the processor that Numba compiles for in this process."""
    from numba.core.registry import cpu_target

    return cpu_target.target_context.codegen().magic_tuple()[1:]


def features():
    """What Numba compiles for in this process, as a set of LLVM's names."""
    return {feature[1:] for feature in told()[1].split(",") if feature.startswith("+")}
