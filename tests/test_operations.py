"""
Tests for operations with an id, from the message to its result.
"""

import json

from signalfish.entry import Entry
from signalfish.net.limits import AddressBudgets, Budget, RateLimited
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.names import Rules
from signalfish.wire.outgoing import Notice
from signalfish.wire.refusals import answer
from tests.fakes import seen
from tests.test_session import BOTH_VERSIONS, NOBODY, SAID, SessionTestCase, parsed

ID = "7d0c52b8-41ea-4f96-8b3d-e2059ac6f471"
OTHER_ID = "1f6e93a0-d57b-4c28-9e14-08b2c7d5f36a"

JOIN = {"game_name": "g", "player_name": "me", "room_code": "WATCHD"}
WATCH = SAID["JoinAsSpectator"]
KICK = {"player_id": NOBODY}

NEGOTIATED = {
    "app_id": "app",
    "protocol_version": 3,
    "requested_capabilities": ["room_operation_ids"],
}
UNCORRELATED = "RoomOperation requires the negotiated room_operation_ids capability"

MODERATION = {
    "KickPlayer": KICK,
    "BanPlayer": KICK,
    "UnbanPlayer": KICK,
    "RegenerateRoomCode": None,
    "SetRoomAccess": {"password": None},
    "TransferAuthority": KICK,
}
MEMBERSHIP = {
    "JoinRoom": JOIN,
    "LeaveRoom": None,
    "Reconnect": SAID["Reconnect"],
    "JoinAsSpectator": WATCH,
    "LeaveSpectator": None,
}


def operation(kind, data=None, number=ID):
    """
    The payload of a RoomOperation.
    """
    asked = {"type": kind} if data is None else {"type": kind, "data": data}
    return {"operation_id": number, "operation": asked}


class OperationTestCase(SessionTestCase):
    """
    Conversations with a client that has ids for what it asks.
    """

    def setUp(self):
        """
        A room with one player, WATCHD, and a client that has only authenticated.
        """
        super().setUp()
        self.me = self.negotiated()

    def negotiated(self, **changes):
        """
        A new connection that has authenticated.
        """
        client = self.client(BOTH_VERSIONS)
        client.say("Authenticate", {**NEGOTIATED, **changes})
        return client

    def do(self, client, kind, data=None, number=ID):
        """
        Ask for something with an id; what comes under the id, and what else is told.
        """
        told = client.say("RoomOperation", operation(kind, data, number))
        results = [message for message in told if message.type == "RoomOperationResult"]
        self.assertEqual([number], [result.data["operation_id"] for result in results])
        rest = [message.type for message in told if message not in results]
        return results[0].data["result"], rest

    def failure(self, client, kind, data=None, receiver=None):
        """
        Ask in vain for something with an id; the answer, as the client gets it.
        """
        return self.reply(client, operation(kind, data), receiver or client.session)

    def reply(self, client, asked, receiver):
        """
        The answer to a RoomOperation that is refused; nothing else is told or changes.
        """
        before = self.state()
        client.link.take()
        self.host.link.take()
        message = parsed("RoomOperation", asked)
        refusal = self.assertRaises(Refusal, receiver.received, message)
        self.assertEqual([], client.link.take() + self.host.link.take())
        self.assertEqual(before, self.state())
        self.assertIsNone(refusal.close)
        reply = answer(message, refusal, newer_codes=client.link.newer_codes)
        return seen(Notice(reply), client.link.form)

    def assert_failed(self, result, code, told, text=None):
        """
        Check that the answer is a failure in kind under the id.
        """
        self.assertEqual("RoomOperationResult", told.type)
        self.assertEqual(ID, told.data["operation_id"])
        inner = told.data["result"]
        self.assertEqual(result, inner["type"])
        self.assertEqual(code, inner["data"]["error_code"])
        self.assertEqual({"reason", "error_code"}, set(inner["data"]))
        if text is not None:
            self.assertEqual(text, inner["data"]["reason"])

    def guarded(self, client, **budget):
        """
        A client's conversation with what stands around it in a server.
        """
        budgets = AddressBudgets(Budget(**budget), self.clock.seconds)
        creates = client.session.would_create
        limited = RateLimited(client.session, client.link, "192.0.2.1", budgets, creates)
        return Entry(limited, Rules(), self.service, creates, client.session.check_operations)


class MembershipTests(OperationTestCase):
    """
    Coming and going.
    """

    def test_join(self):
        """
        The room that was joined comes under the id, as it would come without, once.
        """
        result, rest = self.do(self.me, "JoinRoom", JOIN)
        self.assertEqual("RoomJoined", result["type"])
        plain = self.negotiated().say("JoinRoom", {**JOIN, "player_name": "other"})[0]
        self.assertEqual("RoomJoined", plain.type)
        self.assertEqual(set(plain.data), set(result["data"]))
        self.assertEqual(self.me.session.player_id, result["data"]["player_id"])
        self.assertNotIn("RoomJoined", rest)

    def test_first(self):
        """
        The result comes before anything else there is to tell.
        """
        told = self.me.say("RoomOperation", operation("JoinRoom", {**JOIN, "room_code": None}))
        self.assertEqual("RoomOperationResult", told[0].type)
        self.assertEqual(["LobbyStateChanged"], [message.type for message in told[1:]])

    def test_others(self):
        """
        The others are told plainly, and no id.
        """
        self.host.link.take()
        self.do(self.me, "JoinRoom", JOIN)
        self.do(self.me, "LeaveRoom")
        types = [told.type for told in self.host.link.told]
        self.assertEqual(["PlayerJoined", "PlayerLeft"], types)
        self.assertNotIn(ID, json.dumps(self.host.link.told))

    def test_leave(self):
        """
        That the room was left comes under the id, without data.
        """
        self.do(self.me, "JoinRoom", JOIN)
        self.assertEqual(({"type": "RoomLeft"}, []), self.do(self.me, "LeaveRoom"))
        self.assertEqual("RoomJoined", self.do(self.me, "JoinRoom", JOIN)[0]["type"])

    def test_reconnect(self):
        """
        The return comes under the id, with a new token.
        """
        joined = self.do(self.me, "JoinRoom", JOIN)[0]["data"]
        self.me.session.closed()
        claim = {
            "player_id": joined["player_id"],
            "room_id": joined["room_id"],
            "auth_token": joined["reconnection_token"],
        }
        back = self.negotiated()
        result, rest = self.do(back, "Reconnect", claim)
        self.assertEqual("Reconnected", result["type"])
        self.assertNotEqual(joined["reconnection_token"], result["data"]["reconnection_token"])
        self.assertNotIn("Reconnected", rest)
        self.assertEqual(joined["player_id"], back.session.player_id)

    def test_spectate(self):
        """
        Watching begins and ends under an id.
        """
        result, rest = self.do(self.me, "JoinAsSpectator", WATCH)
        self.assertEqual(("SpectatorJoined", []), (result["type"], rest))
        result, rest = self.do(self.me, "LeaveSpectator", number=OTHER_ID)
        self.assertEqual(("SpectatorLeft", []), (result["type"], rest))
        reason = result.get("data", {}).get("reason", "voluntary_leave")
        self.assertEqual("voluntary_leave", reason)

    def test_repeated_id(self):
        """
        An id may come again; each time it is an operation of its own.
        """
        for _ in range(3):
            self.assertEqual("RoomJoined", self.do(self.me, "JoinRoom", JOIN)[0]["type"])
            self.assertEqual("RoomLeft", self.do(self.me, "LeaveRoom")[0]["type"])

    def test_plain(self):
        """
        What is asked without an id is answered without, on the same connection.
        """
        self.do(self.me, "JoinRoom", JOIN)
        self.assertEqual(["RoomLeft"], [told.type for told in self.me.say("LeaveRoom")])
        self.assertEqual("RoomJoined", self.me.say("JoinRoom", JOIN)[0].type)
        self.do(self.me, "LeaveRoom")
        self.assertEqual("SpectatorJoined", self.me.say("JoinAsSpectator", WATCH)[0].type)
        self.assertEqual("SpectatorLeft", self.me.say("LeaveSpectator")[0].type)

    def test_plain_after_failure(self):
        """
        An id is forgotten with its operation, also if that failed.
        """
        self.failure(self.me, "LeaveRoom")
        self.assertEqual("RoomJoined", self.me.say("JoinRoom", JOIN)[0].type)
        refusal = self.assert_refused(self.me, "ALREADY_IN_ROOM", "JoinRoom", JOIN)
        reply = answer(parsed("JoinRoom", JOIN), refusal, newer_codes=True)
        self.assertEqual("RoomJoinFailed", type(reply).__name__)

    def test_autonomous(self):
        """
        What happens by itself is told plainly.
        """
        self.do(self.me, "JoinAsSpectator", WATCH)
        self.close_room(self.me)
        self.me.say("Ping")
        watcher = self.negotiated()
        self.do(watcher, "JoinAsSpectator", WATCH)
        self.host.session.closed()
        self.assertNotIn("RoomOperationResult", watcher.link.take_types())


class FailureTests(OperationTestCase):
    """
    Operations that fail.
    """

    def test_join(self):
        """
        A join fails in kind.
        """
        for changes, code in (
            ({"player_name": "HOST"}, "INVALID_PLAYER_NAME"),
            ({"room_code": "ABSENT", "join_only": True}, "ROOM_NOT_FOUND"),
            ({"password": "wrong"}, "PASSWORD_REQUIRED"),
        ):
            told = self.failure(self.me, "JoinRoom", {**JOIN, **changes})
            self.assert_failed("RoomJoinFailed", code, told)

    def test_spectate(self):
        """
        A wish to watch fails in kind.
        """
        told = self.failure(self.me, "JoinAsSpectator", {**WATCH, "room_code": "ABSENT"})
        self.assert_failed("SpectatorJoinFailed", "ROOM_NOT_FOUND", told)
        self.do(self.me, "JoinRoom", JOIN)
        told = self.failure(self.me, "JoinAsSpectator", WATCH)
        self.assert_failed("SpectatorJoinFailed", "SPECTATOR_NOT_ALLOWED", told)

    def test_reconnect(self):
        """
        A return fails in kind.
        """
        before = self.service.tally.failed_reconnections
        told = self.failure(self.me, "Reconnect", SAID["Reconnect"])
        text = "No disconnection record found"
        self.assert_failed("ReconnectionFailed", "RECONNECTION_FAILED", told, text)
        self.assertEqual(before + 1, self.service.tally.failed_reconnections)
        self.do(self.me, "JoinRoom", JOIN)
        told = self.failure(self.me, "Reconnect", SAID["Reconnect"])
        self.assert_failed("ReconnectionFailed", "RECONNECTION_FAILED", told)

    def test_leave(self):
        """
        Leaving has no failure of its own.
        """
        self.assert_failed("OperationFailed", "NOT_IN_ROOM", self.failure(self.me, "LeaveRoom"))
        self.do(self.me, "JoinAsSpectator", WATCH)
        self.assert_failed("OperationFailed", "NOT_IN_ROOM", self.failure(self.me, "LeaveRoom"))

    def test_leave_text(self):
        """
        Who has no seat is told so in the words that operations have for it, a spectator too.
        """
        text = "Not currently in a room"
        told = self.failure(self.me, "LeaveRoom")
        self.assert_failed("OperationFailed", "NOT_IN_ROOM", told, text)
        self.do(self.me, "JoinAsSpectator", WATCH)
        told = self.failure(self.me, "LeaveRoom")
        self.assert_failed("OperationFailed", "NOT_IN_ROOM", told, text)

    def test_unspectate(self):
        """
        To stop watching has no failure of its own either.
        """
        text = "You are not currently spectating a room"
        told = self.failure(self.me, "LeaveSpectator")
        self.assert_failed("OperationFailed", "NOT_A_SPECTATOR", told, text)
        self.do(self.me, "JoinRoom", JOIN)
        told = self.failure(self.me, "LeaveSpectator")
        self.assert_failed("OperationFailed", "NOT_A_SPECTATOR", told, text)

    def test_moderation(self):
        """
        Who has no seat moderates nothing.
        """
        text = "Not currently in a room"
        for kind, data in MODERATION.items():
            told = self.failure(self.me, kind, data)
            self.assert_failed("OperationFailed", "NOT_IN_ROOM", told, text)
        self.do(self.me, "JoinAsSpectator", WATCH)
        for kind, data in MODERATION.items():
            told = self.failure(self.me, kind, data)
            self.assert_failed("OperationFailed", "NOT_IN_ROOM", told, text)

    def test_moderation_after_the_room(self):
        """
        Who had a seat once moderates nothing either.
        """
        self.do(self.me, "JoinRoom", {**JOIN, "room_code": "MYROOM"})
        self.do(self.me, "LeaveRoom")
        for kind, data in MODERATION.items():
            self.assert_failed("OperationFailed", "NOT_IN_ROOM", self.failure(self.me, kind, data))

    def test_retry(self):
        """
        After a failure the same id and the same wish can come again.
        """
        told = self.failure(self.me, "JoinRoom", {**JOIN, "player_name": "host"})
        self.assert_failed("RoomJoinFailed", "INVALID_PLAYER_NAME", told)
        self.assertEqual("RoomJoined", self.do(self.me, "JoinRoom", JOIN)[0]["type"])


class NegotiationTests(OperationTestCase):
    """
    Operations of clients that have not negotiated them.
    """

    def assert_plain(self, client, code, receiver=None, **asked):
        """
        Check that an operation is answered by a plain Error.
        """
        told = self.reply(client, asked, receiver or client.session)
        self.assertIsNotNone(told, "there is no answer at all")
        self.assertEqual("Error", told.type)
        self.assertEqual({"message": UNCORRELATED, "error_code": code}, told.data)

    def clients(self):
        """
        Clients that have not negotiated operations, and what they are told.
        """
        return [
            (self.client(), "UNSUPPORTED_PROTOCOL_VERSION"),
            (self.client(BOTH_VERSIONS), "UNSUPPORTED_PROTOCOL_VERSION"),
            (self.negotiated(protocol_version=2), "UNSUPPORTED_PROTOCOL_VERSION"),
            (self.client(BOTH_VERSIONS, version=3), "INVALID_INPUT"),
            (self.negotiated(requested_capabilities=None), "INVALID_INPUT"),
            (self.negotiated(requested_capabilities=["reconnection_token"]), "INVALID_INPUT"),
        ]

    def test_plain(self):
        """
        The refusal is plain, whatever was asked for.
        """
        for client, code in self.clients():
            for kind, data in {**MEMBERSHIP, **MODERATION}.items():
                self.assert_plain(client, code, **operation(kind, data))

    def test_told(self):
        """
        Who asks for operations in version 3, and nobody else, is told that there are.
        """
        for changes, expected in (
            ({}, True),
            ({"protocol_version": 2}, False),
            ({"requested_capabilities": []}, False),
            ({"requested_capabilities": ["x", "room_operation_ids"]}, True),
        ):
            client = self.client(BOTH_VERSIONS)
            told = client.say("Authenticate", {**NEGOTIATED, **changes})
            capabilities = told[-1].data["capabilities"]
            self.assertEqual(expected, "room_operation_ids" in capabilities)
            self.assertEqual(expected, client.link.newer_codes)

    def test_lives_on(self):
        """
        The connection can do everything else.
        """
        for client, code in self.clients():
            self.assert_plain(client, code, **operation("JoinRoom", JOIN))
            self.assertEqual("RoomJoined", client.say("JoinRoom", JOIN)[0].type)
            client.say("LeaveRoom")

    def test_malformed_join(self):
        """
        That operations were not negotiated counts more than what is wrong with them.
        """
        bad = {**JOIN, "player_name": ""}
        for client, code in self.clients():
            asked = operation("JoinRoom", bad)
            self.assert_plain(client, code, self.guarded(client), **asked)

    def test_bad_password(self):
        """
        That holds for a bad password too.
        """
        for client, code in self.clients():
            asked = operation("SetRoomAccess", {"password": ""})
            self.assert_plain(client, code, self.guarded(client), **asked)

    def test_drain(self):
        """
        That holds during a drain too.
        """
        self.service.draining = True
        for client, code in self.clients():
            asked = operation("Reconnect", SAID["Reconnect"])
            self.assert_plain(client, code, self.guarded(client), **asked)

    def test_budget(self):
        """
        That holds for clients without any budget left too.
        """
        for client, code in self.clients():
            receiver = self.guarded(client, joins=0)
            self.assert_plain(client, code, receiver, **operation("JoinRoom", JOIN))

    def test_authenticate(self):
        """
        An operation that was refused is a message before Authenticate.
        """
        me = self.client(BOTH_VERSIONS)
        self.assert_plain(me, "UNSUPPORTED_PROTOCOL_VERSION", **operation("LeaveRoom"))
        me.session.refused(parsed("RoomOperation", operation("LeaveRoom")))
        self.assert_refused(me, "INVALID_INPUT", "Authenticate", NEGOTIATED)


class GuardTests(OperationTestCase):
    """
    What stands around a conversation looks into operations.
    """

    def setUp(self):
        """
        See :meth:`OperationTestCase.setUp`.
        """
        super().setUp()
        self.entry = self.guarded(self.me, joins=3, creations=1)

    def test_syntax(self):
        """
        Malformed joins fail in kind.
        """
        for kind, data, result, code in (
            ("JoinRoom", {**JOIN, "player_name": ""}, "RoomJoinFailed", "INVALID_PLAYER_NAME"),
            ("JoinRoom", {**JOIN, "game_name": ""}, "RoomJoinFailed", "INVALID_GAME_NAME"),
            ("JoinRoom", {**JOIN, "password": ""}, "RoomJoinFailed", "INVALID_INPUT"),
            ("JoinAsSpectator", {**WATCH, "room_code": "?"}, "SpectatorJoinFailed", None),
        ):
            told = self.failure(self.me, kind, data, self.entry)
            self.assert_failed(result, code or "INVALID_ROOM_CODE", told)

    def test_code(self):
        """
        Room codes are brought to upper case.
        """
        asked = operation("JoinRoom", {**JOIN, "room_code": "watchd"})
        self.entry.received(parsed("RoomOperation", asked))
        told = self.me.link.take()
        self.assertEqual("WATCHD", told[0].data["result"]["data"]["room_code"])

    def test_password(self):
        """
        A password has 1 to 256 bytes.
        """
        text = "The room password must be non-empty and at most 256 bytes"
        for password in ("", "x" * 257, "\u00e9" * 129):
            told = self.failure(self.me, "SetRoomAccess", {"password": password}, self.entry)
            self.assert_failed("OperationFailed", "INVALID_INPUT", told, text)
        for password in (None, "x", "\u00e9" * 128):
            told = self.failure(self.me, "SetRoomAccess", {"password": password}, self.entry)
            self.assert_failed("OperationFailed", "NOT_IN_ROOM", told)

    def test_drain(self):
        """
        During a drain nobody creates rooms, watches or comes back.
        """
        self.service.draining = True
        create = {**JOIN, "room_code": None}
        for kind, data, result in (
            ("JoinRoom", create, "RoomJoinFailed"),
            ("JoinAsSpectator", WATCH, "SpectatorJoinFailed"),
            ("Reconnect", SAID["Reconnect"], "ReconnectionFailed"),
        ):
            told = self.failure(self.me, kind, data, self.entry)
            self.assert_failed(result, "SERVER_DRAINING", told)
        self.entry.received(parsed("RoomOperation", operation("JoinRoom", JOIN)))
        self.assertEqual("RoomJoined", self.me.link.take()[0].data["result"]["type"])

    def test_joins(self):
        """
        Operations and plain messages have one budget, and who has spent it is told in kind.
        """
        self.failure(self.me, "Reconnect", SAID["Reconnect"], self.entry)
        self.entry.received(parsed("JoinRoom", JOIN))
        self.entry.received(parsed("RoomOperation", operation("LeaveRoom")))
        self.entry.received(parsed("RoomOperation", operation("JoinAsSpectator", WATCH)))
        self.entry.received(parsed("RoomOperation", operation("LeaveSpectator")))
        for kind, data, result in (
            ("JoinRoom", JOIN, "RoomJoinFailed"),
            ("JoinAsSpectator", WATCH, "SpectatorJoinFailed"),
            ("Reconnect", SAID["Reconnect"], "ReconnectionFailed"),
        ):
            told = self.failure(self.me, kind, data, self.entry)
            self.assert_failed(result, ErrorCode.RATE_LIMIT_EXCEEDED, told)

    def test_creations(self):
        """
        Rooms created by operations are counted as such.
        """
        create = {**JOIN, "room_code": None}
        self.entry.received(parsed("RoomOperation", operation("JoinRoom", create)))
        self.entry.received(parsed("RoomOperation", operation("LeaveRoom")))
        told = self.failure(self.me, "JoinRoom", create, self.entry)
        self.assert_failed("RoomJoinFailed", "RATE_LIMIT_EXCEEDED", told)

    def test_moderation_is_free(self):
        """
        Moderation costs none of it.
        """
        for _ in range(5):
            for kind, data in MODERATION.items():
                told = self.failure(self.me, kind, data, self.entry)
                self.assert_failed("OperationFailed", "NOT_IN_ROOM", told)
