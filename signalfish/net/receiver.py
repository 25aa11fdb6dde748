"""
Where the events of a connection go. The conversation and the rate limits implement it.
"""

from __future__ import annotations

from typing import Protocol

from signalfish.wire.operations import ClientMessage


class Receiver(Protocol):
    """
    Takes what comes from one client.
    """

    def received(self, message: ClientMessage) -> None:
        """
        Act on a message.

        :raises Refusal: if the client may not send it; it is then answered, and nothing changes.
        """

    def refused(self, message: ClientMessage | None) -> None:
        """
        A message has been refused and answered.

        :param message: None if it was malformed.
        """

    def control_frame(self) -> None:
        """
        A WebSocket ping or pong has arrived.
        """

    def alive(self) -> None:
        """
        Something has been heard of the client since the last time.
        """

    def closed(self) -> None:
        """
        The connection is gone, or as good as gone. Called once.
        """
