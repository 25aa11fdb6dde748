"""
Two players meet in a room, play, and get over a broken connection.

While a server runs, this plays one short game on it and prints what is said:

    .venv/bin/python examples/two_players.py [ws://127.0.0.1:3536/v2/ws]
"""

import json
import re
import sys
from typing import Any

from autobahn.twisted.websocket import create_client_agent
from twisted.internet import defer
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.task import react

DEFAULT_URL = "ws://127.0.0.1:3536/v2/ws"
GAME = "reef-racers"
PATIENCE = 5  # seconds, for each step
UUID = re.compile(r"([0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class UnexpectedError(Exception):
    """
    The conversation took a turn that it should not take.
    """


class Player:
    """
    One player, who says aloud what it sends and receives.
    """

    def __init__(self, name: str, reactor: Any, url: str) -> None:
        self.name = name
        self._reactor = reactor
        self._url = url

    async def connect(self) -> None:
        """
        Open a new connection to the server.
        """
        opening = create_client_agent(self._reactor).open(self._url, {})
        self._socket = await self._in_time(opening, "a WebSocket")
        inbox: defer.DeferredQueue[dict[str, Any]] = defer.DeferredQueue()
        self._socket.on("message", lambda text, is_binary: inbox.put(json.loads(text)))
        self._socket.is_closed.addCallback(lambda _: inbox.put({"type": "end of connection"}))
        self._inbox = inbox

    def send(self, kind: str, **fields: Any) -> None:
        """
        Send one message.
        """
        self._say("->", kind, json.dumps(fields) if fields else "")
        self._socket.sendMessage(json.dumps({"type": kind, "data": fields}).encode())

    async def receive(self, kind: str, **expected: Any) -> dict[str, Any]:
        """
        Wait for the next message, which must be of this kind and have these fields.
        """
        message = await self._in_time(self._inbox.get(), kind)
        fields = message.get("data", {})
        if message["type"] != kind or not expected.items() <= fields.items():
            raise UnexpectedError(f"{self.name} expected {kind} {expected}, got {message}")
        self._say("<-", kind, summary(kind, fields))
        return fields

    def lose_connection(self) -> None:
        """
        Break the connection, as a bad network does.
        """
        self._say("--", "loses the connection", "")
        self._socket.dropConnection(abort=True)

    async def disconnect(self) -> None:
        """
        Close the connection, as programs should.
        """
        self._socket.sendClose(1000)
        await self._in_time(self._socket.is_closed, "the end of the connection")

    async def _in_time(self, waiting: defer.Deferred[Any], what: str) -> Any:
        try:
            return await waiting.addTimeout(PATIENCE, self._reactor)
        except defer.TimeoutError:
            raise UnexpectedError(f"{self.name} waited in vain for {what}") from None

    def _say(self, arrow: str, what: str, details: str) -> None:
        shortened = UUID.sub(r"\1", details)  # eight characters are enough to tell ids apart
        print(f"{self.name:5} {arrow} {what} {shortened}".rstrip())


def summary(kind: str, fields: dict[str, Any]) -> str:
    """
    What is worth printing of a message from the server.
    """
    match kind:
        case "RoomJoined" | "Reconnected":
            names = " and ".join(player["name"] for player in fields["current_players"])
            return f"room {fields['room_code']} ({fields['lobby_state']}) with {names}"
        case "PlayerJoined" | "PlayerReconnected":
            return str(fields["player"]["name"])
        case "LobbyStateChanged":
            return f"{fields['lobby_state']}, {len(fields['ready_players'])} ready"
        case "GameStarting":
            ports = [peer["connection_info"]["port"] for peer in fields["peer_connections"]]
            return f"with players at ports {ports[0]} and {ports[1]}"
        case "Authenticated" | "ProtocolInfo" | "RoomLeft" | "Pong":
            return ""
    return json.dumps(fields)


async def play(alice: Player, bob: Player) -> None:
    """
    The whole game.
    """
    # Alice opens a room for two, and tells Bob its code in some other way.
    await alice.connect()
    alice.send("JoinRoom", game_name=GAME, player_name="Alice", max_players=2)
    seat = await alice.receive("RoomJoined", is_authority=True)
    alice_id, room_code = seat["player_id"], seat["room_code"]

    # Bob's client authenticates first, as newer ones do. Both kinds can play together.
    await bob.connect()
    bob.send("Authenticate", app_id=GAME)
    await bob.receive("Authenticated")
    await bob.receive("ProtocolInfo")
    bob.send("JoinRoom", game_name=GAME, player_name="Bob", room_code=room_code)
    await bob.receive("RoomJoined", room_code=room_code)
    await alice.receive("PlayerJoined")
    for player in (alice, bob):
        await player.receive("LobbyStateChanged", lobby_state="lobby")

    # The game starts when the room is full and everybody is ready.
    for who, port in ((alice, 40417), (bob, 40418)):
        address = {"type": "direct", "host": "192.0.2.7", "port": port}
        who.send("ProvideConnectionInfo", connection_info=address)
        who.send("PlayerReady")
        for player in (alice, bob):
            await player.receive("LobbyStateChanged", all_ready=who is bob)
    for player in (alice, bob):
        await player.receive("GameStarting")

    alice.send("GameData", data={"lap": 1})
    await bob.receive("GameData", from_player=alice_id, data={"lap": 1})
    bob.send("GameData", data={"honk": True})
    await alice.receive("GameData", data={"honk": True})

    # Nobody can take Alice's seat while she is away, and what Bob sends is kept for her.
    alice.lose_connection()
    await bob.receive("PlayerLeft", player_id=alice_id)
    await bob.receive("AuthorityChanged", authority_player=None)
    bob.send("GameData", data={"lap": 2})
    bob.send("Ping")
    await bob.receive("Pong")
    await alice.connect()
    token = seat["reconnection_token"]
    alice.send("Reconnect", player_id=alice_id, room_id=seat["room_id"], auth_token=token)
    await alice.receive("Reconnected", player_id=alice_id)
    await alice.receive("GameData", data={"lap": 2})
    await alice.receive("AuthorityChanged", you_are_authority=True)
    await bob.receive("PlayerJoined")
    await bob.receive("PlayerReconnected", player_id=alice_id)
    await bob.receive("AuthorityChanged", authority_player=alice_id)

    bob.send("LeaveRoom")
    await bob.receive("RoomLeft")
    await alice.receive("PlayerLeft")
    alice.send("LeaveRoom")
    await alice.receive("RoomLeft")
    for player in (alice, bob):
        await player.disconnect()


async def main(reactor: Any, url: str = DEFAULT_URL) -> None:
    """
    Play; if something goes wrong, say in one line what it was.
    """
    try:
        await play(Player("Alice", reactor, url), Player("Bob", reactor, url))
    except (UnexpectedError, ConnectError, DNSLookupError, ValueError) as error:
        raise SystemExit(f"two_players: {url}: {error}") from None


if __name__ == "__main__":
    react(main, sys.argv[1:2])
