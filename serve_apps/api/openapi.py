"""The OpenAPI document: what FastAPI derives, and the bodies, events and problems that it cannot see."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

from rlplatform.errors import error_classes
from rlplatform.events import event_schema

_REF = "#/components/schemas/{model}"
_ALWAYS = (429, 500)


class Problem(BaseModel):
    """RFC 9457, with a stable ``code`` to act on. ``field`` is a dotted path into the request: ``tests.0.points``."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str
    detail: str
    retryable: bool
    field: str | None = None
    request_id: str | None = None
    errors: list[dict[str, str]] = Field(default_factory=list)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that answers these statuses with a problem document."""
    codes: dict[int, list[str]] = {}
    for cls in error_classes():
        codes.setdefault(cls.status, []).append(cls.code)
    schema = {"$ref": _REF.format(model="Problem")}
    return {
        status: {
            "description": f"{HTTPStatus(status).phrase}: {', '.join(codes[status])}",
            "content": {"application/problem+json": {"schema": schema}},
        }
        for status in statuses
    }


def accepts(model: type[BaseModel], example: dict[str, Any] | None = None) -> dict[str, Any]:
    """The part of an operation that goes with ``bodies.body_of(model)``."""
    content: dict[str, Any] = {"schema": {"$ref": _REF.format(model=model.__name__)}}
    if example is not None:
        content["example"] = example
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def install(app: FastAPI, bodies: Iterable[type[BaseModel]]) -> None:
    """Have ``app.openapi()`` give the complete document; ``bodies`` are the models of :func:`accepts`."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, bodies)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI, bodies: Iterable[type[BaseModel]]) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = document["components"]["schemas"]
    models: list[type[BaseModel]] = [*bodies, Problem]
    _, found = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    event = event_schema(_REF)
    for name, schema in {**found.get("$defs", {}), **event.pop("$defs", {}), "Event": event}.items():
        schemas.setdefault(name, schema)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for path in document["paths"].values():
        for operation in path.values():
            responses = operation["responses"]
            if "HTTPValidationError" in str(responses.get("422", "")):
                responses.update(_numbered(422))
            responses.update(_numbered(*(_ALWAYS if "security" in operation else (500,))))
    return document


def _numbered(*statuses: int) -> dict[str, Any]:
    return {str(status): response for status, response in problems(*statuses).items()}
