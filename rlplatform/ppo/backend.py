"""Which backend acts and which updates: C where it covers the network, then NumPy, then torch."""

from __future__ import annotations

from typing import Literal

from rlplatform.errors import InvalidRequest
from rlplatform.ppo import c_library
from rlplatform.ppo.layout import Layout
from rlplatform.ppo.network import ActorCritic

BackendName = Literal["auto", "c", "numpy", "torch"]
NUMPY_PAYS_TO = 512  # above this width torch may use more threads
C_PAYS_TO = 512


def c_gap(layout: Layout | None) -> str:
    """What keeps the C kernel from covering a network; empty where nothing does."""
    if layout is None:
        return "the network has a CNN"
    if max(len(layout.policy), len(layout.value)) > c_library.MAX_DEPTH:
        return f"a tower has more than {c_library.MAX_DEPTH} hidden layers"
    if layout.outputs > c_library.MAX_OUTPUTS or len(layout.nvec) > c_library.MAX_COMPONENTS:
        return (
            f"the policy head has more than {c_library.MAX_OUTPUTS} outputs "
            f"or more than {c_library.MAX_COMPONENTS} components"
        )
    return ""


def select_backend(network: ActorCritic, prefer: BackendName = "auto") -> tuple[str, str]:
    """Name and reason of the backend, to act as to update. Raises ``InvalidRequest`` where ``prefer`` cannot be had."""
    layout = network.layout
    on_cpu = network.flat.device.type == "cpu"
    obstacles = {"c": c_gap(layout), "numpy": "the network has a CNN" if layout is None else "", "torch": ""}
    if not on_cpu:
        obstacles |= {"c": "the network is not on the CPU", "numpy": "the network is not on the CPU"}
    if not obstacles["c"] and prefer in ("auto", "c"):
        obstacles["c"] = c_library.obstacle()
    if prefer != "auto":
        if obstacles[prefer]:
            raise InvalidRequest(f"backend {prefer!r} cannot be used: {obstacles[prefer]}", field="backend")
        return prefer, "asked for"
    widest = layout.widest if layout is not None else 0
    if not obstacles["c"] and widest <= C_PAYS_TO:
        return "c", f"an MLP at most {C_PAYS_TO} wide ({c_library.load().isa})"
    why_not_c = obstacles["c"] or f"a layer is wider than {C_PAYS_TO}"
    if not obstacles["numpy"] and widest <= NUMPY_PAYS_TO:
        return "numpy", f"no C kernel: {why_not_c}"
    return "torch", f"no C kernel: {why_not_c}"
