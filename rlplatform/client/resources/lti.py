"""Calls for the learning platforms of a course (LTI 1.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlplatform.client.async_transport import AsyncTransport
from rlplatform.client.call import Call, reads, segment, with_json
from rlplatform.lti.models import LtiRegistration, LtiRegistrationList, LtiTool


class LtiCalls(AsyncTransport):
    """Register learning platforms."""

    async def register_lti(self, registration: Mapping[str, Any]) -> LtiRegistration:
        """Register a learning platform, or change its registration."""
        call = with_json("POST", "/v1/lti/registrations", dict(registration), LtiRegistration, repeatable=False)
        return await self._send(call)

    async def lti_registrations(self) -> list[LtiRegistration]:
        """Return the registrations of the tenant, newest first."""
        return (await self._send(Call("GET", "/v1/lti/registrations", reads(LtiRegistrationList)))).items

    async def remove_lti(self, registration_id: str) -> LtiRegistration:
        """Remove a registration: its platform can launch nothing any more."""
        path = f"/v1/lti/registrations/{segment(registration_id)}"
        return await self._send(Call("DELETE", path, reads(LtiRegistration)))

    async def lti_tool(self) -> LtiTool:
        """Return the addresses that a learning platform asks for."""
        return await self._send(Call("GET", "/v1/lti/tool", reads(LtiTool)))
