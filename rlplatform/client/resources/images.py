"""Calls for images."""

from __future__ import annotations

from rlplatform.client.async_transport import AsyncTransport
from rlplatform.client.call import Call, reads
from rlplatform.sandbox.models import ImageInfo, ImageList


class ImageCalls(AsyncTransport):
    """Ask what submissions can run in."""

    async def images(self) -> list[ImageInfo]:
        """Return the images that submissions can run in, by name."""
        return (await self._send(Call("GET", "/v1/images", reads(ImageList)))).items
