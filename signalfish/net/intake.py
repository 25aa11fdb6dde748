"""
When a connection is read, and when the server lets it wait.
"""

from __future__ import annotations

from typing import Any, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Reader(Protocol):
    """
    What is read.

    :ivar reads: whether anything is taken of what has been received; set here.
    """

    transport: Any
    reads: bool

    def consumeData(self) -> None:
        """
        Go on with what has been received.
        """


class Intake:
    """
    The reading side of one connection. It is read unless it rests, or somebody holds it.
    """

    __slots__ = ("_clock", "_holders", "_is_closed", "_reader", "_resting")

    def __init__(self, reader: Reader, clock: IReactorTime) -> None:
        self._reader = reader
        self._clock = clock
        self._resting: IDelayedCall | None = None
        self._holders: frozenset[object] = frozenset()
        self._is_closed = False

    def rest(self, seconds: float) -> None:
        """
        Read nothing for a while.
        """
        if self._resting is None:
            self._resting = self._clock.callLater(seconds, self._rested)
            self._pause()

    def hold(self, holder: object) -> None:
        """
        Read nothing until this holder lets go. May be called again meanwhile.
        """
        self._holders |= {holder}
        self._pause()

    def let_go(self, holder: object) -> None:
        """
        Read again, on a later turn, as far as this holder is concerned.
        """
        if holder in self._holders:
            self._holders -= {holder}
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

    def _pause(self) -> None:
        self._reader.reads = False
        self._reader.transport.pauseProducing()

    def _resume(self) -> None:
        if self._resting is None and not self._holders and not self._is_closed:
            self._reader.reads = True
            self._reader.transport.resumeProducing()
            self._reader.consumeData()
