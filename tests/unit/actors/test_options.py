"""Meaning of ``name:value`` on the command line."""

from __future__ import annotations

from typing import Any

import pytest

from rlplatform.cli.options import pairs


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.98", 0.98),
        (".98", 0.98),
        ("5.", 5.0),
        ("1e-3", 0.001),
        ("32", 32),
        ("true", True),
        ("False", False),
        ("None", None),
        ("[64, 64]", [64, 64]),
        ("lin_0.001", "lin_0.001"),
        ("nn.ReLU", "nn.ReLU"),
        ("inf", "inf"),
    ],
)
def test_values_are_json_or_as_python_writes_them_or_text(text: str, value: Any) -> None:
    (found,) = pairs([f"name:{text}"], "-H").values()
    assert (found, type(found)) == (value, type(value))
