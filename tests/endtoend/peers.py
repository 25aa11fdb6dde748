"""
Clients of all kinds, who send what they like and check all that comes.
"""

from typing import Any, NamedTuple

from websockets.frames import Opcode

from tests.endtoend.ledger import Content, Observed
from tests.net.fakes import Client
from tests.strict.client import Negotiated, StrictClient
from tests.strict.reader import read_binary, read_text
from tests.strict.requests import ANSWERS

_FULL = {
    "supported_transports": ["relay", "direct", "webrtc"],
    "supported_topologies": ["relay", "host", "mesh"],
}


class Kind(NamedTuple):
    """
    What a client negotiates.

    :ivar credentials: those of Authenticate; None if it does not authenticate.
    """

    version: int
    credentials: dict[str, Any] | None = None

    def strict(self) -> StrictClient:
        """
        A client that knows what was negotiated.
        """
        said = self.credentials or {}
        asked = said.get("requested_capabilities", [])
        gets_token = self.version >= 3 or not said or "reconnection_token" in asked
        negotiated = Negotiated(
            said.get("supported_transports", ["relay"]),
            said.get("supported_topologies", ["relay"]),
            binary=said.get("game_data_format") == "message_pack",
            gets_token=gets_token,
            correlates=self.version >= 3 and "room_operation_ids" in asked,
        )
        return StrictClient(self.version, negotiated, greeted=self.credentials is None)


KINDS = (
    Kind(2),
    Kind(2, {"requested_capabilities": ["room_operation_ids"]}),
    Kind(2, {"game_data_format": "message_pack", "requested_capabilities": ["reconnection_token"]}),
    Kind(3, {**_FULL, "requested_capabilities": ["room_operation_ids"]}),
    Kind(
        3,
        {
            **_FULL,
            "game_data_format": "message_pack",
            "requested_capabilities": ["room_operation_ids"],
        },
    ),
    Kind(3, {**_FULL}),
    Kind(3, {"game_data_format": "message_pack"}),
    Kind(3),
)


class Ticket(NamedTuple):
    """
    What a player needs to come back.
    """

    player: str
    room: str
    token: str


class Peer:
    """
    One connection of a client.

    :param buffer: bytes that its transport takes before it asks the server to wait.
    :ivar link: the server's end.
    :ivar stopped: whether it reads nothing.
    """

    def __init__(self, kind: Kind, client: Client, receiver: Observed, link: Any) -> None:
        self.strict = kind.strict()
        self.link = link
        self._client = client
        self._receiver = receiver
        self._operations = 0
        if kind.credentials is not None:
            self.say("Authenticate", {"app_id": "g", "protocol_version": kind.version} | kind[1])

    @property
    def over(self) -> bool:
        """
        Whether the connection has ended, as far as the client can see.
        """
        return self._client.close is not None or self._client.socket.lost is not None

    @property
    def close_code(self) -> int | None:
        """
        How the server closed the connection, if it did and the client has heard of it.
        """
        return None if self._client.close is None else self._client.close.code

    @property
    def got_everything(self) -> bool:
        """
        Whether the client was told all before the connection was closed.
        """
        return self.close_code in {4000, 4005, 4007, 4008}

    @property
    def ticket(self) -> Ticket | None:
        """
        What it needs to come back, if it can.
        """
        strict = self.strict
        if strict.place != "player" or strict.token is None:
            return None
        return Ticket(strict.me, strict.room, strict.token)

    # What it does.

    def squeeze(self, size: int) -> None:
        """
        Let the transport take only so many bytes before it asks the server to wait.
        """
        self._client.socket.bufferSize = size

    def stop(self) -> None:
        """
        Read no more.
        """
        self._client.socket.peer_reads = False

    def go_on(self, size: int | None = None) -> None:
        """
        Read again.

        :param size: how many bytes; None for all there are.
        """
        self._client.socket.appetite = size
        self._client.socket.peer_reads = True

    def cut(self) -> None:
        """
        The connection breaks.
        """
        if self._client.socket.lost is None:
            self._client.socket.cut()

    def say(self, kind: str, data: Any = None) -> None:
        """
        Send a message.
        """
        if kind in ANSWERS:
            self.strict.requests.ask(kind)
        self._note(data)
        self._client.say(kind, data)

    def do(self, kind: str, data: Any = None, target: str | None = None) -> None:
        """
        Send an operation with an id.
        """
        self._operations += 1
        number = f"00000000-0000-4000-8000-{self._operations:012}"
        self.strict.requests.ask(kind, number, target)
        self._note(data)
        asked = {"type": kind} if data is None else {"type": kind, "data": data}
        self._client.say("RoomOperation", {"operation_id": number, "operation": asked})

    def overreach(self) -> None:
        """
        Send an operation with an id that was not negotiated.
        """
        number = "00000000-0000-4000-8000-000000000000"
        asked = {"operation_id": number, "operation": {"type": "LeaveRoom"}}
        self._client.say("RoomOperation", asked)

    def send(self, content: Content) -> None:
        """
        Send game data.
        """
        self._receiver.sent.append(content)
        if content.payload is not None:
            self._client.send(Opcode.BINARY, content.payload)
            return
        data = {"data": content.value, "class": content.kind, "key": content.key}
        told = {name: value for name, value in data.items() if value is not None}
        self._client.say("GameData", told)

    def read(self) -> int:
        """
        Check what has come.

        :return: how many frames that were.
        """
        frames = self._client.frames()
        for frame in frames:
            if frame.opcode is Opcode.TEXT:
                read_text(self.strict, frame.data)
            elif frame.opcode is Opcode.BINARY:
                read_binary(self.strict, frame.data)
        return len(frames)

    def _note(self, data: Any) -> None:
        if isinstance(data, dict) and data.get("password"):
            self.strict.newer_codes = True
        if isinstance(data, dict) and "auth_token" in data:
            self.strict.presented = data["auth_token"]
