"""
Every message the server sends as JSON, declared once as the superset of all versions.

``UNSET`` means that a member is absent, ``None`` that it is present with null. What may be absent
in a version that has it has the default ``UNSET``; other members of a version are always there.
Game data is not here: it is spliced, see :mod:`signalfish.wire.gamedata`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Struct, UnsetType

from signalfish.wire.errors import ErrorCode
from signalfish.wire.types import ConnectionInfo, Encoding, IceServer, LobbyState, SpectatorReason
from signalfish.wire.versions import since, until


class PlayerEntry(Struct, frozen=True, kw_only=True):
    """
    A player, as snapshots and announcements show it.
    """

    id: str
    name: str
    is_authority: bool
    is_ready: bool
    connected_at: str
    connection_info: Annotated[ConnectionInfo | UnsetType, until(2)] = UNSET
    epoch: Annotated[int | UnsetType, since(3)]
    seq: Annotated[int | UnsetType, since(3)]


class SpectatorEntry(Struct, frozen=True, kw_only=True):
    """
    A spectator, as snapshots and announcements show it.
    """

    id: str
    name: str
    connected_at: str


class PeerConnection(Struct, frozen=True, kw_only=True):
    """
    How one player of a starting game can be reached.
    """

    player_id: str
    player_name: str
    is_authority: bool
    relay_type: str
    connection_info: ConnectionInfo | UnsetType = UNSET


class RateLimits(Struct, frozen=True, kw_only=True):
    """
    Advisory request rates of an application.
    """

    per_minute: int
    per_hour: int
    per_day: int


class NameRules(Struct, frozen=True, kw_only=True):
    """
    What player names may look like; lengths are in UTF-8 bytes.
    """

    max_length: int
    min_length: int
    allow_unicode_alphanumeric: bool
    allow_spaces: bool
    allow_leading_trailing_whitespace: bool
    allowed_symbols: tuple[str, ...]
    additional_allowed_characters: str | UnsetType = UNSET


class Watermark(Struct, frozen=True, kw_only=True):
    """
    Up to where a returning player is owed nothing of one sender (protocol 3).
    """

    player_id: str
    epoch: int
    seq: int


class ServerMessage(Struct, frozen=True):
    """
    Base of all messages; the class name is the ``type`` token.

    :cvar first_version: the protocol version from which the message exists.
    """

    first_version: ClassVar[int] = 2


class Envelope(Struct, frozen=True, kw_only=True):
    """
    A message inside another message.
    """

    type: str
    data: Any = UNSET


class Authenticated(ServerMessage, frozen=True, kw_only=True):
    """
    The credentials were accepted; :class:`ProtocolInfo` follows at once.
    """

    app_name: str
    rate_limits: RateLimits


class ProtocolInfo(ServerMessage, frozen=True, kw_only=True):
    """
    What was negotiated and what the server supports.
    """

    platform: str | UnsetType = UNSET
    sdk_version: str | UnsetType = UNSET
    minimum_version: str | UnsetType = UNSET
    recommended_version: str | UnsetType = UNSET
    capabilities: tuple[str, ...]
    notes: str | UnsetType = UNSET
    game_data_formats: tuple[Encoding, ...]
    player_name_rules: NameRules
    protocol_version: Annotated[int | UnsetType, since(3)]
    min_protocol_version: Annotated[int | UnsetType, since(3)]
    max_protocol_version: Annotated[int | UnsetType, since(3)]
    transports: Annotated[tuple[str, ...] | UnsetType, since(3)]
    max_outbound_message_size: Annotated[int | UnsetType, since(3)]


class AuthenticationError(ServerMessage, frozen=True, kw_only=True):
    """
    The credentials were refused.
    """

    error: str
    error_code: ErrorCode


class RoomJoined(ServerMessage, frozen=True, kw_only=True):
    """
    The receiver has a seat; a snapshot of the room as of this moment.
    """

    room_id: str
    room_code: str
    player_id: str
    game_name: str
    max_players: int
    supports_authority: bool
    current_players: tuple[PlayerEntry, ...]
    is_authority: bool
    lobby_state: LobbyState
    ready_players: tuple[str, ...]
    relay_type: str
    current_spectators: tuple[SpectatorEntry, ...]
    ice_servers: Annotated[tuple[IceServer, ...] | UnsetType, since(3)] = UNSET
    reconnection_token: str | UnsetType = UNSET


class RoomJoinFailed(ServerMessage, frozen=True, kw_only=True):
    """
    No seat for the receiver.
    """

    reason: str
    error_code: ErrorCode


class RoomLeft(ServerMessage, frozen=True, kw_only=True):
    """
    The receiver has given up its seat.
    """


class PlayerJoined(ServerMessage, frozen=True, kw_only=True):
    """
    Somebody took a seat, or came back to it.
    """

    player: PlayerEntry


class PlayerLeft(ServerMessage, frozen=True, kw_only=True):
    """
    Somebody gave up a seat or lost the connection.
    """

    player_id: str
    epoch: Annotated[int | UnsetType, since(3)]
    final_seq: Annotated[int | UnsetType, since(3)]


class PlayerReconnected(ServerMessage, frozen=True, kw_only=True):
    """
    Somebody came back to a seat.
    """

    player_id: str
    epoch: Annotated[int | UnsetType, since(3)]
    player: PlayerEntry


class AuthorityChanged(ServerMessage, frozen=True, kw_only=True):
    """
    Who holds the authority now, if anybody.
    """

    authority_player: str | None
    you_are_authority: bool


class AuthorityResponse(ServerMessage, frozen=True, kw_only=True):
    """
    The answer to an authority request.
    """

    granted: bool
    reason: str | None
    error_code: ErrorCode | UnsetType = UNSET


class LobbyStateChanged(ServerMessage, frozen=True, kw_only=True):
    """
    The truth about the lobby, whenever it differs from what members were last told.
    """

    lobby_state: LobbyState
    ready_players: tuple[str, ...]
    all_ready: bool


class GameStarting(ServerMessage, frozen=True, kw_only=True):
    """
    The game starts with these players.
    """

    peer_connections: tuple[PeerConnection, ...]


class Pong(ServerMessage, frozen=True, kw_only=True):
    """
    The answer to a Ping.
    """


class Reconnected(ServerMessage, frozen=True, kw_only=True):
    """
    The receiver has its seat back; a snapshot of the room and what it missed.
    """

    room_id: str
    room_code: str
    player_id: str
    game_name: str
    max_players: int
    supports_authority: bool
    current_players: tuple[PlayerEntry, ...]
    is_authority: bool
    lobby_state: LobbyState
    ready_players: tuple[str, ...]
    relay_type: str
    current_spectators: tuple[SpectatorEntry, ...]
    ice_servers: Annotated[tuple[IceServer, ...] | UnsetType, since(3)] = UNSET
    missed_events: tuple[Envelope, ...]
    replay: Annotated[str | UnsetType, since(3)]
    sender_watermarks: Annotated[tuple[Watermark, ...] | UnsetType, since(3)]
    reconnection_token: Annotated[str | UnsetType, since(3)]


class ReconnectionFailed(ServerMessage, frozen=True, kw_only=True):
    """
    The receiver does not get the seat back.
    """

    reason: str
    error_code: ErrorCode


class SpectatorJoined(ServerMessage, frozen=True, kw_only=True):
    """
    The receiver watches the room; a snapshot of it as of this moment.
    """

    room_id: str
    room_code: str
    spectator_id: str
    game_name: str
    current_players: tuple[PlayerEntry, ...]
    current_spectators: tuple[SpectatorEntry, ...]
    lobby_state: LobbyState
    reason: SpectatorReason


class SpectatorJoinFailed(ServerMessage, frozen=True, kw_only=True):
    """
    The receiver may not watch.
    """

    reason: str
    error_code: ErrorCode


class SpectatorLeft(ServerMessage, frozen=True, kw_only=True):
    """
    The receiver watches no longer.
    """

    room_id: str
    room_code: str | UnsetType = UNSET
    reason: SpectatorReason
    current_spectators: tuple[SpectatorEntry, ...]


class NewSpectatorJoined(ServerMessage, frozen=True, kw_only=True):
    """
    Somebody watches.
    """

    spectator: SpectatorEntry
    current_spectators: Annotated[tuple[SpectatorEntry, ...], until(2, afterwards=())]
    spectator_count: Annotated[int | UnsetType, since(3)]
    reason: SpectatorReason


class SpectatorDisconnected(ServerMessage, frozen=True, kw_only=True):
    """
    Somebody watches no longer.
    """

    spectator_id: str
    reason: SpectatorReason
    current_spectators: Annotated[tuple[SpectatorEntry, ...], until(2, afterwards=())]
    spectator_count: Annotated[int | UnsetType, since(3)]


class GoingAway(ServerMessage, frozen=True, kw_only=True):
    """
    The server stops at this time, in milliseconds since the epoch.
    """

    first_version: ClassVar[int] = 3

    deadline_ms: int
    retry_after_secs: int | UnsetType = UNSET


class Error(ServerMessage, frozen=True, kw_only=True):
    """
    Something the receiver sent was refused, or its connection is about to be closed.
    """

    message: str
    error_code: ErrorCode
