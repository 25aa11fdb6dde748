"""
Tests for signalfish.net.listening.
"""

import gc

from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from signalfish.net.listening import ListenError, Listening


class FakePort:
    """
    A port that takes its time to stop.
    """

    def __init__(self):
        self.stopped = None

    def getHost(self):
        """
        Its address.
        """
        return "address"

    def stopListening(self):
        """
        Begin to stop.
        """
        self.stopped = Deferred()
        return self.stopped


@implementer(IStreamServerEndpoint)
class FakeEndpoint:
    """
    An endpoint that gives ports, or fails.
    """

    def __init__(self, error=None):
        self.ports = []
        self.factories = []
        self._error = error

    def listen(self, factory):
        """
        Give a port, or fail.
        """
        if self._error is not None:
            return fail(self._error)
        self.factories.append(factory)
        self.ports.append(FakePort())
        return succeed(self.ports[-1])


class ListeningTests(SynchronousTestCase):
    """
    The ports of a server.
    """

    def setUp(self):
        """
        Two endpoints that are not yet listened on.
        """
        self.site = Factory()
        self.endpoints = [FakeEndpoint(), FakeEndpoint()]
        self.listening = Listening(dict(zip("ab", self.endpoints, strict=True)), self.site)

    def test_service(self):
        """
        It is a service with a name, and listens on nothing before it is started.
        """
        self.assertTrue(IService.providedBy(self.listening))
        self.assertEqual("listening", self.listening.name)
        self.assertEqual([], self.listening.ports)

    def test_privileged(self):
        """
        The ports are opened while the process has its privileges, and only then.
        """
        self.listening.privilegedStartService()
        self.assertEqual([[self.site]] * 2, [end.factories for end in self.endpoints])
        self.listening.startService()
        self.assertEqual([[self.site]] * 2, [end.factories for end in self.endpoints])
        self.assertEqual(2, len(self.listening.ports))

    def test_late(self):
        """
        A service that is added to a running one opens its ports when it is started.
        """
        parent = MultiService()
        parent.startService()
        self.listening.setServiceParent(parent)
        self.assertEqual(2, len(self.listening.ports))

    def test_stop(self):
        """
        It has stopped when all ports are closed.
        """
        self.listening.startService()
        stopped = self.listening.stopService()
        first, second = (end.ports[0] for end in self.endpoints)
        first.stopped.callback(None)
        self.assertNoResult(stopped)
        second.stopped.callback(None)
        self.assertIsNone(self.successResultOf(stopped))
        self.assertEqual([], self.listening.ports)

    def test_stop_with_error(self):
        """
        A port that cannot be closed is logged, and does not keep the service from stopping.
        """
        self.listening.startService()
        stopped = self.listening.stopService()
        first, second = (end.ports[0] for end in self.endpoints)
        first.stopped.errback(OSError("no"))
        second.stopped.callback(None)
        self.assertIsNone(self.successResultOf(stopped))
        del stopped, first, second
        self.endpoints.clear()
        self.listening = None
        gc.collect()
        self.assertEqual(1, len(self.flushLoggedErrors(OSError)))

    def test_again(self):
        """
        A service that was stopped can be started again.
        """
        self.listening.startService()
        self.listening.stopService()
        self.listening.startService()
        self.assertEqual([2, 2], [len(end.ports) for end in self.endpoints])

    def test_cannot_listen(self):
        """
        If a port cannot be opened, starting fails with its name and the reason.
        """
        for start in ("privilegedStartService", "startService"):
            broken = FakeEndpoint(CannotListenError("::", 3536, "in use"))
            listening = Listening({"a": FakeEndpoint(), "port 3536": broken}, self.site)
            error = self.assertRaises(ListenError, getattr(listening, start))
            self.assertTrue(str(error).startswith("cannot listen on port 3536: "), str(error))
            self.assertIn("in use", str(error))

    def test_raises(self):
        """
        An endpoint that raises has failed as well.
        """

        class Rude(FakeEndpoint):
            """
            An endpoint that raises.
            """

            def listen(self, factory):
                """
                Raise.
                """
                raise FileNotFoundError("no such file")

        listening = Listening({"unix:/x": Rude()}, self.site)
        error = self.assertRaises(ListenError, listening.startService)
        self.assertEqual("cannot listen on unix:/x: no such file", str(error))

    def test_real_endpoint(self):
        """
        Endpoints of Twisted are listened on with our site.
        """
        reactor = MemoryReactorClock()
        endpoint = TCP4ServerEndpoint(reactor, 3536, interface="127.0.0.1")
        Listening({"port": endpoint}, self.site).startService()
        [(port, factory, _, interface)] = reactor.tcpServers
        self.assertEqual((3536, self.site, "127.0.0.1"), (port, factory, interface))
