"""ONNX models of published policies: exported once, in a process of their own, and kept beside the archives."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from rlplatform.environments import environment_modules
from rlplatform.environments.options import DEFAULT_OPTIONS, EnvOptions
from rlplatform.errors import EngineError, NotFound, Unavailable, error_from
from rlplatform.policies.models import PolicyInfo
from rlplatform.policies.ports import PolicyArchives

FORMAT = 1
"""Counts changes of what is exported: a model of another format is made again."""
TIMEOUT_S = 300.0
AT_ONCE = 1
_WORKER = "import sys; sys.path[:] = {path}; from rlplatform.policies.export_worker import main; main()"

Export = Callable[[str, bytes, str, Mapping[str, Any], EnvOptions], bytes]


class Exporter:
    """Gives out models. Equal requests at the same time share one export; ``AT_ONCE`` are made at a time."""

    def __init__(self, files: PolicyArchives, export: Export | None = None) -> None:
        """``export``: makes a model of an algorithm, an archive, an environment, its configuration and options.

        None: in another process.
        """
        self._files = files
        self._export = export or export_elsewhere
        self._asked: dict[str, asyncio.Task[bytes]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def model(self, policy: PolicyInfo, archive: Callable[[], bytes]) -> bytes:
        """Return the model of ``policy``; ``archive`` reads its archive.

        Raises:
            CheckpointError: the archive is damaged.
            EngineError: the policy cannot be exported, or the model acts otherwise.
            Unavailable: the extra ``export`` is not installed.
        """
        task = self._asked.get(policy.id)
        if task is None:
            task = self._asked[policy.id] = asyncio.get_running_loop().create_task(self._make(policy, archive))
            task.add_done_callback(partial(self._made, policy.id))
        return await asyncio.shield(task)

    def _made(self, policy_id: str, task: asyncio.Task[bytes]) -> None:
        self._asked.pop(policy_id, None)
        if not task.cancelled():
            task.exception()  # seen, also if everybody who asked is gone

    async def _make(self, policy: PolicyInfo, archive: Callable[[], bytes]) -> bytes:
        if (kept := await asyncio.to_thread(self._kept, policy)) is not None:
            return kept
        async with self._turns:
            held = await asyncio.to_thread(archive)
            model = await asyncio.to_thread(
                self._export, policy.algorithm, held, policy.env, policy.env_config, EnvOptions.of(policy)
            )
            await asyncio.to_thread(self._keep, policy, model)
        return model

    def _kept(self, policy: PolicyInfo) -> bytes | None:
        """Return the model that is kept, if it is whole, of this archive and of this format."""
        stored = self._files.get_model(policy.id)
        if stored is None:
            return None
        head, _, model = stored.partition(b"\n")
        return model if head == _head(policy, model) else None

    def _keep(self, policy: PolicyInfo, model: bytes) -> None:
        self._files.put_model(policy.id, _head(policy, model) + b"\n" + model)
        try:
            self._files.get(policy.id)
        except NotFound:  # deleted meanwhile
            self._files.delete(policy.id)


def _head(policy: PolicyInfo, model: bytes) -> bytes:
    told = {"format": FORMAT, "policy_sha256": policy.sha256, "model_sha256": hashlib.sha256(model).hexdigest()}
    return json.dumps(told, sort_keys=True).encode()


def export_elsewhere(
    algorithm: str, archive: bytes, env: str, env_config: Mapping[str, Any], options: EnvOptions = DEFAULT_OPTIONS
) -> bytes:
    """Export in a process of its own, so that neither torch's exporter nor the environment delays anybody."""
    with tempfile.TemporaryDirectory(prefix="rlp-export-") as directory:
        folder = Path(directory)
        (folder / "policy.tar").write_bytes(archive)
        environment = {
            "algorithm": algorithm,
            "env": env,
            "env_config": dict(env_config),
            "options": options,
            "modules": environment_modules.configured(),
        }
        (folder / "environment.json").write_text(json.dumps(environment))
        command = [sys.executable, "-c", _WORKER.format(path=sys.path), str(folder)]
        try:
            ended = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise Unavailable(f"the policy was not exported within {TIMEOUT_S:g} s") from None
        if (refused := folder / "problem.json").exists():
            raise error_from(json.loads(refused.read_text()))
        if not (made := folder / "policy.onnx").exists():
            last = ended.stderr.decode("utf-8", "replace").strip()[-500:]
            raise EngineError(f"the process that exports policies ended with status {ended.returncode}: {last}")
        return made.read_bytes()
