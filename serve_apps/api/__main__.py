"""``python -m serve_apps.api``: write the OpenAPI document to ``openapi.json`` beside this file."""

from __future__ import annotations

import json
from pathlib import Path

from rlplatform.clock import SystemClock
from rlplatform.settings import Settings
from rlplatform.storage.memory import MemoryStore
from rlplatform.testing.commands import FakeCommands
from serve_apps.api.app import create_app
from serve_apps.api.services import Services

TARGET = Path(__file__).with_name("openapi.json")


def document() -> str:
    """The document as it is committed."""
    clock = SystemClock()
    store = MemoryStore(clock)
    app = create_app(Services(store=store, commands=FakeCommands(store, clock), clock=clock), Settings())
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
