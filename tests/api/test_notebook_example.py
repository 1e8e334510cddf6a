"""The example notebook, run from top to bottom against the API; its trainings are played."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from rlplatform.testing import samples
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.training.events import TrainingEvaluated
from rlplatform.training.models import EvaluationReport
from tests.onnx_models import leaning

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "rlplatform" / "examples" / "research.ipynb"


async def _play(it: Any, checkpoints: MemoryCheckpoints, files: Path) -> None:
    """Bring every new training to its end: eight iterations, an evaluation, a checkpoint."""
    played: set[str] = set()
    while True:
        for summary in await it.store.find("training"):
            if summary.id in played:
                continue
            played.add(summary.id)
            run = await it.store.get(summary.id)
            await it.commands.iterate(run, 1, 8)
            values = {name: 80.0 for name in EvaluationReport.model_fields if name != "episodes"}
            report = EvaluationReport.model_validate({"episodes": 10, **values})
            at: dict[str, Any] = {"stream": run.stream, "time": samples.checkpoint().created_at}
            await it.commands.play(run.stream, TrainingEvaluated(**at, iteration=8, env_steps=2048, report=report))
            checkpoints.commit(samples.checkpoint(run.id, 8, env_steps=2048), files)
            await it.commands.succeed(run)
        await asyncio.sleep(0.05)


async def test_the_notebook_runs_from_top_to_bottom(platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints = MemoryCheckpoints()
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "policy.bin").write_bytes(b"weights")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    async with platform(checkpoints=checkpoints) as it, it.served() as url:
        it.app.state.context.services.policies.model = leaning()
        for name in [name for name in os.environ if name.startswith("RLP_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("RLP_URL", url)
        monkeypatch.setenv("RLP_API_KEY", await it.key())
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        playing = asyncio.create_task(_play(it, checkpoints, tmp_path / "files"))
        try:
            await NotebookClient(notebook, timeout=200, resources={"metadata": {"path": str(tmp_path)}}).async_execute()
        finally:
            playing.cancel()
    shown = json.dumps([cell.get("outputs") for cell in notebook.cells])
    assert "<polyline" in shown
    assert "80.0" in shown
    assert "over 20 episodes" in shown
    assert "12,048 steps in all" in shown
