"""
Readiness and the start of the game; and that members always hold the truth about both.
"""

from __future__ import annotations

from signalfish.rooms import rules, sessions
from signalfish.rooms.room import NEW, Room, Truth
from signalfish.rooms.seat import Seat
from signalfish.rooms.snapshots import game_starting, ready_players
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.outgoing import Notice
from signalfish.wire.server import LobbyStateChanged
from signalfish.wire.types import LobbyState


def toggle_ready(room: Room, seat: Seat, now: float) -> None:
    """
    Make a player ready, or no longer ready.

    :raises Refusal: INVALID_ROOM_STATE, once the game has started.
    """
    if room.state is LobbyState.FINALIZED:
        text = "Cannot change ready status: the game has already started."
        raise Refusal(ErrorCode.INVALID_ROOM_STATE, text)
    seat.is_ready = not seat.is_ready
    room.active = now
    settle(room)


def start(room: Room, seat: Seat, now: float) -> None:
    """
    Start the game because a player asks for it.

    In an automatic room the game may have started a moment ago: then the player has its wish.

    :raises Refusal: if it may not be started, or not by this player.
    """
    if room.state is LobbyState.FINALIZED:
        if room.rule is rules.StartRule.AUTOMATIC:
            return
        raise Refusal(ErrorCode.INVALID_ROOM_STATE, "The game has already started.")
    rules.check_start(authority=room.authority, player=seat.id, all_ready=_truth(room)[2])
    room.active = now
    _finalize(room)


def settle(room: Room) -> None:
    """
    Bring the lobby in line with who is there, tell members what changed, start if it is time.

    To be called once, at the end of every event that changes who is seated or ready.
    """
    _obey_protocol(room)
    if room.state is LobbyState.FINALIZED:
        return
    if room.rule is not None:
        _move(room, room.rule)
    truth = _truth(room)
    if truth != room.told:
        _tell(room, truth)
    if room.rule is not None and rules.starts_by_itself(room.rule, room.state, all_ready=truth[2]):
        _finalize(room)


def found(room: Room, seat: Seat, *, supports_authority: bool) -> None:
    """
    Let the first player decide the start rule, and have the authority if there is to be one.
    """
    room.rule = rules.rule_in_force(room.start_rule, [seat.link.form.version])
    room.supports_authority = supports_authority
    room.authority = seat.id if supports_authority else None


def renew(room: Room) -> None:
    """
    Make a room that its last player left for good as new, so that a group can meet again.
    """
    room.rule = None
    room.state = LobbyState.WAITING
    room.authority = None
    room.session = None
    room.replay.clear()
    if room.told != NEW:
        _tell(room, NEW)


def _obey_protocol(room: Room) -> None:
    if room.start_rule is rules.StartRule.BY_PROTOCOL and room.seats:
        versions = [seat.link.form.version for seat in room.seats.values()]
        if rules.rule_in_force(room.start_rule, versions) is rules.StartRule.AUTOMATIC:
            room.rule = rules.StartRule.AUTOMATIC


def _move(room: Room, rule: rules.StartRule) -> None:
    state = rules.next_state(rule, room.state, len(room.seats), room.max_players)
    if state is LobbyState.WAITING and room.state is LobbyState.LOBBY:
        for seat in room.seats.values():
            seat.is_ready = False
    room.state = state


def _truth(room: Room) -> Truth:
    ready = ready_players(room)
    return room.state, ready, bool(ready) and len(ready) == len(room.seats)


def _tell(room: Room, truth: Truth) -> None:
    room.told = truth
    state, ready, all_ready = truth
    room.tell(LobbyStateChanged(lobby_state=state, ready_players=ready, all_ready=all_ready))


def _finalize(room: Room) -> None:
    room.state = LobbyState.FINALIZED
    room.told = None
    players = Notice(game_starting(room, with_connection_info=True))
    for seat in room.seats.values():
        seat.link.deliver(players)
    spectators = Notice(game_starting(room, with_connection_info=False))
    for watcher in room.watchers.values():
        watcher.link.deliver(spectators)
    sessions.start(room)
