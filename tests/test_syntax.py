"""Trees of Python text, made in several threads at once: the counters of Python 3.11.7 get into each other's way."""

import ast
import inspect
import sys
import threading

import pytest

from numba_course import syntax


class LeavesAtOnce:
    """Something whose end, in the midst of whatever is being made, lets another thread have its turn."""

    def __init__(self):
        self.itself = self  # so that it ends when the garbage is collected

    def __del__(self):
        sum(range(50))


def test_threads_that_parse_at_once_get_their_trees():
    text, trees = inspect.getsource(inspect), []
    whole = ast.dump(ast.parse(text))

    def parse_often():
        for _ in range(5):
            LeavesAtOnce()
            trees.append(syntax.parse(text))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=parse_often) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(trees) == 20
    assert all(ast.dump(tree) == whole for tree in trees)


def test_a_python_that_says_so_forever_is_believed(monkeypatch):
    asked = []

    def fails(text):
        asked.append(text)
        raise SystemError("AST constructor recursion depth mismatch (before=18, after=12)")

    monkeypatch.setattr(ast, "parse", fails)
    with pytest.raises(SystemError, match="mismatch"):
        syntax.parse("x = 1")
    assert len(asked) == syntax.ATTEMPTS
