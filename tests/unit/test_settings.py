"""Settings from the environment, and what is said of those that cannot be."""

from __future__ import annotations

import pytest

from rlplatform.errors import InvalidRequest, UnknownName
from rlplatform.settings import read_settings


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
