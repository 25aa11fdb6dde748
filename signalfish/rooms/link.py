"""
What a room knows of a connection. The network side implements it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from signalfish.wire.errors import CloseCode
from signalfish.wire.outgoing import Notice, Outgoing
from signalfish.wire.server import ServerMessage
from signalfish.wire.types import Form


class Link(Protocol):
    """
    One client's end of the line.

    Neither method raises or calls back into a room: both only enqueue, and a connection that must
    die does so on a later turn.
    """

    @property
    def form(self) -> Form:
        """
        What the client understands; fixed once it is in a room.
        """

    def deliver(self, outgoing: Outgoing) -> None:
        """
        Enqueue a message.
        """

    def close(self, code: CloseCode, reason: str, farewell: Outgoing | None = None) -> None:
        """
        End the connection after what is already queued.

        :param reason: sent with the code; at most 123 UTF-8 bytes.
        :param farewell: a last message, if the client can still be told anything.
        """


Reply = Callable[[ServerMessage], None]
"""
How somebody is told what came of its request.
"""


def to(link: Link) -> Reply:
    """
    Tell it plainly.
    """
    return lambda message: link.deliver(Notice(message))
