"""Waiting for a core does not count as wall time, within a bound; and the guest's lease is longer than that bound."""

from __future__ import annotations

import socket
import tempfile
import time
from pathlib import Path

import pytest

from rlplatform.sandbox.execution.cgroups import Task
from rlplatform.sandbox.execution.patience import STOP_GRACE_S, Patience, lease_s, longest_s
from rlplatform.sandbox.guest.channel import Channel, Closed
from rlplatform.sandbox.models import Limits

LIMITS = Limits(cpu_time_s=2, wall_time_s=6)


def tasks(**waited_s: float) -> dict[str, Task]:
    """Tasks that sleep at the moment, by the seconds that they waited for a core so far."""
    return {name: Task(0.0, waited, False) for name, waited in waited_s.items()}


def test_a_program_that_sleeps_has_its_wall_time_and_no_more() -> None:
    patience = Patience(LIMITS)
    for tenth in range(1, 61):
        patience.sample(tenth / 10, 0.1, tasks(t7=0.02))
    assert not patience.has_ended(6.0)
    assert patience.has_ended(6.1)


def test_waiting_for_a_core_is_added_to_the_limit() -> None:
    patience = Patience(LIMITS)
    for second in range(1, 13):  # CPU 0.19 s of 2 s, wall 12 s
        patience.sample(float(second), 0.016 * second, tasks(t7=0.98 * second))
        assert not patience.has_ended(float(second))
    assert patience.starved_s == pytest.approx(11.76)


def test_waiting_in_tasks_that_ended_counts() -> None:
    patience = Patience(LIMITS)
    patience.sample(1.0, 0.1, tasks(t7=0.0, t8=0.9))
    patience.sample(2.0, 0.2, tasks(t7=0.0, t9=0.9))
    assert patience.starved_s == pytest.approx(1.8)


def test_what_older_tasks_waited_before_the_execution_does_not_count() -> None:
    patience = Patience(LIMITS)
    patience.sample(0.01, 0.0, tasks(t1=500.0))
    patience.sample(5.0, 0.0, tasks(t1=500.0))
    assert patience.starved_s <= 0.01


def test_threads_that_compete_for_the_programs_own_core_starve_nobody() -> None:
    patience = Patience(LIMITS)
    patience.sample(1.0, 1.0, tasks(t7=0.5, t8=0.5))
    patience.sample(1.9, 1.9, tasks(t7=0.95, t8=0.95))
    assert patience.starved_s == 0.0


def test_nothing_is_decided_while_a_task_waits_for_a_core() -> None:
    patience = Patience(LIMITS)
    patience.sample(1.0, 0.1, {"7": Task(0.1, 0.0, True)})
    for second in range(2, 11):
        patience.sample(float(second), 0.1, {"7": Task(0.1, 0.0, True)})
        assert not patience.has_ended(float(second))
    patience.sample(10.1, 0.11, {"7": Task(0.11, 9.0, True)})
    assert not patience.has_ended(10.1)
    patience.sample(16.0, 0.12, {"7": Task(0.12, 9.0, False)})
    assert patience.has_ended(16.0)


def test_patience_has_an_end() -> None:
    patience = Patience(LIMITS)
    patience.sample(60.0, 0.5, tasks(t7=59.0))
    assert not patience.has_ended(60.0)
    assert not patience.is_exhausted(60.0)
    assert patience.is_exhausted(60.1)


@pytest.mark.parametrize("wall_time_s", [0.01, 0.2, 6.0, 29.0, 31.0, 40.0, 120.0])
def test_the_guest_waits_longer_than_the_host(wall_time_s: float) -> None:
    limits = Limits(cpu_time_s=min(wall_time_s, 60.0), wall_time_s=wall_time_s)
    assert longest_s(limits) >= 2 * wall_time_s
    assert lease_s(limits) > longest_s(limits) + STOP_GRACE_S


def test_no_command_shortens_the_lease_of_a_run() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        path = str(Path(folder, "s"))
        listener.bind(path)
        listener.listen()
        channel = Channel(path, 0.05)
        host = listener.accept()[0]
        channel.extend(0.6)
        host.send(b'{"op": "ping"}')
        assert channel.receive() == ({"op": "ping"}, [])
        before = time.monotonic()
        with pytest.raises(Closed):
            channel.receive()
        assert time.monotonic() - before > 0.4
        channel.close()
        host.close()
