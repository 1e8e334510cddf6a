"""Services that the API needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rlplatform.clock import Clock
from rlplatform.commands import Commands
from rlplatform.environments.models import EnvironmentInfo
from rlplatform.episodes.ports import EpisodeStore
from rlplatform.files.ports import FileStorage
from rlplatform.playing.ports import EpisodeService
from rlplatform.policies.ports import PolicyService
from rlplatform.store import Store
from rlplatform.training.ports import CheckpointStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """``store`` answers reads; ``commands`` carries out every change."""

    store: Store
    commands: Commands
    clock: Clock
    checkpoints: CheckpointStore | None = None
    files: FileStorage | None = None
    episodes: EpisodeStore | None = None
    player: EpisodeService | None = None
    policies: PolicyService | None = None
    environments: Callable[[], Sequence[EnvironmentInfo]] = tuple
