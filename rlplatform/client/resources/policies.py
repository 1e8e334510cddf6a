"""Calls for published policies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Unpack
from urllib.parse import quote

from rlplatform.client.async_transport import AsyncTransport
from rlplatform.client.call import POLICY_WAIT_S, Call, create, encode, reads, segment, with_json
from rlplatform.client.fields import PolicyFields, with_fields
from rlplatform.client.local_policy import LocalPolicy
from rlplatform.policies.models import Actions, PolicyInfo, PolicyRequest
from rlplatform.runs.pages import Page


class PolicyCalls(AsyncTransport):
    """Publish policies, let them act, and save them."""

    async def publish_policy(
        self,
        request: PolicyRequest | Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        **fields: Unpack[PolicyFields],
    ) -> PolicyInfo:
        """Copy a checkpoint's policy, so that it outlives the checkpoint and can act.

        Args:
            request: what to publish; None if its fields are given, for example ``training_id=…``.
            idempotency_key: name of this request: sent again, it publishes nothing; made up if left out.
            fields: see :class:`~rlplatform.client.fields.PolicyFields`; they replace those of ``request``.

        Raises:
            NotFound: there is no such checkpoint or training.
            Conflict: the checkpoint has no policy that can be served.
        """
        read, body = reads(PolicyInfo), encode(with_fields(request, fields))
        return await self._send(create("/v1/policies", body, read, idempotency_key, wait_s=POLICY_WAIT_S))

    async def policy(self, policy_id: str) -> PolicyInfo:
        """Return a published policy.

        Raises:
            NotFound: there is no such policy.
        """
        return await self._send(Call("GET", f"/v1/policies/{segment(policy_id)}", reads(PolicyInfo)))

    def policies(self, *, page_size: int = 50) -> AsyncIterator[PolicyInfo]:
        """Yield all policies, newest first; pages are fetched as they are needed."""
        return self._pages("/v1/policies", Page[PolicyInfo], page_size)

    async def delete_policy(self, policy_id: str) -> PolicyInfo:
        """Delete a policy for good. Idempotent."""
        path = f"/v1/policies/{segment(policy_id)}"
        return await self._send(Call("DELETE", path, reads(PolicyInfo), wait_s=POLICY_WAIT_S))

    async def act(self, policy_id: str, observations: Sequence[Any], *, deterministic: bool = True) -> list[Any]:
        """Return one action for each observation.

        Args:
            observations: nested lists, as the environment returns them; at most 4096.
        """
        path = f"/v1/policies/{segment(policy_id)}/act"
        body = {"observations": list(observations), "deterministic": deterministic}
        return (await self._send(with_json("POST", path, body, Actions, wait_s=POLICY_WAIT_S))).actions

    async def load_policy(self, policy_id: str) -> LocalPolicy:
        """Return a published policy that acts in this process, on onnxruntime and without the platform.

        Raises:
            NotFound: there is no such policy.
            Unavailable: onnxruntime is not installed.
        """
        info = await self.policy(policy_id)
        path = f"/v1/policies/{segment(policy_id)}/download?format=onnx"
        return LocalPolicy(info, await self._send(Call("GET", path, bytes, wait_s=POLICY_WAIT_S)))

    async def download_policy(
        self,
        policy_id: str,
        target: Path,
        *,
        form: Literal["onnx", "tar"] = "onnx",
        progress: Callable[[int, int], None] | None = None,
    ) -> Path:
        """Save a policy as an ONNX model, or as its archive. ``target`` appears only once it is complete.

        Args:
            progress: called with the bytes received and the bytes in all.
        """
        path = f"/v1/policies/{segment(policy_id)}/download?format={quote(form, safe='')}"
        return await self._download(path, target, progress)
