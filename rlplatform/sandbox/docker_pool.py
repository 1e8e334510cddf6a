"""Sandboxes on a Docker engine: a warm pool of single-use containers, one for each submission.

There is no fallback of any kind: where no engine answers, :class:`DockerPool` raises ``SandboxUnavailable``.
"""

from __future__ import annotations

import os
import threading

from rlplatform.errors import SandboxFault, SandboxUnavailable
from rlplatform.sandbox.cgroup import Hierarchy
from rlplatform.sandbox.container import TMPFS, Container, Recipe, boot
from rlplatform.sandbox.docker_sandbox import DockerSandbox
from rlplatform.sandbox.engine import APP_LABEL, BOOT_LABEL, OWNER_LABEL, STATE_LABEL, Engine
from rlplatform.sandbox.images import require_image
from rlplatform.sandbox.models import Limits, PoolStatus, Program, SandboxInfo, Tier
from rlplatform.sandbox.ownership import Ownership, boot_id
from rlplatform.sandbox.programs import check_program
from rlplatform.sandbox.reaper import Reaper
from rlplatform.sandbox.seccomp import load_profile
from rlplatform.sandbox.slots import Slots
from rlplatform.sandbox.warm import WarmContainers
from rlplatform.settings import SandboxSettings

_WAIT_S = 60.0
_SWEEP_S = 10.0
_LOAD_ATTEMPTS = 3


class DockerPool:
    """The pool of one node: implements the port ``SandboxPool``. Warm containers come in the background.

    ``owner`` is unique among the living pools of ``settings.state_dir``; what a dead pool of that name left is removed.

    :raises SandboxUnavailable: no engine, no image, an unknown runtime, control groups or state directory unusable.
    """

    def __init__(self, settings: SandboxSettings, owner: str) -> None:
        self._settings = settings
        self._slots = Slots(settings.slots, settings.cores)
        self._engine = Engine(settings.docker_host)
        self._ownership: Ownership | None = None
        try:
            self._hierarchy = Hierarchy()
            self._image = require_image(self._engine, settings.image)
            self._engine.require_runtime(settings.runtime)
            self._ownership = Ownership(settings.state_dir, owner)
            self._reaper = Reaper(self._engine, settings.state_dir)
            self._reaper.sweep()
            self._remove_containers()
        except SandboxFault as fault:
            self._shut()
            raise SandboxUnavailable(str(fault)) from fault
        except BaseException:
            self._shut()
            raise
        self._owner = owner
        self._in_use: set[str] = set()
        self._strangers: set[str] = set()
        self._recipe = self._make_recipe()
        self._info = self._make_info()
        self._warm = WarmContainers(self._boot, settings.warm, busy=lambda: self._slots.in_use > 0)
        self._closed = threading.Event()
        self._closing = threading.Lock()
        self._housekeeper = threading.Thread(target=self._keep_house, name="sandbox-housekeeper", daemon=True)
        self._housekeeper.start()

    def open(self, program: Program, limits: Limits, tier: Tier) -> DockerSandbox:
        """See the port. Waits up to a minute for a slot and a container.

        :raises InvalidRequest: ``program`` may not enter a sandbox.
        """
        check_program(program)
        self._require_tier(tier)
        core = self._slots.acquire(_WAIT_S)
        try:
            container = self._prepare(program, limits, core)
        except BaseException:
            self._slots.release(core)
            raise
        return DockerSandbox(container, self._info, lambda sound: self._release(container, core, sound))

    def status(self) -> PoolStatus:
        """See the port."""
        reason = "the sandbox pool is closed" if self._closed.is_set() else self._warm.fault
        return PoolStatus(
            available=reason is None,
            reason=reason,
            tier=Tier.SINGLE_USE,
            warm=self._warm.ready,
            in_use=self._slots.in_use,
            capacity=self._slots.count,
        )

    def close(self) -> None:
        """See the port. Sandboxes that are open end with it."""
        with self._closing:
            if self._closed.is_set():
                return
            self._closed.set()
            self._slots.close()
            self._warm.close()
            self._housekeeper.join()
            self._remove_containers()
            self._shut()

    def _make_recipe(self) -> Recipe:
        return Recipe(
            image_digest=self._image.digest,
            runtime=self._settings.runtime,
            profile=load_profile("sandbox"),
            cpus=self._slots.cpus,
            labels={
                APP_LABEL: "1",
                OWNER_LABEL: self._owner,
                STATE_LABEL: str(self._settings.state_dir),
                BOOT_LABEL: boot_id(),
            },
            lease_s=self._settings.lease_s,
            tmpfs=TMPFS,
        )

    def _make_info(self) -> SandboxInfo:
        return SandboxInfo(
            tier=Tier.SINGLE_USE,
            runtime=self._recipe.runtime,
            image=self._image.name,
            image_digest=self._image.digest,
            seccomp_digest=self._recipe.profile.digest,
            cgroup=self._hierarchy.layout,
        )

    def _require_tier(self, tier: Tier) -> None:
        if tier is not Tier.SINGLE_USE:
            raise SandboxUnavailable(f"the isolation tier {tier.value!r} is not configured on this node")

    def _boot(self) -> Container:
        assert self._ownership is not None
        return boot(self._engine, self._hierarchy, self._recipe, f"rlp-{os.getpid()}", self._ownership.directory)

    def _prepare(self, program: Program, limits: Limits, core: int) -> Container:
        for attempt in range(_LOAD_ATTEMPTS):
            container = self._warm.take(_WAIT_S)
            self._in_use.add(container.id)
            try:
                container.cgroup.set_cpus(str(core))
                container.load(program)
                container.apply(limits)
                return container
            except SandboxFault:
                container.destroy()
                self._in_use.discard(container.id)
                if attempt == _LOAD_ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _release(self, container: Container, core: int, sound: bool) -> None:
        if sound:
            container.hang_up()
        else:
            container.destroy()
        self._in_use.discard(container.id)
        self._slots.release(core)
        self._warm.nudge()

    def _keep_house(self) -> None:
        pause = min(_SWEEP_S, self._settings.lease_s / 3)
        while not self._closed.wait(pause):
            self._warm.tend()
            try:
                self._reaper.sweep()
                self._remove_strangers()
            except SandboxFault:
                continue  # the engine does not answer: the next boot reports it

    def _remove_strangers(self) -> None:
        """Containers of this owner that it does not know of, seen twice: one that is being made is known soon."""
        found = {entry.id for entry in self._engine.list(**{OWNER_LABEL: self._owner, STATE_LABEL: self._state()})}
        strangers = found - self._in_use - self._warm.ids()
        for container in strangers & self._strangers:
            self._engine.remove(container)
        self._strangers = strangers

    def _remove_containers(self) -> None:
        assert self._ownership is not None
        for entry in self._engine.list(**{OWNER_LABEL: self._ownership.owner, STATE_LABEL: self._state()}):
            self._engine.remove(entry.id)

    def _state(self) -> str:
        return str(self._settings.state_dir)

    def _shut(self) -> None:
        if self._ownership is not None:
            self._ownership.release()
        self._engine.close()
