"""
A client that believes nothing: it checks all it is told against its own picture of the room.
"""

from typing import Any

from signalfish.wire.types import RELAY_ONLY, Form
from tests.fakes import FakeLink, Told

NEW = ("waiting", [], False)
_MISSED = {
    "PlayerJoined",
    "PlayerLeft",
    "PlayerReconnected",
    "NewSpectatorJoined",
    "SpectatorDisconnected",
    "LobbyStateChanged",
    "AuthorityChanged",
}
_ORDER = {  # of the messages about one event, except for those that a takeover repeats
    "PlayerLeft": 1,
    "PlayerJoined": 1,
    "PlayerReconnected": 1,
    "AuthorityChanged": 2,
    "LobbyStateChanged": 3,
    "GameStarting": 4,
    "SessionPlan": 5,
}
_PAIRS = {
    ("relay", "relay"): (),
    ("host", "direct"): ("host", "direct_endpoint"),
    ("host", "webrtc"): ("host",),
    ("mesh", "webrtc"): (),
}
_RICHNESS = {"relay": 0, "host": 1, "mesh": 2}


class Lie(AssertionError):  # noqa: N818 - what the server did
    """
    The client was told what it cannot have been told by a correct server.
    """


class StrictClient(FakeLink):
    """
    A client and its picture of the room.

    :ivar place: None, "player" or "spectator".
    :ivar asked: what it waits for an answer to; None if nothing.
    :ivar presented: the token with which it comes back.
    :ivar lobby: state, who is ready, whether all are.
    :ivar roster: the entries of the players it knows, by id.
    :ivar authority: who it believes has the authority; one who has left until it is told.
    :ivar watchers: the names of the spectators it knows, by id.
    :ivar values: the game data received in this turn.
    :ivar able: the transports and topologies that it negotiated.
    :ivar plan: the plan that it follows; None if it has got none.
    """

    def __init__(self, form: Form, name: str) -> None:
        super().__init__(form, name)
        self.place: str | None = None
        self.asked: str | None = None
        self.me: str | None = None
        self.room: str | None = None
        self.token: str | None = None
        self.presented: str | None = None
        self.max_players = 0
        self.supports_authority = False
        self.lobby: tuple[str, list[str], bool] = NEW
        self.roster: dict[str, dict] = {}
        self.authority: str | None = None
        self.watchers: dict[str, str] = {}
        self.values: list[Any] = []
        self.able = RELAY_ONLY
        self.plan: dict | None = None
        self.turn: list[str] = []
        self._generations: set[str] = set()
        self._epochs: dict[str, int] = {}
        self._numbers: dict[str, int | None] = {}
        self._replaying = False
        self._fresh = False
        self._renewed = False
        self._last: Told | None = None

    # What a test calls.

    @property
    def started(self) -> bool:
        """
        Whether the client believes that the game has started.
        """
        return self.lobby[0] == "finalized"

    def begin_turn(self) -> None:
        """
        Something is about to happen.
        """
        self.take()
        self.turn, self.values = [], []
        self._fresh = self._replaying = self._renewed = False
        self._last = None

    def gone(self) -> None:
        """
        The connection, or the place, is over.
        """
        self.place = None

    def deliver(self, outgoing: Any) -> None:
        """
        A closed connection must not be spoken to.
        """
        self.want(self.closed is None, "message after close", outgoing)
        super().deliver(outgoing)

    def close(self, *details: Any) -> None:
        """
        Being closed ends any place.
        """
        self.want(self.closed is None, "closed twice", details)
        super().close(*details)
        self.gone()

    def want(self, truth: Any, what: str, *about: Any) -> None:
        """
        :raises Lie: unless this is true.
        """
        if not truth:
            raise Lie(f"{self!r}: {what}: {about}\nturn: {self.turn}\nroster: {self.roster}")

    # What it is told.

    def hear(self, told: Told) -> None:
        """
        Check a message against the picture, then change the picture.
        """
        self.turn.append(told.type)
        self._check_version(told)
        if told.type not in {"RoomJoined", "Reconnected", "SpectatorJoined"}:
            self.want(self.place, "message outside a room", told)
        if told.type not in {"GameData", "Reconnected"}:
            self._replaying = False
        self._check_order(told)
        getattr(self, f"_hear_{told.type}")(told.data)
        self._last = told

    def _check_version(self, told: Told) -> None:
        data = told.data or {}
        newer = self.form.version >= 3
        events = [(told.type, data)]
        events += [(event["type"], event["data"]) for event in data.get("missed_events", ())]
        for kind, body in events:
            for holder, fields in _version_fields(kind, body):
                for field in fields:
                    self.want((field in holder) is newer, f"{field} in version", kind, body)
                if newer:
                    self.want("connection_info" not in holder or kind == "GameStarting", kind)

    def _check_order(self, told: Told) -> None:
        """
        The messages about one event come in one order; a renewal is an event of its own.
        """
        if told.type == "LobbyStateChanged" and self._is_renewal(told.data):
            return
        if told.type in _ORDER and self._last is not None and self._last.type in _ORDER:
            back = _ORDER[self._last.type] > _ORDER[told.type]
            taken_over = (self._last.type, told.type) == ("AuthorityChanged", "PlayerJoined")
            vacated = taken_over and self._last.data["authority_player"] is None
            swept = self._renewed
            self.want(not back or vacated or swept, "order", self._last, told)

    def _is_renewal(self, data: dict) -> bool:
        return self.place == "spectator" and not self.roster and _lobby_of(data) == NEW

    # Answers.

    def _answer(self, kind: str) -> None:
        self.want(self.asked == kind, f"no {kind} was asked for", self.asked)
        self.asked = None

    def _hear_RoomJoined(self, data: dict) -> None:
        self._answer("join")
        self.want(self.place is None, "joined twice")
        self._enter_as_player(data)
        self.token = data.get("reconnection_token")
        self.want(not self._entry(data).get("is_ready"), "joined ready")

    def _hear_Reconnected(self, data: dict) -> None:
        self._answer("reconnect")
        self.want(self.place is None, "reconnected while in a room")
        self._enter_as_player(data)
        if "reconnection_token" in data:
            self.want(data["reconnection_token"] != self.presented, "token stays", data)
            self.token = data["reconnection_token"]
        if data["lobby_state"] != "finalized":
            self.want(not self._entry(data)["is_ready"], "returned ready")
        if self.form.version >= 3:
            marks = [
                {"player_id": entry["id"], "epoch": entry["epoch"], "seq": entry["seq"]}
                for entry in data["current_players"]
            ]
            self.want(data["sender_watermarks"] == marks, "watermarks", data)
        else:
            self._replaying = True
        for event in data["missed_events"]:
            self._check_missed(event["type"], event["data"])

    def _check_missed(self, kind: str, data: dict) -> None:
        self.want(kind in _MISSED, "missed event of another kind", kind)
        about = data.get("player_id") or data.get("player", {}).get("id")
        self.want(about != self.me, "own event as missed", kind, data)
        if kind == "AuthorityChanged":
            self.want(data["authority_player"] == self.authority, "past authority", data)
            mine = data["authority_player"] == self.me
            self.want(data["you_are_authority"] is mine, "you_are_authority", data)

    def _entry(self, data: dict) -> dict:
        mine = [entry for entry in data["current_players"] if entry["id"] == data["player_id"]]
        self.want(len(mine) == 1, "exactly one own entry", data)
        return mine[0]

    def _enter_as_player(self, data: dict) -> None:
        self.place, self.me = "player", data["player_id"]
        self._arrive(data)
        self.plan = None
        self._check_early_ice_servers(data)
        self.max_players = data["max_players"]
        self.supports_authority = data["supports_authority"]
        own = self._entry(data)
        self.want(own["is_authority"] is data["is_authority"], "two truths about me", data)
        self.want(data["ready_players"] == self.lobby[1], "ready_players", data)
        self.want(len(self.roster) <= self.max_players, "more than max_players", data)
        self.want(self.me not in self.watchers, "I am no spectator", data)
        if not self.supports_authority:
            self.want(self.authority is None, "authority in a room without", data)

    def _arrive(self, data: dict) -> None:
        self.room = data["room_id"]
        players = data["current_players"]
        self.roster = {entry["id"]: dict(entry) for entry in players}
        self.want(len(self.roster) == len(players), "player twice", data)
        names = {entry["name"].lower() for entry in players}
        self.want(len(names) == len(players), "name twice", data)
        holders = [entry["id"] for entry in players if entry["is_authority"]]
        self.want(len(holders) <= 1, "two authorities", data)
        self.authority = holders[0] if holders else None
        self.watchers = {entry["id"]: entry["name"] for entry in data["current_spectators"]}
        ready = [entry["id"] for entry in players if entry["is_ready"]]
        self.lobby = (data["lobby_state"], ready, bool(ready) and len(ready) == len(players))
        self._epochs = {}
        self._numbers = dict.fromkeys(self.roster)
        for entry in players:
            self._note_epoch(entry)
        self._fresh = True

    def _note_epoch(self, entry: dict) -> None:
        if self.form.version >= 3:
            self._epochs[entry["id"]] = entry["epoch"]
            self._numbers[entry["id"]] = entry["seq"]

    def _hear_SpectatorJoined(self, data: dict) -> None:
        self._answer("watch")
        self.want(self.place is None, "watching while in a room")
        self.place, self.me = "spectator", data["spectator_id"]
        self._arrive(data)
        self.max_players = 256
        self.want(self.me in self.watchers, "not among the spectators", data)
        self.want(self.me not in self.roster, "I am no player", data)
        hidden = all("connection_info" not in entry for entry in data["current_players"])
        self.want(hidden, "connection_info for a spectator", data)

    def _hear_RoomLeft(self, data: None) -> None:
        self._answer("leave")
        self.want(self.place == "player", "left without a seat")
        self.gone()

    def _hear_SpectatorLeft(self, data: dict) -> None:
        self.want(self.place == "spectator", "stopped to watch without watching")
        self.want(data["room_id"] == self.room, "another room", data)
        if data["reason"] == "voluntary_leave":
            self._answer("unwatch")
            others = [player for player in self.watchers if player != self.me]
            left = [entry["id"] for entry in data["current_spectators"]]
            self.want(left == others, "spectators", data)
        else:
            self.want(data["reason"] == "room_closed", "reason", data)
            self.want(not self.roster, "closed with players in it", data)
        self.gone()

    def _hear_AuthorityResponse(self, data: dict) -> None:
        self._answer("authority")
        self.want(data == {"granted": True, "reason": None}, "response", data)

    # News.

    def _hear_PlayerJoined(self, data: dict) -> None:
        entry = data["player"]
        player = entry["id"]
        self.want(player not in self.roster, "joined twice", data)
        self.want(player != self.me, "news of my own joining", data)
        self.want(len(self.roster) < self.max_players, "more than max_players", data)
        names = {other["name"].lower() for other in self.roster.values()}
        self.want(entry["name"].lower() not in names, "name twice", data)
        if entry["is_authority"]:
            self.want(self.authority is None, "second authority", data)
            self.authority = player
        if self.form.version >= 3:
            self.want(entry["epoch"] > self._epochs.get(player, 0), "old epoch", data)
            self.want(entry["seq"] == 0, "fresh player with a number", data)
        self.want("connection_info" not in entry, "connection_info", data)
        if not self.started:
            self.want(not entry["is_ready"], "joined ready", data)
        self.roster[player] = dict(entry)
        self._numbers[player] = 0
        self._note_epoch(entry)

    def _hear_PlayerReconnected(self, data: dict) -> None:
        announced = ("PlayerJoined", {"player": data["player"]})
        self.want(self._last == announced, "not right after PlayerJoined", self._last, data)
        self.want(data["player_id"] == data["player"]["id"], "two ids", data)
        if self.form.version >= 3:
            self.want(data["epoch"] == data["player"]["epoch"], "two epochs", data)

    def _hear_PlayerLeft(self, data: dict) -> None:
        player = data["player_id"]
        self.want(player in self.roster, "unknown player left", data)
        self.want(player != self.me, "news of my own leaving", data)
        if self.form.version >= 3:
            self.want(data["epoch"] == self._epochs[player], "epoch", data)
            self.want(data["final_seq"] == self._numbers[player], "final_seq", data)
        del self.roster[player]
        del self._numbers[player]

    def _hear_AuthorityChanged(self, data: dict) -> None:
        player = data["authority_player"]
        self.want(player is None or player in self.roster, "authority outside", data)
        known = self._fresh and player == self.authority == self.me
        if not known:
            self.want(player != self.authority, "authority did not change", data)
            both = player is not None and self.authority is not None
            self.want(not both, "authority passed on without vacancy", data)
        mine = self.place == "player" and player == self.me
        self.want(data["you_are_authority"] is mine, "you_are_authority", data)
        self.authority = player

    def _hear_LobbyStateChanged(self, data: dict) -> None:
        lobby = _lobby_of(data)
        if self.started:
            self.want(self._is_renewal(data), "lobby after start", data)
        state, ready, all_ready = lobby
        self.want(state in {"waiting", "lobby"}, "state", data)
        self.want(len(set(ready)) == len(ready), "ready twice", data)
        self.want(set(ready) <= set(self.roster), "ready outside", data)
        everybody = bool(ready) and len(ready) == len(self.roster)
        self.want(all_ready is everybody, "all_ready", data)
        self.want(self._fresh or lobby != self.lobby, "nothing changed", data)
        if (self.lobby[0], state) == ("lobby", "waiting"):
            self.want(not ready, "ready in a room that waits again", data)
        self.lobby = lobby
        self._renewed = self._is_renewal(data)

    def _hear_GameStarting(self, data: dict) -> None:
        self.want(not self.started, "started twice", data)
        self.want(self.lobby[2], "started before everybody was ready", self.lobby)
        peers = data["peer_connections"]
        self.want({peer["player_id"] for peer in peers} == set(self.roster), "peers", data)
        self.want(len(peers) == len(self.roster), "peer twice", data)
        for peer in peers:
            holder = peer["player_id"] == self.authority
            self.want(peer["is_authority"] is holder, "authority of a peer", data)
            if self.place == "spectator":
                self.want("connection_info" not in peer, "connection_info for a spectator", data)
        self.lobby = ("finalized", *self.lobby[1:])

    def _check_early_ice_servers(self, data: dict) -> None:
        useful = (
            self.form.version >= 3
            and data["lobby_state"] != "finalized"
            and self.covers("mesh", "webrtc")
        )
        self.want(("ice_servers" in data) is useful, "early ICE servers", data, self.able)

    def covers(self, topology: str, transport: str) -> bool:
        """
        Whether the client can take part in such a session.
        """
        return topology in self.able.topologies and transport in self.able.transports

    def _hear_SessionPlan(self, data: dict) -> None:
        self.want(self.form.version >= 3, "plan in version 2", data)
        self.want(self.place == "player", "plan for a spectator", data)
        self.want(self.started, "plan before the start", data)
        self.want("SessionPlan" not in self.turn[:-1], "two plans at once", self.turn)
        pair = (data["topology"], data["transport"])
        self.want(pair in _PAIRS, "shape", data)
        has = tuple(field for field in ("host", "direct_endpoint") if field in data)
        self.want(has == _PAIRS[pair], "shape", data)
        self.want(data["fallback"] == "relay", "fallback", data)
        self.want(data["generation"] not in self._generations, "generation again", data)
        self._generations.add(data["generation"])
        self._check_peers(data, pair)
        if self.plan is not None:
            before = _RICHNESS[self.plan["topology"]]
            self.want(_RICHNESS[data["topology"]] <= before, "richer than before", self.plan, data)
            same = (self.plan["topology"], self.plan["transport"])
            self.want(pair in (same, ("relay", "relay")), "another session", self.plan, data)
        self.plan = data

    def _check_peers(self, data: dict, pair: tuple[str, str]) -> None:
        peers = {peer["player_id"]: peer for peer in data["peers"]}
        self.want(len(peers) == len(data["peers"]), "peer twice", data)
        self.want(self.me not in peers, "I am my peer", data)
        self.want(set(peers) <= set(self.roster), "unknown peer", data)
        for player, peer in peers.items():
            self.want(peer["player_name"] == self.roster[player]["name"], "name", data)
        # Everybody can run every plan, as those who cannot make it the relay.
        self.want(pair == ("relay", "relay") or self.covers(*pair), "cannot run it", data)
        others = set(self.roster) - {self.me}
        host = data.get("host")
        if pair[0] == "relay":
            self.want(not peers, "peers of the relay", data)
        elif pair[0] == "mesh":
            self.want(set(peers) == others, "peers of a mesh", data)
            for player, peer in peers.items():
                self.want(peer["initiate"] is (self.me < player), "who begins", data)
                self.want(peer["is_authority"] is (player == self.authority), "authority", data)
        elif host == self.me:
            self.want(set(peers) == others, "peers of the host", data)
            for peer in peers.values():
                self.want(not peer["initiate"] and not peer["is_authority"], "flags", data)
        else:
            self.want(host in self.roster, "unknown host", data)
            self.want(set(peers) == {host}, "peers of a client", data)
            peer = peers[host]
            self.want(peer["initiate"] and peer["is_authority"], "flags", data)
        self.want(("ice_servers" in data) is (pair[1] == "webrtc"), "ICE servers", data)

    def _hear_PeerTransportStatus(self, data: dict) -> None:
        self.want(self.place == "player", "status for a spectator", data)
        self.want(data["peer_id"] != self.me, "status of my own", data)
        self.want(data["peer_id"] in self.roster, "status of a stranger", data)

    def _hear_Signal(self, data: dict) -> None:
        self.want(self.place == "player", "signal for a spectator", data)
        self.want("webrtc" in self.able.transports, "signal in spite of", data)
        self.want(data["from"] in self.roster and data["from"] != self.me, "sender", data)
        self.values.append((data["from"], data["signal"]))

    def _hear_NewSpectatorJoined(self, data: dict) -> None:
        entry = data["spectator"]
        self.want(entry["id"] not in self.watchers, "spectator twice", data)
        self.want(entry["id"] not in self.roster, "spectator with a seat", data)
        self.watchers[entry["id"]] = entry["name"]
        self._check_watchers(data)

    def _hear_SpectatorDisconnected(self, data: dict) -> None:
        self.want(data["spectator_id"] in self.watchers, "unknown spectator", data)
        self.want(data["spectator_id"] != self.me, "news of my own leaving", data)
        del self.watchers[data["spectator_id"]]
        self._check_watchers(data)

    def _check_watchers(self, data: dict) -> None:
        if self.form.version >= 3:
            self.want(data["current_spectators"] == [], "list in version 3", data)
            self.want(data["spectator_count"] == len(self.watchers), "count", data)
        else:
            known = [entry["id"] for entry in data["current_spectators"]]
            self.want(known == list(self.watchers), "spectators", data)

    def _hear_GameData(self, data: dict) -> None:
        sender, value = data["from_player"], data["data"]
        epoch, number = value
        self.want(sender != self.me, "own game data", data)
        self.values.append((sender, epoch, number))
        if self._replaying:
            return
        self.want(sender in self.roster, "game data from outside", data)
        before = self._numbers[sender]
        self.want(before is None or number == before + 1, "gap", before, data)
        self._numbers[sender] = number
        if self.form.version >= 3:
            self.want((data["epoch"], data["seq"]) == (epoch, number), "stamp", data)
            self.want(epoch == self._epochs[sender], "epoch", data)


def _lobby_of(data: dict) -> tuple[str, list[str], bool]:
    return data["lobby_state"], data["ready_players"], data["all_ready"]


def _version_fields(kind: str, data: dict) -> list[tuple[dict, tuple[str, ...]]]:
    """
    Which parts of a message must have which fields in version 3, and must not have them before.
    """
    entries = [*data.get("current_players", ())]
    entries += [data["player"]] if "player" in data else []
    own = {
        "PlayerLeft": ("epoch", "final_seq"),
        "PlayerReconnected": ("epoch",),
        "GameData": ("epoch", "seq"),
        "NewSpectatorJoined": ("spectator_count",),
        "SpectatorDisconnected": ("spectator_count",),
        "Reconnected": ("sender_watermarks", "reconnection_token", "replay"),
    }
    return [(entry, ("epoch", "seq")) for entry in entries] + [(data, own.get(kind, ()))]
