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
WRAPS, CHECKS = (
    60_000,
    60_001,
)  # columns of what tests an index for zero, for its length; until rows are numbered

BITS = {"double": 64, "float": 32, "half": 16, "i64": 64, "i32": 32, "i16": 16, "i8": 8}
VECTOR = r"<(?:vscale x )?(\d+) x (\w+)>"
ARITHMETIC = re.compile(  # on elements side by side, where the processor has it
    r"f(add|sub|mul|div|rem|neg|cmp)|add|sub|mul|[su](div|rem)|icmp|and|or|xor|shl|lshr|ashr|[su]itofp|fpto[su]i"
    r"|fpext|fptrunc"
)
INTRINSIC = re.compile(
    r"@llvm\.(fma|fmuladd|sqrt|fabs|copysign|(min|max)(num|imum)|(min|max)imumnum|floor|ceil|trunc|rint|nearbyint"
    r"|round|roundeven|[su]min|[su]max|[su]cmp|abs|ctpop|ct[lt]z|bswap|bitreverse|fsh[lr]|[su](add|sub|shl)\.sat"
    r"|fpto[su]i\.sat|l?l(rint|round)|vector\.reduce\.\w+)\."
)
PACKED_CALL = re.compile(f"{INTRINSIC.pattern}|@llvm.masked.")
WIDENS_MASK = re.compile(r" = (?:[sz]ext|select)[a-z ]* <\d+ x i1> ")
NARROWS = re.compile(r" = trunc[a-z ]* <")
LIBRARY_CALL = re.compile(rf"\bcall [^@]*{VECTOR} @(?!llvm\.)")  # of a library for vectors
MOVE = re.compile(r"^  store <|@llvm\.masked\.(store|scatter)")
ADDRESSED = ("getelementptr", "inttoptr", "load")  # what makes an address, or is read from one
SINKS = ("store", "ret", "atomicrmw", "cmpxchg")
STEP = re.compile(rf'  %"?ident\.check\S* = icmp (?:eq|ne) i64 ({NAME}), 1\b')
BY_BYTES = re.compile(  # what a number of bytes is made from, and an address from that; a number of elements is scaled
    rf" = (?:(?:mul|add|sub)(?: n[us]w)* i64 {NAME}, {NAME}|(?:phi|freeze) (?:i64|ptr) |getelementptr .*?i8, ptr )"
)
OPERAND = rf"\b(?:true|false)\b|{NAME}"
LOGIC = re.compile(r"= (or|and|xor|select|freeze)(?: disjoint)? i1 (.*?)(?:, !|$)")
EXTENT = re.compile(r'^%"?arg\..*\.5\.\d+"?$')  # of an array, as Numba names its parts
NEVER = "packed only for elements that lie 1 byte apart, and these lie further apart: index a contiguous array by range"
SELDOM = "packed only for a step of one element, such as down a matrix of one column"


def marked(module, column):
    """Lines of the rows that test something and have their place in a column, of the text of a module."""
    found = rf"^!(\d+) = (?:distinct )?!DILocation\(line: (\d+), column: {column},"
    places = dict(re.findall(found, module, re.MULTILINE))
    tests = re.findall(r" = (?:icmp|select|[al]shr|and) .*?, !dbg !(\d+)", module)
    return {int(places[place]) for place in tests if place in places}


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
        do not only lead to an address. A comparison is done with what widens its mask, or uses that, and the
        average of bytes, for one, with what narrows it again.
    moves : set
        Rows that store several elements at once.
    packed_calls : set
        Rows that call a function of a library for several elements at once.
    unreached : dict
        Why they do not run, of rows in what LLVM packed for a step that there is never, or seldom.
    """

    arithmetic: dict
    moves: set
    packed_calls: set
    unreached: dict


def dataflow(text, numbers):
    """The `Dataflow` of a function's IR; `numbers` are those of places."""
    rows = list(_rows(text, numbers))
    unreached = _unreached(rows)
    reached = [row for row in rows if row.block not in unreached]
    return Dataflow(
        arithmetic=_arithmetic(reached),
        moves=_moves(reached),
        packed_calls={row.number for row in reached if LIBRARY_CALL.search(row.text)},
        unreached={row.number: unreached[row.block] for row in rows if row.block in unreached},
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
    data, done, masks, made = _data(rows), {}, {}, {}
    for row in rows:
        if row.name in data:
            own = _operation(row)
            widens, narrows = WIDENS_MASK.search(row.text), NARROWS.search(row.text)
            others = made if narrows else masks if own or widens else {}
            ops = {op for name in _operands(row) for op in others.get(name, ())} | {own} - {None}
            if ops:
                done[row.number] = ops
            if widens or row.operation in ("icmp", "fcmp"):
                masks[row.name] = ops
            made[row.name] = ops
    return done


def _operation(row):
    """The vector arithmetic in a row, as `Operation`, or None."""
    if not (ARITHMETIC.fullmatch(row.operation) or (row.operation == "call" and INTRINSIC.search(row.text))):
        return None
    vectors = re.findall(VECTOR, row.text)
    from_last = " to <" in row.text or row.operation == "call"  # what a call returns may be narrower
    elements, kind = vectors[-1 if from_last else 0] if vectors else (0, "")
    return Operation(row.number, int(elements), kind) if kind in BITS else None


def _moves(rows):
    """Numbers of the rows that store vectors, but for what may have been made one element at a time."""
    single = {row.name for row in rows if _is_made_singly(row)}
    return {row.number for row in rows if MOVE.search(row.text) and not single.intersection(_operands(row))}


def _is_made_singly(row):
    """Whether a row makes a vector of single elements, or calls a function, which may."""
    return row.operation == "insertelement" or (row.operation == "call" and not PACKED_CALL.search(row.text))


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


def _unreached(rows):
    """Why they do not run, by the names of the blocks that are only for elements a step of one apart.

    LLVM makes such where it sees a step that it does not know (https://github.com/numba/numba/issues/9210): the loop
    is packed for the case that it is one. As in ``for value in values`` it may be of bytes, and between elements that
    are wider: then the packed loop never runs. If it is of elements, as down the column of a matrix whose rows lie
    one after the other, then only for a matrix of one column.
    """
    makers = {row.name: row for row in rows if row.name}
    steps = _steps(rows)
    never = _unreachable(rows, makers, {step for step, why in steps.items() if why == NEVER})
    seldom = _unreachable(rows, makers, steps)
    return {block: NEVER if block in never else SELDOM for block in seldom}


def _steps(rows):
    """What LLVM made a version of a loop for, in case that it is one, and what follows from it being a step.

    Nothing is said of one that may well be one: between elements of a single byte.
    """
    users = defaultdict(list)
    for row in rows:
        for name in set(re.findall(NAME, row.text.partition(" = ")[2] if row.name else row.text)):
            users[name].append(row)
    found = {}
    for row in rows:
        if (compared := STEP.search(row.text)) and compared[1] not in found:
            step = compared[1]
            widths = set(_widths(step, users))
            if widths - {"i8"}:
                found[step] = NEVER
            elif not widths or EXTENT.search(step):
                found[step] = SELDOM
    return found


def _widths(step, users):
    """LLVM's types of what is read and written so many bytes apart."""
    todo, done = [step], set()
    while todo:
        name = todo.pop()
        for row in users[name]:
            if access := re.search(
                rf"= load (\S+), ptr {re.escape(name)}(?=,|$)|store (\S+) .*, ptr {re.escape(name)}(?=,|$)",
                row.text,
            ):
                yield access[1] or access[2]
            elif row.name not in done and BY_BYTES.search(row.text):
                done.add(row.name)
                todo.append(row.name)


def _unreachable(rows, makers, steps):
    """Names of the blocks that are not reached unless one of the steps is one."""
    follow = defaultdict(list)
    for row in rows:
        targets = re.findall(rf"label ({NAME})", row.text)
        condition = re.match(rf"  br i1 ({NAME})", row.text)
        known = condition and _known(condition[1], makers, steps)
        follow[row.block] += targets if known is None else targets[:1] if known else targets[1:]
    reached, todo = set(), [rows[0].block] if rows else []
    while todo:
        block = todo.pop()
        if block not in reached:
            reached.add(block)
            todo += follow[block]
    return {row.block for row in rows} - reached


def _known(condition, makers, steps):
    """Whether a condition is always true or always false, as no step is one; None if it may be both."""
    if condition in ("true", "false"):
        return condition == "true"
    row = makers.get(condition)
    if row is None:
        return None
    if step := STEP.search(row.text):
        return " ne " in row.text if step[1] in steps else None
    if logic := LOGIC.search(row.text):
        parts = [_known(part, makers, steps) for part in re.findall(OPERAND, logic[2])]
        return _decided(logic[1], parts)
    return None


def _decided(operation, parts):
    """What an operation makes of truth values that may be None, not known."""
    if operation == "freeze":
        return parts[0]
    if operation == "xor":
        return None if None in parts else parts[0] != parts[1]
    if operation == "select":
        condition, *choices = parts
        return choices[not condition] if condition is not None or choices[0] == choices[1] else None
    settles = operation == "or"
    return settles if settles in parts else None if None in parts else not settles
