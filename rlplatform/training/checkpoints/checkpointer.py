"""Save and restore the checkpoints of one session, and delete those that the checkpoint plan does not keep."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from rlplatform.clock import Clock
from rlplatform.errors import CheckpointError, NotFound
from rlplatform.ids import Kind, new_id
from rlplatform.training.checkpoints.retention import best, expendable
from rlplatform.training.metrics import EPISODE_RETURN_MEAN
from rlplatform.training.models import CheckpointInfo, CheckpointPlan, Progress
from rlplatform.training.ports import CheckpointStore, TrainingEngine

_SESSION_FILE = "session.json"
_ENGINE_FOLDER = "engine"


class SessionState(BaseModel):
    """The session's own state in a checkpoint, beside the engine's files."""

    model_config = ConfigDict(frozen=True)

    progress: Progress
    metrics: dict[str, float]


class Checkpointer:
    """Saves and restores ``engine`` together with the session's counters."""

    def __init__(
        self,
        run_id: str,
        plan: CheckpointPlan,
        engine: TrainingEngine,
        checkpoints: CheckpointStore,
        clock: Clock,
        scratch: Path,
    ) -> None:
        """Bind the engine and the checkpoint store of one session.

        Args:
            run_id: Id of the training.
            plan: Checkpoints to keep.
            engine: Engine to save and restore.
            checkpoints: Store of committed checkpoints.
            clock: Source of time.
            scratch: Local folder for checkpoints that are being written or read.
        """
        self._run_id = run_id
        self._plan = plan
        self._engine = engine
        self._checkpoints = checkpoints
        self._clock = clock
        self._scratch = scratch

    def save(self, snapshot: SessionState) -> CheckpointInfo:
        """Commit a checkpoint of the engine's current state."""
        with self._folder() as folder:
            (folder / _ENGINE_FOLDER).mkdir()
            self._engine.save(folder / _ENGINE_FOLDER)
            (folder / _SESSION_FILE).write_text(snapshot.model_dump_json())
            return self._checkpoints.commit(self._info(snapshot), folder)

    def discard(self, checkpoint: CheckpointInfo) -> None:
        """Delete a checkpoint that no event has announced."""
        self._checkpoints.delete(self._run_id, checkpoint.id)

    def delete_unkept(self, needed: Callable[[], Collection[str]]) -> None:
        """Delete the checkpoints that the plan does not keep.

        Those that other sessions need (``needed``) stay; a later call deletes them.
        """
        if old := expendable(self._checkpoints.list(self._run_id), self._plan):
            kept = needed()
            for checkpoint in old:
                if checkpoint.id not in kept:
                    self._checkpoints.delete(self._run_id, checkpoint.id)

    def restore(self, checkpoint: CheckpointInfo) -> SessionState:
        """Restore the engine from ``checkpoint``, and return the session's state in it.

        Raises:
            NotFound: there is no such checkpoint.
            CheckpointError: it is damaged, or does not fit the engine.
        """
        with self._folder() as folder:
            self._checkpoints.fetch(checkpoint.training_id, checkpoint.id, folder)
            return self._load(checkpoint, folder)

    def restore_newest(self) -> tuple[CheckpointInfo, SessionState] | None:
        """Restore the engine from the session's newest checkpoint whose files verify.

        It may be newer than the log: a restored store, or a Redis that lost its last second, lacks the events before
        it.

        Returns:
            The checkpoint and the session's state in it; None if there is none.

        Raises:
            CheckpointError: it verifies but does not fit the engine.
        """
        for checkpoint in reversed(self._checkpoints.list(self._run_id)):
            with self._folder() as folder:
                try:
                    self._checkpoints.fetch(self._run_id, checkpoint.id, folder)
                except (CheckpointError, NotFound):
                    continue
                return checkpoint, self._load(checkpoint, folder)
        return None

    def _load(self, checkpoint: CheckpointInfo, folder: Path) -> SessionState:
        try:
            snapshot = SessionState.model_validate_json((folder / _SESSION_FILE).read_bytes())
        except (OSError, ValueError) as error:
            raise CheckpointError(f"checkpoint {checkpoint.id} was not written by a training session") from error
        self._engine.restore(folder / _ENGINE_FOLDER)
        return snapshot

    def _info(self, snapshot: SessionState) -> CheckpointInfo:
        mean = snapshot.metrics.get(EPISODE_RETURN_MEAN)
        champion = best(self._checkpoints.list(self._run_id))
        to_beat = champion.episode_return_mean if champion is not None else None
        return CheckpointInfo(
            id=new_id(Kind.CHECKPOINT),
            training_id=self._run_id,
            iteration=snapshot.progress.iteration,
            env_steps=snapshot.progress.env_steps,
            episode_return_mean=mean,
            size_bytes=0,
            manifest_sha256="",
            created_at=self._clock.now(),
            best=mean is not None and (to_beat is None or mean >= to_beat),
        )

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            yield Path(folder)
