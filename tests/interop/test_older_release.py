"""
Tests for release 0.10 of the official client, alone and together with everybody else.
"""

from tests.interop.cases import InteropTestCase

ONE = bytes([1])  # MessagePack for 1
NUMBER_KEY = bytes([0x81, 1, 1])  # MessagePack for {1: 1}, which has no JSON


class OldAndNewTests(InteropTestCase):
    """
    One room of version 2 with both releases and a client that never authenticates.
    """

    def setUp(self):
        """
        Fill the room.
        """
        super().setUp()
        self.old = self.join(self.puppet(release="0.10"), "Old", max_players=3)
        self.code = self.old.room["code"]
        self.new = self.join(self.puppet(), "New", code=self.code)
        self.plain = self.client()
        self.room = self.plain.join("Plain", room_code=self.code)
        for puppet in (self.old, self.new):
            puppet.wait("LobbyStateChanged", lobby_state="lobby")
        self.assertEqual(2, self.old.history.count("PlayerJoined"))

    def start(self):
        """
        Let everybody be ready, so that the game starts.
        """
        for puppet in (self.old, self.new):
            puppet.do("ready")
        self.plain.send("PlayerReady")
        told = [puppet.wait("GameStarting")["peers"] for puppet in (self.old, self.new)]
        self.assertEqual(told[0], told[1])
        self.assertEqual(told[0], self.plain.wait("GameStarting")["peer_connections"])

    def test_game(self):
        """
        The game starts for all, and what each of them sends reaches the others.
        """
        self.start()
        ids = {name: getattr(self, name).room["player"] for name in ("old", "new")}
        self.old.do("data", data=["old", 1.5])
        self.new.wait("GameData", data=["old", 1.5], **{"from": ids["old"]})
        self.plain.wait("GameData", data=["old", 1.5], from_player=ids["old"])
        self.new.do("data", data={"new": None})
        self.old.wait("GameData", data={"new": None}, **{"from": ids["new"]})
        self.plain.wait("GameData", data={"new": None}, from_player=ids["new"])
        self.plain.send("GameData", data="é")
        for puppet in (self.old, self.new):
            puppet.wait("GameData", data="é", **{"from": self.room["player_id"]})

    def test_spectator(self):
        """
        The old release watches, and sees the start, the data and who leaves.
        """
        sue = self.spectator(self.code, self.puppet(release="0.10"))
        self.start()
        sue.wait("GameStarting")
        self.assert_plays(self.new, 1, self.old, sue)
        self.new.do("leave")
        self.new.wait("RoomLeft")
        sue.wait("PlayerLeft", player=self.new.room["player"])
        sue.do("unwatch")
        sue.wait("SpectatorLeft", reason="voluntary_leave")

    def test_authority(self):
        """
        The old release gives the authority up, the new one takes it, a third claim is refused.
        """
        self.old.do("authority", become=False)
        self.old.wait("AuthorityResponse", granted=True)
        self.new.wait("AuthorityChanged", player=None)
        self.new.do("authority", become=True)
        self.old.wait("AuthorityChanged", player=None, you=False)
        self.old.wait("AuthorityChanged", player=self.new.room["player"], you=False)
        self.old.do("authority", become=True)
        self.old.wait("AuthorityResponse", granted=False, code="AUTHORITY_CONFLICT")

    def test_return_of_another(self):
        """
        The old release learns of the loss and the return of a player, and plays on with it.
        """
        self.start()
        self.plain.lose()
        for puppet in (self.old, self.new):
            puppet.wait("PlayerLeft", player=self.room["player_id"])
        self.old.do("data", data="missed")
        self.old.settle()
        back = self.client()
        back.reconnect(self.room)
        back.expect("GameData", from_player=self.old.room["player"], data="missed")
        for puppet in (self.old, self.new):
            puppet.wait("PlayerJoined")
            puppet.wait("PlayerReconnected", player=self.room["player_id"])
        back.send("GameData", data=[1])
        for puppet in (self.old, self.new):
            puppet.wait("GameData", data=[1])

    def test_loss(self):
        """
        The others learn of the loss of the old release; the game has no authority then.
        """
        self.start()
        self.old.die()
        self.new.wait("PlayerLeft", player=self.old.room["player"])
        self.new.wait("AuthorityChanged", player=None)
        self.plain.wait("AuthorityChanged", authority_player=None)

    def test_binary(self):
        """
        MessagePack reaches the old release as such or as JSON, or as an error without JSON.
        """
        self.new.do("leave")
        self.new.wait("RoomLeft")
        sender = self.client()
        sender.authenticate(game_data_format="message_pack")
        sender.join("Mo", room_code=self.code)
        packed = self.spectator(self.code, self.puppet(release="0.10", binary=True))
        for payload in (ONE, NUMBER_KEY):
            sender.send_raw(payload)
            packed.wait("GameDataBinary", encoding="message_pack", bytes=list(payload))
        self.old.wait("GameData", data=1)
        self.old.wait("Error", code="UNSUPPORTED_GAME_DATA_FORMAT")


class RefusalTests(InteropTestCase):
    """
    What the old release is refused comes with codes that it knows.
    """

    settings = {"server": {"default_max_spectators": 1}}

    def setUp(self):
        """
        Have rooms that let nobody in.
        """
        super().setUp()
        self.old = self.puppet(release="0.10")

    def refused(self, verb, event, **fields):
        """
        The code of a refusal, after which the client can go on.
        """
        self.old.do(verb, **{"game": "reef-racers", "name": "Old", **fields})
        code = self.old.wait(event)["code"]
        self.join(self.old, "Old")
        return code

    def test_password(self):
        """
        A room with a password is as good as none for whoever knows no passwords.
        """
        code = self.seat("Ann", password="correct horse").room["code"]
        self.assertEqual("ROOM_NOT_FOUND", self.refused("join", "RoomJoinFailed", code=code))

    def test_watch_with_password(self):
        """
        So it is for a spectator.
        """
        code = self.seat("Ann", password="correct horse").room["code"]
        got = self.refused("watch", "SpectatorJoinFailed", code=code)
        self.assertEqual("ROOM_NOT_FOUND", got)

    def test_full(self):
        """
        A full room is a full room.
        """
        code = self.seat("Ann", max_players=1).room["code"]
        self.assertEqual("ROOM_FULL", self.refused("join", "RoomJoinFailed", code=code))

    def test_taken_name(self):
        """
        A name that somebody in the room has.
        """
        code = self.seat("Ann").room["code"]
        got = self.refused("join", "RoomJoinFailed", code=code, name="ANN")
        self.assertEqual("INVALID_PLAYER_NAME", got)

    def test_watch_nothing(self):
        """
        A room that is not there.
        """
        got = self.refused("watch", "SpectatorJoinFailed", code="ZZZZZ9")
        self.assertEqual("ROOM_NOT_FOUND", got)

    def test_watch_crowded(self):
        """
        A room that has as many spectators as it may have.
        """
        code = self.seat("Ann").room["code"]
        self.spectator(code)
        got = self.refused("watch", "SpectatorJoinFailed", code=code)
        self.assertEqual("TOO_MANY_SPECTATORS", got)

    def test_reconnect_nowhere(self):
        """
        A seat that nobody left.
        """
        unknown = "ffffffff-ffff-4fff-8fff-ffffffffffff"
        wish = {"player": unknown, "room": unknown, "token": "x" * 36}
        got = self.refused("reconnect", "ReconnectionFailed", **wish)
        self.assertEqual("RECONNECTION_FAILED", got)


class IncompatibleTests(InteropTestCase):
    """
    Where players who would end a mesh are refused.
    """

    settings = {"session": {"incompatible_joiner": "refuse"}}

    def test_refused(self):
        """
        The old release is told that the room is full, since it knows no better code.
        """
        ann = self.join(self.puppet("/v3/ws", mode="mesh"), "Ann")
        ann.do("ready")
        ann.do("start")
        ann.wait("SessionPlan", topology="mesh")
        old = self.puppet(release="0.10")
        old.do("join", game="reef-racers", name="Old", code=ann.room["code"])
        old.wait("RoomJoinFailed", code="ROOM_FULL")
        new = self.puppet()
        new.do("join", game="reef-racers", name="New", code=ann.room["code"])
        new.wait("RoomJoinFailed", code="ROOM_FULL")
        self.assertNotIn("PlayerJoined", ann.settle())
