from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rlplatform.environments.sandboxed.user_code import UserCode
from rlplatform.errors import InvalidRequest, ServiceError, UnknownName
from rlplatform.evaluation.graders.episode_attempt import draw_seed, read_action
from rlplatform.evaluation.graders.played_environments import make_environment
from rlplatform.evaluation.judge import Judge
from rlplatform.evaluation.models import EvaluationRequest, Judgement
from rlplatform.evaluation.submissions import build_program
from rlplatform.sandbox.models import Execution, Outcome, Program
from rlplatform.testing.sandboxes import ScriptedPool, exited
from tests.unit.environments.sandboxed.environments import FAILING, GRID
from tests.unit.environments.sandboxed.test_vector_env import code_of


def request(*tests: dict, env: str = "CartPole-v1", **grader: object) -> EvaluationRequest:
    fields = [{"id": f"t{i}"} | test for i, test in enumerate(tests or ({},), 1)]
    return EvaluationRequest.model_validate(
        {"source": "", "grader": {"kind": "episode", "env": env, **grader}, "tests": fields}
    )


def play(asked: EvaluationRequest, act: Callable[[Any], Any]) -> Judgement:
    """Judge a program whose answer to each observation is the text ``act(observation)``."""

    def converse(_: Program, execution: Execution) -> Outcome:
        partner = next(interactor for box in pool.opened for interactor in box.interactors[::-1])
        said: bytes | None = partner.begin()
        while said is not None:
            answer = act(json.loads(said)["observation"])
            if answer is None:
                break
            said = partner.reply(answer if isinstance(answer, bytes) else json.dumps(answer).encode())
        return exited()

    pool = ScriptedPool(converse)
    return Judge(pool).judge(asked, lambda _: None)


def balance(observation: list[float]) -> int:
    return int(observation[2] + 0.3 * observation[3] > 0)


def test_an_agent_earns_its_return() -> None:
    judgement = play(request({"seed": 1, "min_return": 150}, {"seed": 1, "min_return": 600}, {}), balance)
    assert [result.verdict for result in judgement.tests] == ["accepted", "wrong_answer", "accepted"]
    first, second, _ = judgement.tests
    assert first.value == second.value
    assert first.value["episode_return"] == first.value["episode_length"] >= 150
    assert "at least 600 is asked" in second.message


def test_a_return_is_free_of_the_error_of_adding_its_rewards() -> None:
    asked = request({"seed": 1}, env="MountainCarContinuous-v0", max_steps=10)
    assert play(asked, lambda _: [1.0]).tests[0].value["episode_return"] == -1.0  # ten rewards of -0.1


def test_an_episode_is_that_of_its_seed() -> None:
    seen: list[list[float]] = []
    play(request({"seed": 7}, max_steps=1), lambda observation: seen.append(observation) or 0)
    expected, _ = gym.make("CartPole-v1").reset(seed=7)
    assert seen == [expected.tolist()]


def test_an_episode_without_a_seed_is_drawn_from_more_than_can_be_tried() -> None:
    starts: list[tuple[float, ...]] = []
    play(request({}, {}, {"hidden": True}, max_steps=1), lambda observation: starts.append(tuple(observation)) or 0)
    assert len(set(starts)) == 3
    seeds = [draw_seed() for _ in range(64)]
    assert len(set(seeds)) == 64
    assert max(seed.bit_length() for seed in seeds) > 56
    small = {tuple(gym.make("CartPole-v1").reset(seed=seed)[0].tolist()) for seed in range(100)}
    assert not small & set(starts)


def test_a_drawn_seed_is_in_no_document() -> None:
    drawn: list[int] = []

    class Seeded(gym.Env):
        observation_space = gym.spaces.Discrete(2)
        action_space = gym.spaces.Discrete(2)

        def reset(self, *, seed: int | None = None, options: object = None) -> tuple[int, dict]:
            drawn.append(seed or 0)
            return 0, {}

        def step(self, action: int) -> tuple[int, float, bool, bool, dict]:
            return 0, 0.0, True, False, {}

    gym.register("Seeded-v0", entry_point=Seeded)
    try:
        judgement = play(request({}, {"hidden": True}, env="Seeded-v0"), lambda _: 0)
    finally:
        del gym.registry["Seeded-v0"]
    assert len(drawn) == 2
    assert not any(str(seed) in judgement.model_dump_json() for seed in drawn)


@pytest.mark.parametrize("action", [True, False])
def test_truth_values_are_actions_of_two_choices(action: bool) -> None:
    space = gym.spaces.Discrete(2)
    assert read_action(space, json.dumps(action).encode()) == int(action)
    pair = gym.spaces.MultiBinary(2)
    assert pair.contains(read_action(pair, json.dumps([action, 1]).encode()))
    with pytest.raises(ValueError, match="is not in"):
        read_action(gym.spaces.Discrete(2, start=5), json.dumps(action).encode())


def test_an_episode_ends_after_max_steps() -> None:
    (result,) = play(request({}, max_steps=5), balance).tests
    assert result.verdict == "accepted"
    assert result.value == {"episode_return": 5.0, "episode_length": 5}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (2, "step 1: the action 2 is not in Discrete(2)"),
        ("1", 'step 1: the action "1" is not in Discrete(2)'),
        (1.0, "step 1: the action 1.0 is not in Discrete(2)"),
        ([1], "step 1: the action [1] is not in Discrete(2)"),
        (b"left", "step 1: the action is refused: not JSON"),
        (b"\xff", "step 1: the action is refused"),
        (b"[" * 70_000, "step 1: an action of 70000 bytes"),
        (None, "the program ended after 0 steps, before the episode did"),
    ],
)
def test_bad_actions_are_wrong_answers(answer: object, message: str) -> None:
    (result,) = play(request(), lambda _: answer).tests
    assert result.verdict == "wrong_answer"
    assert message in result.message
    assert result.points == 0


@pytest.mark.parametrize(
    ("env", "text", "good"),
    [
        ("Pendulum-v1", "[0.5]", True),
        ("Pendulum-v1", "[1]", True),
        ("Pendulum-v1", "[2.5]", False),
        ("Pendulum-v1", "0.5", False),
        ("Pendulum-v1", "[0.5, 0.5]", False),
        ("Pendulum-v1", "[true]", False),
        ("Pendulum-v1", '["1"]', False),
        ("Pendulum-v1", '[{"$float": "nan"}]', False),
        ("Pendulum-v1", "[[1], 2]", False),
        ("FrozenLake-v1", "3", True),
        ("FrozenLake-v1", "-1", False),
        ("FrozenLake-v1", "9" * 300, False),
    ],
)
def test_actions_are_those_of_the_space(env: str, text: str, good: bool) -> None:
    space = make_environment(env).action_space
    if good:
        assert space.contains(read_action(space, text.encode()))
    else:
        with pytest.raises(ValueError, match="action"):
            read_action(space, text.encode())


@pytest.mark.parametrize(
    ("space", "text", "good"),
    [
        (gym.spaces.Box(0, 255, (2,), np.uint8), "[1, 255]", True),
        (gym.spaces.Box(0, 255, (2,), np.uint8), "[1.5, 2]", False),
        (gym.spaces.Box(0, 255, (2,), np.uint8), "[1, 256]", False),
        (gym.spaces.Box(-np.inf, np.inf, (1,)), "[3e38]", True),
        (gym.spaces.Box(-np.inf, np.inf, (1,)), "[1e39]", False),
        (gym.spaces.Box(-np.inf, np.inf, (1,)), '[{"$float": "inf"}]', False),
        (gym.spaces.MultiDiscrete([2, 3]), "[1, 2]", True),
        (gym.spaces.MultiDiscrete([2, 3]), "[1, 3]", False),
        (gym.spaces.MultiDiscrete([2, 3]), "[1, 2.0]", False),
    ],
)
def test_an_action_is_never_rounded_and_always_finite(space: gym.Space, text: str, good: bool) -> None:
    if good:
        assert space.contains(read_action(space, text.encode()))
    else:
        with pytest.raises(ValueError, match="is not in"):
            read_action(space, text.encode())


@given(data=st.binary(max_size=40) | st.text('[]{}0123456789.,-e"$floatnai', max_size=20).map(str.encode))
def test_any_line_is_an_action_or_refused(data: bytes) -> None:
    for space in (gym.spaces.Discrete(5, start=-2), gym.spaces.Box(-1, 1, (2,)), gym.spaces.MultiBinary(2)):
        try:
            action = read_action(space, data)
        except ValueError:
            continue
        assert space.contains(action)


def test_other_observations_are_json_too() -> None:
    seen: list[object] = []
    play(request({}, env="Blackjack-v1"), lambda observation: seen.append(observation) or 0)
    assert [type(part) for part in seen[0]] == [int, int, int]


def test_environments_are_those_of_the_registry() -> None:
    with pytest.raises(UnknownName, match="CartPole-v1") as caught:
        request(env="CartPoll-v1").grader.check_environment()
    assert caught.value.extra["field"] == "grader.env"
    with pytest.raises(UnknownName):
        request(env="antigravity:CartPole-v1").grader.check_environment()
    request(env="Taxi-v3").grader.check_environment()


def test_environments_that_cannot_be_made_are_refused() -> None:
    def broken() -> gym.Env:
        raise RuntimeError("no display")

    gym.register("Broken-v0", entry_point=broken)
    try:
        with pytest.raises(InvalidRequest, match="cannot be made here: no display"):
            request(env="Broken-v0").grader.check_environment()
    finally:
        del gym.registry["Broken-v0"]


def test_a_failing_environment_is_nobodys_verdict() -> None:
    class Failing(gym.Env):
        observation_space = action_space = gym.spaces.Discrete(2)

        def reset(self, **_: object) -> tuple[int, dict]:
            return 0, {}

        def step(self, action: int) -> tuple:
            raise RuntimeError("broken")

    gym.register("Failing-v0", entry_point=Failing)
    try:
        with pytest.raises(ServiceError, match="environment failed in step 1"):
            play(request(env="Failing-v0"), lambda _: 0)
    finally:
        del gym.registry["Failing-v0"]


def test_the_loop_goes_in_front_of_the_program() -> None:
    program = build_program(request(entry="choose"))
    assert program.entry == "_agent_loop.py"
    assert set(program.files) == {"main.py", "_agent_loop.py"}
    compile(program.files[program.entry], "loop", "exec")
    with pytest.raises(InvalidRequest, match="taken"):
        build_program(
            request().model_copy(
                update={
                    "files": EvaluationRequest.model_validate(
                        {"source": "", "tests": [{"id": "1"}], "files": [{"path": "_agent_loop.py", "content": ""}]}
                    ).files
                }
            )
        )


@pytest.mark.parametrize("test", [{"stdin": ""}, {"expected": 1}, {"args": []}])
def test_tests_of_other_graders_are_refused(test: dict) -> None:
    with pytest.raises(ValidationError, match="does not go with grader 'episode', which takes seed, min_return"):
        request(test)


def uploaded(code: UserCode, *tests: dict) -> EvaluationRequest:
    asked = request(*tests, env="env_test", max_steps=30)
    return asked.model_copy(update={"grader": asked.grader.playing(code)})


def test_an_agent_plays_an_uploaded_environment_beside_its_own_sandbox() -> None:
    seen: list[dict] = []

    def walk(observation: dict) -> int:
        seen.append(observation)
        return 1

    judgement = play(uploaded(code_of(GRID, "Grid"), {"seed": 1, "min_return": 1}, {"seed": 1, "min_return": 2}), walk)
    assert [result.verdict for result in judgement.tests] == ["accepted", "wrong_answer"]
    first, second = judgement.tests
    assert first.value == second.value == {"episode_return": 1.0, "episode_length": len(seen) // 2}
    assert seen[0]["place"] == 0
    assert [type(part) for part in seen[0].values()] == [int, list]
    refused = play(uploaded(code_of(GRID, "Grid"), {"seed": 1}), lambda _: 7)
    assert "the action 7 is not in Discrete(2)" in refused.tests[0].message


@pytest.mark.parametrize(
    ("how", "said"),
    [("raise", "step 3: env_test failed in step (exception): ValueError"), ("exit", "step 3: env_test failed in step")],
)
def test_an_uploaded_environment_that_fails_is_not_the_agents_fault(how: str, said: str) -> None:
    code = code_of(FAILING, "Failing")._replace(config={"how": how})
    (result,) = play(uploaded(code, {"seed": 1}), lambda _: 0).tests
    assert (result.verdict, result.points) == ("internal_error", 0)
    assert said in result.message


def test_an_uploaded_environment_that_cannot_start_says_so() -> None:
    code = code_of(GRID, "Grid")._replace(config={"size": 1})
    (result,) = play(uploaded(code, {"seed": 1}), lambda _: 0).tests
    assert result.verdict == "internal_error"
    assert "cannot be started" in result.message


def play_many(asked: EvaluationRequest, act: Callable[[list[int], list[Any]], Any]) -> Judgement:
    """Judge a program that answers a line of episodes and observations with ``act`` of both."""

    def converse(_: Program, execution: Execution) -> Outcome:
        partner = next(interactor for box in pool.opened for interactor in box.interactors[::-1])
        said = partner.begin()
        while said is not None:
            given = json.loads(said)
            if (actions := act(given["episodes"], given["observations"])) is None:
                break
            said = partner.reply(json.dumps(actions).encode())
        return exited()

    pool = ScriptedPool(converse)
    return Judge(pool).judge(asked, lambda _: None)


def test_many_episodes_are_played_side_by_side_with_a_line_for_each_step() -> None:
    steps: list[list[int]] = []

    def act(episodes: list[int], observations: list[Any]) -> list[int]:
        steps.append(episodes)
        seen = zip(episodes, observations, strict=True)
        return [number % 2 if number < 4 else balance(one) for number, one in seen]

    test = {"seed": 3, "episodes": 8, "min_return": 20}
    result = play_many(request(test, max_steps=60), act).tests[0]
    assert result.verdict == "accepted"
    assert steps[0] == list(range(8))
    assert steps[-1] == [4, 5, 6, 7], "an episode that is over has no further line"
    assert result.value["episode_lengths"][4:] == [60] * 4
    assert max(result.value["episode_lengths"][:4]) < 15
    alone = [play(request({"seed": 3 + n}, max_steps=60), lambda _, n=n: n % 2).tests[0].value for n in range(4)]
    assert result.value["episode_returns"][:4] == [one["episode_return"] for one in alone], "seeds follow the first"
    middle = sorted(result.value["episode_returns"])[2:6]
    assert result.value["episode_return"] == sum(middle) / 4
    low, high = result.value["interval"]
    assert low < result.value["episode_return"] < high


def test_the_interquartile_mean_has_to_reach_the_return() -> None:
    result = play_many(request({"episodes": 4, "min_return": 499}), lambda _, seen: [0 for _ in seen]).tests[0]
    assert result.verdict == "wrong_answer"
    assert "interquartile mean of 4 returns" in (result.message or "")
    assert "at least 499 is asked" in (result.message or "")


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([0, 1, 2], "episode 3, step 1: the action 2 is not in Discrete(2)"),
        ([0, "x", 1], 'episode 2, step 1: the action "x" is not in Discrete(2)'),
        ([0, 1], "a list of 3 actions is asked"),
        (1, "a list of 3 actions is asked"),
        (None, "the program ended while 3 of 3 episodes were on"),
    ],
)
def test_wrong_actions_of_many_episodes_are_reported_with_episode_and_step(actions: Any, message: str) -> None:
    result = play_many(request({"episodes": 3}), lambda *_: actions).tests[0]
    assert result.verdict == "wrong_answer"
    assert message in (result.message or "")


def test_many_episodes_of_an_uploaded_environment_share_one_sandbox() -> None:
    lines: list[list[int]] = []

    def act(episodes: list[int], observations: list[Any]) -> list[int]:
        lines.append(episodes)
        return [1 for _ in observations]

    (result,) = play_many(uploaded(code_of(GRID, "Grid"), {"seed": 1, "episodes": 6, "min_return": 1}), act).tests
    assert result.verdict == "accepted"
    assert result.value["episode_returns"] == [1.0] * 6
    lengths = result.value["episode_lengths"]
    alone = [play(uploaded(code_of(GRID, "Grid"), {"seed": 1 + n}), lambda _: 1).tests[0].value for n in range(6)]
    assert lengths == [one["episode_length"] for one in alone], "seeds follow the first"
    assert [len(line) for line in lines] == [sum(length > step for length in lengths) for step in range(max(lengths))]


def test_an_uploaded_environment_that_fails_in_one_of_many_episodes_is_not_the_agents_fault() -> None:
    code = code_of(FAILING, "Failing")._replace(config={"how": "raise"})
    (result,) = play_many(uploaded(code, {"seed": 0, "episodes": 3}), lambda _, seen: [0 for _ in seen]).tests
    assert result.verdict == "internal_error"
    assert "env_test failed in step (exception): ValueError" in result.message
