"""The events of one run, as server-sent events."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from rlplatform.access.principals import Principal
from rlplatform.errors import InvalidRequest
from rlplatform.runs import Run
from serve_apps.api.deps import Context, Ctx, Follower, Renewal
from serve_apps.api.hub import types_of
from serve_apps.api.openapi import problems
from serve_apps.api.sse import EventStream

router = APIRouter(prefix="/v1", tags=["events"])


class EventsQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    after: int = Field(default=0, ge=0, description="the sequence number to go on behind")
    types: str | None = Field(default=None, description="comma-separated event types; all where left out")
    ticket: str | None = Field(default=None, description="instead of a key: one-use, from `/v1/tickets`")


LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", description="wins over `after`")]
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`id:` is the sequence number, `data:` an event's JSON; `event: reconnect` asks to come again",
        "content": {"text/event-stream": {"schema": {"$ref": "#/components/schemas/Event"}}},
    },
    204: {"description": "the run is over and has no event behind this one"},
    **problems(401, 403, 404, 422),
}


@router.get("/evaluations/{evaluation_id}/events", summary="Follow an evaluation", responses=_RESPONSES)
async def of_evaluation(
    ctx: Ctx,
    caller: Follower,
    renew: Renewal,
    evaluation_id: str,
    query: Annotated[EventsQuery, Query()],
    last: LastEventId = None,
) -> Response:
    return _stream(ctx, caller, renew, await ctx.evaluation(evaluation_id, caller), query, last)


@router.get("/trainings/{training_id}/events", summary="Follow a training", responses=_RESPONSES)
async def of_training(
    ctx: Ctx,
    caller: Follower,
    renew: Renewal,
    training_id: str,
    query: Annotated[EventsQuery, Query()],
    last: LastEventId = None,
) -> Response:
    return _stream(ctx, caller, renew, await ctx.training(training_id, caller), query, last)


def _stream(
    ctx: Context, caller: Principal, renew: Renewal, run: Run, query: EventsQuery, last: str | None
) -> Response:
    after, field = query.after, "after"
    if last is not None:
        if not last.isdecimal() or len(last) > 18:
            raise InvalidRequest(f"{last[:40]!r} is not a sequence number", field="Last-Event-ID")
        after, field = int(last), "Last-Event-ID"
    if after > run.seq:
        raise InvalidRequest(f"{after} is beyond the stream, which has come to {run.seq}", field=field)
    if run.final and after == run.seq:
        return Response(status_code=204)
    types = types_of(name.strip() for name in query.types.split(",")) if query.types else ()
    return EventStream(
        ctx.hubs,
        ctx.services.clock,
        ctx.settings.api,
        run.stream,
        ctx.limiter.connection(caller.id),
        renew,
        after=after,
        types=types,
    )
