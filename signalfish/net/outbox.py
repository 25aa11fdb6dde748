"""
What waits to be sent to one client, within bounds.

While the socket keeps up, frames go straight to the transport and nothing is kept here. Once it
does not, they wait here, in order, and a client that lets too many wait for too long is given up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from attrs import frozen
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, ITransport
from zope.interface import implementer

HARD_LIMIT = 4 << 20
"""
The most bytes that wait for one client.
"""


@frozen
class OutboxLimits:
    """
    How far a client may fall behind.

    :ivar capacity: frames that may wait before the client counts as stalled.
    :ivar patience: seconds that it may stay stalled.
    """

    capacity: int = 1024
    patience: float = 5.0


@implementer(IPushProducer)
class Outbox:
    """
    The queue of one connection, and the producer of its transport.

    :param give_up: called, at most once and not from within :meth:`send`, when the client is too
        slow.
    """

    def __init__(
        self,
        transport: ITransport,
        clock: IReactorTime,
        limits: OutboxLimits,
        give_up: Callable[[], None],
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._limits = limits
        self._give_up = give_up
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._blocked = False
        self._verdict: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def send(self, frame: bytes) -> None:
        """
        Send a frame, now or as soon as everything before it is sent.
        """
        if not self._blocked:
            self._transport.write(frame)
            return
        self._waiting.append(frame)
        self._bytes += len(frame)
        if self._verdict is None and len(self._waiting) >= self._limits.capacity:
            self._verdict = self._clock.callLater(self._limits.patience, self._give_up)
        if self._bytes > HARD_LIMIT:
            self._give_up_now()

    def pauseProducing(self) -> None:
        """
        The transport has enough for now. May be called again while that is so.
        """
        self._blocked = True

    def resumeProducing(self) -> None:
        """
        The transport has sent what it had.
        """
        self._blocked = False
        while self._waiting and not self._blocked:
            frame = self._waiting.popleft()
            self._bytes -= len(frame)
            self._transport.write(frame)
        if len(self._waiting) < self._limits.capacity:
            self._pardon()

    def stopProducing(self) -> None:
        """
        The connection is gone.
        """
        self.discard()

    def flush(self) -> None:
        """
        Hand everything that waits to the transport, because nothing will come after it.
        """
        while self._waiting:
            self._transport.write(self._waiting.popleft())
        self.discard()

    def discard(self) -> None:
        """
        Forget what waits.
        """
        self._pardon()
        self._waiting.clear()
        self._bytes = 0

    def _give_up_now(self) -> None:
        self.discard()
        self._verdict = self._clock.callLater(0, self._give_up)

    def _pardon(self) -> None:
        if self._verdict is not None and self._verdict.active():
            self._verdict.cancel()
        self._verdict = None
