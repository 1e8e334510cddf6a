"""A Ray cluster whose nodes are network namespaces on one machine: real ``ray start``, addresses of their own, and a
network between them that can be cut. Needs root. All of it has names of its own and goes with :meth:`Network.close`."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from cluster import ingress
from tests.chaos import processes
from tests.chaos.rig import run
from tests.e2e.platform import NOT_NICE

RAY = str(Path(sys.executable).with_name("ray"))
GCS_PORT = 6399
DASHBOARD_PORT = 8266
START_ATTEMPTS = 6
ALWAYS = (  # where its agents' ports are given, Ray does not end a node that has waited for them for 15 s
    "--block",
    *("--dashboard-agent-grpc-port", "52370", "--dashboard-agent-listen-port", "52365"),
    *("--runtime-env-agent-port", "52371", "--metrics-export-port", "52372"),
)
QUICK_TO_NOTICE = {
    "RAY_health_check_initial_delay_ms": "0",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "4",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",  # as deployed: a worker waits for its head, on a slow machine too
}


def possible() -> bool:
    """Return True if this machine lets us make network namespaces and join them."""
    name = f"rlpt{secrets.token_hex(3)}"
    try:
        run("ip", "netns", "add", name)
        run("nsenter", f"--net=/run/netns/{name}", "true")
        run("ip", "netns", "del", name)
    except (AssertionError, OSError):
        return False
    return True


class Node:
    """A network namespace with an address; ``with_timeout`` is the command that runs another in it."""

    def __init__(self, network: Network, number: int) -> None:
        self.name = f"{network.name}n{number}"
        self.address = f"{network.prefix}.{number}"
        self.with_timeout = ("nsenter", f"--net=/run/netns/{self.name}")
        self._network = network
        self._process: subprocess.Popen[bytes] | None = None
        self._log = network.folder_of_logs / f"{self.name}.log"
        link = f"{network.name}v{number}"
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        run("ip", "link", "set", link, "master", network.name, "up")
        for command in ("addr add {}/24 dev eth0", "link set eth0 up", "link set lo up", "route add default via {}"):
            value = network.host if "route" in command else self.address
            run("ip", "-n", self.name, *command.format(value).split())

    def start(self, *options: str, environment: Mapping[str, str], head: Node | None = None) -> None:
        """``ray start``; as a worker of ``head``, or as a head. Ray gives up after 30 s, whatever the load: then again.

        :raises AssertionError: it gives up every time.
        """
        for _ in range(START_ATTEMPTS):
            self._launch(*options, environment=environment, head=head)
            if self._has_joined():
                return
            self.kill()
        raise AssertionError(self._log.read_text()[-3000:])

    def _launch(self, *options: str, environment: Mapping[str, str], head: Node | None) -> None:
        temporary = self._network.folder.name
        role = (
            ["--address", f"{head.address}:{GCS_PORT}"]
            if head
            else [
                *("--head", "--port", str(GCS_PORT), "--temp-dir", temporary),
                *("--dashboard-host", self.address, "--dashboard-port", str(DASHBOARD_PORT)),
            ]
        )
        self._log.unlink(missing_ok=True)
        if head is None:  # our folders are every node's: what a worker has noted there is no head that runs here
            (self._network.folder_of_logs / "ray_current_cluster").unlink(missing_ok=True)
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [*self.with_timeout, RAY, "start", *role, "--node-ip-address", self.address, *ALWAYS, *options],
                env={
                    **clean_environment(),
                    **ingress.environment("proxy", Path()),
                    **NOT_NICE,
                    **QUICK_TO_NOTICE,
                    **environment,
                    processes.MARK: self._network.mark,
                },
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _has_joined(self) -> bool:
        """Wait for it; False: Ray gave up."""
        assert self._process is not None
        while "Ray runtime started" not in self._log.read_text():
            if self._process.poll() is not None:
                return False
            time.sleep(0.2)
        return True

    def await_port(self, port: int) -> None:
        """Wait until a program listens there."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(OSError):
                socket.create_connection((self.address, port), timeout=1).close()
                return
            time.sleep(0.2)
        raise AssertionError(f"{self.name} does not answer:\n{self._log.read_text()[-3000:]}")

    def pids(self) -> set[int]:
        """The living processes in it."""
        return {int(pid) for pid in run("ip", "netns", "pids", self.name).split() if processes.alive(int(pid))}

    def kill(self) -> None:
        """SIGKILL of everything that runs in it, as when its power goes."""
        pids = self.pids()
        processes.kill(pids)
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
        processes.await_gone(pids)


class Network:
    """A bridge at ``host``; nodes reach each other and the host, by addresses of a private block of their own."""

    def __init__(self) -> None:
        self.name = f"rlp{secrets.token_hex(3)}"
        self.mark = uuid4().hex
        self.prefix = f"10.213.{secrets.randbelow(254) + 1}"
        self.host = f"{self.prefix}.1"
        self.folder = tempfile.TemporaryDirectory(prefix="rlpr-", ignore_cleanup_errors=True)  # short: sockets
        self.folder_of_logs = Path(self.folder.name)
        self._nodes: list[Node] = []
        self._forward = ("FORWARD", "-i", self.name, "-o", self.name, "-j", "ACCEPT")
        run("ip", "link", "add", self.name, "type", "bridge")
        run("ip", "addr", "add", f"{self.host}/24", "dev", self.name)
        run("ip", "link", "set", self.name, "up")
        run("iptables", "-I", *self._forward)  # Docker's rules drop what is bridged, too

    def add(self) -> Node:
        self._nodes.append(Node(self, len(self._nodes) + 2))
        return self._nodes[-1]

    @staticmethod
    def cut(node: Node, others: Sequence[Node]) -> None:
        """Let nothing pass from ``node`` to ``others``; it still reaches the host."""
        for other in others:
            run("ip", "-n", node.name, "route", "add", "blackhole", f"{other.address}/32")

    @staticmethod
    def heal(node: Node, others: Sequence[Node]) -> None:
        for other in others:
            run("ip", "-n", node.name, "route", "del", "blackhole", f"{other.address}/32")

    def close(self) -> None:
        for node in self._nodes:
            node.kill()
        left = processes.marked(self.mark)
        processes.kill(left)
        processes.await_gone(left)
        for node in self._nodes:
            with suppress(AssertionError):
                run("ip", "netns", "del", node.name)
        with suppress(AssertionError):
            run("iptables", "-D", *self._forward)
        with suppress(AssertionError):
            run("ip", "link", "del", self.name)
        self.folder.cleanup()


def clean_environment() -> dict[str, str]:
    """Ours, without what is meant for another platform or another Ray."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RLP_", "RAY_"))}
    return {**inherited, "RAY_AUTH_MODE": "disabled"}
