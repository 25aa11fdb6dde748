"""
Tests for :mod:`signalfish.wire.client`: every message that a client may send.
"""

import json
import re
from pathlib import Path
from uuid import UUID

from hypothesis import given
from msgspec import UNSET
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from signalfish.wire import client
from signalfish.wire.codec import decode_text
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.operations import RoomOperation
from signalfish.wire.types import DeliveryClass, Encoding, RelayTransport, Topology, Transport
from tests.strategies import client_messages, examples

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol"

SEAT = "c0a1f7d2-3b64-4e98-a5d0-917f2e6b8c43"
ROOM = "2f95be07-d8c1-46a3-b02e-64f7a1c93d58"

WITHOUT_PAYLOAD = [
    client.LeaveRoom,
    client.PlayerReady,
    client.StartGame,
    client.Ping,
    client.LeaveSpectator,
]
REQUIRED = {
    "Authenticate": {"app_id": "tide-pool"},
    "JoinRoom": {"game_name": "tide-pool", "player_name": "Bó"},
    "GameData": {"data": 1},
    "AuthorityRequest": {"become_authority": True},
    "ProvideConnectionInfo": {"connection_info": {"type": "direct", "host": "h", "port": 1}},
    "Reconnect": {"player_id": SEAT, "room_id": ROOM, "auth_token": "s3"},
    "JoinAsSpectator": {"game_name": "tide-pool", "room_code": "Q9ZK4T", "spectator_name": "Eve"},
    "Signal": {"to": SEAT, "generation": ROOM, "signal": 1},
    "TransportStatus": {"transport": "webrtc", "connected": True},
}
OPTIONAL = {
    "Authenticate": {
        "connect_token": "ct",
        "sdk_version": "4.5.6",
        "platform": "godot",
        "game_data_format": "message_pack",
        "protocol_version": 3,
        "supported_transports": ["webrtc", "relay", "direct"],
        "supported_topologies": ["mesh", "host", "relay"],
        "requested_capabilities": ["reconnection_token", "who-knows"],
    },
    "JoinRoom": {
        "room_code": "q9zk4t",
        "max_players": 6,
        "supports_authority": False,
        "relay_transport": "udp",
        "password": "pearl",
        "join_only": True,
    },
    "GameData": {"class": "latest", "key": 4294967295},
    "JoinAsSpectator": {"password": "pearl"},
}
TEXT = [None, 1, 1.5, True, [], {}, ["x"]]
FLAG = [None, 0, 1, "true", "", [], {}]
NUMBER = [-1, 1.0, 2.5, "1", True, [], {}]
WRONG = {
    "Authenticate": {
        "app_id": TEXT,
        "connect_token": TEXT[1:],
        "sdk_version": TEXT[1:],
        "platform": TEXT[1:],
        "game_data_format": ["", "JSON", "msgpack", "cbor", 1, []],
        "protocol_version": [*NUMBER, 65536],
        "supported_transports": ["relay", ["tcp"], [None], [["relay"]], {}, ["relay", "Relay"]],
        "supported_topologies": ["mesh", ["star"], [None], {}, 1],
        "requested_capabilities": ["x", [1], [None], {}],
    },
    "JoinRoom": {
        "game_name": TEXT,
        "player_name": TEXT,
        "room_code": TEXT[1:],
        "max_players": [*NUMBER, 256, 10**30],
        "supports_authority": FLAG[1:],
        "relay_transport": ["", "TCP", "quic", 1, []],
        "password": TEXT[1:],
        "join_only": FLAG[1:],
    },
    "GameData": {
        "class": [None, "", "Latest", "unreliable", 1, []],
        "key": [None, *NUMBER, 2**32],
    },
    "AuthorityRequest": {"become_authority": FLAG},
    "Reconnect": {
        "player_id": [*TEXT, "", "x", SEAT[:-1], SEAT + "0", f"{{{SEAT}}}", SEAT.replace("-", "_")],
        "room_id": [*TEXT, "", "x", ROOM[1:], f"urn:uuid:{ROOM}", ROOM.replace("2", "g")],
        "auth_token": TEXT,
    },
    "JoinAsSpectator": {
        "game_name": TEXT,
        "room_code": TEXT,
        "spectator_name": TEXT,
        "password": TEXT[1:],
    },
    "Signal": {
        "to": [*TEXT, "", SEAT[:-1]],
        "generation": [*TEXT, "", ROOM + "0"],
    },
    "TransportStatus": {
        "transport": [*TEXT, "", "tcp", "WebRTC"],
        "connected": FLAG,
    },
}


def decoded(value):
    """
    The message that a JSON value stands for.
    """
    return decode_text(json.dumps(value).encode(), 65536)


def message(kind, payload):
    """
    The message of a kind with a payload.
    """
    return decoded({"type": kind, "data": payload})


class RefusingTestCase(SynchronousTestCase):
    """
    Tests of what cannot be decoded.
    """

    def refuses(self, value):
        """
        A JSON value is no message.
        """
        try:
            found = decoded(value)
        except Refusal as refusal:
            self.assertEqual(ErrorCode.INVALID_INPUT, refusal.code)
            self.assertTrue(refusal.text.startswith("Invalid client message: "), refusal.text)
        else:
            self.fail(f"{value!r} was decoded as {found!r}")


class MessageTests(SynchronousTestCase):
    """
    Messages, at their smallest and at their largest.
    """

    def test_authenticate(self):
        """
        Authenticate needs a label; everything else has a form of its own.
        """
        self.assertEqual(
            client.Authenticate(client.Credentials("tide-pool")),
            message("Authenticate", REQUIRED["Authenticate"]),
        )
        self.assertEqual(
            client.Authenticate(
                client.Credentials(
                    app_id="tide-pool",
                    connect_token="ct",
                    sdk_version="4.5.6",
                    platform="godot",
                    game_data_format=Encoding.MESSAGE_PACK,
                    protocol_version=3,
                    supported_transports=[Transport.WEBRTC, Transport.RELAY, Transport.DIRECT],
                    supported_topologies=[Topology.MESH, Topology.HOST, Topology.RELAY],
                    requested_capabilities=["reconnection_token", "who-knows"],
                )
            ),
            message("Authenticate", REQUIRED["Authenticate"] | OPTIONAL["Authenticate"]),
        )

    def test_join_room(self):
        """
        JoinRoom needs a game and a name.
        """
        self.assertEqual(
            client.JoinRoom(client.RoomRequest("tide-pool", "Bó")),
            message("JoinRoom", REQUIRED["JoinRoom"]),
        )
        self.assertEqual(
            client.JoinRoom(
                client.RoomRequest(
                    game_name="tide-pool",
                    player_name="Bó",
                    room_code="q9zk4t",
                    max_players=6,
                    supports_authority=False,
                    relay_transport=RelayTransport.UDP,
                    password="pearl",
                    join_only=True,
                )
            ),
            message("JoinRoom", REQUIRED["JoinRoom"] | OPTIONAL["JoinRoom"]),
        )

    def test_game_data(self):
        """
        GameData needs a value; class and key are absent unless they are there.
        """
        small = message("GameData", {"data": [1]}).data
        self.assertEqual((b"[1]", UNSET, UNSET), self.parts(small))
        large = message("GameData", REQUIRED["GameData"] | OPTIONAL["GameData"]).data
        self.assertEqual((b"1", DeliveryClass.LATEST, 4294967295), self.parts(large))

    def parts(self, payload):
        """
        The members of a GameData.
        """
        return bytes(payload.data), payload.delivery_class, payload.key

    def test_game_data_null(self):
        """
        Null is a value too.
        """
        self.assertEqual(b"null", bytes(message("GameData", {"data": None}).data.data))

    def test_authority_request(self):
        """
        AuthorityRequest is a yes or a no.
        """
        for wish in (True, False):
            self.assertEqual(
                client.AuthorityRequest(client.AuthorityWish(wish)),
                message("AuthorityRequest", {"become_authority": wish}),
            )

    def test_provide_connection_info(self):
        """
        ProvideConnectionInfo keeps the bytes as they came, for their size.
        """
        info = b'{ "type":"custom","data":1 }'
        text = b'{"type":"ProvideConnectionInfo","data":{"connection_info":%s}}' % info
        self.assertEqual(info, bytes(decode_text(text, 999).data.connection_info))

    def test_reconnect(self):
        """
        Reconnect has ids, in upper or lower case, and a token of any form.
        """
        expected = client.Reconnect(client.Claim(UUID(SEAT), UUID(ROOM), "s3"))
        self.assertEqual(expected, message("Reconnect", REQUIRED["Reconnect"]))
        shouted = REQUIRED["Reconnect"] | {"player_id": SEAT.upper(), "room_id": ROOM.upper()}
        self.assertEqual(expected, message("Reconnect", shouted))

    def test_join_as_spectator(self):
        """
        JoinAsSpectator needs a game, a code and a name.
        """
        request = client.SpectatorRequest("tide-pool", "Q9ZK4T", "Eve")
        self.assertEqual(
            client.JoinAsSpectator(request),
            message("JoinAsSpectator", REQUIRED["JoinAsSpectator"]),
        )
        request.password = "pearl"
        self.assertEqual(
            client.JoinAsSpectator(request),
            message("JoinAsSpectator", REQUIRED["JoinAsSpectator"] | OPTIONAL["JoinAsSpectator"]),
        )

    def test_signal(self):
        """
        Signal has two ids and a value whose bytes are kept, for those it is passed on to.
        """
        value = b'{ "Offer":1E2 }'
        text = b'{"type":"Signal","data":{"to":"%s","generation":"%s","signal":%s}}'
        found = decode_text(text % (SEAT.encode(), ROOM.upper().encode(), value), 999).data
        self.assertEqual((UUID(SEAT), UUID(ROOM)), (found.to, found.generation))
        self.assertEqual(value, bytes(found.signal))
        self.assertEqual(
            b"null", bytes(message("Signal", REQUIRED["Signal"] | {"signal": None}).data.signal)
        )

    def test_transport_status(self):
        """
        TransportStatus names a transport, and says whether it works.
        """
        for transport in Transport:
            for connected in (True, False):
                self.assertEqual(
                    client.TransportStatus(client.OwnTransport(transport, connected)),
                    message(
                        "TransportStatus", {"transport": transport.value, "connected": connected}
                    ),
                )

    def test_without_payload(self):
        """
        For messages without payload, no data, null and any object are the same.
        """
        for kind in WITHOUT_PAYLOAD:
            for rest in ({}, {"data": None}, {"data": {}}, {"data": {"x": [1]}}):
                found = decoded({"type": kind.__name__, **rest})
                self.assertIs(kind, type(found), rest)

    def test_all_of_them(self):
        """
        These are all the messages.
        """
        names = [kind.__name__ for kind in client.TextMessage.__args__]
        self.assertEqual(
            sorted([*REQUIRED, *(kind.__name__ for kind in WITHOUT_PAYLOAD)]), sorted(names)
        )

    @examples(150)
    @given(client_messages)
    def test_any(self, value):
        """
        Whatever a client may send becomes a message of the type that it says.
        """
        self.assertEqual(value["type"], type(decoded(value)).__name__)


class ToleranceTests(SynchronousTestCase):
    """
    What makes no difference.
    """

    def same(self, kind, payload, other):
        """
        Two payloads mean the same.
        """
        one, two = message(kind, payload), message(kind, other)
        if kind in ("GameData", "ProvideConnectionInfo", "Signal"):
            one, two = repr_of_raw(one), repr_of_raw(two)
        self.assertEqual(one, two)

    def test_nulls(self):
        """
        Optional members may be null instead of absent, but for class and key of GameData.
        """
        for kind, members in OPTIONAL.items():
            if kind != "GameData":
                required = REQUIRED[kind]
                self.same(kind, required, required | dict.fromkeys(members))
                for name in members:
                    self.same(kind, required, required | {name: None})

    def test_unknown_members(self):
        """
        Unknown members are ignored, whatever they are and wherever they stand.
        """
        for unknown in (None, 1, "x", [{}], {"data": {}}):
            for kind, payload in REQUIRED.items():
                self.same(kind, payload, {"unknown": unknown, **payload})
                self.same(kind, payload, {**payload, "unknown": unknown, "": unknown})
                envelope = {"x": unknown, "data": payload, "y": unknown, "type": kind, "": unknown}
                self.assertEqual(kind, type(decoded(envelope)).__name__)

    def test_order(self):
        """
        The type may come after the data, and members in any order.
        """
        for kind, payload in REQUIRED.items():
            backwards = dict(reversed(payload.items()))
            self.same(kind, payload, backwards)
            self.assertEqual(
                repr_of_raw(message(kind, payload)),
                repr_of_raw(decoded({"data": backwards, "type": kind})),
            )

    def test_repeated_members(self):
        """
        Of repeated members the last one counts.
        """
        text = (
            b'{"type":"AuthorityRequest","data":{"become_authority":true,"become_authority":false}}'
        )
        self.assertFalse(decode_text(text, 999).data.become_authority)

    def test_escapes(self):
        """
        Names of types and members may be escaped like any JSON string.
        """
        text = rb'{"\u0074ype":"\u0050ing"}'
        self.assertEqual(client.Ping(), decode_text(text, 999))


def repr_of_raw(found):
    """
    A message with the text of its raw members, which do not compare.
    """
    members = [getattr(found.data, name) for name in found.data.__struct_fields__]
    return type(found), [bytes(m) if type(m).__name__ == "Raw" else m for m in members]


class MistakeTests(RefusingTestCase):
    """
    What is no message.
    """

    def test_wrong_members(self):
        """
        Members of a wrong type, out of range or with unknown tokens are refused.
        """
        for kind, members in WRONG.items():
            for name, values in members.items():
                for value in values:
                    self.refuses({"type": kind, "data": REQUIRED[kind] | {name: value}})

    def test_missing_members(self):
        """
        Every required member is required.
        """
        for kind, payload in REQUIRED.items():
            for name in payload:
                rest = {key: value for key, value in payload.items() if key != name}
                self.refuses({"type": kind, "data": rest})

    def test_missing_payload(self):
        """
        A message with required members needs its payload, as an object.
        """
        for kind, members in REQUIRED.items():
            self.refuses({"type": kind})
            for payload in (None, [], "x", 1, True, list(members.values())):
                self.refuses({"type": kind, "data": payload})

    def test_payload_that_is_no_object(self):
        """
        For messages without payload too, data is an object if it is anything.
        """
        for kind in WITHOUT_PAYLOAD:
            for payload in ([], [1], "", "x", 0, 1, True, False):
                self.refuses({"type": kind.__name__, "data": payload})

    def test_types(self):
        """
        The type is one of the known names, in exactly their spelling.
        """
        for kind in (
            "",
            "ping",
            "PING",
            "Ping ",
            "Pong",
            "RoomJoined",
            "BinaryGameData",
            "Nothing",
        ):
            self.refuses({"type": kind})
        for kind in (None, 1, True, [], {}, ["Ping"]):
            self.refuses({"type": kind})
        self.refuses({})
        self.refuses({"Type": "Ping"})
        self.refuses({"data": {}})

    def test_not_an_object(self):
        """
        A message is an object, not a bare name or a list.
        """
        for value in (None, 1, "Ping", [], ["Ping"], ["Ping", None], [{"type": "Ping"}]):
            self.refuses(value)

    def test_where(self):
        """
        The refusal says where the mistake is, and what would be right.
        """
        try:
            message("Authenticate", {"app_id": "a", "supported_transports": ["relay", "x"]})
        except Refusal as refusal:
            self.assertIn("$.data.supported_transports[1]", refusal.text)
        try:
            message("JoinRoom", REQUIRED["JoinRoom"] | {"max_players": 256})
        except Refusal as refusal:
            self.assertIn("255", refusal.text)
            self.assertIn("$.data.max_players", refusal.text)


class DocumentationTests(SynchronousTestCase):
    """
    The public reference shows what clients may send.
    """

    def test_examples(self):
        """
        There is an example for every message, and it decodes.
        """
        self.assertEqual({*client.TextMessage.__args__, RoomOperation}, self.kinds("messages.rst"))

    def kinds(self, page):
        """
        What the examples of messages from the client are.
        """
        path = PROTOCOL / page
        if not path.exists():
            raise SkipTest("the documentation is not here")
        section = path.read_text().partition("\nFrom client to server\n---")[2]
        section = section.partition("\nFrom server to client\n---")[0]
        blocks = re.findall(r"^\.\. code-block:: json\n\n((?:   .*\n|\n)+)", section, re.MULTILINE)
        return {type(decode_text(block.encode(), 65536)) for block in blocks}
