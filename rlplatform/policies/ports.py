"""Ports of published policies: their archives, and what the API needs of them.

Fakes and contract suite: ``rlplatform.testing.policies``, ``rlplatform.testing.contracts.policies``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from rlplatform.access.principals import Principal
from rlplatform.policies.models import PolicyInfo, PolicyRequest
from rlplatform.policies.record import PolicyRecord
from rlplatform.runs.ports import Idempotency

if TYPE_CHECKING:
    from numpy.typing import NDArray


class PolicyArchives(Protocol):
    """Archives of published policies. Blocking."""

    def put(self, policy_id: str, archive: bytes) -> None:
        """Store an archive, all or nothing."""

    def get(self, policy_id: str) -> bytes:
        """Return an archive.

        Raises:
            NotFound: there is none such.
        """

    def put_model(self, policy_id: str, model: bytes) -> None:
        """Keep what was made of an archive, beside it; all or nothing."""

    def get_model(self, policy_id: str) -> bytes | None:
        """Return what :meth:`put_model` kept; None: nothing."""

    def delete(self, policy_id: str) -> None:
        """Remove an archive, and what was made of it. Idempotent."""


class ActResult(NamedTuple):
    """Actions [B, *action_space.shape], with the number of observations computed at once and the time it took."""

    actions: NDArray[Any]
    batch: int
    compute_s: float


class PolicyService(Protocol):
    """Published policies, as the API needs them. Reads of their documents go to the store."""

    async def publish(
        self, request: PolicyRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[PolicyRecord, bool]:
        """Copy a checkpoint's policy, so that it outlives the checkpoint; its record, and whether it is new.

        Raises:
            NotFound: there is no such checkpoint or training, or none that the principal sees.
            Conflict: the training has no checkpoint, or its checkpoints hold no policy that can be served.
        """

    async def delete(self, policy_id: str, principal: Principal) -> PolicyRecord:
        """Delete a policy. Idempotent.

        Raises:
            NotFound: there is none such, or none that the principal sees.
        """

    async def act(self, policy: PolicyInfo, observations: NDArray[Any], *, deterministic: bool = True) -> ActResult:
        """Compute actions for ``observations`` [B, *observation_space.shape] of the space's dtype.

        Raises:
            CheckpointError: its archive is damaged.
        """

    async def archive(self, policy: PolicyInfo) -> bytes:
        """Return the archive that ``policy.sha256`` is of.

        Raises:
            CheckpointError: it is damaged.
        """

    async def onnx(self, policy: PolicyInfo) -> bytes:
        """Return the policy as an ONNX model, verified to act as the policy does in its environment.

        Raises:
            Unavailable: the extra ``export`` is not installed.
        """
