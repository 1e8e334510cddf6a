"""Registry of the training engines."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping

from rlplatform.errors import InvalidRequest
from rlplatform.training.models import StopCriteria, TrainingRequest
from rlplatform.training.ports import EngineFactory, TrainingEngine

WARMING_NICE = 10


def _simulated(request: TrainingRequest) -> TrainingEngine:
    from rlplatform.training.simulated_engine import SimulatedEngine

    return SimulatedEngine(request)


def _rllib_ppo(request: TrainingRequest) -> TrainingEngine:
    from actors.rllib.engine import RllibEngine

    return RllibEngine(request)


ENGINES: Mapping[tuple[str, str], EngineFactory] = {("rllib", "ppo"): _rllib_ppo, ("simulated", "ppo"): _simulated}
"""Engines by engine and algorithm of a request."""


def make_engine(request: TrainingRequest) -> TrainingEngine:
    """Make the engine that ``request`` names.

    Raises:
        InvalidRequest: no engine trains the algorithm.
    """
    factory = ENGINES.get((request.engine, request.algorithm))
    if factory is None:
        raise InvalidRequest(f"engine {request.engine!r} does not train {request.algorithm!r}", field="engine")
    return factory(request)


def warm_up(wanted: Callable[[], bool] = lambda: False) -> None:
    """Do the work that delays the first engine of a process by seconds: thousands of imports, kernels, registries.

    While no session waits for this process, other processes have priority. Ends early once ``wanted`` returns True.
    """
    if sys.platform == "linux":  # elsewhere this would apply to the whole process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), WARMING_NICE)
    import actors.rllib.vector_ppo_engine  # noqa: F401

    if wanted():
        return
    stop = StopCriteria(iterations=1)
    engine = make_engine(TrainingRequest(env="CartPole-v1", preset="CartPole-v1", stop=stop))
    try:
        engine.train_iteration()
    finally:
        engine.close()
