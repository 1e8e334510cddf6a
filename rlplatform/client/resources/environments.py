"""Calls for environments: those that can be trained on, and those that users upload."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from rlplatform.client.async_transport import AsyncTransport
from rlplatform.client.call import Call, nothing, reads, segment, with_json
from rlplatform.environments.models import EnvironmentInfo, EnvironmentList
from rlplatform.runs.pages import Page
from rlplatform.user_environments.models import EnvironmentUpload, UserEnvironment


class EnvironmentCalls(AsyncTransport):
    """List environments; upload your own."""

    async def environments(self) -> list[EnvironmentInfo]:
        """Return the environments that can be trained on."""
        return (await self._send(Call("GET", "/v1/environments", reads(EnvironmentList)))).items

    async def upload_environment(self, upload: EnvironmentUpload | Mapping[str, Any]) -> UserEnvironment:
        """Upload an environment. Its contract is then checked: read it with :meth:`environment` until its state is not
        ``checking``."""
        return await self._send(with_json("POST", "/v1/environments", upload, UserEnvironment))

    async def environment(self, environment_id: str) -> UserEnvironment:
        """Return an uploaded environment, with the report on its contract so far.

        Raises:
            NotFound: there is no such environment.
        """
        return await self._send(Call("GET", f"/v1/environments/{segment(environment_id)}", reads(UserEnvironment)))

    def uploaded_environments(self, *, page_size: int = 50) -> AsyncIterator[UserEnvironment]:
        """Yield all uploaded environments, newest first; pages are fetched as they are needed."""
        return self._pages("/v1/environments:uploaded", Page[UserEnvironment], page_size)

    async def delete_environment(self, environment_id: str) -> None:
        """Delete an uploaded environment.

        Raises:
            Conflict: an unfinished training uses it.
        """
        await self._send(Call("DELETE", f"/v1/environments/{segment(environment_id)}", nothing))
