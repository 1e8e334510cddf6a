from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rlplatform.ids import Kind, new_id
from rlplatform.testing.engines import ScriptedEngine
from rlplatform.training.manifest import RunManifest, code_sha256
from rlplatform.training.models import TrainingRequest


def test_says_what_a_run_was_and_survives_json() -> None:
    request = TrainingRequest.model_validate({"env": "CartPole-v1", "seed": 5, "stop": {"env_steps": 10}})
    manifest = RunManifest.of(
        new_id(Kind.TRAINING),
        request,
        ScriptedEngine(),
    )
    assert manifest.seed == 5
    assert manifest.engine == {"engine": "scripted"}
    assert manifest.parent_checkpoint is None
    assert manifest.packages["rlplatform"] == "0.1.0"
    assert len(manifest.code_sha256) == 64
    assert manifest.hardware.cpu_count >= 1
    assert RunManifest.model_validate_json(manifest.model_dump_json()) == manifest


ROOT = Path(__file__).parents[3]
FOLDERS = ("rlplatform/algorithms", "rlplatform/environments", "rlplatform/training", "actors/rllib")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the folders whose code decides what a training does."""
    root = tmp_path_factory.mktemp("checkout")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "_build"))
    return root


def test_the_code_hash_changes_with_every_file_that_decides_what_a_training_does(checkout: Path) -> None:
    before = code_sha256(checkout)
    assert before == code_sha256(ROOT)
    files = [path for folder in FOLDERS for path in (checkout / folder).rglob("*") if path.is_file()]
    assert {"dense.h", "presets.json", "environments.json", "kernel.c"} <= {path.name for path in files}
    for path in files:
        if path.suffix == ".md":
            continue
        content = path.read_bytes()
        path.write_bytes(content + b" ")
        assert code_sha256(checkout) != before, path
        path.write_bytes(content)
    assert code_sha256(checkout) == before
