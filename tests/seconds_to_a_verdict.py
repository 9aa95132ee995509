"""How long a learner waits for a verdict: python tests/seconds_to_a_verdict.py [EXERCISE ...], on a quiet machine.

Each exercise is checked in a session of its own, as a notebook is: its first check some seconds after the chapter was
imported, as nobody answers sooner, then others, and then an answer that is wrong at once. Wanted on two cores: at most
two seconds for the first, one for a later one, three where the answer is parallel. With --at-once as the first argument
nothing is waited for.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

READING = 12.0  # seconds
LATER = 5  # checks whose median counts
PARALLEL = ("parallel_histogram", "jacobi_step", "parallel_max")
WANTED = {"first": 2.0, "later": 1.0, "parallel": 3.0}

SESSION = """
import json, sys, time
from numba_course import exercises
def seconds(answer):
    start = time.perf_counter()
    status = exercise.examine(answer).status
    return time.perf_counter() - start, status
exercise = exercises.get(sys.argv[1])
def wrong(*args):
    return args[-1]
time.sleep(float(sys.argv[3]))
print(json.dumps([seconds(exercise.reference) for _ in range(1 + int(sys.argv[2]))] + [seconds(wrong)]))
"""


def measured(name: str, pause: float) -> tuple[float, float, float, set[str]]:
    """Seconds of the first check, of a later one, of a wrong answer; and what the right ones were found to be."""
    command = [sys.executable, "-c", SESSION, name, str(LATER), str(pause)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    (first, _), *later, (wrong, _) = found
    return first, statistics.median(t for t, _ in later), wrong, {status for _, status in found[:-1]}


def main(names: list[str]) -> None:
    """Print a line for each exercise; what is longer than wanted is marked."""
    from numba_course import exercises

    pause = 0.0 if names[:1] == ["--at-once"] else READING
    names = [name for name in names if not name.startswith("--")]
    print(f"{'exercise':24} {'first':>7} {'later':>7} {'wrong':>7}")
    for name in names or [name for some in exercises.NAMES.values() for name in some]:
        first, later, wrong, statuses = measured(name, pause)
        limit = WANTED["parallel" if name in PARALLEL else "later"]
        late = "  too long" if first > max(WANTED["first"], limit) or later > limit else ""
        odd = f"  {', '.join(statuses)}" if statuses != {"correct"} else ""
        print(f"{name:24} {first:7.2f} {later:7.2f} {wrong:7.2f}{late}{odd}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
