"""
Tests for signalfish.net.factory.
"""

from twisted.internet.interfaces import IProtocolFactory
from twisted.trial.unittest import SynchronousTestCase

from signalfish.net.factory import FactoryLimits, Traffic
from signalfish.net.outbox import OutboxLimits
from signalfish.net.protocol import SignalingProtocol
from tests.net.fakes import Server


class TrafficTests(SynchronousTestCase):
    """
    What has gone over all connections.
    """

    def test_active(self):
        """
        Active are those connections that have not ended.
        """
        self.assertEqual(3, Traffic(connections=5, disconnections=2).active)


class FactoryTests(SynchronousTestCase):
    """
    What all connections share.
    """

    def setUp(self):
        """
        A server.
        """
        self.server = Server()
        self.factory = self.server.factory

    def test_protocol(self):
        """
        It builds protocols that know it.
        """
        protocol = self.factory.buildProtocol(None)
        self.assertIsInstance(protocol, SignalingProtocol)
        self.assertIs(self.factory, protocol.factory)
        self.assertTrue(IProtocolFactory.providedBy(self.factory))

    def test_library_is_quiet(self):
        """
        The library starts no timers and sends no pings of its own.
        """
        protocol = self.factory.buildProtocol(None)
        self.assertEqual(0, protocol.factory.openHandshakeTimeout)
        self.assertEqual(0, protocol.factory.closeHandshakeTimeout)
        self.assertEqual(0, protocol.factory.autoPingInterval)
        self.assertEqual([13], protocol.factory.versions)

    def test_no_calls(self):
        """
        An open connection costs no timer.
        """
        before = self.server.reactor.getDelayedCalls()
        for _ in range(5):
            self.server.open()
        self.assertEqual(before, self.server.reactor.getDelayedCalls())

    def test_connections(self):
        """
        It knows the connections that are open, and they are looked after.
        """
        first, receiver = self.server.open()
        self.server.plain()
        _, other = self.server.open()
        self.assertEqual({receiver.link, other.link}, self.factory.connections)
        self.assertEqual(2, sum(map(len, self.server.liveness._slots)))
        first.socket.cut()
        self.assertEqual({other.link}, self.factory.connections)
        self.assertEqual(1, sum(map(len, self.server.liveness._slots)))

    def test_pings(self):
        """
        A client that is silent is pinged and, if it does not answer, closed.
        """
        self.server.liveness.startService()
        client, receiver = self.server.open()
        self.server.pass_time(40)
        ping, close = client.frames()
        self.assertEqual((9, 8), (ping.opcode, len(ping.data)))
        self.assertEqual((4003, "activity_timeout"), client.closed())
        self.assertEqual(["alive", "closed"], receiver.events)
        self.assertEqual(8, close.opcode)

    def test_default_limits(self):
        """
        The defaults are those of the configuration.
        """
        limits = FactoryLimits(OutboxLimits())
        self.assertEqual((65536, 65536), (limits.max_message_size, limits.send_buffer))
        self.assertEqual((1024, 5.0), (limits.outbox.capacity, limits.outbox.patience))

    def test_closes_are_counted(self):
        """
        Closes by the server are counted by their codes, those by clients are not.
        """
        client, _ = self.server.open()
        client.text(b"\xff")
        client, _ = self.server.open()
        client.send(0, b"")
        client, _ = self.server.open()
        client.send(8, b"\x03\xe8")
        self.assertEqual({1007: 1, 1002: 1}, dict(self.factory.traffic.closes))
