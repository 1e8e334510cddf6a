"""Users' environments, stepped by the real driver in a process of this machine in place of a container."""

import inspect
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from gymnasium.envs.classic_control import cartpole
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from rlplatform.environments.backends.flattening import flatten
from rlplatform.environments.sandboxed.faults import FaultLog
from rlplatform.environments.sandboxed.guest.spaces import describe
from rlplatform.environments.sandboxed.user_code import UserCode
from rlplatform.environments.sandboxed.vector_env import SandboxedVectorEnv
from rlplatform.errors import EngineError, InvalidRequest, SandboxUnavailable
from rlplatform.testing.sessions import LocalSessions
from tests.unit.environments.sandboxed.environments import DRAWN, FAILING, GRID

Make = Callable[..., SandboxedVectorEnv]


def code_of(text: str, name: str) -> UserCode:
    names: dict[str, object] = {}
    exec(text, names)
    env = names[name]()  # type: ignore[operator]
    spaces = {"observation": describe(env.observation_space), "action": describe(env.action_space)}
    return UserCode("env_test", "environment", {"mine.py": text.encode()}, f"mine:{name}", spaces=spaces)


@pytest.fixture
def sessions() -> Iterator[LocalSessions]:
    sessions = LocalSessions()
    yield sessions
    sessions.close()


@pytest.fixture
def make(sessions: LocalSessions) -> Iterator[Make]:
    made: list[SandboxedVectorEnv] = []

    def make(code: UserCode, seeds: object, limit: int | None = None, **options: object) -> SandboxedVectorEnv:
        faults = options.pop("faults", FaultLog(100))
        config = options.pop("config", {})
        made.append(SandboxedVectorEnv(sessions.open, code, config, seeds, limit, faults, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for env in made:
        env.close()


def test_episodes_equal_those_of_gymnasium_in_one_process_or_several(make: Make) -> None:
    code = code_of(inspect.getsource(cartpole), "CartPoleEnv")
    envs = make(code, [3, 4, 5], copies=2)
    theirs = SyncVectorEnv([cartpole.CartPoleEnv] * 3, autoreset_mode=AutoresetMode.NEXT_STEP)
    assert envs.describe()["processes"] == 2
    np.testing.assert_array_equal(envs.reset(), theirs.reset(seed=[3, 4, 5])[0])
    actions = np.random.default_rng(0).integers(0, 2, (100, 3))
    for action in actions:
        step = envs.step(action)
        obs, rewards, terminated, truncated, _ = theirs.step(action)
        np.testing.assert_array_equal(step.obs, obs)
        np.testing.assert_array_equal(step.terminated, terminated)
        np.testing.assert_array_equal(step.truncated, truncated)
        np.testing.assert_array_equal(step.rewards, rewards)


def test_observations_of_several_parts_become_one_vector(make: Make) -> None:
    envs = flatten(make(code_of(GRID, "Grid"), [0, 1]), "env_test")
    obs = envs.reset()
    assert obs.shape == (2, 7)
    np.testing.assert_array_equal(obs[:, :5], np.eye(5)[[0, 0]])
    step = envs.step(np.array([1, 1]))
    np.testing.assert_array_equal(step.obs[:, :5], np.eye(5)[[1, 1]])
    assert envs.describe()["files_sha256"]


def test_the_time_limit_is_kept_outside(make: Make) -> None:
    envs = make(code_of(FAILING, "Failing"), [5], 4)
    envs.reset()
    steps = [envs.step(np.array([0])) for _ in range(6)]
    assert [bool(step.truncated[0]) for step in steps] == [False, False, False, True, False, False]
    assert [float(step.rewards[0]) for step in steps] == [1, 1, 1, 1, 0, 1]


@pytest.mark.parametrize(
    ("how", "kind", "said", "others"),
    [
        ("raise", "exception", "mine.py, line 3", False),
        ("sys.exit", "exception", "SystemExit", False),
        ("nan", "invalid", "an observation is not finite", False),
        ("infinite reward", "invalid", "the reward is not finite", False),
        ("shape", "malformed", "has shape (4,); its space says (3,)", False),
        ("four values", "malformed", "step() returned 4 values", False),
        ("crash", "crash", "exit status", True),
        ("exit", "crash", "exit status 3", True),
        ("hang", "hang", "no answer within", True),
        ("forged answer", "crash", "wrote to the channel", True),
    ],
)
def test_a_failing_copy_is_an_event_and_a_truncation(make: Make, how: str, kind: str, said: str, others: bool) -> None:
    faults = FaultLog(10)
    options = {"step_s": 0.5} if how == "hang" else {}
    envs = make(code_of(FAILING, "Failing"), [0, 1, 2], config={"how": how}, faults=faults, **options)
    envs.reset()
    steps = [envs.step(np.zeros(3, np.int64)) for _ in range(5)]
    failed = [0, 1, 2] if others else [1]
    assert [list(np.flatnonzero(step.truncated)) for step in steps] == [[], [], failed, [], []]
    assert steps[2].rewards[1] == 0
    for step in steps:
        assert np.isfinite(step.obs).all()
        assert np.isfinite(step.rewards).all()
        assert not step.terminated.any()
    assert (steps[3].obs[failed] == 0).all()  # it begins again
    assert (steps[4].obs == 0.5).all()
    (fault,) = faults.pop()
    assert (fault.source, fault.kind, fault.count) == ("env_test", kind, len(failed))
    assert said in fault.message
    assert faults.total == len(failed)


def test_a_reset_that_raises_is_tried_again_and_makes_no_episode(make: Make) -> None:
    faults = FaultLog(10)
    envs = make(code_of(FAILING, "Failing"), [0, 1], config={"how": "reset"}, faults=faults)
    envs.reset()
    steps = [envs.step(np.zeros(2, np.int64)) for _ in range(5)]
    assert [bool(step.terminated[1]) for step in steps] == [False, False, True, False, False]
    assert not any(step.truncated.any() for step in steps)
    (fault,) = faults.pop()
    assert "no second episode" in fault.message


def test_more_faults_than_the_budget_end_it_with_the_last_one(make: Make) -> None:
    envs = make(code_of(FAILING, "Failing"), [1], config={"how": "raise", "at": 1}, faults=FaultLog(0))
    envs.reset()
    with pytest.raises(EngineError, match=r"env_test failed 1 times; max_environment_faults is 0.*it fails here"):
        envs.step(np.zeros(1, np.int64))


def test_an_environment_that_cannot_be_made_says_why(make: Make) -> None:
    envs = make(code_of(FAILING, "Failing"), [1], config={"unknown": 1})
    with pytest.raises(EngineError, match=r"(?s)cannot be started.*unexpected keyword argument 'unknown'"):
        envs.reset()


def test_other_spaces_than_those_of_the_contract_are_refused(make: Make) -> None:
    envs = make(code_of(GRID, "Grid"), [1], config={"size": 7})
    with pytest.raises(EngineError, match="its spaces are "):
        envs.reset()


def test_without_a_sandbox_nothing_runs() -> None:
    code = code_of(GRID, "Grid")
    envs = SandboxedVectorEnv(LocalSessions("no Docker engine").open, code, {}, [0], None, FaultLog(0))
    with pytest.raises(SandboxUnavailable, match="no Docker engine"):
        envs.reset()


def test_a_copy_is_drawn_as_it_stands_and_says_its_pace(make: Make) -> None:
    envs = make(code_of(DRAWN, "Grid"), [0, 1, 2], copies=2, rendered=True)
    assert envs.frames_per_s == 12
    envs.reset()
    envs.step(np.array([0, 0, 1]))
    for place, column in ((0, 0), (1, 0), (2, 1)):
        picture = envs.frame(place)
        assert picture is not None
        assert (picture.shape, picture.dtype) == ((40, 50, 3), np.uint8)
        assert list(np.unique(np.flatnonzero(picture[0, :, 0]) // 10)) == [column]
    envs.step(np.array([1, 1, 1]))  # drawing has not disturbed it


def test_an_environment_without_pictures_gives_none(make: Make) -> None:
    envs = make(code_of(GRID, "Grid"), [0], rendered=True)
    envs.reset()
    assert (envs.frames_per_s, envs.frame(0)) == (None, None)
    not_asked = make(code_of(DRAWN, "Grid"), [0])
    not_asked.reset()
    assert not_asked.frame(0) is None


@pytest.mark.parametrize(
    ("mistake", "said"),
    [("raise", "ValueError: no brush"), ("floats", "numbers of uint8"), ("grey", r"shape \(40, 50\)")],
)
def test_a_picture_that_is_none_is_refused_with_the_reason(make: Make, mistake: str, said: str) -> None:
    envs = make(code_of(DRAWN.replace("mistake = None", f"mistake = {mistake!r}"), "Grid"), [0], rendered=True)
    envs.reset()
    with pytest.raises(InvalidRequest, match=said):
        envs.frame(0)
