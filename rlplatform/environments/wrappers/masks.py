"""Wrapper that declares a part of the observations the action mask."""

from __future__ import annotations

from rlplatform.environments.action_masks import MASK, mask_size
from rlplatform.environments.models import SpacePart
from rlplatform.environments.spaces import FlatSpace
from rlplatform.environments.vector_env import VectorEnv
from rlplatform.environments.wrapped_env import WrappedEnv
from rlplatform.errors import InvalidRequest


class ActionMaskEnv(WrappedEnv):
    """Changes no observation: its space says which columns are the mask, and policies heed it."""

    def __init__(self, env: VectorEnv, *, field: str, source: str = "observation", key: str = MASK) -> None:
        super().__init__(env, "ActionMask")
        size = mask_size(env.single_action_space, field)
        space = env.single_observation_space
        parts = space.parts if isinstance(space, FlatSpace) else ()
        part = _find(parts, MASK if source == "info" else key, field)
        if part.size != size or part.space.kind not in ("box", "multi_binary"):
            raise InvalidRequest(
                f"{field}: the action mask has {part.size} numbers ({part.space.kind}); {env.single_action_space} "
                f"needs {size} of a Box or MultiBinary",
                field=field,
            )
        assert isinstance(space, FlatSpace)
        columns = part.start, part.start + part.size
        self.single_observation_space = FlatSpace(space.low, space.high, space.parts, mask=columns)


def _find(parts: tuple[SpacePart, ...], name: str, field: str) -> SpacePart:
    found = next((part for part in parts if part.path == [name]), None)
    if found is not None:
        return found
    has = f"they have {', '.join('.'.join(map(str, part.path)) for part in parts)}" if parts else "they are in one part"
    raise InvalidRequest(
        f"{field}: the observations have no part {name!r}; {has}. action_mask takes Dict observations, or with source "
        "info the mask of info, and goes with no other wrapper of observations",
        field=field,
    )
