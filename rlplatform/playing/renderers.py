"""Renderers: who draws an episode depends on its environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rlplatform.episodes.models import VideoInfo
from rlplatform.episodes.ports import Video
from rlplatform.episodes.recording import Recording
from rlplatform.errors import InvalidRequest
from rlplatform.playing.process import run_job
from rlplatform.settings import EpisodeSettings

Renderer = Callable[[Recording, EpisodeSettings], Video]
"""Draws a recording. Blocking. Raises ``InvalidRequest`` if it has no picture."""
USERS_ENVIRONMENT = "env_"


def draw_installed(recording: Recording, limits: EpisodeSettings) -> Video:
    """Draw an episode of an installed environment, in a process of its own."""

    def prepare(folder: Path) -> None:
        (folder / "episode.npz").write_bytes(recording.pack()[1])

    made = run_job("draw", {}, prepare, limits)
    return Video(VideoInfo.model_validate_json(made["video.json"]), made["video.mp4"])


def renderer_of(env: str) -> Renderer:
    """Return the renderer of an environment.

    Raises:
        InvalidRequest: nothing here draws it.
    """
    if env.startswith(USERS_ENVIRONMENT):
        raise InvalidRequest(
            f"{env} is an uploaded environment, which is not drawn here: read the episode step by step", field="id"
        )
    return draw_installed
