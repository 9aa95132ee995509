"""A process and all that it started: who they are, what memory they use, and their end."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import psutil

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # on Windows, SIGTERM ends a process at once

MANY = 64  # threads of a process
_kill = os.kill  # bound here: a session may replace anything later


def descendants(pid: int) -> list[int]:
    """The processes that process `pid` has started, and those that they have; not itself."""
    found, waiting = [], [pid]
    while waiting:
        started = children(waiting.pop())
        found += started
        waiting += started
    return found


def children(pid: int) -> list[int]:
    """The processes that process `pid` has started and that are there.

    Linux says it in files; psutil reads the table of all processes, which takes longer.
    """
    tasks = Path(f"/proc/{pid}/task")
    try:
        threads = list(tasks.iterdir())
        if len(threads) > MANY:
            raise OSError("to read so many files takes longer")
        listed = [thread.joinpath("children").read_text() for thread in threads]
        return [int(word) for text in listed for word in text.split()]
    except OSError:
        if not tasks.exists() and tasks.parents[1].joinpath("self").exists():
            return []  # it ended meanwhile
    with suppress(psutil.Error):
        return [child.pid for child in psutil.Process(pid).children()]
    return []


def memory(pid: int) -> int:
    """Bytes of physical memory that process `pid` uses; 0 when it is gone."""
    try:
        return psutil.Process(pid).memory_info().rss
    except psutil.Error:
        return 0


def shared_out(pid: int) -> int:
    """Bytes that process `pid` uses, those that it shares divided by the number of those who share them."""
    try:
        used = psutil.Process(pid).memory_full_info()
    except (psutil.Error, OSError):
        return memory(pid)
    return getattr(used, "pss", 0) or getattr(used, "uss", 0) or used.rss


def processor_seconds(pid: int) -> float:
    """Processor time that process `pid` has used, all threads together; 0 when it is gone."""
    try:
        used = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return used.user + used.system


def is_stopped(pid: int) -> bool:
    """Whether process `pid` was told to stand still, or has ended and only its number is left."""
    try:
        return psutil.Process(pid).status() in (
            psutil.STATUS_STOPPED,
            psutil.STATUS_TRACING_STOP,
            psutil.STATUS_ZOMBIE,
        )
    except psutil.Error:
        return True


def kill(pids: list[int]) -> None:
    """Kill these processes, as far as they are there and ours."""
    for pid in pids:
        with suppress(OSError):
            _kill(pid, KILL)


def wait_for_the_end(pids: list[int], seconds: float) -> None:
    """Wait until these processes are gone, at most so long."""
    until = monotonic() + seconds
    while monotonic() < until and not all(map(is_gone, pids)):
        sleep(0.002)


def is_gone(pid: int) -> bool:
    """Whether process `pid` has ended, though its number may be left."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def same_session(leader: int) -> list[int]:
    """The processes of the session that process `leader` leads or led; empty where the system has no sessions."""
    if not hasattr(os, "getsid"):
        return []
    found = []
    for pid in psutil.pids():
        with suppress(OSError):
            if os.getsid(pid) == leader:
                found.append(pid)
    return found
