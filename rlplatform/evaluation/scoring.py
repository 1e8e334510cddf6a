"""Points: an accepted test earns its own; a group may earn all of its points or none."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rlplatform.evaluation.graders.registry import TestCase
from rlplatform.evaluation.models import EvaluationRequest, TestResult, Verdict


def max_score(request: EvaluationRequest) -> float:
    """Return the points of a submission that is accepted on every test."""
    return math.fsum(test.points for test in request.tests)


def scored(request: EvaluationRequest, tests: Sequence[TestCase], results: Sequence[TestResult]) -> list[TestResult]:
    """Return ``results``, one for each of ``tests`` in order, with the points that their groups leave them."""
    strict = {group.id for group in request.groups if group.scoring == "all_or_nothing"}
    judged = list(zip(tests, results, strict=True))
    failed = {test.group for test, result in judged if result.verdict is not Verdict.ACCEPTED} & strict
    return [
        result if test.group not in failed else result.model_copy(update={"points": 0.0}) for test, result in judged
    ]


def score(results: Sequence[TestResult]) -> float:
    """Return the sum of the points of ``results``."""
    return math.fsum(result.points for result in results)


def overall(results: Sequence[TestResult]) -> Verdict:
    """Return the first verdict that is not ``accepted``, in test order."""
    return next((result.verdict for result in results if result.verdict is not Verdict.ACCEPTED), Verdict.ACCEPTED)


class SkipRules:
    """Rules of skipping tests after a failure: ``stop_on_failure`` of the request and of its groups."""

    def __init__(self, request: EvaluationRequest) -> None:
        self._everything = request.stop_on_failure
        self._groups = {group.id for group in request.groups if group.stop_on_failure}
        self._stopped: set[str] = set()
        self._over = False

    def note(self, group: str | None, verdict: Verdict) -> None:
        """Take the verdict of a test of ``group`` into account."""
        if verdict in (Verdict.ACCEPTED, Verdict.INTERNAL_ERROR):  # a failed checker is no failure of the submission
            return
        self._over |= self._everything or verdict is Verdict.COMPILE_ERROR
        if group in self._groups:
            self._stopped.add(group)

    def skips(self, group: str | None) -> bool:
        """Return True if the remaining tests of ``group`` are skipped."""
        return self._over or group in self._stopped
