"""The process that exports one policy to ONNX: ``python -m rlplatform.policies.export_worker FOLDER``.

The folder holds ``policy.tar`` and ``environment.json``.
It gets ``policy.onnx``, or ``problem.json`` that says why not.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from rlplatform.errors import EngineError, PlatformError, problem

NICE = 15


def export(folder: Path) -> None:
    """Export what ``folder`` holds, checked against the policy at work in its environment."""
    import torch

    from rlplatform.algorithms.registry import ALGORITHMS
    from rlplatform.environments import environment_modules
    from rlplatform.environments.options import EnvOptions

    torch.set_num_threads(1)
    asked = json.loads((folder / "environment.json").read_text())
    environment_modules.configure(asked["modules"])
    ALGORITHMS[asked["algorithm"]].export_onnx(
        (folder / "policy.tar").read_bytes(),
        folder / "policy.onnx",
        asked["env"],
        asked["env_config"],
        EnvOptions(*asked["options"]),
    )


def main() -> None:
    """Export, behind everything else that wants the CPU."""
    os.nice(NICE)
    folder = Path(sys.argv[-1])
    try:
        export(folder)
    except PlatformError as error:
        (folder / "problem.json").write_text(json.dumps(problem(error)))
    except BaseException as error:
        failure = EngineError(f"the policy cannot be exported: {type(error).__name__}: {error}")
        (folder / "problem.json").write_text(json.dumps(problem(failure)))


if __name__ == "__main__":
    main()
