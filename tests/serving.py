"""An ASGI application on the loopback interface, in the event loop of a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn


@asynccontextmanager
async def on_loopback(app: Any, *, port: int = 0, **options: Any) -> AsyncIterator[str]:
    """``app`` on ``port`` (0: a free one) of it; host and port. ``options`` are uvicorn's."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, lifespan="off", **options))
    task = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
