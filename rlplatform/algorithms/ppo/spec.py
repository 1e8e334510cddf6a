"""Proximal policy optimisation (Schulman et al., 2017, arXiv:1707.06347) as the platform asks for it.

Importing this loads neither NumPy nor torch: what needs them is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from rlplatform.algorithms.base import Preset
from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters
from rlplatform.algorithms.ppo.presets import find_preset, preset_names, resolve
from rlplatform.environments.facts import EnvironmentFacts
from rlplatform.environments.options import EnvOptions
from rlplatform.errors import InvalidRequest

if TYPE_CHECKING:
    from rlplatform.algorithms.ppo.policy import PPOPolicy

MAX_ROLLOUT_BYTES = 4 << 30
"""Observations of one rollout, of all environments together: an update holds them about twice."""


class PPO:
    """PPO's entry in the registry (see ``algorithms.base.Algorithm``)."""

    @property
    def preset_names(self) -> Sequence[str]:
        return preset_names()

    def find_preset(self, env: str) -> Preset | None:
        return find_preset(env)

    def resolve(self, env: str, preset: str | None, given: Mapping[str, Any]) -> tuple[Hyperparameters, Preset | None]:
        return resolve(env, preset, given)

    def check(self, hyperparameters: BaseModel, num_envs: int) -> None:
        _own(hyperparameters).check(num_envs)

    def check_environment(self, hyperparameters: BaseModel, env: str, facts: EnvironmentFacts, num_envs: int) -> None:
        chosen = _own(hyperparameters)
        _check_rollout(chosen.n_steps, num_envs, facts.observation_bytes)
        if chosen.use_sde and not facts.box_actions:
            field = "hyperparameters.use_sde"
            raise InvalidRequest(f"{field}: {env} has no Box actions", field=field)
        if facts.masked and chosen.norm_obs:
            field = "hyperparameters.normalize"
            raise InvalidRequest(
                f'{field}: observations with an action mask are not normalised; give {{"norm_obs": false}}', field=field
            )

    def check_resumes(self, new: BaseModel, old: BaseModel, *, image: bool) -> None:
        _own(new).check_resumes(_own(old), image=image)

    def env_steps_per_rollout(self, hyperparameters: BaseModel, num_envs: int) -> int:
        return _own(hyperparameters).n_steps * num_envs

    def env_steps_per_iteration(self, hyperparameters: BaseModel, num_envs: int) -> int:
        chosen = _own(hyperparameters)
        return chosen.rollouts_per_iteration(num_envs) * chosen.n_steps * num_envs

    def policy_folder(self, checkpoint: Path) -> Path:
        from rlplatform.algorithms.ppo.policy import policy_folder

        return policy_folder(checkpoint)

    def load_policy(self, folder: Path) -> PPOPolicy:
        from rlplatform.algorithms.ppo.policy import PPOPolicy

        return PPOPolicy.load(folder)

    def unpack_policy(self, archive: bytes) -> PPOPolicy:
        from rlplatform.algorithms.ppo.policy import PPOPolicy

        return PPOPolicy.unpack(archive)

    def export_onnx(
        self, archive: bytes, path: Path, env: str, env_config: Mapping[str, Any], options: EnvOptions
    ) -> None:
        from rlplatform.algorithms.ppo.onnx_export import export_onnx, record_observations

        policy = self.unpack_policy(archive)
        export_onnx(policy, path, record_observations(policy, env, env_config, options=options))


def _own(hyperparameters: BaseModel) -> Hyperparameters:
    assert isinstance(hyperparameters, Hyperparameters)
    return hyperparameters


def _check_rollout(n_steps: int, n_envs: int, each: int) -> None:
    size = n_steps * n_envs * each
    if size > MAX_ROLLOUT_BYTES:
        field = "hyperparameters.n_steps"
        raise InvalidRequest(
            f"{field}: a rollout of n_steps * n_envs = {n_steps} * {n_envs} observations of {each} bytes is "
            f"{size / 2**30:.1f} GiB; at most {MAX_ROLLOUT_BYTES / 2**30:g} GiB are accepted",
            field=field,
        )
