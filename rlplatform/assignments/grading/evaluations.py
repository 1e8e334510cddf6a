"""Evaluations of submissions: who they belong to, what is evaluated, and under which ids."""

from __future__ import annotations

from rlplatform.access.principals import Principal, Scope
from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.ports import EvaluationQueue
from rlplatform.assignments.record import AssignmentRun
from rlplatform.assignments.repository import AssignmentRepository, StoredContent
from rlplatform.errors import InvalidRequest, NotFound
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
        definition: AssignmentRequest,
        submission_id: str,
        evaluation_id: str,
        priority: Priority,
    ) -> EvaluationRun:
        """Return the evaluation of a submission, queued if it is not there yet.

        Raises:
            InvalidRequest: the submission does not go with ``definition``.
            PlatformError: it cannot be queued now.
        """
        try:
            run = await self._repository.store.get(evaluation_id)
            assert isinstance(run, EvaluationRun)
            return run
        except NotFound:
            pass
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
