"""Evaluations of submissions: who they belong to, what is evaluated, and under which ids."""

from __future__ import annotations

import hmac

from rlplatform.access.principals import Principal, Scope
from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.ports import EvaluationQueue
from rlplatform.assignments.record import AssignmentRun
from rlplatform.assignments.repository import AssignmentRepository, StoredContent
from rlplatform.errors import InvalidRequest, NotFound
from rlplatform.evaluation.graders.episode import MAX_EPISODES, EpisodeGrader
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.evaluation.sources import SourceFile
from rlplatform.ids import Kind, created_at, derived_id
from rlplatform.scheduling.priorities import Priority


class SubmissionEvaluations:
    """Queues evaluations of submissions, each under an id that is known before, so that none is queued twice."""

    def __init__(self, repository: AssignmentRepository, queue: EvaluationQueue) -> None:
        self._repository = repository
        self._queue = queue

    async def find_or_queue(
        self,
        assignment: AssignmentRun,
        version: int,
        submission_id: str,
        evaluation_id: str,
        priority: Priority,
    ) -> EvaluationRun:
        """Return the evaluation of a submission by a version of the assignment, queued if it is not there yet.

        Raises:
            InvalidRequest: the submission does not go with this version.
            PlatformError: it cannot be queued now.
        """
        try:
            run = await self._repository.store.get(evaluation_id)
            assert isinstance(run, EvaluationRun)
            return run
        except NotFound:
            pass
        definition = await self._repository.definition(assignment.document, version)
        if (secret := assignment.document.versions[version - 1].seed_secret) is not None:
            definition = with_hidden_seeds(definition, secret)
        content = await self._repository.content(submission_id)
        labels = {"assignment": assignment.document.name, "submission": submission_id}
        request = request_of(definition, content, priority).model_copy(update={"labels": labels})
        return await self._queue.queue_evaluation(request, judging_principal(assignment), evaluation_id)


def rejudged_id(regrade_id: str, submission_id: str, tried: int) -> str:
    """Return the id of the evaluation by which a regrade judges a submission."""
    return derived_id(Kind.EVALUATION, regrade_id, submission_id, str(tried), at=created_at(regrade_id))


def judging_principal(assignment: AssignmentRun) -> Principal:
    """Return the principal that evaluations of an assignment belong to: learners see nothing of it."""
    return Principal(id=assignment.id, tenant=assignment.tenant, scopes=frozenset({Scope.EVALUATE, Scope.READ}))


def with_hidden_seeds(definition: AssignmentRequest, secret: str) -> AssignmentRequest:
    """Return a definition whose hidden tests that play episodes without a seed have one.

    All submissions to a version then play the same episodes, so that an agent gains nothing by being sent again, and
    nobody can foresee them. Another version has other episodes.
    """
    if not isinstance(definition.grader, EpisodeGrader):
        return definition
    tests = [
        test.model_copy(update={"seed": _hidden_seed(secret, test.id)}) if test.hidden and test.seed is None else test
        for test in definition.tests
    ]
    return definition.model_copy(update={"tests": tests})


def _hidden_seed(secret: str, test_id: str) -> int:
    digest = hmac.digest(secret.encode(), test_id.encode(), "sha256")
    return int.from_bytes(digest[:8]) % (2**53 - MAX_EPISODES)


def request_of(definition: AssignmentRequest, content: StoredContent, priority: Priority) -> EvaluationRequest:
    """Return the evaluation of a submission.

    Raises:
        InvalidRequest: the submission does not go with this definition.
    """
    try:
        if content.archive is not None:
            request = definition.evaluation([SourceFile(path=definition.entry, content=content.archive)])
        else:
            request = definition.evaluation(content.files)
    except (ValueError, StopIteration) as error:
        raise InvalidRequest(f"the submission does not go with this version: {error}") from None
    return request.model_copy(update={"priority": priority})
