"""
What a client has asked and waits to be answered.
"""

from collections import deque
from typing import NamedTuple

from tests.strict.lie import want

ANSWERS = {
    "JoinRoom": {"RoomJoined", "RoomJoinFailed"},
    "LeaveRoom": {"RoomLeft"},
    "Reconnect": {"Reconnected", "ReconnectionFailed"},
    "JoinAsSpectator": {"SpectatorJoined", "SpectatorJoinFailed"},
    "LeaveSpectator": {"SpectatorLeft"},
    "AuthorityRequest": {"AuthorityResponse"},
    "Ping": {"Pong"},
    "Authenticate": {"ProtocolInfo"},
}
"""
What answers a plain request; an error in its place would leave the client waiting for ever.
"""

RESULTS = {
    **{kind: ANSWERS[kind] for kind in ("JoinRoom", "Reconnect", "JoinAsSpectator")},
    "LeaveRoom": {"RoomLeft", "OperationFailed"},
    "LeaveSpectator": {"SpectatorLeft", "OperationFailed"},
    "KickPlayer": {"PlayerKicked", "OperationFailed"},
    "BanPlayer": {"PlayerBanned", "OperationFailed"},
    "UnbanPlayer": {"PlayerUnbanned", "OperationFailed"},
    "RegenerateRoomCode": {"RoomCodeRegenerated", "OperationFailed"},
    "SetRoomAccess": {"RoomAccessUpdated", "OperationFailed"},
    "TransferAuthority": {"AuthorityTransferred", "OperationFailed"},
}
"""
What comes of an operation with an id.
"""

_REFUSED_BY_ERROR = {"LeaveRoom": "NOT_IN_ROOM", "LeaveSpectator": "NOT_A_SPECTATOR"}


class Request(NamedTuple):
    """
    Something that was asked.

    :ivar number: the id of the operation; None for a plain request.
    :ivar target: the player whom it is about, if any.
    """

    kind: str
    number: str | None = None
    target: str | None = None


class Requests:
    """
    Requests in the order of asking, in which they are answered; Pongs apart, which overtake.
    """

    def __init__(self) -> None:
        self.waiting: deque[Request] = deque()
        self.pings = 0

    def __bool__(self) -> bool:
        return bool(self.waiting or self.pings)

    def __repr__(self) -> str:
        return f"<waiting for {list(self.waiting)} and {self.pings} pongs>"

    def ask(self, kind: str, number: str | None = None, target: str | None = None) -> None:
        """
        Something is asked that will be answered.
        """
        if kind == "Ping":
            self.pings += 1
        else:
            self.waiting.append(Request(kind, number, target))

    def answer(self, answer: str) -> Request:
        """
        A plain answer has come.
        """
        request = self._first(answer)
        want(request.number is None, "plain answer to an operation", answer, request)
        want(answer in ANSWERS[request.kind], "answer of another kind", answer, request)
        return self.waiting.popleft()

    def conclude(self, number: str, result: str) -> Request:
        """
        The result of an operation has come.
        """
        request = self._first(result)
        want(number == request.number, "result of another operation", number, request)
        want(result in RESULTS[request.kind], "result of another kind", result, request)
        return self.waiting.popleft()

    def pong(self) -> None:
        """
        A ping is answered.
        """
        want(self.pings, "pong without ping")
        self.pings -= 1

    def refuse(self, code: str) -> None:
        """
        An error has come, which may answer the first request.
        """
        first = self.waiting[0] if self.waiting else None
        if first and first.number is None and _REFUSED_BY_ERROR.get(first.kind) == code:
            self.waiting.popleft()

    def drop(self) -> None:
        """
        No answer is expected any more.
        """
        self.waiting.clear()

    def _first(self, answer: str) -> Request:
        want(self.waiting, "answer to nothing", answer)
        return self.waiting[0]
