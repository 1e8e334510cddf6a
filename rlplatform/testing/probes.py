"""Environments probed in the test's own process: quick, and without the limits of the real thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlplatform.environments.facts import EnvironmentFacts, canonical, check_config
from rlplatform.environments.options import DEFAULT_OPTIONS, EnvOptions
from rlplatform.evaluation.graders.episode import EpisodeGrader
from rlplatform.training.models import TrainingRequest
from rlplatform.training.request_checks import check_facts, check_hyperparameters


class InlineProbes:
    """``EnvironmentProbes`` that make what is asked for right here. ``asked`` lists the questions, in order."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.closed = False

    async def facts(
        self,
        env: str,
        env_config: Mapping[str, Any],
        tenant: str = "",  # noqa: ARG002
        options: EnvOptions = DEFAULT_OPTIONS,
    ) -> EnvironmentFacts:
        from rlplatform.environments.probe import facts_of

        self.asked.append(("facts", env))
        check_config(env_config, len(canonical(env_config).encode()))
        return facts_of(env, env_config, options)

    async def check_known(self, env: str, env_config: Mapping[str, Any], tenant: str = "") -> None:  # noqa: ARG002
        from rlplatform.environments.probe import check_known

        self.asked.append(("known", env))
        check_config(env_config, len(canonical(env_config).encode()))
        check_known(env)

    async def check_episodes(self, env: str, tenant: str = "") -> None:  # noqa: ARG002
        self.asked.append(("episode", env))
        EpisodeGrader(env=env).check_environment()

    async def warm_up(self) -> None:
        """There is nothing to warm up."""

    async def close(self) -> None:
        self.closed = True


def check_request(request: TrainingRequest) -> bool:
    """Check that a request can be trained. Makes the environment in this process.

    Returns:
        True if its observations are images. False with the simulated engine, which makes no environment.

    Raises:
        UnknownName: environment, preset or hyperparameter does not exist; suggests similar names.
        InvalidRequest: names the field and says what is accepted.
    """
    from rlplatform.environments.probe import check_known, facts_of

    check_known(request.env)
    check_hyperparameters(request)
    if request.engine == "simulated":
        return False
    facts = facts_of(request.env, request.env_config, EnvOptions.of(request))
    check_facts(request, facts)
    return facts.image
