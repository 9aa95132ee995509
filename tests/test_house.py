"""The shape of the project: what imports what, what the files may say, and that its configurations agree."""

import ast
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from functools import cache

import pytest
import yaml

from numba_course.authoring import build
from numba_course.host import ROOT
from numba_course.launch import cli, environment
from numba_course.learner import notebook_files

MODULES = sorted((ROOT / "numba_course").rglob("*.py"))
TEXTS = {".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".json", ".cfg", ".ipynb", ".css", ""}
# Tests of the whole, or of a part of it that is no module.
WHOLE = {
    "benchmarks",
    "exercises/bank",
    "docs",
    "house",
    "launch/bare_machine",
    "learner/browser",
    "process/harm",
    "process/places",
    "lens/compiled/processors",
    "lens/page",
    "lens/profiling/reading",
    "lens/race/generated_loops",
    "lens/race/instances",
    "lens/sweep",
    "notebooks/accessibility",
    "notebooks/nbval_canary",
    "notebooks/policy",
    "pipeline/cluster",
    "types",
    "under_load",
}
NOT_OURS = {".git", ".venv", "build", "dist", "node_modules"}


def pytest_id(path):
    """A path as it is written in messages."""
    return path.relative_to(ROOT).as_posix()


@cache
def syntax(path):
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


def test_imports_point_one_way_without_circles():
    linted = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as lint; lint()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
    )
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize("path", MODULES, ids=pytest_id)
def test_module_says_what_it_is_for(path):
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(syntax(path)) or not text, "the first statement is no docstring"


@pytest.mark.parametrize("path", MODULES, ids=pytest_id)
def test_matplotlib_is_imported_in_functions_only(path):
    inside = {
        child
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        for child in ast.walk(node)
    }
    for node in ast.walk(syntax(path)):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) else []
        if any(name.split(".")[0] == "matplotlib" for name in names):
            assert node in inside, f"line {node.lineno}"


@pytest.mark.parametrize("module", ["numba_course", "numba_course.__main__"])
def test_import_of_the_package_loads_nothing_else(module):
    code = f"import sys; before = set(sys.modules); import {module}; print(*set(sys.modules) - before)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    ).stdout
    assert set(loaded.split()) == {"numba_course", module}


def test_command_line_is_of_the_standard_library_alone():
    code = "import sys; old = set(sys.modules); from numba_course.launch import cli; print(*set(sys.modules) - old)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    ).stdout
    assert {name.partition(".")[0] for name in loaded.split()} - sys.stdlib_module_names == {"numba_course"}


def text_files():
    """The text files of the project, as far as the folder tells."""
    for folder, folders, names in os.walk(ROOT):
        hidden = {name for name in folders if name.startswith(".") and name not in (".ci", ".github")}
        folders[:] = [
            n for n in folders if n not in NOT_OURS | hidden | {"__pycache__"} and "egg-info" not in n
        ]
        for name in names:
            path = ROOT / folder / name
            if path.suffix in TEXTS and name != ".git":
                yield path


FORBIDDEN_WORDS = [
    r"pypi\.org",
    r"pythonhosted\.",
    r"registry\.npm",
    r"conda\.anaconda\.",
    r"(?<![\w.])/work/",
    r"(?<![\w.])/root/",
    r"/home/[a-z]",
    r"[A-Z]:\\Users",
    r"\.pyenv",
]


def test_no_file_names_a_registry_or_a_place_on_one_machine():
    found = []
    for path in text_files():
        if path.name in ("test_house.py", "test_policy.py"):
            continue  # they name what they forbid
        lines = path.read_text(encoding="utf-8").splitlines()
        found += [
            f"{pytest_id(path)}:{number}: {word}"
            for number, line in enumerate(lines, 1)
            for word in FORBIDDEN_WORDS
            if re.search(word, line)
        ]
    assert found == []


def test_every_test_file_stands_where_its_module_does():
    modules = {path.relative_to(ROOT / "numba_course").with_suffix("").as_posix() for path in MODULES}
    for path in (ROOT / "tests").rglob("test_*.py"):
        place = path.relative_to(ROOT / "tests")
        module = place.with_name(place.stem.removeprefix("test_")).as_posix()
        assert module in modules or module in WHOLE, f"there is no module {module}; or is it about the whole?"


def test_readme_names_commands_that_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"(?:-m numba_course|numba-course) ([a-z]+)", text)
    assert {"start", "test", "build", "check"} <= set(named)
    assert set(named) <= cli.COMMANDS.keys()


def test_readme_has_one_small_picture_with_a_text():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    ((alt, name),) = re.findall(r"!\[(.*?)\]\((.*?)\)\n", text, re.DOTALL)
    assert len(alt) > 40
    assert (ROOT / name).read_bytes().startswith(b"\x89PNG") and (ROOT / name).stat().st_size < 100_000


def test_readme_lists_the_chapters_that_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (\d\d) \|", text, re.MULTILINE)
    assert listed == sorted(path.name[:2] for path in (ROOT / "notebooks/source").glob("[0-9][0-9]_*.md"))


def test_readme_gives_the_minutes_of_the_chapters():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| (\d\d) \|.*\| (\d+ \+ \d+) \|$", text, re.MULTILINE))
    about = {stem[:2]: book["metadata"]["numba_course"] for stem, book in notebook_files.chapters().items()}
    assert listed == {
        n: f"{given['minutes_teach']} + {given['minutes_exercise']}" for n, given in about.items()
    }


# Configurations that must agree


def project():
    """The table `project` of pyproject."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_conda_environment_is_that_of_pyproject():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, through_pip = conda["dependencies"]
    assert python == f"python {project()['requires-python']}"
    assert pip == "pip"
    assert through_pip == {"pip": ["-c constraints.txt", f"-e {environment.WHOLE}"]}
    assert conda["channels"] == ["conda-forge"]


def test_whoever_installs_a_checkout_installs_the_same():
    for name in ("constraints.txt", ".github/workflows/tests.yml", ".github/workflows/weekly.yml"):
        named = re.findall(r" -e \"?(\S+\])", (ROOT / name).read_text(encoding="utf-8"))
        assert named and set(named) == {environment.WHOLE}, name


def test_extras_bring_each_package_once_and_only_the_course_brings_jupyterlab():
    extras = {"": project()["dependencies"], **project()["optional-dependencies"]}
    asked = [re.match(r"[\w-]+", line)[0] for lines in extras.values() for line in lines]
    assert len(asked) == len(set(asked))
    assert [extra for extra, lines in extras.items() if "jupyterlab" in " ".join(lines)] == ["course"]


def constraints():
    """The lines of constraints.txt that pin something: name, version and condition."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [re.fullmatch(r"([a-z0-9-]+)==([\w.]+)(?: ; (.+))?", line) for line in lines if line[:1] != "#"]
    assert None not in pins
    return [pin.groups() for pin in pins]


def test_constraints_pin_everything_that_pyproject_asks_for():
    pinned = {name for name, _, _ in constraints()}
    extras = project()["optional-dependencies"].values()
    asked = [*project()["dependencies"], *(line for extra in extras for line in extra)]
    assert {re.match(r"[\w-]+", line)[0] for line in asked} <= pinned


def test_constraints_bring_no_gpu_packages():
    names = " ".join(name for name, _, _ in constraints())
    assert not re.search("torch|cuda|nvidia|cupy|tensorflow", names)


def test_constraints_say_how_they_were_made():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert re.search("^# Made with: uv pip compile .*--universal.* pyproject.toml$", text, re.MULTILINE)


def test_licences_are_there():
    for name in project()["license-files"]:
        assert "The numba_course developers" in (ROOT / name).read_text(encoding="utf-8")


def test_citation_is_that_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == project()["version"]
    assert " AND ".join(citation["license"]) == project()["license"]
    assert citation["authors"] == [{"name": "The numba_course developers"}]
    assert {"message", "title", "type"} <= citation.keys()


# What is shipped


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """The files of the source distribution, and the wheel that is made from it, unpacked."""
    folder = tmp_path_factory.mktemp("ship")
    ours = {*NOT_OURS, "__pycache__", ".hypothesis", ".pytest_cache", ".ruff_cache", "numba_course.egg-info"}
    shutil.copytree(ROOT, folder / "checkout", ignore=lambda _, names: ours & set(names))
    make = "import sys; from setuptools import build_meta as b; getattr(b, sys.argv[1])(sys.argv[2])"
    subprocess.run(
        [sys.executable, "-c", make, "build_sdist", ".."], cwd=folder / "checkout", check=True, stdout=-3
    )
    shutil.unpack_archive(next(folder.glob("*.tar.gz")), folder / "sdist", filter="data")
    source = next((folder / "sdist").iterdir())
    subprocess.run(
        [sys.executable, "-c", make, "build_wheel", str(folder)], cwd=source, check=True, stdout=-3
    )
    shutil.unpack_archive(next(folder.glob("*.whl")), folder / "wheel", "zip")
    return source, folder / "wheel"


def names(folder):
    """The files below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_source_distribution_has_every_file_of_the_checkout(shipped):
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8"
    ).stdout.split("\n")
    missing = {name for name in listed if name and (ROOT / name).exists()} - names(shipped[0])
    assert missing <= {".gitignore"}


def test_wheel_has_the_package_and_what_its_commands_read_and_nothing_else(shipped):
    package = {
        pytest_id(path)
        for path in (ROOT / "numba_course").rglob("*")
        if path.suffix in (".py", ".typed", ".json", ".j2")
    }
    course = {
        f"numba_course/{pytest_id(path)}"
        for path in (ROOT / "notebooks").rglob("*.*")
        if path.suffix != ".pyc"
    }
    assert {name for name in names(shipped[1]) if ".dist-info/" not in name} == package | course


def test_commands_run_from_the_wheel_alone(shipped, tmp_path):
    code = (
        "from pathlib import Path; import sys\n"
        "from numba_course import host\n"
        "from numba_course.launch import cli\n"
        "from numba_course.learner import notebook_files\n"
        "assert host.ROOT.resolve() == Path(sys.argv[1]).resolve(), host.ROOT\n"
        "assert notebook_files.course_folder().is_relative_to(sys.argv[1])\n"
        "for line in ('agenda --hours 4', 'notes 07', 'slides 00', 'class .', 'progress .'):\n"
        "    assert cli.main(line.split()) == 0, line\n"
        "assert cli.main(['build']) == 1\n"
    )
    (tmp_path / "progress.jsonl").write_text('{"exercise": "double", "status": "wrong"}\n', encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-c", code, str(shipped[1])],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(shipped[1])},
        capture_output=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == "numba_course: build needs a checkout of the course; this is an installed package.\n"
    assert (tmp_path / "00_start_here.slides.html").exists() and (tmp_path / "class.html").exists()


# Continuous integration


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def steps(path):
    """The steps of all jobs of a workflow."""
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflow_runs_commands_and_files_that_exist(path):
    commanded = "\n".join(step.get("run", "") for step in steps(path))
    named = re.findall(r"(?:-m numba_course|bin/numba-course) ([a-z]+)", commanded)
    assert named and set(named) <= cli.COMMANDS.keys()
    files = re.findall(r"(?<![\w/])(?:tests|notebooks|solutions)/[\w./]+", commanded)
    files += re.findall(r"[\w-]+\.(?:yml|txt|toml)", commanded)
    assert all((ROOT / name).exists() for name in files), files
    assert all("run" in step or re.search(r"@v\d+$", step["uses"]) for step in steps(path))


def test_workflows_try_the_oldest_and_the_newest_and_other_systems():
    tests = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))["jobs"]
    lowest, beyond = re.findall(r"3\.(\d+)", project()["requires-python"])
    matrix = tests["linux"]["strategy"]["matrix"]
    assert matrix == {"python": [f"3.{lowest}", f"3.{int(beyond) - 1}"], "numba": ["oldest", "newest"]}
    assert tests["others"]["strategy"]["matrix"]["system"] == ["windows-latest", "macos-latest"]
    assert tests["links"]["continue-on-error"] is True


@pytest.mark.skipif(not shutil.which("sed"), reason="this system has no sed")
def test_workflows_find_the_bounds_in_pyproject(tmp_path):
    scripts = [step["run"] for path in WORKFLOWS for step in steps(path) if "sed " in step.get("run", "")]
    oldest, unbounded = scripts
    assert re.search(
        r"\d",
        subprocess.check_output(
            ["sh", "-c", oldest.splitlines()[0] + "; echo $oldest"], cwd=ROOT, encoding="utf-8"
        ),
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    subprocess.run(["sh", "-c", unbounded], cwd=tmp_path, check=True)
    changed = tomllib.loads((tmp_path / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [
        *changed["dependencies"],
        *(line for extra in changed["optional-dependencies"].values() for line in extra),
    ]
    assert all(">=" in line and "<" not in line for line in asked)
    assert changed["requires-python"] == project()["requires-python"]


@pytest.mark.skipif(os.name != "posix", reason="the script is for bash")
@pytest.mark.parametrize("code", [0, 3])
def test_ci_runs_the_test_command_of_the_readme_and_passes_its_exit_code(tmp_path, code):
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in {"python3": f'echo "python3 $*"; exit {code}', "chromium": "exit 1"}.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        [shutil.which("bash"), script],
        env=os.environ | {"PATH": path},
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
    )
    assert (result.returncode, result.stdout) == (code, "python3 -m numba_course test\n")
    assert result.stdout.strip() in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", build.text_files(), ids=lambda path: path.stem)
def test_the_version_note_of_a_chapter_names_the_versions_that_are_supported(path):
    required = next(line for line in project()["dependencies"] if line.startswith("numba>="))
    first, beyond = re.fullmatch(r"numba>=0\.(\d+),<0\.(\d+)", required).groups()
    (note,) = re.findall(r"^\*\*Version note\.\*\*.*", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert f"Numba 0.{first} to 0.{int(beyond) - 1}" in note
