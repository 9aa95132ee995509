"""Read optimised LLVM IR, and the assembly with it: what a function's own machine code does.

The IR says the same on every processor; what only the machine code knows is read by `assembly`, which also
says how to teach it another processor.
"""

import pickletools
import re
from collections import Counter
from dataclasses import dataclass

from numba_course.lens.compiled import _assembly
from numba_course.lens.compiled._dataflow import BITS, Dataflow, Operation, dataflow
from numba_course.lens.compiled._recording import own_line

NAMES = {"double": "float64", "float": "float32", "half": "float16"}
UNCOUNTED = re.compile(r"numba_(list|dict|set)_(new|append|insert|add|resize)\w*|NRT_MemInfo_varsize_realloc")
BOOKKEEPING = re.compile(
    r"NRT_(?!MemInfo_(alloc|new|v?varsize)|Allocate|Reallocate)\w+"
)  # of Numba's runtime
TAKES_GIL = re.compile(  # but for the moment in which a parallel loop is started, and to abort if BLAS has failed
    r"call [^\n]*@(?:numba_gil_ensure|PyGILState_Ensure)\([^\n]*\n(?![^\n]*@(?:PyEval_SaveThread|Py_FatalError)\b)"
)
WRAPPERS = ("_ZN7cpython", "cfunc.")  # for callers in Python and in C
UNRESOLVED = re.compile(r'(%[\w.]+) = load ptr, ptr @"\.numba\.unresolved\$(\w+)"')
LAUNCH = re.compile(  # what surrounds numba_parallel_for, which starts a parallel loop
    r"[gs]et_(num_threads|parallel_chunksize|sched_size|thread_id)|(de)?allocate_sched|do_scheduling_\w+"
    r"|numba_gil_(ensure|release)|PyEval_(Save|Restore)Thread|PyErr_(Clear|SetNone|SetString)|printf"
    r"|parallel_loop"
)
RAISED = (
    r"@\.const\.picklebuf\.(\w+)|store ptr @\.const\.pickledata\.(\w+)"  # all known, or computed arguments
)
PICKLED = r'^@\.const\.pickledata\.(\w+)(?:\.\d+)? = .*? c"(.*)"'  # what is linked in may get a number
NO_VALUE = ("PROTO", "FRAME", "MEMOIZE")  # of pickle's operations
SHORT_COPY = re.compile(r"@llvm\.mem.*, i64 \d{1,2}, i1 ")  # done by a few moves, without a call


@dataclass(frozen=True)
class Body:
    """Machine code of one function: its blocks, what its IR is for, and its loops."""

    stream: list
    dataflow: Dataflow
    loops: list

    @property
    def instructions(self):
        return [instruction for _, block in self.stream for instruction in block]

    @property
    def computing(self):
        """Instructions that compute with several elements at once."""
        return [i for i in self.instructions if _assembly.computes(i, self.dataflow)]

    @property
    def packed_lines(self):
        """Own lines of what computes or moves several elements at once; None if what computes carries no line."""
        moving = {i.line for i in self.instructions if _assembly.moves(i, self.dataflow)}
        unplaced = any(i.line is None and "cmp" in i.name and i.is_a("packed") for i in self.instructions)
        return {i.line for i in self.computing} | (moving - {None}) | ({None} if unplaced else set())


def facts(compilation):
    """What the optimised IR and the assembly of a `Compilation` say, as a dict."""
    module = compilation.optimised_llvm
    places, functions = locations(module), defined_functions(module)
    texts = {name: text for name, text in functions.items() if is_body(name, compilation.symbol)}
    rows = [row for text in texts.values() for row in _placed(text, places)]
    bodies = list(_bodies(compilation, texts))
    every = [instruction for body in bodies for instruction in body.instructions]
    width, element = _width(bodies)
    calls = _calls(rows, set(re.findall(r"[A-Za-z_]\w+", " ".join(i.operands for i in every))))
    raises = tuple(dict.fromkeys(_raises(rows, module)))
    return {
        "vector_width": width,
        "element_type": element,
        "packed": sum(len(body.computing) for body in bodies),
        "scalar": sum(i.is_a("scalar") for i in every),
        "fused": any(i.is_a("fused") for i in every),
        "machine_loops": [loop for body in bodies for loop in body.loops],
        "packed_lines": set().union(*(body.packed_lines for body in bodies)),
        "calls": tuple(call for call in calls if not BOOKKEEPING.fullmatch(call[1])),
        "grows": any(UNCOUNTED.fullmatch(name) for _, name in calls),
        "raises": raises,
        "bounds_checks": tuple(sorted({*compilation.bounds_checks, *_out_of_range(raises)})),
        "wraparounds": tuple(compilation.wraparounds),
        "gil": _gil(functions),
        "scalable": any("<vscale x" in text for _, text in rows),
        "parallel": "@numba_parallel_for" in module,
    }


def _gil(functions):
    """What becomes of the GIL in a call, as `MachineCode.gil`, from all functions that are linked into a module."""
    if not any(
        "@PyEval_SaveThread" in text for name, text in functions.items() if name.startswith("_ZN7cpython")
    ):
        return "held"
    inside = (text for name, text in functions.items() if not name.startswith(WRAPPERS))
    return "taken back" if any(TAKES_GIL.search(text) for text in inside) else "released"


def _bodies(compilation, texts):
    """The machine code of the functions that have these texts in the IR."""
    module = compilation.optimised_llvm
    found = re.findall(r"^!(\d+) = (?:distinct )?!DILocation\(.*?\bcolumn: (\d+)", module, re.MULTILINE)
    numbers = {place: int(number) for place, number in found}
    tables = set(re.findall(r"^\s+\.\w+\s.*?(\.?LBB\d+_\d+)", compilation.assembly, re.MULTILINE))
    streams = _assembly.instructions(compilation.assembly, texts, _assembly.machine_of(module))
    for name, stream in streams.items():
        flow = dataflow(texts[name], numbers)
        yield Body(stream, flow, list(_assembly.loops(stream, flow, tables)))


def _width(bodies):
    """Elements at a time of the arithmetic, and their type; see `MachineCode.vector_width`."""
    done = [found for body in bodies for found in _operations(body)]
    done = [found for found in done if found.in_loop] or done  # what is in loops counts, if anything is
    work, widths = Counter(), Counter()
    for found in done:
        work[found.kind] += found.operation.elements
    if not work:
        return 1, None
    kind = max(work, key=lambda kind: (work[kind], BITS[kind], kind[0] != "i"))
    for found in done:
        if found.kind == kind:
            widths[min(found.operation.elements, found.bits // BITS[kind])] += found.operation.elements
    return max(widths, key=lambda width: (widths[width], width)), NAMES.get(kind) or kind.replace("i", "int")


@dataclass
class _Done:
    """How an operation of the IR is done: width of the registers and of the elements in them, and whether in a loop."""

    operation: Operation
    bits: int = 0
    element_bits: int = 0
    in_loop: bool = False

    @property
    def kind(self):
        """LLVM's type of the elements; whole numbers that fit may be computed as shorter ones than in the IR."""
        kind = self.operation.kind
        return f"i{self.element_bits}" if kind[0] == "i" and self.element_bits < BITS[kind] else kind


def _operations(body):
    """How each vector operation is done, as `_Done`."""
    found = {}
    for instruction in body.computing:
        in_loop = any(instruction.row in loop.rows for loop in body.loops)
        for operation in body.dataflow.arithmetic[instruction.row]:
            done = found.setdefault(operation, _Done(operation))
            done.bits = max(done.bits, instruction.bits)
            done.element_bits = max(done.element_bits, instruction.element_bits or BITS[operation.kind])
            done.in_loop |= in_loop
    return found.values()


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
    machine = _assembly.machine_of(compilation.optimised_llvm)
    return (
        [_plain(row) for functions in shown.values() for rows in functions.values() for row in rows],
        [_plain(row) for rows in optimised.values() for row in rows],
        list(_listing(_assembly.instructions(compilation.assembly, optimised, machine))),
    )


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
    if name.startswith(WRAPPERS):
        return False
    is_step = _identifiers(name) == [*_identifiers(symbol), "next"]
    return name == symbol or is_step or "__numba_parfor_gufunc" in name


def demangled(symbol):
    """The function's name in a symbol of Numba; other symbols as they are."""
    if "__numba_parfor_gufunc" in symbol:
        return "parallel_loop"
    if "__numba_stencil_" in symbol:  # an address follows
        return "stencil"
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
            if not SHORT_COPY.search(row):
                names = _library_names(direct[1].split(".")[1])
                found += [(line, name) for name in names if {name, f"_{name}"} & symbols]
        elif direct and (re.search(r"\W|_ZN", direct[1]) or {direct[1], f"_{direct[1]}"} & symbols):
            found.append((line, demangled(direct[1])))  # of sqrt, say, an instruction may be all that is left
        elif " = frem " in row:
            found += [(line, name) for name in _library_names("fmod") if {name, f"_{name}"} & symbols]
        elif indirect := re.search(r"\bcall\b[^@%]* (%[\w.]+)\(", row):
            found.append((line, pointers.get(indirect[1], "a function pointer")))
    launches = any(name == "numba_parallel_for" for _, name in found)
    return tuple(dict.fromkeys(call for call in found if not (launches and LAUNCH.fullmatch(call[1]))))


def _library_names(name):
    """What the C library may call an intrinsic: exp or, for float32, expf; memset is bzero on a Mac; sincos is both."""
    others = {"memset": ["bzero"], "sin": ["sincos", "sincosf"], "cos": ["sincos", "sincosf"]}
    return (name, f"{name}f", *others.get(name, ()))


def _raises(rows, module):
    """(line, exception and message) of each place that raises."""
    pickled = dict(re.findall(PICKLED, module, re.MULTILINE))
    for line, row in rows:
        for constant, computed in re.findall(RAISED, row):
            kind, message = _exception(pickled[constant or computed])
            if not message.startswith("missing Environment"):  # a sanity check of Numba's own
                yield line, f"{kind}: {message}" if message and constant else kind


def _out_of_range(raises):
    """Lines in which what is called, and was inlined, refuses an index."""
    return {line for line, text in raises if line and re.search("IndexError.* out of (bounds|range)", text)}


def _exception(data):
    """Class and message of an exception that Numba pickled into an LLVM string; it is not unpickled."""
    text = re.sub(
        r"\\(\\|[0-9A-F]{2})", lambda code: "\\" if code[1] == "\\" else chr(int(code[1], 16)), data
    )
    steps = [step for step in pickletools.genops(text.encode("latin-1")) if step[0].name not in NO_VALUE]
    (_, _module, _), (_, kind, _), _made, (_, first, _), *_ = steps
    return kind, first if isinstance(first, str) else ""


def _listing(streams):
    """(line, text) of the assembly."""
    for stream in streams.values():
        for labels, block in stream:
            yield from ((None, f"{label}:") for label in labels)
            for instruction in block:
                yield instruction.line, _readable(f"    {instruction.name} {instruction.operands}".rstrip())
