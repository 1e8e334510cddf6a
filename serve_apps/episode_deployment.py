"""Serve deployment that draws episodes and plays policies: in processes of its own, behind everything else.

It scales to zero while nobody watches.
"""

from ray import serve
from ray.serve import Application

from rlplatform.environments import environment_modules
from rlplatform.playing.ports import PolicySource
from rlplatform.playing.service import LocalEpisodeService
from rlplatform.policies.models import EvaluatePolicyRequest, PolicyEvaluation
from rlplatform.settings import Settings
from rlplatform.storage import open_checkpoints, open_episodes, open_policies

NAME = "episodes"


class EpisodeReplica:
    """A ``LocalEpisodeService`` in a replica."""

    def __init__(self, settings: Settings | None) -> None:
        settings = settings or Settings()
        environment_modules.configure(settings.training.environment_modules)
        self._service = LocalEpisodeService(
            open_episodes(settings),
            open_checkpoints(settings.training.checkpoint_url),
            open_policies(settings.training),
            settings.episodes,
        )

    async def video(self, episode_id: str) -> tuple[object, ...]:
        return tuple(await self._service.video(episode_id))

    async def play(self, source: tuple[object, ...], request: EvaluatePolicyRequest) -> PolicyEvaluation:
        return await self._service.play(PolicySource(*source), request)  # type: ignore[arg-type]


def app(settings: Settings | None) -> Application:
    """Return the deployment, to be bound to the API's.

    ``settings`` None: from the environment of the replica's node.
    """
    deployment = serve.deployment(
        EpisodeReplica,
        name=NAME,
        max_ongoing_requests=1000,
        ray_actor_options={"num_cpus": 0.05},
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
