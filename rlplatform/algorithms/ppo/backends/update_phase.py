"""Models of one update phase: its settings, its current values, and its statistics."""

from __future__ import annotations

from dataclasses import dataclass

from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters


@dataclass(frozen=True)
class UpdateSettings:
    """Settings that are constant in a session. Learning rate and clip ranges are given with each phase."""

    n_epochs: int = 10
    batch_size: int = 64
    ent_coef: float = 0.0
    vf_coef: float = 0.5
    max_grad_norm: float = 0.5
    normalize_advantage: bool = True
    target_kl: float | None = None

    @classmethod
    def of(cls, hyperparameters: Hyperparameters) -> UpdateSettings:
        """Return the settings that an update needs from the hyperparameters."""
        return cls(**{name: getattr(hyperparameters, name) for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Phase:
    """Values in force during one update phase, as every backend reads them."""

    settings: UpdateSettings
    learning_rate: float
    clip_range: float
    clip_range_vf: float | None
    ent_coef: float


@dataclass
class MinibatchStats:
    """Means over one minibatch's rows, or sums of such means over many minibatches."""

    policy_gradient_loss: float = 0.0
    value_loss: float = 0.0
    entropy_loss: float = 0.0
    approx_kl: float = 0.0
    clip_fraction: float = 0.0

    def add(self, other: MinibatchStats) -> None:
        """Add the other statistics to these."""
        self.policy_gradient_loss += other.policy_gradient_loss
        self.value_loss += other.value_loss
        self.entropy_loss += other.entropy_loss
        self.approx_kl += other.approx_kl
        self.clip_fraction += other.clip_fraction

    def loss(self, phase: Phase) -> float:
        """Return the total loss that these statistics make up."""
        return self.policy_gradient_loss + phase.ent_coef * self.entropy_loss + phase.settings.vf_coef * self.value_loss
