"""Handle of the deployment that serves policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from rlplatform.access.principals import Principal
from rlplatform.errors import PlatformError
from rlplatform.policies.models import PolicyInfo, PolicyRequest
from rlplatform.policies.ports import ActResult
from rlplatform.policies.record import PolicyRecord
from rlplatform.runs.ports import Idempotency
from serve_apps.deployment_handle import DeploymentHandle

POLICY_PATIENCE_S = 120.0


class PoliciesHandle(DeploymentHandle):
    """The ``PolicyService`` port over the Serve deployment of policies."""

    def __init__(self, lookup: Callable[[], Any]) -> None:
        super().__init__(lookup, "policies", POLICY_PATIENCE_S)

    async def publish(
        self, request: PolicyRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[PolicyRecord, bool]:
        return await self.call("publish", request, principal, idempotency)

    async def delete(self, policy_id: str, principal: Principal) -> PolicyRecord:
        return await self.call("delete", policy_id, principal)

    async def act(self, policy: PolicyInfo, observations: NDArray[Any], *, deterministic: bool = True) -> ActResult:
        acted = await self.call("act", (policy, observations, deterministic))
        if isinstance(acted, PlatformError):
            raise acted
        return acted

    async def archive(self, policy: PolicyInfo) -> bytes:
        return await self.call("archive", policy)

    async def onnx(self, policy: PolicyInfo) -> bytes:
        return await self.call("onnx", policy)
