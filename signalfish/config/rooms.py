"""
Settings of rooms and games, and of what clients may ask for.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from attrs import Factory, field, frozen
from msgspec import Meta

from signalfish.config.ranges import Capacity, Count, Positive, Seconds
from signalfish.rooms.rules import StartRule
from signalfish.wire.types import IceServer, Topology


class IncompatibleJoiner(StrEnum):
    """
    What becomes of somebody who joins a game but cannot run its session.
    """

    RELAY = "relay"
    REFUSE = "refuse"


@frozen
class Server:
    """
    Rooms and their lives. Times are in seconds.
    """

    default_max_players: Capacity = 8
    default_max_spectators: Count | None = 32
    start_rule: StartRule = StartRule.BY_PROTOCOL
    max_rooms: Positive = 10000
    max_rooms_per_game: Positive = 1000
    room_code_prefix: Annotated[str, Meta(pattern=r"^[A-Z0-9]*\Z")] | None = None
    room_cleanup_interval: Seconds = 60
    empty_room_timeout: Seconds = 300
    inactive_room_timeout: Seconds = 3600
    enable_reconnection: bool = True
    reconnection_window: Annotated[float, Meta(ge=1, le=1e9)] = 300
    event_buffer_size: Annotated[int, Meta(ge=0, le=65536)] = 100
    replay_game_data: bool = True
    replay_memory_bytes: Count = 256 << 20
    ping_timeout: Count = 30
    drain_grace_secs: Annotated[float, Meta(ge=0, le=1e9)] = 10


@frozen
class RateLimit:
    """
    What clients may do in one window of `time_window` seconds.
    """

    time_window: Seconds = 60
    max_room_creations: Positive = 5
    max_join_attempts: Positive = 20
    max_signals: Positive = 600
    max_signal_errors: Positive = 60
    max_inbound_error_replies: Positive = 3000
    address_multiplier: Positive = 10
    max_messages_per_second: Count = 1000
    message_burst: Positive = 2000


@frozen
class PlayerNames:
    """
    Which characters names may have besides letters and digits.
    """

    allow_unicode_alphanumeric: bool = True
    allow_spaces: bool = True
    allow_leading_trailing_whitespace: bool = False
    allowed_symbols: tuple[Annotated[str, Meta(min_length=1, max_length=1)], ...] = ("-", "_")
    additional_allowed_characters: str | None = None


@frozen
class SdkCompatibility:
    """
    What clients are told about their platform, by its name in lower case.
    """

    minimum_versions: dict[str, str] = Factory(
        lambda: {"unity": "1.10.0", "godot": "0.9.0", "godot-rust": "0.9.0", "test": "1.0.0"}
    )
    recommended_versions: dict[str, str] = Factory(
        lambda: {"unity": "1.12.0", "godot-rust": "0.9.2"}
    )
    capabilities: dict[str, tuple[str, ...]] = Factory(
        lambda: {
            "_default": ("reconnection", "spectator-mode", "rate-limits-v2"),
            "unity": ("relay-matchbox", "relay-mirror", "relay-fishnet"),
        }
    )
    notes: dict[str, str] = Factory(dict)


@frozen
class Protocol:
    """
    The syntax of requests, and what is negotiated. Lengths are in bytes.
    """

    max_game_name_length: Positive = 64
    max_player_name_length: Positive = 32
    room_code_length: Annotated[int, Meta(ge=4, le=64)] = 6
    max_players_limit: Capacity = 100
    enable_message_pack_game_data: bool = True
    max_protocol_version: Annotated[int, Meta(ge=2, le=3)] = 3
    player_name_validation: PlayerNames = Factory(PlayerNames)
    sdk_compatibility: SdkCompatibility = Factory(SdkCompatibility)


@frozen
class Session:
    """
    What players are to run besides the relay once a game has started (protocol 3).
    """

    default_topology: Topology = Topology.MESH
    game_topology_mappings: dict[str, Topology] = Factory(dict)
    enable_webrtc: bool = True
    enable_direct: bool = True
    enable_ice_pregather: bool = True
    incompatible_joiner: IncompatibleJoiner = IncompatibleJoiner.RELAY
    ice_servers: tuple[IceServer, ...] = ()


@frozen
class Turn:
    """
    STUN servers, and a TURN service with credentials made from a shared secret (protocol 3).
    """

    stun_urls: tuple[str, ...] = ("stun:stun.l.google.com:19302",)
    enabled: bool = False
    urls: tuple[str, ...] = ()
    static_auth_secret: str = field(default="", repr=False)
    credential_ttl_secs: Annotated[int, Meta(ge=1, le=86400)] = 3600


@frozen
class RelayTypes:
    """
    The relay label of rooms, by game.
    """

    default_relay_type: str = "matchbox"
    game_relay_mappings: dict[str, str] = Factory(dict)
