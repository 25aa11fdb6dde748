"""
Players of different applications on one server, from the conversation inwards.
"""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from signalfish.apps import App, Apps
from signalfish.handshake import Offer
from signalfish.session import Policy
from signalfish.wire.errors import ErrorCode, Refusal
from tests.fakes import room_service
from tests.test_session import COMPATIBILITY, POLICY, RULES, Client, parsed

REEF = App("reef", "Reef Racers", max_rooms=2, max_players_per_room=2)
CHESS = App("chess", "Chess")
WATCH = {"game_name": "g", "room_code": "AAAAAA", "spectator_name": "s"}


def policy(*apps):
    """
    That of a server with these applications.
    """
    return Policy(Offer(RULES, COMPATIBILITY, max_version=3, apps=Apps(apps)))


class AppsTestCase(SynchronousTestCase):
    """
    A server with two applications.
    """

    def setUp(self):
        """
        Nobody is there.
        """
        self.clock = Clock()
        self.service = room_service(self.clock)
        self.policy = policy(REEF, CHESS)

    def client(self, app_id, **credentials):
        """
        Somebody who has authenticated, in the newest version by default.
        """
        client = Client(self.service, self.policy)
        client.say("Authenticate", {"app_id": app_id, "protocol_version": 3, **credentials})
        return client

    def assert_refused(self, client, code, kind, data, text):
        """
        Check that something is refused.
        """
        refusal = self.assertRaises(Refusal, client.session.received, parsed(kind, data))
        self.assertEqual((code, text), (refusal.code, refusal.text))
        self.assertIsNone(refusal.close)

    def assert_cannot_create(self, client, code, text, **request):
        """
        Check that somebody gets no room, and that none is left over.
        """
        before = len(self.service.rooms)
        request = {"game_name": "g", "player_name": "p", **request}
        self.assert_refused(client, code, "JoinRoom", request, text)
        self.assertEqual(before, len(self.service.rooms))


class IsolationTests(AppsTestCase):
    """
    Rooms of one application are no rooms for another.
    """

    def test_same_code(self):
        """
        Both can have a room with the same game and code, and play apart.
        """
        reef, chess = self.client("reef"), self.client("chess")
        one, two = reef.join("ada", "AAAAAA"), chess.join("ada", "AAAAAA")
        self.assertNotEqual(one["room_id"], two["room_id"])
        self.assertEqual(1, len(two["current_players"]))
        reef.link.take()
        chess.session.received(parsed("GameData", {"data": 1}))
        self.assertEqual([], reef.link.take())
        bo = self.client("reef").join("bo", "AAAAAA")
        self.assertEqual(one["room_id"], bo["room_id"])

    def test_join_only(self):
        """
        Another application's room cannot be joined, and nobody can tell that it is there.
        """
        self.client("reef").join("ada", "AAAAAA", password="secret")
        for code in ("AAAAAA", "BBBBBB"):
            request = {"game_name": "g", "player_name": "p", "room_code": code, "join_only": True}
            client = self.client("chess")
            not_found = ErrorCode.ROOM_NOT_FOUND
            self.assert_refused(client, not_found, "JoinRoom", request, "Room not found")
            self.assertFalse(client.session.would_create(parsed("JoinRoom", request).data))

    def test_would_create(self):
        """
        Whoever cannot see a room would create one.
        """
        self.client("reef").join("ada", "AAAAAA")
        request = {"game_name": "g", "player_name": "p", "room_code": "AAAAAA"}
        for app_id, creates in (("reef", False), ("chess", True)):
            client = self.client(app_id)
            message = parsed("JoinRoom", request)
            self.assertEqual(creates, client.session.would_create(message.data))

    def test_spectate(self):
        """
        Another application's room cannot be watched.
        """
        self.client("reef").join("ada", "AAAAAA")
        stranger = self.client("chess")
        not_found = ErrorCode.ROOM_NOT_FOUND
        self.assert_refused(stranger, not_found, "JoinAsSpectator", WATCH, "Room not found")
        self.assertIn("room_id", self.client("reef").watch("AAAAAA"))

    def test_reconnect(self):
        """
        A seat cannot be claimed for another application; its player still can.
        """
        ada = self.client("reef")
        room = ada.join("ada", "AAAAAA")
        claim = {
            "player_id": room["player_id"],
            "room_id": room["room_id"],
            "auth_token": room["reconnection_token"],
        }
        text = "Room no longer exists"
        for _ in range(2):
            stranger = self.client("chess")
            self.assert_refused(stranger, ErrorCode.ROOM_NOT_FOUND, "Reconnect", claim, text)
            ada.session.closed()
        back = self.client("reef").say("Reconnect", claim)
        self.assertEqual("Reconnected", back[0].type)

    def test_no_takeover(self):
        """
        Nor is a live connection ended by a token from another application.
        """
        ada = self.client("reef")
        room = ada.join("ada", "AAAAAA")
        claim = {
            "player_id": room["player_id"],
            "room_id": room["room_id"],
            "auth_token": room["reconnection_token"],
        }
        session = self.client("chess").session
        self.assertRaises(Refusal, session.received, parsed("Reconnect", claim))
        self.assertIsNone(ada.link.closed)
        self.assertTrue(ada.session.is_member())

    def test_signals(self):
        """
        A player of another application is nobody, not somebody elsewhere.
        """
        transports = {"supported_transports": ["webrtc"], "supported_topologies": ["mesh"]}
        ada, bo = self.client("reef", **transports), self.client("chess", **transports)
        ada.join("ada", "AAAAAA")
        target = bo.join("bo", "AAAAAA")["player_id"]
        signal = {"to": target, "generation": target, "signal": {"Offer": "v=0"}}
        refusal = self.assertRaises(Refusal, ada.session.received, parsed("Signal", signal))
        self.assertEqual(ErrorCode.SIGNAL_TARGET_NOT_FOUND, refusal.code)

    def test_new_code(self):
        """
        A room that gets another code is still only found by its own application.
        """
        ada = self.client("reef")
        ada.join("ada", "AAAAAA")
        [room] = self.service.rooms
        self.service.recode(room)
        bo = self.client("reef").join("bo", room.code)
        self.assertEqual(room.id, bo["room_id"])
        self.assertNotEqual(room.id, self.client("chess").join("cem", room.code)["room_id"])

    def test_sweep(self):
        """
        Rooms with the same game and code are closed apart.
        """
        self.client("reef").join("ada", "AAAAAA")
        self.clock.advance(2000)
        self.client("chess").join("bo", "AAAAAA")
        self.clock.advance(2000)
        self.service.sweep()
        [room] = self.service.rooms
        self.assertEqual("chess", room.owner.key)

    def test_open(self):
        """
        Where no applications are listed, all meet, whatever they say.
        """
        self.policy = POLICY
        one = self.client("reef").join("ada", "AAAAAA")
        two = self.client("chess").join("bo", "AAAAAA")
        three = Client(self.service).join("cem", "AAAAAA")
        self.assertEqual({one["room_id"]}, {one["room_id"], two["room_id"], three["room_id"]})


class QuotaTests(AppsTestCase):
    """
    What one application may use.
    """

    def test_rooms(self):
        """
        It may have so many rooms, of all games; those that exist can be joined.
        """
        for game in ("g", "h"):
            request = {"game_name": game, "player_name": "ada", "room_code": "AAAAAA"}
            self.client("reef").say("JoinRoom", request)
        text = "The application already has 2 rooms (limit 2)"
        full = ErrorCode.MAX_ROOMS_PER_GAME_EXCEEDED
        for request in ({}, {"room_code": "BBBBBB"}, {"game_name": "i"}):
            self.assert_cannot_create(self.client("reef"), full, text, **request)
        self.client("reef").join("bo", "AAAAAA")
        self.client("chess").join("cem", "BBBBBB")

    def test_rooms_again(self):
        """
        A room that is gone makes place for another.
        """
        for code in ("AAAAAA", "BBBBBB"):
            self.client("reef").join("ada", code)
        self.clock.advance(4000)
        self.service.sweep()
        self.client("reef").join("ada", "CCCCCC")

    def test_capacity(self):
        """
        Nobody gets a room that is larger than the application's rooms may be.
        """
        text = "Requested room capacity 8 exceeds the application limit 2"
        wrong = ErrorCode.INVALID_MAX_PLAYERS
        self.assert_cannot_create(self.client("reef"), wrong, text, max_players=8)
        self.assertEqual(2, self.client("reef").join("ada", "AAAAAA", max_players=2)["max_players"])
        self.assertEqual(1, self.client("reef").join("bo", "BBBBBB", max_players=1)["max_players"])
        self.assertEqual(8, self.client("chess").join("a", "AAAAAA", max_players=8)["max_players"])

    def test_default_capacity(self):
        """
        The limit is the capacity of rooms for which none is asked, unless the default is smaller.
        """
        self.assertEqual(2, self.client("reef").join("ada", "AAAAAA")["max_players"])
        self.assertEqual(8, self.client("chess").join("ada", "AAAAAA")["max_players"])
        self.policy = policy(App("reef", "Reef", max_players_per_room=50))
        self.assertEqual(8, self.client("reef").join("bo", "BBBBBB")["max_players"])

    def test_capacity_of_existing(self):
        """
        The capacity that somebody asks for who joins a room does not matter.
        """
        self.client("reef").join("ada", "AAAAAA")
        self.assertEqual(2, self.client("reef").join("bo", "AAAAAA", max_players=8)["max_players"])

    def test_order(self):
        """
        The capacity is checked before the number of rooms.
        """
        for code in ("AAAAAA", "BBBBBB"):
            self.client("reef").join("ada", code)
        text = "Requested room capacity 3 exceeds the application limit 2"
        wrong = ErrorCode.INVALID_MAX_PLAYERS
        self.assert_cannot_create(self.client("reef"), wrong, text, max_players=3)

    def test_known(self):
        """
        What surrounds a conversation can ask which application it is about.
        """
        client = Client(self.service, self.policy)
        self.assertEqual("default", client.session.app.name)
        client.say("Authenticate", {"app_id": "reef"})
        self.assertIs(REEF, client.session.app)
