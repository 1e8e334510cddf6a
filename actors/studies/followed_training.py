"""A training that a study's controller follows."""

from __future__ import annotations

from dataclasses import dataclass, field

from rlplatform.studies.models import TrialReport
from rlplatform.training.record import TrainingRun


@dataclass
class FollowedTraining:
    """A training of a trial: the position in its stream, its evaluations by report, and its end."""

    trial: int
    seed: int
    training_id: str
    cursor: int = 0
    reports: dict[int, TrialReport] = field(default_factory=dict)
    paused: bool = False
    ended: TrainingRun | None = None
    gone: bool = False
    commanded: str | None = None

    @property
    def active(self) -> bool:
        return self.ended is None and not self.gone
