"""The submission is an environment: each test is one check of the contract that trainings rely on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from rlplatform import patterns
from rlplatform.environments.sandboxed.user_code import is_reserved, program_of
from rlplatform.evaluation.checkers.base import Checker
from rlplatform.evaluation.graders.base import Grader, TestAttempt, TestFields, refuse_checker
from rlplatform.json_models import FieldError, JsonObject
from rlplatform.sandbox.guest import values
from rlplatform.sandbox.languages import PYTHON
from rlplatform.sandbox.models import Call, Execution, Limits, Outcome, Program

Check = Literal["spaces", "seeding", "determinism", "copies", "endings", "rewards", "step_rate"]


class EnvironmentTest(TestFields):
    """A test of ``environment``."""

    check: Check | None = None
    """Part of the contract to check (environment): `spaces`, `seeding`, `determinism`, `copies` that share a process,
    `endings` of episodes, `rewards` and observations that are finite, or `step_rate`."""


class EnvironmentGrader(Grader):
    """The submission is a Gymnasium environment, `source` the module of `entry`; each test is a check of it."""

    test_model: ClassVar[type[TestFields]] = EnvironmentTest

    kind: Literal["environment"] = "environment"
    """Selects this grader."""
    entry: str = Field(pattern=patterns.ENTRY, max_length=128)
    """Module and class of the environment, as `grid:GridWorld`."""
    config: JsonObject = Field(default_factory=dict)
    """Keyword arguments of the class."""

    languages: ClassVar[tuple[str, ...] | None] = (PYTHON,)

    @property
    def packages(self) -> tuple[str, ...]:
        return ("gymnasium", "numpy")

    def why_not(self, path: str) -> str | None:
        return "has a name that the platform uses" if is_reserved(path) else None

    def check(self, tests: Sequence[TestFields], checker: Checker) -> None:
        refuse_checker(checker)
        if is_reserved(module_file(self.entry)):
            raise FieldError("grader.entry", f"{self.entry!r} has a name that the platform uses; rename the module")
        for index, test in enumerate(tests):
            if test.check is None:  # type: ignore[attr-defined]
                raise FieldError(f"tests.{index}.check", "is missing; give one part of the contract, as 'spaces'")

    def program(self, files: dict[str, bytes]) -> Program:
        (source,) = files.values()
        return program_of({module_file(self.entry): source})

    def attempt(self, test: TestFields, checker: Checker, limits: Limits) -> EnvironmentAttempt:  # noqa: ARG002
        assert isinstance(test, EnvironmentTest)
        return EnvironmentAttempt(Execution(limits, call=Call("check", [test.check, self.entry, dict(self.config)])))


class EnvironmentAttempt(TestAttempt):
    """Attempt at one check. The environment shares the process of the check: a forged result harms its author alone,
    since whatever it does later in a training is checked outside."""

    needs_value = True

    def mismatch(self, outcome: Outcome) -> str | None:
        found = self._found(outcome)
        if found is None:
            return "the check did not come to its end"
        problem = found.get("problem")
        return None if problem is None else str(problem)[:2000]

    def value(self, outcome: Outcome) -> Any:
        """Return the facts that the check found, as `spaces` or `steps_per_s`."""
        found = self._found(outcome)
        return {name: value for name, value in found.items() if name != "problem"} if found is not None else None

    @staticmethod
    def _found(outcome: Outcome) -> dict[str, Any] | None:
        found = values.decode(outcome.returned) if outcome.returned is not None else None
        return found if isinstance(found, dict) and "problem" in found else None


def module_file(entry: str) -> str:
    """Return the path of the module in ``module:Name``."""
    return entry.partition(":")[0].replace(".", "/") + ".py"
