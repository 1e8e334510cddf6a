"""Renderers: draw an episode, in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rlplatform.episodes.models import VideoInfo
from rlplatform.episodes.ports import Video
from rlplatform.episodes.recording import Recording
from rlplatform.playing.process import run_job
from rlplatform.settings import EpisodeSettings

Renderer = Callable[[Recording, Mapping[str, Any], EpisodeSettings], Video]
"""Draws a recording; the mapping is what the job needs beside it. Blocking. Raises ``InvalidRequest`` if it has no
picture."""


def draw(recording: Recording, job: Mapping[str, Any], limits: EpisodeSettings) -> Video:
    """Draw an episode by replaying it: of an installed environment, or of an uploaded one in a sandbox."""

    def prepare(folder: Path) -> None:
        (folder / "episode.npz").write_bytes(recording.pack()[1])

    made = run_job("draw", job, prepare, limits)
    return Video(VideoInfo.model_validate_json(made["video.json"]), made["video.mp4"])
