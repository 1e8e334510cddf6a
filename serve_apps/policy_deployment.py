"""Serve deployment of policies in separate replicas. Requests that arrive together are computed together.

It scales to zero while no policy is requested: only the first request imports torch.
"""

from collections.abc import Sequence
from typing import Any

from ray import serve
from ray.serve import Application

from actors.options import OFF_SANDBOX_NODES
from actors.store.connection import connect_store
from rlplatform.access.principals import Principal
from rlplatform.clock import SystemClock
from rlplatform.environments import environment_modules
from rlplatform.errors import PlatformError
from rlplatform.policies.models import PolicyInfo, PolicyRequest
from rlplatform.policies.ports import ActResult
from rlplatform.policies.record import PolicyRecord
from rlplatform.policies.service import LocalPolicyService, PendingAct
from rlplatform.quotas.service import QuotaService
from rlplatform.runs.ports import Idempotency
from rlplatform.settings import Settings
from rlplatform.storage import open_checkpoints, open_policies
from rlplatform.telemetry import logs, traces
from serve_apps import internal_address

NAME = "policies"
MAX_BATCH = 256


class PolicyReplica:
    """A ``LocalPolicyService`` in a replica. Errors of single requests of a batch are returned, not raised."""

    def __init__(self, settings: Settings | None) -> None:
        settings = settings or Settings()
        logs.configure(settings, NAME)
        traces.configure(settings, NAME)
        internal_address.install()
        environment_modules.configure(settings.training.environment_modules)
        store, clock = connect_store(settings), SystemClock()
        self._shelf = LocalPolicyService(
            store,
            open_checkpoints(settings.training.checkpoint_url),
            open_policies(settings.training),
            clock,
            QuotaService(store, settings.quotas, clock),
        )

    async def publish(
        self, request: PolicyRequest, principal: Principal, idempotency: Idempotency | None
    ) -> tuple[PolicyRecord, bool]:
        return await self._shelf.publish(request, principal, idempotency)

    async def delete(self, policy_id: str, principal: Principal) -> PolicyRecord:
        return await self._shelf.delete(policy_id, principal)

    @serve.batch(max_batch_size=MAX_BATCH, batch_wait_timeout_s=0.0)
    async def act(self, asked: Sequence[PendingAct]) -> list[ActResult | PlatformError]:
        """Compute all requests that arrived during the last computation at once, without waiting for a batch to
        fill."""
        return await self._shelf.act_all([PendingAct(*one) for one in asked])

    async def archive(self, policy: PolicyInfo) -> bytes:
        return await self._shelf.archive(policy)

    async def onnx(self, policy: PolicyInfo) -> bytes:
        return await self._shelf.onnx(policy)


def app(settings: Settings | None, max_replicas: int) -> Application:
    """Return the deployment, to be bound to the API's.

    ``settings`` None: from the environment of the replica's node.
    """
    deployment: Any = serve.deployment(
        PolicyReplica,
        name=NAME,
        max_ongoing_requests=1000,
        ray_actor_options={"num_cpus": 0.05, "label_selector": OFF_SANDBOX_NODES},
        autoscaling_config={
            "min_replicas": 0,
            "initial_replicas": 0,
            "max_replicas": max_replicas,
            "target_ongoing_requests": 200,
            "upscale_delay_s": 0,
            "downscale_delay_s": 1800,
        },
        graceful_shutdown_timeout_s=5,
    )
    return deployment.bind(settings)
