"""Entry point for Serve configuration files: the gateway, which starts the actors that do not run yet.

No ``from __future__ import annotations`` here: Serve looks at the class of ``app``'s argument.
"""

from ray.serve import Application

from actors.actor_classes import start
from rlplatform.settings import Settings
from serve_apps import gateway
from serve_apps.gateway import GatewayArgs


def app(args: GatewayArgs) -> Application:
    """The gateway. Its settings, and the actors', are those of the file or of the nodes' environment."""
    if args.application == "api":
        start(args.settings or Settings())
    return gateway.app(args)
