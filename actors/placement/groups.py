"""Placement groups of trainings, known without asking Ray each time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ray
from ray.util.placement_group import PlacementGroup, placement_group_table, remove_placement_group

from rlplatform.clock import Clock

SURVEY_S = 60.0


class PlacementGroups:
    """The placement groups that exist, by name. Methods block.

    Ray's table keeps removed groups for ever, so that reading it takes longer with each training. It is read at the
    start, for the groups of an earlier supervisor, and then once in ``SURVEY_S`` seconds.
    """

    def __init__(
        self,
        clock: Clock,
        read: Callable[[], Mapping[str, Mapping[str, Any]]] = placement_group_table,
        remove: Callable[[PlacementGroup], None] = remove_placement_group,
    ) -> None:
        self._clock = clock
        self._read = read
        self._remove = remove
        self._known: dict[str, PlacementGroup] = {}
        self._read_at = float("-inf")

    def names(self) -> set[str]:
        """Return the names of all groups."""
        self._survey()
        return set(self._known)

    def find(self, name: str) -> PlacementGroup | None:
        """Return the group of this name; None if there is none."""
        self._survey()
        return self._known.get(name)

    def add(self, name: str, group: PlacementGroup) -> None:
        """Note a group that was just made."""
        self._known[name] = group

    def remove(self, name: str) -> None:
        """Remove a group, if it exists."""
        if (group := self._known.get(name) or self.find(name)) is not None:
            self._remove(group)
            self._known.pop(name, None)

    def _survey(self) -> None:
        if self._clock.monotonic() - self._read_at < SURVEY_S:
            return
        began, before = self._clock.monotonic(), dict(self._known)
        found = {
            group["name"]: PlacementGroup(ray.PlacementGroupID(bytes.fromhex(key)))
            for key, group in self._read().items()
            if group["state"] != "REMOVED" and group["name"]
        }
        made_meanwhile = {name: group for name, group in self._known.items() if name not in before}
        self._known = found | made_meanwhile
        self._read_at = began
