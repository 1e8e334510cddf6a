"""Dependencies of handlers: the principal, the services, the run that a request is about."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from rlplatform.access.principals import Principal, Scope
from rlplatform.access.tickets import RESUMABLE_S
from rlplatform.assignments.course import CourseServices
from rlplatform.comparison.service import ComparisonService
from rlplatform.errors import InvalidRequest, NotAuthenticated, NotFound, PlatformError
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.files.service import FileService
from rlplatform.ids import Kind, check_id
from rlplatform.lti.service import LtiService
from rlplatform.policies.record import PolicyRecord
from rlplatform.quotas.service import QuotaService
from rlplatform.retries import with_timeout
from rlplatform.runs.events import stream_of
from rlplatform.runs.ports import Idempotency
from rlplatform.runs.records import Run
from rlplatform.scheduling.admission import QueuePlace
from rlplatform.settings import Settings
from rlplatform.sign_in.service import SignInService
from rlplatform.studies.record import StudyRun
from rlplatform.training.record import TrainingRun
from serve_apps.api.authentication import Authenticator
from serve_apps.api.http.cookies import Cookies
from serve_apps.api.rate_limits import RateLimiter
from serve_apps.api.run_cache import RunCache
from serve_apps.api.services import Services
from serve_apps.api.streams.fan_out import StreamFanOuts

_POSITION_WAIT_S = 0.5
STREAM_COOKIE = "rlp_stream"


@dataclass(frozen=True, slots=True)
class Context:
    """State of one application: made once by ``create_app``, at ``app.state.context``."""

    services: Services
    settings: Settings
    access: Authenticator
    limiter: RateLimiter
    hubs: StreamFanOuts
    records: RunCache
    accounts: QuotaService
    comparisons: ComparisonService
    course: CourseServices
    cookies: Cookies
    sign_in: SignInService | None = None
    lti: LtiService | None = None
    files: FileService | None = None

    async def evaluation(self, run_id: str, principal: Principal) -> EvaluationRun:
        """The evaluation of this id. :raises NotFound: there is none that the principal sees."""
        run = await self._run(run_id, Kind.EVALUATION, principal)
        assert isinstance(run, EvaluationRun)
        return run

    async def training(self, run_id: str, principal: Principal) -> TrainingRun:
        """The training of this id. :raises NotFound: there is none that the principal sees."""
        run = await self._run(run_id, Kind.TRAINING, principal)
        assert isinstance(run, TrainingRun)
        return run

    async def study(self, run_id: str, principal: Principal) -> StudyRun:
        """The study of this id. :raises NotFound: there is none that the principal sees."""
        run = await self._run(run_id, Kind.STUDY, principal)
        assert isinstance(run, StudyRun)
        return run

    async def policy(self, policy_id: str, principal: Principal) -> PolicyRecord:
        """The policy of this id. :raises NotFound: there is none that the principal sees, or it has been deleted."""
        record = await self._run(policy_id, Kind.POLICY, principal)
        assert isinstance(record, PolicyRecord)
        if record.final:
            raise NotFound("no such policy: it has been deleted")
        return record

    async def place(self, run: Run) -> QueuePlace | None:
        """Return the place of ``run`` in the queue, if it waits and the supervisor answers in time."""
        resumes = isinstance(run, TrainingRun) and run.state == "paused" and run.desired == "run"
        if run.state != "queued" and not resumes:
            return None
        try:
            asked = self.services.commands.places([run.id])
            return (await with_timeout(self.services.clock, _POSITION_WAIT_S, asked))[0]
        except (PlatformError, TimeoutError):
            return None

    async def of_stream(self, stream: str, principal: Principal) -> Run:
        """The run whose stream is ``stream``: ``trainings/train_…``, ``evaluations/eval_…`` …"""
        run_id = stream.rpartition("/")[2]
        try:
            if stream_of(run_id) != stream:
                raise InvalidRequest("")
        except (InvalidRequest, KeyError):
            accepted = "trainings/train_…, evaluations/eval_…, studies/study_…, policies/pol_… or assignments/…"
            raise InvalidRequest(f"{stream[:80]!r} is not a stream; accepted are {accepted}", field="stream") from None
        try:
            run = await self.records.get(run_id)
        except NotFound:
            raise NotFound("no such run") from None
        principal.require_visible(run.tenant, run.created_by, "run")
        return run

    async def _run(self, run_id: str, kind: Kind, principal: Principal) -> Run:
        missing = NotFound(f"no such {kind.name.lower()}")
        try:
            check_id(run_id, kind)
            run = await self.records.get(run_id)
        except (InvalidRequest, NotFound):
            raise missing from None
        principal.require_visible(run.tenant, run.created_by, kind.name.lower())
        return run


async def context(request: Request) -> Context:
    """Return the state of the application."""
    found: Context = request.app.state.context
    return found


Ctx = Annotated[Context, Depends(context)]

_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="api_key",
    description="API key (`rlp_<key id>_<secret>`), or a JWT of the configured identity provider.",
)


async def credential(
    ctx: Ctx, request: Request, bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]
) -> str | None:
    """Return the request's key, token or browser session; None if it has none. A header goes before a cookie."""
    return bearer.credentials if bearer is not None else ctx.cookies.session_of(request)


Credential = Annotated[str | None, Depends(credential)]


async def principal(ctx: Ctx, request: Request, credential: Credential) -> Principal:
    """Return the principal that makes the request.

    Raises:
        NotAuthenticated: it is unknown.
    """
    if credential is None:
        raise NotAuthenticated("send an API key: Authorization: Bearer rlp_…")
    found = await ctx.access.bearer(credential)
    await _admit(ctx, request, found)
    return found


async def _admit(ctx: Context, request: Request, found: Principal) -> None:
    request.scope["state"]["principal"] = found
    await ctx.limiter.spend(request.scope, found.id, "requests")


Caller = Annotated[Principal, Depends(principal)]


class _Scoped:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def __call__(self, caller: Caller) -> Principal:
        caller.require(self._scope)
        return caller


CanEvaluate = Annotated[Principal, Depends(_Scoped(Scope.EVALUATE))]
CanTrain = Annotated[Principal, Depends(_Scoped(Scope.TRAIN))]
CanRead = Annotated[Principal, Depends(_Scoped(Scope.READ))]
CanAdminister = Annotated[Principal, Depends(_Scoped(Scope.ADMIN))]
CanOperate = Annotated[Principal, Depends(_Scoped(Scope.OPERATE))]


async def follower(ctx: Ctx, request: Request, credential: Credential) -> Principal:
    """Return the principal that asks for an event stream, by header or by a ticket for the stream.

    Raises:
        NotAuthenticated: it is unknown.
    """
    ticket = request.query_params.get("ticket")
    if ticket is None:
        found = await principal(ctx, request, credential)
    else:
        stream = request.url.path.removeprefix("/v1/").removesuffix("/events")
        again = request.cookies.get(STREAM_COOKIE) if "last-event-id" in request.headers else None
        found = await ctx.access.ticket(ticket, stream, again)
        await _admit(ctx, request, found)
        resumption = ctx.access.tickets.resumption(found, stream, ctx.services.clock.now())
        request.scope["state"]["cookie"] = _stream_cookie(request, stream, resumption)
    return found


def _stream_cookie(request: Request, stream: str, resumption: str) -> str:
    secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", "").strip().lower())
    parts = (f"{STREAM_COOKIE}={resumption}", f"Path=/v1/{stream}/events", f"Max-Age={RESUMABLE_S:.0f}")
    return "; ".join([*parts, "HttpOnly", "SameSite=Strict", *(["Secure"] if secure else [])])


Follower = Annotated[Principal, Depends(follower)]


async def renewal(ctx: Ctx, request: Request, credential: Credential) -> Callable[[], Awaitable[None]]:
    """Return a check, for later, that the request's key still holds, or the key behind its ticket."""
    text = request.query_params.get("ticket") or credential

    async def renew() -> None:
        if text is not None:
            await ctx.access.renew(text)

    return renew


Renewal = Annotated[Callable[[], Awaitable[None]], Depends(renewal)]

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text of your own. The same key and body again give the same resource, made once.",
    ),
]


def idempotency(key: str | None, caller: Principal, operation: str, request: BaseModel) -> Idempotency | None:
    """Return the key of a creating request: of its principal, for one operation, with the hash of its body."""
    if key is None:
        return None
    canonical: Any = request.model_dump(mode="json")
    body = json.dumps(canonical, sort_keys=True, separators=(",", ":")).encode()
    return Idempotency(caller.tenant, f"{operation} {caller.id} {key}", hashlib.sha256(body).hexdigest())
