"""cache: files, hits and staleness in real second processes, and looking leaves no trace."""

import importlib
import json
import os
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numba
import pytest
from numba import njit

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
    for output, counts in zip(outputs, ("0 1", "1 0"), strict=True):
        assert output == [f"('g', 'K') () {counts}", "('K',)"]


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
