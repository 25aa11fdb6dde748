"""
How rooms end: nobody came back to an empty one, or nothing happened in an occupied one.
"""

from __future__ import annotations

from msgspec import UNSET

from signalfish.rooms.room import Room
from signalfish.wire.errors import CloseCode, ErrorCode
from signalfish.wire.outgoing import Notice
from signalfish.wire.server import Error, PlayerLeft, SpectatorLeft
from signalfish.wire.types import SpectatorReason


def is_abandoned(room: Room, now: float, timeout: float) -> bool:
    """
    Whether a room has been without players for this many seconds, and nobody may come back.
    """
    return not room.seats and not room.absent and now - room.emptied >= timeout


def is_inactive(room: Room, now: float, timeout: float) -> bool:
    """
    Whether nothing has happened among the players of a room for this many seconds.
    """
    return bool(room.seats) and not room.absent and now - room.active >= timeout


def close(room: Room) -> None:
    """
    Send players away with close code 4005; tell spectators, who stay connected.
    """
    seats = list(room.seats.values())
    room.players.difference_update(room.seats)
    room.seats = {}
    room.reassemble()
    text = "Room closed after exceeding the inactivity timeout"
    farewell = Notice(Error(message=text, error_code=ErrorCode.ROOM_NOT_FOUND))
    for seat in seats:
        seat.room = None
        if seat.claim is not None:
            seat.claim.revoked = True
        seat.link.close(CloseCode.ROOM_INACTIVE, "room_inactive", farewell)
    for seat in seats:
        room.tell(PlayerLeft(player_id=seat.id, epoch=seat.epoch, final_seq=seat.seq))
    left = SpectatorLeft(
        room_id=room.id,
        room_code=UNSET,
        reason=SpectatorReason.ROOM_CLOSED,
        current_spectators=(),
    )
    room.tell(left)
    for watcher in room.watchers.values():
        watcher.room = None
    room.watchers = {}
    room.reassemble()
    room.replay.clear()
