"""Where the C kernel comes from, and that nothing breaks where there is none."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rlplatform.ppo import c_library

needs_compiler = pytest.mark.skipif(c_library.compiler() is None, reason="no C compiler")


def test_only_levels_whose_every_flag_is_there_are_used() -> None:
    assert c_library.usable_levels(frozenset()) == ["generic"]
    assert c_library.usable_levels(frozenset({"avx2"})) == ["generic"]
    assert c_library.usable_levels(frozenset({"avx2", "fma"})) == ["avx2", "generic"]
    some512 = frozenset({"avx2", "fma", "avx512f", "avx512dq"})
    assert c_library.usable_levels(some512) == ["avx2", "generic"]
    assert c_library.usable_levels(some512 | {"avx512vl", "avx512bw"})[0] == "avx512"


def test_names_tell_levels_and_sources_apart(monkeypatch: Any, tmp_path: Path) -> None:
    names = {c_library.file_name(level) for level in c_library.LEVELS}
    assert len(names) == len(c_library.LEVELS)
    changed = tmp_path / "_kernel.c"
    changed.write_text(c_library.SOURCES[0].read_text() + "\n/* changed */\n")
    monkeypatch.setattr(c_library, "SOURCES", (changed, c_library.SOURCES[1]))
    assert names.isdisjoint(c_library.file_name(level) for level in c_library.LEVELS)


@needs_compiler
@pytest.mark.parametrize("level", list(c_library.LEVELS))
def test_every_level_compiles_without_a_warning(level: str, tmp_path: Path) -> None:
    if c_library.LEVELS[level][0] and not c_library.cpu_flags():
        pytest.skip("not an x86 machine")
    assert c_library.compile_level(level, tmp_path).name == c_library.file_name(level)
    assert [path.name for path in tmp_path.iterdir()] == [c_library.file_name(level)]
    command = [str(c_library.compiler()), *c_library.FLAGS, *c_library.LEVELS[level][1], "-Wall", "-Wextra"]
    done = subprocess.run(
        [*command, "-fsyntax-only", str(c_library.SOURCES[0])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_compiler
@pytest.mark.parametrize("level", c_library.usable_levels())
def test_every_level_that_runs_here_computes_the_same(level: str, tmp_path: Path, monkeypatch: Any) -> None:
    import numpy as np

    from rlplatform.ppo.update import PPOUpdate, UpdateSettings

    from .cases import make_batch, make_mlp

    library = c_library.Library(c_library.compile_level(level, tmp_path), level)
    monkeypatch.setattr(c_library, "_loaded", library)
    for name in ("discrete, relu, odd widths", "multi-discrete, three layers", "gSDE", "box, towers differ"):
        networks = [make_mlp(name), make_mlp(name)]
        batch = make_batch(networks[0], 150)
        for network, backend in zip(networks, ("numpy", "c"), strict=True):
            update = PPOUpdate(network, UpdateSettings(n_epochs=2, ent_coef=0.01), prefer=backend)  # type: ignore[arg-type]
            if backend == "c":
                assert level in PPOUpdate(network, UpdateSettings()).reason
            update.run(batch, learning_rate=1e-3, clip_range=0.2)
        np.testing.assert_allclose(networks[0].flat_numpy, networks[1].flat_numpy, atol=2e-6)


def test_without_compiler_and_binary_numpy_takes_over(monkeypatch: Any, tmp_path: Path) -> None:
    from rlplatform.ppo.update import select_backend

    from .cases import make_mlp

    monkeypatch.setattr(c_library, "_loaded", None)
    monkeypatch.setattr(c_library, "BESIDE", tmp_path / "nowhere")
    monkeypatch.setattr(c_library, "cache_directory", lambda: tmp_path)
    monkeypatch.setattr(c_library, "compiler", lambda: None)
    assert "no C compiler" in c_library.obstacle()
    name, reason = select_backend(make_mlp("discrete"))
    assert name == "numpy"
    assert "no C compiler" in reason


@needs_compiler
def test_a_damaged_binary_is_made_again(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(c_library, "_loaded", None)
    monkeypatch.setattr(c_library, "BESIDE", tmp_path / "nowhere")
    monkeypatch.setattr(c_library, "cache_directory", lambda: tmp_path)
    level = c_library.usable_levels()[0]
    (tmp_path / c_library.file_name(level)).write_bytes(b"not a library")
    assert c_library.obstacle() == ""
    assert c_library.load().isa == level


def test_a_cache_that_others_can_write_is_not_trusted(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(Path, "home", classmethod(lambda cls: tmp_path))
    ours = c_library.cache_directory()
    assert ours == tmp_path / ".cache" / "rlplatform" / "kernels"
    ours.chmod(0o777)
    private = c_library.cache_directory()
    assert private != ours
    assert private.stat().st_mode & 0o077 == 0
    shutil.rmtree(private)
