"""The doctor's checks, against machines that are well and machines that are not."""

import fcntl
import gc
import json
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import NoReturn

import pytest
from pydantic import SecretStr
from redis import Redis

from cluster import doctor
from cluster.doctor import machine, network, profile, sandbox, storage
from cluster.doctor.report import Check, ok
from rlplatform.free_ports import free_ports
from rlplatform.sandbox.self_check import CheckResult
from rlplatform.settings import (
    AccessSettings,
    ApiSettings,
    ClusterSettings,
    SandboxSettings,
    Settings,
    StoreSettings,
    TrainingSettings,
)
from rlplatform.testing.redis_server import installed, redis_server

REDIS = StoreSettings(url="redis://localhost:1/0")
LEAKY = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def no_engine() -> Iterator[SandboxSettings]:
    """Sandbox settings with which no engine answers. The Docker SDK leaves its socket open when it cannot connect."""
    yield SandboxSettings(docker_host="unix:///nonexistent.sock")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@contextmanager
def serving(status: int, body: object) -> Iterator[int]:
    """The port of a server that answers everything with this."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def free_port() -> int:
    return free_ports(1)[0]


def test_a_check_that_breaks_is_a_failed_check_and_the_others_go_on() -> None:
    def broken(_: Settings) -> Check:
        raise RuntimeError("oh")

    def fine(_: Settings) -> Check:
        return ok("fine", "yes")

    first, second = doctor.run_checks(Settings(), (broken, fine))
    assert (first.name, first.status) == ("broken", "fail")
    assert "RuntimeError: oh" in first.meaning
    assert second.status == "ok"


@LEAKY
def test_whatever_is_not_ok_says_what_to_do(no_engine: SandboxSettings) -> None:
    nowhere = Settings(
        sandbox=no_engine,
        store=REDIS,
        api=ApiSettings(host="0.0.0.0", port=free_port()),
    )
    found = doctor.run_checks(nowhere)
    assert len({check.name for check in found}) == len(doctor.CHECKS)
    assert {check.name for check in found if check.status == "fail"} >= {"docker_engine", "store", "profile"}
    assert [check.name for check in found if check.status != "ok" and not check.advice] == []


def test_packages_are_compared_with_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    import pydantic

    lock.write_text(f"# pins\npydantic=={pydantic.VERSION}\n")
    assert machine.packages(Settings(), lock).status == "ok"
    lock.write_text("pydantic==0.1\nnot-installed-and-not-required==1.0\n")
    found = machine.packages(Settings(), lock)
    assert found.status == "warn"
    assert f"pydantic {pydantic.VERSION} (pinned: 0.1)" in found.meaning
    assert "not-installed-and-not-required" not in found.meaning


def test_a_missing_package_of_the_server_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("torchless==2.0\n")
    monkeypatch.setattr("importlib.metadata.requires", lambda _: ["torchless>=1; extra == 'server'"])
    found = machine.packages(Settings(), lock)
    assert found.status == "warn"
    assert "torchless is missing" in found.meaning


@pytest.mark.parametrize(("available_gib", "status"), [(1, "fail"), (3, "warn"), (8, "ok")])
def test_memory(tmp_path: Path, available_gib: int, status: str) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(f"MemTotal:       {16 * 2**20} kB\nMemAvailable:   {available_gib * 2**20} kB\n")
    assert machine.memory(Settings(), meminfo).status == status


def test_a_clock_in_the_past_fails() -> None:
    assert machine.clock(Settings(), now=1_000_000_000.0).status == "fail"
    assert machine.clock(Settings()).status == "ok"


@pytest.mark.parametrize(
    ("settings", "status", "word"),
    [
        (Settings(), "ok", "one machine"),
        (Settings(cluster=ClusterSettings(address="head:6379")), "warn", "RLP_STORE__URL"),
        (Settings(store=REDIS), "fail", "RLP_ACCESS__PEPPER"),
        (Settings(store=REDIS, access=AccessSettings(pepper=SecretStr("x"))), "warn", "RLP_TRAINING__ALLOW_SIMULATED"),
        (
            Settings(
                store=REDIS,
                access=AccessSettings(pepper=SecretStr("x")),
                training=TrainingSettings(allow_simulated=False),
            ),
            "warn",
            "RLP_TRAINING__CHECKPOINT_URL",
        ),
        (
            Settings(
                store=REDIS,
                access=AccessSettings(pepper=SecretStr("x")),
                training=TrainingSettings(allow_simulated=False, checkpoint_url="s3://bucket/path"),
            ),
            "ok",
            "a cluster",
        ),
    ],
)
def test_the_profile(settings: Settings, status: str, word: str) -> None:
    found = profile.cluster_profile(settings)
    assert found.status == status
    assert word in found.meaning + found.advice


def sqlite(path: Path) -> Settings:
    return Settings(store=StoreSettings(url=f"sqlite:///{path}"))


def test_a_store_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    found = storage.store(sqlite(tmp_path / "new" / "platform.db"))
    assert found.status == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_store_in_use_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "platform.db"
    with (tmp_path / "platform.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = storage.store(sqlite(path))
    assert found.status == "ok"
    assert "in use" in found.meaning


def test_a_file_that_is_no_store_fails(tmp_path: Path) -> None:
    path = tmp_path / "platform.db"
    path.write_bytes(b"not a database" * 100)
    assert storage.store(sqlite(path)).status == "fail"


def test_redis_is_judged_by_what_it_may_lose(missing: Callable[[str], NoReturn], tmp_path: Path) -> None:
    if not installed():
        missing("no redis-server")
    with redis_server(tmp_path) as url, Redis.from_url(url) as redis:
        settings = Settings(store=StoreSettings(url=url))
        assert "append-only file off" in storage.store(settings).meaning
        assert storage.store(settings).status == "warn"
        redis.config_set("appendonly", "yes")
        assert storage.store(settings).status == "ok"
        redis.config_set("appendonly", "no")  # while it writes its first file, Redis does not heed a signal to end
        redis.config_set("maxmemory-policy", "volatile-lru")
        assert storage.store(settings).status == "warn"
        redis.config_set("maxmemory-policy", "allkeys-lru")
        assert storage.store(settings).status == "fail"


def test_the_checkpoint_probe_leaves_nothing(tmp_path: Path) -> None:
    settings = Settings(training=TrainingSettings(checkpoint_url=str(tmp_path / "checkpoints" / "deep")))
    assert storage.checkpoints(settings).status == "ok"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "checkpoints").mkdir()
    assert storage.checkpoints(settings).status == "ok"
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_a_checkpoint_store_that_cannot_be_written_fails(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("a file in the way")
    settings = Settings(training=TrainingSettings(checkpoint_url=str(tmp_path / "checkpoints")))
    assert storage.checkpoints(settings).status == "fail"


def test_network_file_systems_are_recognised(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("/dev/sda / ext4 rw 0 0\nserver:/x /data nfs4 rw 0 0\n")
    assert storage._filesystem(Path("/data/rlp"), mounts) == "nfs4"
    assert storage._filesystem(Path("/database"), mounts) == "ext4"


def test_a_platform_with_another_redis_database_is_a_failure(
    missing: Callable[[str], NoReturn], tmp_path: Path
) -> None:
    if not installed():
        missing("no redis-server")
    with redis_server(tmp_path) as url, Redis.from_url(url) as redis, serving(200, {"status": "alive"}) as port:
        redis.config_set("appendonly", "yes")
        settings = Settings(store=StoreSettings(url=url), api=ApiSettings(port=port))
        found = storage.store(settings)
        assert found.status == "fail"
        assert "is not its store" in found.meaning
        with Redis.from_url(url, client_name="rlplatform") as platform:
            platform.ping()
            assert storage.store(settings).status == "ok"
        redis.config_set("appendonly", "no")


def test_a_private_store_beside_a_running_cluster_is_a_failure(tmp_path: Path) -> None:
    """A shell of the container, without the secrets of the node."""
    (tmp_path / "platform.db.lock").touch()
    with serving(200, {"status": "alive"}) as port:
        settings = sqlite(tmp_path / "platform.db").model_copy(
            update={"cluster": ClusterSettings(address="auto"), "api": ApiSettings(port=port)}
        )
        found = storage.store(settings)
    assert found.status == "fail"
    assert "is not its store" in found.meaning


@pytest.mark.parametrize(
    ("address", "files", "status"),
    [
        (None, 1024, "warn"),
        (None, 4096, "ok"),
        ("auto", 4096, "warn"),
        ("auto", 60_049, "warn"),
        ("auto", 60_050, "ok"),
    ],
)
def test_few_file_descriptors_are_few_connections(address: str | None, files: int, status: str) -> None:
    found = machine.descriptors(Settings(cluster=ClusterSettings(ingress="haproxy", address=address)), files)
    assert found.status == status
    assert (found.advice == "") == (status == "ok")


def test_an_ingress_that_has_not_started_is_a_failure(tmp_path: Path) -> None:
    """``serve status`` says RUNNING meanwhile."""
    local = Settings(state_dir=tmp_path, api=ApiSettings(port=free_port()))
    assert network.api_port(local).status == "ok"
    (tmp_path / "local.json").write_text("{}")
    found = network.api_port(local)
    assert found.status == "fail"
    assert "HAProxy, which takes all requests, has not started" in found.meaning
    with serving(401, {}) as dashboard:
        head = Settings(
            state_dir=tmp_path / "no",
            api=ApiSettings(port=free_port()),
            cluster=ClusterSettings(address="auto", dashboard_port=dashboard),
        )
        assert network.api_port(head).status == "fail"


def test_the_running_platform_is_asked_at_its_own_port(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, api=ApiSettings(port=free_port()))
    with serving(200, {"status": "alive"}) as port:
        (tmp_path / "local.json").write_text(json.dumps({"url": f"http://127.0.0.1:{port}", "api_key": "rlp_x"}))
        found = network.api_port(settings)
    assert found.status == "ok"
    assert f":{port}" in found.meaning


def test_a_port_of_haproxys_that_another_program_has_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, dashboard = free_port(), free_port()
    settings = Settings(
        state_dir=tmp_path, api=ApiSettings(port=api), cluster=ClusterSettings(address="auto", dashboard_port=dashboard)
    )
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(network, "UNGUARDED_PORTS", {port: "HAProxy's metrics"})
        found = network.further_ports(settings)
        assert found.status == "fail"
        assert f"{port}, of HAProxy's metrics" in found.meaning
    assert network.further_ports(settings).status == "ok"


def test_a_chosen_port_of_the_dashboard_that_is_taken_is_a_failure(tmp_path: Path) -> None:
    with socket.create_server(("", 0)) as taken:
        cluster = ClusterSettings(dashboard_port=taken.getsockname()[1])
        found = network.further_ports(Settings(state_dir=tmp_path, api=ApiSettings(port=free_port()), cluster=cluster))
    assert found.status == "fail"
    assert "of Ray's dashboard" in found.meaning


def test_the_api_port() -> None:
    def settings(port: int) -> Settings:
        return Settings(api=ApiSettings(port=port))

    assert "is free" in network.api_port(settings(free_port())).meaning
    with serving(200, {"status": "alive"}) as port:
        assert network.api_port(settings(port)).status == "ok"
    with serving(404, {}) as port:
        assert network.api_port(settings(port)).status == "fail"


@pytest.mark.parametrize(("status", "judged"), [(200, "fail"), (401, "ok"), (403, "ok")])
def test_a_dashboard_that_answers_anybody_fails(status: int, judged: str) -> None:
    with serving(status, {}) as port:
        assert network.ray_auth(Settings(cluster=ClusterSettings(dashboard_port=port))).status == judged


@pytest.mark.parametrize(
    ("address", "host"),
    [(None, "127.0.0.1"), ("auto", "127.0.0.1"), ("head:6379", "head"), ("ray://head:10001", "head")],
)
def test_where_the_dashboard_is(address: str | None, host: str) -> None:
    assert network.dashboard(Settings(cluster=ClusterSettings(address=address)))[0] == host


def test_one_escaped_program_fails_the_self_check() -> None:
    held = CheckResult("fork bomb", True)
    assert sandbox.judge("sandbox_self_check", [held, held]).status == "ok"
    found = sandbox.judge("sandbox_self_check", [held, CheckResult("network", False, "it reached the host")])
    assert found.status == "fail"
    assert "network: it reached the host" in found.meaning


@LEAKY
def test_without_an_engine_only_the_engine_fails(no_engine: SandboxSettings) -> None:
    settings = Settings(sandbox=no_engine)
    assert sandbox.engine(settings).status == "fail"
    assert sandbox.image(settings).status == "warn"
    assert sandbox.gvisor(settings).status == "ok", "it is not asked for"
    asked = settings.sandbox.model_copy(update={"gvisor_runtime": "runsc"})
    assert sandbox.gvisor(settings.model_copy(update={"sandbox": asked})).status == "warn"
    assert sandbox.self_check(settings).status == "warn"


@pytest.mark.docker
def test_the_real_engine_image_and_sandbox(sandbox_state: Path) -> None:
    settings = Settings(sandbox=SandboxSettings(state_dir=sandbox_state))
    checks = (sandbox.engine, sandbox.control_groups, sandbox.image, sandbox.self_check)
    assert [check for check in doctor.run_checks(settings, checks) if check.status != "ok"] == []
    missing = Settings(sandbox=SandboxSettings(image="rlp-no-such-image:latest", state_dir=sandbox_state))
    found = doctor.run_checks(missing, (sandbox.image, sandbox.self_check))
    assert [check.status for check in found] == ["fail", "fail"]


def test_the_state_folder_is_named(tmp_path: Path) -> None:
    here = Settings(state_dir=tmp_path / "state", api=ApiSettings(port=free_port()))
    assert "will be in" in storage.state(here).meaning
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "local.json").touch()
    found = storage.state(here)
    assert (found.status, str(tmp_path / "state") in found.meaning) == ("ok", True)


def test_a_platform_that_runs_elsewhere_is_not_mistaken_for_the_one_of_this_folder(tmp_path: Path) -> None:
    with serving(200, {"status": "alive"}) as port:
        found = storage.state(Settings(state_dir=tmp_path / "state", api=ApiSettings(port=port)))
    assert found.status == "warn"
    assert "not the running platform's" in found.meaning
