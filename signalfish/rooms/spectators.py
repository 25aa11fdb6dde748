"""
How spectators come and go. They see the game; they keep no room alive and take no seat.
"""

from __future__ import annotations

from signalfish.rooms.access import check_password
from signalfish.rooms.link import Reply, to
from signalfish.rooms.membership import check_not_banned, forget_expired
from signalfish.rooms.room import Room
from signalfish.rooms.seat import Newcomer, Watcher
from signalfish.rooms.snapshots import spectator_entries, spectator_entry, spectator_joined
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.server import NewSpectatorJoined, SpectatorDisconnected, SpectatorLeft
from signalfish.wire.types import SpectatorReason


def watch(room: Room, newcomer: Newcomer, now: float, password: str | None = None) -> Watcher:
    """
    Let a newcomer watch.

    :raises Refusal: PASSWORD_REQUIRED or TOO_MANY_SPECTATORS.
    """
    forget_expired(room, now)
    check_password(room.lock, password)
    check_not_banned(room, newcomer)
    if room.max_spectators and len(room.watchers) >= room.max_spectators:
        raise Refusal(ErrorCode.TOO_MANY_SPECTATORS, "Spectator limit reached")

    watcher = Watcher(newcomer.id, newcomer.name, newcomer.link, room, newcomer.connected_at)
    room.watchers[watcher.id] = watcher
    room.reassemble()
    newcomer.reply(spectator_joined(room, watcher))
    joined = NewSpectatorJoined(
        spectator=spectator_entry(watcher),
        current_spectators=spectator_entries(room),
        spectator_count=len(room.watchers),
        reason=SpectatorReason.JOINED,
    )
    room.tell_others(watcher.link, joined)
    return watcher


def leave(room: Room, watcher: Watcher, reply: Reply | None = None) -> None:
    """
    Let a spectator go that asks to.

    :param reply: how the spectator is told; plainly by default.
    """
    _remove(room, watcher)
    left = SpectatorLeft(
        room_id=room.id,
        room_code=room.code,
        reason=SpectatorReason.VOLUNTARY_LEAVE,
        current_spectators=spectator_entries(room),
    )
    (reply or to(watcher.link))(left)
    _announce(room, watcher, SpectatorReason.VOLUNTARY_LEAVE)


def lose(room: Room, watcher: Watcher) -> None:
    """
    A spectator's connection is gone.
    """
    _remove(room, watcher)
    _announce(room, watcher, SpectatorReason.DISCONNECTED)


def _remove(room: Room, watcher: Watcher) -> None:
    del room.watchers[watcher.id]
    watcher.room = None
    room.reassemble()


def _announce(room: Room, watcher: Watcher, reason: SpectatorReason) -> None:
    room.tell(
        SpectatorDisconnected(
            spectator_id=watcher.id,
            reason=reason,
            current_spectators=spectator_entries(room),
            spectator_count=len(room.watchers),
        )
    )
