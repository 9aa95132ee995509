"""What is to be done as a module is imported: at once, later, or never."""

import importlib
import sys

from numba_course.lens.recording.on_import import When


def test_what_is_there_already_is_not_waited_for():
    found, before = [], list(sys.meta_path)
    When("json", found.append)
    assert found == [sys.modules["json"]] and sys.meta_path == before


def test_what_comes_later_is_done_once_the_module_is_executed(tmp_path, monkeypatch):
    (tmp_path / "lens_comes_later.py").write_text("VALUE = 3\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    found, before = [], list(sys.meta_path)
    When("lens_comes_later", lambda module: found.append(module.VALUE))
    assert found == []
    module = importlib.import_module("lens_comes_later")
    assert found == [3] and sys.meta_path == before
    assert "exec_module" not in vars(module.__spec__.loader)


def test_what_is_forgotten_is_not_waited_for():
    before = list(sys.meta_path)
    When("lens_never_comes", print).forget()
    assert sys.meta_path == before


def test_several_may_wait_for_one_module(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "lens_waited_for.py").write_text("value = 1", encoding="utf-8")
    seen = []
    for number in range(2):
        When("lens_waited_for", lambda module, number=number: seen.append((number, module.value)))
    import lens_waited_for

    assert sorted(seen) == [(0, 1), (1, 1)] and "exec_module" not in vars(lens_waited_for.__loader__)
