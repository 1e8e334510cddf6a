"""The client for programs that block.

Generated from the asynchronous client; change that, then run ``python rlplatform/client/generate.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, Unpack
from urllib.parse import quote

import httpx2
from pydantic import BaseModel

from rlplatform.access.models import KeyCreated, KeyInfo, KeyList, KeyRequest, WhoAmI
from rlplatform.assignments.deadlines import Extension
from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.grading.documents import Grades, Leaderboard, Regrade, RegradeReport
from rlplatform.assignments.models import AssignmentCard, AssignmentList, AssignmentView, CourseSettings
from rlplatform.assignments.people.models import (
    Invitation,
    InvitationInfo,
    InvitationList,
    InvitationsMade,
    Member,
    MemberList,
    MemberRequest,
    RosterFile,
    RosterResult,
)
from rlplatform.assignments.similarity.models import SimilarityReport
from rlplatform.assignments.submissions.documents import (
    SubmissionDetail,
    SubmissionInfo,
    SubmissionList,
    SubmissionRequest,
)
from rlplatform.assignments.work import Adjustment, Comment, CommentRequest, Work
from rlplatform.client.call import (
    POLICY_WAIT_S,
    UNCHANGED,
    Call,
    T,
    Unchanged,
    create,
    encode,
    failure,
    nothing,
    reads,
    segment,
    with_json,
)
from rlplatform.client.connection import find_connection, open_http
from rlplatform.client.downloads import PartialDownload, saving
from rlplatform.client.event_cursor import EventCursor
from rlplatform.client.fields import EvaluationFields, PolicyFields, StudyFields, TrainingFields, with_fields
from rlplatform.client.filters import RunFilters, params_of
from rlplatform.client.local_policy import LocalPolicy
from rlplatform.client.retry import Retry, Sleep
from rlplatform.client.uploads import Source, Upload
from rlplatform.comparison.models import RETURN, Axis, Comparison
from rlplatform.environments.models import EnvironmentInfo, EnvironmentList
from rlplatform.episodes.models import Episode, EpisodeInfo, EpisodeList
from rlplatform.errors import InvalidRequest, PlatformError, Unavailable, error_from
from rlplatform.evaluation.models import BatchResult, Evaluation, EvaluationRequest
from rlplatform.evaluation.submission_models import Submission
from rlplatform.files.models import FileInfo
from rlplatform.health import Readiness
from rlplatform.ids import Kind, kind_of
from rlplatform.load import PlatformLoad
from rlplatform.lti.models import LtiRegistration, LtiRegistrationList, LtiTool
from rlplatform.policies.models import Actions, EvaluatePolicyRequest, PolicyEvaluation, PolicyInfo, PolicyRequest
from rlplatform.quotas.models import TenantQuotas, Usage
from rlplatform.run_kinds import FINAL_TYPES
from rlplatform.runs.events import Event, stream_of
from rlplatform.runs.pages import Page
from rlplatform.sandbox.models import ImageInfo, ImageList
from rlplatform.settings import Quotas
from rlplatform.studies.models import Study, StudyRequest
from rlplatform.training.metric_series import MetricSeries
from rlplatform.training.models import CheckpointInfo, CheckpointList, Training, TrainingCheck, TrainingRequest
from rlplatform.training.variations import clone, continuation
from rlplatform.user_environments.models import EnvironmentUpload, UserEnvironment
from rlplatform.webhooks.models import (
    Delivery,
    DeliveryList,
    Webhook,
    WebhookChange,
    WebhookCreated,
    WebhookList,
    WebhookRequest,
)

Item = TypeVar("Item", bound=BaseModel)

TIMEOUT_S = 30.0


class Transport:
    """Base of the client's resources. It knows HTTP, and none of the platform's documents."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        retry: Retry | None = None,
        transport: httpx2.BaseTransport | None = None,
        sleep: Sleep = time.sleep,
    ) -> None:
        connection = find_connection(url, api_key)
        self.url = connection.url
        self._retry = retry or Retry()
        self._sleep = sleep
        self._http = open_http(httpx2.Client, connection, timeout=TIMEOUT_S, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. Idempotent."""
        self._http.close()

    def _send(self, call: Call[T], upload: Upload | None = None) -> T:
        """Send a call, with the body of ``upload`` if there is one; again if that fails for a passing reason."""
        attempt = 1
        while True:
            try:
                if upload is None:
                    return self._send_once(call)
                with upload.opened() as source:
                    return self._send_once(call, source)
            except PlatformError as error:
                delay = self._retry.delay_s(attempt, error) if call.repeatable else None
                if delay is None:
                    raise
                self._sleep(delay)
                attempt += 1

    def _send_once(self, call: Call[T], source: Source | None = None) -> T:
        sent = {} if source is None else {"Content-Length": str(source.size_bytes)}
        try:
            response = self._http.request(
                call.method,
                call.path,
                params=call.params,
                content=call.body if source is None else _chunks(source),
                headers={**call.headers, **sent},
                timeout=TIMEOUT_S + call.wait_s,
            )
        except httpx2.TransportError as error:
            raise self._unreachable(error) from error
        if response.status_code not in call.accepted:
            raise _failure(response)
        return call.read(response.content)

    def _pages(
        self, path: str, page: type[Page[Item]], page_size: int, filters: Mapping[str, Any] | None = None
    ) -> Iterator[Item]:
        """Yield the items of a list; each page is fetched when it is needed."""
        params: dict[str, Any] = {**(filters or {}), "limit": page_size}
        while True:
            found = self._send(Call("GET", path, reads(page), params))
            yield from found.items
            if found.next_cursor is None:
                return
            params = params | {"cursor": found.next_cursor}

    def _download(self, path: str, target: Path, progress: Callable[[int, int], None] | None) -> Path:
        try:
            with self._http.stream("GET", path, timeout=TIMEOUT_S + POLICY_WAIT_S) as response:
                if response.status_code != 200:
                    raise _failure(response)
                received = 0
                with saving(target) as file:
                    for chunk in response.iter_bytes():
                        file.write(chunk)
                        received += len(chunk)
                        if progress is not None:
                            progress(received, int(response.headers.get("content-length", 0)))
        except httpx2.TransportError as error:
            raise self._unreachable(error) from error
        return target

    def _download_resumably(self, path: str, target: Path, progress: Callable[[int, int], None] | None) -> Path:
        """Save what the server names by its SHA-256. A lost connection, or an earlier call, is continued."""
        part = PartialDownload(target)
        attempt = 1
        while True:
            try:
                self._download_rest(path, part, progress)
                return part.complete()
            except httpx2.TransportError as error:
                failed: PlatformError = self._unreachable(error)
            except PlatformError as error:
                failed = error
            delay = self._retry.delay_s(attempt, failed)
            if delay is None:
                raise failed
            self._sleep(delay)
            attempt += 1

    def _download_rest(self, path: str, part: PartialDownload, progress: Callable[[int, int], None] | None) -> None:
        timeout = TIMEOUT_S + POLICY_WAIT_S
        with self._http.stream("GET", path, headers=dict(part.headers), timeout=timeout) as response:
            if response.status_code == 416:  # what is there is no beginning of the content
                part.discard()
                raise httpx2.RemoteProtocolError("the part that was received does not fit")
            if response.status_code not in (200, 206):
                raise _failure(response)
            with part.open(response.status_code, response.headers.get("etag", "")) as file:
                received = file.tell()
                total = received + int(response.headers.get("content-length", 0))
                for chunk in response.iter_bytes():
                    file.write(chunk)
                    received += len(chunk)
                    if progress is not None:
                        progress(received, total)

    def _stream(self, path: str, cursor: EventCursor) -> Generator[Event]:
        """Yield the events of one connection, from behind the cursor until it closes or the stream ends."""
        timeout = httpx2.Timeout(TIMEOUT_S, read=cursor.patience_s())
        with self._http.sse(path, params=cursor.params, headers=cursor.headers, timeout=timeout) as source:
            if source.response.status_code == 204:
                cursor.done = True
                return
            if source.response.status_code != 200:
                raise _failure(source.response)
            cursor.connected()
            for message in source:
                event = cursor.take(message)
                if event is not None:
                    yield event
                if cursor.done:
                    return

    def _unreachable(self, error: httpx2.TransportError) -> Unavailable:
        return Unavailable(f"nothing answers at {self.url} ({error or type(error).__name__}); is the platform running?")


def _chunks(source: Source) -> Iterator[bytes]:
    while chunk := source.take():
        yield chunk


def _failure(response: httpx2.Response) -> PlatformError:
    body = response.read()
    return failure(response.status_code, response.headers.get("content-type", ""), body)


class AccessCalls(Transport):
    """Manage the API keys of the tenant."""

    def create_key(self, request: KeyRequest | Mapping[str, Any]) -> KeyCreated:
        """Create an API key. Only this answer has its text. Not repeated when the answer is lost.

        Raises:
            NotAllowed: the key would have rights that this client lacks.
        """
        return self._send(with_json("POST", "/v1/keys", request, KeyCreated, repeatable=False))

    def keys(self) -> list[KeyInfo]:
        """Return the API keys of the tenant, oldest first."""
        return (self._send(Call("GET", "/v1/keys", reads(KeyList)))).items

    def rotate_key(self, key_id: str, *, overlap_s: float = 3600.0) -> KeyCreated:
        """Replace a key; the old one stays valid for ``overlap_s``. Not repeated when the answer is lost."""
        path = f"/v1/keys/{segment(key_id)}/rotate"
        return self._send(with_json("POST", path, {"overlap_s": overlap_s}, KeyCreated, repeatable=False))

    def revoke_key(self, key_id: str) -> KeyInfo:
        """Make a key useless from this moment on. Idempotent."""
        return self._send(Call("DELETE", f"/v1/keys/{segment(key_id)}", reads(KeyInfo)))

    def whoami(self) -> WhoAmI:
        """Return the principal that the platform takes this client for."""
        return self._send(Call("GET", "/v1/whoami", reads(WhoAmI)))


class AssignmentCalls(Transport):
    """Publish assignments, submit to them, grade."""

    def assignments(self) -> list[AssignmentCard]:
        """Return the assignments that the caller sees, by due date."""
        return (self._send(Call("GET", "/v1/assignments", reads(AssignmentList)))).items

    def assignment(self, name: str) -> AssignmentView:
        """Return an assignment, with the caller's own dates and attempts; staff also see its tests.

        Raises:
            NotFound: there is no such assignment, or it has not opened.
        """
        return self._send(Call("GET", _path(name), reads(AssignmentView)))

    def publish_assignment(self, name: str, definition: AssignmentRequest | Mapping[str, Any]) -> AssignmentView:
        """Publish an assignment, or a new version of it. The same definition again changes nothing.

        Raises:
            InvalidRequest: a field is wrong, or nothing could be judged by it.
        """
        return self._send(with_json("PUT", _path(name), definition, AssignmentView))

    def submit(
        self, name: str, submission: SubmissionRequest | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> SubmissionInfo:
        """Submit to an assignment. It is accepted, and an attempt spent, when this returns.

        Raises:
            NoAttempt: no attempt is left, or not yet.
            Conflict: the assignment is closed.
        """
        path = f"{_path(name)}/submissions"
        return self._send(create(path, encode(submission), reads(SubmissionInfo), idempotency_key))

    def submissions(self, name: str, *, member: str | None = None) -> list[SubmissionInfo]:
        """Return the caller's submissions, newest first; for staff those of all members, or of one."""
        params = {"member": member} if member is not None else {}
        call = Call("GET", f"{_path(name)}/submissions", reads(SubmissionList), params)
        return (self._send(call)).items

    def submission_to(self, name: str, submission_id: str) -> SubmissionDetail:
        """Return a submission to an assignment, with its files, results and comments."""
        return self._send(Call("GET", f"{_path(name)}/submissions/{segment(submission_id)}", reads(SubmissionDetail)))

    def comment(self, name: str, submission_id: str, comment: CommentRequest | Mapping[str, Any]) -> Comment:
        """Comment on a file of a submission, or on a line of it. The learner sees it."""
        path = f"{_path(name)}/submissions/{segment(submission_id)}/comments"
        return self._send(with_json("POST", path, comment, Comment, repeatable=False))

    def extend(self, name: str, member_id: str, extension: Extension | Mapping[str, Any]) -> Member:
        """Give a member later dates or further attempts, in place of an earlier extension."""
        return self._send(with_json("PUT", f"{_path(name)}/extensions/{segment(member_id)}", extension, Member))

    def adjust_grade(self, name: str, member_id: str, adjustment: Adjustment | Mapping[str, Any]) -> Work:
        """Add points to the grade of a member, or take them away."""
        return self._send(
            with_json("PUT", f"{_path(name)}/adjustments/{segment(member_id)}", adjustment, Work, repeatable=False)
        )

    def grades(self, name: str) -> Grades:
        """Return one row for each learner."""
        return self._send(Call("GET", f"{_path(name)}/grades", reads(Grades)))

    def grades_as(self, name: str, form: Literal["json", "csv", "gradescope"]) -> bytes:
        """Return the grades in the form of a file: `csv` is a table, `gradescope` has the `results.json` of each."""
        return self._send(Call("GET", f"{_path(name)}/grades", bytes, {"format": form}))

    def download_assignment(
        self, name: str, target: Path, *, progress: Callable[[int, int], None] | None = None
    ) -> Path:
        """Save everything of an assignment as the ZIP file ``target``, which appears only once it is complete.

        Args:
            progress: called with the bytes received, and 0: the size is not known before.
        """
        return self._download(f"{_path(name)}/archive", target, progress)

    def leaderboard(self, name: str) -> Leaderboard:
        """Return the members ranked by the submissions that count."""
        return self._send(Call("GET", f"{_path(name)}/leaderboard", reads(Leaderboard)))

    def compare_submissions(self, name: str, *, min_similarity: float | None = None) -> SimilarityReport:
        """Begin to compare the submissions that count; :meth:`similarity` has the result."""
        body = {"min_similarity": min_similarity} if min_similarity is not None else {}
        return self._send(with_json("POST", f"{_path(name)}/similarity", body, SimilarityReport))

    def similarity(self, name: str) -> SimilarityReport:
        """Return which submissions are alike: the report that is running, or the newest one.

        Raises:
            NotFound: nothing was compared yet.
        """
        return self._send(Call("GET", f"{_path(name)}/similarity", reads(SimilarityReport)))

    def regrade(
        self, name: str, *, version: int | None = None, dry_run: bool = True, idempotency_key: str | None = None
    ) -> Regrade:
        """Judge all submissions again, by ``version`` or the newest. With ``dry_run`` no grade changes until
        :meth:`commit_regrade`."""
        body = encode({"dry_run": dry_run, **({"version": version} if version is not None else {})})
        return self._send(create(f"{_path(name)}:regrade", body, reads(Regrade), idempotency_key))

    def regrade_report(self, name: str, regrade_id: str) -> RegradeReport:
        """Return how far a regrade is and, once it is ready, whose grades it changes."""
        return self._send(Call("GET", f"{_path(name)}/regrades/{segment(regrade_id)}", reads(RegradeReport)))

    def commit_regrade(self, name: str, regrade_id: str) -> Regrade:
        """Make the results of a regrade hold, all at once.

        Raises:
            Conflict: it is not ready.
        """
        return self._send(Call("POST", f"{_path(name)}/regrades/{segment(regrade_id)}:commit", reads(Regrade)))

    def discard_regrade(self, name: str, regrade_id: str) -> Regrade:
        """Abandon a regrade. It changes no grade."""
        return self._send(Call("POST", f"{_path(name)}/regrades/{segment(regrade_id)}:discard", reads(Regrade)))

    def course(self) -> CourseSettings:
        """Return the settings of the course."""
        return self._send(Call("GET", "/v1/course", reads(CourseSettings)))

    def set_course(self, settings: CourseSettings | Mapping[str, Any]) -> CourseSettings:
        """Set the settings of the course."""
        return self._send(with_json("PUT", "/v1/course", settings, CourseSettings))


def _path(name: str) -> str:
    return f"/v1/assignments/{segment(name)}"


class ComparisonCalls(Transport):
    """Compare trainings."""

    def compare(
        self,
        *training_ids: str,
        metric: str = RETURN,
        x: Axis = "env_steps",
        max_points: int = 500,
        **filters: Unpack[RunFilters],
    ) -> Comparison:
        """Compare trainings by a metric, grouped by everything but the seed.

        Args:
            training_ids: trainings to compare; without any, those that ``filters`` find.
            metric: name of the metric.
            x: axis: environment steps, or seconds of training.
            max_points: largest number of points of each curve.
            filters: see :class:`~rlplatform.client.filters.RunFilters`; ``sort`` is not accepted.

        Raises:
            InvalidRequest: neither trainings nor filters are given, or both.
            NotFound: there is no such training.
        """
        chosen: dict[str, Any] = {"run": ",".join(training_ids)} if training_ids else {}
        params = {**params_of(filters), **chosen, "metric": metric, "x": x, "max_points": max_points}
        return self._send(Call("GET", "/v1/compare", reads(Comparison), params, wait_s=30.0))


class EnvironmentCalls(Transport):
    """List environments; upload your own."""

    def environments(self) -> list[EnvironmentInfo]:
        """Return the environments that can be trained on."""
        return (self._send(Call("GET", "/v1/environments", reads(EnvironmentList)))).items

    def upload_environment(self, upload: EnvironmentUpload | Mapping[str, Any]) -> UserEnvironment:
        """Upload an environment. Its contract is then checked: read it with :meth:`environment` until its state is not
        ``checking``."""
        return self._send(with_json("POST", "/v1/environments", upload, UserEnvironment))

    def environment(self, environment_id: str) -> UserEnvironment:
        """Return an uploaded environment, with the report on its contract so far.

        Raises:
            NotFound: there is no such environment.
        """
        return self._send(Call("GET", f"/v1/environments/{segment(environment_id)}", reads(UserEnvironment)))

    def uploaded_environments(self, *, page_size: int = 50) -> Iterator[UserEnvironment]:
        """Yield all uploaded environments, newest first; pages are fetched as they are needed."""
        return self._pages("/v1/environments:uploaded", Page[UserEnvironment], page_size)

    def delete_environment(self, environment_id: str) -> None:
        """Delete an uploaded environment.

        Raises:
            Conflict: an unfinished training uses it.
        """
        self._send(Call("DELETE", f"/v1/environments/{segment(environment_id)}", nothing))


EVALUATION_WAIT_S = 330.0
DRAWING_ATTEMPTS = 10
"""Requests for a video, each of which waits a minute for it."""


class EpisodeCalls(Transport):
    """List, read and watch episodes, and evaluate policies."""

    def episodes(self, run_id: str) -> list[EpisodeInfo]:
        """Return the recorded episodes of a training, of a published policy, or of an evaluation.

        Raises:
            NotFound: there is no such run.
        """
        collections = {Kind.TRAINING: "trainings", Kind.POLICY: "policies", Kind.EVALUATION: "evaluations"}
        if (kind := kind_of(run_id)) not in collections:
            raise InvalidRequest(
                f"{run_id!r} is no training (train_…), policy (pol_…) or evaluation (eval_…)", field="id"
            )
        path = f"/v1/{collections[kind]}/{segment(run_id)}/episodes"
        return (self._send(Call("GET", path, reads(EpisodeList)))).items

    def episode(self, episode_id: str, *, observations: bool = False) -> Episode:
        """Return an episode with its actions and rewards; with its observations, too, if they are asked for.

        Raises:
            NotFound: there is no such episode.
        """
        params = {"observations": "true"} if observations else {}
        return self._send(Call("GET", f"/v1/episodes/{segment(episode_id)}", reads(Episode), params))

    def download_video(self, episode_id: str, target: Path) -> Path:
        """Save the video of an episode as an MP4 file, once it is drawn. ``target`` appears only once it is complete.

        Raises:
            NotFound: there is no such episode.
            InvalidRequest: it has no video: its environment has no picture, say.
            EngineError: drawing it failed.
        """
        call = Call("GET", f"/v1/episodes/{segment(episode_id)}/video", bytes, wait_s=POLICY_WAIT_S)
        for attempt in range(1, DRAWING_ATTEMPTS + 1):
            try:
                content = self._send(call)
            except Unavailable:
                if attempt == DRAWING_ATTEMPTS:
                    raise
            else:
                break
        with saving(target) as file:
            file.write(content)
        return target

    def evaluate_policy(
        self, source_id: str, request: EvaluatePolicyRequest | Mapping[str, Any] | None = None
    ) -> PolicyEvaluation:
        """Play episodes with a published policy, or with the policy of a checkpoint, and wait for the result.

        Args:
            source_id: ``pol_…`` or ``ckpt_…``.
            request: Number of episodes, seed, and whether actions are drawn; None: ten episodes.

        Raises:
            NotFound: there is no such policy or checkpoint.
            EngineError: the environment failed, or the evaluation took too long.
        """
        collections = {Kind.POLICY: "policies", Kind.CHECKPOINT: "checkpoints"}
        if (kind := kind_of(source_id)) not in collections:
            raise InvalidRequest(f"{source_id!r} is neither a policy (pol_…) nor a checkpoint (ckpt_…)", field="id")
        path = f"/v1/{collections[kind]}/{segment(source_id)}/evaluate"
        return self._send(
            with_json("POST", path, request or {}, PolicyEvaluation, wait_s=EVALUATION_WAIT_S, repeatable=False)
        )


class FileCalls(Transport):
    """Upload files, save them, and delete them."""

    def upload_file(
        self,
        source: Path | bytes,
        *,
        name: str | None = None,
        media_type: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> FileInfo:
        """Upload a file, a piece at a time; return it. Equal bytes are the file that is there already.

        Args:
            source: a path, or the bytes themselves.
            name: what the file is called; without it the name of the path, or ``data``.
            media_type: without it, the one that goes with the name.
            progress: called with the bytes sent and the bytes in all.

        Raises:
            QuotaExceeded: it does not fit into the tenant's quota.
            TooLarge: it is larger than the platform accepts.
        """
        called = name if name is not None else "data" if isinstance(source, bytes) else source.name
        headers = {} if media_type is None else {"Content-Type": media_type}
        call = Call("POST", "/v1/files", reads(FileInfo), {"name": called}, headers=headers)
        return self._send(call, Upload(source, progress))

    def file(self, file_id: str) -> FileInfo:
        """Return the name, size and hash of a file.

        Raises:
            NotFound: there is no such file.
        """
        return self._send(Call("GET", f"/v1/files/{segment(file_id)}", reads(FileInfo)))

    def files(self, *, page_size: int = 50) -> Iterator[FileInfo]:
        """Yield all files, newest first; pages are fetched as they are needed."""
        return self._pages("/v1/files", Page[FileInfo], page_size)

    def download_file(self, file_id: str, target: Path, *, progress: Callable[[int, int], None] | None = None) -> Path:
        """Save a file as ``target``, which appears only once it is complete.

        Args:
            progress: called with the bytes received and the bytes in all.
        """
        return self._download(f"/v1/files/{segment(file_id)}/content", target, progress)

    def delete_file(self, file_id: str) -> None:
        """Delete a file for good.

        Raises:
            Conflict: an unfinished run refers to it.
        """
        self._send(Call("DELETE", f"/v1/files/{segment(file_id)}", nothing))


class ImageCalls(Transport):
    """Ask what submissions can run in."""

    def images(self) -> list[ImageInfo]:
        """Return the images that submissions can run in, by name."""
        return (self._send(Call("GET", "/v1/images", reads(ImageList)))).items


class LtiCalls(Transport):
    """Register learning platforms."""

    def register_lti(self, registration: Mapping[str, Any]) -> LtiRegistration:
        """Register a learning platform, or change its registration."""
        call = with_json("POST", "/v1/lti/registrations", dict(registration), LtiRegistration, repeatable=False)
        return self._send(call)

    def lti_registrations(self) -> list[LtiRegistration]:
        """Return the registrations of the tenant, newest first."""
        return (self._send(Call("GET", "/v1/lti/registrations", reads(LtiRegistrationList)))).items

    def remove_lti(self, registration_id: str) -> LtiRegistration:
        """Remove a registration: its platform can launch nothing any more."""
        path = f"/v1/lti/registrations/{segment(registration_id)}"
        return self._send(Call("DELETE", path, reads(LtiRegistration)))

    def lti_tool(self) -> LtiTool:
        """Return the addresses that a learning platform asks for."""
        return self._send(Call("GET", "/v1/lti/tool", reads(LtiTool)))


class MemberCalls(Transport):
    """Add people to a course, and invite them."""

    def read_roster(self, content: bytes) -> RosterFile:
        """Return the people in a CSV file, as :meth:`import_members` takes them. Nobody is added."""
        headers = {"Content-Type": "text/csv"}
        return self._send(Call("POST", "/v1/members:read", reads(RosterFile), body=content, headers=headers))

    def import_members(
        self,
        members: Sequence[MemberRequest | Mapping[str, Any]],
        *,
        credentials: Literal["none", "keys", "invitations"] = "none",
    ) -> RosterResult:
        """Add people to the course, known by ``external_id``, or change them. Keys and invitations of new people are
        in the answer, this once."""
        rows = [row.model_dump(exclude_unset=True) if isinstance(row, MemberRequest) else row for row in members]
        roster = {"members": rows, "credentials": credentials}
        return self._send(with_json("POST", "/v1/members:import", roster, RosterResult, repeatable=False))

    def members(self) -> list[Member]:
        """Return the members of the course, by their external ids."""
        return (self._send(Call("GET", "/v1/members", reads(MemberList)))).items

    def me(self) -> Member:
        """Return the member that the caller is."""
        return self._send(Call("GET", "/v1/members/me", reads(Member)))

    def remove_member(self, member_id: str) -> Member:
        """Remove a member and revoke the member's keys. The grades stay."""
        return self._send(Call("DELETE", f"/v1/members/{segment(member_id)}", reads(Member)))

    def invite(self, member_id: str, *, expires_in_s: float | None = None) -> Invitation:
        """Make an invitation, good once, that gives a member a new API key."""
        body = {"expires_in_s": expires_in_s} if expires_in_s is not None else {}
        path = f"/v1/members/{segment(member_id)}/invitations"
        return self._send(with_json("POST", path, body, Invitation, repeatable=False))

    def invite_all(self, member_ids: Sequence[str], *, expires_in_s: float | None = None) -> list[Invitation]:
        """Make an invitation for each of the members; their earlier ones end."""
        body = {"members": list(member_ids), **({"expires_in_s": expires_in_s} if expires_in_s is not None else {})}
        call = with_json("POST", "/v1/members:invite", body, InvitationsMade, repeatable=False)
        return (self._send(call)).items

    def invitations(self) -> list[InvitationInfo]:
        """Return the newest invitation of each member that was ever invited, without its text."""
        return (self._send(Call("GET", "/v1/invitations", reads(InvitationList)))).items

    def revoke_invitation(self, member_id: str) -> InvitationInfo:
        """Revoke the invitation of a member.

        Raises:
            Conflict: it was accepted.
        """
        path = f"/v1/members/{segment(member_id)}/invitations"
        return self._send(Call("DELETE", path, reads(InvitationInfo)))


class PlatformCalls(Transport):
    """Ask for the state of the platform."""

    def ready(self) -> Readiness:
        """Return the state of the platform's parts."""
        return self._send(Call("GET", "/readyz", reads(Readiness), accepted=frozenset({200, 503})))

    def load(self) -> PlatformLoad:
        """Return what waits and runs, by tenant and node; for operators."""
        return self._send(Call("GET", "/v1/load", reads(PlatformLoad)))


class PolicyCalls(Transport):
    """Publish policies, let them act, and save them."""

    def publish_policy(
        self,
        request: PolicyRequest | Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        **fields: Unpack[PolicyFields],
    ) -> PolicyInfo:
        """Copy a checkpoint's policy, so that it outlives the checkpoint and can act.

        Args:
            request: what to publish; None if its fields are given, for example ``training_id=…``.
            idempotency_key: name of this request: sent again, it publishes nothing; made up if left out.
            fields: see :class:`~rlplatform.client.fields.PolicyFields`; they replace those of ``request``.

        Raises:
            NotFound: there is no such checkpoint or training.
            Conflict: the checkpoint has no policy that can be served.
        """
        read, body = reads(PolicyInfo), encode(with_fields(request, fields))
        return self._send(create("/v1/policies", body, read, idempotency_key, wait_s=POLICY_WAIT_S))

    def policy(self, policy_id: str) -> PolicyInfo:
        """Return a published policy.

        Raises:
            NotFound: there is no such policy.
        """
        return self._send(Call("GET", f"/v1/policies/{segment(policy_id)}", reads(PolicyInfo)))

    def policies(self, *, page_size: int = 50) -> Iterator[PolicyInfo]:
        """Yield all policies, newest first; pages are fetched as they are needed."""
        return self._pages("/v1/policies", Page[PolicyInfo], page_size)

    def delete_policy(self, policy_id: str) -> PolicyInfo:
        """Delete a policy for good. Idempotent."""
        path = f"/v1/policies/{segment(policy_id)}"
        return self._send(Call("DELETE", path, reads(PolicyInfo), wait_s=POLICY_WAIT_S))

    def act(self, policy_id: str, observations: Sequence[Any], *, deterministic: bool = True) -> list[Any]:
        """Return one action for each observation.

        Args:
            observations: nested lists, as the environment returns them; at most 4096.
        """
        path = f"/v1/policies/{segment(policy_id)}/act"
        body = {"observations": list(observations), "deterministic": deterministic}
        return (self._send(with_json("POST", path, body, Actions, wait_s=POLICY_WAIT_S))).actions

    def load_policy(self, policy_id: str) -> LocalPolicy:
        """Return a published policy that acts in this process, on onnxruntime and without the platform.

        Raises:
            NotFound: there is no such policy.
            Unavailable: onnxruntime is not installed.
        """
        info = self.policy(policy_id)
        path = f"/v1/policies/{segment(policy_id)}/download?format=onnx"
        return LocalPolicy(info, self._send(Call("GET", path, bytes, wait_s=POLICY_WAIT_S)))

    def download_policy(
        self,
        policy_id: str,
        target: Path,
        *,
        form: Literal["onnx", "tar"] = "onnx",
        progress: Callable[[int, int], None] | None = None,
    ) -> Path:
        """Save a policy as an ONNX model, or as its archive. ``target`` appears only once it is complete.

        Args:
            progress: called with the bytes received and the bytes in all.
        """
        path = f"/v1/policies/{segment(policy_id)}/download?format={quote(form, safe='')}"
        return self._download(path, target, progress)


class QuotaCalls(Transport):
    """Read usage and quotas; operators set them."""

    def usage(self) -> Usage:
        """Return the tenant's usage, now and today, and its quotas."""
        return self._send(Call("GET", "/v1/usage", reads(Usage)))

    def quotas(self, tenant: str) -> TenantQuotas:
        """Return the quotas of a tenant.

        Raises:
            NotFound: the tenant is another's, and this client is not an operator's.
        """
        return self._send(Call("GET", f"/v1/tenants/{segment(tenant)}/quotas", reads(TenantQuotas)))

    def set_quotas(self, tenant: str, quotas: Quotas | Mapping[str, Any]) -> TenantQuotas:
        """Set the quotas that are given, and the defaults for all others.

        Raises:
            NotAllowed: this client is not an operator's.
        """
        return self._send(with_json("PUT", f"/v1/tenants/{segment(tenant)}/quotas", quotas, TenantQuotas))

    def reset_quotas(self, tenant: str) -> TenantQuotas:
        """Return a tenant to the default quotas.

        Raises:
            NotAllowed: this client is not an operator's.
        """
        return self._send(Call("DELETE", f"/v1/tenants/{segment(tenant)}/quotas", reads(TenantQuotas)))


class EvaluationCalls(Transport):
    """Submit evaluations, read and cancel them."""

    def submit_evaluation(
        self,
        request: EvaluationRequest | Mapping[str, Any] | None = None,
        *,
        wait_s: float = 0.0,
        idempotency_key: str | None = None,
        **fields: Unpack[EvaluationFields],
    ) -> Evaluation:
        """Queue an evaluation; return its result if it finishes within ``wait_s``.

        Args:
            request: the evaluation; None if its fields are given.
            wait_s: seconds to wait for the result, at most 60.
            idempotency_key: name of this request: sent again, it starts nothing; made up if left out.
            fields: see :class:`~rlplatform.client.fields.EvaluationFields`; they replace those of ``request``.
        """
        params = {"wait": wait_s} if wait_s else {}
        read, body = reads(Evaluation), encode(with_fields(request, fields))
        return self._send(create("/v1/evaluations", body, read, idempotency_key, params=params, wait_s=wait_s))

    def submit_evaluations(
        self, requests: Sequence[EvaluationRequest | Mapping[str, Any]], *, idempotency_key: str | None = None
    ) -> list[Evaluation | PlatformError]:
        """Queue up to 200 evaluations at once.

        Returns:
            For each request, in order, the queued evaluation or why it was refused.
        """
        body = b'{"evaluations":[' + b",".join(encode(request) for request in requests) + b"]}"
        batch = self._send(create("/v1/evaluations:batch", body, reads(BatchResult), idempotency_key))
        return [row.evaluation if row.evaluation is not None else error_from(row.error or {}) for row in batch.results]

    def evaluation(self, evaluation_id: str) -> Evaluation:
        """Return an evaluation.

        Raises:
            NotFound: there is no such evaluation.
        """
        return self._send(Call("GET", f"/v1/evaluations/{segment(evaluation_id)}", reads(Evaluation)))

    def submission(self, evaluation_id: str) -> Submission:
        """Return the program and the visible tests of an evaluation.

        Raises:
            NotFound: there is no such evaluation.
        """
        return self._send(Call("GET", f"/v1/evaluations/{segment(evaluation_id)}/submission", reads(Submission)))

    def download_submission(
        self, evaluation_id: str, target: Path, *, progress: Callable[[int, int], None] | None = None
    ) -> Path:
        """Save the program of an evaluation and its further files as ``target``, a ZIP archive without uploaded data.

        Args:
            progress: called with the bytes received and the bytes in all.

        Raises:
            NotFound: there is no such evaluation, or an uploaded file of the program has been deleted.
        """
        return self._download(f"/v1/evaluations/{segment(evaluation_id)}/submission/archive", target, progress)

    def evaluations(self, *, page_size: int = 50, **filters: Unpack[RunFilters]) -> Iterator[Evaluation]:
        """Yield evaluations, newest first unless ``sort`` is given, without their tests.

        Pages are fetched as they are needed.

        Args:
            filters: see :class:`~rlplatform.client.filters.RunFilters`.
        """
        return self._pages("/v1/evaluations", Page[Evaluation], page_size, params_of(filters))

    def cancel_evaluation(self, evaluation_id: str) -> Evaluation:
        """Cancel an evaluation; a finished one is left unchanged."""
        return self._send(Call("DELETE", f"/v1/evaluations/{segment(evaluation_id)}", reads(Evaluation)))


class StudyCalls(Transport):
    """Start studies, steer them, and read their trials."""

    def start_study(
        self,
        request: StudyRequest | Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        **fields: Unpack[StudyFields],
    ) -> Study:
        """Start a study.

        Args:
            request: the study; None if its fields are given.
            idempotency_key: name of this request: sent again, it starts nothing; made up if left out.
            fields: see :class:`~rlplatform.client.fields.StudyFields`; they replace those of ``request``.

        Raises:
            InvalidRequest: the space or the training makes no sense; nothing was started.
        """
        body = encode(with_fields(request, fields))
        return self._send(create("/v1/studies", body, reads(Study), idempotency_key))

    def study(self, study_id: str) -> Study:
        """Return a study, with all its trials.

        Raises:
            NotFound: there is no such study.
        """
        return self._send(Call("GET", f"/v1/studies/{segment(study_id)}", reads(Study)))

    def studies(self, *, states: Sequence[str] = (), page_size: int = 50) -> Iterator[Study]:
        """Yield all studies, newest first, without their trials; pages are fetched as they are needed."""
        return self._pages("/v1/studies", Page[Study], page_size, {"state": list(states)} if states else {})

    def pause_study(self, study_id: str) -> Study:
        """Pause a study and its trainings.

        Raises:
            Conflict: it has finished, or is being stopped.
        """
        return self._send(Call("POST", f"/v1/studies/{segment(study_id)}/pause", reads(Study)))

    def resume_study(self, study_id: str) -> Study:
        """Continue a paused study.

        Raises:
            Conflict: it has finished, or is being stopped.
        """
        return self._send(Call("POST", f"/v1/studies/{segment(study_id)}/resume", reads(Study)))

    def stop_study(self, study_id: str) -> Study:
        """Stop a study and its trainings for good; a finished one is left unchanged."""
        return self._send(Call("POST", f"/v1/studies/{segment(study_id)}/stop", reads(Study)))


class TrainingCalls(Transport):
    """Start trainings, steer them, and read what they produce."""

    def start_training(
        self,
        request: TrainingRequest | Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        **fields: Unpack[TrainingFields],
    ) -> Training:
        """Queue a training, for example ``client.start_training(env="CartPole-v1", seed=1)``.

        Args:
            request: the training; None if its fields are given.
            idempotency_key: name of this request: sent again, it starts nothing; made up if left out.
            fields: see :class:`~rlplatform.client.fields.TrainingFields`; they replace those of ``request``.

        Raises:
            InvalidRequest: the environment, preset, hyperparameters or resources make no sense.
            TooManyRequests: a quota is used up, or the queue is full.
        """
        body = encode(with_fields(request, fields))
        return self._send(create("/v1/trainings", body, reads(Training), idempotency_key))

    def continue_training(
        self, training_id: str, changes: Mapping[str, Any] | None = None, *, idempotency_key: str | None = None
    ) -> Training:
        """Queue a training that continues another one from its newest checkpoint, as that was trained.

        Args:
            training_id: training to continue; it is left unchanged.
            changes: values by name, as :func:`rlplatform.training.variations.clone` takes them, for example
                ``{"stop.more_env_steps": 100_000}``. Without a stop criterion the same number of steps is done again.

        Raises:
            InvalidRequest: there is no checkpoint, or the changes make no sense.
        """
        request = continuation(self.training(training_id), changes)
        return self.start_training(request, idempotency_key=idempotency_key)

    def clone_training(
        self, training_id: str, changes: Mapping[str, Any] | None = None, *, idempotency_key: str | None = None
    ) -> Training:
        """Queue a training with the settings of another one, from its beginning.

        Args:
            training_id: training to repeat; it is left unchanged.
            changes: values by name, as :func:`rlplatform.training.variations.clone` takes them, for example
                ``{"learning_rate": 1e-4, "seed": 1}``.

        Raises:
            InvalidRequest: the changes make no sense.
        """
        request = clone(self.training(training_id), changes)
        return self.start_training(request, idempotency_key=idempotency_key)

    def check_training(
        self, request: TrainingRequest | Mapping[str, Any] | None = None, **fields: Unpack[TrainingFields]
    ) -> TrainingCheck:
        """Check a training as starting it would, and start nothing; return what it would train with.

        Args:
            request: the training; None if its fields are given.
            fields: see :class:`~rlplatform.client.fields.TrainingFields`; they replace those of ``request``.

        Raises:
            InvalidRequest: the environment, preset, hyperparameters or resources make no sense.
        """
        return self._send(with_json("POST", "/v1/trainings:check", with_fields(request, fields), TrainingCheck))

    def training(self, training_id: str) -> Training:
        """Return a training.

        Raises:
            NotFound: there is no such training.
        """
        return self._send(Call("GET", f"/v1/trainings/{segment(training_id)}", reads(Training)))

    def trainings(self, *, page_size: int = 50, **filters: Unpack[RunFilters]) -> Iterator[Training]:
        """Yield trainings, newest first unless ``sort`` is given; pages are fetched as they are needed.

        Args:
            filters: see :class:`~rlplatform.client.filters.RunFilters`.
        """
        return self._pages("/v1/trainings", Page[Training], page_size, params_of(filters))

    def pause_training(self, training_id: str) -> Training:
        """Pause a training: save a checkpoint and free its resources.

        Raises:
            Conflict: it has finished, or has not begun.
        """
        return self._send(Call("POST", f"/v1/trainings/{segment(training_id)}/pause", reads(Training)))

    def resume_training(self, training_id: str) -> Training:
        """Continue a paused training from its checkpoint, as soon as there is room.

        Raises:
            Conflict: it has finished, or has not begun.
        """
        return self._send(Call("POST", f"/v1/trainings/{segment(training_id)}/resume", reads(Training)))

    def stop_training(self, training_id: str) -> Training:
        """Stop a training for good, after a last checkpoint; a finished one is left unchanged."""
        return self._send(Call("POST", f"/v1/trainings/{segment(training_id)}/stop", reads(Training)))

    def metrics(self, training_id: str, *names: str, max_points: int = 500) -> MetricSeries:
        """Return the time series of the metrics ``names``; of all of them without names."""
        params = {"max_points": max_points} | ({"names": ",".join(names)} if names else {})
        return self._send(Call("GET", f"/v1/trainings/{segment(training_id)}/metrics", reads(MetricSeries), params))

    def checkpoints(self, training_id: str) -> list[CheckpointInfo]:
        """Return the committed checkpoints, oldest first."""
        path = f"/v1/trainings/{segment(training_id)}/checkpoints"
        return (self._send(Call("GET", path, reads(CheckpointList)))).items

    def download_checkpoint(
        self, checkpoint_id: str, target: Path, *, progress: Callable[[int, int], None] | None = None
    ) -> Path:
        """Save a checkpoint as the tar archive ``target``, which appears only once it is complete.

        Args:
            progress: called with the bytes received and the bytes in all.
        """
        return self._download(f"/v1/checkpoints/{segment(checkpoint_id)}/download", target, progress)

    def download_run(
        self, training_id: str, target: Path, *, progress: Callable[[int, int], None] | None = None
    ) -> Path:
        """Save the run folder of a training as the tar archive ``target``: events, manifest, tables, checkpoints.

        A call that was interrupted leaves ``TARGET.SHA256.part``; the next one continues it.

        Args:
            progress: called with the bytes received and the bytes in all.
        """
        return self._download_resumably(f"/v1/trainings/{segment(training_id)}/files", target, progress)

    def export_metrics(
        self,
        target: Path,
        *training_ids: str,
        form: Literal["csv", "parquet"] = "csv",
        progress: Callable[[int, int], None] | None = None,
        **filters: Unpack[RunFilters],
    ) -> Path:
        """Save the metrics of trainings as one table, a row for each iteration. ``target`` appears once it is complete.

        Args:
            training_ids: trainings; without any, those that ``filters`` find.
            form: ``csv`` or ``parquet``.
            progress: called with the bytes received and the bytes in all.
            filters: see :class:`~rlplatform.client.filters.RunFilters`; ``sort`` is not accepted.

        Raises:
            InvalidRequest: neither trainings nor filters are given, or both, or more than 1,000 are found.
            NotFound: there is no such training.
        """
        chosen: dict[str, Any] = {"run": ",".join(training_ids)} if training_ids else {}
        params = httpx2.QueryParams({**params_of(filters), **chosen, "format": form})
        return self._download(f"/v1/trainings:export?{params}", target, progress)

    def delete_checkpoint(self, checkpoint_id: str) -> None:
        """Delete a checkpoint for good, for example to get below the storage quota.

        Raises:
            Conflict: an unfinished training would be recovered from it.
        """
        self._send(Call("DELETE", f"/v1/checkpoints/{segment(checkpoint_id)}", nothing))


class RunCalls(EvaluationCalls, TrainingCalls, StudyCalls):
    """Follow runs to their end."""

    def evaluate(self, request: EvaluationRequest | Mapping[str, Any], *, timeout_s: float | None = None) -> Evaluation:
        """Submit an evaluation, wait for its end, and return it.

        Raises:
            TimeoutError: it has not finished after ``timeout_s``; it continues.
        """
        submitted = self.submit_evaluation(request, wait_s=20.0 if timeout_s is None else 0.0)
        if submitted.finished_at is not None:
            return submitted
        done = self.wait(submitted.id, timeout_s=timeout_s)
        assert isinstance(done, Evaluation)
        return done

    def update_run(
        self,
        run_id: str,
        *,
        name: str | Unchanged | None = UNCHANGED,
        labels: Mapping[str, str | None] | None = None,
        notes: str | Unchanged | None = UNCHANGED,
    ) -> Evaluation | Training:
        """Change the annotations of a run, finished or not; return the run.

        Args:
            run_id: id of an evaluation or a training.
            name: new name; None for none.
            labels: labels to set; a label with the value None is removed, and the others stay.
            notes: new notes; None for none.
        """
        given = {"name": name, "labels": labels or {}, "notes": notes}
        body = {field: value for field, value in given.items() if value is not UNCHANGED}
        model: type[Evaluation | Training] = Evaluation if kind_of(run_id) is Kind.EVALUATION else Training
        return self._send(with_json("PATCH", f"/v1/runs/{segment(run_id)}", body, model))

    def delete_run(self, run_id: str) -> None:
        """Delete a finished evaluation or training for good, with its events, checkpoints and files.

        Raises:
            Conflict: the run has not finished, or an unfinished training starts from one of its checkpoints.
            NotAllowed: it is somebody else's run, and the key lacks the scope ``admin``.
        """
        self._send(Call("DELETE", f"/v1/runs/{segment(run_id)}", nothing))

    def events(
        self, run_id: str, *, after: int = 0, types: Sequence[str] = (), timeout_s: float | None = None
    ) -> Iterator[Event]:
        """Yield the events of a run after number ``after``, live, to its final one.

        Reconnects by itself and misses none.

        Args:
            types: only events of these types.

        Raises:
            InvalidRequest: ``run_id`` is not the id of a run.
            TimeoutError: the run has not finished after ``timeout_s``; it continues.
            Unavailable: the server has not answered for two minutes.
        """
        path = f"/v1/{stream_of(run_id)}/events"
        cursor = EventCursor(after, types, timeout_s)
        while not cursor.done:
            try:
                with closing(self._stream(path, cursor)) as events:
                    yield from events
            except httpx2.ReadTimeout:
                continue
            except httpx2.TransportError as error:
                self._sleep(cursor.pause_s(self._unreachable(error)))
            except PlatformError as error:
                self._sleep(cursor.pause_s(error))

    def wait(self, run_id: str, *, timeout_s: float | None = None) -> Evaluation | Training | Study:
        """Wait for the end of a run, and return it.

        Raises:
            TimeoutError: it has not finished after ``timeout_s``; it continues.
        """
        for _ in self.events(run_id, types=tuple(FINAL_TYPES), timeout_s=timeout_s):
            pass
        match kind_of(run_id):
            case Kind.EVALUATION:
                return self.evaluation(run_id)
            case Kind.STUDY:
                return self.study(run_id)
            case _:
                return self.training(run_id)


class WebhookCalls(Transport):
    """Manage the webhooks of the tenant, and read their deliveries."""

    def create_webhook(self, request: WebhookRequest | Mapping[str, Any]) -> WebhookCreated:
        """Create a webhook for finished runs. Only this answer has its secret. Not repeated when the answer is lost."""
        return self._send(with_json("POST", "/v1/webhooks", request, WebhookCreated, repeatable=False))

    def webhooks(self) -> list[Webhook]:
        """Return the tenant's webhooks, newest first."""
        return (self._send(Call("GET", "/v1/webhooks", reads(WebhookList)))).items

    def change_webhook(self, webhook_id: str, change: WebhookChange | Mapping[str, Any]) -> Webhook:
        """Change the fields that are given; ``enabled: true`` restarts a disabled webhook."""
        return self._send(with_json("PATCH", f"/v1/webhooks/{segment(webhook_id)}", change, Webhook))

    def rotate_webhook(self, webhook_id: str, *, overlap_s: float = 86_400.0) -> WebhookCreated:
        """Create a new secret; the old one also signs for ``overlap_s``. Not repeated when the answer is lost."""
        path = f"/v1/webhooks/{segment(webhook_id)}/rotate"
        return self._send(with_json("POST", path, {"overlap_s": overlap_s}, WebhookCreated, repeatable=False))

    def test_webhook(self, webhook_id: str) -> Delivery:
        """Send a message of type ``webhook.test``, once."""
        path = f"/v1/webhooks/{segment(webhook_id)}/test"
        return self._send(Call("POST", path, reads(Delivery), repeatable=False))

    def deliveries(self, webhook_id: str, *, limit: int = 20) -> list[Delivery]:
        """Return the deliveries of a webhook, newest first, with every attempt."""
        path = f"/v1/webhooks/{segment(webhook_id)}/deliveries"
        return (self._send(Call("GET", path, reads(DeliveryList), {"limit": limit}))).items

    def delete_webhook(self, webhook_id: str) -> Webhook:
        """Delete a webhook and the record of its deliveries."""
        return self._send(Call("DELETE", f"/v1/webhooks/{segment(webhook_id)}", reads(Webhook)))


class Client(
    RunCalls,
    AssignmentCalls,
    ComparisonCalls,
    EnvironmentCalls,
    PolicyCalls,
    EpisodeCalls,
    FileCalls,
    ImageCalls,
    LtiCalls,
    MemberCalls,
    AccessCalls,
    QuotaCalls,
    WebhookCalls,
    PlatformCalls,
):
    """Talks to a platform; returns the platform's own models and raises its own errors (``rlplatform.errors``).

    A call that fails for a passing reason is repeated, which is safe: calls that create runs carry an Idempotency-Key.
    Use a client from one thread or event loop at a time. Close it, or use it as a context manager.

    Args:
        url: the platform's address; without it ``RLP_URL`` or the nearest ``.rlp/local.json``.
        api_key: the key for that address; without it ``RLP_API_KEY`` or the one in that file.
        retry: when a failed call is repeated.
        transport: replaces the network, in tests.
        sleep: replaces the waiting between attempts, in tests.
    """
