"""Pool of sandboxes on a Docker engine: one sandbox per submission, in the requested image and isolation tier.

There is no fallback. If no engine answers, :class:`DockerPool` raises ``SandboxUnavailable``, and a tier that is not
configured is refused, never replaced by another.
"""

from __future__ import annotations

import shutil
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

from rlplatform.errors import SandboxFault, SandboxUnavailable
from rlplatform.sandbox.docker_engine import APP_LABEL, BOOT_LABEL, OWNER_LABEL, STATE_LABEL, Engine
from rlplatform.sandbox.execution.cgroups import Hierarchy
from rlplatform.sandbox.images.catalog import ImageCatalog
from rlplatform.sandbox.models import Limits, NodeImage, PoolStatus, Program, SandboxInfo, Tier
from rlplatform.sandbox.pool.container import TMPFS, Container, ContainerSpec, start_container
from rlplatform.sandbox.pool.data_folder import remove_left
from rlplatform.sandbox.pool.docker_sandbox import DockerSandbox
from rlplatform.sandbox.pool.gvisor_runtime import require_gvisor
from rlplatform.sandbox.pool.image_pools import ContainerSource, ImageContainers, ImagePools, Lane
from rlplatform.sandbox.pool.jail_containers import JailContainers
from rlplatform.sandbox.pool.loader import Loader
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
_WARM_GVISOR = 1


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
            catalog = ImageCatalog(self._engine, settings.image)
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
        self._lacking = {Tier.GVISOR: "RLP_SANDBOX__GVISOR_RUNTIME is not set"}
        self._broken: dict[Tier, str] = {}
        if settings.gvisor_runtime is not None:
            self._check_gvisor(settings.gvisor_runtime)
        self._images = ImagePools(catalog, self._make_lane, settings.max_images)
        warm = self._images.default.lane(Tier.SINGLE_USE).source
        assert isinstance(warm, WarmContainers)
        self._warm = warm
        if self._serves(Tier.GVISOR):
            self._images.default.lane(Tier.GVISOR)
        self._closed = threading.Event()
        self._closing = threading.Lock()
        self._threads = [
            threading.Thread(target=self._renew_leases, name="sandbox-leases", daemon=True),
            threading.Thread(target=self._keep_house, name="sandbox-housekeeper", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def open(
        self,
        program: Program,
        limits: Limits,
        tier: Tier,
        tenant: str = "",
        *,
        image: str | None = None,
        beside: Sandbox | None = None,
    ) -> DockerSandbox:
        """Open a sandbox, as the port says. Waits up to a minute for a slot, and up to a minute for a container.

        Raises:
            InvalidRequest: ``program`` is not accepted.
        """
        check_program(program)
        self._require(tier)
        shares_slot = isinstance(beside, DockerSandbox)
        core = beside.core if isinstance(beside, DockerSandbox) else self._slots.acquire(_SLOT_WAIT_S)
        try:
            containers = self._images.acquire(image)
            try:
                lane = containers.lane(tier)
                loader = Loader(lane.source, program, limits, core, tenant)
                container = self._load_first(containers, loader)
            except BaseException:
                self._images.release(containers)
                raise
        except BaseException:
            if not shares_slot:
                self._slots.release(core)
            raise
        release = partial(self._release, containers, loader, shares_slot)
        return DockerSandbox(container, lane.info, core, release, loader.replace)

    def _load_first(self, containers: ImageContainers, loader: Loader) -> Container:
        try:
            return loader.load()
        except SandboxUnavailable as error:
            if containers is self._images.default or self._closed.is_set():
                raise
            # the node can still make containers of other images, so the failure must not take it out of use
            raise SandboxFault(f"image {containers.image.name!r}: {error}") from error

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
            image=self._images.default.image.name,
            images=self._images.images(),
        )

    def close(self) -> None:
        """Close the pool, as the port says. Open sandboxes end with it."""
        with self._closing:
            if self._closed.is_set():
                return
            self._closed.set()
            self._slots.close()
            self._images.close()
            for thread in self._threads:
                thread.join()
            with suppress(SandboxFault):  # without an engine they still end, since their sockets are closed
                self._remove_containers()
            self._shut()

    def _serves(self, tier: Tier) -> bool:
        return tier not in self._lacking and tier not in self._broken

    def _require(self, tier: Tier) -> None:
        if tier in self._lacking:
            raise SandboxUnavailable(f"tier {tier.value!r} is not configured on this node: {self._lacking[tier]}")
        if tier in self._broken:
            raise SandboxUnavailable(f"tier {tier.value!r} cannot be served: {self._broken[tier]}")

    def _check_gvisor(self, runtime: str) -> None:
        """Serve tier *gvisor*, if the engine has ``runtime`` with the required flags.

        Other tiers do not depend on it.
        """
        del self._lacking[Tier.GVISOR]
        try:
            require_gvisor(self._engine, runtime)
        except SandboxUnavailable as error:
            self._broken[Tier.GVISOR] = str(error)

    def _make_lane(self, image: NodeImage, tier: Tier) -> Lane:
        settings = self._settings
        recipe = self._recipe(image, tier)
        source: ContainerSource
        if tier is Tier.JAIL:
            source = JailContainers(
                self._booter(recipe), settings.slots, settings.jail_max_submissions, settings.jail_max_age_s
            )
        else:
            warm = settings.warm if tier is Tier.SINGLE_USE else min(settings.warm, _WARM_GVISOR)
            source = WarmContainers(self._booter(recipe), warm, self._busy)
        return Lane(source, self._describe(image, recipe))

    def _release(
        self, containers: ImageContainers, loader: Loader, shares_slot: bool, container: Container | None, sound: bool
    ) -> None:
        if not shares_slot:
            self._slots.release(loader.core)
        try:
            if container is not None:
                loader.release(container, sound)
        finally:
            self._images.release(containers)

    def _recipe(self, image: NodeImage, tier: Tier) -> ContainerSpec:
        assert self._ownership is not None
        settings = self._settings
        runtime = settings.gvisor_runtime if tier is Tier.GVISOR else settings.runtime
        assert runtime is not None
        return ContainerSpec(
            image_digest=image.digest,
            runtime=runtime,
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

    def _describe(self, image: NodeImage, recipe: ContainerSpec) -> SandboxInfo:
        return SandboxInfo(
            tier=recipe.tier,
            runtime=recipe.runtime,
            image=image.name,
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
            self._images.renew_leases()

    def _keep_house(self) -> None:
        while not self._closed.wait(_SWEEP_S):
            try:
                self._reaper.sweep()
                self._remove_strangers()
                self._images.refresh()
            except SandboxFault:
                continue  # the engine does not answer; the next container start reports it

    def _own_containers(self) -> set[str]:
        assert self._ownership is not None
        labels = {OWNER_LABEL: self._ownership.owner, STATE_LABEL: str(self._state_dir)}
        return {entry.id for entry in self._engine.list(**labels)}

    def _remove_strangers(self) -> None:
        """Remove own containers that no source knows in two consecutive sweeps; a new container is known by the
        second one."""
        strangers = self._own_containers() - self._images.ids()
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
