"""The page of the lens: its examples run, one after the other, and give what it says."""

import linecache
import re

import pytest

from numba_course.host import ROOT

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
