"""Position in an event stream that is read over many connections: what to ask for next, when to give up."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from httpx2 import ServerSentEvent
from pydantic import ValidationError

from rlplatform.errors import PlatformError, ServiceError, TooManyRequests, Unavailable
from rlplatform.retries import backoff_s
from rlplatform.run_kinds import FINAL_TYPES, parse_event
from rlplatform.runs.events import Event

_GIVE_UP_S = 120.0
_SILENCE_S = 60.0  # four heartbeats
_STEP_S = 5.0  # heartbeats are not seen here: with a deadline, a connection is left between two of them


class EventCursor:
    """Reads one stream from behind event ``after`` to its final event. The same for both clients: it does no I/O.

    Args:
        types: only events of these types; all without them.
        timeout_s: seconds after which :meth:`patience_s` raises ``TimeoutError``; None for no limit.
    """

    def __init__(
        self,
        after: int,
        types: Sequence[str],
        timeout_s: float | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.after = after
        self.done = False
        self._timeout_s = timeout_s
        self._deadline = None if timeout_s is None else now() + timeout_s
        self._types = types
        self._now = now
        self._failing_since: float | None = None
        self._failures = 0

    @property
    def params(self) -> Mapping[str, str]:
        # the final event is always asked for: it is how the end is known
        return {"types": ",".join({*self._types, *FINAL_TYPES})} if self._types else {}

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Last-Event-ID": str(self.after)} if self.after else {}

    def connected(self) -> None:
        """Forget earlier failures: the server has answered."""
        self._failing_since, self._failures = None, 0

    def patience_s(self) -> float:
        """Return the seconds to wait for a message before connecting again.

        Raises:
            TimeoutError: the deadline has passed.
        """
        if self._deadline is None:
            return _SILENCE_S
        left = self._deadline - self._now()
        if left <= 0:
            raise TimeoutError(f"the run has not finished after {self._timeout_s} s; it continues")
        return min(left, _STEP_S)

    def take(self, message: ServerSentEvent) -> Event | None:
        """Return the event in a message; None for a heartbeat and for a type that only a newer server knows.

        Raises:
            TimeoutError: the deadline has passed.
            ServiceError: the event cannot be read.
        """
        if self._deadline is not None:
            self.patience_s()
        if message.event != "message" or not message.data:
            return None
        self.after = int(message.id)
        try:
            event = parse_event(message.data, ignore_unknown=True)
        except ValidationError as error:
            if any(found["type"] == "union_tag_invalid" for found in error.errors()):
                return None
            raise ServiceError(f"event {self.after} cannot be read: {error}") from error
        self.done = event.final
        return event if not self._types or event.type in self._types else None

    def pause_s(self, error: PlatformError) -> float:
        """Return the seconds to wait before the next connection.

        Raises:
            PlatformError: ``error``, if it will not pass, or the server has not answered for two minutes.
        """
        passing = isinstance(error, Unavailable | TooManyRequests) or type(error) is ServiceError
        if self._failing_since is None:
            self._failing_since = self._now()
        if not passing or self._now() - self._failing_since > _GIVE_UP_S:
            raise error
        self._failures += 1
        return backoff_s(self._failures, first_s=0.2, most_s=5.0)
