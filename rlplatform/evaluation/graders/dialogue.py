"""The program talks with the host over its stdin and stdout. What the host says, and what is right, is data of the
test: a script of turns, or a secret number to be guessed. Nothing of the submitter's runs on the host."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from rlplatform.evaluation.checkers.base import Checker
from rlplatform.evaluation.checkers.quoting import show
from rlplatform.evaluation.graders.base import Grader, TestAttempt, TestFields, refuse_checker
from rlplatform.json_models import FieldError, StrictModel, Text
from rlplatform.sandbox.models import Execution, Limits, Outcome

_GUESS = re.compile(rb"\s*([+-]?[0-9]{1,18})\s*")
_SHOWN = 80


class Turn(StrictModel):
    """One exchange of a dialogue: the host sends a line, then waits for an answer."""

    say: Text | None = Field(default=None, max_length=65_536)
    """Line that the host sends, without its newline; null: nothing is sent."""
    expect: Text | None = Field(default=None, max_length=65_536)
    """Line that the program must answer, compared by the checker; null: the host does not wait for one. The last turn
    must expect a line."""


class DialogueTest(TestFields):
    """A test of ``dialogue``."""

    turns: list[Turn] | None = Field(default=None, min_length=1, max_length=1000, fail_fast=True)
    """Exchange of lines to follow (dialogue)."""
    secret: int | None = Field(default=None, ge=-(2**53), le=2**53)
    """Number to guess (dialogue). Each guess is answered with `higher`, `lower` or `correct`."""


class DialogueGrader(Grader):
    """The program and the host exchange lines: the program follows the `turns` of a test, or guesses its `secret`."""

    test_model: ClassVar[type[TestFields]] = DialogueTest

    kind: Literal["dialogue"] = "dialogue"
    """Selects this grader."""
    turn_time_s: float = Field(default=1.0, gt=0, le=60)
    """Time until the program's next line, or until its exit after a correct guess, in seconds."""
    max_guesses: int = Field(default=100, ge=1, le=10_000)
    """Number of guesses that the program may make."""

    def check(self, tests: Sequence[TestFields], checker: Checker) -> None:
        scripted = False
        for index, test in enumerate(tests):
            assert isinstance(test, DialogueTest)
            if (test.turns is None) == (test.secret is None):
                raise FieldError(f"tests.{index}", "a test of grader 'dialogue' has either turns or a secret")
            if test.turns is not None and test.turns[-1].expect is None:
                raise FieldError(f"tests.{index}.turns", "the last turn must expect a line")
            scripted |= test.turns is not None
        if not scripted:
            refuse_checker(checker)
        if checker.runs_program:
            raise FieldError("checker", f"{checker.kind!r} checks whole outputs; a dialogue is checked line by line")

    def attempt(self, test: TestFields, checker: Checker, limits: Limits) -> ScriptAttempt | GuessAttempt:
        assert isinstance(test, DialogueTest)
        if test.turns is not None:
            return ScriptAttempt(test.turns, self, checker, limits)
        assert test.secret is not None
        return GuessAttempt(test.secret, self, limits)


class _Dialogue(TestAttempt):
    """Common part of both kinds: they are the ``Interactor``, and note the reason if the program is wrong."""

    def __init__(self, grader: DialogueGrader, limits: Limits) -> None:
        super().__init__(Execution(limits))
        self.turn_time_s = grader.turn_time_s
        self._over = False
        self._lines = 0

    @property
    def interactor(self) -> _Dialogue:
        return self

    def begin(self) -> bytes:
        return b""

    def reply(self, line: bytes) -> bytes | None:
        if self._over:
            self.overhear(line)
            return None
        self._lines += 1
        return self._answer(line)

    def overhear(self, output: bytes) -> None:
        line = output.strip().partition(b"\n")[0]
        if self.wrong_already is None and self._over and line:
            self._lines += 1
            self.wrong_already = (
                f"line {self._lines}: expected the end of the output, got {show(line.decode('utf-8', 'replace'))}"
            )

    def mismatch(self, outcome: Outcome) -> str | None:  # noqa: ARG002 - what counts is what was said here
        if self.wrong_already is None and not self._over:
            return f"the program ended after {self._lines} lines, before the dialogue did"
        return self.wrong_already

    def _answer(self, line: bytes) -> bytes | None:
        raise NotImplementedError


class ScriptAttempt(_Dialogue):
    """The turns of the test, in order; it ends with the first line that is not as expected, or with the last turn."""

    def __init__(self, turns: list[Turn], grader: DialogueGrader, checker: Checker, limits: Limits) -> None:
        super().__init__(grader, limits)
        self._turns, self._checker = turns, checker
        self._next = 0

    def begin(self) -> bytes:
        return self._say()

    def _answer(self, line: bytes) -> bytes | None:
        expected = self._turns[self._next].expect
        assert expected is not None
        wrong = self._checker.compare_output(expected, line)
        if wrong is not None:
            self.wrong_already = f"line {self._lines}: {wrong}"
            return None
        self._next += 1
        if self._next == len(self._turns):
            self._over = True
            return None
        return self._say()

    def _say(self) -> bytes:
        """Return the lines said until the next turn that expects one. There is such a turn: the last one."""
        said: list[str] = []
        while True:
            turn = self._turns[self._next]
            if turn.say is not None:
                said.append(f"{turn.say}\n")
            if turn.expect is not None:
                return "".join(said).encode()
            self._next += 1


class GuessAttempt(_Dialogue):
    """A whole number is to be found; each guess is answered with ``higher``, ``lower`` or ``correct``."""

    def __init__(self, secret: int, grader: DialogueGrader, limits: Limits) -> None:
        super().__init__(grader, limits)
        self._secret, self._max_guesses = secret, grader.max_guesses

    def _answer(self, line: bytes) -> bytes | None:
        guess = _GUESS.fullmatch(line)
        if guess is None:
            self.wrong_already = f"line {self._lines}: {line[:_SHOWN].decode('utf-8', 'replace')!r} is no whole number"
            return None
        number = int(guess[1])
        if number == self._secret:
            self._over = True
            return b"correct\n"
        if self._lines >= self._max_guesses:
            self.wrong_already = f"not found with {self._max_guesses} guesses"
            return None
        return b"higher\n" if number < self._secret else b"lower\n"
