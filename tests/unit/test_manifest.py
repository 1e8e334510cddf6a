from __future__ import annotations

from rlplatform.ids import Kind, new_id
from rlplatform.manifest import RunManifest
from rlplatform.testing.engines import ScriptedEngine
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
