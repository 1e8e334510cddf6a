"""The alerts as a resource of the Prometheus operator: ``python -m cluster.prometheus_rule`` writes it."""

from __future__ import annotations

from pathlib import Path

ALERTS = Path(__file__).parent / "observability" / "alerts.yml"
RULE = Path(__file__).parent / "kuberay" / "alerts.yaml"
_HEAD = """# Written by `make generated` from observability/alerts.yml.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: rlp
  labels: {app.kubernetes.io/part-of: rlp, release: prometheus} # the operator's own selector; that of your installation
spec:
"""


def prometheus_rule(alerts: Path = ALERTS) -> str:
    """Return the manifest with the groups of ``alerts``."""
    lines = alerts.read_text().splitlines()
    groups = lines[lines.index("groups:") :]
    return _HEAD + "".join(f"  {line}\n" if line else "\n" for line in groups)


if __name__ == "__main__":
    RULE.write_text(prometheus_rule())
