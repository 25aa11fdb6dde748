"""
Settings of rooms and games, and of what clients may ask for.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from attrs import Factory, frozen
from msgspec import Meta

from signalfish.config.declaring import setting
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

    default_max_players: Capacity = setting(
        8, "players", "seats of a room whose creator does not say"
    )
    default_max_spectators: Count | None = setting(
        32, "spectators; 0 for any number, null for twice the players", "who may watch one room"
    )
    start_rule: StartRule = setting(
        StartRule.BY_PROTOCOL, "", "how games start, see :doc:`protocol/lobby`"
    )
    max_rooms: Positive = setting(10000, "rooms", "of all games together")
    max_rooms_per_game: Positive = setting(1000, "rooms", "of one game")
    room_code_prefix: Annotated[str, Meta(pattern=r"^[A-Z0-9]*\Z")] | None = setting(
        None, "A to Z and 0 to 9; shorter than a code", "what generated codes begin with"
    )
    room_cleanup_interval: Seconds = setting(60, "seconds", "how often rooms are swept")
    empty_room_timeout: Seconds = setting(300, "seconds", "how long a room without players is kept")
    inactive_room_timeout: Seconds = setting(
        3600, "seconds", "how long a room in which nothing happens is kept"
    )
    enable_reconnection: bool = setting(True, "", "whether lost players may come back")
    reconnection_window: Annotated[float, Meta(ge=1, le=1e9)] = setting(
        300, "seconds", "how long lost players may come back"
    )
    event_buffer_size: Annotated[int, Meta(ge=0, le=65536)] = setting(
        100, "events", "control events, and game data messages, kept for an absent player"
    )
    replay_game_data: bool = setting(True, "", "whether game data is kept for absent players")
    replay_memory_bytes: Count = setting(256 << 20, "bytes", "game data kept by all rooms together")
    ping_timeout: Count = setting(
        30, "whole seconds; 0 for any", "silence that ends a connection where pings are off"
    )
    drain_grace_secs: Annotated[float, Meta(ge=0, le=1e9)] = setting(
        10,
        "seconds; 0 for none",
        "time that clients have to leave when the server stops, see :ref:`protocol-shutdown`",
    )


@frozen
class RateLimit:
    """
    What clients may do in one window of `time_window` seconds.
    """

    time_window: Seconds = setting(
        60, "seconds", "in which attempts, signals and replies are counted"
    )
    max_room_creations: Positive = setting(5, "rooms", "rooms that one connection may create")
    max_join_attempts: Positive = setting(
        20, "attempts", "attempts of one connection to join, watch and come back"
    )
    max_signals: Positive = setting(
        600,
        "messages",
        "signals and transport reports of one connection, see :doc:`protocol/version-3`",
    )
    max_signal_errors: Positive = setting(
        60, "signals", "refused signals of one connection that are told why"
    )
    max_inbound_error_replies: Positive = setting(
        3000, "replies", "refusals before the connection is closed"
    )
    address_multiplier: Positive = setting(
        10, "", "how many times the attempts and rooms of one connection an address has"
    )
    max_messages_per_second: Count = setting(
        1000,
        "messages; 0 for any number",
        "beyond it a client is read more slowly; what goes to a whole room counts twenty times",
    )
    message_burst: Positive = setting(2000, "messages", "messages that may come at once")


@frozen
class PlayerNames:
    """
    Which characters names may have besides letters and digits.
    """

    allow_unicode_alphanumeric: bool = setting(
        True, "", "letters and digits of all scripts in player names"
    )
    allow_spaces: bool = setting(True, "", "spaces in player names")
    allow_leading_trailing_whitespace: bool = setting(
        False, "", "spaces at either end of player names"
    )
    allowed_symbols: tuple[Annotated[str, Meta(min_length=1, max_length=1)], ...] = setting(
        ("-", "_"), "single characters", "other characters in player names"
    )
    additional_allowed_characters: str | None = setting(None, "text", "more of these, as one text")


@frozen
class SdkCompatibility:
    """
    What clients are told about their platform, by its name in lower case.
    """

    enforce: bool = setting(
        False, "", "whether older versions than ``minimum_versions`` are refused"
    )
    minimum_versions: dict[str, str] = setting(
        Factory(
            lambda: {"unity": "1.10.0", "godot": "0.9.0", "godot-rust": "0.9.0", "test": "1.0.0"}
        ),
        "text by platform",
        "oldest version that clients of a platform are told to have",
    )
    recommended_versions: dict[str, str] = setting(
        Factory(lambda: {"unity": "1.12.0", "godot-rust": "0.9.2"}),
        "text by platform",
        "version that they are told to have rather",
    )
    capabilities: dict[str, tuple[str, ...]] = setting(
        Factory(
            lambda: {
                "_default": ("reconnection", "spectator-mode", "rate-limits-v2"),
                "unity": ("relay-matchbox", "relay-mirror", "relay-fishnet"),
            }
        ),
        "texts by platform; ``_default`` for all",
        "what they are told that they may rely on",
    )
    notes: dict[str, str] = setting(
        Factory(dict), "text by platform", "notes for clients of a platform"
    )


@frozen
class Protocol:
    """
    The syntax of requests, and what is negotiated. Lengths are in bytes.
    """

    max_game_name_length: Positive = setting(64, "bytes", "longest game name")
    max_player_name_length: Positive = setting(32, "bytes", "longest player or spectator name")
    room_code_length: Annotated[int, Meta(ge=4, le=64)] = setting(
        6, "characters", "exact length of room codes"
    )
    max_players_limit: Capacity = setting(100, "players", "most seats that a creator may ask for")
    enable_message_pack_game_data: bool = setting(
        True, "", "whether clients may choose MessagePack"
    )
    enable_rkyv_game_data: bool = setting(
        False, "", "whether clients may choose rkyv, which is never converted"
    )
    enable_protobuf_game_data: bool = setting(
        False, "", "whether clients may choose Protocol Buffers, which are never converted"
    )
    min_protocol_version: Annotated[int, Meta(ge=2, le=3)] = setting(
        2, "version", "oldest that clients may negotiate; not above the newest"
    )
    max_protocol_version: Annotated[int, Meta(ge=2, le=3)] = setting(
        3, "version", "newest that clients may negotiate, see :doc:`protocol/version-3`"
    )
    player_name_validation: PlayerNames = Factory(PlayerNames)
    sdk_compatibility: SdkCompatibility = Factory(SdkCompatibility)


@frozen
class Session:
    """
    What players are to run besides the relay once a game has started (protocol 3).
    """

    default_topology: Topology = setting(
        Topology.MESH, "", "the richest session that is wanted, see :ref:`protocol-v3-plans`"
    )
    game_topology_mappings: dict[str, Topology] = setting(
        Factory(dict), "topology by game", "the richest session of single games"
    )
    enable_webrtc: bool = setting(True, "", "whether sessions over WebRTC are planned")
    enable_direct: bool = setting(
        True, "", "whether sessions are planned in which players connect to a host"
    )
    enable_ice_pregather: bool = setting(
        True, "", "whether players are told ICE servers before the game starts"
    )
    incompatible_joiner: IncompatibleJoiner = setting(
        IncompatibleJoiner.RELAY,
        "",
        "what becomes of who joins a game but cannot run its session: all go on over the relay, "
        "or it is refused",
    )
    ice_servers: tuple[IceServer, ...] = setting(
        (),
        "objects with ``urls``, ``username``, ``credential``",
        "ICE servers that players are told as they are",
    )


@frozen
class Turn:
    """
    STUN servers, and a TURN service with credentials made from a shared secret (protocol 3).
    """

    stun_urls: tuple[str, ...] = setting(
        ("stun:stun.l.google.com:19302",), "URLs", "STUN servers that players are told"
    )
    enabled: bool = setting(False, "", "whether players are told the TURN service")
    urls: tuple[str, ...] = setting((), "URLs", "of the TURN service")
    static_auth_secret: str = setting(
        "", "text", "the secret that the TURN service shares with this server", secret=True
    )
    credential_ttl_secs: Annotated[int, Meta(ge=1, le=86400)] = setting(
        3600, "whole seconds", "how long the credential of a player is good"
    )


@frozen
class RelayTypes:
    """
    The relay label of rooms, by game.
    """

    default_relay_type: str = setting(
        "matchbox", "text", "the relay label of rooms; passed on, never used"
    )
    game_relay_mappings: dict[str, str] = setting(
        Factory(dict), "text by game", "the label of single games"
    )
