"""Hyperparameters of PPO, with the names, defaults and meaning of Stable-Baselines3.

Unknown names and values outside their range are refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from rlplatform.algorithms.ppo.schedule import Schedule
from rlplatform.errors import InvalidRequest, UnknownName
from rlplatform.validation_errors import describe_error

Activation = Literal["tanh", "relu"]
Widths = tuple[int, ...]
ITERATION_ENV_STEPS = 2048
"""Environment steps of an iteration, into which shorter rollouts are bundled: an iteration costs some ms by itself."""
_STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _number(value: Any) -> Any:
    if isinstance(value, bool | str):
        raise ValueError(f"expected a number, not {json.dumps(value)}")
    return value


Int = Annotated[int, BeforeValidator(_number)]
Float = Annotated[float, BeforeValidator(_number)]


@dataclass(frozen=True)
class Architecture:
    """Architecture of an ``ActorCritic``: widths of the hidden layers of both towers, and their initialisation.

    With ``shared_critic`` both heads use the policy tower, and ``vf`` is empty.
    """

    pi: Widths
    vf: Widths
    activation: Activation = "tanh"
    ortho_init: bool = True
    log_std_init: float = 0.0
    shared_critic: bool = False
    use_sde: bool = False


class NetArch(BaseModel):
    """Widths of the hidden layers of the policy (``pi``) and of the value function (``vf``)."""

    model_config = _STRICT
    pi: tuple[Int, ...] = ()
    vf: tuple[Int, ...] = ()

    @field_validator("pi", "vf")
    @classmethod
    def _widths(cls, widths: Widths) -> Widths:
        if len(widths) > 8 or any(not 1 <= width <= 4096 for width in widths):
            raise ValueError("expected at most 8 widths, each from 1 to 4096")
        return widths


class PolicyKwargs(BaseModel):
    """Network of the policy.

    ``net_arch`` is one list for both towers or ``{"pi": [...], "vf": [...]}``. The default is two layers of 64 for
    vectors, and no layer after the Nature CNN for images. With ``shared_critic`` the value function uses the policy's
    features; ``None`` shares them for images only, as Stable-Baselines3 does.
    """

    model_config = _STRICT
    net_arch: NetArch | None = None
    activation_fn: Activation = "tanh"
    ortho_init: bool = True
    log_std_init: Float = Field(default=0.0, ge=-20, le=5)
    shared_critic: bool | None = None

    @field_validator("net_arch", mode="before")
    @classmethod
    def _list_for_both(cls, value: Any) -> Any:
        return {"pi": value, "vf": value} if isinstance(value, list | tuple) else value

    @field_validator("activation_fn", mode="before")
    @classmethod
    def _zoo_spelling(cls, value: Any) -> Any:
        return value.removeprefix("nn.").lower() if isinstance(value, str) else value


class Normalize(BaseModel):
    """Options of VecNormalize: whether to normalise observations and rewards, and the limits that clip them."""

    model_config = _STRICT
    norm_obs: bool = True
    norm_reward: bool = True
    clip_obs: Float = Field(default=10.0, gt=0)
    clip_reward: Float = Field(default=10.0, gt=0)


class Hyperparameters(BaseModel):
    """Hyperparameters of one training; Stable-Baselines3's PPO documents each name.

    ``normalize`` is a bool or ``{"norm_obs": true, "norm_reward": false}``. Build hyperparameters with
    ``Hyperparameters.of``: its errors name the field and the nearest existing names.
    """

    model_config = _STRICT
    n_steps: Int = Field(default=2048, ge=1, le=10**7)
    batch_size: Int = Field(default=64, ge=2, le=10**8)
    n_epochs: Int = Field(default=10, ge=1, le=1000)
    gamma: Float = Field(default=0.99, ge=0, le=1)
    gae_lambda: Float = Field(default=0.95, ge=0, le=1)
    learning_rate: Schedule = Schedule(3e-4)
    clip_range: Schedule = Schedule(0.2)
    clip_range_vf: Schedule | None = None
    ent_coef: Float = Field(default=0.0, ge=0)
    vf_coef: Float = Field(default=0.5, ge=0)
    max_grad_norm: Float = Field(default=0.5, gt=0)
    normalize_advantage: bool = True
    target_kl: Float | None = Field(default=None, gt=0)
    use_sde: bool = False
    sde_sample_freq: Int = Field(default=-1, ge=-1)
    normalize: Normalize = Normalize(norm_obs=False, norm_reward=False)
    policy_kwargs: PolicyKwargs = PolicyKwargs()

    @field_validator("normalize", mode="before")
    @classmethod
    def _bool_for_both(cls, value: Any) -> Any:
        return {"norm_obs": value, "norm_reward": value} if isinstance(value, bool) else value

    @field_validator("learning_rate", "clip_range", "clip_range_vf")
    @classmethod
    def _positive(cls, value: Schedule | None) -> Schedule | None:
        if value is not None and value.initial <= 0:
            raise ValueError("expected a value > 0")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.sde_sample_freq == 0:
            raise ValueError("sde_sample_freq: expected -1 (once a rollout) or a number of steps >= 1")
        if self.sde_sample_freq > 0 and not self.use_sde:
            raise ValueError("sde_sample_freq: only with use_sde=true")
        return self

    @classmethod
    def of(cls, given: Mapping[str, Any], *, field: str = "hyperparameters") -> Hyperparameters:
        """Validate ``given``.

        Args:
            given: Hyperparameters by name.
            field: Prefix of the paths that errors name.

        Raises:
            UnknownName: a name does not exist; suggests similar ones.
            InvalidRequest: a value is not accepted.
        """
        check_names(given, field=field)
        try:
            return cls.model_validate(dict(given))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            path = ".".join([field, *(str(part) for part in first["loc"])])
            raise InvalidRequest(f"{path}: {describe_error(first, first['input'])}", field=path) from None

    def rollouts_per_iteration(self, n_envs: int) -> int:
        """Return the rollouts that one iteration bundles, with ``n_envs`` environments in total.

        A single step may be a reset in every environment, two cannot: so there are at least two steps.
        """
        return max(2 if self.n_steps == 1 else 1, math.ceil(ITERATION_ENV_STEPS / (self.n_steps * n_envs)))

    def check(self, n_envs: int, *, field: str = "hyperparameters") -> None:
        """Check that the hyperparameters work with ``n_envs`` environments in total.

        Raises:
            InvalidRequest: a rollout would have too few rows; says which values are accepted.
        """
        rows = self.n_steps * n_envs
        if rows < 2:
            raise InvalidRequest(
                f"{field}.n_steps: a rollout of n_steps * n_envs = {rows} row cannot be trained on; "
                f"give n_steps >= 2 or more environments",
                field=f"{field}.n_steps",
            )
        if self.batch_size > rows:
            raise InvalidRequest(
                f"{field}.batch_size: {self.batch_size} is more than a rollout has (n_steps * n_envs = "
                f"{self.n_steps} * {n_envs} = {rows}); accepted: 2 to {rows}",
                field=f"{field}.batch_size",
            )

    def check_resumes(self, parent: Hyperparameters, *, image: bool, field: str = "hyperparameters") -> None:
        """Check that a checkpoint of ``parent`` can be resumed with these hyperparameters.

        Raises:
            InvalidRequest: network or observations would differ from the checkpoint's.
        """
        theirs, ours = parent._acting(image=image), self._acting(image=image)
        for name, had in theirs.items():
            if had != ours[name]:
                path = f"{field}.{name}"
                told = f"the checkpoint is of a training with {json.dumps(had)}, and cannot be resumed with"
                raise InvalidRequest(f"{path}: {told} {json.dumps(ours[name])}", field=path)

    def _acting(self, *, image: bool) -> dict[str, Any]:
        """Return, by hyperparameter name, the values that determine the policy's parameters and its observations."""
        network = self.architecture(image=image)
        return {
            "policy_kwargs.shared_critic": network.shared_critic,
            "policy_kwargs.net_arch": {"pi": network.pi, "vf": network.vf},
            "policy_kwargs.activation_fn": network.activation,
            "use_sde": network.use_sde,
            "normalize.norm_obs": self.norm_obs,
        }

    def not_annealed(self, total_env_steps: int | None) -> list[str]:
        """Return a note for each linear schedule that cannot fall, because the training has no total of env steps."""
        schedules = {name: getattr(self, name) for name in ("learning_rate", "clip_range", "clip_range_vf")}
        falling = [name for name, schedule in schedules.items() if schedule is not None and schedule.linear]
        why = "stays at its initial value, since stop.env_steps is not given"
        return [] if total_env_steps else [f"{name}: {why}" for name in falling]

    @property
    def norm_obs(self) -> bool:
        """True if observations are normalised."""
        return self.normalize.norm_obs

    @property
    def norm_reward(self) -> bool:
        """True if rewards are normalised."""
        return self.normalize.norm_reward

    def architecture(self, *, image: bool) -> Architecture:
        """Return the network's architecture, for image or for vector observations.

        Raises:
            InvalidRequest: a shared critic was given different widths for ``pi`` and ``vf``.
        """
        kwargs = self.policy_kwargs
        shared = image if kwargs.shared_critic is None else kwargs.shared_critic
        default = () if image else (64, 64)
        pi, vf = (kwargs.net_arch.pi, kwargs.net_arch.vf) if kwargs.net_arch else (default, default)
        if shared and not image:
            if kwargs.net_arch is not None and pi != vf:
                path = "hyperparameters.policy_kwargs.net_arch"
                raise InvalidRequest(f"{path}: a shared critic needs the same pi and vf", field=path)
            vf = ()
        return Architecture(
            pi=pi,
            vf=vf,
            activation=kwargs.activation_fn,
            ortho_init=kwargs.ortho_init,
            log_std_init=kwargs.log_std_init,
            shared_critic=shared,
            use_sde=self.use_sde,
        )


def check_names(given: Mapping[str, Any], *, field: str = "hyperparameters") -> None:
    """Raise ``UnknownName`` for the first name in ``given``, at any depth, that no hyperparameter has."""
    _check_names(given, Hyperparameters, field)


def _check_names(given: Mapping[str, Any], model: type[BaseModel], path: str) -> None:
    nested: dict[str, type[BaseModel]] = {"policy_kwargs": PolicyKwargs, "normalize": Normalize, "net_arch": NetArch}
    for name, value in given.items():
        if name not in model.model_fields:
            raise UnknownName("hyperparameter", name, model.model_fields, field=f"{path}.{name[:80]}")
        if name in nested and isinstance(value, Mapping):
            _check_names(value, nested[name], f"{path}.{name}")


def merge(base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` updated with ``given``: ``policy_kwargs`` is merged name by name, everything else is replaced."""
    merged = {**base, **given}
    if isinstance(base.get("policy_kwargs"), Mapping) and isinstance(given.get("policy_kwargs"), Mapping):
        merged["policy_kwargs"] = {**base["policy_kwargs"], **given["policy_kwargs"]}
    return merged
