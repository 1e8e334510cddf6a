"""A small Ray of a module's own, ended when its last test has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import ray
import torch


@pytest.fixture(scope="module")
def ray_here() -> Iterator[None]:
    """Ray with four CPUs on this machine."""
    torch.set_num_threads(1)
    ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()
