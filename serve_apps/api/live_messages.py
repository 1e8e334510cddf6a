"""Messages on the WebSocket ``/v1/live``, in both directions. Each is a JSON object with a ``type``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from rlplatform.playing.ports import GameState


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LiveAuth(_Message):
    """Authenticate the connection. It is the first message, unless the handshake had an `Authorization` header."""

    type: Literal["auth"]
    """Type of the message."""
    token: str
    """API key, JWT or ticket."""


class LiveSubscribe(_Message):
    """Subscribe to a stream."""

    type: Literal["subscribe"]
    """Type of the message."""
    stream: str
    """Stream to follow, for example `trainings/train_…`."""
    after: int = Field(default=0, ge=0, strict=True)
    """Sequence number to continue after; 0: from the beginning."""
    types: list[str] = Field(default_factory=list, max_length=100)
    """Types of event to send; all if empty."""


class LiveUnsubscribe(_Message):
    """End a subscription."""

    type: Literal["unsubscribe"]
    """Type of the message."""
    stream: str
    """Stream that is followed."""


class LiveWatch(_Message):
    """Ask for a picture of the game that the newest policy of a training plays. It is answered with one `frame`, or an
    `error` that names the training: ask again once the picture is shown. A client that asks rarely sees fewer pictures
    of the same game, and there are at most 10 a second."""

    type: Literal["watch"]
    """Type of the message."""
    training: str
    """Id of the training."""
    after: int = Field(default=0, ge=0, strict=True)
    """Number of the picture that was received last; 0: none."""


class LiveAuthenticated(_Message):
    """The connection is authenticated."""

    type: Literal["authenticated"] = "authenticated"
    """Type of the message."""


class LiveSubscribed(_Message):
    """The stream is followed; its events come next."""

    type: Literal["subscribed"] = "subscribed"
    """Type of the message."""
    stream: str
    """Stream that is followed."""
    after: int
    """Sequence number that it continues after."""


class LiveUnsubscribed(_Message):
    """The stream is no longer followed."""

    type: Literal["unsubscribed"] = "unsubscribed"
    """Type of the message."""
    stream: str
    """Stream that was followed."""


class LiveFrame(_Message, GameState):
    """A picture of the game that the newest policy of a training plays, and the state of the game."""

    type: Literal["frame"] = "frame"
    """Type of the message."""
    training: str
    """Id of the training."""
    picture: str | None = None
    """JPEG file in Base64; null if the environment has no picture."""


class LiveStreamEnd(_Message):
    """The stream's final event has been sent."""

    type: Literal["stream.end"] = "stream.end"
    """Type of the message."""
    stream: str
    """Stream that has ended."""


class LiveHeartbeat(_Message):
    """The connection is alive."""

    type: Literal["heartbeat"] = "heartbeat"
    """Type of the message."""
    time: datetime
    """Time of the server."""


class LiveReconnect(_Message):
    """The connection has reached its longest life and is closed next: connect again, and subscribe after `cursors`."""

    type: Literal["reconnect"] = "reconnect"
    """Type of the message."""
    cursors: dict[str, int]
    """Sequence number of the last event sent, by stream."""


class LiveError(BaseModel):
    """A problem document, with `type` `error`. The connection stays open unless it could not be authenticated."""

    model_config = ConfigDict(extra="allow")

    type: Literal["error"] = "error"
    """Type of the message."""
    title: str
    """Title of the error."""
    status: int
    """HTTP status that the error would have."""
    code: str
    """Stable code of the error."""
    detail: str
    """Explanation for people."""
    retryable: bool
    """True if the same message may succeed later."""
    stream: str | None = None
    """Stream that the message was about; absent if none."""
    training: str | None = None
    """Training that `watch` was about; absent if none."""
    field: str | None = None
    """Field of the message that is wrong; absent if none."""


ClientMessage = LiveAuth | LiveSubscribe | LiveUnsubscribe | LiveWatch
AnyClientMessage = Annotated[ClientMessage, Field(discriminator="type")]
ServerMessage = (
    LiveAuthenticated
    | LiveSubscribed
    | LiveUnsubscribed
    | LiveStreamEnd
    | LiveFrame
    | LiveHeartbeat
    | LiveReconnect
    | LiveError
)
AnyServerMessage = Annotated[ServerMessage, Field(discriminator="type")]
