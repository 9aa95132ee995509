"""Give back lines that LLVM has dropped: where it moves an instruction out of its place, it forgets the place.

It does so with the most expensive ones: a call of ``sin`` that is moved to where its result is needed, the body of a
loop that is run for several iterations at once. An instruction without a place gets that of whoever uses its result,
or else of what it uses. Only the notes change: LLVM makes the same machine code of both modules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import llvmlite.binding as llvm

VALUE = re.compile(r'%(?:[\w.$-]+|"[^"]*")')
RESULT = re.compile(r'  (%(?:[\w.$-]+|"[^"]*")) = (\w+)')
PLACE = re.compile(r", !dbg (!\d+)")
STEPS = 8  # from an instruction to one that has a place, at most
UNPLACED = ("phi", "alloca", "uselistorder")  # which are no instructions of the machine


@dataclass
class _Instruction:
    """A line of a function, and what it has to do with others."""

    kind: str
    place: str
    operands: list[_Instruction] = field(default_factory=list)
    users: list[_Instruction] = field(default_factory=list)


def with_lines(module: llvm.ModuleRef) -> llvm.ModuleRef:
    """The optimised module with as many places as can be found; itself if it lacks none."""
    text = str(module)
    lines = text.split("\n")
    changed, start = False, None
    for number, line in enumerate(lines):
        if line.startswith("define ") and " !dbg " in line:
            start = number + 1
        elif line == "}" and start is not None:
            for at, place in _found(lines[start:number]):
                lines[start + at] += f", !dbg {place}"
                changed = True
            start = None
    if not changed:
        return module
    found = llvm.parse_assembly("\n".join(lines))
    found.name = module.name
    found.verify()
    return found


def _found(lines):
    """(line, place) of instructions of one function that have none and should."""
    instructions = _linked(lines)
    for number, instruction in instructions.items():
        if not instruction.place and instruction.kind not in UNPLACED:
            place = _nearest(instruction, "users") or _nearest(instruction, "operands")
            if place:
                yield number, place


def _linked(lines):
    """The instructions by their line, each with those that it uses and that use it."""
    instructions, by_name, named = {}, {}, {}
    for number, line in enumerate(lines):
        if not line.startswith("  ") or line[2] in " ]" or line.endswith("["):  # the targets of a switch
            continue
        result, place = RESULT.match(line), PLACE.search(line)
        kind = result[2] if result else line.split(maxsplit=1)[0]
        instructions[number] = instruction = _Instruction(kind, place[1] if place else "")
        names = VALUE.findall(line)
        if result:
            by_name[names.pop(0)] = instruction
        named[number] = names
    for number, names in named.items():
        for name in dict.fromkeys(names):
            if name in by_name:
                instructions[number].operands.append(by_name[name])
                by_name[name].users.append(instructions[number])
    return instructions


def _nearest(instruction, direction):
    """The place of the nearest instruction in one direction that has one."""
    level, known = [instruction], {id(instruction)}
    for _ in range(STEPS):
        level = [other for one in level for other in getattr(one, direction) if id(other) not in known]
        known |= {id(one) for one in level}
        found = next((one.place for one in level if one.place), "")
        if found:
            return found
    return ""
