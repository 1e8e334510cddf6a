"""A platform whose parts a test kills, with a training and a stream of evaluations going on in it."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker
import httpx2 as httpx

from rlplatform.sandbox.docker_engine import STATE_LABEL
from tests.chaos import invariants, processes
from tests.chaos.clients import Feeder, Follower
from tests.chaos.invariants import Log, Told
from tests.chaos.probe import Actor, Probe
from tests.e2e.platform import RunningPlatform, launch
from tests.waiting import comes_true

ENDLESS = 10**12
SERVE = re.compile(r"Serve|Proxy|HAProxy")
KEPT = re.compile(r"store_server|store_relay|supervisor|evaluator:\w+|warm_trainer:\w+")
PPO: dict[str, Any] = {
    "env": "CartPole-v1",
    "hyperparameters": {"n_steps": 256, "batch_size": 256, "n_epochs": 10},
    "resources": {"num_envs_per_env_runner": 8},
    "stop": {"env_steps": ENDLESS},
    "checkpoint": {"every_iterations": 10},
    "evaluation": {"episodes": 1},
}


class Rig:
    """``rlp serve`` in ``folder``, started and killed at will; everything that it starts carries ``mark``.

    :param within: a command to start it with, on the Ray cluster at ``address``.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], with_timeout: Sequence[str] = (), address: str | None = None
    ) -> None:
        self.folder = folder
        self._within, self._address = with_timeout, address
        self.mark = uuid4().hex
        self._environment = {**environment, processes.MARK: self.mark}
        self._port: int | None = None
        self.platform: RunningPlatform | None = None
        self.local: dict[str, str] = {}
        self._probe: Probe | None = None
        self._left: set[str] = set()

    # -- its life ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it; again: at the same address, on what is stored."""
        (self.folder / ".rlp" / "local.json").unlink(missing_ok=True)  # of one that was killed
        self.platform = launch(self.folder, self._environment, self._port, self._within)
        self.platform.wait_until_ready()
        self.local = self.platform.local
        self._port = int(self.local["url"].rpartition(":")[2])
        self.await_true(lambda: not self._left & set(self.containers()), 30, "containers of before are gone")

    @property
    def probe(self) -> Probe:
        if self._probe is None and self._address:
            self._probe = Probe(self._address, self._within, {"RAY_AUTH_MODE": "disabled"})
        if self._probe is None:
            raylets = {
                found[1]: pid
                for pid in processes.marked(self.mark)
                if (found := re.search(r"raylet .*--gcs-address=(\S+)", processes.command(pid)))
            }
            ((address, raylet),) = raylets.items()
            environment = processes.environment(raylet, "RAY_AUTH")
            environment |= processes.environment(raylet, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER")  # loopback alone
            self._probe = Probe(address, environment=environment)
        return self._probe

    def kill_everything(self) -> None:
        """SIGKILL of every process at once; containers go by themselves."""
        self._forget_probe()
        assert self.platform is not None
        pids = processes.marked(self.mark)
        processes.kill(pids)
        self.platform.process.wait(10)
        processes.kill(processes.marked(self.mark))  # what was being started
        assert not processes.await_gone(pids)
        self.await_true(lambda: not self.containers(all=False), 30, "no container runs")
        self._left = set(self.containers())  # those that were being made: the next start removes them

    def stop(self) -> None:
        """SIGTERM, and nothing may be left."""
        self._forget_probe()
        if self.platform is None:
            return
        if self.platform.process.poll() is None:
            assert self.platform.stop() == 0, self.platform.log.read_text()
        left = processes.await_gone(processes.marked(self.mark))
        assert not left, [processes.command(pid) for pid in left]
        assert not self.containers()
        self.platform = None

    def close(self) -> None:
        """Whatever happened: nothing is left."""
        self._forget_probe()
        processes.kill(processes.marked(self.mark))
        if self.platform is not None:
            self.platform.process.wait(10)
            self.platform.http.close()

    def _forget_probe(self) -> None:
        if self._probe is not None:
            self._probe.close()
            self._probe = None

    # -- what a user does ----------------------------------------------------------------------------------------------

    def connect(self) -> httpx.Client:
        """A client of its own, with the local key."""
        headers = {"Authorization": f"Bearer {self.local['api_key']}"}
        return httpx.Client(base_url=self.local["url"], headers=headers)

    def call(self, method: str, path: str, timeout_s: float = 60.0, **body: Any) -> dict[str, Any]:
        """The answer of a call, tried again while the platform cannot give one."""
        headers = {"Idempotency-Key": uuid4().hex} if method == "POST" else {}
        deadline = time.monotonic() + timeout_s
        told = ""
        with self.connect() as http:
            while time.monotonic() < deadline:
                try:
                    answer = http.request(method, path, json=body or None, headers=headers, timeout=10)
                except httpx.HTTPError as error:
                    told = str(error)
                else:
                    assert not 400 <= answer.status_code < 500, answer.text
                    told = answer.text
                    if answer.status_code < 300:
                        return dict(answer.json())
                time.sleep(0.1)
        raise AssertionError(f"{method} {path}: not within {timeout_s:g} s: {told}")

    def get(self, training: str) -> dict[str, Any]:
        return self.call("GET", f"/v1/trainings/{training}")

    def wait(self, training: str, reached: Callable[[dict[str, Any]], bool], timeout_s: float = 60) -> dict[str, Any]:
        """The training as soon as ``reached`` holds."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if reached(found := self.get(training)):
                return found
            time.sleep(0.1)
        raise AssertionError(f"not within {timeout_s:g} s: {found}")

    @staticmethod
    def await_true(check: Callable[[], bool], timeout_s: float, what: str) -> None:
        assert comes_true(check, timeout_s, every_s=0.1), f"not within {timeout_s:g} s: {what}"

    def stop_trainings(self) -> None:
        """Stop trainings that a failed test has left."""
        for training in self.call("GET", "/v1/trainings")["items"]:
            if training["state"] not in ("succeeded", "stopped", "failed"):
                self.call("POST", f"/v1/trainings/{training['id']}/stop")

    # -- what there is -------------------------------------------------------------------------------------------------

    def actors(self, cls: str, name: str = "") -> list[Actor]:
        """The living actors whose class and name match these regular expressions."""
        return [a for a in self.probe.actors() if re.search(cls, a.cls) and re.search(name, a.name)]

    def actor(self, cls: str, name: str = "") -> Actor:
        found = self.actors(cls, name)
        assert len(found) == 1, found or f"no {cls} {name} among {self.probe.actors()}"
        return found[0]

    def trainer(self, training: str) -> int:
        """The process that trains: the one that has the run folder open, else the one that uses the most CPU, of those
        that can be it; 0 if there is none."""
        own = [a.pid for a in self.actors("TrainerActor", f"trainer:{training}:")]
        candidates = own or [a.pid for a in self.actors("TrainerActor", "warm_trainer:")]
        candidates = [pid for pid in candidates if processes.holds(pid, f"/{training}/")] or candidates
        before = {pid: cpu_s(pid) for pid in candidates}
        time.sleep(0.5 if len(candidates) > 1 else 0)
        return max(candidates, key=lambda pid: cpu_s(pid) - before[pid], default=0)

    def containers(self, *, all: bool = True) -> list[str]:  # noqa: A002
        """Containers of this platform, dead or alive, or only those that run."""
        state = self._environment.get("RLP_SANDBOX__STATE_DIR", str(self.folder / "sandbox"))
        client = docker.from_env()
        try:
            labels = {"label": f"{STATE_LABEL}={state}"}
            return [c.name for c in client.containers.list(all=all, ignore_removed=True, filters=labels)]
        finally:
            client.close()

    @staticmethod
    def kill(*pids: int) -> None:
        """SIGKILL, at once."""
        processes.kill(pids)

    def logs(self) -> Mapping[str, Log]:
        """Return the logs of the store, read past the platform."""
        if url := self._environment.get("RLP_STORE__URL"):
            return invariants.read_redis(url)
        return invariants.read_sqlite(self.folder / ".rlp" / "platform.db")

    def nothing_is_left_of(self, training: str) -> None:
        """Check that nothing is left of a training that has ended, and of all that ended with it."""

        def clean() -> bool:
            found = self.probe.ask()
            ours = [Actor(*fields) for fields in found["actors"]]
            others = [a for a in ours if not SERVE.search(a.cls) and not KEPT.fullmatch(a.name)]
            return not others and not any(training in name for name in found["groups"])

        self.await_true(clean, 20, f"the actors and the placement group of {training} are gone")


class Scene:
    """A PPO session, one client that stays and one that comes back again and again, and a stream of evaluations."""

    def __init__(self, rig: Rig, *, warm_up: int = 12, **training: Any) -> None:
        self.rig = rig
        self.training = rig.call("POST", "/v1/trainings", **(PPO | training))["id"]
        stream = f"trainings/{self.training}"
        self.stays = Follower(rig.connect, stream)
        self.returns = Follower(rig.connect, stream, every=23)
        rig.wait(self.training, lambda now: now["progress"]["iteration"] >= warm_up, 90)
        self.feeder = Feeder(rig.connect)
        self.submits()

    def submits(self, programs: int = 3, timeout_s: float = 90) -> None:
        """Wait until so many further programs have been accepted for evaluation."""
        before, deadline = len(self.feeder.taken), time.monotonic() + timeout_s
        while len(self.feeder.taken) < before + programs:
            assert time.monotonic() < deadline, f"none is taken: {self.feeder.told}"
            time.sleep(0.1)

    def goes_on(self, iterations: int = 15, timeout_s: float = 60) -> None:
        """Wait until the client that stays has seen so many further iterations."""
        before = len(self.stays.seen)

        def further() -> bool:
            seen = self.stays.seen[before:]
            return sum(event["type"] == "training.iteration_completed" for event in seen) >= iterations

        self.rig.await_true(further, timeout_s, f"{iterations} further iterations")

    def end(self, end: str = "stopped", damaged: Sequence[str] = ()) -> Told:
        """Stop the training, let the evaluations end, and check everything; what the training's log tells."""
        if end == "stopped":
            self.rig.call("POST", f"/v1/trainings/{self.training}/stop")
        seen = [follower.finish(90) for follower in (self.stays, self.returns)]
        assert self.returns.connections > 2
        submitted = self.feeder.stop()
        self._await_evaluations(submitted)
        logs = self.rig.logs()
        log = logs[f"trainings/{self.training}"]
        told = invariants.check_training(log, end, damaged)
        for events in seen:
            invariants.check_client(events, log)
        for run_id in submitted:
            invariants.check_evaluation(logs[f"evaluations/{run_id}"])
        self.rig.nothing_is_left_of(self.training)
        return told

    def retried(self) -> int:
        """How many evaluations were tried again."""
        logs = self.rig.logs()
        mine = [logs[f"evaluations/{run_id}"] for run_id in self.feeder.taken]
        return sum(any(event["type"] == "evaluation.retried" for event in log) for log in mine)

    def _await_evaluations(self, submitted: Sequence[str]) -> None:
        def ended() -> bool:
            logs = self.rig.logs()
            return all(logs[f"evaluations/{run_id}"][-1]["type"] in invariants.FINAL for run_id in submitted)

        self.rig.await_true(ended, 90, "every evaluation has ended")


def cpu_s(pid: int) -> float:
    """Seconds of CPU time that a process has used; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(*command: str) -> str:
    """Run a command of the machine's; its output."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout
