"""A response, held against the OpenAPI document: its status, its headers, its JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve_apps.api.http.middleware import SECURITY

# of HTTP itself or of the server, and those that the document describes for all responses together
UNDESCRIBED = frozenset(
    {"connection", "content-length", "content-type", "date", "server", "transfer-encoding", "vary", "allow"}
) | {name.lower() for name in SECURITY if name != "Cache-Control"}


class Description:
    """Responses as the document describes them."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._paths = [(compile_path(path)[0], operations) for path, operations in document["paths"].items()]

    def operation(self, method: str, path: str) -> dict[str, Any]:
        """Return the operation that answers."""
        for pattern, operations in self._paths:
            if pattern.fullmatch(path) and method.lower() in operations:
                found: dict[str, Any] = operations[method.lower()]
                return found
        raise AssertionError(f"the document has no {method} {path}")

    def faults(
        self, operation: Mapping[str, Any], status: int, headers: Iterable[tuple[str, str]], body: bytes
    ) -> list[str]:
        """Return the differences between a response of ``operation`` and its description."""
        where = f"{operation['operationId']} {status}"
        if str(status) not in operation["responses"]:
            return [f"{where}: this status is not described"]
        response = self.resolved(operation["responses"][str(status)])
        sent = {name.lower(): value for name, value in headers}
        described = {name.lower(): self.resolved(header) for name, header in response.get("headers", {}).items()}
        faults = [f"{where}: {name} is not described" for name in sent.keys() - described.keys() - UNDESCRIBED]
        faults += [
            f"{where}: {name} is missing"
            for name, header in described.items()
            if header.get("required") and name not in sent
        ]
        for name in sent.keys() & described.keys():
            schema = described[name]["schema"]
            value: Any = int(sent[name]) if schema["type"] == "integer" else sent[name]
            faults += [f"{where}: {name}: {error.message}" for error in self.errors(value, schema)]
        media_type = sent.get("content-type", "").partition(";")[0]
        content = response.get("content", {})
        if body and media_type not in content:
            faults.append(f"{where}: content of type {media_type} is not described")
        elif body and media_type.endswith("json"):
            errors = self.errors(json.loads(body), content[media_type]["schema"])
            faults += [f"{where}: {error.json_path}: {error.message[:200]}" for error in errors]
        elif media_type == "text/event-stream":
            for block in body.decode().split("\n\n"):
                data = [line.removeprefix("data:") for line in block.split("\n") if line.startswith("data:")]
                if data and "event:" not in block:
                    faults += self._event_faults(json.loads(data[0]))
        return faults

    def _event_faults(self, event: Any) -> list[str]:
        """Return the differences between an event and its description."""
        name = self._document["components"]["schemas"]["Event"]["discriminator"]["mapping"][event["type"]]
        return [f"{event['type']}: {error.json_path}: {error.message}" for error in self.errors(event, {"$ref": name})]

    def resolved(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return ``node``, or the node that it refers to."""
        if "$ref" in node:
            _, kind, name = node["$ref"].rsplit("/", 2)
            found: Mapping[str, Any] = self._document["components"][kind][name]
            return found
        return node

    def errors(self, value: Any, schema: Mapping[str, Any]) -> list[jsonschema.ValidationError]:
        """Return the errors of ``value`` by ``schema``."""
        whole = {"components": self._document["components"], **schema}
        return list(jsonschema.Draft202012Validator(whole).iter_errors(value))


class Watched:
    """Around an application: notes whatever it answers that is not as described, and the operations that answered."""

    def __init__(self, app: ASGIApp, description: Description) -> None:
        self._app = app
        self._description = description
        self.faults: list[str] = []
        self.answered: set[tuple[str, int]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started: Message = {}
        body = b""

        async def watch(message: Message) -> None:
            nonlocal started, body
            if message["type"] == "http.response.start":
                started = message
            else:
                body += message.get("body", b"")
            await send(message)

        await self._app(scope, receive, watch)
        if not started:
            return  # the client has left before there was an answer
        headers = [(name.decode(), value.decode()) for name, value in started["headers"]]
        operation = self._description.operation(scope["method"], scope["path"])
        self.answered.add((operation["operationId"], started["status"]))
        self.faults += self._description.faults(operation, started["status"], headers, body)
