"""Read optimised LLVM IR, and the assembly with it: what a function's own machine code does.

The IR says the same on every processor; what only the machine code knows is read by `assembly`, which also
says how to teach it another processor.
"""

import pickletools
import re

from numba_course.lens import assembly
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
UNCOUNTED = re.compile(r"numba_(list|dict|set)_(new|append|insert|add|resize)\w*|NRT_MemInfo_varsize_realloc")
UNRESOLVED = re.compile(r'(%[\w.]+) = load ptr, ptr @"\.numba\.unresolved\$(\w+)"')
LAUNCH = re.compile(  # what surrounds numba_parallel_for, which starts a parallel loop
    r"[gs]et_(num_threads|parallel_chunksize|sched_size|thread_id)|(de)?allocate_sched|do_scheduling_\w+"
    r"|numba_gil_(ensure|release)|PyEval_(Save|Restore)Thread|PyErr_(Clear|SetNone|SetString)|printf"
    r"|parallel_loop"
)
RAISED = (
    r"@\.const\.picklebuf\.(\w+)|store ptr @\.const\.pickledata\.(\w+)"  # all known, or computed arguments
)
NO_VALUE = ("PROTO", "FRAME", "MEMOIZE")  # of pickle's operations
SHORT_COPY = re.compile(r"@llvm\.mem.*, i64 \d{1,2}, i1 ")  # done by a few moves, without a call


def read(compilation):
    """What the optimised IR and the assembly of a `Compilation` say, as a dict."""
    module = compilation.optimised_llvm
    places, functions = locations(module), defined_functions(module)
    bodies = {name: text for name, text in functions.items() if is_body(name, compilation.symbol)}
    rows = [row for text in bodies.values() for row in _placed(text, places)]
    streams = assembly.instructions(compilation.assembly, bodies, assembly.machine_of(module))
    every = [instruction for stream in streams for _, block in stream for instruction in block]
    unreached = set(_unreached(rows, compilation))
    reached = [(line, text) for line, text in rows if line not in unreached]
    operations = [(line, *found) for line, text in reached for found in _vector_operations(text)]
    computed = {line for line, *_ in operations}
    packed = [i for i in every if i.is_a("packed") and i.line in computed]
    moved = {line for line, text in reached if re.search(r"\bstore <", text)}
    width, element = _widest(operations, max((i.bits for i in packed), default=0))
    tables = set(re.findall(r"^\s+\.\w+\s.*?(\.?LBB\d+_\d+)", compilation.assembly, re.MULTILINE))
    calls = _calls(rows, set(re.findall(r"[A-Za-z_]\w+", " ".join(i.operands for i in every))))
    raises = tuple(dict.fromkeys(_raises(rows, module)))
    wrapper = "".join(text for name, text in functions.items() if name.startswith("_ZN7cpython"))
    return {
        "vector_width": width,
        "element_type": element,
        "packed": len(packed),
        "scalar": sum(i.is_a("scalar") for i in every),
        "fused": any(i.is_a("fused") for i in every),
        "machine_loops": [
            loop for stream in streams for loop in assembly.loops(stream, computed, moved, tables)
        ],
        "calls": tuple(call for call in calls if not call[1].startswith("NRT_")),
        "grows": any(UNCOUNTED.fullmatch(name) for _, name in calls),
        "raises": raises,
        "bounds_checks": tuple(sorted({line or 0 for line, text in raises if "out of bounds" in text})),
        "wraparounds": tuple(sorted({line for text in bodies.values() for line in _wraps(text, places)})),
        "releases_gil": "@PyEval_SaveThread" in wrapper,
        "unreached": tuple(sorted(unreached)),
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
    machine = assembly.machine_of(compilation.optimised_llvm)
    return (
        [_plain(row) for functions in shown.values() for rows in functions.values() for row in rows],
        [_plain(row) for rows in optimised.values() for row in rows],
        list(_listing(assembly.instructions(compilation.assembly, optimised, machine))),
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


def _unreached(rows, compilation):
    """Own lines of loops that LLVM packed for elements one byte apart, which those of the array are not.

    It does so where it sees a stride that it does not know, as in ``for value in values``
    (https://github.com/numba/numba/issues/9210): the packed loop is in the assembly and never runs.
    """
    narrow = r"(readonly )?array\((u?int8|bool),"
    bytes_ = {name for _, name, kind in compilation.definitions if re.match(narrow, kind)}
    for line, text in rows:
        stride = re.search(r"%ident\.check\S* = icmp \w+ i64 %arg\.(\w+)\.\d+\.\d+, 1\b", text)
        if stride and stride[1] not in bytes_:
            around = [lines for _, lines in compilation.loops if line in lines]
            yield from min(around, key=len, default=(line,))


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
    sizes = [
        (min(lanes, bits // BITS[kind]), BITS[kind], kind[0] != "i", kind) for _, lanes, kind in operations
    ]
    lanes, *_, kind = max(sizes, default=(1, ""))
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
            if not SHORT_COPY.search(row):
                names = _library_names(direct[1].split(".")[1])
                found += [(line, name) for name in names if {name, f"_{name}"} & symbols]
        elif direct and (re.search(r"\W|_ZN", direct[1]) or {direct[1], f"_{direct[1]}"} & symbols):
            found.append((line, demangled(direct[1])))  # of sqrt, say, an instruction may be all that is left
        elif indirect := re.search(r"\bcall\b[^@%]* (%[\w.]+)\(", row):
            found.append((line, pointers.get(indirect[1], "a function pointer")))
    launches = any(name == "numba_parallel_for" for _, name in found)
    return tuple(dict.fromkeys(call for call in found if not (launches and LAUNCH.fullmatch(call[1]))))


def _library_names(name):
    """What the C library may call an intrinsic: exp or, for float32, expf; memset is bzero on a Mac."""
    return (name, f"{name}f", "bzero") if name == "memset" else (name, f"{name}f")


def _raises(rows, module):
    """(line, exception and message) of each place that raises."""
    pickled = dict(re.findall(r'^@\.const\.pickledata\.(\w+) = .*? c"(.*)"', module, re.MULTILINE))
    for line, row in rows:
        for constant, computed in re.findall(RAISED, row):
            kind, message = _exception(pickled[constant or computed])
            if not message.startswith("missing Environment"):  # a sanity check of Numba's own
                yield line, f"{kind}: {message}" if message and constant else kind


def _exception(data):
    """Class and message of an exception that Numba pickled into an LLVM string; it is not unpickled."""
    text = re.sub(r"\\([0-9A-F]{2})", lambda code: chr(int(code[1], 16)), data)
    steps = [step for step in pickletools.genops(text.encode("latin-1")) if step[0].name not in NO_VALUE]
    (_, _module, _), (_, kind, _), _made, (_, first, _), *_ = steps
    return kind, first if isinstance(first, str) else ""


def _wraps(text, places):
    """Own lines where a negative index is made to count from the end: size if index < 0 else 0."""
    negative = set(re.findall(r"(%\S+) = icmp slt (?:i64|<\d+ x i64>) \S+, (?:0|zeroinitializer)", text))
    for condition, place in re.findall(r"select (?:i1|<\d+ x i1>) (%\S+), .*!dbg (!\d+)", text):
        if condition in negative and places.get(place):
            yield places[place]


def _listing(streams):
    """(line, text) of the assembly."""
    for stream in streams:
        for labels, block in stream:
            yield from ((None, f"{label}:") for label in labels)
            for instruction in block:
                yield instruction.line, _readable(f"    {instruction.name} {instruction.operands}".rstrip())
