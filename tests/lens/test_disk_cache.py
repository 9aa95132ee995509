"""cache: files, hits and staleness in real second processes, and looking leaves no trace."""

import importlib
import json
import linecache
import os
import pickle
import re
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path

import numba
import numpy as np
import pytest
from numba import njit
from numba.core.caching import InTreeCacheLocator

from numba_course.lens.disk_cache import Cache, CacheEntry, Dependency, cache

DEPENDENCY = """
    import numpy as np
    from numba import njit
    K = 10
    TABLE = np.arange(2000.0).reshape(2, 1000)
    INNER = 5

    @njit
    def g(x):
        return x + INNER
    """
MODULE = """
    import math
    import os
    import numpy as np
    from math import pi
    from numba import njit
    import dependency
    from dependency import K, TABLE, g
    SCALE = -2
    SHIFT = int(os.environ.get("SHIFT", "7"))

    @njit
    def beside(x):
        return x - 1

    @njit(cache=True)
    def f(x):
        if x < 0:
            return f(-x)
        return beside(g(x)) * SCALE + K + SHIFT + TABLE[1, 0] + dependency.K + math.pi + pi + np.e

    @njit(cache=True)
    def alone(x):
        return beside(x) * SCALE

    @njit
    def uncached(x):
        return g(x)
    """
REPORT = """
    import json, sys
    sys.path.insert(0, sys.argv[1])
    import module
    from numba_course.lens.disk_cache import cache
    fn = getattr(module, sys.argv[2])
    fn(3)
    found = cache(fn)
    print(json.dumps({
        "hits": found.hits, "misses": found.misses, "stale": found.stale, "at_risk": found.at_risk,
        "use": [e.use for e in found.entries], "usable": [e.usable for e in found.entries],
        "files": [d.file and d.file.rpartition("/")[2] for d in found.dependencies],
    }))
    """
AT_RISK = ["g", "g → INNER", "K", "SHIFT", "TABLE", "dependency.K"]


def write(folder, name, text):
    (folder / name).write_text(textwrap.dedent(text))


@pytest.fixture
def laboratory(tmp_path):
    write(tmp_path, "dependency.py", DEPENDENCY)
    write(tmp_path, "module.py", MODULE)
    return tmp_path


def second_process(folder, name="f", **environment):
    """What `cache` finds in a fresh process, after one call."""
    command = [sys.executable, "-B", "-c", textwrap.dedent(REPORT), str(folder), name]
    env = {**os.environ, **environment}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_miss_then_hit_then_stale(laboratory):
    first = second_process(laboratory)
    assert (first["hits"], first["misses"], first["use"], first["usable"]) == (0, 1, ["miss"], [True])
    assert first["stale"] == [] and first["at_risk"] == AT_RISK
    assert first["files"] == ["dependency.py"] * 3 + ["module.py"] + ["dependency.py"] * 2
    second = second_process(laboratory)
    assert (second["hits"], second["misses"], second["use"]) == (1, 0, ["hit"])
    assert second["stale"] == []

    write(laboratory, "dependency.py", DEPENDENCY.replace("K = 10", "K = 11"))
    edited = second_process(laboratory, SHIFT="8")
    assert (edited["hits"], edited["misses"]) == (1, 0)
    # What `f` uses by name is compared by value; of g and dependency.K only the age of the file is known.
    assert edited["stale"] == ["g", "g → INNER", "K", "SHIFT", "dependency.K"]


@pytest.fixture
def module(laboratory, monkeypatch):
    monkeypatch.syspath_prepend(laboratory)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in ("module", "dependency"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module("module")
    for name in ("module", "dependency"):
        sys.modules.pop(name)


def test_only_the_age_of_a_callees_file_is_known(module, laboratory):
    module.f(3)
    touch(laboratory / "dependency.py")
    assert cache(module.f).stale == ("g", "g → INNER", "dependency.K")  # a touch only: the docstring says so
    write(laboratory, "dependency.py", DEPENDENCY.replace("+ INNER", "- INNER"))
    os.utime(laboratory / "dependency.py", (1, 1))
    assert cache(module.f).stale == ()  # an edit, yet not detected: the docstring says so


def touch(path):
    """Give the file a time after that of any cached code: the clock of a file system may be coarse."""
    os.utime(path, (time.time() + 60,) * 2)


def test_a_function_whose_callees_are_in_its_own_file_is_never_at_risk(module, laboratory):
    module.alone(3)
    touch(laboratory / "module.py")
    assert cache(module.alone).at_risk == ()


def test_a_folder_that_the_user_names(module, tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "named"))
    fn = njit(cache=True)(module.uncached.py_func)
    fn(3)
    found = cache(fn)
    assert found.index.startswith(str(tmp_path / "named")) and [e.use for e in found.entries] == ["miss"]


def test_a_source_folder_that_cannot_be_written(module, tmp_path, monkeypatch):
    (tmp_path / "__pycache__").rmdir()
    (tmp_path / "__pycache__").write_text("a file where the folder should be")
    for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    fn = njit(cache=True)(module.uncached.py_func)
    fn(3)
    found = cache(fn)
    assert found.index.startswith(str(tmp_path / "home")) and Path(found.index).exists()


EVERYTHING = """
    import ctypes
    import enum
    import numpy as np
    from numba import guvectorize, njit, types
    from numba.experimental import jitclass
    from numba.extending import overload, overload_method, register_jitable

    class Colour(enum.IntEnum):
        RED = 1

    class Shape(enum.Enum):
        ROUND = 1

    KIND = np.float32
    FACTOR = 1
    c_abs = ctypes.CDLL(None).abs
    c_abs.argtypes, c_abs.restype = [ctypes.c_int], ctypes.c_int

    @jitclass([("side", types.float64)])
    class Box:
        def __init__(self, side):
            self.side = side

        def area(self):
            return self.side * FACTOR

    @njit
    def times(x):
        return x * FACTOR

    @njit
    def one(x):
        return times(x)

    OPERATIONS = (one,)

    def scaled(x):
        raise NotImplementedError

    @overload(scaled)
    def compiled_scaled(x):
        return lambda x: x * FACTOR

    @overload(len)
    def length_of_number(x):
        return (lambda x: x * FACTOR) if isinstance(x, types.Integer) else None

    @overload_method(types.Integer, "scale")
    def number_scale(x):
        return lambda x: x * FACTOR

    @overload_method(types.Array, "scale")
    def array_scale(x):
        return lambda x: x * FACTOR

    @register_jitable
    def jitable(x):
        return x * FACTOR

    @guvectorize(["int64[:], int64[:]"], "(n)->(n)")
    def general(values, out):
        out[0] = values[0] * FACTOR
    """
USER = """
    import numpy as np
    from numba import njit
    import everything
    from everything import FACTOR, KIND, OPERATIONS, Box, Colour, c_abs, general, jitable, one, scaled
    TABLE = np.zeros(200_000)

    def made(k):
        return njit(lambda x: x * k)

    inner = made(FACTOR)

    @njit(cache=True)
    def colour(x):
        return Colour.RED + x

    @njit(cache=True)
    def shape(x):
        return everything.Shape.ROUND.value + x

    @njit(cache=True)
    def kind(x):
        return np.empty(1, KIND).nbytes

    @njit(cache=True)
    def method(x):
        return Box(x).area()

    @njit(cache=True)
    def in_a_tuple(x):
        return OPERATIONS[0](x)

    @njit(cache=True)
    def closure(x):
        return inner(x)

    @njit(cache=True)
    def overloaded(x):
        return scaled(x)

    @njit(cache=True)
    def builtin(x):
        return len(x)

    @njit(cache=True)
    def attribute(x):
        return x.scale()

    @njit(cache=True)
    def registered(x):
        return jitable(x)

    @njit(cache=True)
    def gufunc(x):
        out = np.empty(1, np.int64)
        general(np.full(1, x), out)
        return out[0]

    @njit(cache=True)
    def c_function(x):
        return c_abs(x)

    @njit(cache=True)
    def large(x):
        return TABLE[x]

    @njit(cache=True)
    def of_function(x, f=one):
        return f(x)

    @njit(cache=True)
    def of_default(x, table=np.ones(1)):
        return x

    @njit(cache=True)
    def of_box(x, box=None):
        return x

    @njit("int64(int64)", cache=True)
    def eager(x):
        return x
    """
REPORT_ALL = """
    import json, sys, warnings
    sys.path.insert(0, sys.argv[1])
    warnings.simplefilter("ignore")
    import user
    from numba_course.lens.disk_cache import cache
    found = {}
    for name, fn in vars(user).items():
        if getattr(fn, "__module__", "") == "user" and getattr(fn, "_cache", None) and fn._cache.cache_path:
            result = fn(1, user.Box(1.0)) if name == "of_box" else fn(1, user.one) if name == "of_function" else fn(1)
            seen = cache(fn)
            entries = [(e.signature, e.use, e.usable) for e in seen.entries]
            found[name] = result, seen.hits, entries, seen.at_risk, seen.stale, seen.problem, repr(seen)
    print(json.dumps(found))
    """
# Edits of everything.py, each of which plain Python would follow, and the functions that do not.
EDITS = {"RED = 1": "RED = 2", "ROUND = 1": "ROUND = 2", "float32": "float64", "FACTOR = 1": "FACTOR = 2"}
AT_RISK_OF = {
    "colour": ["Colour.RED"],
    "shape": ["everything.Shape.ROUND"],
    "kind": ["KIND"],
    "method": ["Box", "Box → FACTOR"],
    "in_a_tuple": ["OPERATIONS", "OPERATIONS → times", "OPERATIONS → times → FACTOR"],
    "closure": ["inner → k"],
    "overloaded": ["scaled → compiled_scaled", "scaled → compiled_scaled → FACTOR"],
    "builtin": ["len → length_of_number", "len → length_of_number → FACTOR"],
    "attribute": [".scale → number_scale", ".scale → number_scale → FACTOR"],
    "registered": ["jitable", "jitable → FACTOR"],
}
AN_OBJECT = "is never hit by another process: it is another object there"


@pytest.mark.skipif(sys.platform == "win32", reason="C's functions are in a library of another name there")
def test_what_other_files_define_is_compiled_in_and_not_watched_whatever_it_is(tmp_path):
    def processes():
        command = [sys.executable, "-B", "-c", textwrap.dedent(REPORT_ALL), str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    write(tmp_path, "user.py", USER)
    write(tmp_path, "everything.py", EVERYTHING)
    first = processes()
    edited = EVERYTHING
    for old, new in EDITS.items():
        assert old in edited
        edited = edited.replace(old, new)
    write(tmp_path, "everything.py", edited)
    touch(tmp_path / "everything.py")
    second = processes()

    for name, at_risk in AT_RISK_OF.items():
        result, hits, entries, risk, stale, problem, _ = second[name]
        assert (result, hits, problem) == (first[name][0], 1, ""), name  # the old answer
        assert [use for _, use, _ in entries] == ["hit"]
        assert first[name][3:5] == [at_risk, []] and risk == at_risk, name
        # Of what a closure holds nothing is known: neither its value in the cache nor the file it comes from.
        assert stale == ([] if name == "closure" else at_risk), name
    # Which of two gufuncs of one name in machine code is run, the old one or the new one, is left open.
    assert second["gufunc"][1] == 1 and second["gufunc"][3:5] == [["general", "general → FACTOR"], []]
    assert second["gufunc"][6].count("the first that has its name in machine code") == 2
    for name in ("c_function", "large"):
        held = {"c_function": "c_abs", "large": "TABLE"}[name]
        said = f"not written to the disk: the machine code holds the address of {held}, which is another"
        assert second[name][1:3] == [0, []] and second[name][5] == f"{said} one in each process"
    for name, what in [
        ("of_function", "a compiled function as an argument"),
        ("of_box", "an instance of a jitclass as an argument"),
        ("of_default", "a default that cannot be hashed"),
    ]:
        _, hits, entries, *_, problem, shown = second[name]
        assert (hits, problem) == (0, f"an entry with {what} {AN_OBJECT}")
        assert [entry[1:] for entry in entries] == [["not used", False], ["miss", True]]
        assert re.sub("⟨[^⟩]*⟩", "", shown).count("(int64, ") == 2
        assert not re.search("0x|#", re.sub("⟨[^⟩]*⟩", "", shown))
    assert second["eager"][2] == [["(int64)", "hit", True]]


SETTINGS = """
    K = 10
    OPTIONS = {"error_model": "python"}
    """
SETTLED_ELSEWHERE = """
    import settings
    from numba import njit
    from settings import K

    @njit
    def shifted(x, by=K, twice=2, thrice=settings.K):
        return x + by + twice + thrice

    @njit(cache=True)
    def some(x):
        return shifted(x)

    @njit(cache=True)
    def others(x):
        return shifted(x, 3, 4)

    @njit(cache=True)
    def all_given(x):
        return shifted(x, 3, 4, 5)

    @njit(cache=True, **settings.OPTIONS)
    def divided(x):
        return 1.0 / x

    def text(x):
        return x * 3.0 + 1.0

    fast = njit(cache=True, fastmath={"contract", "nnan", "ninf"})(text)
    exact = njit(cache=True, error_model="numpy")(text)
    alike = njit(cache=True, fastmath={"ninf", "contract", "nnan"}, nopython=True)(text)

    @njit(inline="always")
    def halved(x):
        return x / 2

    @njit(cache=True)
    def inlines(x):
        return halved(x)

    @njit(cache=True)
    def inner(x):
        return x / 3

    @njit(cache=True, fastmath=True, error_model="numpy")
    def outer(x):
        return inner(x)
    """
REPORT_SETTLED = """
    import json, sys
    sys.path.insert(0, sys.argv[1])
    import module
    from numba_course.lens.disk_cache import cache
    found = {}
    for name in ("some", "others", "all_given", "divided", "fast", "exact", "alike", "inlines", "outer", "inner"):
        fn = getattr(module, name)
        result, seen = fn(4), cache(fn)
        found[name] = result, seen.hits, seen.at_risk, seen.stale, repr(seen)
    print(json.dumps(found))
    """


def test_defaults_of_callees_and_options_are_compared_with_what_is_compiled_in(tmp_path):
    def processes():
        command = [sys.executable, "-B", "-c", textwrap.dedent(REPORT_SETTLED), str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    write(tmp_path, "settings.py", SETTINGS)
    write(tmp_path, "module.py", SETTLED_ELSEWHERE)
    first = processes()
    write(tmp_path, "settings.py", SETTINGS.replace("10", "11").replace('"python"', '"numpy"'))
    second = processes()

    defaults = ["shifted(by)", "shifted(thrice)"]
    risks = {"some": defaults, "others": defaults, "all_given": defaults, "divided": ["**settings.OPTIONS"]}
    for name, risk in risks.items():
        assert first[name][1:4] == [0, risk, []]
    assert second["some"][0] == first["some"][0]  # the old answer, from the cache
    assert second["some"][1:4] == [1, defaults, defaults]
    assert second["others"][3] == defaults  # one of the two is compiled in
    assert second["all_given"][1:4] == [1, defaults, []]  # none is
    assert second["divided"][1:4] == [1, ["error_model", "**settings.OPTIONS"], ["error_model"]]
    assert "option error_model is stale: the code was compiled with another value" in second["divided"][4]
    # Dispatchers of one function have one entry: whoever comes first compiles for all.
    assert [first[name][1] for name in ("fast", "exact", "alike")] == [0, 1, 1]
    assert [first[name][3] for name in ("fast", "exact", "alike")] == [[], ["error_model"], []]
    # What Numba itself sets, where it inlines, or takes from the caller that has a callee compiled, is as it must be.
    assert [first[name][3] for name in ("inlines", "outer", "inner")] == [[], [], []]


@pytest.mark.parametrize(("file", "size"), [("nbi", 30), ("nbi", 0), ("nbc", 300), ("nbc", -1)])
def test_files_that_cannot_be_read_are_told_and_a_call_fails_as_it_says(module, laboratory, file, size):
    module.alone(3)
    (path,) = (laboratory / "__pycache__").glob(f"module.alone-*.{file}")
    content = path.read_bytes()
    path.unlink()
    if size < 0:
        path.mkdir()
    else:
        path.write_bytes(content[:size])
    sys.modules.pop("module")
    fresh = importlib.import_module("module").alone
    found = cache(fresh)
    assert found.problem == f"⟨{path.name}⟩ cannot be read, and a call that needs it fails: delete it"
    assert not any(entry.usable for entry in found.entries) and found.problem in repr(found)
    with pytest.raises((EOFError, OSError, pickle.UnpicklingError)):
        fresh(3)


class Everywhere(InTreeCacheLocator):
    """A locator of a user's own, whose stamp is the same for every text."""

    def get_source_stamp(self):
        return "of any text"


def test_what_a_locator_of_ones_own_watches_is_not_known(module, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_LOCATOR_CLASSES", f"{__name__}.Everywhere")
    fn = njit(cache=True)(module.alone.py_func)
    assert [(d.name, d.why) for d in cache(fn).dependencies] == [
        ("beside", "it is not known what Everywhere watches"),
        ("SCALE", "it is not known what Everywhere watches"),
    ]


def test_modules_in_an_archive(laboratory, tmp_path, monkeypatch):
    for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    archive = tmp_path / "code.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name, text in [("zipped", MODULE), ("dependency", DEPENDENCY)]:
            file.writestr(f"{name}.py", textwrap.dedent(text))
    monkeypatch.syspath_prepend(archive)
    for name in ("zipped", "dependency"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    fn = importlib.import_module("zipped").f
    fn(3)
    assert [e.use for e in cache(fn).entries] == ["miss"] and cache(fn).stale == ()
    touch(archive)
    # Before Numba 0.68 the time of the archive is in the stamp: nothing that lies in it goes stale.
    watched = isinstance(fn._cache._cache_file._source_stamp, tuple)
    assert cache(fn).stale == (() if watched else ("g", "g → INNER", "dependency.K"))
    for name in ("zipped", "dependency"):
        sys.modules.pop(name)


def test_what_sets_a_name_decides_whether_it_is_at_risk(module, laboratory):
    text = """
        import math
        import numpy as np
        from numba import njit
        import dependency
        TYPED: int = 1
        SETTLED, OTHER = 2 * math.pi, np.float32
        TWICE = 1
        TWICE += dependency.K
        if dependency.K:
            CHOSEN = 1
        SET = 1
        def setter():
            global SET
            SET = 2

        @njit(cache=True)
        def f(x):
            SHADOW = x
            return TYPED + SETTLED + np.empty(1, OTHER).size + TWICE + CHOSEN + SET + SHADOW
        """
    write(laboratory, "module.py", text)
    sys.modules.pop("module")
    found = cache(importlib.import_module("module").f)
    assert [(d.name, d.why) for d in found.dependencies] == [
        ("TWICE", "it is set in more than one place"),
        ("CHOSEN", "it is not known what sets it"),
        ("SET", "it is set in more than one place"),
    ]
    write(laboratory, "module.py", "an edit that is no Python")
    touch(laboratory / "module.py")
    linecache.checkcache()
    assert set(cache(sys.modules["module"].f).at_risk) >= {"TWICE", "CHOSEN", "SET"}


def test_the_settings_of_a_session_for_printing_make_nothing_stale(module):
    module.f(3)
    with np.printoptions(precision=1, edgeitems=1):
        assert cache(module.f).stale == ()


def test_a_name_far_down_in_long_code_is_found(module, laboratory):
    names = [f"n{i}" for i in range(300)]
    lines = ["from numba import njit", "import dependency", *(f"{name} = 1" for name in names)]
    lines += ["@njit(cache=True)", "def f(x):", f"    return x + {' + '.join(names)} + dependency.K"]
    (laboratory / "module.py").write_text("\n".join(lines))
    sys.modules.pop("module")
    assert cache(importlib.import_module("module").f).at_risk == ("dependency.K",)


def traces(fn, folder):
    files = sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))
    return list(fn.signatures), dict(fn.stats.cache_hits), dict(fn.stats.cache_misses), files


def test_looking_leaves_no_trace(module, laboratory):
    for fn in (module.f, module.alone, module.uncached):
        for call in (False, True):
            if call:
                fn(3)
            before = traces(fn, laboratory)
            repr(cache(fn)), cache(fn)._repr_html_()
            assert traces(fn, laboratory) == before


def test_entries_are_the_files(module, laboratory):
    empty = cache(module.f)
    assert (empty.entries, empty.hits, empty.misses) == ((), 0, 0)
    assert empty.stale == () and list(empty.at_risk) == AT_RISK
    module.f(3)
    module.f(3.5)
    found = cache(module.f)
    assert Path(found.index).exists()
    assert [e.signature for e in found.entries] == ["(int64)", "(float64)"]
    for entry in found.entries:
        assert entry.size == (laboratory / "__pycache__" / entry.file).stat().st_size
        assert (entry.usable, entry.use) == (True, "miss")
    (laboratory / "__pycache__" / found.entries[0].file).unlink()
    assert [(e.size is None, e.usable) for e in cache(module.f).entries] == [(True, False), (False, True)]


def test_a_value_that_changed_since_is_stale_wherever_it_is_set(module):
    module.alone(3)
    assert cache(module.alone).stale == ()
    module.SCALE = 5
    found = cache(module.alone)
    assert found.stale == ("SCALE",) and found.dependencies[0].why == "another value is compiled in"


def test_arrays_are_compared_as_they_print(module):
    module.f(3)
    assert "TABLE" not in cache(module.f).stale
    module.TABLE[0, 0] = 1.0
    assert cache(module.f).stale == ("TABLE",)


def test_an_index_of_another_numba_is_of_no_use(module):
    module.alone(3)
    index = Path(cache(module.alone).index)
    assert len(cache(module.alone).entries) == 1
    index.write_bytes(
        index.read_bytes().replace(numba.__version__.encode(), b"0.0.00"[: len(numba.__version__)])
    )
    assert cache(module.alone).entries == cache(module.alone).stale == ()


def test_an_edit_of_the_own_file_makes_all_entries_useless_but_not_stale(module, laboratory):
    module.f(3)
    write(laboratory, "module.py", MODULE + "# edited\n")
    write(laboratory, "dependency.py", DEPENDENCY + "# edited\n")
    touch(laboratory / "module.py")
    sys.modules.pop("module")
    fresh = importlib.import_module("module").f
    found = cache(fresh)
    assert Path(found.index).exists() and found.entries == found.stale == ()
    assert list(found.at_risk) == AT_RISK


def test_a_compiled_function_in_the_closure_is_never_hit(module, laboratory):
    write(
        laboratory,
        "module.py",
        """
        from numba import njit
        from dependency import g

        def make(inner):
            @njit(cache=True)
            def f(x):
                return inner(x)
            return f

        f = make(g)
        """,
    )
    sys.modules.pop("module")
    fn = importlib.import_module("module").f
    fn(3)
    assert cache(fn).problem.startswith("never hit by another process: inner")
    found = second_process(laboratory)
    assert (found["hits"], found["misses"], found["use"]) == (0, 1, ["not used", "miss"])


def test_in_a_notebook_everything_but_the_function_itself_is_at_risk(tmp_path):
    cells = [
        "from numba import njit\nfrom numba_course.lens.disk_cache import cache",
        "K = 3\n@njit\ndef g(x):\n    return x + 1\n@njit(cache=True)\ndef f(x):\n    return g(x) * K\nf(2)",
        "found = cache(f)\nprint(found.at_risk, found.stale, found.hits, found.misses)",
        "K = 4\nprint(cache(f).stale)",
        "from collections import namedtuple\nPair = namedtuple('Pair', 'x y')",
        "@njit(cache=True)\ndef of_pair(pair):\n    return pair.x\nof_pair(Pair(1, 2))",
        "print(tuple(e.usable for e in cache(of_pair).entries), cache(of_pair).problem)",
    ]
    home = {name: str(tmp_path) for name in ("HOME", "XDG_CACHE_HOME", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR")}
    script = textwrap.dedent(
        """
        import json, sys
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config
        settings = Config()
        settings.HistoryManager.enabled = False
        shell = InteractiveShell(config=settings)
        for cell in json.loads(sys.argv[1]):
            shell.run_cell(cell, store_history=True).raise_error()
        """
    )
    command = [sys.executable, "-c", script, json.dumps(cells)]
    outputs = []
    for _ in range(2):
        done = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, **home}, cwd=tmp_path, check=False
        )
        assert done.returncode == 0, done.stderr
        outputs.append([line for line in done.stdout.splitlines() if "(" in line])
    for output, counts, usable in zip(outputs, ("0 1", "1 0"), ("(True,)", "(False, True)"), strict=True):
        problem = f"an entry with a class of a notebook or script as the type of an argument {AN_OBJECT}"
        assert output == [f"('g', 'K') () {counts}", "('K',)", f"{usable} {problem}"]


def test_a_function_without_a_disk_cache_says_so():
    fn = njit(lambda x: x)
    fn(1)
    found = cache(fn)
    assert found.index is None and (found.hits, found.misses, found.at_risk) == (0, 0, ())
    assert repr(found).endswith("has no disk cache: it was made without cache=True")


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [(len, "builtin"), (test_a_function_without_a_disk_cache_says_so, "plain Python"), (3, "int")],
)
def test_wrong_use_is_told(wrong, kind):
    with pytest.raises(TypeError, match="cache: fn must be a function decorated with @njit, not .*" + kind):
        cache(wrong)


def invented(folder, hits, use):
    entry = CacheEntry("(int64)", "cpu" * hits, "abc", f"{folder}.1.nbc", 10 * hits, hits > 1, use)
    stale = Dependency("g", "callee", f"/{folder}/d.py", True, "its file was changed")
    return Cache("f", f"/{folder}/f.nbi", (entry,), hits, 3 * hits, (stale,))


@pytest.mark.parametrize("shown", [repr, Cache._repr_html_])
def test_text_outside_the_brackets_does_not_vary(shown):
    texts = [shown(invented("a", 1, "hit")), shown(invented("bcd", 123, "miss"))]
    assert texts[0] != texts[1]
    assert len({re.sub("⟨[^⟩]*⟩", "⟨⟩", text) for text in texts}) == 1
    assert "✗ " in repr(invented("a", 1, "hit")) and "callee g of ⟨d.py⟩ is stale" in repr(
        invented("a", 1, "hit")
    )
