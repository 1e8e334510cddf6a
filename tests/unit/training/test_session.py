"""The session's state machine, turn by turn and under a thread of its own."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rlplatform.errors import CapacityExhausted, CheckpointError, EngineError, Fenced, StorageError
from rlplatform.ids import Kind, new_id
from rlplatform.run_kinds import FINAL_TYPES, parse_event
from rlplatform.runs.events import Event
from rlplatform.testing import samples
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.engines import ScriptedEngine
from rlplatform.testing.episodes import local_episodes
from rlplatform.training.evaluation_records import is_recorded
from rlplatform.training.events import (
    TrainingCheckpointSaved,
    TrainingEvaluated,
    TrainingEvaluationCutShort,
    TrainingFailed,
    TrainingInterrupted,
    TrainingIterationCompleted,
    TrainingProgressed,
    TrainingRecovered,
    TrainingStarting,
    TrainingStopped,
    TrainingSucceeded,
)
from rlplatform.training.models import EvaluationReport, Progress, Training, TrainingRequest, TrainingState
from rlplatform.training.policy_evaluation import evaluate_policy
from rlplatform.training.record import TrainingRun
from rlplatform.training.session import TrainingSession
from rlplatform.training.stop_criteria import MIN_EPISODES


class Rig:
    """A session with its surroundings; ``log`` is what was emitted."""

    def __init__(self, folder: Path, run_id: str | None = None, **changes: Any) -> None:
        fields = {"env": "CartPole-v1", "stop": {"iterations": 5}, "checkpoint": {"every_iterations": 0}}
        self.request = TrainingRequest.model_validate(fields | changes)
        self.run_id = run_id or new_id(Kind.TRAINING)
        self.clock = FakeClock()
        self.checkpoints = MemoryCheckpoints()
        self.scratch = folder / "scratch"
        self.log: list[Event] = []

    def session(
        self, engine: ScriptedEngine, emit: Callable[[Event], None] | None = None, **given: Any
    ) -> TrainingSession:
        return TrainingSession(
            self.run_id, self.request, engine, self.checkpoints, self.clock, self.scratch, emit or self.log.append,
            manifest={"seed": 0}, **given,
        )  # fmt: skip

    def types(self) -> list[str]:
        return [event.type.removeprefix("training.") for event in self.log]  # type: ignore[attr-defined]


@pytest.fixture
def rig(tmp_path: Path) -> Callable[..., Rig]:
    return lambda **changes: Rig(tmp_path, **changes)


def test_trains_to_the_end_with_a_last_evaluation_and_checkpoint(rig: Callable[..., Rig]) -> None:
    r, engine = rig(stop={"iterations": 2}), ScriptedEngine()
    final = r.session(engine).run()
    assert r.types() == [
        "started", "iteration_completed", "iteration_completed", "checkpoint_saved", "evaluated", "succeeded",
    ]  # fmt: skip
    assert final == r.log[-1]
    assert isinstance(final, TrainingSucceeded)
    assert (final.stop_reason, final.progress.env_steps) == ("iterations", 200)
    assert engine.closed
    assert all(parse_event(event.model_dump_json()) == event for event in r.log)
    assert list(r.scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("stop", "reason", "iterations"),
    [
        ({"env_steps": 250}, "env_steps", 3),
        ({"episode_return_mean": 4.0}, "episode_return_mean", 4),
        ({"iterations": 2}, "iterations", 2),
        ({"wall_time_s": 2.5}, "wall_time_s", 3),
        ({"wall_time_s": 1, "iterations": 1, "env_steps": 1}, "env_steps", 1),
        ({"wall_time_s": 1, "iterations": 1}, "iterations", 1),
    ],
)
def test_stop_criteria(rig: Callable[..., Rig], stop: dict[str, float], reason: str, iterations: int) -> None:
    r = rig(stop=stop)
    engine = ScriptedEngine(before_iteration=lambda _: asyncio.run(r.clock.advance(1.0)))
    final = r.session(engine).run()
    assert isinstance(final, TrainingSucceeded)
    assert (final.stop_reason, final.progress.iteration) == (reason, iterations)
    assert final.progress.train_wall_s == iterations


@pytest.mark.parametrize("evaluation", [{}, {"every_iterations": 2}])
def test_an_evaluation_that_fails_takes_nothing_that_was_trained_with_it(
    rig: Callable[..., Rig], evaluation: dict[str, int]
) -> None:
    class Endless(ScriptedEngine):
        def evaluate(self, episodes: int, seed: int, recorder: Any = None) -> Any:
            raise EngineError("evaluation: 0 of 10 episodes ended within 1000000 steps")

    r = rig(stop={"iterations": 2}, evaluation=evaluation)
    final = r.session(Endless()).run()
    assert r.types() == ["started", "iteration_completed", "iteration_completed", "checkpoint_saved", "failed"]
    assert isinstance(final, TrainingFailed)
    assert "0 of 10 episodes" in final.reason
    assert r.checkpoints.list(r.run_id)[-1].iteration == 2


class Endless(ScriptedEngine):
    """An engine whose evaluations go on until they are cut short, at ``pace_s`` seconds for each hundred steps."""

    def __init__(self, clock: FakeClock, *, pace_s: float = 1.0, then: Callable[[int], None] = lambda _: None) -> None:
        super().__init__()
        self._clock, self._pace_s, self._then = clock, pace_s, then

    def evaluate(self, episodes: int, seed: int, recorder: Any = None) -> Any:
        self.calls.append("evaluate")
        for turn in count(1):
            asyncio.run(self._clock.advance(self._pace_s))
            self._then(turn)
            self.pulse(100 * turn)


@pytest.mark.parametrize(
    ("bound", "why"),
    [
        ({"max_wall_time_s": 30}, "max_wall_time_s"),
        ({"max_env_steps": 1000}, "max_env_steps is 1,000"),
        ({}, "300 s"),
    ],
)
@pytest.mark.parametrize("plan", [{}, {"every_iterations": 1}])
def test_an_evaluation_without_end_is_cut_short_and_costs_no_training(
    rig: Callable[..., Rig], bound: dict[str, float], why: str, plan: dict[str, int]
) -> None:
    r = rig(stop={"iterations": 2}, evaluation=bound | plan)
    final = r.session(Endless(r.clock)).run()
    assert isinstance(final, TrainingSucceeded)
    cuts = [event for event in r.log if isinstance(event, TrainingEvaluationCutShort)]
    assert len(cuts) == (2 if plan else 1)
    assert all(why in cut.reason for cut in cuts)
    assert r.log.index(cuts[-1]) > next(
        place for place, event in enumerate(r.log) if isinstance(event, TrainingCheckpointSaved)
    ), "the last checkpoint is safe before the last evaluation begins"
    assert final.progress.train_wall_s == 0, "evaluations are not training time"


def test_a_long_evaluation_tells_how_far_it_has_come(rig: Callable[..., Rig]) -> None:
    r = rig(stop={"iterations": 1}, evaluation={"max_wall_time_s": 45})
    r.session(Endless(r.clock)).run()
    told = [event for event in r.log if isinstance(event, TrainingProgressed)]
    assert [(event.phase, event.iteration, event.env_steps) for event in told] == [
        ("evaluation", 1, steps) for steps in (1000, 2000, 3000, 4000)
    ]


@pytest.mark.parametrize("command", ["stop", "suspend"])
def test_a_stop_during_an_evaluation_takes_effect_at_once(rig: Callable[..., Rig], command: str) -> None:
    r = rig(stop={"iterations": 1})
    session = r.session(Endless(r.clock, then=lambda turn: getattr(session, command)() if turn == 3 else None))
    final = session.run()
    assert [event for event in r.log if isinstance(event, TrainingEvaluationCutShort)]
    assert r.checkpoints.list(r.run_id)[-1].iteration == 1
    if command == "stop":
        assert isinstance(final, TrainingStopped)
        assert final.stop_reason == "stop_requested"
    else:
        assert final is None


class Slow(ScriptedEngine):
    """An engine whose rollouts take ``rollout_s`` seconds."""

    def __init__(self, clock: FakeClock, rollout_s: int, then: Callable[[int], None] = lambda _: None) -> None:
        def roll_out(_: int) -> None:
            for second in range(1, rollout_s + 1):
                asyncio.run(clock.advance(1.0))
                then(second)
                self.pulse(27 * second)

        super().__init__(before_iteration=roll_out)


def test_progress_within_a_rollout_is_told_and_checkpoints_are_made_by_time(rig: Callable[..., Rig]) -> None:
    r = rig(stop={"iterations": 3}, checkpoint={"every_s": 1000})
    final = r.session(Slow(r.clock, 610)).run()
    assert isinstance(final, TrainingSucceeded)
    told = [event for event in r.log if isinstance(event, TrainingProgressed)]
    assert [event.env_steps for event in told if event.iteration == 2] == [270 * place for place in range(1, 62)]
    saved = [event.checkpoint.iteration for event in r.log if isinstance(event, TrainingCheckpointSaved)]
    assert saved == [2, 3]


def test_a_stop_during_a_long_rollout_abandons_it(rig: Callable[..., Rig]) -> None:
    r = rig(stop={"iterations": 3})
    engine = Slow(r.clock, 610, lambda second: session.stop() if second == 700 - 610 and engine.iteration else None)
    session = r.session(engine)
    final = session.run()
    assert isinstance(final, TrainingStopped)
    assert final.progress.iteration == 1
    assert r.checkpoints.list(r.run_id)[-1].iteration == 1
    assert r.clock.monotonic() < 610 + 100


def test_a_short_rollout_is_not_abandoned_by_a_stop(rig: Callable[..., Rig]) -> None:
    r = rig(stop={"iterations": 3})
    session = r.session(Slow(r.clock, 2, lambda second: session.stop() if second == 1 else None))
    final = session.run()
    assert isinstance(final, TrainingStopped)
    assert final.progress.iteration == 1


def test_wall_time_ends_a_rollout_that_is_far_beyond_it(rig: Callable[..., Rig]) -> None:
    r = rig(stop={"wall_time_s": 25})
    final = r.session(Slow(r.clock, 600)).run()
    assert isinstance(final, TrainingSucceeded)
    assert final.stop_reason == "wall_time_s"
    assert 25 <= final.progress.train_wall_s <= 31


def test_time_that_events_take_counts_as_wall_time(rig: Callable[..., Rig]) -> None:
    r = rig(stop={"wall_time_s": 25})

    def emit(event: Event) -> None:
        asyncio.run(r.clock.advance(1.0))
        r.log.append(event)

    final = r.session(ScriptedEngine(), emit).run()
    assert isinstance(final, TrainingSucceeded)
    assert final.progress.iteration == 26


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), ValueError("no such level")])
def test_whatever_an_environment_raises_fails_the_training_with_what_was_trained_saved(
    rig: Callable[..., Rig], error: BaseException
) -> None:
    r = rig(stop={"iterations": 9})
    final = r.session(ScriptedEngine(failures={3: error})).run()
    assert isinstance(final, TrainingFailed)
    assert type(error).__name__ in final.reason
    assert (final.code, final.progress.iteration) == ("engine_error", 2)
    assert r.checkpoints.list(r.run_id)[-1].iteration == 2


def test_parameters_that_are_not_sound_are_not_saved_when_a_training_fails(rig: Callable[..., Rig]) -> None:
    class Diverged(ScriptedEngine):
        def sound(self) -> bool:
            return False

    r = rig(stop={"iterations": 9})
    r.session(Diverged(failures={3: ValueError("NaN")})).run()
    assert r.types()[-1] == "failed"
    assert not r.checkpoints.list(r.run_id)


def test_the_author_of_an_environment_gets_its_traceback(rig: Callable[..., Rig]) -> None:
    def step_of_theirs(_: int) -> None:
        raise ValueError("the goal is outside the map")

    final = rig(stop={"iterations": 9}).session(ScriptedEngine(before_iteration=step_of_theirs)).run()
    assert isinstance(final, TrainingFailed)
    assert final.reason.startswith("ValueError: the goal is outside the map\n")
    assert "in step_of_theirs" in final.reason
    assert "in train_iteration" not in final.reason, "frames of the platform are left out"


def test_the_traceback_of_an_environment_is_bounded(rig: Callable[..., Rig]) -> None:
    def fall(depth: int) -> None:
        if depth > 900:
            raise ValueError("x" * 100_000)
        if depth % 2:  # two lines by turns: equal ones would be folded
            fall(depth + 1)
        else:
            fall(depth + 1)

    final = rig(stop={"iterations": 9}).session(ScriptedEngine(before_iteration=fall)).run()
    assert isinstance(final, TrainingFailed)
    assert len(final.reason) < 8000


def test_an_engine_that_neither_saves_nor_evaluates_fails_with_the_first_reason(rig: Callable[..., Rig]) -> None:
    class Broken(ScriptedEngine):
        def evaluate(self, episodes: int, seed: int, recorder: Any = None) -> Any:
            raise EngineError("second")

        def save(self, directory: Path) -> None:
            raise EngineError("first")

    final = rig(stop={"iterations": 1}).session(Broken()).run()
    assert isinstance(final, TrainingFailed)
    assert final.reason == "first"


def test_a_mean_of_few_episodes_stops_nothing(rig: Callable[..., Rig]) -> None:
    r = rig(stop={"episode_return_mean": 1.0})
    final = r.session(ScriptedEngine(episodes=1)).run()
    assert isinstance(final, TrainingSucceeded)
    assert final.progress.episodes == MIN_EPISODES


def test_no_return_yet_is_not_a_return_of_zero(rig: Callable[..., Rig]) -> None:
    r = rig(stop={"episode_return_mean": -1.0, "iterations": 3})
    final = r.session(ScriptedEngine(returns=lambda _: None, episodes=100)).run()
    assert isinstance(final, TrainingSucceeded)
    assert final.stop_reason == "iterations"
    assert r.checkpoints.list(r.run_id)[0].episode_return_mean is None


def test_plans_are_kept_and_nothing_is_done_twice_in_an_iteration(rig: Callable[..., Rig]) -> None:
    r = rig(stop={"iterations": 6}, evaluation={"every_iterations": 3}, checkpoint={"every_iterations": 2})
    r.session(ScriptedEngine()).run()
    assert [e.iteration for e in r.log if isinstance(e, TrainingEvaluated)] == [3, 6]
    saved = [e.checkpoint.iteration for e in r.log if isinstance(e, TrainingCheckpointSaved)]
    assert saved == [2, 4, 6]


def test_keeps_the_last_and_the_best(rig: Callable[..., Rig]) -> None:
    r = rig(stop={"iterations": 5}, checkpoint={"every_iterations": 1, "keep_last": 2, "keep_best": True})
    returns = {1: 1.0, 2: 9.0, 3: 2.0, 4: 3.0, 5: 4.0}
    r.session(ScriptedEngine(returns=returns.__getitem__)).run()
    assert [info.iteration for info in r.checkpoints.list(r.run_id)] == [2, 4, 5]
    assert [info.iteration for info in r.checkpoints.list(r.run_id) if info.best] == [2]


def test_a_training_does_not_end_for_want_of_tidying(rig: Callable[..., Rig]) -> None:
    def needed() -> set[str]:
        if len(asked) < 3:
            asked.append(1)
            raise StorageError("database is locked")
        return set()

    asked: list[int] = []
    r = rig(stop={"iterations": 5}, checkpoint={"every_iterations": 1, "keep_last": 1, "keep_best": False})
    final = r.session(ScriptedEngine(), needed=needed).run()
    assert isinstance(final, TrainingSucceeded)
    assert [info.iteration for info in r.checkpoints.list(r.run_id)] == [5]


def test_paused_it_saves_a_checkpoint_and_frees_its_engine_and_another_session_continues(
    rig: Callable[..., Rig],
) -> None:
    r, engine = rig(stop={"iterations": 2}), ScriptedEngine(gated=True)
    session = r.session(engine)
    thread = threading.Thread(target=session.run)
    thread.start()
    session.pause()
    session.pause()
    engine.release()
    thread.join(10)
    assert not thread.is_alive()
    assert session.state is TrainingState.PAUSED
    assert engine.closed
    resumed = r.session(ScriptedEngine())
    resumed.recover(session.progress, paused=True)
    resumed.run()
    iterations = [name for name in r.types() if name != "iteration_completed"]
    assert iterations == [
        "started", "checkpoint_saved", "paused", "resumed", "checkpoint_saved", "evaluated", "succeeded",
    ]  # fmt: skip
    assert r.types().count("iteration_completed") == 2


def test_resumed_from_an_older_checkpoint_it_says_what_is_redone(rig: Callable[..., Rig]) -> None:
    r = rig(stop={"iterations": 2})
    session = r.session(ScriptedEngine())
    session.recover(Progress(iteration=2, env_steps=200), paused=True)
    session.advance()
    assert r.types() == ["recovered"]
    assert r.log[-1].redone_iterations == 2  # type: ignore[attr-defined]


def test_a_stop_goes_before_a_pause_and_its_first_reason_stands(rig: Callable[..., Rig]) -> None:
    r, engine = rig(), ScriptedEngine()
    session = r.session(engine)
    session.pause()
    session.stop("deleted by its owner")
    session.stop("too late")
    session.run()
    assert r.types() == ["started", "checkpoint_saved", "stopped"]
    assert r.log[-1].stop_reason == "deleted by its owner"  # type: ignore[attr-defined]
    assert "evaluate" not in engine.calls


def test_suspends_with_a_checkpoint_and_is_recovered(rig: Callable[..., Rig]) -> None:
    r, engine = rig(stop={"iterations": 3}), ScriptedEngine(gated=True)
    session = r.session(engine)
    thread = threading.Thread(target=session.run)
    thread.start()
    session.suspend()
    engine.release(2)
    thread.join(10)
    assert not thread.is_alive()
    assert engine.closed
    assert not parse_final(r.log)
    assert "checkpoint_saved" in r.types()
    recovered = r.session(ScriptedEngine())
    recovered.recover(session.progress)
    assert recovered.progress == session.progress


def parse_final(log: list[Event]) -> bool:
    return any(event.type in FINAL_TYPES for event in log)  # type: ignore[attr-defined]


def test_a_pause_that_is_taken_back_never_happens(rig: Callable[..., Rig]) -> None:
    r = rig(stop={"iterations": 1})
    session = r.session(ScriptedEngine())
    session.pause()
    session.resume()
    session.run()
    assert "paused" not in r.types()


def test_an_engine_that_fails_fails_the_training(rig: Callable[..., Rig]) -> None:
    for error, code in [(EngineError("no progress"), "engine_error"), (ZeroDivisionError("oops"), "engine_error")]:
        r, engine = rig(), ScriptedEngine(failures={2: error})
        final = r.session(engine).run()
        assert isinstance(final, TrainingFailed)
        assert final.code == code
        assert str(error) in final.reason
        assert final.progress.iteration == 1
        assert engine.closed


def test_what_can_be_tried_elsewhere_is_not_a_failed_training(rig: Callable[..., Rig]) -> None:
    r, engine = rig(), ScriptedEngine(failures={2: CapacityExhausted("a node is gone")})
    with pytest.raises(CapacityExhausted):
        r.session(engine).run()
    assert r.types() == ["started", "iteration_completed"]
    assert engine.closed


def test_a_fenced_session_writes_nothing_more(rig: Callable[..., Rig]) -> None:
    r = rig(checkpoint={"every_iterations": 1})

    def emit(event: Event) -> None:
        if event.type == "training.checkpoint_saved":  # type: ignore[attr-defined]
            raise Fenced("a newer owner")
        r.log.append(event)

    with pytest.raises(Fenced):
        r.session(ScriptedEngine(), emit).run()
    assert r.types() == ["started", "iteration_completed"]
    assert r.checkpoints.list(r.run_id) == []


def recovered(r: Rig, iteration: int) -> TrainingRecovered:
    """Return the first event of a session whose trainer was lost at ``iteration``, after it has run to its end."""
    r.log.clear()
    session = r.session(ScriptedEngine())
    session.recover(Progress(iteration=iteration, env_steps=100 * iteration))
    session.run()
    assert isinstance(r.log[0], TrainingRecovered)
    return r.log[0]


def test_recovers_from_the_newest_checkpoint_that_verifies(rig: Callable[..., Rig]) -> None:
    r = rig(stop={"iterations": 8}, checkpoint={"every_iterations": 2})
    with pytest.raises(CapacityExhausted):
        r.session(ScriptedEngine(failures={8: CapacityExhausted("gone")})).run()
    r.checkpoints.damage(r.checkpoints.list(r.run_id)[-1].id)
    event = recovered(r, 7)
    assert (event.iteration, event.redone_iterations, event.redone_env_steps) == (4, 3, 300)
    assert [e.iteration for e in r.log if isinstance(e, TrainingIterationCompleted)] == [5, 6, 7, 8]


def test_a_checkpoint_newer_than_the_log_is_not_thrown_away(rig: Callable[..., Rig]) -> None:
    """A store restored from a back-up knows less than the checkpoints: training continues from the newest of them."""
    r = rig(stop={"iterations": 8}, checkpoint={"every_iterations": 2})
    with pytest.raises(CapacityExhausted):
        r.session(ScriptedEngine(failures={7: CapacityExhausted("gone")})).run()
    assert [info.iteration for info in r.checkpoints.list(r.run_id)] == [2, 4, 6]
    event = recovered(r, 1)
    assert (event.iteration, event.redone_iterations, event.redone_env_steps) == (6, 0, 0)
    assert [e.iteration for e in r.log if isinstance(e, TrainingIterationCompleted)] == [7, 8]


def test_recovers_from_a_checkpoint_before_its_first_iteration(tmp_path: Path) -> None:
    """Suspended as soon as it had begun from another run's checkpoint, which is gone since."""
    first = Rig(tmp_path, stop={"iterations": 3})
    first.session(ScriptedEngine()).run()
    second = Rig(tmp_path, stop={"iterations": 4})
    second.checkpoints = first.checkpoints
    session = second.session(ScriptedEngine())
    session.restore(first.checkpoints.list(first.run_id)[-1])
    session.suspend()
    session.run()
    assert len(second.checkpoints.list(second.run_id)) == 1
    session = second.session(ScriptedEngine())
    session.recover(Progress())
    assert session.progress.iteration == 3


def test_recovers_from_the_beginning_without_a_checkpoint(rig: Callable[..., Rig]) -> None:
    r = rig(stop={"iterations": 2})
    assert recovered(r, 1).checkpoint_id is None
    assert r.types()[0] == "recovered"
    assert r.log[-1].progress.iteration == 2  # type: ignore[attr-defined]


def test_recovers_to_the_end_when_the_end_was_reached(rig: Callable[..., Rig]) -> None:
    """The last checkpoint was saved, the final event was not."""
    r = rig(stop={"episode_return_mean": 3.0})
    r.session(ScriptedEngine()).run()
    r.log.clear()
    engine = ScriptedEngine()
    session = r.session(engine)
    session.recover(Progress(iteration=3, env_steps=300))
    session.run()
    assert r.types() == ["recovered", "evaluated", "succeeded"]
    assert "train" not in engine.calls


def test_begins_from_another_runs_checkpoint(tmp_path: Path) -> None:
    first = Rig(tmp_path, stop={"iterations": 3})
    first.session(ScriptedEngine()).run()
    second = Rig(tmp_path, stop={"iterations": 4})
    second.checkpoints = first.checkpoints
    engine = ScriptedEngine()
    session = second.session(engine)
    session.restore(first.checkpoints.list(first.run_id)[-1])
    session.run()
    assert second.types() == ["started", "iteration_completed", "checkpoint_saved", "evaluated", "succeeded"]
    assert engine.calls == ["restore", "train", "save", "evaluate"]


def test_refuses_a_checkpoint_of_something_else(rig: Callable[..., Rig], tmp_path: Path) -> None:
    r = rig()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("hello")
    info = samples.checkpoint(r.run_id, 1)
    r.checkpoints.commit(info, tmp_path / "other")
    with pytest.raises(CheckpointError, match="was not written by a training session"):
        r.session(ScriptedEngine()).restore(info)


class SessionMachine(RuleBasedStateMachine):
    """Wishes at any moment, turns in between, crashes with recovery: events always fold to the session's own state."""

    @initialize(iterations=st.integers(1, 6), evaluate=st.integers(0, 3), save=st.integers(0, 3))
    def begin(self, iterations: int, evaluate: int, save: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.rig = Rig(
            Path(self.folder.name),
            stop={"iterations": iterations},
            evaluation={"every_iterations": evaluate},
            checkpoint={"every_iterations": save, "keep_last": 2},
        )
        document = Training(
            id=self.rig.run_id, state=TrainingState.STARTING, request=self.rig.request, created_at=self.rig.clock.now()
        )
        self.run = TrainingRun(id=self.rig.run_id, tenant="t", created_by="u", document=document)
        self.session = self.rig.session(ScriptedEngine(), self.emit)
        self.final: Event | None = None
        self.paused = self.stopped = False

    def emit(self, event: Event) -> None:
        assert not self.run.final
        self.run = self.run.apply(event.model_copy(update={"seq": self.run.seq + 1}))

    @rule()
    def pause(self) -> None:
        self.session.pause()
        self.paused = True

    @rule()
    def resume(self) -> None:
        self.session.resume()
        self.paused = False

    @rule()
    def stop(self) -> None:
        self.session.stop()
        self.stopped = True

    @precondition(lambda self: self.final is None and self.session.state is not TrainingState.PAUSED)
    @rule()
    def turn(self) -> None:
        starting, before = self.session.state is TrainingState.STARTING, self.session.progress.iteration
        self.final = self.session.advance()
        if starting:
            return
        if self.stopped:
            assert isinstance(self.final, TrainingStopped)
        if self.final is None and self.paused:
            assert self.session.state is TrainingState.PAUSED
        assert self.session.progress.iteration - before in (0, 1)

    @precondition(lambda self: self.final is None and self.session.state is not TrainingState.STARTING)
    @rule()
    def crash(self) -> None:
        lost = self.session.progress
        self.emit(TrainingInterrupted(stream=self.run.stream, time=self.rig.clock.now(), reason="x", retry_in_s=0))
        self.session = self.rig.session(ScriptedEngine(), self.emit)
        self.session.recover(lost)
        self.paused = self.stopped = False
        assert self.session.progress.iteration <= lost.iteration
        self.session.advance()

    @precondition(lambda self: self.final is None and self.session.state is TrainingState.PAUSED)
    @rule()
    def another_trainer(self) -> None:
        before = self.session.progress
        self.emit(TrainingStarting(stream=self.run.stream, time=self.rig.clock.now(), epoch=2))
        self.session = self.rig.session(ScriptedEngine(), self.emit)
        self.session.recover(before, paused=True)
        self.paused = self.stopped = False
        self.session.advance()
        assert self.session.progress == before

    @invariant()
    def record_agrees(self) -> None:
        if not hasattr(self, "session"):
            return
        assert self.run.document.state == self.session.state
        assert self.run.document.progress.iteration == self.session.progress.iteration
        assert self.session.progress.iteration <= (self.rig.request.stop.iterations or 0)
        assert len(self.rig.checkpoints.list(self.rig.run_id)) <= 3

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()


SessionMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestSessionMachine = SessionMachine.TestCase


class PlayingEngine(ScriptedEngine):
    """A scripted engine whose evaluations play CartPole-v1."""

    def evaluate(self, episodes: int, seed: int, recorder: Any = None) -> EvaluationReport:
        def act(obs: Any) -> Any:
            return np.zeros(len(obs), np.int64)

        return evaluate_policy(act, "CartPole-v1", {}, episodes, seed, recorder=recorder)


def test_evaluations_are_recorded_and_said_in_their_event(rig: Callable[..., Rig], tmp_path: Path) -> None:
    store = local_episodes(tmp_path / "episodes")
    r = rig(stop={"iterations": 3}, evaluation={"every_iterations": 1, "episodes": 3})
    r.session(PlayingEngine(), episodes=store).run()
    told = [event for event in r.log if isinstance(event, TrainingEvaluated)]
    assert [event.iteration for event in told] == [1, 2, 3]
    assert [info for event in told for info in event.episodes] == store.list(r.run_id)
    assert {(info.iteration, info.env_steps) for info in told[0].episodes} == {(1, 100)}
    assert store.get(told[2].episodes[0].id).info == told[2].episodes[0]


def test_a_storage_that_refuses_episodes_costs_no_training(rig: Callable[..., Rig], tmp_path: Path) -> None:
    (tmp_path / "episodes").write_text("a file, where a folder is needed")
    r = rig(stop={"iterations": 1})
    final = r.session(PlayingEngine(), episodes=local_episodes(tmp_path / "episodes")).run()
    assert isinstance(final, TrainingSucceeded)
    assert [event.episodes for event in r.log if isinstance(event, TrainingEvaluated)] == [[]]


def test_of_many_evaluations_ever_fewer_are_recorded() -> None:
    counts = [sum(map(is_recorded, range(total))) for total in (128, 256, 512, 1024, 2048)]
    assert counts == [128, 192, 256, 320, 384]
