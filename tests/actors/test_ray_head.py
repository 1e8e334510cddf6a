"""A head whose state is in a Redis with a password, which no command line shows."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis

from rlplatform.free_ports import free_ports
from rlplatform.testing.redis_server import RedisServer, installed
from tests.chaos import processes
from tests.conftest import Missing

pytestmark = [pytest.mark.ray, pytest.mark.timeout(180)]

PASSWORD = uuid4().hex
ATTEMPTS = 4


@pytest.fixture
def redis(tmp_path: Path, missing: Missing) -> Iterator[Redis]:
    if not installed():
        missing("no redis-server: apt-get install redis-server")
    server = RedisServer(tmp_path)
    server.start()
    with Redis.from_url(server.url) as client:
        client.config_set("requirepass", PASSWORD)
    with Redis.from_url(server.url, password=PASSWORD) as client:
        yield client
    server.kill()


def test_a_head_keeps_its_state_in_redis_and_its_password_from_ps(redis: Redis, tmp_path: Path) -> None:
    (tmp_path / "redis_password").write_text(PASSWORD)
    port, dashboard = free_ports(2)
    where = redis.connection_pool.connection_kwargs
    mark = uuid4().hex
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "RLP_"))} | {
        "RLP_SECRETS_DIR": str(tmp_path),
        "RAY_REDIS_ADDRESS": f"{where['host']}:{where['port']}",
        "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0",
        processes.MARK: mark,
    }
    with tempfile.TemporaryDirectory(prefix="rlpr-", ignore_cleanup_errors=True) as folder:
        ports = f"--port={port}", f"--dashboard-port={dashboard}"  # asked for even without a dashboard
        options = [*ports, "--include-dashboard=false", f"--temp-dir={folder}", "--num-cpus=1", "--block"]
        try:
            head = start(options, environment, tmp_path / "head.log")
            commands = [processes.command(pid) for pid in processes.marked(mark)]
            assert any("gcs_server" in command for command in commands), (tmp_path / "head.log").read_text()[-3000:]
            assert any("raylet" in command for command in commands)
            assert not [command for command in commands if PASSWORD in command]
            assert redis.keys("RAY*"), "the head's state is in Redis"
        finally:
            left = processes.marked(mark)
            processes.kill(left)
            assert not processes.await_gone(left)
        head.wait(10)


def start(options: list[str], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start the head; again if Ray gives up, as it does after 30 s however busy the machine is."""
    for _ in range(ATTEMPTS):
        with log.open("wb") as output:
            head = subprocess.Popen(
                [sys.executable, "-m", "cluster.ray_head", *options], env=environment, stdout=output, stderr=output
            )
        while head.poll() is None:
            if "Ray runtime started" in log.read_text():
                return head
            time.sleep(0.1)
    raise AssertionError(log.read_text()[-3000:])
