"""
Tests for the books of clients that read too slowly for what they are sent.

The official client checks each report against what it got. These tests add everything up as well.
"""

from tests.interop.cases import Version3TestCase

BULK = "x" * 20000  # of such values, a few hundred are more than all buffers take


class SlowTestCase(Version3TestCase):
    """
    A fast client of ours sends to official ones, of which some are too slow.
    """

    settings = {"websocket": {"send_queue_capacity": 16}}

    def setUp(self):
        """
        Open a room with a sender, which is no puppet.
        """
        super().setUp()
        self.fast = self.sender("Fast")
        self.code = self.fast.room["room_code"]

    def sender(self, name, **fields):
        """
        A client of ours in version 3.
        """
        client = self.client("/v3/ws")
        client.authenticate(protocol_version=3)
        client.join(name, **fields)
        return client

    def slow(self, name, **options):
        """
        An official client that does not read.
        """
        puppet = self.join(self.puppet(**options), name, code=self.code)
        puppet.do("stall")
        return puppet

    def flood(self, client, number):
        """
        Send values of the lossy classes.
        """
        for count in range(number):
            kind = {"class": "volatile"} if count % 3 else {"class": "latest", "key": count % 2}
            client.send("GameData", data=[count, BULK], **kind)
        client.send("Ping")
        client.wait("Pong")

    def accounted(self, puppet, player):
        """
        The numbers that a puppet got from a player, and those that were reported lost, by epoch.
        """
        got, lost = [], []
        for event in puppet.heard:
            fields = event["data"]
            if event["event"] == "GameData" and fields["from"] == player:
                got.append((fields["epoch"], fields["seq"]))
            for gap in fields.get("gaps", ()) if event["event"] == "DeliveryReport" else ():
                if gap["from_player"] == player:
                    numbers = range(gap["from_seq"], gap["to_seq"] + 1)
                    lost += [(gap["epoch"], number) for number in numbers]
        return got, lost

    def assert_balanced(self, puppet, player, *finals):
        """
        Every number of every epoch came, in order, or was reported, once.

        :param finals: the last number of each epoch.
        :returns: how many were reported.
        """
        got, lost = self.accounted(puppet, player)
        self.assertEqual(got, sorted(got))
        due = [(epoch, n) for epoch, final in enumerate(finals, 1) for n in range(1, final + 1)]
        self.assertEqual(due, sorted(got + lost))
        return len(lost)


class LossTests(SlowTestCase):
    """
    What a slow client misses.
    """

    def assert_catches_up(self, slow):
        """
        A slow client reads again, and goes on with books that balance.
        """
        quick = self.join(self.puppet(), "Quick", code=self.code)
        self.flood(self.fast, 300)
        slow.do("resume")
        self.fast.send("GameData", data="end")
        for puppet in (slow, quick):
            puppet.find("GameData", data="end")
        player = self.fast.room["player_id"]
        missed = [self.assert_balanced(puppet, player, 301) for puppet in (slow, quick)]
        self.assertGreater(missed[0], 100)
        self.assertGreater(missed[0], missed[1])

    def test_newest(self):
        """
        The newest release catches up; a quick one beside it has missed less.
        """
        self.assert_catches_up(self.slow("Slow"))

    def test_old_release(self):
        """
        So does release 0.10.
        """
        self.assert_catches_up(self.slow("Slow", release="0.10"))

    def test_two_senders(self):
        """
        What is lost of one sender is not charged to another.
        """
        other = self.sender("Other", room_code=self.code)
        slow = self.slow("Slow")
        for _ in range(3):
            self.flood(self.fast, 60)
            self.flood(other, 60)
        slow.do("resume")
        for client in (self.fast, other):
            client.send("GameData", data="end")
            slow.find("GameData", data="end")
        for client in (self.fast, other):
            self.assertTrue(self.assert_balanced(slow, client.room["player_id"], 181))

    def test_spectator(self):
        """
        A slow spectator of values that may be left out keeps its place, and has a balance too.
        """
        sue = self.spectator(self.code)
        sue.do("stall")
        self.flood(self.fast, 300)
        sue.do("resume")
        sue.find("GameData", seq=300)
        self.fast.send("GameData", data="end")
        sue.find("GameData", data="end")
        self.assertTrue(self.assert_balanced(sue, self.fast.room["player_id"], 301))

    def test_crowded_spectator(self):
        """
        A spectator for whom too much waits that must arrive is closed, and learns why.
        """
        sue = self.spectator(self.code)
        sue.do("stall")
        for count in range(300):
            self.fast.send("GameData", data=[count, BULK])
        sue.do("resume")
        sue.wait("Error", code="SLOW_CONSUMER")
        sue.wait("Disconnected", code=4002, why="slow_consumer")


class DepartureTests(SlowTestCase):
    """
    Senders that go while somebody does not read.
    """

    def test_return(self):
        """
        A sender is lost and returns; both its epochs balance.
        """
        slow = self.slow("Slow")
        self.flood(self.fast, 200)
        self.fast.lose()
        back = self.client("/v3/ws")
        back.authenticate(protocol_version=3)
        back.reconnect(self.fast.room)
        self.flood(back, 100)
        slow.do("resume")
        back.send("GameData", data="end")
        slow.wait("PlayerLeft", player=self.fast.room["player_id"], epoch=1, final_seq=200)
        slow.wait("PlayerReconnected", epoch=2)
        slow.find("GameData", data="end")
        self.assertTrue(self.assert_balanced(slow, self.fast.room["player_id"], 200, 101))

    def test_departure(self):
        """
        A sender leaves; its last number is covered.
        """
        other = self.sender("Other", room_code=self.code)
        slow = self.slow("Slow")
        self.flood(other, 300)
        other.send("LeaveRoom")
        other.wait("RoomLeft")
        slow.do("resume")
        slow.wait("PlayerLeft", player=other.room["player_id"], epoch=1, final_seq=300)
        slow.settle()
        self.assertTrue(self.assert_balanced(slow, other.room["player_id"], 300))
