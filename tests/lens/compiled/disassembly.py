"""What objdump reads in object code of x86-64: a witness for what the lens reads in LLVM's IR and assembly."""

import re
import shutil
import subprocess
from collections import Counter

import pytest

from tests.processors import IS_X86_64

needs_objdump = pytest.mark.skipif(
    not IS_X86_64 or shutil.which("objdump") is None, reason="needs objdump, and reads x86-64"
)
ARITHMETIC = r"v?(?:add|sub|mul|div|sqrt|cmp\w*|fn?m(?:add|sub)(?:132|213|231))"
BITS = {"x": 128, "y": 256, "z": 512}
SIZES = {"s": 32, "d": 64}


def disassembled(code, symbol, folder):
    """(address, name, operands) of each instruction of a function in object code."""
    path = folder / "code.o"
    path.write_bytes(code)
    command = ["objdump", "-d", "-M", "intel", "--no-show-raw-insn", f"--disassemble={symbol}", path]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^ *([0-9a-f]+):\t(\S+) *(.*)$", text, re.MULTILINE)
    return [(int(address, 16), name, operands) for address, name, operands in found]


def names_by_function(code, folder):
    """Names of the instructions of each function in object code, as assembly has them; without what only fills up."""
    path = folder / "all.o"
    path.write_bytes(code)
    command = ["objdump", "-d", "-M", "suffix", "--no-show-raw-insn", path]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for symbol, body in re.findall(r"<([^>]+)>:\n((?:.+\n?)*)", text):
        found = re.findall(r"^ *[0-9a-f]+:\t(\w+)", body, re.MULTILINE)
        filled = [name for name in found if not re.match("nop|data16|cs|xchgw", name)]
        yield symbol, ["jmp" if name == "jmpq" else name for name in filled]


def packed(instructions):
    """Of the floating-point arithmetic with several elements, each (address, elements, bits of one)."""
    for address, name, operands in instructions:
        kind = re.fullmatch(ARITHMETIC + "p([sd])", name)
        if kind:
            register = max(re.findall(r"\b([xyz])mm", operands))
            yield address, BITS[register] // SIZES[kind[1]], SIZES[kind[1]]


def scalar(instructions):
    """Of the floating-point arithmetic with one element, the addresses."""
    return [address for address, name, _ in instructions if re.fullmatch(ARITHMETIC + "s[sd]", name)]


def width(instructions):
    """(elements, type) at which most elements are computed in loops, between a jump back and where it goes."""
    loops = [
        (int(operands.split()[0], 16), address)
        for address, name, operands in instructions
        if name.startswith("j")
        and re.match(r"[0-9a-f]+ ", operands)
        and int(operands.split()[0], 16) <= address
    ]
    work = Counter()
    for address, elements, bits in packed(instructions):
        if any(start <= address <= end for start, end in loops):
            work[elements, f"float{bits}"] += elements
    return max(work, key=lambda kind: (work[kind], kind), default=(1, None))
