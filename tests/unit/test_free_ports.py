from __future__ import annotations

import socket
from pathlib import Path

import pytest

from rlplatform.free_ports import free_ports


@pytest.fixture
def ephemeral(tmp_path: Path) -> Path:
    return tmp_path / "ip_local_port_range"


def test_ports_are_different_free_and_not_ephemeral(ephemeral: Path) -> None:
    ephemeral.write_text("20100\t60999\n")
    ports = free_ports(50, ephemeral)
    assert len(set(ports)) == 50
    assert all(20_000 <= port < 20_100 for port in ports)
    for port in ports:
        socket.create_server(("", port)).close()


def test_a_port_that_is_listened_on_is_not_given(ephemeral: Path) -> None:
    ephemeral.write_text("20100 60999")
    (taken,) = free_ports(1, ephemeral)
    with socket.create_server(("", taken)):
        assert taken not in free_ports(60, ephemeral)


@pytest.mark.parametrize("content", ["1024 65535", "", "none", None], ids=["no room", "empty", "no number", "no file"])
def test_where_there_is_no_room_below_the_kernel_chooses(ephemeral: Path, content: str | None) -> None:
    if content is not None:
        ephemeral.write_text(content)
    assert len(set(free_ports(3, ephemeral))) == 3
