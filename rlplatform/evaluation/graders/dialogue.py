"""The program talks with the host over its stdin and stdout. What the host says, and what is right, is data of the
test: a script of turns, or a secret number to be guessed. Nothing of the submitter's runs on the host."""

from __future__ import annotations

import re

from rlplatform.evaluation.checkers import compare_output, show
from rlplatform.evaluation.models import Checker, DialogueGrader, TestCase, Turn
from rlplatform.sandbox.models import Execution, Limits, Outcome

_GUESS = re.compile(rb"\s*([+-]?[0-9]{1,18})\s*")
_SHOWN = 80


class _Dialogue:
    """What both kinds have in common: they are the ``Interactor``, and note why the program is wrong, if it is."""

    needs_value = False

    def __init__(self, grader: DialogueGrader, limits: Limits) -> None:
        self.execution = Execution(limits)
        self.turn_time_s = grader.turn_time_s
        self.fault: str | None = None
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
        if self.fault is None and self._over and line:
            self._lines += 1
            self.fault = (
                f"line {self._lines}: expected the end of the output, got {show(line.decode('utf-8', 'replace'))}"
            )

    def mismatch(self, outcome: Outcome) -> str | None:  # noqa: ARG002 - what counts is what was said here
        if self.fault is None and not self._over:
            return f"the program ended after {self._lines} lines, before the dialogue did"
        return self.fault

    def value(self, outcome: Outcome) -> None:  # noqa: ARG002 - a dialogue has no value
        return None

    def close(self) -> None:
        pass

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
        wrong = compare_output(self._checker, expected, line)
        if wrong is not None:
            self.fault = f"line {self._lines}: {wrong}"
            return None
        self._next += 1
        if self._next == len(self._turns):
            self._over = True
            return None
        return self._say()

    def _say(self) -> bytes:
        """What is said until the next line is expected: there is one, since the last turn expects one."""
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
            self.fault = f"line {self._lines}: {line[:_SHOWN].decode('utf-8', 'replace')!r} is no whole number"
            return None
        number = int(guess[1])
        if number == self._secret:
            self._over = True
            return b"correct\n"
        if self._lines >= self._max_guesses:
            self.fault = f"not found with {self._max_guesses} guesses"
            return None
        return b"higher\n" if number < self._secret else b"lower\n"


def dialogue_of(
    test: TestCase, grader: DialogueGrader, checker: Checker, limits: Limits
) -> ScriptAttempt | GuessAttempt:
    """The attempt at ``test``, which has either turns or a secret."""
    if test.turns is not None:
        return ScriptAttempt(test.turns, grader, checker, limits)
    assert test.secret is not None
    return GuessAttempt(test.secret, grader, limits)
