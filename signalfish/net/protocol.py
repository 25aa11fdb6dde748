"""
One WebSocket connection: Autobahn's protocol on one side, a link for rooms on the other.

Knows bytes, frames and close codes; knows no message and no rule of the game.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from autobahn.websocket.types import ConnectionRequest
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from signalfish.net import light
from signalfish.net.binding import UNBOUND
from signalfish.net.forwarding import LOCAL
from signalfish.net.intake import Intake
from signalfish.net.liveness import ACTIVE, ANSWERED, SILENT
from signalfish.net.outbox import Outbox
from signalfish.net.patience import Patience
from signalfish.net.receiver import Receiver
from signalfish.net.whole import WholeMessages
from signalfish.wire.errors import CloseCode, ErrorCode, Refusal
from signalfish.wire.operations import ClientMessage
from signalfish.wire.outgoing import Notice, Outgoing
from signalfish.wire.refusals import answer
from signalfish.wire.server import Error
from signalfish.wire.types import Encoding, Form

if TYPE_CHECKING:
    from signalfish.net.factory import SignalingFactory

_log = Logger()

CLOSE_TIMEOUT = 1.0
"""
Seconds that a client has to read its last messages and answer the closing handshake.
"""


def _too_early(_outgoing: Outgoing) -> None:
    """
    Before the opening handshake is done nobody can be told anything.
    """


class SignalingProtocol(WholeMessages):
    """
    A client's connection, from the opening handshake on.

    :ivar deliver: see :meth:`signalfish.rooms.link.Link.deliver`.
    :ivar newer_codes: see :class:`signalfish.session.Line`.
    :ivar is_settled: whether :meth:`settle` was called.
    :ivar pulse: see :class:`signalfish.net.liveness.Connection`, like the next three.
    """

    # The option of the same name is read by Autobahn before it is set: without this, 16 ms latency.
    tcpNoDelay = True

    factory: SignalingFactory
    transport: Any  # a TCP or TLS connection, or a wrapper of one: no interface has all we use
    newer_codes = False
    deliver: Callable[[Outgoing], None] = staticmethod(_too_early)
    is_settled = False
    _is_member: Callable[[], bool]
    pulse = ACTIVE
    silence = 0
    slot = 0
    asked = 0

    def __init__(self) -> None:
        super().__init__()
        self._receiver: Receiver | None = None
        self._outbox: Outbox | None = None
        self._ending: IDelayedCall | None = None
        self._form = Form(2, Encoding.JSON)
        self._intake: Intake | None = None
        self._spectates = False
        self._terms = UNBOUND
        self._decoders = UNBOUND.decoders
        self.endpoint = ""
        self._address = LOCAL

    # What Autobahn calls.

    def onConnect(self, request: ConnectionRequest) -> tuple[str | None, dict[str, str]]:
        """
        Accept the handshake; the web resource has refused what is to be refused.
        """
        self.endpoint = request.path
        host = getattr(self.transport.getPeer(), "host", None) or LOCAL
        self._address = self.factory.proxies.client(host, request.headers)
        self._terms = self.factory.terms(request, self.transport)
        self._decoders = self._terms.decoders
        return self._terms.subprotocol, self.factory.upgrade_headers()

    def onOpen(self) -> None:
        """
        Start the conversation.
        """
        self._intake = Intake(self, self.factory.clock)
        # The HTTP channel is still registered as the producer, which would keep it alive.
        self.transport.unregisterProducer()
        self._outbox = self.factory.outbox(self)
        self.deliver = self._outbox.deliver
        self.transport.registerProducer(self._outbox, True)
        _limit_send_buffer(self.transport, self.factory.send_buffer)
        if self._terms.greeting is not None:
            self.deliver(self._terms.greeting)
        try:
            self._receiver = self.factory.connect(self, self._address, self.endpoint)
        except Exception:  # noqa: BLE001 - our bug ends this connection only
            self.fail()
            return
        self.factory.opened(self)

    def dataReceived(self, data: bytes) -> None:
        """
        Take bytes from the client.
        """
        if self.pulse is SILENT:
            self.pulse = ANSWERED
        if not self.failedByMe:  # the rest of a broken stream means nothing
            super().dataReceived(data)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """
        Decode a message, have it acted on, and answer it if it is refused.
        """
        self.pulse = ACTIVE
        receiver = self._receiver
        if receiver is None or self.state != self.STATE_OPEN:
            return
        self.factory.traffic.messages_received += 1
        message: ClientMessage | None = None
        try:
            message = self._decoders[isBinary](payload, self.factory.max_message_size)
            receiver.received(message)
        except Refusal as refusal:
            self._guarded(self._refuse, message, refusal)
        except UnicodeDecodeError:
            self.close(CloseCode.INVALID_PAYLOAD, "invalid_utf8")
        except Exception:  # noqa: BLE001 - our bug ends this connection only
            self.fail()

    def onMessageFrameBegin(self, length: int) -> None:
        """
        Count the parts of a message like messages, except for the last one.
        """
        super().onMessageFrameBegin(length)
        if not self.current_frame.fin:
            self._control_frame()

    def onMessageFrame(self, payload: Any) -> None:
        """
        Collect the pieces of a part of a message, unless there is nothing in them.
        """
        super().onMessageFrame([piece for piece in payload if piece])  # type: ignore[arg-type] # wrongly annotated

    def onPing(self, payload: bytes) -> None:
        """
        Answer a ping.
        """
        self.pulse = ACTIVE
        self._control_frame()
        super().onPing(payload)

    def onPong(self, payload: bytes) -> None:
        """
        Take note of a pong.
        """
        self._control_frame()

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """
        The connection is gone.
        """
        if self._ending is not None and self._ending.active():
            self._ending.cancel()
        if self._intake is not None:
            self._intake.close()
        if self._outbox is not None:
            self._outbox.end()
        self._release()
        # Without these references the connection is freed at once, not by the garbage collector.
        self._intake = self._outbox = self.is_closed = None
        for name in ("deliver", "_is_member"):
            vars(self).pop(name, None)

    def sendCloseFrame(
        self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False
    ) -> None:
        """
        Begin, or answer, the closing handshake; a client that does not finish it is cut off.
        """
        if self.state == self.STATE_OPEN:
            if self._outbox is not None:
                self._outbox.finish()
            if not isReply:
                self.factory.traffic.closes[code] += 1
            self.factory.clock.callLater(0, self._release)
            self._ending = self.factory.clock.callLater(
                CLOSE_TIMEOUT, self.transport.abortConnection
            )
        super().sendCloseFrame(code, reasonUtf8, isReply)

    def dropConnection(self, abort: bool = False) -> None:
        """
        Close the TCP connection; at once only if nothing that was written could be lost by it.
        """
        super().dropConnection(abort and not self.failedByMe)

    # What rooms and conversations call.

    def close(self, code: CloseCode, reason: str, farewell: Outgoing | None = None) -> None:
        """
        See :meth:`signalfish.rooms.link.Link.close`.
        """
        if self.state != self.STATE_OPEN or self._outbox is None:
            return
        if code is CloseCode.SLOW_CONSUMER:
            self._outbox.discard()
        else:
            self._outbox.flush()
        if farewell is not None and (code is not CloseCode.KICKED or self.newer_codes):
            self.transport.write(farewell.frame(self.form))
        self.sendCloseFrame(code, reason.encode())

    @property
    def form(self) -> Form:
        """
        See :class:`signalfish.rooms.link.Link`.
        """
        return self._form

    @form.setter
    def form(self, value: Form) -> None:
        self._form = value
        if self._outbox is not None:
            self._outbox.serve(value)

    @property
    def fingerprint(self) -> str | None:
        """
        See :class:`signalfish.session.Line`.
        """
        return self._terms.fingerprint

    @property
    def spectates(self) -> bool:
        """
        See :class:`signalfish.session.Line`.
        """
        return self._spectates

    @spectates.setter
    def spectates(self, value: bool) -> None:
        self._spectates = value
        if self._outbox is not None:
            self._outbox.patience.seconds = 0 if value else self.factory.limits.outbox.patience

    def settle(self, is_member: Callable[[], bool]) -> None:
        """
        See :class:`signalfish.session.Line`.
        """
        light.lighten(self)
        self.is_settled = True
        self._is_member = is_member
        self.factory.settled(self)

    # What the liveness check, the limits and other connections' outboxes call.

    def ping(self) -> None:
        """
        Send a WebSocket ping with eight random bytes that are not all zero.
        """
        self.sendPing(UUID(self.factory.new_id()).bytes[:8])

    def alive(self) -> None:
        """
        See :meth:`signalfish.net.liveness.Connection.alive`.
        """
        if self._receiver is not None:
            self._receiver.alive()

    def tell_statistics(self, interval_ms: int) -> None:
        """
        Tell the client how delivery goes, if it can be told.

        :param interval_ms: how often it is told.
        """
        if self.state == self.STATE_OPEN and self.is_settled and self._outbox is not None:
            self._outbox.tell_statistics(interval_ms, with_counts=self._is_member())

    def rest(self, seconds: float) -> None:
        """
        Read nothing from the client for a while.
        """
        if self._intake is not None:
            self._intake.rest(seconds)

    def hold(self, patience: Patience) -> None:
        """
        See :meth:`signalfish.net.patience.Source.hold`.
        """
        if self._intake is not None:
            self._intake.hold(patience)

    def let_go(self, patience: Patience) -> None:
        """
        See :meth:`signalfish.net.patience.Source.let_go`.
        """
        if self._intake is not None:
            self._intake.let_go(patience)

    def _control_frame(self) -> None:
        if self._receiver is not None:
            self._guarded(self._receiver.control_frame)

    def _guarded(self, act: Callable[..., None], *arguments: object) -> None:
        try:
            act(*arguments)
        except Exception:  # noqa: BLE001 - our bug ends this connection only
            self.fail()

    def _refuse(self, message: ClientMessage | None, refusal: Refusal) -> None:
        reply = Notice(answer(message, refusal, newer_codes=self.newer_codes))
        if refusal.close is not None:
            self.close(*refusal.close, reply)
            return
        self.deliver(reply)
        if self._receiver is not None:
            self._receiver.refused(message)

    def too_large(self) -> None:
        """
        See :meth:`signalfish.net.outbox.Recipient.too_large`.
        """
        self.close(CloseCode.MESSAGE_TOO_BIG, "outbound_message_too_large")

    def give_up(self) -> None:
        """
        See :meth:`signalfish.net.outbox.Recipient.give_up`.
        """
        text = "Disconnected because outbound delivery could not make progress"
        farewell = Notice(Error(message=text, error_code=ErrorCode.SLOW_CONSUMER))
        self.close(CloseCode.SLOW_CONSUMER, "slow_consumer", farewell)

    def fail(self) -> None:
        """
        Log the bug that is being handled, and end the connection.
        """
        _log.failure("A bug ended the connection of {peer}", peer=self.peer)
        self.close(CloseCode.INTERNAL_ERROR, "internal_error")

    def _release(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is None:
            return
        self.factory.closed(self)
        try:
            receiver.closed()
        except Exception:  # noqa: BLE001 - our bug ends this connection only
            _log.failure("A bug in the end of the connection of {peer}", peer=self.peer)


def _limit_send_buffer(transport: Any, size: int) -> None:
    """
    Keep the kernel from queueing megabytes for a slow client, where the transport is a socket.
    """
    try:
        if size:
            transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
    except (AttributeError, OSError, TypeError):
        pass
