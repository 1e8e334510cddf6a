"""Images of the platform. The default has NumPy and Gymnasium, preloaded; *python* has the standard library alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from rlplatform.sandbox.docker_engine import Engine
from rlplatform.sandbox.images import builder
from rlplatform.sandbox.models import Execution, Flavour, Limits, OutcomeKind, Program, Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool

pytestmark = pytest.mark.docker

EPISODE = b"""
import sys
preloaded = "numpy" in sys.modules and "gymnasium" in sys.modules
import gymnasium as gym
import numpy as np
env = gym.make("CartPole-v1")
observation, _ = env.reset(seed=1)
total = 0.0
for _ in range(200):
    observation, reward, terminated, truncated, _ = env.step(int(observation[2] + observation[3] > 0))
    total += reward
    if terminated or truncated:
        break
print(preloaded, total, np.linalg.inv(np.eye(3)).sum())
"""


@pytest.fixture(scope="module")
def pool(make_pool) -> Iterator[DockerPool]:
    pool = make_pool("tests-images", warm=0)
    yield pool
    pool.close()


@pytest.mark.parametrize("tier", [Tier.SINGLE_USE, Tier.JAIL])
def test_an_episode_runs_with_preloaded_libraries(pool: DockerPool, tier: Tier) -> None:
    sandbox = pool.open(Program({"main.py": EPISODE}), Limits(), tier)
    outcome = sandbox.run(Execution(Limits()))
    sandbox.close()
    assert (outcome.kind, outcome.exit_code) == (OutcomeKind.EXITED, 0), outcome.stderr
    assert outcome.stdout == b"True 200.0 3.0\n"
    assert outcome.usage.cpu_time_s < 0.5
    assert outcome.usage.peak_memory_bytes < 64 << 20, "the libraries themselves do not count"


def test_numpys_random_numbers_differ_between_executions(pool: DockerPool) -> None:
    sandbox = pool.open(Program({"main.py": b"import numpy; print(numpy.random.rand())"}), Limits(), Tier.SINGLE_USE)
    drawn = {sandbox.run(Execution(Limits())).stdout for _ in range(3)}
    sandbox.close()
    assert len(drawn) == 3


def test_numpy_computes_with_one_process(pool: DockerPool) -> None:
    limits = Limits(processes=1)
    source = b"import numpy as np\na = np.ones((600, 600))\nprint((a @ a).sum(), np.linalg.svd(a[:50, :50])[1][0])"
    sandbox = pool.open(Program({"main.py": source}), limits, Tier.SINGLE_USE)
    outcome = sandbox.run(Execution(limits))
    sandbox.close()
    assert (outcome.kind, outcome.exit_code) == (OutcomeKind.EXITED, 0), outcome.stderr
    assert outcome.stdout.split()[0] == b"216000000.0"


def test_memory_is_counted_above_the_libraries(pool: DockerPool) -> None:
    limits = Limits(memory_mib=64)
    fits, too_much = b"import numpy as np\nprint(np.ones(5 << 20).sum())", b"import numpy as np\nnp.ones(9 << 20)"
    sandbox = pool.open(Program({"main.py": fits}), limits, Tier.SINGLE_USE)
    outcome = sandbox.run(Execution(limits))
    sandbox.close()
    assert outcome.stdout == b"5242880.0\n", outcome
    assert 40 << 20 < outcome.usage.peak_memory_bytes < 56 << 20
    sandbox = pool.open(Program({"main.py": too_much}), limits, Tier.SINGLE_USE)
    assert sandbox.run(Execution(limits)).kind is OutcomeKind.MEMORY_EXCEEDED
    sandbox.close()


@pytest.mark.parametrize("tier", [Tier.SINGLE_USE, Tier.JAIL])
def test_an_image_has_its_own_packages_and_its_own_digest(pool: DockerPool, tier: Tier) -> None:
    source = b"import importlib.util\nprint(importlib.util.find_spec('numpy') is not None)"
    found = {}
    for image in ("python", "python-rl", "python"):
        sandbox = pool.open(Program({"main.py": source}), Limits(), tier, image=image)
        found[image] = (sandbox.run(Execution(Limits())).stdout, sandbox.info.image_digest)
        assert sandbox.info.image == image
        sandbox.close()
    assert {image: stdout for image, (stdout, _) in found.items()} == {"python": b"False\n", "python-rl": b"True\n"}
    digests = {image.name: image.digest for image in pool.status().images}
    assert {image: digest for image, (_, digest) in found.items()} == {
        image: digests[image] for image in ("python", "python-rl")
    }


LEARNING = b"""
import sys, torch
preloaded = "torch._dynamo" in sys.modules
layer = torch.nn.Linear(4, 2)
optimizer = torch.optim.Adam(layer.parameters())
layer(torch.randn(8, 4)).pow(2).mean().backward()
optimizer.step()
print(preloaded, torch.ones(64, 64).matmul(torch.ones(64, 64)).sum().item(), torch.get_num_threads())
"""


@pytest.mark.chaos  # the image takes a minute and 1 GB
@pytest.mark.timeout(600)
def test_pytorch_learns_in_an_image_of_its_own(docker_pool: DockerPool, make_pool: Callable[..., DockerPool]) -> None:
    with closing(Engine(timeout_s=600)) as engine:
        builder.build(engine, Flavour.PYTHON_TORCH, lambda _: None)
    limits = Limits(memory_mib=128, wall_time_s=20)
    with closing(make_pool("tests-torch", warm=0)) as pool:
        for tier in (Tier.SINGLE_USE, Tier.JAIL):
            sandbox = pool.open(Program({"main.py": LEARNING}), limits, tier, image="python-torch")
            outcome = sandbox.run(Execution(limits))
            sandbox.close()
            assert (outcome.kind, outcome.stderr) == (OutcomeKind.EXITED, b"")
            assert outcome.stdout == b"True 262144.0 1\n"
            assert outcome.usage.cpu_time_s < 0.5
