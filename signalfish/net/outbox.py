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
from signalfish.net.sojourn import Sojourn, Spans
from signalfish.wire.accounts import GapReason
from signalfish.wire.frames import text_frame
from signalfish.wire.outgoing import encode
from signalfish.wire.plans import FIRST_VERSION
from signalfish.wire.types import DeliveryClass

HARD_LIMIT = 4 << 20
"""
The most bytes that wait for one client.
"""

# Clients keep each report in mind until something comes from that sender, and not too many.
_REPORT_INTERVAL = 1.0

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
    :ivar control_capacity: those of control messages alone, where they have a lane of their own.
    :ivar patience: seconds that it may stay stalled.
    :ivar sojourn: seconds that one message may wait.
    :ivar backlog: bytes of one sender that may wait for a stalled client before the sender is held.
    """

    capacity: int = 1024
    control_capacity: int = 128
    patience: float = 5.0
    sojourn: float = 15.0
    backlog: int = 128 << 10


@implementer(IPushProducer)
class Outbox:
    """
    The queue of one connection, and the producer of its transport.

    :ivar give_up: called, not from within :meth:`send`, when the client is too slow.
    :ivar patience: seconds that the client may stay stalled.
    """

    def __init__(
        self,
        transport: ITransport,
        clock: IReactorTime,
        limits: OutboxLimits,
        sojourn: Sojourn,
        give_up: Callable[[], None],
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._limits = limits
        self._sojourn = sojourn
        self.give_up = give_up
        self.patience = limits.patience
        self._owed: dict[Source, int] = {}
        self._queue: Queue = Fifo(limits.capacity)
        self._accounts: Accounts | None = None
        self._blocked = False
        self._doomed = False
        self._strain = 0.0
        self._changed = 0.0
        self._verdict: IDelayedCall | None = None
        self._unreported: dict[str, LeftOut] = {}
        self._reporting: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._queue)

    def keep_accounts(self) -> None:
        """
        Serve a client that speaks protocol 3, from here on.
        """
        self._accounts = Accounts()
        limits = self._limits
        lanes = Lanes(self._accounts, limits.capacity, limits.control_capacity)
        while (frame := self._queue.pop()) is not None:
            lanes.put(frame, None)
        self._queue = lanes
        self._sojourn.forget(self)
        if self._blocked:
            self._sojourn.watch(self)

    def send(self, frame: bytes, outgoing: Any) -> None:
        """
        Send a frame, now or as soon as it is its turn.

        :param outgoing: the message that the frame holds.
        """
        if self._doomed:
            return
        if self._unreported and self._tells_of(outgoing):
            self._report()
        if not self._blocked:
            if self._accounts is not None:
                self._account(outgoing)
            self._transport.write(frame)
            return
        self._queue.put(frame, outgoing)
        if self._queue.is_full and not self._may_leave_out(outgoing):
            self._stall(outgoing, len(frame))
        self._check_hard_limits()

    def leave_out(self, data: Any, reason: GapReason) -> None:
        """
        Do not send some game data; tell the client soon, if it speaks protocol 3.
        """
        if self._accounts is None or self._doomed:
            return
        if isinstance(self._queue, Lanes) and self._blocked:
            self._report()
            self._queue.leave_out(data, reason)
            self._check_hard_limits()
            return
        gap = self._unreported.get(data.origin.player)
        if gap is not None and not gap.grows_by(data, reason):
            self._report()
            gap = None
        if self._reporting is None:
            self._reporting = self._clock.callLater(_REPORT_INTERVAL, self._report)
        gap = gap or LeftOut(data, data.seq, reason)
        self._unreported[data.origin.player] = gap._replace(last=data.seq)

    def tell_statistics(self, interval_ms: int, *, with_counts: bool) -> None:
        """
        Tell the client how delivery goes, if it speaks protocol 3 and nothing waits for it.

        :param with_counts: whether it is in a room, so that it can be told the counts by class.
        """
        if self._accounts is None or self._blocked or self._doomed:
            return
        messages = [self._accounts.statistics(interval_ms), self._accounts.counts()]
        for message in messages[: 1 + with_counts]:
            self._transport.write(text_frame(encode(message, FIRST_VERSION)))

    def spans(self) -> Spans:
        """
        See :meth:`signalfish.net.sojourn.Waiting.spans`.
        """
        return self._queue.spans()

    def pauseProducing(self) -> None:
        """
        The transport has enough for now. May be called again while that is so.
        """
        self._blocked = True
        self._sojourn.watch(self)

    def resumeProducing(self) -> None:
        """
        The transport has sent what it had.
        """
        self._blocked = False
        while not self._blocked and (frame := self._queue.pop()) is not None:
            self._transport.write(frame)
        if not self._blocked:
            self._sojourn.forget(self)
        if not self._queue.is_full:
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
        self._report()
        while (frame := self._queue.pop()) is not None:
            self._transport.write(frame)
        self.discard()

    def discard(self) -> None:
        """
        Forget what waits.
        """
        self._sojourn.forget(self)
        self._pardon()
        self._queue.clear()
        self._take_unreported()

    def _stall(self, outgoing: Any, size: int) -> None:
        if self._verdict is None:
            now = self._clock.seconds()
            self._strain = max(0.0, self._strain - (now - self._changed) * _RECOVERY)
            self._changed = now
            patience = max(0.0, self.patience - self._strain)
            self._verdict = self._clock.callLater(patience, self.give_up)
            if self._accounts is not None:
                self._accounts.stalls += 1
        source = outgoing.source
        if source is None:
            return
        owed = self._owed[source] = self._owed.get(source, 0) + size
        if owed > self._limits.backlog:
            source.hold(self)

    def _tells_of(self, outgoing: Any) -> bool:
        """
        Whether what has been left out must be reported before something is sent.

        That is so unless it is game data of somebody else, and sent at once.
        """
        if self._blocked or outgoing.source is None:
            return True
        return outgoing.origin.player in self._unreported

    def _report(self) -> None:
        gaps = self._take_unreported()
        if gaps and self._accounts is not None:
            report = self._accounts.left_out(gaps)
            self._transport.write(text_frame(encode(report, FIRST_VERSION)))

    def _take_unreported(self) -> tuple[LeftOut, ...]:
        if self._reporting is not None and self._reporting.active():
            self._reporting.cancel()
        self._reporting = None
        gaps = tuple(self._unreported.values())
        self._unreported.clear()
        return gaps

    def _may_leave_out(self, outgoing: Any) -> bool:
        if self._accounts is None or outgoing.source is None:
            return False
        return outgoing.kind in (DeliveryClass.LATEST, DeliveryClass.VOLATILE)

    def _account(self, outgoing: Any) -> None:
        assert self._accounts is not None  # noqa: S101 - for the type checker
        if outgoing.source is None:
            self._accounts.sent += 1
        else:
            self._accounts.delivered(outgoing)

    def _check_hard_limits(self) -> None:
        if self._queue.size <= HARD_LIMIT and self._queue.is_accountable:
            return
        self.discard()
        self._doomed = True  # something is lost, so this must not end in a pardon
        self._clock.callLater(0, self.give_up)

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
