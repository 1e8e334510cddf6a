"""Address of the gRPC server by which deployments of Serve call each other.

Serve binds it to every interface and has no setting for it. It is bound to the node's own address here, at which the
other replicas call it: on a laptop that is the loopback.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ray.serve._private import replica
from ray.util import get_node_ip_address

_ALL = "[::]"


def install() -> None:
    """Bind the servers that this replica starts from now on to the node's own address. Idempotent."""
    bind = replica.add_port_to_grpc_server  # type: ignore[attr-defined]
    if not isinstance(bind, partial):
        replica.add_port_to_grpc_server = partial(_bind, bind)  # type: ignore[attr-defined]


def _bind(bind: Any, server: Any, address: str) -> Any:
    host, _, port = address.rpartition(":")
    if host == _ALL:
        own = get_node_ip_address()
        address = f"[{own}]:{port}" if ":" in own else f"{own}:{port}"
    return bind(server, address)
