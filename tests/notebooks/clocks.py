"""What a chapter says because of a clock: numbers, truths and words outside ⟨ ⟩ that another run may contradict.

The cells are not run but followed. Each expression is worth a `Value`, which says where in it something came from a
clock; that travels through names, containers, comprehensions, the chapter's functions, and branches. There is a
fault where it is printed outside ⟨ ⟩, asserted or raised, or drawn into a figure that states no relation.

Not followed: what the chapter's own classes keep in attributes, and programs that stand in strings.
"""

import ast
import builtins
import itertools
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

JUDGED, CLOCK = (
    1,
    2,
)  # how a value depends on a clock: through a measurement that a relation has judged, or else
NOWS = ("perf_counter", "monotonic", "process_time", "thread_time", "time")
DATES = ("localtime", "gmtime", "ctime", "strftime", "asctime", "clock_gettime")
CLOCKS = {f"time.{name}{unit}" for name in NOWS for unit in ("", "_ns")} | {f"time.{name}" for name in DATES}
CLOCKS |= {f"timeit.{name}" for name in ("timeit", "repeat", "Timer", "default_timer")}
CLOCKS |= {f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")} | {"datetime.date.today"}
CLOCKS |= {"os.times", "resource.getrusage", "psutil.cpu_percent", "psutil.cpu_times"}
TIMES = {"seconds", "ratio", "spread", "compile_seconds", "too_short", "duration"}  # attributes, of whatever

# What the attributes and methods of some things give: a clock's word, another such thing, or neither.
COMPARISON = {"entries": "entries", "entry": "entry", "at": "comparison", "comparisons": "comparisons"}
COMPARISON |= {"faster": "relation", "figure": "figure", "sizes": "", "copied": ""}
COMPARISON |= dict.fromkeys(("seconds", "ratio", "spread", "compile_seconds", "warnings"), "clock")
ENTRY = {"name": "", "difference": "", "compiled_inside": ""}
ENTRY |= dict.fromkeys(("seconds", "calls", "compile_seconds", "too_short"), "clock")
RELATION = {"measured": "judged comparison", "faster": "relation", "claims": ""}
RELATION |= dict.fromkeys(("holds", "ratios", "measurements"), "clock")
KINDS = {
    "comparison": COMPARISON,
    "entry": ENTRY,
    "relation": RELATION,
    "gil": dict.fromkeys(("calls", "others", "ticks", "ticks_if_released", "ticks_if_held"), "clock"),
    "profile": {"getstats": "profiled functions", "print_stats": "printed clock", "runcall": ""},
    "profiled function": {"code": "", "callcount": "", "inlinetime": "clock", "totaltime": "clock"},
    "statistics": {"stats": "profiled places", "print_stats": "printed clock", "sort_stats": "statistics"},
}
JUDGING = {"": "", "relation": "relation"}  # of a comparison that a relation has judged, all else is judged
for kind in ("comparison", "entry"):
    KINDS[f"judged {kind}"] = {name: JUDGING.get(of, f"judged {of}") for name, of in KINDS[kind].items()}
ONE_OF = {"entries": "entry", "comparisons": "comparison", "profiled functions": "profiled function"}
ONE_OF |= {f"judged {many}": f"judged {one}" for many, one in ONE_OF.items()}
MAKERS = {
    "numba_course.lens.compare": "comparison",
    "numba_course.lens.timed": "comparison",
    "numba_course.lens.comparison.compare": "comparison",
    "numba_course.lens.comparison.timed": "comparison",
    "numba_course.lens.gil": "gil",
    "numba_course.lens.interpreter_lock.gil": "gil",
    "cProfile.Profile": "profile",
    "pstats.Stats": "statistics",
}


@dataclass
class Value:
    """What is known of a value: whether it is a clock's word, and what is inside it."""

    clock: int = 0  # itself; of a container how many there are, or which, or in what order
    kind: str = ""
    name: str = ""  # of something imported: its dotted name
    keys: "Value | None" = None
    items: "Value | None" = None
    fields: "list[Value] | None" = None  # the items of a tuple or list, one by one
    functions: "tuple[Function, ...]" = ()

    def inside(self):
        return [v for v in (self.keys, self.items, *(self.fields or ())) if v is not None]

    def contents(self):
        """What an index gives, if nobody knows which."""
        return joined(self.items, *(self.fields or ()), clock=self.clock)

    def element(self):
        """What iterating over it gives."""
        return joined(self.keys, clock=self.clock) if self.keys else self.contents()

    def at(self, index):
        known = (
            self.fields is not None
            and isinstance(index, int)
            and -len(self.fields) <= index < len(self.fields)
        )
        return joined(self.fields[index], clock=self.clock) if known else self.contents()

    def take(self, other):
        """Become something that holds `other` as well."""
        self.items = joined(self.items, other)


@dataclass
class Function:
    node: ast.AST
    scope: "Scope"


@dataclass
class Scope:
    names: dict = field(default_factory=dict)
    parent: "Scope | None" = None

    def find(self, name):
        if name in self.names or self.parent is None:
            return self.names.get(name)
        return self.parent.find(name)

    def outermost(self):
        return self if self.parent is None else self.parent.outermost()


def made(kind):
    """A value of this kind."""
    if kind in ONE_OF:
        return Value(items=Value(kind=ONE_OF[kind]))
    if kind == "profiled places":  # a dict of functions and times
        return Value(keys=Value(), items=made("clock"))
    return Value({"clock": CLOCK, "judged clock": JUDGED}.get(kind, 0), kind)


def imported(name):
    """Something imported, or an attribute of it."""
    return replace(made("clock" if name in CLOCKS else ""), name=name)


def listed(element, clock=0):
    return Value(clock, items=element)


def joined(*values, clock=0):
    """A value that may be any of these, and depends on a clock at least so much."""
    values = [v for v in values if v is not None]
    if not values:
        return Value(clock)
    if len(values) == 1 and clock <= values[0].clock:
        return values[0]
    lengths = {len(v.fields) if v.fields is not None else -1 for v in values}
    alike = len(lengths) == 1 and lengths != {-1}
    keys = [v.keys for v in values if v.keys]
    items = [part for v in values for part in (v.items, *(() if alike else v.fields or ())) if part]
    return Value(
        max(clock, *(v.clock for v in values)),
        min((v.kind for v in values if v.kind), key=lambda kind: kind.startswith("judged"), default=""),
        values[0].name if len({v.name for v in values}) == 1 else "",
        joined(*keys) if keys else None,
        joined(*items) if items else None,
        [joined(*column) for column in zip(*(v.fields for v in values), strict=True)] if alike else None,
        tuple({id(f.node): f for v in values for f in v.functions}.values()),
    )


def deep(*values):
    """How far anything in them depends on a clock."""
    return max((max(v.clock, deep(*v.inside())) for v in values), default=0)


def truth(*values):
    """How far a branch on one of them depends on a clock: a relation is true or false."""
    own = (CLOCK if v.kind == "relation" else v.clock for v in values)
    return max((max(mine, truth(*v.inside())) for mine, v in zip(own, values, strict=True)), default=0)


def shown(*values):
    """How far their text does: a relation, a comparison or a gil puts that into brackets."""
    own = (CLOCK if v.kind.endswith("entry") else v.clock for v in values)
    return max((max(mine, shown(*v.inside())) for mine, v in zip(own, values, strict=True)), default=0)


def states(value):
    """Whether there is a relation in it."""
    return value.kind == "relation" or any(map(states, value.inside()))


# Texts


def parts(node):
    """Constant texts and other expressions that a text is made of, in order."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            yield from parts(part)
    elif isinstance(node, ast.FormattedValue):
        yield node.value
        yield from (
            (part for part in parts(node.format_spec) if isinstance(part, ast.AST))
            if node.format_spec
            else ()
        )
    elif is_text(node):
        yield from itertools.chain(parts(node.left), parts(node.right))
    else:
        yield node


def is_text(node):
    """Whether it is a text, or a sum with one."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return is_text(node.left) or is_text(node.right)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def has_place_outside(template, sign):
    """Whether a template has a place for a value outside ⟨ ⟩."""
    pieces = template.split(sign)
    before = ("".join(pieces[:i]) for i in range(1, len(pieces)))
    return any(text.count("⟨") <= text.count("⟩") for text in before)


# Functions that Python has: where a clock's word goes in them


def _same(reader, args, options):
    """The same things in another container."""
    return replace(args[0]) if args else Value()


def _sorted(reader, args, options):
    """The order depends on what is compared: of pairs on the first of each, as those of a dict never tie."""
    element = args[0].element()
    first = element.fields[0] if element.fields else element
    by = deep(reader.applied(options["key"], element)) if "key" in options else truth(first)
    return listed(element, max(args[0].clock, by))


def _extreme(reader, args, options):
    """min, max: the choice depends on what is compared."""
    candidates = args[0].element() if len(args) == 1 else joined(*args)
    by = deep(reader.applied(options["key"], candidates)) if "key" in options else truth(candidates)
    return joined(candidates, options.get("default"), clock=by)


def _zip(reader, args, options):
    return listed(Value(fields=[arg.element() for arg in args]), max(arg.clock for arg in args))


def _enumerate(reader, args, options):
    return listed(Value(fields=[Value(args[0].clock), args[0].element()]), args[0].clock)


def _dict(reader, args, options):
    if args and not args[0].keys:
        pair = args[0].element()
        return Value(args[0].clock, keys=pair.at(0), items=pair.at(1))
    return (
        replace(args[0])
        if args
        else Value(keys=Value(), items=joined(*options.values()) if options else None)
    )


def _fromkeys(reader, args, options):
    return Value(args[0].clock, keys=args[0].element(), items=args[1] if len(args) > 1 else None)


def _map(reader, args, options):
    given = [arg.element() for arg in args[1:]]
    return listed(reader.applied(args[0], *given), max(arg.clock for arg in args[1:]))


def _filter(reader, args, options):
    element = args[1].element()
    return listed(element, max(args[1].clock, truth(reader.applied(args[0], element))))


def _next(reader, args, options):
    return joined(args[0].element(), *args[1:], clock=args[0].clock)


BUILTINS = {
    **dict.fromkeys(("list", "tuple", "set", "frozenset", "reversed", "iter"), _same),
    **dict.fromkeys(("min", "max"), _extreme),
    **dict.fromkeys(("str", "repr", "format"), lambda reader, args, options: Value(shown(*args))),
    **dict.fromkeys(("bool", "any", "all"), lambda reader, args, options: Value(truth(*args))),
    **dict.fromkeys(
        ("isinstance", "type", "callable", "id", "hasattr"), lambda reader, args, options: Value()
    ),
    "len": lambda reader, args, options: Value(args[0].clock),
    "sorted": _sorted,
    "zip": _zip,
    "enumerate": _enumerate,
    "dict": _dict,
    "dict.fromkeys": _fromkeys,
    "map": _map,
    "filter": _filter,
    "next": _next,
}
FIRST_ADDED = ("append", "appendleft", "add", "put")
ALL_ADDED = ("extend", "update")


class Reader:
    """Follows the cells of one notebook, in order, and notes the faults of each."""

    def __init__(self):
        self.globals = Scope()
        self.faults = {}  # a dict, for its order, and because loops are gone through twice
        self.under = 0  # whether a branch around depends on a clock
        self.active = []  # nodes of the functions that are being called
        self.returned = []  # what each of them has returned

    def cell(self, source):
        """The faults of the next cell."""
        self.faults = {}
        lines = ["pass" if line.startswith(("%", "!")) else line for line in source.splitlines()]
        body = ast.parse("\n".join(lines)).body
        self.block(body, self.globals)
        if body and isinstance(body[-1], ast.Expr) and self.text([body[-1].value], self.globals):
            self.fault("shows what a clock said", body[-1])
        return list(self.faults)

    def fault(self, what, node):
        self.faults[f"{what}: {ast.unparse(node):.90}"] = None

    @contextmanager
    def branch(self, depends):
        """What is done meanwhile is done because of a clock, if `depends`."""
        before, self.under = self.under, max(self.under, depends)
        yield
        self.under = before

    # Statements

    def block(self, body, scope):
        """Go through statements; return whether it jumps because of a clock. What follows the jump depends on it."""
        jumps = 0
        for statement in body:
            with self.branch(jumps):
                self.statement(statement, scope)
                jumps = max(jumps, self.jump(statement, scope))
        return jumps

    def jump(self, statement, scope):
        kinds = (ast.Return, ast.Break, ast.Continue, ast.Raise)
        inside = any(isinstance(node, kinds) for node in ast.walk(statement))
        return truth(self.value(statement.test, scope)) if isinstance(statement, ast.If) and inside else 0

    def statement(self, node, scope):
        if handler := getattr(self, f"on_{type(node).__name__.lower()}", None):
            handler(node, scope)
            return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child, scope)

    def on_import(self, node, scope):
        for alias in node.names:
            name = alias.name if alias.asname else alias.name.partition(".")[0]
            scope.names[alias.asname or name] = imported(name)

    def on_importfrom(self, node, scope):
        for alias in node.names:
            scope.names[alias.asname or alias.name] = imported(f"{node.module}.{alias.name}")

    def on_functiondef(self, node, scope):
        scope.names[node.name] = Value(functions=(Function(node, scope),))

    def on_classdef(self, node, scope):
        names = [n for n in ast.walk(node) if isinstance(n, (ast.Name, ast.Attribute))]
        scope.names[node.name] = Value(deep(*(self.value(name, scope) for name in names)))

    def on_return(self, node, scope):
        value = self.value(node.value, scope) if node.value else Value()
        self.returned[-1].append(joined(value, clock=self.under))

    def on_assign(self, node, scope):
        value = self.value(node.value, scope)
        for target in node.targets:
            self.bind(target, value, scope)

    def on_annassign(self, node, scope):
        if node.value:
            self.bind(node.target, self.value(node.value, scope), scope)

    def on_augassign(self, node, scope):
        self.bind(node.target, self.value(ast.BinOp(node.target, node.op, node.value), scope), scope)

    def on_global(self, node, scope):
        for name in node.names:
            scope.names[name] = scope.outermost().names.setdefault(name, Value())

    def on_if(self, node, scope):
        depends, before = truth(self.value(node.test, scope)), dict(scope.names)
        with self.branch(depends):
            self.block(node.body, scope)
            after, scope.names = scope.names, before
            self.block(node.orelse, scope)
        for name, value in after.items():
            other = scope.names.get(name)
            scope.names[name] = value if other is value else joined(other, value)

    def on_for(self, node, scope):
        iterated, jumps = self.value(node.iter, scope), 0
        for _ in range(2):
            with self.branch(max(iterated.clock, jumps)):
                self.bind(node.target, iterated.element(), scope)
                jumps = max(jumps, self.block(node.body, scope))
        self.block(node.orelse, scope)

    def on_while(self, node, scope):
        jumps = 0
        for _ in range(2):
            with self.branch(max(truth(self.value(node.test, scope)), jumps)):
                jumps = max(jumps, self.block(node.body, scope))
        self.block(node.orelse, scope)

    def on_with(self, node, scope):
        for item in node.items:
            value = self.value(item.context_expr, scope)
            if item.optional_vars:
                self.bind(item.optional_vars, value, scope)
        self.block(node.body, scope)

    def on_try(self, node, scope):
        for body in (node.body, *(handler.body for handler in node.handlers), node.orelse, node.finalbody):
            self.block(body, scope)

    def on_match(self, node, scope):
        with self.branch(truth(self.value(node.subject, scope))):
            for case in node.cases:
                self.block(case.body, scope)

    def on_assert(self, node, scope):
        if truth(self.value(node.test, scope)):
            self.fault("asserts what a clock said", node)

    def on_raise(self, node, scope):
        if self.under or (node.exc and self.text([node.exc], scope)):
            self.fault("raises because of a clock", node)

    def bind(self, target, value, scope):
        """Assign to a name, to the parts of a tuple, or into a container."""
        value = joined(value, clock=self.under)
        if isinstance(target, ast.Name):
            scope.names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            self.bind_parts(target.elts, value, scope)
        elif isinstance(target, (ast.Subscript, ast.Attribute)):
            container = self.value(target.value, scope)
            if isinstance(target, ast.Subscript) and container.keys:
                container.keys = joined(container.keys, self.value(target.slice, scope))
            container.take(value)

    def bind_parts(self, targets, value, scope):
        star = next((i for i, part in enumerate(targets) if isinstance(part, ast.Starred)), len(targets))
        for i, part in enumerate(targets[:star]):
            self.bind(part, value.at(i), scope)
        for i, part in enumerate(targets[star + 1 :], star + 1 - len(targets)):
            self.bind(part, value.at(i), scope)
        if star < len(targets):
            end = star + 1 - len(targets)
            middle = value.fields[star : end or None] if value.fields is not None else None
            rest = Value(value.clock, items=None if middle else value.contents(), fields=middle)
            self.bind(targets[star].value, rest, scope)

    # Expressions

    def value(self, node, scope):
        if handler := getattr(self, f"of_{type(node).__name__.lower()}", None):
            return handler(node, scope)
        return Value(
            deep(*self.values([n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)], scope))
        )

    def values(self, nodes, scope):
        return [self.value(node, scope) for node in nodes]

    def of_name(self, node, scope):
        found = scope.find(node.id)
        return Value(name=node.id if hasattr(builtins, node.id) else "") if found is None else found

    def of_namedexpr(self, node, scope):
        value = self.value(node.value, scope)
        self.bind(node.target, value, scope)
        return value

    def of_starred(self, node, scope):
        return self.value(node.value, scope).element()

    def of_tuple(self, node, scope):
        stars = [self.value(part.value, scope) for part in node.elts if isinstance(part, ast.Starred)]
        parts = self.values(node.elts, scope)
        return listed(joined(*parts), max(v.clock for v in stars)) if stars else Value(fields=parts)

    of_list = of_set = of_tuple

    def of_dict(self, node, scope):
        pairs = list(zip(node.keys, node.values, strict=True))
        spread = self.values([value for key, value in pairs if key is None], scope)
        keys = self.values([key for key, _ in pairs if key is not None], scope)
        values = self.values([value for key, value in pairs if key is not None], scope)
        return joined(Value(keys=joined(*keys), items=joined(*values) if values else None), *spread)

    def of_subscript(self, node, scope):
        container, index = self.value(node.value, scope), deep(self.value(node.slice, scope))
        if isinstance(node.slice, ast.Slice):
            return Value(max(container.clock, index), items=container.contents())
        number = None
        with suppress(ValueError):
            number = ast.literal_eval(node.slice)
        return joined(container.at(number), clock=index)

    def of_attribute(self, node, scope):
        base = self.value(node.value, scope)
        if node.attr in KINDS.get(base.kind, ()):
            return joined(made(KINDS[base.kind][node.attr]), clock=base.clock)
        if base.name and not base.clock:
            return imported(f"{base.name}.{node.attr}")
        if node.attr in TIMES:
            return made("clock")
        return made("relation") if node.attr == "faster" else Value(deep(base))

    def of_compare(self, node, scope):
        *values, last = self.values((node.left, *node.comparators), scope)
        if all(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            return Value(max(v.clock for v in (*values, last)))
        if all(isinstance(op, (ast.In, ast.NotIn)) for op in node.ops):
            return Value(max(last.clock, deep(*values, last.keys or last)))
        return Value(truth(*values, last))

    def of_unaryop(self, node, scope):
        value = self.value(node.operand, scope)
        return Value(truth(value) if isinstance(node.op, ast.Not) else deep(value))

    def of_boolop(self, node, scope):
        values = self.values(node.values, scope)
        return joined(*values, clock=truth(*values))

    def of_ifexp(self, node, scope):
        return joined(
            *self.values((node.body, node.orelse), scope), clock=truth(self.value(node.test, scope))
        )

    def of_binop(self, node, scope):
        if is_text(node):
            return Value(self.text([node], scope))
        left, right = self.values((node.left, node.right), scope)
        if isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant) and is_text(node.left):
            return Value(deep(right) if has_place_outside(node.left.value, "%") else 0)
        if left.inside() and not isinstance(
            node.op, (ast.Div, ast.Sub)
        ):  # two containers, or one and a number
            return joined(left, right if right.inside() else None, clock=0 if right.inside() else deep(right))
        return Value(deep(left, right))

    def of_joinedstr(self, node, scope):
        return Value(self.text([node], scope))

    def of_lambda(self, node, scope):
        return Value(functions=(Function(node, scope),))

    def of_yield(self, node, scope):
        value = self.value(node.value, scope) if node.value else Value()
        self.returned[-1].append(listed(value, self.under))
        return Value()

    def of_listcomp(self, node, scope):
        inner, clock = self.generators(node, scope)
        return listed(self.value(node.elt, inner), clock)

    of_setcomp = of_generatorexp = of_listcomp

    def of_dictcomp(self, node, scope):
        inner, clock = self.generators(node, scope)
        return Value(clock, keys=self.value(node.key, inner), items=self.value(node.value, inner))

    def generators(self, node, scope):
        """The scope of a comprehension, and how far it depends on a clock which elements there are."""
        inner, clock = Scope(parent=scope), 0
        for generator in node.generators:
            iterated = self.value(generator.iter, inner)
            self.bind(generator.target, iterated.element(), inner)
            clock = max(clock, iterated.clock, truth(*self.values(generator.ifs, inner)))
        return inner, clock

    def text(self, nodes, scope):
        """How far a text of these parts, one after the other, depends on a clock outside ⟨ ⟩."""
        depth, depends = 0, 0
        for part in itertools.chain.from_iterable(map(parts, nodes)):
            if isinstance(part, str):
                depth += part.count("⟨") - part.count("⟩")
            else:
                seen = shown(self.value(part, scope))
                depends = max(depends, 0 if depth > 0 else seen)
        return depends

    # Calls

    def of_call(self, node, scope):
        callee = self.value(node.func, scope)
        if callee.name in (
            "print",
            "display",
            "IPython.display.display",
            "sys.stdout.write",
            "warnings.warn",
        ):
            return self.printed(node, scope)
        if callee.name.endswith("lens.figures.show"):
            return self.drawn(node, scope)
        args = self.values(node.args, scope)
        options = {option.arg: self.value(option.value, scope) for option in node.keywords}
        if callee.kind.endswith("figure"):
            self.figure(node, JUDGED if callee.kind.startswith("judged") else CLOCK, args)
            return Value()
        if callee.kind == "printed clock":
            self.fault("prints what a clock said", node)
            return Value()
        if callee.name in MAKERS:
            self.unknown(callee, args, options)  # for what a function prints that is handed over
            return made(MAKERS[callee.name])
        if callee.kind == "relation" and deep(*args, *options.values()):
            self.fault("asks for what a clock said", node)
        if callee.functions:
            return joined(*(self.called(function, args, options) for function in callee.functions))
        if callee.name.startswith("numba.") and len(args) == 1 and args[0].functions:
            return args[0]  # compiled, it is the same function
        if callee.name in BUILTINS:
            return BUILTINS[callee.name](self, args, options)
        if callee.name.startswith("numba_course.exercises"):  # they judge an answer by clocks of their own
            return Value()
        if callee.name.startswith("numba_course.predict."):
            self.compared(node, args)
            return Value()
        if callee.kind or (callee.inside() and not callee.clock):
            return callee  # a method, whose attribute says what it gives
        return (
            self.method(node, args, options, scope)
            if isinstance(node.func, ast.Attribute)
            else self.unknown(callee, args, options)
        )

    def compared(self, node, args):
        """A call of a prediction's outcome, whose card has a measured number in brackets, and nothing else."""
        number = (ast.Call, ast.BinOp, ast.Subscript)
        if deep(*args) and not all(isinstance(given, number) for given in node.args):
            self.fault("compares a prediction with what a clock said, and not with a number", node)

    def printed(self, node, scope):
        spaces = [option.value for option in node.keywords if option.arg in ("sep", "end")]
        if self.text([*node.args, *spaces], scope) or self.under:
            self.fault("prints what a clock said", node)
        return Value()

    def drawn(self, node, scope):
        """A call of `figures.show`."""
        axes, (draw, alt, *others) = Value(), node.args
        drawing = self.value(draw, scope)
        results = [self.called(function, [axes], {}) for function in drawing.functions]
        if self.text([alt], scope):
            self.fault("says of a figure what a clock said", alt)
        given = [
            self.value(other.value if isinstance(other, ast.Starred) else other, scope) for other in others
        ]
        self.figure(node, deep(axes, drawing, *results), given)
        return Value()

    def figure(self, node, depends, given):
        related = any(map(states, given))
        if depends and not related:
            self.fault("draws what a clock said, and states no relation", node)
        if depends == CLOCK and related:
            self.fault("draws another measurement than the one that its relation has judged", node)

    def called(self, function, args, options):
        """What a function of the chapter returns for these arguments; what it prints is noted."""
        if function.node in self.active:
            return Value(deep(*args, *options.values()))
        inner = Scope(self.arguments(function, args, options), function.scope)
        self.active.append(function.node)
        self.returned.append([])
        if isinstance(function.node, ast.Lambda):
            self.returned[-1].append(self.value(function.node.body, inner))
        else:
            self.block(function.node.body, inner)
        self.active.pop()
        return joined(*self.returned.pop())

    def arguments(self, function, args, options):
        """The names of its parameters, with what they stand for in this call."""
        spec, scope = function.node.args, function.scope
        names = [arg.arg for arg in (*spec.posonlyargs, *spec.args)]
        given = {name: Value() for name in (*names, *(arg.arg for arg in spec.kwonlyargs))}
        given |= dict(zip(names[::-1], self.values(spec.defaults[::-1], scope), strict=False))
        for arg, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
            given |= {arg.arg: self.value(default, scope)} if default else {}
        given |= dict(zip(names, args, strict=False)) | {name: v for name, v in options.items() if name}
        if spec.vararg:
            given[spec.vararg.arg] = Value(fields=args[len(names) :])
        if spec.kwarg:
            given[spec.kwarg.arg] = Value(keys=Value(), items=joined(*options.values()))
        return given

    def method(self, node, args, options, scope):
        """A call ``base.attr(...)`` of something that is neither the chapter's nor an instrument's."""
        base, attr, given = self.value(node.func.value, scope), node.func.attr, [*args, *options.values()]
        if attr == "format" and isinstance(node.func.value, ast.Constant):
            return Value(deep(*given) if has_place_outside(node.func.value.value, "{") else 0)
        if attr == "join" and args:
            return Value(shown(*args))
        if attr in ("items", "keys", "values") and base.keys:
            values = base.items or Value()
            each = {"items": Value(fields=[base.keys, values]), "keys": base.keys, "values": values}[attr]
            return listed(each, base.clock)
        if attr == "copy" and base.inside():
            return replace(base)
        if attr in ("get", "pop", "popleft", "setdefault") and base.inside():
            base.items = joined(base.items, *args[1:]) if attr == "setdefault" else base.items
            return joined(base.contents(), *args[1:])
        result = self.unknown(self.value(node.func, scope), args, options)
        if base.name.startswith("matplotlib.pyplot"):
            self.figure(node, deep(*given), [])
        elif not base.name:
            self.added(base, attr, given, result)
        return result

    def added(self, base, attr, given, result):
        """What a method may leave in the thing that it belongs to."""
        if attr in FIRST_ADDED:
            base.take(joined(*given, clock=self.under))
        elif attr in ALL_ADDED:
            base.take(joined(*(v.element() for v in given), clock=self.under))
            base.clock = max(base.clock, *(v.clock for v in given), 0)
        elif depends := max(deep(*given, result), self.under):
            base.take(Value(depends))

    def unknown(self, callee, args, options):
        """A call that is not followed: its result comes from a clock if anything that goes in does."""
        values = [callee, *args, *options.values()]
        results = [self.called(function, [], {}) for v in values for function in v.functions]
        return Value(deep(*values, *results))

    def applied(self, function, *args):
        """What a function gives that is handed to another one."""
        if function.functions:
            return joined(*(self.called(each, list(args), {}) for each in function.functions))
        if function.name in BUILTINS:
            return BUILTINS[function.name](self, list(args), {})
        return Value(deep(function, *args))


def faults(sources):
    """For each of the sources of a notebook's code cells, in order, what it says because of a clock."""
    reader = Reader()
    return [reader.cell(source) for source in sources]
