"""The images that a node can serve: those that the engine has, built from this very guest."""

from __future__ import annotations

import json

from rlplatform.sandbox.docker_engine import GUEST_LABEL, PACKAGES_LABEL, Engine, Image
from rlplatform.sandbox.images.builder import guest_digest, require_image
from rlplatform.sandbox.models import NodeImage, image_name


class ImageCatalog:
    """Images that ``engine`` has, as of the last :meth:`refresh`. The image ``default`` stays as it was found first.

    :raises SandboxUnavailable: it is missing, or was built from another guest.
    """

    def __init__(self, engine: Engine, default: str) -> None:
        self._engine = engine
        self._guest = guest_digest()
        self.default = node_image(require_image(engine, default))
        self._images = {self.default.name: self.default}
        self.refresh()

    def refresh(self) -> None:
        """Look again: images are built and removed while a node serves.

        :raises SandboxFault: the engine does not answer.
        """
        found = [node_image(image) for image in self._engine.images(f"{GUEST_LABEL}={self._guest}")]
        named = {image.name: image for image in found if ":" not in image.name}
        self._images = named | {self.default.name: self.default}

    def find(self, name: str | None) -> NodeImage | None:
        """The image ``name``; without a name the default."""
        return self.default if name is None else self._images.get(name)

    def all(self) -> tuple[NodeImage, ...]:
        """All of them, by name."""
        return tuple(sorted(self._images.values(), key=lambda image: image.name))


def node_image(image: Image) -> NodeImage:
    """An image of the engine as requests see it."""
    packages = json.loads(image.labels.get(PACKAGES_LABEL, "{}"))
    return NodeImage(name=image_name(image.name), digest=image.digest, size_bytes=image.size_bytes, packages=packages)
