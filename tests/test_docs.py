"""The documents for those who change the project: what they name exists, and what they must describe they do."""

import ast
import importlib
import inspect
import pkgutil
import re
import shlex

import cloudpickle
import pytest
import yaml

from numba_course import exercises
from numba_course.authoring import build, chapter_text
from numba_course.exercises import requirements
from numba_course.host import ROOT
from numba_course.launch import cli
from numba_course.lens import __main__ as lens_command
from tests.exercises import test_bank

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
ROOMS = {path.stem for path in (ROOT / "numba_course").iterdir()}
FENCE = re.compile(r"^(````?)(\w*)[^\n]*\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def text(page):
    return page.read_text(encoding="utf-8")


def fenced(page, language=""):
    """The blocks of code in a language; those of commands say none."""
    return [block for _, said, block in FENCE.findall(text(page)) if said == language]


def named(page):
    """What stands in backticks outside blocks of code."""
    return re.findall(r"`([^`\n]+)`", FENCE.sub("", text(page)))


def found(name):
    """The object of a dotted name of the package, and the module that has it; AttributeError if there is none."""
    name = name.removeprefix("numba_course.")
    thing = module = importlib.import_module("numba_course")
    for part in name.split("."):
        if inspect.ismodule(thing) and hasattr(thing, "__path__"):
            try:
                thing = module = importlib.import_module(f"{thing.__name__}.{part}")
                continue
            except ModuleNotFoundError:
                pass
        if part in getattr(thing, "__dataclass_fields__", ()):
            return thing, module
        thing = getattr(thing, part)
    return thing, module


def is_name(name):
    """Whether it is a dotted name of the package: in full, or from one of its rooms on."""
    return re.fullmatch(r"\w+(\.\w+)+", name) and (
        name.partition(".")[0] in {*ROOMS, "numba_course"} and name.rpartition(".")[2] not in ("py", "md")
    )


@each_page
def test_every_name_exists(page):
    for name in filter(is_name, named(page)):
        found(name)


@each_page
def test_every_path_exists(page):
    for name in named(page):
        ours = "/" in name or name.endswith((".py", ".md", ".toml", ".txt", ".yml", ".yaml"))
        if ours and re.fullmatch(r"[^\s~{}]+", name):
            pattern = re.sub(r"NN_topic|<\w+>", "*", name).rstrip("/")
            assert any(ROOT.glob(pattern)), name


@each_page
def test_every_link_leads_to_something(page):
    prose = FENCE.sub("", text(page))
    links = re.findall(r"\[([^]]*)\]\(([^)#]*)#?([^)]*)\)", prose)
    defined = re.findall(r"^\[(.*)\]: (\S+)()$", prose, re.MULTILINE)
    assert {words for words, *_ in defined} == set(re.findall(r"\[(`[^]]*`)\](?!\()", prose))
    for words, path, anchor in [*links, *defined]:
        if path.startswith("http"):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        if anchor:
            headings = re.findall(r"^#+ (.*)$", text(target), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", heading).replace(" ", "-").lower() for heading in headings}
            assert anchor in slugs, f"{path}#{anchor}"
        if is_name(words.strip("`")):
            assert found(words.strip("`"))[1].__file__ == str(target), words


def imports():
    """Pairs of rooms, the first of which imports the second; without the former places of modules."""
    for path in (ROOT / "numba_course").rglob("*.py"):
        tree = ast.parse(text(path))
        room = path.relative_to(ROOT / "numba_course").parts[0].removesuffix(".py")
        if (ast.get_docstring(tree) or "").startswith("The former place"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("numba_course"):
                other = f"{node.module}.{node.names[0].name}".split(".")[1]
                if other in ROOMS - {room, "__init__"}:
                    yield room, other


def test_the_map_has_a_way_for_every_import():
    (drawing,) = re.findall(
        r"```mermaid\nflowchart TD\n(.*?)```", text(ROOT / "docs/architecture.md"), re.DOTALL
    )
    ways = set(re.findall(r"^    (\w+) --> (\w+)$", drawing, re.MULTILINE))
    while more := {(a, d) for a, b in ways for c, d in ways if b == c} - ways:
        ways |= more
    assert not any(a == b for a, b in ways)
    assert set(imports()) <= ways


@each_page
def test_every_command_exists(page):
    lines = [line for block in fenced(page) for line in block.splitlines()]
    for command in (line for line in [*lines, *named(page)] if re.match(r"python3? [-\w]", line)):
        _, *words = shlex.split(command)
        if words[:2] == ["-m", "numba_course"]:
            cli.understood(words[2:])  # or it says what is wrong
        elif words[:2] == ["-m", "numba_course.lens"]:
            assert not words[2:] or lens_command.understood(words[2:])
        else:
            script = text(ROOT / words[0])
            assert all(f'"{word}"' in script for word in words if word.startswith("-")), command
        for path in re.findall(r"(?:tests|notebooks|solutions)/[\w./]+", command):
            assert (ROOT / path).exists(), command


def test_hooks_of_a_commit_run_what_exists_and_fetch_nothing():
    config = yaml.safe_load(text(ROOT / ".pre-commit-config.yaml"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        assert all((ROOT / path).is_file() for path in re.findall(r"tests/\S+", hook["entry"])), hook["entry"]


def kinds(kind):
    """All subclasses in the package, by name."""
    for one in kind.__subclasses__():
        if one.__module__.startswith("numba_course."):
            yield one
            yield from kinds(one)


def test_every_requirement_has_its_heading_with_its_name_its_status_and_answers_of_the_bank():
    for module in pkgutil.iter_modules(requirements.__path__, f"{requirements.__name__}."):
        importlib.import_module(module.name)
    exercises.by_chapter()
    _, *parts = re.split(r"^### `", text(ROOT / "docs/requirements.md"), flags=re.MULTILINE)
    described = {part.partition("`")[0]: part for part in parts}
    found_kinds = list(kinds(requirements.Requirement))
    assert sorted(described) == sorted(kind.__name__ for kind in found_kinds)
    for kind in found_kinds:
        if not hasattr(kind, "name"):
            continue  # it is for others
        part = described[kind.__name__]
        early = ", early" * kind.early
        assert f"\n*{kind.name}*, {kind.status}{early}." in part, kind.__name__
        accepted, refused = re.search(r"Accepts `(.*?)`; refuses\s+`(.*?)`\.", part).groups()
        assert text(ROOT / accepted).startswith("# expect: correct\n"), accepted
        assert text(ROOT / refused).startswith(f"# expect: {kind.status}"), refused


def test_every_tag_of_the_texts_is_described_and_no_other():
    used = {
        tag
        for path in build.text_files()
        for cell in chapter_text.parse_text(path).cells
        for tag in chapter_text.tags(cell)
    }
    rows = re.findall(
        r"^\| ((?:`[\w…-]+`(?:, )?)+) \| (?:a|none)\b", text(ROOT / "docs/notebooks.md"), re.MULTILINE
    )
    described = {tag for row in rows for tag in re.findall(r"`(.+?)`", row)} - set(chapter_text.REFUSED_TAGS)

    def meant(tag):
        return next((one for one in described if re.fullmatch(one.replace("…", ".+"), tag)), tag)

    assert {meant(tag) for tag in used} == described


def test_the_example_of_an_exercise_is_judged_as_it_says(tmp_path, monkeypatch):
    """The question of CONTRIBUTING, as it were at the end of its chapter's module, and its bank."""
    page = ROOT / "CONTRIBUTING.md"
    question, too_far, *_ = fenced(page, "python")
    imports = text(ROOT / "numba_course/exercises/chapters/start_here.py").partition("\n\n\n@njit")[0]
    (tmp_path / "largest_step_question.py").write_text(f"{imports}\n\n\n{question}", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("largest_step_question")
    cloudpickle.register_pickle_by_value(module)  # a child process cannot import it
    exercise = module.LARGEST_STEP
    assert exercise.examine(exercise.reference).passed
    answers = {"unmet__one_too_far": too_far}
    for name, first, body in re.findall(
        r"^(\w+)\.py +(# .*)\n +(.*)$", fenced(page, "text")[0], re.MULTILINE
    ):
        decorator = "" if "plain" in name else "@njit\n"
        head = f"{first}\nimport numpy as np\nfrom numba import njit\n\n\n{decorator}"
        answers[name] = f"{head}def largest_step(values):\n    {body}\n"
    assert len(answers) == 7
    for name, source in answers.items():
        path = tmp_path / f"{name}.py"
        path.write_text(source, encoding="utf-8")
        status, words, _ = test_bank.expectation(path)
        assert name.startswith(f"{status.replace(' ', '_')}__")
        verdict = exercise.examine_file(path)
        assert (verdict.status, (words or "") in verdict.text()) == (status, True), verdict.full()
