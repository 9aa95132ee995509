"""The command line where packages are missing: a machine with Python alone, too old or cut off; the package alone."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from numba_course import __main__
from numba_course.host import ROOT
from numba_course.launch import cli, environment
from tests import packages

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OLD_PYTHONS = [f"python{version}" for version in ("2.7", "3.5", "3.6", "3.7", "3.8", "3.9", "3.10")]
OFFLINE = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0"}


def bare(root, *arguments, without=(), **variables):
    """Run the command line in an interpreter without any package, on a machine without a network."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    lost = "; ".join(f"sys.modules[{name!r}] = None" for name in without)
    start = (
        f"import runpy, sys; {lost}\nrunpy.run_module('numba_course', run_name='__main__', alter_sys=True)"
    )
    return subprocess.run(
        [sys.executable, "-S", "-c", start, *arguments],
        cwd=root,
        env=kept | OFFLINE | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
    )


def sentence(result, code=1):
    """The one line of complaint of a command that failed without a traceback."""
    assert (result.returncode, result.stdout if code == 2 else "") == (code, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("numba_course")
    return line


# Python and nothing else


def test_bare_machine_shows_the_help_of_every_command_and_installs_nothing(checkout):
    before = set(checkout.rglob("*"))
    shown = bare(checkout, "--help", PYTHONDONTWRITEBYTECODE="1")
    assert shown.returncode == 0
    for name, command in cli.COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(command.summary)}$", shown.stdout, re.MULTILINE)
        details = bare(checkout, name, "--help", PYTHONDONTWRITEBYTECODE="1")
        assert (details.returncode, details.stderr) == (0, "")
        said = " ".join(details.stdout.split())
        settings = [each for _, each in command.arguments]
        flags = [flag for flags, _ in command.arguments for flag in flags if flag.startswith("-")]
        texts = [command.summary, command.text, command.example, *(each["help"] for each in settings)]
        for text in (*texts, *flags, *(each["metavar"] for each in settings if "metavar" in each)):
            assert text in said, name
    assert bare(checkout, "help").stdout == bare(checkout).stdout == shown.stdout
    assert bare(checkout, "help", "test").stdout == bare(checkout, "test", "--help").stdout
    assert bare(checkout, "--version").stdout == f"numba_course {PROJECT['version']}\n"
    assert {path for path in checkout.rglob("*") if "__pycache__" not in path.parts} == before


def test_wrong_use_is_said_on_a_bare_machine_and_installs_nothing(checkout):
    assert (
        sentence(bare(checkout, "strat"), 2) == "numba_course: there is no command strat; did you mean start?"
    )
    assert "the following arguments are required: FILE" in sentence(bare(checkout, "check", "double"), 2)
    assert not (checkout / ".venv").exists()


def test_python_without_venv_gets_one_sentence(checkout):
    said = sentence(bare(checkout, "start", without=["ensurepip"]))
    assert "this Python has no venv module; install it" in said
    assert not (checkout / ".venv").exists()


def test_offline_machine_gets_one_sentence_and_the_log(checkout):
    said = sentence(bare(checkout, "start"))
    log = checkout / ".venv" / environment.LOG
    assert "the packages cannot be fetched: check the network" in said
    assert "No matching distribution found" in said
    assert str(log) in said
    assert "No matching distribution found" in log.read_text(encoding="utf-8")


def test_read_only_checkout_gets_one_sentence(checkout):
    if getattr(os, "geteuid", lambda: 0)() == 0:
        pytest.skip("this user may write everywhere")
    checkout.chmod(0o555)
    try:
        said = sentence(bare(checkout, "start"))
    finally:
        checkout.chmod(0o755)
    assert "this folder cannot be written to" in said
    assert str(checkout / ".venv") in said


# Python itself


def test_supported_pythons_are_those_of_pyproject():
    lowest, beyond = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    assert (3, int(lowest)) == __main__.OLDEST
    assert (3, int(beyond) - 1) == __main__.NEWEST


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 8, 18), (3, 10, 13), (3, 15, 0)])
def test_unsupported_python_gets_one_sentence(version, monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", version)
    assert __main__.main() == 1
    said = f"numba_course needs Python 3.11 to 3.14; this is Python {version[0]}.{version[1]}.\n"
    assert capsys.readouterr().err == said


def test_old_python_reads_as_far_as_the_sentence():
    for name in filter(works, OLD_PYTHONS):
        command = [name, "-B", "-m", "numba_course", "start"]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
        version = name.removeprefix("python")
        assert sentence(result) == f"numba_course needs Python 3.11 to 3.14; this is Python {version}."
    if not any(map(works, OLD_PYTHONS)):
        pytest.skip("there is no old Python on this machine")


def works(python):
    """Whether there is such an interpreter."""
    return shutil.which(python) and not subprocess.run([python, "--version"], capture_output=True).returncode


def test_what_an_old_python_reads_is_old_syntax():
    new = (
        ast.JoinedStr,
        ast.NamedExpr,
        ast.AnnAssign,
        ast.Match,
        ast.AsyncFunctionDef,
        ast.Nonlocal,
        ast.Starred,
    )
    for name in ("__init__.py", "__main__.py"):
        text = (ROOT / "numba_course" / name).read_text(encoding="utf-8")
        assert text.isascii(), name
        for node in ast.walk(ast.parse(text)):
            assert not isinstance(node, new), f"{name}:{node.lineno}"
            assert not getattr(node, "returns", None) and not getattr(node, "annotation", None), name


# The package without a checkout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder of packages that an installation with these extras has, each made once."""
    if os.name != "posix":
        pytest.skip("the packages are linked, for which other systems ask for rights")
    made = {}

    def get(*extras, without=()):
        if (key := (extras, without)) not in made:
            made[key] = tmp_path_factory.mktemp("installed") / "packages"
            packages.install(made[key], *extras, without=without)
        return made[key]

    return get


def command(folder, *arguments):
    """Run a command of an installed package."""
    return packages.run(folder, "-m", "numba_course", *arguments)


def test_lens_kernels_and_pipeline_need_no_extra(installed):
    code = """
        import numpy as np
        from numba import njit, prange

        from numba_course import kernels, lens, pipeline

        @njit(parallel=True)
        def total(values):
            sums = np.zeros(1)
            for i in prange(len(values)):
                sums[0] += values[i]
            return sums

        ones = np.ones(9)
        print(lens.races(total, ones), lens.machine_code(total, ones), lens.cache(total))
        print(kernels.moving_average(ones, 3), pipeline.Pipeline)
    """
    result = packages.run(installed(), "-c", "\n".join(line[8:] for line in code.splitlines()))
    assert (result.returncode, result.stderr) == (0, "")
    assert "sums[0]" in result.stdout


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "from numba_course.lens import figures; figures.show(print, 'x')",
            'a figure needs matplotlib: pip install "numba-course[course]" brings it.',
        ),
        (
            "from numba_course.exercises import double",
            "an exercise needs scipy, matplotlib, pillow, ipykernel, cffi, hypothesis: "
            'pip install "numba-course[course]" brings them.',
        ),
    ],
)
def test_use_of_what_an_extra_brings_ends_with_one_sentence(installed, code, said):
    result = packages.run(installed(), "-c", code)
    assert result.stderr.splitlines()[-1] == f"ModuleNotFoundError: {said}"
    assert "During handling" not in result.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("start", "start needs scipy, matplotlib, pillow, ipykernel, cffi, hypothesis: "),
        ("check double x.py", "check needs scipy, matplotlib, pillow, ipykernel, cffi, hypothesis: "),
        *((f"{name} double", f"{name} needs scipy, ") for name in ("hint", "reset")),
        *((name, f"{name} needs scipy, ") for name in ("progress", "verify")),
        *((f"{name} 7", f"{name} needs ipython, jinja2, jupytext, ") for name in ("slides", "notes")),
        *((line, f"{line.split()[0]} needs ipython, jinja2, ") for line in ("agenda --hours 4", "class .")),
    ],
)
def test_command_names_the_extra_that_it_needs(installed, line, said):
    extra = "course" if "scipy" in said else "teach"
    complaint = sentence(command(installed(), *line.split()))
    assert complaint.startswith(f"numba_course: {said}")
    assert complaint.endswith(f': pip install "numba-course[{extra}]" brings them.')


@pytest.mark.parametrize("name", ["test", "build", "bench"])
def test_command_that_needs_a_checkout_says_so(installed, name):
    said = f"numba_course: {name} needs a checkout of the course; this is an installed package."
    assert sentence(command(installed(), name)) == said


def test_instructors_need_nothing_of_the_course(installed):
    folder = installed("teach")
    for line in ("agenda --hours 4 --format html", "notes 7", "slides 0 --output slides.html"):
        result = command(folder, *line.split())
        assert (result.returncode, result.stderr) == (0, ""), line
        assert result.stdout
    missing = sentence(command(installed("teach", without=("jinja2",)), "class", "."))
    assert missing == 'numba_course: class needs jinja2: pip install "numba-course[teach]" brings it.'


def test_answers_are_checked_beside_any_jupyter_and_start_needs_jupyterlab(installed):
    folder = installed("course", without=("jupyterlab",))
    answer = "from numba import njit\n\n\n@njit\ndef double(values):\n    return 2 * values\n"
    (folder.parent / "answer.py").write_text(answer, encoding="utf-8")
    result = command(folder, "check", "double", "answer.py")
    assert (result.returncode, result.stderr) == (0, "")
    assert sentence(command(folder, "start")) == (
        'numba_course: start needs jupyterlab: pip install "numba-course[course]" brings it.'
    )
