"""Dashboard and alerts name only metrics that there are, and Prometheus accepts them."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

OBSERVABILITY = Path(__file__).parents[3] / "cluster" / "observability"


@pytest.fixture
def promtool(missing: Callable[[str], NoReturn]) -> str:
    return shutil.which("promtool") or missing("no promtool (Debian package prometheus)")


def documented() -> set[str]:
    """The names of our metrics as Prometheus has them, by the table in README.md."""
    exported = set()
    for line in (OBSERVABILITY / "README.md").read_text().splitlines():
        if not line.startswith("| `"):
            continue
        names, kind = line.split("|")[1:3]
        for name in re.findall(r"`(\w+)`", names):
            suffixes = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_count"]}[kind.strip()]
            exported |= {f"ray_{name}{suffix}" for suffix in suffixes}
    return exported


def dashboard() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((OBSERVABILITY / "grafana" / "dashboards" / "platform.json").read_text())
    return read


def expressions() -> Iterator[str]:
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"]
    for group in yaml.safe_load((OBSERVABILITY / "alerts.yml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]


def test_every_metric_of_ours_that_is_used_is_documented_and_the_other_way_round() -> None:
    used = {name for expression in expressions() for name in re.findall(r"ray_rlp_\w+", expression)}
    assert used <= documented()
    unused = {name for name in documented() - used if not name.endswith("_count")}
    assert unused == set()


def test_the_dashboard_is_whole() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells)), "panels overlap"
    assert max(x for x, _ in cells) < 24


def test_the_dashboard_asks_the_provisioned_source() -> None:
    (source,) = yaml.safe_load((OBSERVABILITY / "grafana/provisioning/datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    asked = {panel["datasource"]["uid"] for panel in dashboard()["panels"] if "datasource" in panel}
    assert asked == {source["uid"]}


def test_rates_span_what_grafana_says_they_must() -> None:
    panels = [panel for panel in dashboard()["panels"] if "targets" in panel]
    spans = {
        span for panel in panels for target in panel["targets"] for span in re.findall(r"\[(.+?)\]", target["expr"])
    }
    assert spans <= {"$__rate_interval", "1h"}


def test_every_alert_says_what_to_do() -> None:
    for group in yaml.safe_load((OBSERVABILITY / "alerts.yml").read_text())["groups"]:
        for rule in group["rules"]:
            assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
            assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]


def test_prometheus_accepts_the_configuration(promtool: str) -> None:
    command = [promtool, "check", "config", "--syntax-only", str(OBSERVABILITY / "prometheus.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_alerts_go_off_when_they_should_and_only_then(promtool: str, tmp_path: Path) -> None:
    cases = yaml.safe_load((Path(__file__).parent / "alerts.test.yml").read_text())
    cases["rule_files"] = [str(OBSERVABILITY / "alerts.yml")]
    path = tmp_path / "alerts.test.yml"
    path.write_text(yaml.safe_dump(cases))
    done = subprocess.run([promtool, "test", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case_in_which_it_goes_off_and_one_in_which_it_does_not() -> None:
    cases = yaml.safe_load((Path(__file__).parent / "alerts.test.yml").read_text())["tests"]
    checks = [check for case in cases for check in case["alert_rule_test"]]
    alerts = {
        rule["alert"]
        for group in yaml.safe_load((OBSERVABILITY / "alerts.yml").read_text())["groups"]
        for rule in group["rules"]
    }
    assert {check["alertname"] for check in checks if check["exp_alerts"]} == alerts
    assert {check["alertname"] for check in checks if not check["exp_alerts"]} == alerts
