"""
The gate of a server that serves nobody who has not authenticated.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from signalfish.net.receiver import Receiver
from signalfish.rooms.link import Link
from signalfish.wire.client import Authenticate, BinaryGameData
from signalfish.wire.errors import CloseCode, ErrorCode, Refusal
from signalfish.wire.operations import ClientMessage
from signalfish.wire.outgoing import Notice
from signalfish.wire.server import Error


class Gate:
    """
    A receiver that lets nothing but Authenticate through until one has been accepted.

    :param timeout: seconds that the client has for that, however often it tries.
    """

    def __init__(self, inner: Receiver, link: Link, clock: IReactorTime, timeout: int) -> None:
        self._inner = inner
        self._link = link
        self._timeout = timeout
        self._is_open = False
        self._waiting = clock.callLater(timeout, self._give_up)
        self.refused = inner.refused
        self.control_frame = inner.control_frame
        self.alive = inner.alive

    def received(self, message: ClientMessage) -> None:
        """
        See :meth:`signalfish.net.receiver.Receiver.received`.
        """
        if self._is_open:
            self._inner.received(message)
        elif isinstance(message, Authenticate):
            self._inner.received(message)
            self._is_open = True
            self._stop_waiting()
        else:
            raise _missing(message)

    def closed(self) -> None:
        """
        The connection is gone.
        """
        self._stop_waiting()
        self._inner.closed()

    def _stop_waiting(self) -> None:
        if self._waiting.active():
            self._waiting.cancel()

    def _give_up(self) -> None:
        text = f"Authentication timeout - must authenticate within {self._timeout} seconds"
        farewell = Error(message=text, error_code=ErrorCode.AUTHENTICATION_TIMEOUT)
        self._link.close(CloseCode.AUTH_TIMEOUT, "auth_timeout", Notice(farewell))


def _missing(message: ClientMessage) -> Refusal:
    is_binary = isinstance(message, BinaryGameData)
    text = "Authentication required" + (" before sending binary data" if is_binary else "")
    refusal = Refusal(ErrorCode.MISSING_APP_ID, text)
    refusal.plain = True
    return refusal.final()
