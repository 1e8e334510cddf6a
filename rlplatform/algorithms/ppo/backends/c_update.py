"""Compute the gradient and the step of one minibatch in C, or whole epochs in one call, with the GIL released."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplatform.algorithms.ppo.backends.adam import BETA1, BETA2, EPSILON, Adam
from rlplatform.algorithms.ppo.backends.c_acting import CValues
from rlplatform.algorithms.ppo.backends.update_phase import MinibatchStats, Phase
from rlplatform.algorithms.ppo.native.c_library import BATCH_NAMES, CBatch, CSettings, CStats
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.rollout.batch import Batch


class CUpdate:
    """C update backend for MLPs of up to four hidden layers.

    Use an object in one thread only: it owns its workspace.
    """

    name = "c"

    def __init__(self, network: ActorCritic, adam: Adam) -> None:
        assert network.layout is not None
        self.network = network
        self.layout = network.layout
        self.adam = adam
        self.values = CValues(network)
        self.gradient = np.zeros(self.layout.size + 1, np.float32)
        self._library = self.values.library
        self._batch, self._settings, self._stats, self._sums = CBatch(), CSettings(), CStats(), CStats()

    def bind(self, batch: Batch) -> None:
        """Use the batch of an update phase.

        Raises:
            ValueError: the batch's arrays do not have the shapes or dtypes that the kernel reads.
        """
        self.network.ensure_flat()
        layout, rows = self.layout, len(batch)
        floats = (batch.logp, batch.advantages, batch.returns, batch.values)
        columns = (len(layout.nvec) or layout.outputs,)
        wanted = np.int64 if layout.nvec else np.float32
        if batch.obs.shape != (rows, layout.inputs) or batch.obs.dtype != np.float32:
            raise ValueError(f"expected float32 observations [{rows}, {layout.inputs}]")
        actions = batch.actions.reshape(rows, -1)
        if actions.shape[1:] != columns or actions.dtype != wanted or any(array.shape != (rows,) for array in floats):
            raise ValueError(f"expected {np.dtype(wanted)} actions [{rows}, {columns[0]}] and one number a row else")
        if layout.nvec and rows and (actions.min() < 0 or (actions >= np.asarray(layout.nvec)).any()):
            raise ValueError("an action is outside of its space")
        self.batch = batch  # keeps alive the arrays whose addresses are stored below
        for name in BATCH_NAMES:
            setattr(self._batch, name, getattr(batch, name).ctypes.data)

    def _set(self, phase: Phase) -> None:
        settings, given = self._settings, phase.settings
        settings.learning_rate = phase.learning_rate
        settings.clip_range = phase.clip_range
        settings.clip_range_vf = -1.0 if phase.clip_range_vf is None else phase.clip_range_vf
        settings.ent_coef, settings.vf_coef = phase.ent_coef, given.vf_coef
        settings.max_grad_norm = given.max_grad_norm
        settings.beta1, settings.beta2, settings.epsilon = BETA1, BETA2, EPSILON
        settings.kl_limit = -1.0 if given.target_kl is None else 1.5 * given.target_kl
        settings.normalize_advantage = given.normalize_advantage

    def backward(self, indices: NDArray[np.int64], phase: Phase) -> MinibatchStats:
        """Compute loss and gradient of the rows ``indices``."""
        indices = self._checked(indices)
        self._set(phase)
        self._library.backward(
            self.values.net_address,
            ctypes.addressof(self._batch),
            ctypes.addressof(self._settings),
            indices.ctypes.data,
            len(indices),
            self.network.flat.data_ptr(),
            self.gradient.ctypes.data,
            self.layout.size,
            self.values.space_address,
            ctypes.addressof(self._stats),
        )
        return _stats(self._stats)

    def step(self, phase: Phase) -> None:
        """Take one Adam step in place, with the gradient clipped."""
        self._set(phase)
        self.adam.steps += 1
        self._library.step(
            ctypes.addressof(self._settings),
            self.network.flat.data_ptr(),
            self.gradient.ctypes.data,
            self.adam.m.ctypes.data,
            self.adam.v.ctypes.data,
            self.layout.size,
            self.adam.steps,
        )

    def minibatches(
        self, order: NDArray[np.int64], bounds: NDArray[np.int64], phase: Phase, sums: MinibatchStats
    ) -> tuple[int, MinibatchStats]:
        """Run the minibatches of one or more epochs. ``sums`` is increased by the minibatches' statistics.

        Returns:
            The number of steps taken (fewer than asked for if the KL limit stopped the update), and the last
                minibatch's
            statistics.
        """
        order = self._checked(order)
        count = len(bounds) - 1
        self._set(phase)
        ctypes.memset(ctypes.addressof(self._sums), 0, ctypes.sizeof(self._sums))
        taken = self._library.minibatches(
            self.values.net_address,
            ctypes.addressof(self._batch),
            ctypes.addressof(self._settings),
            order.ctypes.data,
            bounds.ctypes.data,
            count,
            self.network.flat.data_ptr(),
            self.gradient.ctypes.data,
            self.adam.m.ctypes.data,
            self.adam.v.ctypes.data,
            self.layout.size,
            self.adam.steps,
            self.values.space_address,
            ctypes.addressof(self._sums),
            ctypes.addressof(self._stats),
        )
        self.adam.steps += taken
        sums.add(_stats(self._sums))
        return int(taken), _stats(self._stats)

    def _checked(self, indices: NDArray[Any]) -> NDArray[np.int64]:
        indices = np.ascontiguousarray(indices, np.int64)
        if not len(indices) or indices.min() < 0 or indices.max() >= len(self.batch):
            raise ValueError(f"expected row numbers from 0 to {len(self.batch) - 1}")
        return indices


def _stats(stats: CStats) -> MinibatchStats:
    return MinibatchStats(stats.policy, stats.value, stats.entropy, stats.kl, stats.clipped)
