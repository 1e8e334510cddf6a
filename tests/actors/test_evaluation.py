"""Evaluations on a real evaluator in real containers: whatever dies, each is recorded once and nothing is left."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from actors import options
from rlplatform.errors import PlatformError
from rlplatform.evaluation.graders.registry import TestCase
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.sandbox.docker_engine import STATE_LABEL
from rlplatform.sandbox.models import Limits
from rlplatform.settings import Settings
from tests.actors.conftest import PRINCIPAL, Stage, eventually, names
from tests.conftest import MakePool

pytestmark = [pytest.mark.ray, pytest.mark.docker, pytest.mark.anyio]

RESOURCES = {options.SANDBOX_RESOURCE: 1}
QUICK = "print(int(input()) * 2)"
SLOW = "import time\ntime.sleep(1.0)\nprint(int(input()) * 2)"


@pytest.fixture(scope="module")
def settings(settings: Settings, make_pool: MakePool) -> Iterator[Settings]:
    """With a sandbox, of which nothing is left when all actors are gone."""
    make_pool("probe").close()  # gives up where there is no engine or image
    with tempfile.TemporaryDirectory(prefix="rlp-") as name:  # short: sockets go there
        folder = Path(name)
        folder.chmod(0o711)
        changed = settings.sandbox.model_copy(update={"state_dir": folder, "warm": 1, "slots": 2})
        yield settings.model_copy(update={"sandbox": changed})
        deadline = time.monotonic() + 30
        while containers(folder) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert not containers(folder)


def containers(folder: Path) -> list[str]:
    """The containers, dead or alive, of the pools that live in ``folder``."""
    client = docker.from_env()
    try:
        found = client.containers.list(all=True, ignore_removed=True, filters={"label": f"{STATE_LABEL}={folder}"})
        return [container.name for container in found]
    finally:
        client.close()


async def ready(stage: Stage) -> None:
    async def check() -> bool:
        try:
            status = await stage.commands.status()
        except PlatformError:
            return False
        return all(dependency.ok for dependency in status.dependencies)

    await eventually(check, 60)


async def submit(stage: Stage, source: str = QUICK, tests: int = 1) -> EvaluationRun:
    cases = [TestCase(id=f"t{n}", stdin=f"{n}\n", expected_stdout=f"{2 * n}\n") for n in range(tests)]
    request = EvaluationRequest(source=source, tests=cases, limits=Limits(wall_time_s=10))
    run, _ = await stage.commands.submit_evaluation(request, PRINCIPAL)
    return run


async def final(stage: Stage, run: EvaluationRun, timeout_s: float = 60) -> EvaluationRun:
    found: EvaluationRun = run

    async def check() -> bool:
        nonlocal found
        try:
            found = await stage.store.get(run.id)
        except PlatformError:
            return False
        return found.final

    try:
        await eventually(check, timeout_s)
    except AssertionError:
        raise AssertionError(f"not final within {timeout_s:g} s: {await history(stage, run)}") from None
    return found


async def history(stage: Stage, run: EvaluationRun) -> list[dict]:
    events = [json.loads(line.data) for line in await stage.store.read(run.stream)]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    return events


def evaluator() -> str:
    (name,) = [name for name in names() if name.startswith(options.EVALUATOR_PREFIX)]
    return name


async def judged_once(stage: Stage, runs: list[EvaluationRun]) -> None:
    for run in runs:
        assert ((await final(stage, run)).document.verdict) == "accepted"
        types = Counter(event["type"] for event in await history(stage, run))
        assert types["evaluation.finished"] == 1
        assert 1 <= types["evaluation.started"] <= 3


async def test_a_submission_is_judged_in_a_container(stage: Stage) -> None:
    await ready(stage)
    run = await final(stage, await submit(stage, tests=3))
    assert (run.document.verdict, run.document.score) == ("accepted", 3.0)
    assert run.document.sandbox is not None
    assert run.document.sandbox.image_digest
    types = [event["type"].removeprefix("evaluation.") for event in await history(stage, run)]
    assert types == ["queued", "started", "test_finished", "test_finished", "test_finished", "finished"]


async def test_a_running_one_is_cancelled_at_once(stage: Stage) -> None:
    await ready(stage)
    run = await submit(stage, "import time\ntime.sleep(9)")

    async def running() -> bool:
        return (await stage.store.get(run.id)).state == "running"

    await eventually(running)
    began = time.monotonic()
    cancelled = await stage.commands.cancel_evaluation(run.id, PRINCIPAL)
    assert cancelled.state == "cancelled"
    assert time.monotonic() - began < 5
    await judged_once(stage, [await submit(stage)])


async def test_the_evaluator_is_killed(stage: Stage) -> None:
    await ready(stage)
    runs = [await submit(stage, SLOW) for _ in range(6)]
    await asyncio.sleep(0.5)
    await stage.kill(evaluator())
    for _ in range(20):  # one that comes meanwhile waits for the next evaluator
        runs.append(await submit(stage))
        await asyncio.sleep(0.1)
    await judged_once(stage, runs)
    retried = [e for run in runs for e in await history(stage, run) if e["type"] == "evaluation.retried"]
    assert 1 <= len(retried) <= 2, "only what was being evaluated is done again"


async def test_the_supervisor_is_killed(stage: Stage) -> None:
    await ready(stage)
    runs = [await submit(stage, SLOW) for _ in range(6)]
    await asyncio.sleep(0.5)
    await stage.kill("supervisor")
    await judged_once(stage, runs)
    types = {event["type"] for run in runs for event in await history(stage, run)}
    assert "evaluation.retried" not in types, "the evaluator went on with what it had"


async def test_the_store_server_is_killed(stage: Stage) -> None:
    await ready(stage)
    runs = [await submit(stage, SLOW) for _ in range(4)]
    await asyncio.sleep(0.5)
    await stage.kill("store_server")
    await judged_once(stage, runs)


async def test_a_drain_leaves_no_container_and_what_waits_is_done_after_the_next_start(stage: Stage) -> None:
    await ready(stage)
    runs = [await submit(stage, SLOW) for _ in range(5)]
    await asyncio.sleep(0.5)
    assert containers(stage.settings.sandbox.state_dir)
    await stage.commands.drain()
    assert not containers(stage.settings.sandbox.state_dir)
    with pytest.raises(PlatformError, match="shutting down"):
        await submit(stage)
    await stage.kill("supervisor")  # it comes back, as a new platform would
    await judged_once(stage, runs)
