"""Is the corpus able to see a hole? Each piece of the hardening is switched off, and the programs that it stops must
get through. It is switched off in the recipe, or the guest, of the test's own containers: the pool has no such switch.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from corpus import Attack, load

import rlplatform.sandbox.guest
from rlplatform.errors import SandboxFault
from rlplatform.sandbox.docker_engine import APP_LABEL, OWNER_LABEL, Engine
from rlplatform.sandbox.execution.cgroups import Hierarchy
from rlplatform.sandbox.execution.outcomes import outcome_of
from rlplatform.sandbox.execution.program_execution import ProgramExecution
from rlplatform.sandbox.images.builder import require_image
from rlplatform.sandbox.models import Flavour, Tier
from rlplatform.sandbox.pool.container import TMPFS, Container, ContainerSpec, start_container
from rlplatform.sandbox.pool.docker_pool import DockerPool
from rlplatform.sandbox.pool.jail_containers import JailContainers
from rlplatform.sandbox.pool.seccomp import load_profile
from rlplatform.sandbox.pool.users import DEFAULT_RANGE, Users

pytestmark = pytest.mark.docker

ATTACKS = {attack.name: attack for attack in load()}
Weaken = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class WeakRecipe(ContainerSpec):
    """A recipe with something taken away."""

    weaken: Weaken = lambda options: None

    def options(self, socket_directory: Path, data: Path, user: int) -> dict[str, Any]:
        options = super().options(socket_directory, data, user)
        self.weaken(options)
        return options


@pytest.fixture(scope="module")
def engine(docker_pool: DockerPool) -> Iterator[Engine]:
    """Only where the pool of all tests works."""
    engine = Engine()
    yield engine
    engine.close()


@pytest.fixture
def folder(sandbox_state: Path) -> Path:
    """A folder for sockets that no reaper sweeps."""
    folder = sandbox_state.parent / "mutations"
    folder.mkdir(mode=0o755, exist_ok=True)
    return folder


Attempt = Callable[..., list[str]]


@pytest.fixture
def attempt(engine: Engine, folder: Path) -> Attempt:
    """Return what is wrong with the outcomes of an attack in a container with ``weaken`` applied."""

    def attempt(name: str, weaken: Weaken, *, limits: bool = True) -> list[str]:
        recipe = WeakRecipe(
            image_digest=require_image(engine, Flavour.PYTHON.image).digest,
            runtime="runc",
            profile=load_profile("sandbox"),
            cpus="0",
            labels={APP_LABEL: "1", OWNER_LABEL: "mutation"},
            lease_s=60.0,
            tmpfs=TMPFS,
            weaken=weaken,
        )
        container = start_container(engine, Hierarchy(), recipe, Users(DEFAULT_RANGE), folder, folder)
        try:
            return _complaints(container, ATTACKS[name], limits=limits)
        finally:
            container.destroy()

    return attempt


def nothing(options: dict[str, Any]) -> None: ...


def host(**changes: Any) -> Weaken:
    return lambda options: options["host_config"].update(changes)


def raw(**changes: Any) -> Weaken:
    return lambda options: options["raw_host_config"].update(changes)


def tmpfs(old: str, new: str) -> Weaken:
    def weaken(options: dict[str, Any]) -> None:
        mounted = options["host_config"]["tmpfs"]
        assert any(old in mount for mount in mounted.values())
        mounted.update({path: mount.replace(old, new) for path, mount in mounted.items()})

    return weaken


def every(*steps: Weaken) -> Weaken:
    return lambda options: [step(options) for step in steps]


def on_a_bridge(options: dict[str, Any]) -> None:
    options["network_disabled"] = False
    options["host_config"]["network_mode"] = "bridge"


def roomy_profile() -> str:
    """Without no-new-privileges, runc changes the user behind the filter: it needs these calls, or does not start."""
    profile = json.loads(load_profile("sandbox").text)
    names = ["setgroups", "setgid", "setuid", "capset", "fchown"]
    return json.dumps(profile | {"syscalls": [*profile["syscalls"], {"names": names, "action": "SCMP_ACT_ALLOW"}]})


NO_SECCOMP = host(security_opt=["no-new-privileges:true", "seccomp=unconfined"])
ROOMY = host(mem_limit=2 << 30, memswap_limit=2 << 30, ulimits=[])

MUTATIONS: dict[str, tuple[Weaken, list[str]]] = {
    "no seccomp": (
        NO_SECCOMP,
        [
            "forbidden_calls",
            "families",
            "addresses",
            "io_uring",
            "limit_the_runner",
            "privileges",
            "compat_calls",
            "x32_calls",
            "personality",
            "namespaces",
            "ptrace_runner",
        ],
    ),
    "new privileges allowed": (host(security_opt=[f"seccomp={roomy_profile()}"]), ["privileges"]),
    "capabilities kept": (host(cap_drop=[]), ["privileges"]),
    "writable root": (host(read_only=False), ["write_root"]),
    "a network": (on_a_bridge, ["interfaces"]),
    "no masks": (raw(MaskedPaths=[], ReadonlyPaths=[]), ["kernel_files"]),
    "control groups of the host": (raw(CgroupnsMode="host"), ["control_groups"]),
    "executable files": (tmpfs("noexec", "exec"), ["execute_file"]),
    "endless inodes": (tmpfs("nr_inodes=512", "nr_inodes=0"), ["fill_inodes"]),
    "no ulimits": (host(ulimits=[]), ["open_everything", "sparse_file"]),
    "neither ulimits nor masks": (every(host(ulimits=[]), raw(MaskedPaths=[])), ["message_queue"]),
    "large file systems": (every(ROOMY, tmpfs("size=16m", "size=900m")), ["fill_disk", "in_tmpfs", "huge_file_signal"]),
    "a mounted engine": (
        lambda options: options["raw_host_config"]["Binds"].append("/var/run/docker.sock:/run/docker.sock"),
        ["mounts"],
    ),
    "an environment": (lambda options: options["environment"].update(SECRET="1"), ["secrets_in_environment"]),
}


@pytest.mark.parametrize(
    ("weaken", "name"),
    [pytest.param(weaken, name, id=f"{what}-{name}") for what, (weaken, names) in MUTATIONS.items() for name in names],
)
def test_without_this_piece_the_attack_gets_through(attempt: Attempt, weaken: Weaken, name: str) -> None:
    assert attempt(name, nothing) == [], "it must fail with the piece in place"
    assert attempt(name, weaken) != []


@pytest.mark.parametrize("name", ["count_children", "count_threads", "one_shot"])
def test_without_the_limits_of_the_kernel_the_attack_gets_through(attempt: Attempt, name: str) -> None:
    assert attempt(name, every(ROOMY, host(pids_limit=250)), limits=False) != []


GUEST_MUTATIONS = [
    ("runner.py", "kernel.set_dumpable(False)", "kernel.set_dumpable(True)", "read_the_runner"),
    ("runner.py", "signal.signal(signal.SIGINT, signal.SIG_DFL)", "", "kill_everything"),
    ("runner.py", "strays = _sweep()", "strays = 0", "abstract_socket"),
    ("isolation/view.py", "clean = folder.clear(program) and clean", "pass", "files"),
    (
        "isolation/view.py",
        "        os.chmod(root, mode)\n        for name in",
        "        for name in",
        "working_directory",
    ),
    ("child.py", "resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))", "pass", "raised_cpu_limit"),
    (
        "values.py",
        "list.__iter__(value)",
        "value",
        "overriding_subclasses",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "name"), GUEST_MUTATIONS, ids=[m[3] for m in GUEST_MUTATIONS])
def test_without_this_line_of_the_guest_the_attack_gets_through(
    attempt: Attempt, folder: Path, file: str, old: str, new: str, name: str
) -> None:
    assert attempt(name, mounted(_changed_guest(folder, name, file, old, new))) != []


def _changed_guest(folder: Path, name: str, file: str, old: str, new: str) -> Path:
    guest = folder / f"guest-{name}"
    shutil.copytree(Path(rlplatform.sandbox.guest.__file__).parent, guest, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(resources.files("rlplatform.sandbox").joinpath("data", "seccomp-sandbox.json"), guest / "isolation")
    source = (guest / file).read_text()
    assert source.count(old) == 1
    (guest / file).write_text(source.replace(old, new))
    return guest


def mounted(guest: Path) -> Weaken:
    return lambda options: options["raw_host_config"]["Binds"].append(f"{guest}:/opt/rlp/guest:ro")


JAIL_MUTATIONS = [
    ("isolation/jail.py", "        kernel.drop_capabilities()\n", "", "capabilities"),
    ("isolation/jail.py", "k.MS_REMOUNT | k.MS_BIND | k.MS_RDONLY |", "k.MS_REMOUNT | k.MS_BIND |", "write_root"),
    ("isolation/jail.py", '"/tmp": "size=16m,nr_inodes=512', '"/tmp": "size=16m,nr_inodes=0', "fill_inodes"),
    ("isolation/jail.py", "        kernel.filter_calls(self._filter)\n", "", "namespaces"),
    ("isolation/jail.py", "        kernel.filter_calls(self._filter)\n", "", "forbidden_calls"),
]


@pytest.mark.parametrize(("file", "old", "new", "name"), JAIL_MUTATIONS, ids=[m[3] for m in JAIL_MUTATIONS])
def test_without_this_line_of_the_jail_the_attack_gets_through(
    engine: Engine, folder: Path, file: str, old: str, new: str, name: str
) -> None:
    assert _attempt_in_jail(engine, folder, name, None) == [], "it must fail with the line in place"
    assert _attempt_in_jail(engine, folder, name, _changed_guest(folder, f"jail-{name}", file, old, new)) != []


def _attempt_in_jail(engine: Engine, folder: Path, name: str, guest: Path | None) -> list[str]:
    """Return what is wrong with the outcomes of an attack in a jail of the guest that is mounted."""
    recipe = WeakRecipe(
        image_digest=require_image(engine, Flavour.PYTHON.image).digest,
        runtime="runc",
        profile=load_profile("jail-host"),
        cpus="0",
        labels={APP_LABEL: "1", OWNER_LABEL: "mutation"},
        lease_s=60.0,
        tmpfs=TMPFS,
        tier=Tier.JAIL,
        weaken=nothing if guest is None else mounted(guest),
    )
    jails = JailContainers(
        lambda: start_container(engine, Hierarchy(), recipe, Users(DEFAULT_RANGE), folder, folder), 1, 1, 60.0
    )
    container = jails.take("")
    try:
        return _complaints(container, ATTACKS[name])
    finally:
        jails.release(container, sound=False)


def _complaints(container: Container, attack: Attack, *, limits: bool = True) -> list[str]:
    """Run an attack and return what is wrong with its outcomes, or the fault of a sandbox that it broke.

    Raises:
        SandboxFault: the sandbox was broken before the attack began, so the attack shows nothing.
    """
    container.load(attack.program)
    outcomes = []
    try:
        for execution in attack.executions:
            if limits:
                container.apply(execution.limits)
            evidence = ProgramExecution(container.channel, container.cgroup, container.user, execution).run()
            outcomes.append(outcome_of(evidence, execution))
    except SandboxFault as fault:
        return [str(fault)]
    return attack.complaints(outcomes)


def test_a_container_that_runs_as_root_is_refused(attempt: Attempt) -> None:
    with pytest.raises(SandboxFault, match="user 0"):
        attempt("privileges", every(host(cap_drop=[]), lambda options: options.update(user="0:0")))
