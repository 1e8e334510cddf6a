"""Nodes with sandboxes are asked for by the work that waits, and given back when it is gone for a while."""

from __future__ import annotations

from actors.placement.sandbox_nodes import SHRINK_S, SandboxNodes
from rlplatform.testing.clock import FakeClock


class Autoscaler:
    def __init__(self, **limits: float) -> None:
        self.clock = FakeClock()
        self.asked: list[list[dict[str, float]]] = []
        self.nodes = SandboxNodes(limits, 2, self.clock, self.request)

    def request(self, *, bundles: list[dict[str, float]]) -> None:
        self.asked.append(bundles)

    def want(self, evaluations: int) -> int:
        """Return how many nodes are asked for after so many evaluations were wanted."""
        self.nodes.want(evaluations)
        return len(self.asked[-1])


def test_nodes_follow_the_work_up_to_what_the_autoscaler_can_bring() -> None:
    cluster = Autoscaler(CPU=64, sandbox=4)
    assert [cluster.want(number) for number in (0, 2, 3, 7, 100)] == [1, 1, 2, 4, 4]
    assert cluster.asked[-1] == [{"sandbox": 1.0}] * 4
    assert len(cluster.asked) == 3, "it is asked only for changes"
    assert cluster.nodes.target == 4


def test_nodes_are_given_back_when_fewer_have_sufficed_for_a_while() -> None:
    cluster = Autoscaler(sandbox=4)
    cluster.want(8)
    cluster.clock._elapsed += SHRINK_S - 1
    assert cluster.want(2) == 4
    assert cluster.want(8) == 4, "a new peak"
    cluster.clock._elapsed += SHRINK_S - 1
    assert cluster.want(0) == 4
    cluster.clock._elapsed += 1
    assert cluster.want(0) == 1
    assert cluster.nodes.target == 1


def test_without_an_autoscaler_nothing_is_asked_for_and_every_node_is_used() -> None:
    cluster = Autoscaler(CPU=64)
    cluster.nodes.want(100)
    assert (cluster.asked, cluster.nodes.target, cluster.nodes.scales) == ([], None, False)
