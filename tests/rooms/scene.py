"""
A room and those around it, and short words for what each of them hears.
"""

import json
from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from signalfish.rooms import authority, lobby, membership, spectators
from signalfish.rooms.access import Lock
from signalfish.rooms.plan import Planner
from signalfish.rooms.replay import Replay, ReplayMemory
from signalfish.rooms.room import Room
from signalfish.rooms.rules import StartRule
from signalfish.rooms.seat import Newcomer, Returner, Seat, Watcher
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.gamedata import BinaryData, TextData
from signalfish.wire.types import (
    RELAY_ONLY,
    Capabilities,
    Encoding,
    Form,
    Topology,
    Transport,
)
from tests.fakes import V2, FakeLink, Told, mint

WINDOW = 300.0
"""
Seconds in which a lost player of a scene may come back.
"""

JOINED_AT = "2031-05-17T20:04:31.250913Z"
UNIX_TIME = 1937592271.25

ALL = Capabilities(frozenset(Transport), frozenset(Topology))
"""
What a client can do that can do everything.
"""


class Guest(FakeLink):
    """
    A connection with a name, an address, and perhaps a place in the room.

    :ivar able: what its client can do besides the relay.
    """

    def __init__(self, player: str, name: str, form: Form, address: str, names: dict) -> None:
        super().__init__(form, name)
        self.id = player
        self.name = name
        self.address = address
        self.place: Seat | Watcher | None = None
        self.able = RELAY_ONLY
        self._names = names

    def heard(self) -> list[str]:
        """
        What has been told since the last time, in short words.
        """
        return [brief(told, self._names) for told in self.take()]

    def missed(self) -> list[str]:
        """
        What the answer to a return says was missed, in short words.
        """
        (answer,) = (told for told in self.told if told.type == "Reconnected")
        events = answer.data["missed_events"]
        return [brief(Told(event["type"], event.get("data")), self._names) for event in events]


class Scene:
    """
    One room, its guests by name, and the time.

    :ivar now: the time of what happens next.
    """

    def __init__(
        self,
        max_players: int = 2,
        start_rule: StartRule = StartRule.AUTOMATIC,
        *,
        max_spectators: int = 0,
        password: str | None = None,
        replay: Replay | None = None,
        **planned: Any,
    ) -> None:
        self.now = 1000.0
        self.mint = mint()
        self.generations = mint(2)
        self.guests: list[Guest] = []
        self.names: dict[str, str] = {}
        self.room = Room(
            id=self.mint.uuid(),
            code="K7MWQ4",
            game_name="reef-racers",
            max_players=max_players,
            relay_type="matchbox",
            start_rule=start_rule,
            max_spectators=max_spectators,
            replay=Replay(100, ReplayMemory(1 << 28)) if replay is None else replay,
            planner=Planner(self.generations.uuid, lambda: UNIX_TIME, **planned),
            active=self.now,
            lock=None if password is None else Lock.sealed(password, b"0123456789abcdef"),
        )

    def guest(self, name: str, form: Form = V2, address: str = "", player: str = "") -> Guest:
        """
        A connection that has no place yet; by default each name has an address of its own.
        """
        player = player or self.mint.uuid()
        self.names[player] = name
        guest = Guest(player, name, form, address or f"home of {name}", self.names)
        self.guests.append(guest)
        return guest

    def join(self, name: str, form: Form = V2, address: str = "", **details: Any) -> Guest:
        """
        Somebody new takes a seat.
        """
        guest = self.guest(name, form, address)
        self.sit(guest, **details)
        return guest

    def sit(
        self,
        guest: Guest,
        *,
        password: str | None = None,
        token: bool = True,
        supports_authority: bool = True,
        able: Capabilities = RELAY_ONLY,
    ) -> Seat:
        """
        A guest takes a seat.
        """
        guest.able = able
        newcomer = self.newcomer(guest, token=token, supports_authority=supports_authority)
        guest.place = membership.join(self.room, newcomer, self.now, password)
        return guest.place

    def watch(self, name: str, form: Form = V2, password: str | None = None) -> Guest:
        """
        Somebody new watches.
        """
        guest = self.guest(name, form)
        newcomer = self.newcomer(guest, token=False)
        guest.place = spectators.watch(self.room, newcomer, self.now, password)
        return guest

    def newcomer(
        self, guest: Guest, *, token: bool = True, supports_authority: bool = True
    ) -> Newcomer:
        """
        A guest who asks for a place.
        """
        return Newcomer(
            id=guest.id,
            name=guest.name,
            link=guest,
            address=guest.address,
            connected_at=JOINED_AT,
            epoch=guest.place.epoch + 1 if isinstance(guest.place, Seat) else 1,
            token=self.mint.uuid() if token else None,
            supports_authority=supports_authority,
            capabilities=guest.able,
        )

    def leave(self, guest: Guest) -> None:
        """
        A player or a spectator goes.
        """
        if isinstance(guest.place, Watcher):
            spectators.leave(self.room, guest.place)
        else:
            membership.leave(self.room, guest.place, self.now)

    def lose(self, *guests: Guest) -> None:
        """
        The connections of players or spectators break.
        """
        for guest in guests:
            if isinstance(guest.place, Watcher):
                spectators.lose(self.room, guest.place)
            else:
                membership.lose(self.room, guest.place, self.now, WINDOW)

    def come_back(
        self,
        lost: Guest,
        form: Form = V2,
        address: str = "elsewhere",
        able: Capabilities = RELAY_ONLY,
        token: str | None = None,
    ) -> Guest:
        """
        A lost player comes back on another connection.
        """
        guest = self.guest(lost.name, form, address, lost.id)
        returner = Returner(guest, guest.address, able, token)
        guest.place = membership.come_back(self.room, lost.place.claim, returner, self.now)
        return guest

    def take_over(
        self,
        old: Guest,
        form: Form = V2,
        able: Capabilities = RELAY_ONLY,
        token: str | None = None,
    ) -> Guest:
        """
        A connected player moves to another connection.
        """
        guest = self.guest(old.name, form, "elsewhere", old.id)
        returner = Returner(guest, guest.address, able, token)
        guest.place = membership.take_over(self.room, old.place.claim, returner, self.now)
        return guest

    def toggle(self, *guests: Guest) -> None:
        """
        Players change their readiness.
        """
        for guest in guests:
            lobby.toggle_ready(self.room, guest.place, self.now)

    def start(self, guest: Guest) -> None:
        """
        A player starts the game.
        """
        lobby.start(self.room, guest.place, self.now)

    def claim(self, guest: Guest) -> None:
        """
        A player asks for the authority.
        """
        authority.request(self.room, guest.place, self.now, claim=True)

    def release(self, guest: Guest) -> None:
        """
        A player gives the authority up.
        """
        authority.request(self.room, guest.place, self.now, claim=False)

    def send(self, guest: Guest, value: Any) -> None:
        """
        A player sends game data.
        """
        seat = guest.place
        seat.seq += 1
        raw = json.dumps(value).encode()
        self.room.relay(seat, TextData(seat.origin, seat.seq, raw), len(raw))

    def send_binary(self, guest: Guest, payload: bytes) -> None:
        """
        A player sends binary game data.
        """
        seat = guest.place
        seat.seq += 1
        data = BinaryData(seat.origin, seat.seq, payload, Encoding.MESSAGE_PACK)
        self.room.relay(seat, data, len(payload))

    def wait(self, seconds: float) -> None:
        """
        Time passes.
        """
        self.now += seconds

    def expire(self) -> None:
        """
        Whoever has not come back in time is forgotten.
        """
        membership.forget_expired(self.room, self.now)

    def hush(self) -> None:
        """
        Forget what everybody has heard.
        """
        for guest in self.guests:
            guest.take()


class SceneTestCase(SynchronousTestCase):
    """
    What can be said about a scene.
    """

    def assert_heard(self, guest: Guest, *expected: str) -> None:
        """
        The guest has heard exactly this since the last time.
        """
        self.assertEqual(guest.heard(), list(expected))

    def assert_all_heard(self, guests: list[Guest], *expected: str) -> None:
        """
        Each of these guests has heard exactly this since the last time.
        """
        for guest in guests:
            self.assert_heard(guest, *expected)

    def assert_refused(
        self, code: ErrorCode, scene: Scene, act: Callable[..., Any], *args: Any, **named: Any
    ) -> str:
        """
        The act is refused, nobody hears of it, and the room stays as it is.

        :return: the text for the developer.
        """
        before, told = _state(scene.room), [len(guest.told) for guest in scene.guests]
        refusal = self.assertRaises(Refusal, act, *args, **named)
        self.assertEqual(refusal.code, code)
        self.assertEqual(_state(scene.room), before)
        self.assertEqual([len(guest.told) for guest in scene.guests][: len(told)], told)
        return refusal.text


def _state(room: Room) -> Any:
    seats = [(seat.id, seat.is_ready, seat.link) for seat in room.seats.values()]
    claims = [(player, claim.expires, claim.revoked) for player, claim in room.absent.items()]
    return (
        room.state,
        room.rule,
        room.authority,
        room.told,
        room.active,
        room.audience,
        room.replay.next_number,
        room.session,
        seats,
        claims,
        list(room.watchers),
    )


def brief(told: Told, names: dict[str, str]) -> str:
    """
    A message in short words: * is the authority, + is ready, ! is to begin.
    """
    say = _SAYINGS.get(told.type)
    words = say(told.data, names) if say else ""
    return f"{told.type} {words}".rstrip()


def _entry(entry: dict, names: dict) -> str:
    marks = "*" * entry["is_authority"] + "+" * entry.get("is_ready", False)
    player = entry.get("id") or entry["player_id"]
    return names[player] + marks


def _entries(entries: list, names: dict) -> str:
    return "[" + ", ".join(_entry(entry, names) for entry in entries) + "]"


def _snapshot(data: dict, names: dict) -> str:
    return f"{data['lobby_state']} {_entries(data['current_players'], names)}"


def _lobby(data: dict, names: dict) -> str:
    ready = ", ".join(names[player] for player in data["ready_players"])
    return f"{data['lobby_state']} [{ready}]" + " all" * data["all_ready"]


def _authority(data: dict, names: dict) -> str:
    holder = data["authority_player"]
    return (names[holder] if holder else "nobody") + " you" * data["you_are_authority"]


def _plan(data: dict, names: dict) -> str:
    kind = f"{data['topology']}/{data['transport']}"
    host = f" of {names[data['host']]}" if "host" in data else ""
    peers = ", ".join(
        names[peer["player_id"]] + "*" * peer["is_authority"] + "!" * peer["initiate"]
        for peer in data["peers"]
    )
    return f"{kind}{host} [{peers}]"


_SAYINGS: dict[str, Callable[[Any, dict], str]] = {
    "RoomJoined": _snapshot,
    "Reconnected": _snapshot,
    "SpectatorJoined": _snapshot,
    "PlayerJoined": lambda data, names: _entry(data["player"], names),
    "PlayerReconnected": lambda data, names: _entry(data["player"], names),
    "PlayerLeft": lambda data, names: names[data["player_id"]],
    "LobbyStateChanged": _lobby,
    "GameStarting": lambda data, names: _entries(data["peer_connections"], names),
    "AuthorityChanged": _authority,
    "AuthorityResponse": lambda data, names: "granted" if data["granted"] else data["error_code"],
    "NewSpectatorJoined": lambda data, names: names[data["spectator"]["id"]],
    "SpectatorDisconnected": lambda data, names: f"{names[data['spectator_id']]} {data['reason']}",
    "SpectatorLeft": lambda data, names: data["reason"],
    "GameData": lambda data, names: f"{names[data['from_player']]} {json.dumps(data['data'])}",
    "Error": lambda data, names: data["error_code"],
    "SessionPlan": _plan,
    "Signal": lambda data, names: f"{names[data['from']]} {json.dumps(data['signal'])}",
    "PeerTransportStatus": lambda data, names: (
        f"{names[data['peer_id']]} {data['transport']} {'up' if data['connected'] else 'down'}"
    ),
}
