"""A real Prometheus, with the shipped configuration, scrapes a real Ray: every expression of the dashboard and of the
alerts is understood, and those on our own metrics find what was reported."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

from rlplatform.free_ports import free_ports

OBSERVABILITY = Path(__file__).parents[2] / "cluster" / "observability"
pytestmark = [pytest.mark.ray, pytest.mark.e2e, pytest.mark.timeout(120)]


# A node that reports each metric of the table in README.md, once for each value that the table gives its label.
NODE = """
import json, sys, time
import ray
from ray.util.metrics import Counter, Gauge, Histogram

ray.init(address="local", num_cpus=1, dashboard_host="127.0.0.1", dashboard_port=int(sys.argv[1]), log_to_driver=False,
         logging_level="ERROR", _system_config={"metrics_report_interval_ms": 500})
idle = ray.remote(type("Idle", (), {})).options(num_cpus=0).remote()  # for the panel that counts actors
made = []
for name, kind, label, values in json.loads(sys.argv[2]):
    options = {"tag_keys": (label,)} if label else {}
    if kind == "counter":
        report = Counter(name, **options).inc
    elif kind == "gauge":
        report = Gauge(name, **options).set
    else:
        report = Histogram(name, boundaries=[0.1, 1.0, 10.0], **options).observe
    made += [(report, {label: value} if label else {}) for value in values or [None]]
print("ready", flush=True)
while True:
    for report, tags in made:
        report(0.5, tags)
    time.sleep(0.5)
"""


def table() -> list[tuple[str, str, str, list[str]]]:
    rows = []
    for line in (OBSERVABILITY / "README.md").read_text().splitlines():
        if line.startswith("| `"):
            names, kind, labels = line.split("|")[1:4]
            label, *values = re.findall(r"`(\w+)`", labels) or [""]
            rows += [(name, kind.strip(), label, values) for name in re.findall(r"`(\w+)`", names)]
    return rows


class Prometheus:
    """A running server."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, path: str, **parameters: str) -> Any:
        with urllib.request.urlopen(f"{self._url}{path}?{urllib.parse.urlencode(parameters)}", timeout=10) as answer:
            body = json.load(answer)
        assert body["status"] == "success"
        return body["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/api/v1/query", query=expression)["result"]
        return found


@pytest.fixture(scope="module")
def prometheus(missing: Callable[[str], NoReturn], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    if shutil.which("prometheus") is None:
        missing("no prometheus (Debian package prometheus)")
    folder = tmp_path_factory.mktemp("prometheus")
    port, dashboard = free_ports(2)
    token = folder / "ray_token"
    token.write_text("0123456789abcdef" * 4)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "HOME": str(folder)}
    node = [sys.executable, "-c", NODE, str(dashboard), json.dumps(table())]
    with subprocess.Popen(node, env=environment, stdout=subprocess.PIPE, text=True) as reporter:
        try:
            assert reporter.stdout is not None
            assert reporter.stdout.readline() == "ready\n"
            config = configuration(f"http://127.0.0.1:{dashboard}", token)
            (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
            with started(folder, port) as running:
                yield running
        finally:
            reporter.send_signal(signal.SIGINT)


def configuration(dashboard: str, token: Path) -> dict[str, Any]:
    """The shipped one, for a dashboard elsewhere, and in more of a hurry."""
    config: dict[str, Any] = yaml.safe_load((OBSERVABILITY / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(OBSERVABILITY / "alerts.yml")]
    config["scrape_configs"] = [job for job in config["scrape_configs"] if job["job_name"] != "ray-local"]
    for job in config["scrape_configs"]:
        (source,) = job["http_sd_configs"]
        source["url"] = source["url"].replace("http://head:8265", dashboard)
        source["authorization"]["credentials_file"] = str(token)
        source["refresh_interval"] = "1s"
    return config


@contextmanager
def started(folder: Path, port: int) -> Iterator[Prometheus]:
    """A server that has scraped all metrics of the table."""
    command = ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    listen = f"--web.listen-address=127.0.0.1:{port}"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*command, listen], stdout=log, stderr=subprocess.STDOUT)
    try:
        running = Prometheus(f"http://127.0.0.1:{port}")
        deadline = time.monotonic() + 60
        missing = {f"ray_{name}" for name, *_ in table()}
        while missing:
            log_end = (folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, f"{sorted(missing)} not scraped:\n{log_end}"
            time.sleep(0.5)
            with suppress(OSError):
                seen = running.get("/api/v1/label/__name__/values")
                missing = {name for name in missing if not any(entry.startswith(name) for entry in seen)}
        yield running
    finally:
        process.terminate()
        process.wait(timeout=20)


def dashboard() -> list[tuple[str, str]]:
    panels = json.loads((OBSERVABILITY / "grafana" / "dashboards" / "platform.json").read_text())["panels"]
    return [
        (panel["title"], re.sub(r"\$(tenant|node)\b", ".*", target["expr"].replace("$__rate_interval", "1m")))
        for panel in panels
        for target in panel.get("targets", [])
    ]


def test_every_expression_of_the_dashboard_is_understood_and_ours_find_something(prometheus: Prometheus) -> None:
    needs_serve = {title for title, expression in dashboard() if "haproxy_" in expression or "ray_serve_" in expression}
    deadline = time.monotonic() + 30  # a rate takes two scrapes
    while empty := {title for title, expression in dashboard() if not prometheus.query(expression)} - needs_serve:
        assert time.monotonic() < deadline, empty
        time.sleep(0.5)


def test_targets_are_up_under_the_names_that_the_alerts_use(prometheus: Prometheus) -> None:
    # not all: Ray's autoscaler and dashboard have fixed ports, which another cluster on this machine may hold
    assert "1" in {entry["value"][1] for entry in prometheus.query('up{job="ray"}')}
    haproxy = prometheus.get("/api/v1/targets", state="active")["activeTargets"]
    addresses = {target["labels"]["instance"] for target in haproxy if target["labels"]["job"] == "haproxy"}
    assert addresses
    assert all(address.endswith(":9101") for address in addresses)


def test_the_alerts_are_evaluated_without_error(prometheus: Prometheus) -> None:
    deadline = time.monotonic() + 20
    while True:
        rules = [rule for group in prometheus.get("/api/v1/rules")["groups"] for rule in group["rules"]]
        if all(rule["health"] != "unknown" for rule in rules):
            break
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"] == []


def test_no_series_carries_what_changes_with_every_start(prometheus: Prometheus) -> None:
    (series, *_) = prometheus.query("ray_rlp_evaluations_queued")
    assert not {"SessionName", "Version", "otel_scope_name"} & set(series["metric"])
