"""Generalised advantage estimation over [T, B] arrays (Schulman et al. 2016, arXiv:1506.02438), and packing of valid
rows.

Both autoreset modes of Gymnasium are exact. A terminated step has no successor; a truncated step bootstraps from the
value of its final observation; nothing carries over from one episode to the next. Not covered: DISABLED autoreset.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplatform.algorithms.ppo.native import c_library
from rlplatform.algorithms.ppo.rollout.batch import Batch
from rlplatform.algorithms.ppo.rollout.fragment import Fragment
from rlplatform.errors import InvalidRequest

Floats = NDArray[np.float32]
ValueFn = Callable[[NDArray[Any]], Floats]


def gae(
    rewards: Floats,
    values: Floats,
    next_values: Floats,
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    gamma: float,
    gae_lambda: float,
) -> Floats:
    """Compute ``gae_numpy`` with the C kernel if there is one. Results are equal up to rounding."""
    library = c_library.load_or_none()
    if library is None:
        return gae_numpy(rewards, values, next_values, terminated, truncated, gamma, gae_lambda)
    steps, envs = rewards.shape
    floats = [np.ascontiguousarray(array, np.float32) for array in (rewards, values, next_values)]
    flags = [np.ascontiguousarray(array, np.bool_) for array in (terminated, truncated)]
    if any(array.shape != (steps, envs) for array in (*floats, *flags)):
        raise ValueError(f"expected arrays of shape {(steps, envs)}")
    advantages = np.empty((steps, envs), np.float32)
    addresses = [array.ctypes.data for array in (*floats, *flags)]
    library.gae(*addresses, steps, envs, gamma, gamma * gae_lambda, advantages.ctypes.data)
    return advantages


def gae_numpy(
    rewards: Floats,
    values: Floats,
    next_values: Floats,
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    gamma: float,
    gae_lambda: float,
) -> Floats:
    """Return the advantages [T, B] of rewards [T, B].

    Args:
        rewards: Rewards [T, B].
        values: V(obs[t]), [T, B].
        next_values: V of the observation after step t and before any reset, [T, B]: ``V(obs[t + 1])``, or, at the end
            of an episode under SAME_STEP, the value of its final observation.
        terminated: Mask [T, B].
        truncated: Mask [T, B].
        gamma: Discount factor.
        gae_lambda: Lambda of GAE.

    Rows that are not valid get meaningless numbers, on which no valid row depends.
    """
    gamma32, decay = np.float32(gamma), np.float32(gamma * gae_lambda)
    deltas = np.where(terminated, np.float32(0), gamma32 * next_values)
    deltas += rewards
    deltas -= values
    goes_on = ~(terminated | truncated)
    advantages = np.empty_like(deltas)
    last = np.zeros(deltas.shape[1:], np.float32)
    for step in range(len(deltas) - 1, -1, -1):
        last = np.where(goes_on[step], decay * last, np.float32(0))
        last += deltas[step]
        advantages[step] = last
    return advantages


def fragment_advantages(
    fragment: Fragment, value_fn: ValueFn, gamma: float, gae_lambda: float
) -> tuple[Floats, Floats]:
    """Compute advantages and values of a fragment, both [T, B], with one batched call of ``value_fn``.

    ``value_fn`` maps observations [n, *shape] to values [n].

    Raises:
        InvalidRequest: a SAME_STEP fragment lacks the final observation of a truncated step.
    """
    steps, envs = fragment.steps, fragment.envs
    shape = fragment.obs.shape[2:]
    flat = fragment.obs.reshape((steps + 1) * envs, *shape)
    values = value_fn(flat).reshape(steps + 1, envs)
    next_values = values[1:]
    if fragment.autoreset == "same_step":
        needed = fragment.truncated & ~fragment.terminated
        if needed.any():
            next_values = next_values.copy()
            if fragment.final_obs is not None and fragment.final_index is not None and len(fragment.final_obs):
                where = fragment.final_index[:, 0], fragment.final_index[:, 1]
                next_values[where] = value_fn(fragment.final_obs)
                needed[where] = False
            if needed.any():
                step, env = np.argwhere(needed)[0]
                raise InvalidRequest(
                    f"fragment.final_obs: environment {env} was truncated at step {step} without a final observation",
                    field="fragment.final_obs",
                )
    advantages = gae(
        fragment.rewards, values[:-1], next_values, fragment.terminated, fragment.truncated, gamma, gae_lambda
    )
    return advantages, values[:-1]


def pack(fragments: Sequence[Fragment], value_fn: ValueFn, gamma: float, gae_lambda: float) -> Batch:
    """Return the valid rows of all fragments with their advantages and returns (advantage + value), time-major, not
    shuffled."""
    parts: list[list[NDArray[Any]]] = []
    for fragment in fragments:
        advantages, values = fragment_advantages(fragment, value_fn, gamma, gae_lambda)
        rows = fragment.steps * fragment.envs
        keep = slice(None) if fragment.valid.all() else fragment.valid.ravel()
        columns = (fragment.obs[:-1], fragment.actions, fragment.logp, advantages, advantages + values, values)
        parts.append([column.reshape(rows, *column.shape[2:])[keep] for column in columns])
    if len(parts) == 1:
        return Batch(*parts[0])
    return Batch(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
