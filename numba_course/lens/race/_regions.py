"""Loops over `prange` in an interpreted function: which iteration runs, on which thread, what crosses to another."""

from __future__ import annotations

import numpy as np
from numba.core.analysis import compute_cfg_from_blocks

from numba_course.lens.race import _elements
from numba_course.lens.race._memory import READ, WRITE, Collision, Iteration, parting
from numba_course.lens.race._parfors import LOOP
from numba_course.lens.race._reductions import as_reduction
from numba_course.lens.race._values import NotUnderstood, as_unsigned


def iterations_of(line: int, count: int) -> str:
    """In words, so many iterations of the loop on that line."""
    return f"{count:,} iteration{'s' if count != 1 else ''} of the loop on line {line}"


class Region:
    """One run of a parallel loop: an iterator that tells the memory which iteration runs."""

    def __init__(self, run, frame, prange):
        self.run, self.frame, self.place = run, frame, prange.place
        self.number, self.count = _loop_number(run, frame, prange.place), 0
        self.unsigned = (prange.place.filename, prange.place.line) in frame.facts.unsigned
        self.outside, self.iterations = run.memory.path, iter(prange.iterations)
        self.header, self.judged = None, {}
        run.regions.append(self)
        run.active.append(self)
        frame.region = self

    def __next__(self):
        self.header = self.frame.label
        try:
            value = next(self.iterations)
        except StopIteration:
            self.run.memory.path = self.outside
            self.run.active.pop()
            self.frame.region = None
            raise
        self.count += 1
        self.run.memory.path = (*self.outside, Iteration(self.number, value))
        return as_unsigned(value) if self.unsigned else value

    def reduction(self, name):
        """Our verdict on the variable (see `as_reduction`), and whether Numba treats it as a reduction."""
        if name not in self.judged:
            blocks = self.frame.code.blocks
            loops = (
                compute_cfg_from_blocks(blocks).loops().values()
            )  # the header of a long one is not its first block
            body = min((loop.body for loop in loops if self.header in loop.body), key=len)
            statements = [statement for label in sorted(body) for statement in blocks[label].body]
            verdict, chain = as_reduction(statements, name)
            listed = self.frame.facts.lists(chain, {statement.loc.line for statement in statements})
            self.judged[name] = verdict, listed
        return self.judged[name]


def _loop_number(run, frame, place):
    """The number of the run of a loop over `prange` that begins: that of what it is merged with."""
    parfor = next((p for p in frame.facts.parfors if p.kind == LOOP and p.stands_at(place)), None)
    if parfor is None or len(frame.facts.merged(parfor.group)) == 1:
        return run.new_loop()
    return _elements.enter(run, frame, parfor).number


def check_crossing(run, frame, variable):
    """Report a variable that another iteration assigned, unless it is a reduction: each has its own."""
    name, (wrote, place, region) = variable.name, frame.writers[variable.name]
    path = run.memory.path
    if wrote is path:
        return
    steps = parting(wrote, path)
    if steps is None and len(path) > len(region.outside):
        return
    verdict, listed = region.reduction(name)
    in_loop = steps is not None and steps[0].loop == steps[1].loop
    # Numba drops a number that is only added up and never used; what it does to such an array is wrong.
    if verdict and (listed or (in_loop and not isinstance(frame.values[name], np.ndarray))):
        return
    if verdict is None and listed:
        raise NotUnderstood(f"how {variable.unversioned_name} is combined")
    store = run.memory.container(frame.code)
    if not store.names:
        store.names.append(("", lambda name: (name, None)))
    accesses = run.memory.access(wrote, place), run.memory.now()
    run.memory.collide(store, variable.unversioned_name, Collision(*accesses, (WRITE, READ)))


def draws(run, library, name, parallel):
    """A function of the module `library` is called that works on the generator of the thread."""
    path, line = run.memory.path, run.memory.place.line
    if name == "seed":
        run.seeds[library] = line, path
    elif library in run.seeds and (path or parallel):
        seeded, by = run.seeds[library]
        if parallel or by != path:
            run.remarks.append(
                f"{library}.seed on line {seeded} seeds the generator of one thread, and the iterations that draw "
                f"random numbers on line {line} run on several, each of which has its own: "
                "results may differ from run to run"
            )


def thread(run):
    """The simulated thread of this iteration, which has now asked for it."""
    if not run.active:
        return 0
    run.asked = True
    lane = (run.active[-1].count - 1) // run.threads**run.digit % run.threads
    path = run.memory.path
    run.memory.path = (*path[:-1], path[-1]._replace(lane=lane))
    return lane
