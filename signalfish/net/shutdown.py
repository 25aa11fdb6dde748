"""
The end of all connections, when the server stops.
"""

from __future__ import annotations

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from signalfish.net.factory import SignalingFactory
from signalfish.net.protocol import CLOSE_TIMEOUT
from signalfish.wire.errors import CloseCode


class Shutdown(Service):
    """
    Closes the connections of a factory with close code 4000 when it is stopped.
    """

    name = "shutdown"

    def __init__(self, factory: SignalingFactory) -> None:
        self._factory = factory

    def stopService(self) -> Deferred[None] | None:
        """
        Say goodbye, and give clients the time to hear it.

        :return: fires when that time is over; None if there is nobody.
        """
        super().stopService()
        connections = tuple(self._factory.connections)
        for connection in connections:
            connection.close(CloseCode.SERVER_SHUTDOWN, "server_shutdown")
        if not connections:
            return None
        return deferLater(self._factory.clock, CLOSE_TIMEOUT, lambda: None)
