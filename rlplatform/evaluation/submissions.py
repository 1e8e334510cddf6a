"""From a request to the program that enters the sandbox; what cannot be meant is refused here, before it is queued."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from rlplatform.errors import InvalidRequest
from rlplatform.evaluation.graders import agent_loop
from rlplatform.evaluation.models import EpisodeGrader, EvaluationRequest
from rlplatform.files.models import DataFile, LocalData, content_of
from rlplatform.sandbox.models import Program
from rlplatform.sandbox.programs import MAX_PATH_BYTES, MAX_PROGRAM_BYTES, file_above, path_fault

ENTRY = "main.py"
MAX_TOTAL_WALL_S = 3600.0
SORTED_OUTPUT_KB = 4096  # compared in memory, line by line


def check_submission(request: EvaluationRequest, max_output_kb: int = SORTED_OUTPUT_KB) -> None:
    """Check what can be said of a request by itself.

    Args:
        max_output_kb: the operator's maximum of ``limits.output_kb``.

    Raises:
        InvalidRequest: the request cannot be evaluated as it stands; ``field`` says where.
    """
    program_of(request)
    most = SORTED_OUTPUT_KB if request.checker.kind == "unordered" else max_output_kb
    if request.limits.output_kb > most:
        why = "with checker 'unordered'" if most < max_output_kb else "by this platform (RLP_EVALUATION__MAX_OUTPUT_KB)"
        raise InvalidRequest(
            f"limits.output_kb is {request.limits.output_kb}; at most {most} are accepted {why}",
            field="limits.output_kb",
        )
    total = len(request.tests) * request.limits.wall_time_s
    if total > MAX_TOTAL_WALL_S:
        raise InvalidRequest(
            f"{len(request.tests)} tests of {request.limits.wall_time_s:g} s may take {total:g} s of wall time; "
            f"at most {MAX_TOTAL_WALL_S:g} s are accepted",
            field="limits.wall_time_s",
        )


def check_environment(grader: EpisodeGrader) -> None:
    """:raises InvalidRequest: the agents' environment cannot be made. That is tried: it may take a while."""
    from rlplatform.evaluation.graders.episode import make_environment  # needs Gymnasium

    make_environment(grader.env).close()


def program_of(request: EvaluationRequest) -> Program:
    """The program of ``request``: its source as ``main.py``, its files, its data, and the loop in front of an agent.

    :raises InvalidRequest: a path is not a plain relative one, is taken, or all is too large; ``field`` says which.
    """
    files = {ENTRY: content_of(request.source)}
    entry = ENTRY
    if request.grader.kind == "episode":
        entry = agent_loop.PATH
        files[entry] = agent_loop.source(request.grader.entry)
    taken = {ENTRY, entry}
    for index, file in enumerate(request.files):
        _take(file.path, f"files.{index}.path", taken, entry)
        files[file.path] = content_of(file.content)
    for index, data in enumerate(request.data):
        _take(data.path, f"data.{index}.path", taken, entry)
    paths = [(file.path, f"files.{index}.path") for index, file in enumerate(request.files)]
    paths += [(data.path, f"data.{index}.path") for index, data in enumerate(request.data)]
    _check_folders(paths, taken)
    for number, test in enumerate(request.tests):
        seen = set(taken) if test.files else taken
        own = [(data.path, f"tests.{number}.files.{index}.path") for index, data in enumerate(test.files)]
        for path, field in own:
            _take(path, field, seen, entry)
        if own:
            _check_folders([*own, *((path, own[0][1]) for path, _ in paths)], seen)
    total = sum(map(len, files.values()))
    if total > MAX_PROGRAM_BYTES:
        raise InvalidRequest(
            f"source and files have {total} bytes; at most {MAX_PROGRAM_BYTES} are accepted; larger files go into data",
            field="files",
        )
    return Program(files, entry, local_paths(request.data))


def local_paths(data: Iterable[DataFile]) -> dict[str, Path]:
    """Return where data files are on this node, by their paths in the program; those that are elsewhere are not in
    it."""
    return {one.path: one.local for one in data if isinstance(one, LocalData)}


def _take(path: str, field: str, taken: set[str], entry: str) -> None:
    """Add a path to those that are taken.

    Raises:
        InvalidRequest: it is not a plain relative one, or it is taken.
    """
    if (fault := path_fault(path)) is not None:
        shown = path[:MAX_PATH_BYTES]
        raise InvalidRequest(f"the path {shown!r} {fault}; give one like 'helpers/graph.py'", field=field)
    if path in (ENTRY, entry):
        raise InvalidRequest(f"{path!r} is taken: `source` is {ENTRY!r}; choose another path", field=field)
    if path in taken:
        raise InvalidRequest(f"{path!r} is there twice", field=field)
    taken.add(path)


def _check_folders(paths: Iterable[tuple[str, str]], taken: Collection[str]) -> None:
    """:raises InvalidRequest: a file would have to be a folder for one of ``paths`` to exist."""
    for path, field in paths:
        if (folder := file_above(path, taken)) is not None:
            raise InvalidRequest(f"{folder!r} is a file and cannot be a folder too", field=field)
