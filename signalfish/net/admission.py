"""
How many WebSocket connections one address, and the whole server, may have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from signalfish.net.receiver import Receiver
from signalfish.rooms.link import Link
from signalfish.wire.errors import CloseCode, ErrorCode
from signalfish.wire.operations import ClientMessage
from signalfish.wire.outgoing import Notice
from signalfish.wire.server import AuthenticationError, Error


class Admission:
    """
    Counts connections, and sends away those that are too many.

    :param per_address: the most connections of one address.
    :param total: the most connections.
    """

    def __init__(self, per_address: int, total: int) -> None:
        self._per_address = per_address
        self._total = total
        self._addresses: Counter[str] = Counter()
        self._count = 0

    def admit(self, link: Link, address: str, start: Callable[[], Receiver]) -> Receiver:
        """
        The receiver of a new connection.

        :param start: makes it, if the connection is not too many.
        """
        used = self._addresses[address]
        if used >= self._per_address:
            text = f"Too many connections from your IP ({used}/{self._per_address})"
        elif self._count >= self._total:
            text = f"Server is at capacity ({self._count}/{self._total} connections)"
        else:
            receiver = Admitted(start(), lambda: self._release(address))
            self._addresses[address] += 1
            self._count += 1
            return receiver
        if not used:
            del self._addresses[address]
        farewell = Notice(Error(message=text, error_code=ErrorCode.TOO_MANY_CONNECTIONS))
        link.close(CloseCode.TRY_AGAIN_LATER, "too_many_connections", farewell)
        return Rejected()

    def _release(self, address: str) -> None:
        self._count -= 1
        self._addresses[address] -= 1
        if not self._addresses[address]:
            del self._addresses[address]


class Admitted:
    """
    The receiver of a connection that is counted until it is closed.
    """

    __slots__ = ("_inner", "_release", "received")

    def __init__(self, inner: Receiver, release: Callable[[], None]) -> None:
        self._inner = inner
        self._release = release
        self.received = inner.received

    def refused(self, message: ClientMessage | None) -> None:
        """
        See :meth:`signalfish.net.receiver.Receiver.refused`.
        """
        self._inner.refused(message)

    def control_frame(self) -> None:
        """
        See :meth:`signalfish.net.receiver.Receiver.control_frame`.
        """
        self._inner.control_frame()

    def alive(self) -> None:
        """
        See :meth:`signalfish.net.receiver.Receiver.alive`.
        """
        self._inner.alive()

    def closed(self) -> None:
        """
        Count the connection no longer.
        """
        self._release()
        self._inner.closed()


class Rejected:
    """
    The receiver of a connection that is being sent away.
    """

    def received(self, message: ClientMessage) -> None:
        """
        It is too late to say anything.
        """

    def refused(self, message: ClientMessage | None) -> None:
        """
        Nor does it matter.
        """

    def control_frame(self) -> None:
        """
        Nor does this.
        """

    def alive(self) -> None:
        """
        Nor does this.
        """

    def closed(self) -> None:
        """
        It was never counted.
        """


def outdated(link: Link, version: int, least: int) -> Receiver:
    """
    Send a connection away whose endpoint has an older protocol version than is spoken here.
    """
    text = f"Endpoint protocol version {version} is below the server minimum {least}"
    farewell = AuthenticationError(error=text, error_code=ErrorCode.UNSUPPORTED_PROTOCOL_VERSION)
    link.close(CloseCode.NORMAL, "unregistered", Notice(farewell))
    return Rejected()
