"""
The Autobahn factory: what all connections of a server share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from attrs import Factory, define, frozen
from autobahn.twisted.websocket import WebSocketServerFactory
from autobahn.websocket.types import ConnectionRequest
from twisted.internet.interfaces import IReactorTime, ITransport

from signalfish.net import light, quiet
from signalfish.net.binding import UNBOUND, Binder, Terms
from signalfish.net.forwarding import Proxies
from signalfish.net.liveness import Liveness
from signalfish.net.origins import Origins
from signalfish.net.outbox import Office, Outbox, OutboxLimits
from signalfish.net.protocol import SignalingProtocol
from signalfish.net.receiver import Receiver
from signalfish.net.sojourn import Sojourn
from signalfish.net.turns import Turns
from signalfish.wire.frames import text_frame
from signalfish.wire.outgoing import Notice
from signalfish.wire.plans import FIRST_VERSION

Connect = Callable[[SignalingProtocol, str, str], Receiver]
"""
Makes the receiver of a new connection, given the connection, its address and the path it asked for.
"""


@define
class Traffic:
    """
    What has gone over all connections since the start.
    """

    connections: int = 0
    disconnections: int = 0
    messages_received: int = 0
    messages_sent: int = 0
    closes: Counter[int | None] = Factory(Counter)

    @property
    def active(self) -> int:
        """
        How many connections there are now.
        """
        return self.connections - self.disconnections


@frozen
class FactoryLimits:
    """
    Sizes in bytes; 0 for the send buffer leaves it as the system has it.

    :ivar max_message_size: larger messages are refused; at twice the size the connection ends.
    :ivar max_outbound_message_size: no larger message is sent.
    """

    outbox: OutboxLimits
    max_message_size: int = 65536
    max_outbound_message_size: int = 8 << 20
    send_buffer: int = 65536


class SignalingFactory(WebSocketServerFactory):
    """
    Builds the protocol of each connection.

    :param new_id: makes random UUIDs, as text.
    :ivar binder: binds connections, if any are to be bound.
    :ivar origins: the web pages that may connect; all at first.
    :ivar proxies: the reverse proxies that are believed; none at first.
    :ivar limits: see :class:`FactoryLimits`.
    :ivar sojourn: judges how long messages wait, while it runs.
    :ivar connections: those whose handshake is done and whose end has not come.
    :ivar warning: what clients are told because the server stops; None while it goes on.
    """

    protocol = SignalingProtocol  # type: ignore[assignment] # Twisted expects a plain Protocol
    binder: Binder | None = None

    def __init__(
        self,
        clock: IReactorTime,
        new_id: Callable[[], str],
        connect: Connect,
        liveness: Liveness,
        limits: FactoryLimits,
    ) -> None:
        quiet.make_lazily()
        super().__init__(server="", reactor=clock)
        self.clock = clock
        self.new_id = new_id
        self.connect = connect
        self.origins = Origins()
        self.proxies = Proxies()
        self.traffic = Traffic()
        self.connections: set[SignalingProtocol] = set()
        self.warning: Notice | None = None
        self._on_deserted: Callable[[], None] | None = None
        self.max_message_size = limits.max_message_size
        self.sojourn = Sojourn(clock, limits.outbox.sojourn)
        self._office = Office(
            clock,
            limits.outbox,
            self.sojourn,
            Turns(clock),
            self.traffic,
            len(text_frame(bytes(limits.max_outbound_message_size))),
        )
        self.send_buffer = limits.send_buffer
        self._liveness = liveness
        self.limits = limits
        # Autobahn's own timers and pings know only whole seconds and the global reactor, so they
        # are off. No compression: one frame must fit all recipients. UTF-8 is checked by the codec.
        self.setProtocolOptions(
            versions=[13],
            webStatus=False,
            utf8validateIncoming=False,
            maxFramePayloadSize=2 * limits.max_message_size,
            maxMessagePayloadSize=2 * limits.max_message_size,
            failByDrop=False,
            echoCloseCodeReason=True,
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            autoPingInterval=0,
            allowNullOrigin=True,
        )
        self.protocol = type("SignalingProtocol", (SignalingProtocol,), light.shared(self))  # type: ignore[assignment] # as above

    def upgrade_headers(self, outcome: str = "accepted") -> dict[str, str]:
        """
        What the response to every handshake carries.
        """
        return {
            "x-signal-fish-request-id": self.new_id(),
            "x-signal-fish-upgrade-outcome": outcome,
            "x-signal-fish-max-outbound-message-size": str(self.limits.max_outbound_message_size),
        }

    def terms(self, request: ConnectionRequest, transport: ITransport) -> Terms:
        """
        What holds for the connection of a handshake, which the web resource has let through.
        """
        if self.binder is None:
            return UNBOUND
        keys = [request.headers["sec-websocket-key"]]
        return self.binder.terms(request.protocols, keys, transport)

    def outbox(self, connection: SignalingProtocol) -> Outbox:
        """
        A queue for a new connection.
        """
        return Outbox(connection.transport, connection, self._office)

    def opened(self, connection: SignalingProtocol) -> None:
        """
        A connection's handshake is done.
        """
        self.traffic.connections += 1
        self.connections.add(connection)
        self._liveness.add(connection)

    def closed(self, connection: SignalingProtocol) -> None:
        """
        A connection has come to its end.
        """
        self.connections.discard(connection)
        self.traffic.disconnections += 1
        self._liveness.remove(connection)
        if self._on_deserted is not None and not self.connections:
            self._on_deserted()

    def stay(self) -> None:
        """
        Take back :meth:`going_away`.
        """
        self.warning = None
        self._on_deserted = None

    def settled(self, connection: SignalingProtocol) -> None:
        """
        It is known what a connection can be told.
        """
        if self.warning is not None and connection.form.version >= FIRST_VERSION:
            connection.deliver(self.warning)

    def going_away(self, warning: Notice, on_deserted: Callable[[], None]) -> None:
        """
        Refuse handshakes from here on, and warn everybody.

        :param on_deserted: called when the last connection is gone.
        """
        self.warning = warning
        self._on_deserted = on_deserted
        for connection in tuple(self.connections):
            if connection.is_settled:
                self.settled(connection)
