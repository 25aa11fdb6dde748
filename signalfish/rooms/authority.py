"""
One player may have the authority over a room.
"""

from __future__ import annotations

from signalfish.rooms import rules
from signalfish.rooms.room import Room
from signalfish.rooms.seat import Seat
from signalfish.wire.outgoing import Notice
from signalfish.wire.server import AuthorityResponse


def request(room: Room, seat: Seat, now: float, *, claim: bool) -> None:
    """
    Give a player the authority, or take it from the player, as it asks.

    :raises Refusal: if it may not have its wish.
    """
    rules.check_authority(
        supported=room.supports_authority, authority=room.authority, player=seat.id, claim=claim
    )
    room.authority = seat.id if claim else None
    room.active = now
    seat.link.deliver(Notice(AuthorityResponse(granted=True, reason=None)))
    room.tell_authority()


def vacate(room: Room, seat: Seat) -> None:
    """
    Take the authority from a player who is gone, if it had it, and tell the others.
    """
    if room.authority == seat.id:
        room.authority = None
        room.tell_authority()


def hand_over(room: Room, player: str) -> None:
    """
    Give the authority to a player, and tell everybody.
    """
    room.authority = player
    room.tell_authority()


def restore(room: Room, seat: Seat) -> bool:
    """
    Give the authority back to a player who has returned, unless somebody else has it.

    Tells nobody: that is for after the player's return has been announced.
    """
    if room.authority is not None:
        return False
    room.authority = seat.id
    return True
