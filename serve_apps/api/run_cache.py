"""Cache of final run records in a replica: they never change, and need not be read again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from rlplatform.runs.ports import RunStore
from rlplatform.runs.records import Run

_MAX_BYTES = 16 << 20


class RunCache:
    """Run records of the store. The final ones read last are kept in memory, up to ``max_bytes`` as JSON.

    Args:
        outlived: Returns True if a run may have been removed from the store since.
    """

    def __init__(
        self, store: RunStore, max_bytes: int = _MAX_BYTES, outlived: Callable[[Run], bool] = lambda _: False
    ) -> None:
        self._store = store
        self._outlived = outlived
        self._max_bytes = max_bytes
        self._kept: OrderedDict[str, tuple[Run, int]] = OrderedDict()
        self._size = 0

    async def get(self, run_id: str) -> Run:
        """Return the record with this id.

        Raises:
            NotFound: there is none.
        """
        if (kept := self._kept.get(run_id)) is not None and not self._outlived(kept[0]):
            self._kept.move_to_end(run_id)
            return kept[0]
        run = await self._store.get(run_id)
        if run.final:
            self._keep(run)
        return run

    def _keep(self, run: Run) -> None:
        size = len(run.model_dump_json())
        if run.id in self._kept or size > self._max_bytes // 4:
            return
        self._kept[run.id] = (run, size)
        self._size += size
        while self._size > self._max_bytes:
            self._size -= self._kept.popitem(last=False)[1][1]
