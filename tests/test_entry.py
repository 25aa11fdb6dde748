"""
Tests for signalfish.entry.
"""

from twisted.trial.unittest import SynchronousTestCase

from signalfish.entry import Entry
from signalfish.wire.client import Ping
from signalfish.wire.errors import Refusal
from signalfish.wire.names import Rules
from tests.fakes import room_service
from tests.net.fakes import FakeReceiver
from tests.test_session import NOBODY, Client, parsed

JOIN = {"game_name": "g", "player_name": "p"}
WATCH = {"game_name": "g", "room_code": "EXISTS", "spectator_name": "s"}
RETURN = {"player_id": NOBODY, "room_id": NOBODY, "auth_token": "t"}


class EntryTestCase(SynchronousTestCase):
    """
    Joins on their way to a conversation.
    """

    def setUp(self):
        """
        A server with a room, EXISTS.
        """
        self.service = room_service()
        host = Client(self.service)
        host.join("host", "EXISTS")
        self.inner = FakeReceiver()
        rules = Rules(max_players=10)
        self.entry = Entry(self.inner, rules, self.service, host.session.would_create)

    def passed(self, kind, data=None):
        """
        Check that a message is let through; as it arrives.
        """
        message = parsed(kind, data)
        before = len(self.inner.events)
        self.entry.received(message)
        self.assertEqual([message], self.inner.events[before:])
        return message

    def assert_refused(self, code, kind, data, text=None):
        """
        Check that a message is refused, and goes no further.
        """
        refusal = self.assertRaises(Refusal, self.entry.received, parsed(kind, data))
        self.assertEqual(code, refusal.code, data)
        self.assertIsNone(refusal.close)
        if text is not None:
            self.assertEqual(text, refusal.text)
        self.assertEqual([], self.inner.events)


class SyntaxTests(EntryTestCase):
    """
    Joins must be well-formed.
    """

    def test_join(self):
        """
        A well-formed join is let through, its code in upper case.
        """
        self.passed("JoinRoom", JOIN)
        message = self.passed("JoinRoom", {**JOIN, "room_code": "exists", "max_players": 10})
        self.assertEqual("EXISTS", message.data.room_code)

    def test_bad_join(self):
        """
        A malformed join is refused.
        """
        for code, change in (
            ("INVALID_GAME_NAME", {"game_name": ""}),
            ("INVALID_PLAYER_NAME", {"player_name": " "}),
            ("INVALID_MAX_PLAYERS", {"max_players": 11}),
            ("INVALID_INPUT", {"join_only": True}),
            ("INVALID_INPUT", {"password": ""}),
            ("INVALID_ROOM_CODE", {"room_code": "ABC"}),
        ):
            self.assert_refused(code, "JoinRoom", {**JOIN, **change})

    def test_watch(self):
        """
        A well-formed spectator join is let through, its code in upper case.
        """
        message = self.passed("JoinAsSpectator", {**WATCH, "room_code": "exists"})
        self.assertEqual("EXISTS", message.data.room_code)

    def test_bad_watch(self):
        """
        A malformed spectator join is refused.
        """
        for code, change in (
            ("INVALID_GAME_NAME", {"game_name": "a/b"}),
            ("INVALID_PLAYER_NAME", {"spectator_name": "x" * 33}),
            ("INVALID_INPUT", {"password": "x" * 257}),
            ("INVALID_ROOM_CODE", {"room_code": ""}),
        ):
            self.assert_refused(code, "JoinAsSpectator", {**WATCH, **change})

    def test_others(self):
        """
        All else is let through.
        """
        self.passed("Reconnect", RETURN)
        self.passed("Authenticate", {"app_id": ""})
        for kind in ("Ping", "LeaveRoom", "PlayerReady", "StartGame", "LeaveSpectator"):
            self.passed(kind)

    def test_passed_on(self):
        """
        What else happens on the connection is passed on.
        """
        self.entry.refused(None)
        self.entry.control_frame()
        self.entry.alive()
        self.entry.closed()
        self.assertEqual([("refused", None), "control_frame", "alive", "closed"], self.inner.events)


class DrainTests(EntryTestCase):
    """
    During a drain nobody comes in, but into rooms that exist.
    """

    def setUp(self):
        """
        A server that drains.
        """
        super().setUp()
        self.service.draining = True

    def test_create(self):
        """
        No room is created.
        """
        text = "Server is draining for shutdown"
        self.assert_refused("SERVER_DRAINING", "JoinRoom", JOIN, text)
        self.assert_refused("SERVER_DRAINING", "JoinRoom", {**JOIN, "room_code": "NOROOM"}, text)

    def test_join(self):
        """
        Rooms that exist can be joined, whatever the case of the code.
        """
        for code in ("EXISTS", "exists"):
            self.passed("JoinRoom", {**JOIN, "room_code": code})

    def test_join_only(self):
        """
        A join that would not create a room is let through.
        """
        self.passed("JoinRoom", {**JOIN, "room_code": "NOROOM", "join_only": True})

    def test_watch_and_return(self):
        """
        Nobody begins to watch, or comes back.
        """
        text = "Server is draining for shutdown"
        self.assert_refused("SERVER_DRAINING", "JoinAsSpectator", WATCH, text)
        self.assert_refused("SERVER_DRAINING", "Reconnect", RETURN, text)

    def test_first(self):
        """
        The drain is told before what is wrong with a request.
        """
        self.assert_refused("SERVER_DRAINING", "JoinRoom", {**JOIN, "game_name": ""})
        self.assert_refused("SERVER_DRAINING", "JoinAsSpectator", {**WATCH, "room_code": ""})

    def test_malformed(self):
        """
        A join that would create nothing must still be well-formed.
        """
        data = {**JOIN, "room_code": "EXISTS", "player_name": ""}
        self.assert_refused("INVALID_PLAYER_NAME", "JoinRoom", data)

    def test_others(self):
        """
        All else is let through.
        """
        self.assertEqual(Ping(), self.passed("Ping"))
