"""Cache of final run records in a replica: except for annotations they never change, and need not be read again."""

from __future__ import annotations

from collections import OrderedDict

from rlplatform.errors import NotFound
from rlplatform.runs.ports import RunStore
from rlplatform.runs.records import Run

_MAX_BYTES = 16 << 20


class RunCache:
    """Run records of the store. The final ones read last are kept in memory, up to ``max_bytes`` as JSON.

    Their annotations are read each time, which also notices that a run was deleted.
    """

    def __init__(self, store: RunStore, max_bytes: int = _MAX_BYTES) -> None:
        self._store = store
        self._max_bytes = max_bytes
        self._kept: OrderedDict[str, tuple[Run, int]] = OrderedDict()
        self._size = 0

    async def get(self, run_id: str) -> Run:
        """Return the record with this id.

        Raises:
            NotFound: there is none.
        """
        if (kept := self._kept.get(run_id)) is not None:
            self._kept.move_to_end(run_id)
            try:
                return kept[0].annotated(await self._store.annotations(run_id))
            except NotFound:
                self._drop(run_id)
                raise
        run = await self._store.get(run_id)
        if run.final:
            self._keep(run)
        return run

    def _drop(self, run_id: str) -> None:
        if (kept := self._kept.pop(run_id, None)) is not None:
            self._size -= kept[1]

    def _keep(self, run: Run) -> None:
        size = len(run.model_dump_json())
        if run.id in self._kept or size > self._max_bytes // 4:
            return
        self._kept[run.id] = (run, size)
        self._size += size
        while self._size > self._max_bytes:
            self._size -= self._kept.popitem(last=False)[1][1]
