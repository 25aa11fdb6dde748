"""
The ports of the server: opened when it starts, closed when it stops.
"""

from __future__ import annotations

from collections.abc import Mapping

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from twisted.internet.tcp import Port
from twisted.logger import Logger
from twisted.python.failure import Failure

from signalfish.net.transport import EagerServer

log = Logger()


class ListenError(Exception):
    """
    A port cannot be opened; the text says which, and why.
    """


class Listening(Service):
    """
    Listens on some endpoints.

    :param endpoints: by what they are called.
    :param site: what is served there.
    """

    name = "listening"

    def __init__(
        self,
        endpoints: Mapping[str, IStreamServerEndpoint],
        site: IProtocolFactory,
    ) -> None:
        self.ports: list[IListeningPort] = []
        self._endpoints = endpoints
        self._site = site
        self._opened = False

    def privilegedStartService(self) -> None:
        """
        Open the ports, while that is still allowed.

        :raises ListenError: if one cannot be opened.
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
        for name, endpoint in self._endpoints.items():
            problem = _Problem(name)
            listening = maybeDeferred(endpoint.listen, self._site)
            listening.addCallbacks(self._listening, problem.note)
            problem.raise_if_noted()

    def _listening(self, port: IListeningPort) -> None:
        if not self._opened:  # stopped meanwhile
            port.stopListening()
            return
        self.ports.append(port)
        if type(port) is Port:  # and not one of its subclasses, which have transports of their own
            port.transport = EagerServer
        log.info("Serving Signal Fish clients on {address}", address=port.getHost())


class _Problem:
    """
    What keeps a port from being opened: raised if it is known at once, else logged.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._text: str | None = None
        self._is_late = False

    def note(self, failure: Failure) -> None:
        """
        The port cannot be opened.
        """
        self._text = f"cannot listen on {self._name}: {failure.getErrorMessage()}"
        if self._is_late:
            log.critical("{problem}", problem=self._text)

    def raise_if_noted(self) -> None:
        """
        From here on it is too late to raise.
        """
        self._is_late = True
        if self._text is not None:
            raise ListenError(self._text)
