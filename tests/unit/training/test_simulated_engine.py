from __future__ import annotations

import pytest

from rlplatform.errors import InvalidRequest
from rlplatform.testing.contracts.engine import TrainingEngineContract, small_request
from rlplatform.testing.engines import ScriptedEngine
from rlplatform.training.metrics import EPISODE_LENGTH_MEAN, EPISODE_RETURN_MEAN
from rlplatform.training.models import TrainingRequest
from rlplatform.training.ports import TrainingEngine
from rlplatform.training.simulated_engine import SimulatedEngine


class TestSimulatedEngine(TrainingEngineContract):
    def build(self, request: TrainingRequest) -> TrainingEngine:
        return SimulatedEngine(request)

    def test_says_that_it_is_simulated(self) -> None:
        engine = self.build(small_request())
        assert engine.simulated
        assert engine.describe()["engine"] == "simulated"

    def test_learns(self) -> None:
        engine = self.build(small_request())
        first = engine.train_iteration()
        for _ in range(48):
            last = engine.train_iteration()
        assert first.metrics["rollout/episode_return_mean"] < 60
        assert last.metrics["rollout/episode_return_mean"] > 475

    @pytest.mark.parametrize(("env", "reward"), [("CartPole-v1", 1), ("MountainCar-v0", -1), ("Acrobot-v1", -1)])
    def test_an_episode_is_as_long_as_its_return_says_where_every_step_has_the_same_reward(
        self, env: str, reward: int
    ) -> None:
        engine = SimulatedEngine(TrainingRequest.model_validate({"env": env, "stop": {"iterations": 1}}))
        for _ in range(20):
            metrics = engine.train_iteration().metrics
            assert metrics[EPISODE_RETURN_MEAN] * reward == pytest.approx(metrics[EPISODE_LENGTH_MEAN])
        report = engine.evaluate(10, 0)
        assert report.episode_return_mean * reward == pytest.approx(report.episode_length_mean)

    def test_takes_its_time_where_asked(self) -> None:
        slept: list[float] = []
        SimulatedEngine(small_request(env_config={"simulated_iteration_s": 0.5}), sleep=slept.append).train_iteration()
        assert slept == [0.5]

    @pytest.mark.parametrize("pace", [-1, 61, "fast", True])
    def test_refuses_a_pace_that_is_none(self, pace: object) -> None:
        with pytest.raises(InvalidRequest, match="simulated_iteration_s"):
            SimulatedEngine(small_request(env_config={"simulated_iteration_s": pace}))


class TestScriptedEngine(TrainingEngineContract):
    deterministic = False

    def build(self, request: TrainingRequest) -> TrainingEngine:
        return ScriptedEngine(request)
