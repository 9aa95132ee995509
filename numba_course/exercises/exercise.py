"""A question as data, and the five things a learner can ask of it: check, hint, solution, why, examine."""

from __future__ import annotations

import ast
import inspect
import textwrap
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from numba_course import sandbox
from numba_course.exercises import records
from numba_course.exercises.answers import Saved, is_stub, live, python_function
from numba_course.exercises.card import Card, display
from numba_course.exercises.verdict import Finding, Verdict

SECONDS = 5.0  # for one call of the answer
COMPILING = 60.0  # for compiling it once; a parallel function can take ten seconds on a slow machine
MEMORY = 512 << 20  # bytes
NOT_SEEN = ("speed", "inputs larger than those tried")


def _call(answer, *args):
    return answer(*args)


@dataclass(frozen=True)
class Exercise:
    """A question with everything needed to ask it, to help with it and to judge an answer.

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
        Without arguments; gives a Hypothesis strategy that draws argument tuples.
    helpers : tuple of callable or str
        What the solution uses, shown before it: functions, and the names of constants of its module.
    call : callable
        ``call(answer, *args)`` makes a call of the answer. By default it is called itself; a class, for example,
        needs more than that.
    seconds : float
        Time limit for one call of the answer.
    compiling : float
        Time limit, in seconds, for compiling it once and for each look at its code.
    """

    name: str
    reference: Callable
    spec: Callable
    examples: Callable
    requirements: tuple
    hints: tuple[str, ...]
    explanation: str
    inputs: Callable | None = None
    helpers: tuple = ()
    call: Callable = _call
    seconds: float = SECONDS
    compiling: float = COMPILING
    _memory: dict = field(default_factory=dict, repr=False, compare=False)  # the last verdict

    def __repr__(self):
        return f"exercise {self.name}: check({self.name}), hint(), solution(), why()"

    # What a learner calls: each shows a card and never raises.

    def check(self, answer):
        """Examine `answer` and show the verdict.

        Parameters
        ----------
        answer : function
            The learner's function itself, not the result of calling it.
        """
        verdict = self.examine(answer)
        records.record(verdict)
        display(verdict)

    def hint(self, number=None):
        """Show the next hint, or the one of this number, counted from 1."""
        count = len(self.hints)
        if number is None:
            number = min(records.hints(self.name) + 1, count)
        if number not in range(1, count + 1):
            display(Card(f"{self.name}: there is no hint {number}", f"There are hints 1 to {count}."))
            return
        records.record_hint(self.name, number)
        more = f"Another one: exercises.{self.name}.hint()" if number < count else "That was the last hint."
        display(Card(f"{self.name}: hint {number} of {count}", self.hints[number - 1], note=more))

    def solution(self):
        """Show the source of the solution, and why it is written so."""
        display(Card(f"{self.name}: solution", self.explanation, code=self.solution_source))

    def why(self):
        """Show the last failure in full."""
        verdict = self._memory.get("verdict")
        if verdict is None:
            display(
                Card(
                    f"{self.name}: nothing to explain yet",
                    f"Call exercises.{self.name}.check({self.name}) first.",
                )
            )
        else:
            display(Card(f"{self.name}: the last check in full", code=verdict.full()))

    # The same as data.

    @property
    def solution_source(self):
        """Source text of the solution, after that of its helpers."""
        module = inspect.getmodule(python_function(self.reference) or self.reference)
        parts = [
            _constant(module, f)
            if isinstance(f, str)
            else textwrap.dedent(inspect.getsource(python_function(f) or f))
            for f in (*self.helpers, self.reference)
        ]
        return "\n\n".join(part.strip() for part in parts)

    def examine(self, answer):
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
        return self._remember(self._guarded(lambda: self._examine(answer)))

    def examine_file(self, path):
        """Examine the function of the exercise's name in a Python file, which runs in the child process only.

        Raises
        ------
        LookupError
            If the file defines no function of that name.
        OSError
            If the file cannot be read.
        """
        with open(path, encoding="utf-8"):
            pass
        verdict = self._guarded(lambda: self._try(Saved(str(path), self.name)))
        if verdict is None:
            raise LookupError(f"{path} defines no function {self.name}")
        return self._remember(verdict)

    def _examine(self, answer):
        if is_stub(answer):
            return Verdict(self.name, "not attempted")
        if not callable(answer):
            seen = f"{type(answer).__name__} was given; pass the function itself: check({self.name})"
            return Verdict(self.name, "wrong", (Finding("a function", seen),))
        try:
            packed = live(answer)
            return self._try(packed)
        except TypeError as error:
            if "cannot be sent" not in str(error):
                raise
            return Verdict(
                self.name, "raised", (Finding("runs in a process of its own", f"the answer {error}"),)
            )

    def _try(self, answer):
        """Judge the answer in a child process and read how that ended."""
        question = replace(self, reference=None, helpers=(), _memory={})
        outcome = sandbox.run(_judge, answer, question, seconds=self.seconds, memory=MEMORY)
        if outcome.ended == "returned":
            status, findings = outcome.value
            if status in ("missing", "not attempted"):
                return None if status == "missing" else Verdict(self.name, status)
            return Verdict(self.name, status, tuple(findings), self._checked(), NOT_SEEN, outcome.output)
        return self._badly_ended(
            outcome, self._autopsy(answer, question) if outcome.ended == "crashed" else ()
        )

    def _autopsy(self, answer, question):
        """What a run of a crashed answer finds that looks at nothing but its bounds."""
        outcome = sandbox.run(_bounds_only, answer, question, seconds=self.seconds, memory=MEMORY)
        return outcome.value[1] if outcome.ended == "returned" else ()

    def _badly_ended(self, outcome, more=()):
        """The verdict on a child that gave no answer."""
        if outcome.ended == "raised":
            return self._our_bug(
                f"{outcome.error.kind}: {outcome.error.message}", outcome.error.full, outcome.step
            )
        status = "timed out" if outcome.ended == "timed out" else "crashed"
        return Verdict(self.name, status, (self._violent_end(outcome), *more), output=outcome.output)

    def _violent_end(self, outcome):
        """The finding for a child that gave no answer."""
        if outcome.ended == "timed out":
            seen = f"it had not ended after {outcome.limit:g} seconds and was stopped"
        elif outcome.ended == "out of memory":
            seen = f"it used more than {MEMORY >> 20} MiB of memory and was stopped"
        else:
            seen = f"the process that ran it died ({_last_words(outcome.exit_code)})"
        return Finding("ends by itself", f"{seen}, while {outcome.step or 'starting'}")

    def _checked(self):
        return tuple(requirement.name for requirement in self.requirements)

    def _guarded(self, examine):
        """Call `examine`; a fault of ours is a verdict, not a traceback."""
        try:
            return examine()
        except Exception as error:
            return self._our_bug(f"{type(error).__name__}: {error}", traceback.format_exc(), "")

    def _our_bug(self, message, full, step):
        seen = f"the checker failed, not your answer: {message}" + (f" (while {step})" if step else "")
        return Verdict(self.name, "our bug", (Finding("our bug", seen, full=full),))

    def _remember(self, verdict):
        self._memory["verdict"] = verdict
        return verdict


def _constant(module, name):
    """Source of the assignment that gives a module's constant."""
    text = inspect.getsource(module)
    statements = [node for node in ast.parse(text).body if isinstance(node, ast.Assign)]
    return next(ast.get_source_segment(text, node) for node in statements if node.targets[0].id == name)


def _judge(answer, exercise):
    """What the child runs; the import is here so that the notebook does not pay for it."""
    from numba_course.exercises.trial import judge

    return judge(answer, exercise)


def _bounds_only(answer, exercise):
    """What a second child runs after the first one crashed."""
    from numba_course.exercises.trial import bounds_only

    return bounds_only(answer, exercise)


def _last_words(code):
    """An exit code in words."""
    import signal

    if code is None or code >= 0:
        return f"it ended itself with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"{name}: it touched memory that is not its own" if name in ("SIGSEGV", "SIGBUS") else name
