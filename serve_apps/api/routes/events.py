"""The events of one run, as server-sent events."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from rlplatform.access.principals import Principal
from rlplatform.errors import InvalidRequest
from rlplatform.runs.records import Run
from serve_apps.api.dependencies import Context, Ctx, Follower, Renewal
from serve_apps.api.openapi.document import problems
from serve_apps.api.openapi.headers import headers
from serve_apps.api.openapi.schemas import REF
from serve_apps.api.streams.fan_out import types_of
from serve_apps.api.streams.sse import EventStream

router = APIRouter(prefix="/v1", tags=["events"])


class EventsQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    after: int = Field(default=0, ge=0, description="Sequence number to continue after; 0: from the first event.")
    types: str | None = Field(default=None, description="Types of event, separated by commas; all if left out.")
    ticket: str | None = Field(default=None, description="Ticket of `/v1/tickets`, good once, in place of a key.")


LastEventId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", description="Sequence number to continue after. It takes precedence over `after`."),
]
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            "Server-sent events. Of each, `id:` is the sequence number and `data:` the JSON of an `Event`."
            " A named event, `event: reconnect`, asks to connect again with `Last-Event-ID`."
        ),
        "headers": headers("X-Accel-Buffering"),
        "content": {
            "text/event-stream": {"schema": {"type": "string"}, "x-item-schema": {"$ref": REF.format(model="Event")}}
        },
    },
    204: {"description": "The run has ended and has no event after this one."},
    **problems(401, 403, 404, 422),
}


@router.get(
    "/evaluations/{evaluation_id}/events", summary="Follow an evaluation", response_class=Response, responses=RESPONSES
)
async def of_evaluation(
    ctx: Ctx,
    caller: Follower,
    renew: Renewal,
    evaluation_id: str,
    query: Annotated[EventsQuery, Query()],
    last: LastEventId = None,
) -> Response:
    """Stream the events of an evaluation, from the first or after `Last-Event-ID`, until the final one. `EventSource`
    takes a `ticket` in place of a key."""
    return stream_response(ctx, caller, renew, await ctx.evaluation(evaluation_id, caller), query, last)


@router.get(
    "/trainings/{training_id}/events", summary="Follow a training", response_class=Response, responses=RESPONSES
)
async def of_training(
    ctx: Ctx,
    caller: Follower,
    renew: Renewal,
    training_id: str,
    query: Annotated[EventsQuery, Query()],
    last: LastEventId = None,
) -> Response:
    """Stream the events of a training, from the first or after `Last-Event-ID`, until the final one. `EventSource`
    takes a `ticket` in place of a key."""
    return stream_response(ctx, caller, renew, await ctx.training(training_id, caller), query, last)


@router.get("/studies/{study_id}/events", summary="Follow a study", response_class=Response, responses=RESPONSES)
async def of_study(
    ctx: Ctx,
    caller: Follower,
    renew: Renewal,
    study_id: str,
    query: Annotated[EventsQuery, Query()],
    last: LastEventId = None,
) -> Response:
    """Stream the events of a study, from the first or after `Last-Event-ID`, until the final one. `EventSource` takes a
    `ticket` in place of a key."""
    return stream_response(ctx, caller, renew, await ctx.study(study_id, caller), query, last)


def stream_response(
    ctx: Context, caller: Principal, renew: Renewal, run: Run, query: EventsQuery, last: str | None
) -> Response:
    """Return the events of ``run``, after the one that the client knows."""
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
        staff=caller.sees_hidden,
    )
