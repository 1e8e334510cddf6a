"""Lines of the logs: JSON, with the ids of the work, without secrets."""

from __future__ import annotations

import asyncio
import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from actors.rpc.serialization import pack, perform, unpack
from rlplatform.settings import AccessSettings, LogSettings, Settings, StoreSettings
from rlplatform.telemetry import log_context, logs
from rlplatform.telemetry.scrubbing import HIDDEN

LOG = logging.getLogger("rlplatform.tested")
PEPPER = "f00dfeed" * 8
KEY = "rlp_01jd2rkz4m5q6r7s8t9v0w1x2y_" + "aB3-" * 10 + "xyz"


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, as it was before at the end."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)


def settings(folder: Path, **log: object) -> Settings:
    return Settings(
        state_dir=folder,
        logs=LogSettings.model_validate({"format": "json", **log}),
        access=AccessSettings(pepper=SecretStr(PEPPER)),
        store=StoreSettings(url="redis://:hunter2hunter2@redis:6379/1"),
    )


def lines(folder: Path, process: str = "supervisor") -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "logs" / f"{process}.jsonl").read_text().splitlines()]


def test_a_line_has_time_level_process_and_the_ids_of_the_work(root: logging.Logger, tmp_path: Path) -> None:
    logs.configure(settings(tmp_path), "supervisor")
    logs.configure(settings(tmp_path), "supervisor")
    with log_context.bound({"request": "r-1", "trace": "a" * 32, "tenant": ""}):
        LOG.info("%s is admitted", "eval_1", extra={"run": "eval_1", "fields": {"position": 3}})
    (line,) = lines(tmp_path)
    assert (
        line
        | {
            "level": "info",
            "process": "supervisor",
            "logger": "rlplatform.tested",
            "message": "eval_1 is admitted",
            "request": "r-1",
            "trace": "a" * 32,
            "run": "eval_1",
            "position": 3,
        }
        == line
    )
    assert "tenant" not in line
    assert str(line["time"]).endswith("Z")
    assert stat.S_IMODE((tmp_path / "logs" / "supervisor.jsonl").stat().st_mode) == 0o600


def test_an_exception_is_one_line_with_its_traceback(root: logging.Logger, tmp_path: Path) -> None:
    logs.configure(settings(tmp_path), "supervisor")
    try:
        raise ValueError("two\nlines")
    except ValueError:
        LOG.exception("it broke")
    (line,) = lines(tmp_path)
    assert line["message"] == "it broke"
    assert str(line["exception"]).endswith("ValueError: two\nlines")


def test_the_plain_format_changes_nothing(root: logging.Logger, tmp_path: Path) -> None:
    before = root.handlers[:]
    logs.configure(settings(tmp_path, format="plain"), "supervisor")
    assert (root.handlers, list(tmp_path.iterdir())) == (before, [])


def test_a_level_leaves_out_what_is_below_it(root: logging.Logger, tmp_path: Path) -> None:
    logs.configure(settings(tmp_path, level="WARNING"), "supervisor")
    LOG.info("left out")
    LOG.warning("kept")
    assert [line["message"] for line in lines(tmp_path)] == ["kept"]


@pytest.mark.parametrize(
    "secret",
    [
        PEPPER,
        "hunter2hunter2",
        KEY,
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJlc2lnbmF0dXJl",
    ],
)
def test_no_line_has_a_secret(root: logging.Logger, tmp_path: Path, secret: str) -> None:
    logs.configure(settings(tmp_path), "supervisor")
    LOG.warning("sent %s to %r", secret, {"Authorization": f"Bearer {secret}"})
    LOG.warning("redis://user:%s@host:1/0 does not answer", secret, extra={"run": secret})
    try:
        raise RuntimeError(f"the key is {secret}")
    except RuntimeError:
        LOG.exception("failed with %s", secret)
    text = (tmp_path / "logs" / "supervisor.jsonl").read_text()
    assert text.count("\n") == 3
    assert secret not in text
    assert HIDDEN in text


class Plain:
    async def ids(self) -> dict[str, str]:
        await asyncio.sleep(0)
        return dict(log_context.current())


def test_ids_go_to_the_actor_that_is_called_and_stay_there() -> None:
    async def scenario() -> None:
        with log_context.bound({"request": "r-2", "trace": "b" * 32}):
            packed = pack((), {})
        assert unpack(await perform(Plain(), "ids", packed)) == {"request": "r-2", "trace": "b" * 32}
        assert log_context.current() == {}

    asyncio.run(scenario())


def test_a_run_has_the_ids_of_the_request_that_made_it_whoever_starts_it() -> None:
    async def scenario() -> None:
        with log_context.bound({"request": "first", "trace": "c" * 32}):
            log_context.remember("eval_9")
        with log_context.bound({"request": "second", "tenant": "other"}):
            ids = await asyncio.create_task(log_context.around(log_context.of_run("eval_9", "acme"), Plain().ids()))
        assert ids == {"request": "first", "trace": "c" * 32, "run": "eval_9", "tenant": "acme"}
        assert log_context.of_run("eval_unknown", "acme") == {"run": "eval_unknown", "tenant": "acme"}

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        (f"00-{'d' * 32}-{'e' * 16}-01", True),
        (f"00-{'0' * 32}-{'e' * 16}-01", False),
        ("nonsense", False),
        (None, False),
    ],
)
def test_a_trace_is_continued_or_begun(header: str | None, kept: bool) -> None:
    trace = log_context.trace_of(header)
    assert (trace == "d" * 32) == kept
    assert len(trace) == 32
