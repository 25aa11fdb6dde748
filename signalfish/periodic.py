"""
Services that do something now and then.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall


class Periodic(Service):
    """
    Does something at regular intervals while it runs, for the first time after one interval.

    :param interval: seconds; 0 for never.
    :param act: what is done; the first exception that it raises ends it.
    """

    def __init__(self, clock: IReactorTime, interval: float, act: Callable[[], object]) -> None:
        self._interval = interval
        self._acting = LoopingCall(act)
        self._acting.clock = clock

    def startService(self) -> None:
        """
        Start.
        """
        super().startService()
        if self._interval:
            self._acting.start(self._interval, now=False)

    def stopService(self) -> None:
        """
        Stop.
        """
        super().stopService()
        if self._acting.running:
            self._acting.stop()
