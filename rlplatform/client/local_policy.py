"""A published policy at home: acts in this process on onnxruntime, without torch and without the platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rlplatform.errors import InvalidRequest, Unavailable
from rlplatform.policies.models import PolicyInfo
from rlplatform.training.models import EvaluationReport

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class LocalPolicy:
    """Deterministic actions of a policy, from :meth:`rlplatform.client.Client.load_policy`.

    Args:
        info: document of the policy.
        model: its ONNX model.

    Raises:
        Unavailable: onnxruntime or NumPy is not installed.
    """

    def __init__(self, info: PolicyInfo, model: bytes) -> None:
        try:
            import numpy
            import onnxruntime
        except ModuleNotFoundError as error:
            raise _missing(error.name or "onnxruntime") from None
        self.info = info
        self._numpy = numpy
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # the networks are small: more threads wait for each other
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def predict(self, observation: Any) -> Any:
        """Return the action for one observation, or one action for each of a batch.

        Args:
            observation: as the environment returns it: ``[*shape]``, or ``[batch, *shape]``. Dict and Tuple
                observations are taken one at a time.

        Returns:
            What the environment's ``step`` takes: an integer for a discrete action, otherwise an array; for a batch an
            array ``[batch, …]``.

        Raises:
            InvalidRequest: the shape does not fit the policy.
        """
        rows, single = self._rows(observation)
        actions = self._session.run(None, {"observation": rows})[0]
        if not single:
            return actions
        return actions[0] if self.info.action_space.shape else actions[0].item()

    def evaluate(self, env: Any, episodes: int = 100, seed: int = 0) -> EvaluationReport:
        """Play whole episodes, and return their mean return and its spread.

        Args:
            env: a Gymnasium environment, which stays open, or the id of one.
            episodes: number of episodes, at least 1.
            seed: the first episode is reset with it, and each further one with the next number.

        Raises:
            InvalidRequest: ``episodes`` is not positive.
            Unavailable: ``env`` is an id, and Gymnasium is not installed.
        """
        if episodes < 1:
            raise InvalidRequest(f"episodes must be positive; got {episodes}", field="episodes")
        if not isinstance(env, str):
            return self._report([self._play(env, seed + number) for number in range(episodes)])
        try:
            import gymnasium
        except ModuleNotFoundError:
            raise _missing("gymnasium") from None
        config: dict[str, Any] = dict(self.info.env_config) if env == self.info.env else {}
        made: Any = gymnasium.make(env, **config)
        try:
            return self.evaluate(made, episodes, seed)
        finally:
            made.close()

    def _play(self, env: Any, seed: int) -> tuple[float, int]:
        """Return return and length of one episode."""
        observation, _ = env.reset(seed=seed)
        total, length, done = 0.0, 0, False
        while not done:
            observation, reward, terminated, truncated, _ = env.step(self.predict(observation))
            total, length, done = total + float(reward), length + 1, bool(terminated or truncated)
        return total, length

    def _report(self, played: list[tuple[float, int]]) -> EvaluationReport:
        returns = self._numpy.array([total for total, _ in played])
        return EvaluationReport(
            episodes=len(played),
            episode_return_mean=float(returns.mean()),
            episode_return_std=float(returns.std()),
            episode_return_min=float(returns.min()),
            episode_return_max=float(returns.max()),
            episode_length_mean=sum(length for _, length in played) / len(played),
        )

    def _rows(self, observation: Any) -> tuple[NDArray[np.generic], bool]:
        """Return observations ``[batch, *shape]``, and True if there is one, given without a batch."""
        space = self.info.observation_space
        if isinstance(observation, Mapping | tuple):
            from rlplatform.policies.observations import parse

            return parse(space, [_plain(observation)]), True
        array = self._numpy.asarray(observation, space.dtype)
        shape = tuple(space.shape)
        if array.shape == shape:
            return array[None], True
        if array.ndim == len(shape) + 1 and array.shape[1:] == shape:
            return array, False
        raise InvalidRequest(
            f"an observation of {self.info.env} has shape {list(shape)}, or [batch, *shape]; got {list(array.shape)}",
            field="observation",
        )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value.tolist() if hasattr(value, "tolist") else value


def _missing(name: str) -> Unavailable:
    return Unavailable(f"{name} is not installed here: pip install 'rlplatform[analysis]'")
