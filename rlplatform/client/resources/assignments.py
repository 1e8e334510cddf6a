"""Calls for assignments: publish, submit, grade."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from rlplatform.assignments.deadlines import Extension
from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.grading.documents import Grades, Leaderboard, Regrade, RegradeReport
from rlplatform.assignments.models import AssignmentCard, AssignmentList, AssignmentView, CourseSettings
from rlplatform.assignments.people.models import Member
from rlplatform.assignments.similarity.models import SimilarityReport
from rlplatform.assignments.submissions.documents import (
    SubmissionDetail,
    SubmissionInfo,
    SubmissionList,
    SubmissionRequest,
)
from rlplatform.assignments.work import Adjustment, Comment, CommentRequest, Work
from rlplatform.client.async_transport import AsyncTransport
from rlplatform.client.call import Call, create, encode, reads, segment, with_json


class AssignmentCalls(AsyncTransport):
    """Publish assignments, submit to them, grade."""

    async def assignments(self) -> list[AssignmentCard]:
        """Return the assignments that the caller sees, by due date."""
        return (await self._send(Call("GET", "/v1/assignments", reads(AssignmentList)))).items

    async def assignment(self, name: str) -> AssignmentView:
        """Return an assignment, with the caller's own dates and attempts; staff also see its tests.

        Raises:
            NotFound: there is no such assignment, or it has not opened.
        """
        return await self._send(Call("GET", _path(name), reads(AssignmentView)))

    async def publish_assignment(self, name: str, definition: AssignmentRequest | Mapping[str, Any]) -> AssignmentView:
        """Publish an assignment, or a new version of it. The same definition again changes nothing.

        Raises:
            InvalidRequest: a field is wrong, or nothing could be judged by it.
        """
        return await self._send(with_json("PUT", _path(name), definition, AssignmentView))

    async def submit(
        self, name: str, submission: SubmissionRequest | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> SubmissionInfo:
        """Submit to an assignment. It is accepted, and an attempt spent, when this returns.

        Raises:
            NoAttempt: no attempt is left, or not yet.
            Conflict: the assignment is closed.
        """
        path = f"{_path(name)}/submissions"
        return await self._send(create(path, encode(submission), reads(SubmissionInfo), idempotency_key))

    async def submissions(self, name: str, *, member: str | None = None) -> list[SubmissionInfo]:
        """Return the caller's submissions, newest first; for staff those of all members, or of one."""
        params = {"member": member} if member is not None else {}
        call = Call("GET", f"{_path(name)}/submissions", reads(SubmissionList), params)
        return (await self._send(call)).items

    async def submission_to(self, name: str, submission_id: str) -> SubmissionDetail:
        """Return a submission to an assignment, with its files, results and comments."""
        return await self._send(
            Call("GET", f"{_path(name)}/submissions/{segment(submission_id)}", reads(SubmissionDetail))
        )

    async def comment(self, name: str, submission_id: str, comment: CommentRequest | Mapping[str, Any]) -> Comment:
        """Comment on a file of a submission, or on a line of it. The learner sees it."""
        path = f"{_path(name)}/submissions/{segment(submission_id)}/comments"
        return await self._send(with_json("POST", path, comment, Comment, repeatable=False))

    async def extend(self, name: str, member_id: str, extension: Extension | Mapping[str, Any]) -> Member:
        """Give a member later dates or further attempts, in place of an earlier extension."""
        return await self._send(with_json("PUT", f"{_path(name)}/extensions/{segment(member_id)}", extension, Member))

    async def adjust_grade(self, name: str, member_id: str, adjustment: Adjustment | Mapping[str, Any]) -> Work:
        """Add points to the grade of a member, or take them away."""
        return await self._send(
            with_json("PUT", f"{_path(name)}/adjustments/{segment(member_id)}", adjustment, Work, repeatable=False)
        )

    async def grades(self, name: str) -> Grades:
        """Return one row for each learner."""
        return await self._send(Call("GET", f"{_path(name)}/grades", reads(Grades)))

    async def grades_as(self, name: str, form: Literal["json", "csv", "gradescope"]) -> bytes:
        """Return the grades in the form of a file: `csv` is a table, `gradescope` has the `results.json` of each."""
        return await self._send(Call("GET", f"{_path(name)}/grades", bytes, {"format": form}))

    async def download_assignment(
        self, name: str, target: Path, *, progress: Callable[[int, int], None] | None = None
    ) -> Path:
        """Save everything of an assignment as the ZIP file ``target``, which appears only once it is complete.

        Args:
            progress: called with the bytes received, and 0: the size is not known before.
        """
        return await self._download(f"{_path(name)}/archive", target, progress)

    async def leaderboard(self, name: str) -> Leaderboard:
        """Return the members ranked by the submissions that count."""
        return await self._send(Call("GET", f"{_path(name)}/leaderboard", reads(Leaderboard)))

    async def compare_submissions(self, name: str, *, min_similarity: float | None = None) -> SimilarityReport:
        """Begin to compare the submissions that count; :meth:`similarity` has the result."""
        body = {"min_similarity": min_similarity} if min_similarity is not None else {}
        return await self._send(with_json("POST", f"{_path(name)}/similarity", body, SimilarityReport))

    async def similarity(self, name: str) -> SimilarityReport:
        """Return which submissions are alike: the report that is running, or the newest one.

        Raises:
            NotFound: nothing was compared yet.
        """
        return await self._send(Call("GET", f"{_path(name)}/similarity", reads(SimilarityReport)))

    async def regrade(
        self, name: str, *, version: int | None = None, dry_run: bool = True, idempotency_key: str | None = None
    ) -> Regrade:
        """Judge all submissions again, by ``version`` or the newest. With ``dry_run`` no grade changes until
        :meth:`commit_regrade`."""
        body = encode({"dry_run": dry_run, **({"version": version} if version is not None else {})})
        return await self._send(create(f"{_path(name)}:regrade", body, reads(Regrade), idempotency_key))

    async def regrade_report(self, name: str, regrade_id: str) -> RegradeReport:
        """Return how far a regrade is and, once it is ready, whose grades it changes."""
        return await self._send(Call("GET", f"{_path(name)}/regrades/{segment(regrade_id)}", reads(RegradeReport)))

    async def commit_regrade(self, name: str, regrade_id: str) -> Regrade:
        """Make the results of a regrade hold, all at once.

        Raises:
            Conflict: it is not ready.
        """
        return await self._send(Call("POST", f"{_path(name)}/regrades/{segment(regrade_id)}:commit", reads(Regrade)))

    async def discard_regrade(self, name: str, regrade_id: str) -> Regrade:
        """Abandon a regrade. It changes no grade."""
        return await self._send(Call("POST", f"{_path(name)}/regrades/{segment(regrade_id)}:discard", reads(Regrade)))

    async def course(self) -> CourseSettings:
        """Return the settings of the course."""
        return await self._send(Call("GET", "/v1/course", reads(CourseSettings)))

    async def set_course(self, settings: CourseSettings | Mapping[str, Any]) -> CourseSettings:
        """Set the settings of the course."""
        return await self._send(with_json("PUT", "/v1/course", settings, CourseSettings))


def _path(name: str) -> str:
    return f"/v1/assignments/{segment(name)}"
