"""Base of the learning algorithms: what the platform asks of each.

Importing this, or an algorithm's ``spec``, loads neither NumPy nor torch nor Ray: the client does so too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, ConfigDict, JsonValue

from rlplatform.algorithms.policy_card import PolicyCard
from rlplatform.environments.facts import EnvironmentFacts
from rlplatform.environments.options import EnvOptions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Preset(BaseModel):
    """Tuned hyperparameters of an environment: one row of RL-Baselines3-Zoo.

    ``env_wrapper`` names a wrapper class (``minigrid.wrappers.FlatObsWrapper``) or ``atari`` (Mnih et al.
    preprocessing). ``published_return`` and ``published_std`` are the zoo's benchmark row where there is one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    env: str
    n_envs: int
    n_timesteps: int
    hyperparameters: dict[str, JsonValue]
    env_wrapper: str | None = None
    frame_stack: int | None = None
    published_return: float | None = None
    published_std: float | None = None
    note: str = ""


class LoadedPolicy(Protocol):
    """Policy that acts, in this process. Its observations and actions are the environment's own."""

    @property
    def nbytes(self) -> int:
        """Size of its parameters, in bytes."""

    @property
    def finite(self) -> bool:
        """True if all its parameters are finite."""

    def act(self, obs: NDArray[Any], *, deterministic: bool = True) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """Return actions [B, *action_space.shape] for ``obs`` [B, *observation_space.shape], and their
        log-probability [B]: NaN where the network gives no finite numbers."""

    def seed(self, seed: int) -> None:
        """Seed the actions that are drawn; without it they differ from process to process."""

    def card(self) -> PolicyCard:
        """Return the policy's description for clients."""

    def pack(self) -> bytes:
        """Return the policy as an archive that :meth:`Algorithm.unpack_policy` reads."""


class Algorithm(Protocol):
    """Learning algorithm: hyperparameters, presets, checks, policies. Its engines: ``actors.training.engines``."""

    @property
    def preset_names(self) -> Sequence[str]:
        """Names of its presets, sorted; a preset is named after its environment."""

    def find_preset(self, env: str) -> Preset | None:
        """Return the preset of ``env``; None if there is none."""

    def resolve(self, env: str, preset: str | None, given: Mapping[str, Any]) -> tuple[BaseModel, Preset | None]:
        """Return the hyperparameters of a training, and the preset that they are based on.

        What is ``given`` goes over the preset asked for (or the environment's own), which goes over the defaults.

        Raises:
            UnknownName: a preset or a hyperparameter, with the nearest names.
            InvalidRequest: names the field and says what is accepted.
        """

    def check(self, hyperparameters: BaseModel, num_envs: int) -> None:
        """Check that the hyperparameters make sense together, with ``num_envs`` environments.

        Raises:
            InvalidRequest: names the field and says what is accepted.
        """

    def check_environment(self, hyperparameters: BaseModel, env: str, facts: EnvironmentFacts, num_envs: int) -> None:
        """Check that the hyperparameters fit the environment.

        Raises:
            InvalidRequest: names the field and says what is accepted.
        """

    def check_resumes(self, new: BaseModel, old: BaseModel, *, image: bool) -> None:
        """Check that a training with ``new`` hyperparameters can continue from a checkpoint made with ``old`` ones.

        Raises:
            InvalidRequest: names the hyperparameter that must stay the same.
        """

    def env_steps_per_rollout(self, hyperparameters: BaseModel, num_envs: int) -> int:
        """Return the environment steps of one rollout: a training ends after whole ones."""

    def env_steps_per_iteration(self, hyperparameters: BaseModel, num_envs: int) -> int:
        """Return the environment steps of one iteration, which bundles short rollouts."""

    def policy_folder(self, checkpoint: Path) -> Path:
        """Return the folder of the policy in a fetched checkpoint. It is missing if the checkpoint holds no policy."""

    def load_policy(self, folder: Path) -> LoadedPolicy:
        """Load the policy of a checkpoint.

        Raises:
            CheckpointError: there is none, or it is damaged.
        """

    def unpack_policy(self, archive: bytes) -> LoadedPolicy:
        """Load the policy that :meth:`LoadedPolicy.pack` wrote.

        Raises:
            CheckpointError: it is damaged.
        """

    def export_onnx(
        self, archive: bytes, path: Path, env: str, env_config: Mapping[str, Any], options: EnvOptions
    ) -> None:
        """Write a packed policy to ``path`` as ONNX, checked against the policy at work in its environment.

        Raises:
            Unavailable: the extra ``export`` is not installed.
            EngineError: the exported model acts otherwise.
        """
