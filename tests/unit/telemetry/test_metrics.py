"""Events and states become the measurements that dashboard and alerts ask for."""

import asyncio
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from actors.store.metered import MeteredStore
from rlplatform.evaluation.events import EvaluationFailed, EvaluationFinished, EvaluationRetried, EvaluationStarted
from rlplatform.evaluation.models import Verdict
from rlplatform.health import PlatformStatus
from rlplatform.ids import Kind, created_at, new_id
from rlplatform.load import PlatformLoad, StoreLoad, TenantLoad
from rlplatform.runs.events import Event, stream_of
from rlplatform.sandbox.models import PoolStatus, Tier
from rlplatform.telemetry.metrics import COUNTERS, GAUGES, HISTOGRAMS, MOST_TENANTS, OTHER_TENANTS, Telemetry
from rlplatform.training.events import (
    TrainingFailed,
    TrainingInterrupted,
    TrainingIterationCompleted,
    TrainingRecovered,
)
from rlplatform.training.models import Progress, TrainingState

README = Path(__file__).parents[3] / "cluster" / "observability" / "README.md"


class Readings:
    """A meter that keeps everything, and refuses what is in no table."""

    def __init__(self) -> None:
        self.counted: dict[tuple[str, ...], float] = defaultdict(float)
        self.gauges: dict[tuple[str, ...], float] = {}
        self.observed: dict[str, list[float]] = defaultdict(list)

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        assert tuple(labels) == COUNTERS[name]
        self.counted[name, *labels.values()] += amount

    def set(self, name: str, value: float, **labels: str) -> None:
        assert tuple(labels) == GAUGES[name]
        self.gauges[name, *labels.values()] = value

    def observe(self, name: str, value: float) -> None:
        assert name in HISTOGRAMS
        self.observed[name].append(value)


@pytest.fixture
def readings() -> Readings:
    return Readings()


@pytest.fixture
def telemetry(readings: Readings) -> Telemetry:
    return Telemetry(readings)


NOW = datetime.now(UTC)
TRAINING = {"stream": stream_of(new_id(Kind.TRAINING)), "time": NOW}


def iteration(env_steps: int, wall_s: float) -> TrainingIterationCompleted:
    return TrainingIterationCompleted(
        **TRAINING, iteration=1, env_steps=env_steps, episodes=0, train_wall_s=wall_s, metrics={}
    )


def test_the_tables_are_those_of_the_operators_page() -> None:
    written: dict[str, dict[str, bool]] = {"counter": {}, "gauge": {}, "histogram": {}}
    for line in README.read_text().splitlines():
        if line.startswith("| `"):
            names, kind, labels = line.split("|")[1:4]
            written[kind.strip()] |= dict.fromkeys(re.findall(r"`(\w+)`", names), bool(labels.strip()))
    assert written["counter"] == {name: bool(labels) for name, labels in COUNTERS.items()}
    assert written["gauge"] == {name: bool(labels) for name, labels in GAUGES.items()}
    assert set(written["histogram"]) == set(HISTOGRAMS)


def test_an_evaluation(telemetry: Telemetry, readings: Readings) -> None:
    run = new_id(Kind.EVALUATION)
    submitted = created_at(run)
    stream = stream_of(run)

    def after(seconds: float) -> datetime:
        return submitted + timedelta(seconds=seconds)

    telemetry.events(
        [
            EvaluationStarted(stream=stream, time=after(2), attempt=1),
            EvaluationRetried(stream=stream, time=after(3), attempt=1, reason="lost"),
            EvaluationStarted(stream=stream, time=after(4), attempt=2),
            EvaluationFinished(
                stream=stream, time=after(5), verdict=Verdict.WRONG_ANSWER, score=0, max_score=1, tests=[]
            ),
        ]
    )
    assert readings.observed == {"rlp_evaluation_wait_seconds": [2.0], "rlp_evaluation_seconds": [5.0]}
    assert readings.counted == {("rlp_evaluation_retries",): 1, ("rlp_evaluations_finished", "wrong_answer"): 1}


def test_an_evaluation_that_we_failed_to_do(telemetry: Telemetry, readings: Readings) -> None:
    telemetry.events([EvaluationFailed(stream=stream_of(new_id(Kind.EVALUATION)), time=NOW, reason="no")])
    assert readings.counted == {("rlp_evaluations_finished", "internal_error"): 1}


def test_steps_are_counted_from_lifetime_counters(telemetry: Telemetry, readings: Readings) -> None:
    telemetry.events([iteration(1000, 1.0), iteration(1500, 1.25), iteration(2100, 1.75)])
    assert readings.counted == {("rlp_training_env_steps", "rllib"): 1100}
    assert readings.observed == {"rlp_training_iteration_seconds": [0.25, 0.5]}


def test_what_is_done_again_after_a_recovery_counts_again(telemetry: Telemetry, readings: Readings) -> None:
    recovered = TrainingRecovered(
        **TRAINING, checkpoint_id=None, iteration=0, env_steps=0, redone_iterations=2, redone_env_steps=1000
    )
    telemetry.events([iteration(500, 1), iteration(1000, 2), recovered, iteration(500, 3), iteration(1000, 4)])
    assert readings.counted == {("rlp_training_env_steps", "rllib"): 1000}


def test_a_planned_interruption_is_none(telemetry: Telemetry, readings: Readings) -> None:
    for planned in (True, False):
        telemetry.events([TrainingInterrupted(**TRAINING, reason="r", retry_in_s=1, planned=planned)])
    telemetry.events([TrainingFailed(**TRAINING, code="engine_error", reason="r", progress=Progress())])
    assert readings.counted == {("rlp_training_interruptions",): 1, ("rlp_trainings_finished", "failed"): 1}


def test_states_that_nothing_is_in_are_zero(telemetry: Telemetry, readings: Readings) -> None:
    running = TrainingState.RUNNING
    telemetry.supervisor(PlatformStatus((), queued_evaluations=3, running_evaluations=2), [running, running])
    assert readings.gauges["rlp_evaluations_queued",] == 3
    assert readings.gauges["rlp_evaluations_running",] == 2
    assert {key[1]: value for key, value in readings.gauges.items() if key[0] == "rlp_trainings"} == {
        "queued": 0,
        "starting": 0,
        "running": 2,
        "paused": 0,
        "interrupted": 0,
    }


@pytest.mark.parametrize(("available", "capacity"), [(True, 4), (False, 0)])
def test_a_node_without_a_pool_has_no_sandboxes(
    telemetry: Telemetry, readings: Readings, available: bool, capacity: int
) -> None:
    telemetry.pool(PoolStatus(available=available, tier=Tier.SINGLE_USE, warm=1, in_use=2, capacity=4))
    assert readings.gauges["rlp_sandboxes", "capacity"] == capacity


async def _lines(*_: object, **__: object) -> list[object]:
    return []


async def _broken(*_: object, **__: object) -> list[object]:
    raise ValueError("refused")


def test_only_what_was_recorded_counts(telemetry: Telemetry, readings: Readings) -> None:
    event: Event = EvaluationFailed(stream=stream_of(new_id(Kind.EVALUATION)), time=NOW, reason="no")
    with pytest.raises(ValueError, match="refused"):
        asyncio.run(MeteredStore(_broken, telemetry).append(event.stream, [event]))
    assert not readings.counted
    asyncio.run(MeteredStore(_lines, telemetry).append(event.stream, [event]))
    assert readings.counted == {("rlp_evaluations_finished", "internal_error"): 1}


def test_the_load_becomes_gauges_with_a_bounded_number_of_tenants(telemetry: Telemetry, readings: Readings) -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    tenants = [TenantLoad(tenant=f"t{number}", queued_evaluations=2, running_trainings=1) for number in range(60)]
    load = PlatformLoad(
        at=now,
        tenants=tenants,
        oldest_queued_s=70,
        store=StoreLoad(kind="redis", used_bytes=10, max_bytes=None),
        webhooks_waiting=3,
        last_backup_at=now - timedelta(hours=1),
    )
    telemetry.load(load)
    assert readings.gauges["rlp_queue_oldest_seconds",] == 70
    assert readings.gauges["rlp_webhooks_waiting",] == 3
    assert readings.gauges["rlp_backup_age_seconds",] == 3600
    assert readings.gauges["rlp_store_bytes", "used"] == 10
    assert ("rlp_store_bytes", "max") not in readings.gauges
    evaluations = {labels[1]: value for labels, value in readings.gauges.items() if "tenant_evaluations" in labels[0]}
    assert len(evaluations) == MOST_TENANTS + 1
    assert (evaluations["t0"], evaluations[OTHER_TENANTS]) == (2, 20)
    telemetry.load(load.model_copy(update={"tenants": []}))
    assert readings.gauges["rlp_tenant_evaluations", "t0"] == 0, "a tenant without work is not left at its last value"
