"""The rules of the code that a machine can check."""

import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

from tests.unit.prose import findings

ROOT = Path(__file__).parents[2]
PACKAGES = ("rlplatform", "actors", "serve_apps", "cluster")
LINE_CEILING = 500
GENERATED = ("rlplatform/client/sync_client.py",)


def sources() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield str(path.relative_to(ROOT)), path.read_text()


def offenders(pattern: str, allowed: tuple[str, ...]) -> list[str]:
    return [
        f"{name}:{number}"
        for name, text in sources()
        if not name.startswith(allowed)
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(pattern, line)
    ]


@pytest.mark.timeout(600)  # mypy without its cache, beside other tests
@pytest.mark.parametrize("command", ["ruff check", "ruff format --check", "mypy", "lint-imports"])
def test_the_checkers_are_content(command: str) -> None:
    tool, *arguments = command.split()
    done = subprocess.run(
        [str(Path(sys.executable).with_name(tool)), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph(*PACKAGES)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the circle


def test_no_module_is_longer_than_the_ceiling() -> None:
    assert [name for name, text in sources() if name not in GENERATED and text.count("\n") > LINE_CEILING] == []


def test_nothing_but_the_settings_reads_the_environment() -> None:
    # set-up runs before there are settings; guests run where there are none; others set what a library reads
    guests = ("rlplatform/sandbox/guest/", "rlplatform/evaluation/suites/guest/")
    allowed = (
        "rlplatform/settings.py",
        "cluster/setup.py",
        "cluster/bootstrap.py",
        "rlplatform/cli/exports/to_mlflow.py",
        "serve_apps/web/pictures.py",
        *guests,
    )
    assert offenders(r"os\.(environ|getenv)", allowed) == []


def test_actors_are_called_in_one_place() -> None:
    assert offenders(r"\.remote\(", ("actors/rpc/ray_calls.py", "actors/rllib/")) == []


def test_only_the_engine_knows_rllib() -> None:
    assert offenders(r"^\s*(import|from) ray\.rllib", ("actors/rllib/",)) == []


def test_nothing_is_unpickled() -> None:
    # the state of our own environments, in checkpoints that we wrote and whose hashes are checked; and what actors
    # call one another with, which Ray would unpickle just so
    allowed = ("rlplatform/environments/backends/gymnasium_backend.py", "actors/rpc/serialization.py")
    assert offenders(r"\b(pickle|cloudpickle|dill|joblib)\.loads?\b|allow_pickle=True", allowed) == []


def test_nothing_runs_a_learners_code_outside_a_container() -> None:
    programs_of_ours = (
        "cluster/setup.py",  # apt-get, pip, dockerd
        "cluster/sandbox_image/",  # debootstrap
        "rlplatform/client/generate.py",  # ruff, for those who develop the client
        "rlplatform/training/manifest.py",  # git
        "rlplatform/algorithms/ppo/native/c_library.py",  # the C compiler
        "rlplatform/sandbox/images/base_image.py",  # debootstrap
        "rlplatform/sandbox/images/packages.py",  # pip
        "rlplatform/evaluation/checkers/conventions.py",  # the start of a checker, as text for the container
        "rlplatform/cli/test_packages/",  # checkers of instructors, as text for the container
        "rlplatform/sandbox/self_check.py",  # hostile programs, as text for the container
        "rlplatform/testing/redis_server.py",  # redis-server
        "rlplatform/testing/sessions.py",  # the environments of tests alone; what ships uses no fakes
        "rlplatform/sandbox/guest/",  # inside the container
        "rlplatform/evaluation/suites/guest/",  # inside the container
        "rlplatform/probing/prober.py",  # probe_worker, which makes installed environments within limits
        "rlplatform/probing/worker.py",  # a fork of itself for each
        "rlplatform/playing/process.py",  # a worker that draws and plays in our environments
        "rlplatform/assignments/similarity/process.py",  # itself, which reads submissions as text within limits
        "rlplatform/policies/exporter.py",  # export_worker, which writes a policy's ONNX file
    )
    starts = r"(?<![\w.])(exec|eval)\(|\bsubprocess\.|os\.(system|popen|exec\w+|spawn\w+|fork)\("
    assert offenders(starts, programs_of_ours) == []


def test_comments_tell_no_history() -> None:
    assert offenders(r"#.*\b(no longer|previously|used to be|was changed|TODO|FIXME|XXX)\b", ()) == []


def test_docstrings_and_comments_are_plain_english() -> None:
    found = [finding for name, text in sources() for finding in findings(name, text)]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ('"""Whether it runs."""', "m.py:1: rule 1: open with a verb or a concrete noun, not with 'Whether'"),
        ('class C:\n    """Pool.\n\n    It goes on."""', "m.py:2: rule 4: write 'continues' instead of 'goes on'"),
        ("x = 1  # left as it is", "m.py:1: rule 4: write 'unchanged' instead of 'as it is'"),
    ],
)
def test_a_prose_finding_names_file_line_and_rule(source: str, finding: str) -> None:
    assert list(findings("m.py", source)) == [finding]


def test_plain_prose_has_no_finding() -> None:
    assert list(findings("m.py", '"""Return the port, as it is known."""\nx = "What goes on"  # seconds')) == []
