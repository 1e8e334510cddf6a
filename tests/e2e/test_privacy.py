"""Other users of the machine: what a platform writes is closed to them, and it listens for this machine alone."""

from __future__ import annotations

import os
import re
import socket
import stat
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.platform import RunningPlatform, descendants

pytestmark = [pytest.mark.ray, pytest.mark.docker, pytest.mark.e2e, pytest.mark.timeout(400)]
LISTENING = "0A"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def used(platform: RunningPlatform) -> RunningPlatform:
    """The platform, after an evaluation and a training: everything that it writes is there."""
    test = {"id": "a", "expected_stdout": "1\n"}
    evaluated = platform.http.post("/v1/evaluations?wait=60", json={"source": "print(1)", "tests": [test]})
    assert evaluated.json()["verdict"] == "accepted", evaluated.text
    asked = {"env": "CartPole-v1", "stop": {"iterations": 2}, "checkpoint": {"every_iterations": 1}}
    training = platform.http.post("/v1/trainings", json=asked).json()["id"]
    with platform.http.stream("GET", f"/v1/trainings/{training}/events", timeout=300) as events:
        kinds = [line for line in events.iter_lines() if line.startswith("data: ")]
    assert '"training.succeeded"' in kinds[-1]
    return platform


def folders(platform: RunningPlatform) -> list[Path]:
    """The state directory, HAProxy's folder, and Ray's."""
    state = platform.folder / ".rlp"
    processes = [platform.process.pid, *descendants(platform.process.pid)]
    sessions = set()
    for pid in processes:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
        sessions |= set(re.findall(r"(/\S+)/session_[0-9_-]+", command))
    assert len(sessions) == 1
    return [state, (state / "ingress").readlink(), Path(sessions.pop())]


def below(folder: Path) -> Iterator[Path]:
    yield folder
    for path in folder.rglob("*"):
        if not path.is_symlink():
            yield path


def others_may(path: Path) -> int:
    """Return the permissions of other users on ``path``."""
    return stat.S_IMODE(path.lstat().st_mode) & 0o077


def test_nothing_that_it_writes_is_for_others(used: RunningPlatform) -> None:
    state, ingress, session = folders(used)
    for folder in (state, ingress, session.parent):
        assert others_may(folder) == 0, folder
    listed = {path: others_may(path) for folder in (state, ingress) for path in below(folder) if path.exists()}
    assert len(listed) > 20, "it writes much"
    serves_own = {"metrics.sock"}  # opened by Serve, within a closed folder
    mounts = state / "file-cache" / "mounts"  # containers read it, as users of their own; within closed folders
    assert others_may(mounts.parent) == 0
    assert not [path for path in below(mounts) if others_may(path) & 0o022], "nobody else writes there"
    open_to_others = {
        str(path): oct(mode)
        for path, mode in listed.items()
        if mode and path.name not in serves_own and not path.is_relative_to(mounts)
    }
    assert open_to_others == {}
    secrets = [state / name for name in ("key", "pepper", "local.json", "audit.log", "platform.db")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    runs = list((state / "runs").iterdir())
    assert {stat.S_IMODE(path.stat().st_mode) for path in runs} == {0o700}
    token = Path.home() / ".ray" / "auth_token"
    assert not token.exists() or others_may(token) == 0
    logs = [path for path in (session / "session_latest" / "logs").iterdir() if path.is_file()]
    assert logs
    assert [path for path in logs if others_may(path)] == []


def test_a_sandbox_reaches_its_socket_and_lists_nothing(used: RunningPlatform) -> None:
    (owner,) = [path for path in (used.folder / "sandbox").iterdir() if path.is_dir()]
    for folder in (used.folder / "sandbox", owner):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o711
    assert others_may(owner / "lock") == 0


def test_every_process_makes_private_files(used: RunningPlatform) -> None:
    masks = {}
    for pid in [used.process.pid, *descendants(used.process.pid)]:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        if mask := re.search(r"^Umask:\s+(\d+)", status, re.M):
            masks[Path(f"/proc/{pid}/comm").read_text().strip()] = mask[1]
    assert len(masks) > 5
    assert {name: mask for name, mask in masks.items() if mask != "0077"} == {}


def addresses(pids: set[int]) -> set[tuple[str, int]]:
    """Return the TCP addresses on which these processes listen."""
    sockets = set()
    for pid in pids:
        try:
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                if match := re.fullmatch(r"socket:\[(\d+)\]", str(descriptor.readlink())):
                    sockets.add(match[1])
        except OSError:
            continue
    found = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == LISTENING and inode in sockets:
                text, port = local.split(":")
                words = [struct.pack("=I", int(text[at : at + 8], 16)) for at in range(0, len(text), 8)]
                found.add((socket.inet_ntop(family, b"".join(words)), int(port, 16)))
    return found


def test_it_listens_for_this_machine_alone(used: RunningPlatform) -> None:
    public: dict[str, list[tuple[str, int]]] = {}
    listening = 0
    for pid in [used.process.pid, *descendants(used.process.pid)]:
        found = addresses({pid})
        listening += len(found)
        name = f"{pid} {comm.read_text().strip() if (comm := Path(f'/proc/{pid}/comm')).exists() else ''}"
        if open_to_all := sorted(each for each in found if each[0] not in ("127.0.0.1", "::1", "::ffff:127.0.0.1")):
            public[name] = open_to_all
    assert listening > 5
    assert public == {}


class Row(NamedTuple):
    """Row of the table of ports: the lowest and highest port of a process; None where any is chosen."""

    process: str
    ports: tuple[int, int] | None

    def tells_of(self, process: str, port: int, taken: set[int]) -> bool:
        """True if the row documents this port. A free one replaces a fixed port that another program has ``taken``."""
        if not process.startswith(self.process):
            return False
        return self.ports is None or self.ports[0] <= port <= self.ports[1] or self.ports[0] in taken


def table_of_ports(api_port: int) -> list[Row]:
    """The rows of docs/ports.md for one machine, with the API's port of this platform."""
    rows = []
    for line in (ROOT / "docs" / "ports.md").read_text().splitlines():
        if match := re.match(r"\| `(\S+)` \| (any|(\d+)(?:–(\d+))?) \|", line):
            low, high = (int(number or match[3] or 0) for number in match.group(3, 4))
            rows.append(Row(match[1], (low, high) if low else None))
    return [Row(row.process, (api_port, api_port)) if row.ports == (8000, 8000) else row for row in rows]


def process_name(pid: int) -> str:
    """Return the name of a process as the table has it: of a script of Ray, the script's."""
    words = [word for word in Path(f"/proc/{pid}/cmdline").read_text().strip("\0").split("\0") if word != "-u"]
    if "python" in Path(words[0]).name and len(words) > 1:
        words = words[1:]
    return words[0] if words[0].startswith("ray::") else Path(words[0]).name


def test_the_table_of_ports_is_that_of_a_running_platform(used: RunningPlatform) -> None:
    processes = {used.process.pid, *descendants(used.process.pid)}
    listening = {}
    for pid in processes:
        for _, port in addresses({pid}):
            listening[port] = process_name(pid)
    everybody = {int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()}
    taken = {port for _, port in addresses(everybody - processes)}
    rows = table_of_ports(int(used.local["url"].rpartition(":")[2]))
    assert len(rows) > 10
    undocumented = {
        port: name for port, name in listening.items() if not any(row.tells_of(name, port, taken) for row in rows)
    }
    assert undocumented == {}
    unused = [row for row in rows if not any(row.tells_of(name, port, taken) for port, name in listening.items())]
    assert unused == []


def test_nothing_of_it_is_open_in_the_temporary_folder(used: RunningPlatform) -> None:
    born = (used.folder / ".rlp" / "pepper").stat().st_mtime - 1
    found = [path for path in Path(tempfile.gettempdir()).glob("rlp*") if path.lstat().st_uid == os.geteuid()]
    ours = [path for path in found if path.lstat().st_mtime >= born and not path.is_symlink()]
    assert ours
    assert {str(path): oct(others_may(path)) for path in ours if others_may(path)} == {}
