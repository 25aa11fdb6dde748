"""
Telling clients of protocol 3, now and then, how delivery to them goes.
"""

from __future__ import annotations

from twisted.application.service import Service
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from signalfish.net.factory import SignalingFactory

log = Logger()


class Statistics(Service):
    """
    Has all connections tell their clients, while it runs.

    :param interval: whole seconds between two times; 0 for never.
    """

    name = "statistics"

    def __init__(self, factory: SignalingFactory, interval: int) -> None:
        self._factory = factory
        self._interval = interval
        self._telling = LoopingCall(self.tell)
        self._telling.clock = factory.clock

    def startService(self) -> None:
        """
        Start to tell.
        """
        super().startService()
        if self._interval:
            self._telling.start(self._interval, now=False)

    def stopService(self) -> None:
        """
        Stop to tell.
        """
        super().stopService()
        if self._telling.running:
            self._telling.stop()

    def tell(self) -> None:
        """
        Tell everybody.
        """
        for connection in tuple(self._factory.connections):
            try:
                connection.tell_statistics(self._interval * 1000)
            except Exception:  # noqa: BLE001 - a bug in one must not keep it from the others
                log.failure("Telling a client its statistics failed")
