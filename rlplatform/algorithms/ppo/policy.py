"""Policy that acts: maps the environment's observations to its actions."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rlplatform.algorithms.policy_card import NormalizerInfo, PolicyCard
from rlplatform.algorithms.ppo.backends.selection import make_acting_backend
from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters
from rlplatform.algorithms.ppo.network.action_heads import ActionHead
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.network.normalizers import ObservationNormalizer
from rlplatform.environments.observation_encoder import ObservationEncoder
from rlplatform.environments.spaces import space_from_json, space_info, space_to_json
from rlplatform.errors import CheckpointError

FOLDER = "policy"
_DESCRIPTION, _ARRAYS = "policy.json", "policy.npz"


def policy_folder(checkpoint: Path) -> Path:
    """Return the policy's folder in a fetched checkpoint of a training. Only checkpoints of the fast path have one."""
    return checkpoint / "engine" / "algorithm" / FOLDER


class PPOPolicy:
    """Network and observation normaliser, used in place and never changed.

    Calling a policy returns deterministic actions. :meth:`save` and :meth:`load` need neither Ray nor pickle. Loading
    checks names, shapes and sizes; it does not judge how well the policy plays.
    """

    def __init__(
        self,
        network: ActorCritic,
        hyperparameters: Hyperparameters,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        normalizer: ObservationNormalizer | None = None,
    ) -> None:
        self.network = network
        self.hyperparameters = hyperparameters
        self.observation_space = observation_space
        self.action_space = action_space
        self.normalizer = normalizer
        self._kernel = make_acting_backend(network, np.random.default_rng())
        self.kernel = self._kernel.name, self._kernel.reason

    def __call__(self, obs: NDArray[Any]) -> NDArray[Any]:
        """Return the most likely actions [B, *action_space.shape] for observations [B, *observation_space.shape]."""
        return self.act(obs)[0]

    def act(self, obs: NDArray[Any], *, deterministic: bool = True) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """Compute actions for observations.

        Args:
            obs: Observations [B, *observation_space.shape], as the environment returns them.
            deterministic: True for the most likely actions, False to sample from the policy's distribution.

        Returns:
            Actions [B, *action_space.shape], and their log-probabilities [B]; NaN where the network's outputs are not
            finite.
        """
        encoded = self.network.encoder(obs)
        if self.normalizer is not None:
            encoded = self.normalizer(encoded, update=False)
        actions, logp = self._kernel.act(encoded, deterministic=deterministic)
        return self.network.head.to_env(actions), logp

    def seed(self, seed: int) -> None:
        """Seed the actions that are drawn."""
        self._kernel.rng = np.random.default_rng(seed)

    def card(self) -> PolicyCard:
        """Return the policy's card: spaces, normaliser and size."""
        normalizer = None
        if self.normalizer is not None:
            moments = self.normalizer.moments
            normalizer = NormalizerInfo(
                mean=[float(value) for value in moments.mean],
                var=[float(value) for value in moments.var],
                epsilon=self.normalizer.epsilon,
                clip=self.normalizer.clip,
            )
        return PolicyCard(
            observation_space=space_info(self.observation_space),
            action_space=space_info(self.action_space),
            normalizer=normalizer,
            parameters=sum(parameter.numel() for parameter in self.network.parameters()),
        )

    @property
    def nbytes(self) -> int:
        """Size of its parameters, in bytes."""
        return self.network.flat_numpy.nbytes

    @property
    def finite(self) -> bool:
        """True if all its parameters are finite."""
        return bool(np.isfinite(self.network.flat_numpy).all())

    def save(self, directory: Path) -> None:
        """Write the policy into ``directory``, which is created."""
        directory.mkdir(parents=True, exist_ok=True)
        self.network.ensure_flat()
        arrays: dict[str, NDArray[Any]] = {"parameters": self.network.flat_numpy}
        observations, bounds = space_to_json(self.observation_space)
        arrays |= {f"observation_{name}": value for name, value in bounds.items()}
        actions, bounds = space_to_json(self.action_space)
        arrays |= {f"action_{name}": value for name, value in bounds.items()}
        if self.normalizer is not None:
            arrays |= {"mean": self.normalizer.moments.mean, "var": self.normalizer.moments.var}
        np.savez(directory / _ARRAYS, allow_pickle=False, **arrays)
        description = {
            "observation_space": observations,
            "action_space": actions,
            "hyperparameters": self.hyperparameters.model_dump(mode="json"),
            "normalized": self.normalizer is not None,
        }
        (directory / _DESCRIPTION).write_text(json.dumps(description))

    @classmethod
    def load(cls, directory: Path) -> PPOPolicy:
        """Load a policy written by :meth:`save`.

        Raises:
            CheckpointError: there is no policy in ``directory``, or it is damaged.
        """
        try:
            description = json.loads((directory / _DESCRIPTION).read_text())
            with np.load(directory / _ARRAYS, allow_pickle=False) as arrays:
                return cls._of(description, dict(arrays))
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise CheckpointError(f"there is no policy that can be loaded: {error}") from error

    def pack(self) -> bytes:
        """Return the files that :meth:`save` writes, as a tar archive."""
        archive = io.BytesIO()
        with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=archive, mode="w") as tar:
            self.save(Path(folder))
            for name in (_DESCRIPTION, _ARRAYS):
                tar.add(Path(folder) / name, arcname=name)
        return archive.getvalue()

    @classmethod
    def unpack(cls, archive: bytes) -> PPOPolicy:
        """Load a policy from an archive made by :meth:`pack`.

        Raises:
            CheckpointError: the archive is damaged.
        """
        with tempfile.TemporaryDirectory() as folder:
            try:
                with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                    for name in (_DESCRIPTION, _ARRAYS):
                        file = tar.extractfile(name)  # the filters of extract() are newer than Debian 12
                        if file is None:
                            raise KeyError(f"{name} is no file")
                        (Path(folder) / name).write_bytes(file.read())
            except (tarfile.TarError, KeyError, OSError) as error:
                raise CheckpointError(f"there is no policy that can be loaded: {error}") from error
            return cls.load(Path(folder))

    @classmethod
    def _of(cls, description: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> PPOPolicy:
        observation_space, action_space = (
            space_from_json(
                description[f"{which}_space"],
                {name.removeprefix(f"{which}_"): value for name, value in arrays.items() if name.startswith(which)},
            )
            for which in ("observation", "action")
        )
        hyperparameters = Hyperparameters.of(description["hyperparameters"])
        encoder = ObservationEncoder.of(observation_space)
        head = ActionHead.of(action_space, use_sde=hyperparameters.use_sde)
        network = ActorCritic(encoder, head, hyperparameters.architecture(image=encoder.image))
        if network.flat_numpy.shape != arrays["parameters"].shape:
            raise ValueError("the parameters do not fit the network")
        network.flat_numpy[:] = arrays["parameters"]
        normalizer = None
        if description["normalized"]:
            normalizer = ObservationNormalizer(encoder.shape, clip=hyperparameters.normalize.clip_obs)
            normalizer.set_state({"count": 1.0, "mean": arrays["mean"], "var": arrays["var"]})
        return cls(network, hyperparameters, observation_space, action_space, normalizer)
