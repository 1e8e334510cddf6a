"""Search and compilation of the C kernel, and that nothing breaks without one."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rlplatform.algorithms.ppo.backends.selection import select_backend
from rlplatform.algorithms.ppo.backends.update_phase import UpdateSettings
from rlplatform.algorithms.ppo.native import c_library
from rlplatform.algorithms.ppo.update import PPOUpdate
from tests.unit.algorithms.ppo.cases import make_batch, make_mlp

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
    changed = tmp_path / "kernel.c"
    changed.write_text(c_library.SOURCES[0].read_text() + "\n/* changed */\n")
    monkeypatch.setattr(c_library, "SOURCES", (changed, c_library.SOURCES[1]))
    assert names.isdisjoint(c_library.file_name(level) for level in c_library.LEVELS)


@pytest.fixture(scope="module")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every level's binary, compiled without a warning. ``wide`` has AVX-512's tiles, split for lesser machines."""
    levels = {name: level for name, level in c_library.LEVELS.items() if not level[0] or c_library.cpu_flags()}
    best = c_library.LEVELS[c_library.usable_levels()[0]]
    levels["wide"] = (best[0], (*best[1], "-DPPO_WIDE"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(c_library, "LEVELS", levels)
        patch.setattr(c_library, "FLAGS", (*c_library.FLAGS, "-Wall", "-Wextra", "-Werror"))
        directory = tmp_path_factory.mktemp("kernels")
        made = {name: c_library.compile_level(name, directory) for name in levels}
    assert sorted(directory.iterdir()) == sorted(made.values())  # and nothing temporary is left
    return made


@needs_compiler
@pytest.mark.parametrize("level", [*c_library.usable_levels(), "wide"])
def test_every_level_that_runs_here_computes_the_same(level: str, binaries: dict[str, Path], monkeypatch: Any) -> None:
    monkeypatch.setattr(c_library, "_loaded", c_library.Library(binaries[level], level))
    for name in ("discrete, relu, odd widths", "multi-discrete, three layers", "gSDE", "box, towers differ"):
        networks = [make_mlp(name), make_mlp(name)]
        batch = make_batch(networks[0], 150)
        assert level in PPOUpdate(networks[0], UpdateSettings()).reason
        for network, backend in zip(networks, ("numpy", "c"), strict=True):
            update = PPOUpdate(network, UpdateSettings(n_epochs=2, ent_coef=0.01), prefer=backend)  # type: ignore[arg-type]
            update.run(batch, learning_rate=1e-3, clip_range=0.2)
        np.testing.assert_allclose(networks[0].flat_numpy, networks[1].flat_numpy, atol=2e-6)


def test_without_compiler_and_binary_numpy_takes_over(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(c_library, "_loaded", None)
    monkeypatch.setattr(c_library, "BESIDE", tmp_path / "nowhere")
    monkeypatch.setattr(c_library, "cache_directory", lambda: tmp_path)
    monkeypatch.setattr(c_library, "compiler", lambda: None)
    assert "no C compiler" in c_library.why_no_kernel()
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
    assert c_library.why_no_kernel() == ""
    assert c_library.load().isa == level


@needs_compiler
def test_without_a_cache_of_its_own_a_process_leaves_nothing_behind(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(c_library, "_loaded", None)
    monkeypatch.setattr(c_library, "BESIDE", tmp_path / "nowhere")
    monkeypatch.setattr(Path, "home", classmethod(lambda cls: tmp_path / "file" / "home"))
    (tmp_path / "file").touch()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    assert c_library.why_no_kernel() == ""
    assert list((tmp_path / "tmp").iterdir()) == []


def test_no_cache_is_looked_for_where_a_binary_comes_along(
    monkeypatch: Any, tmp_path: Path, binaries: dict[str, Path]
) -> None:
    level = c_library.usable_levels()[0]
    monkeypatch.setattr(c_library, "_loaded", None)
    monkeypatch.setattr(c_library, "BESIDE", tmp_path)
    shutil.copy(binaries[level], tmp_path / c_library.file_name(level))
    monkeypatch.setattr(c_library, "cache_directory", lambda: pytest.fail("nobody needs it"))
    assert c_library.load().path.parent == tmp_path


def test_a_cache_that_others_can_write_is_not_trusted(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(Path, "home", classmethod(lambda cls: tmp_path))
    ours = c_library.cache_directory()
    assert ours == tmp_path / ".cache" / "rlplatform" / "kernels"
    ours.chmod(0o777)
    assert c_library.cache_directory() is None
