"""One update phase: its settings, its current values, and the numbers that it yields."""

from __future__ import annotations

from dataclasses import dataclass

from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters


@dataclass(frozen=True)
class UpdateSettings:
    """What stays the same over a session; learning rate and clip ranges are given with each phase."""

    n_epochs: int = 10
    batch_size: int = 64
    ent_coef: float = 0.0
    vf_coef: float = 0.5
    max_grad_norm: float = 0.5
    normalize_advantage: bool = True
    target_kl: float | None = None

    @classmethod
    def of(cls, hyperparameters: Hyperparameters) -> UpdateSettings:
        """The part of the hyperparameters that an update needs."""
        return cls(**{name: getattr(hyperparameters, name) for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Phase:
    """The values in force during one phase, as every backend takes them."""

    settings: UpdateSettings
    learning_rate: float
    clip_range: float
    clip_range_vf: float | None
    ent_coef: float


@dataclass
class MinibatchStats:
    """Means over one minibatch's rows, or sums of them over many minibatches."""

    policy_gradient_loss: float = 0.0
    value_loss: float = 0.0
    entropy_loss: float = 0.0
    approx_kl: float = 0.0
    clip_fraction: float = 0.0

    def add(self, other: MinibatchStats) -> None:
        """Sum up."""
        self.policy_gradient_loss += other.policy_gradient_loss
        self.value_loss += other.value_loss
        self.entropy_loss += other.entropy_loss
        self.approx_kl += other.approx_kl
        self.clip_fraction += other.clip_fraction

    def loss(self, phase: Phase) -> float:
        """The total loss that these make."""
        return self.policy_gradient_loss + phase.ent_coef * self.entropy_loss + phase.settings.vf_coef * self.value_loss
