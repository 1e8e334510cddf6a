"""The actor-critic network: a torch module whose parameters lie in one flat float32 buffer for the hand-written
kernels.

Initialisation as in Stable-Baselines3 (and Huang et al. 2022, "The 37 implementation details of PPO"): orthogonal
with gain sqrt(2) for hidden layers, 0.01 for the policy head and 1 for the value head, biases 0. Images go through
the CNN of Mnih et al. 2015. Not covered: recurrent networks, layer normalisation, heads for more than one agent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rlplatform.algorithms.ppo.hyperparameters import Architecture
from rlplatform.algorithms.ppo.network.action_heads import ActionHead, Head
from rlplatform.algorithms.ppo.network.parameter_layout import Layout
from rlplatform.environments.observation_encoder import ObservationEncoder

_ACTIVATIONS: dict[str, type[nn.Module]] = {"tanh": nn.Tanh, "relu": nn.ReLU}
CNN_FEATURES = 512
MASKED = -1e9
"""Logit of an action that the action mask excludes: its probability is 0 in float32."""


class NatureCNN(nn.Module):
    """Map uint8 images [B, C, H, W] to features [B, 512]. The network divides pixels by 255."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        channels, height, width = shape
        self.convolutions = nn.Sequential(
            nn.Conv2d(channels, 32, 8, 4),
            nn.ReLU(),
            nn.Conv2d(32, 64, 4, 2),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3, 1),
            nn.ReLU(),
        )
        sides = []
        for side in (height, width):
            for kernel, stride in ((8, 4), (4, 2), (3, 1)):
                side = (side - kernel) // stride + 1
            sides.append(side)
        self.linear = nn.Linear(64 * sides[0] * sides[1], CNN_FEATURES)

    def forward(self, obs: Tensor) -> Tensor:
        features = self.convolutions(obs.to(self.linear.weight.dtype) / 255.0)
        return torch.relu(self.linear(features.flatten(1)))


class ActorCritic(nn.Module):
    """Policy and value function. ``forward(obs)`` returns head outputs [B, outputs] and values [B].

    ``obs`` are encoded observations: float32 [B, D] or uint8 [B, C, H, W]. ``layout`` gives the positions of an MLP's
    layers in the flat buffer; it is None with a CNN. ``seed`` determines the initial parameters; torch's global
    generator is not touched.
    """

    def __init__(
        self, encoder: ObservationEncoder, head: ActionHead, architecture: Architecture, *, seed: int = 0
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.architecture = architecture
        separate = not architecture.shared_critic
        with torch.random.fork_rng(devices=[]):  # modules draw initial values, which _initialise replaces
            self._build(separate)
        self.log_std: nn.Parameter | None = None
        if head.continuous:
            shape = (self.latent, head.outputs) if head.kind is Head.SDE else (head.outputs,)
            self.log_std = nn.Parameter(torch.full(shape, architecture.log_std_init))
        self._initialise(seed)
        self.layout = None if encoder.image else Layout.of(encoder.shape[0], head, architecture)
        self._flat = torch.empty(0)
        self.ensure_flat()

    def _build(self, separate: bool) -> None:
        encoder, head, architecture = self.encoder, self.head, self.architecture
        features = CNN_FEATURES if encoder.image else encoder.shape[0]
        self.policy_features: nn.Module | None = NatureCNN(encoder.shape) if encoder.image else None
        self.value_features: nn.Module | None = NatureCNN(encoder.shape) if encoder.image and separate else None
        self.policy_net = _mlp(features, architecture.pi, architecture.activation)
        # A critic that shares a CNN's features may still have layers of its own after them.
        own_value_net = separate or encoder.image
        self.value_net: nn.Sequential | None = (
            _mlp(features, architecture.vf, architecture.activation) if own_value_net else None
        )
        self.latent = architecture.pi[-1] if architecture.pi else features
        latent_vf = (architecture.vf[-1] if architecture.vf else features) if own_value_net else self.latent
        self.action_head = nn.Linear(self.latent, head.outputs)
        self.value_head = nn.Linear(latent_vf, 1)

    # -- torch -------------------------------------------------------------------------------------------------------

    def policy(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        """Return head outputs [B, outputs] (logits or means) and the policy's latent features [B, latent]."""
        latent = self.policy_net(self.policy_features(obs) if self.policy_features is not None else obs)
        return self._masked(self.action_head(latent), obs), latent

    def _masked(self, logits: Tensor, obs: Tensor) -> Tensor:
        """Exclude the actions that the action mask in ``obs`` does not allow. A mask that allows none excludes none."""
        if self.encoder.mask is None:
            return logits
        start, stop = self.encoder.mask
        return torch.where(obs[:, start:stop] > 0.5, logits, MASKED)

    def value(self, obs: Tensor) -> Tensor:
        """Return the values [B]."""
        return self.evaluate(obs)[2] if self._shares else self._own_value(obs)

    @property
    def _shares(self) -> bool:
        return self.architecture.shared_critic

    def _own_value(self, obs: Tensor) -> Tensor:
        assert self.value_net is not None
        features = self.value_features(obs) if self.value_features is not None else obs
        return cast(Tensor, self.value_head(self.value_net(features)).squeeze(-1))

    def evaluate(self, obs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return head outputs, latent features and values; layers that both towers share are computed once."""
        features = self.policy_features(obs) if self.policy_features is not None else obs
        latent = self.policy_net(features)
        if not self._shares:
            values = self._own_value(obs)
        else:
            values = self.value_head(latent if self.value_net is None else self.value_net(features)).squeeze(-1)
        return self._masked(self.action_head(latent), obs), latent, values

    def forward(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        out, _, values = self.evaluate(obs)
        return out, values

    def mode(self, obs: Tensor) -> Tensor:
        """Return the deterministic actions of ``ActionHead.mode``. An exported policy computes this function."""
        return self.head.mode(self.policy(obs)[0])

    # -- the flat buffer ---------------------------------------------------------------------------------------------

    @property
    def flat(self) -> Tensor:
        """All parameters as one float32 vector [P] that shares their memory."""
        return self._flat

    @property
    def flat_numpy(self) -> NDArray[np.float32]:
        """``flat`` as a NumPy array on the same memory; CPU only."""
        return self._flat.numpy()

    def ordered_parameters(self) -> list[nn.Parameter]:
        """Return the parameters in the order of the flat buffer."""
        return list(self._ordered())

    def _ordered(self) -> Iterator[nn.Parameter]:
        for part in (self.policy_features, self.policy_net, self.action_head):
            if part is not None:
                yield from part.parameters()
        if self.log_std is not None:
            yield self.log_std
        for part in (self.value_features, self.value_net, self.value_head):
            if part is not None:
                yield from part.parameters()

    def ensure_flat(self) -> bool:
        """Bind every parameter to the flat buffer again, if other code has replaced its tensor.

        Returns:
            True if a parameter had to be bound again.
        """
        parameters = self.ordered_parameters()
        if self._is_bound(parameters):
            return False
        weights = {id(module.weight) for module in self.modules() if isinstance(module, nn.Linear)}
        device = parameters[0].device
        flat = torch.empty(sum(parameter.numel() for parameter in parameters), dtype=torch.float32, device=device)
        for parameter, view in zip(parameters, flat_views(flat, parameters, weights), strict=True):
            view.copy_(parameter.data)
            parameter.data = view
        self._flat = flat
        return True

    def _is_bound(self, parameters: list[nn.Parameter]) -> bool:
        address = self._flat.data_ptr()
        if self._flat.device != parameters[0].device or self._flat.dtype != parameters[0].dtype:
            return False
        for parameter in parameters:
            if parameter.data_ptr() != address:
                return False
            address += parameter.numel() * 4
        return address == self._flat.data_ptr() + self._flat.numel() * 4

    def gradient_views(self, flat_gradient: Tensor) -> list[Tensor]:
        """Return views of a flat gradient [P], with the shapes and strides of ``ordered_parameters``."""
        weights = {id(module.weight) for module in self.modules() if isinstance(module, nn.Linear)}
        return list(flat_views(flat_gradient, self.ordered_parameters(), weights))

    def __deepcopy__(self, memo: dict[int, Any]) -> ActorCritic:
        copy = ActorCritic(self.encoder, self.head, self.architecture)
        copy.load_state_dict(self.state_dict())
        memo[id(self)] = copy
        return copy.to(self._flat.device)

    def __reduce__(self) -> tuple[Any, ...]:
        state = {name: value.cpu().numpy() for name, value in self.state_dict().items()}
        return _rebuild, (self.encoder, self.head, self.architecture, state)

    # -- initialisation ----------------------------------------------------------------------------------------------

    def _initialise(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        for name, module in self.named_modules():
            if not isinstance(module, nn.Linear | nn.Conv2d):
                continue
            if self.architecture.ortho_init:
                gain = {"action_head": 0.01, "value_head": 1.0}.get(name, math.sqrt(2))
                nn.init.orthogonal_(module.weight, gain, generator=generator)
                nn.init.zeros_(cast(Tensor, module.bias))
            else:
                bound = 1 / math.sqrt(module.weight[0].numel())
                nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5), generator=generator)
                nn.init.uniform_(cast(Tensor, module.bias), -bound, bound, generator=generator)


def flat_views(flat: Tensor, parameters: list[nn.Parameter], transposed: set[int]) -> Iterator[Tensor]:
    """Yield consecutive views of ``flat`` with the parameters' shapes.

    Those whose id is in ``transposed`` are stored as [in, out].
    """
    start = 0
    for parameter in parameters:
        piece = flat[start : start + parameter.numel()]
        start += parameter.numel()
        yield piece.view(*reversed(parameter.shape)).t() if id(parameter) in transposed else piece.view(parameter.shape)


def _mlp(inputs: int, widths: tuple[int, ...], activation: str) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Linear(inputs, width), _ACTIVATIONS[activation]()]
        inputs = width
    return nn.Sequential(*layers)


def _rebuild(
    encoder: ObservationEncoder, head: ActionHead, architecture: Architecture, state: dict[str, NDArray[Any]]
) -> ActorCritic:
    network = ActorCritic(encoder, head, architecture)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})
    return network
