"""Catalog of the images that a node can serve: those that its engine has, built from this installation's guest."""

from __future__ import annotations

from rlplatform.sandbox.docker_engine import GUEST_LABEL, Engine, Image
from rlplatform.sandbox.images.builder import guest_digest, require_image
from rlplatform.sandbox.models import NodeImage, image_name


class ImageCatalog:
    """Images of ``engine``, as of the last :meth:`refresh`. The image ``default`` stays the one found at the beginning.

    Raises:
        SandboxUnavailable: the default image is missing, or was built from another guest.
    """

    def __init__(self, engine: Engine, default: str) -> None:
        self._engine = engine
        self._guest = guest_digest()
        self.default = node_image(require_image(engine, default))
        self._images = {self.default.name: self.default}
        self.refresh()

    def refresh(self) -> None:
        """Read the engine's images again: they are built and removed while a node serves.

        Raises:
            SandboxFault: the engine does not answer.
        """
        found = [node_image(image) for image in self._engine.images(f"{GUEST_LABEL}={self._guest}")]
        named = {image.name: image for image in found if ":" not in image.name}
        self._images = named | {self.default.name: self.default}

    def find(self, name: str | None) -> NodeImage | None:
        """Return the image ``name``, or the default without a name; None if there is none."""
        return self.default if name is None else self._images.get(name)

    def all(self) -> tuple[NodeImage, ...]:
        """Return all images, sorted by name."""
        return tuple(sorted(self._images.values(), key=lambda image: image.name))


def node_image(image: Image) -> NodeImage:
    """Return an image of the engine as requests see it."""
    return NodeImage(
        name=image_name(image.name), digest=image.digest, size_bytes=image.size_bytes, packages=image.packages
    )
