"""Pool of sandboxes on a Docker engine: one sandbox per submission, in the requested isolation tier.

There is no fallback. If no engine answers, :class:`DockerPool` raises ``SandboxUnavailable``, and a tier that is not
configured is refused, never replaced by another.
"""

from __future__ import annotations

import shutil
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from rlplatform.errors import SandboxFault, SandboxUnavailable
from rlplatform.sandbox.docker_engine import APP_LABEL, BOOT_LABEL, OWNER_LABEL, STATE_LABEL, Engine
from rlplatform.sandbox.execution.cgroups import Hierarchy
from rlplatform.sandbox.images.builder import require_image
from rlplatform.sandbox.models import Limits, PoolStatus, Program, SandboxInfo, Tier
from rlplatform.sandbox.pool.container import TMPFS, Container, ContainerSpec, start_container
from rlplatform.sandbox.pool.data_folder import remove_left
from rlplatform.sandbox.pool.docker_sandbox import DockerSandbox
from rlplatform.sandbox.pool.gvisor_runtime import require_gvisor
from rlplatform.sandbox.pool.jail_containers import JailContainers
from rlplatform.sandbox.pool.ownership import Ownership, boot_id
from rlplatform.sandbox.pool.reaper import Reaper
from rlplatform.sandbox.pool.seccomp import load_profile
from rlplatform.sandbox.pool.slots import Slots
from rlplatform.sandbox.pool.users import DEFAULT_RANGE, REMAPPED_RANGE, Users
from rlplatform.sandbox.pool.warm_containers import WarmContainers
from rlplatform.sandbox.ports import Sandbox
from rlplatform.sandbox.programs import check_program
from rlplatform.settings import SandboxSettings

_SLOT_WAIT_S = 60.0
_SWEEP_S = 10.0
_ATTEMPTS = 3
_WARM_GVISOR = 1


class _Source(Protocol):
    """Source of the containers of a tier."""

    def take(self, tenant: str) -> Container: ...
    def release(self, container: Container, sound: bool) -> None: ...
    def ids(self) -> set[str]: ...
    def renew_leases(self) -> None: ...
    def close(self) -> None: ...


class _Lane(NamedTuple):
    """One tier that the pool serves."""

    source: _Source
    info: SandboxInfo


class DockerPool:
    """The pool of one node: implements the port ``SandboxPool``. Warm containers are made in the background.

    ``owner`` is unique among the living pools of ``settings.state_dir``; containers of a dead pool of that name are
    removed. ``data_dir`` is the parent of the containers' data folders, best on the file system of the data. None puts
    them beside the containers' sockets.

    Raises:
        SandboxUnavailable: no engine, no image, an unknown runtime, or control groups or state directory are unusable.
    """

    def __init__(self, settings: SandboxSettings, owner: str, data_dir: Path | None = None) -> None:
        self._settings = settings
        self._state_dir = settings.state_dir.resolve()
        self._slots = Slots(settings.slots, settings.cores)
        self._engine = Engine(settings.docker_host)
        self._ownership: Ownership | None = None
        self._data_parent: Path | None = None
        try:
            self._hierarchy = Hierarchy()
            self._image = require_image(self._engine, settings.image)
            self._engine.require_runtime(settings.runtime)
            self._users = Users(settings.uids or (REMAPPED_RANGE if self._engine.maps_users else DEFAULT_RANGE))
            self._ownership = Ownership(self._state_dir, owner)
            self._reaper = Reaper(self._engine, self._state_dir)
            self._reaper.sweep()
            self._remove_containers()
            self._data_parent = self._ownership.directory
            if data_dir is not None:
                self._data_parent = data_dir.absolute() / owner
                remove_left(data_dir, self._state_dir)
        except SandboxFault as fault:
            self._shut()
            raise SandboxUnavailable(str(fault)) from fault
        except BaseException:
            self._shut()
            raise
        self._strangers: set[str] = set()
        self._busy = lambda: self._slots.in_use > 0
        single_use, jail = self._recipe(Tier.SINGLE_USE), self._recipe(Tier.JAIL)
        self._warm = WarmContainers(self._booter(single_use), settings.warm, self._busy)
        jails = JailContainers(
            self._booter(jail), settings.slots, settings.jail_max_submissions, settings.jail_max_age_s
        )
        self._lanes = {
            Tier.SINGLE_USE: _Lane(self._warm, self._describe(Tier.SINGLE_USE, single_use)),
            Tier.JAIL: _Lane(jails, self._describe(Tier.JAIL, jail)),
        }
        self._lacking = {Tier.GVISOR: "RLP_SANDBOX__GVISOR_RUNTIME is not set"}
        self._broken: dict[Tier, str] = {}
        if settings.gvisor_runtime is not None:
            self._add_gvisor(settings.gvisor_runtime)
        self._closed = threading.Event()
        self._closing = threading.Lock()
        self._threads = [
            threading.Thread(target=self._renew_leases, name="sandbox-leases", daemon=True),
            threading.Thread(target=self._keep_house, name="sandbox-housekeeper", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def open(
        self, program: Program, limits: Limits, tier: Tier, tenant: str = "", beside: Sandbox | None = None
    ) -> DockerSandbox:
        """Open a sandbox, as the port says. Waits up to a minute for a slot, and up to a minute for a container.

        Raises:
            InvalidRequest: ``program`` is not accepted.
        """
        check_program(program)
        lane = self._lane(tier)
        shares_slot = isinstance(beside, DockerSandbox)
        core = beside.core if isinstance(beside, DockerSandbox) else self._slots.acquire(_SLOT_WAIT_S)
        try:
            container = self._prepare(lane.source, program, limits, core, tenant)
        except BaseException:
            if not shares_slot:
                self._slots.release(core)
            raise
        renew = partial(self._renew, lane.source, program, limits, core, tenant)
        release = partial(self._release, lane.source, None if shares_slot else core)
        return DockerSandbox(container, lane.info, core, release, renew)

    def status(self) -> PoolStatus:
        """Return the pool's status, as the port says."""
        reason = "the sandbox pool is closed" if self._closed.is_set() else self._warm.fault
        return PoolStatus(
            available=reason is None,
            reason=reason,
            tier=Tier.SINGLE_USE,
            warm=self._warm.ready,
            in_use=self._slots.in_use,
            capacity=self._slots.count,
            lacking=self._lacking,
            broken=self._broken,
        )

    def close(self) -> None:
        """Close the pool, as the port says. Open sandboxes end with it."""
        with self._closing:
            if self._closed.is_set():
                return
            self._closed.set()
            self._slots.close()
            for lane in self._lanes.values():
                lane.source.close()
            for thread in self._threads:
                thread.join()
            with suppress(SandboxFault):  # without an engine they still end, since their sockets are closed
                self._remove_containers()
            self._shut()

    def _lane(self, tier: Tier) -> _Lane:
        if tier in self._lacking:
            raise SandboxUnavailable(f"tier {tier.value!r} is not configured on this node: {self._lacking[tier]}")
        if tier in self._broken:
            raise SandboxUnavailable(f"tier {tier.value!r} cannot be served: {self._broken[tier]}")
        return self._lanes[tier]

    def _add_gvisor(self, runtime: str) -> None:
        """Serve tier *gvisor*, if the engine has ``runtime`` with the required flags.

        Other tiers do not depend on it.
        """
        del self._lacking[Tier.GVISOR]
        try:
            require_gvisor(self._engine, runtime)
        except SandboxUnavailable as error:
            self._broken[Tier.GVISOR] = str(error)
            return
        recipe = self._recipe(Tier.GVISOR, runtime)
        warm = WarmContainers(self._booter(recipe), min(self._settings.warm, _WARM_GVISOR), self._busy)
        self._lanes[Tier.GVISOR] = _Lane(warm, self._describe(Tier.GVISOR, recipe))

    def _prepare(
        self, source: _Source, program: Program, limits: Limits, core: int, tenant: str, tests: int = 0, dirty: int = 0
    ) -> Container:
        for attempt in range(1, _ATTEMPTS + 1):
            container = source.take(tenant)
            try:
                container.pin(core)
                container.load(program, tests, dirty)
                container.apply(limits)
                return container
            except BaseException as error:
                container.data.remove()
                source.release(container, sound=False)
                if attempt == _ATTEMPTS or not isinstance(error, SandboxFault):
                    raise
        raise AssertionError("unreachable")

    def _renew(
        self,
        source: _Source,
        program: Program,
        limits: Limits,
        core: int,
        tenant: str,
        container: Container,
        tests: int,
        dirty: int,
    ) -> Container:
        """Return another container, or jail, that replaces ``container``, in which ``tests`` tests ran."""
        container.data.remove()
        source.release(container, sound=True)
        return self._prepare(source, program, limits, core, tenant, tests, dirty)

    def _release(self, source: _Source, core: int | None, container: Container | None, sound: bool) -> None:
        if core is not None:
            self._slots.release(core)
        if container is not None:
            container.data.remove()
            source.release(container, sound)

    def _recipe(self, tier: Tier, runtime: str | None = None) -> ContainerSpec:
        assert self._ownership is not None
        return ContainerSpec(
            image_digest=self._image.digest,
            runtime=runtime or self._settings.runtime,
            profile=load_profile("jail-host" if tier is Tier.JAIL else "sandbox"),
            cpus=self._slots.cpus,
            labels={
                APP_LABEL: "1",
                OWNER_LABEL: self._ownership.owner,
                STATE_LABEL: str(self._state_dir),
                BOOT_LABEL: boot_id(),
            },
            lease_s=self._settings.lease_s,
            tmpfs=TMPFS,
            tier=tier,
        )

    def _describe(self, tier: Tier, recipe: ContainerSpec) -> SandboxInfo:
        return SandboxInfo(
            tier=tier,
            runtime=recipe.runtime,
            image=self._image.name,
            image_digest=recipe.image_digest,
            seccomp_digest=recipe.profile.digest,
            cgroup=self._hierarchy.layout,
        )

    def _booter(self, recipe: ContainerSpec) -> partial[Container]:
        assert self._ownership is not None
        assert self._data_parent is not None
        return partial(
            start_container,
            self._engine,
            self._hierarchy,
            recipe,
            self._users,
            self._ownership.directory,
            self._data_parent,
        )

    def _renew_leases(self) -> None:
        while not self._closed.wait(self._settings.lease_s / 4):
            for lane in self._lanes.values():
                lane.source.renew_leases()

    def _keep_house(self) -> None:
        while not self._closed.wait(_SWEEP_S):
            try:
                self._reaper.sweep()
                self._remove_strangers()
            except SandboxFault:
                continue  # the engine does not answer; the next container start reports it

    def _own_containers(self) -> set[str]:
        assert self._ownership is not None
        labels = {OWNER_LABEL: self._ownership.owner, STATE_LABEL: str(self._state_dir)}
        return {entry.id for entry in self._engine.list(**labels)}

    def _remove_strangers(self) -> None:
        """Remove own containers that no source knows in two consecutive sweeps; a new container is known by the
        second one."""
        known = set().union(*(lane.source.ids() for lane in self._lanes.values()))
        strangers = self._own_containers() - known
        for container in strangers & self._strangers:
            self._engine.remove(container)
        self._strangers = strangers

    def _remove_containers(self) -> None:
        for container in self._own_containers():
            self._engine.remove(container)

    def _shut(self) -> None:
        if self._data_parent is not None:
            shutil.rmtree(self._data_parent, ignore_errors=True)
        if self._ownership is not None:
            self._ownership.release()
        self._engine.close()
