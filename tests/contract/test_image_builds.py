"""Images that operators build: from wheels, checked before they serve, used and removed while a node runs."""

from __future__ import annotations

import base64
import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rlplatform.errors import InvalidRequest, SandboxFault, SandboxUnavailable
from rlplatform.sandbox.acceptance import accept
from rlplatform.sandbox.docker_engine import PACKAGES_LABEL, Engine
from rlplatform.sandbox.images import builder
from rlplatform.sandbox.models import Execution, Limits, OutcomeKind, Program, Tier, image_tag
from rlplatform.sandbox.pool.docker_pool import DockerPool
from rlplatform.settings import SandboxSettings
from tests.waiting import comes_true

pytestmark = pytest.mark.docker

NAME = f"test-{os.getpid()}"
LIMITS = Limits()
SAYS = b"import sys, shapes\nprint('shapes' in sys.modules, shapes.area(2, 3))"
PRELOADED = b"import sys\nprint('shapes' in sys.modules)"


def wheel(folder: Path, source: str, version: str = "1.0") -> Path:
    """A wheel of the package *shapes*, whose module is ``source``, with a file that does not compile."""
    info = f"shapes-{version}.dist-info"
    files = {
        "shapes.py": source,
        "shapes_data/template.py": "class {{ name }}:\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: shapes\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},{digest(text)},{len(text)}\n" for path, text in files.items())
    path = folder / f"shapes-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(name, text)
    return path


def digest(text: str) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


Build = Callable[..., None]


@pytest.fixture
def engine(docker_pool: DockerPool) -> Iterator[Engine]:
    with closing(Engine(timeout_s=600)) as engine:
        yield engine
        for image in builder.describe_all(engine):
            if image.name == NAME:
                builder.remove(engine, NAME)
        assert not bases(engine), "nothing is left of a build"


def bases(engine: Engine) -> list[str]:
    """Bases of the test's image: the packages alone."""
    return [image.name for image in engine.images(PACKAGES_LABEL) if f":{NAME}-" in image.name]


@pytest.fixture
def build(engine: Engine, sandbox_state: Path, tmp_path: Path) -> Build:
    """Builds the image from a wheel with this source; None: from the packages that it has."""

    def make(source: str | None, version: str = "1.0", preload: list[str] | None = None) -> None:
        requirements = None
        if source is not None:
            requirements = tmp_path / "requirements.txt"
            requirements.write_text(f"{wheel(tmp_path, source, version)}\n")
        builder.build_candidate(engine, NAME, requirements, preload, lambda _: None)
        accept(engine, NAME, SandboxSettings(state_dir=sandbox_state), lambda _: None)

    return make


def output(pool: DockerPool, source: bytes, tier: Tier = Tier.SINGLE_USE, image: str | None = NAME) -> bytes:
    sandbox = pool.open(Program({"main.py": source}), LIMITS, tier, image=image)
    try:
        outcome = sandbox.run(Execution(LIMITS))
        assert outcome.kind is OutcomeKind.EXITED, outcome.stderr
        return outcome.stdout
    finally:
        sandbox.close()


def test_an_image_serves_as_soon_as_it_is_built_and_until_it_is_removed(
    build: Build, engine: Engine, make_pool: Callable[..., DockerPool]
) -> None:
    with closing(make_pool(f"images-{os.getpid()}", warm=0)) as pool:
        with pytest.raises(SandboxFault, match="no image"):
            output(pool, SAYS)
        build("def area(a, b):\n    return a * b\n")
        assert comes_true(lambda: _knows(pool), 15)
        for tier in (Tier.SINGLE_USE, Tier.JAIL):
            assert output(pool, SAYS, tier) == b"True 6\n"
            assert output(pool, PRELOADED, tier) == b"True\n"
        assert output(pool, PRELOADED, image=None) == b"False\n", "the default image is another"
        (image,) = [image for image in pool.status().images if image.name == NAME]
        assert image.packages == {"shapes": "1.0"}
        first = image.digest
        build("def area(a, b):\n    return -1\n", "1.1")
        assert comes_true(lambda: _knows(pool, other_than=first), 15)
        assert output(pool, SAYS) == b"True -1\n"
        assert len(bases(engine)) == 1, "the base of the first build is gone"
        builder.remove(engine, NAME)
        assert comes_true(lambda: not pool.status().has_image(NAME), 15)
        with pytest.raises(SandboxFault, match="no image"):
            output(pool, SAYS)


def _knows(pool: DockerPool, other_than: str = "") -> bool:
    return any(image.name == NAME and image.digest != other_than for image in pool.status().images)


def test_an_image_is_built_again_from_the_packages_that_it_has(build: Build, engine: Engine) -> None:
    with pytest.raises(InvalidRequest, match="give --requirements FILE"):
        build(None)
    build("def area(a, b):\n    return a * b\n", preload=[])
    before = builder.describe(engine, NAME)
    build(None)
    assert builder.describe(engine, NAME).packages == before.packages == {"shapes": "1.0"}


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("import threading, time\nthreading.Thread(target=time.sleep, args=[1e6], daemon=True).start()\n", "refused"),
        ("import no_such_library\n", r"cannot be imported.*no_such_library"),
    ],
    ids=["a thread of its own", "a missing library"],
)
def test_an_image_that_does_not_pass_never_serves(build: Build, engine: Engine, source: str, complaint: str) -> None:
    with pytest.raises(SandboxUnavailable, match=complaint):
        build(source)
    assert builder.describe(engine, NAME).digest is None
    assert engine.image(builder.candidate_tag(NAME)) is None
    assert engine.image(image_tag(NAME)) is None


def test_requirements_without_a_wheel_are_refused_with_pips_words(engine: Engine, tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"{tmp_path}/nothing-1.0-py3-none-any.whl\n")
    with pytest.raises(InvalidRequest, match=r"nothing-1\.0") as refused:
        builder.build_candidate(engine, NAME, requirements, None, lambda _: None)
    assert refused.value.extra["field"] == "requirements"


def test_images_of_the_platform_cannot_be_removed(engine: Engine) -> None:
    with pytest.raises(InvalidRequest, match="comes with the platform"):
        builder.remove(engine, "python-rl")
    with pytest.raises(InvalidRequest, match="there is no image 'nothing'"):
        builder.remove(engine, "nothing")
