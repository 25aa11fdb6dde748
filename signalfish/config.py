"""
Settings: where they come from, and what they may be.

Later sources win: defaults, the configuration file, ``SIGNAL_FISH__SECTION__KEY`` environment
variables. Anything wrong stops the start with one line that names the key.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated, Any, cast, get_args, get_origin, get_type_hints

import msgspec
from attrs import Factory, field, fields, frozen, has
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta

from signalfish.rooms.rules import StartRule
from signalfish.wire.binding import FAMILY, SUBPROTOCOL
from signalfish.wire.tokens import public_key
from signalfish.wire.types import IceServer, Topology

_ENVIRONMENT_PREFIX = "SIGNAL_FISH__"
_ENVELOPE = 256  # bytes around the game data of one message, at most

Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0, le=1e9)]
Capacity = Annotated[int, Meta(ge=1, le=255)]


class IncompatibleJoiner(StrEnum):
    """
    What becomes of somebody who joins a game but cannot run its session.
    """

    RELAY = "relay"
    REFUSE = "refuse"


class ConfigError(Exception):
    """
    A setting is wrong; the text names the key and what is allowed.
    """


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


@frozen
class WebSocket:
    """
    Connections: their queues and signs of life.
    """

    send_queue_capacity: Positive = 1024
    control_queue_capacity: Annotated[int, Meta(ge=2)] = 128
    sender_backlog_bytes: Positive = 128 << 10
    slow_consumer_timeout_ms: Annotated[int, Meta(ge=1, le=600_000)] = 5000
    max_sojourn_ms: Positive = 15000
    delivery_stats_interval_secs: Annotated[int, Meta(ge=0, le=3600)] = 0
    server_ping_interval_secs: Annotated[int, Meta(ge=0, le=3600)] = 10
    pong_timeout_secs: Annotated[int, Meta(ge=1, le=3600)] = 5
    auth_timeout_secs: Annotated[int, Meta(ge=5, le=60)] = 10
    idle_timeout_secs: Count = 300
    socket_send_buffer_bytes: Annotated[int, Meta(ge=0, le=16 << 20)] = 65536


@frozen
class TokenBinding:
    """
    Whether clients prove with each message that it is theirs, and as whom.
    """

    enabled: bool = False
    required: bool = False
    require_client_fingerprint: bool = False
    subprotocol: Annotated[str, Meta(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")] = SUBPROTOCOL


@frozen
class ConnectToken:
    """
    What connect tokens are verified with: a key in Base64, or the path of a file that holds one.
    """

    public_key: str | None = None
    public_key_path: str | None = None
    required: bool = False


@frozen
class TransportSecurity:
    """
    What protects the connections themselves.
    """

    token_binding: TokenBinding = Factory(TokenBinding)


@frozen
class Security:
    """
    Sizes in bytes, numbers of connections, and proofs.
    """

    max_message_size: Annotated[int, Meta(ge=256, le=16 << 20)] = 65536
    max_outbound_message_size: Annotated[int, Meta(ge=1, le=64 << 20)] = 8 << 20
    max_connection_info_bytes: Positive = 8192
    max_signal_bytes: Positive = 16384
    max_connections_per_ip: Positive = 64
    max_connections: Positive = 10000
    transport: TransportSecurity = Factory(TransportSecurity)
    connect_token: ConnectToken | None = None


@frozen
class Settings:
    """
    Everything that can be configured.
    """

    port: Annotated[int, Meta(ge=0, le=65535)] = 3536
    server: Server = field(factory=Server)
    rate_limit: RateLimit = field(factory=RateLimit)
    protocol: Protocol = field(factory=Protocol)
    relay_types: RelayTypes = field(factory=RelayTypes)
    session: Session = field(factory=Session)
    turn: Turn = field(factory=Turn)
    websocket: WebSocket = field(factory=WebSocket)
    security: Security = field(factory=Security)


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """
    The settings from a file, if there is one, and from the environment.

    :raises ConfigError: if anything is wrong with them.
    """
    tree = {} if path is None else _read(path)
    for name, text in sorted((environment or {}).items()):
        if name.startswith(_ENVIRONMENT_PREFIX):
            keys = name.removeprefix(_ENVIRONMENT_PREFIX).lower().split("__")
            _merge(tree, _variable(keys, text), "")
    return settings(tree)


def settings(tree: Mapping[str, Any]) -> Settings:
    """
    The settings that a tree of sections and keys describes.

    :raises ConfigError: for an unknown key, or a value that is not allowed.
    """
    _refuse_unknown(tree, Settings, "")
    try:
        result = msgspec.convert(tree, Settings)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at ")
        key = place.strip("`").removeprefix("$.")
        raise ConfigError(f"{key}: {_expectation(problem, key)}, not {_at(tree, key)!r}") from None
    _check_together(result)
    return result


def verification_key(section: ConnectToken | None) -> Ed25519PublicKey | None:
    """
    The key that verifies connect tokens; None if there is to be none.

    :raises ConfigError: if there is not exactly one, or it is no key.
    """
    if section is None:
        return None
    path = "security.connect_token"
    text, name = section.public_key, section.public_key_path
    if (text is None) == (name is None):
        raise ConfigError(f"{path}: needs either public_key or public_key_path")
    key = f"{path}.public_key" if name is None else f"{path}.public_key_path"
    try:
        return public_key(Path(name).read_text("ascii") if name is not None else text or "")
    except OSError as error:
        raise ConfigError(f"{key}: cannot read {name}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{key}: {name if name is not None else text!r} {error}") from None


def _expectation(problem: str, key: str) -> str:
    hint = _hint(key)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return f"expected one of {', '.join(hint)}"
    expected = problem.partition(", got ")[0]
    return expected[:1].lower() + expected[1:]


def _hint(key: str) -> Any:
    hint: Any = Settings
    for name in key.split("."):
        hint = get_type_hints(hint).get(name) if has(hint) else None
    return hint


def _at(tree: Any, key: str) -> Any:
    for name in key.partition("[")[0].split("."):
        tree = tree[name]
    return tree


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        tree = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read configuration file {path}: {error}") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"configuration file {path} must hold an object of sections")
    return tree


def _variable(keys: list[str], text: str) -> dict[str, Any]:
    """
    The tree that one environment variable stands for: JSON, or text, or a list with commas.
    """
    value: Any
    try:
        value = json.loads(text)
    except ValueError:
        is_list = get_origin(_hint(".".join(keys))) is tuple
        value = text.split(",") if is_list else text
    for key in reversed(keys):
        value = {key: value}
    return cast(dict[str, Any], value)


def _merge(tree: dict[str, Any], other: Mapping[str, Any], path: str) -> None:
    for key, value in other.items():
        inner = tree.get(key)
        if isinstance(value, Mapping) and isinstance(inner, dict):
            _merge(inner, value, f"{path}{key}.")
        elif isinstance(value, Mapping) and key in tree:
            raise ConfigError(f"{path}{key}: is a section, not {inner!r}")
        else:
            tree[key] = value


def _refuse_unknown(tree: Mapping[str, Any], section: type, path: str) -> None:
    known = {attribute.name for attribute in fields(section)}
    hints = get_type_hints(section)
    for key, value in tree.items():
        if key not in known:
            raise ConfigError(f"{path}{key}: unknown key; allowed here: {', '.join(sorted(known))}")
        inner = next(filter(has, (hints[key], *get_args(hints[key]))), None)
        if inner is not None and isinstance(value, Mapping):
            _refuse_unknown(value, inner, f"{path}{key}.")


def _check_together(result: Settings) -> None:
    server, protocol = result.server, result.protocol
    if server.default_max_players > protocol.max_players_limit:
        raise ConfigError(
            f"server.default_max_players: {server.default_max_players} is above "
            f"protocol.max_players_limit, which is {protocol.max_players_limit}"
        )
    if len(server.room_code_prefix or "") >= protocol.room_code_length:
        raise ConfigError(
            "server.room_code_prefix: must be shorter than "
            f"protocol.room_code_length, which is {protocol.room_code_length}"
        )
    _check_binding(result.security.transport.token_binding)
    verification_key(result.security.connect_token)
    _check_sizes(result.security, protocol.max_players_limit)


def _check_sizes(security: Security, most_players: int) -> None:
    limit = security.max_outbound_message_size
    if limit < security.max_message_size + _ENVELOPE:
        raise ConfigError(
            f"security.max_outbound_message_size: {limit} is not at least {_ENVELOPE} above "
            f"security.max_message_size, which is {security.max_message_size}"
        )
    if limit < most_players * security.max_connection_info_bytes:
        raise ConfigError(
            f"security.max_outbound_message_size: {limit} is less than {most_players} players "
            f"(protocol.max_players_limit) with security.max_connection_info_bytes, which is "
            f"{security.max_connection_info_bytes}"
        )


def _check_binding(binding: TokenBinding) -> None:
    path = "security.transport.token_binding"
    for key in ("required", "require_client_fingerprint"):
        if getattr(binding, key) and not binding.enabled:
            raise ConfigError(f"{path}.{key}: is true, but {path}.enabled is false")
    name = binding.subprotocol
    if name.lower().startswith(FAMILY) and name != SUBPROTOCOL:
        raise ConfigError(
            f"{path}.subprotocol: {name!r} names another version of token binding; "
            f"allowed are {SUBPROTOCOL!r} and names outside {FAMILY + '*'!r}"
        )
