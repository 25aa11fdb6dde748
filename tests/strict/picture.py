"""
What a client knows of the room that it is in.
"""

from tests.strict.lie import want

NEW = ("waiting", [], False)


class Picture:
    """
    Players, spectators, the authority and the lobby, as far as the client was told.

    :ivar place: None, "player" or "spectator".
    :ivar me: its own id.
    :ivar roster: the entries of the players it knows, by id.
    :ivar authority: who it believes has the authority; one who has left until it is told.
    :ivar watchers: the names of the spectators it knows, by id.
    :ivar lobby: state, who is ready, whether all are.
    """

    def __init__(self, version: int) -> None:
        self.version = version
        self.place: str | None = None
        self.me: str | None = None
        self.room: str | None = None
        self.max_players = 0
        self.supports_authority = False
        self.lobby: tuple[str, list[str], bool] = NEW
        self.roster: dict[str, dict] = {}
        self.authority: str | None = None
        self.watchers: dict[str, str] = {}
        self._epochs: dict[str, int] = {}
        self._unconfirmed: set[str] = set()

    @property
    def started(self) -> bool:
        """
        Whether the client believes that the game has started.
        """
        return self.lobby[0] == "finalized"

    def end_event(self) -> None:
        """
        The event that began with a snapshot is over: nothing in it is to be repeated.
        """
        self._unconfirmed = set()

    # Snapshots.

    def sit(self, data: dict) -> None:
        """
        The client has a seat.
        """
        self.place, self.me = "player", data["player_id"]
        self._arrive(data)
        self.max_players = data["max_players"]
        self.supports_authority = data["supports_authority"]
        own = self.entry(data)
        want(own["is_authority"] is data["is_authority"], "two truths about me", data)
        want(data["ready_players"] == self.lobby[1], "ready_players", data)
        want(len(self.roster) <= self.max_players, "more than max_players", data)
        want(self.me not in self.watchers, "I am no spectator", data)
        if not self.supports_authority:
            want(self.authority is None, "authority in a room without", data)

    def watch(self, data: dict) -> None:
        """
        The client watches.
        """
        self.place, self.me = "spectator", data["spectator_id"]
        self._arrive(data)
        self.max_players = 256
        want(self.me in self.watchers, "not among the spectators", data)
        want(self.me not in self.roster, "I am no player", data)
        hidden = all("connection_info" not in entry for entry in data["current_players"])
        want(hidden, "connection_info for a spectator", data)

    def entry(self, data: dict) -> dict:
        """
        The client's own entry in a snapshot.
        """
        mine = [entry for entry in data["current_players"] if entry["id"] == data["player_id"]]
        want(len(mine) == 1, "exactly one own entry", data)
        return mine[0]

    def _arrive(self, data: dict) -> None:
        self.room = data["room_id"]
        players = data["current_players"]
        self.roster = {entry["id"]: dict(entry) for entry in players}
        want(len(self.roster) == len(players), "player twice", data)
        names = {entry["name"].lower() for entry in players}
        want(len(names) == len(players), "name twice", data)
        holders = [entry["id"] for entry in players if entry["is_authority"]]
        want(len(holders) <= 1, "two authorities", data)
        self.authority = holders[0] if holders else None
        self.watchers = {entry["id"]: entry["name"] for entry in data["current_spectators"]}
        ready = [entry["id"] for entry in players if entry["is_ready"]]
        self.lobby = (data["lobby_state"], ready, bool(ready) and len(ready) == len(players))
        self._epochs = {entry["id"]: entry.get("epoch", 0) for entry in players}
        self._unconfirmed = {"lobby", "authority"}

    # News of players.

    def joined(self, data: dict) -> None:
        """
        Somebody else has a seat.
        """
        entry = data["player"]
        player = entry["id"]
        want(player not in self.roster, "joined twice", data)
        want(player != self.me, "news of my own joining", data)
        want(len(self.roster) < self.max_players, "more than max_players", data)
        names = {other["name"].lower() for other in self.roster.values()}
        want(entry["name"].lower() not in names, "name twice", data)
        if entry["is_authority"]:
            want(self.authority is None, "second authority", data)
            self.authority = player
        if self.version >= 3:
            want(entry["epoch"] > self._epochs.get(player, 0), "old epoch", data)
            want(entry["seq"] == 0, "fresh player with a number", data)
            self._epochs[player] = entry["epoch"]
        want("connection_info" not in entry, "connection_info", data)
        if not self.started:
            want(not entry["is_ready"], "joined ready", data)
        self.roster[player] = dict(entry)

    def left(self, data: dict) -> None:
        """
        Somebody else has given up its seat.
        """
        player = data["player_id"]
        want(player in self.roster, "unknown player left", data)
        want(player != self.me, "news of my own leaving", data)
        del self.roster[player]

    def authority_changed(self, data: dict) -> None:
        """
        Somebody else has the authority, or nobody.
        """
        player = data["authority_player"]
        want(player is None or player in self.roster, "authority outside", data)
        confirmed = "authority" in self._unconfirmed and player == self.authority == self.me
        want(confirmed or player != self.authority, "authority did not change", data)
        self._unconfirmed.discard("authority")
        mine = self.place == "player" and player == self.me
        want(data["you_are_authority"] is mine, "you_are_authority", data)
        self.authority = player

    # News of the lobby.

    def is_renewal(self, data: dict) -> bool:
        """
        Whether the room is as new, because its last player has left for good.
        """
        return self.place == "spectator" and not self.roster and _lobby_of(data) == NEW

    def lobby_changed(self, data: dict) -> None:
        """
        Somebody is ready or not, or the lobby opened or closed.
        """
        lobby = _lobby_of(data)
        if self.started:
            want(self.is_renewal(data), "lobby after start", data)
        state, ready, all_ready = lobby
        want(state in {"waiting", "lobby"}, "state", data)
        want(len(set(ready)) == len(ready), "ready twice", data)
        want(set(ready) <= set(self.roster), "ready outside", data)
        everybody = bool(ready) and len(ready) == len(self.roster)
        want(all_ready is everybody, "all_ready", data)
        want("lobby" in self._unconfirmed or lobby != self.lobby, "nothing changed", data)
        self._unconfirmed.discard("lobby")
        if (self.lobby[0], state) == ("lobby", "waiting"):
            want(not ready, "ready in a room that waits again", data)
        self.lobby = lobby

    def starting(self, data: dict) -> None:
        """
        The game starts.
        """
        want(not self.started, "started twice", data)
        want(self.lobby[2], "started before everybody was ready", self.lobby)
        peers = data["peer_connections"]
        want({peer["player_id"] for peer in peers} == set(self.roster), "peers", data)
        want(len(peers) == len(self.roster), "peer twice", data)
        for peer in peers:
            holder = peer["player_id"] == self.authority
            want(peer["is_authority"] is holder, "authority of a peer", data)
            if self.place == "spectator":
                want("connection_info" not in peer, "connection_info for a spectator", data)
        self.lobby = ("finalized", *self.lobby[1:])

    # News of spectators.

    def watcher_joined(self, data: dict) -> None:
        """
        Somebody else watches.
        """
        entry = data["spectator"]
        want(entry["id"] not in self.watchers, "spectator twice", data)
        want(entry["id"] not in self.roster, "spectator with a seat", data)
        self.watchers[entry["id"]] = entry["name"]
        self._check_watchers(data)

    def watcher_left(self, data: dict) -> None:
        """
        Somebody else watches no longer.
        """
        want(data["spectator_id"] in self.watchers, "unknown spectator", data)
        want(data["spectator_id"] != self.me, "news of my own leaving", data)
        del self.watchers[data["spectator_id"]]
        self._check_watchers(data)

    def _check_watchers(self, data: dict) -> None:
        if self.version >= 3:
            want(data["current_spectators"] == [], "list in version 3", data)
            want(data["spectator_count"] == len(self.watchers), "count", data)
        else:
            known = [entry["id"] for entry in data["current_spectators"]]
            want(known == list(self.watchers), "spectators", data)


def _lobby_of(data: dict) -> tuple[str, list[str], bool]:
    return data["lobby_state"], data["ready_players"], data["all_ready"]
