"""Choose the backend that acts and updates: C if it covers the network, else NumPy, else torch."""

from __future__ import annotations

from typing import Literal

import numpy as np

from rlplatform.algorithms.ppo.backends.acting_backend import ActingBackend, KernelName
from rlplatform.algorithms.ppo.backends.adam import Adam
from rlplatform.algorithms.ppo.backends.update_backend import UpdateBackend
from rlplatform.algorithms.ppo.native import c_library
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.network.parameter_layout import Layout
from rlplatform.errors import InvalidRequest

BackendName = Literal["auto", "c", "numpy", "torch"]
NUMPY_PAYS_TO = 512  # above this width torch may use more threads
C_PAYS_TO = 512


def why_not_c(layout: Layout | None) -> str:
    """Return the reason why the C kernel does not cover a network; empty if it does."""
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
    """Choose the backend for acting and for updating.

    Returns:
        The backend's name, and the reason for the choice.

    Raises:
        InvalidRequest: the backend ``prefer`` cannot be used for this network or on this machine.
    """
    layout = network.layout
    on_cpu = network.flat.device.type == "cpu"
    obstacles = {"c": why_not_c(layout), "numpy": "the network has a CNN" if layout is None else "", "torch": ""}
    if network.encoder.mask is not None:
        obstacles |= {"c": "actions are masked", "numpy": "actions are masked"}
    if not on_cpu:
        obstacles |= {"c": "the network is not on the CPU", "numpy": "the network is not on the CPU"}
    if not obstacles["c"] and prefer in ("auto", "c"):
        obstacles["c"] = c_library.why_no_kernel()
    if prefer != "auto":
        if obstacles[prefer]:
            raise InvalidRequest(f"backend {prefer!r} cannot be used: {obstacles[prefer]}", field="backend")
        return prefer, "asked for"
    widest = layout.widest if layout is not None else 0
    if not obstacles["c"] and widest <= C_PAYS_TO:
        return "c", f"an MLP at most {C_PAYS_TO} wide ({c_library.load().isa})"
    reason = obstacles["c"] or f"a layer is wider than {C_PAYS_TO}"
    if not obstacles["numpy"] and widest <= NUMPY_PAYS_TO:
        return "numpy", f"no C kernel: {reason}"
    return "torch", f"no C kernel: {reason}"


def make_acting_backend(
    network: ActorCritic,
    rng: np.random.Generator,
    *,
    prefer: KernelName = "auto",
    sde_sample_freq: int = -1,
) -> ActingBackend:
    """Make the fastest acting kernel that covers the network, or the kernel ``prefer``.

    The kernel's ``name`` and ``reason`` tell which one was chosen, and why.

    Raises:
        InvalidRequest: the preferred kernel does not cover the network, or is not available on this machine.
    """
    name, reason = select_backend(network, prefer)
    if name == "c":
        from rlplatform.algorithms.ppo.backends.c_acting import CActing

        return CActing(network, rng, sde_sample_freq=sde_sample_freq, reason=reason)
    if name == "numpy":
        from rlplatform.algorithms.ppo.backends.numpy_acting import NumpyActing

        return NumpyActing(network, rng, sde_sample_freq=sde_sample_freq, reason=reason)
    from rlplatform.algorithms.ppo.backends.torch_acting import TorchActing

    return TorchActing(network, rng, sde_sample_freq=sde_sample_freq, reason=reason)


def make_update_backend(name: str, network: ActorCritic, adam: Adam) -> UpdateBackend:
    """Make the update backend ``name`` (``c``, ``numpy`` or ``torch``) over ``network`` and its optimiser."""
    if name == "c":
        from rlplatform.algorithms.ppo.backends.c_update import CUpdate

        return CUpdate(network, adam)
    if name == "numpy":
        from rlplatform.algorithms.ppo.backends.numpy_update import NumpyUpdate

        return NumpyUpdate(network, adam)
    from rlplatform.algorithms.ppo.backends.torch_update import TorchUpdate

    return TorchUpdate(network, adam)
