"""Port of the storage of recorded episodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from rlplatform.episodes.models import EpisodeInfo, VideoInfo

if TYPE_CHECKING:
    from rlplatform.episodes.recording import Recording


class Video(NamedTuple):
    """A drawn episode: what is known of it, and the MP4 file."""

    info: VideoInfo
    content: bytes


class EpisodeStore(Protocol):
    """Recorded episodes and their videos, by run. Blocking; thread-safe."""

    def put(self, recordings: Sequence[Recording]) -> list[EpisodeInfo]:
        """Store the episodes of one policy evaluation of one run: their files first, then the entry that lists them.

        Returns:
            The episodes as they are stored.
        """

    def get(self, episode_id: str) -> Recording:
        """Return a recording.

        Raises:
            NotFound: there is no such episode.
            StorageError: it is damaged.
        """

    def list(self, run_id: str) -> list[EpisodeInfo]:
        """Return the episodes of a run, oldest first."""

    def put_video(self, episode_id: str, video: Video) -> None:
        """Keep the video of an episode."""

    def get_video(self, episode_id: str) -> Video | None:
        """Return the video of an episode; None if none is kept."""

    def get_video_info(self, episode_id: str) -> VideoInfo | None:
        """Return what is known of the video of an episode; None if none is kept."""

    def clear(self, run_id: str) -> None:
        """Remove all episodes of a run, with their videos. Idempotent."""
