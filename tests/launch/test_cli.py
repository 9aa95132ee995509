"""The command line: how it is understood, what it says to wrong use, and what the commands do with it."""

import os
import shlex
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from numba_course import exercises
from numba_course.authoring import build
from numba_course.exercises.examination.verdict import Verdict
from numba_course.host import ROOT, WrongUse
from numba_course.launch import cli
from numba_course.teaching import lesson

RIGHT = "from numba import njit\n\n\n@njit\ndef double(values):\n    return 2 * values\n"


# How it is understood


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_example_of_a_command_is_understood(name):
    line = f"{name} {cli.COMMANDS[name].example}".partition(" > ")[0]
    assert cli.understood(shlex.split(line)).command == name


def test_options_may_stand_anywhere():
    options = cli.understood(["build", "7", "--check", "prange"])
    assert (options.chapter, options.check) == (["7", "prange"], True)
    assert cli.understood(["start", "--no-browser", "a", "--port", "3"]).folder == Path("a")
    assert cli.understood(["start", "a", "--name", "b"]).folder == Path("a")
    assert cli.understood(["hint", "double", "-1"]).number == -1


def test_program_is_named_as_it_was_called():
    script = Path(sysconfig.get_path("scripts")) / "numba-course"
    for arguments in (["--help"], ["hint", "--help"], ["progress", "/nowhere"], ["hint"]):
        said = []
        for program in ([script], [sys.executable, "-m", "numba_course"]):
            result = subprocess.run([*program, *arguments], cwd=ROOT, capture_output=True, encoding="utf-8")
            said.append(" ".join((result.stdout + result.stderr).split()))
        assert "numba-course " in said[0] and "python3 -m" not in said[0]
        assert "python3 -m numba_course " in said[1]


@pytest.mark.parametrize("arguments", [["--help"], ["verify", "--help"], ["progress", "FOLDER"]])
def test_help_and_progress_wait_for_nothing_heavy(tmp_path, arguments):
    (tmp_path / "progress.jsonl").touch()
    heavy = "{'numba', 'numpy', 'matplotlib', 'scipy', 'hypothesis', 'IPython', 'jupyterlab', 'jupytext', 'nbformat'}"
    code = f"import sys; from numba_course.__main__ import main; main(); print({heavy} & set(sys.modules))"
    arguments = [str(tmp_path) if word == "FOLDER" else word for word in arguments]
    command = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert result.stdout.splitlines()[-1] == "set()"
    assert len(result.stdout.splitlines()) > 5


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("strat", "there is no command strat; did you mean start?"),
        ("--verison", "there is no command --verison; did you mean --version?"),
        ("help verfiy", "there is no command verfiy; did you mean verify?"),
        ("xyz", "there is no command xyz; there are start, progress, check,"),
        (
            "class . --no-na",
            "class does not know --no-na; python3 -m numba_course class --help says what it takes.",
        ),
        ("notes 7 8", "notes does not know 8; "),
        ("notes 7 --output", "--output: expected one argument; python3 -m numba_course notes --help says"),
        ("hint double one", "NUMBER must be a whole number, not one; "),
        ("hint double 9", "double has hints 1 to 3, not 9."),
        ("check double", "the following arguments are required: FILE; "),
        ("agenda", "the following arguments are required: --hours; "),
        ("agenda --hours many", "--hours must be a number, not many; "),
        ("agenda --hours 4 --start 24:00", "--start must be a time such as 13:30, not 24:00; "),
        ("agenda --hours 4 --format pdf", "--format must be one of text, markdown, html, not pdf."),
        ("hint duoble", "there is no exercise duoble; did you mean double?"),
        ("reset duoble", "there is no exercise duoble; did you mean double?"),
        ("slides prnage", "there is no chapter prnage; did you mean 07_prange?"),
        ("notes 70", "there is no chapter 70; there are 00_start_here, 01_"),
        ("build 7 prnage", "there is no chapter prnage; did you mean 07_prange?"),
        ("bench memcyp", "there is no kernel memcyp; did you mean memcpy?"),
        ("class nowhere", "there is no folder nowhere."),
        ("progress nowhere", "nowhere is no folder of yours yet; python3 -m numba_course start makes one."),
    ],
)
def test_wrong_use_gets_one_sentence_and_2(line, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "progress.jsonl").touch()
    assert cli.run(line.split()) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert shown.err.startswith(f"numba_course: {said}")


def test_interruption_ends_without_a_traceback(monkeypatch, capsys):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    assert cli.run(["start"], interrupt) == 130
    assert capsys.readouterr().err == "\nStopped.\n"


# Chapters


@pytest.mark.parametrize("name", ["07_prange.md", "07_prange", "prange", "07", "7"])
def test_chapter_has_the_same_names_for_all_commands(name):
    assert {lesson.find(name).stem, *(path.stem for path in build.text_files([name]))} == {"07_prange"}


def test_first_chapter_is_0_and_no_number_means_another():
    assert lesson.find("0").stem == "00_start_here"
    for name in ("1_prange", "007", "", "0x7"):
        with pytest.raises(WrongUse):
            build.text_files([name])


# test and build


PYTEST = [sys.executable, "-m", "pytest", "-n", cli.PROCESSES]


@pytest.mark.parametrize(
    ("line", "given"),
    [
        ("test", ""),
        ("test -- -k folder", "-k folder"),
        ("test -x tests/launch", "-x tests/launch"),
        ("test --check --json x", "--check --json x"),
        ("test -k x --help", "-k x --help"),
        ("test -- --help", "--help"),
        ("test tests -- -x", "tests -- -x"),
    ],
)
@pytest.mark.parametrize("told_to_write_none", [False, True])
def test_test_hands_all_arguments_to_pytest_in_the_checkout(monkeypatch, line, given, told_to_write_none):
    handed = []
    monkeypatch.setattr(cli, "hand_over", lambda *how: handed.append(how))
    monkeypatch.setattr(sys, "dont_write_bytecode", told_to_write_none)
    variables = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(ROOT / ".bytecode")}
    assert cli.run(line.split()) == 0
    assert handed == [([*PYTEST, *given.split()], ROOT, variables if told_to_write_none else {})]


def test_build_passes_its_arguments_and_its_exit_code(monkeypatch):
    seen = []

    def build_all(chapters, check):
        seen.append((chapters, check))
        return 1 if check else 0

    monkeypatch.setattr(build, "build_all", build_all)
    assert cli.run(["build", "07_prange", "0"]) == 0
    assert cli.run(["build", "--check"]) == 1
    assert seen == [(["07_prange", "0"], False), (None, True)]


# check


@pytest.fixture
def answer(tmp_path, monkeypatch):
    """Writes an answer file in the learner's folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))

    def write(text):
        path = tmp_path / "answers.py"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_check_of_a_right_answer_ends_with_0(answer, capsys):
    assert cli.run(["check", "double", answer(RIGHT)]) == 0
    assert capsys.readouterr().out.startswith("✓ double: correct\n")


def test_check_of_a_wrong_answer_ends_with_1_and_shows_the_finding(answer, capsys):
    assert cli.run(["check", "double", answer(RIGHT.replace("2 *", "3 *"))]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("✗ double: wrong\n")
    assert "[1.5]" in shown


@pytest.mark.parametrize(
    ("where", "encoding", "code"),
    [
        ("/dev/full", "utf-8", 3),
        (os.devnull, "ascii", 0),
        (None, "utf-8", 0),
        ("a pipe that nobody reads", "utf-8", 3),
    ],
)
def test_check_says_what_it_can_where_output_does_not_go(answer, where, encoding, code):
    """On a full disk, in an encoding without ✓, with output closed, and after `| true`."""
    if where == "/dev/full" and not Path(where).exists():
        pytest.skip("there is no such device")
    program = (
        f"import sys; {'sys.stdout = None; ' if where is None else ''}from numba_course.launch import cli; "
    )
    program += f"sys.exit(cli.run(['check', 'double', {answer(RIGHT)!r}]))"
    reader, writer = os.pipe()
    os.close(reader)
    place = os.open(where, os.O_WRONLY) if where and os.path.exists(where) else os.dup(writer)
    try:
        done = subprocess.run(
            [sys.executable, "-c", program],
            stdout=place,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONIOENCODING": encoding},
            text=True,
        )
    finally:
        os.close(place)
        os.close(writer)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert ("cannot be written" in done.stderr) == (where == "/dev/full")


@pytest.mark.parametrize("folder", [".", "numba-course"])  # the current one, and that in the home
def test_check_from_a_terminal_records_progress_where_there_is_a_record(answer, tmp_path, folder):
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "progress.jsonl").touch()
    command = [sys.executable, "-m", "numba_course", "check", "double", answer(RIGHT)]
    subprocess.run(command, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    assert '"double", "status": "correct"' in (tmp_path / folder / "progress.jsonl").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there are no such signals")
def test_what_a_check_has_begun_is_cleared_away_when_it_is_ended(answer, tmp_path, name):
    (tmp_path / "temporary").mkdir()
    path = answer(RIGHT + "\nprint('here', flush=True)\nimport time\ntime.sleep(100)\n")
    program = (
        f"import sys; from numba_course.launch import cli; sys.exit(cli.main(['check', 'double', {path!r}]))"
    )
    program = program.replace("from numba", "print('loaded', flush=True); from numba", 1)
    env = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    process = subprocess.Popen(
        [sys.executable, "-c", program], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not list((tmp_path / "temporary").glob("tmp*")):  # it has begun
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(getattr(signal, name))
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + getattr(signal, name), said
    assert "Traceback" not in said
    assert not list((tmp_path / "temporary").glob("tmp*"))


def test_check_that_is_stopped_ends_with_130(answer, monkeypatch, capsys):
    class Stopped:
        name = "double"

        def examine_file(self, path):
            return Verdict("double", "stopped")

    monkeypatch.setattr(exercises, "get", lambda name: Stopped())
    assert cli.run(["check", "double", answer(RIGHT)]) == 130


def test_check_of_our_bug_ends_with_3(answer, monkeypatch, capsys):
    class Broken:
        name = "double"

        def examine_file(self, path):
            return Verdict("double", "our bug")

    monkeypatch.setattr(exercises, "get", lambda name: Broken())
    assert cli.run(["check", "double", answer(RIGHT)]) == 3


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("duoble", RIGHT, "there is no exercise duoble; did you mean double?"),
        ("double", None, "cannot be read"),
        ("double", "x = 1\n", "defines no function double"),
    ],
)
def test_check_of_nothing_ends_with_2_and_says_what_is_missing(answer, capsys, name, text, said):
    file = answer(text) if text else "nowhere.py"
    assert cli.run(["check", name, file]) == 2
    assert said in capsys.readouterr().err
