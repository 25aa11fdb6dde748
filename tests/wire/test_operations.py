"""
Tests for :mod:`signalfish.wire.operations`.
"""

import json
from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from signalfish.wire import client, operations, server
from signalfish.wire.codec import decode_text
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.outgoing import NO_FRAME, Notice, encode, nested
from signalfish.wire.types import SpectatorReason
from tests.fakes import V2, V3

ID = "7d0c52b8-41ea-4f96-8b3d-e2059ac6f471"
PLAYER = "c0a1f7d2-3b64-4e98-a5d0-917f2e6b8c43"
TARGET = operations.Target(UUID(PLAYER))

VECTORS = [
    ("JoinRoom", {"game_name": "g", "player_name": "p"}, client.RoomRequest("g", "p")),
    (
        "Reconnect",
        {"player_id": PLAYER, "room_id": ID, "auth_token": "t"},
        client.Claim(UUID(PLAYER), UUID(ID), "t"),
    ),
    (
        "JoinAsSpectator",
        {"game_name": "g", "room_code": "C", "spectator_name": "s"},
        client.SpectatorRequest("g", "C", "s"),
    ),
    ("KickPlayer", {"player_id": PLAYER}, TARGET),
    ("BanPlayer", {"player_id": PLAYER}, TARGET),
    ("UnbanPlayer", {"player_id": PLAYER}, TARGET),
    ("TransferAuthority", {"player_id": PLAYER}, TARGET),
    ("SetRoomAccess", {"password": "s\u00e9same"}, operations.Access("s\u00e9same")),
    ("SetRoomAccess", {"password": None}, operations.Access()),
    ("SetRoomAccess", {}, operations.Access()),
]
WITHOUT_PAYLOAD = ["LeaveRoom", "LeaveSpectator", "RegenerateRoomCode"]

OTHERS = {
    "Authenticate": {"app_id": "a"},
    "GameData": {"data": 1},
    "AuthorityRequest": {"become_authority": True},
    "PlayerReady": None,
    "StartGame": None,
    "Ping": None,
    "RoomOperation": {"operation_id": ID, "operation": {"type": "LeaveRoom"}},
    "kickPlayer": {"player_id": PLAYER},
    "DeleteRoom": None,
}
"""
What is no operation.
"""

BAD_IDS = [
    "",
    "1",
    ID.upper(),
    ID.replace("-", ""),
    "{" + ID + "}",
    "urn:uuid:" + ID,
    " " + ID,
    ID + "\n",
    ID + "0",
    ID[:-1],
    ID[:-1] + "g",
    ID[:-1] + "\u0661",
    None,
    7,
    [ID],
]


def text(operation, **changes):
    """
    The text of a RoomOperation.
    """
    data = {"operation_id": ID, "operation": operation, **changes}
    return json.dumps({"type": "RoomOperation", "data": data}).encode()


def typed(kind, data=None):
    """
    An operation in JSON.
    """
    return {"type": kind} if data is None else {"type": kind, "data": data}


def carried(result):
    """
    What version 3 sends for a result.
    """
    message = operations.RoomOperationResult(operation_id=ID, result=nested(result))
    return json.loads(encode(message, 3))


class DecodeTests(SynchronousTestCase):
    """
    Operations on their way in.
    """

    def refused(self, payload):
        """
        Check that a message is malformed.
        """
        refusal = self.assertRaises(Refusal, decode_text, payload, 100_000)
        self.assertEqual(ErrorCode.INVALID_INPUT, refusal.code, payload)
        self.assertTrue(refusal.text.startswith("Invalid client message: "), refusal.text)

    def test_payloads(self):
        """
        Each operation has the payload that it has as a message of its own, or its target.
        """
        for kind, data, expected in VECTORS:
            message = decode_text(text(typed(kind, data)), 100_000)
            self.assertIs(operations.RoomOperation, type(message))
            self.assertEqual(ID, message.data.operation_id)
            self.assertEqual(kind, type(message.data.operation).__name__)
            self.assertEqual(expected, message.data.operation.data)

    def test_without_payload(self):
        """
        What needs no payload may have none, null or an empty one.
        """
        for kind in WITHOUT_PAYLOAD:
            for operation in ({}, {"data": None}, {"data": {}}):
                message = decode_text(text({"type": kind, **operation}), 100_000)
                self.assertEqual(kind, type(message.data.operation).__name__)

    def test_bad_payload_of_nothing(self):
        """
        What needs no payload has none of another type either.
        """
        for kind in WITHOUT_PAYLOAD:
            for data in (1, "x", [], False):
                self.refused(text(typed(kind, data)))

    def test_payload_needed(self):
        """
        Everything else needs its payload, complete and of the right types.
        """
        for kind, data, _ in VECTORS:
            self.refused(text(typed(kind)))
            self.refused(text({"type": kind, "data": None}))
            for member in data:
                if kind != "SetRoomAccess":
                    self.refused(text(typed(kind, {**data, member: None})))
                self.refused(text(typed(kind, {**data, member: 1})))

    def test_bad_target(self):
        """
        A target is a UUID.
        """
        for kind in ("KickPlayer", "BanPlayer", "UnbanPlayer", "TransferAuthority"):
            for player in ("", "somebody", PLAYER[:-1], PLAYER + "0"):
                self.refused(text(typed(kind, {"player_id": player})))

    def test_bad_password(self):
        """
        A password that no text can hold is refused.
        """
        self.refused(text(typed("SetRoomAccess", {"password": "\ud800"})))

    def test_ids(self):
        """
        Nothing but lower-case hyphenated UUID text is an operation id.
        """
        for bad in BAD_IDS:
            self.refused(text(typed("LeaveRoom"), operation_id=bad))
        for good in (ID, "0" * 8 + "-0000-0000-0000-" + "0" * 12, "f" * 8 + ID[8:]):
            message = decode_text(text(typed("LeaveRoom"), operation_id=good), 100_000)
            self.assertEqual(good, message.data.operation_id)

    def test_incomplete(self):
        """
        The id and the operation are both needed.
        """
        for data in (
            None,
            {},
            {"operation_id": ID},
            {"operation": {"type": "LeaveRoom"}},
            {"operation_id": ID, "operation": None},
            {"operation_id": ID, "operation": {}},
            {"operation_id": ID, "operation": "LeaveRoom"},
        ):
            self.refused(json.dumps(typed("RoomOperation", data)).encode())

    def test_no_operation(self):
        """
        Other messages cannot be correlated, and operations do not nest.
        """
        for kind, data in OTHERS.items():
            self.refused(text(typed(kind, data)))

    def test_only_operations(self):
        """
        Moderation has no messages of its own.
        """
        for kind in (
            "KickPlayer",
            "BanPlayer",
            "UnbanPlayer",
            "TransferAuthority",
            "SetRoomAccess",
            "RegenerateRoomCode",
        ):
            self.refused(json.dumps(typed(kind, {"player_id": PLAYER})).encode())

    def test_order(self):
        """
        Members come in any order, and unknown ones are ignored.
        """
        payload = (
            f'{{"data":{{"x":1,"operation":{{"data":{{"y":[],"player_id":"{PLAYER}"}},'
            f'"type":"KickPlayer","z":0}},"operation_id":"{ID}"}},"type":"RoomOperation"}}'
        )
        message = decode_text(payload.encode(), 100_000)
        expected = operations.Operation(ID, operations.KickPlayer(TARGET))
        self.assertEqual(expected, message.data)


class EncodeTests(SynchronousTestCase):
    """
    Results on their way out.
    """

    def test_moderation(self):
        """
        Each result of moderation has its one member.
        """
        for result, members in (
            (operations.PlayerKicked(player_id=PLAYER), {"player_id": PLAYER}),
            (operations.PlayerBanned(player_id=PLAYER), {"player_id": PLAYER}),
            (operations.PlayerUnbanned(player_id=PLAYER), {"player_id": PLAYER}),
            (operations.AuthorityTransferred(player_id=PLAYER), {"player_id": PLAYER}),
            (operations.RoomCodeRegenerated(room_code="Q9ZK4T"), {"room_code": "Q9ZK4T"}),
            (operations.RoomAccessUpdated(requires_password=True), {"requires_password": True}),
            (operations.RoomAccessUpdated(requires_password=False), {"requires_password": False}),
            (
                operations.OperationFailed(reason="why", error_code=ErrorCode.NOT_IN_ROOM),
                {"reason": "why", "error_code": "NOT_IN_ROOM"},
            ),
        ):
            expected = typed(type(result).__name__, members)
            data = {"operation_id": ID, "result": expected}
            self.assertEqual(typed("RoomOperationResult", data), carried(result))

    def test_without_payload(self):
        """
        A result without members has no data.
        """
        self.assertEqual({"type": "RoomLeft"}, carried(server.RoomLeft())["data"]["result"])

    def test_slim(self):
        """
        What is carried is as slim as it is on its own.
        """
        left = server.SpectatorLeft(
            room_id=ID,
            room_code="Q9ZK4T",
            reason=SpectatorReason.VOLUNTARY_LEAVE,
            current_spectators=(),
        )
        self.assertEqual(json.loads(encode(left, 3)), carried(left)["data"]["result"])

    def test_older(self):
        """
        Version 2 has no such message.
        """
        message = operations.RoomOperationResult(operation_id=ID, result=nested(server.RoomLeft()))
        self.assertEqual(NO_FRAME, Notice(message).frame(V2))
        self.assertNotEqual(NO_FRAME, Notice(message).frame(V3))

    def test_barriers(self):
        """
        A result takes the place in the queue that the plain message would have.
        """
        for result, is_barrier in (
            (server.RoomLeft(), True),
            (operations.PlayerKicked(player_id=PLAYER), False),
            (operations.OperationFailed(reason="why", error_code=ErrorCode.NOT_IN_ROOM), False),
            (server.RoomJoinFailed(reason="why", error_code=ErrorCode.ROOM_FULL), False),
        ):
            message = operations.RoomOperationResult(operation_id=ID, result=nested(result))
            self.assertEqual(is_barrier, Notice(message).is_barrier, result)
