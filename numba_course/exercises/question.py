"""A question as data, and the five things a learner can ask of it: check, hint, solution, why, examine."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from numba_course.exercises import records
from numba_course.exercises.card import Card, display
from numba_course.exercises.examination import examiner
from numba_course.exercises.examination.answer import python_function
from numba_course.exercises.examination.modules import Modules
from numba_course.exercises.examination.verdict import Lead, Verdict
from numba_course.exercises.waiting import Waiting
from numba_course.process import sandbox
from numba_course.syntax import parse

if TYPE_CHECKING:
    from numba_course.exercises.requirements import Requirement


def _call(answer, *args):
    return answer(*args)


@dataclass(frozen=True)
class Exercise:
    """A question with everything needed to ask it, to help with it and to judge an answer.

    It remembers the last verdict and the answer, for `why` and `passed`; a copy by `dataclasses.replace` remembers
    nothing.

    Attributes
    ----------
    name : str
        Also the name of the solution and of the stub in the notebook.
    reference : callable
        The reference answer; its source is what the solved notebook shows.
    spec : callable
        Slow and obvious; the same arguments as the answer.
    examples : callable
        Without arguments; gives argument tuples chosen by hand, smallest first, fresh ones each time.
    requirements : tuple of Requirement
    hints : tuple of str
        From a question to nearly the code.
    explanation : str
        Why the solution is written as it is.
    inputs : callable, optional
        ``inputs(st)`` gives a Hypothesis strategy that draws argument tuples. `st` has all strategies, `arrays` and
        `array_shapes` too: so that a notebook does not load Hypothesis.
    helpers : tuple of callable or str
        What the solution uses, shown before it: functions, and the names of constants of its module.
    call : callable
        ``call(answer, *args)`` makes a call of the answer. By default it is called itself; a class, for example,
        needs more than that.
    shown : callable, optional
        ``shown(*args)`` says in words what a call is given, where the arguments mean nothing to a learner.
    seconds : float
        Time limit for one call of the answer.
    compiling : float
        Time limit, in seconds, for compiling it once and for each look at its code.
    modules : Modules, optional
        Where the answer returns the text of modules: what is judged is a function in them.
    not_checked : tuple of str
        What no requirement looks at.
    """

    name: str
    reference: Callable
    spec: Callable
    examples: Callable
    requirements: tuple[Requirement, ...]
    hints: tuple[str, ...]
    explanation: str
    inputs: Callable | None = None
    helpers: tuple = ()
    call: Callable = _call
    shown: Callable | None = None
    seconds: float = 5.0
    compiling: float = 60.0  # a parallel function can take ten seconds on a slow machine
    modules: Modules | None = None
    not_checked: tuple[str, ...] = ("speed", "inputs larger than those tried")
    parameters: tuple = field(default=(), init=False, repr=False)  # names of the arguments
    _memory: dict = field(default_factory=dict, init=False, repr=False, compare=False)  # for `why`, `passed`

    def show(self, args: tuple[object, ...]) -> str:
        """What a call is given, as a finding says it."""
        if self.shown is not None:
            return self.shown(*args)
        from numba_course.exercises.examination.show import show_call

        return show_call(self.parameters, args)

    @property
    def is_called_plainly(self) -> bool:
        """Whether the arguments of a call of the answer are those of the exercise."""
        return self.call is _call

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", tuple(inspect.signature(self.spec).parameters))

    def without_help(self) -> Exercise:
        """A copy for the judge, who needs no solution."""
        other = replace(self, helpers=(), hints=(), explanation="")
        object.__setattr__(other, "reference", None)
        return other

    def without_answer(self) -> Exercise:
        """A copy for where an answer runs: it does not know what is right."""
        other = self.without_help()
        object.__setattr__(other, "spec", None)
        return other

    def __repr__(self) -> str:
        return f"exercise {self.name}: check({self.name}), hint(), solution(), why()"

    # What a learner calls: each shows a card and never raises.

    def check(self, answer: Callable) -> None:
        """Examine `answer` and show the verdict.

        Parameters
        ----------
        answer : function
            The learner's function itself, not the result of calling it.
        """
        if sandbox.is_apart():
            return  # a script that checks its answer is itself judged
        with sandbox.interrupts():  # the one who works notes them; none is to end what is shown after that
            waiting = Waiting(self.name)
            try:
                verdict = examiner.examine(self, answer, waiting.report)
            except KeyboardInterrupt:  # in another thread
                verdict = Verdict(self.name, "stopped")
            self._remember(verdict, answer)
            records.record(verdict)
            waiting.end(replace(verdict, leads=tuple(self._leads(verdict))))

    def hint(self, number: int | None = None) -> None:
        """Show the next hint, or the one of this number, counted from 1."""
        count = len(self.hints)
        if number is None:
            number = min(records.hints(self.name) + 1, count)
        if number not in range(1, count + 1):
            display(Card(f"{self.name}: there is no hint {number}", f"There are hints 1 to {count}."))
            return
        records.record_hint(self.name, number)
        more = f"Another one: `exercises.{self.name}.hint()`" if number < count else "That was the last hint."
        display(Card(f"{self.name}: hint {number} of {count}", self.hints[number - 1], note=more))

    def solution(self) -> None:
        """Show the source of the solution, and why it is written so."""
        display(Card(f"{self.name}: solution", self.explanation, code=self.solution_source))

    def why(self) -> None:
        """Show what the card of the last check left out."""
        verdict = self._memory.get("verdict")
        if verdict is None:
            first = f"Call `exercises.{self.name}.check({self.name})` first."
            display(Card(f"{self.name}: nothing to explain yet", first))
        elif more := verdict.left_out():
            display(Card(f"{self.name}: what the card left out", report=more))
        else:
            display(Card(f"{self.name}: the card left nothing out"))

    # The same as data.

    @property
    def solution_source(self) -> str:
        """Source text of the solution, after that of its helpers."""
        module = inspect.getmodule(python_function(self.reference) or self.reference)
        parts = [
            _constant(module, f)
            if isinstance(f, str)
            else textwrap.dedent(inspect.getsource(python_function(f) or f))
            for f in (*self.helpers, self.reference)
        ]
        return "\n\n".join(part.strip() for part in parts)

    def examine(self, answer: Callable) -> Verdict:
        """Examine an answer.

        Parameters
        ----------
        answer : function
            A dispatcher or a plain Python function, defined anywhere.

        Returns
        -------
        Verdict
            Never raises: a fault of the checker itself is the status ``our bug``.
        """
        return self._remember(examiner.examine(self, answer), answer)

    def passed(self, answer: Callable) -> bool:
        """Whether the last check was of this very function, and found it correct; nothing is examined for it.

        Parameters
        ----------
        answer : function
            One that was defined again has not been checked.
        """
        verdict = self._memory.get("verdict")
        return verdict is not None and verdict.passed and self._memory["answer"] is answer

    def examine_file(self, path: str | Path) -> Verdict:
        """Examine the function of the exercise's name in a Python file, which runs in the child process only.

        Raises
        ------
        LookupError
            If the file defines no function of that name.
        OSError
            If the file cannot be read.
        """
        verdict = examiner.examine_file(self, path)
        if verdict is None:
            raise LookupError(f"{path} defines no function {self.name}")
        return self._remember(verdict)

    def _remember(self, verdict, answer=None):
        self._memory.update(verdict=verdict, answer=answer)
        return verdict

    def _leads(self, verdict):
        """What the card of a verdict leads on to."""
        if verdict.passed:
            yield _onward(self.name)
        elif verdict.status not in records.NOT_RECORDED:
            yield self._next_hint()
            if task := _task(self.name):
                yield task

    def _next_hint(self):
        """The next hint, folded. That it is opened there is not recorded: nobody tells the kernel."""
        number = records.hints(self.name) + 1
        if number > len(self.hints):
            return Lead(f"All hints were shown. There is also `exercises.{self.name}.solution()`.")
        counted = f"`exercises.{self.name}.hint()` shows it as well; the next card then has the one after it."
        return Lead(f"Hint {number} of {len(self.hints)}", folded=f"{self.hints[number - 1]}\n\n{counted}")


def _task(name):
    """A link to the task of an exercise, in its notebook; None where that is not of the course."""
    chapter = _chapters().get(name)
    if chapter is None:
        return None
    return Lead("The task, and what it builds on:", f"{name} in {chapter}", _address(chapter, name))


def _onward(name):
    """What comes after an exercise that is solved: the next of its chapter, or the next chapter that has one."""
    chapters = _chapters()
    names = list(chapters)
    following = names[names.index(name) + 1 :][:1] if name in names else []
    if not following:
        return Lead("What is left to do: `exercises.progress()`")
    chapter = chapters[following[0]]
    if chapter == chapters[name]:
        return Lead("Next:", following[0], _address(chapter, following[0]))
    return Lead("Next:", f"chapter {chapter}, with {following[0]}", f"{chapter}.ipynb")


def _chapters():
    """From each exercise of the course to its chapter, in order."""
    from numba_course.exercises import NAMES  # which has loaded this module

    return {name: chapter for chapter, names in NAMES.items() for name in names}


def _address(chapter, name):
    """Where the task stands, from another notebook of the folder: each has a heading of this form."""
    return f"{chapter}.ipynb#Exercise:-{name}"


def _constant(module, name):
    """Source of the assignment that gives a module's constant."""
    text = inspect.getsource(module)
    statements = [node for node in parse(text).body if isinstance(node, ast.Assign)]
    return next(ast.get_source_segment(text, node) for node in statements if node.targets[0].id == name)
