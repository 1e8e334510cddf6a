"""The host's end of the wire, fed with what a hostile guest or submission could send."""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.execution.control_channel import (
    Channel,
    Rendezvous,
    Report,
    RunCache,
    memory_file,
    parse_message,
    parse_records,
    parse_report,
)
from rlplatform.sandbox.guest import protocol
from rlplatform.sandbox.guest.program import Program, pack

NONCE = "0123456789abcdef0123456789abcdef"
KINDS = st.sampled_from([b"B", b"E", b"R", b"V", b"M", b"X", b"?"])
FRAMES = st.lists(st.tuples(KINDS, st.binary(max_size=80)))


@given(st.binary(max_size=300))
def test_arbitrary_packets_are_an_object_or_a_fault(data: bytes) -> None:
    with suppress(SandboxFault):
        assert type(parse_message(data)) is dict


@given(
    st.dictionaries(
        st.sampled_from(["status", "strays", "clean", "traces", "closed"]),
        st.integers() | st.booleans() | st.none() | st.text(),
    )
)
def test_arbitrary_reports_are_a_report_or_a_fault(message: dict[str, object]) -> None:
    try:
        report = parse_report(message)
    except SandboxFault:
        return
    assert report is None or 0 <= report.status <= 0xFFFF
    if report is not None:
        os.waitstatus_to_exitcode(report.status)


def test_a_report_is_read() -> None:
    assert parse_report({"status": 256, "strays": 1, "clean": True, "traces": 2}) == Report(256, 1, True, 2)


@pytest.mark.parametrize("traces", [None, True, 3, -1, "1", 1.0])
def test_traces_are_one_of_three_numbers(traces: object) -> None:
    with pytest.raises(SandboxFault, match="malformed"):
        parse_report({"status": 256, "strays": 1, "clean": True, "traces": traces})
    assert parse_report({"closed": 0}) is None


@pytest.mark.parametrize("status", [-1, 1 << 16, True, "0", None, 0.0])
def test_a_status_is_a_wait_status(status: object) -> None:
    with pytest.raises(SandboxFault, match="malformed"):
        parse_report({"status": status, "strays": 0, "clean": True, "traces": 0})


@given(st.binary(max_size=400))
def test_arbitrary_records_never_fail(data: bytes) -> None:
    assert isinstance(parse_records(data, NONCE), RunCache)


@given(FRAMES)
def test_nothing_is_believed_before_the_start(frames: list[tuple[bytes, bytes]]) -> None:
    stream = b"".join(protocol.record(kind, payload) for kind, payload in frames)
    records = parse_records(stream, NONCE)
    if not frames or frames[0][0] != protocol.COMPILING:
        assert records == RunCache()


@given(FRAMES)
def test_a_compile_fault_cannot_be_claimed_once_it_runs(frames: list[tuple[bytes, bytes]]) -> None:
    start = protocol.record(protocol.COMPILING) + protocol.record(protocol.RUNNING)
    rest = b"".join(protocol.record(kind, payload) for kind, payload in frames)
    records = parse_records(start + rest, NONCE)
    assert records.running
    assert records.compile_fault is None


@given(st.binary(max_size=100))
def test_a_value_needs_the_nonce_of_this_execution(payload: bytes) -> None:
    start = protocol.record(protocol.COMPILING) + protocol.record(protocol.RUNNING)
    right = parse_records(start + protocol.record(protocol.VALUE, NONCE.encode() + payload), NONCE)
    wrong = parse_records(start + protocol.record(protocol.VALUE, b"f" * 32 + payload), NONCE)
    assert right.value == payload
    assert wrong.value is None


def test_the_first_value_counts_and_a_cut_one_does_not() -> None:
    start = protocol.record(protocol.COMPILING) + protocol.record(protocol.RUNNING)
    first, second = (protocol.record(protocol.VALUE, NONCE.encode() + text) for text in (b"1", b"2"))
    assert parse_records(start + first + second, NONCE).value == b"1"
    assert parse_records(start + first[:-1], NONCE).value is None


def test_a_compile_fault_has_file_line_and_message() -> None:
    fault = json.dumps({"file": "a.py", "line": 3, "message": "SyntaxError: no"}).encode()
    stream = protocol.record(protocol.COMPILING) + protocol.record(protocol.COMPILE_FAILED, fault)
    assert parse_records(stream, NONCE).compile_fault == "a.py, line 3: SyntaxError: no"


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def pair() -> tuple[Channel, socket.socket]:
    host, guest = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Channel(host), guest


def test_a_channel_knows_its_peer(pair: tuple[Channel, socket.socket]) -> None:
    channel, guest = pair
    assert (channel.peer_pid, channel.peer_uid) == (os.getpid(), os.getuid())
    channel.close()
    guest.close()


def test_messages_and_descriptors_go_to_the_guest(pair: tuple[Channel, socket.socket]) -> None:
    channel, guest = pair
    file = memory_file(b"archive")
    channel.send({"op": "load"}, [file])
    os.close(file)
    data, descriptors, _, _ = socket.recv_fds(guest, 1024, 2)
    assert json.loads(data) == {"op": "load"}
    assert os.read(descriptors[0], 100) == b"archive"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.write(descriptors[0], b"x")
    os.close(descriptors[0])
    channel.close()
    guest.close()


def test_descriptors_from_the_guest_are_dropped(pair: tuple[Channel, socket.socket]) -> None:
    channel, guest = pair
    before = open_descriptors()
    socket.send_fds(guest, [b'{"ready": 1}'], [0, 1, 2])
    assert channel.expect("ready", 1) == 1
    assert open_descriptors() == before
    channel.close()
    guest.close()


def test_silence_and_hanging_up_are_told_apart(pair: tuple[Channel, socket.socket]) -> None:
    channel, guest = pair
    with pytest.raises(SandboxFault, match=r"said nothing for 0\.01 s"):
        channel.receive(0.01)
    guest.close()
    assert channel.receive(1) is None
    with pytest.raises(SandboxFault, match="closed where 'x' was expected"):
        channel.expect("x", 1)
    with pytest.raises(SandboxFault, match="does not take commands"):
        channel.send({"op": "ping"})
    channel.close()


def test_a_fault_of_the_guest_is_passed_on(pair: tuple[Channel, socket.socket]) -> None:
    channel, guest = pair
    guest.send(b'{"fault": "no namespaces"}')
    with pytest.raises(SandboxFault, match="no namespaces"):
        channel.expect("opened", 1)
    channel.close()
    guest.close()


@given(st.dictionaries(st.text(min_size=1), st.binary(max_size=50), min_size=1, max_size=5))
def test_a_packed_program_is_unpacked(files: dict[str, bytes]) -> None:
    assert Program(pack(files), next(iter(files)), ".py", {}).files == files


def test_a_rendezvous_can_be_deep_below_the_root(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)  # a socket's own path may have 107 bytes
    deep.mkdir(parents=True)
    with Rendezvous(deep) as rendezvous:
        folder = os.open(rendezvous.directory, os.O_PATH)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as guest:
            guest.connect(f"/proc/self/fd/{folder}/s")
        os.close(folder)
    assert list(deep.iterdir()) == []
