"""Index of runs: the small facts that lists filter and sort by, so that no request, result or record is read for it."""

from __future__ import annotations

import heapq
import operator
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import islice
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

    def page(self, entries: Sequence[IndexEntry]) -> list[str]:
        """Return the ids of the wanted runs among ``entries``, sorted, from behind :attr:`after`.

        ``entries`` are sorted by id. Newest first, no more of them are read than it takes to fill the page.

        Raises:
            InvalidRequest: there is no run :attr:`after` any more, and its id alone does not say where it was.
        """
        wanted = self._wanted(entries)
        if self.sort == "created_at":
            return [entry.id for entry in islice(wanted, self.limit)]
        places = [(entry.value(self.sort), entry.id) for entry in wanted]
        known: list[tuple[Any, str]] = [place for place in places if place[0] is not None]
        unknown = [run_id for value, run_id in places if value is None]
        if self.after is not None:
            last = self._value_of(self.after, entries)
            beyond = operator.gt if self.descending else operator.lt
            if last is None:
                known, unknown = [], [run_id for run_id in unknown if beyond(self.after, run_id)]
            else:
                known = [place for place in known if beyond((last, self.after), place)]
        first = heapq.nlargest if self.descending else heapq.nsmallest
        page = [run_id for _, run_id in first(self.limit, known)]
        return page + first(self.limit - len(page), unknown)

    def _wanted(self, entries: Sequence[IndexEntry]) -> Iterator[IndexEntry]:
        """Yield the entries that fulfil every condition, newest first if :attr:`descending`."""
        low = 0 if self.since is None else bisect_left(entries, self.since, key=_id)
        high = len(entries) if self.before is None else bisect_left(entries, self.before, key=_id)
        if self.after is not None and self.sort == "created_at":
            if self.descending:
                high = min(high, bisect_left(entries, self.after, key=_id))
            else:
                low = max(low, bisect_right(entries, self.after, key=_id))
        span = range(high - 1, low - 1, -1) if self.descending else range(low, high)
        wanted: Iterator[IndexEntry] = map(entries.__getitem__, span)
        for condition in self._conditions():
            wanted = filter(condition, wanted)
        return wanted

    def _conditions(self) -> Iterator[Callable[[IndexEntry], bool]]:
        """Yield a test for each condition that is set: most lists set few, and one of them may have many entries."""
        yield lambda entry: entry.kind == self.kind and self.tenant in (None, entry.tenant)
        if self.states:
            yield lambda entry: entry.state in self.states
        if self.submitter is not None:
            yield lambda entry: entry.submitter == self.submitter
        if self.env is not None:
            yield lambda entry: entry.facts.env == self.env
        for key, value in self.labels.items():
            yield partial(_is_labelled, key, value)
        for word in self.words:
            yield partial(_contains, word)

    def _value_of(self, run_id: str, entries: Sequence[IndexEntry]) -> str | float | None:
        entry = _find(entries, run_id)
        if entry is None:
            raise self.gone()
        return entry.value(self.sort)

    def gone(self) -> InvalidRequest:
        """Return the error that says that the run :attr:`after` has been deleted."""
        why = f"the last run of the page before, {self.after}, has been deleted: start from the first page again"
        return InvalidRequest(why, field="cursor")


class MemoryIndex:
    """The entries of runs in memory, sorted by id: of each kind and tenant, and of each kind."""

    def __init__(self) -> None:
        self._entries: defaultdict[tuple[str, str | None], list[IndexEntry]] = defaultdict(list)

    def put(self, entry: IndexEntry) -> None:
        """Add the entry of a run, or replace it."""
        for entries in self._of(entry):
            at = bisect_left(entries, entry.id, key=_id)
            if at < len(entries) and entries[at].id == entry.id:
                entries[at] = entry
            else:
                entries.insert(at, entry)

    def annotate(self, entry: IndexEntry) -> None:
        """Replace what people change in the entry of a run, and leave its facts alone."""
        known = _find(self._entries[entry.kind, None], entry.id)
        self.put(entry if known is None else entry._replace(facts=known.facts))

    def remove(self, entry: IndexEntry) -> None:
        """Remove the entry of a run."""
        for entries in self._of(entry):
            del entries[bisect_left(entries, entry.id, key=_id)]

    def page(self, wanted: RunFilter) -> list[str]:
        """Return the ids of a page of runs."""
        return wanted.page(self._entries.get((wanted.kind, wanted.tenant), []))

    def _of(self, entry: IndexEntry) -> tuple[list[IndexEntry], list[IndexEntry]]:
        return self._entries[entry.kind, entry.tenant], self._entries[entry.kind, None]


_id = operator.attrgetter("id")


def _find(entries: Sequence[IndexEntry], run_id: str) -> IndexEntry | None:
    at = bisect_left(entries, run_id, key=_id)
    return entries[at] if at < len(entries) and entries[at].id == run_id else None


def _is_labelled(key: str, value: str | None, entry: IndexEntry) -> bool:
    labels = entry.annotations.labels
    return key in labels and value in (None, labels[key])


def _contains(word: str, entry: IndexEntry) -> bool:
    return word in entry.text


def sortable_name(annotations: Annotations) -> str | None:
    """Return the name to sort by, in lower case; None if there is none."""
    return annotations.name.casefold() if annotations.name is not None else None


def searched_text(run_id: str, env: str | None, annotations: Annotations) -> str:
    """Return the text that a search looks through, in lower case."""
    labels = " ".join(f"{key}={value}" for key, value in annotations.labels.items())
    return "\n".join([run_id, env or "", annotations.name or "", labels, annotations.notes or ""]).casefold()
