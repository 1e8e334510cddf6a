"""Selections of trainings: by id, or by the filters of lists."""

from __future__ import annotations

from pydantic import Field

from rlplatform.access.principals import Principal
from rlplatform.errors import InvalidRequest
from rlplatform.ids import Kind
from rlplatform.training.models import Training, TrainingState
from serve_apps.api.dependencies import Context
from serve_apps.api.http.paging import RunFilterQuery, RunListQuery, list_runs

MAX_FOUND = 1000
_STATES = [state.value for state in TrainingState]


class SelectionQuery(RunFilterQuery):
    """Query parameters that choose trainings."""

    run: list[str] = Field(
        default_factory=list,
        max_length=50,
        description="Ids of trainings, separated by commas or given again; with them, no filter is accepted.",
    )


async def selected(ctx: Context, caller: Principal, query: SelectionQuery, most: int) -> tuple[list[Training], bool]:
    """Return the chosen trainings, newest first unless ids are given; True if filters may find more than ``MAX_FOUND``.

    Raises:
        InvalidRequest: neither ids nor filters are given, or both, or more than ``most`` ids.
        NotFound: there is no such training.
    """
    given = query.model_fields_set & RunFilterQuery.model_fields.keys()
    ids = [each for text in query.run for each in text.split(",") if each]
    if len(ids) > most:
        raise InvalidRequest(f"run: {len(ids)} trainings were given; at most {most} are accepted", field="run")
    if ids and given:
        other = min(given)
        raise InvalidRequest(f"give run or filters, not both: run and {other} were given", field=other)
    if ids:
        return [(await ctx.training(run_id, caller)).document for run_id in dict.fromkeys(ids)], False
    if not given:
        example = "run=train_…,train_…, or a filter such as label=key=value"
        raise InvalidRequest(f"name trainings: {example}", field="run")
    filters = query.model_dump(include=set(RunFilterQuery.model_fields))
    listed = RunListQuery.model_construct(**filters, limit=MAX_FOUND, cursor=None, sort="-created_at")
    found, cursor = await list_runs(ctx.services.store, Kind.TRAINING, listed, caller, _STATES)
    return [summary.document for summary in found], cursor is not None
