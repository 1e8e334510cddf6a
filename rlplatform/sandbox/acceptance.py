"""Acceptance of an image before it serves: hostile and good programs run in it, in each tier of this node."""

from __future__ import annotations

import os
from contextlib import closing

from rlplatform.errors import SandboxUnavailable
from rlplatform.sandbox.docker_engine import Engine, Image
from rlplatform.sandbox.images.base_image import Progress
from rlplatform.sandbox.images.builder import candidate_tag, clear
from rlplatform.sandbox.models import OutcomeKind, Tier, image_tag
from rlplatform.sandbox.pool.docker_pool import DockerPool
from rlplatform.sandbox.self_check import Canary, run_selfcheck
from rlplatform.settings import SandboxSettings

_PRELOADED = Canary(
    "packages",
    "import importlib, os\npath = '/usr/lib/rlp/preload'\n"
    "for name in open(path).read().split() if os.path.exists(path) else ():\n    importlib.import_module(name)\n"
    "print('imported')",
    OutcomeKind.EXITED,
    b"imported\n",
    "a package cannot be imported in the sandbox: name the modules that can, with --preload",
)


def accept(engine: Engine, name: str, settings: SandboxSettings, progress: Progress) -> Image:
    """Check the candidate of the image ``name`` and give it that name.

    The image that had the name loses it, and what earlier builds left is removed.

    Raises:
        SandboxUnavailable: a program did not end as it must, or no sandbox can be made. The candidate is removed.
    """
    candidate = candidate_tag(name)
    try:
        _check(candidate, settings, progress)
        engine.tag(candidate, image_tag(name))
    finally:
        engine.remove_image(candidate)
        clear(engine, name)
    image = engine.image(image_tag(name))
    assert image is not None
    return image


def _check(candidate: str, settings: SandboxSettings, progress: Progress) -> None:
    alone = settings.model_copy(update={"image": candidate, "warm": 1, "slots": 1})
    with closing(DockerPool(alone, f"accept-{os.getpid()}")) as pool:
        for tier in filter(pool.status().serves, Tier):
            progress(f"running hostile and good programs in tier {tier.value}")
            results = run_selfcheck(pool, tier, further=[_PRELOADED])
            if broken := [f"{result.name}: {result.detail}" for result in results if not result.ok]:
                raise SandboxUnavailable(
                    f"the image is refused: in tier {tier.value}, {len(broken)} of {len(results)} programs did not "
                    f"end as they must: {'; '.join(broken)}"
                )
