"""
Tests for signalfish.session.
"""

import json

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from signalfish import handshake
from signalfish.session import Policy, Session
from signalfish.wire.client import BinaryGameData
from signalfish.wire.codec import decode_text
from signalfish.wire.errors import CloseCode, ErrorCode, Refusal
from signalfish.wire.refusals import answer
from signalfish.wire.types import Encoding, Form
from tests.fakes import RULES, V2, V2_BINARY, V3, FakeLink, Told, room_service

COMPATIBILITY = handshake.Compatibility({}, {}, {"_default": ("reconnection",)}, {})
POLICY = Policy(handshake.Offer(RULES, COMPATIBILITY), max_connection_info=200)
BOTH_VERSIONS = Policy(handshake.Offer(RULES, COMPATIBILITY, max_version=3))

NOBODY = "00000000-0000-4000-8000-000000000000"
DIRECT = {"type": "direct", "host": "192.0.2.1", "port": 7777}

SAID = {
    "Authenticate": {"app_id": "app"},
    "JoinRoom": {"game_name": "g", "player_name": "newcomer"},
    "LeaveRoom": None,
    "GameData": {"data": [1]},
    "BinaryGameData": b"\x01",
    "AuthorityRequest": {"become_authority": True},
    "PlayerReady": None,
    "StartGame": None,
    "ProvideConnectionInfo": {"connection_info": DIRECT},
    "Ping": None,
    "Reconnect": {"player_id": NOBODY, "room_id": NOBODY, "auth_token": "token"},
    "JoinAsSpectator": {"game_name": "g", "room_code": "WATCHD", "spectator_name": "s"},
    "LeaveSpectator": None,
    "Signal": {"to": NOBODY, "generation": NOBODY, "signal": {"Offer": "v=0"}},
    "TransportStatus": {"transport": "webrtc", "connected": True},
}
"""
One of each message a client can send.
"""

OUTSIDE = {
    "JoinRoom": ["RoomJoined"],
    "LeaveRoom": ErrorCode.NOT_IN_ROOM,
    "GameData": ErrorCode.NOT_IN_ROOM,
    "BinaryGameData": ErrorCode.NOT_IN_ROOM,
    "AuthorityRequest": ErrorCode.NOT_IN_ROOM,
    "PlayerReady": ErrorCode.NOT_IN_ROOM,
    "StartGame": ErrorCode.NOT_IN_ROOM,
    "ProvideConnectionInfo": ErrorCode.NOT_IN_ROOM,
    "Ping": ["Pong"],
    "Reconnect": ErrorCode.RECONNECTION_FAILED,
    "JoinAsSpectator": ["SpectatorJoined"],
    "LeaveSpectator": ErrorCode.NOT_A_SPECTATOR,
    "Signal": ErrorCode.NOT_IN_ROOM,
    "TransportStatus": [],
}
NOWHERE = {"Authenticate": ["Authenticated", "ProtocolInfo"], **OUTSIDE}
SEATED = {
    "Authenticate": ErrorCode.INVALID_INPUT,
    "JoinRoom": ErrorCode.ALREADY_IN_ROOM,
    "LeaveRoom": ["RoomLeft"],
    "GameData": [],
    "BinaryGameData": [],
    "AuthorityRequest": ErrorCode.AUTHORITY_CONFLICT,
    "PlayerReady": ["LobbyStateChanged"],
    "StartGame": ErrorCode.GAME_START_NOT_READY,
    "ProvideConnectionInfo": [],
    "Ping": ["Pong"],
    "Reconnect": ErrorCode.RECONNECTION_FAILED,
    "JoinAsSpectator": ErrorCode.SPECTATOR_NOT_ALLOWED,
    "LeaveSpectator": ErrorCode.NOT_A_SPECTATOR,
    "Signal": ErrorCode.SIGNAL_TARGET_NOT_FOUND,
    "TransportStatus": [],
}
SPECTATING = {
    "Authenticate": ErrorCode.INVALID_INPUT,
    "JoinRoom": ErrorCode.ALREADY_IN_ROOM,
    "LeaveRoom": ErrorCode.NOT_IN_ROOM,
    "GameData": ErrorCode.SPECTATOR_NOT_ALLOWED,
    "BinaryGameData": ErrorCode.SPECTATOR_NOT_ALLOWED,
    "AuthorityRequest": ErrorCode.SPECTATOR_NOT_ALLOWED,
    "PlayerReady": ErrorCode.SPECTATOR_NOT_ALLOWED,
    "StartGame": ErrorCode.SPECTATOR_NOT_ALLOWED,
    "ProvideConnectionInfo": ErrorCode.SPECTATOR_NOT_ALLOWED,
    "Ping": ["Pong"],
    "Reconnect": ErrorCode.RECONNECTION_FAILED,
    "JoinAsSpectator": ErrorCode.SPECTATOR_JOIN_FAILED,
    "LeaveSpectator": ["SpectatorLeft"],
    "Signal": ErrorCode.NOT_IN_ROOM,
    "TransportStatus": [],
}
AFTER_THE_ROOM = {"Authenticate": ErrorCode.INVALID_INPUT, **OUTSIDE}


def parsed(kind, data=None):
    """
    A message as the decoder makes it.
    """
    if kind == "BinaryGameData":
        return BinaryGameData(data)
    message = {"type": kind} if data is None else {"type": kind, "data": data}
    return decode_text(json.dumps(message).encode(), 100_000)


class Client:
    """
    A session, and the link on which it is answered.
    """

    def __init__(self, service, policy=POLICY, version=2, address="192.0.2.1"):
        self.link = FakeLink()
        self.session = Session(self.link, address, service, policy, version)

    def say(self, kind, data=None):
        """
        Say something; what one is told for it.
        """
        self.link.take()
        self.session.received(parsed(kind, data))
        return self.link.take()

    def join(self, name, code=None, **request):
        """
        Take a seat; the answer.
        """
        request |= {"game_name": "g", "player_name": name, "room_code": code}
        return self.say("JoinRoom", request)[0].data

    def watch(self, code):
        """
        Begin to watch; the answer.
        """
        return self.say("JoinAsSpectator", {**SAID["JoinAsSpectator"], "room_code": code})[0].data


class SessionTestCase(SynchronousTestCase):
    """
    Conversations about rooms that live by a clock of ours.
    """

    def setUp(self):
        """
        A room with one player, WATCHD, and somebody who has said nothing yet.
        """
        self.clock = Clock()
        self.service = room_service(self.clock)
        self.host = self.client(address="192.0.2.100")
        self.host.join("host", "WATCHD", max_players=4)
        self.me = self.client()

    def client(self, *arguments, **options):
        """
        A new connection.
        """
        return Client(self.service, *arguments, **options)

    def assert_refused(self, client, code, kind, data=None, text=None):
        """
        Check that something is refused, that it is told nobody, and changes nothing.
        """
        before = self.state()
        self.host.link.take()
        client.link.take()
        refusal = self.assertRaises(Refusal, client.session.received, parsed(kind, data))
        self.assertEqual(code, refusal.code, kind)
        if text is not None:
            self.assertEqual(text, refusal.text)
        self.assertEqual([], client.link.take() + self.host.link.take(), kind)
        self.assertEqual(before, self.state(), kind)
        return refusal

    def state(self):
        """
        All there is to know of the rooms.
        """
        rooms = [
            (
                room.id,
                [(seat.id, seat.is_ready, seat.seq, seat.epoch) for seat in room.seats.values()],
                list(room.watchers),
                list(room.absent),
                room.authority,
                room.state,
            )
            for room in self.service.rooms
        ]
        tally = self.service.tally
        return rooms, tally.players_joined, tally.players_left, tally.game_data_messages

    def close_room(self, client):
        """
        Let nothing happen for so long that all rooms are closed.
        """
        self.clock.advance(4000)
        self.service.sweep()
        self.assertEqual(0, len(self.service.rooms))
        self.host = self.client(address="192.0.2.100")
        self.host.join("host", "WATCHD", max_players=4)
        client.link.take()


class TableTests(SessionTestCase):
    """
    Every message in every place.
    """

    def check(self, table, place):
        """
        Say each message in a place, and compare what happens with a table.
        """
        self.assertEqual(set(SAID), set(table))
        for kind, expected in table.items():
            self.setUp()
            place()
            if kind == "BinaryGameData":
                self.me.link.form = V2_BINARY
            if isinstance(expected, ErrorCode):
                refusal = self.assert_refused(self.me, expected, kind, SAID[kind])
                self.assertIsNone(refusal.close)
            else:
                told = [message.type for message in self.me.say(kind, SAID[kind])]
                self.assertEqual(expected, told, kind)
            self.assertIsNone(self.me.link.closed, kind)

    def test_nowhere(self):
        """
        A connection that has just begun can enter, ping and authenticate.
        """
        self.check(NOWHERE, lambda: None)

    def test_seated(self):
        """
        A player can do anything but enter again.
        """
        self.check(SEATED, lambda: self.me.join("me", max_players=4))

    def test_spectating(self):
        """
        A spectator can only stop watching.
        """
        self.check(SPECTATING, lambda: self.me.watch("WATCHD"))

    def test_after_leaving(self):
        """
        Who has left is nowhere, but has spoken.
        """

        def place():
            self.me.join("me")
            self.me.say("LeaveRoom")

        self.check(AFTER_THE_ROOM, place)

    def test_after_watching(self):
        """
        Who has stopped watching is nowhere, but has spoken.
        """

        def place():
            self.me.watch("WATCHD")
            self.me.say("LeaveSpectator")

        self.check(AFTER_THE_ROOM, place)

    def test_after_the_room(self):
        """
        A spectator whose room was closed is nowhere, but has spoken.
        """

        def place():
            self.me.watch("WATCHD")
            self.close_room(self.me)

        self.check(AFTER_THE_ROOM, place)


class TextTests(SessionTestCase):
    """
    The words of refusals.
    """

    def test_nowhere(self):
        """
        Who is nowhere is told so.
        """
        self.assert_refused(self.me, "NOT_IN_ROOM", "PlayerReady", text="Not in a room")
        text = "You are not currently spectating a room"
        self.assert_refused(self.me, "NOT_A_SPECTATOR", "LeaveSpectator", text=text)

    def test_seated(self):
        """
        Who is seated is told so.
        """
        self.me.join("me")
        for kind, code, text in (
            ("JoinRoom", "ALREADY_IN_ROOM", "Already in a room"),
            (
                "JoinAsSpectator",
                "SPECTATOR_NOT_ALLOWED",
                "Leave the current player room before joining as a spectator",
            ),
            (
                "Reconnect",
                "RECONNECTION_FAILED",
                "Reconnect must be attempted from a fresh connection",
            ),
        ):
            self.assert_refused(self.me, code, kind, SAID[kind], text)

    def test_spectating(self):
        """
        Who watches is told so.
        """
        self.me.watch("WATCHD")
        for kind, code, text in (
            ("JoinRoom", "ALREADY_IN_ROOM", "Already participating in a room as a spectator"),
            ("JoinAsSpectator", "SPECTATOR_JOIN_FAILED", "Already spectating a room"),
            ("LeaveRoom", "NOT_IN_ROOM", "Not in a room"),
        ):
            self.assert_refused(self.me, code, kind, SAID[kind], text)


class AuthenticateTests(SessionTestCase):
    """
    Authenticate is the first message, if it is sent.
    """

    def test_replies(self):
        """
        It is answered by two messages.
        """
        authenticated, info = self.me.say("Authenticate", {"app_id": "app"})
        self.assertEqual(("Authenticated", "ProtocolInfo"), (authenticated.type, info.type))
        self.assertEqual(V2, self.me.link.form)

    def test_form(self):
        """
        What was negotiated holds from the first reply on.
        """
        me = self.client(BOTH_VERSIONS)
        data = {"app_id": "app", "protocol_version": 3, "game_data_format": "message_pack"}
        _, info = me.say("Authenticate", data)
        self.assertEqual(Form(3, Encoding.MESSAGE_PACK), me.link.form)
        self.assertEqual(3, info.data["protocol_version"])

    def test_endpoint(self):
        """
        Without authentication the version of the endpoint holds.
        """
        self.assertEqual(V3, self.client(BOTH_VERSIONS, version=3).link.form)
        self.assertEqual(V2, self.me.link.form)

    def test_second(self):
        """
        A second one is refused.
        """
        self.me.say("Authenticate", {"app_id": "app"})
        text = "Authenticate already completed on this connection"
        refusal = self.assert_refused(
            self.me, "INVALID_INPUT", "Authenticate", {"app_id": "app"}, text
        )
        reply = answer(parsed("Authenticate", {"app_id": "app"}), refusal, newer_codes=False)
        self.assertEqual("Error", type(reply).__name__)

    def test_late(self):
        """
        After any other message it is refused.
        """
        text = "Authenticate must be the first application message"
        for kind in ("Ping", "JoinRoom", "JoinAsSpectator"):
            me = self.client()
            me.say(kind, SAID[kind])
            self.assert_refused(me, "INVALID_INPUT", "Authenticate", {"app_id": "app"}, text)

    def test_late_after_refusal(self):
        """
        After a message that was refused it is refused as well.
        """
        self.assert_refused(self.me, "NOT_IN_ROOM", "PlayerReady")
        self.assert_refused(self.me, "INVALID_INPUT", "Authenticate", {"app_id": "app"})

    def test_after_malformed(self):
        """
        A malformed message does not count as the first one.
        """
        self.me.session.refused(None)
        self.assertEqual(2, len(self.me.say("Authenticate", {"app_id": "app"})))

    def test_refused_for_good(self):
        """
        A bad app id or version ends the connection.
        """
        for data, code in (
            ({"app_id": "a\n"}, "INVALID_APP_ID"),
            ({"app_id": "x" * 257}, "INVALID_APP_ID"),
            ({"app_id": "app", "protocol_version": 1}, "UNSUPPORTED_PROTOCOL_VERSION"),
        ):
            refusal = self.assert_refused(self.client(), code, "Authenticate", data)
            self.assertEqual((CloseCode.NORMAL, "unregistered"), refusal.close)

    def test_unsupported_format(self):
        """
        That a format is not supported is said before anything else.
        """
        data = {"app_id": "app", "game_data_format": "rkyv"}
        told = self.me.say("Authenticate", data)
        self.assertEqual(
            ["Error", "Authenticated", "ProtocolInfo"], [message.type for message in told]
        )
        self.assertEqual(V2, self.me.link.form)


class TokenTests(SessionTestCase):
    """
    Who is told a reconnection token.
    """

    def token(self, client, code=None):
        """
        The token that a client is told when it joins.
        """
        return client.join("me", code).get("reconnection_token")

    def test_unauthenticated(self):
        """
        Clients that do not authenticate are.
        """
        self.assertEqual(36, len(self.token(self.me)))
        self.assertEqual(2, self.service.tally.tokens_issued)

    def test_authenticated(self):
        """
        Clients of version 2 that authenticate are not.
        """
        self.me.say("Authenticate", {"app_id": "app", "requested_capabilities": ["other"]})
        self.assertIsNone(self.token(self.me))
        self.assertEqual(1, self.service.tally.tokens_issued)

    def test_requested(self):
        """
        Clients that authenticate and ask for it are.
        """
        capabilities = ["other", "reconnection_token"]
        self.me.say("Authenticate", {"app_id": "app", "requested_capabilities": capabilities})
        self.assertIsNotNone(self.token(self.me))

    def test_version_3(self):
        """
        Clients of version 3 are.
        """
        me = self.client(BOTH_VERSIONS)
        me.say("Authenticate", {"app_id": "app", "protocol_version": 3})
        self.assertIsNotNone(self.token(me))

    def test_switched_off(self):
        """
        Nobody is if nobody may come back.
        """
        self.service = room_service(self.clock, enable_reconnection=False)
        self.assertIsNone(self.token(self.client()))

    def test_fresh(self):
        """
        Each seat has a token of its own.
        """
        first = self.token(self.me)
        self.me.say("LeaveRoom")
        self.assertNotEqual(first, self.token(self.me))

    def test_spectators(self):
        """
        Spectators are not.
        """
        self.assertNotIn("reconnection_token", self.me.watch("WATCHD"))


class NewerCodesTests(SessionTestCase):
    """
    Which clients know the newer error codes.
    """

    def test_without(self):
        """
        Clients that use no newer feature do not.
        """
        nothing = {"password": None, "join_only": None, "room_code": "WATCHD"}
        self.me.say("JoinRoom", {**SAID["JoinRoom"], **nothing})
        self.me.say("LeaveRoom")
        self.me.say("JoinAsSpectator", {**SAID["JoinAsSpectator"], "password": None})
        self.assertFalse(self.me.link.newer_codes)

    def test_join_only_false(self):
        """
        Clients that have sent join_only as false know it as well.
        """
        self.me.say("JoinRoom", {**SAID["JoinRoom"], "join_only": False})
        self.assertTrue(self.me.link.newer_codes)

    def test_password(self):
        """
        Clients that have sent a password do, whether it was right or not.
        """
        for kind in ("JoinRoom", "JoinAsSpectator"):
            me = self.client()
            data = {**SAID[kind], "room_code": "WATCHD", "password": "x"}
            self.assert_refused(me, "PASSWORD_REQUIRED", kind, data)
            self.assertTrue(me.link.newer_codes)

    def test_join_only(self):
        """
        Clients that wanted only to join do.
        """
        data = {**SAID["JoinRoom"], "room_code": "NOROOM", "join_only": True}
        self.assert_refused(self.me, "ROOM_NOT_FOUND", "JoinRoom", data)
        self.assertTrue(self.me.link.newer_codes)

    def test_mapping(self):
        """
        A client that does not know a code is answered an older one, with the same text.
        """
        self.me.join("me", "SEALED", password="x")
        other = self.client()
        message = parsed("JoinRoom", {**SAID["JoinRoom"], "room_code": "SEALED"})
        refusal = self.assertRaises(Refusal, other.session.received, message)
        older = answer(message, refusal, newer_codes=other.link.newer_codes)
        newer = answer(message, refusal, newer_codes=self.me.link.newer_codes)
        self.assertEqual("ROOM_NOT_FOUND", older.error_code)
        self.assertEqual("PASSWORD_REQUIRED", newer.error_code)
        self.assertEqual(older.reason, newer.reason)


class RoomTests(SessionTestCase):
    """
    What players do in their room.
    """

    def setUp(self):
        """
        We are in the room of the host.
        """
        super().setUp()
        self.joined = self.me.join("me", "WATCHD")
        self.host.link.take()

    def seat(self):
        """
        Our seat.
        """
        [room] = self.service.rooms
        return room.seats[self.me.session.player_id]

    def test_game_data(self):
        """
        Game data goes to the others as it was written, numbered, and not back.
        """
        raw = b'{"type":"GameData","data":{"data": {"b":1.0, "a":"\\u00fc"} }}'
        self.me.session.received(decode_text(raw, 1000))
        self.assertEqual(1, self.seat().seq)
        self.assertEqual(2 - 1, self.service.tally.game_data_messages)
        [told] = self.host.link.take()
        expected = {"from_player": self.joined["player_id"], "data": {"b": 1.0, "a": "ü"}}
        self.assertEqual(Told("GameData", expected), told)
        self.assertEqual([], self.me.link.take())

    def test_delivery_class(self):
        """
        Version 2 has no delivery classes.
        """
        for extra in ({"class": "latest", "key": 1}, {"class": "reliable"}, {"key": 1}):
            data = {"data": 1, **extra}
            self.assert_refused(self.me, "INVALID_DELIVERY_CLASS", "GameData", data)

    def test_binary_with_json(self):
        """
        A client whose format is JSON may not send binary data.
        """
        text = "Binary payloads are disabled for this connection"
        self.assert_refused(self.me, "INVALID_INPUT", "BinaryGameData", b"\x01", text)

    def test_binary(self):
        """
        Binary data goes to the others in their format.
        """
        self.me.link.form = V2_BINARY
        self.me.say("BinaryGameData", b"\x93\x01\x02\x03")
        [told] = self.host.link.take()
        self.assertEqual(("GameData", [1, 2, 3]), (told.type, told.data["data"]))
        self.assertEqual(1, self.seat().seq)
        self.assertEqual(1, self.service.tally.game_data_messages)

    def test_connection_info(self):
        """
        Connection info is kept, also a second one, and told nobody yet.
        """
        for port in (1, 2):
            info = {**DIRECT, "port": port}
            self.assertEqual([], self.me.say("ProvideConnectionInfo", {"connection_info": info}))
        self.assertEqual(2, self.seat().connection_info.port)
        self.assertEqual([], self.host.link.take())

    def test_connection_info_size(self):
        """
        Connection info is measured as it was written, and may have exactly the limit.
        """
        for padding, fits in ((200 - 61, True), (201 - 61, False)):
            raw = b'{"type":"direct","host":"192.0.2.1","port":7777,"padding":""}'
            self.assertEqual(61, len(raw))
            raw = raw[:-2] + b"x" * padding + raw[-2:]
            text = b'{"type":"ProvideConnectionInfo","data":{"connection_info":%s}}' % raw
            message = decode_text(text, 1000)
            if fits:
                self.me.session.received(message)
            else:
                refusal = self.assertRaises(Refusal, self.me.session.received, message)
                self.assertEqual("MESSAGE_TOO_LARGE", refusal.code)
                limit = "Connection info is 201 bytes; the maximum allowed is 200 bytes"
                self.assertEqual(limit, refusal.text)

    def test_bad_connection_info(self):
        """
        Connection info of no known kind is malformed.
        """
        for info in ({"type": "other"}, {"type": "direct", "host": "h"}, 1, None):
            data = {"connection_info": info}
            self.assert_refused(self.me, "INVALID_INPUT", "ProvideConnectionInfo", data)

    def test_authority(self):
        """
        Authority that was given up can be had.
        """
        self.host.say("AuthorityRequest", {"become_authority": False})
        told = self.me.say("AuthorityRequest", {"become_authority": True})
        self.assertEqual(Told("AuthorityResponse", {"granted": True, "reason": None}), told[0])

    def test_ping_is_no_activity(self):
        """
        A ping is answered and changes nothing in the room.
        """
        self.assertEqual([Told("Pong")], self.me.say("Ping"))
        self.assertEqual([], self.host.link.take())

    def test_alive(self):
        """
        A room whose clients are alive is active.
        """
        self.clock.advance(3599)
        self.me.session.alive()
        self.clock.advance(3599)
        self.service.sweep()
        self.assertIsNone(self.me.link.closed)
        self.clock.advance(1)
        self.service.sweep()
        self.assertEqual(CloseCode.ROOM_INACTIVE, self.me.link.closed.code)

    def test_spectators_keep_no_room_alive(self):
        """
        A spectator that is alive does not make a room active, and nor do those who are nowhere.
        """
        spectator = self.client()
        spectator.watch("WATCHD")
        self.clock.advance(3600)
        spectator.session.alive()
        self.client().session.alive()
        self.service.sweep()
        self.assertEqual(CloseCode.ROOM_INACTIVE, self.me.link.closed.code)


class EndTests(SessionTestCase):
    """
    The ends of conversations.
    """

    def test_nowhere(self):
        """
        The end of a conversation that came to nothing is heard by nobody.
        """
        before = self.state()
        self.me.session.closed()
        self.assertEqual(before, self.state())

    def test_player(self):
        """
        The others are told that a player is gone, once.
        """
        player = self.me.join("me", "WATCHD")["player_id"]
        self.host.link.take()
        self.me.session.closed()
        self.me.session.closed()
        left, *_ = self.host.link.take()
        self.assertEqual(Told("PlayerLeft", {"player_id": player}), left)
        self.assertEqual(1, self.service.tally.players_left)

    def test_spectator(self):
        """
        The others are told that a spectator is gone.
        """
        spectator = self.me.watch("WATCHD")["spectator_id"]
        self.host.link.take()
        self.me.session.closed()
        [told] = self.host.link.take()
        self.assertEqual("SpectatorDisconnected", told.type)
        self.assertEqual(
            (spectator, "disconnected"), (told.data["spectator_id"], told.data["reason"])
        )

    def test_after_leaving(self):
        """
        The end of the conversation with somebody who has left is heard by nobody.
        """
        self.me.join("me", "WATCHD")
        self.me.say("LeaveRoom")
        before = self.state()
        self.host.link.take()
        self.me.session.closed()
        self.assertEqual(([], before), (self.host.link.take(), self.state()))

    def test_after_the_room(self):
        """
        The end of conversations whose room was closed is heard by nobody.
        """
        spectator, host = self.client(), self.host
        spectator.watch("WATCHD")
        self.me.join("me", "WATCHD")
        self.close_room(self.me)
        before = self.state()
        self.host.link.take()
        for client in (self.me, spectator, host):
            client.session.closed()
        self.assertEqual(([], before), (self.host.link.take(), self.state()))


class ConnectTokenTests(SessionTestCase):
    """
    Clients that send a connect token.
    """

    def test_newer_codes(self):
        """
        They know the newer codes, whatever comes of the token; and may authenticate once more.
        """
        client = self.client()
        credentials = {"app_id": "a", "connect_token": "x"}
        self.assert_refused(client, "CONNECT_TOKEN_INVALID", "Authenticate", credentials)
        self.assertTrue(client.link.newer_codes)
        told = client.say("Authenticate", {"app_id": "a", "connect_token": None})
        self.assertEqual(["Authenticated", "ProtocolInfo"], [each.type for each in told])


class ReconnectTests(SessionTestCase):
    """
    Players who come back.
    """

    def setUp(self):
        """
        We have a seat, and its token.
        """
        super().setUp()
        joined = self.me.join("me", "WATCHD")
        self.claim = {
            "player_id": joined["player_id"],
            "room_id": joined["room_id"],
            "auth_token": joined["reconnection_token"],
        }

    def test_return(self):
        """
        Who was lost gets its seat back under its id.
        """
        self.me.session.closed()
        again = self.client()
        self.assertNotEqual(self.claim["player_id"], again.session.player_id)
        told = again.say("Reconnect", self.claim)
        self.assertEqual("Reconnected", told[0].type)
        self.assertEqual(self.claim["player_id"], told[0].data["player_id"])
        self.assertEqual(self.claim["player_id"], again.session.player_id)
        self.assertEqual(["RoomLeft"], [message.type for message in again.say("LeaveRoom")])

    def test_lost_again(self):
        """
        Who came back and is lost again is lost to the others.
        """
        self.me.session.closed()
        again = self.client()
        again.say("Reconnect", self.claim)
        self.host.link.take()
        again.session.closed()
        self.assertIn("PlayerLeft", self.host.link.take_types())

    def test_epochs(self):
        """
        Each membership of a player has a higher number than the one before.
        """
        [room] = self.service.rooms
        player = self.claim["player_id"]
        self.assertEqual(1, room.seats[player].epoch)
        self.me.session.closed()
        again = self.client()
        again.say("Reconnect", self.claim)
        self.assertEqual(2, room.seats[player].epoch)
        again.say("LeaveRoom")
        again.join("me", "WATCHD")
        self.assertEqual(3, room.seats[player].epoch)

    def test_takeover(self):
        """
        Who takes over from itself silences the old connection.
        """
        again = self.client()
        again.say("Reconnect", self.claim)
        self.assertEqual((CloseCode.SUPERSEDED, "superseded", None), self.me.link.closed)
        self.host.link.take()
        before = self.state()
        self.me.session.closed()
        self.assertEqual(([], before), (self.host.link.take(), self.state()))
        self.assert_refused(self.me, "NOT_IN_ROOM", "GameData", {"data": 1})

    def test_certificate(self):
        """
        Who has shown a certificate must show it again to come back.
        """
        first = self.client()
        first.link.fingerprint = "ab" * 32
        joined = first.join("certified", "WATCHD")
        claim = {**self.claim, "player_id": joined["player_id"]}
        claim["auth_token"] = joined["reconnection_token"]
        first.session.closed()
        again = self.client()
        for other in (None, "cd" * 32):
            again.link.fingerprint = other
            self.assert_refused(again, "RECONNECTION_TOKEN_INVALID", "Reconnect", claim)
        again.link.fingerprint = "ab" * 32
        self.assertEqual("Reconnected", again.say("Reconnect", claim)[0].type)

    def test_while_watching(self):
        """
        Who watches cannot come back.
        """
        self.me.session.closed()
        again = self.client()
        again.watch("WATCHD")
        self.assert_refused(again, "RECONNECTION_FAILED", "Reconnect", self.claim)

    def test_after_being_elsewhere(self):
        """
        Who has left another room can come back.
        """
        self.me.session.closed()
        again = self.client()
        again.join("other")
        again.say("LeaveRoom")
        self.assertEqual("Reconnected", again.say("Reconnect", self.claim)[0].type)

    def test_failed(self):
        """
        A failed attempt leaves the connection as it was, and it may join.
        """
        again = self.client()
        wrong = {**self.claim, "auth_token": "wrong"}
        self.assert_refused(again, "RECONNECTION_TOKEN_INVALID", "Reconnect", wrong)
        self.assertEqual(again.join("third", "WATCHD")["player_id"], again.session.player_id)


class SpectatingTests(SessionTestCase):
    """
    Connections know whether their client is a spectator.
    """

    def test_spectates(self):
        """
        They know from the beginning to the end of watching.
        """
        self.me.link.spectates = False
        self.me.watch("WATCHD")
        self.assertTrue(self.me.link.spectates)
        self.me.say("LeaveSpectator")
        self.assertFalse(self.me.link.spectates)

    def test_refused(self):
        """
        Who is not let in is no spectator.
        """
        self.me.link.spectates = False
        data = {**SAID["JoinAsSpectator"], "room_code": "NOROOM"}
        self.assert_refused(self.me, "ROOM_NOT_FOUND", "JoinAsSpectator", data)
        self.assertFalse(self.me.link.spectates)

    def test_after_the_room(self):
        """
        Who joins after its room was closed is no spectator any more.
        """
        self.me.watch("WATCHD")
        self.close_room(self.me)
        self.me.join("me")
        self.assertFalse(self.me.link.spectates)


class IdTests(SessionTestCase):
    """
    The ids of players.
    """

    def test_ids(self):
        """
        A connection has one id, whatever it does, and no two have the same.
        """
        mine = self.me.session.player_id
        self.assertEqual(mine, self.me.join("me", "WATCHD")["player_id"])
        self.me.say("LeaveRoom")
        self.assertEqual(mine, self.me.watch("WATCHD")["spectator_id"])
        self.assertNotEqual(mine, self.host.session.player_id)

    def test_epochs(self):
        """
        Each membership of a connection has a higher number than the one before.
        """
        [room] = self.service.rooms
        epochs = []
        for _ in range(3):
            player = self.me.join("me", "WATCHD")["player_id"]
            epochs.append(room.seats[player].epoch)
            self.me.say("LeaveRoom")
        self.assertEqual([1, 2, 3], epochs)

    def test_connected_at(self):
        """
        A player is connected since it took its seat, by the clock on the wall.
        """
        self.clock.advance(1.5)
        [_, entry] = self.me.join("me", "WATCHD")["current_players"]
        self.assertEqual("1970-01-01T00:00:01.500000Z", entry["connected_at"])


class Version3Tests(SessionTestCase):
    """
    Clients who negotiate what they can do.
    """

    def able(self, name, code="PLANND", **credentials):
        """
        Somebody who can do everything, seated.
        """
        client = self.client(BOTH_VERSIONS)
        credentials = {
            "app_id": "app",
            "protocol_version": 3,
            "supported_transports": ["webrtc", "direct"],
            "supported_topologies": ["mesh", "host"],
        } | credentials
        client.say("Authenticate", credentials)
        client.seat = client.join(name, code, max_players=4)
        return client

    def started(self, *clients):
        """
        A game that has just started, and what was told of it.
        """
        for client in clients:
            client.say("PlayerReady")
        for client in clients:
            client.link.take()
        clients[0].session.received(parsed("StartGame"))
        return [client.link.take() for client in clients]

    def test_plan(self):
        """
        Players are told a plan with those who can do what they can do.
        """
        ann, bea = self.able("ann"), self.able("bea")
        for me, other, (starting, told) in zip(
            (ann, bea), (bea, ann), self.started(ann, bea), strict=True
        ):
            self.assertEqual(("GameStarting", "SessionPlan"), (starting.type, told.type))
            self.assertEqual("mesh", told.data["topology"])
            (peer,) = told.data["peers"]
            self.assertEqual(other.seat["player_id"], peer["player_id"])
            self.assertNotEqual(me.seat["player_id"], peer["player_id"])

    def test_capabilities_of_version_2(self):
        """
        In version 2 it does not count what a client says it can do.
        """
        ann, bea = self.able("ann"), self.able("bea", protocol_version=2)
        told = self.started(ann, bea)
        self.assertEqual("relay", told[0][-1].data["topology"])
        self.assertEqual(["GameStarting"], [message.type for message in told[1]])

    def test_direct(self):
        """
        A host says where it listens, and says so again when it has moved.
        """
        can = {"supported_transports": ["direct"]}
        ann, bea = self.able("ann", **can), self.able("bea", **can)
        ann.say("ProvideConnectionInfo", {"connection_info": DIRECT})
        for told in self.started(ann, bea):
            endpoint = told[-1].data["direct_endpoint"]
            self.assertEqual({"host": "192.0.2.1", "port": 7777}, endpoint)
        self.assertEqual([], ann.say("ProvideConnectionInfo", {"connection_info": DIRECT}))
        (told,) = ann.say("ProvideConnectionInfo", {"connection_info": DIRECT | {"port": 1}})
        self.assertEqual({"host": "192.0.2.1", "port": 1}, told.data["direct_endpoint"])
        self.assertEqual(told.data["generation"], bea.link.take()[0].data["generation"])

    def signal(self, target, value=1):
        """
        A signal to somebody.
        """
        return {"to": target.seat["player_id"].upper(), "generation": NOBODY, "signal": value}

    def test_signal(self):
        """
        A signal arrives under the sender's id, with its generation as it was sent.
        """
        ann, bea = self.able("ann"), self.able("bea")
        bea.link.take()
        self.assertEqual([], ann.say("Signal", self.signal(bea, {"Offer": [1]})))
        (told,) = bea.link.take()
        sender = ann.seat["player_id"]
        data = {"from": sender, "generation": NOBODY, "signal": {"Offer": [1]}}
        self.assertEqual(("Signal", data), told)

    def test_signal_size(self):
        """
        A signal has a size, which is checked before anything else.
        """
        ann, bea = self.able("ann"), self.able("bea")
        bea.link.take()
        ann.say("Signal", self.signal(bea, "x" * 16382))
        self.assertEqual(["Signal"], bea.link.take_types())
        text = "Signal payload is 16385 bytes; the maximum allowed is 16384 bytes"
        for client in (ann, self.me):
            signal = self.signal(bea, "x" * 16383)
            self.assert_refused(client, "SIGNAL_TOO_LARGE", "Signal", signal, text)

    def test_signal_to_another_room(self):
        """
        Somebody in another room cannot be signalled, nor can somebody who has left.
        """
        ann, bea = self.able("ann"), self.able("bea", "OTHERS")
        self.assert_refused(ann, "CROSS_ROOM_SIGNAL", "Signal", self.signal(bea))
        bea.say("LeaveRoom")
        self.assert_refused(ann, "SIGNAL_TARGET_NOT_FOUND", "Signal", self.signal(bea))

    def test_signal_without_webrtc(self):
        """
        Both ends of a signal must have negotiated WebRTC.
        """
        ann, bea = self.able("ann"), self.able("bea", supported_transports=["direct"])
        self.assert_refused(bea, "UNSUPPORTED_TRANSPORT", "Signal", self.signal(ann))
        self.assert_refused(ann, "SIGNAL_TARGET_NOT_FOUND", "Signal", self.signal(bea))

    def test_transport_status(self):
        """
        The others are told whether a transport works, once.
        """
        ann, bea = self.able("ann"), self.able("bea")
        bea.link.take()
        for _ in range(2):
            self.assertEqual([], ann.say("TransportStatus", SAID["TransportStatus"]))
        (told,) = bea.link.take()
        status = {"peer_id": ann.seat["player_id"], "transport": "webrtc", "connected": True}
        self.assertEqual(("PeerTransportStatus", status), told)

    def lost(self, client):
        """
        What a lost client needs to come back.
        """
        client.session.closed()
        seat = client.seat
        return {
            "player_id": seat["player_id"],
            "room_id": seat["room_id"],
            "auth_token": seat["reconnection_token"],
        }

    def returned(self, claim, version):
        """
        Somebody who has come back on a new connection.
        """
        client = self.client(BOTH_VERSIONS)
        client.say("Authenticate", {"app_id": "app", "protocol_version": version})
        client.seat = claim | client.say("Reconnect", claim)[0].data
        return client

    def test_token_rotates(self):
        """
        Each return brings another token, and the old one is good for nothing.
        """
        self.able("bea")
        ann, tokens = self.able("ann"), set()
        for _ in range(3):
            claim = self.lost(ann)
            tokens.add(claim["auth_token"])
            ann = self.returned(claim, 3)
            stranger = self.client(BOTH_VERSIONS)
            self.assert_refused(stranger, "RECONNECTION_TOKEN_INVALID", "Reconnect", claim)
            tokens.add(ann.seat["reconnection_token"])
        self.assertEqual(4, len(tokens))

    def test_token_stays(self):
        """
        A return on a connection of version 2 leaves the token as it is.
        """
        self.able("bea")
        claim = self.lost(self.able("ann"))
        for _ in range(2):
            ann = self.returned(claim, 2)
            self.assertNotIn("reconnection_token", ann.seat)
            ann.session.closed()
        self.assertNotEqual(claim["auth_token"], self.returned(claim, 3).seat["reconnection_token"])

    def test_refused_return(self):
        """
        A return that was refused does not rotate anything.
        """
        self.able("bea")
        claim = self.lost(self.able("ann"))
        wrong = claim | {"auth_token": NOBODY}
        self.assert_refused(
            self.client(BOTH_VERSIONS, 3), "RECONNECTION_TOKEN_INVALID", "Reconnect", wrong
        )
        self.returned(claim, 3)

    def test_replay(self):
        """
        Who comes back is told whether the missed events are complete.
        """
        self.able("bea")
        ann = self.returned(self.lost(self.able("ann")), 3)
        self.assertEqual("complete", ann.seat["replay"])
