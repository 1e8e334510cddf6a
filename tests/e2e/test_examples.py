"""The examples, run as a user runs them: with the client's packages alone, against a running platform."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import docker
import pytest

from rlplatform.examples.__main__ import EXAMPLES
from tests.conftest import Missing
from tests.e2e.platform import RunningPlatform, descendants
from tests.unit.test_bare_install import ROOT, bare_environment

pytestmark = [pytest.mark.e2e, pytest.mark.ray, pytest.mark.docker, pytest.mark.timeout(240)]

Run = Callable[[str], str]


@pytest.fixture(scope="module", autouse=True)
def _engine(missing: Missing) -> None:
    try:
        docker.from_env().ping()
    except docker.errors.DockerException as error:
        missing(f"no Docker engine: {error}")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the client alone: no Ray, no torch, no NumPy."""
    python, packages = bare_environment(tmp_path_factory.mktemp("bare"))
    (packages / "rlplatform").symlink_to(ROOT / "rlplatform")
    return python


def start(python: Path, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start ``python -m rlplatform.examples`` in ``folder``, where it finds address and key of the platform."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RLP_")}
    return subprocess.Popen(
        [str(python), "-I", "-u", "-m", "rlplatform.examples", *arguments],
        cwd=folder,
        env=inherited,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def run(python: Path, platform: RunningPlatform) -> Run:
    """Run an example to its end; return what it printed."""

    def run(name: str) -> str:
        output, _ = (process := start(python, platform.folder, name)).communicate(timeout=120)
        assert process.returncode == 0, output
        return output

    return run


def test_judge_prints_the_verdict_of_every_test(run: Run) -> None:
    wrong, right, _ = run("judge").split("\n\n")
    assert re.search(r"discounted +wrong_answer +0 points +\S", wrong)
    assert "wrong_answer: 3 of 4 points" in wrong
    assert right.count("accepted ") == 3
    assert "accepted: 4 of 4 points" in right


def test_train_follows_a_training_to_its_evaluation(run: Run) -> None:
    output = run("train")
    returns = [float(found) for found in re.findall(r"mean return +([\d.]+)", output)]
    assert len(returns) >= 2
    assert returns[-1] > returns[0]
    assert re.search(r"saved ckpt_\w+", output)
    assert re.search(r"evaluation over 20 episodes: [\d.]+ ± [\d.]+", output)
    assert "succeeded: env_steps" in output


def test_resume_continues_after_its_own_death_and_the_trainers(python: Path, platform: RunningPlatform) -> None:
    state = platform.folder / "resume-example.json"
    first = start(python, platform.folder, "resume")
    assert first.stdout is not None
    followed = first.stdout.readline()
    training_id = re.findall(r"train_\w+", followed)[0]
    assert "after event 0" in followed
    assert "saved at" in first.stdout.readline()
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert state.exists()
    trainers = [pid for pid in descendants(platform.process.pid) if command(pid).startswith("ray::Trainer")]
    assert trainers
    for pid in trainers:
        os.kill(pid, signal.SIGKILL)

    second = start(python, platform.folder, "resume")
    output, _ = second.communicate(timeout=120)
    assert second.returncode == 0, output
    assert re.search(rf"following {training_id} after event [1-9]", output)
    assert "interrupted: " in output
    assert re.search(r"recovered from ckpt_\w+ at [\d,]+ steps", output)
    assert re.search(r"succeeded after [\d,]+ steps and 1 restarts", output)
    assert not state.exists()


def command(pid: int) -> str:
    """Return the command of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def test_sweep_ranks_the_learning_rates(run: Run) -> None:
    *_, best, worst = run("sweep").strip().splitlines()
    assert best.split()[0] == "0.001"
    assert worst.split()[0] == "3e-05"
    assert float(best.split()[1]) > float(worst.split()[1])
    assert best.split()[2] == worst.split()[2] == "2"


def test_policy_balances_poles_over_http(run: Run, platform: RunningPlatform) -> None:
    output = run("policy")
    standing, poles, steps = map(int, re.findall(r"(\d+) of (\d+) poles stand after (\d+) steps", output)[0])
    assert (poles, steps) == (8, 200)
    assert standing >= 6, "an untrained policy drops all of them within 60 steps"
    policy_id = re.findall(r"pol_\w+", output)[0]
    assert "has been deleted" in platform.http.get(f"/v1/policies/{policy_id}").json()["detail"]


def test_rewards_are_shares_of_the_points(run: Run) -> None:
    assert re.findall(r"^(\S+) ", run("rewards"), re.M) == ["1.00", "0.25", "0.00", "0.00"]


def test_every_example_has_a_test() -> None:
    source = Path(__file__).read_text()
    assert [name for name in EXAMPLES if f"def test_{name}_" not in source] == []


def test_without_a_name_they_are_listed(python: Path, tmp_path: Path) -> None:
    output, _ = start(python, tmp_path).communicate(timeout=60)
    assert [line.split()[0] for line in output.splitlines()] == list(EXAMPLES)
    assert all(line.split()[1:] for line in output.splitlines())


def test_without_a_platform_they_say_how_to_name_one(python: Path, tmp_path: Path) -> None:
    process = start(python, tmp_path, "judge")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output.startswith("error: no platform to talk to: give its address, set RLP_URL")
