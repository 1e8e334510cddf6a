"""The synchronous client is the asynchronous one without async."""

from __future__ import annotations

import inspect
import re

from rlplatform.client import AsyncClient, Client
from rlplatform.client.generate import FOLDER, TARGET, generate, sources


def test_sync_client_is_up_to_date() -> None:
    assert TARGET.read_text() == generate(), "run: python rlplatform/client/generate.py"


def test_every_resource_is_generated() -> None:
    resources = {f"resources/{path.stem}" for path in (FOLDER / "resources").glob("*.py") if path.stem != "__init__"}
    assert resources == {source for source in sources() if source.startswith("resources/")}


def test_sync_client_has_nothing_of_asyncio() -> None:
    assert re.findall(r"\b(async|await|\w*[aA]sync\w*|a(?:iter|read|close|closing)\w*)\b", TARGET.read_text()) == [
        "asynchronous"  # the header, which says what it is generated from
    ]


def test_both_clients_have_the_same_methods_and_parameters() -> None:
    def parameters(client: type) -> dict[str, list[str]]:
        methods = inspect.getmembers(client, inspect.isfunction)
        return {name: list(inspect.signature(method).parameters) for name, method in methods if name[0] != "_"}

    assert parameters(Client) == parameters(AsyncClient)
    assert {"evaluate", "events", "act", "create_webhook", "ready"} <= parameters(Client).keys()
