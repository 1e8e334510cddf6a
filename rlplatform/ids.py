"""Typed, sortable ids: a prefix for the kind, and a UUIDv7 in Crockford base 32 (26 characters)."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from enum import StrEnum

from uuid_utils import uuid7

from rlplatform.errors import InvalidRequest

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_BODY = re.compile(f"[{_ALPHABET}]{{26}}")


class Kind(StrEnum):
    """Kind of thing that an id names."""

    EVALUATION = "eval"
    TRAINING = "train"
    CHECKPOINT = "ckpt"
    POLICY = "pol"
    KEY = "key"
    EVENT = "evt"
    WEBHOOK = "hook"
    FILE = "file"
    EPISODE = "ep"
    STUDY = "study"
    ASSIGNMENT = "asgn"
    WORK = "work"
    SUBMISSION = "sub"
    REGRADE = "regr"
    MEMBER = "mem"
    ENVIRONMENT = "env"
    SESSION = "sess"
    LTI = "lti"


def new_id(kind: Kind) -> str:
    """Return a new id of ``kind``; ids made later sort later (to the millisecond)."""
    return _of(kind, uuid7().int)


def derived_id(kind: Kind, *parts: str, at: datetime | None = None) -> str:
    """Return the id of ``kind`` that belongs to ``parts``: always the same one, and no other's.

    Args:
        at: time that it sorts by; None: it sorts nowhere in particular.
    """
    text = "".join(f"{len(part)}:{part}" for part in parts)
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16])
    return _of(kind, number if at is None else int(at.timestamp() * 1000) << 80 | number & (1 << 80) - 1)


def least_id(kind: Kind, moment: datetime) -> str:
    """Return a bound: ids of ``kind`` made at ``moment`` or later sort after it, earlier ones before it."""
    return _of(kind, max(0, int(moment.timestamp() * 1000)) << 80)


def _of(kind: Kind, number: int) -> str:
    body = "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
    return f"{kind.value}_{body}"


def created_at(text: str) -> datetime:
    """Return the time an id was made, to the millisecond."""
    body = check_id(text).partition("_")[2]
    number = 0
    for character in body:
        number = number << 5 | _ALPHABET.index(character)
    return datetime.fromtimestamp((number >> 80) / 1000, UTC)


def check_id(text: str, *kinds: Kind) -> str:
    """Return ``text`` if it is an id of one of ``kinds`` (any, when none is given).

    Raises:
        InvalidRequest: it is not.
    """
    prefix, _, body = text.partition("_")
    allowed = kinds or tuple(Kind)
    if prefix not in {kind.value for kind in allowed} or not _BODY.fullmatch(body):
        forms = " or ".join(f"{kind.value}_…" for kind in allowed)
        raise InvalidRequest(f"{text[:64]!r} is not an id of the form {forms}", field="id")
    return text


def kind_of(text: str) -> Kind:
    """Return the kind that an id names."""
    return Kind(check_id(text).partition("_")[0])
