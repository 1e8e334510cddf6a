"""Recorded episodes in small files.

An episode is ``episodes/<episode>.npz``, and its video ``<episode>.mp4`` with ``<episode>.json`` beside it. The
episodes of each policy evaluation of a run are listed in ``runs/<run>/<first episode>.json``, written last.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from pydantic import ValidationError

from rlplatform.episodes.models import EpisodeInfo, EpisodeList, VideoInfo
from rlplatform.episodes.ports import Video
from rlplatform.episodes.recording import Recording
from rlplatform.errors import InvalidRequest, NotFound
from rlplatform.ids import Kind, check_id
from rlplatform.storage.blobs import ArrowBlobs

_FORMS = ("mp4", "json", "npz")


class BlobEpisodes:
    """The ``EpisodeStore`` port over small files. Thread-safe."""

    def __init__(self, blobs: ArrowBlobs) -> None:
        self._blobs = blobs

    def put(self, recordings: Sequence[Recording]) -> list[EpisodeInfo]:
        infos = []
        for recording in recordings:
            info, file = recording.pack()
            self._blobs.put(_path(info.id, "npz"), file)
            infos.append(info)
        if infos:
            listed = EpisodeList(items=infos).model_dump_json().encode()
            self._blobs.put(f"{_folder(infos[0].run_id)}/{infos[0].id}.json", listed)
        return infos

    def get(self, episode_id: str) -> Recording:
        file = self._blobs.get(_path(episode_id, "npz"))
        if file is None:
            raise _no_such(episode_id)
        return Recording.unpack(file)

    def list(self, run_id: str) -> list[EpisodeInfo]:
        found: list[EpisodeInfo] = []
        for path in self._blobs.list(_folder(run_id)):
            content = self._blobs.get(path)
            with suppress(ValidationError):  # damaged: the others are still there
                found += EpisodeList.model_validate_json(content or b"").items
        return found

    def put_video(self, episode_id: str, video: Video) -> None:
        self._blobs.put(_path(episode_id, "mp4"), video.content)
        self._blobs.put(_path(episode_id, "json"), video.info.model_dump_json().encode())
        if self._blobs.get(_path(episode_id, "npz")) is None:  # deleted meanwhile
            self._delete(episode_id)

    def get_video(self, episode_id: str) -> Video | None:
        info = self.get_video_info(episode_id)
        content = self._blobs.get(_path(episode_id, "mp4")) if info is not None else None
        return Video(info, content) if info is not None and content is not None else None

    def get_video_info(self, episode_id: str) -> VideoInfo | None:
        content = self._blobs.get(_path(episode_id, "json"))
        try:
            return None if content is None else VideoInfo.model_validate_json(content)
        except ValidationError:  # of another version: it is drawn again
            return None

    def clear(self, run_id: str) -> None:
        for info in self.list(run_id):
            self._delete(info.id)
        self._blobs.delete_folder(_folder(run_id))

    def _delete(self, episode_id: str) -> None:
        for form in _FORMS:
            self._blobs.delete(_path(episode_id, form))


def _path(episode_id: str, form: str) -> str:
    try:
        return f"episodes/{check_id(episode_id, Kind.EPISODE)}.{form}"
    except InvalidRequest:
        raise _no_such(episode_id) from None


def _folder(run_id: str) -> str:
    return f"runs/{check_id(run_id, Kind.TRAINING, Kind.POLICY, Kind.EVALUATION)}"


def _no_such(episode_id: str) -> NotFound:
    return NotFound(f"no such episode: {episode_id[:64]}")
