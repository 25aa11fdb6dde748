"""
Tests for the official client in protocol version 2.
"""

from tests.interop.cases import Version2TestCase

TEXT_KEY = bytes([0x81, 0xA1, 0x78, 1])  # MessagePack for {"x": 1}
NUMBER_KEY = bytes([0x81, 1, 1])  # MessagePack for {1: 1}, which has no JSON
UNKNOWN = "ffffffff-ffff-4fff-8fff-ffffffffffff"


class LobbyTests(Version2TestCase):
    """
    From the first seat to the start of the game.
    """

    def test_terms(self):
        """
        The terms are those of version 2, which do not mention a version.
        """
        terms = self.puppet().terms
        self.assertEqual(["json", "message_pack"], terms["game_data_formats"])
        self.assertNotIn("protocol_version", terms)

    def test_seats(self):
        """
        Who creates a room is its authority, and learns about who comes.
        """
        ann = self.seat("Ann", max_players=2)
        self.assertEqual((True, "waiting"), (ann.room["is_authority"], ann.room["lobby_state"]))
        bob = self.join(self.puppet(), "Bob", code=ann.room["code"])
        self.assertFalse(bob.room["is_authority"])
        self.assertEqual(["Ann", "Bob"], [player["name"] for player in bob.room["players"]])
        self.assertEqual(bob.room["player"], ann.wait("PlayerJoined")["player"]["id"])

    def test_start(self):
        """
        The game starts when everybody is ready, and players get to know how to connect.
        """
        ann, bob = self.pair()
        sue = self.spectator(ann.room["code"])
        info = {"type": "direct", "host": "192.0.2.4", "port": 40417}
        ids = [puppet.room["player"] for puppet in (ann, bob)]
        ann.do("info", info=info)
        ann.do("ready")
        bob.wait("LobbyStateChanged", ready=ids[:1], all_ready=False)
        bob.do("ready")
        for puppet, told in ((ann, info), (bob, info), (sue, None)):
            first, second = puppet.wait("GameStarting")["peers"]
            self.assertEqual(ids, [first["player_id"], second["player_id"]])
            self.assertEqual(told, first.get("connection_info"))
        ann.do("start")
        self.assertEqual([], sue.settle())

    def test_leave(self):
        """
        Who leaves gets to know it, and so do the others; the room is a lobby for one again.
        """
        ann, bob = self.pair()
        bob.do("leave")
        bob.wait("RoomLeft")
        ann.wait("PlayerLeft", player=bob.room["player"])
        ann.wait("LobbyStateChanged", lobby_state="waiting")


class DataTests(Version2TestCase):
    """
    Game data, and the formats it comes in.
    """

    def test_json(self):
        """
        A value reaches everybody else, without anything that version 2 does not know.
        """
        ann, bob = self.pair(binary=True)
        sue = self.spectator(ann.room["code"])
        ann.do("data", data={"x": [1, None, "é"]})
        for puppet in (bob, sue):
            got = puppet.wait(
                "GameData", data={"x": [1, None, "é"]}, **{"from": ann.room["player"]}
            )
            self.assertEqual([None] * 4, [got[key] for key in ("seq", "epoch", "class", "key")])
        self.assertNotIn("GameData", ann.settle())

    def test_message_pack(self):
        """
        MessagePack arrives as such or as JSON, or as an error where it has no JSON.
        """
        sender = self.client()
        sender.authenticate(game_data_format="message_pack")
        code = sender.join("Mo")["room_code"]
        packed = self.join(self.puppet(binary=True), "Pat", code=code)
        plain = self.join(self.puppet(), "Jay", code=code)
        sender.send_raw(TEXT_KEY)
        packed.wait("GameDataBinary", encoding="message_pack", bytes=list(TEXT_KEY))
        plain.wait("GameData", data={"x": 1})
        sender.send_raw(NUMBER_KEY)
        packed.wait("GameDataBinary", bytes=list(NUMBER_KEY))
        plain.wait("Error", code="UNSUPPORTED_GAME_DATA_FORMAT")


class AuthorityTests(Version2TestCase):
    """
    The authority of a room.
    """

    def test_handover(self):
        """
        The authority is given up, taken by another player, and refused to a third request.
        """
        ann, bob = self.pair()
        sue = self.spectator(ann.room["code"])
        ann.do("authority", become=False)
        ann.wait("AuthorityResponse", granted=True)
        for puppet in (ann, bob, sue):
            puppet.wait("AuthorityChanged", player=None, you=False)
        bob.do("authority", become=True)
        bob.wait("AuthorityResponse", granted=True)
        for puppet in (ann, bob, sue):
            puppet.wait("AuthorityChanged", player=bob.room["player"], you=puppet is bob)
        ann.do("authority", become=True)
        ann.wait("AuthorityResponse", granted=False, code="AUTHORITY_CONFLICT")

    def test_loss(self):
        """
        The authority is vacant once the connection of its holder is lost.
        """
        ann, bob = self.pair()
        ann.die()
        bob.wait("PlayerLeft", player=ann.room["player"])
        bob.wait("AuthorityChanged", player=None, you=False)


class SpectatorTests(Version2TestCase):
    """
    A client that watches.
    """

    def test_watch(self):
        """
        The players learn who comes to watch, and who goes.
        """
        ann, bob = self.pair()
        sue = self.spectator(ann.room["code"])
        self.assertEqual(["Ann", "Bob"], [player["name"] for player in sue.watching["players"]])
        for puppet in (ann, bob):
            spectator = puppet.wait("NewSpectatorJoined")["spectator"]
            self.assertEqual("Sue", spectator["name"])
        sue.do("unwatch")
        sue.wait("SpectatorLeft", reason="voluntary_leave")
        for puppet in (ann, bob):
            puppet.wait(
                "SpectatorDisconnected",
                spectator=sue.watching["spectator"],
                reason="voluntary_leave",
            )


class OlderClientTests(Version2TestCase):
    """
    A client without authentication in the room of official ones.
    """

    def setUp(self):
        """
        Seat a plain client next to an official one, with an official spectator.
        """
        super().setUp()
        self.ann = self.seat("Ann", max_players=2)
        self.sue = self.spectator(self.ann.room["code"])
        self.cy = self.client()
        self.room = self.cy.join("Cy", room_code=self.ann.room["code"])
        for puppet in (self.ann, self.sue):
            puppet.wait("PlayerJoined")

    def assert_plays(self, client, value):
        """
        What a client sends reaches the official ones.
        """
        client.send("GameData", data=value)
        for puppet in (self.ann, self.sue):
            puppet.wait("GameData", data=value, **{"from": self.room["player_id"]})

    def test_lost_and_returning(self):
        """
        The official clients learn of the loss and of the return; what they sent meanwhile is kept.
        """
        self.cy.lose()
        for puppet in (self.ann, self.sue):
            puppet.wait("PlayerLeft", player=self.room["player_id"])
        self.ann.do("data", data="missed")
        self.ann.settle()
        returned = self.client()
        returned.reconnect(self.room)
        returned.expect("GameData", from_player=self.ann.room["player"], data="missed")
        for puppet in (self.ann, self.sue):
            puppet.wait("PlayerReconnected", player=self.room["player_id"])
        self.assert_plays(returned, [1])

    def test_taking_over(self):
        """
        A second connection can take the seat from the first, which goes on as the same player.
        """
        second = self.client()
        second.reconnect(self.room)
        for puppet in (self.ann, self.sue):
            puppet.wait("PlayerReconnected", player=self.room["player_id"])
        self.assert_plays(second, [2])
        self.ann.do("data", data=[3])
        second.expect("GameData", from_player=self.ann.room["player"], data=[3])


class PasswordTests(Version2TestCase):
    """
    A room that was created with a password.
    """

    def setUp(self):
        """
        Create the room.
        """
        super().setUp()
        self.ann = self.seat("Ann", password="correct horse")
        self.code = self.ann.room["code"]

    def test_player(self):
        """
        Only the password gets a player in.
        """
        bob = self.puppet()
        bob.do("join", game="reef-racers", name="Bob", code=self.code, password="wrong horse")
        bob.wait("RoomJoinFailed", code="PASSWORD_REQUIRED")
        self.join(bob, "Bob", code=self.code, password="correct horse")
        self.ann.wait("PlayerJoined")

    def test_spectator(self):
        """
        Only the password gets a spectator in.
        """
        sue = self.puppet()
        watch = {"game": "reef-racers", "code": self.code, "name": "Sue"}
        sue.do("watch", **watch)
        sue.wait("SpectatorJoinFailed", code="ROOM_NOT_FOUND")  # who knows no passwords gets this
        sue.do("watch", **watch, password="wrong horse")
        sue.wait("SpectatorJoinFailed", code="PASSWORD_REQUIRED")
        sue.do("watch", **watch, password="correct horse")
        sue.wait("SpectatorJoined", room=self.ann.room["room"])


class RefusalTests(Version2TestCase):
    """
    Every refusal comes as the event that the official client has for it.
    """

    def refused(self, verb, event, **fields):
        """
        The code of a refusal, after which the client can go on.
        """
        newcomer = self.puppet()
        newcomer.do(verb, **fields)
        code = newcomer.wait(event)["code"]
        self.join(newcomer, "Cy")
        return code

    def test_full(self):
        """
        A room that is full.
        """
        wish = {"game": "reef-racers", "name": "Cy", "code": self.pair()[0].room["code"]}
        self.assertEqual("ROOM_FULL", self.refused("join", "RoomJoinFailed", **wish))

    def test_game_name(self):
        """
        A game name that is not allowed.
        """
        wish = {"game": "", "name": "Cy"}
        self.assertEqual("INVALID_GAME_NAME", self.refused("join", "RoomJoinFailed", **wish))

    def test_watch_nothing(self):
        """
        A room to watch that is not there.
        """
        wish = {"game": "reef-racers", "code": "ZZZZZ9", "name": "Sue"}
        self.assertEqual("ROOM_NOT_FOUND", self.refused("watch", "SpectatorJoinFailed", **wish))

    def test_reconnect_nowhere(self):
        """
        A seat that nobody left.
        """
        wish = {"player": UNKNOWN, "room": UNKNOWN, "token": "x" * 43}
        code = self.refused("reconnect", "ReconnectionFailed", **wish)
        self.assertEqual("RECONNECTION_FAILED", code)
