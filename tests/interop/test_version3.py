"""
Tests for the official client in protocol version 3.
"""

from tests.interop.cases import Version3TestCase

TEXT_KEY = [0x81, 0xA1, 0x78, 1]  # MessagePack for {"x": 1}
NUMBER_KEY = [0x81, 1, 1]  # MessagePack for {1: 1}, which has no JSON
ONE = [1]  # MessagePack for 1


def peers(plan):
    """
    Whom a session plan names, and whether to call them.
    """
    return {peer["player_id"]: peer["initiate"] for peer in plan["peers"]}


class LobbyTests(Version3TestCase):
    """
    Before the game, when what is asked of rooms carries ids.
    """

    def test_terms(self):
        """
        Version 3 is agreed on, with ids for what is asked of rooms.
        """
        terms = self.puppet().terms
        self.assertEqual(3, terms["protocol_version"])
        self.assertIn("room_operation_ids", terms["capabilities"])

    def test_membership(self):
        """
        A client joins, leaves, watches and stops watching.
        """
        ann = self.seat("Ann")
        bob = self.join(self.puppet(), "Bob", code=ann.room["code"])
        bob.do("leave")
        bob.wait("RoomLeft")
        ann.wait("PlayerLeft", player=bob.room["player"], epoch=1, final_seq=0)
        bob.do("watch", game="reef-racers", code=ann.room["code"], name="Bob")
        bob.wait("SpectatorJoined", room=ann.room["room"])
        ann.wait("NewSpectatorJoined", count=1)
        bob.do("unwatch")
        bob.wait("SpectatorLeft", reason="voluntary_leave")
        ann.wait("SpectatorDisconnected", count=0)

    def test_refused(self):
        """
        Whoever is refused can go on, with the same connection.
        """
        ann = self.seat("Ann", max_players=1, password="correct horse")
        wish = {"game": "reef-racers", "code": ann.room["code"], "name": "Bob"}
        bob = self.puppet()
        bob.do("join", **wish)
        bob.wait("RoomJoinFailed", code="PASSWORD_REQUIRED")
        bob.do("join", **wish, password="correct horse")
        bob.wait("RoomJoinFailed", code="ROOM_FULL")
        bob.do("watch", **wish)
        bob.wait("SpectatorJoinFailed", code="PASSWORD_REQUIRED")
        bob.do("reconnect", player=ann.room["player"], room=ann.room["room"], token="x" * 43)
        bob.wait("ReconnectionFailed", code="RECONNECTION_TOKEN_INVALID")
        bob.do("watch", **wish, password="correct horse")
        bob.wait("SpectatorJoined")

    def test_start_on_request(self):
        """
        The game starts when the authority says so, not when everybody is ready.
        """
        ann = self.seat("Ann", max_players=2)
        bob = self.join(self.puppet(), "Bob", code=ann.room["code"])
        for puppet in (ann, bob):
            puppet.do("ready")
            puppet.settle()
        self.assertNotIn("GameStarting", ann.history)
        ann.do("start")
        for puppet in (ann, bob):
            puppet.wait("GameStarting")


class GameTests(Version3TestCase):
    """
    A game of two players in a mesh, in a room for three, that somebody watches in version 2.
    """

    def setUp(self):
        """
        Start the game.
        """
        super().setUp()
        self.ann = self.seat("Ann", max_players=3)
        self.code = self.ann.room["code"]
        self.bob = self.join(self.puppet(binary=True), "Bob", code=self.code)
        self.vic = self.puppet("/v2/ws")
        self.vic.do("watch", game="reef-racers", code=self.code, name="Vic")
        self.vic.wait("SpectatorJoined")
        for puppet in (self.ann, self.bob):
            puppet.do("ready")
            puppet.settle()
        self.ann.do("start")
        self.plans = [puppet.wait("SessionPlan") for puppet in (self.ann, self.bob)]
        self.vic.wait("GameStarting")

    def third(self):
        """
        A third player, who comes late.
        """
        cy = self.join(self.puppet(), "Cy", code=self.code)
        for puppet in (cy, self.ann, self.bob):
            puppet.wait("SessionPlan")
        return cy

    def test_plan(self):
        """
        Both players learn of the same mesh, in which one of them calls the other.
        """
        ann, bob = self.plans
        self.assertEqual(("mesh", "webrtc"), (ann["topology"], ann["transport"]))
        self.assertEqual(ann["generation"], bob["generation"])
        self.assertEqual([self.bob.room["player"]], list(peers(ann)))
        self.assertEqual([self.ann.room["player"]], list(peers(bob)))
        self.assertEqual({False, True}, {*peers(ann).values(), *peers(bob).values()})
        self.assertNotIn("SessionPlan", self.vic.settle() + self.vic.history)

    def test_signal(self):
        """
        A signal reaches its peer only, with the generation of the plan.
        """
        self.ann.do("signal", to=self.bob.room["player"], signal={"Offer": "x"})
        self.bob.wait(
            "SignalReceived",
            signal={"Offer": "x"},
            generation=self.plans[0]["generation"],
            **{"from": self.ann.room["player"]},
        )
        self.ann.settle()
        self.vic.settle()
        self.assertNotIn("SignalReceived", self.ann.history + self.vic.history)

    def test_transport_status(self):
        """
        The peers learn what a player says of its transport.
        """
        self.ann.do("transport", transport="webrtc", connected=True)
        self.bob.wait(
            "PeerTransportStatus",
            player=self.ann.room["player"],
            transport="webrtc",
            connected=True,
        )

    def test_classes(self):
        """
        Values arrive with number, epoch and class in version 3, and without in version 2.
        """
        self.ann.do("data", data=1)
        self.ann.do("data", data=2, **{"class": "latest", "key": 3})
        self.ann.do("data", data=3, **{"class": "volatile"})
        for number, kind, key in ((1, None, None), (2, "latest", 3), (3, "volatile", None)):
            stamp = {"seq": number, "epoch": 1, "class": kind, "key": key}
            self.bob.wait("GameData", data=number, **stamp)
            self.vic.wait("GameData", data=number, **dict.fromkeys(stamp))

    def test_unsupported_format(self):
        """
        MessagePack without JSON is reported as a gap, and what comes after it arrives.
        """
        for payload in (TEXT_KEY, NUMBER_KEY, ONE):
            self.bob.do("binary", bytes=payload)
        self.ann.wait("GameData", data={"x": 1}, seq=1)
        report = self.ann.wait("DeliveryReport")
        gap = {
            "from_player": self.bob.room["player"],
            "epoch": 1,
            "from_seq": 2,
            "to_seq": 2,
            "reason": "unsupported_format",
        }
        self.assertEqual([gap], report["gaps"])
        self.ann.wait("Error", code="UNSUPPORTED_GAME_DATA_FORMAT")
        self.ann.wait("GameData", data=1, seq=3)
        self.vic.wait("GameData", data={"x": 1})
        self.vic.wait("Error", code="UNSUPPORTED_GAME_DATA_FORMAT")
        self.vic.wait("GameData", data=1)

    def test_late_join(self):
        """
        Who joins late becomes a part of the mesh by a new plan for all; one of each pair calls.
        """
        cy = self.join(self.puppet(), "Cy", code=self.code)
        plan = cy.wait("SessionPlan", topology="mesh")
        calls = peers(plan)
        self.assertEqual({self.ann.room["player"], self.bob.room["player"]}, set(calls))
        for puppet in (self.ann, self.bob):
            renewed = puppet.wait("SessionPlan", generation=plan["generation"])
            self.assertNotEqual(calls[puppet.room["player"]], peers(renewed)[cy.room["player"]])
        self.assert_plays(cy, "hello", self.ann, self.bob, self.vic)

    def test_return(self):
        """
        A lost player returns to the mesh with another token and a new epoch, and plays on.
        """
        cy = self.third()
        self.bob.die()
        for puppet in (self.ann, cy):
            puppet.wait("PlayerLeft", player=self.bob.room["player"], epoch=1, final_seq=0)
        self.assert_plays(self.ann, "missed", cy, self.vic)
        bob = self.returned(self.bob)
        self.assertNotEqual(self.bob.room["token"], bob.back["token"])
        self.assertEqual("complete", bob.back["replay"])
        watermark = {"player_id": self.ann.room["player"], "epoch": 1, "seq": 1}
        self.assertIn(watermark, bob.back["watermarks"])
        for puppet in (self.ann, cy):
            puppet.wait("PlayerReconnected", player=self.bob.room["player"], epoch=2)
        generations = {puppet.wait("SessionPlan")["generation"] for puppet in (self.ann, bob, cy)}
        self.assertEqual(1, len(generations))
        self.assert_plays(bob, "back", self.ann, cy, self.vic)
        self.assert_plays(self.ann, "seen", bob)

    def test_rotated_token(self):
        """
        The second return takes the second token, and the first one is void.
        """
        self.bob.die()
        self.ann.wait("PlayerLeft")
        first = self.returned(self.bob)
        first.die()
        self.ann.wait("PlayerLeft", epoch=2)
        room = self.bob.room
        stale = self.puppet()
        stale.do("reconnect", player=room["player"], room=room["room"], token=room["token"])
        stale.wait("ReconnectionFailed", code="RECONNECTION_TOKEN_INVALID")
        second = self.returned(self.bob, first.back["token"])
        self.assert_plays(second, "again", self.ann, self.vic)

    def test_authority_restored(self):
        """
        The authority is vacant while its holder is away, and given back.
        """
        self.ann.die()
        for puppet in (self.bob, self.vic):
            puppet.wait("AuthorityChanged", player=None, you=False)
        ann = self.returned(self.ann)
        ann.wait("AuthorityChanged", player=self.ann.room["player"], you=True)
        for puppet in (self.bob, self.vic):
            puppet.wait("AuthorityChanged", player=self.ann.room["player"], you=False)

    def test_relay_only_returner(self):
        """
        If a player returns who can only relay, all fall back to the relay.
        """
        self.ann.die()
        self.bob.wait("PlayerLeft")
        self.options = {"mode": "v3"}
        ann = self.returned(self.ann)
        for puppet in (ann, self.bob):
            puppet.wait("SessionPlan", topology="relay", transport="relay", peers=[])
        self.assert_plays(self.bob, "z", ann, self.vic)

    def test_version_2_joiner(self):
        """
        A late player of version 2 makes all fall back to the relay, and plays with them.
        """
        dee = self.join(self.puppet("/v2/ws"), "Dee", code=self.code)
        for puppet in (self.ann, self.bob):
            puppet.wait("SessionPlan", topology="relay", transport="relay", peers=[])
        self.assert_plays(dee, 1, self.ann, self.bob, self.vic)
        self.assert_plays(self.ann, 2, self.bob, dee, self.vic)
        self.assertNotIn("SessionPlan", dee.history)
