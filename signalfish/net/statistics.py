"""
Telling clients of protocol 3, now and then, how delivery to them goes.
"""

from __future__ import annotations

from twisted.logger import Logger

from signalfish.net.factory import SignalingFactory
from signalfish.periodic import Periodic

log = Logger()


class Statistics(Periodic):
    """
    Has all connections tell their clients, while it runs.

    :param interval: whole seconds between two times; 0 for never.
    """

    name = "statistics"

    def __init__(self, factory: SignalingFactory, interval: int) -> None:
        super().__init__(factory.clock, interval, self.tell)
        self._factory = factory
        self._interval_ms = interval * 1000

    def tell(self) -> None:
        """
        Tell everybody.
        """
        for connection in tuple(self._factory.connections):
            try:
                connection.tell_statistics(self._interval_ms)
            except Exception:  # noqa: BLE001 - a bug in one must not keep it from the others
                log.failure("Telling a client its statistics failed")
