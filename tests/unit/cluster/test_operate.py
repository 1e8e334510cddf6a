"""The operator's commands, without a cluster. With one: tests/e2e/test_cluster_profile.py."""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from pydantic import SecretStr
from redis import Redis

from cluster import operate
from rlplatform.settings import AccessSettings, Settings, StoreSettings
from rlplatform.testing.redis_server import installed, redis_server


def test_where_there_is_no_cluster_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RLP_CLUSTER__ADDRESS", "127.0.0.1:1")
    assert operate.main(["start"]) == 5
    assert "no Ray cluster answers at 127.0.0.1:1" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["key"], ["key", "--tenant=t", "--name=n", "--scope=everything"]])
def test_misuse(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        operate.main(arguments)
    assert exit_.value.code == 2


@pytest.mark.anyio
async def test_a_key_leaves_no_connection_behind(tmp_path: Path, missing: Callable[[str], NoReturn]) -> None:
    if not installed():
        missing("no redis-server: apt-get install redis-server")
    with redis_server(tmp_path) as url, Redis.from_url(url) as redis:
        settings = Settings(store=StoreSettings(url=url), access=AccessSettings(pepper=SecretStr("pepper")))
        assert (await operate.make_key(settings, "acme", "gradebook", ["read"])).startswith("rlp_")
        assert len(redis.client_list()) == 1, "ours"
