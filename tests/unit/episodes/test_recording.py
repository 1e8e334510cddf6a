"""The file of a recorded episode."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rlplatform.episodes import recording as module
from rlplatform.episodes.recording import NO_PRELUDE, Recording
from rlplatform.errors import StorageError
from rlplatform.ids import Kind, new_id
from rlplatform.testing import episodes


def test_a_recording_is_read_back_as_it_was() -> None:
    written = episodes.recording(new_id(Kind.TRAINING), steps=5)
    info, file = written.pack()
    read = Recording.unpack(file)
    assert (read.info, read.origin) == (info, written.origin)
    assert read.actions.dtype == written.actions.dtype
    np.testing.assert_array_equal(read.actions, written.actions)
    np.testing.assert_array_equal(read.rewards, written.rewards)
    np.testing.assert_array_equal(read.observations, written.observations)


def test_a_large_recording_gives_up_observations_first_then_earlier_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0)
    whole = episodes.recording(new_id(Kind.TRAINING), steps=100)
    whole = replace(
        whole, observations=noise.normal(size=(100, 50)), actions=noise.normal(size=(2000, 1, 4)),
        origin=whole.origin.model_copy(update={"start": 1900}) if whole.origin else None,
    )  # fmt: skip
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 80_000)
    info, file = whole.pack()
    assert (info.no_video, Recording.unpack(file).observations) == (None, None)
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 20_000)
    info, file = whole.pack()
    bare = Recording.unpack(file)
    assert (info.no_video, bare.origin, len(bare.own_actions)) == (NO_PRELUDE, None, 100)
    np.testing.assert_array_equal(bare.own_actions, whole.own_actions)
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 3_000)
    info, file = whole.pack()
    assert len(file) <= 3_000
    assert 0 < info.recorded_steps == len(Recording.unpack(file).rewards) < 100


@pytest.mark.parametrize("file", [b"", b"nothing", episodes.recording(new_id(Kind.TRAINING)).pack()[1][:-40]])
def test_a_damaged_file_is_a_storage_error(file: bytes) -> None:
    with pytest.raises(StorageError, match="a recorded episode is damaged"):
        Recording.unpack(file)
