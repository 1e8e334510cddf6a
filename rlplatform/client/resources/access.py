"""Calls for API keys, and for who this client is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlplatform.access.models import KeyCreated, KeyInfo, KeyList, KeyRequest, WhoAmI
from rlplatform.client.async_transport import AsyncTransport
from rlplatform.client.call import Call, reads, segment, with_json


class AccessCalls(AsyncTransport):
    """Manage the API keys of the tenant."""

    async def create_key(self, request: KeyRequest | Mapping[str, Any]) -> KeyCreated:
        """Create an API key. Only this answer has its text. Not repeated when the answer is lost.

        Raises:
            NotAllowed: the key would have rights that this client lacks.
        """
        return await self._send(with_json("POST", "/v1/keys", request, KeyCreated, repeatable=False))

    async def keys(self) -> list[KeyInfo]:
        """Return the API keys of the tenant, oldest first."""
        return (await self._send(Call("GET", "/v1/keys", reads(KeyList)))).items

    async def rotate_key(self, key_id: str, *, overlap_s: float = 3600.0) -> KeyCreated:
        """Replace a key; the old one stays valid for ``overlap_s``. Not repeated when the answer is lost."""
        path = f"/v1/keys/{segment(key_id)}/rotate"
        return await self._send(with_json("POST", path, {"overlap_s": overlap_s}, KeyCreated, repeatable=False))

    async def revoke_key(self, key_id: str) -> KeyInfo:
        """Make a key useless from this moment on. Idempotent."""
        return await self._send(Call("DELETE", f"/v1/keys/{segment(key_id)}", reads(KeyInfo)))

    async def whoami(self) -> WhoAmI:
        """Return the principal that the platform takes this client for."""
        return await self._send(Call("GET", "/v1/whoami", reads(WhoAmI)))
