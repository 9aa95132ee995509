"""Read assembly, of x86-64 or ARM: instructions, the source lines they come from, and the loops they form."""

import re
from dataclasses import dataclass

from numba.core.controlflow import CFGraph

from numba_course.lens.recording import own_line


@dataclass(frozen=True)
class Machine:
    """How a family of processors writes what counts here; to read another family, add it to `MACHINES`.

    Each attribute is a pattern that is matched from the start of an instruction, ``"name operands "``: arithmetic
    with several elements, floating-point arithmetic with one, multiply-add, moves of a whole vector register,
    calls, instructions that may go on elsewhere, and those that never go on with the next one.
    """

    packed: str
    scalar: str
    fused: str
    moves: str
    calls: str
    jumps: str
    stops: str


X86 = Machine(
    packed=r"(v?(add|sub|mul|div|sqrt|min|max|cmp\w*?|andn?|x?or|hadd|addsub|fn?m(add|sub)\d+|round|rndscale"
    r"|cvt\w+2)p[sdh][xyz]?|v?cvtt?p[sdh]2\w+"
    r"|v?p(add|sub|mul|madd|min|max|abs|avg|cmp|andn?|x?or|sll|srl|sra|sad|ternlog)\w*) .*%[xyz]mm\d",
    scalar=r"v?(add|sub|mul|div|sqrt|min|max|fn?m(add|sub)\d+)s[sd] ",
    fused=r"vfn?m(add|sub|addsub|subadd)\d+[ps][sd] ",
    moves=r"v?mov([au]p[sd]|dq[au]\w*|nt\w+) .*mm",
    calls=r"callq? ",
    jumps=r"(j\w+|retq?|ud2) ",
    stops=r"(jmpq?|retq?|ud2) ",
)
ARM = Machine(
    packed=r"(f(add|sub|mul|div|ml[as]|max|min|maxnm|minnm|sqrt|abs|neg|cm[a-z]+|cvt[a-z]+|rint[a-z]|nm\w+)|[su]cvtf"
    r"|add|sub|mul|ml[as]|neg|abs|cm[a-z]+|and|orr|eor|bic|bi[ft]|bsl|[su]?shl|[su]shr|[su](max|min|hadd|abd))"
    r"(\.\d+[bhsd] | .*\b(v\d+\.\d+|z\d+\.)[bhsd]\b)",  # Apple writes fadd.2d v0, v1, v2
    scalar=r"f(add|sub|mul|div|n?madd|n?msub|max|min|maxnm|minnm|sqrt) [hsd]\d",
    fused=r"f(ml[as]|n?madd|n?msub)[. ]",
    moves=r"st\S+ \{? ?[qvz]\d",
    calls=r"blr? ",
    jumps=r"(br?|b\.\w+|cbn?z|tbn?z|ret|brk) ",
    stops=r"(br?|ret|brk) ",
)
MACHINES = {"x86_64": X86, "i686": X86, "aarch64": ARM, "arm64": ARM}


def machine_of(module):
    """The `Machine` that an LLVM module is compiled for."""
    family = re.search(r'target triple = "([^"-]+)', module)[1]
    if family not in MACHINES:
        known = ", ".join(MACHINES)
        raise ValueError(f"machine code of {family} cannot be read: the processor must be one of {known}")
    return MACHINES[family]


@dataclass(frozen=True)
class Instruction:
    """One instruction of the assembly, with the own line it comes from, if known."""

    line: int | None
    name: str
    operands: str
    machine: Machine

    def is_a(self, kind):
        """Whether it is of a kind that `Machine` names."""
        return bool(re.match(getattr(self.machine, kind), f"{self.name} {self.operands} "))

    @property
    def bits(self):
        """Width of its widest vector register; of a scalable one, the least it can be."""
        return 512 if "%zmm" in self.operands else 256 if "%ymm" in self.operands else 128


@dataclass(frozen=True)
class MachineLoop:
    """A loop of the assembly: the own lines in it but not in loops inside it, and what it does."""

    lines: frozenset
    innermost: bool
    packed: bool
    calls: bool


def instructions(assembly, symbols, machine):
    """Each of the functions as a list of blocks: (labels, instructions)."""
    streams, line, inside = [], None, False
    for row in assembly.splitlines():
        label = re.match(r'"?([^\s"#]+?)"?:', row)
        place = re.match(r"\s+\.loc\s+\d+ (\d+)", row)
        code = re.match(r"\s+([a-z][\w.]*)\s*(.*?)\s*(?:(?:##?|//|;) .*)?$", row)
        if label and not re.match(r"\.?L", label[1]):  # not a local one
            inside = label[1] in symbols or label[1].removeprefix("_") in symbols
            streams += [[([], [])]] if inside else []
        elif place:
            line = own_line(int(place[1]))
        elif inside and label and "BB" in label[1]:
            streams[-1].append(([label[1]], []))
        elif inside and code:
            instruction = Instruction(line, code[1], code[2], machine)
            streams[-1][-1][1].append(instruction)
            if instruction.is_a("jumps"):
                streams[-1].append(([], []))
    return streams


def loops(stream, computed, moved, tables):
    """The natural loops of one function."""
    found = list(_flow(stream, tables).loops().values())
    for loop in found:
        inner = [other for other in found if other.header != loop.header and other.header in loop.body]
        own = set(loop.body).difference(*(other.body for other in inner))
        body = [instruction for index in own for instruction in stream[index][1]]
        calls = any(i.is_a("calls") for i in body)
        packs = any(i.is_a("packed") and i.line in computed for i in body)
        packs |= not calls and any(i.is_a("moves") and i.line in moved for i in body)
        yield MachineLoop(frozenset(i.line for i in body if i.line), not inner, packs, calls)


def _flow(stream, tables):
    """The control flow between the blocks of one function; `tables` are the labels in jump tables."""
    graph = CFGraph()
    labels = {label: index for index, (names, _) in enumerate(stream) for label in names}
    for index in range(len(stream)):
        graph.add_node(index)
    for index, (_, block) in enumerate(stream):
        last = block[-1] if block else None
        if (last is None or not last.is_a("stops")) and index + 1 < len(stream):
            graph.add_edge(index, index + 1)
        if last is not None and last.is_a("jumps"):
            target = re.split(r"[\s,]+", last.operands)[-1]
            through_table = re.match(r"\*|x\d", target)
            for label in tables & labels.keys() if through_table else {target} & labels.keys():
                graph.add_edge(index, labels[label])
    graph.set_entry_point(0)
    graph.process()
    return graph
