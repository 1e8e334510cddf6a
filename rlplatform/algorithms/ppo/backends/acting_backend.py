"""Policy kernels for acting: compute actions and log-probabilities for each step of a rollout."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rlplatform.algorithms.ppo.network.action_heads import Head
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.rollout.fragment import Fragment

Floats = NDArray[np.float32]
KernelName = Literal["auto", "c", "numpy", "torch"]


class ActingBackend:
    """Base of the acting kernels.

    A kernel reads the network's parameters in place, so that it needs no refresh after an update. With equal
    generators all kernels return the same actions, up to rounding of the network's outputs.
    ``sde_sample_freq`` is the number of steps between new exploration matrices of gSDE; -1 draws one a rollout.
    """

    name: str = "base"

    def __init__(
        self, network: ActorCritic, rng: np.random.Generator, *, sde_sample_freq: int = -1, reason: str = ""
    ) -> None:
        self.network = network
        self.head = network.head
        self.rng = rng
        self.sde_sample_freq = sde_sample_freq
        self.reason = reason
        self._fragment: Fragment | None = None
        self._noise: Floats = np.empty(0, np.float32)

    def act(self, obs: NDArray[Any], *, deterministic: bool = False) -> tuple[NDArray[Any], Floats]:
        """Compute actions for encoded observations.

        Args:
            obs: Encoded observations [B, *shape].
            deterministic: True for the most likely actions, False to sample.

        Returns:
            Actions [B, *head.shape], and their log-probabilities [B].
        """
        self.network.ensure_flat()
        noise = None if deterministic else self.head.draw_noise(self.rng, len(obs), self.network.latent)
        return self._act(obs, noise)

    def begin(self, fragment: Fragment) -> None:
        """Start filling a fragment: draw the noise of all its steps."""
        self.network.ensure_flat()
        self._fragment = fragment
        steps, envs = fragment.steps, fragment.envs
        if self.head.kind is Head.SDE:
            self._noise = self.head.draw_noise(self.rng, envs, self.network.latent)
        else:
            noise = self.head.draw_noise(self.rng, steps * envs, self.network.latent)
            self._noise = noise.reshape(steps, envs, -1)

    def act_at(self, step: int) -> NDArray[Any]:
        """Compute the actions of one step of the fragment.

        Reads ``fragment.obs[step]``; writes ``fragment.actions[step]`` and ``fragment.logp[step]``.

        Returns:
            ``fragment.actions[step]``.
        """
        fragment = self._fragment
        assert fragment is not None, "begin(fragment) first"
        actions, logp = self._act(fragment.obs[step], self._noise_at(step, fragment.envs))
        fragment.actions[step] = actions
        fragment.logp[step] = logp
        return fragment.actions[step]  # type: ignore[no-any-return]

    def _noise_at(self, step: int, envs: int) -> Floats:
        if self.head.kind is not Head.SDE:
            noise: Floats = self._noise[step]
            return noise
        if self.sde_sample_freq > 0 and step > 0 and step % self.sde_sample_freq == 0:
            self._noise[...] = self.head.draw_noise(self.rng, envs, self.network.latent)
        return self._noise

    def _act(self, obs: NDArray[Any], noise: Floats | None) -> tuple[NDArray[Any], Floats]:
        raise NotImplementedError

    def values(self, obs: NDArray[Any]) -> Floats:
        """Return the values [n] of encoded observations [n, *shape]."""
        raise NotImplementedError
