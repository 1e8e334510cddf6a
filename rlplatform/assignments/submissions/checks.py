"""Checks before anything is stored: of assignments, and of submissions to them."""

from __future__ import annotations

from pydantic import ValidationError

from rlplatform.access.principals import Principal
from rlplatform.assignments.definitions import AssignmentRequest, check_files
from rlplatform.assignments.grading.evaluations import judging_principal, request_of
from rlplatform.assignments.record import AssignmentRun
from rlplatform.assignments.repository import StoredContent
from rlplatform.assignments.submissions.documents import SubmissionRequest
from rlplatform.errors import InvalidRequest, NotFound
from rlplatform.evaluation.attachments import check_attachments
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.evaluation.submissions import check_submission
from rlplatform.files.service import FileService
from rlplatform.settings import EvaluationSettings


class SubmissionCheck:
    """Checks assignments and submissions against what the operator and the nodes allow.

    Args:
        files: uploaded files; None: there are none.
        settings: the operator's maxima of limits.
        cache_bytes: how many bytes of files a node can have at one time.
    """

    def __init__(self, files: FileService | None, settings: EvaluationSettings, cache_bytes: int) -> None:
        self._files = files
        self._settings = settings
        self._cache_bytes = cache_bytes

    async def evaluation(self, request: EvaluationRequest, principal: Principal) -> None:
        """Check the evaluation by which an assignment judges, and its files.

        Raises:
            InvalidRequest: the platform could not carry it out; ``field`` says why.
        """
        check_submission(request, self._settings)
        await check_attachments(request, self._files, principal, self._cache_bytes)

    async def content(
        self, run: AssignmentRun, definition: AssignmentRequest, request: SubmissionRequest, principal: Principal
    ) -> StoredContent:
        """Return the files of a submission, which the platform can judge.

        Raises:
            InvalidRequest: it cannot.
        """
        if (request.archive is None) == (not request.files):
            raise InvalidRequest("give either files or an archive", field="files")
        content = StoredContent(files=request.files, archive=request.archive)
        if request.archive is None:
            check_files(definition, request.files)
        if (ids := content.file_ids) and self._files is None:
            raise InvalidRequest("this deployment keeps no files", field="files")
        if ids and self._files is not None:
            try:
                await self._files.check(ids, principal)
            except NotFound as missing:
                where = "archive" if request.archive is not None else "files"
                raise InvalidRequest(
                    f"{missing}; upload it with POST /v1/files or rlp files put", field=where
                ) from None
        try:
            evaluation = request_of(definition, content, "normal")
            check_submission(evaluation, self._settings)
            if ids:
                required = definition.required_files if content.archive is not None else ()
                who = judging_principal(run)
                await check_attachments(evaluation, self._files, who, self._cache_bytes, required=required)
        except InvalidRequest as error:
            raise _about_files(error) from None
        return content


def _about_files(error: InvalidRequest) -> InvalidRequest:
    """Return an error of an evaluation as one of the submission's files: the rest of it learners do not know."""
    if isinstance(error.__cause__, ValidationError):
        return InvalidRequest("the files cannot be judged by this assignment", field="files")
    return InvalidRequest(error.detail, field="files")
