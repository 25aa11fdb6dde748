"""
A client that checks every message it gets.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from tests.strict.accounts import Accounts
from tests.strict.codes import ERROR_CODES, NEWER_CODES
from tests.strict.lie import Lie, want
from tests.strict.picture import Picture
from tests.strict.plans import Plans
from tests.strict.requests import Requests
from tests.strict.versions import check_version

_ANYWHERE = {
    "Pong",
    "Error",
    "Authenticated",
    "ProtocolInfo",
    "AuthorityResponse",
    "RoomJoined",
    "RoomJoinFailed",
    "Reconnected",
    "ReconnectionFailed",
    "SpectatorJoined",
    "SpectatorJoinFailed",
    "RoomOperationResult",
    "GoingAway",
    "RelayStats",
}
_DIRECTED = {
    "RoomJoined",
    "RoomJoinFailed",
    "RoomLeft",
    "Reconnected",
    "ReconnectionFailed",
    "SpectatorJoined",
    "SpectatorJoinFailed",
    "AuthorityResponse",
    "ProtocolInfo",
}
_EARLY = {"Pong", "Error", "Authenticated", "ProtocolInfo"}
_MISSED = {
    "PlayerJoined",
    "PlayerLeft",
    "PlayerReconnected",
    "NewSpectatorJoined",
    "SpectatorDisconnected",
    "LobbyStateChanged",
    "AuthorityChanged",
}


class Received(NamedTuple):
    """
    One piece of game data, as it came.

    :ivar payload: of a binary frame; None for text.
    """

    player: str
    epoch: int | None
    seq: int | None
    value: Any = None
    payload: bytes | None = None
    kind: str | None = None
    key: int | None = None


class Negotiated(NamedTuple):
    """
    What a client and its server have agreed on.

    :ivar binary: whether game data may be MessagePack.
    :ivar gets_token: whether the client must be told a token; None if either is right.
    :ivar correlates: whether its operations may have ids.
    """

    transports: Iterable[str] = ("relay",)
    topologies: Iterable[str] = ("relay",)
    binary: bool = False
    gets_token: bool | None = None
    correlates: bool = False


RELAY_ONLY = Negotiated()


class StrictClient(Picture):
    """
    A client, its picture of the room, and its books.

    :param greeted: whether it does not authenticate.
    :ivar newer_codes: whether it used a feature that came with newer error codes.
    :ivar presented: the token with which it comes back.
    :ivar received: the game data of the whole connection.
    :ivar heard: the types of the messages since the turn began.
    """

    def __init__(
        self, version: int, negotiated: Negotiated = RELAY_ONLY, *, greeted: bool = True
    ) -> None:
        super().__init__(version)
        self.binary = negotiated.binary
        self.gets_token = negotiated.gets_token
        self.correlates = negotiated.correlates
        self.newer_codes = negotiated.correlates
        self.requests = Requests()
        self.accounts = Accounts()
        self.plans = Plans(self, set(negotiated.transports), set(negotiated.topologies))
        self.token: str | None = None
        self.presented: str | None = None
        self.received: list[Received] = []
        self.turn: list[str] = []
        self._authenticated = greeted
        self._greeted = greeted
        self._replaying = False
        self._warned = False
        self._last: tuple[str, Any] = ("", None)

    def begin_turn(self) -> None:
        """
        Something is about to happen; for whoever hears all of it at once.
        """
        self.turn = []
        self._replaying = False
        self._last = ("", None)
        self.end_event()

    def hear(self, kind: str, data: Any) -> None:
        """
        Check a message against the picture, then change the picture.

        :raises Lie: if it cannot be.
        """
        self.turn.append(kind)
        if kind not in {"RelayStats", "DeliveryReport"}:
            self.accounts.messages += 1
        try:
            self._check_phase(kind)
            check_version(self.version, kind, data)
            if kind in _DIRECTED or (kind == "SpectatorLeft" and _was_asked(data)):
                self.requests.answer(kind)
            self._hear(kind, data)
        except Lie as lie:
            context = f"turn: {self.turn}\nroster: {self.roster}\nstreams: {self.accounts.streams}"
            raise Lie(f"{self!r}: {lie} in {kind} {data}\n{context}") from None

    def hear_binary(self, envelope: dict) -> None:
        """
        Check binary game data.
        """
        want(self.binary, "binary frame for a client that takes JSON", envelope)
        stamp = ["seq", "epoch"] if self.version >= 3 else []
        want([*envelope] == ["from_player", "encoding", "payload", *stamp], "members", envelope)
        want(envelope["encoding"] == "message_pack", "encoding", envelope)
        self.turn.append("GameData")
        self.accounts.messages += 1
        epoch, seq = envelope.get("epoch"), envelope.get("seq")
        received = Received(envelope["from_player"], epoch, seq, payload=envelope["payload"])
        self._take(received)

    def _check_phase(self, kind: str) -> None:
        want(self._greeted or kind in _EARLY, "too early")
        want(self.place or kind in _ANYWHERE, "message outside a room")
        want(kind == "ProtocolInfo" or self._greeted or not self._authenticated, "between", kind)

    def _hear(self, kind: str, data: Any) -> None:
        hear = getattr(self, f"_hear_{kind}", None)
        want(hear, "unknown message")
        hear(data)
        if kind not in {"GameData", "Reconnected", "Error", "Pong"}:
            self._replaying = False
        if kind != "Pong":
            self._last = (kind, data)

    # Who the client is.

    def _hear_Authenticated(self, data: dict) -> None:
        want(not self._authenticated, "authenticated twice")
        self._authenticated = True

    def _hear_ProtocolInfo(self, data: dict) -> None:
        want(self._authenticated, "ProtocolInfo before Authenticated")
        want(not self._greeted, "ProtocolInfo twice")
        self._greeted = True
        formats = data["game_data_formats"]
        want(formats in (["json"], ["json", "message_pack"]), "formats", data)
        want(("room_operation_ids" in data["capabilities"]) is self.correlates, "ids", data)
        if self.version >= 3:
            want(1 <= data["max_outbound_message_size"] <= 64 << 20, "size", data)
            want(data["protocol_version"] == self.version, "version", data)

    # Answers.

    def _hear_RoomJoined(self, data: dict) -> None:
        want(self.place is None, "joined twice")
        self._sit(data)
        if self.gets_token is not None:
            want(("reconnection_token" in data) is self.gets_token, "token", data)
        self.token = data.get("reconnection_token")
        want(not self.entry(data)["is_ready"], "joined ready")

    def _hear_Reconnected(self, data: dict) -> None:
        want(self.place is None, "reconnected while in a room")
        self._sit(data)
        if self.version >= 3:
            want(data["reconnection_token"] != self.presented, "token stays", data)
            self.token = data["reconnection_token"]
            marks = [
                {"player_id": entry["id"], "epoch": entry["epoch"], "seq": entry["seq"]}
                for entry in data["current_players"]
            ]
            want(data["sender_watermarks"] == marks, "watermarks", data)
        else:
            self.token = self.presented
            self._replaying = True
        if data["lobby_state"] != "finalized":
            want(not self.entry(data)["is_ready"], "returned ready")
        for event in data["missed_events"]:
            self._check_missed(event["type"], event["data"])

    def _sit(self, data: dict) -> None:
        self.sit(data)
        self._start_books(data)
        useful = (
            self.version >= 3
            and data["lobby_state"] != "finalized"
            and self.plans.covers("mesh", "webrtc")
        )
        want(("ice_servers" in data) is useful, "early ICE servers", data)

    def _start_books(self, data: dict) -> None:
        self.plans.enter()
        if self.version >= 3:
            self.accounts.enter(data["current_players"])

    def _check_missed(self, kind: str, data: dict) -> None:
        want(kind in _MISSED, "missed event of another kind", kind)
        about = data.get("player_id") or data.get("player", {}).get("id")
        want(about != self.me, "own event as missed", kind, data)
        if kind == "AuthorityChanged":
            want(data["authority_player"] == self.authority, "past authority", data)
            mine = data["authority_player"] == self.me
            want(data["you_are_authority"] is mine, "you_are_authority", data)

    def _hear_SpectatorJoined(self, data: dict) -> None:
        want(self.place is None, "watching while in a room")
        self.watch(data)
        self._start_books(data)

    def _hear_RoomLeft(self, data: None) -> None:
        want(self.place == "player", "left without a seat")
        self._leave()

    def _hear_SpectatorLeft(self, data: dict) -> None:
        want(self.place == "spectator", "stopped to watch without watching")
        want(data["room_id"] == self.room, "another room", data)
        if _was_asked(data):
            others = [player for player in self.watchers if player != self.me]
            left = [entry["id"] for entry in data["current_spectators"]]
            want(left == others, "spectators", data)
        else:
            want(data["reason"] == "room_closed", "reason", data)
            want(not self.roster, "closed with players in it", data)
        self._leave()

    def _leave(self) -> None:
        self.place = None
        self.accounts.enter([])

    def _hear_RoomJoinFailed(self, data: dict) -> None:
        self._check_code(data)

    _hear_ReconnectionFailed = _hear_SpectatorJoinFailed = _hear_RoomJoinFailed

    def _hear_OperationFailed(self, data: dict) -> None:
        want(set(data) <= {"reason", "error_code"}, "members", data)
        self._check_code(data)

    def _hear_AuthorityResponse(self, data: dict) -> None:
        want(data["granted"] is (data["reason"] is None), "reason", data)
        want(data["granted"] is ("error_code" not in data), "code", data)
        self._check_code(data)

    def _hear_Error(self, data: dict) -> None:
        self._check_code(data)
        code = data["error_code"]
        if code == "UNSUPPORTED_GAME_DATA_FORMAT" and self.version >= 3 and self._greeted:
            self.accounts.advise()
        self.requests.refuse(code)

    def _check_code(self, data: dict) -> None:
        code = data.get("error_code")
        known = ERROR_CODES | NEWER_CODES if self.newer_codes else ERROR_CODES
        want(code is None or code in known, "code", data)

    def _hear_Pong(self, data: None) -> None:
        want(data is None, "Pong with data", data)
        self.requests.pong()

    def _hear_GoingAway(self, data: dict) -> None:
        want(data["deadline_ms"] > 0, "deadline", data)
        want(not self._warned, "warned twice", data)
        self._warned = True

    # Operations.

    def _hear_RoomOperationResult(self, data: dict) -> None:
        want(self.correlates, "result of an operation, which were not negotiated", data)
        result = data["result"]
        kind, about = result["type"], result.get("data")
        request = self.requests.conclude(data["operation_id"], kind)
        if request.target is not None and kind != "OperationFailed":
            want(about == {"player_id": request.target}, "another target", request, data)
        self._hear(kind, about)

    def _hear_PlayerKicked(self, data: dict) -> None:
        want(data["player_id"] not in self.roster, "kicked and still here", data)

    _hear_PlayerBanned = _hear_PlayerKicked

    def _hear_PlayerUnbanned(self, data: dict) -> None:
        want(set(data) == {"player_id"}, "members", data)

    def _hear_RoomCodeRegenerated(self, data: dict) -> None:
        want(set(data) == {"room_code"}, "members", data)

    def _hear_RoomAccessUpdated(self, data: dict) -> None:
        want(set(data) == {"requires_password"}, "members", data)

    def _hear_AuthorityTransferred(self, data: dict) -> None:
        want(self.authority == data["player_id"], "transferred and not told before", data)

    # News.

    def _hear_PlayerJoined(self, data: dict) -> None:
        self.joined(data)
        if self.version >= 3:
            self.accounts.join(data["player"])

    def _hear_PlayerReconnected(self, data: dict) -> None:
        announced = ("PlayerJoined", {"player": data["player"]})
        want(self._last == announced, "not right after PlayerJoined", self._last, data)
        want(data["player_id"] == data["player"]["id"], "two ids", data)
        if self.version >= 3:
            want(data["epoch"] == data["player"]["epoch"], "two epochs", data)

    def _hear_PlayerLeft(self, data: dict) -> None:
        self.left(data)
        if self.version >= 3:
            self.accounts.depart(data["player_id"], data["epoch"], data["final_seq"])

    def _hear_AuthorityChanged(self, data: dict) -> None:
        self.authority_changed(data)

    def _hear_LobbyStateChanged(self, data: dict) -> None:
        self.lobby_changed(data)

    def _hear_GameStarting(self, data: dict) -> None:
        self.starting(data)

    def _hear_NewSpectatorJoined(self, data: dict) -> None:
        self.watcher_joined(data)

    def _hear_SpectatorDisconnected(self, data: dict) -> None:
        self.watcher_left(data)

    def _hear_SessionPlan(self, data: dict) -> None:
        want(self.place == "player", "plan for a spectator", data)
        want(self.started, "plan before the start", data)
        self.plans.follow(data)

    def _hear_Signal(self, data: dict) -> None:
        want(self.place == "player", "signal for a spectator", data)
        want(data["from"] in self.roster and data["from"] != self.me, "sender", data)
        self.plans.check_signal(data)

    def _hear_PeerTransportStatus(self, data: dict) -> None:
        want(self.place == "player", "status for a spectator", data)
        want(data["peer_id"] != self.me, "status of my own", data)
        want(data["peer_id"] in self.roster, "status of a stranger", data)

    # Game data.

    def _hear_GameData(self, data: dict) -> None:
        kind, key = data.get("class"), data.get("key")
        want((kind == "latest") is (key is not None), "class and key", data)
        received = Received(
            data["from_player"], data.get("epoch"), data.get("seq"), data["data"], None, kind, key
        )
        self._take(received)

    def _take(self, received: Received) -> None:
        want(self.place, "game data outside a room", received)
        want(received.player != self.me, "own game data", received)
        want(self._replaying or received.player in self.roster, "data from outside", received)
        if self.version >= 3:
            self.accounts.receive(received.player, received.epoch, received.seq, received.kind)
        self.received.append(received)

    def _hear_DeliveryReport(self, data: dict) -> None:
        self.accounts.report(data)

    def _hear_RelayStats(self, data: dict) -> None:
        self.accounts.check_statistics(data)


def _was_asked(data: dict) -> bool:
    return data["reason"] == "voluntary_leave"
