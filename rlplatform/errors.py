"""Every error that the platform raises, each with a stable ``code``, an HTTP status and whether a retry can help.

::

    PlatformError
    ├─ InvalidRequest            422  the request is inconsistent; ``field`` names where
    │  └─ UnknownName            422  no such name; ``did_you_mean`` lists the nearest
    ├─ NotAuthenticated          401
    ├─ NotAllowed                403
    ├─ NotFound                  404
    ├─ Conflict                  409  makes no sense in the present state
    │  ├─ IdempotencyMismatch    409  same Idempotency-Key, another body
    │  └─ NoAttempt              409  no attempt is left, or not yet; ``next_at``
    ├─ TooLarge                  413
    ├─ RangeNotSatisfiable       416  the part asked for is beyond the end
    ├─ TooManyRequests           429  retryable, after ``retry_after_s``
    │  ├─ QueueFull              429
    │  ├─ WaitTooLong            429  the queue has room, but the wait would be too long
    │  └─ QuotaExceeded          429  ``quota``, ``used``, ``limit``, ``resets_at``
    └─ ServiceError              500  what *we* failed to do
       ├─ SandboxFault           500  one sandbox failed; retryable in a fresh one
       ├─ SandboxUnavailable     503  no sandbox can be had on any node
       ├─ StorageError           500  the store refused or broke
       │  └─ Fenced              409  a newer owner has taken over; stop writing
       ├─ CheckpointError        500  a checkpoint is missing, damaged or not ours
       ├─ EngineError            500  the training engine failed
       ├─ CapacityExhausted      503  the cluster cannot place this
       └─ Unavailable            503  a part of the platform does not answer
          └─ NotReady            503  being made; the same request later waits on

What a learner's program did is never in this tree: that is an outcome and a verdict, which are data.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

_FEW = 30
_NAME = 80  # characters of an unknown name that are compared and repeated


class PlatformError(Exception):
    """Base of all. ``str(error)`` is the detail shown to a user; ``extra`` are further problem+json members."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.detail, self.extra)


def _rebuild(cls: type[PlatformError], detail: str, extra: dict[str, Any]) -> PlatformError:
    error = cls.__new__(cls)
    PlatformError.__init__(error, detail, **extra)
    return error


class InvalidRequest(PlatformError):
    """The request cannot be meant as it stands; ``field`` is a dotted path into it: ``tests.0.points``."""

    code, status, title = "invalid_request", 422, "Invalid request"

    def __init__(self, detail: str, *, field: str | None = None, **extra: Any) -> None:
        super().__init__(detail, **({"field": field} if field else {}), **extra)


class UnknownName(InvalidRequest):
    """A name that does not exist, with the nearest ones that do, and all of them where they are few."""

    code, title = "unknown_name", "Unknown name"

    def __init__(self, what: str, name: str, known: Iterable[str], *, field: str | None = None, hint: str = "") -> None:
        """``hint`` is a sentence that follows: how to make the name known."""
        known = sorted(known)
        name = name[:_NAME]
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        accepted = {"accepted": known} if len(known) <= _FEW else {}
        message = f"unknown {what} {name!r}" + (f"; did you mean {', '.join(near)}?" if near else "")
        if accepted:
            message += (
                f"{' Accepted' if near else '; accepted'} are {', '.join(known)}" if known else "; there are none"
            )
        if hint:
            message += f"{'' if message.endswith('?') else '.'} {hint[:1].upper()}{hint[1:]}."
        super().__init__(message, field=field, did_you_mean=near, **accepted)


class NotAuthenticated(PlatformError):
    """No credentials, or credentials that are not valid."""

    code, status, title = "not_authenticated", 401, "Not authenticated"


class NotAllowed(PlatformError):
    """The principal lacks the scope for this."""

    code, status, title = "not_allowed", 403, "Not allowed"


class NotFound(PlatformError):
    """No such resource, or not one of this tenant's: an answer does not tell the two apart."""

    code, status, title = "not_found", 404, "Not found"


class Conflict(PlatformError):
    """The request makes no sense in the resource's present state."""

    code, status, title = "conflict", 409, "Conflict"


class IdempotencyMismatch(Conflict):
    """An Idempotency-Key was used again with another body."""

    code, title = "idempotency_mismatch", "Idempotency key used with another body"


class NoAttempt(Conflict):
    """No attempt at the assignment is left, or the next one is only at ``next_at``."""

    code, title = "no_attempt", "No attempt now"


class Malformed(PlatformError):
    """The body cannot be read: not UTF-8, not JSON, or JSON that could mean two things."""

    code, status, title = "malformed", 400, "Malformed body"


class MethodNotAllowed(PlatformError):
    """The path exists, but not with this method."""

    code, status, title = "method_not_allowed", 405, "Method not allowed"


class RequestTimeout(PlatformError):
    """The body did not arrive in time."""

    code, status, title, retryable = "request_timeout", 408, "Request timeout", True


class UnsupportedMediaType(PlatformError):
    """The body is of a type or an encoding that is not accepted."""

    code, status, title = "unsupported_media_type", 415, "Unsupported media type"


class UpgradeRequired(PlatformError):
    """The path speaks another protocol: WebSocket."""

    code, status, title = "upgrade_required", 426, "Upgrade required"


class TooLarge(PlatformError):
    """The body is larger than accepted."""

    code, status, title = "too_large", 413, "Too large"


class RangeNotSatisfiable(PlatformError):
    """The part that ``Range`` asks for is beyond the end of what there is."""

    code, status, title = "range_not_satisfiable", 416, "Range not satisfiable"


class TooManyRequests(PlatformError):
    """A rate limit, a quota or a full queue; ``retry_after_s`` says when to retry."""

    code, status, title, retryable = "too_many_requests", 429, "Too many requests", True

    def __init__(self, detail: str, *, retry_after_s: float = 1.0, **extra: Any) -> None:
        super().__init__(detail, retry_after_s=retry_after_s, **extra)


class QueueFull(TooManyRequests):
    """The queue is full."""

    code, title = "queue_full", "The queue is full"


class WaitTooLong(TooManyRequests):
    """The wait would be longer than is accepted; ``expected_wait_s`` says how long."""

    code, title = "wait_too_long", "The wait would be too long"


class QuotaExceeded(TooManyRequests):
    """The tenant has used up a quota; ``resets_at`` None: it is free again when something ends or is deleted."""

    code, title = "quota_exceeded", "Quota exceeded"

    def __init__(
        self,
        quota: str,
        *,
        used: float,
        limit: float,
        retry_after_s: float,
        resets_at: datetime | None = None,
        needed: float | None = None,
    ) -> None:
        """``needed`` is what the request takes, where that is more than is left."""
        when = f"it resets at {resets_at:%Y-%m-%d %H:%M} UTC" if resets_at else "it does not reset by itself"
        what = "is used up" if needed is None else f"has no room for {needed:.12g} more"
        super().__init__(
            f"the tenant's quota {quota} {what}: {used:.12g} of {limit:.12g}; {when}",
            retry_after_s=retry_after_s,
            quota=quota,
            used=used,
            limit=limit,
            resets_at=resets_at.isoformat() if resets_at else None,
        )


class ServiceError(PlatformError):
    """A failure of the platform."""

    code, status, title, retryable = "service_error", 500, "Service error", True


class SandboxFault(ServiceError):
    """One sandbox failed on us. Retried in a fresh one; never a learner's verdict."""

    code, title = "sandbox_fault", "Sandbox fault"


class SandboxUnavailable(ServiceError):
    """No sandbox can be had: no Docker engine, no image, or the self-check failed."""

    code, status, title = "sandbox_unavailable", 503, "Sandbox unavailable"


class StorageError(ServiceError):
    """The store refused or broke."""

    code, title = "storage_error", "Storage error"


class Fenced(StorageError):
    """A newer owner has the run: its epoch is higher than the writer's."""

    code, status, title, retryable = "fenced", 409, "Fenced by a newer owner", False


class CheckpointError(ServiceError):
    """A checkpoint is missing, damaged, or was not written by us."""

    code, title, retryable = "checkpoint_error", "Checkpoint error", False


class EngineError(ServiceError):
    """The training engine failed."""

    code, title, retryable = "engine_error", "Training engine error", False


class CapacityExhausted(ServiceError):
    """The cluster lacks the resources for this."""

    code, status, title = "capacity_exhausted", 503, "Capacity exhausted"


class Unavailable(ServiceError):
    """A part of the platform does not answer."""

    code, status, title = "unavailable", 503, "Unavailable"


class NotReady(Unavailable):
    """The answer is still being made; the same request later continues to wait for it."""

    code, title = "not_ready", "Not ready yet"


def problem(error: PlatformError, request_id: str | None = None) -> dict[str, Any]:
    """Return the members of the problem document (RFC 9457) for ``error``; :func:`error_from` is the way back."""
    document = {
        "type": f"urn:rlp:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
        "retryable": error.retryable,
        **error.extra,
    }
    return document | ({"request_id": request_id} if request_id else {})


def error_from(problem: Mapping[str, Any]) -> PlatformError:
    """Return the error that a problem document describes; a :class:`PlatformError` if its code is not known here."""
    members = dict(problem)
    described = {name: members.pop(name, None) for name in ("type", "title", "status", "code", "detail", "retryable")}
    cls = next((cls for cls in error_classes() if cls.code == described["code"]), PlatformError)
    return _rebuild(cls, str(described["detail"] or described["title"] or described["code"]), members)


def error_classes() -> list[type[PlatformError]]:
    """Return every error class with a code of its own, base first: README and problem+json are made from this table.

    A subclass without one is a detail of the module that raises it; a client sees its parent's code.
    """
    found: list[type[PlatformError]] = []
    stack: list[type[PlatformError]] = [PlatformError]
    while stack:
        cls = stack.pop(0)
        if "code" in vars(cls):
            found.append(cls)
        stack.extend(cls.__subclasses__())
    return found
