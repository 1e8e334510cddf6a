"""People behind the ids of those who submitted runs, for staff, who see the runs of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rlplatform.access.principals import Principal, Scope
from rlplatform.client import Client
from rlplatform.runs.annotations import RunDocument

SHOWN = 8
"""Characters of an id without a name."""


def submitters(client: Client, runs: Sequence[RunDocument]) -> Callable[[RunDocument], str] | None:
    """Return a function that names the submitter of a run; None if all of ``runs`` are the caller's own.

    A submitter is ``you``, the name of a course member or of an API key, or the end of an id.
    """
    if not runs:
        return None
    who = client.whoami()
    if all(run.submitter == who.id for run in runs):
        return None
    caller = Principal(id=who.id, tenant=who.tenant, scopes=frozenset(who.scopes))
    names: dict[str, str] = {}
    if caller.has(Scope.ADMIN):
        keys = client.keys()
        names |= {key.owner or key.id: key.name for key in keys}
    if caller.has(Scope.READ):
        names |= {member.id: member.name or member.external_id for member in client.members()}
    names[who.id] = "you"
    return lambda run: names.get(run.submitter or "", f"…{(run.submitter or '')[-SHOWN:]}")
