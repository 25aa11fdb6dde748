"""
Tests for :mod:`signalfish.wire.server`: every message as the two protocol versions write it.
"""

import json
import re
from pathlib import Path

from msgspec import UNSET, Raw
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from signalfish.wire import accounts, binding, operations, plans, server
from signalfish.wire.codec import decode_text
from signalfish.wire.errors import ErrorCode
from signalfish.wire.outgoing import encode, nested
from signalfish.wire.types import (
    CustomInfo,
    DirectInfo,
    Encoding,
    IceServer,
    LobbyState,
    RelayInfo,
    RelayTransport,
    SpectatorReason,
    Topology,
    Transport,
    UnityRelayInfo,
    WebRTCInfo,
)
from tests.wire.shapes import MEMBERS, NEWER, misfits, parsed

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol"

ROOM = "7d3cf1a0-58e2-4b96-8f0d-c2a914b7e635"
ADA = "0e9a44d7-b1c3-4c58-a6f2-93d5870b1ec4"
BO = "b46f02c9-7e1d-4835-9ab0-5c8ed2f3a117"
EVE = "f1c85b3e-0a97-4d62-b7e4-28d0639fca5b"

ada = server.PlayerEntry(
    id=ADA,
    name="Ada",
    is_authority=True,
    is_ready=False,
    connected_at="2030-03-09T08:00:00.000125Z",
    connection_info=DirectInfo(host="198.51.100.7", port=4242),
    epoch=2,
    seq=41,
)
ADA_2 = f"""{{
    "id": "{ADA}",
    "name": "Ada",
    "is_authority": true,
    "is_ready": false,
    "connected_at": "2030-03-09T08:00:00.000125Z",
    "connection_info": {{"type": "direct", "host": "198.51.100.7", "port": 4242}}
}}"""
ADA_3 = f"""{{
    "id": "{ADA}",
    "name": "Ada",
    "is_authority": true,
    "is_ready": false,
    "connected_at": "2030-03-09T08:00:00.000125Z",
    "epoch": 2,
    "seq": 41
}}"""
bo = server.PlayerEntry(
    id=BO,
    name="Bó",
    is_authority=False,
    is_ready=True,
    connected_at="2030-03-09T08:00:07.500000Z",
    epoch=1,
    seq=0,
)
BO_2 = f"""{{
    "id": "{BO}",
    "name": "Bó",
    "is_authority": false,
    "is_ready": true,
    "connected_at": "2030-03-09T08:00:07.500000Z"
}}"""
BO_3 = BO_2[:-2] + ', "epoch": 1, "seq": 0}'
eve = server.SpectatorEntry(id=EVE, name="Eve", connected_at="2030-03-09T08:01:00.000000Z")
EVE_TEXT = f'{{"id": "{EVE}", "name": "Eve", "connected_at": "2030-03-09T08:01:00.000000Z"}}'


CONNECTIONS = [
    (
        DirectInfo(host="2001:db8::1", port=0),
        '{"type": "direct", "host": "2001:db8::1", "port": 0}',
    ),
    (
        UnityRelayInfo(allocation_id="a", connection_data="Yg==", key="c"),
        '{"type": "unity_relay", "allocation_id": "a", "connection_data": "Yg==", "key": "c"}',
    ),
    (
        WebRTCInfo(sdp="v=0\r\n", ice_candidates=["x", "y"]),
        r'{"type": "webrtc", "sdp": "v=0\r\n", "ice_candidates": ["x", "y"]}',
    ),
    (
        WebRTCInfo(ice_candidates=[]),
        '{"type": "webrtc", "sdp": null, "ice_candidates": []}',
    ),
    (
        RelayInfo(host="r.example", port=65535, allocation_id="d", token="e"),
        """{
            "type": "relay",
            "host": "r.example",
            "port": 65535,
            "transport": "auto",
            "allocation_id": "d",
            "token": "e"
        }""",
    ),
    (
        RelayInfo(
            host="r.example",
            port=1,
            transport=RelayTransport.UDP,
            allocation_id="d",
            token="e",
            client_id=7,
        ),
        """{
            "type": "relay",
            "host": "r.example",
            "port": 1,
            "transport": "udp",
            "allocation_id": "d",
            "token": "e",
            "client_id": 7
        }""",
    ),
    (
        CustomInfo(data=Raw(b'[1E2, {"b":1,"a":null}]')),
        '{"type": "custom", "data": [1E2, {"b": 1, "a": null}]}',
    ),
    (CustomInfo(data=Raw(b"null")), '{"type": "custom", "data": null}'),
]


def message(kind, data=None):
    """
    The text of a message.
    """
    return f'{{"type": "{kind}"}}' if data is None else f'{{"type": "{kind}", "data": {data}}}'


class VectorTests(SynchronousTestCase):
    """
    Messages and their text: members, their order, and what is null or absent.
    """

    def check_newer(self, message, text):
        """
        A message of version 3 has this text.
        """
        self.assertEqual(parsed(text), parsed(encode(message, 3)))
        self.assertEqual(3, message.first_version)

    def check(self, message, version_2, version_3=None):
        """
        A message has this text in version 2 and, unless it is the same, that in version 3.
        """
        self.assertEqual(parsed(version_2), parsed(encode(message, 2)))
        self.assertEqual(parsed(version_3 or version_2), parsed(encode(message, 3)))

    def test_every_message(self):
        """
        There is a vector for every message.
        """
        kinds = {kind.__name__ for kind in server.ServerMessage.__subclasses__()}
        words = {re.sub("([A-Z])", r"_\1", kind).lower() for kind in kinds}
        tests = " ".join(name for name in dir(self) if name.startswith("test_"))
        self.assertEqual(set(), {word for word in words if f"test{word}" not in tests})

    def test_authenticated(self):
        """
        Authenticated names the application and its advisory rates.
        """
        self.check(
            server.Authenticated(
                app_name="tide-pool",
                rate_limits=server.RateLimits(per_minute=90, per_hour=5400, per_day=129600),
            ),
            message(
                "Authenticated",
                """{
                    "app_name": "tide-pool",
                    "rate_limits": {"per_minute": 90, "per_hour": 5400, "per_day": 129600}
                }""",
            ),
        )

    def test_protocol_info(self):
        """
        ProtocolInfo tells the protocol versions in version 3 only.
        """
        shared = """
            "platform": "godot",
            "sdk_version": "4.5.6-rc.1",
            "minimum_version": "4.0.0",
            "recommended_version": "4.6.0",
            "capabilities": ["reconnection", "spectator-mode"],
            "notes": "Update soon.",
            "game_data_formats": ["json", "message_pack"],
            "player_name_rules": {
                "max_length": 24,
                "min_length": 1,
                "allow_unicode_alphanumeric": false,
                "allow_spaces": true,
                "allow_leading_trailing_whitespace": false,
                "allowed_symbols": ["-", "."],
                "additional_allowed_characters": "!?"
            }
        """
        versions = """
            "protocol_version": 3, "min_protocol_version": 2, "max_protocol_version": 3,
            "transports": ["websocket"], "max_outbound_message_size": 8388608
        """
        self.check(
            server.ProtocolInfo(
                platform="godot",
                sdk_version="4.5.6-rc.1",
                minimum_version="4.0.0",
                recommended_version="4.6.0",
                capabilities=("reconnection", "spectator-mode"),
                notes="Update soon.",
                game_data_formats=(Encoding.JSON, Encoding.MESSAGE_PACK),
                player_name_rules=server.NameRules(
                    max_length=24,
                    min_length=1,
                    allow_unicode_alphanumeric=False,
                    allow_spaces=True,
                    allow_leading_trailing_whitespace=False,
                    allowed_symbols=("-", "."),
                    additional_allowed_characters="!?",
                ),
                protocol_version=3,
                min_protocol_version=2,
                max_protocol_version=3,
                transports=("websocket",),
                max_outbound_message_size=8388608,
            ),
            message("ProtocolInfo", f"{{{shared}}}"),
            message("ProtocolInfo", f"{{{shared}, {versions}}}"),
        )

    def test_protocol_info_of_a_silent_client(self):
        """
        ProtocolInfo leaves out what there is nothing to say about.
        """
        self.check(
            server.ProtocolInfo(
                capabilities=(),
                game_data_formats=(Encoding.JSON,),
                player_name_rules=server.NameRules(
                    max_length=32,
                    min_length=1,
                    allow_unicode_alphanumeric=True,
                    allow_spaces=False,
                    allow_leading_trailing_whitespace=True,
                    allowed_symbols=(),
                ),
                protocol_version=3,
                min_protocol_version=3,
                max_protocol_version=3,
                transports=UNSET,
                max_outbound_message_size=UNSET,
            ),
            message(
                "ProtocolInfo",
                """{
                    "capabilities": [],
                    "game_data_formats": ["json"],
                    "player_name_rules": {
                        "max_length": 32,
                        "min_length": 1,
                        "allow_unicode_alphanumeric": true,
                        "allow_spaces": false,
                        "allow_leading_trailing_whitespace": true,
                        "allowed_symbols": []
                    }
                }""",
            ),
            message(
                "ProtocolInfo",
                """{
                    "capabilities": [],
                    "game_data_formats": ["json"],
                    "player_name_rules": {
                        "max_length": 32,
                        "min_length": 1,
                        "allow_unicode_alphanumeric": true,
                        "allow_spaces": false,
                        "allow_leading_trailing_whitespace": true,
                        "allowed_symbols": []
                    },
                    "protocol_version": 3,
                    "min_protocol_version": 3,
                    "max_protocol_version": 3
                }""",
            ),
        )

    def test_authentication_error(self):
        """
        AuthenticationError says ``error`` where others say ``reason``.
        """
        self.check(
            server.AuthenticationError(error="Too old.", error_code=ErrorCode.INVALID_APP_ID),
            message("AuthenticationError", '{"error": "Too old.", "error_code": "INVALID_APP_ID"}'),
        )

    def snapshot(self, player_texts, *, joined=True):
        """
        The members that RoomJoined and Reconnected share.
        """
        return f"""
            "room_id": "{ROOM}",
            "room_code": "Q9ZK4T",
            "player_id": "{BO}",
            "game_name": "tide-pool",
            "max_players": 6,
            "supports_authority": true,
            "current_players": [{player_texts}],
            "is_authority": false,
            "lobby_state": "{"lobby" if joined else "finalized"}",
            "ready_players": ["{BO}"],
            "relay_type": "matchbox",
            "current_spectators": [{EVE_TEXT}]
        """

    def room_joined(self, **members):
        """
        A RoomJoined of a room with two players and a spectator.
        """
        return server.RoomJoined(
            room_id=ROOM,
            room_code="Q9ZK4T",
            player_id=BO,
            game_name="tide-pool",
            max_players=6,
            supports_authority=True,
            current_players=(ada, bo),
            is_authority=False,
            lobby_state=LobbyState.LOBBY,
            ready_players=(BO,),
            relay_type="matchbox",
            current_spectators=(eve,),
            **{"ice_servers": UNSET} | members,
        )

    def test_room_joined(self):
        """
        RoomJoined has entries in the shape of the recipient's version.
        """
        self.check(
            self.room_joined(),
            message("RoomJoined", f"{{{self.snapshot(f'{ADA_2}, {BO_2}')}}}"),
            message("RoomJoined", f"{{{self.snapshot(f'{ADA_3}, {BO_3}')}}}"),
        )

    def test_room_joined_with_token(self):
        """
        A token, to those who are given one, comes last, in version 2 as well.
        """
        token = '"reconnection_token": "s3"'
        self.check(
            self.room_joined(reconnection_token="s3"),
            message("RoomJoined", f"{{{self.snapshot(f'{ADA_2}, {BO_2}')}, {token}}}"),
            message("RoomJoined", f"{{{self.snapshot(f'{ADA_3}, {BO_3}')}, {token}}}"),
        )

    def test_room_joined_with_ice_servers(self):
        """
        ICE servers are told in version 3 only; those without credentials have no such members.
        """
        servers = (
            IceServer(urls=("stun:s.example", "stun:t.example")),
            IceServer(urls=("turn:t.example",), username="u", credential="c"),
        )
        self.check(
            self.room_joined(ice_servers=servers, reconnection_token="s3"),
            message(
                "RoomJoined",
                f"""{{{self.snapshot(f"{ADA_2}, {BO_2}")}, "reconnection_token": "s3"}}""",
            ),
            message(
                "RoomJoined",
                f"""{{
                    {self.snapshot(f"{ADA_3}, {BO_3}")},
                    "ice_servers": [
                        {{"urls": ["stun:s.example", "stun:t.example"]}},
                        {{"urls": ["turn:t.example"], "username": "u", "credential": "c"}}
                    ],
                    "reconnection_token": "s3"
                }}""",
            ),
        )

    def test_room_joined_empty_lists(self):
        """
        Empty lists are there.
        """
        joined = server.RoomJoined(
            room_id=ROOM,
            room_code="Q9ZK4T",
            player_id=BO,
            game_name="tide-pool",
            max_players=1,
            supports_authority=False,
            current_players=(),
            is_authority=False,
            lobby_state=LobbyState.WAITING,
            ready_players=(),
            relay_type="",
            current_spectators=(),
            ice_servers=UNSET,
        )
        self.check(
            joined,
            message(
                "RoomJoined",
                f"""{{
                    "room_id": "{ROOM}",
                    "room_code": "Q9ZK4T",
                    "player_id": "{BO}",
                    "game_name": "tide-pool",
                    "max_players": 1,
                    "supports_authority": false,
                    "current_players": [],
                    "is_authority": false,
                    "lobby_state": "waiting",
                    "ready_players": [],
                    "relay_type": "",
                    "current_spectators": []
                }}""",
            ),
        )

    def test_room_join_failed(self):
        """
        RoomJoinFailed has a reason and a code.
        """
        self.check(
            server.RoomJoinFailed(reason="Room is full", error_code=ErrorCode.ROOM_FULL),
            message("RoomJoinFailed", '{"reason": "Room is full", "error_code": "ROOM_FULL"}'),
        )

    def test_room_left(self):
        """
        RoomLeft has no data.
        """
        self.check(server.RoomLeft(), message("RoomLeft"))

    def test_player_joined(self):
        """
        PlayerJoined has the entry in the shape of the recipient's version.
        """
        self.check(
            server.PlayerJoined(player=ada),
            message("PlayerJoined", f'{{"player": {ADA_2}}}'),
            message("PlayerJoined", f'{{"player": {ADA_3}}}'),
        )

    def test_player_left(self):
        """
        PlayerLeft tells in version 3 where the stream of the player ended.
        """
        self.check(
            server.PlayerLeft(player_id=ADA, epoch=2, final_seq=9007199254740993),
            message("PlayerLeft", f'{{"player_id": "{ADA}"}}'),
            message(
                "PlayerLeft",
                f'{{"player_id": "{ADA}", "epoch": 2, "final_seq": 9007199254740993}}',
            ),
        )

    def test_player_reconnected(self):
        """
        PlayerReconnected has the whole entry, and in version 3 the new epoch before it.
        """
        self.check(
            server.PlayerReconnected(player_id=BO, epoch=1, player=bo),
            message("PlayerReconnected", f'{{"player_id": "{BO}", "player": {BO_2}}}'),
            message("PlayerReconnected", f'{{"player_id": "{BO}", "epoch": 1, "player": {BO_3}}}'),
        )

    def test_authority_changed(self):
        """
        AuthorityChanged names the new authority.
        """
        self.check(
            server.AuthorityChanged(authority_player=BO, you_are_authority=True),
            message(
                "AuthorityChanged", f'{{"authority_player": "{BO}", "you_are_authority": true}}'
            ),
        )

    def test_authority_changed_to_nobody(self):
        """
        If nobody is the authority, the member is there and null.
        """
        self.check(
            server.AuthorityChanged(authority_player=None, you_are_authority=False),
            message("AuthorityChanged", '{"authority_player": null, "you_are_authority": false}'),
        )

    def test_authority_response(self):
        """
        A granted AuthorityResponse has a null reason and no code.
        """
        self.check(
            server.AuthorityResponse(granted=True, reason=None),
            message("AuthorityResponse", '{"granted": true, "reason": null}'),
        )

    def test_authority_response_refused(self):
        """
        A refused AuthorityResponse has a reason and a code.
        """
        self.check(
            server.AuthorityResponse(
                granted=False, reason="Taken.", error_code=ErrorCode.AUTHORITY_CONFLICT
            ),
            message(
                "AuthorityResponse",
                '{"granted": false, "reason": "Taken.", "error_code": "AUTHORITY_CONFLICT"}',
            ),
        )

    def test_lobby_state_changed(self):
        """
        LobbyStateChanged lists who is ready, in the given order.
        """
        self.check(
            server.LobbyStateChanged(
                lobby_state=LobbyState.LOBBY, ready_players=(BO, ADA), all_ready=True
            ),
            message(
                "LobbyStateChanged",
                f"""{{
                    "lobby_state": "lobby",
                    "ready_players": ["{BO}", "{ADA}"],
                    "all_ready": true
                }}""",
            ),
        )

    def test_game_starting(self):
        """
        GameStarting tells in both versions how players can be reached, if they told it.
        """
        self.check(
            server.GameStarting(
                peer_connections=(
                    self.peer(DirectInfo(host="198.51.100.7", port=4242)),
                    server.PeerConnection(
                        player_id=BO, player_name="Bó", is_authority=False, relay_type=""
                    ),
                )
            ),
            message(
                "GameStarting",
                f"""{{
                    "peer_connections": [
                        {{
                            "player_id": "{ADA}",
                            "player_name": "Ada",
                            "is_authority": true,
                            "relay_type": "matchbox",
                            "connection_info":
                                {{"type": "direct", "host": "198.51.100.7", "port": 4242}}
                        }},
                        {{
                            "player_id": "{BO}",
                            "player_name": "Bó",
                            "is_authority": false,
                            "relay_type": ""
                        }}
                    ]
                }}""",
            ),
        )

    def peer(self, info):
        """
        A player who can be reached somehow.
        """
        return server.PeerConnection(
            player_id=ADA,
            player_name="Ada",
            is_authority=True,
            relay_type="matchbox",
            connection_info=info,
        )

    def test_connection_info(self):
        """
        Connection info of every kind is sent on with all that matters, in whatever order.
        """
        for info, text in CONNECTIONS:
            starting = server.GameStarting(peer_connections=(self.peer(info),))
            for version in (2, 3):
                sent = json.loads(encode(starting, version))["data"]["peer_connections"][0]
                self.assertEqual(json.loads(text), sent["connection_info"])

    def test_pong(self):
        """
        Pong has no data.
        """
        self.check(server.Pong(), message("Pong"))

    def test_reconnected(self):
        """
        Reconnected has missed events in the recipient's version, and in version 3 a new token.
        """
        events = (
            nested(server.PlayerJoined(player=ada)),
            nested(server.PlayerLeft(player_id=ADA, epoch=2, final_seq=5)),
            nested(server.AuthorityChanged(authority_player=None, you_are_authority=False)),
        )
        nobody = '{"authority_player": null, "you_are_authority": false}'
        events_2 = ", ".join(
            [
                message("PlayerJoined", f'{{"player": {ADA_2}}}'),
                message("PlayerLeft", f'{{"player_id": "{ADA}"}}'),
                message("AuthorityChanged", nobody),
            ]
        )
        events_3 = ", ".join(
            [
                message("PlayerJoined", f'{{"player": {ADA_3}}}'),
                message("PlayerLeft", f'{{"player_id": "{ADA}", "epoch": 2, "final_seq": 5}}'),
                message("AuthorityChanged", nobody),
            ]
        )
        snapshot_2 = self.snapshot(BO_2, joined=False)
        snapshot_3 = self.snapshot(BO_3, joined=False)
        self.check(
            server.Reconnected(
                room_id=ROOM,
                room_code="Q9ZK4T",
                player_id=BO,
                game_name="tide-pool",
                max_players=6,
                supports_authority=True,
                current_players=(bo,),
                is_authority=False,
                lobby_state=LobbyState.FINALIZED,
                ready_players=(BO,),
                relay_type="matchbox",
                current_spectators=(eve,),
                ice_servers=(IceServer(urls=("stun:s.example",)),),
                missed_events=events,
                replay="complete",
                sender_watermarks=(server.Watermark(player_id=BO, epoch=1, seq=0),),
                reconnection_token="s4",
            ),
            message("Reconnected", f'{{{snapshot_2}, "missed_events": [{events_2}]}}'),
            message(
                "Reconnected",
                f"""{{
                    {snapshot_3},
                    "ice_servers": [{{"urls": ["stun:s.example"]}}],
                    "missed_events": [{events_3}],
                    "replay": "complete",
                    "sender_watermarks": [{{"player_id": "{BO}", "epoch": 1, "seq": 0}}],
                    "reconnection_token": "s4"
                }}""",
            ),
        )

    def test_reconnection_failed(self):
        """
        ReconnectionFailed has a reason and a code.
        """
        self.check(
            server.ReconnectionFailed(reason="Late.", error_code=ErrorCode.RECONNECTION_EXPIRED),
            message(
                "ReconnectionFailed", '{"reason": "Late.", "error_code": "RECONNECTION_EXPIRED"}'
            ),
        )

    def test_spectator_joined(self):
        """
        SpectatorJoined has player entries in the recipient's version, and names the receiver.
        """

        def expected(entry):
            return message(
                "SpectatorJoined",
                f"""{{
                    "room_id": "{ROOM}",
                    "room_code": "Q9ZK4T",
                    "spectator_id": "{EVE}",
                    "game_name": "tide-pool",
                    "current_players": [{entry}],
                    "current_spectators": [{EVE_TEXT}],
                    "lobby_state": "finalized",
                    "reason": "joined"
                }}""",
            )

        self.check(
            server.SpectatorJoined(
                room_id=ROOM,
                room_code="Q9ZK4T",
                spectator_id=EVE,
                game_name="tide-pool",
                current_players=(bo,),
                current_spectators=(eve,),
                lobby_state=LobbyState.FINALIZED,
                reason=SpectatorReason.JOINED,
            ),
            expected(BO_2),
            expected(BO_3),
        )

    def test_spectator_join_failed(self):
        """
        SpectatorJoinFailed has a reason and a code.
        """
        self.check(
            server.SpectatorJoinFailed(reason="Crowded.", error_code=ErrorCode.TOO_MANY_SPECTATORS),
            message(
                "SpectatorJoinFailed",
                '{"reason": "Crowded.", "error_code": "TOO_MANY_SPECTATORS"}',
            ),
        )

    def test_spectator_left(self):
        """
        SpectatorLeft tells who still watches, in version 3 too.
        """
        self.check(
            server.SpectatorLeft(
                room_id=ROOM,
                room_code="Q9ZK4T",
                reason=SpectatorReason.VOLUNTARY_LEAVE,
                current_spectators=(eve,),
            ),
            message(
                "SpectatorLeft",
                f"""{{
                    "room_id": "{ROOM}",
                    "room_code": "Q9ZK4T",
                    "reason": "voluntary_leave",
                    "current_spectators": [{EVE_TEXT}]
                }}""",
            ),
        )

    def test_spectator_left_a_closed_room(self):
        """
        A room that is gone has no code any more.
        """
        self.check(
            server.SpectatorLeft(
                room_id=ROOM, reason=SpectatorReason.ROOM_CLOSED, current_spectators=()
            ),
            message(
                "SpectatorLeft",
                f'{{"room_id": "{ROOM}", "reason": "room_closed", "current_spectators": []}}',
            ),
        )

    def test_new_spectator_joined(self):
        """
        NewSpectatorJoined lists all spectators in version 2, and counts them in version 3.
        """
        self.check(
            server.NewSpectatorJoined(
                spectator=eve,
                current_spectators=(eve, eve),
                spectator_count=2,
                reason=SpectatorReason.JOINED,
            ),
            message(
                "NewSpectatorJoined",
                f"""{{
                    "spectator": {EVE_TEXT},
                    "current_spectators": [{EVE_TEXT}, {EVE_TEXT}],
                    "reason": "joined"
                }}""",
            ),
            message(
                "NewSpectatorJoined",
                f"""{{
                    "spectator": {EVE_TEXT},
                    "current_spectators": [],
                    "spectator_count": 2,
                    "reason": "joined"
                }}""",
            ),
        )

    def test_spectator_disconnected(self):
        """
        SpectatorDisconnected lists the others in version 2, and counts them in version 3.
        """
        self.check(
            server.SpectatorDisconnected(
                spectator_id=BO,
                reason=SpectatorReason.DISCONNECTED,
                current_spectators=(eve,),
                spectator_count=1,
            ),
            message(
                "SpectatorDisconnected",
                f"""{{
                    "spectator_id": "{BO}",
                    "reason": "disconnected",
                    "current_spectators": [{EVE_TEXT}]
                }}""",
            ),
            message(
                "SpectatorDisconnected",
                f"""{{
                    "spectator_id": "{BO}",
                    "reason": "disconnected",
                    "current_spectators": [],
                    "spectator_count": 1
                }}""",
            ),
        )

    def test_error(self):
        """
        Error says ``message`` where others say ``reason``.
        """
        self.check(
            server.Error(message="Slow down.", error_code=ErrorCode.RATE_LIMIT_EXCEEDED),
            message("Error", '{"message": "Slow down.", "error_code": "RATE_LIMIT_EXCEEDED"}'),
        )

    def test_token_binding_challenge(self):
        """
        TokenBindingChallenge has what the client needs to make its key.
        """
        self.check(
            binding.TokenBindingChallenge(nonce="bm9uY2U="),
            message(
                "TokenBindingChallenge",
                """{
                    "version": 2,
                    "scheme": "server_nonce_hkdf_sha256",
                    "nonce": "bm9uY2U=",
                    "first_sequence": 1
                }""",
            ),
        )

    def test_session_plan(self):
        """
        SessionPlan names the host of a host session, where it listens, and whom to connect to.
        """
        self.check_newer(
            plans.SessionPlan(
                generation=ROOM,
                topology=Topology.HOST,
                transport=Transport.DIRECT,
                host=ADA,
                direct_endpoint=plans.DirectEndpoint(host="198.51.100.7", port=4242),
                peers=(
                    plans.SessionPeer(
                        player_id=ADA, player_name="Ada", is_authority=True, initiate=True
                    ),
                ),
            ),
            message(
                "SessionPlan",
                f"""{{
                    "generation": "{ROOM}",
                    "topology": "host",
                    "transport": "direct",
                    "host": "{ADA}",
                    "direct_endpoint": {{"host": "198.51.100.7", "port": 4242}},
                    "peers": [{{
                        "player_id": "{ADA}",
                        "player_name": "Ada",
                        "is_authority": true,
                        "initiate": true
                    }}],
                    "fallback": "relay"
                }}""",
            ),
        )

    def test_session_plan_of_the_relay(self):
        """
        The plan of the relay has an empty list of peers, and neither host nor ICE servers.
        """
        self.check_newer(
            plans.SessionPlan(
                generation=ROOM, topology=Topology.RELAY, transport=Transport.RELAY, peers=()
            ),
            message(
                "SessionPlan",
                f"""{{
                    "generation": "{ROOM}",
                    "topology": "relay",
                    "transport": "relay",
                    "peers": [],
                    "fallback": "relay"
                }}""",
            ),
        )

    def test_signal(self):
        """
        Signal says from whom it is; the value inside is as it was written.
        """
        signal = plans.Signal(sender=ADA, generation=ROOM, signal=Raw(b'{"Offer": 1E2}'))
        self.assertEqual(
            f'{{"type":"Signal","data":{{"from":"{ADA}","generation":"{ROOM}",'
            '"signal":{"Offer": 1E2}}}',
            encode(signal, 3).decode(),
        )

    def test_peer_transport_status(self):
        """
        PeerTransportStatus tells about one transport of one player.
        """
        self.check_newer(
            plans.PeerTransportStatus(peer_id=BO, transport=Transport.WEBRTC, connected=False),
            message(
                "PeerTransportStatus",
                f'{{"peer_id": "{BO}", "transport": "webrtc", "connected": false}}',
            ),
        )

    def test_going_away(self):
        """
        GoingAway may or may not say when to come back.
        """
        self.check_newer(
            server.GoingAway(deadline_ms=1_793_012_345_678, retry_after_secs=15),
            message("GoingAway", '{"deadline_ms": 1793012345678, "retry_after_secs": 15}'),
        )
        self.check_newer(
            server.GoingAway(deadline_ms=1_793_012_345_678),
            message("GoingAway", '{"deadline_ms": 1793012345678}'),
        )

    def test_relay_stats(self):
        """
        RelayStats has four numbers.
        """
        self.check_newer(
            accounts.RelayStats(
                interval_ms=30000, sent_to_you=812, dropped_for_you=3, backpressure_events=1
            ),
            message(
                "RelayStats",
                """{
                    "interval_ms": 30000,
                    "sent_to_you": 812,
                    "dropped_for_you": 3,
                    "backpressure_events": 1
                }""",
            ),
        )

    def test_delivery_report(self):
        """
        DeliveryReport has the counts of all classes, zeros included, and the gaps, if any.
        """
        counts = accounts.ClassCounts(
            accounts.ReliableCounts(delivered=7, abandoned=1, unsupported_format=2),
            accounts.LatestCounts(delivered=3, superseded=4, dropped_full=5),
            accounts.VolatileCounts(dropped=6),
        )
        gap = accounts.Gap(
            from_player=ADA,
            epoch=2,
            from_seq=41,
            to_seq=42,
            reason=accounts.GapReason.UNSUPPORTED_FORMAT,
        )
        per_class = """{
            "reliable": {"delivered": 7, "abandoned": 1, "unsupported_format": 2},
            "latest": {
                "delivered": 3,
                "superseded": 4,
                "dropped_full": 5,
                "abandoned": 0,
                "unsupported_format": 0
            },
            "volatile": {"delivered": 0, "dropped": 6, "abandoned": 0, "unsupported_format": 0}
        }"""
        self.check_newer(
            accounts.DeliveryReport(per_class=counts),
            message("DeliveryReport", f'{{"per_class": {per_class}}}'),
        )
        self.check_newer(
            accounts.DeliveryReport(per_class=counts, gaps=(gap,)),
            message(
                "DeliveryReport",
                f"""{{
                    "per_class": {per_class},
                    "gaps": [{{
                        "from_player": "{ADA}",
                        "epoch": 2,
                        "from_seq": 41,
                        "to_seq": 42,
                        "reason": "unsupported_format"
                    }}]
                }}""",
            ),
        )

    def test_room_operation_result(self):
        """
        RoomOperationResult carries another message, in the shape of the recipient's version.
        """
        self.check_newer(
            operations.RoomOperationResult(
                operation_id=ROOM,
                result=nested(server.PlayerLeft(player_id=ADA, epoch=1, final_seq=2)),
            ),
            message(
                "RoomOperationResult",
                f"""{{
                    "operation_id": "{ROOM}",
                    "result": {{
                        "type": "PlayerLeft",
                        "data": {{"player_id": "{ADA}", "epoch": 1, "final_seq": 2}}
                    }}
                }}""",
            ),
        )


class DocumentationTests(SynchronousTestCase):
    """
    The public reference shows what the server sends.
    """

    def test_examples(self):
        """
        There is an example for every message, and it has the members of one of the versions.
        """
        kinds = {kind.__name__ for kind in server.ServerMessage.__subclasses__()}
        self.assertEqual(kinds - NEWER, {name_of(each) for each in self.fitting(2)})
        older = self.fitting(2)
        newer = [each for each in self.examples("messages.rst") if each not in older]
        self.assertEqual([], [line for each in newer for line in misfits(each, 3)])

    def test_newer_examples(self):
        """
        What version 3 adds or changes has an example of its own.
        """
        older = self.fitting(2)
        newer = {name_of(each) for each in self.fitting(3) if each not in older}
        differing = {name for name in MEMBERS[2] if MEMBERS[2][name] != MEMBERS[3][name]}
        entries = {"PlayerJoined", "SpectatorJoined"}
        kinds = {kind.__name__ for kind in server.ServerMessage.__subclasses__()}
        self.assertEqual(set(), (NEWER | entries | differing & kinds) - newer)

    def test_other_pages(self):
        """
        The examples of the other pages are messages, too, of one side or the other.
        """
        pages = [page for page in PROTOCOL.glob("*.rst") if page.name != "messages.rst"]
        for block in (block for page in pages for block in blocks_of(page.read_text())):
            example = parsed(block)
            is_message = {"type", "data"} >= dict(example).keys() and name_of(example) != "GameData"
            if is_message and all([*misfits(example, version)] for version in (2, 3)):
                decode_text(block.encode(), 65536)

    def fitting(self, version):
        """
        The examples that have the members of a protocol version.
        """
        return [each for each in self.examples("messages.rst") if not [*misfits(each, version)]]

    def examples(self, page):
        """
        The examples of messages from the server, but for game data, which is no such message.
        """
        path = PROTOCOL / page
        if not path.exists():
            raise SkipTest("the documentation is not here")
        section = path.read_text().partition("\nFrom server to client\n---")[2]
        examples = map(parsed, blocks_of(section))
        return [each for each in examples if name_of(each) != "GameData"]


def blocks_of(text):
    """
    The JSON that a text shows.
    """
    return re.findall(r"^\.\. code-block:: json\n\n((?:   .*\n|\n)+)", text, re.MULTILINE)


def name_of(example):
    """
    The type of a message.
    """
    return dict(example)["type"]
