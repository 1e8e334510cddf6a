"""From a request to the program that enters the sandbox; what cannot be meant is refused here, before it is queued."""

from __future__ import annotations

from pathlib import PurePosixPath

from rlplatform.errors import InvalidRequest
from rlplatform.evaluation.graders import agent_loop
from rlplatform.evaluation.models import EpisodeGrader, EvaluationRequest
from rlplatform.sandbox.models import Program

ENTRY = "main.py"
MAX_PROGRAM_BYTES = 4 << 20
MAX_PATH_BYTES = 128
MAX_TOTAL_WALL_S = 3600.0


def check_submission(request: EvaluationRequest) -> None:
    """:raises InvalidRequest: the request cannot be evaluated as it stands; ``field`` says where."""
    program_of(request)
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
    files = {ENTRY: request.source.encode()}
    entry = ENTRY
    if request.grader.kind == "episode":
        entry = agent_loop.PATH
        files[entry] = agent_loop.source(request.grader.entry)
    for index, file in enumerate(request.files):
        field = f"files.{index}.path"
        _check_path(file.path, field)
        if file.path in (ENTRY, entry):
            raise InvalidRequest(f"{file.path!r} is taken: `source` is {ENTRY!r}; choose another path", field=field)
        if file.path in files:
            raise InvalidRequest(f"{file.path!r} is there twice", field=field)
        files[file.path] = file.content.encode()
    for index, file in enumerate(request.files):
        for folder in PurePosixPath(file.path).parents:
            if str(folder) in files:
                raise InvalidRequest(
                    f"{str(folder)!r} is a file and cannot be a folder too", field=f"files.{index}.path"
                )
    total = sum(map(len, files.values()))
    if total > MAX_PROGRAM_BYTES:
        raise InvalidRequest(
            f"source and files have {total} bytes; at most {MAX_PROGRAM_BYTES} are accepted", field="files"
        )
    return Program(files, entry)


def _check_path(path: str, field: str) -> None:
    parts = path.split("/")
    if path.startswith("/"):
        wrong = "must be relative"
    elif ".." in parts:
        wrong = "must not contain '..'"
    elif "" in parts or "." in parts:
        wrong = "must not contain '.' or empty parts"
    elif "\\" in path:
        wrong = "must have '/' between its parts, not '\\'"
    elif not path.isprintable():
        wrong = "must be printable: no NUL or other control characters"
    elif len(path.encode()) > MAX_PATH_BYTES:
        wrong = f"must have at most {MAX_PATH_BYTES} bytes"
    elif "__pycache__" in parts:
        wrong = "must not be in __pycache__, which is Python's own"
    else:
        return
    raise InvalidRequest(f"the path {path[:MAX_PATH_BYTES]!r} {wrong}; give one like 'helpers/graph.py'", field=field)
