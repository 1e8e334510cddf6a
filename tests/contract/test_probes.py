"""Environments are probed in a process of their own, whatever their code does there."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from rlplatform.clock import SystemClock
from rlplatform.environments.facts import MAX_CONFIG_BYTES, EnvironmentProbes
from rlplatform.errors import InvalidRequest, UnknownName
from rlplatform.probing.prober import Prober
from rlplatform.testing.probes import InlineProbes

pytestmark = pytest.mark.anyio

HOSTILE = """
import ctypes, os, signal, subprocess, sys, time
from pathlib import Path

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec


class Hostile(gym.Env):
    observation_space, action_space = spaces.Box(-1, 1, (3,)), spaces.Discrete(2)

    def __init__(self, does="nothing", mark=None, also=None):
        if mark:
            with Path(mark).open("a") as file:
                file.write("made")
        if does == "hang":
            time.sleep(600)
        if does == "spin":
            while True:
                pass
        if does == "exit":
            sys.exit(3)
        if does == "quit":
            os._exit(3)
        if does == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if does == "eat":
            self.held = np.ones((1 << 32) // 8)
        if does == "print":
            print("{}" * 100_000)
            print("oops", file=sys.stderr)
        if does == "interrupt":
            raise KeyboardInterrupt
        if does == "generator":
            raise GeneratorExit
        if does == "raise":
            raise ValueError("no such level")
        if does == "child":
            Path(mark).write_text(str(subprocess.Popen(["sleep", "600"]).pid))
        if does == "close_all":
            os.closerange(0, 1000)

    def reset(self, *, seed=None, options=None):
        return np.zeros(3, np.float32), {}

    def step(self, action):
        return np.zeros(3, np.float32), 0.0, False, False, {}


gym.registry["Hostile-v0"] = EnvSpec("Hostile-v0", Hostile)

from rlplatform.probing import worker as probe_worker

probe_worker.main()
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def prober(anyio_backend: str, tmp_path: Path) -> AsyncIterator[Prober]:
    """A prober that knows an environment which does what its arguments say."""
    worker = tmp_path / "worker.py"
    worker.write_text(HOSTILE)
    made = Prober(SystemClock(), cpu_s=2, wall_s=3.0, memory_mib=256, worker=(sys.executable, str(worker)))
    yield made
    await made.close()


@pytest.fixture(params=["inline", "process"])
async def probes(anyio_backend: str, request: pytest.FixtureRequest) -> AsyncIterator[EnvironmentProbes]:
    made: EnvironmentProbes = InlineProbes() if request.param == "inline" else Prober(SystemClock())
    yield made
    await made.close()


async def test_the_facts_of_environments(probes: EnvironmentProbes) -> None:
    cart_pole = await probes.facts("CartPole-v1", {})
    assert (cart_pole.image, cart_pole.observation_bytes, cart_pole.box_actions) == (False, 16, False)
    assert cart_pole.max_episode_steps == 500
    assert (await probes.facts("Pendulum-v1", {"g": 9.0})).box_actions
    assert (await probes.facts("Pong-v5", {})).image


async def test_an_unknown_environment_is_refused_with_a_hint(probes: EnvironmentProbes) -> None:
    for ask in (probes.facts("CartPol-v1", {}), probes.check_known("CartPol-v1", {})):
        with pytest.raises(UnknownName) as refused:
            await ask
        assert "CartPole-v1" in refused.value.extra["did_you_mean"]
        assert refused.value.extra["field"] == "env"
    with pytest.raises(InvalidRequest) as unplayable:
        await probes.check_episodes("CartPol-v1")
    assert unplayable.value.extra["field"] == "grader.env"
    await probes.check_known("CartPole-v1", {})
    await probes.check_episodes("CartPole-v1")


@pytest.mark.parametrize(
    ("env_config", "why"),
    [
        ({"desc": ["F" * 350] * 350}, "bytes as JSON"),
        ({"a": "é" * (MAX_CONFIG_BYTES // 2)}, "bytes as JSON"),
        ({"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": [1]}}}}}}}}, "levels deep"),
    ],
)
async def test_an_env_config_out_of_proportion_is_refused(
    probes: EnvironmentProbes, env_config: dict[str, Any], why: str
) -> None:
    for ask in (probes.facts("FrozenLake-v1", env_config), probes.check_known("FrozenLake-v1", env_config)):
        with pytest.raises(InvalidRequest, match=why) as refused:
            await ask
        assert refused.value.extra["field"] == "env_config"


@pytest.mark.parametrize(
    ("does", "why"),
    [
        ("exit", "SystemExit: 3"),
        ("quit", "exit status 3"),
        ("crash", "SIGSEGV"),
        ("eat", "more than 256 MiB of memory"),
        ("interrupt", "KeyboardInterrupt"),
        ("generator", "GeneratorExit"),
        ("raise", "no such level"),
        ("spin", "more than 2 s of CPU time"),
        ("hang", "longer than 3 s"),
        ("close_all", "exit status"),
    ],
)
async def test_what_an_environment_does_is_a_refusal(prober: Prober, does: str, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as refused:
        await prober.facts("Hostile-v0", {"does": does})
    assert refused.value.extra["field"] in ("env", "env_config", "env_config.does")
    assert (await prober.facts("Hostile-v0", {})).observation_bytes == 12, "and the next probe is well"


async def test_an_environment_may_print(prober: Prober) -> None:
    assert (await prober.facts("Hostile-v0", {"does": "print"})).observation_bytes == 12


async def test_what_an_environment_starts_ends_with_its_probe(prober: Prober, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    await prober.facts("Hostile-v0", {"does": "child", "mark": str(mark)})
    child = Path("/proc") / mark.read_text() / "status"
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and child.exists() and "Z (zombie)" not in child.read_text():
        await asyncio.sleep(0.05)
    assert not child.exists() or "Z (zombie)" in child.read_text()


async def test_equal_probes_are_one_and_are_remembered(prober: Prober, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    asked = [prober.facts("Hostile-v0", {"mark": str(mark), "also": 1}, tenant) for tenant in "abcdef"]
    assert len({facts.model_dump_json() for facts in await asyncio.gather(*asked)}) == 1
    await prober.facts("Hostile-v0", {"also": 1, "mark": str(mark)})
    assert mark.read_text() == "made"


async def test_the_slow_probes_of_a_tenant_delay_nobody_else(prober: Prober) -> None:
    slow = [
        asyncio.ensure_future(prober.facts("Hostile-v0", {"does": "hang", "also": number}, "slow"))
        for number in range(6)
    ]
    await prober.facts("Hostile-v0", {}, "quick")
    began = time.monotonic()
    await prober.facts("Hostile-v0", {"also": "another"}, "quick")
    assert time.monotonic() - began < 1.0
    assert not any(task.done() for task in slow)
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def test_a_worker_that_was_killed_is_replaced(prober: Prober) -> None:
    await prober.facts("Hostile-v0", {})
    worker = prober.worker_pid
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    for _ in range(100):
        with suppress(Exception):
            assert (await prober.facts("Hostile-v0", {"also": 2})).observation_bytes == 12
            break
        await asyncio.sleep(0.05)
    assert prober.worker_pid not in (None, worker)


async def test_a_worker_ends_with_its_prober(prober: Prober) -> None:
    await prober.warm_up()
    worker = prober.worker_pid
    assert worker is not None
    await prober.close()
    assert not Path(f"/proc/{worker}").exists()
