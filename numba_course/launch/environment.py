"""Find or make the environment that the course runs in, with the standard library alone.

Where the current interpreter has what a command needs, the command runs in it. Otherwise a checkout gets a
folder `.venv` of its own: packages pinned by `constraints.txt` are installed into it, and the command runs
there. A stamp in that folder says what it was made from, or that it was never finished.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from numba_course.host import SIZE, Trouble, hand_over, installed, met, reason

EXTRAS = ("course", "test", "teach", "scale")  # not the peers, which are for those who measure
WHOLE = f".[{','.join(EXTRAS)}]"
STAMP = "numba_course.stamp"
LOG = "numba_course.log"
UNFINISHED = "unfinished"
# As pip puts it.
OFFLINE = "connection broken|from versions: none|Timeout|name resolution|ProxyError|SSLError"


def enter(root: Path, arguments: list[str], extras: tuple[str, ...]) -> None:
    """Return if the command can run in this process; otherwise run it where it can, made for it if need be.

    Parameters
    ----------
    root : Path
        Folder of the checkout.
    arguments : list of str
        Of the command line, to be given again.
    extras : tuple of str
        Optional dependencies of pyproject that the command needs.

    Raises
    ------
    Trouble
        If the environment cannot be made.
    """
    venv = root / ".venv"
    python = python_of(venv)
    inside = Path(sys.prefix).resolve() == venv.resolve()
    ours = (venv / STAMP).exists() or not venv.exists()
    if _up_to_date(root, venv) if ours and inside else satisfied(root, extras):
        return
    if ours and not _up_to_date(root, venv):
        install(root, venv)
    if not ours and (inside or not python.exists()):
        raise Trouble(
            f"{venv} was not made by this command and lacks what the course needs: "
            f'move it away, or install into it: pip install -c constraints.txt -e "{WHOLE}"'
        )
    hand_over([str(python), "-m", "numba_course", *arguments])


def satisfied(root: Path, extras: tuple[str, ...]) -> bool:
    """Whether this interpreter has the course, installed from `root`, and all that it requires directly."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"]]
    wanted += [line for extra in extras for line in project["optional-dependencies"][extra]]
    elsewhere = [folder for folder in sys.path if Path(folder).resolve() != root]
    course = installed(project["name"], elsewhere)
    origin = course and course.read_text("direct_url.json")
    if not origin or json.loads(origin)["url"] != root.as_uri():
        return False  # a kernel, which starts in another folder, would find no course or another one
    return all(met(requirement, elsewhere) for requirement in wanted)


def fingerprint(root: Path) -> str:
    """What the environment is made from, as a hash; the folder counts, because the install points to it."""
    parts = [(root / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256(b"\0".join([*parts, os.fsencode(root)])).hexdigest()


def _made_from(venv):
    """The fingerprint in the stamp of an environment, or `UNFINISHED`; None without a stamp."""
    with contextlib.suppress(OSError):
        return (venv / STAMP).read_text(encoding="utf-8")


def _up_to_date(root, venv):
    return _made_from(venv) == fingerprint(root) and python_of(venv).exists()


def python_of(venv: Path) -> Path:
    """The interpreter of a virtual environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(root: Path, venv: Path) -> None:
    """Make the virtual environment, or bring it up to date; one that was never finished is made anew.

    Raises
    ------
    Trouble
        If Python cannot make it, or pip cannot fill it.
    """
    try:
        with _alone(root):
            if _up_to_date(root, venv):
                return  # another process made it while this one waited
            if not python_of(venv).exists() or _made_from(venv) == UNFINISHED:
                _make(venv)
            _mark(venv, UNFINISHED)
            pip = [str(python_of(venv)), "-m", "pip", "install", "--disable-pip-version-check"]
            pip += ["--no-input", "--progress-bar=off"]
            # To bytecode Python compiles what it imports, which is far less; unless it was told to write none:
            # then each process would do so again, for seconds.
            pip += [] if sys.dont_write_bytecode else ["--no-compile"]
            _watch([*pip, "-c", "constraints.txt", "-e", WHOLE], "installing", venv / LOG, root)
            _mark(venv, fingerprint(root))
    except OSError as error:
        raise Trouble(reason(error)) from error


def _make(venv):
    """Make an empty virtual environment."""
    if not all(map(importlib.util.find_spec, ("venv", "ensurepip"))):
        raise Trouble(
            "this Python has no venv module; install it "
            "(Debian and Ubuntu: apt install python3-venv) and run the same command again."
        )
    print(f"Installing what the course needs into {venv} (about {SIZE}, once).", flush=True)
    shutil.rmtree(venv, ignore_errors=True)
    venv.mkdir(exist_ok=True)
    _mark(venv, UNFINISHED)
    base = getattr(sys, "_base_executable", sys.executable)  # this one may have been in the folder
    _watch([base, "-m", "venv", str(venv)], "making .venv", venv / LOG, venv.parent)


def _mark(venv, text):
    (venv / STAMP).write_text(text, encoding="utf-8")


@contextlib.contextmanager
def _alone(root):
    """Let one process at a time install, where the system has file locks."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with open(root / "pyproject.toml", "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another process is installing; waiting for it.", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            pass  # a network folder may have no locks
        yield


def _watch(command, title, log, directory):
    """Run a command, its output in `log`, showing how far it is and the seconds so far."""
    began, shown = time.monotonic(), 0.0
    with open(log, "wb") as file:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        while process.poll() is None:
            shown = _show(title, _step(_text(log)), time.monotonic() - began, shown)
            time.sleep(0.2)
    finally:
        process.kill()  # does nothing to one that has ended
        process.wait()
    if sys.stdout.isatty():
        print()
    if process.returncode:
        raise Trouble(_what_went_wrong(_text(log), log))
    print(f"{title}: done in {time.monotonic() - began:.0f} s", flush=True)


def _show(title, step, seconds, shown):
    """Show a step: in a terminal on one line that moves, elsewhere as a line every five seconds."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        wheel = "|/-\\"[int(seconds * 5) % 4]
        print("\r" + f"{wheel} {title} ({seconds:.0f} s): {step}"[:width].ljust(width), end="", flush=True)
    elif seconds - shown >= 5:
        print(f"{title} ({seconds:.0f} s): {step[:100]}", flush=True)
        return seconds
    return shown


def _text(log):
    return log.read_text(encoding="utf-8", errors="replace")


def _step(text):
    """What pip is at, from its output so far."""
    steps = re.findall(r"^ *((?:Collecting|Downloading|Installing) .*)", text, re.MULTILINE)
    if not steps:
        return "starting"
    if steps[-1].startswith("Installing collected packages"):
        return f"unpacking {steps[-1].count(',') + 1} packages"
    return steps[-1]


def _what_went_wrong(text, log):
    """One sentence about a command that failed, from its output."""
    said = re.findall("ERROR: (.*)", text) or re.findall("(?i).*error.*", text) or text.splitlines() or [""]
    said = f"({said[-1].strip()}; more in {log})"
    if "No space left on device" in text:
        return f"the disk is full: make room, about {SIZE}, and run the same command again {said}"
    if re.search(OFFLINE, text):
        return f"the packages cannot be fetched: check the network and run the same command again {said}"
    return f"the packages could not be installed {said}"


def kept_bytecode(root: Path) -> dict[str, str]:
    """Environment variables that keep bytecode where Python is told to write none, as in many containers.

    Hundreds of processes that import the same would otherwise compile it again, each for seconds. It goes to a
    folder of its own, beside no source.
    """
    if not sys.dont_write_bytecode:
        return {}
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(root / ".bytecode")}
