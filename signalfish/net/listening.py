"""
The ports of the server: opened when it starts, closed when it stops.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from twisted.logger import Logger
from twisted.python.failure import Failure

log = Logger()


class Listening(Service):
    """
    Listens on some endpoints.

    :param site: what is served there.
    """

    name = "listening"

    def __init__(
        self,
        endpoints: Sequence[IStreamServerEndpoint],
        site: IProtocolFactory,
    ) -> None:
        self.ports: list[IListeningPort] = []
        self._endpoints = endpoints
        self._site = site
        self._opened = False

    def privilegedStartService(self) -> None:
        """
        Open the ports, while that is still allowed.

        :raises CannotListenError: if one cannot be opened.
        """
        super().privilegedStartService()
        self._open()

    def startService(self) -> None:
        """
        Open the ports, unless that has been done.
        """
        super().startService()
        self._open()

    def stopService(self) -> Deferred[None]:
        """
        Close the ports; the connections that came through them stay.
        """
        super().stopService()
        self._opened = False
        ports, self.ports = self.ports, []
        closed = DeferredList([maybeDeferred(port.stopListening) for port in ports])
        return closed.addCallback(lambda _: None)

    def _open(self) -> None:
        if self._opened:
            return
        self._opened = True
        failures: list[Failure] = []
        for endpoint in self._endpoints:
            endpoint.listen(self._site).addCallbacks(self._listening, failures.append)
        if failures:
            failures[0].raiseException()

    def _listening(self, port: IListeningPort) -> None:
        self.ports.append(port)
        log.info("Serving Signal Fish clients on {address}", address=port.getHost())
