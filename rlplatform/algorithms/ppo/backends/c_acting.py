"""The acting kernel in C: one call a step reads the fragment's observations and writes its actions."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplatform.algorithms.ppo.backends.acting_backend import ActingBackend
from rlplatform.algorithms.ppo.native.c_library import Library, Net, load
from rlplatform.algorithms.ppo.network.action_heads import Head
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.network.parameter_layout import Layout
from rlplatform.algorithms.ppo.rollout.fragment import Fragment

Floats = NDArray[np.float32]


def make_net(layout: Layout) -> Net:
    """Return the C description of a layout."""
    net = Net(
        inputs=layout.inputs,
        shared=layout.shared,
        relu=layout.activation == "relu",
        kind=int(layout.kind),
        outputs=layout.outputs,
        components=len(layout.nvec),
    )
    for tower, widths in enumerate((layout.policy, layout.value)):
        net.depth[tower] = len(widths)
        for index, width in enumerate(widths):
            net.width[tower][index] = width
    for index, count in enumerate(layout.nvec):
        net.nvec[index] = count
    return net


def aligned_floats(count: int) -> Floats:
    """Return uninitialised float32 numbers, aligned to a cache line."""
    raw = np.empty(count * 4 + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + count * 4].view(np.float32)


class CValues:
    """Value function computed by the C kernel. Each object owns its workspace."""

    def __init__(self, network: ActorCritic) -> None:
        assert network.layout is not None
        self.library: Library = load()
        self.network = network
        self.net = make_net(network.layout)
        self.net_address = ctypes.addressof(self.net)
        self.space = aligned_floats(self.library.workspace(self.net_address))
        self.space_address = self.space.ctypes.data

    def __call__(self, obs: NDArray[Any]) -> Floats:
        """Return the values [n] of observations [n, D]."""
        self.network.ensure_flat()
        obs = np.ascontiguousarray(obs, np.float32)
        values = np.empty(len(obs), np.float32)
        self.library.values(
            self.net_address,
            self.network.flat.data_ptr(),
            obs.ctypes.data,
            len(obs),
            values.ctypes.data,
            self.space_address,
        )
        return values


class CActing(ActingBackend):
    """C acting kernel for MLPs of up to four hidden layers."""

    name = "c"

    def __init__(self, network: ActorCritic, rng: np.random.Generator, **kwargs: Any) -> None:
        super().__init__(network, rng, **kwargs)
        self.values = CValues(network)  # type: ignore[method-assign]
        self._call = self.values.library.act
        self._fixed = self.values.net_address, self.values.space_address
        self._bases = (0, 0, 0, 0, 0)
        self._strides = (0, 0, 0, 0)
        self._held: tuple[Any, ...] = ()
        self._envs = 0

    def _act(self, obs: NDArray[Any], noise: Floats | None) -> tuple[NDArray[Any], Floats]:
        net, space = self._fixed
        obs = np.ascontiguousarray(obs, np.float32)
        actions = np.empty((len(obs), *self.head.shape), self.head.dtype)
        logp = np.empty(len(obs), np.float32)
        noise_address = None if noise is None else noise.ctypes.data
        params = self.network.flat.data_ptr()
        self._call(net, params, obs.ctypes.data, noise_address, len(obs), actions.ctypes.data, logp.ctypes.data, space)
        return actions, logp

    def begin(self, fragment: Fragment) -> None:
        super().begin(fragment)
        arrays = (fragment.obs, self._noise, fragment.actions, fragment.logp)
        if any(not array.flags.c_contiguous for array in arrays) or fragment.obs.dtype != np.float32:
            raise ValueError("a fragment's arrays must be C-contiguous and its observations float32")
        self._held = (self.network.flat, arrays)  # keeps alive the arrays whose addresses are stored below
        self._bases = (self.network.flat.data_ptr(), *(array.ctypes.data for array in arrays))  # type: ignore[assignment]
        self._strides = tuple(array.strides[0] for array in arrays)  # type: ignore[assignment]
        if self.head.kind is Head.SDE:
            self._strides = (self._strides[0], 0, *self._strides[2:])
        self._envs = fragment.envs

    def act_at(self, step: int) -> NDArray[Any]:
        fragment = self._fragment
        assert fragment is not None, "begin(fragment) first"
        if not 0 <= step < len(fragment.logp):
            raise IndexError(f"step {step} of a fragment of {len(fragment.logp)}")
        if self.head.kind is Head.SDE:
            self._noise_at(step, self._envs)
        net, space = self._fixed
        params, obs, noise, actions, logp = self._bases
        by_obs, by_noise, by_action, by_logp = self._strides
        self._call(
            net,
            params,
            obs + step * by_obs,
            noise + step * by_noise,
            self._envs,
            actions + step * by_action,
            logp + step * by_logp,
            space,
        )
        return fragment.actions[step]  # type: ignore[no-any-return]
