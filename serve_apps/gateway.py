"""The Serve applications: the API on its replicas, reading from the store and calling the supervisor.

``api`` and ``streams`` are the same code in replicas apart (``paths`` says which request goes where): a thousand open
streams cost commands nothing, and a redeployment of one leaves the other alone.

The only module that joins Serve and the API. ``from __future__ import annotations`` must not be here: Serve looks at
the class of ``app``'s argument to know how to fill it from a configuration file.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from fastapi import FastAPI
from pydantic import BaseModel
from ray import serve
from ray.serve import Application

from actors.handles import SupervisorHandle
from actors.options import OFF_SANDBOX_NODES
from actors.store.connection import connect_store
from rlplatform.clock import SystemClock
from rlplatform.environments.models import EnvironmentInfo
from rlplatform.settings import Settings
from rlplatform.storage import open_checkpoints, open_episodes, open_files
from rlplatform.telemetry import logs, traces
from serve_apps import episode_deployment, internal_address, policy_deployment
from serve_apps.api.app import create_app
from serve_apps.api.http import audit_log
from serve_apps.api.services import Services
from serve_apps.episode_handle import EpisodesHandle
from serve_apps.policy_handle import PoliciesHandle
from serve_apps.serve_middleware import StripStreamsPrefix


class GatewayArgs(BaseModel):
    """Arguments in a Serve configuration file. ``settings`` None: read from the environment of the replica's node.

    Every open stream, and every request that waits for a result, is an ongoing request.
    """

    application: Literal["api", "streams"] = "api"
    settings: Settings | None = None
    num_replicas: int = 1
    max_ongoing_requests: int = 5000


def app(args: GatewayArgs) -> Application:
    """Return the application for ``serve.run`` or for a Serve configuration file."""
    settings = args.settings

    def build() -> FastAPI:
        held = settings or Settings()
        logs.configure(held, args.application)
        traces.configure(held, args.application)
        internal_address.install()
        audit_log.keep(held.state_dir / "audit.log")
        api = build_api(held)
        api.add_middleware(StripStreamsPrefix)
        return api

    deployment: Any = serve.deployment(
        serve.ingress(build)(),
        name=args.application,
        num_replicas=args.num_replicas,
        max_ongoing_requests=args.max_ongoing_requests,
        ray_actor_options={"num_cpus": 0.05, "label_selector": OFF_SANDBOX_NODES},
        graceful_shutdown_timeout_s=5,
        health_check_period_s=1,  # a replica that died is noticed by it
    )
    beside: tuple[serve.Application, ...] = ()
    if args.application == "api":
        beside = (policy_deployment.app(settings, args.num_replicas), *episode_deployment.apps(settings))
    return deployment.bind(*beside)


def build_api(settings: Settings) -> FastAPI:
    """Build the API over the actors of this cluster."""
    services = Services(
        store=connect_store(settings),
        commands=SupervisorHandle(),
        clock=SystemClock(),
        checkpoints=open_checkpoints(settings.training.checkpoint_url),
        files=open_files(settings),
        policies=PoliciesHandle(partial(serve.get_deployment_handle, policy_deployment.NAME, "api")),
        episodes=open_episodes(settings),
        player=EpisodesHandle(
            partial(serve.get_deployment_handle, episode_deployment.NAME, "api"),
            partial(serve.get_deployment_handle, episode_deployment.SANDBOXED, "api"),
            settings.episodes.process_wall_s,
        ),
        environments=partial(_environments, settings.training.environment_modules),
    )
    return create_app(services, settings)


def _environments(modules: Sequence[str]) -> Sequence[EnvironmentInfo]:
    from rlplatform.environments import environment_modules
    from rlplatform.training.environment_catalog import list_environments  # imports Gymnasium: not at start-up

    environment_modules.configure(modules)
    return list_environments()
