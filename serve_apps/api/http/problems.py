"""Errors as ``application/problem+json`` (RFC 9457), by the table of ``rlplatform.errors``."""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from rlplatform.errors import (
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    PlatformError,
    ServiceError,
    TooLarge,
    problem,
)
from serve_apps.api.http.validation import invalid_request

MEDIA_TYPE = "application/problem+json"
_PARAMETER = re.compile(r"{\w+}")
_BY_STATUS: Mapping[int, type[PlatformError]] = {404: NotFound, 405: MethodNotAllowed, 413: TooLarge}
_LOG = logging.getLogger("rlplatform.api")


def problem_response(
    error: PlatformError, request_id: str | None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return ``error`` as a response, with the headers of its status."""
    headers = dict(headers or {})
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.status == 426:
        headers |= {"Upgrade": "websocket", "Connection": "Upgrade"}
    if error.status in (408, 413):
        headers["Connection"] = "close"  # what is still to come of the body is not waited for
    if error.status == 416:
        headers["Content-Range"] = f"bytes */{error.extra.get('size', 0)}"
    if error.status in (429, 503):
        headers["Retry-After"] = str(max(1, math.ceil(error.extra.get("retry_after_s", 5))))
    body = json.dumps(problem(error, request_id), allow_nan=False, default=str)
    return Response(body, status_code=error.status, media_type=MEDIA_TYPE, headers=headers)


def internal_error(request_id: str | None) -> PlatformError:
    """Return the error that clients see for a bug of the platform: it refers to the log and reveals nothing else."""
    return PlatformError(f"something broke on our side; the log has it under request id {request_id}")


def install(app: FastAPI) -> None:
    """Make ``app`` answer every exception with a problem document."""

    @app.exception_handler(PlatformError)
    async def _platform_error(request: Request, error: PlatformError) -> Response:
        request_id = _request_id(request)
        if type(error).status >= 500:
            _LOG.warning("%s %s: %s [%s]", request.method, request.url.path, error, request_id)
        return problem_response(error, request_id)

    @app.exception_handler(RequestValidationError)
    async def _validation_error(request: Request, error: RequestValidationError) -> Response:
        return problem_response(invalid_request(error.errors(), model=_query_model(request)), _request_id(request))

    @app.exception_handler(HTTPException)
    async def _http_exception(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_allowed(request))
        return problem_response(_from_status(request, error), _request_id(request), headers)


def _from_status(request: Request, error: HTTPException) -> PlatformError:
    if error.status_code == 404:
        return NotFound(f"there is nothing at {request.url.path[:200]}")
    if error.status_code == 405:
        return MethodNotAllowed(f"{request.method} is not accepted here; accepted: {', '.join(_allowed(request))}")
    if error.status_code >= 500:
        return ServiceError(HTTPStatus(error.status_code).phrase)
    return _BY_STATUS.get(error.status_code, InvalidRequest)(str(error.detail))


def _allowed(request: Request) -> list[str]:
    """Return the methods that the path accepts; the framework lists those of the first route only.

    A path such as `/v1/assignments/a:regrade` also has the form of `/v1/assignments/{name}`, which is not meant.
    """
    routes = [route for route in request.app.state.routes if route.path_regex.match(request.url.path)]
    if not routes:  # a file of the page
        return ["GET", "HEAD"]
    closest = max(len(_PARAMETER.sub("", route.path)) for route in routes)
    found: set[str] = set()
    for route in routes:
        if len(_PARAMETER.sub("", route.path)) == closest:
            found |= {*route.methods, "HEAD"} if "GET" in route.methods else route.methods
    return sorted(found)


def _query_model(request: Request) -> type[BaseModel] | None:
    """Return the model that validates the query of this route; None if it has none."""
    parameters = request.scope["route"].dependant.query_params
    model = parameters[0].field_info.annotation if len(parameters) == 1 else None
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _request_id(request: Request) -> str | None:
    found: str | None = request.scope.get("state", {}).get("request_id")
    return found
