"""Settings from the environment, and what is said of those that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from rlplatform.errors import InvalidRequest, UnknownName
from rlplatform.settings import THROUGH_ACTOR, AccessSettings, Settings, StoreSettings, read_settings


def test_what_is_given_goes_over_the_environment_and_leaves_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RLP_API__PORT", "8001")
    monkeypatch.setenv("RLP_API__HOST", "0.0.0.0")
    assert (read_settings().api.port, read_settings(api={"port": 8002}).api.port) == (8001, 8002)
    assert read_settings(api={"port": 8002}).api.host == "0.0.0.0"


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("RLP_API__PORT", "abc", "RLP_API__PORT: must be a whole number"),
        ("RLP_API__PORT", "99999", "RLP_API__PORT: must be at most 65,535"),
        ("RLP_CLUSTER__INGRESS", "nginx", "RLP_CLUSTER__INGRESS: must be 'auto', 'haproxy' or 'proxy'"),
        ("RLP_STORE__URL", "mysql://x", "RLP_STORE__URL: accepted are memory://, sqlite:///"),
        ("RLP_STORE__URL", "sqlite:///", "RLP_STORE__URL: accepted are memory://, sqlite:///"),
        ("RLP_API", "{", "the environment: error parsing value for field"),
    ],
)
def test_a_value_that_cannot_be_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidRequest) as refused:
        read_settings()
    assert str(refused.value).startswith(told)
    assert "pydantic" not in str(refused.value)


def test_a_variable_that_does_not_exist_gets_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RLP_SANDBOX__WRAM", "3")
    with pytest.raises(UnknownName, match="unknown setting 'RLP_SANDBOX__WRAM'; did you mean RLP_SANDBOX__WARM"):
        read_settings()


def test_secrets_are_read_from_files_and_the_environment_goes_before_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RLP_SECRETS_DIR", str(tmp_path))
    assert read_settings().store.embedded
    (tmp_path / "store_url").write_text("redis://:word@redis:6379/1\n")
    (tmp_path / "pepper").write_text("salt and pepper\n")
    monkeypatch.setenv("RLP_ACCESS__KEY_LEASE_S", "2")
    settings = read_settings()
    assert settings.store.url == "redis://:word@redis:6379/1"
    assert settings.access.pepper.get_secret_value() == "salt and pepper"
    assert settings.access.key_lease_s == 2
    monkeypatch.setenv("RLP_ACCESS__PEPPER", "another")
    assert read_settings().access.pepper.get_secret_value() == "another"
    assert settings.without_pepper().access.pepper.get_secret_value() == ""


def test_a_secret_that_cannot_be_read_is_an_error_and_not_a_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RLP_SECRETS_DIR", str(tmp_path))
    (tmp_path / "pepper").mkdir()
    with pytest.raises(InvalidRequest, match=r"the secret .*pepper cannot be read"):
        read_settings()


def test_a_node_without_secrets_reaches_the_store_through_an_actor() -> None:
    store = StoreSettings(url="redis://:hunter2hunter2@redis:6379/1")
    settings = Settings(store=store, access=AccessSettings(pepper=SecretStr("pepper-pepper"))).without_secrets()
    assert (settings.store.url, settings.store.embedded) == (THROUGH_ACTOR, True)
    told = settings.model_dump_json() + repr(settings) + settings.access.pepper.get_secret_value()
    assert "hunter2" not in told
    assert "pepper-pepper" not in told
