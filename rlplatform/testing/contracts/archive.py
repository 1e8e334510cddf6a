"""Contract suite of every :class:`~rlplatform.runs.archive.EventArchive`."""

from __future__ import annotations

import json

import pytest

from rlplatform.errors import StorageError
from rlplatform.ids import Kind, new_id
from rlplatform.runs.archive import EventArchive
from rlplatform.runs.ports import EncodedEvent


def lines_of(number: int) -> list[EncodedEvent]:
    """Return lines as a store has them; some are large, and none is plain ASCII."""
    texts = (
        json.dumps({"id": f"evt_{seq}", "x": "é\u2028🦊" + "y" * (seq % 7 * 100)}, ensure_ascii=False)
        for seq in range(1, number + 1)
    )
    return [EncodedEvent(seq, f"training.kind_{seq % 3}", text) for seq, text in enumerate(texts, 1)]


class ArchiveContract:
    """Subclasses provide the fixture ``archive``, which holds nothing."""

    @pytest.mark.parametrize("number", [1, 2500])
    def test_events_are_read_as_they_were_written(self, archive: EventArchive, number: int) -> None:
        run_id, lines = new_id(Kind.TRAINING), lines_of(number)
        assert archive.write(run_id, iter(lines)) == number
        assert archive.read(run_id, limit=10_000) == lines

    def test_pages_begin_and_end_anywhere(self, archive: EventArchive) -> None:
        run_id, lines = new_id(Kind.TRAINING), lines_of(2500)
        archive.write(run_id, lines)
        for after, limit in ((0, 1), (0, 1000), (1, 999), (999, 2), (1000, 1000), (1500, 1000), (2499, 5)):
            assert archive.read(run_id, after=after, limit=limit) == lines[after : after + limit]
        assert archive.read(run_id, after=2500) == []
        assert archive.read(run_id, after=9999) == []

    def test_another_write_replaces_the_first(self, archive: EventArchive) -> None:
        run_id = new_id(Kind.EVALUATION)
        archive.write(run_id, lines_of(5))
        archive.write(run_id, lines_of(3))
        assert archive.read(run_id) == lines_of(3)
        assert archive.run_ids() == [run_id]

    def test_events_with_gaps_are_refused_and_change_nothing(self, archive: EventArchive) -> None:
        run_id, lines = new_id(Kind.EVALUATION), lines_of(4)
        archive.write(run_id, lines)
        for wrong in (lines[1:], [lines[0], *lines[2:]], [*lines, lines[-1]]):
            with pytest.raises(StorageError, match="gaps"):
                archive.write(run_id, wrong)
        assert archive.read(run_id) == lines

    def test_a_deleted_run_is_gone_and_the_others_stay(self, archive: EventArchive) -> None:
        gone, stays = sorted(new_id(kind) for kind in (Kind.EVALUATION, Kind.STUDY))
        for run_id in (gone, stays):
            archive.write(run_id, lines_of(2))
        assert archive.run_ids() == [gone, stays]
        for _ in range(2):
            archive.delete(gone)
        assert archive.read(gone) is None
        assert archive.run_ids() == [stays]
        assert archive.read(stays) == lines_of(2)
