"""The doctor on a machine that is well, and on one that has all the faults that people have, made for real."""

import os
import re
import subprocess
import sys
from collections import namedtuple

import pytest

from numba_course.launch import cli
from numba_course.learner import doctor
from numba_course.learner.doctor import Diagnosis, Line
from tests import packages

TOPICS = ["packages", "compiler", "threads", "cache", "checks", "JupyterLab"]
pytestmark = pytest.mark.load
WELL = {"BROWSER": "true"}  # a browser of that name
NO_OPENMP = (
    "import sys\nfor name in ('omppool', 'tbbpool'):\n    sys.modules[f'numba.np.ufunc.{name}'] = None\n"
)
KERNEL = '{"argv": ["/usr/bin/other-python", "-m", "x"], "display_name": "x", "language": "python"}'


def run(*arguments, **variables):
    """Run the doctor in a process with these variables, and no others that matter."""
    matters = re.compile(r"(?i)NUMBA|OMP_|proxy$|JUPYTER|BROWSER|DISPLAY")
    kept = {name: value for name, value in os.environ.items() if not matters.search(name)}
    command = [sys.executable, "-m", "numba_course", "doctor", *arguments]
    return subprocess.run(command, env=kept | variables, capture_output=True, encoding="utf-8")


def spoken(result):
    """What was said about each topic, its cures included."""
    parts = re.split(rf"^([✓!✗]) ({'|'.join(TOPICS)}):? +", result.stdout, flags=re.MULTILINE)
    return {
        topic: (icon, text) for icon, topic, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    }


def test_machine_that_is_well_gets_six_lines_and_0(tmp_path):
    result = run(**WELL, NUMBA_COURSE_CACHE=str(tmp_path / "Zoë Ōta"), NUMBA_NUM_THREADS="2")
    assert (result.returncode, result.stderr) == (0, "")
    assert [line.split()[1] for line in result.stdout.splitlines()] == TOPICS
    for topic, (_, text) in spoken(result).items():
        assert "→" not in text or "memory" in text or "OpenMP" in text, topic
    assert "on 2 threads" in result.stdout
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []  # it leaves nothing behind


def test_each_fault_is_found_and_has_its_cure(tmp_path):
    old = tmp_path / "jupyterlab-3.6.0.dist-info"
    old.mkdir()
    (old / "METADATA").write_text("Name: jupyterlab\nVersion: 3.6.0\n", encoding="utf-8")
    (tmp_path / "sitecustomize.py").write_text(NO_OPENMP, encoding="utf-8")
    kernel = tmp_path / "kernels" / "python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(KERNEL, encoding="utf-8")
    (tmp_path / "file").touch()
    result = run(
        "--report",
        PYTHONPATH=str(tmp_path),
        JUPYTER_PATH=str(tmp_path),
        NUMBA_NUM_THREADS="1",
        NUMBA_COURSE_CACHE=str(tmp_path / "file" / "cache"),
        http_proxy="http://someone:secret@proxy:3128",
        PATH="",
        NO_PROXY="",
    )
    assert (result.returncode, result.stderr) == (1, "")
    said = spoken(result)
    assert {topic: icon for topic, (icon, _) in said.items()} == {
        "packages": "✗",
        "compiler": "✓",
        "threads": "!",
        "cache": "✗",
        "checks": "✓",
        "JupyterLab": "!",
    }
    for topic, sentence, cure in [
        (
            "packages",
            "jupyterlab is 3.6.0, but jupyterlab<5,>=4.4 is needed",
            "python3 -m numba_course start",
        ),
        ("threads", "there is no OpenMP", "libgomp1"),
        ("threads", "there is one thread only", "remove the setting NUMBA_NUM_THREADS"),
        ("cache", "cannot be written", "let the setting NUMBA_COURSE_CACHE name a folder"),
        (
            "JupyterLab",
            "kernel python3 is /usr/bin/other-python",
            "python3 -m numba_course start, which picks",
        ),
        (
            "JupyterLab",
            "a proxy stands between this machine and itself",
            "set NO_PROXY to localhost,127.0.0.1",
        ),
        ("JupyterLab", "no browser was found", "copy the address"),
    ]:
        before, *cures = said[topic][1].split("→")
        assert sentence in before
        assert any(cure in each for each in cures)
    assert "http_proxy: http://…@proxy:3128" in result.stdout
    assert "secret" not in result.stdout
    assert "NUMBA_NUM_THREADS: 1" in result.stdout
    assert "jupyterlab: 3.6.0" in result.stdout
    assert "⟨" not in result.stdout


# Where there is no checkout


@pytest.fixture
def installed(tmp_path):
    """Installs the package with these extras alone; gives a function that runs Python there."""
    if os.name != "posix":
        pytest.skip("the packages are linked, for which other systems ask for rights")

    def install(*extras, without=()):
        packages.install(tmp_path / "packages", *extras, without=without)
        return lambda *arguments: packages.run(tmp_path / "packages", *arguments, **WELL)

    return install


DOCTOR = ("-m", "numba_course", "doctor")
IN_A_KERNEL = "import ipykernel; from numba_course.learner import doctor; print(doctor.examine())"


def test_package_with_the_course_gets_the_same_six_lines(installed):
    result = installed("course")(*DOCTOR)
    assert (result.returncode, result.stderr) == (0, "")
    assert [line.split()[1] for line in result.stdout.splitlines() if line[0] in "✓!"] == TOPICS


def test_package_with_a_part_of_the_course_is_told_how_to_get_the_rest(installed):
    python = installed("course", without=("scipy", "jupyterlab"))
    for code in (DOCTOR, ("-c", IN_A_KERNEL)):
        (icon, text) = spoken(python(*code))["packages"]
        assert icon == "✗" and '→ pip install "numba-course[course]"' in text
        assert ("needs scipy, jupyterlab\n" if code == DOCTOR else "needs scipy\n") in text


def test_hosted_notebook_needs_no_jupyterlab(installed):
    result = installed("course", without=("jupyterlab",))("-c", IN_A_KERNEL)
    said = spoken(result)
    assert [*said] == TOPICS
    assert {icon for icon, _ in said.values()} <= {"✓", "!"}
    assert said["JupyterLab"] == ("✓", "the Jupyter that shows this notebook will do\n")


def test_package_alone_can_be_used_and_the_course_cannot(installed):
    result = installed()(*DOCTOR)
    assert (result.returncode, result.stderr) == (1, "")
    said = spoken(result)
    assert [*said] == TOPICS[:4]  # what would need the course is not tried
    icon, text = said.pop("packages")
    assert icon == "✗" and text.startswith(
        "lens, kernels and pipeline can be used, but the course also needs scipy, "
    )
    assert '→ pip install "numba-course[course]"\n' in text
    assert {icon for icon, _ in said.values()} <= {"✓", "!"}


# Faults that are easier to make here


def fault(probe):
    """The one fault that a probe finds: its tone, what it says, its cure."""
    (found,) = probe()[1]
    return found


def test_compiler_that_is_switched_off():
    result = run(NUMBA_DISABLE_JIT="1", **WELL)
    assert result.returncode == 1
    assert "NUMBA_DISABLE_JIT lets nothing be compiled" in spoken(result)["compiler"][1]
    assert all(
        "remove the setting NUMBA_DISABLE_JIT" in spoken(result)[topic][1] for topic in ("compiler", "checks")
    )


def test_process_that_dies(monkeypatch):
    monkeypatch.setattr(doctor, "_compile_one", os.abort)
    assert fault(doctor._compiler) == ("bad", "the process crashed", doctor.REINSTALL)


def test_little_memory(monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", lambda: namedtuple("Memory", "available")(300 << 20))
    tone, sentence, cure = fault(doctor._checks)
    assert (tone, sentence) == ("warn", "only ⟨300⟩ MiB of memory are free")
    assert "close other programs" in cure


def test_machine_that_cannot_reach_itself(monkeypatch):
    def refuse(*address):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(doctor.socket, "create_server", refuse)
    monkeypatch.setattr(doctor, "_no_browser", list)
    tone, sentence, cure = fault(doctor._lab)
    assert tone == "bad"
    assert "no program can reach JupyterLab on this machine (Operation not permitted)" == sentence
    assert "firewall" in cure


def test_cache_that_is_written_and_never_read(monkeypatch):
    monkeypatch.setattr(doctor, "_in_child", lambda function, seconds: (False, []))
    tone, sentence, _ = fault(doctor._cache)
    assert (tone, "compiled again" in sentence) == ("warn", True)


def test_probe_that_fails_itself_is_a_line():
    line = doctor._guarded("threads", lambda: 1 / 0)
    assert (line.topic, line.tone, line.cures) == ("threads", "bad", (doctor.SEND,))
    assert "ZeroDivisionError" in line.seen


def test_diagnosis_is_six_lines_in_a_notebook_and_in_a_terminal(monkeypatch):
    lines = [Line(topic, "good", "fine <3") for topic in TOPICS]
    assert repr(Diagnosis(tuple(lines))).splitlines() == [f"✓ {topic}: fine <3" for topic in TOPICS]
    shown = Diagnosis((*lines, Line("x", "warn", "a fault", ("a cure",))))._repr_html_()
    assert "fine &lt;3" in shown and "→ a cure" in shown
    assert Diagnosis(tuple(lines)).healthy
    assert Diagnosis((Line("x", "warn", "a fault"),)).healthy
    assert not Diagnosis((*lines, Line("x", "bad", "a fault"))).healthy
    monkeypatch.setattr(doctor, "examine", lambda: Diagnosis((Line("x", "bad", "a fault"),)))
    assert cli.run(["doctor"]) == cli.run(["doctor", "--report"]) == 1
