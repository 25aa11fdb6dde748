"""
What the player with the authority asks of its room, from request to result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from signalfish.rooms import moderation
from signalfish.rooms.room import Room
from signalfish.rooms.seat import Seat
from signalfish.service import RoomService
from signalfish.wire import operations


def perform(request: Any, room: Room, seat: Seat, service: RoomService) -> Struct:
    """
    Do what a moderation request asks for.

    :return: the result, for whoever asked.
    :raises Refusal: if it may not be done.
    """
    return _VERBS[type(request)](request, room, seat, service)


def is_moderation(request: object) -> bool:
    """
    Whether :func:`perform` knows a request.
    """
    return type(request) in _VERBS


def _kick(
    request: operations.KickPlayer, room: Room, seat: Seat, service: RoomService
) -> operations.PlayerKicked:
    target = _send_away(moderation.kick, request.data, room, seat, service)
    return operations.PlayerKicked(player_id=target)


def _ban(
    request: operations.BanPlayer, room: Room, seat: Seat, service: RoomService
) -> operations.PlayerBanned:
    target = _send_away(moderation.ban, request.data, room, seat, service)
    return operations.PlayerBanned(player_id=target)


def _send_away(
    how: Callable[[Room, Seat, str, float], None],
    data: operations.Target,
    room: Room,
    seat: Seat,
    service: RoomService,
) -> str:
    target = str(data.player_id)
    is_present = target in room.seats
    how(room, seat, target, service.time.monotonic())
    service.tally.players_left += is_present
    return target


def _unban(
    request: operations.UnbanPlayer, room: Room, seat: Seat, _service: RoomService
) -> operations.PlayerUnbanned:
    target = str(request.data.player_id)
    moderation.unban(room, seat, target)
    return operations.PlayerUnbanned(player_id=target)


def _recode(
    _request: operations.RegenerateRoomCode, room: Room, seat: Seat, service: RoomService
) -> operations.RoomCodeRegenerated:
    moderation.check_authority(room, seat, "regenerate the room code")
    service.recode(room)
    return operations.RoomCodeRegenerated(room_code=room.code)


def _set_access(
    request: operations.SetRoomAccess, room: Room, seat: Seat, service: RoomService
) -> operations.RoomAccessUpdated:
    moderation.set_lock(room, seat, service.lock(request.data.password))
    return operations.RoomAccessUpdated(requires_password=room.lock is not None)


def _transfer(
    request: operations.TransferAuthority, room: Room, seat: Seat, service: RoomService
) -> operations.AuthorityTransferred:
    target = str(request.data.player_id)
    moderation.transfer(room, seat, target, service.time.monotonic())
    return operations.AuthorityTransferred(player_id=target)


_VERBS: dict[type, Callable[[Any, Room, Seat, RoomService], Struct]] = {
    operations.KickPlayer: _kick,
    operations.BanPlayer: _ban,
    operations.UnbanPlayer: _unban,
    operations.RegenerateRoomCode: _recode,
    operations.SetRoomAccess: _set_access,
    operations.TransferAuthority: _transfer,
}
