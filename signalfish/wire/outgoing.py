"""
A message on its way out: encoded once for each distinct form, when the first recipient needs it.
"""

from __future__ import annotations

from typing import Any, Protocol

from msgspec import json

from signalfish.wire.frames import text_frame
from signalfish.wire.server import Envelope, ServerMessage
from signalfish.wire.types import Form
from signalfish.wire.versions import project

_encode = json.Encoder().encode


class Outgoing(Protocol):
    """
    Anything that can be delivered to a connection.
    """

    @property
    def source(self) -> Any:
        """
        The connection whose game data it is, opaque here; None for everything else.
        """

    def frame(self, form: Form) -> bytes:
        """
        The WebSocket frame for recipients of this form.

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
    """

    __slots__ = ("_frames", "message")
    source = None

    def __init__(self, message: ServerMessage) -> None:
        self.message = message
        self._frames: dict[int, bytes] = {}

    def frame(self, form: Form) -> bytes:
        """
        See :meth:`Outgoing.frame`.
        """
        version = form.version
        frame = self._frames.get(version)
        if frame is None:
            frame = self._frames[version] = text_frame(encode(self.message, version))
        return frame


def encode(message: ServerMessage, version: int) -> bytes:
    """
    The JSON text of a message in one protocol version.
    """
    return _encode(_enveloped(project(message, version)))


def nested(message: ServerMessage) -> Envelope:
    """
    A message to be carried inside another; it is projected together with its carrier.
    """
    return _enveloped(message)


def _enveloped(message: ServerMessage) -> Envelope:
    name = type(message).__name__
    if not message.__struct_fields__:
        return Envelope(type=name)
    return Envelope(type=name, data=message)
