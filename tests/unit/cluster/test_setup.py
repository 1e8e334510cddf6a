"""Set-up of a machine: what it installs, and its progress messages."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cluster import setup
from cluster.sandbox_image.__main__ import NEEDS_DEBOOTSTRAP


def test_progress_is_told_by_the_tenth_and_ends_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    tenths = setup.Tenths("fetched", 165)
    for _ in range(200):
        tenths.add()
    told = [int(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    assert told == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
    setup.Tenths("fetched", 3).reach(3)
    assert capsys.readouterr().out == ""


def test_what_is_unpacked_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    (packages / "pip-1.dist-info").mkdir(parents=True)
    monkeypatch.setattr(setup, "VENV", tmp_path)
    unpack = (
        "import pathlib, sys, time",
        "time.sleep(0.5)",
        "for n in range(10): pathlib.Path(sys.argv[1], f'p{n}-1.dist-info').mkdir()",
        "time.sleep(3)",
    )
    with subprocess.Popen([sys.executable, "-c", "\n".join(unpack), str(packages)], text=True) as process:
        setup.watch_unpacking(process, setup.Tenths("unpacked", 10))
    assert capsys.readouterr().out.splitlines()[-1] == "[setup]   100 % of the packages unpacked"


def test_where_no_registry_answers_debootstrap_is_installed_for_the_sandbox_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = {
        "apt-get": f": > {tmp_path}/debootstrap; /bin/chmod +x {tmp_path}/debootstrap",
        "python": f"command -v debootstrap || exit {setup.NEEDS_DEBOOTSTRAP}",
    }
    for name, script in tools.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(setup, "PYTHON", tmp_path / "python")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    setup.images()
    assert shutil.which("debootstrap") == f"{tmp_path}/debootstrap"
    (tmp_path / "python").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(setup.SetupError, match="could not be built"):
        setup.images()


def test_a_failure_that_debootstrap_cannot_mend_installs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(setup, "PYTHON", tmp_path / "python")
    monkeypatch.setattr(setup, "need", lambda *_: pytest.fail("nothing is to be installed"))
    with pytest.raises(setup.SetupError, match="could not be built"):
        setup.images()


def test_setup_and_the_image_builder_agree_on_the_exit_status() -> None:
    assert setup.NEEDS_DEBOOTSTRAP == NEEDS_DEBOOTSTRAP


def test_packages_are_installed_again_only_for_extras_that_are_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pip").touch()
    monkeypatch.setattr(setup, "VENV", tmp_path)
    installed: list[list[str]] = []
    monkeypatch.setattr(setup, "pip", installed.append)
    for purpose in ("run", "run", "test", "run", "test"):
        setup.environment(setup.EXTRAS[purpose])
    assert [arguments[-1].rpartition("[")[2] for arguments in installed] == [
        "server,export]",
        "server,export,dev,mlflow,wandb]",
    ]


def test_the_cuda_build_of_torch_is_announced_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["Collecting torch==2.13.0", "Collecting nvidia-cudnn-cu13==9", "Collecting nvidia-nccl-cu13==2"]
    (tmp_path / "python").write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines))
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(setup, "PYTHON", tmp_path / "python")
    setup.pip(["torch"])
    assert capsys.readouterr().out.count("CUDA") == 1
