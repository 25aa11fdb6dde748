"""
A message on its way out: encoded once for each distinct form, when the first recipient needs it.
"""

from __future__ import annotations

from typing import Any, Protocol

from msgspec import Struct, json

from signalfish.wire.frames import text_frame
from signalfish.wire.operations import RoomOperationResult
from signalfish.wire.server import (
    Envelope,
    GoingAway,
    PlayerJoined,
    PlayerLeft,
    PlayerReconnected,
    Pong,
    Reconnected,
    RoomJoined,
    RoomLeft,
    ServerMessage,
    SpectatorJoined,
    SpectatorLeft,
)
from signalfish.wire.types import SLOTS, Encoding, Form
from signalfish.wire.versions import project

NO_FRAME = b""

CONTROL = "control"
"""
The kind of everything that is not game data.
"""

_BARRIERS = (RoomJoined, RoomLeft, Reconnected, SpectatorJoined, SpectatorLeft)
_BARRIER_NAMES = {message.__name__ for message in _BARRIERS}
_ENCODINGS = tuple(Encoding)
_encode = json.Encoder().encode


class Outgoing(Protocol):
    """
    Anything that can be delivered to a connection.

    :ivar frames: the frames that have been made so far, by the slots of their forms.
    """

    @property
    def frames(self) -> list[bytes | None]:
        """
        See above.
        """

    @property
    def source(self) -> Any:
        """
        The connection whose game data it is, opaque here; None for everything else.
        """

    def frame(self, form: Form) -> bytes:
        """
        The WebSocket frame for recipients of this form; empty if it is not for them at all.

        :raises Undeliverable: if no recipient of this form can be told.
        """


class Undeliverable(Exception):  # noqa: N818 - a property of the message, not an error of ours
    """
    A message cannot be expressed in a recipient's form.

    :ivar sender: the id of the player whose message it is.
    :ivar text: what is wrong, for the recipient's developer.
    """

    def __init__(self, sender: str, text: str) -> None:
        super().__init__(sender, text)
        self.sender = sender
        self.text = text


class Notice:
    """
    A control message; the same bytes for everybody who speaks the same protocol version.

    :param follows: the id of a player whose game data it must not overtake.
    """

    __slots__ = ("_follows", "frames", "message")
    source = None
    kind = CONTROL

    def __init__(self, message: ServerMessage, follows: str | None = None) -> None:
        self.message = message
        self._follows = follows
        self.frames: list[bytes | None] = [None] * SLOTS

    @property
    def is_barrier(self) -> bool:
        """
        Whether everything before it belongs to another room, or none, for the recipient.
        """
        message = self.message
        if isinstance(message, RoomOperationResult):
            return message.result.type in _BARRIER_NAMES
        return isinstance(message, _BARRIERS)

    @property
    def is_urgent(self) -> bool:
        """
        Whether it may overtake everything.
        """
        return isinstance(self.message, Pong | GoingAway)

    @property
    def follows(self) -> str | None:
        """
        The id of the player whose game data it must not overtake, if there is one.
        """
        match self.message:
            case PlayerLeft(player_id=player) | PlayerReconnected(player_id=player):
                return player
            case PlayerJoined(player=entry):
                return entry.id
            case _:
                return self._follows

    def frame(self, form: Form) -> bytes:
        """
        See :meth:`Outgoing.frame`.
        """
        frame = self.frames[form.slot]
        if frame is None:
            version = form.version
            exists = self.message.first_version <= version
            frame = text_frame(encode(self.message, version)) if exists else NO_FRAME
            for encoding in _ENCODINGS:
                self.frames[Form(version, encoding).slot] = frame
        return frame


def encode(message: ServerMessage, version: int) -> bytes:
    """
    The JSON text of a message in one protocol version.
    """
    return _encode(_enveloped(project(message, version)))


def nested(message: Struct) -> Envelope:
    """
    A message to be carried inside another; it is projected together with its carrier.
    """
    return _enveloped(message)


def _enveloped(message: Struct) -> Envelope:
    name = type(message).__name__
    if not message.__struct_fields__:
        return Envelope(type=name)
    return Envelope(type=name, data=message)
