"""
What absent players miss, within bounds of number and memory.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator

from attrs import frozen

from signalfish.wire.gamedata import BinaryData, TextData
from signalfish.wire.outgoing import Undeliverable
from signalfish.wire.server import (
    AuthorityChanged,
    LobbyStateChanged,
    NewSpectatorJoined,
    PlayerJoined,
    PlayerLeft,
    PlayerReconnected,
    ServerMessage,
    SpectatorDisconnected,
)
from signalfish.wire.types import Form

ROOM_BYTES = 1 << 20
"""
The most game data that one room keeps for absent players.
"""

OVERHEAD = 512
"""
Bytes that one kept message takes besides its payload, about.
"""

_REPLAYED = (
    PlayerJoined,
    PlayerLeft,
    PlayerReconnected,
    NewSpectatorJoined,
    SpectatorDisconnected,
    LobbyStateChanged,
    AuthorityChanged,
)


class ReplayMemory:
    """
    The game data kept for absent players by all rooms together; the oldest goes first.

    :param limit: bytes, all rooms together.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._order: OrderedDict[_Missed, Replay] = OrderedDict()

    def add(self, missed: _Missed, owner: Replay) -> None:
        """
        Account for one entry, dropping the oldest ones of any room if need be.
        """
        self._order[missed] = owner
        self.used += missed.size
        while self.used > self.limit:
            oldest = next(iter(self._order.values()))
            oldest.drop_oldest()

    def remove(self, missed: _Missed) -> None:
        """
        One entry is kept no longer.
        """
        del self._order[missed]
        self.used -= missed.size


@frozen(eq=False)
class _Missed:
    number: int
    data: TextData | BinaryData
    size: int


class Replay:
    """
    One room's events, numbered; kept only while somebody may come back for them.

    :param capacity: the most control events, and the most game data, that are kept.
    :param largest_message: bytes that a message with control events may have.
    :ivar next_number: the number of the next event.
    """

    def __init__(self, capacity: int, memory: ReplayMemory, largest_message: int = 8 << 20) -> None:
        self.largest_message = largest_message
        self.next_number = 0
        self._capacity = capacity
        self._memory = memory
        self._events: deque[tuple[int, ServerMessage]] = deque(maxlen=capacity)
        self._data: deque[_Missed] = deque()
        self._bytes = 0
        self._lost_before = 0

    def coverage(self, first: int) -> str:
        """
        Whether all control events from a number on are kept: complete, truncated or unavailable.
        """
        if not self._capacity:
            return "unavailable"
        return "truncated" if first < self._lost_before else "complete"

    def record(self, message: ServerMessage) -> None:
        """
        Keep a control event, if it is of a kind that is replayed.
        """
        if isinstance(message, _REPLAYED):
            if len(self._events) == self._capacity:
                self._lost_before = self._events[0][0] + 1 if self._events else self.next_number + 1
            self._events.append((self.next_number, message))
            self.next_number += 1

    def record_data(self, data: TextData | BinaryData, size: int) -> None:
        """
        Keep game data of the given size in bytes.
        """
        size += OVERHEAD
        missed = _Missed(self.next_number, data.bare(), size)
        self.next_number += 1
        if not self._capacity or not self._memory.limit:
            return
        while self._data and (self._bytes + size > ROOM_BYTES or len(self._data) >= self._capacity):
            self.drop_oldest()
        if size > ROOM_BYTES:
            return
        self._data.append(missed)
        self._bytes += size
        self._memory.add(missed, self)

    def drop_oldest(self) -> None:
        """
        Forget the oldest game data.
        """
        missed = self._data.popleft()
        self._bytes -= missed.size
        self._memory.remove(missed)

    def events(self, first: int) -> Iterator[ServerMessage]:
        """
        The kept control events from a number on.
        """
        return (message for number, message in self._events if number >= first)

    def data(self, first: int) -> list[TextData | BinaryData]:
        """
        The kept game data from a number on.
        """
        return [missed.data for missed in self._data if missed.number >= first]

    def newest(self, first: int, form: Form) -> list[TextData | BinaryData]:
        """
        The newest of the kept game data from a number on, as much as may be sent in one go.
        """
        fitting: list[TextData | BinaryData] = []
        size = 0
        for data in reversed(self.data(first)):
            size += _size(data, form)
            if size > ROOM_BYTES:
                break
            fitting.append(data)
        return fitting[::-1]

    def clear(self) -> None:
        """
        Nobody will come back.
        """
        self._events.clear()
        while self._data:
            self.drop_oldest()


def _size(data: TextData | BinaryData, form: Form) -> int:
    try:
        return len(data.frame(form))
    except Undeliverable:
        return 0
