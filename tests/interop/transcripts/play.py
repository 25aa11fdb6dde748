"""
A script in progress: who is on stage, and what each of them has been told in each step.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import msgpack
from websockets.exceptions import ConnectionClosed

from tests.integration.harness import Client

GAME = "reef-racers"
OPERATION = "00000000-0000-4000-8000-00000000000%d"

_ROUNDS = 2  # a Pong may overtake game data, but not twice
_SOON, _LONG = 0.5, 3.0  # seconds
_PONG = {"type": "Pong"}

Cell = list[Any]
Transcript = dict[tuple[str, str], Cell]

_MESH = {
    "protocol_version": 3,
    "supported_transports": ["relay", "direct", "webrtc"],
    "supported_topologies": ["relay", "host", "mesh"],
}
KINDS: dict[str, tuple[str, dict[str, Any] | None]] = {
    "plain": ("/v2/ws", None),
    "plain 3": ("/v3/ws", None),
    "v2": ("/v2/ws", {}),
    "v3": ("/v3/ws", {}),
    "mesh": ("/v3/ws", _MESH),
    "operator": ("/v3/ws", {**_MESH, "requested_capabilities": ["room_operation_ids"]}),
}
"""
The kinds of clients: the endpoint, and what they authenticate with, if they do.
"""


class Actor(Client):
    """
    One client on stage.

    :ivar told: what it has been told and nobody has written down yet.
    """

    def __init__(self, name: str, url: str) -> None:
        super().__init__(url)
        self.name = name
        self.told: Cell = []
        self.open = True

    def send_raw(self, data: str | bytes) -> None:
        """
        Send anything, unless the server has closed the connection.
        """
        with suppress(ConnectionClosed):
            super().send_raw(data)

    def enter(self, code: object = None, **fields: object) -> None:
        """
        Ask for a seat, in a new room unless there is a code.
        """
        given = {} if code is None else {"room_code": code}
        wish = {"game_name": GAME, "player_name": self.name, **given, **fields}
        self.send("JoinRoom", **wish)

    def watch(self, code: str, **fields: object) -> None:
        """
        Ask to be a spectator.
        """
        wish = {"game_name": GAME, "room_code": code, "spectator_name": self.name, **fields}
        self.send("JoinAsSpectator", **wish)

    def come_back(self, room: dict, **fields: object) -> None:
        """
        Ask for a seat that was lost.
        """
        wish = {
            "player_id": room["player_id"],
            "room_id": room["room_id"],
            "auth_token": room.get("reconnection_token", "none"),
        }
        self.send("Reconnect", **{**wish, **fields})

    def operate(self, kind: str, number: int = 1, **fields: object) -> None:
        """
        Ask for something with an id.
        """
        operation = {"type": kind, "data": fields} if fields else {"type": kind}
        self.send("RoomOperation", operation_id=OPERATION % number, operation=operation)

    def hear(self, timeout: float = _LONG) -> Any:
        """
        The next message, which is noted; None if there is none in time.
        """
        try:
            got = _decoded(self._socket.recv(timeout))
        except TimeoutError:
            return None
        except ConnectionClosed as closed:
            self.open = False
            frame = closed.rcvd
            got = {"type": "closed", "data": {"how": frame and [frame.code, frame.reason]}}
        self._remember(got)
        self.told.append(got)
        return got

    def wait_for(self, kind: str) -> dict:
        """
        The fields of the next message of this kind; it is noted if there is none.
        """
        while self.open:
            got = self.hear(_LONG)
            if got is None:
                break
            if got["type"] == kind:
                return got.get("data", {})
        self.told.append({"type": "nothing", "data": {"instead of": kind}})
        return {}

    def settle(self, *, pinged: bool = False) -> None:
        """
        Note everything that was sent until now.

        :param pinged: whether a Pong may be on its way that is not an answer to us.
        """
        if not self.open:
            return
        self.send("Ping")
        while self.open and self.hear() not in (None, _PONG):
            pass
        while self.open and pinged and self.hear(_SOON) not in (None, _PONG):
            pass
        if self.told[-1:] == [_PONG]:
            self.told.pop()

    def _remember(self, message: dict) -> None:
        kind, fields = message["type"], message.get("data", {})
        if kind == "RoomOperationResult":
            kind, fields = fields["result"]["type"], fields["result"].get("data", {})
        if kind in ("RoomJoined", "Reconnected", "SpectatorJoined"):
            self.room = fields
        if kind == "SessionPlan":
            self.plan = fields


def _decoded(data: str | bytes) -> dict:
    if isinstance(data, str):
        return json.loads(data)
    fields = msgpack.unpackb(data, raw=False)
    fields["from_player"] = str(uuid.UUID(bytes=fields["from_player"]))
    fields["payload"] = fields["payload"].hex()
    return {"type": "binary", "data": fields}


class Play:
    """
    One performance of a script.

    :param url: where a path of the server is.
    :ivar transcript: what everybody was told, by step and actor.
    """

    def __init__(self, url: Any) -> None:
        self._url = url
        self.cast: list[Actor] = []
        self.transcript: Transcript = {}

    def actor(self, name: str, kind: str, **fields: object) -> Actor:
        """
        A client that has connected, and authenticated if its kind does.

        What it is told then belongs to the step that comes next.
        """
        path, credentials = KINDS[kind]
        actor = Actor(name, self._url(path))
        self.cast.append(actor)
        if credentials is not None:
            actor.send("Authenticate", **{"app_id": "interop", **credentials, **fields})
            actor.wait_for("ProtocolInfo")
        return actor

    @contextmanager
    def step(self, name: str, *, pinging: Actor | None = None) -> Iterator[None]:
        """
        Something happens; whatever comes of it is written down.

        :param pinging: who asks for a Pong, and may get it.
        """
        if any(step == name for step, _ in self.transcript):
            raise AssertionError(f"there are two steps {name!r}")
        yield
        for round_ in range(_ROUNDS):
            for actor in self.cast:
                actor.settle(pinged=actor is pinging and round_ == 0)
        for actor in self.cast:
            if actor.told:
                self.transcript[name, actor.name] = actor.told
                actor.told = []

    def end(self) -> None:
        """
        Everybody goes.
        """
        for actor in self.cast:
            actor.close()
