"""A reward function in a file of this machine."""

from pathlib import Path

import pytest

from rlplatform.cli.local_reward import reward_of
from rlplatform.errors import InvalidRequest

SOURCE = "def shaped(*step):\n    return 0\n\nother = shaped\n"


def test_a_file_is_read_and_its_function_found(tmp_path: Path) -> None:
    path = tmp_path / "reward.py"
    path.write_text(SOURCE)
    assert reward_of(f"{path}:shaped") == {"source": SOURCE, "entry": "shaped"}
    assert reward_of(f"{path}:other")["entry"] == "other"
    assert reward_of("file_" + "0" * 26 + ":shaped") == {"file": "file_" + "0" * 26, "entry": "shaped"}


@pytest.mark.parametrize(
    ("text", "given", "said"),
    [
        (SOURCE, ":shape", "defines no function 'shape'; it has shaped"),
        ("def shaped(:", ":shaped", "line 1: SyntaxError"),
        (SOURCE, "", "give a file and a function in it, as ./reward.py:shaped"),
        (None, ":shaped", "cannot be read: No such file"),
    ],
)
def test_a_mistake_is_told_before_anything_is_sent(tmp_path: Path, text: str | None, given: str, said: str) -> None:
    path = tmp_path / "reward.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InvalidRequest, match=said) as refused:
        reward_of(f"{path}{given}")
    assert refused.value.extra["field"] == "--reward"
