"""``python -m cluster.operate start|drain|key``: an operator's commands to a cluster, from any of its nodes.

``start`` starts the supervisor after a drain. ``drain`` has trainings save a checkpoint and leave, lets evaluations
end, removes every container and ends the supervisor: nodes can then be stopped, and the next start continues from
there. ``key`` makes an API key and prints it, this once.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import socket
import sys
import time

import ray

from actors import options
from actors.actor_classes import start
from actors.handles import SupervisorHandle
from actors.rpc.ray_calls import find
from actors.store.connection import connect_store
from rlplatform.access.api_keys import ApiKeyService
from rlplatform.access.principals import Scope
from rlplatform.clock import SystemClock
from rlplatform.errors import Conflict, InvalidRequest, PlatformError
from rlplatform.load import NodeLoad
from rlplatform.settings import SECRETS_FOLDER, Settings, read_settings

DRAIN_TIMEOUT_S = 120.0
POLL_S = 1.0


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0: done; 2: misuse; 5: it could not be done, with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m cluster.operate", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("start", help="start the supervisor, if it does not run")
    drain_ = commands.add_parser("drain", help="suspend trainings, end evaluations, end the supervisor")
    drain_.add_argument("--timeout", type=float, default=DRAIN_TIMEOUT_S, metavar="SECONDS")
    key_ = commands.add_parser("key", help="make an API key")
    key_.add_argument("--tenant", required=True)
    key_.add_argument("--name", required=True, help="whose or what for")
    key_.add_argument("--scope", action="append", choices=[scope.value for scope in Scope], required=True)
    given = parser.parse_args(arguments)
    try:
        settings = read_settings()
    except InvalidRequest as error:
        parser.error(str(error))
    try:
        join(settings.cluster.address or "auto")
        match given.command:
            case "start":
                refuse_another_store(settings)
                start(settings)
            case "drain":
                asyncio.run(drain(given.timeout))
            case "key":
                sys.stdout.write(asyncio.run(make_key(settings, given.tenant, given.name, given.scope)) + "\n")
    except (PlatformError, ConnectionError, TimeoutError) as error:
        sys.stderr.write(f"{given.command}: {error or 'not done in time'}\n")
        return 5
    return 0


def join(address: str) -> None:
    """Join a running cluster.

    :raises ConnectionError: there is none at ``address``, or none on this machine (``auto``).
    """
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon:
        try:
            socket.create_connection((host, int(port)), timeout=5).close()  # Ray itself takes minutes to give up
        except OSError as error:
            raise ConnectionError(f"no Ray cluster answers at {address}: {error}") from None
    ray.init(address=address, namespace=options.NAMESPACE, log_to_driver=False, logging_level=logging.ERROR)


def refuse_another_store(settings: Settings) -> None:
    """Check that the settings name the store that the cluster's other processes use.

    Raises:
        InvalidRequest: the settings name an embedded store and the cluster has none, or the other way round.
    """
    server = find(str(options.STORE_SERVER["name"]))
    if settings.store.embedded and server is None:
        raise InvalidRequest(
            "RLP_STORE__URL is the embedded store, which this cluster does not use: a supervisor would start on an "
            f"empty store. Set RLP_STORE__URL to that of the nodes, or put it into {SECRETS_FOLDER}/store_url",
            field="store.url",
        )
    if not settings.store.embedded and server is not None:
        raise InvalidRequest(
            "RLP_STORE__URL is a database server, but this cluster uses an embedded store: unset RLP_STORE__URL, or "
            "stop the cluster first",
            field="store.url",
        )


async def drain(timeout_s: float) -> None:
    """Drain, then end the supervisor.

    :raises TimeoutError: it is not done in time; the supervisor is left draining.
    :raises Unavailable: no supervisor runs.
    """
    await asyncio.wait_for(SupervisorHandle().drain(), timeout_s)
    if supervisor := find(str(options.SUPERVISOR["name"])):
        ray.kill(supervisor)


async def drain_node(node: str, within_s: float) -> NodeLoad:
    """Begin to drain a node, and wait until nothing of the platform is left on it.

    Returns:
        The node.

    Raises:
        NotFound: no node, or several, are meant.
        Conflict: Ray refuses to drain it, or it is not empty after ``within_s`` seconds.
    """
    supervisor = SupervisorHandle()
    found = await supervisor.drain_node(node, within_s)
    deadline = time.monotonic() + within_s
    while True:
        load = await supervisor.load()
        now = next((one for one in load.nodes if one.node == found.node), None)
        evaluating = any(one.node == found.node for one in load.sandboxes)
        if now is None or not (now.moving or evaluating):
            return now or found.model_copy(update={"moving": 0})
        if time.monotonic() > deadline:
            left = f"{now.moving} trainings" + (" and an evaluator" if evaluating else "")
            raise Conflict(
                f"node {now.node} is not empty after {within_s:g} s, and Ray ends it: {left} are still there"
            )
        await asyncio.sleep(POLL_S)


async def make_key(settings: Settings, tenant: str, name: str, scopes: list[str]) -> str:
    """The text of a new API key.

    :raises InvalidRequest: there is no pepper, so that its hash would be another than the gateway's.
    """
    if not settings.access.pepper.get_secret_value():
        raise InvalidRequest("set RLP_ACCESS__PEPPER to the platform's pepper", field="access.pepper")
    store = connect_store(settings)
    try:
        ring = ApiKeyService(store, settings.access.pepper, SystemClock())
        return (await ring.create(tenant=tenant, name=name, scopes=[Scope(scope) for scope in scopes]))[1]
    finally:
        await store.close()


if __name__ == "__main__":
    sys.exit(main())
