"""Read assembly, of x86-64 or ARM: instructions, the source lines they come from, and the loops they form."""

import re
from dataclasses import dataclass

from numba_course.lens.compiled._recording import own_line


@dataclass(frozen=True)
class Machine:
    """How a family of processors writes what counts here; to read another family, add it to `MACHINES`.

    Each attribute is a pattern that is matched from the start of an instruction, ``"name operands "``: whatever works
    on several elements and does not only move them about, floating-point arithmetic with one, multiply-add, moves of
    several elements to memory, arithmetic with elements of a byte or two (the group is the letter for that), calls,
    instructions that may go on elsewhere, and those that never go on with the next one.
    """

    packed: str
    scalar: str
    fused: str
    moves: str
    sizes: str
    calls: str
    jumps: str
    stops: str


X86 = Machine(
    packed=r"(?!v?(p?mov|shuf|pshuf[dhl]|p?perm|p?unpck|pack|p?blend|p?broadcast|p?ins|p?extr|p?align|ps[lr]ldq"
    r"|p?gather|p?scatter|p?compress|p?expand|p?maskmov|lddqu)"  # only moves
    r"|v?(add|sub|mul|div|sqrt|min|max|cmp\w*|u?comi|r?sqrt\d*|rcp\d*|round|rndscale|reduce|range|scalef|fixupimm"
    r"|get\w+|fn?m(add|sub)\d+)s[sdh] |v?cvtt?(s[sdh]|u?si)2)"  # one element
    r"\w+ .*%[xyz]mm\d",
    scalar=r"v?(add|sub|mul|div|sqrt|min|max|fn?m(add|sub)\d+)s[sd] ",
    fused=r"vfn?m(add|sub|addsub|subadd)\d+[ps][sd] ",
    moves=r"v?(mov(?!s[sd] )|pmov|p?scatter|p?compress|p?maskmov|extract[fi])\w* .*mm",
    sizes=r"v?(?:gf2)?p(?!sadbw|shufb)\w*([bw]) ",
    calls=r"callq? ",
    jumps=r"(j\w+|retq?|ud2) ",
    stops=r"(jmpq?|retq?|ud2) ",
)
ARM = Machine(
    packed=r"(?!ld|st|f?mov|mvn|dup|ins|ext|splice|sel|zip|uzp|trn|tb[lx]|[su]mov|xtn|[su]?xtl)\w+"
    r"(\.\d+[bhsd] | .*\b(v\d+\.\d+|z\d+\.)[bhsd]\b)",  # Apple writes fadd.2d v0, v1, v2
    scalar=r"f(add|sub|mul|div|n?madd|n?msub|max|min|maxnm|minnm|sqrt) [hsd]\d",
    fused=r"f(ml[as]|n?madd|n?msub)[. ]",
    moves=r"st(?!.*\}\[)\S+ \{? ?[sdqvz]\d",
    sizes=r"\w+(?:\.\d+| [vz]\d+\.\d*)([bh])\b",
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
    """One instruction of the assembly: the own line and the row of the IR that it comes from, if known."""

    line: int | None
    row: int | None
    name: str
    operands: str
    machine: Machine

    def is_a(self, kind):
        """Whether it is of a kind that `Machine` names."""
        return bool(re.match(getattr(self.machine, kind), f"{self.name} {self.operands} "))

    @property
    def element_bits(self):
        """Width of the elements that it computes with if it is one byte or two, else None."""
        small = re.match(self.machine.sizes, f"{self.name} {self.operands} ")
        return small and (8 if small[1] == "b" else 16)

    @property
    def bits(self):
        """Width of its widest vector register; of a scalable one, the least it can be."""
        return 512 if "%zmm" in self.operands else 256 if "%ymm" in self.operands else 128


@dataclass(frozen=True)
class MachineLoop:
    """A loop of the assembly: the own lines in it but not in loops inside it, and what it does.

    Attributes
    ----------
    rows : frozenset
        Numbers of the rows of the IR that it was made from.
    packed : frozenset
        Own lines of what it computes or moves several elements at a time with; None for those without a line.
    calls : bool
        Whether it calls functions that take no vectors.
    unreached : str
        Why it does not run, if it is for a step that there is never, or seldom; see `Dataflow.unreached`.
    """

    lines: frozenset
    rows: frozenset
    innermost: bool
    packed: frozenset
    calls: bool
    unreached: str


def instructions(assembly, symbols, machine):
    """Each of the functions, by symbol, as a list of blocks: (labels, instructions)."""
    streams, stream, line, row = {}, None, None, None
    for text in assembly.splitlines():
        label = re.match(r'"?([^\s"#]+?)"?:', text)
        place = re.match(r"\s+\.loc\s+\d+ (\d+) (\d+)", text)
        code = re.match(r"\s+([a-z][\w.]*)\s*(.*?)\s*(?:(?:##?|//|;) .*)?$", text)
        if label and not re.match(r"\.?L", label[1]):  # not a local one
            symbol = next((name for name in (label[1], label[1].removeprefix("_")) if name in symbols), None)
            stream = streams.setdefault(symbol, [([], [])]) if symbol else None
        elif place:
            line, row = own_line(int(place[1])), int(place[2]) if int(place[1]) else None
        elif stream and label and "BB" in label[1]:
            stream.append(([label[1]], []))
        elif stream and code:
            instruction = Instruction(line, row, code[1], code[2], machine)
            stream[-1][1].append(instruction)
            if instruction.is_a("jumps"):
                stream.append(([], []))
    return streams


def loops(stream, dataflow, tables):
    """The loops of one function, whose IR has that `Dataflow`."""
    found = list(_nest(set(range(len(stream))), _flow(stream, tables)))
    for blocks in found:
        inside = [other for other in found if other < blocks]
        body = [i for block in sorted(blocks.difference(*inside)) for i in stream[block][1]]
        calls = any(i.is_a("calls") and i.row not in dataflow.packed_calls for i in body)
        rows = frozenset(i.row for i in body if i.row)
        yield MachineLoop(
            lines=frozenset(i.line for i in body if i.line),
            rows=rows,
            innermost=not inside,
            packed=frozenset(
                i.line for i in body if computes(i, dataflow) or (not calls and moves(i, dataflow))
            ),
            calls=calls,
            unreached=dataflow.unreached[max(rows)] if rows and rows <= dataflow.unreached.keys() else "",
        )


def computes(instruction, dataflow):
    """Whether an instruction computes with several elements at once."""
    return instruction.row in dataflow.arithmetic and instruction.is_a("packed")


def moves(instruction, dataflow):
    """Whether an instruction moves several elements at once."""
    return instruction.row in dataflow.moves and instruction.is_a("moves")


def _flow(stream, tables):
    """Where the blocks of one function go on, by their numbers; `tables` are the labels in jump tables."""
    follow = [set() for _ in stream]
    labels = {label: index for index, (names, _) in enumerate(stream) for label in names}
    for index, (_, block) in enumerate(stream):
        last = block[-1] if block else None
        if (last is None or not last.is_a("stops")) and index + 1 < len(stream):
            follow[index].add(index + 1)
        if last is not None and last.is_a("jumps"):
            target = re.split(r"[\s,]+", last.operands)[-1]
            through_table = re.match(r"\*|x\d", target)
            follow[index] |= {
                labels[label] for label in (tables if through_table else {target}) & labels.keys()
            }
    return follow


def _nest(blocks, follow):
    """Sets of blocks that are loops, outer before inner; a loop may be entered at several places."""
    for loop in _cycles(blocks, follow):
        entered = {
            after for block in range(len(follow)) if block not in loop for after in follow[block]
        } & loop
        yield loop
        yield from _nest(loop - {min(entered or loop)}, follow)


def _cycles(blocks, follow):
    """The largest sets of blocks of which each leads to each other one: strongly connected components."""
    ahead = {block: follow[block] & blocks for block in blocks}
    behind = {block: set() for block in blocks}
    for block in blocks:
        for after in ahead[block]:
            behind[after].add(block)
    order, done = [], set()
    for block in sorted(blocks):
        order += _depth_first(block, ahead, done)
    done = set()
    for block in reversed(order):
        found = set(_depth_first(block, behind, done))
        if len(found) > 1 or (found and block in ahead[block]):
            yield found


def _depth_first(block, follow, done):
    """What a block leads to and is not done yet, each after all that it leads to; it is done then."""
    path, found = [(block, iter(follow[block]))] if block not in done else [], []
    done.add(block)
    while path:
        block, rest = path[-1]
        after = next((other for other in rest if other not in done), None)
        if after is None:
            found.append(path.pop()[0])
        else:
            done.add(after)
            path.append((after, iter(follow[after])))
    return found
