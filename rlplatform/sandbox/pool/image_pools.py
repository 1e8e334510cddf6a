"""Containers of a node by image. Each image in use has some ready; the least recently used images give way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, Protocol

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.images.catalog import ImageCatalog
from rlplatform.sandbox.models import NodeImage, SandboxInfo, Tier
from rlplatform.sandbox.pool.container import Container

_LOOK_AGAIN_S = 1.0


class ContainerSource(Protocol):
    """Source of the containers of a tier."""

    def take(self, tenant: str) -> Container: ...
    def release(self, container: Container, sound: bool) -> None: ...
    def ids(self) -> set[str]: ...
    def renew_leases(self) -> None: ...
    def close(self) -> None: ...


class Lane(NamedTuple):
    """One tier of one image: the source of its containers, and their description."""

    source: ContainerSource
    info: SandboxInfo


class ImageContainers:
    """Containers of ``image``: a lane for each tier, created when it is first requested. Thread-safe."""

    def __init__(self, image: NodeImage, make_lane: Callable[[NodeImage, Tier], Lane]) -> None:
        self.image = image
        self.open = 0
        self.used_at = time.monotonic()
        self._make_lane = make_lane
        self._lock = threading.Lock()
        self._lanes: dict[Tier, Lane] = {}

    def lane(self, tier: Tier) -> Lane:
        """Return the lane of ``tier``."""
        with self._lock:
            if tier not in self._lanes:
                self._lanes[tier] = self._make_lane(self.image, tier)
            return self._lanes[tier]

    def ids(self) -> set[str]:
        """Return the ids of all containers of this image."""
        return {container for source in self._sources() for container in source.ids()}

    def renew_leases(self) -> None:
        """Renew the leases of waiting containers."""
        for source in self._sources():
            source.renew_leases()

    def close(self) -> None:
        """End the waiting containers. Idempotent."""
        for source in self._sources():
            source.close()

    def _sources(self) -> list[ContainerSource]:
        with self._lock:
            return [lane.source for lane in self._lanes.values()]


class ImagePools:
    """Containers of all images of ``catalog``.

    At most ``keep`` images have containers, unless more are in use at once. The default image always has some. Thread-
    safe.
    """

    def __init__(self, catalog: ImageCatalog, make_lane: Callable[[NodeImage, Tier], Lane], keep: int) -> None:
        self._catalog, self._make_lane, self._keep = catalog, make_lane, keep
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self.default = ImageContainers(catalog.default, make_lane)
        self._kept = {catalog.default.digest: self.default}
        self._leaving: dict[threading.Thread, ImageContainers] = {}

    def images(self) -> tuple[NodeImage, ...]:
        """Return the images that requests can choose."""
        return self._catalog.all()

    def acquire(self, name: str | None) -> ImageContainers:
        """Return the containers of an image. They stay until :meth:`release`.

        Raises:
            SandboxFault: this node has no such image.
        """
        image = self._catalog.find(name)
        if image is None and time.monotonic() - self._looked_at >= _LOOK_AGAIN_S:
            self._looked_at = time.monotonic()
            self._catalog.refresh()
            image = self._catalog.find(name)
        if image is None:
            raise SandboxFault(f"this node has no image {name!r}")
        with self._lock:
            containers = self._kept.get(image.digest)
            if containers is None:
                containers = self._kept[image.digest] = ImageContainers(image, self._make_lane)
            containers.open += 1
            containers.used_at = time.monotonic()
            self._retire()
        return containers

    def release(self, containers: ImageContainers) -> None:
        """Note that a sandbox of an image was closed."""
        with self._lock:
            containers.open -= 1
            containers.used_at = time.monotonic()

    def refresh(self) -> None:
        """Update the catalog, and end the containers of images that have gone.

        Raises:
            SandboxFault: the engine does not answer.
        """
        self._catalog.refresh()
        with self._lock:
            self._retire()

    def ids(self) -> set[str]:
        """Return the ids of all containers."""
        return {container for containers in self._all() for container in containers.ids()}

    def renew_leases(self) -> None:
        """Renew the leases of waiting containers."""
        for containers in self._all():
            containers.renew_leases()

    def close(self) -> None:
        """End the waiting containers. Idempotent."""
        with self._lock:
            leaving = list(self._leaving)
        for containers in self._all():
            containers.close()
        for thread in leaving:
            thread.join()

    def _all(self) -> list[ImageContainers]:
        with self._lock:
            return [*self._kept.values(), *self._leaving.values()]

    def _retire(self) -> None:
        """End the idle containers of images that have gone, and of the least recently used images above the limit."""
        if len(self._kept) == 1:
            return
        there = {image.digest for image in self._catalog.all()}
        idle = [one for one in self._kept.values() if one is not self.default and not one.open]
        for containers in sorted(idle, key=lambda one: one.used_at):
            if len(self._kept) > self._keep or containers.image.digest not in there:
                del self._kept[containers.image.digest]
                thread = threading.Thread(target=self._end, args=[containers], name="sandbox-image-end", daemon=True)
                self._leaving[thread] = containers
                thread.start()

    def _end(self, containers: ImageContainers) -> None:
        containers.close()
        with self._lock, suppress(KeyError):
            del self._leaving[threading.current_thread()]
