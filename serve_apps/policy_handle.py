"""Handle of the deployment that serves policies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from actors.rpc.ray_calls import ask, first_line, result
from rlplatform.access.principals import Principal
from rlplatform.errors import PlatformError, Unavailable
from rlplatform.policies.models import PolicyInfo, PolicyRequest
from rlplatform.policies.ports import ActResult
from rlplatform.policies.record import PolicyRecord
from rlplatform.runs.ports import Idempotency

POLICY_PATIENCE_S = 120.0


class PoliciesHandle:
    """The ``PolicyService`` port over the Serve deployment of policies."""

    def __init__(self, lookup: Callable[[], Any]) -> None:
        self._lookup = lookup
        self._deployment: Any = None

    async def _call(self, method: str, *args: Any) -> Any:
        from ray.serve.exceptions import RayServeException  # seconds, and here Serve runs already

        self._deployment = self._deployment or self._lookup()
        response = ask(self._deployment, method, *args)
        try:
            return await asyncio.wait_for(result(response, method), POLICY_PATIENCE_S)
        except TimeoutError:
            raise Unavailable(f"{method}: no replica for policies answered within {POLICY_PATIENCE_S:g} s") from None
        except RayServeException as error:
            raise Unavailable(f"{method}: {first_line(error)}") from None

    async def publish(
        self, request: PolicyRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[PolicyRecord, bool]:
        return await self._call("publish", request, principal, idempotency)

    async def delete(self, policy_id: str, principal: Principal) -> PolicyRecord:
        return await self._call("delete", policy_id, principal)

    async def act(self, policy: PolicyInfo, observations: NDArray[Any], *, deterministic: bool = True) -> ActResult:
        acted = await self._call("act", (policy, observations, deterministic))
        if isinstance(acted, PlatformError):
            raise acted
        return acted

    async def archive(self, policy: PolicyInfo) -> bytes:
        return await self._call("archive", policy)

    async def onnx(self, policy: PolicyInfo) -> bytes:
        return await self._call("onnx", policy)
