"""How often does `lens.profile` name the slowest line first? Measured on programs whose slowest line is known.

    python tests/lens/profiling/slowest_lines.py [number of programs] [seconds of samples for each]

Each program is drawn at random: a kind of work, three to six lines that do it, and a way to put them together. The
work of a line is a loop; one of the lines repeats it two, four or ten times as often as any other does at most. So it
is the slowest by construction, whatever the machine.
"""

import importlib.util
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from numba_course import lens

WORK = {  # kinds of work; {r} is how often it is repeated
    "multiply and add": "for j in range({r}): x = x * 0.999 + 0.5",
    "sine": "for j in range({r}): x = math.sin(x)",
    "square root": "for j in range({r}): x = math.sqrt(x + 1.5)",
    "remainder": "for j in range({r}): x = (x * 7.0 + 3.0) % 1001.0",
    "whole numbers": "for j in range({r}): n = (n * 1103515245 + 12345) % 2147483647",
    "division": "for j in range({r}): x = x / (1.0 + x)",
    "memory": "for j in range({r}): x += a[(i * 13 + j * 7) % a.size]",
    "choice": "for j in range({r}): x = x + 1.0 if x < 100.0 else x * 0.5",
    "whole arrays": "x += (a[:8 * {r}] * 1.5 + a[:8 * {r}]).sum()",
    "a function": "x = helper(x, {r})",
    "a method of arrays": "x += np.cos(a[:{r}]).sum()",
    "packed": "for j in range(10 * {r}): b[j] = b[j] * 0.5 + a[j]",
    "a list": "x += len([k * 2.0 for k in range({r})])",
    "a dictionary": "for j in range({r}): d[j] = x",
    "sorting": "x += np.sort(a[:{r}])[0]",
    "memory that is taken": "x += np.zeros(100 * {r})[0]",
    "random numbers": "for j in range({r}): x += np.random.random()",
}
HELPER = """
@njit
def helper(x, r):
    for j in range(r):
        x = math.sqrt(x + 1.5)
    return x
"""
PREPARED = {"packed": ["b = np.ones(a.size)"], "a dictionary": ["d = {0: 1.0}"]}
FACTORS = 2, 4, 10  # how often the slowest line repeats what another one does at most once
FORMS = ("one loop", "a loop for each", "branches", "prange", "a nested function")


def program(seed):
    """(text, its repetitions, its slowest line, in words what it is) of the program with this number."""
    draw = random.Random(seed)
    kind, form = draw.choice(sorted(WORK)), draw.choice(FORMS)
    if (kind, form) == ("a dictionary", "prange"):  # a race, which may crash
        form = "one loop"
    count = draw.randint(3, 6)
    slow = draw.randrange(count)
    repeats = [draw.choice((4, 6, 8)) for _ in range(count)]
    repeats[slow] = 8 * draw.choice(FACTORS)
    lines = [[WORK[kind].format(r=f"r[{k}]")] for k in range(count)]
    if ": " in WORK[kind] and draw.random() < 0.5:  # what is repeated stands in a line of its own
        lines = [
            [head + ":", f"    {work}  # r[{k}]"]
            for k, [line] in enumerate(lines)
            for head, work in [line.split(": ")]
        ]
        kind += " in a line of its own"
    prepared = PREPARED.get(kind.partition(" in a line")[0], [])
    body = _body(form, lines)
    parallel = "(parallel=True)" if form == "prange" else ""
    head = ["import math", "import numpy as np", "from numba import njit, prange", *HELPER.splitlines()]
    text = "\n".join([*head, f"@njit{parallel}", "def slow(a, out, r):", *_indented([*prepared, *body])])
    line = 1 + max(n for n, row in enumerate(text.splitlines()) if f"r[{slow}]" in row)
    return text, np.array(repeats), line, f"{kind}, {form}"


def _body(form, lines):
    start, end = ["x = out[i]", "n = np.int64(i)"], ["out[i] = x + n"]
    loop = f"for i in {'prange' if form == 'prange' else 'range'}(out.size):"
    if form == "a loop for each":
        return [row for line in lines for row in (loop, *_indented([*start, *line, *end]))]
    if form == "branches":
        lines = [["if i >= 0 and out[i] > -1e300:", *_indented(line)] for line in lines]
    inside = [*start, *(row for line in lines for row in line), *end]
    if form == "a nested function":
        return ["def inner(i):", *_indented(inside), loop, "    inner(i)"]
    return [loop, *_indented(inside)]


def _indented(rows):
    return [f"    {row}" for row in rows]


def is_named_first(seed, seconds=0.5):
    """Whether the slowest line of a program is the first of those on a card that are in a function of its own text.

    A line that only calls, as that with the nested function, is none of the candidates.
    """
    text, repeats, line, words = program(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"program_{seed}.py")
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        found = lens.profile(module.slow, np.linspace(0, 1, 1000), np.ones(2000), repeats, seconds=seconds)
        named = [one for one in found.tree if "r[" in one.source]
        named.sort(key=lambda one: -one.total)
        del sys.modules[path.stem]
        return bool(named) and named[0].line == line, words, found


def main(count=100, seconds=0.5):
    """Measure, and print each program that is named wrongly, and how many are right."""
    right, asked = Counter(), Counter()
    for seed in range(count):
        factor = program(seed)[1].max() // 8
        is_right, words, found = is_named_first(seed, seconds)
        asked[factor] += 1
        right[factor] += is_right
        if not is_right:
            print(f"program {seed} ({words}):\n{found}\n", flush=True)
    for factor in FACTORS:
        print(
            f"{factor} times the work of any other line: named first in {right[factor]} of {asked[factor]} programs"
        )
    print(f"together: {right.total()} of {count}")


if __name__ == "__main__":
    main(*(kind(word) for kind, word in zip((int, float), sys.argv[1:], strict=False)))
