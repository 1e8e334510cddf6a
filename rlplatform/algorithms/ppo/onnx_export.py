"""Export a policy to ONNX, and check the exported model against the policy before returning it.

The model takes ``observation`` [batch, *observation_space.shape], unprocessed, and returns ``action``
[batch, *action_space.shape], both of the dtype given in the policy's card. Normalisation, one-hot encoding and clipping
are part of the model. Actions are deterministic.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor, nn

from rlplatform.algorithms.ppo.policy import PPOPolicy
from rlplatform.environments.factory import make_vector_env
from rlplatform.environments.options import DEFAULT_OPTIONS, EnvOptions
from rlplatform.environments.sandboxed.user_code import is_user_environment
from rlplatform.environments.seeds import evaluation_seeds
from rlplatform.environments.spaces import space_info
from rlplatform.errors import EngineError, Unavailable

OPSET = 18
ATOL = 1e-4  # relative to the largest action if that exceeds 1; at least the rounding of the actions' dtype
RECORDED_STEPS = 64
RECORDED_ENVS = 4


def record_observations(
    policy: PPOPolicy,
    env: str,
    env_config: Mapping[str, Any],
    seed: int = 0,
    options: EnvOptions = DEFAULT_OPTIONS,
) -> NDArray[Any]:
    """Record observations [256, *observation_space.shape] while ``policy`` acts in its environment.

    Those of an uploaded environment, which only a sandbox can run, are random ones of its space.
    """
    if is_user_environment(env):
        policy.observation_space.seed(seed)
        drawn = [policy.observation_space.sample() for _ in range(RECORDED_STEPS * RECORDED_ENVS)]
        return np.stack(drawn)
    seeds = evaluation_seeds(seed, RECORDED_ENVS)
    envs = make_vector_env(env, env_config, seeds, options=options, training=False)
    try:
        recorded = [envs.reset().copy()]
        while len(recorded) < RECORDED_STEPS:
            recorded.append(envs.step(policy(recorded[-1])).obs.copy())
    finally:
        envs.close()
    return np.concatenate(recorded)


class _Acting(nn.Module):
    """Torch module that maps an unprocessed observation to an action."""

    def __init__(self, policy: PPOPolicy) -> None:
        super().__init__()
        self.network = policy.network
        encoder, head, normalizer = policy.network.encoder, policy.network.head, policy.normalizer
        self.kind, self.nvec = encoder.kind, encoder.nvec
        space = policy.observation_space
        self.channels_last = encoder.image and tuple(space.shape or ()) != encoder.shape
        self.width = encoder.shape[0]
        self.first = torch.as_tensor(np.ravel(getattr(space, "start", 0)), dtype=torch.int64)
        self.mean = self.inverse = None
        self.clip = 0.0
        if normalizer is not None:
            self.mean = torch.as_tensor(normalizer.moments.mean, dtype=torch.float32)
            deviation = np.sqrt(normalizer.moments.var + normalizer.epsilon)
            self.inverse = torch.as_tensor(1.0 / deviation, dtype=torch.float32)
            self.clip = normalizer.clip
        self.shape = (-1, *head.env_shape)
        self.dtype = torch.from_numpy(np.zeros(1, space_info(policy.action_space).dtype)).dtype
        self.start = None if head.start is None else torch.as_tensor(head.start)
        self.bounds = None
        if head.low is not None and head.high is not None:
            self.bounds = torch.as_tensor(head.low).float(), torch.as_tensor(head.high).float()

    def forward(self, observation: Tensor) -> Tensor:
        actions = self.network.mode(self._encode(observation))
        if self.start is not None:
            actions = actions + self.start
        actions = actions.reshape(self.shape)
        if self.bounds is not None:
            actions = torch.minimum(torch.maximum(actions, self.bounds[0]), self.bounds[1])
        return actions.to(self.dtype)

    def _encode(self, observation: Tensor) -> Tensor:
        if self.kind == "image":
            return observation.movedim(-1, 1) if self.channels_last else observation
        if self.kind == "one_hot":
            parts = observation.reshape(-1, len(self.nvec)) - self.first
            encoded = torch.cat(
                [nn.functional.one_hot(parts[:, place], size) for place, size in enumerate(self.nvec)], 1
            ).float()
        else:
            encoded = observation.reshape(-1, self.width).float()
        if self.mean is not None and self.inverse is not None:
            encoded = ((encoded - self.mean) * self.inverse).clamp(-self.clip, self.clip)
        return encoded


def export_onnx(policy: PPOPolicy, path: Path, recorded: NDArray[Any]) -> float:
    """Write ``policy`` to ``path``, and compare its actions with the policy's on ``recorded`` [N,
    *observation_space.shape].

    Returns:
        The largest difference between the actions.

    Raises:
        Unavailable: the packages ``onnx`` and ``onnxruntime`` are not installed (extra ``export``).
        EngineError: the exported model's actions differ from the policy's.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise Unavailable("exporting to ONNX needs the extra 'export': pip install 'rlplatform[export]'") from error
    acting = _Acting(policy).eval()
    recorded = np.asarray(recorded).astype(space_info(policy.observation_space).dtype)
    sample = torch.as_tensor(recorded)
    batch = torch.export.Dim("batch")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            acting,
            (sample[:2],),
            str(path),
            input_names=["observation"],
            output_names=["action"],
            dynamic_shapes=({0: batch},),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    exported = session.run(None, {"observation": sample.numpy()})[0]
    expected = policy(recorded)
    difference = float(np.abs(exported.astype(np.float64) - expected.astype(np.float64)).max())
    allowed = 0.0
    if isinstance(policy.action_space, spaces.Box):
        allowed = max(ATOL, float(np.finfo(expected.dtype).eps)) * max(1.0, float(np.abs(expected).max()))
    if not difference <= allowed:
        path.unlink()
        raise EngineError(f"the exported model's actions differ from the policy's by {difference:g}")
    return difference
