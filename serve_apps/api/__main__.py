"""``python -m serve_apps.api``: write the OpenAPI document to ``openapi.json`` beside this file."""

from __future__ import annotations

import json
from pathlib import Path

from serve_apps.api.app import routed_app

TARGET = Path(__file__).with_name("openapi.json")


def document() -> str:
    """Return the document as it is committed."""
    return json.dumps(routed_app().openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
