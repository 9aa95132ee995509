"""Fresh processes that use an answer: what each of them compiled, what it found in the cache, what went wrong."""

import linecache

import pytest
from numba import njit

from numba_course.exercises.examination.answer import Saved, live
from numba_course.exercises.examination.children import Processes, Visit
from tests.exercises.toy import Office, exercise

pytestmark = pytest.mark.load


def processes(answer, folder, *inputs):
    """Processes that call the answer with each of these values."""
    folder.mkdir()
    asked = exercise(examples=lambda: [(value,) for value in inputs])
    return Processes(asked, Office(answer, asked), str(folder))


def saved(folder, text):
    """The answer `triple` in a file."""
    path = folder / "answer.py"
    path.write_text(text)
    return Saved(str(path), "triple")


def test_each_process_counts_what_it_compiled_and_the_second_loads_it(tmp_path):
    answer = saved(
        tmp_path,
        "from numba import njit\n\n@njit(cache=True)\ndef third(values):\n    return values / 3\n\n"
        "def triple(values):\n    return third(values)\n",
    )
    fresh = processes(answer, tmp_path / "cache", 6.0, 3)
    assert fresh.visit() == Visit(compiled=("third", "third"), results=(2.0, 1.0))
    assert fresh.visit() == Visit(results=(2.0, 1.0))
    assert processes(answer, tmp_path / "other", 6.0).visit().compiled == ("third",)


def test_what_cannot_be_cached_says_why(tmp_path):
    answer = saved(
        tmp_path,
        "from numba import njit\n\ndef other(values):\n    return values\n\n"
        "inner = njit(other)\n\ndef made(inner):\n"
        "    @njit(cache=True)\n    def triple(values):\n        return inner(values)\n    return triple\n\n"
        "triple = made(inner)\n",
    )
    fresh = processes(answer, tmp_path / "cache", 6.0)
    assert fresh.visit().compiled == fresh.visit().compiled == ("triple", "other")
    assert "inner in its closure is another object there" in fresh.visit().why


def test_a_process_that_fails_says_how(tmp_path):
    answer = saved(
        tmp_path, "import os\n\ndef triple(values):\n    return 1 / values if values else os._exit(3)\n"
    )
    assert processes(answer, tmp_path / "cache", "x").visit().failed.seen == (
        "in a later process: TypeError: unsupported operand type(s) for /: 'int' and 'str'"
    )
    assert "it ended itself with exit code 3" in processes(answer, tmp_path / "b", 0).visit().failed.seen


def test_no_cache_is_left_for_later_checks_of_the_same_cell(tmp_path):
    name, text = "ipykernel_1/2.py", "@njit(cache=True)\ndef third(values):\n    return values / 3\n"
    namespace = {"njit": njit, "__name__": "__main__"}
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    exec(compile(text, name, "exec"), namespace)
    answer = live(namespace["third"])
    for folder in "ab":
        fresh = processes(answer, tmp_path / folder, 6.0)
        assert fresh.visit() == Visit(compiled=("third",), results=(2.0,))
        assert fresh.visit() == Visit(results=(2.0,))
