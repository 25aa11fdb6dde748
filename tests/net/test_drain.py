"""
Tests for signalfish.net.drain.
"""

from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from signalfish.net.drain import Drain
from signalfish.wire.outgoing import Notice
from signalfish.wire.server import Pong
from tests.fakes import V3, Told
from tests.net.fakes import Server

WARNING = Told("GoingAway", {"deadline_ms": 1_700_000_010_500, "retry_after_secs": 10})


class DrainTests(SynchronousTestCase):
    """
    The end of a server whose clients have ten seconds to leave.
    """

    def setUp(self):
        """
        A server.
        """
        self.server = Server()
        self.begun = []
        self.drain = self.draining(10)

    def draining(self, grace):
        """
        The end of the server, with this time to leave.
        """
        begin = partial(self.begun.append, 1)
        return Drain(self.server.factory, lambda: 1_700_000_000.5, grace, begin)

    def settled(self, form=V3):
        """
        A client that has said who it is.
        """
        client, receiver = self.server.open()
        receiver.link.form = form
        receiver.link.settle(lambda: True)
        return client, receiver

    def test_nobody(self):
        """
        If nobody is connected it is over at once.
        """
        self.server.plain()
        self.assertIsNone(self.successResultOf(self.drain.run()))
        self.assertEqual([1], self.begun)

    def test_warning(self):
        """
        Clients of protocol 3 are told when the server will be gone, others are not.
        """
        new, _ = self.settled()
        old, _ = self.server.open()
        self.drain.run()
        self.assertEqual(([WARNING], []), (new.heard(), old.heard()))

    def test_unsettled(self):
        """
        Who has not said what it understands is warned when it has.
        """
        client, receiver = self.server.open()
        receiver.link.form = V3
        self.drain.run()
        self.assertEqual([], client.heard())
        receiver.link.settle(lambda: True)
        self.assertEqual([WARNING], client.heard())

    def test_goodbye(self):
        """
        After the grace all are told 4000, and it is over when they had a second to hear it.
        """
        clients = [self.server.open()[0] for _ in range(3)]
        over = self.drain.run()
        self.server.reactor.advance(9.9)
        self.assertEqual([None] * 3, [client.closed() for client in clients])
        self.server.reactor.advance(0.1)
        for client in clients:
            self.assertEqual((4000, "server_shutdown"), client.closed())
        self.server.reactor.advance(0.9)
        self.assertNoResult(over)
        self.server.reactor.advance(0.1)
        self.assertIsNone(self.successResultOf(over))
        self.assertEqual(set(), self.server.factory.connections)

    def test_no_grace(self):
        """
        Without grace the goodbye follows at once, and there is no hint when to come back.
        """
        client, _ = self.settled()
        self.draining(0).run()
        self.server.reactor.advance(0)
        self.assertEqual([Told("GoingAway", {"deadline_ms": 1_700_000_000_500})], client.heard())
        self.assertEqual((4000, "server_shutdown"), client.closed())

    def test_short_grace(self):
        """
        The hint when to come back is at least a second.
        """
        client, _ = self.settled()
        self.draining(0.25).run()
        self.assertEqual(1, client.heard()[0].data["retry_after_secs"])

    def test_everybody_leaves(self):
        """
        It is over as soon as the last client has left.
        """
        first, second = (self.server.open()[0] for _ in range(2))
        over = self.drain.run()
        first.socket.cut()
        self.server.reactor.advance(1)
        self.assertNoResult(over)
        second.socket.cut()
        self.server.reactor.advance(0)
        self.successResultOf(over)
        self.assertEqual([], self.server.reactor.getDelayedCalls())

    def test_hurry(self):
        """
        Who does not want to wait says goodbye at once; once.
        """
        client, _ = self.server.open()
        over = self.drain.run()
        self.drain.hurry()
        self.drain.hurry()
        self.assertEqual((4000, "server_shutdown"), client.closed())
        self.server.reactor.advance(1)
        self.successResultOf(over)

    def test_hurry_before(self):
        """
        Before it begins there is nothing to hurry.
        """
        client, _ = self.server.open()
        self.drain.hurry()
        self.server.pass_time(3)
        self.assertIsNone(client.closed())

    def test_twice(self):
        """
        Whoever asks for it again waits for the same end, and hears of it afterwards too.
        """
        client, _ = self.settled()
        ends = [self.drain.run(), self.drain.run()]
        self.assertEqual([WARNING], client.heard())
        self.assertEqual([1], self.begun)
        self.server.pass_time(12)
        for end in [*ends, self.drain.run()]:
            self.successResultOf(end)

    def test_handshakes(self):
        """
        Whoever comes too late is sent away.
        """
        self.server.open()
        late = self.server.plain()
        self.drain.run()
        headers = (
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        )
        status, headers, body = late.request("/v3/ws", *headers)
        self.assertEqual(
            ("HTTP/1.1 503 Service Unavailable", b"server is draining\n"), (status, body)
        )
        self.assertEqual("rejected_draining", headers["x-signal-fish-upgrade-outcome"])
        self.assertIn("x-signal-fish-request-id", headers)
        self.assertEqual("8388608", headers["x-signal-fish-max-outbound-message-size"])

    def test_readiness(self):
        """
        The server says that it takes no new rooms; it is alive nevertheless.
        """
        self.server.open()
        client = self.server.plain()
        pages = ("/readyz", "/v2/readyz", "/livez")
        before = [client.request(page)[::2] for page in pages]
        ready = ("HTTP/1.1 200 OK", b'{"ready":true}')
        self.assertEqual([ready, ready, ("HTTP/1.1 200 OK", b"OK")], before)
        self.drain.run()
        draining = ("HTTP/1.1 503 Service Unavailable", b'{"ready":false,"reason":"draining"}')
        after = [client.request(page)[::2] for page in pages]
        self.assertEqual([draining, draining, ("HTTP/1.1 200 OK", b"OK")], after)

    def test_renewed(self):
        """
        A server that was drained can be as before.
        """
        self.server.open()
        self.drain.run()
        self.server.pass_time(12)
        self.drain.renew()
        client, _ = self.settled()
        self.server.pass_time(20)
        self.assertEqual(([], None), (client.heard(), client.closed()))
        self.drain.run()
        self.assertEqual([WARNING], client.heard())

    def test_no_farewells(self):
        """
        What conversations say at their end is not heard by those who are also leaving.
        """
        first, receiver = self.server.open()
        second, other = self.server.open()
        receiver.closed = lambda: other.link.deliver(Notice(Pong()))
        other.closed = lambda: receiver.link.deliver(Notice(Pong()))
        self.drain.run()
        self.server.pass_time(12)
        self.assertEqual([], first.heard() + second.heard())

    def test_overtakes(self):
        """
        The warning waits for nothing that waits for a slow client.
        """
        client, receiver = self.settled()
        client.socket.peer_reads = False
        receiver.link._outbox.pauseProducing()
        for _ in range(3):
            receiver.link.deliver(Notice(Pong()))
        self.drain.run()
        client.socket.peer_reads = True
        receiver.link._outbox.resumeProducing()
        self.assertIn(WARNING, client.heard())
