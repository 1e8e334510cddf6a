"""Users' code of a training, made available in the process that trains."""

from __future__ import annotations

from rlplatform.clock import Clock
from rlplatform.environments.sandboxed import registry
from rlplatform.environments.sandboxed.docker_sessions import DockerSessions
from rlplatform.environments.sandboxed.user_code import UserCode, is_user_environment
from rlplatform.settings import SandboxSettings
from rlplatform.store import Store
from rlplatform.training.record import TrainingRun
from rlplatform.user_environments.service import UserEnvironments


async def install_user_code(run: TrainingRun, store: Store, clock: Clock, sandbox: SandboxSettings) -> None:
    """Install the uploaded environment that ``run`` names, and its reward function, if it has them.

    Raises:
        NotFound: it has been deleted.
    """
    document = run.document
    codes: list[UserCode] = []
    if is_user_environment(document.request.env):
        codes.append(await UserEnvironments(store, clock).code_of(document.request.env, run.tenant))
    if document.request.reward is not None and document.request.engine != "simulated":
        codes.append(document.request.reward.code(codes[0] if codes else None))
    budget = document.request.max_environment_faults
    registry.install(codes, DockerSessions(sandbox), budget=budget, faults_before=document.environment_faults)
