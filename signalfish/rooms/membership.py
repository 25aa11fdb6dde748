"""
How players come, go, get lost and come back.
"""

from __future__ import annotations

from msgspec.structs import replace

from signalfish.rooms import authority, lobby, sessions
from signalfish.rooms.access import check_password
from signalfish.rooms.link import Reply, to
from signalfish.rooms.room import Room
from signalfish.rooms.seat import Claim, Newcomer, Returner, Seat
from signalfish.rooms.snapshots import player_entry, reconnected, room_joined
from signalfish.wire.errors import CloseCode, ErrorCode, Refusal
from signalfish.wire.names import fold
from signalfish.wire.server import PlayerJoined, PlayerLeft, PlayerReconnected, RoomLeft
from signalfish.wire.types import LobbyState

_WATERMARKED = 3  # the protocol version whose clients get watermarks instead of missed game data


def join(room: Room, newcomer: Newcomer, now: float, password: str | None = None) -> Seat:
    """
    Give a newcomer a seat.

    :raises Refusal: PASSWORD_REQUIRED, BANNED, ROOM_SESSION_INCOMPATIBLE, INVALID_PLAYER_NAME or
        ROOM_FULL.
    """
    forget_expired(room, now)
    check_password(room.lock, password)
    check_not_banned(room, newcomer)
    sessions.check_joiner(room, newcomer.link.form.version, newcomer.capabilities)
    ended = _reservation_of(room, newcomer)
    if room.taken - (ended is not None) >= room.max_players:
        raise Refusal(ErrorCode.ROOM_FULL, "Room is full")

    if ended is not None:
        ended.revoked = True
        _end(room, ended)
    seat = Seat(
        id=newcomer.id,
        name=newcomer.name,
        link=newcomer.link,
        room=room,
        address=newcomer.address,
        connected_at=newcomer.connected_at,
        rank=room.rank(),
        epoch=newcomer.epoch,
        capabilities=newcomer.capabilities,
    )
    if newcomer.token is not None:
        seat.claim = Claim(newcomer.token, room, seat, fingerprint=newcomer.fingerprint)
    room.seat(seat)
    room.active = now
    if room.rule is None:
        lobby.found(room, seat, supports_authority=newcomer.supports_authority)
    newcomer.reply(room_joined(room, seat))
    room.tell_others(seat.link, PlayerJoined(player=player_entry(room, seat)))
    lobby.settle(room)
    sessions.welcome(room, seat)
    return seat


def leave(room: Room, seat: Seat, now: float, reply: Reply | None = None) -> None:
    """
    Let a player go for good.

    :param reply: how the player is told; plainly by default.
    """
    room.unseat(seat, now)
    if seat.claim is not None:
        seat.claim.revoked = True
    (reply or to(seat.link))(RoomLeft())
    _depart(room, seat)


def expel(room: Room, seat: Seat, now: float) -> None:
    """
    Take the seat from a player, who has been told.
    """
    room.unseat(seat, now)
    _depart(room, seat)


def forget(room: Room, player: str) -> None:
    """
    Expect a lost player back no longer.
    """
    _end(room, room.absent[player])
    _settle_or_renew(room)


def lose(room: Room, seat: Seat, now: float, window: float) -> None:
    """
    A player's connection is gone; the player may come back if it has a token.

    :param window: for how many seconds.
    """
    room.unseat(seat, now)
    if seat.claim is not None:
        _arm(room, seat, seat.claim, now + window)
    _depart(room, seat)


def come_back(room: Room, claim: Claim, returner: Returner, now: float) -> Seat:
    """
    Give a lost player its seat back.

    :raises Refusal: ROOM_FULL, or RECONNECTION_FAILED if somebody else has the name now.
    """
    forget_expired(room, now)
    if not claim.reserved:
        _check_free(room, claim.seat)
    del room.absent[claim.seat.id]
    return _return(room, claim, returner, now)


def take_over(room: Room, claim: Claim, returner: Returner, now: float) -> Seat:
    """
    Move a player who still looks connected to another connection, which has proven to be its own.

    To the others it is a loss and a return in one turn.
    """
    old = claim.seat
    room.unseat(old, now)
    _arm(room, old, claim, now)
    old.link.close(CloseCode.SUPERSEDED, "superseded")
    _announce_departure(room, old)
    claim.taken_over_at = now
    del room.absent[old.id]
    return _return(room, claim, returner, now)


def forget_expired(room: Room, now: float) -> None:
    """
    End the claims whose time is over; a room that nobody can come back to is made as new.
    """
    expired = [claim for claim in room.absent.values() if _is_over(claim, now)]
    for claim in expired:
        _end(room, claim)
    if expired:
        _settle_or_renew(room)


def check_not_banned(room: Room, newcomer: Newcomer) -> None:
    """
    Keep out whoever was banned.

    :raises Refusal: BANNED.
    """
    if newcomer.id in room.bans or newcomer.address in room.bans.values():
        raise Refusal(ErrorCode.BANNED, "Player is banned from this room")


def _is_over(claim: Claim, now: float) -> bool:
    return claim.expires is not None and claim.expires < now


def _arm(room: Room, seat: Seat, claim: Claim, expires: float) -> None:
    claim.expires = expires
    claim.was_authority = room.authority == seat.id
    claim.reserved = room.state is LobbyState.FINALIZED
    claim.missed_from = room.replay.next_number
    room.absent[seat.id] = claim


def _return(room: Room, claim: Claim, returner: Returner, now: float) -> Seat:
    old, link = claim.seat, returner.link
    seat = Seat(
        id=old.id,
        name=old.name,
        link=link,
        room=room,
        address=returner.address,
        connected_at=old.connected_at,
        rank=old.rank,
        epoch=old.epoch + 1,
        capabilities=returner.capabilities,
        claim=claim,
        is_ready=old.is_ready and claim.reserved,
    )
    claim.seat = seat
    claim.expires = None
    if returner.token is not None:
        claim.token = returner.token
    room.seat(seat)
    room.active = now
    regained = claim.was_authority and authority.restore(room, seat)
    form = link.form
    missed = room.replay.newest(claim.missed_from, form) if form.version < _WATERMARKED else []
    returner.reply(reconnected(room, seat, claim))
    for data in missed:
        link.deliver(data)
    _announce_return(room, seat)
    if regained:
        room.tell_authority()
    if not room.absent:
        room.replay.clear()
    lobby.settle(room)
    sessions.welcome(room, seat)
    return seat


def _depart(room: Room, seat: Seat) -> None:
    _announce_departure(room, seat)
    _settle_or_renew(room)
    sessions.depart(room, seat)


def _announce_departure(room: Room, seat: Seat) -> None:
    room.tell(PlayerLeft(player_id=seat.id, epoch=seat.epoch, final_seq=seat.seq))
    authority.vacate(room, seat)


def _announce_return(room: Room, seat: Seat) -> None:
    # A regained authority is announced afterwards: clients refuse a second one by PlayerJoined.
    entry = replace(player_entry(room, seat), is_authority=False)
    room.tell_others(seat.link, PlayerJoined(player=entry))
    back = PlayerReconnected(player_id=seat.id, epoch=seat.epoch, player=entry)
    room.tell_others(seat.link, back)


def _settle_or_renew(room: Room) -> None:
    if room.seats or room.absent:
        lobby.settle(room)
    elif room.rule is not None:
        lobby.renew(room)


def _reservation_of(room: Room, newcomer: Newcomer) -> Claim | None:
    """
    The reserved seat that a newcomer may take because it is evidently the same player.
    """
    folded = fold(newcomer.name)
    taken = "Player name already exists in this room"
    if any(seat.folded == folded for seat in room.seats.values()):
        raise Refusal(ErrorCode.INVALID_PLAYER_NAME, taken)
    for claim in room.absent.values():
        if claim.reserved and claim.seat.folded == folded:
            if _is_same(claim, newcomer):
                return claim
            raise Refusal(ErrorCode.INVALID_PLAYER_NAME, taken)
    return None


def _is_same(claim: Claim, newcomer: Newcomer) -> bool:
    same_address = claim.seat.address == newcomer.address
    return same_address and claim.fingerprint == newcomer.fingerprint


def _end(room: Room, claim: Claim) -> None:
    del room.absent[claim.seat.id]
    if not room.absent:
        room.replay.clear()


def _check_free(room: Room, seat: Seat) -> None:
    if room.taken >= room.max_players:
        raise Refusal(ErrorCode.ROOM_FULL, "Room is full")
    names = [other.folded for other in room.seats.values()]
    names += [claim.seat.folded for claim in room.absent.values() if claim.reserved]
    if seat.folded in names:
        text = "Player name already exists in this room"
        raise Refusal(ErrorCode.RECONNECTION_FAILED, text)
