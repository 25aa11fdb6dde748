"""
Tests for signalfish.net.statistics.
"""

from twisted.trial.unittest import SynchronousTestCase

from signalfish.net.statistics import Statistics
from signalfish.wire.gamedata import BinaryData, Origin, TextData
from signalfish.wire.outgoing import Notice
from signalfish.wire.server import Pong
from signalfish.wire.types import DeliveryClass, Encoding
from tests.fakes import V2, V3, Told
from tests.net.fakes import Server

SENDER = "00000000-0000-4000-8000-000000000001"


class Source:
    """
    A sender who can be held.
    """

    def hold(self, outbox):
        """
        It is no matter here.
        """

    def let_go(self, outbox):
        """
        Nor is this.
        """


def stats(sent, dropped=0, stalls=0):
    """
    What a client is told in numbers.
    """
    return Told(
        "RelayStats",
        {
            "interval_ms": 20_000,
            "sent_to_you": sent,
            "dropped_for_you": dropped,
            "backpressure_events": stalls,
        },
    )


class StatisticsTests(SynchronousTestCase):
    """
    Statistics every twenty seconds.
    """

    def setUp(self):
        """
        A client of protocol 3, in a room.
        """
        self.server = Server()
        self.statistics = Statistics(self.server.factory, 20)
        self.is_member = True
        self.client, self.link = self.connect()
        self.origin = Origin(SENDER, 1, Source())
        self.seq = 0

    def connect(self, *, settled=True, form=V3):
        """
        A client and its link.
        """
        client, receiver = self.server.open()
        receiver.link.form = form
        if settled:
            receiver.link.settle(lambda: self.is_member)
        return client, receiver.link

    def send(self, number=1, kind=None, key=None):
        """
        Send some game data to the client.
        """
        for _ in range(number):
            self.seq += 1
            self.link.deliver(TextData(self.origin, self.seq, b"1", kind, key))
        self.server.reactor.advance(0)

    def test_told(self):
        """
        A client is told the totals and, without gaps, the counts of each class.
        """
        self.send(3)
        self.send(2, DeliveryClass.VOLATILE)
        self.link.deliver(Notice(Pong()))
        self.client.heard()
        self.statistics.tell()
        totals, report = self.client.heard()
        self.assertEqual(stats(6), totals)
        self.assertEqual("DeliveryReport", report.type)
        self.assertEqual(["per_class"], list(report.data))
        counts = {name: found["delivered"] for name, found in report.data["per_class"].items()}
        self.assertEqual({"reliable": 3, "latest": 0, "volatile": 2}, counts)

    def test_not_counted(self):
        """
        Statistics do not count themselves.
        """
        self.statistics.tell()
        self.statistics.tell()
        self.assertEqual([stats(0)] * 2, self.client.heard()[::2])

    def test_losses(self):
        """
        What was left out is counted, and how often the queue was full.
        """
        limits = self.server.factory.limits.outbox
        outbox = self.link._outbox
        outbox.pauseProducing()
        self.send(5, DeliveryClass.LATEST, 7)
        self.send(limits.capacity + 3)
        outbox.resumeProducing()
        self.link.deliver(BinaryData(self.origin, self.seq + 1, b"\xc1", Encoding.MESSAGE_PACK))
        self.client.heard()
        self.statistics.tell()
        # The latest of five, all others, and the notice about what cannot be converted.
        expected = stats(1 + limits.capacity + 3 + 1, dropped=4 + 1, stalls=1)
        self.assertEqual(expected, self.client.heard()[0])

    def test_slow_client(self):
        """
        A client for which something waits is not told anything else.
        """
        outbox = self.link._outbox
        outbox.pauseProducing()
        self.send()
        self.statistics.tell()
        outbox.resumeProducing()
        self.assertEqual(["GameData"], [told.type for told in self.client.heard()])

    def test_outside(self):
        """
        Outside of a room a client is not told counts.
        """
        self.is_member = False
        self.statistics.tell()
        self.assertEqual([stats(0)], self.client.heard())

    def test_others(self):
        """
        Clients of protocol 2, those that have said nothing yet, and closed ones hear nothing.
        """
        old, _ = self.connect(form=V2)
        silent, _ = self.connect(settled=False)
        closed, link = self.connect()
        link.close(1000, "x")
        self.statistics.tell()
        self.assertEqual([], old.heard() + silent.heard() + closed.heard())

    def test_interval(self):
        """
        Clients are told at the end of each interval, while it runs.
        """
        self.statistics.startService()
        self.server.reactor.advance(19.9)
        self.assertEqual([], self.client.heard())
        self.server.reactor.advance(0.1)
        self.assertEqual(2, len(self.client.heard()))
        self.server.reactor.advance(20)
        self.assertEqual(2, len(self.client.heard()))
        self.statistics.stopService()
        self.server.reactor.advance(60)
        self.assertEqual([], self.client.heard())

    def test_never(self):
        """
        With an interval of 0 nobody is told anything.
        """
        never = Statistics(self.server.factory, 0)
        never.startService()
        self.server.reactor.advance(5)
        self.assertEqual([], self.client.heard())
        never.stopService()

    def test_bug(self):
        """
        A bug in one connection keeps nothing from the others, and is logged.
        """
        broken, link = self.connect()
        link.tell_statistics = lambda interval: 1 / 0
        self.statistics.tell()
        self.assertEqual((2, []), (len(self.client.heard()), broken.heard()))
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
