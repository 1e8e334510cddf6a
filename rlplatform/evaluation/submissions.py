"""From a request to the program that enters the sandbox; what cannot be meant is refused here, before it is queued."""

from __future__ import annotations

from rlplatform.errors import InvalidRequest
from rlplatform.evaluation.graders import agent_loop
from rlplatform.evaluation.models import EpisodeGrader, EvaluationRequest
from rlplatform.files.models import content_of
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
    """The program of ``request``: its source as ``main.py``, its files, and the loop in front of an agent.

    :raises InvalidRequest: a path is not a plain relative one, is taken, or all is too large; ``field`` says which.
    """
    files = {ENTRY: content_of(request.source)}
    entry = ENTRY
    if request.grader.kind == "episode":
        entry = agent_loop.PATH
        files[entry] = agent_loop.source(request.grader.entry)
    for index, file in enumerate(request.files):
        field = f"files.{index}.path"
        if (fault := path_fault(file.path)) is not None:
            shown = file.path[:MAX_PATH_BYTES]
            raise InvalidRequest(f"the path {shown!r} {fault}; give one like 'helpers/graph.py'", field=field)
        if file.path in (ENTRY, entry):
            raise InvalidRequest(f"{file.path!r} is taken: `source` is {ENTRY!r}; choose another path", field=field)
        if file.path in files:
            raise InvalidRequest(f"{file.path!r} is there twice", field=field)
        files[file.path] = content_of(file.content)
    for index, file in enumerate(request.files):
        if (folder := file_above(file.path, files)) is not None:
            raise InvalidRequest(f"{folder!r} is a file and cannot be a folder too", field=f"files.{index}.path")
    total = sum(map(len, files.values()))
    if total > MAX_PROGRAM_BYTES:
        raise InvalidRequest(
            f"source and files have {total} bytes; at most {MAX_PROGRAM_BYTES} are accepted", field="files"
        )
    return Program(files, entry)
