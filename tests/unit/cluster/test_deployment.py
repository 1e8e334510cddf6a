"""The deployment files, refused where they say something that their reader would silently ignore."""

import configparser
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NoReturn

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.serve import schema
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import AuthenticationError
from redis.retry import Retry

from actors import options
from cluster import ray_head
from rlplatform.free_ports import free_ports
from rlplatform.settings import Settings
from rlplatform.testing.redis_server import installed
from serve_apps.api import web_page
from serve_apps.gateway import GatewayArgs
from serve_apps.serve_middleware import CALLBACK
from serve_apps.stream_paths import STREAMS

ROOT = Path(__file__).parents[3]
CLUSTER = ROOT / "cluster"


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        assert len(keys) == len(set(keys)), f"a key twice in line {node.start_mark.line + 1}: {keys}"
        return super().construct_mapping(node, deep)


def load(name: str) -> list[Any]:
    with (CLUSTER / name).open() as file:
        return list(yaml.load_all(file, _Loader))


def profile() -> dict[str, str]:
    lines = (CLUSTER / "profile.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


# -- the profile ------------------------------------------------------------------------------------------------------


def test_the_profile_is_read_by_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in profile().items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.training.allow_simulated is False
    assert settings.cluster.ingress == "haproxy"
    assert settings.state_dir.is_absolute()


def test_every_variable_of_ours_is_a_setting() -> None:
    for name in profile():
        if name.startswith("RLP_"):
            model: type[BaseModel] = Settings
            *sections, last = name.removeprefix("RLP_").lower().split("__")
            for section in sections:
                annotation = model.model_fields[section].annotation
                assert isinstance(annotation, type)
                model = annotation
            assert last in model.model_fields, name


def test_every_variable_of_serves_is_one_that_serve_reads() -> None:
    constants = (Path(schema.__file__).parent / "_private" / "constants.py").read_text()
    assert [name for name in profile() if name.startswith("RAY_SERVE_") and f'"{name}"' not in constants] == []


def test_serves_proxies_have_our_edge_and_our_rules() -> None:
    assert profile()["RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH"] == CALLBACK
    binary = Path(profile()["RAY_SERVE_HAPROXY_BINARY_PATH"])
    assert binary.name == "rlp-haproxy"
    dockerfile = (CLUSTER / "Dockerfile").read_text()
    assert f"-m cluster.haproxy {binary.parent} " in dockerfile
    assert f"COPY --from=build {binary.parents[1]} {binary.parents[1]}" in dockerfile


def test_no_secret_is_in_the_profile() -> None:
    assert [name for name in profile() if re.search(r"PEPPER|PASSWORD|STORE__URL|TOKEN$", name)] == []


# -- Serve ------------------------------------------------------------------------------------------------------------


def unknown(given: Any, model: type[BaseModel], where: str = "") -> Iterator[str]:
    """The keys of ``given`` that ``model`` does not have, however deep."""
    for name, value in given.items():
        if name not in model.model_fields:
            yield f"{where}{name}"
            continue
        inner = {
            "http_options": schema.HTTPOptionsSchema,
            "logging_config": schema.LoggingConfig,
            "applications": schema.ServeApplicationSchema,
            "deployments": schema.DeploymentSchema,
            "ray_actor_options": schema.RayActorOptionsSchema,
        }.get(name)
        for entry in [] if inner is None else value if isinstance(value, list) else [value]:
            yield from unknown(entry, inner, f"{where}{name}.")


def check_serve(config: dict[str, Any]) -> None:
    parsed = schema.ServeDeploySchema.model_validate(config)
    assert list(unknown(config, schema.ServeDeploySchema)) == []
    assert {found.name: found.route_prefix for found in parsed.applications} == {"api": "/", "streams": STREAMS}
    for application in parsed.applications:
        assert set(application.args) <= set(GatewayArgs.model_fields)
        assert GatewayArgs.model_validate(application.args, strict=True).application == application.name
        assert application.import_path == "cluster.serving:app"
        assert [deployment.name for deployment in application.deployments] == [application.name]
    assert parsed.http_options.request_timeout_s is None


def test_the_serve_file() -> None:
    (config,) = load("serve.yaml")
    check_serve(config)
    assert config["http_options"]["port"] == int(profile()["RLP_API__PORT"])


@pytest.mark.parametrize("where", ["config", "http_options", "application", "deployment", "args"])
def test_a_key_that_serve_ignores_is_refused(where: str) -> None:
    (config,) = load("serve.yaml")
    application = config["applications"][0]
    places = {
        "config": config,
        "http_options": config["http_options"],
        "application": application,
        "deployment": application["deployments"][0],
        "args": application["args"],
    }
    places[where]["num_replica"] = 2
    with pytest.raises((AssertionError, ValueError)):
        check_serve(config)


def test_serve_makes_the_argument_of_the_class_that_the_builder_names() -> None:
    import cluster.serving

    assert cluster.serving.app.__annotations__["args"] is GatewayArgs


# -- Kubernetes -------------------------------------------------------------------------------------------------------


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Group(Strict):
    """The fields of KubeRay's HeadGroupSpec and WorkerGroupSpec that are used here."""

    ray_start_params: dict[str, str] = Field(alias="rayStartParams")
    template: dict[str, Any]
    name: str = Field(default="head", alias="groupName")
    replicas: int = 1
    min_replicas: int = Field(default=1, alias="minReplicas")
    max_replicas: int = Field(default=1, alias="maxReplicas")


class Auth(Strict):
    mode: Literal["token"]


class FaultTolerance(Strict):
    redis_address: str = Field(alias="redisAddress")
    redis_password: dict[str, Any] = Field(alias="redisPassword")
    namespace: str = Field(alias="externalStorageNamespace")


class RayCluster(Strict):
    version: str = Field(alias="rayVersion")
    auth: Auth = Field(alias="authOptions")
    fault_tolerance: FaultTolerance = Field(alias="gcsFaultToleranceOptions")
    head: Group = Field(alias="headGroupSpec")
    workers: list[Group] = Field(alias="workerGroupSpecs")


class Upgrade(Strict):
    type: Literal["None"]


class Service(Strict):
    upgrade: Upgrade = Field(alias="upgradeStrategy")
    serve: str = Field(alias="serveConfigV2")
    cluster: RayCluster = Field(alias="rayClusterConfig")


@pytest.fixture
def service() -> Service:
    (manifest,) = load("kuberay/rayservice.yaml")
    assert set(manifest) == {"apiVersion", "kind", "metadata", "spec"}
    return Service.model_validate(manifest["spec"])


def test_kubernetes_serves_what_serve_yaml_says(service: Service) -> None:
    assert yaml.safe_load(service.serve) == load("serve.yaml")[0]


def test_kubernetes_runs_the_ray_that_is_pinned(service: Service) -> None:
    pinned = re.search(r"ray\[[\w,]+\]==([\d.]+)", (ROOT / "pyproject.toml").read_text())
    assert pinned
    assert service.cluster.version == pinned[1]


def test_one_group_and_only_one_has_sandboxes(service: Service) -> None:
    resources = {
        group.name: json.loads(json.loads(group.ray_start_params.get("resources", '"{}"')))
        for group in service.cluster.workers
    }
    assert resources == {"train": {}, "sandbox": {options.SANDBOX_RESOURCE: 1}}


def test_only_the_sandbox_group_is_privileged(service: Service) -> None:
    for group in [service.cluster.head, *service.cluster.workers]:
        spec = group.template["spec"]
        (container,) = spec["containers"]
        assert spec["automountServiceAccountToken"] is False
        assert {"configMapRef": {"name": "rlp-profile"}} in container["envFrom"]
        secrets = {entry["name"] for entry in container.get("env", [])}
        if group.name == "sandbox":
            assert container["securityContext"]["privileged"] is True
            assert secrets == set(), "a program that escapes from its sandbox finds no secret"
            assert group.ray_start_params["labels"] == f"{options.ROLE_LABEL}={options.SANDBOX_ROLE}"
        else:
            assert secrets >= {"RLP_STORE__URL", "RLP_ACCESS__PEPPER"}
            assert spec["securityContext"]["runAsNonRoot"] is True
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            }


def test_the_network_is_closed_but_for_the_ports_that_pods_have(service: Service) -> None:
    (policy,) = load("kuberay/network.yaml")
    (container,) = service.cluster.head.template["spec"]["containers"]
    ports = {port["containerPort"] for port in container["ports"]}
    opened = {port["port"] for rule in policy["spec"]["ingress"] for port in rule.get("ports", [])}
    assert opened <= ports
    assert all(rule["from"] for rule in policy["spec"]["ingress"])
    (monitor,) = load("kuberay/monitoring.yaml")
    named = {port["name"] for port in container["ports"]}
    assert {endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]} <= named


def test_redis_keeps_what_it_is_given_within_its_memory() -> None:
    (container,) = load("kuberay/redis.yaml")[1]["spec"]["template"]["spec"]["containers"]
    compose = load("compose.yaml")[0]["services"]["redis"]["command"][-1]
    for line in (" ".join(container["args"]), compose):
        assert "--appendonly yes" in line
        assert "--maxmemory-policy noeviction" in line
    most = re.search(r"--maxmemory (\d+)mb", " ".join(container["args"]))
    assert most
    assert int(most[1]) < 0.75 * 2048, "a save, or a rewrite of the log, needs memory of its own"
    assert container["resources"]["limits"]["memory"] == "2Gi"


@pytest.mark.parametrize("where", ["compose", "kubernetes"])
def test_redis_asks_for_its_password_and_no_list_of_processes_shows_it(
    where: str, tmp_path: Path, missing: Callable[[str], NoReturn]
) -> None:
    """The shipped command is run, on a port of its own, with the password in a file or in the environment."""
    if not installed():
        missing("no redis-server")
    (port,) = free_ports(1)
    (tmp_path / "redis_password").write_text("hunter2hunter2")
    if where == "compose":
        command = load("compose.yaml")[0]["services"]["redis"]["command"]
        command = [word.replace("$$", "$").replace("/run/secrets", str(tmp_path)) for word in command]
        command[-1] = command[-1].replace("redis-server - ", f"redis-server - --port {port} ")
    else:
        (container,) = load("kuberay/redis.yaml")[1]["spec"]["template"]["spec"]["containers"]
        command = [*container["command"], *container["args"], "--port", str(port)]
    with subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "REDIS_PASSWORD": "hunter2hunter2"}, stdout=subprocess.DEVNULL
    ) as server:
        try:
            with Redis(port=port, password="hunter2hunter2", retry=Retry(ConstantBackoff(0.1), 100)) as redis:
                assert redis.ping()
                assert redis.config_get("appendonly") == {"appendonly": "yes"}
            with Redis(port=port) as stranger, pytest.raises(AuthenticationError):
                stranger.ping()
            assert "hunter2" not in Path(f"/proc/{server.pid}/cmdline").read_text()
        finally:
            server.terminate()
    assert server.returncode == 0, "it ends, and saves, by SIGTERM"


def test_kustomize_builds(missing: Callable[[str], NoReturn]) -> None:
    if shutil.which("kubectl") is None:
        missing("no kubectl")
    done = subprocess.run(["kubectl", "kustomize", str(CLUSTER)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    built = {(entry["kind"], entry["metadata"]["name"]): entry for entry in yaml.safe_load_all(done.stdout)}
    assert built["ConfigMap", "rlp-profile"]["data"] == profile()
    assert {kind for kind, _ in built} >= {"RayService", "StatefulSet", "Service", "NetworkPolicy", "PodMonitor"}


# -- Compose and the cluster launcher ---------------------------------------------------------------------------------


@pytest.fixture
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = load("compose.yaml")[0]
    return loaded


def test_compose_publishes_on_loopback_alone(compose: dict[str, Any]) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_compose_gives_every_node_the_profile_and_only_the_sandbox_privileges(compose: dict[str, Any]) -> None:
    nodes = {name: compose["services"][name] for name in ("head", "worker", "sandbox", "deploy")}
    assert all(node["env_file"] == ["profile.env"] for node in nodes.values())
    assert all("RAY_AUTH_TOKEN_PATH" in node["environment"] for node in nodes.values())
    assert [name for name, node in nodes.items() if node.get("privileged")] == ["sandbox"]
    assert [name for name, node in nodes.items() if node["cap_drop"] != ["ALL"]] == ["sandbox"]
    assert any('"sandbox": 1' in word for word in nodes["sandbox"]["command"])


def test_every_node_of_compose_mounts_the_shared_folders_and_keeps_its_own_audit_log(compose: dict[str, Any]) -> None:
    shared = {"archive", "backups", "checkpoints", "episodes", "files", "policies", "runs"}
    own: list[str] = []
    for name in ("head", "worker", "sandbox", "deploy"):
        mounts = dict(volume.split(":", 1) for volume in compose["services"][name]["volumes"])
        assert {mounts[volume] for volume in shared} == {f"/var/lib/rlp/{volume}" for volume in shared}, name
        own += [volume for volume, place in mounts.items() if place == profile()["RLP_STATE_DIR"]]
    assert len(own) == len(set(own)) == 3
    assert set(own) | shared <= set(compose["volumes"])


def test_a_sandbox_node_of_compose_runs_nothing_else_and_has_no_secret_but_rays_token(compose: dict[str, Any]) -> None:
    sandbox = compose["services"]["sandbox"]
    assert f"--labels={options.ROLE_LABEL}={options.SANDBOX_ROLE}" in sandbox["command"]
    assert sandbox["secrets"] == ["ray_token"]


def test_compose_mounts_what_is_there(compose: dict[str, Any]) -> None:
    mounted = [volume for service in compose["services"].values() for volume in service.get("volumes", [])]
    files = [CLUSTER / volume.split(":")[0] for volume in mounted if volume.startswith(".")]
    assert files
    assert [str(path) for path in files if not path.exists()] == []


def test_compose_accepts_the_file(missing: Callable[[str], NoReturn]) -> None:
    if shutil.which("docker-compose") is None:
        missing("no docker-compose")
    command = ["docker-compose", "-f", str(CLUSTER / "compose.yaml"), "config", "-q"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_cluster_launcher_accepts_the_file() -> None:
    (config,) = load("launcher.yaml")
    prepared = prepare_config(config)
    validate_config(prepared)
    assert prepared["available_node_types"]["sandbox"]["resources"]["sandbox"] == 1
    for command in prepared["head_start_ray_commands"] + prepared["worker_start_ray_commands"]:
        assert "ray start" not in command or "profile.env" in command


def test_the_systemd_unit_sets_settings_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(CLUSTER / "rlp.service")
    assert set(unit.sections()) == {"Unit", "Service", "Install"}
    for line in re.findall(r"(?m)^Environment=(\S+)$", (CLUSTER / "rlp.service").read_text()):
        monkeypatch.setenv(*line.split("=", 1))
    settings = Settings()
    assert settings.training.allow_simulated is False
    assert Path(unit["Service"]["WorkingDirectory"]).is_absolute()
    for place in (settings.store.url.partition(":///")[2], settings.training.checkpoint_url, str(settings.state_dir)):
        assert Path(place).is_relative_to(Path("/var/lib") / unit["Service"]["StateDirectory"])


# -- the image --------------------------------------------------------------------------------------------------------


def test_the_image_does_not_run_as_root() -> None:
    stages = re.split(r"(?m)^FROM ", (CLUSTER / "Dockerfile").read_text())[1:]
    platform = next(stage for stage in stages if re.match(r"\S+ AS platform\n", stage))
    assert re.findall(r"(?m)^USER (\S+)", platform) == ["10001:10001"]


def test_the_image_has_what_kuberays_probes_call_and_the_page() -> None:
    stages = re.split(r"(?m)^FROM ", (CLUSTER / "Dockerfile").read_text())[1:]
    platform = next(stage for stage in stages if re.match(r"\S+ AS platform\n", stage))
    assert re.search(r"apt-get install .*\bwget\b", platform)
    page = f"/opt/platform/{web_page.BUILT.relative_to(ROOT)}"
    assert re.findall(r"(?m)^COPY --from=web (\S+) (\S+)$", platform) == [("/web/dist", page)]


def test_ray_understands_the_address_of_redis(service: Service) -> None:
    """``ray start`` ends with an error for a URL."""
    assert re.fullmatch(r"[a-z]+:\d+", service.cluster.fault_tolerance.redis_address)


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    copied = re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", (CLUSTER / "Dockerfile").read_text())
    names = {name for line in copied for name in line.split()}
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {name for name in names if name.partition("/")[0] not in kept - {name}} == kept  # a folder keeps its files
    assert all((ROOT / name).exists() for name in names)


def test_the_entry_point_is_a_shell_script_that_parses() -> None:
    script = CLUSTER / "node.sh"
    assert script.stat().st_mode & 0o111
    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0
    done = subprocess.run([str(script), "echo", "a node"], capture_output=True, text=True, check=False)
    assert done.stdout == "a node\n"


@pytest.mark.parametrize("own", ["/", "/kubepods.slice/pod1.slice/cri-1.scope"])
def test_a_nodes_own_engine_keeps_its_containers_within_the_control_group_of_the_node(own: str, tmp_path: Path) -> None:
    """A privileged pod has the host's control group namespace: there the engine's default is outside of the pod."""
    programs, groups = tmp_path / "bin", tmp_path / "cgroup"
    group = groups / own.strip("/")
    group.mkdir(parents=True)
    for name, content in {"cgroup.controllers": "cpu memory pids", "cgroup.type": "domain", "cgroup.procs": ""}.items():
        (group / name).write_text(content)
    (tmp_path / "own").write_text(f"0::{own}\n")
    programs.mkdir()
    ready = tmp_path / "ready"
    stubs = {
        "docker": f"test -f {ready}",
        "dockerd": f'echo "$@" >{tmp_path}/options; touch {ready}',
        "python": "true",
        "rm": "true",
    }
    for name, line in stubs.items():
        (programs / name).write_text(f"#!/bin/sh\n{line}\n")
        (programs / name).chmod(0o755)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "RLP_CGROUPS": str(groups),
        "RLP_OWN_CGROUP": str(tmp_path / "own"),
        "RLP_ENGINE_LOG": str(tmp_path / "log"),
    }
    done = subprocess.run(
        [str(CLUSTER / "node.sh"), "engine"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert f"--cgroup-parent={own.rstrip('/')}/docker" in (tmp_path / "options").read_text().split()
    assert (group / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    assert (group / "node").is_dir()


def test_the_heads_processes_are_started_without_the_password() -> None:
    worker = "python worker.py --redis-password=p.w --node=1"
    command = [
        "gcs_server",
        "--redis_password=p.w",
        f"--python_worker_command={worker}",
        "--cpp=x --ray_redis_password=p.w",
    ]
    started: list[tuple[list[str], dict[str, str] | None]] = []

    def start(command: list[str], process_type: str, *, env_updates: dict[str, str] | None) -> None:
        started.append((command, env_updates))

    for kind in ("gcs_server", "raylet"):
        ray_head.start_without_password(start, "p.w", command, kind, env_updates=None)
    kept = ["gcs_server", "--python_worker_command=python worker.py --node=1", "--cpp=x"]
    assert started == [([*kept, "--fromenv=redis_password"], {"FLAGS_redis_password": "p.w"}), (kept, None)]
