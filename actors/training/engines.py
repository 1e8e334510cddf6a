"""Registry of the training engines."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

from rlplatform.errors import InvalidRequest
from rlplatform.training.models import StopCriteria, TrainingRequest
from rlplatform.training.ports import TrainingEngine

WARMING_NICE = 10


def make_engine(request: TrainingRequest) -> TrainingEngine:
    """Make the engine that ``request`` names."""
    if request.engine == "simulated":
        from rlplatform.training.simulated_engine import SimulatedEngine

        return SimulatedEngine(request)
    if request.engine == "rllib":
        from actors.rllib.engine import RllibEngine

        return RllibEngine(request)
    raise InvalidRequest(f"no such engine: {request.engine}", field="engine")


def warm_up(wanted: Callable[[], bool] = lambda: False) -> None:
    """Do what takes the first engine of a process seconds: thousands of imports, then kernels and registries.

    Other processes go first while no session waits for this one. Ends early once the process is ``wanted``.
    """
    if sys.platform == "linux":  # where this is of the thread alone
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
