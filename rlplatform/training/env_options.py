"""Options of an environment in a request, beside its id and ``env_config``."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from rlplatform.environments.models import BackendChoice


class _Choice(Protocol):
    @property
    def env_backend(self) -> BackendChoice: ...
    @property
    def max_episode_steps(self) -> int | None: ...


class EnvOptions(NamedTuple):
    """Backend and time limit of an environment.

    ``backend`` "auto" takes the fastest one; ``max_episode_steps`` None keeps the environment's own time limit.
    """

    backend: BackendChoice = "auto"
    max_episode_steps: int | None = None

    @classmethod
    def of(cls, chosen: _Choice) -> EnvOptions:
        """Return the options of a training request, or of a published policy."""
        return cls(chosen.env_backend, chosen.max_episode_steps)


DEFAULT_OPTIONS = EnvOptions()
