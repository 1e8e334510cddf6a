"""The HTTP application. ``create_app`` is all that a server needs; it knows neither Ray nor Serve."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.routing import APIRoute

from rlplatform.assignments.course import CourseServices
from rlplatform.assignments.repository import run_that_uses
from rlplatform.comparison.service import ComparisonService
from rlplatform.errors import StorageError
from rlplatform.files.service import FileService
from rlplatform.lti.service import LtiService
from rlplatform.quotas.service import QuotaService
from rlplatform.settings import Settings
from rlplatform.sign_in.service import SignInService
from rlplatform.sign_in.sessions import Sessions
from serve_apps.api import web_page
from serve_apps.api.authentication import Authenticator
from serve_apps.api.dependencies import Context
from serve_apps.api.http import downloads, problems
from serve_apps.api.http.cookies import Cookies
from serve_apps.api.http.middleware import HttpMiddleware
from serve_apps.api.openapi import document
from serve_apps.api.rate_limits import RateLimiter
from serve_apps.api.routes import ROUTERS, files
from serve_apps.api.run_cache import RunCache
from serve_apps.api.services import Services
from serve_apps.api.streams.fan_out import StreamFanOuts

_DESCRIPTION = """Sandboxed evaluation of Python code, PPO training, and live event streams.

Every error is `application/problem+json` (RFC 9457) with a stable `code`. What starts a run or
publishes a policy takes an `Idempotency-Key`.
Events follow a run live as server-sent events, or for many runs on one WebSocket at `/v1/live`: send
`{"type": "auth", "token": "rlp_…"}` (unless the handshake has an `Authorization` header), then
`{"type": "subscribe", "stream": "trainings/train_…", "after": 0}`.

Every response also has `Content-Security-Policy`, `Cross-Origin-Resource-Policy`, `Referrer-Policy` and
`X-Content-Type-Options`, which keep browsers from using it elsewhere. `HEAD` is `GET` without the body."""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    await asyncio.to_thread(downloads.remove_left)
    if (storage := app.state.context.services.files) is not None:
        with suppress(StorageError):  # the supervisor tries again
            await asyncio.to_thread(storage.sweep)
    yield
    await app.state.context.limiter.close()


def create_app(services: Services, settings: Settings) -> FastAPI:
    """Return the application over ``services``. It keeps only readers of streams: many replicas can share a store."""
    app = routed_app()
    accounts = QuotaService(services.store, settings.quotas, services.clock, services.checkpoints)
    held = _files(services, settings, accounts)
    limiter = RateLimiter(settings.api, settings.store, settings.access.ticket_life_s)
    course = CourseServices(
        services.store, services.clock, services.commands, held, settings.evaluation, settings.files.cache_bytes
    )
    sessions = Sessions(services.store, course.members, services.clock, settings.access.session_life_s)
    app.state.context = Context(
        services=services,
        settings=settings,
        access=Authenticator(services.store, settings, services.clock, limiter, sessions),
        limiter=limiter,
        hubs=StreamFanOuts(services.store, services.clock, ring_bytes=settings.api.stream_buffer_bytes),
        records=RunCache(services.store),
        accounts=accounts,
        comparisons=ComparisonService(services.store),
        files=held,
        course=course,
        cookies=Cookies(secure=(settings.access.public_url or "").startswith("https://")),
        sign_in=_sign_in(services, settings, course, sessions),
        lti=_lti(services, settings, course),
    )
    uploads = {files.PATH: settings.files.max_bytes}
    app.add_middleware(HttpMiddleware, max_body_bytes=settings.api.max_body_bytes, uploads=uploads)
    web_page.install(app)
    return app


def routed_app() -> FastAPI:
    """Return the routes and their OpenAPI document, without the services that answer requests."""
    app = FastAPI(
        title="rlplatform",
        version=version("rlplatform"),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        redirect_slashes=False,
        generate_unique_id_function=lambda route: f"{route.tags[0]}_{route.name}",
        lifespan=_lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    problems.install(app)
    document.install(app)
    for router in ROUTERS:
        app.include_router(router)
    app.state.routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    return app


def _sign_in(
    services: Services, settings: Settings, course: CourseServices, sessions: Sessions
) -> SignInService | None:
    if settings.access.oidc is None:
        return None
    return SignInService(settings.access, course.members, sessions, services.clock)


def _lti(services: Services, settings: Settings, course: CourseServices) -> LtiService | None:
    if settings.access.public_url is None:
        return None
    return LtiService(settings.access, services.store, course.assignments, course.members, services.clock)


def _files(services: Services, settings: Settings, accounts: QuotaService) -> FileService | None:
    if services.files is None:
        return None

    async def limit(tenant: str) -> int | None:
        return (await accounts.quotas(tenant)).file_bytes

    in_use = partial(run_that_uses, services.store)
    return FileService(services.store, services.files, services.clock, settings.files, limit=limit, in_use=in_use)
