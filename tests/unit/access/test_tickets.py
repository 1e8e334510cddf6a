"""Tickets and resumptions: who can make one, and how long it is good."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from pydantic import SecretStr

from rlplatform.access.principals import Principal, Scope
from rlplatform.access.tickets import RESUMABLE_S, Tickets
from rlplatform.errors import NotAuthenticated

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADA = Principal(id="key_x", tenant="school", scopes=frozenset({Scope.READ}))
STREAM = "trainings/train_x"


@pytest.fixture
def tickets() -> Tickets:
    return Tickets(SecretStr("pepper"), 60)


def header(text: str) -> dict[str, Any]:
    return jwt.get_unverified_header(text.removeprefix("rlt_"))


def said(text: str) -> dict[str, Any]:
    return dict(jwt.decode(text.removeprefix("rlt_"), options={"verify_signature": False}))


def test_a_ticket_is_read_as_it_was_issued(tickets: Tickets) -> None:
    ends_at = NOW + timedelta(seconds=30, microseconds=1)
    claims, text = tickets.issue(ADA, NOW, STREAM, key="key_x", ends_at=ends_at)
    assert tickets.read(text, NOW) == claims
    assert claims.expires_at == ends_at, "it ends with the token that it was made with"
    assert text.startswith("rlt_")


def test_a_ticket_is_good_for_its_life_to_the_microsecond(tickets: Tickets) -> None:
    claims, text = tickets.issue(ADA, NOW)
    end = NOW + timedelta(seconds=60)
    assert claims.expires_at == end
    tickets.read(text, end - timedelta(microseconds=1))
    with pytest.raises(NotAuthenticated, match="expired"):
        tickets.read(text, end)
    assert tickets.read(text, end, used=True) == claims


def test_a_ticket_cannot_be_changed(tickets: Tickets) -> None:
    _, text = tickets.issue(ADA, NOW)
    for position in range(len("rlt_"), len(text) - 1):
        changed = text[:position] + ("A" if text[position] != "A" else "B") + text[position + 1 :]
        with pytest.raises(NotAuthenticated):
            tickets.read(changed, NOW)
    for nonsense in (
        "",
        "rlt_",
        "rlt_é",
        "rlt_" + "A" * 100,
        "rlt_..",
        "rlt_a.b.c",
        text[:-4],
        text[4:],
        "rlt_" + text,
    ):
        with pytest.raises(NotAuthenticated):
            tickets.read(nonsense, NOW)
    with pytest.raises(NotAuthenticated):
        Tickets(SecretStr("another"), 60).read(text, NOW)


@pytest.mark.parametrize(
    "odd", [b"[" * 100_000, b"[]", b"1", b'{"alg":[]}', b'{"alg":{}}', b'{"alg":"HS256","crit":1}']
)
def test_an_odd_header_is_refused(tickets: Tickets, odd: bytes) -> None:
    _, text = tickets.issue(ADA, NOW)
    coded = base64.urlsafe_b64encode(odd).rstrip(b"=").decode()
    with pytest.raises(NotAuthenticated, match="the ticket is not valid"):
        tickets.read("rlt_" + coded + text[text.index(".") :], NOW)


@pytest.mark.parametrize(("key", "algorithm"), [("pepper", "HS256"), ("jwt:ticket", "HS256"), (None, "none")])
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_ticket_that_another_key_or_algorithm_signed_is_refused(
    tickets: Tickets, key: str | None, algorithm: str
) -> None:
    _, text = tickets.issue(ADA, NOW)
    with pytest.raises(NotAuthenticated):
        tickets.read("rlt_" + jwt.encode(said(text), key, algorithm=algorithm), NOW)


def test_a_ticket_and_a_resumption_do_not_stand_for_each_other(tickets: Tickets) -> None:
    _, text = tickets.issue(ADA, NOW, STREAM)
    resumption = tickets.resumption(ADA, STREAM, NOW)
    with pytest.raises(NotAuthenticated):
        tickets.read("rlt_" + resumption, NOW)
    assert not tickets.resumes(text.removeprefix("rlt_"), text, STREAM, NOW)
    assert {(said(each)["iss"], header(each)["alg"]) for each in (text, resumption)} == {("rlplatform", "HS256")}
    assert (said(text)["aud"], said(resumption)["aud"]) == ("ticket", "resumption")


def test_a_resumption_opens_its_principals_stream_again_for_a_day(tickets: Tickets) -> None:
    _, text = tickets.issue(ADA, NOW, STREAM)
    _, bens = tickets.issue(ADA.model_copy(update={"id": "key_y"}), NOW, STREAM)
    resumption = tickets.resumption(ADA, STREAM, NOW)
    later = NOW + timedelta(seconds=RESUMABLE_S)
    assert tickets.resumes(resumption, text, STREAM, later - timedelta(microseconds=1))
    assert not tickets.resumes(resumption, text, STREAM, later)
    assert not tickets.resumes(resumption, text, "trainings/train_y", NOW)
    assert not tickets.resumes(resumption, bens, STREAM, NOW)
    assert not tickets.resumes("", text, STREAM, NOW)


def test_a_ticket_tells_no_secret(tickets: Tickets) -> None:
    _, text = tickets.issue(ADA, NOW)
    assert "pepper" not in json.dumps([header(text), said(text)])
