"""The page of the lens: its examples run, one after the other, and give what it says."""

import ast
import linecache
import re
from importlib.metadata import entry_points

import pytest

from numba_course.host import ROOT

pytest_plugins = ("pytester",)
EXAMPLE = re.compile(r"^```python\n(.*?)^```(?:\n\n```text\n(.*?)^```)?", re.MULTILINE | re.DOTALL)


@pytest.mark.load
def test_examples_give_what_the_page_says(tmp_path):
    names = {"__name__": "lens_page"}
    for number, (code, shown) in enumerate(
        EXAMPLE.findall((ROOT / "docs/lens.md").read_text(encoding="utf-8"))
    ):
        path = tmp_path / f"example_{number}.py"
        path.write_text(code, encoding="utf-8")
        *_, last = code.strip().splitlines()
        head, value = (code.strip().rpartition("\n")[0], last) if shown else (code, "None")
        exec(compile(head, path, "exec"), names)
        found = repr(eval(value, names))
        assert found == (shown.rstrip("\n") or "None"), code
    linecache.checkcache()


def test_marked_tests_of_the_page_hold_what_their_markers_say(pytester, monkeypatch):
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    text = (ROOT / "docs/lens.md").read_text(encoding="utf-8")
    trees = [ast.parse(code) for code, _ in EXAMPLE.findall(text) if not code.startswith("%")]
    defined = [
        one
        for tree in trees
        for one in tree.body
        if isinstance(one, ast.Import | ast.ImportFrom | ast.FunctionDef)
    ]
    pytester.makepyfile("\n\n\n".join(map(ast.unparse, defined)))
    installed = any(one.name == "numba_lens" for one in entry_points(group="pytest11"))
    plugin = () if installed else ("-p", "numba_course.lens.pytest_plugin")
    pytester.runpytest_subprocess(*plugin, "-m", "numba").assert_outcomes(passed=3, deselected=2)
