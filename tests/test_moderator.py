"""
Tests for signalfish.moderator: moderation from the operation to its result.
"""

from random import Random

from signalfish import moderator
from signalfish.rooms.mint import Mint
from signalfish.session import Session
from signalfish.wire import operations
from signalfish.wire.errors import CloseCode, Refusal
from signalfish.wire.refusals import answer
from tests.net.fakes import Server
from tests.test_operations import JOIN, MODERATION, NEGOTIATED, WATCH, OperationTestCase
from tests.test_session import BOTH_VERSIONS, NOBODY, parsed


class Monotonous(Mint):
    """
    A mint that knows one room code.
    """

    def room_code(self):
        """
        The code of a room that exists.
        """
        return "WATCHD"


class ModeratorTests(OperationTestCase):
    """
    A client that has the authority over MYROOM, where there is another player.
    """

    def setUp(self):
        """
        See :meth:`OperationTestCase.setUp`.
        """
        super().setUp()
        self.room_id = self.me.join("me", "MYROOM", max_players=4)["room_id"]
        self.pal = self.client(BOTH_VERSIONS, address="192.0.2.77")
        self.pal.say("Authenticate", NEGOTIATED)
        self.token = self.pal.join("pal", "MYROOM")["reconnection_token"]
        self.target = {"player_id": self.pal.session.player_id}

    def room(self):
        """
        The room of the client.
        """
        (room,) = (room for room in self.service.rooms if room.id == self.room_id)
        return room

    def claim(self):
        """
        What the other player says to come back.
        """
        return {**self.target, "room_id": self.room_id, "auth_token": self.token}

    def expect(self, kind, data, result, **members):
        """
        Do something with success, after which nothing is told; what is told before.
        """
        told = self.me.say("RoomOperation", parsed_data(kind, data))
        self.assertEqual("RoomOperationResult", told[-1].type)
        self.assertEqual({"type": result, "data": members}, told[-1].data["result"])
        return [message.type for message in told[:-1]]

    def test_known(self):
        """
        All operations of moderation are known, and no others.
        """
        for kind in operations.Moderation.__args__:
            self.assertIn(kind.__name__, MODERATION)
            data = None if kind is operations.RegenerateRoomCode else object()
            self.assertTrue(moderator.is_moderation(kind(data)))
        for kind in operations.Membership.__args__:
            self.assertFalse(moderator.is_moderation(kind(None)))

    def test_kick(self):
        """
        The player is gone when the result comes.
        """
        self.assertEqual(
            ["PlayerLeft"], self.expect("KickPlayer", self.target, "PlayerKicked", **self.target)
        )
        self.assertEqual(CloseCode.KICKED, self.pal.link.closed.code)
        self.pal.session.closed()
        self.assertEqual([], self.me.link.take())
        told = self.failure(self.negotiated(), "Reconnect", self.claim())
        self.assert_failed("ReconnectionFailed", "KICKED", told)

    def test_kick_absent(self):
        """
        An absent player is kicked without another PlayerLeft.
        """
        self.pal.session.closed()
        self.assertEqual([], self.expect("KickPlayer", self.target, "PlayerKicked", **self.target))
        told = self.failure(self.negotiated(), "Reconnect", self.claim())
        self.assert_failed("ReconnectionFailed", "KICKED", told)

    def test_older_codes(self):
        """
        Older clients are told older codes, with the same words.
        """
        self.expect("BanPlayer", self.target, "PlayerBanned", **self.target)
        join = {**JOIN, "room_code": "MYROOM", "player_name": "new"}
        watch = {**WATCH, "room_code": "MYROOM"}
        banned = "Player is banned from this room"
        removed = "The seat was removed by the room authority"
        for kind, data, newer, older, text in (
            ("Reconnect", self.claim(), "KICKED", "RECONNECTION_FAILED", removed),
            ("JoinRoom", join, "BANNED", "ROOM_NOT_FOUND", banned),
            ("JoinAsSpectator", watch, "BANNED", "ROOM_NOT_FOUND", banned),
        ):
            client = self.client(address="192.0.2.77")
            refusal = self.assert_refused(client, newer, kind, data, text)
            self.assertFalse(client.link.newer_codes)
            reply = answer(parsed(kind, data), refusal, newer_codes=client.link.newer_codes)
            self.assertEqual((older, text), (reply.error_code, reply.reason))

    def test_ban(self):
        """
        Neither the player nor its address comes in again, until the ban is lifted.
        """
        self.assertEqual(
            ["PlayerLeft"], self.expect("BanPlayer", self.target, "PlayerBanned", **self.target)
        )
        again = self.client(address="192.0.2.77")
        join = {**JOIN, "room_code": "MYROOM", "player_name": "new"}
        self.assert_refused(again, "BANNED", "JoinRoom", join)
        self.expect("UnbanPlayer", self.target, "PlayerUnbanned", **self.target)
        self.assertEqual("RoomJoined", again.say("JoinRoom", join)[0].type)
        told = self.failure(self.negotiated(), "Reconnect", self.claim())
        self.assert_failed("ReconnectionFailed", "KICKED", told)

    def test_unban_anybody(self):
        """
        To unban always succeeds.
        """
        target = {"player_id": NOBODY}
        self.assertEqual([], self.expect("UnbanPlayer", target, "PlayerUnbanned", **target))

    def test_recode(self):
        """
        The old code is dead at once, and may become that of another room.
        """
        result, rest = self.do(self.me, "RegenerateRoomCode")
        code = result["data"]["room_code"]
        self.assertEqual(("RoomCodeRegenerated", []), (result["type"], rest))
        self.assertEqual((6, code), (len(code), self.room().code))
        self.assertEqual([], self.pal.link.take()[2:])
        late = self.client()
        old = {**JOIN, "room_code": "MYROOM"}
        self.assert_refused(late, "ROOM_NOT_FOUND", "JoinRoom", {**old, "join_only": True})
        watch = {**WATCH, "room_code": "MYROOM"}
        self.assert_refused(late, "ROOM_NOT_FOUND", "JoinAsSpectator", watch)
        self.assertNotEqual(self.room_id, late.join("late", "MYROOM")["room_id"])
        self.assertEqual(self.room_id, self.client().join("new", code)["room_id"])

    def test_recode_books(self):
        """
        The number of rooms stays the same, and the room can be swept under its new code.
        """
        before = self.service.rooms.per_game()
        self.do(self.me, "RegenerateRoomCode")
        self.assertEqual(before, self.service.rooms.per_game())
        self.clock.advance(4000)
        self.service.sweep()
        self.assertEqual({}, self.service.rooms.per_game())

    def test_recode_return(self):
        """
        Who comes back learns the new code.
        """
        self.pal.session.closed()
        code = self.do(self.me, "RegenerateRoomCode")[0]["data"]["room_code"]
        back = self.do(self.negotiated(), "Reconnect", self.claim())[0]
        self.assertEqual(code, back["data"]["room_code"])

    def test_recode_exhausted(self):
        """
        Without an unused code the room keeps the one it has.
        """
        self.service.mint = Monotonous(Random(1))
        text = "Could not generate an unused room code"
        told = self.failure(self.me, "RegenerateRoomCode")
        failed = {"reason": text, "error_code": "INTERNAL_ERROR"}
        self.assertEqual(failed, told.data["result"]["data"])
        self.assertEqual("MYROOM", self.room().code)
        self.assertEqual(self.room_id, self.client().join("new", "MYROOM")["room_id"])

    def test_access(self):
        """
        A password is set, changed and taken away.
        """
        for data, sealed in (
            ({"password": "a"}, True),
            ({"password": "b"}, True),
            ({"password": None}, False),
            ({"password": "c"}, True),
            ({}, False),
        ):
            rest = self.expect("SetRoomAccess", data, "RoomAccessUpdated", requires_password=sealed)
            self.assertEqual([], rest)
            client = self.client()
            join = {**JOIN, "player_name": "new", "room_code": "MYROOM"}
            if sealed:
                self.assert_refused(client, "PASSWORD_REQUIRED", "JoinRoom", join)
                reply = client.say("JoinRoom", {**join, **data})
            else:
                reply = client.say("JoinRoom", join)
            self.assertEqual("RoomJoined", reply[0].type)
            client.say("LeaveRoom")

    def test_transfer(self):
        """
        Everybody hears of the new authority, then comes the result.
        """
        self.pal.link.take()
        self.assertEqual(
            ["AuthorityChanged"],
            self.expect("TransferAuthority", self.target, "AuthorityTransferred", **self.target),
        )
        (told,) = self.pal.link.take()
        self.assertEqual(
            {"authority_player": self.target["player_id"], "you_are_authority": True}, told.data
        )

    def test_not_authority(self):
        """
        Who does not have the authority is told what only the authority may do.
        """
        words = {
            "RegenerateRoomCode": "regenerate the room code",
            "TransferAuthority": "transfer the authority role",
        }
        for kind, data in MODERATION.items():
            told = self.failure(self.pal, kind, data)
            may = words.get(kind, "moderate this room")
            text = f"Only the room's authority player may {may}"
            self.assert_failed("OperationFailed", "NOT_ROOM_AUTHORITY", told, text)

    def test_no_target(self):
        """
        Who is in another room is no target.
        """
        target = {"player_id": self.host.session.player_id}
        for kind, code in (
            ("KickPlayer", "KICK_TARGET_NOT_FOUND"),
            ("BanPlayer", "KICK_TARGET_NOT_FOUND"),
            ("TransferAuthority", "TRANSFER_TARGET_NOT_FOUND"),
        ):
            told = self.failure(self.me, kind, target)
            self.assert_failed("OperationFailed", code, told)

    def test_kicked_says_more(self):
        """
        What the player says after it was sent away is refused.
        """
        self.expect("KickPlayer", self.target, "PlayerKicked", **self.target)
        for kind, data in (("GameData", {"data": 1}), ("PlayerReady", None), ("LeaveRoom", None)):
            refusal = self.assertRaises(Refusal, self.pal.session.received, parsed(kind, data))
            self.assertEqual("NOT_IN_ROOM", refusal.code)

    def test_tally(self):
        """
        A player that was sent away has left, once.
        """
        before = self.service.tally.players_left
        self.expect("KickPlayer", self.target, "PlayerKicked", **self.target)
        self.pal.session.closed()
        self.assertEqual(before + 1, self.service.tally.players_left)

    def test_tally_absent(self):
        """
        A player that had been lost has left already.
        """
        self.pal.session.closed()
        before = self.service.tally.players_left
        self.expect("BanPlayer", self.target, "PlayerBanned", **self.target)
        self.assertEqual(before, self.service.tally.players_left)


class FarewellTests(OperationTestCase):
    """
    What clients that speak real WebSocket hear when they are sent away.
    """

    def setUp(self):
        """
        See :meth:`OperationTestCase.setUp`; the client has the authority over MYROOM.
        """
        super().setUp()
        self.me.join("me", "MYROOM", max_players=4)
        self.server = Server(receiver=self.converse)

    def converse(self, link, address, path):
        """
        Begin a conversation in earnest.
        """
        version = 3 if path.startswith("/v3") else 2
        return Session(link, address, self.service, BOTH_VERSIONS, version)

    def kicked(self, path, credentials=None, **join):
        """
        What a client hears that joins, is sent away and says one thing more.
        """
        client, session = self.server.open(path)
        if credentials is not None:
            client.say("Authenticate", credentials)
        client.say("JoinRoom", {**JOIN, "player_name": "pal", "room_code": "MYROOM", **join})
        client.heard()
        self.do(self.me, "KickPlayer", {"player_id": session.player_id})
        client.say("Ping")
        heard = [(told.type, told.data.get("error_code")) for told in client.heard()]
        self.assertEqual((CloseCode.KICKED, "kicked"), client.closed())
        return heard

    def test_older(self):
        """
        A client that may not know the code is told by the close code only.
        """
        self.assertEqual([], self.kicked("/v2/ws"))
        self.assertEqual([], self.kicked("/v3/ws"))
        self.assertEqual([], self.kicked("/v2/ws", {"app_id": "app"}))
        self.assertEqual([], self.kicked("/v3/ws", {**NEGOTIATED, "requested_capabilities": []}))

    def test_newer(self):
        """
        A client that used a feature of the same age is told by an Error too.
        """
        error = [("Error", "KICKED")]
        self.assertEqual(error, self.kicked("/v3/ws", NEGOTIATED))
        self.assertEqual(error, self.kicked("/v2/ws", join_only=True))
        self.do(self.me, "SetRoomAccess", {"password": "sesame"})
        self.assertEqual(error, self.kicked("/v2/ws", password="sesame"))


def parsed_data(kind, data):
    """
    The payload of a RoomOperation with some id.
    """
    asked = {"type": kind} if data is None else {"type": kind, "data": data}
    return {"operation_id": NOBODY, "operation": asked}
