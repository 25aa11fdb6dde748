"""
Tests for release 0.10 of the official client in protocol version 3.
"""

from tests.interop.cases import Version3TestCase

NUMBER_KEY = [0x81, 1, 1]  # MessagePack for {1: 1}, which has no JSON


class OldVersion3TestCase(Version3TestCase):
    mode = "v3"

    def setUp(self):
        """
        Let the old release open a room, and seat a new one that can do a mesh.
        """
        super().setUp()
        self.old = self.join(self.former(), "Old", max_players=3)
        self.code = self.old.room["code"]
        self.new = self.join(self.puppet(binary=True), "New", code=self.code)

    def former(self, **options):
        """
        A client of the old release.
        """
        return self.puppet(self.path, release="0.10", mode=self.mode, **options)

    def start(self):
        """
        Start the game.
        """
        for puppet in (self.old, self.new):
            puppet.do("ready")
            puppet.settle()
        self.old.do("start")
        for puppet in (self.old, self.new):
            puppet.plan = puppet.wait("SessionPlan")


class RelayTests(OldVersion3TestCase):
    """
    The old release with the relay alone.
    """

    def test_start(self):
        """
        It starts the game by request, and everybody uses the relay.
        """
        self.start()
        for puppet in (self.old, self.new):
            self.assertEqual("relay", puppet.plan["topology"])
        self.assert_plays(self.old, 1, self.new)
        self.assert_plays(self.new, 2, self.old)

    def test_membership(self):
        """
        Without ids for what it asks, it leaves, watches, stops watching and comes back.
        """
        self.old.do("leave")
        self.old.wait("RoomLeft")
        self.new.wait("PlayerLeft", epoch=1, final_seq=0)
        self.spectator(self.code, self.old)
        self.assert_plays(self.new, 1, self.old)
        self.old.do("unwatch")
        self.old.wait("SpectatorLeft", reason="voluntary_leave")
        self.join(self.old, "Old", code=self.code)
        self.new.wait("PlayerJoined")
        self.assert_plays(self.old, 2, self.new)

    def test_classes(self):
        """
        Numbers, epochs, classes and gaps are as it expects.
        """
        self.start()
        self.new.do("data", data=1, **{"class": "latest", "key": 3})
        self.old.wait("GameData", data=1, seq=1, epoch=1, key=3, **{"class": "latest"})
        self.new.do("binary", bytes=NUMBER_KEY)
        self.old.wait("DeliveryReport")
        self.old.wait("Error", code="UNSUPPORTED_GAME_DATA_FORMAT")
        self.assert_plays(self.new, 2, self.old)

    def test_nothing_after_leaving(self):
        """
        Once it has left, nothing more is reported to it.
        """
        self.new.do("binary", bytes=NUMBER_KEY)
        self.old.do("leave")
        self.old.wait("RoomLeft")
        self.new.do("binary", bytes=NUMBER_KEY)
        self.new.settle()
        self.assertEqual([], self.old.settle())

    def test_return(self):
        """
        It returns to a game with its token, and again with the next one.
        """
        self.start()
        self.old.die()
        self.new.wait("PlayerLeft", player=self.old.room["player"], epoch=1, final_seq=0)
        self.new.wait("AuthorityChanged", player=None)
        first = self.back(self.old.room["token"])
        self.assertEqual("complete", first.back["replay"])
        self.new.wait("PlayerReconnected", epoch=2)
        self.assert_plays(first, 1, self.new)
        first.die()
        self.new.wait("PlayerLeft", epoch=2, final_seq=1)
        second = self.back(first.back["token"])
        self.assert_plays(self.new, 2, second)

    def back(self, token):
        """
        The old release in its seat again.
        """
        puppet, room = self.former(), self.old.room
        puppet.do("reconnect", player=room["player"], room=room["room"], token=token)
        puppet.back = puppet.wait("Reconnected")
        puppet.room = room
        puppet.wait("SessionPlan")
        return puppet

    def test_witness_of_return(self):
        """
        It sees another player go and come back.
        """
        self.start()
        self.new.die()
        self.old.wait("PlayerLeft", player=self.new.room["player"])
        back = self.returned(self.new)
        self.old.wait("PlayerJoined")
        self.old.wait("PlayerReconnected", epoch=2)
        self.old.wait("SessionPlan")
        self.assert_plays(back, 1, self.old)


class MeshTests(OldVersion3TestCase):
    """
    The old release in a mesh, whose plans it understands, although it can signal no more.
    """

    mode = "mesh"

    def test_plan(self):
        """
        It is told the plan, and plays by the relay.
        """
        self.start()
        self.assertEqual("mesh", self.old.plan["topology"])
        self.assertEqual(
            [self.new.room["player"]], [p["player_id"] for p in self.old.plan["peers"]]
        )
        self.assert_plays(self.new, 1, self.old)
        self.assert_plays(self.old, 2, self.new)

    def test_signals(self):
        """
        Its signals lack the generation and are refused; those of others reach it.
        """
        self.start()
        self.old.do("signal", to=self.new.room["player"], signal={"Offer": "x"})
        self.old.wait("Error", code="INVALID_INPUT")
        self.new.do("signal", to=self.old.room["player"], signal={"Offer": "x"})
        self.old.wait("SignalReceived", signal={"Offer": "x"}, **{"from": self.new.room["player"]})

    def test_transport_status(self):
        """
        Reports about transports pass in both directions.
        """
        self.start()
        self.old.do("transport", transport="webrtc", connected=False)
        self.new.wait("PeerTransportStatus", player=self.old.room["player"], connected=False)
        self.new.do("transport", transport="webrtc", connected=True)
        self.old.wait("PeerTransportStatus", player=self.new.room["player"], connected=True)
