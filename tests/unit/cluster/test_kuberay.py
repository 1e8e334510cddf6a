"""Sizes, HTTPS and disruption budgets on Kubernetes, as kustomize builds them; and the schema of KubeRay, if given.

The schema is not in this repository: ``RLP_KUBERAY_CRD=…/ray.io_rayservices.yaml`` names the file of a KubeRay release.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import jsonschema
import pytest
import yaml

CLUSTER = Path(__file__).parents[3] / "cluster"
Built = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(params=["", "small", "large"])
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def built(size: str, tmp_path: Path, missing: Callable[[str], NoReturn]) -> Built:
    """Every object of a size with HTTPS, by kind and name."""
    if shutil.which("kubectl") is None:
        missing("no kubectl")
    base = os.path.relpath(CLUSTER, tmp_path.resolve())
    components = [f"{base}/kuberay/ingress", *([f"{base}/kuberay/sizes/{size}"] if size else [])]
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"resources": [base], "components": components}))
    done = subprocess.run(["kubectl", "kustomize", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {(entry["kind"], entry["metadata"]["name"]): entry for entry in yaml.safe_load_all(done.stdout)}


def test_every_budget_leaves_a_pod_that_can_be_drained(built: Built) -> None:
    groups = built["RayService", "rlp"]["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    least = {group["template"]["metadata"]["labels"]["app.kubernetes.io/component"]: group for group in groups}
    for (kind, _), entry in built.items():
        if kind == "PodDisruptionBudget":
            group = least[entry["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"]]
            assert entry["spec"]["minAvailable"] < group["replicas"]


def test_pods_of_a_group_are_spread_by_their_own_labels(built: Built) -> None:
    train, _ = built["RayService", "rlp"]["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    constraints = train["template"]["spec"]["topologySpreadConstraints"]
    assert {one["topologyKey"] for one in constraints} == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
    assert all(one["labelSelector"]["matchLabels"] == train["template"]["metadata"]["labels"] for one in constraints)


def test_the_autoscaler_may_bring_what_the_platform_reckons_with(built: Built, size: str) -> None:
    cluster = built["RayService", "rlp"]["spec"]["rayClusterConfig"]
    told = built["ConfigMap", "rlp-profile"]["data"].get("RLP_CLUSTER__MAX_RESOURCES")
    assert bool(cluster.get("enableInTreeAutoscaling")) is (told is not None) is (size == "large")
    if told is not None:
        train, sandbox = cluster["workerGroupSpecs"]
        cpus = int(train["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"])
        most = train["maxReplicas"] * cpus + sandbox["maxReplicas"] * int(sandbox["rayStartParams"]["num-cpus"])
        assert json.loads(told) == {"CPU": most, "sandbox": sandbox["maxReplicas"]}
        assert cluster["headGroupSpec"]["template"]["spec"]["automountServiceAccountToken"] is True


def test_redis_has_less_memory_than_its_pod(built: Built) -> None:
    (container,) = built["StatefulSet", "redis"]["spec"]["template"]["spec"]["containers"]
    most = int(container["args"][container["args"].index("--maxmemory") + 1].removesuffix("mb"))
    assert most < 0.75 * 1024 * int(container["resources"]["limits"]["memory"].removesuffix("Gi"))


def test_https_goes_to_the_service_that_kuberay_makes(built: Built) -> None:
    spec = built["Ingress", "rlp"]["spec"]
    (rule,), (tls,) = spec["rules"], spec["tls"]
    assert tls["hosts"] == [rule["host"]]
    (path,) = rule["http"]["paths"]
    (name,) = (name for kind, name in built if kind == "RayService")
    assert path["backend"]["service"] == {"name": f"{name}-serve-svc", "port": {"number": 8000}}


def test_kuberays_schema_accepts_the_manifest(built: Built) -> None:
    given = os.environ.get("RLP_KUBERAY_CRD")
    if not given:
        pytest.skip("RLP_KUBERAY_CRD names no schema")
    versions = yaml.safe_load(Path(given).read_text())["spec"]["versions"]
    (schema,) = (one["schema"]["openAPIV3Schema"] for one in versions if one["name"] == "v1")
    _refuse_unknown_fields(schema)
    schema["properties"]["metadata"] = {"type": "object"}
    jsonschema.Draft7Validator(schema).validate(built["RayService", "rlp"])
    built["RayService", "rlp"]["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"]["nodes"] = 1
    with pytest.raises(jsonschema.ValidationError, match="nodes"):
        jsonschema.Draft7Validator(schema).validate(built["RayService", "rlp"])


def _refuse_unknown_fields(schema: Any) -> None:
    """Make the schema refuse fields that the API server would drop silently."""
    if isinstance(schema, dict):
        if schema.get("x-kubernetes-int-or-string"):
            schema.pop("anyOf", None)
            schema["type"] = ["integer", "string"]
        elif "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
        for part in schema.values():
            _refuse_unknown_fields(part)
    elif isinstance(schema, list):
        for part in schema:
            _refuse_unknown_fields(part)
