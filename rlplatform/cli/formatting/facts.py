"""Facts of a document as lines, and the values in them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

FACT = 16
"""Columns of a fact's name."""
RETURN = "rollout/episode_return_mean"


def fact_lines(facts: Mapping[str, object]) -> str:
    """Return facts as text, a line each; those that are None are left out."""
    return "\n".join(f"{name:<{FACT}}{value}" for name, value in facts.items() if value is not None)


def when(time: datetime) -> str:
    """A time on this machine's clock."""
    return f"{time.astimezone():%Y-%m-%d %H:%M:%S}"


def duration(seconds: float) -> str:
    """A duration in its two largest units, such as ``2 h 05 min``."""
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    minutes, rest = divmod(math.ceil(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s" if minutes < 10 else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def settings(values: Mapping[str, Any]) -> str:
    """Settings as ``name=value``."""
    return " ".join(f"{name}={plain(value)}" for name, value in values.items())


def plain(value: Any) -> str:
    """Return a setting as a request has it: text without quotes, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=str)
