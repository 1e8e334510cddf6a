"""MP4 files (H.264) and JPEG files of pictures, written with PyAV: every browser shows them."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlplatform.errors import EngineError, Unavailable

CODEC = "libx264"
_OPTIONS = {"crf": "23", "preset": "veryfast"}
_LEAST_SIDE = 128
LARGEST_SIDE = 1024


class Measures(NamedTuple):
    """Number of pictures of a video, and their sides in pixels."""

    frames: int
    width: int
    height: int


def encode(frames: Iterable[NDArray[np.uint8]], frames_per_s: float, path: Path) -> Measures:
    """Write pictures [H, W, 3], all of one size, to an MP4 file.

    Raises:
        EngineError: there is no picture, or their sizes differ.
        Unavailable: PyAV is not installed.
    """
    try:
        import av
    except ImportError:
        raise Unavailable("videos need PyAV: pip install av") from None
    pictures = map(even, frames)
    first = next(pictures, None)
    if first is None:
        raise EngineError("the environment gave no picture")
    height, width = first.shape[:2]
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream: Any = container.add_stream(CODEC, rate=Fraction(frames_per_s).limit_denominator(1000))
        stream.height, stream.width, stream.pix_fmt, stream.options = height, width, "yuv420p", _OPTIONS
        stream.codec_context.thread_count = 1
        count = 0
        picture: NDArray[np.uint8] | None = first
        while picture is not None:
            if picture.shape[:2] != (height, width):
                raise EngineError(f"the environment's pictures change their size: {first.shape} to {picture.shape}")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            count += 1
            picture = next(pictures, None)
        container.mux(stream.encode())
    return Measures(count, width, height)


def jpeg(frame: NDArray[np.uint8]) -> bytes:
    """Return a picture [H, W, 3] as a JPEG file; larger ones than ``LARGEST_SIDE`` are made smaller.

    Raises:
        Unavailable: PyAV is not installed.
    """
    try:
        import av
    except ImportError:
        raise Unavailable("pictures need PyAV: pip install av") from None
    stride = -(-max(frame.shape[:2]) // LARGEST_SIDE)
    picture = even(frame[::stride, ::stride])
    encoder: Any = av.CodecContext.create("mjpeg", "w")
    encoder.height, encoder.width = picture.shape[:2]
    encoder.pix_fmt, encoder.time_base, encoder.thread_count = "yuvj420p", Fraction(1, 25), 1
    encoder.options = {"qmin": "2", "qmax": "4"}
    shown = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuvj420p")
    return b"".join(bytes(packet) for packet in [*encoder.encode(shown), *encoder.encode(None)])


def even(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture with even sides, as codecs need: enlarged if it is tiny, without an odd last row or column."""
    scale = max(1, -(-_LEAST_SIDE // max(1, min(frame.shape[:2]))))
    if scale > 1:
        frame = frame.repeat(scale, 0).repeat(scale, 1)
    height, width = frame.shape[0] // 2 * 2, frame.shape[1] // 2 * 2
    return np.ascontiguousarray(frame[:height, :width])
