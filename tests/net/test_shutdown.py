"""
Tests for signalfish.net.shutdown.
"""

from twisted.trial.unittest import SynchronousTestCase

from signalfish.net.shutdown import Shutdown
from signalfish.wire.outgoing import Notice
from signalfish.wire.server import Pong
from tests.net.fakes import Server


class ShutdownTests(SynchronousTestCase):
    """
    The end of all connections.
    """

    def setUp(self):
        """
        A server.
        """
        self.server = Server()
        self.shutdown = Shutdown(self.server.factory)
        self.shutdown.startService()

    def test_nobody(self):
        """
        If nobody is connected it stops at once.
        """
        self.server.plain()
        self.assertIsNone(self.shutdown.stopService())

    def test_goodbye(self):
        """
        All clients are told 4000, and it has stopped when they had a second to hear it.
        """
        clients = [self.server.open()[0] for _ in range(3)]
        stopped = self.shutdown.stopService()
        for client in clients:
            self.assertEqual((4000, "server_shutdown"), client.closed())
        self.server.reactor.advance(0.9)
        self.assertNoResult(stopped)
        self.server.reactor.advance(0.1)
        self.assertIsNone(self.successResultOf(stopped))
        self.assertEqual(set(), self.server.factory.connections)

    def test_no_farewells(self):
        """
        What conversations say at their end is not heard by those who are also leaving.
        """
        first, receiver = self.server.open()
        second, other = self.server.open()
        receiver.closed = lambda: other.link.deliver(Notice(Pong()))
        other.closed = lambda: receiver.link.deliver(Notice(Pong()))
        self.shutdown.stopService()
        self.server.pass_time(2)
        self.assertEqual([], first.heard() + second.heard())

    def test_before_the_end(self):
        """
        Before it is stopped it does nothing.
        """
        client, _ = self.server.open()
        self.server.pass_time(3)
        self.assertIsNone(client.closed())
