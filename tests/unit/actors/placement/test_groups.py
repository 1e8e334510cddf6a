"""Placement groups are known without reading Ray's table, which only grows."""

from __future__ import annotations

from typing import Any

import pytest
import ray
from ray.util.placement_group import PlacementGroup

from actors import options
from actors.placement.groups import SURVEY_S, PlacementGroups
from rlplatform.testing.clock import FakeClock

NAMES = [options.placement_name(f"train_{letter * 26}", "course-1") for letter in "abc"]


class Table:
    """Ray's table of groups, and how often it was read."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.reads = 0

    def __call__(self) -> dict[str, dict[str, Any]]:
        self.reads += 1
        return self.rows

    def add(self, name: str, state: str = "CREATED") -> PlacementGroup:
        group = PlacementGroup(ray.PlacementGroupID.from_random())
        self.rows[group.id.hex()] = {"name": name, "state": state}
        return group

    def remove(self, group: PlacementGroup) -> None:
        self.rows[group.id.hex()]["state"] = "REMOVED"


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def groups(table: Table, clock: FakeClock) -> PlacementGroups:
    return PlacementGroups(clock, table, table.remove)


def test_groups_of_an_earlier_supervisor_are_found_and_removed_ones_are_not(
    groups: PlacementGroups, table: Table
) -> None:
    kept = table.add(NAMES[0])
    table.add(NAMES[1], "REMOVED")
    assert groups.names() == {NAMES[0]}
    found = groups.find(NAMES[0])
    assert found is not None
    assert found.id == kept.id


def test_the_table_is_read_once_a_minute_however_many_trainings_come_and_go(
    groups: PlacementGroups, table: Table, clock: FakeClock
) -> None:
    for _ in range(100):
        groups.add(NAMES[0], table.add(NAMES[0]))
        assert groups.names() == {NAMES[0]}
        groups.remove(NAMES[0])
        assert groups.names() == set()
    assert table.reads == 1
    clock._elapsed += SURVEY_S
    groups.names()
    assert table.reads == 2


def test_a_group_that_a_lost_call_made_is_found_by_the_next_survey(
    groups: PlacementGroups, table: Table, clock: FakeClock
) -> None:
    assert groups.names() == set()
    table.add(NAMES[2])
    clock._elapsed += SURVEY_S
    assert groups.names() == {NAMES[2]}


def test_names_tell_training_and_tenant() -> None:
    training = "train_" + "a" * 26
    for name in (options.placement_name(training, "course-1"), options.trainer_name(training, 3, "course-1")):
        assert options.training_of(name) == training
        assert name.endswith("@course-1")
    assert options.training_of("evaluator:abc") is None
