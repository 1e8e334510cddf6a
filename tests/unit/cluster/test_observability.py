"""Dashboard and alerts name only metrics that there are, and Prometheus accepts them."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import ray
import yaml

from cluster import prometheus_rule
from rlplatform.cli.main import app
from rlplatform.settings import Settings

ROOT = Path(__file__).parents[3]
OBSERVABILITY = ROOT / "cluster" / "observability"


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


def rules(kind: str) -> list[dict[str, Any]]:
    """Return the rules of a kind: ``alert`` or ``record``."""
    groups = yaml.safe_load((OBSERVABILITY / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


def expressions() -> Iterator[str]:
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"]
    for rule in rules("record") + rules("alert"):
        yield rule["expr"]


def test_every_metric_of_ours_that_is_used_is_documented_and_the_other_way_round() -> None:
    used = {name for expression in expressions() for name in re.findall(r"ray_rlp_\w+", expression)}
    assert used <= documented()
    unused = {name for name in documented() - used if not name.endswith("_count")}
    assert unused == set()


def test_metrics_of_others_are_those_that_ray_exports_and_known_ones() -> None:
    """Ray's by the names in its sources; HAProxy's and the blackbox exporter's are listed here."""
    folders = [Path(ray.__file__).parent / name for name in ("serve/_private", "dashboard/modules/reporter", "util")]
    sources = "".join(path.read_text() for folder in folders for path in folder.rglob("*.py"))
    compiled = {"ray_resources", "ray_actors", "ray_object_store_used_memory", "ray_cluster_active_nodes"}
    known = {
        "haproxy_frontend_http_responses_total",
        "haproxy_frontend_current_sessions",
        "probe_ssl_earliest_cert_expiry",
    }
    used = {
        name
        for expression in expressions()
        for name in re.findall(r"\b(?:ray|haproxy|probe)_[a-z]\w+", expression)
        if not name.startswith("ray_rlp_")
    }
    theirs = {name for name in used if name.startswith("ray_")}
    unknown = {
        name
        for name in theirs - compiled
        if re.sub(r"_(total|bucket|count)$", "", name).removeprefix("ray_") not in sources
    }
    assert unknown == set()
    assert used - theirs <= known


def test_recorded_rules_are_used_and_rules_that_are_used_are_recorded() -> None:
    recorded = {rule["record"] for rule in rules("record")}
    used = {name for expression in expressions() for name in re.findall(r"\brlp:[\w:]+", expression)}
    assert used == recorded


def test_every_alert_has_a_page_that_says_what_to_do_and_no_page_is_left_over() -> None:
    pages = {path.stem: path.read_text() for path in (ROOT / "docs" / "runbooks").glob("*.md")}
    alerts = {rule["alert"]: rule for rule in rules("alert")}
    assert set(pages) == set(alerts)
    for name, rule in alerts.items():
        assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{name}.md"
        headings = re.findall(r"(?m)^#+ (.+)$", pages[name])
        assert headings == [name, "Find the cause", "Mend"]
        links = re.findall(r"\]\(([^)]+)\)", pages[name])
        assert [link for link in links if not (ROOT / "docs" / "runbooks" / link).exists()] == []


def test_commands_of_the_pages_are_commands() -> None:
    """``rlp`` commands by their help, settings by name."""
    groups = {group.name: group.typer_instance for group in app.registered_groups}
    texts = "".join(path.read_text() for path in (ROOT / "docs" / "runbooks").glob("*.md"))
    names = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    for command, sub in re.findall(r"`rlp (\w+)(?: (\w+))?", texts):
        if command in names:
            continue
        below = {
            entry.name or (entry.callback and entry.callback.__name__) for entry in groups[command].registered_commands
        }
        assert not sub or sub in below, f"rlp {command} {sub}"
    for section, name in re.findall(r"`RLP_([A-Z]+)__([A-Z_]+)", texts):
        model = Settings.model_fields[section.lower()].annotation
        assert name.lower() in model.model_fields, name  # type: ignore[union-attr]


def test_the_operators_resource_has_the_same_rules() -> None:
    assert prometheus_rule.RULE.read_text() == prometheus_rule.prometheus_rule(), "run make generated"
    manifest = yaml.safe_load(prometheus_rule.RULE.read_text())
    assert manifest["spec"] == yaml.safe_load((OBSERVABILITY / "alerts.yml").read_text())
    monitor = yaml.safe_load((OBSERVABILITY.parent / "kuberay" / "monitoring.yaml").read_text())
    assert manifest["metadata"]["labels"] == monitor["metadata"]["labels"]


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


def test_the_dashboard_asks_the_source_that_is_chosen_at_first_the_provisioned_one() -> None:
    (source,) = yaml.safe_load((OBSERVABILITY / "grafana/provisioning/datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    asked = {panel["datasource"]["uid"] for panel in dashboard()["panels"] if "datasource" in panel}
    assert asked == {"${datasource}"}
    variables = {variable["name"]: variable for variable in dashboard()["templating"]["list"]}
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", source["type"])
    assert variables["datasource"]["current"]["value"] == source["uid"]


def test_every_variable_of_the_dashboard_narrows_a_panel() -> None:
    text = " ".join(target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", []))
    for variable in dashboard()["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]).groups()  # type: ignore[union-attr]
            assert f'{label}=~"${variable["name"]}"' in text
            assert metric in text


def test_rates_span_what_grafana_says_they_must() -> None:
    panels = [panel for panel in dashboard()["panels"] if "targets" in panel]
    spans = {
        span for panel in panels for target in panel["targets"] for span in re.findall(r"\[(.+?)\]", target["expr"])
    }
    assert spans <= {"$__rate_interval", "1h"}


def test_every_alert_says_what_to_do() -> None:
    for rule in rules("alert"):
        assert set(rule["annotations"]) == {"summary", "action", "runbook_url"}, rule["alert"]
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
    alerts = {rule["alert"] for rule in rules("alert")}
    assert {check["alertname"] for check in checks if check["exp_alerts"]} == alerts
    assert {check["alertname"] for check in checks if not check["exp_alerts"]} == alerts
