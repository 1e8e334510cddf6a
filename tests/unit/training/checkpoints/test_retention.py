from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlplatform.ids import Kind, new_id
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.training.checkpoints.retention import best, expendable, ranked, superseded
from rlplatform.training.models import CheckpointInfo, CheckpointPlan

returns = st.lists(st.none() | st.integers(-3, 3).map(float), max_size=12)


def infos(values: list[float | None]) -> list[CheckpointInfo]:
    return [
        CheckpointInfo(
            id=f"ckpt_{index}", training_id="train_x", iteration=index, env_steps=index, episode_return_mean=value,
            size_bytes=0, manifest_sha256="", created_at=datetime.now(UTC),
        )
        for index, value in enumerate(values)
    ]  # fmt: skip


def test_the_newest_of_equals_is_best() -> None:
    checkpoints = infos([1.0, 5.0, 5.0, None])
    assert best(checkpoints) == checkpoints[2]
    assert best(infos([None])) is None


@given(values=returns, keep_last=st.integers(1, 5), keep_best=st.booleans())
def test_the_last_and_the_best_stay_and_no_more(values: list[float | None], keep_last: int, keep_best: bool) -> None:
    checkpoints = infos(values)
    gone = expendable(checkpoints, CheckpointPlan(keep_last=keep_last, keep_best=keep_best))
    stay = [info for info in checkpoints if info not in gone]
    assert stay[-keep_last:] == checkpoints[-keep_last:]
    assert not keep_best or best(checkpoints) is None or best(checkpoints) in stay
    assert len(stay) <= min(len(checkpoints), keep_last + keep_best)


def test_one_alone_is_best_whatever_was_true_when_they_were_saved() -> None:
    checkpoints = [info.model_copy(update={"best": True}) for info in infos([1.0, 5.0, 3.0])]
    assert [info.best for info in ranked(checkpoints)] == [False, True, False]
    assert [info.best for info in ranked(infos([None, None]))] == [False, False]


@pytest.mark.parametrize(
    ("damaged", "expected"),
    [
        ((), [True, True, False]),
        ((2,), [True, False, False]),
        ((1, 2), [False, False, False]),
        ((1,), [True, True, False]),
    ],
)
def test_superseded_is_what_has_a_later_one_that_verifies(
    tmp_path: Path, damaged: tuple[int, ...], expected: list[bool]
) -> None:
    store, training = MemoryCheckpoints(), new_id(Kind.TRAINING)
    (tmp_path / "weights").write_bytes(b"1")
    ids = [new_id(Kind.CHECKPOINT) for _ in range(3)]
    kept = [
        store.commit(info.model_copy(update={"id": ids[index], "training_id": training}), tmp_path)
        for index, info in enumerate(infos([None, None, None]))
    ]
    for index in damaged:
        store.damage(ids[index])
    assert [superseded(info, store) for info in kept] == expected
