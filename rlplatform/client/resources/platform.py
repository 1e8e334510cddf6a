"""Calls for the platform itself."""

from __future__ import annotations

from rlplatform.client.async_transport import AsyncTransport
from rlplatform.client.call import Call, reads
from rlplatform.health import Readiness
from rlplatform.load import PlatformLoad


class PlatformCalls(AsyncTransport):
    """Ask for the state of the platform."""

    async def ready(self) -> Readiness:
        """Return the state of the platform's parts."""
        return await self._send(Call("GET", "/readyz", reads(Readiness), accepted=frozenset({200, 503})))

    async def load(self) -> PlatformLoad:
        """Return what waits and runs, by tenant and node; for operators."""
        return await self._send(Call("GET", "/v1/load", reads(PlatformLoad)))
