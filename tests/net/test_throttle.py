"""
Tests for signalfish.net.throttle.
"""

from twisted.internet.address import UNIXAddress
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides

from signalfish.net.throttle import Sockets, ThrottlingFactory
from tests.net.fakes import Client, Server, Socket


class Recorder(Protocol):
    """
    A protocol that remembers what happens to it.
    """

    def connectionMade(self):
        """
        Remember it.
        """
        self.factory.events.append("made")

    def dataReceived(self, data):
        """
        Remember it.
        """
        self.factory.events.append(data)

    def connectionLost(self, reason):
        """
        Remember it.
        """
        self.factory.events.append("lost")


class ThrottleTests(SynchronousTestCase):
    """
    A site for two sockets of one address, and three in all.
    """

    def setUp(self):
        """
        Nobody is connected yet.
        """
        self.reactor = MemoryReactorClock()
        self.site = Factory.forProtocol(Recorder)
        self.site.events = []
        self.sockets = Sockets()
        self.throttle = ThrottlingFactory(self.site, self.sockets, 2, 3)

    def socket(self, host):
        """
        A new connection.
        """
        socket = Socket(self.reactor, host)
        socket.open(self.throttle.buildProtocol(socket.getPeer()))
        return socket

    def test_accepted(self):
        """
        What happens on a connection is passed on, and its bytes are counted.
        """
        socket = self.socket("192.0.2.1")
        socket.receive(b"abc")
        socket.receive(b"de")
        socket.cut()
        self.assertEqual(["made", b"abc", b"de", "lost"], self.site.events)
        self.assertEqual(Sockets(accepted=1, refused=0, bytes_received=5), self.sockets)

    def test_address(self):
        """
        A third socket of an address is dropped at once and unheard.
        """
        self.socket("192.0.2.1")
        self.socket("192.0.2.1")
        third = self.socket("192.0.2.1")
        self.assertTrue(third.aborting)
        third.protocol.dataReceived(b"data")
        self.reactor.advance(0)
        self.assertIsNotNone(third.lost)
        self.assertEqual(["made", "made"], self.site.events)
        self.assertEqual(Sockets(accepted=2, refused=1, bytes_received=0), self.sockets)
        self.assertFalse(self.socket("192.0.2.2").aborting)

    def test_total(self):
        """
        A fourth socket is dropped.
        """
        for number in range(3):
            self.assertFalse(self.socket(f"192.0.2.{number}").aborting)
        self.assertTrue(self.socket("192.0.2.9").aborting)

    def test_network(self):
        """
        IPv6 addresses of one network count together.
        """
        for number in range(2):
            self.assertFalse(self.socket(f"2001:db8::{number}").aborting)
        self.assertTrue(self.socket("2001:db8::9").aborting)
        self.assertFalse(self.socket("2001:db8:0:1::9").aborting)

    def test_proxies(self):
        """
        Proxies may have as many sockets as all others together, and no more.
        """
        self.throttle = ThrottlingFactory(
            self.site, self.sockets, 2, 5, lambda host: host == "10.0.0.1"
        )
        for _ in range(4):
            self.assertFalse(self.socket("10.0.0.1").aborting)
        self.assertFalse(self.socket("192.0.2.1").aborting)
        self.assertTrue(self.socket("10.0.0.1").aborting)
        self.assertTrue(self.socket("192.0.2.2").aborting)

    def test_released(self):
        """
        A socket that is closed makes room for another one, and a dropped one does not.
        """
        first = self.socket("192.0.2.1")
        self.socket("192.0.2.1")
        self.socket("192.0.2.1")
        self.reactor.advance(0)
        self.assertTrue(self.socket("192.0.2.1").aborting)
        first.cut()
        self.assertFalse(self.socket("192.0.2.1").aborting)
        self.assertTrue(self.socket("192.0.2.1").aborting)

    def test_memory(self):
        """
        Nothing is remembered of addresses without sockets.
        """
        for number in range(50):
            self.socket(f"192.0.2.{number}").cut()
        self.assertEqual((0, 0), (len(self.throttle._open), len(self.throttle.protocols)))
        for _ in range(5):
            self.socket("192.0.2.1")
        for number in range(50):
            self.socket(f"198.51.100.{number}")
        self.reactor.advance(0)
        self.assertEqual((2, 3), (len(self.throttle._open), len(self.throttle.protocols)))

    def test_unix(self):
        """
        Sockets without an address count as one.
        """
        sockets = []
        for _ in range(3):
            socket = Socket(self.reactor)
            socket._peer = UNIXAddress(None)
            socket.open(self.throttle.buildProtocol(socket.getPeer()))
            sockets.append(socket)
        self.assertEqual([False, False, True], [socket.aborting for socket in sockets])


class TLSTests(SynchronousTestCase):
    """
    Connections that come by TLS.
    """

    def test_web_socket(self):
        """
        They can become WebSockets like others.
        """
        server = Server()
        socket = Socket(server.reactor)
        directlyProvides(socket, ISSLTransport)
        client = Client(server.reactor, server.site, socket=lambda *_: socket).upgrade()
        client.say("Ping")
        [receiver] = server.receivers
        self.assertEqual(1, len(receiver.messages))


class WebSocketThrottleTests(SynchronousTestCase):
    """
    Sockets that become WebSockets.
    """

    def test_counted(self):
        """
        A WebSocket is counted until it ends, and so are the bytes of its frames.
        """
        server = Server(sockets=1)
        client, _ = server.open()
        before = server.sockets.bytes_received
        client.say("Ping")
        self.assertEqual(before + 22, server.sockets.bytes_received)
        self.assertTrue(server.plain().socket.aborting)
        client.socket.cut()
        self.assertFalse(server.plain().socket.aborting)

    def test_end(self):
        """
        The end of a WebSocket reaches its conversation.
        """
        server = Server()
        client, receiver = server.open()
        client.socket.cut()
        self.assertEqual(["closed"], receiver.events)
