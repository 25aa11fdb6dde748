"""
What the player with the authority may do to the others, and to the door of the room.
"""

from __future__ import annotations

from signalfish.rooms import authority, membership
from signalfish.rooms.access import Lock
from signalfish.rooms.room import Room
from signalfish.rooms.seat import Claim, Seat
from signalfish.wire.errors import CloseCode, ErrorCode, Refusal
from signalfish.wire.outgoing import Notice
from signalfish.wire.server import Error


def kick(room: Room, seat: Seat, target: str, now: float) -> None:
    """
    Send another player away, whether it is connected or only expected back.

    :raises Refusal: NOT_ROOM_AUTHORITY, INVALID_INPUT or KICK_TARGET_NOT_FOUND.
    """
    _remove(room, *_target(room, seat, target, now), now)


def ban(room: Room, seat: Seat, target: str, now: float) -> None:
    """
    Send another player away, and let neither it nor its address in again.

    An address that another member has too stays welcome.

    :raises Refusal: as for :func:`kick`.
    """
    victim, claim = _target(room, seat, target, now)
    _remove(room, victim, claim, now)
    room.bans[target] = None if _is_shared(room, victim.address) else victim.address


def unban(room: Room, seat: Seat, target: str) -> None:
    """
    Let a player in again; also if it was not banned.

    :raises Refusal: NOT_ROOM_AUTHORITY.
    """
    check_authority(room, seat)
    room.bans.pop(target, None)


def set_lock(room: Room, seat: Seat, lock: Lock | None) -> None:
    """
    Seal the room with a password, or open it.

    :raises Refusal: NOT_ROOM_AUTHORITY.
    """
    check_authority(room, seat)
    room.lock = lock


def transfer(room: Room, seat: Seat, target: str, now: float) -> None:
    """
    Give the authority to another player.

    :raises Refusal: NOT_ROOM_AUTHORITY, INVALID_INPUT or TRANSFER_TARGET_NOT_FOUND.
    """
    check_authority(room, seat, "transfer the authority role")
    if target == seat.id:
        text = "The authority cannot transfer to itself"
        raise Refusal(ErrorCode.INVALID_INPUT, text)
    if target not in room.seats:
        text = "Transfer target is not a member of this room"
        raise Refusal(ErrorCode.TRANSFER_TARGET_NOT_FOUND, text)
    room.active = now
    authority.hand_over(room, target)


def check_authority(room: Room, seat: Seat, what: str = "moderate this room") -> None:
    """
    Refuse whoever does not have the authority.

    :raises Refusal: NOT_ROOM_AUTHORITY.
    """
    if room.authority != seat.id:
        text = f"Only the room's authority player may {what}"
        raise Refusal(ErrorCode.NOT_ROOM_AUTHORITY, text)


def _target(room: Room, seat: Seat, target: str, now: float) -> tuple[Seat, Claim | None]:
    check_authority(room, seat)
    membership.forget_expired(room, now)
    if target == seat.id:
        text = "The authority cannot target itself; use LeaveRoom instead"
        raise Refusal(ErrorCode.INVALID_INPUT, text)
    present = room.seats.get(target)
    if present is not None:
        return present, present.claim
    absent = room.absent.get(target)
    if absent is None:
        text = "Moderation target is not a member of this room"
        raise Refusal(ErrorCode.KICK_TARGET_NOT_FOUND, text)
    return absent.seat, absent


def _remove(room: Room, victim: Seat, claim: Claim | None, now: float) -> None:
    if claim is not None:
        claim.kicked = True
        claim.expires = now
    if victim.room is None:
        membership.forget(room, victim.id)
        return
    text = "You were removed from the room by its authority player."
    farewell = Notice(Error(message=text, error_code=ErrorCode.KICKED))
    victim.link.close(CloseCode.KICKED, "kicked", farewell)
    membership.expel(room, victim, now)


def _is_shared(room: Room, address: str) -> bool:
    reserved = (claim.seat for claim in room.absent.values() if claim.reserved)
    return any(member.address == address for member in (*room.seats.values(), *reserved))
