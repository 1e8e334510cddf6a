"""The recipe of CONTRIBUTING.md for a language, followed as far as a real container."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recipes import copy_sources, follow, run

pytestmark = pytest.mark.docker

PROGRAM = """
import os, sys
from contextlib import closing
from pathlib import Path

from rlplatform.sandbox.docker_engine import Engine
from rlplatform.sandbox.images import builder
from rlplatform.sandbox.models import Execution, Limits, Program, Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool
from rlplatform.settings import SandboxSettings

engine = Engine(timeout_s=600)
image = builder.build_candidate(engine, "python", None, None, lambda _: None).name
try:
    settings = SandboxSettings(state_dir=Path(sys.path[0], "state"), image=image, warm=0)
    with closing(DockerPool(settings, f"language-{os.getpid()}")) as pool:
        for tier in (Tier.SINGLE_USE, Tier.JAIL):
            for language, entry, source in (("shout", "main.txt", b"hello"), ("python", "main.py", b"print('hi')")):
                program = Program({entry: source}, entry, language=language)
                with closing(pool.open(program, Limits(), tier)) as sandbox:
                    print(tier.value, sandbox.run(Execution(Limits())).stdout)
finally:
    engine.remove_image(image)
"""


@pytest.mark.usefixtures("docker_pool")
def test_a_language_of_the_recipe_runs_in_a_container_beside_python(tmp_path: Path) -> None:
    follow("A language", copy_sources(tmp_path))
    expected = [f"{tier} {output}" for tier in ("single-use", "jail") for output in (b"HELLO\n", b"hi\n")]
    assert run(PROGRAM, tmp_path).splitlines() == expected
