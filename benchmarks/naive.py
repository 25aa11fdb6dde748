"""
The server one would write first, as a yardstick: ``python -m benchmarks.naive --port 4000``.

Autobahn and Twisted as they are; each message is decoded with :mod:`json`, and encoded anew for
each recipient. It knows enough of protocol version 2 to meet in rooms, get ready and relay, and
has no limits.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from typing import Any
from uuid import uuid4

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet import reactor

_BACKLOG = 1024


class Player(WebSocketServerProtocol):
    """
    A client.
    """

    tcpNoDelay = True  # without it, each message waits for 16 ms

    def onOpen(self) -> None:
        """
        Give the client an id.
        """
        self.id = str(uuid4())
        self.name = ""
        self.is_ready = False
        self.room: list[Player] = []
        self.room_id = ""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """
        Do what the client asks for.
        """
        message = json.loads(payload)
        act = getattr(self, "on_" + message["type"], None)
        if act is not None:
            act(message.get("data") or {})

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """
        The client is gone.
        """
        if hasattr(self, "room"):
            self._leave()

    def on_JoinRoom(self, data: dict[str, Any]) -> None:
        """
        Take a seat, in a new room unless there is one with this code.
        """
        code = data["room_code"]
        self.name = data["player_name"]
        self.is_ready = False
        self.room = self.factory.rooms[code]
        self.room_id = code
        self.room.append(self)
        self.tell(
            "RoomJoined",
            room_id=self.room_id,
            room_code=code,
            player_id=self.id,
            game_name=data["game_name"],
            max_players=data.get("max_players", 8),
            current_players=[player.entry() for player in self.room],
            is_authority=self.room[0] is self,
            lobby_state="waiting",
            ready_players=[],
        )
        self._tell_others("PlayerJoined", player=self.entry())

    def on_PlayerReady(self, data: dict[str, Any]) -> None:
        """
        Become ready, or not ready any more.
        """
        self.is_ready = not self.is_ready
        ready = [player.id for player in self.room if player.is_ready]
        for player in self.room:
            player.tell(
                "LobbyStateChanged",
                lobby_state="lobby",
                ready_players=ready,
                all_ready=len(ready) == len(self.room),
            )

    def on_StartGame(self, data: dict[str, Any]) -> None:
        """
        Start the game.
        """
        for player in self.room:
            player.tell("GameStarting", peer_connections=[each.entry() for each in self.room])

    def on_GameData(self, data: dict[str, Any]) -> None:
        """
        Relay.
        """
        self._tell_others("GameData", from_player=self.id, data=data["data"])

    def on_LeaveRoom(self, data: dict[str, Any]) -> None:
        """
        Give the seat back.
        """
        self.tell("RoomLeft")
        self._leave()

    def entry(self) -> dict[str, Any]:
        """
        What others see of the player.
        """
        return {"id": self.id, "name": self.name, "is_ready": self.is_ready}

    def tell(self, kind: str, **data: object) -> None:
        """
        Send one message.
        """
        message = {"type": kind, "data": data} if data else {"type": kind}
        self.sendMessage(json.dumps(message, separators=(",", ":")).encode())

    def _tell_others(self, kind: str, **data: object) -> None:
        for player in self.room:
            if player is not self:
                player.tell(kind, **data)

    def _leave(self) -> None:
        if self not in self.room:
            return
        self.room.remove(self)
        for player in self.room:
            player.tell("PlayerLeft", player_id=self.id)
        if not self.room:
            del self.factory.rooms[self.room_id]
        self.room = []


class Game(WebSocketServerFactory):
    """
    All rooms.
    """

    protocol = Player

    def __init__(self) -> None:
        super().__init__()
        self.rooms: defaultdict[str, list[Player]] = defaultdict(list)


def main() -> None:
    """
    Serve until the process is ended.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    reactor.listenTCP(port, Game(), backlog=_BACKLOG, interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main()
