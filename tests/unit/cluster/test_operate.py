"""The operator's commands, without a cluster. With one: tests/e2e/test_cluster_profile.py."""

import pytest

from cluster import operate


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
