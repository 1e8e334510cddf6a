"""Options of an environment in a request, beside its id and ``env_config``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from rlplatform.environments.models import BackendChoice
from rlplatform.environments.wrappers.models import Wrapper
from rlplatform.errors import InvalidRequest


class _Choice(Protocol):
    @property
    def env_backend(self) -> BackendChoice: ...
    @property
    def max_episode_steps(self) -> int | None: ...
    @property
    def wrappers(self) -> Sequence[Wrapper]: ...


class EnvOptions(NamedTuple):
    """Backend, time limit and wrappers of an environment.

    ``backend`` "auto" takes the fastest one; ``max_episode_steps`` None keeps the environment's own time limit.
    ``wrappers`` are those of ``wrappers.models``, as JSON.
    """

    backend: BackendChoice = "auto"
    max_episode_steps: int | None = None
    wrappers: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def of(cls, chosen: _Choice) -> EnvOptions:
        """Return the options of a training request, or of a published policy."""
        wrappers = tuple(wrapper.model_dump(mode="json") for wrapper in chosen.wrappers)
        return cls(chosen.env_backend, chosen.max_episode_steps, wrappers)

    def as_json(self) -> dict[str, Any]:
        """Return the options by name, as JSON; ``EnvOptions(**…)`` reads them."""
        wrappers = {"wrappers": [dict(wrapper) for wrapper in self.wrappers]} if self.wrappers else {}
        return {"backend": self.backend, "max_episode_steps": self.max_episode_steps, **wrappers}


DEFAULT_OPTIONS = EnvOptions()
MAX_EPISODE_STEPS = 10**9
_HARMLESS_RENDER_MODES = (None, "rgb_array", "ansi")


def split_config(
    env_config: Mapping[str, Any], options: EnvOptions
) -> tuple[dict[str, Any], EnvOptions, tuple[str, ...]]:
    """Separate ``env_config`` into the environment's own arguments and the platform's options.

    ``max_episode_steps`` moves into the options. ``render_mode`` is dropped: nothing is rendered during training.

    Returns:
        The environment's own arguments, the options, and notes about dropped entries.

    Raises:
        InvalidRequest: names the entry and says what is accepted.
    """
    config, notes = dict(env_config), []
    if "max_episode_steps" in config:
        options = _with_limit(config.pop("max_episode_steps"), options)
    if "render_mode" in config:
        mode = config.pop("render_mode")
        if mode not in _HARMLESS_RENDER_MODES:
            accepted = ", ".join(str(known) for known in _HARMLESS_RENDER_MODES[1:])
            raise InvalidRequest(
                f"env_config.render_mode must be {accepted} or null; got {mode!r}. Nothing is rendered while training: "
                "leave it out",
                field="env_config.render_mode",
            )
        if mode is not None:
            notes.append(f"env_config.render_mode {mode} has no effect: nothing is rendered while training")
    if "xml_file" in config:
        raise InvalidRequest("env_config.xml_file: files of this machine are not read", field="env_config.xml_file")
    return config, options, tuple(notes)


def _with_limit(given: Any, options: EnvOptions) -> EnvOptions:
    field = "env_config.max_episode_steps"
    if type(given) is not int or not 1 <= given <= MAX_EPISODE_STEPS:
        raise InvalidRequest(f"{field} must be an integer from 1 to {MAX_EPISODE_STEPS}; got {given!r}", field=field)
    if options.max_episode_steps not in (None, given):
        raise InvalidRequest(
            f"{field} is {given}, but max_episode_steps is {options.max_episode_steps}; give one of them", field=field
        )
    return options._replace(max_episode_steps=given)
