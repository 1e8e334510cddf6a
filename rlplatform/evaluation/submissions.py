"""From a request to the program that enters the sandbox; what cannot be meant is refused here, before it is queued."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from rlplatform.errors import InvalidRequest
from rlplatform.evaluation.graders.base import TestLimits
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.files.models import DataFile, LocalData, content_of
from rlplatform.sandbox.models import Limits, Program
from rlplatform.sandbox.programs import MAX_PATH_BYTES, MAX_PROGRAM_BYTES, file_above, path_fault
from rlplatform.settings import EvaluationSettings

DEFAULTS = EvaluationSettings()


def check_submission(request: EvaluationRequest, settings: EvaluationSettings = DEFAULTS) -> None:
    """Check what can be said of a request by itself.

    Args:
        settings: with the operator's maxima.

    Raises:
        InvalidRequest: the request cannot be evaluated as it stands; ``field`` says where.
    """
    build_program(request)
    _check_limits(request, settings)
    check_s = request.checker.wall_time_s + request.grader.wall_time_s
    total = sum(request.limits_of(test).wall_time_s + check_s for test in request.tests)
    total += sum(request.checker.wall_time_s * len(test.expect_files or ()) for test in request.tests)
    if total > settings.max_total_wall_time_s:
        checked = f", each with {check_s:g} s of a checker or suite," if check_s else ""
        one = request.largest_limits().wall_time_s
        raise InvalidRequest(
            f"{len(request.tests)} tests of {one:g} s{checked} may take {total:g} s of wall time; at most "
            f"{settings.max_total_wall_time_s:g} s are accepted (RLP_EVALUATION__MAX_TOTAL_WALL_TIME_S)",
            field="limits.wall_time_s",
        )


def _check_limits(request: EvaluationRequest, settings: EvaluationSettings) -> None:
    """Check limits against the operator's maxima.

    Raises:
        InvalidRequest: one is larger.
    """
    of_platform = {
        name: (getattr(settings, f"max_{name}"), f"by this platform (RLP_EVALUATION__MAX_{name.upper()})")
        for name in Limits.model_fields
    }
    of_tests, small = of_platform, request.checker.max_output_kib
    if small is not None and small < settings.max_output_kib:
        of_tests = of_platform | {"output_kib": (small, f"with checker {request.checker.kind!r}")}
    _hold("limits", request.limits, of_tests)
    for index, test in enumerate(request.tests):
        _hold(f"tests.{index}.limits", test.limits, of_tests)
    for field, part in (("checker.limits", request.checker), ("grader.limits", request.grader)):
        _hold(field, getattr(part, "limits", None), of_platform)


def _hold(field: str, limits: Limits | TestLimits | None, maxima: Mapping[str, tuple[float, str]]) -> None:
    """Hold ``limits``, the field ``field`` of a request, to ``maxima``: the largest value by name, and whose it is.

    Raises:
        InvalidRequest: a limit is larger.
    """
    for name, (most, whose) in maxima.items() if limits is not None else ():
        value = getattr(limits, name)
        if value is not None and value > most:
            raise InvalidRequest(
                f"{field}.{name} is {value:g}; at most {most:g} are accepted {whose}", field=f"{field}.{name}"
            )


def build_program(request: EvaluationRequest) -> Program:
    """Return the program of ``request``: source, files, data, and what its grader puts in front of them.

    Raises:
        InvalidRequest: a path is not a plain relative one, is taken, or all is too large; ``field`` says which.
    """
    source = content_of(request.source)
    program = request.grader.program({request.entry: source})
    files = dict(program.files)
    if request.entry in files:
        is_graders = files[request.entry] is not source
        why = "is a file of the grader" if is_graders else request.grader.why_not(request.entry)
        if why is not None:
            raise InvalidRequest(f"{request.entry!r} {why}; choose another name", field="source_name")
    own = frozenset(files)
    taken = set(own)
    for index, file in enumerate(request.files):
        if (why := request.grader.why_not(file.path)) is not None:
            raise InvalidRequest(f"{file.path!r} {why}", field=f"files.{index}.path")
        _take(file.path, f"files.{index}.path", taken, own)
        files[file.path] = content_of(file.content)
    for index, data in enumerate(request.data):
        _take(data.path, f"data.{index}.path", taken, own)
    paths = [(file.path, f"files.{index}.path") for index, file in enumerate(request.files)]
    paths += [(data.path, f"data.{index}.path") for index, data in enumerate(request.data)]
    _check_folders(paths, taken)
    for number, test in enumerate(request.tests):
        seen = set(taken) if test.files else taken
        added = [(data.path, f"tests.{number}.files.{index}.path") for index, data in enumerate(test.files)]
        for path, field in added:
            _take(path, field, seen, own)
        if added:
            _check_folders([*added, *((path, added[0][1]) for path, _ in paths)], seen)
    total = sum(map(len, files.values()))
    if total > MAX_PROGRAM_BYTES:
        raise InvalidRequest(
            f"source and files have {total} bytes; at most {MAX_PROGRAM_BYTES} are accepted; larger files go into data",
            field="files",
        )
    return Program(files, program.entry, local_paths(request.data), request.language)


def local_paths(data: Iterable[DataFile]) -> dict[str, Path]:
    """Return where data files are on this node, by their paths in the program; those that are elsewhere are not in
    it."""
    return {one.path: one.local for one in data if isinstance(one, LocalData)}


def _take(path: str, field: str, taken: set[str], own: Collection[str]) -> None:
    """Add a path to those that are taken.

    Raises:
        InvalidRequest: it is not a plain relative one, or it is taken.
    """
    if (fault := path_fault(path)) is not None:
        shown = path[:MAX_PATH_BYTES]
        raise InvalidRequest(f"the path {shown!r} {fault}; give one like 'helpers/graph.py'", field=field)
    if path in own:
        raise InvalidRequest(f"{path!r} is taken by the program itself; choose another path", field=field)
    if path in taken:
        raise InvalidRequest(f"{path!r} is there twice", field=field)
    taken.add(path)


def _check_folders(paths: Iterable[tuple[str, str]], taken: Collection[str]) -> None:
    """Check that no file would have to be a folder for one of ``paths`` to exist.

    Raises:
        InvalidRequest: one would.
    """
    for path, field in paths:
        if (folder := file_above(path, taken)) is not None:
            raise InvalidRequest(f"{folder!r} is a file and cannot be a folder too", field=field)
