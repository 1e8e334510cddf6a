"""Serve deployments that draw episodes and play policies: in processes of their own, behind everything else.

One is for installed environments, on any node; one for uploaded environments, on a node with sandboxes. They scale to
zero while nobody watches.
"""

from typing import Any

from ray import serve
from ray.serve import Application

from actors.options import OFF_SANDBOX_NODES, SANDBOX_RESOURCE, SANDBOX_SHARE
from actors.store.connection import connect_store
from rlplatform.clock import SystemClock
from rlplatform.environments import environment_modules
from rlplatform.episodes.models import EpisodeInfo
from rlplatform.playing.ports import Frame, PolicySource, WatchedTraining
from rlplatform.playing.service import LocalEpisodeService
from rlplatform.policies.models import EvaluatePolicyRequest, PolicyEvaluation
from rlplatform.settings import Settings
from rlplatform.storage import open_checkpoints, open_episodes, open_policies
from rlplatform.telemetry import logs, traces
from rlplatform.user_environments.service import UserEnvironments
from serve_apps import internal_address

NAME = "episodes"
SANDBOXED = "sandboxed_episodes"


class EpisodeReplica:
    """A ``LocalEpisodeService`` in a replica."""

    def __init__(self, settings: Settings | None) -> None:
        settings = settings or Settings()
        logs.configure(settings, NAME)
        traces.configure(settings, NAME)
        internal_address.install()
        environment_modules.configure(settings.training.environment_modules)
        self._service = LocalEpisodeService(
            open_episodes(settings),
            open_checkpoints(settings.training.checkpoint_url),
            open_policies(settings.training),
            settings.episodes,
            find_code=UserEnvironments(connect_store(settings), SystemClock()).code_for_run,
            sandbox=settings.sandbox,
        )

    async def video(self, episode: EpisodeInfo) -> tuple[object, ...]:
        return tuple(await self._service.video(episode))

    async def play(self, source: tuple[object, ...], request: EvaluatePolicyRequest) -> PolicyEvaluation:
        return await self._service.play(PolicySource(*source), request)  # type: ignore[arg-type]

    async def frame(self, training: tuple[object, ...], after: int) -> Frame:
        return await self._service.frame(WatchedTraining(*training), after)  # type: ignore[arg-type]


def apps(settings: Settings | None) -> tuple[Application, Application]:
    """Return the deployments, to be bound to the API's.

    ``settings`` None: from the environment of the replica's node; on nodes with sandboxes, which hold no secrets, from
    that of this process, without secrets.
    """
    sandboxed = {"resources": {SANDBOX_RESOURCE: SANDBOX_SHARE}}
    return (
        _app(NAME, {"label_selector": OFF_SANDBOX_NODES}, settings),
        _app(SANDBOXED, sandboxed, (settings or Settings()).without_secrets()),
    )


def _app(name: str, placement: dict[str, Any], settings: Settings | None) -> Application:
    options: dict[str, Any] = {"num_cpus": 0.05, **placement}
    deployment: Any = serve.deployment(
        EpisodeReplica,
        name=name,
        max_ongoing_requests=1000,
        ray_actor_options=options,
        autoscaling_config={
            "min_replicas": 0,
            "initial_replicas": 0,
            "max_replicas": 1,
            "target_ongoing_requests": 1000,
            "upscale_delay_s": 0,
            "downscale_delay_s": 1800,
        },
        graceful_shutdown_timeout_s=5,
    )
    return deployment.bind(settings)
