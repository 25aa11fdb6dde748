"""
What waits to be sent to one client, within bounds.

While the socket keeps up, what comes up in one turn of the reactor is handed to the transport at
its end, as one write. Once it does not, frames wait here, in order. A client that lets too many
wait for too long is given up; meanwhile those who send much of what waits are not read, and
everybody else may still append.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from attrs import frozen
from twisted.internet.interfaces import IPushProducer, IReactorTime, ITransport
from zope.interface import implementer

from signalfish.net.accounts import Accounts
from signalfish.net.advisories import Advisories
from signalfish.net.gathering import Gathering
from signalfish.net.lanes import Fifo, Lanes, Queue
from signalfish.net.patience import Patience
from signalfish.net.sojourn import Sojourn, Spans
from signalfish.net.turns import Turns
from signalfish.wire.accounts import GapReason
from signalfish.wire.frames import text_frame
from signalfish.wire.outgoing import Outgoing, Undeliverable, encode
from signalfish.wire.plans import FIRST_VERSION
from signalfish.wire.types import DeliveryClass, Encoding, Form

HARD_LIMIT = 4 << 20
"""
The most bytes that wait for one client.
"""

_LARGE = 64 << 10  # bytes that are written as one, about, if more came up in a turn


class Recipient(Protocol):
    """
    The connection that an outbox belongs to.
    """

    def give_up(self) -> None:
        """
        The client is too slow. Not called from within :meth:`Outbox.deliver`.
        """

    def too_large(self) -> None:
        """
        Something that the client must be told is larger than any client takes.
        """

    def fail(self) -> None:
        """
        There is a bug.
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


class Counting(Protocol):
    """
    Numbers for operators.

    :ivar messages_sent: how many messages were sent, or are going to be.
    """

    messages_sent: int


@frozen(eq=False)
class Office:
    """
    What all outboxes of a server share.

    :ivar traffic: where to count messages.
    :ivar largest: bytes that a frame may have.
    """

    clock: IReactorTime
    limits: OutboxLimits
    sojourn: Sojourn
    turns: Turns
    traffic: Counting
    largest: int


@implementer(IPushProducer)
class Outbox:
    """
    The queue of one connection, and the producer of its transport.

    :ivar patience: what is left of it with the client.
    """

    __slots__ = (
        "_accounts",
        "_advisories",
        "_blocked",
        "_doomed",
        "_draining",
        "_form",
        "_gathering",
        "_office",
        "_pending",
        "_queue",
        "_recipient",
        "_slot",
        "_small",
        "_traffic",
        "_transport",
        "_turns",
        "patience",
    )

    def __init__(self, transport: ITransport, recipient: Recipient, office: Office) -> None:
        self._transport = transport
        self._recipient = recipient
        self._office = office
        self._turns = office.turns
        self._traffic = office.traffic
        self._small = min(_LARGE, office.largest)
        limits = office.limits
        self.patience = Patience(office.clock, limits.patience, limits.backlog, recipient.give_up)
        self._form = Form(2, Encoding.JSON)
        self._slot = self._form.slot
        self._pending: list[Outgoing] = []
        self._queue: Queue = Fifo(limits.capacity)
        self._accounts: Accounts | None = None
        self._advisories: Advisories | None = None
        self._gathering: Gathering | None = None
        self._blocked = False
        self._draining = False
        self._doomed = False

    def __len__(self) -> int:
        return len(self._queue)

    def give_up(self) -> None:
        """
        The client is too slow.
        """
        self._recipient.give_up()

    def fail(self) -> None:
        """
        There is a bug.
        """
        self._recipient.fail()

    def serve(self, form: Form) -> None:
        """
        Serve a client that understands this, from here on.
        """
        self.flush_turn()
        if form.version >= FIRST_VERSION > self._form.version:
            self._keep_accounts()
        self._form = form
        self._slot = form.slot

    def deliver(self, outgoing: Outgoing) -> None:
        """
        Send a message, at the end of this turn or as soon as it is its turn.
        """
        pending = self._pending
        if not pending:
            self._turns.add(self)
        pending.append(outgoing)

    def flush_turn(self) -> None:
        """
        Send what has come up.
        """
        pending, self._pending = self._pending, []
        if self._doomed or not pending:
            return
        self._send_together(pending)

    def tell_statistics(self, interval_ms: int, *, with_counts: bool) -> None:
        """
        Tell the client how delivery goes, if it speaks protocol 3 and nothing waits for it.

        :param with_counts: whether it is in a room, so that it can be told the counts by class.
        """
        self.flush_turn()
        if self._accounts is None or self._blocked or self._doomed:
            return
        messages = [
            self._accounts.statistics(interval_ms, self.patience.stalls),
            self._accounts.counts(),
        ]
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
        self._office.sojourn.watch(self)

    def resumeProducing(self) -> None:
        """
        The transport has sent what it had.
        """
        self._blocked = False
        if self._draining:  # it has sent, within a write, what it was just given
            return
        self._draining = True
        while not self._blocked and (data := self._next()):
            self._transport.write(data)
        self._draining = False
        if not self._blocked:
            self._office.sojourn.forget(self)
        if not self._queue.is_full:
            self.patience.restore()

    def stopProducing(self) -> None:
        """
        The connection is gone.
        """
        self.end()

    def flush(self) -> None:
        """
        Hand everything that waits to the transport, because nothing will come after it.
        """
        self.flush_turn()
        self._report()
        while data := self._next():
            self._transport.write(data)
        self.discard()

    def finish(self) -> None:
        """
        Send what has come up in this turn, and nothing else.
        """
        self.flush_turn()
        self.end()

    def end(self) -> None:
        """
        Send nothing any more.
        """
        self.discard()
        self._doomed = True

    def discard(self) -> None:
        """
        Forget what waits.
        """
        self._office.sojourn.forget(self)
        self.patience.restore()
        self._queue.clear()
        self._pending.clear()
        if self._gathering is not None:
            self._gathering.take()

    def _send_together(self, pending: list[Outgoing]) -> None:
        slot = self._slot
        try:
            data = b"".join([outgoing.frames[slot] for outgoing in pending])  # type: ignore[misc] # None is what TypeError is for
        except TypeError:  # some frame has not been made
            try:
                data = b"".join([outgoing.frame(self._form) for outgoing in pending])
            except Undeliverable:
                self._send_each(pending)
                return
        if self._blocked or self._gathering or len(data) > self._small:
            self._send_in_parts(pending)
            return
        self._count(pending)
        self._transport.write(data)

    def _send_in_parts(self, pending: list[Outgoing]) -> None:
        """
        Send by halves what is too much for one write, and by itself what is not just written.
        """
        middle = len(pending) // 2
        if self._blocked or self._gathering or not middle:
            self._send_each(pending)
            return
        self._send_together(pending[:middle])
        if not self._doomed:
            self._send_together(pending[middle:])

    def _send_each(self, pending: list[Outgoing]) -> None:
        for outgoing in pending:
            try:
                frame = outgoing.frame(self._form)
            except Undeliverable as problem:
                self._withhold(outgoing, problem)
                continue
            if len(frame) > self._office.largest:
                self._withhold_large(outgoing)
            elif frame:
                self._send(frame, outgoing)

    def _withhold_large(self, outgoing: Any) -> None:
        if outgoing.source is None:
            self._recipient.too_large()
            return
        sender = outgoing.origin.player
        text = f"Undeliverable game data from player {sender}: as JSON it is too large"
        self._withhold(outgoing, Undeliverable(sender, text))

    def _withhold(self, outgoing: Any, problem: Undeliverable) -> None:
        self.leave_out(outgoing, GapReason.UNSUPPORTED_FORMAT)
        if self._advisories is None:
            self._advisories = Advisories()
        notice = self._advisories.about(problem, self._office.clock.seconds())
        if notice is not None:
            self._send(notice.frame(self._form), notice)

    def _send(self, frame: bytes, outgoing: Any) -> None:
        if self._doomed:
            return
        if self._gathering is not None and self._tells_of(outgoing):
            self._report()
        if not self._blocked:
            self._count([outgoing])
            self._transport.write(frame)
            return
        self._traffic.messages_sent += 1
        self._queue.put(frame, outgoing)
        if self._queue.is_full and not self._may_leave_out(outgoing):
            self.patience.try_on(outgoing.source, len(frame))
        self._check_hard_limits()

    def leave_out(self, data: Any, reason: GapReason) -> None:
        """
        Do not send some game data that has come up; tell the client soon, if it speaks protocol 3.
        """
        if self._accounts is None or self._doomed:
            return
        if isinstance(self._queue, Lanes) and self._blocked:
            self._report()
            self._queue.leave_out(data, reason)
            self._check_hard_limits()
            return
        if self._gathering is None:
            self._gathering = Gathering(self._office.clock, self._report)
        self._gathering.add(data, reason)

    def _tells_of(self, outgoing: Any) -> bool:
        """
        Whether what has been left out must be reported before something is sent.

        That is so unless it is game data of somebody else, and sent at once.
        """
        if self._blocked or outgoing.source is None:
            return True
        return self._gathering is not None and self._gathering.has(outgoing.origin.player)

    def _report(self) -> None:
        gaps = () if self._gathering is None else self._gathering.take()
        if gaps and self._accounts is not None:
            report = self._accounts.left_out(gaps)
            self._transport.write(text_frame(encode(report, FIRST_VERSION)))

    def _next(self) -> bytes:
        """
        The frames that are sent next, about as many as the transport takes at once.
        """
        frames, size = [], 0
        while size < _LARGE and (frame := self._queue.pop()) is not None:
            frames.append(frame)
            size += len(frame)
        return b"".join(frames)

    def _count(self, sent: Sequence[Any]) -> None:
        self._traffic.messages_sent += len(sent)
        if self._accounts is not None:
            self._accounts.delivered_all(sent)

    def _keep_accounts(self) -> None:
        self._accounts = Accounts()
        limits = self._office.limits
        lanes = Lanes(self._accounts, limits.capacity, limits.control_capacity)
        while (frame := self._queue.pop()) is not None:
            lanes.put(frame, None)
        self._queue = lanes
        self._office.sojourn.forget(self)
        if self._blocked:
            self._office.sojourn.watch(self)

    def _may_leave_out(self, outgoing: Any) -> bool:
        if self._accounts is None or outgoing.source is None:
            return False
        return outgoing.kind in (DeliveryClass.LATEST, DeliveryClass.VOLATILE)

    def _check_hard_limits(self) -> None:
        if self._queue.size <= HARD_LIMIT and self._queue.is_accountable:
            return
        self.end()  # something is lost, so this must not end in a pardon
        self._office.clock.callLater(0, self.give_up)
