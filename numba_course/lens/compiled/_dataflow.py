"""What a function's optimised IR computes: on elements or for addresses, and what of it never runs.

Each row of the IR has a number, which `numbered` gives it as the column of its place in the source, beside the line:
LLVM keeps both down to the assembly, so each instruction says which row it was made from.
"""

import re
from collections import defaultdict
from dataclasses import dataclass

NAME = r'%(?:"[^"]*"|[-\w$.]+)'
ROW = re.compile(rf"  (?:(?P<name>{NAME}) = )?(?:(?:must|no)?tail )?(?P<operation>[a-z]\w*) ")
LABEL = re.compile(r'("[^"]*"|[-\w$.]+):')
PLACE = re.compile(r", !dbg !(\d+)")
NOWHERE = 1  # line of what has none: LLVM prints no column without a line
LAST_COLUMN = 65_535  # that LLVM keeps

BITS = {"double": 64, "float": 32, "half": 16, "i64": 64, "i32": 32, "i16": 16, "i8": 8}
VECTOR = r"<(?:vscale x )?(\d+) x (\w+)>"
ARITHMETIC = re.compile(  # on elements side by side; integers have no packed division
    r"f(add|sub|mul|div|neg|cmp)|add|sub|mul|icmp|and|or|xor|shl|lshr|ashr|[su]itofp|fpto[su]i|fpext|fptrunc"
)
INTRINSIC = re.compile(
    r"@llvm\.(fma|fmuladd|sqrt|fabs|copysign|minnum|maxnum|minimum|maximum|floor|ceil|trunc|rint|nearbyint"
    r"|round|roundeven|[su]min|[su]max|abs|ctpop|fsh[lr]|[su](add|sub)\.sat|vector\.reduce\.\w+)\."
)
PACKED_CALL = re.compile(f"{INTRINSIC.pattern}|@llvm.masked.")
WIDENS_MASK = re.compile(r" = (?:[sz]ext|select)[a-z ]* <\d+ x i1> ")
MOVE = re.compile(r"^  store <|@llvm\.masked\.(store|scatter)")
ADDRESSED = ("getelementptr", "inttoptr", "load")  # what makes an address, or is read from one
SINKS = ("store", "ret", "atomicrmw", "cmpxchg")


def numbered(module):
    """The text of a module with the rows of each function that has places numbered: 1, 2, … as columns."""
    places = dict(re.findall(r"^!(\d+) = (?:distinct )?!DILocation\((.*)\)$", module, re.MULTILINE))
    free = 1 + max((int(number) for number in re.findall(r"^!(\d+) = ", module, re.MULTILINE)), default=0)
    rows, added, scope, column = [], [], None, 0
    for row in module.splitlines():
        if row.startswith("define "):
            scope, column = PLACE.search(row.replace(" !dbg", ", !dbg")), 0
        elif row == "}":
            scope = None
        elif scope and ROW.match(row) and not row.endswith("["):  # the place of a switch is behind its table
            column = min(column + 1, LAST_COLUMN)
            place = PLACE.search(row)
            fields = places[place[1]] if place else f"line: {NOWHERE}, scope: !{scope[1]}"
            fields = re.sub(r"column: \d+, ", "", fields).replace("line: 0,", f"line: {NOWHERE},")
            added.append(f"!{free + len(added)} = !DILocation(column: {column}, {fields})")
            row = PLACE.sub("", row) + f", !dbg !{free + len(added) - 1}"
        rows.append(row)
    return "\n".join(rows + added) + "\n"


@dataclass(frozen=True)
class Row:
    """A row of the IR: its number, the block it is in, the name of its result, what it does."""

    number: int
    block: str
    name: str
    operation: str
    text: str


@dataclass(frozen=True)
class Operation:
    """A row that computes with several elements at once: its number, how many, and LLVM's type of one."""

    number: int
    elements: int
    kind: str


@dataclass(frozen=True)
class Dataflow:
    """What became of the rows of a function, by their numbers.

    Attributes
    ----------
    arithmetic : dict
        The set of each `Operation` that the instructions of a row may do, for rows that compute with several
        elements at once, on data: their results are stored, returned, passed on, or decide about elements; they
        do not only lead to an address. A comparison is done with what widens its mask, or uses that.
    moves : set
        Rows that store several elements at once.
    unreached : set
        Rows in what LLVM packed for elements one byte apart, which those of the array are not.
    """

    arithmetic: dict
    moves: set
    unreached: set


def dataflow(text, numbers, of_bytes):
    """The `Dataflow` of a function's IR; `numbers` are those of places, `of_bytes` the arrays of single bytes."""
    rows = list(_rows(text, numbers))
    unreached = _unreached(rows, of_bytes)
    reached = [row for row in rows if row.block not in unreached]
    return Dataflow(
        arithmetic=_arithmetic(reached),
        moves=_moves(reached),
        unreached={row.number for row in rows if row.block in unreached},
    )


def _rows(text, numbers):
    """The rows of a function's IR; the first block has no name if it is not printed."""
    block, table = "", ""
    for line in text.splitlines():
        if table or line.endswith(" ["):  # a switch has several lines
            table += line
            if not line.startswith("  ]"):
                continue
            line, table = table, ""
        if label := LABEL.match(line):
            block = f"%{label[1]}"
        elif found := ROW.match(line):
            place = PLACE.search(line)
            yield Row(numbers.get(place and place[1], 0), block, found["name"], found["operation"], line)


def _arithmetic(rows):
    """The vector operations on data, by the numbers of the rows whose instructions may do them."""
    data, done, masks = _data(rows), {}, {}
    for row in rows:
        if row.name in data:
            own = _operation(row)
            widens = WIDENS_MASK.search(row.text)
            compared = (
                {op for name in _operands(row) for op in masks.get(name, ())} if own or widens else set()
            )
            if own or compared:
                done[row.number] = compared | {own} - {None}
            if widens or row.operation in ("icmp", "fcmp"):
                masks[row.name] = done.get(row.number, ())
    return done


def _operation(row):
    """The vector arithmetic in a row, as `Operation`, or None."""
    if not (ARITHMETIC.fullmatch(row.operation) or (row.operation == "call" and INTRINSIC.search(row.text))):
        return None
    vectors = re.findall(VECTOR, row.text)
    elements, kind = vectors[-1 if " to <" in row.text else 0] if vectors else (0, "")
    return Operation(row.number, int(elements), kind) if kind in BITS else None


def _moves(rows):
    """Numbers of the rows that store vectors, but for what functions return, which may do one element at a time."""
    called = {row.name for row in rows if row.operation == "call" and not PACKED_CALL.search(row.text)}
    return {row.number for row in rows if MOVE.search(row.text) and not called.intersection(_operands(row))}


def _data(rows):
    """Names of the values that are elements: whatever leads to a result, but not by way of an address."""
    makers = {row.name: row for row in rows if row.name}
    loaded = _loaded(rows)
    todo = [name for row in rows if _is_sink(row) for name in _operands(row)]
    todo += [name for row in rows if row.operation == "br" for name in _operands(row) if name in loaded]
    data = set()
    while todo:
        name = todo.pop()
        if name in makers and name not in data:
            data.add(name)
            todo += _operands(makers[name])
    return data


def _loaded(rows):
    """Names of the values that depend on vectors read from memory."""
    users = defaultdict(list)
    for row in rows:
        for name in _operands(row):
            users[name].append(row.name)
    todo = [row.name for row in rows if re.search(r" = load <|@llvm\.masked\.(load|gather)", row.text)]
    loaded = set()
    while todo:
        name = todo.pop()
        if name and name not in loaded:
            loaded.add(name)
            todo += users[name]
    return loaded


def _is_sink(row):
    """Whether what it is given is a result of the function, as far as this is concerned."""
    if row.operation == "call":
        return "@llvm." not in row.text or (not row.name and "@llvm.assume" not in row.text)
    return row.operation in SINKS


def _operands(row):
    """Names of the values that a row computes with; what leads to an address is not among them."""
    if row.operation in ADDRESSED:
        return []
    return re.findall(NAME, row.text.partition(" = ")[2] if row.name else row.text)


def _unreached(rows, of_bytes):
    """Names of the blocks that are only for elements one byte apart.

    LLVM makes such where it sees a stride that it does not know, as in ``for value in values``
    (https://github.com/numba/numba/issues/9210): the loop is packed, and never runs.
    """
    makers = {row.name: row for row in rows if row.name}
    follow = defaultdict(list)
    for row in rows:
        targets = re.findall(rf"label ({NAME})", row.text)
        condition = re.match(rf"  br i1 ({NAME})", row.text)
        known = condition and _known(condition[1], makers, of_bytes)
        follow[row.block] += targets if known is None else targets[:1] if known else targets[1:]
    reached, todo = set(), [rows[0].block] if rows else []
    while todo:
        block = todo.pop()
        if block not in reached:
            reached.add(block)
            todo += follow[block]
    return {row.block for row in rows} - reached


def _known(condition, makers, of_bytes):
    """Whether a condition is always true or always false, as no element is one byte wide; None if it may be both."""
    row = makers.get(condition)
    if row is None:
        return None
    stride = re.search(r"= icmp (eq|ne) i64 %arg\.(\w+)\.\d+\.\d+, 1\b", row.text)
    if stride and row.name.startswith("%ident.check"):
        return None if stride[2] in of_bytes else stride[1] == "ne"
    either = re.search(r"= (?:or(?: disjoint)? i1|select i1 \S+, i1 true,) ", row.text)
    both = re.search(r"= (?:and i1|select i1 \S+, i1 \S+, i1 false)", row.text)
    if either or both:
        parts = [_known(name, makers, of_bytes) for name in _operands(row)]
        return bool(either) if bool(either) in parts else None
    return None
