"""Index of runs in Redis: sorted sets to filter by, and fields of each run to search and to sort by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote

from rlplatform.runs.annotations import Annotations
from rlplatform.runs.index import Facts, RunFilter, SortKey, sortable_name
from rlplatform.runs.records import Run

_TEXTS = ("name", "env")


FIELDS = ("state", "text", "name", "env", "score", "env_steps", "finished_at")
"""Hashes of the index, each with a value for every run."""


def fields(run: Run) -> list[str]:
    """Return the names and values of a run's fields, in turn."""
    entry = run.index_entry
    texts = (run.state, entry.text, encoded("name", sortable_name(run.annotations)), encoded("env", entry.facts.env))
    return [item for name, value in zip(FIELDS, (*texts, *facts(run.facts)), strict=True) for item in (name, value)]


def facts(of: Facts) -> list[str]:
    """Return the fields that events change, in the order of the script ``APPEND``."""
    return [encoded("score", of.score), encoded("env_steps", of.env_steps), encoded("finished_at", of.finished_at)]


def encoded(key: SortKey, value: str | float | None) -> str:
    """Return a value to sort by as the scripts compare it; empty for None.

    Texts are hexadecimal, because Lua compares texts by the rules of the server's locale.
    """
    if value is None:
        return ""
    return str(value).encode().hex() if key in _TEXTS else str(value)


def facets(run: Run) -> Iterator[tuple[str, ...]]:
    """Yield what ``run`` is found by, besides its tenant and state."""
    yield "submitter", run.created_by
    if run.facts.env is not None:
        yield "env", run.facts.env
    yield from labels(run.annotations)


def labels(annotations: Annotations) -> Iterator[tuple[str, ...]]:
    """Yield what a run with these labels is found by."""
    for key, value in annotations.labels.items():
        yield "label", key
        yield "label", key, value


def wanted_facets(wanted: RunFilter) -> Iterator[tuple[str, ...]]:
    """Yield the facets that all runs have that are wanted."""
    if wanted.submitter is not None:
        yield "submitter", wanted.submitter
    if wanted.env is not None:
        yield "env", wanted.env
    for key, value in wanted.labels.items():
        yield ("label", key) if value is None else ("label", key, value)


class IndexKeys:
    """Names of the sorted sets.

    Args:
        key: joins the parts of a key.
    """

    def __init__(self, key: Callable[..., str]) -> None:
        self._key = key

    def of_run(self, run: Run) -> list[str]:
        """Return the sets that ``run`` is in."""
        always = [*self.of_state(run, None), *self.of_state(run, run.state)]
        return always + [each for facet in facets(run) for each in self._both(run, facet)]

    def of_state(self, run: Run, state: str | None) -> list[str]:
        """Return the sets of runs in ``state``: of all tenants, and of the tenant of ``run``."""
        return [self.state(run.kind, None, state), self.state(run.kind, run.tenant, state)]

    def of_labels(self, run: Run) -> list[str]:
        """Return the sets that ``run`` is in because of its labels."""
        return [each for facet in labels(run.annotations) for each in self._both(run, facet)]

    def fields(self, kind: str) -> str:
        """Return what the keys of the hashes of a kind begin with."""
        return self._key("fields", kind, "")

    def arguments(self, wanted: RunFilter, read: Sequence[str]) -> list[str | int]:
        """Return the arguments of the script ``FIND``: the filter, and the fields to ``read``."""
        newest = "+" if wanted.before is None else f"({wanted.before}"
        oldest = "-" if wanted.since is None else f"[{wanted.since}"
        return [
            *(newest, oldest, wanted.limit, self._key("run", ""), self.fields(wanted.kind)),
            *(len(set(wanted.states)), len(wanted.words)),
            *wanted.words,
            *(wanted.sort, int(wanted.descending), wanted.after or ""),
            *read,
        ]

    def wanted(self, wanted: RunFilter) -> list[str]:
        """Return the sets for the script ``FIND``: one of each state, and then those of the other conditions."""
        states = [self.state(wanted.kind, wanted.tenant, state) for state in dict.fromkeys(wanted.states)]
        others = [self._facet(wanted.kind, wanted.tenant, facet) for facet in wanted_facets(wanted)]
        return states + (others or [self.state(wanted.kind, wanted.tenant)])

    def state(self, kind: str, tenant: str | None = None, state: str | None = None) -> str:
        return self._key("index", kind, _tenant(tenant), state or "*")

    def _facet(self, kind: str, tenant: str | None, facet: tuple[str, ...]) -> str:
        return self._key("facet", kind, _tenant(tenant), *(quote(part, safe="") for part in facet))

    def _both(self, run: Run, facet: tuple[str, ...]) -> list[str]:
        return [self._facet(run.kind, None, facet), self._facet(run.kind, run.tenant, facet)]


def _tenant(tenant: str | None) -> str:
    return "*" if tenant is None else f"={quote(tenant, safe='')}"
