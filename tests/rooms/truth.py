"""
What is always true of random rooms and of what their members believe.
"""

from signalfish.rooms import plan
from signalfish.rooms.room import Room
from signalfish.rooms.rules import StartRule
from signalfish.wire.types import LobbyState
from tests.rooms.cast import Client


def agree(client: Client, room: Room) -> None:
    """
    A client's picture is that of its room.
    """
    players = {seat.id: (seat.name, room.authority == seat.id) for seat in room.seats.values()}
    known = {
        player: (entry["name"], client.authority == player)
        for player, entry in client.roster.items()
    }
    client.want(known == players, "roster", players)
    client.want(client.authority == room.authority, "authority", room.authority)
    client.want(list(client.watchers) == list(room.watchers), "spectators", room.watchers)
    client.want(client.started is (room.state is LobbyState.FINALIZED), "started", room.state)
    if not client.started:
        ready = [seat.id for seat in room.seats.values() if seat.is_ready]
        truth = (room.state.value, ready, bool(ready) and len(ready) == len(players))
        client.want(client.lobby == truth, "lobby", client.lobby, truth)
    if client.place == "player":
        client.want(client.max_players == room.max_players, "max_players")


def check_state(room: Room) -> None:
    """
    The lobby is in the state that its rule demands.
    """
    ready = [seat.is_ready for seat in room.seats.values()]
    full = len(room.seats) >= room.max_players
    if room.rule is None:
        assert room.state is LobbyState.WAITING, room
    elif room.state is not LobbyState.FINALIZED:
        newest = max((seat.link.form.version for seat in room.seats.values()), default=3)
        if room.start_rule is StartRule.BY_PROTOCOL and newest == 2:
            assert room.rule is StartRule.AUTOMATIC, room
        if room.rule is StartRule.AUTOMATIC:
            assert (room.state is LobbyState.LOBBY) is full, room
            assert not (full and all(ready)), room
        else:
            assert room.state is LobbyState.LOBBY, room


def check_session(room: Room, here: list[Client]) -> None:
    """
    All players who understand plans follow the latest one, which everybody can run.
    """
    players = [c for c in here if c.place == "player" and c.form.version >= 3]
    if room.state is not LobbyState.FINALIZED:
        assert room.session is None, room
        assert all(client.plans.plan is None for client in players), room
        return
    session = room.session
    if session is not None:
        assert all(plan.can_run(seat, session) for seat in room.seats.values()), room
        assert session.host is None or session.host in room.seats, room
    expected = ("relay", "relay", None)
    if session is not None:
        expected = (session.topology.value, session.transport.value, session.host)
    for client in players:
        client.want(client.plans.plan is not None, "no plan")
        found = tuple(client.plans.plan.get(field) for field in ("topology", "transport", "host"))
        client.want(found == expected, "plan", client.plans.plan, expected)
    assert len({client.plans.plan["generation"] for client in players}) <= 1, players
