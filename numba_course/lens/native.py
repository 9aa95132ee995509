"""Read optimised LLVM IR and assembly, of x86-64 or ARM: what a function's own machine code does."""

import itertools
import pickletools
import re
from dataclasses import dataclass

from numba.core.controlflow import CFGraph

from numba_course.lens.recording import own_line

BITS = {"double": 64, "float": 32, "half": 16, "i64": 64, "i32": 32, "i16": 16, "i8": 8}
NAMES = {"double": "float64", "float": "float32", "half": "float16"}
VECTOR_OPERATION = re.compile(  # on elements side by side; integers have no packed division
    r"= (?P<name>f(?:add|sub|mul|div|neg|cmp)|add|sub|mul|icmp|and|or|xor|shl|lshr|ashr|[su]itofp|fpto[su]i"
    r"|fpext|fptrunc|(?:tail )?call)\b[^<@]*<(?:vscale x )?(?P<lanes>\d+) x (?P<kind>\w+)>(?P<rest>.*)"
)
CONVERTED = re.compile(r" to <(?:vscale x )?(\d+) x (\w+)>")
VECTOR_INTRINSIC = re.compile(
    r"@llvm\.(fma|fmuladd|sqrt|fabs|copysign|minnum|maxnum|minimum|maximum|floor|ceil|trunc|rint|nearbyint"
    r"|round|roundeven|[su]min|[su]max|abs|ctpop|fsh[lr]|[su](add|sub)\.sat)\."
)
X86_PACKED = re.compile(
    r"v?(add|sub|mul|div|sqrt|min|max|cmp\w*?|andn?|x?or|hadd|addsub|fn?m(add|sub)\d+|round|rndscale|cvt\w+2)"
    r"p[sdh][xyz]?|v?cvtt?p[sdh]2\w+|v?p(add|sub|mul|madd|min|max|abs|avg|cmp|andn?|x?or|sll|srl|sra|sad|ternlog)\w*"
)
X86_SCALAR = re.compile(r"v?(add|sub|mul|div|sqrt|min|max|fn?m(add|sub)\d+)s[sd]")
X86_FUSED = re.compile(r"vfn?m(add|sub|addsub|subadd)\d+[ps][sd]")
X86_MOVE = re.compile(r"v?mov([au]p[sd]|dq[au]\w*|nt\w+)")
ARM_PACKED = re.compile(
    r"f(add|sub|mul|div|ml[as]|max|min|maxnm|minnm|sqrt|abs|neg|cm[a-z]+|cvt[a-z]+|rint[a-z]|nm\w+)|[su]cvtf"
    r"|add|sub|mul|ml[as]|neg|abs|cm[a-z]+|and|orr|eor|bic|bi[ft]|bsl|[su]?shl|[su]shr|[su](max|min|hadd|abd)"
)
ARM_SCALAR = re.compile(r"f(add|sub|mul|div|n?madd|n?msub|max|min|maxnm|minnm|sqrt)")
ARM_FUSED = re.compile(r"f(ml[as]|n?madd|n?msub)")
ARM_VECTOR = re.compile(r"\b(v\d+\.\d+|z\d+\.)[bhsd]\b")
UNRESOLVED = re.compile(r'(%[\w.]+) = load ptr, ptr @"\.numba\.unresolved\$(\w+)"')
LAUNCH = re.compile(  # what surrounds numba_parallel_for, which starts a parallel loop
    r"[gs]et_(num_threads|parallel_chunksize|sched_size|thread_id)|(de)?allocate_sched|do_scheduling_\w+"
    r"|numba_gil_(ensure|release)|PyEval_(Save|Restore)Thread|printf"
)


def read(compilation):
    """What the optimised IR and the assembly of a `Compilation` say, as a dict."""
    module = compilation.optimised_llvm
    places, functions = locations(module), defined_functions(module)
    bodies = {name: text for name, text in functions.items() if is_body(name, compilation.symbol)}
    rows = [row for text in bodies.values() for row in _placed(text, places)]
    streams = instructions(compilation.assembly, bodies)
    every = [instruction for stream in streams for _, block in stream for instruction in block]
    operations = [(line, *found) for line, text in rows for found in _vector_operations(text)]
    computed = {line for line, *_ in operations}
    packed = [i for i in every if i.packed and i.line in computed]
    moved = {line for line, text in rows if re.search(r"\bstore <", text)}
    width, element = _widest(operations, max((i.bits for i in packed), default=0))
    tables = set(re.findall(r"^\s+\.\w+\s.*?(\.?LBB\d+_\d+)", compilation.assembly, re.MULTILINE))
    wrapper = "".join(text for name, text in functions.items() if name.startswith("_ZN7cpython"))
    return {
        "vector_width": width,
        "element_type": element,
        "packed": len(packed),
        "scalar": sum(i.scalar for i in every),
        "fused": any(i.fused for i in every),
        "machine_loops": [loop for stream in streams for loop in _loops(stream, computed, moved, tables)],
        "calls": _calls(rows, set(re.findall(r"[A-Za-z_]\w+", " ".join(i.operands for i in every)))),
        "raises": tuple(_raises(rows, module)),
        "wraparounds": tuple(sorted({line for text in bodies.values() for line in _wraps(text, places)})),
        "releases_gil": "@PyEval_SaveThread" in wrapper,
        "scalable": any("<vscale x" in text for _, text in rows),
    }


def listings(compilation, wrapper=False):
    """(line, text) of the IR as Numba wrote it, of the optimised IR, and of the assembly."""
    shown = {}
    for module in (*compilation.llvm, compilation.optimised_llvm):
        places = locations(module)
        for name, text in defined_functions(module).items():
            if is_body(name, compilation.symbol) or (wrapper and name.startswith("_ZN7cpython")):
                shown.setdefault(module, {})[name] = [
                    row for row in _placed(text, places) if _is_shown(row[1])
                ]
    optimised = shown.pop(compilation.optimised_llvm)
    return (
        [_plain(row) for functions in shown.values() for rows in functions.values() for row in rows],
        [_plain(row) for rows in optimised.values() for row in rows],
        list(_listing(instructions(compilation.assembly, optimised))),
    )


# ---- LLVM IR


def defined_functions(module):
    """Text of each function that the module defines, by symbol."""
    texts = re.findall(r"^define .*?^}", module, re.MULTILINE | re.DOTALL)
    return {re.search(r'@"?([^"(]+)"?\(', text)[1]: text for text in texts}


def locations(module):
    """Own line of each debug location of the module."""
    found = re.findall(r"^(!\d+) = (?:distinct )?!DILocation\([^)]*?\bline: (\d+)", module, re.MULTILINE)
    return {name: own_line(int(line)) for name, line in found}


def is_body(name, symbol):
    """Whether a symbol belongs to the function's own body: itself, a generator's step, a parallel loop."""
    if name.startswith(("_ZN7cpython", "cfunc.")):  # wrappers
        return False
    is_step = _identifiers(name) == [*_identifiers(symbol), "next"]
    return name == symbol or is_step or "__numba_parfor_gufunc" in name


def demangled(symbol):
    """The function's name in a symbol of Numba; other symbols as they are."""
    if "__numba_parfor_gufunc" in symbol:
        return "parallel_loop"
    parts = [part for part in _identifiers(symbol) if part != "<locals>"] or [symbol]
    return ".".join(parts[-2:]) if parts[0] == "numba" else parts[-1]  # numba's are often called impl


def _identifiers(symbol):
    """Modules, classes, functions that lead to a symbol of Numba; nothing for other symbols."""
    parts, rest = [], symbol.partition("_ZN")[2]
    while size := re.match(r"\d+", rest):
        end = size.end() + int(size[0])
        parts.append(re.sub(r"_([0-9a-f]{2})", lambda code: chr(int(code[1], 16)), rest[size.end() : end]))
        rest = rest[end:]
    return parts


def _placed(text, places):
    """(line, text) of each row of a function's IR."""
    for row in text.splitlines():
        place = re.search(r"!dbg (!\d+)", row)
        yield places.get(place and place[1]), row


def _is_shown(row):
    return row.strip() and not row.lstrip().startswith(("#dbg", ";"))


def _plain(row):
    """A row without metadata, and with readable names."""
    line, text = row
    return line, _readable(re.sub(r",? !\w+ !\d+|\s+; preds = .*| #\d+(?= |$)", "", text))


def _readable(text):
    return re.sub(
        r'"?(?:__gufunc__\.)?_ZN\w+(?:\.\d+)?"?', lambda symbol: demangled(symbol[0].strip('"')), text
    )


def _vector_operations(row):
    """(lanes, kind) of the vector arithmetic in a row of the IR."""
    found = VECTOR_OPERATION.search(row)
    if found and ("call" not in found["name"] or VECTOR_INTRINSIC.search(row)):
        converted = CONVERTED.search(found["rest"])
        lanes, kind = converted.groups() if converted else (found["lanes"], found["kind"])
        if kind in BITS:
            yield int(lanes), kind


def _widest(operations, bits):
    """Most elements that one instruction computes, as far as a register holds them, and their type."""
    sizes = [(min(lanes, bits // BITS[kind]), kind[0] != "i", kind) for _, lanes, kind in operations]
    lanes, _, kind = max(sizes, default=(1, False, ""))
    return (lanes, NAMES.get(kind) or kind.replace("i", "int")) if lanes > 1 else (1, None)


def _calls(rows, symbols):
    """(line, name) of each call that is left in the assembly; what launches a parallel loop counts as one."""
    found, pointers = [], {}
    for line, row in rows:
        recursion = UNRESOLVED.search(row)  # a recursive call goes through a pointer where it was inlined
        if recursion:
            pointers[recursion[1]] = demangled(recursion[2])
        direct = re.search(r'\bcall\b[^@]*@"?([^"(]+)"?\(', row)
        if direct and direct[1].startswith(
            "llvm."
        ):  # such as llvm.exp.v4f64: the C library's exp, or nothing
            name = direct[1].split(".")[1]
            found += [(line, own) for own in _library_names(name) if {own, f"_{own}"} & symbols]
        elif direct:
            found.append((line, demangled(direct[1])))
        elif indirect := re.search(r"\bcall\b[^@%]* (%[\w.]+)\(", row):
            found.append((line, pointers.get(indirect[1], "a function pointer")))
    launches = any(name == "numba_parallel_for" for _, name in found)
    return tuple(dict.fromkeys(call for call in found if not (launches and LAUNCH.fullmatch(call[1]))))


def _library_names(name):
    """What the C library may call an intrinsic: exp or, for float32, expf; memset is bzero on a Mac."""
    return (name, f"{name}f", "bzero") if name == "memset" else (name, f"{name}f")


def _raises(rows, module):
    """(line, exception and message) of each place that raises."""
    pickled = re.findall(r'^@\.const\.pickledata\.(\w+) = .*? c"(.*)"', module, re.MULTILINE)
    known = {name: _exception(data) for name, data in pickled}
    for line, row in rows:
        for name in re.findall(r"@\.const\.picklebuf\.(\w+)", row):
            yield line, known.get(name, "an exception")


def _exception(data):
    """In words, the exception that Numba pickled into an LLVM string; it is read without being unpickled."""
    text = re.sub(r"\\([0-9A-F]{2})", lambda code: chr(int(code[1], 16)), data)
    words = (word for _, word, _ in pickletools.genops(text.encode("latin-1")) if isinstance(word, str))
    _module, name, *message = itertools.islice(words, 3)
    return f"{name}: {message[0]}" if message else name


def _wraps(text, places):
    """Own lines where a negative index is made to count from the end: size if index < 0 else 0."""
    negative = set(re.findall(r"(%\S+) = icmp slt (?:i64|<\d+ x i64>) \S+, (?:0|zeroinitializer)", text))
    for condition, place in re.findall(r"select (?:i1|<\d+ x i1>) (%\S+), .*!dbg (!\d+)", text):
        if condition in negative and places.get(place):
            yield places[place]


# ---- assembly


@dataclass(frozen=True)
class Instruction:
    """One instruction of the assembly, with the own line it comes from, if known."""

    line: int | None
    name: str
    operands: str

    @property
    def packed(self):
        """Whether it computes with several elements at once."""
        if re.search(r"%[xyz]mm\d", self.operands):
            return bool(X86_PACKED.fullmatch(self.name))
        name, _, arrangement = self.name.partition(".")  # Apple writes fadd.2d v0, v1, v2
        is_vector = ARM_VECTOR.search(self.operands) or re.fullmatch(r"\d+[bhsd]", arrangement)
        return bool(is_vector and ARM_PACKED.fullmatch(name))

    @property
    def scalar(self):
        """Whether it is floating-point arithmetic with one element."""
        is_arm = re.search(r"\b[sd]\d+\b", self.operands) and "%" not in self.operands
        return bool((ARM_SCALAR if is_arm else X86_SCALAR).fullmatch(self.name))

    @property
    def fused(self):
        return bool(X86_FUSED.fullmatch(self.name) or ARM_FUSED.fullmatch(self.name.partition(".")[0]))

    @property
    def moves(self):
        """Whether it moves a whole vector register."""
        arm = self.name.startswith("st") and re.match(r"\{? ?[qvz]\d", self.operands)
        return bool(arm or (X86_MOVE.fullmatch(self.name) and "mm" in self.operands))

    @property
    def bits(self):
        """Width of its widest vector register; of a scalable one, the least it can be."""
        return 512 if "%zmm" in self.operands else 256 if "%ymm" in self.operands else 128

    @property
    def jumps(self):
        return bool(re.fullmatch(r"j\w+|b|br|b\.\w+|cbn?z|tbn?z|retq?|ud2|brk", self.name))

    @property
    def continues(self):
        """Whether the next instruction may be the next to run."""
        return self.name not in ("jmp", "jmpq", "b", "br", "ret", "retq", "ud2", "brk")


@dataclass(frozen=True)
class MachineLoop:
    """A loop of the assembly: the own lines in it but not in loops inside it, and what it does."""

    lines: frozenset
    innermost: bool
    packed: bool
    calls: bool


def instructions(assembly, symbols):
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
            instruction = Instruction(line, code[1], code[2])
            streams[-1][-1][1].append(instruction)
            if instruction.jumps:
                streams[-1].append(([], []))
    return streams


def _loops(stream, computed, moved, tables):
    """The natural loops of one function."""
    loops = list(_flow(stream, tables).loops().values())
    for loop in loops:
        inner = [other for other in loops if other.header != loop.header and other.header in loop.body]
        own = set(loop.body).difference(*(other.body for other in inner))
        body = [instruction for index in own for instruction in stream[index][1]]
        calls = any(i.name in ("call", "callq", "bl", "blr") for i in body)
        packs = any(
            (i.packed and i.line in computed) or (i.moves and i.line in moved and not calls) for i in body
        )
        yield MachineLoop(frozenset(i.line for i in body if i.line), not inner, packs, calls)


def _flow(stream, tables):
    """The control flow between the blocks of one function; `tables` are the labels in jump tables."""
    graph = CFGraph()
    labels = {label: index for index, (names, _) in enumerate(stream) for label in names}
    for index in range(len(stream)):
        graph.add_node(index)
    for index, (_, block) in enumerate(stream):
        last = block[-1] if block else None
        if (last is None or last.continues) and index + 1 < len(stream):
            graph.add_edge(index, index + 1)
        if last is not None and last.jumps:
            target = re.split(r"[\s,]+", last.operands)[-1]
            through_table = re.match(r"\*|x\d", target)
            for label in tables & labels.keys() if through_table else {target} & labels.keys():
                graph.add_edge(index, labels[label])
    graph.set_entry_point(0)
    graph.process()
    return graph


def _listing(streams):
    """(line, text) of the assembly."""
    for stream in streams:
        for labels, block in stream:
            yield from ((None, f"{label}:") for label in labels)
            for instruction in block:
                yield instruction.line, _readable(f"    {instruction.name} {instruction.operands}".rstrip())
