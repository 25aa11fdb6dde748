"""
When a connection is read, and when the server lets it wait.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Intake:
    """
    The reading side of one connection. It is read unless it rests, or somebody holds it.

    :param transport: what is paused meanwhile.
    :param read_on: goes on with what has been received, once the transport may be read again.
    """

    def __init__(self, transport: Any, clock: IReactorTime, read_on: Callable[[], None]) -> None:
        self._transport = transport
        self._clock = clock
        self._read_on = read_on
        self._resting: IDelayedCall | None = None
        self._holders: set[object] = set()
        self._is_closed = False

    @property
    def is_open(self) -> bool:
        """
        Whether the connection is read.
        """
        return self._resting is None and not self._holders

    def rest(self, seconds: float) -> None:
        """
        Read nothing for a while.
        """
        if self._resting is None:
            self._transport.pauseProducing()
            self._resting = self._clock.callLater(seconds, self._rested)

    def hold(self, holder: object) -> None:
        """
        Read nothing until this holder lets go. May be called again meanwhile.
        """
        self._holders.add(holder)
        self._transport.pauseProducing()

    def let_go(self, holder: object) -> None:
        """
        Read again, on a later turn, as far as this holder is concerned.
        """
        if holder in self._holders:
            self._holders.remove(holder)
            self._clock.callLater(0, self._resume)

    def close(self) -> None:
        """
        There is nothing more to read.
        """
        self._is_closed = True
        if self._resting is not None and self._resting.active():
            self._resting.cancel()

    def _rested(self) -> None:
        self._resting = None
        self._resume()

    def _resume(self) -> None:
        if self.is_open and not self._is_closed:
            self._transport.resumeProducing()
            self._read_on()
