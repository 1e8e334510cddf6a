"""Short ids: the beginning or the end of an id, as lists and pages show it, stands for the id that has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from rlplatform.client import Client
from rlplatform.errors import InvalidRequest, NotFound
from rlplatform.ids import Kind, check_id

LEAST = 4
SHOWN = 8
SEARCHED = 2000
"""Newest things that are looked at for a short id. Runs are searched by the server, all of them."""


def full_id(client: Client, text: str, *kinds: Kind) -> str:
    """The id that ``text`` stands for: itself, or the only one of ``kinds`` that begins or ends with it.

    The prefix (``train_``) may be left out of a beginning, and ``…`` may stand for what is left out.

    Raises:
        InvalidRequest: it is too short, or several ids have it.
        NotFound: no id has it.
    """
    try:
        return check_id(text, *kinds)
    except InvalidRequest as refusal:
        part = text.strip().strip("….")
        prefix, _, body = part.rpartition("_")
        other = prefix and prefix not in {kind.value for kind in kinds}
        if other or len(body) < LEAST or not body.isalnum() or len(part) > 32:
            forms = " or ".join(f"{kind.value}_…" for kind in kinds)
            raise InvalidRequest(
                f"{text[:64]!r} is no id of the form {forms}, nor its beginning or end of {LEAST} characters or more",
                field="id",
            ) from refusal
    listed = (known for kind in kinds for known in islice(_LISTS[kind](client, body), SEARCHED))
    found = {known for known in listed if _has(known, prefix, body)}
    if not found:
        what = " or ".join(_NAMES[kind] for kind in kinds)
        raise NotFound(f"no {what} has an id that begins or ends with {part!r}")
    if len(found) > 1:
        some = ", ".join(sorted(found)[:5])
        raise InvalidRequest(f"{len(found)} ids begin or end with {part!r}: {some}; give more characters", field="id")
    return found.pop()


def shortened(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return ``rows`` with ids cut to their end: as many characters as tell them apart, which :func:`full_id` takes."""
    ids = {cell for row in rows for cell in row if _WHOLE.fullmatch(cell)}
    size = SHOWN
    while size < 26 and len({known[-size:] for known in ids}) < len(ids):
        size += 1
    return [[f"…{cell[-size:]}" if cell in ids else cell for cell in row] for row in rows]


def _has(known: str, prefix: str, body: str) -> bool:
    kind, _, whole = known.partition("_")
    return prefix in ("", kind) and (whole.startswith(body) or (not prefix and whole.endswith(body)))


def _checkpoints(client: Client, _body: str) -> Iterator[str]:
    for training in client.trainings(page_size=200):
        if training.checkpoint is not None:
            yield from (info.id for info in client.checkpoints(training.id))


def _episodes(client: Client, _body: str) -> Iterator[str]:
    for training in client.trainings(page_size=200):
        yield from (info.id for info in client.episodes(training.id))


def _of(rows: Iterable[object]) -> Iterator[str]:
    return (str(getattr(row, "id")) for row in rows)  # noqa: B009


_LISTS: dict[Kind, Callable[[Client, str], Iterator[str]]] = {
    Kind.TRAINING: lambda client, body: _of(client.trainings(page_size=200, search=body)),
    Kind.EVALUATION: lambda client, body: _of(client.evaluations(page_size=200, search=body)),
    Kind.STUDY: lambda client, _body: _of(client.studies(page_size=200)),
    Kind.CHECKPOINT: _checkpoints,
    Kind.POLICY: lambda client, _body: _of(client.policies()),
    Kind.EPISODE: _episodes,
    Kind.FILE: lambda client, _body: _of(client.files(page_size=200)),
    Kind.KEY: lambda client, _body: _of(client.keys()),
    Kind.ENVIRONMENT: lambda client, _body: _of(client.uploaded_environments()),
    Kind.WEBHOOK: lambda client, _body: _of(client.webhooks()),
}
_NAMES = {
    Kind.TRAINING: "training",
    Kind.STUDY: "study",
    Kind.EVALUATION: "evaluation",
    Kind.CHECKPOINT: "checkpoint",
    Kind.POLICY: "policy",
    Kind.EPISODE: "episode",
    Kind.FILE: "file",
    Kind.KEY: "key",
    Kind.ENVIRONMENT: "uploaded environment",
    Kind.WEBHOOK: "webhook",
}
_WHOLE = re.compile(f"({'|'.join(kind.value for kind in _LISTS)})_[0-9a-z]{{26}}")
