"""Index of runs: the small facts that lists filter and sort by, so that no request, result or record is read for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypedDict, get_args

from rlplatform.errors import InvalidRequest
from rlplatform.runs.annotations import Annotations

SortKey = Literal["created_at", "finished_at", "name", "env", "state", "score", "env_steps"]
SORT_KEYS: tuple[SortKey, ...] = get_args(SortKey)


class Facts(NamedTuple):
    """Facts of a run that its events determine. ``finished_at`` is in seconds since 1970.

    ``score`` is the score of an evaluation, or the best estimate of a policy's mean return.
    """

    env: str | None = None
    score: float | None = None
    env_steps: float | None = None
    finished_at: float | None = None


class IndexEntry(NamedTuple):
    """Entry of the index. ``text`` is what a text search looks through, in lower case."""

    id: str
    kind: str
    tenant: str
    state: str
    submitter: str
    facts: Facts
    annotations: Annotations
    text: str

    def value(self, key: SortKey) -> str | float | None:
        """Return the value that the run is sorted by; None sorts last."""
        match key:
            case "created_at":
                return self.id
            case "state":
                return self.state
            case "name":
                return sortable_name(self.annotations)
            case "env":
                return self.facts.env
            case "score":
                return self.facts.score
            case "env_steps":
                return self.facts.env_steps
        return self.facts.finished_at


class RunQuery(TypedDict, total=False):
    """Filter of runs, and their order.

    Keys: ``tenant``; ``states``: in one of them; ``before``: created before the run of this id; ``limit``: 50 by
    default; ``submitter``; ``env``; ``labels``: all of them, with None for any value; ``since``: created as the run of
    this id, or later; ``text``: all of its words, anywhere in id, name, labels, notes or environment; ``sort`` and
    ``descending``: newest first by default; ``after``: id of the last run of the page before.
    """

    tenant: str | None
    states: Sequence[str]
    before: str | None
    limit: int
    submitter: str | None
    env: str | None
    labels: Mapping[str, str | None]
    since: str | None
    text: str | None
    sort: SortKey
    descending: bool
    after: str | None


@dataclass(frozen=True, kw_only=True)
class RunFilter:
    """A :class:`RunQuery` with its defaults."""

    kind: str
    tenant: str | None = None
    states: Sequence[str] = ()
    before: str | None = None
    limit: int = 50
    submitter: str | None = None
    env: str | None = None
    labels: Mapping[str, str | None] = field(default_factory=dict)
    since: str | None = None
    text: str | None = None
    sort: SortKey = "created_at"
    descending: bool = True
    after: str | None = None

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise InvalidRequest(f"limit must be at least 1, not {self.limit}", field="limit")

    @cached_property
    def words(self) -> list[str]:
        """Words of the text search, in lower case."""
        return (self.text or "").casefold().split()

    def matches(self, entry: IndexEntry) -> bool:
        """Return True if the run of ``entry`` is wanted; :attr:`after` is not looked at."""
        labels = entry.annotations.labels
        return (
            entry.kind == self.kind
            and self.tenant in (None, entry.tenant)
            and (not self.states or entry.state in self.states)
            and (self.before is None or entry.id < self.before)
            and (self.since is None or entry.id >= self.since)
            and self.submitter in (None, entry.submitter)
            and self.env in (None, entry.facts.env)
            and all(key in labels and value in (None, labels[key]) for key, value in self.labels.items())
            and all(word in entry.text for word in self.words)
        )

    def page(self, entries: Mapping[str, IndexEntry]) -> list[str]:
        """Return the ids of the wanted runs among ``entries``, sorted, from behind :attr:`after`.

        Raises:
            InvalidRequest: there is no run :attr:`after` any more, and its id alone does not say where it was.
        """
        places = [self._place(entry) for entry in entries.values() if self.matches(entry)]
        if self.after is not None:
            if self.sort == "created_at":
                last: tuple[Any, ...] = (True, self.after, self.after)
            elif self.after in entries:
                last = self._place(entries[self.after])
            else:
                raise self.gone()
            places = [place for place in places if self._follows(place, last)]
        known = sorted((place for place in places if place[0]), reverse=self.descending)
        unknown = sorted((place for place in places if not place[0]), reverse=self.descending)
        return [run_id for *_, run_id in [*known, *unknown][: self.limit]]

    def gone(self) -> InvalidRequest:
        """Return the error that says that the run :attr:`after` has been deleted."""
        why = f"the last run of the page before, {self.after}, has been deleted: start from the first page again"
        return InvalidRequest(why, field="cursor")

    def _place(self, entry: IndexEntry) -> tuple[Any, ...]:
        value = entry.value(self.sort)
        return (False, entry.id) if value is None else (True, value, entry.id)

    def _follows(self, place: tuple[Any, ...], last: tuple[Any, ...]) -> bool:
        if place[0] != last[0]:
            return not place[0]
        return place < last if self.descending else place > last


def sortable_name(annotations: Annotations) -> str | None:
    """Return the name to sort by, in lower case; None if there is none."""
    return annotations.name.casefold() if annotations.name is not None else None


def searched_text(run_id: str, env: str | None, annotations: Annotations) -> str:
    """Return the text that a search looks through, in lower case."""
    labels = " ".join(f"{key}={value}" for key, value in annotations.labels.items())
    return "\n".join([run_id, env or "", annotations.name or "", labels, annotations.notes or ""]).casefold()
