"""What travels to a child arrives as it was defined: what Numba makes of functions of a cell, and what they name."""

import ctypes
import functools
import importlib
import pickle
import subprocess
import sys
import types

import numpy as np
import pytest

from numba_course.process import sandbox
from numba_course.process.pickling import dumps
from tests.cells import run_cell

pytestmark = pytest.mark.load

HEAD = """
import numpy as np
from numba import cfunc, guvectorize, njit, objmode, stencil, typed, types, vectorize
from numba.experimental import jitclass, structref
from numba.extending import intrinsic, overload, overload_attribute, overload_method, register_jitable

factor = 2.0
"""
# Cells that define a function `double`, of an array.
KINDS = {
    "object mode": """
@njit
def double(values):
    with objmode(out="float64[:]"):
        out = np.multiply(values, 2)
    return out
""",
    "overload": """
def twice(x): ...

@overload(twice)
def of_twice(x):
    return lambda x: factor * x

@njit
def double(values):
    return twice(values)
""",
    "overloads of Numba's types": """
@overload_method(types.Array, "times")
def of_times(array, by):
    return lambda array, by: array * by

@overload_attribute(types.Array, "its_factor")
def of_its_factor(array):
    return lambda array: factor

@njit
def double(values):
    return values.times(values.its_factor)
""",
    "register_jitable": """
@register_jitable
def twice(x):
    return factor * x

@njit
def double(values):
    return twice(values)
""",
    "stencil": """
@stencil(neighborhood=((0, 0),))
def twice(values):
    return factor * values[0]

@njit
def double(values):
    return twice(values)
""",
    "callback": """
@njit
def inner(x):
    return factor * x

@cfunc("float64(float64)")
def twice(x):
    return inner(x)

@njit
def double(values):
    return np.array([twice(value) for value in values])
""",
    "compiled at once, and calls itself": """
@njit("int64(int64)")
def length(n):
    return 0 if n == 0 else 1 + length(n - 1)

@njit
def double(values):
    return values * 2 * length(values.size) / values.size
""",
    "calls itself with a default": """
@njit
def length(n, so_far=0):
    return so_far if n == 0 else length(n - 1, so_far + 1)

@njit
def double(values):
    return values * 2 * length(values.size) / values.size
""",
    "compiled at once in the order of the cell": """
@njit("float64(float64)")
def grown(x):
    return x * 4611686018427387904 * 4  # 0 where x is an integer

@njit("float64(int64)")
def grows(n):
    return grown(n) > 0

@njit
def double(values):
    return values * 2 * grows(1)
""",
    "jitclass that makes itself": """
@jitclass([("x", types.float64)])
class Box:
    def __init__(self, x):
        self.x = x

    def twice(self):
        return Box(factor * self.x)

@njit
def double(values):
    return np.array([Box(value).twice().x for value in values])
""",
    "intrinsic": """
@intrinsic(prefer_literal=True)
def twice(typing_context, x):
    def generate(context, builder, signature, args):
        return builder.fadd(args[0], args[0])
    return types.float64(types.float64), generate

@njit
def double(values):
    return np.array([twice(value) for value in values])
""",
    "ufuncs": """
@njit
def inner(x):
    return factor * x

@vectorize(["float64(float64)"])
def twice(x):
    return inner(x)

@vectorize
def same(x):
    return 1.0 * x

@guvectorize(["void(float64[:], float64[:])"], "(n)->(n)")
def copied(values, out):
    out[:] = same(values)

@njit
def double(values):
    out = np.empty_like(values)
    copied(twice(values), out)
    return out
""",
    "closures that share a name": """
def made():
    @njit
    def length(n):
        return 0 if n == 0 else 1 + length(n - 1)

    def double(values):
        return values * 2 * length(values.size) / values.size

    return double

double = made()
""",
    "wraps": """
import functools

@njit
def inner(values):
    return factor * values

@functools.wraps(inner)
def double(values):
    return inner(values)
""",
    "cffi": """
import cffi

ffi = cffi.FFI()
ffi.cdef("double fabs(double x); double ceil(double x);")
fabs, library = ffi.dlopen(None).fabs, ffi.dlopen(None)
ceil = library.ceil

@njit
def double(values):
    return np.array([ceil(fabs(-factor)) * value for value in values])
""",
    "what is new in each process": """
import threading, weakref
from concurrent.futures import ThreadPoolExecutor

lock, condition, pool = threading.RLock(), threading.Condition(), ThreadPoolExecutor(1)
kept = njit(lambda values: factor * values)
known, reference, gone = weakref.WeakValueDictionary(kept=kept), weakref.ref(kept), weakref.ref(set())

def double(values):
    with lock, condition:
        assert list(known.values()) == [kept] == [reference()] and gone() is None
        return pool.submit(kept, values).result()
""",
    "keys that are hashed as they arrive": """
class Key:
    def __init__(self, name):
        self.name = name

    def __hash__(self):
        return int(factor) + len(np.array([self.name]))

    def __eq__(self, other):
        return self.name == other.name

table = {Key("two"): 2}

def double(values):
    return values * table[Key("two")]
""",
    "structref": """
@structref.register
class PairType(types.StructRef):
    pass

class Pair(structref.StructRefProxy):
    @property
    def left(self):
        return left(self)

@njit
def left(pair):
    return pair.left

structref.define_proxy(Pair, PairType, ["left", "right"])

@overload_method(PairType, "times")
def of_times(pair, x):
    return lambda pair, x: x * pair.right

@njit
def inner(values):
    return Pair(1.0, factor).times(values)

def double(values):
    return inner(values) * Pair(1.0, 2.0).left
""",
    "callback as ctypes has it": """
@cfunc("float64(float64)")
def twice(x):
    return factor * x

c_twice = twice.ctypes

@njit("float64(float64)")
def of_one(x):
    return c_twice(x)

def double(values):
    return np.array([of_one(value) + c_twice(value) for value in values]) / 2
""",
    "typed containers": """
@njit("float64(float64)")
def twice(x):
    return factor * x

functions, never_filled = typed.List.empty_list(types.FunctionType(twice.nopython_signatures[0])), typed.List()
functions.append(twice)

def double(values):
    return np.array([functions[0](value) for value in values]) + len(never_filled)
""",
    "attributes of a compiled function": """
@njit
def inner(values):
    return factor * values

inner.shift, inner.again = 0, inner

def double(values):
    return inner.again(values) + inner.shift
""",
    "metaclass": """
made = []

class Meta(type):
    def __new__(kind, name, bases, names, /, by):
        return super().__new__(kind, name, bases, names)

    def __init__(self, name, bases, names, /, by):
        super().__init__(name, bases, names)
        self.by = by
        made.append(self)

class Times(metaclass=Meta, by=2):
    pass

times = Times()

def double(values):
    return values * times.by * len(made)
""",
    "__init_subclass__": """
class Base:
    made = []

    def __init_subclass__(cls, *, by, **more):
        super().__init_subclass__(**more)
        cls.by = by
        Base.made.append(cls)

class Times(Base, by=2):
    pass

def double(values):
    return values * Times.by * len(Base.made)
""",
    "dictionaries and lists of their own kind": """
class Tripled(dict):
    def __setitem__(self, key, value):
        super().__setitem__(key, 3 * value)

class Counting(list):
    def append(self, value):
        super().append(value)
        self.appended = getattr(self, "appended", 0) + 1

tripled, counting = Tripled(), Counting()
tripled["x"] = 1
counting.append(3)

def double(values):
    return values * 2 * (tripled["x"] == counting[0]) * counting.appended
""",
    "exceptions with arguments of their own": """
class Wrong(ValueError):
    def __init__(self, *, factor):
        super().__init__("wrong")
        self.factor = factor

wrong = Wrong(factor=2)

def double(values):
    return values * wrong.factor * (wrong.args == ("wrong",))
""",
    "arrays with attributes": """
class Scaled(np.ndarray):
    factor = 1

    def __array_finalize__(self, array):
        super().__array_finalize__(array)
        self.made_of = type(array).__name__

scaled = np.ones(1).view(Scaled)
scaled.factor = 2

def double(values):
    return values * scaled.factor * (scaled.made_of == "ndarray")
""",
    "method of a ufunc": """
@vectorize
def plus(x, y):
    return x + y

plus(1.0, 2.0)
summed = plus.reduce

def double(values):
    return (summed(np.stack([values, values])) + plus.reduce(np.stack([values, values]))) / 2
""",
}
# What a session cannot give away, as `kept`, and what is said of it.
KEPT = {
    "def numbers():\n    yield 1\n\nkept = numbers()": "an object of type 'generator' stays",
    "@njit\ndef numbers():\n    yield 1\n\nkept = numbers()": "an object of type '_dynfunc._Generator' stays",
    "@jitclass([('x', types.int64)])\nclass Box:\n    def __init__(self):\n        self.x = 1\n\nkept = [Box()]": (
        "an instance of the jitclass 'Box' stays"
    ),
    "import ctypes\nkept = ctypes.pointer(ctypes.c_int(1))": "an object of type '.*LP_c_int' stays",
    "import contextvars\nkept = contextvars.ContextVar('x')": "an object of type '_contextvars.ContextVar' stays",
    "import sys\nkept = sys.__stderr__.buffer": "an open file stays",
    """
from numba.extending import typeof_impl

class Kept:
    pass

@typeof_impl.register(Kept)
def typeof_kept(value, context):
    return types.int64

kept = Kept()
""": "what Numba was told about 'Kept' by its low-level interface stays",
}


def after(contents):
    """In the child: load each function and call it, one after the other, since each fills ``__main__``."""
    results = {}
    for kind, content in contents.items():
        try:
            results[kind] = pickle.loads(content)(np.arange(3.0)).tolist()
        except Exception as error:
            results[kind] = f"{type(error).__name__}: {error}"
        yield kind
    return results


def sent(value):
    """Bytes, or the error that says why there are none."""
    try:
        return dumps(value)
    except Exception as error:
        return pickle.dumps(error)


@pytest.mark.skipif(sys.platform == "win32", reason="C's functions are in a library of another name there")
def test_what_a_cell_defines_arrives_whatever_numba_makes_of_it():
    contents = {kind: sent(run_cell(HEAD + text)["double"]) for kind, text in KINDS.items()}
    outcome = sandbox.run(after, contents, seconds=60)
    assert outcome.value == {kind: [0.0, 2.0, 4.0] for kind in KINDS}, outcome


@pytest.mark.parametrize("text", KEPT)
def test_what_stays_is_told(text):
    names = run_cell(HEAD + text + "\n\ndef double(values):\n    return kept\n")
    with pytest.raises(pickle.PicklingError, match=KEPT[text] + " .*; (make|open|put) it in"):
        dumps(names["double"])


MODULE = """
import math
from numba import njit
from numba.extending import overload

@overload(math.dist)
def of_dist(a, b):
    return lambda a, b: abs(a - b)

@njit
def is_even(n):
    return True if n == 0 else is_odd(n - 1)

@njit
def is_odd(n):
    return False if n == 0 else is_even(n - 1)

@njit
def double(values):
    return values * math.dist(3, 1) * is_even(10)

def made():
    @njit
    def even(n):
        return True if n == 0 else odd(n - 1)

    @njit
    def odd(n):
        return False if n == 0 else even(n - 1)

    return even
"""


def test_functions_of_a_module_find_what_it_registers_and_each_other(tmp_path, monkeypatch):
    (tmp_path / "found_registrations.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("found_registrations")
    assert sandbox.run(call, module.double, np.arange(3.0), seconds=60).value.tolist() == [0.0, 2.0, 4.0]
    outcome = sandbox.run(call, module.made(), 10, seconds=60)  # the child has no other use for the module
    assert outcome.value is True, outcome
    del sys.modules["found_registrations"]


def test_a_module_that_registers_what_nobody_calls_is_not_imported(tmp_path, monkeypatch):
    """A module may do anything as it is imported: compile, above all."""
    (tmp_path / "found_registrations.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("found_registrations")
    names = run_cell(
        HEAD + "import sys\n\ndef double(values):\n    return 'found_registrations' in sys.modules\n"
    )
    assert sandbox.run(call, names["double"], 0).value is False
    del sys.modules["found_registrations"]


def test_numba_is_not_sent_where_the_session_has_lost_its_path(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    content = dumps(run_cell(HEAD + "@njit\ndef double(values):\n    return np.abs(values)\n")["double"])
    assert len(content) < 10_000


def call(function, *args):
    return function(*args)


def test_a_dispatcher_keeps_its_options_and_its_signatures_and_no_machine_code():
    f = run_cell(HEAD + "@njit('float64(float64)', fastmath=True)\ndef f(x):\n    return x\n")["f"]
    assert sandbox.run(
        lambda f: (str(f.signatures), f.targetoptions["fastmath"], f._can_compile), f
    ).value == (
        str(f.signatures),
        True,
        False,
    )
    lazy = run_cell(HEAD + "@njit\ndef f(x):\n    return x\n\nf(1)\n")["f"]
    assert sandbox.run(lambda f: f.signatures, lazy).value == []


def test_functions_of_one_session_share_its_names():
    names = run_cell(
        "count = 0\n\ndef more():\n    global count\n    count += 1\n\ndef double():\n    more()\n    return count\n"
    )
    assert sandbox.run(call, names["double"]).value == 1


def test_a_module_that_the_child_would_not_find_is_sent(tmp_path, monkeypatch):
    twice = "def twice(x):\n    return factor * x\n"
    doubles = "class Doubles:\n    def __call__(self, x):\n        return twice(x)\n"
    module = types.ModuleType("lost_helpers")
    exec(f"factor = 2\n\n{twice}\n{doubles}", vars(module))
    monkeypatch.setitem(sys.modules, "lost_helpers", module)
    names = run_cell(
        "import lost_helpers\nfrom lost_helpers import Doubles, twice\n\n"
        "def double(x):\n    return lost_helpers.twice(x), twice(x), Doubles()(x)\n"
    )
    assert sandbox.run(call, names["double"], 3).value == (6, 6, 6)


def test_a_module_beside_the_notebook_is_imported(tmp_path, monkeypatch):
    (tmp_path / "found_helpers.py").write_text("def where():\n    return __file__\n")
    monkeypatch.syspath_prepend(tmp_path)
    names = run_cell("from found_helpers import where\n\ndef double():\n    return where()\n")
    assert sandbox.run(call, names["double"]).value == str(tmp_path / "found_helpers.py")
    del sys.modules["found_helpers"]


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="where a library was loaded to is told by Linux"
)
def test_what_gives_numba_the_address_of_a_c_function_gives_it_in_the_child():
    cell = """
import ctypes
from numba import njit, types

address = ctypes.cast(ctypes.CDLL(None).labs, ctypes.c_void_p).value

class Absolute(types.WrapperAddressProtocol):
    def __wrapper_address__(self):
        return address

    def signature(self):
        return types.intp(types.intp)

absolute = Absolute()

@njit
def used(x):
    return absolute(x)
"""
    used = run_cell(cell)["used"]
    outcome = sandbox.run(lambda packed: pickle.loads(packed)(-3), dumps(used), seconds=60)
    assert outcome.value == 3


def test_c_functions_known_by_their_address_alone_are_refused():
    import cffi

    ffi = cffi.FFI()
    with pytest.raises(pickle.PicklingError, match="cffi knows this value by its address alone"):
        dumps(ffi.cast("int *", 8))
    function = ctypes.CFUNCTYPE(ctypes.c_long)(lambda: 0)
    with pytest.raises(pickle.PicklingError, match="ctypes knows a C function by its address alone"):
        dumps(function)


def test_what_is_remembered_stays():
    names = run_cell(
        "import functools\n\n@functools.cache\ndef f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)\n"
    )
    names["f"](20)
    assert sandbox.run(lambda f: (f.cache_info().currsize, f(60)), names["f"]).value == (0, 1548008755920)


def test_sending_plain_functions_loads_no_numba():
    code = (
        "import sys; from numba_course.process.pickling import dumps; "
        "dumps(lambda x: x); print([m for m in ('numba', 'cffi') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "[]\n"


def test_a_partial_of_what_is_compiled_arrives():
    names = run_cell(HEAD + "import functools\ndouble = functools.partial(njit(lambda a, b: a * b), 2.0)\n")
    assert isinstance(names["double"], functools.partial)
    assert sandbox.run(call, names["double"], 4.0).value == 8.0
