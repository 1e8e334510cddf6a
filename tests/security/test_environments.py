"""Hostile environments: they share a trainer's node, and may read, slow or forge nothing but their own rewards.

Each has a copy that attacks in its step. Whatever it does, the host keeps arrays that fit the spaces, and the copies of
another process are not disturbed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rlplatform.environments.sandboxed.docker_sessions import DockerSessions
from rlplatform.environments.sandboxed.faults import FaultLog
from rlplatform.environments.sandboxed.user_code import UserCode
from rlplatform.environments.sandboxed.vector_env import SandboxedVectorEnv
from rlplatform.sandbox.docker_engine import OWNER_LABEL, Engine
from rlplatform.sandbox.pool.docker_pool import DockerPool
from rlplatform.settings import SandboxSettings

pytestmark = pytest.mark.docker

SPACES = {
    "observation": {"kind": "box", "shape": [3], "dtype": "float32", "low": -1.0, "high": 1.0},
    "action": {"kind": "discrete", "n": 2, "start": 0},
}
BASE = '''
import ctypes, fcntl, mmap, os, signal, socket, sys, threading, time
import gymnasium as gym
import numpy as np

SPACE = gym.spaces.Box(-1, 1, (3,), np.float32)


class Hostile(gym.Env):
    observation_space = SPACE
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.seed, self.steps = seed, 0
        return np.zeros(3, np.float32), {}

    def step(self, action):
        self.steps += 1
        obs = np.full(3, 0.25, np.float32)
        if self.seed == 0 and self.steps == 2:
            found = attack(obs)
            obs = obs if found is None else found
        return obs, 1.0, False, False, {}

BREACH = np.full(3, 0.75, np.float32)


def tried(work):
    """What the host would see as a breach, unless the kernel refuses."""
    try:
        return BREACH if work() else None
    except OSError:
        return None
'''
ATTACKS = {
    "shrink the shared memory": ("tried(lambda: os.ftruncate(4, 0) is None)", None),
    "grow the shared memory": ("tried(lambda: os.ftruncate(4, 1 << 30) is None)", None),
    "seal the shared memory": ("tried(lambda: fcntl.fcntl(4, 1033, 8) is not None)", None),
    "punch a hole into the shared memory": ("hole()", None),
    "fill the shared memory while the host reads": ("racing()", ("invalid", "malformed", "exception")),
    "answer before the step is done": (
        "[os.write(fd, b'.' * 100) for fd in range(5, 9) if fd_open(fd)] and None",
        ("crash",),
    ),
    "end its parent": ("tried(lambda: os.kill(1, signal.SIGKILL) is None and False)", None),
    "connect to the host": (
        "tried(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect('/s/s') is None)",
        None,
    ),
    "reach the network": ("tried(lambda: socket.create_connection(('1.1.1.1', 53), 0.5))", None),
    "read secrets of the environment": (
        "BREACH if any('RLP' in name or 'AWS' in name for name in os.environ) else None",
        None,
    ),
    "see files of the host": (
        "tried(lambda: any(os.path.exists(p) for p in ('/work', '/root/.ssh', '/var/run/docker.sock')))",
        None,
    ),
    "leave processes behind": ("spawn()", ("crash", "hang", None)),
    "take all memory": ("[bytearray(os.urandom(1 << 20)) for _ in range(3000)]", ("memory", "exception")),
    "never answer": ("time.sleep(100)", ("hang",)),
    "flood stderr": ("flood()", None),
}
TOOLS = """

def fd_open(fd):
    try:
        os.fstat(fd)
        return True
    except OSError:
        return False


def hole():
    libc = ctypes.CDLL(None, use_errno=True)
    libc.fallocate(4, 3, ctypes.c_long(0), ctypes.c_long(1 << 16))


def racing():
    memory = mmap.mmap(4, 0)
    def write():
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            memory[:] = os.urandom(len(memory))
    threading.Thread(target=write, daemon=True).start()


def spawn():
    for _ in range(10):
        if not os.fork():
            while True:
                pass


def flood():
    for _ in range(2000):
        os.write(2, b"x" * 1000)


def attack(obs):
    return ATTACK
"""


@pytest.fixture(scope="module")
def sessions(docker_pool: DockerPool, sandbox_state: Path) -> Iterator[DockerSessions]:
    settings = SandboxSettings(state_dir=sandbox_state)
    source = DockerSessions(settings)
    yield source
    owner = source.owner
    source.close()
    engine = Engine(settings.docker_host)
    try:
        deadline = time.monotonic() + 15
        while (left := engine.list(**{OWNER_LABEL: owner})) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert not left
    finally:
        engine.close()


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_gains_nothing(sessions: DockerSessions, attack: str) -> None:
    expression, kinds = ATTACKS[attack]
    text = BASE + TOOLS.replace("ATTACK", expression)
    code = UserCode(
        "env_hostile", "environment", {"mine.py": text.encode()}, "mine:Hostile", memory_mib=128, spaces=SPACES
    )
    faults = FaultLog(1000)
    envs = SandboxedVectorEnv(sessions.open, code, {}, range(4), 8, faults, copies=2, step_s=3.0)
    began = time.monotonic()
    try:
        envs.reset()
        for number in range(1, 13):
            step = envs.step(np.zeros(4, np.int64))
            assert np.isfinite(step.obs).all()
            assert np.isfinite(step.rewards).all()
            assert not (step.obs == 0.75).all(axis=1).any(), "the attack got through"
            others = step.obs[2:]
            assert (others == (0.0 if number == 9 else 0.25)).all(), "copies of another process are disturbed"
            assert (step.truncated[2:] == (number == 8)).all()
    finally:
        envs.close()
    assert time.monotonic() - began < 60
    seen = {fault.kind for fault in faults.pop()}
    if kinds is None:
        assert seen == set()
    else:
        assert seen <= set(kinds)
        assert seen or None in kinds or attack.startswith("fill")
