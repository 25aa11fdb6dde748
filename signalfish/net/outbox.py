"""
What waits to be sent to one client, within bounds.

While the socket keeps up, frames go straight to the transport and nothing is kept here. Once it
does not, they wait here, in order. A client that lets too many wait for too long is given up;
meanwhile those who send much of what waits are not read, and everybody else may still append.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from attrs import frozen
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, ITransport
from zope.interface import implementer

from signalfish.net.accounts import Accounts, LeftOut
from signalfish.net.lanes import Fifo, Lanes, Queue
from signalfish.wire.accounts import GapReason
from signalfish.wire.frames import text_frame
from signalfish.wire.outgoing import encode
from signalfish.wire.plans import FIRST_VERSION
from signalfish.wire.types import DeliveryClass

HARD_LIMIT = 4 << 20
"""
The most bytes that wait for one client.
"""

_RECOVERY = 0.5  # seconds of having been stalled that are forgiven for each second of not being it


class Source(Protocol):
    """
    A connection whose messages wait in other connections' outboxes.
    """

    def hold(self, outbox: Outbox) -> None:
        """
        Read no more from the client until this outbox lets go. May be called again meanwhile.
        """

    def let_go(self, outbox: Outbox) -> None:
        """
        Read from the client again, as far as this outbox is concerned.
        """


@frozen
class OutboxLimits:
    """
    How far a client may fall behind.

    :ivar capacity: frames that may wait before the client counts as stalled.
    :ivar patience: seconds that it may stay stalled.
    :ivar backlog: bytes of one sender that may wait for a stalled client before the sender is held.
    """

    capacity: int = 1024
    patience: float = 5.0
    backlog: int = 128 << 10


@implementer(IPushProducer)
class Outbox:
    """
    The queue of one connection, and the producer of its transport.

    :param give_up: called, at most once and not from within :meth:`send`, when the client is too
        slow.
    :ivar patience: seconds that the client may stay stalled.
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
        self.patience = limits.patience
        self._owed: dict[Source, int] = {}
        self._queue: Queue = Fifo()
        self._accounts: Accounts | None = None
        self._blocked = False
        self._doomed = False
        self._strain = 0.0
        self._changed = 0.0
        self._verdict: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._queue)

    def keep_accounts(self) -> None:
        """
        Serve a client that speaks protocol 3, from here on.
        """
        self._accounts = Accounts()
        lanes = Lanes(self._accounts, self._limits.capacity)
        while (frame := self._queue.pop()) is not None:
            lanes.put(frame, None)
        self._queue = lanes

    def send(self, frame: bytes, outgoing: Any) -> None:
        """
        Send a frame, now or as soon as it is its turn.

        :param outgoing: the message that the frame holds.
        """
        if self._doomed:
            return
        if not self._blocked:
            if self._accounts is not None and outgoing.source is not None:
                self._accounts.delivered(outgoing)
            self._transport.write(frame)
            return
        self._queue.put(frame, outgoing)
        if len(self._queue) >= self._limits.capacity:
            self._stall(outgoing, len(frame))
        if self._queue.size > HARD_LIMIT:
            self._give_up_now()

    def leave_out(self, data: Any, reason: GapReason) -> None:
        """
        Do not send some game data; tell the client, if it speaks protocol 3.
        """
        if self._accounts is None or self._doomed:
            return
        if isinstance(self._queue, Lanes) and self._blocked:
            self._queue.leave_out(data, reason)
            return
        report = self._accounts.left_out([LeftOut(data, data.seq, reason)])
        self._transport.write(text_frame(encode(report, FIRST_VERSION)))

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
        while not self._blocked and (frame := self._queue.pop()) is not None:
            self._transport.write(frame)
        if len(self._queue) < self._limits.capacity:
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
        while (frame := self._queue.pop()) is not None:
            self._transport.write(frame)
        self.discard()

    def discard(self) -> None:
        """
        Forget what waits.
        """
        self._pardon()
        self._queue.clear()

    def _stall(self, outgoing: Any, size: int) -> None:
        if self._verdict is None:
            now = self._clock.seconds()
            self._strain = max(0.0, self._strain - (now - self._changed) * _RECOVERY)
            self._changed = now
            patience = max(0.0, self.patience - self._strain)
            self._verdict = self._clock.callLater(patience, self._give_up)
        source = outgoing.source
        if source is None or self._may_leave_out(outgoing):
            return
        owed = self._owed[source] = self._owed.get(source, 0) + size
        if owed > self._limits.backlog:
            source.hold(self)

    def _may_leave_out(self, data: Any) -> bool:
        return self._accounts is not None and data.kind in (
            DeliveryClass.LATEST,
            DeliveryClass.VOLATILE,
        )

    def _give_up_now(self) -> None:
        self.discard()
        self._doomed = True  # something is lost, so this must not end in a pardon
        self._clock.callLater(0, self._give_up)

    def _pardon(self) -> None:
        if self._verdict is not None:
            now = self._clock.seconds()
            self._strain += now - self._changed
            self._changed = now
            if self._verdict.active():
                self._verdict.cancel()
        self._verdict = None
        sources, self._owed = self._owed, {}
        for source in sources:
            source.let_go(self)
