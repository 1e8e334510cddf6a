"""Exit codes: 0 done (and accepted), 1 failed or not accepted, 2 usage, 3 not authenticated, 4 not found, 5 server,
130 interrupted."""

from __future__ import annotations

from rlplatform.errors import (
    InvalidRequest,
    Malformed,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PlatformError,
    ServiceError,
    TooLarge,
    TooManyRequests,
)

DONE, FAILED, USAGE, NOT_AUTHENTICATED, NOT_FOUND, SERVER, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130

_CODES: tuple[tuple[tuple[type[PlatformError], ...], int], ...] = (
    ((InvalidRequest, Malformed, TooLarge), USAGE),
    ((NotAuthenticated, NotAllowed), NOT_AUTHENTICATED),
    ((NotFound,), NOT_FOUND),
    ((ServiceError, TooManyRequests), SERVER),
)


def code_of(error: PlatformError) -> int:
    """The exit code that goes with ``error``."""
    if type(error) is PlatformError:
        return SERVER
    return next((code for classes, code in _CODES if isinstance(error, classes)), FAILED)
