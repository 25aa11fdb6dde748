"""
Limits on raw connections, as a protocol wrapper around the listening site.

It sees sockets and bytes before any of them has been parsed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from attrs import define
from twisted.internet.interfaces import IAddress, IProtocolFactory, ISSLTransport
from twisted.internet.protocol import connectionDone
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from zope.interface import noLongerProvides

from signalfish.net.addresses import address_key
from signalfish.net.forwarding import LOCAL

_PROXIES = "proxies"  # counted together, and only against the total


@define
class Sockets:
    """
    What has happened on raw connections since the start.
    """

    accepted: int = 0
    refused: int = 0
    bytes_received: int = 0


class ThrottledProtocol(ProtocolWrapper):
    """
    One raw connection; dropped at once if it is one too many.
    """

    factory: ThrottlingFactory
    _key: str | None = None

    def makeConnection(self, transport: Any) -> None:
        """
        Count the connection, or drop it.
        """
        host = getattr(transport.getPeer(), "host", None) or LOCAL
        key = _PROXIES if self.factory.is_proxy(host) else address_key(host)
        if not self.factory.take(key):
            transport.abortConnection()
            return
        self._key = key
        super().makeConnection(transport)
        self.write = transport.write  # type: ignore[method-assign] # nothing is limited here
        if ISSLTransport.providedBy(self):
            # Autobahn looks for the insides of TLS in whatever says that it is TLS.
            noLongerProvides(self, ISSLTransport)

    def dataReceived(self, data: bytes) -> None:
        """
        Pass bytes on.
        """
        if self._key is not None:
            self.factory.sockets.bytes_received += len(data)
            super().dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Count the connection no longer.
        """
        key, self._key = self._key, None
        vars(self).pop("write", None)
        if key is not None:
            self.factory.give_back(key)
            super().connectionLost(reason)


class ThrottlingFactory(WrappingFactory):
    """
    Wraps the protocols of a site.

    :param sockets: where to count.
    :param per_address: the most raw connections of one address. More than the WebSocket
        connections it may have, so that those who have too many of these can be told.
    :param total: the most raw connections.
    :param is_proxy: whether the peer of this address connects for many clients, so that only the
        total holds for it.
    """

    protocol = ThrottledProtocol
    noisy = False

    def __init__(
        self,
        site: IProtocolFactory,
        sockets: Sockets,
        per_address: int,
        total: int,
        is_proxy: Callable[[str], bool] = lambda host: False,
    ) -> None:
        super().__init__(site)
        self.sockets = sockets
        self.is_proxy = is_proxy
        self._per_address = per_address
        self._total = total
        self._open: Counter[str] = Counter()

    def buildProtocol(self, addr: IAddress | None) -> ThrottledProtocol:
        """
        Wrap a new connection.
        """
        protocol = super().buildProtocol(addr)
        assert isinstance(protocol, ThrottledProtocol)  # noqa: S101 - for the type checker
        return protocol

    def take(self, key: str) -> bool:
        """
        Count one more connection of an address, if it may have one more.
        """
        most = self._total if key is _PROXIES else self._per_address
        if self._open[key] >= most or len(self.protocols) >= self._total:
            self.sockets.refused += 1
            return False
        self._open[key] += 1
        self.sockets.accepted += 1
        return True

    def give_back(self, key: str) -> None:
        """
        Count one connection less of an address.
        """
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]
