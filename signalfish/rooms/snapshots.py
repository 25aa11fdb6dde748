"""
What a room looks like, as the messages that carry a snapshot of it.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from signalfish.rooms.room import Room
from signalfish.rooms.seat import Claim, Seat, Watcher
from signalfish.rooms.sessions import early_ice_servers
from signalfish.wire.outgoing import encode, nested
from signalfish.wire.server import (
    AuthorityChanged,
    Envelope,
    GameStarting,
    PeerConnection,
    PlayerEntry,
    PlayerJoined,
    PlayerLeft,
    PlayerReconnected,
    Reconnected,
    RoomJoined,
    ServerMessage,
    SpectatorEntry,
    SpectatorJoined,
    Watermark,
)
from signalfish.wire.types import SpectatorReason

_CORRELATION = 256  # bytes that the result of an operation has around the message, at most


def player_entry(room: Room, seat: Seat) -> PlayerEntry:
    """
    A player as it is now.
    """
    return PlayerEntry(
        id=seat.id,
        name=seat.name,
        is_authority=room.authority == seat.id,
        is_ready=seat.is_ready,
        connected_at=seat.connected_at,
        connection_info=seat.connection_info,
        epoch=seat.epoch,
        seq=seat.seq,
    )


def spectator_entry(watcher: Watcher) -> SpectatorEntry:
    """
    A spectator.
    """
    return SpectatorEntry(id=watcher.id, name=watcher.name, connected_at=watcher.connected_at)


def spectator_entries(room: Room) -> tuple[SpectatorEntry, ...]:
    """
    All spectators, in joining order.
    """
    return tuple(map(spectator_entry, room.watchers.values()))


def ready_players(room: Room) -> tuple[str, ...]:
    """
    The ids of those who are ready, in joining order.
    """
    return tuple(seat.id for seat in room.seats.values() if seat.is_ready)


def room_joined(room: Room, seat: Seat) -> RoomJoined:
    """
    The room, for somebody who has just taken a seat.
    """
    token = seat.claim.token if seat.claim else UNSET
    return RoomJoined(**_room_fields(room, seat), reconnection_token=token)


def reconnected(room: Room, seat: Seat, claim: Claim) -> Reconnected:
    """
    The room, for somebody who is back, with the control events it missed.
    """
    snapshot = Reconnected(
        **_room_fields(room, seat),
        missed_events=(),
        replay=room.replay.coverage(claim.missed_from),
        sender_watermarks=tuple(
            Watermark(player_id=other.id, epoch=other.epoch, seq=other.seq)
            for other in room.seats.values()
        ),
        reconnection_token=claim.token,
    )
    missed = _missed_events(room, seat, claim.missed_from)
    fitting = _newest_fitting(missed, snapshot, seat.link.form.version, room.replay.largest_message)
    if len(fitting) < len(missed):
        return replace(snapshot, missed_events=fitting, replay="truncated")
    return replace(snapshot, missed_events=fitting)


def spectator_joined(room: Room, watcher: Watcher) -> SpectatorJoined:
    """
    The room, for somebody who has just begun to watch; how players can be reached is left out.
    """
    return SpectatorJoined(
        room_id=room.id,
        room_code=room.code,
        spectator_id=watcher.id,
        game_name=room.game_name,
        current_players=tuple(
            replace(entry, connection_info=UNSET) for entry in _player_entries(room)
        ),
        current_spectators=spectator_entries(room),
        lobby_state=room.state,
        reason=SpectatorReason.JOINED,
    )


def game_starting(room: Room, *, with_connection_info: bool) -> GameStarting:
    """
    Everybody who plays and, which is not for spectators, how they can be reached.
    """
    return GameStarting(
        peer_connections=tuple(
            PeerConnection(
                player_id=seat.id,
                player_name=seat.name,
                is_authority=room.authority == seat.id,
                relay_type=room.relay_type,
                connection_info=seat.connection_info if with_connection_info else UNSET,
            )
            for seat in room.seats.values()
        )
    )


def _player_entries(room: Room) -> tuple[PlayerEntry, ...]:
    return tuple(player_entry(room, seat) for seat in room.seats.values())


def _room_fields(room: Room, seat: Seat) -> dict[str, Any]:
    return {
        "room_id": room.id,
        "room_code": room.code,
        "player_id": seat.id,
        "game_name": room.game_name,
        "max_players": room.max_players,
        "supports_authority": room.supports_authority,
        "current_players": _player_entries(room),
        "is_authority": room.authority == seat.id,
        "lobby_state": room.state,
        "ready_players": ready_players(room),
        "relay_type": room.relay_type,
        "current_spectators": spectator_entries(room),
        "ice_servers": early_ice_servers(room, seat) or UNSET,
    }


def _missed_events(room: Room, seat: Seat, first: int) -> list[ServerMessage]:
    events = (_as_missed(room, seat, message) for message in room.replay.events(first))
    return [message for message in events if message is not None]


def _newest_fitting(
    events: list[ServerMessage], snapshot: Reconnected, version: int, limit: int
) -> tuple[Envelope, ...]:
    """
    As many of the newest events as fit into a snapshot.

    :param limit: the bytes that the whole message may have.
    """
    left = limit - _CORRELATION - len(encode(snapshot, version))
    fitting: list[Envelope] = []
    for message in reversed(events):
        left -= len(encode(message, version)) + 1
        if left < 0:
            break
        fitting.append(nested(message))
    return tuple(reversed(fitting))


def _as_missed(room: Room, seat: Seat, message: ServerMessage) -> ServerMessage | None:
    """
    A kept event as the returning player should see it; None if it would mislead.
    """
    match message:
        case PlayerLeft(player_id=player) | PlayerReconnected(player_id=player):
            return None if player == seat.id else message
        case PlayerJoined(player=entry):
            return None if entry.id == seat.id else message
        case AuthorityChanged(authority_player=player):
            if player != room.authority:
                return None
            return replace(message, you_are_authority=player == seat.id)
        case _:
            return message
